"""Snapshots: whole copies of the database with what is known of them; taken by hand, by a reset, and before a loss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from . import bookkeeping, guard
from .backends.copies import About, CannotCopy, Copy, Counted, Keep
from .backends.waiting import SAY_AFTER, GaveUp
from .errors import CommandError, NotAllowed, did_you_mean, shortened

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .backends.base import TableName
    from .project import Project

Kind = Literal["by hand", "reset", "before"]
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
    inventory: frozenset[str]  # everything in it that somebody made, and who may do what
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


def find(project: Project, name: str | None, *, of: str | None = None, elsewhere: str = "") -> Snapshot:
    """Return a snapshot by its name; without one the newest that no reset keeps for itself.

    Args:
        of: the database it is of, this project's when not given.
        elsewhere: what to do about one of another database, {} being that one.

    Raises:
        CommandError: there is none, or it is one of another database.
    """
    everything = every(project)
    database = of or project.backend.copies.owner
    possible = [one for one in everything if one.database == database]
    if of is not None and not possible:
        known = sorted({one.database for one in everything})
        raise CommandError(
            f"no snapshot is of a database {of!r}.{did_you_mean(of, known)}",
            f"there are some of {', '.join(known)}" if known else "python manage.py snapshot saves one",
        )
    if name is None:
        found = [one for one in possible if one.kind != "reset"]
        if not found:
            raise CommandError(f"{_shown(project, database)} has no snapshot", "python manage.py snapshot saves one")
        return found[0]
    for one in possible:
        if one.name == name:
            return one
    others = [one.database for one in everything if one.name == name]
    if others:
        raise CommandError(f"{name} is a snapshot of {others[0]}, not of {database}", elsewhere.format(others[0]))
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


def take(project: Project, name: str, *, kind: Kind = "by hand", fingerprint: str | None = None) -> Snapshot:
    """Save the database under a name that is free; inside `alone`.

    Raises:
        CommandError: the name is taken, or cannot be one.
    """
    refuse_name(name)
    for one in own(project):
        if one.name.lower() == name.lower():  # not every file system and server tells them apart
            raise CommandError(
                f"there is a snapshot {one.name} already",
                f"take another name, or python manage.py snapshots --delete {one.name}",
            )
    project.backend.copies.save(name, lambda copy: _description(project, copy, kind, fingerprint))
    return next(one for one in own(project) if one.name == name)


def restore(project: Project, snapshot: Snapshot, undo: Undo) -> bool:
    """Put a snapshot in the database's place; inside `alone`. Return False where it was there already.

    Args:
        undo: what keeps the database as it was.
    """
    if undo.same == snapshot.name and snapshot.database == project.backend.copies.owner:
        return False
    keep = Keep(undo.name, undo.about, undo.size) if undo.name and not undo.same else None
    project.backend.copies.restore(snapshot.copy, keep)
    forget(project, "before")
    prepare(project, snapshot)  # who restores it once will do so again
    return True


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


def forget(project: Project, kind: Kind) -> None:
    """Delete those of a kind that are more than the settings keep, before each action as many; inside `alone`.

    What was to be done is done: one that somebody is in stays until the next time, and nobody waits for the last to go.
    """
    kept: dict[str, int] = {}
    going = []
    for one in own(project):
        if one.kind == kind:
            action = _STAMP.split(one.name)[0]
            kept[action] = kept.get(action, 0) + 1
            going += [one] if kept[action] > project.settings.snapshots_kept else []
    for one in going:
        try:
            with project.backend.waiting.at_most(SAY_AFTER):
                project.backend.copies.delete(one.copy, wait=one is not going[-1])
        except GaveUp as error:
            project.console.note(f"Snapshot {one.name} stays for now: {error.cause}")


# For a reset


def fitting(project: Project, connection: sa.Connection | None, fingerprint: str) -> Snapshot | None:
    """Return the newest snapshot of what a reset would build, where it has the place of all that is there now.

    What somebody else made in the database would be gone with it.

    Args:
        connection: None where there is no database yet.
    """
    there = frozenset(_all_of_it(project, connection)) if connection else frozenset()
    found = [one for one in own(project) if one.kind == "reset" and one.fingerprint == fingerprint]
    return next((one for one in found if there <= one.inventory), None)


def keep_reset(project: Project, fingerprint: str) -> None:
    """Save what a reset has built, for the next one, unless the settings say that nothing is kept."""
    if not project.settings.snapshots_kept:
        return
    with project.looking() as connection:
        refuse_size(project, connection)
    with project.backend.waiting.at_most(SAY_AFTER), alone(project):
        delete(project, [one for one in own(project) if one.kind == "reset" and one.fingerprint == fingerprint])
        kept = take(project, free_name(project, "reset"), kind="reset", fingerprint=fingerprint)
        forget(project, "reset")
        prepare(project, kept)


# Before a loss


@dataclass(frozen=True)
class Undo:
    """How what a destructive command loses comes back."""

    name: str | None = None  # of the snapshot that has it, or will have it
    about: About = field(default_factory=dict)  # what is to be written down about it
    size: int = 0  # of the database, in bytes
    same: str | None = None  # the snapshot that is as the database is; then none has to be taken
    why_not: str = ""

    @property
    def words(self) -> str:
        """What the command says at its end; nothing where nothing is lost."""
        if self.name:
            return f"To undo it: python manage.py restore {self.name}"
        return f"No snapshot brings back what was there: {self.why_not}." if self.why_not else ""


def counted(project: Project, connection: sa.Connection) -> Counted:
    """Return how many rows there are of everything that would be lost with the whole database."""
    return project.backend.copies.counted(connection, tables(project, connection))


def tables(project: Project, connection: sa.Connection) -> list[TableName]:
    """Return every table of the database but the bookkeeping, other people's too."""
    return [one for one in project.backend.copies.tables(connection) if one[1] not in bookkeeping.HIDDEN]


