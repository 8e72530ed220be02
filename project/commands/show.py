"""Show what is in the database: tables, row counts, and three rows."""

from sqlalchemy import Table, func, inspect, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from project.management.console import columns, plural
from project.management.errors import CommandError, shortened
from project.management.project import Project

SHOWN = 3  # rows
UNREADABLE = (LookupError, TypeError, ValueError)  # what a type raises at a value that is none of its own


def handle(project: Project) -> None:
    console = project.console
    with project.connect() as connection, Session(connection) as session:
        tables = project.metadata.sorted_tables
        counts = {table: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
        console.lines(project.backend.label)
        if counts:
            rows = [[table.fullname, plural(count, "row")] for table, count in counts.items()]
            console.result(columns(rows, right=frozenset({1})))
        for row in _first_rows(project, session, [table for table in tables if counts[table]]):
            console.lines(str(row))


def _first_rows(project: Project, session: Session, tables: list[Table]) -> list[object]:
    """Return rows of the first of these tables whose model has words of its own for them: a __str__."""
    mappers = map(inspect, project.models.values())
    models = {mapper.local_table: mapper.class_ for mapper in mappers if mapper.inherits is None}
    for table in tables:
        model = models.get(table)
        if model is not None and getattr(model, "__str__", None) is not object.__str__:
            key = inspect(model).primary_key
            try:
                return list(session.scalars(select(model).order_by(*key).limit(SHOWN)))
            except UNREADABLE as error:
                raise CommandError(_unreadable(session, table, error), "correct that row") from error
    return []


def _unreadable(session: Session, table: Table, error: Exception) -> str:
    """Say which value of a table is none of its column's type, as an impossible date can be in SQLite."""
    dialect = session.connection().dialect
    for column in table.columns:
        convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is None:
            continue
        for value in session.scalars(select(type_coerce(column, NullType())).order_by(*table.primary_key)):
            try:
                convert(value)
            except UNREADABLE as wrong:
                return f"{table.fullname}.{column.name} holds {shortened(repr(value))}: {wrong}"
    return f"a row of {table.fullname} cannot be read: {error}"
