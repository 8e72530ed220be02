"""What comes before a loss: the snapshot that brings back what a destructive command takes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from . import bookkeeping, guard, snapshots
from .backends.base import TableName
from .backends.copies import About, CannotCopy, Counted, IsUnchanged, Keep
from .backends.waiting import SAY_AFTER
from .errors import CommandError, NotAllowed, StepFailed
from .heads import reached_head
from .snapshots import Kind, Snapshot

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project

_TRIES = 5  # of which each fails where somebody commits meanwhile, as other commands of this sort do

Result = TypeVar("Result")
Look = Callable[["sa.Connection", Sequence[TableName]], None]
Describe = Callable[[], frozenset[Any]]  # returns the schema of the database as it is, in parts


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
    earlier: tuple[str, ...] = ()  # snapshots of what resets have lost that did not come to their end

    @property
    def words(self) -> str:
        """What the command says at its end; nothing where nothing is lost."""
        words = f"No snapshot brings back what was there: {self.why_not}." if self.why_not else ""
        if self.name:
            but = f" (it has nothing of {', '.join(self.without)})" if self.without else ""
            words = f"To undo it: python manage.py restore {self.name}{but}"
        if self.earlier:
            first, *more = self.earlier
            also = f" (also {', '.join(more)})" if more else ""
            earlier = f"What an earlier reset did not bring back: python manage.py restore {first}{also}"
            return f"{words}   {earlier}" if words else earlier
        return words

    @property
    def kind(self) -> Kind:
        """Of the snapshot that is taken."""
        kind: Kind = self.about.get("kind", "before")
        return kind


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
    earlier: tuple[str, ...],
) -> Undo:
    rows = rows or snapshots.counted(project, connection)
    kept = snapshots.own(project)
    # What a reset has built half may not push out what that reset has lost.
    is_half_built = earlier and described and reached_head(project.root, connection) is None
    kind: Kind = "failed" if is_half_built else "before"
    begin = "failed-reset" if is_half_built else f"before-{action}"
    about = snapshots.description(project, connection, kind, None, snapshots.moment_after(kept), rows)
    is_production = guard.is_production(project, connection)
    without = snapshots.without(project, connection)
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
        size = snapshots.refuse_size(project, connection)
        connection.rollback()  # else what empties the database would find this session in a transaction
        copies.require_possible()
    except CannotCopy:
        if known or is_nothing:
            return Undo(known, same=known, without=without, schema=schema)
        raise
    name = snapshots.free_name(project, begin)
    if known:
        return Undo(known, about, size, known, name, without=without, schema=schema)
    if is_nothing and not schema:  # yet: somebody may commit a row any moment
        return Undo(None, about, size, spare=name)
    return Undo(name, about, size, unsure=not copies.sees_changes, without=without, schema=schema)


def cut_off(project: Project, connection: sa.Connection) -> tuple[str, ...]:
    """Return the snapshots that have what resets have lost which did not come to their end, the first one first."""
    noted = (bookkeeping.read(connection, bookkeeping.REBUILDING) or "").split(",")
    return tuple(one for one in noted if snapshots.named(project, one))


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
    keep = Keep(name, undo.about, undo.size) if name else None
    same = snapshots.named(project, undo.same)
    try:
        kept = copies.restore(snapshot.copy, keep, same.copy if same else None)
    except (KeyboardInterrupt, SystemExit):
        _tell(project, name, undo.same)
        raise
    if name and kept:
        undo = _without_twin(project, name, undo)
        if undo.same == snapshot.name and snapshot.database == copies.owner:  # it was seen only now
            undo = replace(undo, name=None)
    undo = _without_needless(project, undo)
    _forget(project, undo, first, snapshot.name)
    snapshots.prepare(project, snapshot)  # who restores it once will do so again
    return replace(undo, earlier=tuple(one for one in undo.earlier if one != snapshot.name))


def _without_twin(project: Project, name: str, undo: Undo) -> Undo:
    """Delete what was kept where a snapshot has all of it, or it is empty; return how what is lost is undone."""
    if not (undo.same or undo.spare or undo.unsure):
        return replace(undo, name=name)
    copies, known = project.backend.copies, {one.name: one for one in snapshots.own(project)}
    kept = known.pop(name).copy
    possible = [known[undo.same]] if undo.same else known.values() if undo.unsure else ()
    twin = next((one for one in possible if copies.is_same(kept, one.copy)), None)
    if twin is None and (undo.same or not undo.spare or not snapshots.is_empty(project, kept)):
        return replace(undo, name=name, same=None, spare=None, unsure=False)
    copies.delete(kept, wait=False)
    known_as = twin.name if twin else None
    return replace(undo, name=known_as, same=known_as)


def _without_needless(project: Project, undo: Undo) -> Undo:
    """Delete what was kept of a database without rows where all of its schema is there again; inside `alone`."""
    kept = snapshots.named(project, undo.name)
    if undo.described is None or undo.schema is None or kept is None or not undo.schema <= undo.described():
        return undo
    if not undo.same and not snapshots.is_empty(project, kept.copy):  # somebody has committed a row since
        return undo
    snapshots.delete(project, [] if undo.same else [kept])
    return replace(undo, name=None, same=None)


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
                look = partial(_look, project, undo, is_unchanged, builds=build is not None)
                done = _lost(project, undo, partial(lose, look), build)
            return _forget_before(project, undo), done
        except _Changed as error:
            if error.saved:
                with snapshots.alone(project):
                    _let_go(project, error.saved)
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
        _settle_failure(project, undo)
        raise


def _settle_failure(project: Project, undo: Undo) -> None:
    """Say what became of the database where something failed, and let go what is not needed of what was saved."""
    with suppress(Exception), project.backend.waiting.at_most(SAY_AFTER):  # else it ends as it was asked to
        if saved := snapshots.named(project, undo.name):
            _tell_and_let_go(project, undo, saved)


def _tell_and_let_go(project: Project, undo: Undo, saved: Snapshot) -> None:
    is_as_before = _is_as(project, saved)
    if is_as_before:
        project.console.note(f"{project.backend.label} is as it was before.")
    else:
        project.console.note(f"What was there when it began is in a snapshot: python manage.py restore {saved.name}")
        if undo.described and not _has_all_of(project, saved):
            _begin_building(project, undo)  # so that the next one tells it too, and leaves it
            undo = replace(undo, earlier=_noted(project, undo))
    with snapshots.alone(project):
        snapshots.delete(project, [saved] if is_as_before and not undo.same else [])
        _forget(project, replace(undo, name=None) if is_as_before and not undo.same else undo)


def _is_as(project: Project, saved: Snapshot) -> bool:
    """Return whether the database certainly is as a snapshot."""
    with suppress(CannotCopy, NotAllowed), project.looking() as connection:
        rows = snapshots.counted(project, connection)
        connection.rollback()
        return project.backend.copies.unchanged_since([saved.copy], connection, rows) is not None
    return False


def _has_all_of(project: Project, saved: Snapshot) -> bool:
    """Return whether the database has as much of everything as a snapshot: others may have added to it."""
    with project.looking() as connection:
        rows = {str(table): number for table, number in snapshots.counted(project, connection).rows.items()}
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
        _let_go(project, first.name)
    return undo


def _let_go(project: Project, name: str) -> None:
    """Delete a snapshot, if it is still there; inside `alone`."""
    if found := snapshots.named(project, name):
        snapshots.delete(project, [found])


def _lost(project: Project, undo: Undo, lose: Callable[[], Result], build: Callable[[], None] | None) -> Result:
    """Lose something, and build what takes its place; where that fails, put back what was lost, or say what has it."""
    left: frozenset[str] | None = None
    is_back = False
    try:
        done = lose()
        if build:
            left = _begin_building(project, undo)
            build()
            _end_building(project)
        return done
    except _Changed:
        raise
    except BaseException as error:
        if build is None:
            _settle_failure(project, undo)
            raise
        try:
            if left is None:
                left = _left_amid_the_loss(project, undo)
                is_back = left is None and _let_go_where_all_is_there(project, undo)
            is_back = is_back or (left is not None and _brought_back(project, undo, left))
        finally:
            if not is_back:
                _tell(project, undo.name)
        if is_back and isinstance(error, StepFailed):  # what there is to do about what stays of it is done
            raise CommandError(error.what, "correct it, then run the command again") from error
        raise


def _begin_building(project: Project, undo: Undo) -> frozenset[str]:
    """Note in the database which snapshot has what was there, for who finds it half built; return what is left."""
    if not project.backend.exists():
        return frozenset()
    with project.connect(write=True) as connection, connection.begin():
        left = frozenset(project.backend.copies.inventory(connection))
        if names := _noted(project, undo):
            bookkeeping.ensure(connection)
            _note(connection, names)
    return left


def _note(connection: sa.Connection, names: Sequence[str]) -> None:
    """Write down the names that `cut_off` reads."""
    bookkeeping.write(connection, bookkeeping.REBUILDING, ",".join(names))


def _noted(project: Project, undo: Undo) -> tuple[str, ...]:
    """Return the first snapshot of those that resets will not have brought back, and the last ones."""
    names = [*dict.fromkeys([*undo.earlier, *filter(None, [undo.name])])]
    return (*names[:1], *names[1:][-project.settings.snapshots_kept :])


def _left_amid_the_loss(project: Project, undo: Undo) -> frozenset[str] | None:
    """Return what is left where some of it is gone of what was stopped amid the loss; None where all is there."""
    with suppress(CommandError), project.looking() as connection:
        left = frozenset(project.backend.copies.inventory(connection))
        saved = snapshots.named(project, undo.name)
        if not project.backend.copies.tables(connection) or (saved is not None and not saved.inventory <= left):
            return left
    return None


def _let_go_where_all_is_there(project: Project, undo: Undo) -> bool:
    """Delete what was saved for a loss that did not come, as where somebody was waited for too long."""
    with suppress(CommandError):
        saved = snapshots.named(project, undo.name)
        if saved is not None and _has_all_of(project, saved):
            _end_building(project, undo.earlier)  # MariaDB has committed the note with what came to nothing
            with snapshots.alone(project):
                snapshots.delete(project, [] if undo.same else [saved])
            return True
    return False


def _end_building(project: Project, earlier: tuple[str, ...] = ()) -> None:
    """Take the note back, but for what earlier resets have not brought back."""
    with project.connect(write=True) as connection, connection.begin():
        if earlier:
            _note(connection, earlier)
        elif bookkeeping.exists(connection):  # without any migration there is none
            bookkeeping.delete(connection, bookkeeping.REBUILDING)


def _brought_back(project: Project, undo: Undo, left: frozenset[str]) -> bool:
    """Put back what was lost; what was built of its place is kept, for others may have written into that.

    Args:
        left: what was still in the database when nothing had been built. Without that it is not put back.
    """
    with suppress(CommandError), snapshots.alone(project):
        known = {one.name: one for one in snapshots.own(project)}
        found = known.get(undo.name or "")
        if found is None or undo.without or not left <= found.inventory:
            return False
        with project.looking() as connection:
            about = snapshots.description(
                project, connection, "failed", None, snapshots.moment_after([*known.values()])
            )
            size = project.backend.copies.size(connection)
            is_built = bool(snapshots.tables(project, connection))
        kept = snapshots.free_name(project, "failed-reset")
        project.backend.copies.restore(found.copy, Keep(kept, about, size) if is_built else None)
        built = f" What had been built is in snapshot {kept}" if is_built else ""
        project.console.note(f"{project.backend.label} is as it was before.{built}")
        with suppress(CommandError):  # that there are more than are needed harms nobody
            snapshots.delete(project, [] if undo.same else [found])
            snapshots.forget(project, "failed", but=kept)
        return True
    return False


def _tell(project: Project, *names: str | None) -> None:
    """Say which snapshot has what was there: the first of some that is there itself."""
    with suppress(Exception):  # where it cannot be told, it ends as it was asked to
        there = {one.name for one in snapshots.own(project)}
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


def _look(
    project: Project,
    undo: Undo,
    is_unchanged: IsUnchanged,
    connection: sa.Connection,
    tables: Sequence[TableName],
    *,
    builds: bool,
) -> None:
    """Refuse to lose what was changed since it was saved; note where all is built anew, with what is lost, what has it.

    Raises:
        _Changed: somebody has changed it.
    """
    if not undo.name and not undo.spare:  # nothing brings it back, and that was said
        return
    saved = snapshots.named(project, undo.name)
    is_gone = undo.name is not None and saved is None  # somebody may have deleted it
    if is_gone or not is_unchanged(connection, saved.copy if saved else None, tables):
        raise _Changed(None if undo.same else undo.name)
    if builds and (names := _noted(project, undo)) and bookkeeping.exists(connection):
        _note(connection, names)


def _saved(project: Project, asked: Undo, action: str, *, no_input: bool, all_of_it: bool = False) -> Undo:
    """Take the snapshot that is needed, of what is there now; return how it will be undone.

    Args:
        all_of_it: as `Copies.save` takes it.
    """
    undo = _undo_of_now(project, action, asked.described)
    if undo.name and not undo.same:
        try:
            with snapshots.alone(project):
                taken = {one.name for one in snapshots.own(project)}
                if undo.name in taken:  # by another process, in this second
                    undo = replace(undo, name=snapshots.free_name(project, undo.name, stamped=True))
                assert undo.name is not None
                _forget(project, replace(undo, name=None))  # what was killed has let none go
                snapshots.take(project, undo.name, kind=undo.kind, all_of_it=all_of_it)
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


def _forget_before(project: Project, undo: Undo) -> Undo:
    """Keep no more undos than the settings say; nothing that follows waits long for that, or fails of it.

    Returns how what is lost is undone: by nothing where no rows were, and all else is there again.
    """
    if undo.name and (undo.schema or not undo.same):
        with suppress(CommandError), project.backend.waiting.at_most(SAY_AFTER), snapshots.alone(project):
            undo = _without_needless(project, undo)
            if not undo.same:
                _forget(project, undo)
    return undo


def _forget(project: Project, undo: Undo, *told: str | None) -> None:
    """Keep no more undos than the settings say; inside `alone`.

    Args:
        told: some that stay, as those do that have what earlier resets have lost.
    """
    for kind in {undo.kind, "failed"} if undo.described and undo.earlier else {undo.kind}:
        snapshots.forget(project, kind, but=undo.name if kind == undo.kind else None, told=(*undo.earlier, *told))


def _undo_of_now(project: Project, action: str, described: Describe | None) -> Undo:
    """Look once more, after whoever writes just now has committed: that too is to be saved."""
    if not project.backend.exists():
        return Undo()
    with project.connect(write=True) as connection, connection.begin() as waiting:
        project.backend.copies.wait_for_writers(connection)
        waiting.rollback()
    with project.looking() as connection:
        return undo_of(project, connection, action, described=described)
