"""Empty the database, migrate it, seed it, and verify what came out.

Says what will be lost and asks for the database's name. Refused for production, for databases of other machines
and for names that say production; tables that are not this project's are never touched.
"""

from __future__ import annotations

import argparse

from .. import guard, resetting, seeding
from ..console import columns, plural
from ..migrations import Request
from ..project import Project
from . import seed
from ._waiting import add_lock_timeout, limit_waiting
from .migrate import header, run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-input", "--noinput", action="store_true", help="ask nothing")
    parser.add_argument("--no-seed", action="store_true", help="leave the tables empty, but for data migrations")
    seed.add_row_arguments(parser)
    parser.add_argument("--drop-unknown", action="store_true", help="also drop tables that are not this project's")
    parser.add_argument("--allow-remote", action="store_true", help="reset a database of another machine")
    parser.add_argument(
        "--allow-production-name", action="store_true", help="reset a database whose name says production"
    )
    add_lock_timeout(parser)


def handle(
    project: Project,
    *,
    no_input: bool,
    no_seed: bool,
    count: int | None,
    random_seed: int,
    locale: str,
    drop_unknown: bool,
    allow_remote: bool,
    allow_production_name: bool,
    lock_timeout: int,
) -> None:
    limit_waiting(project, lock_timeout)
    guard.before_connecting(project, "reset", allow_remote=allow_remote, allow_production_name=allow_production_name)
    rows = seeding.Request(count=count, random_seed=random_seed, locale=seeding.known_locale(locale))
    if not no_seed:
        seeding.refuse_problems(project, seeding.choose(project, ()))
    with resetting.alone(project):
        losses = resetting.inspect(project, drop_unknown=drop_unknown)
    if losses:
        held = columns([[name, plural(number, "row"), note] for name, number, note in losses], right=frozenset({1}))
        explanation = f"reset empties {header(project)}. It holds\n{held}"
        guard.consent(project, explanation, no_input=no_input)
    with resetting.alone(project):
        resetting.empty(project, drop_unknown=drop_unknown, agreed=None if no_input else losses)
        run(project, "head", Request())
        seeded = [] if no_seed else seed.run(project, rows)
        resetting.verify(project, {done.table: done.rows for done in seeded})
    project.console.say(f"{project.backend.label} is reset: at head, as the models say.")
