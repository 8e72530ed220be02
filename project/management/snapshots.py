"""Snapshots: whole copies of the database with what is known of them; taken by hand, by a reset, and before a loss."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from . import bookkeeping, guard
from .backends.base import TableName
from .backends.copies import About, CannotCopy, Copy, Counted
from .backends.waiting import SAY_AFTER, GaveUp
from .errors import CommandError, did_you_mean, shortened

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project

Kind = Literal["by hand", "reset", "before", "failed"]
_STAMP = re.compile(r"-\d{8}-\d{6}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Snapshot:
    """A copy and what is known of it."""

    name: str
    database: str  # which it is of
    taken: datetime  # in UTC
    kind: Kind
    revisions: tuple[str, ...]
    rows: dict[str, int]  # by table
    inventory: frozenset[str]  # everything in it that somebody made
    rights: frozenset[str] | None  # who may do what, and what else no rebuild touches; None where it was not noted
    fingerprint: str | None  # of the reset that built it
    size: int  # bytes
    copy: Copy

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def every(project: Project) -> list[Snapshot]:
    """Return the snapshots of every database that are kept where this one's are, the newest first."""
    found = [one for copy in _copies(project) if (one := _snapshot(copy)) is not None]
    return sorted(found, key=lambda one: (one.taken, one.name), reverse=True)


def unreadable(project: Project) -> list[str]:
    """Return where there are snapshots of which nothing can be read: another version wrote them, or somebody's hand."""
    return [copy.place for copy in _copies(project) if _snapshot(copy) is None]


def _copies(project: Project) -> Sequence[Copy]:
    with project.explained():
        return project.backend.copies.all()


def own(project: Project) -> list[Snapshot]:
    """Return the snapshots of this project's database, the newest first."""
    return [one for one in every(project) if one.database == project.backend.copies.owner]


def named(project: Project, name: str | None) -> Snapshot | None:
    """Return the snapshot of this project's database that has a name; None where there is none."""
    return next((one for one in own(project) if one.name == name), None) if name else None


def find(project: Project, name: str | None, *, of: str | None = None, elsewhere: str = "") -> Snapshot:
    """Return a snapshot by its name; without one the newest that no reset made.

    Args:
        of: the database it is of, this project's when not given.
        elsewhere: what to do about one of another database, {} being that one.

    Raises:
        CommandError: there is none, or it is one of another database.
    """
    everything = every(project)
    database = project.backend.copies.owner if of is None else of
    possible = [one for one in everything if one.database == database]
    if of is not None and not possible:
        known = sorted({one.database for one in everything})
        raise CommandError(
            f"no snapshot is of a database {of!r}.{did_you_mean(of, known)}",
            f"there are some of {', '.join(known)}" if known else "python manage.py snapshot saves one",
        )
    if name is None:
        found = [one for one in possible if one.kind in ("by hand", "before")]
        if not found:
            raise CommandError(f"{_shown(project, database)} has no snapshot", "python manage.py snapshot saves one")
        return found[0]
    for one in possible:
        if one.name == name:
            return one
    others = [one.database for one in everything if one.name == name]
    if others:
        owners = ", ".join(others)
        raise CommandError(f"{name} is a snapshot of {owners}, not of {database}", elsewhere.format(others[0]))
    raise CommandError(
        f"no snapshot {shortened(name)!r}.{did_you_mean(name, [one.name for one in possible])}",
        "python manage.py snapshots lists them",
    )


@contextmanager
def alone(project: Project) -> Iterator[None]:
    """Let one process after the other work with this database's snapshots; what a crash left of some goes first."""
    copies = project.backend.copies
    with project.explained(), copies.alone():
        copies.clear_up()
        yield


def take(
    project: Project, name: str, *, kind: Kind = "by hand", fingerprint: str | None = None, all_of_it: bool = False
) -> Snapshot:
    """Save the database under a name that is free; inside `alone`.

    Args:
        all_of_it: as `Copies.save` takes it.

    Raises:
        CommandError: the name is taken, or cannot be one.
    """
    refuse_name(name)
    known = own(project)
    for one in known:
        if one.name.lower() == name.lower():  # not every file system and server tells them apart
            raise CommandError(
                f"there is a snapshot {one.name} already",
                f"take another name, or python manage.py snapshots --delete {one.name}",
            )
    moment = moment_after(known)
    project.backend.copies.save(
        name, lambda copy: description(project, copy, kind, fingerprint, moment), all_of_it=all_of_it
    )
    return next(one for one in own(project) if one.name == name)


def prepare(project: Project, snapshot: Snapshot) -> None:
    """Let the next restore of a snapshot take less time, unless the settings say that nothing is kept, or not so much.

    Inside `alone`.
    """
    if project.settings.snapshots_kept and snapshot.size <= project.settings.snapshot_limit * MEGABYTE:
        with suppress(CannotCopy, GaveUp):  # then the next one takes as long as it does
            project.backend.copies.prepare(snapshot.copy)


def delete(project: Project, snapshots: Sequence[Snapshot]) -> None:
    """Delete snapshots; inside `alone`."""
    for one in snapshots:
        project.backend.copies.delete(one.copy)


