"""What git can tell of this checkout; nothing where there is no git, or no repository."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

_NEWEST = 200  # branches, and tags, that are looked at
_FOLDER = "migrations/versions"
_WITHIN = 5  # seconds: what takes longer is not found

Kind = Literal["here", "branch", "tag", "commit"]


class Place(NamedTuple):
    """A file on a branch, at a tag, or in a commit that neither has any more; "here" is the branch that is checked out.

    A branch is named as `git switch` takes it.
    """

    kind: Kind
    name: str
    path: str


def branch(root: Path) -> str:
    """Return the branch that is checked out, nothing on none."""
    return _run(root, "symbolic-ref", "--quiet", "--short", "HEAD").strip()


def place_of(root: Path, revision: str) -> Place | None:
    """Return where the file of a revision is: on this branch, the newest other one, the newest tag, or in a commit."""
    if not re.fullmatch(r"\w+", revision, re.ASCII):  # git reads another kind of regular expressions
        return None
    pattern = f"^revision[^=]*= *['\"]{revision}['\"]"
    refs = [*_refs(root, "--sort=-committerdate", *_BRANCHES), *_refs(root, "--sort=-creatordate", _TAGS)]
    if not refs:
        return None
    look = ["grep", "--name-only", "-z", "--extended-regexp", "-e", pattern]
    found = [one.partition(":") for one in _run(root, *look, *refs, "--", _FOLDER).split("\0") if one]
    paths = {ref: path for ref, _, path in reversed(found)}
    here = f"refs/heads/{branch(root)}"
    if here in paths:
        return Place("here", _short(here), paths[here])
    for ref in refs:
        if ref in paths:
            return Place("tag" if ref.startswith(_TAGS) else "branch", _short(ref), paths[ref])
    return _in_a_commit(root, pattern)


def _in_a_commit(root: Path, pattern: str) -> Place | None:
    """Return the newest commit that has a file with such a line; only what some reference leads to is looked at."""
    made = _last_touched(root, "--extended-regexp", f"-G{pattern}", "--", _FOLDER)
    return made and _last_touched(root, "--", made.path)  # it may have changed since it was made


def _last_touched(root: Path, *which: str) -> Place | None:
    """Return the newest commit that made or changed a file."""
    options = ["--full-history", "--no-renames", "--diff-filter=d", "--relative", "--name-only", "-z", "--format=%h"]
    commit, _, paths = _run(root, "log", "--exclude=refs/stash", "--all", "-1", *options, *which).partition("\0")
    return Place("commit", commit, paths.strip("\n").split("\0")[0]) if commit else None


_BRANCHES = ("refs/heads", "refs/remotes")
_TAGS = "refs/tags"


def _refs(root: Path, order: str, *kinds: str) -> Sequence[str]:
    """Return the newest references, but those that are only another name, as origin/HEAD is."""
    listed = _run(root, "for-each-ref", order, f"--count={_NEWEST}", "--format=%(refname) %(symref)", *kinds)
    return [name for name, _, other in (line.partition(" ") for line in listed.splitlines()) if not other]


def _short(ref: str) -> str:
    """Return a reference's name: what is on a remote only, git switch makes a branch of its own for."""
    _, kind, name = ref.split("/", 2)
    return name.partition("/")[2] if kind == "remotes" else name


def _run(root: Path, *arguments: str) -> str:
    command = ["git", "--literal-pathspecs", "-C", str(root), *arguments]
    given = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}  # nothing is fetched, nobody asked
    try:
        found = subprocess.run(  # noqa: S603  # no shell
            command, env=given, stdin=subprocess.DEVNULL, capture_output=True, timeout=_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ""
    return found.stdout.decode(errors="replace") if found.returncode == 0 else ""
