"""Save the whole database as a snapshot, which restore brings back.

NAME is git's branch and the moment when it is not given. On PostgreSQL and MariaDB a snapshot is a database beside this
one, on SQLite a file in .snapshots/, as it is on PostgreSQL for a user without CREATEDB.
"""

from __future__ import annotations

import argparse
import time

from .. import guard, lost, snapshots
from ..console import plural
from ..project import Project
from ._hosts import add_host_arguments
from ._waiting import add_lock_timeout, limit_waiting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to call it (the branch and the moment)")
    add_host_arguments(parser, "save")
    add_lock_timeout(parser)


def handle(
    project: Project, *, name: str | None, allow_remote: bool, allow_production_name: bool, lock_timeout: int
) -> None:
    limit_waiting(project, lock_timeout)
    guard.before_connecting(project, "snapshot", allow_remote=allow_remote, allow_production_name=allow_production_name)
    if name is not None:
        snapshots.refuse_name(name)
    with project.looking() as connection:
        guard.after_connecting(project, connection, "snapshot")
    begun = time.perf_counter()
    with snapshots.alone(project):
        taken = snapshots.take(project, name or snapshots.default_name(project))
    lost.note(project, taken.revisions)
    held = f"{plural(taken.total, 'row')}, {snapshots.readable(taken.size)}"
    project.console.say(
        f"Saved {project.backend.label} as snapshot {taken.name}: {held}, in {time.perf_counter() - begun:.2f} s."
        f"   Back to it: python manage.py restore {taken.name}"
    )
