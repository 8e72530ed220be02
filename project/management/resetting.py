"""A reset and its snapshots: what it would lose, whether one of just what it would build is kept, and keeping that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from . import fingerprint, guard, snapshots, undoing
from .backends.copies import Building, CannotCopy, Counted
from .backends.waiting import SAY_AFTER, GaveUp
from .errors import CommandError
from .fingerprint import Wanted
from .snapshots import Snapshot
from .undoing import Undo

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project
    from .schema import Part


@dataclass(frozen=True)
class Plan:
    """What a reset will do, as far as can be told without the migrations and the models."""

    fingerprint: str
    kept: Snapshot | None  # that it can put back
    losses: guard.Losses  # of every table there is; only where it can
    undo: Undo


@contextmanager
def alone(project: Project) -> Iterator[None]:
    """Let several resets come one after the other."""
    if not project.backend.exists():
        yield
        return
    with project.explained(), project.backend.alone(partial(project.connect, limited=False)):
        yield


def plan(project: Project, wanted: Wanted, *, rebuild: bool) -> Plan:
    """Return what a reset will do; changes nothing.

    Args:
        rebuild: whether a snapshot is out of the question.

    Raises:
        CommandError: the database records that it is production.
    """
    if not project.backend.exists():
        printed = fingerprint.of(project, None, wanted)
        return Plan(printed, None if rebuild else _kept(project, None, printed), [], Undo())
    with project.looking() as connection:
        guard.after_connecting(project, connection, "reset")
        printed = fingerprint.of(project, connection, wanted)
        kept = None if rebuild else _kept(project, connection, printed)
        rows = snapshots.counted(project, connection) if kept else None
        losses = guard.losses(connection, rows.rows) if rows else []
        connection.rollback()
        return Plan(printed, kept, losses, _undo(project, connection, rows))


def undo(project: Project) -> Undo:
    """Return how a reset of what is there by now will be undone."""
    if not project.backend.exists():
        return Undo()
    with project.looking() as connection:
        return _undo(project, connection, snapshots.counted(project, connection))


def _undo(project: Project, connection: sa.Connection, rows: Counted | None) -> Undo:
    return undoing.undo_of(project, connection, "reset", rows, described=partial(_described, project))


def _described(project: Project) -> frozenset[Part]:
    from . import schema  # which needs Alembic

    with project.connect() as connection:
        return schema.described(project, connection)


def printed(project: Project, wanted: Wanted) -> str:
    """Return the fingerprint of what a reset would build now."""
    if not project.backend.exists():
        return fingerprint.of(project, None, wanted)
    with project.looking() as connection:
        return fingerprint.of(project, connection, wanted)


def _kept(project: Project, connection: sa.Connection | None, printed: str) -> Snapshot | None:
    if not project.settings.snapshots_kept:
        return None
    try:
        return _fitting(project, connection, printed)
    except CannotCopy:  # then there is none
        return None


def _fitting(project: Project, connection: sa.Connection | None, fingerprint: str) -> Snapshot | None:
    """Return the newest snapshot of what a reset would build, where it has the place of all that is there now.

    What somebody else made in the database would be gone with it, and rights that were taken away would be back.

    Args:
        connection: None where there is no database yet.
    """
    copies = project.backend.copies
    found = [one for one in snapshots.own(project) if one.kind == "reset" and one.fingerprint == fingerprint]
    if not found or connection is None:
        return found[0] if found else None
    there, rights = (frozenset(one(connection)) for one in (copies.inventory, copies.rights))
    return next((one for one in found if there <= one.inventory and rights == one.rights), None)


def built(project: Project, name: str, building: Building, fingerprint: str | None) -> Snapshot:
    """Make a snapshot of what a reset has built beside the database; inside `alone`.

    Args:
        fingerprint: None where no other reset shall take it.
    """
    moment = snapshots.moment_after(snapshots.own(project))
    building.keep(lambda copy: snapshots.description(project, copy, "reset", fingerprint, moment))
    return next(one for one in snapshots.own(project) if one.name == name)


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
                snapshots.delete(project, [snapshot])
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
            snapshots.refuse_size(project, connection)
    except CannotCopy as error:
        why_not = str(error)
    with suppress(CommandError), project.backend.waiting.at_most(SAY_AFTER):  # more than are needed harm nobody
        if why_not or snapshot.fingerprint is None:
            snapshots.delete(project, [snapshot])
        else:
            _forget_same(project, snapshot.fingerprint, snapshot.name, *told)
            snapshots.forget(project, "reset", but=snapshot.name, told=told)
    return why_not


def keep_reset(project: Project, fingerprint: str, told: str | None) -> None:
    """Save what a reset has built in place, for the next one, unless the settings say that nothing is kept.

    Args:
        told: the snapshot that was named as what undoes the reset.
    """
    if not project.settings.snapshots_kept:
        return
    if without := snapshots.without(project):
        raise CannotCopy(f"snapshots have nothing of {', '.join(without)}", "reset builds it anew each time")
    with project.looking() as connection:
        snapshots.refuse_size(project, connection)
    with project.backend.waiting.at_most(SAY_AFTER), snapshots.alone(project):
        _forget_same(project, fingerprint, told)
        kept = snapshots.take(project, snapshots.free_name(project, "reset"), kind="reset", fingerprint=fingerprint)
        snapshots.forget(project, "reset", but=kept.name, told=(told,))
        snapshots.prepare(project, kept)


def _forget_same(project: Project, fingerprint: str | None, *but: str | None) -> None:
    """Delete what other resets have built of the same."""
    same = [one for one in snapshots.own(project) if one.kind == "reset" and one.fingerprint == fingerprint]
    snapshots.delete(project, [one for one in same if one.name not in but])
