"""A database at a revision that this checkout does not have: what it was, where its file is, and the ways out."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from . import git, guard, heads, migration_history, snapshots
from .errors import CommandError
from .migration_history import Record

if TYPE_CHECKING:
    from .project import Project


def note(project: Project, revisions: Iterable[str]) -> None:
    """Say what there is to say of those of a database's revisions that no file has, for what goes on without."""
    known = heads.revisions(project.root)
    for one in revisions:
        if one not in known:
            project.console.note(str(explained(project, one, known)))


def explained(project: Project, revision: str, known: Collection[str]) -> CommandError:
    """Return what there is to say of such a revision.

    Args:
        known: the revisions that this checkout has.
    """
    with project.connect() as connection:
        records, _ = migration_history.look_up(project, connection)
        is_production = guard.is_production(project, connection)
    record = migration_history.last_applied(records).get(revision)
    was = f" {record.message!r} (applied {record.who_and_when})" if record else ""
    place = git.place_of(project.root, revision)
    has_it = "which no file in migrations/versions has"
    if place:
        has_it += f"; {_WHERE[place.kind]} {place.name} it is {place.path}"
    ways = [way_to(place), *_ways_back(project, known)]
    if (before := ancestor(records, revision, known)) is not None:
        ways.append(f"python manage.py migrate --abandon if the schema still is that of {before}")
    if not is_production:
        ways.append("in development python manage.py reset, with --drop-unknown if it made tables")
    *most, last = ways
    cure = f"{', '.join(most)}, or {last}" if most else last
    return CommandError(f"{project.backend.label} is at revision {revision}{was}, {has_it}", cure)


def line(records: Iterable[Record], revision: str, known: Collection[str]) -> list[Record]:
    """Return what is recorded of one and of those before it that this checkout does not have either, the newest first.

    Args:
        known: the revisions that this checkout has.
    """
    last = migration_history.last_applied(records)
    found, coming = [], [revision]
    for name in coming:  # which grows
        if name not in known and (record := last.pop(name, None)):  # a circle would have no end
            found.append(record)
            coming += record.parents
    return found


def ancestor(records: Iterable[Record], revision: str, known: Collection[str]) -> str | None:
    """Return the nearest revision before one that this checkout has, "zero" for none; None where nothing tells."""
    between = line(records, revision, known)
    if not between or any(len(one.parents) > 1 for one in between):
        return None
    before = between[-1].parents
    return "zero" if not before else before[0] if before[0] in known else None


def way_to(place: git.Place | None) -> str:
    """Return how to get a file that git knows at this place, or nowhere."""
    if place is None:
        return "get that file (another branch may have it)"
    if place.kind == "branch":
        return f"git switch {shlex.quote(place.name)}"
    source = "" if place.kind == "here" else f"--source={shlex.quote(place.name)} "
    return f"git restore {source}{shlex.quote(place.path)}"


def _ways_back(project: Project, known: Collection[str]) -> Iterator[str]:
    """Yield the restoring of the newest snapshot that this checkout can go on from."""
    with suppress(CommandError):  # where there can be no snapshots, there is no such way
        for one in snapshots.own(project):
            if one.revisions and set(one.revisions) <= set(known):
                yield f"python manage.py restore {one.name}"
                return


_WHERE: dict[git.Kind, str] = {"here": "on branch", "branch": "on branch", "tag": "at tag", "commit": "in commit"}
