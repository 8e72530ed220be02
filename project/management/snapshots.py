"""Snapshots: whole copies of the database with what is known of them; taken by hand, by a reset, and before a loss."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from . import bookkeeping, guard
from .backends.base import TableName
from .backends.copies import About, Building, CannotCopy, Copy, Counted, IsUnchanged, Keep
from .backends.waiting import SAY_AFTER, GaveUp
from .errors import CommandError, NotAllowed, StepFailed, did_you_mean, shortened

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project

Kind = Literal["by hand", "reset", "before", "failed"]
_STAMP = re.compile(r"-\d{8}-\d{6}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
MEGABYTE = 1_000_000
_TRIES = 5  # of which each fails where somebody commits meanwhile, as other commands of this sort do

Result = TypeVar("Result")
Look = Callable[["sa.Connection", Sequence[TableName]], None]
Describe = Callable[[], frozenset[Any]]  # returns the schema of the database as it is, in parts


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
    moment = _moment_after(known)
    project.backend.copies.save(
        name, lambda copy: _description(project, copy, kind, fingerprint, moment), all_of_it=all_of_it
    )
    return next(one for one in own(project) if one.name == name)


def restore(project: Project, snapshot: Snapshot, undo: Undo, *, first: str | None = None) -> Undo | None:
    """Put a snapshot in the database's place; inside `alone`.

    Returns how that is undone; None where nothing was to be done.

    Args:
        undo: what was found to bring the database back as it is.
        first: the snapshot of what was there before it was decided what is put in its place.
    """
    copies = project.backend.copies
    if undo.same == snapshot.name and snapshot.database == copies.owner:
        return None
    # Kept unless nothing can have changed: who wrote since it was looked at has committed before the places change.
    name = undo.spare or (None if undo.same else undo.name)
    same = next((one.copy for one in own(project) if one.name == undo.same), None) if undo.same else None
    try:
        kept = copies.restore(snapshot.copy, Keep(name, undo.about, undo.size) if name else None, same)
    except (KeyboardInterrupt, SystemExit):
        _tell(project, name, undo.same)
        raise
    if name and kept:
        undo = _without_twin(project, name, undo)
        if undo.same == snapshot.name and snapshot.database == copies.owner:  # it was seen only now
            undo = replace(undo, name=None)
    undo = _without_needless(project, undo)
    forget(project, undo.kind, but=undo.name, told=(undo.earlier, first))
    prepare(project, snapshot)  # who restores it once will do so again
    return undo


def _without_twin(project: Project, name: str, undo: Undo) -> Undo:
    """Delete what was kept where a snapshot has all of it, or it is empty; return how what is lost is undone."""
    if not (undo.same or undo.spare or undo.unsure):
        return replace(undo, name=name)
    copies, known = project.backend.copies, {one.name: one for one in own(project)}
    kept = known.pop(name).copy
    possible = [known[undo.same]] if undo.same else known.values() if undo.unsure else ()
    twin = next((one for one in possible if copies.is_same(kept, one.copy)), None)
    if twin is None and (undo.same or not undo.spare or not _is_empty(project, kept)):
        return replace(undo, name=name, same=None, spare=None, unsure=False)
    copies.delete(kept, wait=False)
    known_as = twin.name if twin else None
    return replace(undo, name=known_as, same=known_as)


def _without_needless(project: Project, undo: Undo) -> Undo:
    """Delete what was kept of a database without rows where all of its schema is there again; inside `alone`."""
    kept = next((one for one in own(project) if one.name == undo.name), None)
    if undo.described is None or undo.schema is None or kept is None or not undo.schema <= undo.described():
        return undo
    if not undo.same and not _is_empty(project, kept.copy):  # somebody has committed a row since it was looked at
        return undo
    delete(project, [] if undo.same else [kept])
    return replace(undo, name=None, same=None)


def _is_empty(project: Project, copy: Copy) -> bool:
    """Return whether there certainly are no rows in a copy."""
    try:
        with project.backend.copies.inside(copy) as connection:
            found = counted(project, connection)
            return found.is_all and not any(found.rows.values())
    except CannotCopy:
        return False


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


# For a reset


def fitting(project: Project, connection: sa.Connection | None, fingerprint: str) -> Snapshot | None:
    """Return the newest snapshot of what a reset would build, where it has the place of all that is there now.

    What somebody else made in the database would be gone with it, and rights that were taken away would be back.

    Args:
        connection: None where there is no database yet.
    """
    copies = project.backend.copies
    found = [one for one in own(project) if one.kind == "reset" and one.fingerprint == fingerprint]
    if not found or connection is None:
        return found[0] if found else None
    there, rights = (frozenset(one(connection)) for one in (copies.inventory, copies.rights))
    return next((one for one in found if there <= one.inventory and rights == one.rights), None)


def built(project: Project, name: str, building: Building, fingerprint: str | None) -> Snapshot:
    """Make a snapshot of what a reset has built beside the database; inside `alone`.

    Args:
        fingerprint: None where no other reset shall take it.
    """
    moment = _moment_after(own(project))
    building.keep(lambda copy: _description(project, copy, "reset", fingerprint, moment))
    return next(one for one in own(project) if one.name == name)


@contextmanager
def to_be_restored(project: Project, snapshot: Snapshot, first: Undo) -> Iterator[None]:
    """Delete what a reset has built where it does not come to put it in place, but for somebody in the way.

    Inside `alone`. The next reset takes what is kept.

    Args:
        first: what has what was there.
    """
    try:
        with project.explained():
            yield
    except BaseException as error:
        with suppress(CommandError):
            if isinstance(error, GaveUp) and snapshot.fingerprint:
                project.console.note("What was built is kept: the next reset takes it")
                _forget_same(project, snapshot.fingerprint, snapshot.name, first.name)
            else:
                delete(project, [snapshot])
        raise


def keep_built(project: Project, snapshot: Snapshot, told: Collection[str | None]) -> str:
    """Let the next reset take what this one has built and put in place, if it may; inside `alone`.

    Returns why it cannot be kept, where that is for its size.

    Args:
        told: the snapshots that were named as what undoes the reset.
    """
    why_not = ""
    try:
        with project.looking() as connection:
            refuse_size(project, connection)
    except CannotCopy as error:
        why_not = str(error)
    with suppress(CommandError), project.backend.waiting.at_most(SAY_AFTER):  # more than are needed harm nobody
        if why_not or snapshot.fingerprint is None:
            delete(project, [snapshot])
        else:
            _forget_same(project, snapshot.fingerprint, snapshot.name, *told)
            forget(project, "reset", but=snapshot.name, told=told)
    return why_not


def keep_reset(project: Project, fingerprint: str, told: str | None) -> None:
    """Save what a reset has built in place, for the next one, unless the settings say that nothing is kept.

    Args:
        told: the snapshot that was named as what undoes the reset.
    """
    if not project.settings.snapshots_kept:
        return
    if without := _without(project):
        raise CannotCopy(f"snapshots have nothing of {', '.join(without)}", "reset builds it anew each time")
    with project.looking() as connection:
        refuse_size(project, connection)
    with project.backend.waiting.at_most(SAY_AFTER), alone(project):
        _forget_same(project, fingerprint, told)
        kept = take(project, free_name(project, "reset"), kind="reset", fingerprint=fingerprint)
        forget(project, "reset", but=kept.name, told=(told,))
        prepare(project, kept)


def _forget_same(project: Project, fingerprint: str | None, *but: str | None) -> None:
    """Delete what other resets have built of the same."""
    same = [one for one in own(project) if one.kind == "reset" and one.fingerprint == fingerprint]
    delete(project, [one for one in same if one.name not in but])


# Before a loss


@dataclass(frozen=True)
class Undo:
    """How what a destructive command loses comes back."""

    name: str | None = None  # of the snapshot that has it, or will have it
    about: About = field(default_factory=dict)  # what is to be written down about it
    size: int = 0  # of the database, in bytes
    same: str | None = None  # the snapshot that is as the database is; then none has to be taken
    spare: str | None = None  # the name of one that is taken all the same, where `same` may no longer be so
    unsure: bool = False  # whether one that has all of it may be among the snapshots all the same
    without: tuple[str, ...] = ()  # tables of which no snapshot has anything
    why_not: str = ""
    described: Describe | None = None
    schema: frozenset[Any] | None = None  # of a database without rows: where it is there again, nothing is to be undone
    earlier: str | None = None  # the snapshot of what a reset has lost that was cut off

    @property
    def words(self) -> str:
        """What the command says at its end; nothing where nothing is lost."""
        words = f"No snapshot brings back what was there: {self.why_not}." if self.why_not else ""
        if self.name:
            but = f" (it has nothing of {', '.join(self.without)})" if self.without else ""
            words = f"To undo it: python manage.py restore {self.name}{but}"
        if self.earlier:
            earlier = f"What a reset lost that was cut off: python manage.py restore {self.earlier}"
            return f"{words}   {earlier}" if words else earlier
        return words

    @property
    def kind(self) -> Kind:
        """Of the snapshot that is taken."""
        kind: Kind = self.about.get("kind", "before")
        return kind


def counted(project: Project, connection: sa.Connection) -> Counted:
    """Return how many rows there are of everything that would be lost with the whole database."""
    return project.backend.copies.counted(connection, tables(project, connection))


def tables(project: Project, connection: sa.Connection) -> list[TableName]:
    """Return every table of the database but the bookkeeping, other people's too."""
    return [one for one in project.backend.copies.tables(connection) if one[1] not in bookkeeping.HIDDEN]


