"""Which rows are not what they were: all are read, before and after, and told apart by their primary keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .backends.base import TableName

if TYPE_CHECKING:
    from .project import Project

MOST = 100_000  # rows that are read in all; what is larger is only counted
_LONG = 64  # letters or bytes of a value from which on a digest of it is kept


@dataclass(frozen=True)
class Rows:
    """The rows of a table: the values of its columns, by those of its primary key."""

    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Mapping[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Change:
    """How many rows have another value in a column that is still there, are gone, and are new."""

    changed: int
    gone: int
    added: int

    @property
    def total(self) -> int:
        return self.changed + self.gone + self.added


def comparable(connection: sa.Connection, counted: Mapping[TableName, int]) -> list[TableName]:
    """Return the tables whose rows are to be read: the smallest first, as long as they are not too many.

    Args:
        counted: how many rows each has; those without any need not be read.
    """
    found, total = [], 0
    inspector = sa.inspect(connection)
    for table, number in sorted(counted.items(), key=lambda one: (one[1], str(one[0]))):
        total += number
        if total > MOST:
            break
        if number and _key(inspector, table):
            found.append(table)
    return found


def read(project: Project, connection: sa.Connection, tables: Iterable[TableName]) -> dict[TableName, Rows]:
    """Return what is in those of the tables that are there, and whose rows a primary key tells apart."""
    inspector = sa.inspect(connection)
    there = [one for one in tables if inspector.has_table(one[1], one[0])]
    found = {one: _read(project, connection, inspector, one) for one in there}
    return {table: rows for table, rows in found.items() if rows is not None}


def compare(before: Rows, after: Rows) -> Change | None:
    """Return how rows differ; None where their keys are of other columns."""
    if before.key != after.key:
        return None
    places = [(number, after.columns.index(one)) for number, one in enumerate(before.columns) if one in after.columns]
    is_same = before.columns == after.columns
    changed = gone = 0
    for key, row in before.rows.items():
        other = after.rows.get(key)
        if other is None:
            gone += 1
        elif row != other if is_same else any(row[here] != other[there] for here, there in places):
            changed += 1
    return Change(changed, gone, len(after.rows) - len(before.rows) + gone)


def _read(project: Project, connection: sa.Connection, inspector: sa.Inspector, table: TableName) -> Rows | None:
    """Return the rows of a table; None where two have the same key, as SQLite lets those be that are NULL."""
    if not (key := _key(inspector, table)):
        return None
    columns = {one["name"]: one["type"] for one in inspector.get_columns(table[1], table[0])}
    values = [project.backend.exact(sa.column(name), kind).label(name) for name, kind in columns.items()]
    names = tuple(columns)
    places = [names.index(name) for name in key]
    query = sa.select(*values).select_from(table.clause)
    rows, number = {}, 0
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        kept = tuple(map(_kept, row))
        rows[tuple(kept[place] for place in places)] = kept
        number += 1
    return Rows(key, names, rows) if len(rows) == number else None


def _key(inspector: sa.Inspector, table: TableName) -> tuple[str, ...]:
    return tuple(inspector.get_pk_constraint(table[1], table[0])["constrained_columns"])


def _kept(value: Any) -> Any:
    """Return what stands for a value in memory."""
    if isinstance(value, str):
        return value if len(value) <= _LONG else _digest(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes | memoryview):
        return value if len(value) <= _LONG else _digest(bytes(value))
    return value


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=20).digest()
