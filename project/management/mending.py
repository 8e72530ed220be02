"""Rows that break a CHECK get other values, one by one, until they keep to all: what no column could know by itself.

Columns are drawn as ever. Of a row that fails, conditions are taken in turn, and one column of each is solved, drawn
again from what that column holds elsewhere, or made NULL. Every row has its own randomness, so that it is the same
whatever else is made; rows that keep to all CHECKs stay as they are.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain, islice
from random import Random
from typing import Any, overload

import sqlalchemy as sa

from .blocks import BLOCK, Block, Fill, Rows
from .computing import NotComputed, Value, can_be_computed, computed, is_false, of_one_type, ways_of
from .conditions import Check, checks_of, told_apart_by
from .errors import CommandError
from .fields import integer_range, scale_of
from .inferred import Scale
from .meanings import come_before
from .numbering import Column
from .parsing import columns_in, conjuncts
from .reading import alternatives, is_condition, widest
from .spellings import spelled_by
from .types import DECIMAL, NUMBER, length_of, plain_type

ATTEMPTS, STEPS = 20, 10  # of a row, each from what was drawn, and changes in one
DRAWS = 4  # of a column, that are looked at before one is chosen
AGREEING = 12  # rows that are looked at until all databases compute the same of one
KEPT = 0.75  # so much of a condition that fails it counts to change the column that tells rows apart
NOISE = 0.15  # share of changes that are any
ENOUGH = 6  # values that fulfil a condition, of which the one is taken that breaks fewest others
HOPELESS = 4  # rows of a block that could not be mended, and one for each ten that could: then no other is tried
FEWEST_TRIES = 3  # before a row is taken that keeps to CHECKs but not to the order of names


def mended(
    table: sa.Table, fills: Mapping[str, Fill], fixed: Collection[str], *, everything: bool = False
) -> dict[str, Fill]:
    """Return what fills a table so that its rows keep to the CHECKs that can be computed.

    Args:
        fixed: the columns that are left as they are, as the parts of a key.
        everything: whether to look at those, too, of which inference is certain.
    """
    checks = checks_of(table)
    if not everything and all(one.is_certain for one in checks):
        return dict(fills)
    parts = [replace(check, tree=part) for check in checks for part in conjuncts(check.tree)]
    tried = [(part, _computed(part, table, fills)) for part in parts]
    conditions = [one for _, one in tried if one is not None]
    watched = [one for one in conditions if everything or not one.check.is_certain]
    if not watched:
        return dict(fills)
    blind = {column.name for part, one in tried if one is None for column in columns_in(part.tree, table)}
    free = [name for name in fills if name not in fixed and name not in blind]
    made = dict(fills)
    for group in _groups(watched, conditions, free):
        names = [name for name in fills if any(name in one.names for one in group)]
        mender = _Mender(table, [one for one in group if one in watched], group, names)
        mender.conditions += _orders_of_names(table, fills, names)
        made.update({name: _view(mender, fills, free, name) for name in names if name in free})
    return made


def _view(mender: _Mender, fills: Mapping[str, Fill], free: Collection[str], name: str) -> Fill:
    def make(rows: Rows) -> _MendedBlock:
        return _MendedBlock(mender, Block(rows.source, fills, rows.numbers.start // BLOCK), free)

    return lambda rows: _Column(rows.shared(("mended", *mender.names), make), name)


def may_help(table: sa.Table) -> bool:
    """Return whether a table has CHECKs with which rows can be compared."""
    return any(can_be_computed(one.tree, table) for one in checks_of(table))


def broken(table: sa.Table, row: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the CHECKs that a row breaks, of those that can be computed."""
    conditions = (_computed(check, table, row) for check in checks_of(table))
    yield from (one.check for one in conditions if one is not None and one.fails(row))


@dataclass(frozen=True)
class _Condition:
    """A CHECK with what computes it, in each of the ways in which databases do."""

    check: Check
    names: tuple[str, ...]
    values: tuple[Value, ...]
    is_asked: bool = True  # and not only usual

    def fails(self, row: Mapping[str, Any]) -> bool:
        return any(is_false(value, row) for value in self.values)


