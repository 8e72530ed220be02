"""What the CHECK constraints of a table say of its columns together, in each of the ways that they leave."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from .computing import can_be_computed
from .fields import terms_of
from .numbering import Column
from .parsing import columns_in, conjuncts, of_domain, parsed, texts_of
from .reading import (
    Bounds,
    Found,
    Reader,
    copied,
    counted_in,
    is_possible,
    kinds_of_conditions,
    least_of,
    most_of,
    moved_by,
    needed_by,
    waits_for,
)
from .sharing import let_rates_be, make_room_for_sums, share_out
from .types import NUMBER, domains_of, plain_type

WAYS = 8  # that rows of one table can have to keep to its CHECKs, at most


def read_checks(table: sa.Table) -> Found:
    """Return what can be read of a table's CHECK constraints, by column; the rest is left to the database.

    Where they leave a choice (`status <> 'done' OR done_at IS NOT NULL`), it is the first that can be kept to.
    """
    return _ways(table)[0]


@cache
def read_certain(table: sa.Table) -> Found:
    """Return what CHECK constraints ask of columns whatever the other columns hold: what leaves no choice."""
    found: Found = {}
    for name, sql in texts_of(table):
        for part in conjuncts(tree) if (tree := parsed(sql)) is not None else ():
            if not _has_alternatives(part):
                Reader(table, found, name).read(part)
    _read_domains(found, table)
    _pass_on(found, table)
    return found


def read_parts(table: sa.Table, condition: str) -> Iterator[tuple[str, Bounds]]:
    """Yield what each part of a condition asks of a column, of those that ask for nothing but that."""
    from sqlglot import exp

    tree = parsed(condition)
    while isinstance(tree, exp.Paren):
        tree = tree.this
    for part in tree.flatten() if isinstance(tree, exp.And) else (tree,):
        found: Found = {}
        reader = Reader(table, found, "")
        inner = part.unnest() if part is not None else None
        inner = inner.this.unnest() if isinstance(inner, exp.Not) else inner
        is_maybe = isinstance(inner, exp.Is) and inner is not part and not isinstance(inner.expression, exp.Null)
        plain = inner.this if isinstance(inner, exp.EQ | exp.NEQ | exp.In | exp.Is) else inner
        if not is_maybe and reader._column(plain) is not None and reader.read(part) and len(found) == 1:
            yield from found.items()


def other_ways(table: sa.Table) -> list[Found]:
    """Return what else rows can keep to, where CHECK constraints leave a choice."""
    return _ways(table)[1:]


@cache
def _ways(table: sa.Table) -> list[Found]:
    """Return what rows can keep to, in each way that CHECK constraints leave: those that most of them are read for."""
    return [found for found, _ in _ways_and_understood(table)]


@cache
def _ways_and_understood(table: sa.Table) -> list[tuple[Found, frozenset[str]]]:
    several, clauses = told_apart_by(table), _clauses(table)
    many = len(several.values) if several is not None else 1
    different = {(turn % many, *clauses.choices(turn)): turn for turn in reversed(range(WAYS))}
    turns = [(turn, *_read(table, turn)) for turn in sorted(different.values())]
    possible = [one for one in turns if all(map(is_possible, one[1].values()))] or turns[:1]
    _, first, understood = max(possible, key=lambda one: len(one[2]))
    ways, places = [(first, understood)], set[int]()

    def take(turn: int, found: Found, also_understood: frozenset[str]) -> None:
        others = [one for one, _ in ways]
        if found is first or (
            _comparable(found) not in map(_comparable, others) and not _go_in_a_circle([*others, found])
        ):
            places.add(turn % many)
            ways.extend([] if found is first else [(found, also_understood)])

    for turn, found, also_understood in possible:
        if understood <= also_understood:
            take(turn, found, also_understood)
    for turn, found, also_understood in sorted(possible, key=lambda one: -len(one[2])):
        missed = understood - also_understood
        if turn % many not in places and all(can_be_computed(one.tree, table) for one in _trees(table, missed)):
            take(turn, found, also_understood)  # else a value never came; its rows are mended
    return ways


def _trees(table: sa.Table, names: Collection[str]) -> Iterator[Any]:
    clauses = _clauses(table)
    return (one for one in (*clauses.plain, *clauses.open) if one.name in names)


@dataclass(frozen=True)
class Check:
    """A CHECK constraint, or that of a domain, as a tree."""

    name: str
    tree: Any
    is_certain: bool = False  # whether rows that keep to what is read of it are certain to fulfil it


@cache
def checks_of(table: sa.Table) -> list[Check]:
    """Return the CHECK constraints of a table that can be parsed."""
    understood = frozenset.intersection(*(one for _, one in _ways_and_understood(table)))
    found = [Check(name, parsed(sql), name in understood) for name, sql in texts_of(table)]
    for column in table.columns:
        for domain in domains_of(column):
            tree = of_domain(domain, column)
            found.append(Check(str(domain.constraint_name or domain.name), tree, is_certain=True))
    return [one for one in found if one.tree is not None]


def _go_in_a_circle(ways: Sequence[Found]) -> bool:
    """Return whether a column would wait for itself, where rows are filled in each of some ways."""
    together: Found = {}
    for name, bounds in (one for way in ways for one in way.items()):
        together.setdefault(name, Bounds()).unequal += needed_by(bounds)
    return any(waits_for(together, other, name) for name, bounds in together.items() for other in bounds.unequal)


def _comparable(found: Found) -> dict[str, Bounds]:
    return {name: replace(bounds, spell=None) for name, bounds in found.items()}


@cache
def _read(table: sa.Table, turn: int) -> tuple[Found, frozenset[str]]:
    """Return what can be read, and the constraints that are certain to be fulfilled by whoever keeps to it.

    Args:
        turn: which of the alternatives is tried first.
    """
    parts, (found, not_understood) = _clauses(table), _read_first(table)
    found, not_understood = copied(found), {*not_understood}
    several = told_apart_by(table)
    tried = [*zip(parts.open, parts.turns(turn), strict=True)]
    if several is not None:  # the ways differ in what this column holds
        bounds, value = found.setdefault(several.name, Bounds()), several.values[turn % len(several.values)]
        bounds.options = None if value is None else [value]
        bounds.always_null, bounds.never_null = value is None, bounds.never_null or value is not None
        tried.sort(key=lambda one: table.columns[several.name] not in columns_in(one[0].tree, table))
    for part, own_turn in tried:
        if not Reader(table, found, part.name, own_turn).read(part.tree):
            not_understood.add(part.name)
    _read_domains(found, table)
    let_rates_be(found)
    make_room_for_sums(found, table)
    share_out(found, table)
    _put_in_order(found)
    _pass_on(found, table)
    return found, parts.names - not_understood


@cache
def _read_first(table: sa.Table) -> tuple[Found, set[str]]:
    """Return what is read of conditions that leave no choice, and the constraints that are not understood by that."""
    parts = _clauses(table)
    found: Found = {}
    understood = [Reader(table, found, part.name).read(part.tree) for part in parts.plain]
    return found, {
        *(part.name for part, is_one in zip(parts.plain, understood, strict=True) if not is_one),
        *(part.name for part in parts.left),
    }


@dataclass(frozen=True)
class _Clause:
    """A condition that has to hold, and the constraint that it is of."""

    name: str
    tree: Any
    choices: int = 1  # after so many turns its alternatives come again


@dataclass(frozen=True)
class _Clauses:
    """The conditions of a table that all have to hold: that leave no choice, that leave one, and the rest.

    The rest has more alternatives than can be read: of these each row keeps to one when it is mended.
    """

    plain: list[_Clause]
    open: list[_Clause]
    left: list[_Clause]
    names: frozenset[str]

    def turns(self, turn: int) -> list[int]:
        """Return which of its alternatives each condition tries first: those of two come in all combinations."""
        return [(turn | turn << 3) >> place % 3 & 7 for place, _ in enumerate(self.open, 1)]

    def choices(self, turn: int) -> tuple[int, ...]:
        """Return what is the same for turns that come to the same."""
        return tuple(own % part.choices for own, part in zip(self.turns(turn), self.open, strict=True))


@cache
def _clauses(table: sa.Table) -> _Clauses:
    checks = [(name, tree) for name, sql in texts_of(table) if (tree := parsed(sql)) is not None]
    found = _Clauses([], [], [], frozenset(name for name, _ in checks))
    for name, whole in _with_formulas(checks, table):
        for tree in conjuncts(whole):
            if not _has_alternatives(tree):
                found.plain.append(_Clause(name, tree))
                continue
            narrow: set[str] = set()
            Reader(table, {}, name, 0, narrow).read(tree)
            kept = found.left if narrow and can_be_computed(tree, table) else found.open
            kept.append(_Clause(name, tree, _choices(tree)))
    return found


def _choices(tree: Any) -> int:
    """Return after how many turns the alternatives of a condition come again."""
    from sqlglot import exp

    either = [len([*one.flatten()]) for one in tree.find_all(exp.Or, exp.And)]
    cases = [len(one.args["ifs"]) + 1 for one in tree.find_all(exp.Case)]
    listed = [len(one.expressions) for one in tree.find_all(exp.In)]
    return math.lcm(2, *either, *cases, *listed, *(range(1, 5) if tree.find(exp.Anonymous, exp.Add) else ()))


def _read_domains(found: Found, table: sa.Table) -> None:
    for column in table.columns:
        for domain in domains_of(column):
            Reader(table, found, str(domain.constraint_name or domain.name)).read_domain(domain, column)


@dataclass(frozen=True)
class Several:
    """A column of few values, that says which alternatives of the CHECKs a row keeps to."""

    name: str
    values: tuple[Any, ...]


@cache
def told_apart_by(table: sa.Table) -> Several | None:
    """Return the column of few values that most of the conditions with alternatives speak of, as a status."""
    parts = _clauses(table)
    trees = [part.tree for part in (*parts.open, *parts.left)]
    found, certain = list[tuple[int, Several]](), _read_first(table)[0]
    for column in table.columns:
        said = sum(column in columns_in(tree, table) for tree in trees)
        bounds = certain.get(column.name, Bounds())
        values = _few_values(column, bounds)
        if values and column.nullable and not bounds.never_null and len(values) < WAYS:
            values = (*values, None)
        if said and 1 < len(values) <= WAYS and not column.foreign_keys:
            found.append((said, Several(column.name, values)))
    return max(found, key=lambda one: one[0])[1] if found else None


def _few_values(column: Column, bounds: Bounds) -> tuple[Any, ...]:
    """Return all values of a column that has only few; none of any other."""
    kind: Any = plain_type(column)
    values = bounds.options
    if values is None and isinstance(kind, sa.Boolean):
        values = [True, False]
    elif values is None and isinstance(kind, sa.Enum):
        values = list(kind.enum_class or kind.enums)
    return tuple(one for one in values or () if one not in bounds.excluded)


def _has_alternatives(tree: Any) -> bool:
    """Return whether a condition leaves a choice: one of columns, or of parts of what one can hold."""
    from sqlglot import exp

    if tree.find(exp.Case, exp.Greatest, exp.Least, exp.Max, exp.Min) is not None:
        return True
    if isinstance(tree, exp.Predicate) and isinstance(tree, exp.Binary) and counted_in(tree.this):
        return True
    if any(one.find(exp.And) for one in tree.find_all(exp.Not)):
        return True
    if any(item.find(exp.Column) for one in tree.find_all(exp.In) for item in one.expressions):
        return True
    for one in tree.find_all(exp.Or):
        parts = [part.unnest() for part in one.flatten()]
        of_values = [part for part in parts if not isinstance(part, exp.Is)]
        names = {column.name.lower() for column in one.find_all(exp.Column)}
        if len(names) > 1 or (len(of_values) > 1 and not all(isinstance(part, exp.EQ | exp.In) for part in of_values)):
            return True
    sides = (side.unnest() for one in tree.find_all(exp.EQ, exp.NEQ) for side in (one.this, one.expression))
    return any(isinstance(side, (*kinds_of_conditions(), exp.And, exp.Or)) for side in sides)


def _with_formulas(checks: Sequence[tuple[str, Any]], table: sa.Table) -> Iterator[tuple[str, Any]]:
    """Yield conditions in which what is computed is replaced by what it is computed from.

    `net = gross - tax AND net >= 0` asks something of gross and tax: net is then what it has to be.
    """
    from sqlglot import exp

    formulas: dict[str, tuple[Any, Any]] = {}
    for _, tree in checks:
        for part in conjuncts(tree):
            name = part.this.unnest().name.lower() if isinstance(part, exp.EQ) else ""
            if name and name not in formulas and _is_formula(part, table, formulas):
                formulas[name] = part, part.expression

    def replaced(node: Any, of: Any) -> Any:
        found = formulas.get(node.name.lower()) if isinstance(node, exp.Column) else None
        return exp.paren(found[1].copy(), copy=False) if found is not None and found[0] is not of else node

    for name, tree in checks:
        parts = [
            part if any(part is one for one, _ in formulas.values()) else part.transform(replaced, part)
            for part in conjuncts(tree)
        ]
        yield name, exp.and_(*parts) if formulas else tree


def _is_formula(node: Any, table: sa.Table, known: Mapping[str, Any]) -> bool:
    """Return whether a condition says what a column is computed from, and no other condition that is known does."""
    reader = Reader(table, {}, "")
    column, formula = reader._column(node.this), reader._formula(node.expression)
    if column is None or formula is None or not isinstance(plain_type(column), NUMBER) or column.foreign_keys:
        return False
    terms = {*terms_of(formula)}
    return bool(terms) and column.name not in terms and not terms & {*known}


def _put_in_order(found: Found) -> None:
    """Let a column that is at most so far above another be no less than it, unless it is the other that comes later."""
    for name, bounds in found.items():
        bounds.within = [
            one for one in bounds.within if not any(waits_for(found, term, name) for term in terms_of(one[0]))
        ]
        bounds.after += [
            (other, 0) for other, _ in bounds.within if isinstance(other, str) and other not in dict(bounds.after)
        ]


def _pass_on(found: Found, table: sa.Table) -> None:
    """Let the bounds of columns that are compared with each other hold for both: 1 <= lowest <= highest <= 12."""
    for _ in range(len(found)):
        for own, larger in list(found.items()):
            for name, steps in larger.after:
                if not isinstance(name, str):
                    continue
                smaller = found.setdefault(name, Bounds())
                column = table.columns[name]
                if larger.high is not None:
                    highest = moved_by(_like_those_of(column, larger.high), column, -steps)
                    smaller.high = highest if smaller.high is None else least_of(smaller.high, highest)
                    smaller.names += [one for one in larger.names if one not in smaller.names]
                if smaller.low is not None:
                    lowest = _like_those_of(table.columns[own], moved_by(smaller.low, column, steps), up=True)
                    larger.low = lowest if larger.low is None else most_of(larger.low, lowest)
            for name, steps in larger.within:
                if isinstance(name, str) and larger.low is not None:
                    smaller = found.setdefault(name, Bounds())
                    column = table.columns[name]
                    lowest = moved_by(_like_those_of(column, larger.low, up=True), column, -steps)
                    smaller.low = lowest if smaller.low is None else most_of(smaller.low, lowest)
                    smaller.names += [one for one in larger.names if one not in smaller.names]


def _like_those_of(column: sa.Column[Any], value: Any, *, up: bool = False) -> Any:
    """Return a bound of a column that this one is compared with as one of its own: a day as a moment, or the other way.

    Args:
        up: whether it is a lower bound, which no day before its moment keeps to.
    """
    kind = plain_type(column)
    if isinstance(kind, sa.DateTime) and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC if kind.timezone else None)
    if isinstance(kind, sa.Date) and isinstance(value, datetime):
        return value.date() + timedelta(days=up and value.time() != time())
    return value