def warned(explanation: str, undo: Undo) -> str:
    """Return what a person is asked, with why it could not be undone, when it could not."""
    return f"{explanation}\n{undo.words}" if undo.why_not else explanation


def undo_of(
    project: Project,
    connection: sa.Connection,
    action: str,
    rows: Counted | None = None,
    *,
    stays: frozenset[str] | None = None,
    described: Describe | None = None,
) -> Undo:
    """Return how something destructive will be undone: by a snapshot to be taken, unless one has all of it already.

    Args:
        action: a word for the snapshot's name: "before-reset-20261125-031500".
        rows: what `counted` has just returned, when it has.
        stays: what will be there besides rows, where other things can be lost too; None where they cannot.
        described: instead of it, where all is built anew, and only what is there in the end can tell.
    """
    try:
        with project.explained():
            earlier = cut_off(project, connection)
            undo = _undo_of(project, connection, action, rows, stays, described, earlier)
    except (CannotCopy, NotAllowed) as error:
        connection.rollback()
        return Undo(why_not=error.cause)
    return replace(undo, described=described, earlier=earlier)


def _undo_of(
    project: Project,
    connection: sa.Connection,
    action: str,
    rows: Counted | None,
    stays: frozenset[str] | None,
    described: Describe | None,
    earlier: str | None,
) -> Undo:
    rows = rows or counted(project, connection)
    kept = own(project)
    # What a reset has built half may not push out what that reset has lost.
    is_half_built = earlier and described
    kind: Kind = "failed" if is_half_built else "before"
    begin = "failed-reset" if is_half_built else f"before-{action}"
    about = _description(project, connection, kind, None, _moment_after(kept), rows)
    is_production = guard.is_production(project, connection)
    without = _without(project, connection)
    is_empty = not any(about["rows"].values()) and rows.is_all
    is_nothing = is_empty and (stays is None or stays >= {*about["inventory"]})
    connection.rollback()
    if is_nothing and without:
        return Undo(why_not=f"snapshots have nothing of {', '.join(without)}")
    if is_nothing and (is_production or not project.settings.snapshots_kept):
        return Undo()
    if not project.settings.snapshots_kept:
        return Undo(why_not="SNAPSHOTS_KEPT is 0")
    if is_production:
        return Undo(why_not="none is taken of a production database")
    is_bare = all(one.startswith(("schema ", "extension ")) for one in about["inventory"])  # which no reset drops
    schema = described() if described and is_empty and not is_bare else None
    copies, same = project.backend.copies, None
    if not is_nothing or schema:
        same = copies.unchanged_since([one.copy for one in kept], connection, rows)
    known = next((one.name for one in kept if one.copy is same), None)
    try:
        size = refuse_size(project, connection)
        connection.rollback()  # else what empties the database would find this session in a transaction
        copies.require_possible()
    except CannotCopy:
        if known or is_nothing:
            return Undo(known, same=known, without=without, schema=schema)
        raise
    name = free_name(project, begin)
    if known:
        return Undo(known, about, size, known, name, without=without, schema=schema)
    if is_nothing and not schema:  # yet: somebody may commit a row any moment
        return Undo(None, about, size, spare=name)
    return Undo(name, about, size, unsure=not copies.sees_changes, without=without, schema=schema)