def _computed(check: Check, table: sa.Table, fills: Collection[str], *, is_asked: bool = True) -> _Condition | None:
    try:
        values = tuple(computed(check.tree, table, fills, way) for way in ways_of(check.tree, table))
    except NotComputed:
        return None
    names = tuple(column.name for column in columns_in(check.tree, table) if column.name in fills)
    return _Condition(check, names, values, is_asked) if names else None


def _groups(
    watched: Sequence[_Condition], conditions: Sequence[_Condition], free: Collection[str]
) -> Iterator[list[_Condition]]:
    """Yield conditions that are about the same free columns, directly or through others; with one that is watched."""
    rest = [*conditions]
    for first in watched:
        found, near = list[_Condition](), [first] if first in rest else []
        while near:
            found, rest = found + near, [one for one in rest if one not in near]
            names = {name for one in found for name in one.names if name in free}
            near = [one for one in rest if names & {*one.names}]
        if found:
            yield found


def _orders_of_names(table: sa.Table, fills: Collection[str], names: Collection[str]) -> Iterator[_Condition]:
    """Yield that what is called started comes before what is called ended."""
    from sqlglot import exp

    for column, other in ((one, other) for one in table.columns for other, *_ in come_before(one)):
        if {column.name, other.name} <= {*names}:
            tree = exp.GTE(this=exp.column(column.name), expression=exp.column(other.name))
            if (found := _computed(Check("", tree), table, fills, is_asked=False)) is not None:
                yield found


class _MendedBlock:
    """The rows of a block, each mended when and if it is looked at."""

    def __init__(self, mender: _Mender, block: Block, free: Collection[str]) -> None:
        self.mender, self.block = mender, block
        self.columns = {name: block.column(name, asks="") for name in mender.names}
        followed = chain.from_iterable(block.asked.get(name, ()) for name in mender.names if name not in free)
        free = [name for name in mender.names if name in free and name not in {*followed}]
        self.pools = {name: _Pool(mender.table.columns[name], self.columns[name]) for name in free}
        self._changed: dict[int, Mapping[str, Any]] = {}
        self._looked_at = bytearray(BLOCK)
        self._hopeless = self._mended = 0

    def value(self, name: str, number: int) -> Any:
        if not self._looked_at[number]:
            self._look(number)
        changed = self._changed.get(number)
        return self.columns[name][number] if changed is None else changed[name]

    def _look(self, number: int) -> None:
        self._looked_at[number] = 1
        row = {name: values[number] for name, values in self.columns.items()}
        if self._hopeless - self._mended // 10 >= HOPELESS or not any(one.fails(row) for one in self.mender.watched):
            return
        source = self.block.source
        for pool in self.pools.values():
            pool.stop_before(number)
        random = Random(source.seed("mended", *self.mender.names, self.block.number * BLOCK + number))
        found = self.mender.mend(row, self.pools, random)
        if found is None:
            self._hopeless += 1
        else:
            self._mended += 1
            self._changed[number] = found


class _Column(Sequence[Any]):
    """One column of a block whose rows are mended."""

    def __init__(self, block: _MendedBlock, name: str) -> None:
        self._block, self._name = block, name

    def __len__(self) -> int:
        return BLOCK

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [*map(self.__getitem__, range(*index.indices(BLOCK)))]
        if not -BLOCK <= index < BLOCK:
            raise IndexError(index)
        return self._block.value(self._name, index % BLOCK)

    def __iter__(self) -> Iterator[Any]:
        return (self._block.value(self._name, number) for number in range(BLOCK))


