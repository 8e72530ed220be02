"""Go through the whole history with rows in the tables: what works on empty ones only fails here, and not elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa

from . import bookkeeping, history, rehearsing, seeding
from .errors import CommandError
from .migrations import Step
from .rehearsing import Rehearsed

if TYPE_CHECKING:
    from .project import Project

ROWS = 20  # of each table, before each step
_IS_JSON = re.compile(r"json_valid\(`(\w+)`\)")  # what MariaDB makes of the type JSON


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
        targets = rehearsing.seed_all(filled, seeding.Request(count=ROWS, anywhere=True))
    except CommandError as error:
        raise CommandError(
            f"the staircase cannot fill the tables of revision {revision}: {error.cause}", error.cure
        ) from error
    with built.connect(write=True) as connection, connection.begin():
        inserted = bookkeeping.read_all(connection, "inserted:")
        for target in targets:
            if target.name not in inserted:  # rows of a data migration are as it wants them
                _repeat(connection, target.table)


def _repeat(connection: sa.Connection, table: sa.Table) -> None:
    """Let a second row have what the first has, wherever it may: what is not unique does repeat some day."""
    keys = list(table.primary_key.columns)
    apart: list[sa.UniqueConstraint | sa.PrimaryKeyConstraint | sa.Index] = [
        one for one in table.constraints if isinstance(one, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
    ]
    apart += [one for one in table.indexes if one.unique]
    unique = {column.name for one in apart for column in one.columns}
    columns = [one for one in table.columns if one.name not in unique and not one.computed and not one.identity]
    rows = connection.execute(sa.select(table).order_by(*keys).limit(2)).mappings().all() if keys and columns else []
    if len(rows) < 2:
        return
    first, second = rows
    repeated = table.update().where(*(key == second[key.name] for key in keys))
    with suppress(sa.exc.DBAPIError), connection.begin_nested():  # something else keeps them apart
        connection.execute(repeated.values({one.name: first[one.name] for one in columns}))


def _reflected(built: Project, connection: sa.Connection) -> sa.MetaData:
    """Return the tables that the database has, with their CHECKs, which SQLAlchemy leaves out."""
    metadata = sa.MetaData()
    inspector = sa.inspect(connection)
    for schema in sorted({None, *(schema for schema, _ in built.backend.copies.tables(connection))}, key=str):
        metadata.reflect(connection, schema=schema, only=lambda name, _: name not in bookkeeping.HIDDEN)
    for table in metadata.tables.values():
        for check in inspector.get_check_constraints(table.name, table.schema):
            table.append_constraint(sa.CheckConstraint(check["sqltext"], name=check["name"]))
        for text in built.backend.unreflected_checks(connection, table):
            table.append_constraint(sa.CheckConstraint(text))
            if found := _IS_JSON.fullmatch(text):
                table.columns[found[1]].type = sa.JSON()
    return metadata