def cut_off(project: Project, connection: sa.Connection) -> str | None:
    """Return the snapshot that has what a reset has lost which was cut off while it built."""
    name = bookkeeping.read(connection, bookkeeping.REBUILDING)
    return name if name and any(one.name == name for one in own(project)) else None


def save_and_lose(
    project: Project,
    asked: Undo,
    action: str,
    lose: Callable[[Look], Result],
    *,
    drops: bool,
    no_input: bool,
    build: Callable[[], None] | None = None,
) -> tuple[Undo, Result]:
    """Save what something destructive needs, and do it: both again where somebody has changed the database in between.

    Args:
        asked: what a person was shown, who may have thought for an hour.
        action: as `undo_of` takes it.
        no_input: whether nobody is asked anything.
        lose: is given what it has to call before it changes anything, with its connection, which is in a transaction,
            and the tables that lose rows.
        drops: whether it drops tables; else it deletes rows.
        build: makes what takes the place of what is lost. Where it fails, what was lost is put back, if all that `lose`
            has left there is in the snapshot too.

    Returns:
        How it is undone, and what `lose` has returned.

    Raises:
        CommandError: it could not be saved, or is changed all the time; nothing was lost.
    """
    for _ in range(_TRIES):
        try:
            with _watching(project, drops=drops) as is_unchanged:
                undo = _saved(project, asked, action, no_input=no_input)
                look = partial(_refuse_changed, project, undo, is_unchanged)
                done = _lost(project, undo, partial(lose, look), build)
            return _forget_before(project, undo), done
        except _Changed as error:
            if error.saved:
                with alone(project):
                    delete(project, [one for one in own(project) if one.name == error.saved])
    raise CommandError(
        f"{project.backend.label} is changed all the time: no snapshot has all that would be lost. Nothing was changed",
        "end what writes to it, or set SNAPSHOTS_KEPT=0 to do without a snapshot",
    )