class _Pool:
    """What a column can be given: what it holds in other rows, and what it can hold at all."""

    def __init__(self, column: Column, values: Sequence[Any]) -> None:
        self.column, self._values = column, values
        self.kind: Any = plain_type(column)
        self._refers_to_itself = any(key.column.table is column.table for key in column.foreign_keys)
        self._most = len(values)

    def stop_before(self, number: int) -> None:
        """Draw what a row can refer to in its own table: what those before it refer to, for these are there."""
        if self._refers_to_itself:
            self._most = number

    def draw(self, random: Random) -> Any:
        """Return a value that some row has; None only where hardly any has one."""
        for _ in range(20):
            value = self._values[int(random.random() * self._most)]
            if value is not None:
                return value
        return None

    @cached_property
    def scale(self) -> Scale | None:
        """How values are counted; None where they cannot be."""
        if self.column.foreign_keys:
            return None
        try:
            return Scale.of(self.column)
        except CommandError:
            return None

    @cached_property
    def ends(self) -> tuple[Any, Any] | None:
        """The lowest and the highest of some values, where they can be counted."""
        known = [one for one in islice(self._values, 200) if one is not None]
        return (min(known), max(known)) if known and self.scale is not None else None

    @cached_property
    def width(self) -> int:
        """How many steps there are, about, between the lowest and the highest value."""
        if self.scale is None or self.ends is None:
            return self.scale.usual if self.scale is not None else 0
        low, high = map(self.scale.to_steps, self.ends)
        return max(1, high - low)

    def is_unusual(self, value: Any) -> bool:
        """Return whether a value lies outside those that there are."""
        return value is not None and self.ends is not None and not self.ends[0] <= value <= self.ends[1]

    @cached_property
    def labels(self) -> dict[Any, Any]:
        """What stands in the database for members of an enumeration."""
        return dict(zip(self.kind.enums, self.kind.enum_class or self.kind.enums, strict=True))

    def fitting(self, value: Any) -> Any:
        """Return a value as the column holds it, None where it does not."""
        if value is None:
            return None
        kind = self.kind
        try:
            if isinstance(kind, sa.Enum):
                return self.labels.get(value)
            if isinstance(kind, sa.Boolean):
                return value if isinstance(value, bool) else {0: False, 1: True}[value]
            if isinstance(kind, NUMBER) and not isinstance(value, str):
                return self._number(value)
            if isinstance(kind, sa.String):
                room = length_of(self.column)
                return value if isinstance(value, str) and value and (room is None or len(value) <= room) else None
            return self._moment(value)
        except (ValueError, TypeError, AttributeError, ArithmeticError, LookupError):  # of another type
            return None

    def _number(self, value: Any) -> Any:
        if isinstance(self.kind, sa.Integer):
            low, high = integer_range(self.column)
            return int(value) if value == int(value) and low <= value <= high else None
        if isinstance(self.kind, sa.Float) and not self.kind.asdecimal:
            return float(value)
        exact = Decimal(str(value))
        cut = exact.quantize(Decimal(1).scaleb(-scale_of(self.column)))
        low, high = widest(self.column)
        if cut != exact or not low <= cut <= high:
            return None
        return cut if isinstance(self.kind, DECIMAL) and self.kind.asdecimal else float(cut)

    def _moment(self, value: Any) -> Any:
        kind = self.kind
        if isinstance(kind, sa.DateTime):
            made = datetime.fromisoformat(value) if isinstance(value, str) else value
            if not isinstance(made, datetime):
                made = datetime(made.year, made.month, made.day)
            return made.replace(tzinfo=(made.tzinfo or UTC) if kind.timezone else None)
        if isinstance(kind, sa.Date):
            made = datetime.fromisoformat(value) if isinstance(value, str) else value
            if isinstance(made, datetime):
                return made.date() if made.time() == time() else None
            return made if isinstance(made, date) else None
        if isinstance(kind, sa.Time):
            return time.fromisoformat(value) if isinstance(value, str) else value if isinstance(value, time) else None
        if isinstance(kind, sa.Interval):
            return value if isinstance(value, timedelta) else None
        return None


@dataclass
class _Try:
    """A row on its way, and which of some alternatives it keeps to."""

    row: dict[str, Any]
    pools: Mapping[str, _Pool]
    random: Random
    attempt: int
    first: dict[int, int]  # alternatives, in the first attempt
    branches: dict[int, int] = field(default_factory=dict)
    has_come_back: bool = False
    _taken: set[int] = field(default_factory=set)  # conditions that were mended once

    def come_back_to(self, condition: _Condition) -> None:
        """Choose alternatives anew, and by chance, where a condition that was mended fails once more."""
        if id(condition) in self._taken:
            self.has_come_back = True
            self.branches.clear()
        self._taken.add(id(condition))


