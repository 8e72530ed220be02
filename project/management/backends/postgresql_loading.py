"""How PostgreSQL is filled: COPY, indexes that are built afterwards, and the numbers of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ..errors import CommandError
from ..outcomes import Convert
from ..types import plain_type
from . import text
from .base import Blocks, Size, driver_errors, standing, without_parameters
from .copies import run


def copy(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], converters: Sequence[Convert], blocks: Blocks
) -> None:
    """Load blocks of columns by COPY, in the transaction that is open."""
    driver = connection.connection.driver_connection
    assert driver is not None
    quote = connection.dialect.identifier_preparer
    names = ", ".join(map(quote.quote, columns))
    copy_from = without_parameters(f"COPY {quote.format_table(table)} ({names}) FROM STDIN")
    texts = text.Lines(_KINDS)
    with (
        driver_errors(connection, connection.dialect.loaded_dbapi.Error),
        driver.cursor() as cursor,
        cursor.copy(copy_from) as rows,
    ):
        for block in blocks:
            values = [convert(column) for convert, column in zip(converters, block, strict=True)]
            lines = texts.of(values)
            if lines is not None:
                rows.write(lines)
            else:  # types that psycopg knows how to write, a row at a time
                for row in zip(*values, strict=True):
                    rows.write_row(row)


@contextmanager
def without_indexes(connection: sa.Connection, table: sa.Table, size: Size) -> Iterator[None]:
    """Drop indexes and unique constraints and build them again, in the same transaction, when that is faster.

    Only where nobody reads or writes the table at this moment: dropping would wait for them.
    """
    droppable = _droppable(connection, table) if size.is_worth_rebuilding else []
    for drop, _ in droppable:
        run(connection, drop)
    yield
    if droppable:
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    for _, make in droppable:
        run(connection, make)


def _droppable(connection: sa.Connection, table: sa.Table) -> list[tuple[str, str]]:
    """Return for each index or unique constraint that may be built anew what drops it and what makes it."""
    name = standing(connection, table)
    try:
        with connection.begin_nested():
            run(connection, f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE NOWAIT")
    except sa.exc.DBAPIError:  # somebody is using it, or it is not ours
        return []
    return [(row.drop, row.make) for row in connection.execute(sa.text(_INDEXES), {"table": name})]


def move_sequence(connection: sa.Connection, key: sa.Column[Any]) -> None:
    """Let a key's own numbers go on after the largest that is there."""
    owner = standing(connection, key.table)
    sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(owner, key.name)))
    largest = connection.scalar(sa.select(sa.func.max(key)))
    if sequence is None or largest is None:
        return
    asked = f"SELECT last_value + is_called::int FROM {sequence}"  # noqa: S608  # PostgreSQL quoted it
    if largest >= (run(connection, asked).scalar() or 0):
        last = sa.text("SELECT seqmax FROM pg_sequence WHERE seqrelid = CAST(:sequence AS regclass)")
        if largest >= connection.scalar(last, {"sequence": sequence}):  # no rollback would move it back
            raise CommandError(
                f"a row of {key.table.fullname} has the {key.name} {largest:,}, the last there is",
                "give that row another one, then run the command again",
            )
        connection.execute(sa.select(sa.func.setval(sequence, largest)))


def restart_sequence(connection: sa.Connection, key: sa.Column[Any]) -> None:
    """Let the numbers of an empty table begin anew: those that were taken do not come back with a rollback."""
    owner = standing(connection, key.table)
    sequence = connection.scalar(sa.text(_MOVED_SEQUENCE), {"table": owner, "column": key.name})
    if sequence is None:
        return
    with connection.begin_nested() as savepoint:
        run(connection, f"ALTER SEQUENCE {sequence} RESTART")
        # It is locked now, so that no other transaction that took a number of it is open.
        if connection.execute(sa.select(sa.literal(1)).select_from(key.table).limit(1)).first() is not None:
            savepoint.rollback()


def converters(given: Sequence[Convert], table: sa.Table, columns: Sequence[str]) -> list[Convert]:
    """Return these, but for JSON a text: psycopg's own wrapper would be written row by row."""
    kinds = [plain_type(table.columns[name]) for name in columns]
    return [
        (lambda values: [None if value is None else json.dumps(value) for value in values])
        if isinstance(kind, sa.JSON)
        else convert
        for kind, convert in zip(kinds, given, strict=True)
    ]


# A column's own sequence, if numbers of it were taken, it is ours to restart, and nobody else is using it.
_MOVED_SEQUENCE = """
SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid = pg_get_serial_sequence(:table, :column)::regclass
AND CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_sequence_last_value(c.oid) END IS NOT NULL
AND NOT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.relation = c.oid AND l.pid <> pg_backend_pid()
)
"""

# Secondary indexes that can be built anew as they are: none that a foreign key refers to or anything else depends on.
_INDEXES = """
SELECT
    CASE WHEN con.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
        ELSE 'ALTER TABLE ' || owner.oid::regclass || ' DROP CONSTRAINT ' || quote_ident(con.conname) END AS drop,
    CASE WHEN con.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
        ELSE 'ALTER TABLE ' || owner.oid::regclass || ' ADD CONSTRAINT ' || quote_ident(con.conname) || ' '
            || pg_get_constraintdef(con.oid) END AS make
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class owner ON owner.oid = i.indrelid
LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
WHERE i.indrelid = (:table)::regclass AND NOT i.indisprimary AND i.indisvalid AND NOT i.indisclustered
AND NOT i.indisreplident AND (con.oid IS NULL OR con.contype = 'u') AND c.reltablespace = 0
AND (con.oid IS NULL OR c.reloptions IS NULL) AND owner.relkind = 'r' AND NOT owner.relispartition
AND pg_has_role(owner.relowner, 'USAGE') AND has_schema_privilege(owner.relnamespace, 'CREATE')
AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)
AND NOT EXISTS (SELECT FROM pg_description d WHERE d.objoid IN (i.indexrelid, con.oid))
AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.refobjid IN (i.indexrelid, con.oid) AND d.deptype = 'n'
)
ORDER BY c.relname
"""

_KINDS: dict[type, text.Render] = {
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: "\\\\x" + value.hex(),
    list: lambda value: _array_text(value),
    timedelta: lambda value: f"{value.total_seconds():f} seconds",
}


def _array_text(values: list[Any]) -> str:
    """Return a list as COPY reads an array: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO"""
    return text.escaped(_array(values))


def _array(values: list[Any]) -> str:
    items = ("NULL" if one is None else _array(one) if isinstance(one, list) else _quoted_item(one) for one in values)
    return "{" + ",".join(items) + "}"


def _quoted_item(value: Any) -> str:
    value = getattr(value, "obj", value)  # psycopg's own wrapper of JSON
    if isinstance(value, dict):
        value = json.dumps(value)
    written = ("t" if value else "f") if isinstance(value, bool) else str(value)
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'