@contextmanager
def saved_first(project: Project, asked: Undo, action: str, *, no_input: bool) -> Iterator[Undo]:
    """Save what there is before code of the project's runs, which might change it.

    Where that fails, what was saved goes again if nothing has changed since; else it is told, and stays.
    """
    undo = _saved(project, asked, action, no_input=no_input, all_of_it=True)
    try:
        yield undo
    except BaseException:
        with suppress(Exception), project.backend.waiting.at_most(SAY_AFTER):  # else it ends as it was asked to
            _settle_failure(project, undo, action)
        raise


def _settle_failure(project: Project, undo: Undo, action: str) -> None:
    """Say what became of the database where something failed beside it, and let go what is not needed of that."""
    saved = next((one for one in own(project) if one.name == undo.name), None)
    if saved is None:
        return
    with project.looking() as connection:
        now = undo_of(project, connection, action, described=undo.described)
    if now.same == saved.name:
        project.console.note(f"{project.backend.label} is as it was before.")
        if not undo.same:
            with alone(project):
                delete(project, [saved])
        return
    _tell(project, saved.name)
    if not _has_all_of(project, saved):
        _begin_building(project, undo.earlier or saved.name)  # so that the next one tells it too, and leaves it


def _has_all_of(project: Project, saved: Snapshot) -> bool:
    """Return whether the database has as much of everything as a snapshot: others may have added to it."""
    with project.looking() as connection:
        rows = {str(table): number for table, number in counted(project, connection).rows.items()}
        there = {*project.backend.copies.inventory(connection)}
    return saved.inventory <= there and all(rows.get(table, -1) >= number for table, number in saved.rows.items())


