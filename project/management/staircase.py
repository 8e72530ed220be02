"""Go through the whole history with rows in the tables: what works on empty ones only fails here, and not elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from . import bookkeeping, history, rehearsing, seeding
from .errors import CommandError
from .migrations import Step
from .rehearsing import Rehearsed

if TYPE_CHECKING:
    from .project import Project

ROWS = 20  # of each table, before each step


def climb(project: Project, report: Callable[[Rehearsed], None]) -> int:
    """Take each step from the first revision to the newest, down and up again, in an empty database made for it.

    Before each step every table is filled with rows that fit what the database itself says of it.

    Args:
        report: gets each step when it is through.

    Raises:
        CommandError: a step failed, naming the revision and the row; or a table could not be filled.
    """
    script = history.load(project)
    history.require_one_head(script, project.root)
    revisions = list(reversed(list(script.walk_revisions())))
    with rehearsing.throwaway(project, empty=True) as built:
        for number, revision in enumerate(revisions):
            if number:
                _fill(built, revisions[number - 1].revision)
            done = rehearsing.go_through(built, Step(revision, upgrade=True))
            report(done)
            if done.failure is not None:
                raise rehearsing.told(project, built, done.failure, "the staircase")
    return len(revisions)


def _fill(built: Project, revision: str) -> None:
    """Fill the tables as they are now: read from the database, for the models are those of the newest revision."""
    filled = built.beside_itself()
    with built.connect() as connection:
        filled.metadata = _reflected(built, connection)
    try:
        targets = seeding.choose(filled, ())
        seeding.refuse_problems(filled, targets)
        request = seeding.Request(count=ROWS, anywhere=True)
        seeding.seed(filled, targets, request, report=lambda _: None, progress=built.console.progress)
    except CommandError as error:
        raise CommandError(
            f"the staircase cannot fill the tables of revision {revision}: {error.cause}", error.cure
        ) from error


def _reflected(built: Project, connection: sa.Connection) -> sa.MetaData:
    """Return the tables that the database has, with their CHECKs, which SQLAlchemy leaves out."""
    metadata = sa.MetaData()
    inspector = sa.inspect(connection)
    schemas = {None, *(table.schema for table in built.metadata.tables.values())} & {
        None,
        *inspector.get_schema_names(),
    }
    for schema in sorted(schemas, key=str):
        metadata.reflect(connection, schema=schema, only=lambda name, _: name not in bookkeeping.HIDDEN)
    for table in metadata.tables.values():
        for check in inspector.get_check_constraints(table.name, table.schema):
            table.append_constraint(sa.CheckConstraint(check["sqltext"], name=check["name"]))
    return metadata
