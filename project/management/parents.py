"""The rows that foreign keys can refer to: their keys, read once for a table and always in the same order."""

from __future__ import annotations

import enum
from array import array
from collections.abc import Iterator, Sequence, Sized
from typing import Any

import sqlalchemy as sa

from .errors import CommandError
from .numbering import Column, Context
from .types import plain_type


def parents(
    context: Context,
    column: Column,
    table: sa.Table,
    where: sa.ColumnElement[bool] | None = None,
    *,
    required: bool = True,
) -> Sequence[Any]:
    """Return the keys of a parent table that a column can refer to, in order.

    Raises:
        CommandError: the parent table is empty and a row is required.
    """
    referred = next((key.column for key in column.foreign_keys if key.column.table is table), None)
    found = keys_of_rows(context, (referred if referred is not None else only_key(table),), where)
    if required:
        require_parents(context.source.table, table, found)
    return found


def keys_of_rows(
    context: Context, columns: tuple[Column, ...], where: sa.ColumnElement[bool] | None = None
) -> Sequence[Any]:
    """Return the values of a column in each row of its table, or the tuples of several, in order; none that is NULL."""

    def look() -> Sequence[Any]:
        query = sa.select(*columns).where(*(one.is_not(None) for one in columns))
        query = query if where is None else query.where(where)
        # In Python's order: databases order texts and UUIDs each in a way of its own.
        if len(columns) > 1:
            return sorted((tuple(row) for row in context.connection.execute(query)), key=in_order)
        if isinstance(plain_type(columns[0]), sa.Integer):
            by_number = query.order_by(columns[0])
            return array("q", context.connection.scalars(by_number, execution_options={"yield_per": 10_000}))
        found = list(context.connection.scalars(query))
        found.sort(key=in_order if found and isinstance(found[0], enum.Enum) else None)
        return found

    return context.source.once(("keys", *columns, str(where)), look)


def in_order(value: Any) -> Any:
    """Return what puts a value in order; an enumeration's members have none of their own."""
    if isinstance(value, tuple):
        return tuple(map(in_order, value))
    return value.name if isinstance(value, enum.Enum) else value


def require_parents(child: sa.Table, parent: sa.Table, found: Sized) -> None:
    if not len(found):
        raise CommandError(
            f"{child.fullname} refers to {parent.fullname}, which has no rows", f"seed {parent.fullname} first"
        )


def leads_to(table: sa.Table, other: sa.Table) -> bool:
    """Return whether foreign keys lead from a table to another, by way of any others."""
    seen, waiting = set(), [table]
    while waiting:
        one = waiting.pop()
        if one is other:
            return True
        if one not in seen:
            seen.add(one)
            waiting += [key.referred_table for key in one.foreign_key_constraints]
    return False


def only_key(table: sa.Table) -> Column:
    key = list(table.primary_key.columns)
    if len(key) != 1:
        raise CommandError(f"{table.fullname} has a primary key of {len(key)} columns", "name the column to refer to")
    return key[0]


def columns_of(expression: sa.ColumnElement[Any]) -> Iterator[Column]:
    """Yield the columns of tables in an expression, those of models' attributes too."""
    for element in sa.sql.visitors.iterate(expression):
        if isinstance(element, sa.Column):
            yield element
        elif "parententity" in getattr(element, "_annotations", ()) and hasattr(element, "table"):
            yield element.table.c[element.key]  # type: ignore[attr-defined]  # an annotated column of a model
