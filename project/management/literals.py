"""Literals in conditions, as the Python values that columns hold: numbers, days, intervals, what is said of today."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from .calendars import FUTURE, PAST, duration
from .numbering import Column
from .types import DECIMAL, NUMBER, plain_type

FARTHEST = timedelta(days=100 * 366)  # from another day: what is farther may be none that a database stores

MIRRORED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "=": "=", "<>": "<>"}


def without_cast(node: Any) -> Any:
    """Return what stands in casts, collations and parentheses."""
    from sqlglot import exp

    node = node.unnest()
    while isinstance(node, exp.Cast | exp.TryCast | exp.Collate):
        node = node.this.unnest()
    return node


def literal_of(node: Any) -> str | None:
    """Return the text or the number that stands there, as it is written; None of anything else."""
    from sqlglot import exp

    if node is None:
        return None
    node = without_cast(node)
    if isinstance(node, exp.DPipe | exp.Concat):
        parts = [literal_of(one) for one in (node.flatten() if isinstance(node, exp.DPipe) else node.expressions)]
        return None if None in parts else "".join(map(str, parts))
    # PostgreSQL's E'' is called a string of bytes there, whose escapes have been read.
    return str(node.this) if isinstance(node, exp.Literal | exp.ByteString) else None


def or_zero(node: Any) -> Any:
    """Return what COALESCE(x, 0) is of, and anything else as it is."""
    from sqlglot import exp

    inner = node.unnest()
    is_or_zero = isinstance(inner, exp.Coalesce) and [literal_of(one) for one in inner.expressions] == ["0"]
    return inner.this if is_or_zero else node


def value_of(node: Any, column: Column | None) -> Any:
    """Return a literal as the column's Python type; None when it is something else."""
    from sqlglot import exp

    if column is not None and isinstance(plain_type(column), sa.Interval):
        least, most = _interval(node) or (None, None)
        return least if least == most else None
    node = without_cast(node)
    if column is not None and isinstance(plain_type(column), NUMBER) and isinstance(node, exp.Add | exp.Sub | exp.Mul):
        node = _worked_out(node)
    negative = isinstance(node, exp.Neg)
    node = without_cast(node.this) if negative else node
    if isinstance(node, exp.Boolean):
        return node.this
    if not isinstance(node, exp.Literal | exp.ByteString) or column is None:
        return None
    try:
        return typed(node.this, negative, column)
    except (ValueError, ArithmeticError, LookupError):  # of another type: the database will say what it means
        return None


def _worked_out(node: Any) -> Any:
    """Return the number that sums, differences and products of numbers amount to, else what was given."""
    from sqlglot import exp

    signs: dict[Any, Callable[[Decimal, Decimal], Decimal]] = {
        exp.Add: operator.add, exp.Sub: operator.sub, exp.Mul: operator.mul,
    }  # fmt: skip

    def value_of(one: Any) -> Decimal | None:
        one = without_cast(one)
        if isinstance(one, exp.Neg):
            inner = value_of(one.this)
            return None if inner is None else -inner
        if type(one) in signs:
            left, right = value_of(one.this), value_of(one.expression)
            return None if left is None or right is None else signs[type(one)](left, right)
        said = literal_of(one) or ""
        return Decimal(said) if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", said) else None

    found = value_of(node)
    return node if found is None else exp.Literal.number(f"{found:f}")


def typed(literal: str, negative: bool, column: Column) -> Any:
    """Return a literal as the value that a column of its type holds.

    Raises:
        ValueError, ArithmeticError, LookupError: it is none.
    """
    kind = plain_type(column)
    if isinstance(kind, sa.Boolean):
        return {"1": True, "0": False, "true": True, "false": False, "t": True, "f": False}[literal.lower()]
    if isinstance(kind, sa.Integer):
        return -int(literal) if negative else int(literal)
    if isinstance(kind, DECIMAL):
        return -Decimal(literal) if negative else Decimal(literal)
    if isinstance(kind, sa.DateTime):
        moment = datetime.fromisoformat(literal)
        return moment.replace(tzinfo=UTC) if kind.timezone and moment.tzinfo is None else moment
    if isinstance(kind, sa.Date):
        return date.fromisoformat(literal)
    if isinstance(kind, sa.Time):
        return time.fromisoformat(literal)
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        return next(one for one, name in zip(kind.enum_class, kind.enums, strict=True) if name == literal)
    return literal


def today_of(node: Any, sign: str, column: Column) -> Any:
    """Return a day, or a moment, before (or after) the one on which the row will be stored, or some time from it."""
    from sqlglot import exp

    node, shift = without_cast(node), (timedelta(), timedelta())
    if isinstance(node, exp.Add | exp.Sub):
        far = distance_of(node.expression, column)
        if far is None:
            return None
        shift = far if isinstance(node, exp.Add) else (-far[1], -far[0])
    kinds = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime)
    today = without_cast(node.this) if isinstance(node, exp.Add | exp.Sub) else node
    is_today = isinstance(today, kinds) or (isinstance(today, exp.Anonymous) and today.name.lower() == "now")
    kind = plain_type(column)
    if not is_today or sign not in MIRRORED or not isinstance(kind, sa.Date | sa.DateTime):
        return None
    day = PAST if sign.startswith("<") else FUTURE
    moment = datetime(day.year, day.month, day.day) + shift[0 if sign.startswith("<") else 1]
    if isinstance(kind, sa.DateTime):
        return moment.replace(tzinfo=UTC if kind.timezone else None)
    return moment.date()


def born_of(node: Any) -> Any:
    """Return the day whose distance from today is an age: age(born), age(CURRENT_DATE, born)."""
    from sqlglot import exp

    node = node.unnest()
    if not isinstance(node, exp.Anonymous) or node.name.lower() != "age" or not node.expressions:
        return None
    *others, born = node.expressions
    return born if all(isinstance(one, exp.CurrentDate) for one in others) else None


def distance_of(node: Any, column: Column) -> tuple[Any, Any] | None:
    """Return how far something is, at least and at most, that is added to a column."""
    if isinstance(plain_type(column), NUMBER):
        number = value_of(node, column)
        return None if number is None else (number, number)
    said = literal_of(node) or ""
    is_days = isinstance(plain_type(column), sa.Date) and re.fullmatch(r"\d{1,9}", said)
    far = (timedelta(days=int(said)),) * 2 if is_days else _interval(node)
    return far if far is not None and far[1] <= FARTHEST else None


def _interval(node: Any) -> tuple[timedelta, timedelta] | None:
    """Return how long an interval is, at least and at most: a month has 28 days, or up to 31."""
    from sqlglot import exp

    node = without_cast(node)
    is_whole = not isinstance(node, exp.Interval)
    said = (literal_of(node) or "") if is_whole else f"{node.this.name if node.this else ''} {node.text('unit')}"
    found = duration(f"{said} seconds" if said.isdigit() else said)
    if found is None:
        return None
    years, months = divmod(found[0], 12)
    return timedelta(365 * years + 28 * months) + found[1], timedelta(366 * years + 31 * months) + found[1]
