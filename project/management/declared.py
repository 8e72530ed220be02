"""What a seeder declares against what the model says: what could not be stored is an error before any row is made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from .conditions import read_certain
from .errors import CommandError, did_you_mean, shortened
from .fields import (
    Field,
    integer_range,
    scale_of,
)
from .inferred import (
    digit,
    earlier_row,
)
from .numbering import Column
from .partial import once_for_each
from .plans import NOTHING_ELSE, Around, Key, Plan, keys_of, of_sources, without_nulls
from .reading import Bounds, widest
from .types import DECIMAL, NUMBER, length_of, plain_type


def conflicts(
    table: sa.Table,
    declared: Mapping[str, Plan],
    methods: Collection[str],
    plans: Mapping[str, Plan],
    around: Around = NOTHING_ELSE,
) -> Iterator[str]:
    """Yield what could not be stored, naming the column and the constraint.

    Args:
        declared: the fields that a seeder declares.
        methods: the columns that its methods fill.
        plans: how each column of the table is filled, these included.
    """
    known = {column.name for column in table.columns}
    for name in [*declared, *methods]:
        if name not in known:
            yield f"{table.fullname} has no column {name!r}.{did_you_mean(name, sorted(known))}"
    bounds = read_certain(table)
    for name, plan in declared.items():
        if name in known and plan.field is not None:
            yield from _conflicts(table.columns[name], plan.field, bounds.get(name, Bounds()))
    for column in table.columns:
        plan = plans[column.name]
        unknown = plan.field is None and plan.why.endswith("nothing is known to fill it with")
        if unknown and not column.nullable and column.server_default is None and column.name not in methods:
            yield f"{table.fullname}.{column.name} is a {column.type}: nothing is known to fill it with"
    for key in of_sources(keys_of(table, {*declared, *methods}, around), plans, table):
        if key.where and any(_is_let_in_once(plan.field, key) for plan in plans.values()):
            continue
        if not any(column.name in methods or _keeps_apart(plans[column.name], column, key) for column in key.columns):
            names = ", ".join(column.name for column in key.columns)
            what = "declared" if any(column.name in declared for column in key.columns) else "inferred"
            yield f"{table.fullname}.{names} may not repeat ({key.why}), and what is {what} could"


def _is_let_in_once(field: Field | None, key: Key) -> bool:
    while isinstance(field, once_for_each):
        if field.key == key.columns and field.where == key.where:
            return True
        field = field.field
    return False


def _keeps_apart(plan: Plan, column: Column, key: Key) -> bool:
    inner = without_nulls(plan.field)
    if plan.second is not None:
        return plan.field is None or not isinstance(plan.second, earlier_row) or plan.second.unique
    if isinstance(inner, digit):
        return inner.keeps_apart(key.columns)
    return inner is None or inner.is_unique(column) or type(inner).limit is not Field.limit


def _conflicts(column: Column, field: Field, bounds: Bounds) -> Iterator[str]:
    where = f"{column.table.fullname}.{column.name}"
    if field.may_be_null() and not column.nullable:
        yield f"{where} can be NULL as declared and is NOT NULL"
    values = field.values() or ()
    span = field.span() or ()
    for value in [*values, *(one for one in span if one is not None)]:
        why = forbids(column, bounds, value)
        if why:
            yield f"{where} can be {short(value)} as declared, which {why}"
            return


def forbids(column: Column, bounds: Bounds, value: Any) -> str:
    """Return why a value may not stand in a column, as the end of a sentence; nothing when it may."""
    kind: Any = plain_type(column)
    if value is None:
        return "" if column.nullable else "is NOT NULL"
    wanted = _wanted_types(column.type)
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
        return f"is no value of {type(kind).__name__}"
    if isinstance(value, str) and not _is_utf_8(value):
        return "holds half a character, which no database stores"
    if isinstance(value, Decimal) and value.is_nan():  # with which nothing can be compared
        return f"is no number, as {bounds.why} wants" if bounds.names else ""
    length = getattr(kind, "length", None)
    if isinstance(kind, sa.String) and isinstance(value, str) and isinstance(length, int) and len(value) > length:
        return f"is {len(value)} characters long and the column holds {length}"
    if isinstance(kind, sa.Integer) and isinstance(value, int):
        low, high = integer_range(column)
        if not low <= value <= high:
            return f"is outside {type(kind).__name__}"
    elif isinstance(kind, sa.Numeric) and kind.precision and abs(value) > widest(column)[1]:
        return f"is outside {type(kind).__name__}({kind.precision}, {scale_of(column)})"
    outside = (
        (bounds.options is not None and value not in bounds.options)
        or (bounds.low is not None and _less(value, bounds.low))
        or (bounds.high is not None and _less(bounds.high, value))
    )
    return f"{bounds.why} forbids" if outside else ""


def _is_utf_8(text: str) -> bool:
    """Return whether a text has no surrogates, which stand for bytes that are no letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_values(column: Column, bounds: Bounds, values: Sequence[Any], first: int, source: str) -> None:
    """Refuse a block's values that a constraint of their column forbids; `first` is the number of the first row.

    Raises:
        CommandError: naming table, column, row, value and constraint.
    """
    if not _may_hold_forbidden(column, bounds, values):
        return
    for number, value in enumerate(values):
        why = forbids(column, bounds, value)
        if why:
            raise CommandError(
                f"{column.table.fullname}.{column.name} would be {short(value)} in row {first + number + 1:,},"
                f" which {why}. Nothing of it was kept",
                f"correct {source}",
            )


def _may_hold_forbidden(column: Column, bounds: Bounds, values: Sequence[Any]) -> bool:
    """Return whether values are worth a look one by one: told from all of them at once, which is quick."""
    kinds = set(map(type, values))
    if type(None) in kinds:
        if not column.nullable:
            return True
        kinds.discard(type(None))
        values = [value for value in values if value is not None]
    if not values:
        return False
    wanted = _wanted_types(column.type)
    if not wanted:
        return bool(bounds.names)
    if kinds - set(wanted) or len(kinds) > 1:
        return True
    if kinds == {str}:
        if not _is_utf_8("".join(values)):
            return True
        longest = length_of(column)
        return (longest is not None and max(map(len, values)) > longest) or bool(bounds.names)
    if not bounds.names and not isinstance(plain_type(column), NUMBER):
        return False
    try:
        low, high = min(values), max(values)
    except ArithmeticError:  # some Decimal is no number
        return True
    return any(forbids(column, bounds, value) for value in (low, high)) or bounds.options is not None


def _wanted_types(kind: Any) -> tuple[type, ...]:
    """Return the Python types that a column of one of the plain types takes; none for any other."""
    for plain, types in _PLAIN_TYPES:
        if isinstance(kind, plain):
            return types
    return ()


_PLAIN_TYPES: tuple[tuple[Any, tuple[type, ...]], ...] = (
    (sa.Enum, ()),
    (sa.Boolean, (bool,)),
    (sa.Integer, (int,)),
    (DECIMAL, (int, float, Decimal)),
    (sa.DateTime, (datetime, date)),  # a date is its first moment
    (sa.Date, (date,)),
    (sa.String, (str,)),
)


def short(value: Any) -> str:
    """Return a value as a message shows it."""
    return shortened(repr(value))


def _less(one: Any, other: Any) -> bool:
    try:
        return bool(one < other)
    except TypeError:  # other types: the database will compare them
        return False
