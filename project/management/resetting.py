"""Empty a development database of this project's tables, and verify what was built anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from . import autogenerate, bookkeeping, guard, history
from .backends.base import TableName
from .errors import CommandError
from .seeding import seeded_rows

if TYPE_CHECKING:
    from .project import Project


@dataclass
class Contents:
    """What a database holds: the project's tables and views, and those of somebody else."""

    tables: list[TableName]
    views: list[TableName]
    unknown_tables: list[TableName]
    unknown_views: list[TableName]


def inspect(project: Project, *, drop_unknown: bool) -> list[tuple[str, int, str]]:
    """Return what a reset would lose: table, rows, and how many of them are not from seed; changes nothing.

    Raises:
        CommandError: the database records that it is production, or holds tables and views of somebody else.
    """
    history.require_one_head(history.load(project), project.root)
    if not project.backend.exists():
        return []
    with project.connect() as connection:
        guard.after_connecting(project, connection, "reset")
        found = _contents(project, connection)
        unknown = [*found.unknown_tables, *found.unknown_views]
        if unknown and not drop_unknown:
            raise CommandError(
                f"{project.backend.label} holds {', '.join(sorted(map(str, unknown)))},"
                " which no model or migration of this project knows",
                "nothing was changed; --drop-unknown drops them too",
            )
        shown = [table for table in found.tables if table[1] not in bookkeeping.HIDDEN]
        counted = guard.count_rows(connection, sorted([*shown, *found.unknown_tables], key=str))
        seeded = seeded_rows(connection)
        inserted = bookkeeping.read_all(connection, "inserted:")
        return [
            (str(table), rows, _note(rows, seeded.get(str(table), 0), inserted.get(str(table))))
            for table, rows in counted.items()
        ]


def empty(project: Project, *, drop_unknown: bool) -> None:
    """Drop this project's tables with its bookkeeping, in one transaction where the database can do that."""
    if not project.backend.exists():
        return
    backend = project.backend
    with (
        project.connect(write=True) as connection,
        backend.lock(connection, project.console.note),
        backend.migrating(connection),
        connection.begin(),
    ):
        guard.after_connecting(project, connection, "reset")
        found = _contents(project, connection)
        backend.drop_views(connection, found.views + (found.unknown_views if drop_unknown else []))
        tables = found.tables + (found.unknown_tables if drop_unknown else [])
        # The bookkeeping goes last: killed before it, the next reset still knows what this was.
        backend.drop(connection, sorted(tables, key=lambda table: table[1] in bookkeeping.HIDDEN))
        backend.drop_types(connection, _types(project))


def verify(project: Project, rows: Mapping[str, int]) -> None:
    """Prove that the database is at head, has every table, column and constraint of the models, and these rows.

    Args:
        rows: how many rows each seeded table was said to have, by its name.

    Raises:
        CommandError: it differs, naming how.
    """
    script = history.load(project)
    with project.connect() as connection:
        history.require_head(project, connection)
        found = autogenerate.differences(project, connection, script)
        tables = {table.fullname: TableName.of(table) for table in project.metadata.tables.values()}
        counted = guard.count_rows(connection, [tables[name] for name in rows])
        found += [
            f"{name} has {counted[tables[name]]:,} rows, not {number:,}"
            for name, number in rows.items()
            if counted[tables[name]] != number
        ]
    if found:
        raise CommandError(
            f"after the reset the database is not what the models say: {'; '.join(found)}",
            'python manage.py makemigrations -m "..." writes what is missing of tables',
        )


def _contents(project: Project, connection: sa.Connection) -> Contents:
    script, dialect = history.load(project), project.backend.offline_dialect
    tables = {TableName.of(table) for table in project.metadata.tables.values()}
    tables |= history.tables_made(script, dialect) | {TableName(None, name) for name in bookkeeping.HIDDEN}
    views = history.views_made(script, dialect)
    inspector = sa.inspect(connection)
    schemas = {schema for schema, _ in tables | views} & {None, *inspector.get_schema_names()}
    found = Contents([], [], [], [])
    for schema in [None, *sorted(filter(None, schemas))]:
        for name in inspector.get_table_names(schema):
            table = TableName(schema, name)
            (found.tables if table in tables else found.unknown_tables).append(table)
        for name in inspector.get_view_names(schema):
            view = TableName(schema, name)
            (found.views if view in views else found.unknown_views).append(view)
    return found


def _types(project: Project) -> list[TableName]:
    named = {
        TableName(column.type.schema, column.type.name)
        for table in project.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.Enum) and column.type.name
    }
    return sorted(named | history.types_made(history.load(project)), key=str)


def _note(rows: int, seeded: int, revision: str | None) -> str:
    if not rows or revision:
        return f"from migration {revision}" if revision and rows else ""
    strangers = max(0, rows - seeded)
    return f"{strangers:,} of them not from seed" if strangers else ""
