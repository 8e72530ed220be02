"""What git can tell of this checkout; nothing where there is no git, or no repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

_NEWEST = 200  # branches that are looked at


class Place(NamedTuple):
    """A file on a branch."""

    branch: str  # as `git switch` takes it
    path: str
    is_here: bool  # it is the branch that is checked out


def branch(root: Path) -> str:
    """Return the branch that is checked out, nothing on none."""
    return _run(root, "symbolic-ref", "--quiet", "--short", "HEAD").strip()


def places_of(root: Path, revision: str) -> list[Place]:
    """Return where on the branches the file of a revision is, this branch first, then the newest."""
    if not re.fullmatch(r"\w+", revision, re.ASCII):  # git reads another kind of regular expressions
        return []
    here = f"refs/heads/{branch(root)}"
    refs = _run(
        root, "for-each-ref", "--sort=-committerdate", f"--count={_NEWEST}", "--format=%(refname)", *_KINDS
    ).split()
    if not refs:
        return []
    look = ["grep", "--name-only", "-z", "--extended-regexp", "-e", f"^revision[^=]*= *['\"]{revision}['\"]"]
    found = [one.partition(":") for one in _run(root, *look, *refs, "--", "migrations/versions").split("\0") if one]
    places = {ref: Place(_short(ref), path, ref == here) for ref, _, path in reversed(found)}
    return [places[ref] for ref in sorted(places, key=lambda ref: (ref != here, refs.index(ref)))]


_KINDS = ("refs/heads", "refs/remotes")


def _short(ref: str) -> str:
    """Return a branch's name: what is on a remote only, git switch makes a branch of its own for."""
    _, kind, name = ref.split("/", 2)
    return name.partition("/")[2] if kind == "remotes" else name


def _run(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        found = subprocess.run(command, capture_output=True, timeout=5, check=False)  # noqa: S603  # no shell
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ""
    return found.stdout.decode(errors="replace") if found.returncode == 0 else ""
