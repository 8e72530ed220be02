"""Partial unique indexes: of which rows they speak, and what keeps the other rows out of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from .blocks import Fill, Rows
from .conditions import read_parts
from .fields import Field, choice, constant, maybe
from .numbering import Column, Context
from .reading import Bounds


@dataclass(frozen=True)
class Part:
    """What a part of an index's condition asks of a column: the row is in the index only where it is so."""

    column: Column
    bounds: Bounds

    def holds(self, value: Any) -> bool:
        if value is None or self.bounds.always_null:
            return value is None and self.bounds.always_null
        return self.bounds.lists(value)

    def outside(self, field: Field) -> Field | None:
        """Return what fills the column of rows that are not in the index, in place of a field; None if none can."""
        inner = field.field if isinstance(field, maybe) else field
        if self.bounds.always_null:
            return None if inner.may_be_null() else inner
        if isinstance(inner, choice):
            others = {one: weight for one, weight in inner.weights.items() if not self.holds(one) and weight}
            if others:
                return choice(others)
        return constant(None) if self.column.nullable else None

    def __str__(self) -> str:
        if self.bounds.always_null:
            return "NULL"
        some = self.bounds.options or [f"not {one}" for one in self.bounds.excluded] or ["what is not NULL"]
        return " or ".join(map(str, some))


def parts_of(table: sa.Table, where: str) -> list[Part]:
    """Return the parts of a condition that can be read, all of which must hold."""
    return [Part(table.columns[name], bounds) for name, bounds in read_parts(table, where)]


def is_never_in(table: sa.Table, where: str, values_of: Callable[[Column], Sequence[Any]]) -> bool:
    """Return whether no row is one of those that a partial index is of.

    Args:
        values_of: returns all that a column can hold; nothing where that is not known.
    """
    known = ((part, values_of(part.column)) for part in (parts_of(table, where) if where else ()))
    return any(values and not any(map(part.holds, values)) for part, values in known)


class once_for_each(Field):
    """A field that lets a row into a partial unique index only where no row before it is in it with the same key."""

    def __init__(self, field: Field, outside: Field, part: Part, key: tuple[Column, ...], where: str) -> None:
        self.field, self.outside, self.part, self.key, self.where = field, outside, part, key, where
        names = ", ".join(one.name for one in key if one is not part.column)
        self.description = f"{field.description}, {part} once" + (f" for each {names}" if names else "")

    def ready(self, context: Context, column: Column) -> Fill:
        """Return what fills the column, and remembers the keys of the rows that are in the index."""
        fill, fill_outside = self.field.ready(context, column), self.outside.ready(context, column)
        there = context.connection.execute(sa.select(*self.key).where(sa.text(self.where))) if context.has_rows else ()
        first = {_alike(row): -1 for row in there}  # row that has a key; asked again, it still is that one

        def fill_once(rows: Rows) -> list[Any]:
            values, made = fill(rows), list[Any]()
            keys = zip(*(values if one is column else rows[one.name] for one in self.key), strict=True)
            for number, value, other, key in zip(rows.numbers, values, fill_outside(rows), keys, strict=True):
                is_in = number >= context.start and None not in key and self.part.holds(value)
                made.append(other if is_in and first.setdefault(_alike(key), number) != number else value)
            return made

        return fill_once

    def may_be_null(self) -> bool:
        return self.field.may_be_null() or self.outside.may_be_null()


def _alike(key: Sequence[Any]) -> tuple[Any, ...]:
    """Return a key without what may not tell rows apart: an index may be of small letters, CHAR has blanks behind."""
    return tuple(one.lower().rstrip() if isinstance(one, str) else one for one in key)
