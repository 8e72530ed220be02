"""How the columns of a table are filled, and why; the keys that they are in, and what else decides it."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from .fields import (
    Field,
    maybe,
)
from .inferred import (
    cased,
    copied,
)
from .numbering import Column
from .parsing import text_of
from .types import plain_type

WORD = re.compile(r"\w+")

QUOTED = re.compile("'[^']*'")


@dataclass(frozen=True)
class Plan:
    """How a column is filled, and why; without a field it is left to the database.

    `second` fills it when the rows are there: a reference to a row of the same table, or of one that refers back.
    """

    field: Field | None
    why: str
    declared: bool = False
    second: Field | None = None

    @property
    def how(self) -> str:
        shown = self.second or self.field
        return shown.description if shown else "the database"


LEFT = Plan(None, "server default")

ALWAYS_NULL = ": always NULL"


@dataclass(frozen=True)
class Inheritance:
    """What mapped classes say of a table that they share or inherit."""

    identities: dict[str, Sequence[Any]] = field(default_factory=dict)  # by the column that holds a row's class
    owners: dict[str, tuple[str, Sequence[Any]]] = field(default_factory=dict)  # column -> (that column, its classes)
    kinds: dict[str, tuple[sa.ColumnElement[bool], str]] = field(default_factory=dict)  # key column -> rows of parent


@dataclass(frozen=True)
class Around:
    """What beside the table itself decides how it is filled."""

    numbers: Callable[[Column], bool] = lambda column: True  # whether this database numbers such a key by itself
    dialect: str = ""  # whose partial indexes these are
    late: frozenset[sa.ForeignKeyConstraint] = frozenset()  # keys that can be filled only when the rows are there
    inheritance: Inheritance = Inheritance()


NOTHING_ELSE = Around()


@dataclass(frozen=True)
class Key:
    """Columns that together may not repeat, and what says so."""

    columns: tuple[Column, ...]
    why: str
    where: str = ""  # of which rows, if not of all
    has_nulls: bool = True  # whether rows that are NULL in one of them may repeat, if they can be


def keys_of(table: sa.Table, declared: Container[str] = (), around: Around = NOTHING_ELSE) -> Iterator[Key]:
    """Yield every key of a table but those the database numbers itself because nothing is declared for them."""
    primary = tuple(table.primary_key.columns)
    if primary and not any(is_numbered(one, around) and one.name not in declared for one in primary):
        yield Key(primary, "PRIMARY KEY", has_nulls=False)
    for constraint in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, sa.UniqueConstraint):
            columns = tuple(one for column in constraint.columns for one in _computed_from(column))
            yield Key(columns, f"UNIQUE {constraint.name or ''}".strip(), "", _has_nulls(constraint))
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        if index.unique:
            named = [one for part in index.expressions for one in columns_of_part(part, table)]
            named = [one for column in named for one in _computed_from(column)]
            if named:
                where = index.dialect_options[around.dialect].get("where") if around.dialect else None
                of_some = text_of(where) if where is not None else ""
                why = f"UNIQUE {index.name or ''}".strip()
                yield Key(tuple(dict.fromkeys(named)), why, of_some, _has_nulls(index))


def _computed_from(column: Column) -> list[Column]:
    """Return the texts that the database computes a text from, which then may not repeat; any other column as it is."""
    if column.computed is None or not isinstance(plain_type(column), sa.String):
        return [column]
    named = [*dict.fromkeys(columns_of_part(column.computed.sqltext, column.table))]
    return [one for one in named if isinstance(plain_type(one), sa.String)] or [column]


def _has_nulls(said: sa.UniqueConstraint | sa.Index) -> bool:
    """Return whether rows that are NULL in a key may repeat."""
    return not dict(said.dialect_kwargs).get("postgresql_nulls_not_distinct")


def of_sources(keys: Iterable[Key], plans: Mapping[str, Plan], table: sa.Table) -> Iterator[Key]:
    """Yield keys, each once, in which what is copied from another column is that column."""
    known = set[tuple[tuple[Column, ...], str]]()
    for key in keys:
        columns = tuple(dict.fromkeys(_source_of(one, plans, table) for one in key.columns))
        if not known & {(columns, ""), (columns, key.where)}:
            known.add((columns, key.where))
            yield replace(key, columns=columns)


def _source_of(column: Column, plans: Mapping[str, Plan], table: sa.Table) -> Column:
    """Return the column that one has its values from, in whatever case: itself, where it is no copy."""
    inner = without_nulls(plans[column.name].field)
    inner = inner.field if isinstance(inner, cased) else inner
    if not isinstance(inner, copied) or plans[column.name].second is not None:
        return column
    return _source_of(table.columns[inner.other], plans, table)


def columns_of_part(part: Any, table: sa.Table) -> Iterator[Column]:
    """Yield the columns of a part of an index; of one that is written as text, those whose names are in it."""
    for element in sa.sql.visitors.iterate(part):
        if isinstance(element, sa.Column):
            yield element
        elif isinstance(element, sa.TextClause | sa.ColumnClause):
            words = {*WORD.findall(QUOTED.sub("", str(element)))}
            yield from (column for column in table.columns if column.name in words)


def is_numbered(column: Column, around: Around) -> bool:
    """Return whether the database gives this column its values by itself."""
    if column.identity is not None:
        return True
    if column is not column.table.autoincrement_column or column.foreign_keys:
        return False
    return not getattr(column.default, "is_sequence", False) and around.numbers(column)


def without_nulls(field: Field | None) -> Field | None:
    """Return what fills a column where it is not NULL."""
    return field.field if isinstance(field, maybe) else field