def warned(explanation: str, undo: Undo) -> str:
    """Return what a person is asked, with why it could not be undone, when it could not."""
    return f"{explanation}\n{undo.words}" if undo.why_not else explanation


def undo_of(project: Project, connection: sa.Connection, action: str, rows: Counted | None = None) -> Undo:
    """Return how something destructive will be undone: by a snapshot to be taken, unless one has all of it already.

    Args:
        action: a word for the snapshot's name: "before-reset-20261125-031500".
        rows: what `counted` has just returned, when it has.
    """
    try:
        with project.explained():
            rows = rows or counted(project, connection)
            about = _description(project, connection, "before", None, rows)
            is_production = guard.is_production(project, connection)
            connection.rollback()
            if not any(about["rows"].values()):
                return Undo()
            if not project.settings.snapshots_kept:
                return Undo(why_not="SNAPSHOTS_KEPT is 0")
            if is_production:
                return Undo(why_not="none is taken of a production database")
            kept = own(project)
            same = project.backend.copies.unchanged_since([one.copy for one in kept], connection, rows)
            for one in kept:
                if one.copy is same:  # what a reset built, the next one builds again
                    return Undo(None if one.kind == "reset" else one.name, same=one.name)
            size = refuse_size(project, connection)
            project.backend.copies.require_possible()
            return Undo(free_name(project, f"before-{action}"), about, size)
    except (CannotCopy, NotAllowed) as error:
        connection.rollback()
        return Undo(why_not=error.cause)


def save_undo(project: Project, undo: Undo) -> Undo:
    """Take the snapshot that is to be taken; return how to undo it then.

    Raises:
        CommandError: it could not be saved this time, as on a full disk; nothing else was done.
    """
    if undo.name is None or undo.same:
        return undo
    try:
        with project.backend.waiting.at_most(SAY_AFTER), alone(project):
            if undo.name in {one.name for one in own(project)}:  # by another process, in this second
                undo = replace(undo, name=free_name(project, undo.name, stamped=True))
            assert undo.name is not None
            take(project, undo.name, kind="before")
            forget(project, "before")
    except (CannotCopy, GaveUp, NotAllowed) as error:
        return Undo(why_not=error.cause)
    return undo


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


def _description(
    project: Project,
    connection: sa.Connection,
    kind: Kind,
    fingerprint: str | None,
    rows: Counted | None = None,
) -> About:
    rows = rows or counted(project, connection)
    return {
        "taken": datetime.now(UTC).isoformat(timespec="microseconds"),
        "kind": kind,
        "revisions": sorted(bookkeeping.versions(connection)),
        "rows": {str(table): number for table, number in rows.rows.items()},
        "inventory": _all_of_it(project, connection),
        "fingerprint": fingerprint,
    }


def _all_of_it(project: Project, connection: sa.Connection) -> list[str]:
    return project.backend.copies.inventory(connection) + project.backend.copies.rights(connection)


def _snapshot(copy: Copy) -> Snapshot | None:
    about = copy.about
    try:
        return Snapshot(
            copy.name,
            copy.database,
            datetime.fromisoformat(about["taken"]).astimezone(UTC),
            about["kind"],
            tuple(about["revisions"]),
            {table: int(rows) for table, rows in about["rows"].items()},
            frozenset(about["inventory"]),
            about["fingerprint"],
            copy.size,
            copy,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _shown(project: Project, database: str) -> str:
    return project.backend.label if database == project.backend.copies.owner else database
