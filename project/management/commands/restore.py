"""Put a snapshot in the database's place; say what will be lost and ask.

NAME is the newest snapshot of this database when it is not given, those aside that a reset made. What was
there before is kept as a snapshot too: the last line says how to get it back. An SQLite file that was deleted is made
anew.
"""

from __future__ import annotations

import argparse
import time

from .. import guard, heads, resetting, snapshots, undoing
from ..console import plural
from ..project import Project
from ..snapshots import Snapshot
from ..undoing import Undo
from ._hosts import add_host_arguments
from ._waiting import add_lock_timeout, limit_waiting
from .migrate import header
from .reset import held


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="which snapshot (the newest)")
    parser.add_argument("--from", dest="of", metavar="DATABASE", help="take a snapshot of another database")
    parser.add_argument("--no-input", "--noinput", action="store_true", help="ask nothing")
    add_host_arguments(parser, "restore")
    add_lock_timeout(parser)


def handle(
    project: Project,
    *,
    name: str | None,
    of: str | None,
    no_input: bool,
    allow_remote: bool,
    allow_production_name: bool,
    lock_timeout: int,
) -> None:
    limit_waiting(project, lock_timeout)
    guard.before_connecting(project, "restore", allow_remote=allow_remote, allow_production_name=allow_production_name)
    elsewhere = "--from {} takes it all the same"
    snapshot = snapshots.find(project, name, of=of, elsewhere=elsewhere)
    losses, undo = _look(project, snapshot)
    is_there = project.backend.exists()
    there = f"It holds\n{held(losses) or '  no table'}" if is_there else "There is no such file now."
    explanation = f"restore puts {described(snapshot)} in the place of {header(project)}. {there}"
    known = heads.revisions(project.root)
    lacking = [one for one in snapshot.revisions if one not in known]
    if lacking:
        explanation += f"\nThe snapshot is at revision {lacking[0]}, which no file in migrations/versions has."
    guard.consent(project, undoing.warned(explanation, undo), no_input=no_input or not is_there)
    begun = time.perf_counter()
    with resetting.alone(project), snapshots.alone(project):
        snapshot = snapshots.find(project, snapshot.name, of=of, elsewhere=elsewhere)
        found, undo = _look(project, snapshot)
        guard.refuse_more(None if no_input else losses, found)
        restored = undoing.restore(project, snapshot, undo)
    seconds = time.perf_counter() - begun
    with project.looking() as connection:
        head = heads.reached_head(project.root, connection)
    place = f"at head {head}" if head else f"at revision {', '.join(snapshot.revisions) or 'zero'}"
    hint = "" if head or lacking else "   Next: python manage.py migrate"
    project.console.say(
        f"{project.backend.label} is as in snapshot {snapshot.name}: {plural(snapshot.total, 'row')}, {place}."
        f" Restored in {seconds:.2f} s.{hint}"
    )
    if restored and restored.words:
        project.console.say(restored.words)


def described(snapshot: Snapshot) -> str:
    """Return which snapshot this is: `snapshot main-20261125-031500 (2026-11-25 03:15, 1,214 rows)`."""
    taken = snapshot.taken.astimezone()
    return f"snapshot {snapshot.name} ({taken:%Y-%m-%d %H:%M}, {plural(snapshot.total, 'row')})"


def _look(project: Project, snapshot: Snapshot) -> tuple[guard.Losses, Undo]:
    if not project.backend.exists():
        return [], Undo()
    with project.looking() as connection:
        guard.after_connecting(project, connection, "restore")
        rows = snapshots.counted(project, connection)
        losses = guard.losses(connection, rows.rows)
        connection.rollback()
        return losses, undoing.undo_of(project, connection, "restore", rows, stays=snapshot.inventory)
