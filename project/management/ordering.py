"""The order in which tables are filled: parents before children, and what to do where tables refer to each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import sqlalchemy as sa

from .errors import CommandError


@dataclass(frozen=True)
class Order:
    """Tables in groups that are filled one after the other; a group of several is filled in one transaction.

    The `late` keys refer to rows that are made after their own, and are set when those are there.
    """

    groups: Sequence[Sequence[sa.Table]]
    late: frozenset[sa.ForeignKeyConstraint]


def order_of(tables: Iterable[sa.Table], can_defer: Callable[[sa.ForeignKeyConstraint], bool]) -> Order:
    """Return the order of tables, parents first.

    Args:
        can_defer: whether the database can check such a key at the end of the transaction.

    Raises:
        CommandError: tables refer to each other, and none of their keys can be NULL or be checked later.
    """
    chosen = dict.fromkeys(sorted(tables, key=lambda one: one.fullname))
    late: set[sa.ForeignKeyConstraint] = set()
    while True:
        try:
            order = list(TopologicalSorter({table: _parents(table, chosen, late) for table in chosen}).static_order())
        except CycleError as error:
            late.add(_weakest(error.args[1], late, can_defer))
        else:
            return Order(_grouped(order, late), frozenset(late))


def _parents(table: sa.Table, chosen: Iterable[sa.Table], late: set[sa.ForeignKeyConstraint]) -> list[sa.Table]:
    keys = [key for key in table.foreign_key_constraints if key not in late]
    found = {key.referred_table for key in keys if key.referred_table in chosen and key.referred_table is not table}
    return sorted(found, key=lambda one: one.fullname)


def _weakest(
    circle: Sequence[sa.Table], late: set[sa.ForeignKeyConstraint], can_defer: Callable[[sa.ForeignKeyConstraint], bool]
) -> sa.ForeignKeyConstraint:
    """Return a key of a circle of tables, each referred to by the next, that can wait: NULL at first, or deferred."""
    keys = [
        key
        for parent, child in pairwise(circle)
        for key in sorted(child.foreign_key_constraints, key=lambda one: list(one.column_keys))
        if key.referred_table is parent and key not in late
    ]
    found = [key for key in keys if any(column.nullable for column in key.columns)]  # one NULL and it holds
    found.sort(key=lambda key: (_is_in_check(key), not key.use_alter))
    found += [key for key in keys if can_defer(key) and len(key.columns) == 1]
    if found:
        return found[0]
    names = " and ".join(f"{key.parent.fullname}.{', '.join(key.column_keys)}" for key in keys)
    raise CommandError(
        f"{names} refer to each other in a circle, and none of them can be NULL or is DEFERRABLE",
        "let one of these keys be nullable, or deferrable where the database can do that",
    )


def _is_in_check(key: sa.ForeignKeyConstraint) -> bool:
    """Return whether a CHECK may say when a key's columns are NULL, which they all are at first."""
    checks = " ".join(str(one.sqltext) for one in key.parent.constraints if isinstance(one, sa.CheckConstraint))
    return any(re.search(rf"\b{re.escape(column.name)}\b", checks) for column in key.columns)


def _grouped(order: Sequence[sa.Table], late: Iterable[sa.ForeignKeyConstraint]) -> list[list[sa.Table]]:
    """Put the tables between a late key and what it refers to into one group."""
    spans = [sorted((order.index(key.table), order.index(key.referred_table))) for key in late]
    groups: list[list[sa.Table]] = []
    for place, table in enumerate(order):
        if groups and any(first < place <= last for first, last in spans):
            groups[-1].append(table)
        else:
            groups.append([table])
    return groups