class _Mender:
    """Mends rows of one table."""

    def __init__(
        self, table: sa.Table, watched: Sequence[_Condition], conditions: Sequence[_Condition], names: Sequence[str]
    ) -> None:
        self.table, self.watched, self.conditions, self.names = table, watched, [*conditions], names
        self._values: dict[int, Value | None] = {}
        several = told_apart_by(table)
        self.kept = several.name if several is not None else ""  # what tells rows apart is changed only if need be
        self._kept: list[Any] = []  # trees, so that no other gets the id of one
        self._parts: dict[int, list[Any]] = {}
        self._names: dict[int, tuple[str, ...]] = {}

    def mend(self, row: Mapping[str, Any], pools: Mapping[str, _Pool], random: Random) -> dict[str, Any] | None:
        """Return a row that keeps to all conditions, as like one as possible; None where none was found."""
        nearly, first = None, dict[int, int]()
        for attempt in range(ATTEMPTS):
            trial = _Try(dict(row), pools, random, attempt, first)
            for _ in range(STEPS):
                if not attempt % 2:
                    self._compute(trial)
                failing = [one for one in self.conditions if one.fails(trial.row)]
                if not failing:
                    return trial.row
                asked = [one for one in failing if one.is_asked]
                if not asked:
                    nearly = nearly or dict(trial.row)
                chosen = random.choice(asked or failing)
                trial.come_back_to(chosen)
                if random.random() < NOISE:
                    self._redraw(trial, chosen)
                elif not self._change(trial, *self._leaf(trial, chosen.check.tree, True)):
                    break
            if nearly is not None and attempt + 1 >= FEWEST_TRIES:
                break
        return nearly

    def _compute(self, trial: _Try) -> None:
        """Let columns be what they are said to be computed from: nearly always that is all there is to mend."""
        from sqlglot import exp

        for one in self.conditions:
            node = one.check.tree
            name = next(iter(self._names_of(node.this)), "") if isinstance(node, exp.EQ) else ""
            if name == self.kept and trial.attempt < ATTEMPTS // 2:
                continue
            if name in trial.pools and isinstance(node.this.unnest(), exp.Column) and one.fails(trial.row):
                made = self._with_result(trial, trial.row, name, node.expression)
                trial.row.update(self._agreed(trial, one, name) or made if one.fails(made) else made)

    def _with_result(self, trial: _Try, row: Mapping[str, Any], name: str, node: Any) -> dict[str, Any]:
        """Return a row in which a column is what an expression amounts to, where that fits into it."""
        value = trial.pools[name].fitting(self._value(node, row))
        return {**row, name: row[name] if value is None else value}

    def _agreed(self, trial: _Try, condition: _Condition, name: str) -> dict[str, Any] | None:
        """Return a row with another value to compute from, of which all databases compute the same.

        A quotient of whole numbers has no fraction in some of them. None where no such value is found.
        """
        node, others = condition.check.tree, [one for one in condition.names if one != name and one in trial.pools]
        for _ in range(AGREEING if others else 0):
            other = trial.random.choice(others)
            value = trial.pools[other].draw(trial.random)
            row = self._with_result(trial, {**trial.row, other: value}, name, node.expression)
            if value is not None and not any(
                one.fails(row) for one in self.conditions if other in one.names or name in one.names
            ):
                return row
        return None

    def _redraw(self, trial: _Try, condition: _Condition) -> None:
        """Give a column of a condition any value: what one database rounds otherwise than another has to differ."""
        names = [name for name in condition.names if name in trial.pools]
        if names:
            name = trial.random.choice(names)
            value = trial.pools[name].draw(trial.random)
            trial.row[name] = trial.row[name] if value is None else value

    # Which condition to fulfil

    def _leaf(self, trial: _Try, node: Any, wanted: bool) -> tuple[Any, bool]:
        """Return the plain condition to fulfil, or to break, so that another one comes out as it is wanted."""
        from sqlglot import exp

        node = node.unnest()
        if isinstance(node, exp.Not):
            return self._leaf(trial, node.this, not wanted)
        if isinstance(node, exp.And | exp.Or):
            parts = self._parts_of(node, lambda: [*node.flatten()])
            if isinstance(node, exp.And) is not wanted:
                parts = [one for one in parts if self._can_be(trial, one, wanted)] or parts
                return self._leaf(trial, parts[self._branch(trial, node, len(parts)) % len(parts)], wanted)
            wrong = [one for one in parts if self._is_wrong(trial.row, one, wanted)] or parts
            return self._leaf(trial, trial.random.choice(wrong), wanted)
        if isinstance(node, exp.Between):
            [both] = self._parts_of(node, lambda: [_both_ends(node)])
            return self._leaf(trial, both, wanted)
        if isinstance(node, exp.Case) and is_condition(node, self._is_flag):
            [either] = self._parts_of(node, lambda: [exp.or_(*alternatives(node, not wanted))])
            return self._leaf(trial, either, True)
        if isinstance(node, exp.EQ | exp.NEQ) and (found := self._leaf_of_both(trial, node, wanted)) is not None:
            return found
        return node, wanted

    def _can_be(self, trial: _Try, node: Any, wanted: bool) -> bool:
        """Return whether an alternative can come out as it is wanted, as far as that is plain."""
        from sqlglot import exp

        node = node.unnest()
        if isinstance(node, exp.Not):
            return self._can_be(trial, node.this, not wanted)
        if isinstance(node, exp.And | exp.Or):
            found = (self._can_be(trial, one, wanted) for one in self._parts_of(node, lambda: [*node.flatten()]))
            return all(found) if isinstance(node, exp.And) is wanted else any(found)
        if not self._is_wrong(trial.row, node, wanted):
            return True
        names = [name for name in self._names_of(node) if name in trial.pools]
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null) and wanted:
            return any(self.table.columns[name].nullable for name in names)
        return bool(names)

    def _leaf_of_both(self, trial: _Try, node: Any, wanted: bool) -> tuple[Any, bool] | None:
        """Return what to do where conditions are compared: let one of them come out as the other does."""
        from sqlglot import exp

        sides = [node.this.unnest(), node.expression.unnest()]
        if not any(is_condition(one) and not isinstance(one, exp.Boolean) for one in sides):
            return None
        if not all(is_condition(one, self._is_flag) for one in sides):
            return None
        first = self._branch(trial, node, 2)
        if self._names_of(sides[first]) == (self.kept,):  # it is the other side that gives way
            first = 1 - first
        for place in (first, 1 - first):
            changing, other = sides[place], sides[1 - place]
            truth = self._truth(trial.row, other)
            if truth is None or not any(name in trial.pools for name in self._names_of(changing)):
                continue
            return self._leaf(trial, changing, truth is (isinstance(node, exp.EQ) is wanted))
        return None

    def _is_flag(self, node: Any) -> bool:
        names = self._names_of(node) if node.key == "column" else ()
        return any(isinstance(plain_type(self.table.columns[name]), sa.Boolean) for name in names)

    def _branch(self, trial: _Try, node: Any, count: int) -> int:
        """Return which of some alternatives is kept to until all is begun anew: then by turns the next, or any."""
        if id(node) not in trial.branches:
            drawn = int(trial.random.random() * count)
            turn = trial.first.setdefault(id(node), drawn) + trial.attempt // 2
            trial.branches[id(node)] = drawn if trial.attempt % 2 or trial.has_come_back else turn % count
        return trial.branches[id(node)]

    def _parts_of(self, node: Any, make: Callable[[], list[Any]]) -> list[Any]:
        if id(node) not in self._parts:
            self._kept.append(node)
            self._parts[id(node)] = make()
        return self._parts[id(node)]

    def _names_of(self, node: Any) -> tuple[str, ...]:
        if id(node) not in self._names:
            self._kept.append(node)
            self._names[id(node)] = tuple(one.name for one in columns_in(node, self.table))
        return self._names[id(node)]

    def _value(self, node: Any, row: Mapping[str, Any]) -> Any:
        """Return what an expression amounts to; None where that cannot be computed."""
        if id(node) not in self._values:
            self._kept.append(node)
            try:
                self._values[id(node)] = computed(node, self.table, self.names)
            except NotComputed:
                self._values[id(node)] = None
        value = self._values[id(node)]
        try:
            return value(row) if value is not None else None
        except (ArithmeticError, TypeError, ValueError, AttributeError, LookupError):
            return None

    def _truth(self, row: Mapping[str, Any], node: Any) -> bool | None:
        found = self._value(node, row)
        return None if found is None else bool(found)

    def _is_wrong(self, row: Mapping[str, Any], node: Any, wanted: bool) -> bool:
        return self._truth(row, node) is (not wanted)

    # Which value to give

    def _change(self, trial: _Try, node: Any, wanted: bool) -> bool:
        """Give one column of a condition another value, so that as few as possible fail; return whether one did."""
        names = [name for name in self._names_of(node) if name in trial.pools]
        trial.random.shuffle(names)
        best: tuple[float, str, Any] | None = None
        nearest: tuple[Any, str, Any] | None = None
        for name in names:
            column, before, row = self.table.columns[name], trial.row[name], dict(trial.row)
            own = [one for one in self.conditions if name in one.names]
            others, looked_at = float(sum(one.fails(trial.row) for one in self.conditions if one not in own)), 0
            for value in self._candidates(trial, node, wanted, name):
                if (value is None and not column.nullable) or value == before:
                    continue
                row[name] = value
                if self._is_wrong(row, node, wanted):
                    far = self._far(row, node) if best is None else None
                    if far is not None and (nearest is None or far < nearest[0]):
                        nearest = far, name, value
                    continue
                failing = others + sum(one.fails(row) for one in own) + trial.pools[name].is_unusual(value) / 2
                failing += KEPT if name == self.kept else 0
                if best is None or failing < best[0]:
                    best = failing, name, value
                if not failing:
                    break
                looked_at += 1
                if looked_at == ENOUGH:
                    break
            if best is not None and not best[0]:
                break
        chosen = best or nearest
        if chosen is None:
            return False
        trial.row[chosen[1]] = chosen[2]
        return True

    def _far(self, row: Mapping[str, Any], node: Any) -> Any:
        """Return how far a comparison is from where it begins to hold."""
        if "this" not in node.args or "expression" not in node.args:
            return None
        far = _apart(self._value(node.this, row), self._value(node.expression, row))
        return None if far is None else abs(far)

    def _candidates(self, trial: _Try, node: Any, wanted: bool, name: str) -> Iterator[Any]:
        """Yield values of a column that might fulfil, or break, a condition: None is NULL."""
        from sqlglot import exp

        pool, random = trial.pools[name], trial.random
        if isinstance(node, exp.Column):
            yield wanted
            return
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null) and wanted:
            yield None
        elif isinstance(node, exp.EQ | exp.NEQ) and isinstance(node, exp.EQ) is wanted:
            yield from filter(lambda one: one is not None, map(pool.fitting, self._equal(trial, node, name)))
        else:
            yield from (value for _ in range(DRAWS) if (value := pool.draw(random)) is not None)
        found = chain(
            self._solved(trial, node, wanted, name), self._said(node), self._spelled(trial, node, name, wanted)
        )
        yield from (value for one in found if (value := pool.fitting(one)) is not None)
        yield from (value for _ in range(2) if (value := pool.draw(random)) is not None)
        yield None

    def _equal(self, trial: _Try, node: Any, name: str) -> Iterator[Any]:
        """Yield what the other side amounts to, where a column stands alone on one."""
        from sqlglot import exp

        for one, other in ((node.this, node.expression), (node.expression, node.this)):
            inner = one.unnest()
            while isinstance(inner, exp.Cast | exp.Collate):
                inner = inner.this.unnest()
            if isinstance(inner, exp.Column) and self._names_of(inner) == (name,):
                yield self._value(other, trial.row)

    def _solved(self, trial: _Try, node: Any, wanted: bool, name: str) -> Iterator[Any]:
        """Yield where a comparison begins to hold, as far as it goes straight, and beyond."""
        from sqlglot import exp

        signs = {exp.EQ: 0, exp.NEQ: 0, exp.LT: -1, exp.LTE: -1, exp.GT: 1, exp.GTE: 1}
        pool, random = trial.pools[name], trial.random
        scale, sign = pool.scale, signs.get(type(node))
        value = trial.row[name] if trial.row[name] is not None else pool.draw(random)
        if sign is None or scale is None or value is None:
            return
        sign, start = sign if wanted else -sign, scale.to_steps(value)

        def gap(steps: int) -> Any:
            row = {**trial.row, name: scale.from_steps(steps)}
            return _apart(self._value(node.this, row), self._value(node.expression, row))

        for far in _FAR:
            try:
                here, there = gap(start), gap(start + far)
                if here is None or there is None or here == there:
                    continue
                root = start - here * far / (there - here)
                low = int(root // 1)
                if not sign:
                    yield from map(scale.from_steps, (low, low + 1) if low != root else (low, low + 1, low - 1))
                    continue
                up = sign if there > here else -sign  # the way in which more of it holds
                edge = low + 1 if up > 0 else low if low != root else low - 1
                for nearer in range(DRAWS):
                    yield scale.from_steps(edge + up * int(random.random() * (pool.width >> 3 * nearer)))
                yield from map(scale.from_steps, (edge, edge - up))
            except (ArithmeticError, ValueError, TypeError):
                continue

    def _said(self, node: Any) -> Iterator[Any]:
        """Yield the values that stand in a condition."""
        from sqlglot import exp

        for one in self._parts_of(node, lambda: [*node.find_all(exp.Literal)]) if not isinstance(node, exp.Not) else ():
            text = str(one.this)
            yield text if one.is_string else int(text) if text.isdigit() else Decimal(text)

    def _spelled(self, trial: _Try, node: Any, name: str, wanted: bool) -> Iterator[str]:
        """Yield texts like the one there is, or another, as a condition might want them."""
        from sqlglot import exp

        pool, random = trial.pools[name], trial.random
        wanted = wanted is not bool(node.args.get("negate"))  # of NOT LIKE
        if not isinstance(pool.kind, sa.String) or isinstance(pool.kind, sa.Enum):
            return
        places = spelled_by(node, pool.column) if wanted else None
        if places:
            yield "".join(map(random.choice, places))
        for text in (trial.row[name], pool.draw(random)):
            if not isinstance(text, str):
                continue
            yield from (text.strip(), text.lower(), text.upper(), "-".join(text.split()), re.sub(r"\W", "", text))
            if isinstance(node, exp.Like) and not wanted:
                yield text.translate(dict.fromkeys(map(ord, node.expression.name.replace("%", "").replace("_", ""))))
            for size in self._said(node):
                if isinstance(size, str):
                    yield from (size + text[len(size) :], text[: -len(size)] + size if size else text)
                elif isinstance(size, int) and 0 < size <= (length_of(pool.column) or 200):
                    more = "".join(random.choices(string.ascii_lowercase, k=max(0, size - len(text))))
                    yield (text + more)[:size]


_FAR = (1, 100, 86_400)  # steps, in which it is looked how something changes: cents, whole numbers, days


def _both_ends(node: Any) -> Any:
    from sqlglot import exp

    low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
    return exp.and_(low, exp.LTE(this=node.this.copy(), expression=node.args["high"].copy()), copy=False)


def _apart(one: Any, other: Any) -> Any:
    """Return how far two values are apart, as a number; None where that cannot be told."""
    one, other = of_one_type(one, other)
    found = [_as_number(value) for value in (one, other)]
    if None in found:
        return None
    if (
        isinstance(one, datetime) is not isinstance(other, datetime)
        and isinstance(one, date)
        and isinstance(other, date)
    ):
        found = [
            _as_number(value if isinstance(value, datetime) else datetime(value.year, value.month, value.day))
            for value in (one, other)
        ]
    return found[0] - found[1]


def _as_number(value: Any) -> Any:
    if isinstance(value, bool | int | Decimal):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, datetime):
        return Decimal((value.replace(tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    if isinstance(value, date):
        return Decimal(value.toordinal())
    if isinstance(value, timedelta):
        return Decimal(value // timedelta(microseconds=1))
    if isinstance(value, time):
        return Decimal(value.hour * 60 + value.minute)
    return None
