"""Rows of a table that keep to its CHECKs in different ways: which of these go together, and what fills them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from . import meanings
from .derived import full_name, gender, honorific, told
from .fields import (
    Field,
    between,
    choice,
    constant,
    fake,
    reference,
)
from .inferred import (
    Ways,
    above,
    calculated,
    cased,
    computed,
    copied,
    decimals,
    digit,
    earlier_at_once,
    either,
    email,
    exact,
    last_year,
    listed,
    only_for,
    other_than,
    part_of_row,
    spelled,
    text,
    written,
)
from .numbering import Column
from .partial import is_never_in
from .plans import ALWAYS_NULL, LEFT, Around, Key, Plan, keys_of, without_nulls
from .types import plain_type

RARELY = 0.15  # so likely, where others are 1, is what happens to few
# What can be one of several ways to fill a column.
_IN_ONE_WAY = (
    choice
    | constant
    | between
    | fake
    | text
    | above
    | last_year
    | decimals
    | exact
    | spelled
    | email
    | calculated
    | copied
    | other_than
    | reference
    | written
    | earlier_at_once
    | computed
    | listed
    | cased
    | part_of_row
    | told
    | full_name
    | gender
    | honorific
    | only_for
)


def go_together(
    table: sa.Table, declared: Mapping[str, Plan], around: Around, one: dict[str, Plan], other: dict[str, Plan]
) -> bool:
    """Return whether rows can be filled in one way and the other: none clashes with another, or waits for it."""
    others = {name for name in one if _look(one[name]) != _look(other[name])}
    keys = [key for key in keys_of(table, declared, around) if others & {column.name for column in key.columns}]
    in_keys = {column.name for key in keys for column in key.columns}
    return all(
        any(is_never_in(table, key.where, lambda column, way=way: _values(way[column.name])) for way in (one, other))  # type: ignore[misc]  # of this turn
        or _are_apart(key, one, other)
        for key in keys
    ) and not any(
        plan.second
        or (plan.field is None and filled_as(table.columns[name], plan) is _UNKNOWN)
        or not (name in in_keys or isinstance(without_nulls(plan.field), _IN_ONE_WAY | None))
        for name in others
        for plan in (one[name], other[name])
    )


def _are_apart(key: Key, one: Mapping[str, Plan], other: Mapping[str, Plan]) -> bool:
    """Return whether no row of one way can be like one of another in a key: for a NULL, or values that it never has."""
    for column in key.columns:
        pair = one[column.name], other[column.name]
        if key.has_nulls and any(plan.field is None and plan.why.endswith(ALWAYS_NULL) for plan in pair):
            return True
        values = [_listed_values(plan) for plan in pair]
        if all(values) and not {*values[0]} & {*values[1]}:
            return True
        if _are_spelled_apart(*map(_places, pair)) or _is_one_to_a_row(column, *pair):
            return True
    return False


def _is_one_to_a_row(column: Column, one: Plan, other: Plan) -> bool:
    """Return whether a column has of each row number a value of its own, in whichever of two ways, or is NULL."""
    fields = [without_nulls(plan.field) for plan in (one, other)]
    are_unique = all(field is not None and field.is_unique(column) for field in fields)
    return are_unique and len({field.description for field in fields if field is not None}) == 1


def _places(plan: Plan) -> Sequence[str]:
    """Return the characters that texts have at each place; nothing where they are no such texts."""
    field = _listed(without_nulls(plan.field))
    return field.spellings.places if isinstance(field, spelled) else ()


def _are_spelled_apart(one: Sequence[str], other: Sequence[str]) -> bool:
    if not one or not other:
        return False
    return len(one) != len(other) or any(not {*here} & {*there} for here, there in zip(one, other, strict=True))


def _listed_values(plan: Plan) -> Sequence[Any]:
    """Return all that a column can hold, where that is a few values and never NULL; nothing of any other."""
    field = _listed(plan.field)
    return field.values() or () if isinstance(field, choice | constant) else ()


def _listed(field: Field | None) -> Field | None:
    """Return what a column of a key that is numbered through holds, one by one; of any other what fills it."""
    return field.components[field.place].field if isinstance(field, digit) else field


def _values(plan: Plan) -> Sequence[Any]:
    """Return all that a column can hold, NULL too, where that is only that or a few values."""
    return [None] if plan.field is None and plan.why.endswith(ALWAYS_NULL) else _listed_values(plan)


def in_some_way(
    table: sa.Table, ways: Sequence[Mapping[str, Plan]], of: tuple[str, Sequence[Any]] | None
) -> dict[str, Plan]:
    """Return the plans of a table whose rows are filled in different ways.

    Args:
        of: a column that a seeder fills, by which a row's way is told, and what it holds in each.
    """
    first, *_ = ways
    others = [name for name in first if len({_look(way[name]) for way in ways}) > 1]
    filled = [{table.columns[name]: filled_as(table.columns[name], way[name]) for name in others} for way in ways]
    all_ways = Ways(filled, [_weight(way, filled) for way in filled], of)
    made = {
        name: Plan(
            either([way[table.columns[name]] for way in filled], all_ways), first[name].why.removesuffix(ALWAYS_NULL)
        )
        for name in others
    }
    return {**first, **made}


def _weight(way: Mapping[Column, Field | None], ways: Sequence[Mapping[Column, Field | None]]) -> float:
    """Return how likely a way is: hardly, where a column is filled that by its name is empty in most rows."""
    is_rare = any(
        one is not None and meanings.is_rare(column) and any(other[column] is None for other in ways)
        for column, one in way.items()
    )
    return RARELY if is_rare else 1


def _look(plan: Plan) -> str:
    return plan.how if plan.second or plan.field else plan.why


_UNKNOWN = constant(None)  # stands for what only the server knows


def filled_as(column: Column, plan: Plan) -> Field | None:
    """Return what fills a column, where the server would as well; None where it is NULL."""
    if plan.field is not None or plan != LEFT:
        return plan.field
    text = plain_default(column.server_default)
    kind = plain_type(column)
    if text is not None and isinstance(kind, sa.Boolean):
        return constant(text.lower() in ("true", "1", "t"))
    if text is not None and isinstance(kind, sa.Integer) and text.isdigit():
        return constant(int(text))
    return constant(text) if text is not None and isinstance(kind, sa.String) else _UNKNOWN


def plain_default(default: Any) -> str | None:
    """Return a server default that is a plain value; None of any other."""
    arg = getattr(default, "arg", None)
    if isinstance(arg, str):
        return arg
    found = re.fullmatch(r"'([^']*)'|(\d+|true|false)", str(arg).strip())
    return (found[1] if found[1] is not None else found[2]) if found else None