def settled(project: Project, first: Undo, undo: Undo) -> Undo:
    """Return how it is undone that something has the place of what `saved_first` has saved; inside `alone`.

    Args:
        first: what that has found.
        undo: how it is undone as it was when it was replaced.
    """
    if not first.name or undo.name == first.name:
        return undo
    if undo.name:  # what somebody did meanwhile
        project.console.note(
            f"What was there when it began is in a snapshot too: python manage.py restore {first.name}"
        )
        return undo
    if first.schema is None:  # there were rows
        return replace(undo, name=first.name)
    if not first.same:
        delete(project, [one for one in own(project) if one.name == first.name])
    return undo


def _lost(project: Project, undo: Undo, lose: Callable[[], Result], build: Callable[[], None] | None) -> Result:
    """Lose something, and build what takes its place; where that fails, put back what was lost, or say what has it."""
    left: frozenset[str] | None = None
    is_back = False
    try:
        done = lose()
        if build:
            left = _begin_building(project, undo.earlier or undo.name)
            build()
            _end_building(project)
        return done
    except _Changed:
        raise
    except BaseException as error:
        try:
            if left is None and build:
                left = _left_where_all_is_gone(project)
                is_back = left is None and _let_go_where_all_is_there(project, undo)
            is_back = is_back or (left is not None and _brought_back(project, undo, left))
        finally:
            if not is_back:
                _tell(project, undo.name)
        if is_back and isinstance(error, StepFailed):  # what there is to do about what stays of it is done
            raise CommandError(error.what, "correct it, then run the command again") from error
        raise


def _begin_building(project: Project, name: str | None) -> frozenset[str]:
    """Note in the database which snapshot has what was there, for who finds it half built; return what is left."""
    if not project.backend.exists():
        return frozenset()
    with project.connect(write=True) as connection, connection.begin():
        left = frozenset(project.backend.copies.inventory(connection))
        if name:
            bookkeeping.ensure(connection)
            bookkeeping.write(connection, bookkeeping.REBUILDING, name)
    return left


def _left_where_all_is_gone(project: Project) -> frozenset[str] | None:
    """Return what else is there where no table is left of what was stopped amid the loss; None where some are."""
    with suppress(CommandError), project.looking() as connection:
        if not project.backend.copies.tables(connection):
            return frozenset(project.backend.copies.inventory(connection))
    return None


def _let_go_where_all_is_there(project: Project, undo: Undo) -> bool:
    """Delete what was saved for a loss that did not come, as where somebody was waited for too long."""
    with suppress(CommandError):
        saved = next((one for one in own(project) if one.name == undo.name), None)
        if saved is not None and _has_all_of(project, saved):
            with alone(project):
                delete(project, [] if undo.same else [saved])
            return True
    return False


def _end_building(project: Project) -> None:
    with project.connect(write=True) as connection, connection.begin():
        if bookkeeping.exists(connection):  # without any migration there is none
            bookkeeping.delete(connection, bookkeeping.REBUILDING)


def _brought_back(project: Project, undo: Undo, left: frozenset[str]) -> bool:
    """Put back what was lost; what was built of its place is kept, for others may have written into that.

    Args:
        left: what was still in the database when nothing had been built. Without that it is not put back.
    """
    with suppress(CommandError), alone(project):
        known = {one.name: one for one in own(project)}
        found = known.get(undo.name or "")
        if found is None or undo.without or not left <= found.inventory:
            return False
        with project.looking() as connection:
            about = _description(project, connection, "failed", None, _moment_after([*known.values()]))
            size = project.backend.copies.size(connection)
            is_built = bool(tables(project, connection))
        kept = free_name(project, "failed-reset")
        project.backend.copies.restore(found.copy, Keep(kept, about, size) if is_built else None)
        built = f" What had been built is in snapshot {kept}" if is_built else ""
        project.console.note(f"{project.backend.label} is as it was before.{built}")
        with suppress(CommandError):  # that there are more than are needed harms nobody
            delete(project, [] if undo.same else [found])
            forget(project, "failed", but=kept)
        return True
    return False


