"""Plan a reset: what it would lose, and whether a snapshot of just what it would build is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from . import fingerprint, guard, snapshots
from .backends.copies import CannotCopy, Counted
from .fingerprint import Wanted

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project
    from .schema import Part


@dataclass(frozen=True)
class Plan:
    """What a reset will do, as far as can be told without the migrations and the models."""

    fingerprint: str
    kept: snapshots.Snapshot | None  # that it can put back
    losses: guard.Losses  # of every table there is; only where it can
    undo: snapshots.Undo


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
        return Plan(printed, None if rebuild else _kept(project, None, printed), [], snapshots.Undo())
    with project.looking() as connection:
        guard.after_connecting(project, connection, "reset")
        printed = fingerprint.of(project, connection, wanted)
        kept = None if rebuild else _kept(project, connection, printed)
        rows = snapshots.counted(project, connection) if kept else None
        losses = guard.losses(connection, rows.rows) if rows else []
        connection.rollback()
        return Plan(printed, kept, losses, _undo(project, connection, rows))


def undo(project: Project) -> snapshots.Undo:
    """Return how a reset of what is there by now will be undone."""
    if not project.backend.exists():
        return snapshots.Undo()
    with project.looking() as connection:
        return _undo(project, connection, snapshots.counted(project, connection))


def _undo(project: Project, connection: sa.Connection, rows: Counted | None) -> snapshots.Undo:
    return snapshots.undo_of(project, connection, "reset", rows, described=partial(_described, project))


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


def _kept(project: Project, connection: sa.Connection | None, printed: str) -> snapshots.Snapshot | None:
    if not project.settings.snapshots_kept:
        return None
    try:
        return snapshots.fitting(project, connection, printed)
    except CannotCopy:  # then there is none
        return None