def forget(project: Project, kind: Kind, *, but: str | None, told: Collection[str | None] = ()) -> None:
    """Delete those of a kind that are more than the settings keep, before each action as many; inside `alone`.

    What was to be done is done: one that somebody is in stays until the next time, and nobody waits for the last to go.

    Args:
        but: the one that this command has taken, or names; it is the newest, whatever the clock once said.
        told: some that stay too, for they were named as what undoes something.
    """
    if not project.settings.snapshots_kept:  # none is taken; those that are there are somebody's undo
        return
    kept: dict[str, int] = {_STAMP.split(but)[0]: 1} if but else {}
    going = []
    for one in own(project):
        if one.kind == kind and one.name != but:
            action = _STAMP.split(one.name)[0]
            kept[action] = kept.get(action, 0) + 1
            going += [one] if kept[action] > project.settings.snapshots_kept and one.name not in told else []
    for one in going:
        try:
            with project.backend.waiting.at_most(SAY_AFTER):
                project.backend.copies.delete(one.copy, wait=one is not going[-1])
        except GaveUp as error:
            project.console.note(f"Snapshot {one.name} stays for now: {error.cause}")


# What is in a database


def counted(project: Project, connection: sa.Connection) -> Counted:
    """Return how many rows there are of everything that would be lost with the whole database."""
    return project.backend.copies.counted(connection, tables(project, connection))


def tables(project: Project, connection: sa.Connection) -> list[TableName]:
    """Return every table of the database but the bookkeeping, other people's too."""
    return [one for one in project.backend.copies.tables(connection) if one[1] not in bookkeeping.HIDDEN]


def is_empty(project: Project, copy: Copy) -> bool:
    """Return whether there certainly are no rows in a copy."""
    try:
        with project.backend.copies.inside(copy) as connection:
            found = counted(project, connection)
            return found.is_all and not any(found.rows.values())
    except CannotCopy:
        return False


def without(project: Project, connection: sa.Connection | None = None) -> tuple[str, ...]:
    """Return the tables of the models of which no snapshot has anything: on MariaDB those of another schema.

    Args:
        connection: leave out those without rows.
    """
    found = project.backend.copies.without(_of_models(project))
    if connection and found:
        there = {one.name for one in project.backend.relations(connection, {schema for schema, _ in found})}
        rows = guard.count_rows(connection, there.intersection(found))
        found = [one for one in found if rows.get(one)]
    return tuple(map(str, found))


def _of_models(project: Project) -> Iterator[TableName]:
    """Yield the tables of the models, which are imported when the first is asked for."""
    yield from map(TableName.of, project.metadata.tables.values())


def refuse_size(project: Project, connection: sa.Connection) -> int:
    """Refuse to save by itself what is larger than the settings allow; return its size in bytes.

    Raises:
        CannotCopy: saying both sizes.
    """
    limit = project.settings.snapshot_limit * MEGABYTE
    size = project.backend.copies.size(connection)
    if size > limit:
        raise CannotCopy(
            f"{project.backend.label} has {readable(size)}, more than SNAPSHOT_LIMIT ({readable(limit)})",
            "a higher SNAPSHOT_LIMIT, in MB, lets it be saved",
        )
    return size


def description(
    project: Project,
    connection: sa.Connection,
    kind: Kind,
    fingerprint: str | None,
    moment: datetime,
    rows: Counted | None = None,
) -> About:
    rows = rows or counted(project, connection)
    return {
        "taken": moment.isoformat(timespec="microseconds"),
        "kind": kind,
        "revisions": sorted(bookkeeping.versions(connection)),
        "rows": {str(table): number for table, number in rows.rows.items()},
        "inventory": project.backend.copies.inventory(connection),
        "rights": project.backend.copies.rights(connection),
        "fingerprint": fingerprint,
    }


def moment_after(known: Sequence[Snapshot]) -> datetime:
    """Return the moment, in UTC; later than those of other snapshots, though the clock may have gone back."""
    return max([datetime.now(UTC), *(one.taken + timedelta(microseconds=1) for one in known)])


# Names and sizes


def refuse_name(name: str) -> None:
    """Refuse a name that would not be a plain file's, or too long for a database's.

    Raises:
        CommandError: saying what a name can be.
    """
    if not NAME.fullmatch(name):
        raise CommandError(
            f"{shortened(name)!r} cannot be the name of a snapshot",
            "it has up to 40 letters, digits, and - _ . between them",
            exit_code=2,
        )


def default_name(project: Project) -> str:
    """Return a free name for a snapshot taken by hand: git's branch and the moment."""
    from . import git

    branch = re.sub(r"[^A-Za-z0-9_]+", "-", git.branch(project.root)).strip("-_")
    return free_name(project, branch[:22].rstrip("-_"))


def free_name(project: Project, begin: str, *, stamped: bool = False) -> str:
    """Return a name that no snapshot of the database has, of a word and the moment in local time.

    Args:
        stamped: the word ends with the moment already.
    """
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    name = begin if stamped else f"{begin}-{stamp}" if begin else stamp
    taken = {one.name for one in own(project)}
    return next(
        one for number in range(1, len(taken) + 2) if (one := name if number == 1 else f"{name}-{number}") not in taken
    )


def readable(size: int) -> str:
    """Return a number of bytes as a person reads it: "1.3 MB"."""
    if size < MEGABYTE:
        return f"{size / 1000:,.0f} KB"
    return f"{size / MEGABYTE:,.1f} MB" if size < 1000 * MEGABYTE else f"{size / MEGABYTE / 1000:,.1f} GB"


def _snapshot(copy: Copy) -> Snapshot | None:
    about = copy.about
    try:
        return Snapshot(
            copy.name,
            copy.database,
            datetime.fromisoformat(about["taken"]).astimezone(UTC),
            about["kind"],
            tuple(map(str, about["revisions"])),
            {str(table): int(rows) for table, rows in about["rows"].items()},
            frozenset(about["inventory"]),
            frozenset(about["rights"]) if "rights" in about else None,
            about["fingerprint"],
            int(copy.size),
            copy,
        )
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _shown(project: Project, database: str) -> str:
    return project.backend.label if database == project.backend.copies.owner else database