def _tell(project: Project, *names: str | None) -> None:
    """Say which snapshot has what was there: the first of some that is there itself."""
    with suppress(Exception):  # where it cannot be told, it ends as it was asked to
        there = {one.name for one in own(project)}
        if name := next((one for one in names if one in there), None):
            project.console.note(f"What was there is in a snapshot: python manage.py restore {name}")


class _Changed(Exception):
    """Somebody has changed the database since it was saved."""

    def __init__(self, saved: str | None) -> None:
        """Take the name of the snapshot that has too little."""
        self.saved = saved


def _watching(project: Project, *, drops: bool) -> AbstractContextManager[IsUnchanged]:
    if not project.backend.exists() or not project.settings.snapshots_kept:
        return nullcontext(lambda *_: True)
    return project.backend.copies.watching(partial(project.connect, write=True), drops=drops)


def _refuse_changed(
    project: Project,
    undo: Undo,
    is_unchanged: IsUnchanged,
    connection: sa.Connection,
    tables: Sequence[TableName],
) -> None:
    if not undo.name and not undo.spare:  # nothing brings it back, and that was said
        return
    copy = next((one.copy for one in own(project) if one.name == undo.name), None) if undo.name else None
    if (undo.name and copy is None) or not is_unchanged(connection, copy, tables):  # somebody may have deleted it
        raise _Changed(None if undo.same else undo.name)


def _saved(project: Project, asked: Undo, action: str, *, no_input: bool, all_of_it: bool = False) -> Undo:
    """Take the snapshot that is needed, of what is there now; return how it will be undone.

    Args:
        all_of_it: as `Copies.save` takes it.
    """
    undo = _undo_of_now(project, action, asked.described)
    if undo.name and not undo.same:
        try:
            with alone(project):
                taken = {one.name for one in own(project)}
                if undo.name in taken:  # by another process, in this second
                    undo = replace(undo, name=free_name(project, undo.name, stamped=True))
                assert undo.name is not None
                take(project, undo.name, kind=undo.kind, all_of_it=all_of_it)
                undo = _without_twin(project, undo.name, undo)
        except (CannotCopy, NotAllowed) as error:
            undo = Undo(why_not=error.cause)
    confirm(project, undo, asked, no_input=no_input)
    return undo


def confirm(project: Project, undo: Undo, asked: Undo, *, no_input: bool) -> None:
    """Say that nothing will bring it back, where that was not said when it was asked for.

    Args:
        asked: what was said then.
        no_input: whether nobody is asked anything.

    Raises:
        CommandError: the person declines.
    """
    if undo.why_not and not asked.why_not:
        if no_input:
            project.console.note(undo.words)
        else:
            project.console.confirm(undo.words, project.backend.database)


def _of_models(project: Project) -> Iterator[TableName]:
    """Yield the tables of the models, which are imported when the first is asked for."""
    yield from map(TableName.of, project.metadata.tables.values())


def _without(project: Project, connection: sa.Connection | None = None) -> tuple[str, ...]:
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


def _forget_before(project: Project, undo: Undo) -> Undo:
    """Keep no more undos than the settings say; nothing that follows waits long for that, or fails of it.

    Returns how what is lost is undone: by nothing where no rows were, and all else is there again.
    """
    if undo.name and (undo.schema or not undo.same):
        with suppress(CommandError), project.backend.waiting.at_most(SAY_AFTER), alone(project):
            undo = _without_needless(project, undo)
            if not undo.same:
                forget(project, undo.kind, but=undo.name, told=(undo.earlier,))
    return undo


def _undo_of_now(project: Project, action: str, described: Describe | None) -> Undo:
    """Look once more, after whoever writes just now has committed: that too is to be saved."""
    if not project.backend.exists():
        return Undo()
    with project.connect(write=True) as connection, connection.begin() as waiting:
        project.backend.copies.wait_for_writers(connection)
        waiting.rollback()
    with project.looking() as connection:
        return undo_of(project, connection, action, described=described)


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


def _moment_after(known: Sequence[Snapshot]) -> datetime:
    """Return the moment, in UTC; later than those of other snapshots, though the clock may have gone back."""
    return max([datetime.now(UTC), *(one.taken + timedelta(microseconds=1) for one in known)])


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
