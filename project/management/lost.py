"""A database at a revision that this checkout does not have: what it was, where its file is, and the ways out."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from . import git, guard, migration_history, snapshots
from .errors import CommandError

if TYPE_CHECKING:
    from .project import Project


def explained(project: Project, revision: str, known: Collection[str]) -> CommandError:
    """Return what there is to say of such a revision.

    Args:
        known: the revisions that this checkout has.
    """
    with project.connect() as connection:
        record = migration_history.last_applied(migration_history.read(connection)).get(revision)
        is_production = guard.is_production(project, connection)
    was = f" {record.message!r} (applied {record.who_and_when})" if record else ""
    places = git.places_of(project.root, revision)
    has_it = "which no file in migrations/versions has"
    if places:
        has_it += f"; on branch {places[0].branch} it is {places[0].path}"
    ways = [way_to(places), *_ways_back(project, known)]
    if (before := ancestor(project, revision, known)) is not None:
        ways.append(f"python manage.py migrate --abandon if the schema still is that of {before}")
    if not is_production:
        ways.append("in development python manage.py reset, with --drop-unknown if it made tables")
    *most, last = ways
    cure = f"{', '.join(most)}, or {last}" if most else last
    return CommandError(f"{project.backend.label} is at revision {revision}{was}, {has_it}", cure)


def ancestor(project: Project, revision: str, known: Collection[str]) -> str | None:
    """Return the nearest revision before one that this checkout has, "zero" for none; None where nothing tells."""
    with project.connect() as connection:
        records = {one.revision: one for one in migration_history.read(connection)}
    while revision not in known:
        record = records.get(revision)
        if record is None or len(record.parents) > 1:
            return None
        if not record.parents:
            return "zero"
        del records[revision]  # a circle would have no end
        revision = record.parents[0]
    return revision


def way_to(places: list[git.Place]) -> str:
    """Return how to get a file that is on these branches, or on none that git knows."""
    if not places:
        return "get that file (another branch may have it)"
    first = places[0]
    return f"git restore {shlex.quote(first.path)}" if first.is_here else f"git switch {shlex.quote(first.branch)}"


def _ways_back(project: Project, known: Collection[str]) -> Iterator[str]:
    """Yield the restoring of the newest snapshot that this checkout can go on from."""
    with suppress(CommandError):  # where there can be no snapshots, there is no such way
        for one in snapshots.own(project):
            if one.revisions and set(one.revisions) <= set(known):
                yield f"python manage.py restore {one.name}"
                return
