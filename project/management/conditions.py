"""What CHECK constraints say of columns: read with sqlglot, as models write them and as databases report them."""

from __future__ import annotations

import math
import operator
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import chain
from typing import Any

import sqlalchemy as sa

from .calendars import FUTURE, MOST, PAST, STARTS, duration, part_of
from .computing import can_be_computed, in_python
from .fields import Formula, integer_range, scale_of, terms_of
from .numbering import Column
from .types import DECIMAL, NUMBER, domains_of, length_of, plain_type

WAYS = 8  # that rows of one table can have to keep to its CHECKs, at most
NARROW = 10_000  # a column for smaller numbers than this has no room above most of them
COUNTED = (*NUMBER, sa.Date, sa.DateTime, sa.Time, sa.Interval)  # types of which one value comes after another
FARTHEST = timedelta(days=100 * 366)  # from another day: what is farther may be none that a database stores


@dataclass(frozen=True)
class Sum:
    """What columns amount to together, at least and at most."""

    names: tuple[str, ...]
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass
class Bounds:
    """What the CHECK constraints of a table say of one column."""

    low: Any = None
    high: Any = None
    options: list[Any] | None = None
    excluded: list[Any] = field(default_factory=list)
    shortest: int = 0  # characters
    longest: int | None = None
    spelling: list[str] | None = None  # the characters that may stand at each place
    spell: Callable[[int], list[str] | None] | None = None  # another, with so many where any number may stand
    like: str = ""  # the pattern of which that is one
    patterns: list[re.Pattern[str]] = field(default_factory=list)  # all that are to be found in it
    case: str = ""  # upper or lower
    json: str = ""  # array or object
    calendar: dict[str, list[int]] = field(default_factory=dict)  # what a part of a day may be, as its month
    items: list[Any] = field(default_factory=list)  # of which the lists in it are
    after: list[tuple[Formula, int]] = field(default_factory=list)  # what it is at least so many steps above, each
    within: list[tuple[Formula, int]] = field(default_factory=list)  # and what it is at most so many steps above
    unequal: list[str] = field(default_factory=list)  # columns it must differ from
    same: str = ""  # the column it equals
    formula: Formula | None = None  # what it is computed from
    parts: int = 0  # in which one may be cut, where something is computed from it: all databases count them alike
    sums: list[Sum] = field(default_factory=list)  # of it and of columns after it
    multiple: int = 1  # a whole number is a multiple of
    remainder: int = 0  # and so much more
    never_null: bool = False
    always_null: bool = False
    names: list[str] = field(default_factory=list)

    def spelled(self, room: int, *, is_padded: bool = False) -> list[str]:
        """Return the characters of each place, of a spelling that is as long as it has to be, where there is one.

        Args:
            is_padded: whether a shorter text is stored with spaces behind it, which no pattern may ask for.
        """
        longest = room if self.longest is None else min(room, self.longest)
        others = (self.spell(more) for more in range(65)) if self.spell else ()
        fitting = [one for one in (self.spelling, *others) if one and self.shortest <= len(one) <= longest]
        whole = (one for one in fitting if is_padded and len(one) == room)
        return next(whole, next(iter(fitting), self.spelling or []))

    def copied(self) -> Bounds:
        """Return the same, to be changed without this one."""
        made = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):
                setattr(made, name, value.copy())
        made.calendar = {part: [*numbers] for part, numbers in self.calendar.items()}
        return made

    @property
    def why(self) -> str:
        return "CHECK " + ", ".join(dict.fromkeys(self.names)) if self.names else ""


Found = dict[str, Bounds]


def _copied(found: Found) -> Found:
    """Return what is known, to be changed without the other."""
    return {name: bounds.copied() for name, bounds in found.items()}


def read_checks(table: sa.Table) -> Found:
    """Return what can be read of a table's CHECK constraints, by column; the rest is left to the database.

    Where they leave a choice (`status <> 'done' OR done_at IS NOT NULL`), it is the first that can be kept to.
    """
    return _ways(table)[0]


@cache
def read_certain(table: sa.Table) -> Found:
    """Return what CHECK constraints ask of columns whatever the other columns hold: what leaves no choice."""
    found: Found = {}
    for name, sql in _texts_of(table):
        for part in conjuncts(tree) if (tree := _parsed(sql)) is not None else ():
            if not _has_alternatives(part):
                _Reader(table, found, name).read(part)
    _read_domains(found, table)
    _pass_on(found, table)
    return found


def read_parts(table: sa.Table, condition: str) -> Iterator[tuple[str, Bounds]]:
    """Yield what each part of a condition asks of a column, of those that ask for nothing but that."""
    from sqlglot import exp

    tree = _parsed(condition)
    while isinstance(tree, exp.Paren):
        tree = tree.this
    for part in tree.flatten() if isinstance(tree, exp.And) else (tree,):
        found: Found = {}
        reader = _Reader(table, found, "")
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
    several, parts = _told_apart_by(table), _clauses(table)
    many = len(several.values) if several is not None else 1
    different = {(turn % many, *parts.choices(turn)): turn for turn in reversed(range(WAYS))}
    turns = [_read(table, turn) for turn in sorted(different.values())]
    possible = [one for one in turns if all(map(_is_possible, one[0].values()))] or turns[:1]
    first, understood = max(possible, key=lambda one: len(one[1]))
    ways = [first]
    for found, also_understood in possible:
        if (
            understood <= also_understood
            and _comparable(found) not in map(_comparable, ways)
            and not _go_in_a_circle([*ways, found])
        ):
            ways.append(found)
    return ways


@dataclass(frozen=True)
class Check:
    """A CHECK constraint, or that of a domain, as a tree."""

    name: str
    tree: Any
    is_certain: bool = False  # whether rows that keep to what is read of it are certain to fulfil it


def checks_of(table: sa.Table) -> list[Check]:
    """Return the CHECK constraints of a table that can be parsed."""
    first = _ways(table)[0]
    understood = next(one for found, one in (_read(table, turn) for turn in range(WAYS)) if found is first)
    found = [Check(name, _parsed(sql), name in understood) for name, sql in _texts_of(table)]
    for column in table.columns:
        for domain in domains_of(column):
            tree = _of_domain(domain, column)
            found.append(Check(str(domain.constraint_name or domain.name), tree, is_certain=True))
    return [one for one in found if one.tree is not None]


def columns_in(tree: Any, table: sa.Table) -> list[Column]:
    """Return the columns of a table that a condition is about."""
    from sqlglot import exp

    names = {one.name.lower() for one in tree.find_all(exp.Column)}
    return [one for one in table.columns if one.name.lower() in names]


def _texts_of(table: sa.Table) -> list[tuple[str, str]]:
    """Return the name of each CHECK constraint, or what it says where it has none, and what it says."""
    constraints = {*table.constraints, *(one for column in table.columns for one in column.constraints)}
    checks = [one for one in constraints if isinstance(one, sa.CheckConstraint)]
    texts = sorted((str(one.name), text_of(one.sqltext), one.name is not None) for one in checks)
    return [(name if is_named else sql, sql) for name, sql, is_named in texts]


def _of_domain(domain: Any, column: Column) -> Any:
    """Return what a domain asks for, in whose CHECK VALUE stands for the column."""
    from sqlglot import exp

    tree = _parsed(text_of(domain.check)) if domain.check is not None else None
    if tree is None:
        return None
    return tree.transform(lambda node: exp.column(column.name) if isinstance(node, exp.Column) else node)


def _go_in_a_circle(ways: Sequence[Found]) -> bool:
    """Return whether a column would wait for itself, where rows are filled in each of some ways."""
    together: Found = {}
    for name, bounds in (one for way in ways for one in way.items()):
        together.setdefault(name, Bounds()).unequal += _needed(bounds)
    return any(_waits_for(together, other, name) for name, bounds in together.items() for other in bounds.unequal)


def _comparable(found: Found) -> dict[str, Bounds]:
    return {name: replace(bounds, spell=None) for name, bounds in found.items()}


def _is_possible(bounds: Bounds) -> bool:
    """Return whether there is a value that fulfils what is known of a column, as far as that can be told."""
    if bounds.options is not None and all(one in bounds.excluded for one in bounds.options):
        return False
    is_empty = bounds.low is not None and bounds.high is not None and bounds.low > bounds.high
    return not is_empty and not (bounds.always_null and bounds.never_null)


@cache
def _read(table: sa.Table, turn: int) -> tuple[Found, frozenset[str]]:
    """Return what can be read, and the constraints that are certain to be fulfilled by whoever keeps to it.

    Args:
        turn: which of the alternatives is tried first.
    """
    parts, (found, not_understood) = _clauses(table), _read_first(table)
    found, not_understood = _copied(found), {*not_understood}
    several = _told_apart_by(table)
    if several is not None:  # the ways differ in what this column holds
        bounds = found.setdefault(several.name, Bounds())
        bounds.options = [several.values[turn % len(several.values)]]
    for part, own_turn in zip(parts.open, parts.turns(turn), strict=True):
        if not _Reader(table, found, part.name, own_turn).read(part.tree):
            not_understood.add(part.name)
    _read_domains(found, table)
    _let_rates_be(found)
    _make_room_for_sums(found, table)
    _share_out(found, table)
    _put_in_order(found)
    _pass_on(found, table)
    return found, parts.names - not_understood


@cache
def _read_first(table: sa.Table) -> tuple[Found, set[str]]:
    """Return what is read of conditions that leave no choice, and the constraints that are not understood by that."""
    parts = _clauses(table)
    found: Found = {}
    understood = [_Reader(table, found, part.name).read(part.tree) for part in parts.plain]
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
    checks = [(name, tree) for name, sql in _texts_of(table) if (tree := _parsed(sql)) is not None]
    found = _Clauses([], [], [], frozenset(name for name, _ in checks))
    for name, whole in _with_formulas(checks, table):
        for tree in conjuncts(whole):
            if not _has_alternatives(tree):
                found.plain.append(_Clause(name, tree))
                continue
            narrow: set[str] = set()
            _Reader(table, {}, name, 0, narrow).read(tree)
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
            _Reader(table, found, str(domain.constraint_name or domain.name)).read_domain(domain, column)


@dataclass(frozen=True)
class _Several:
    """A column of few values, that says which alternatives of the CHECKs a row keeps to."""

    name: str
    values: tuple[Any, ...]


@cache
def _told_apart_by(table: sa.Table) -> _Several | None:
    """Return the column of few values that most of the conditions with alternatives speak of, as a status."""
    parts = _clauses(table)
    trees = [part.tree for part in (*parts.open, *parts.left)]
    found, certain = list[tuple[int, _Several]](), _read_first(table)[0]
    for column in table.columns:
        said = sum(column in columns_in(tree, table) for tree in trees)
        values = _few_values(column, certain.get(column.name, Bounds()))
        if said and 1 < len(values) <= WAYS and not column.foreign_keys:
            found.append((said, _Several(column.name, values)))
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
    if isinstance(tree, exp.Predicate) and isinstance(tree, exp.Binary) and _counted(tree.this):
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
    return any(isinstance(side, _conditions()) for side in sides)


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


def conjuncts(tree: Any) -> list[Any]:
    """Return the conditions that all have to hold."""
    from sqlglot import exp

    tree = tree.unnest()
    return [part for one in tree.flatten() for part in conjuncts(one)] if isinstance(tree, exp.And) else [tree]


def _is_formula(node: Any, table: sa.Table, known: Mapping[str, Any]) -> bool:
    """Return whether a condition says what a column is computed from, and no other condition that is known does."""
    reader = _Reader(table, {}, "")
    column, formula = reader._column(node.this), reader._formula(node.expression)
    if column is None or formula is None or not isinstance(plain_type(column), NUMBER) or column.foreign_keys:
        return False
    terms = {*terms_of(formula)}
    return bool(terms) and column.name not in terms and not terms & {*known}


def text_of(expression: sa.ColumnElement[Any]) -> str:
    try:
        return str(expression.compile(compile_kwargs={"literal_binds": True}))
    except sa.exc.CompileError:
        return str(expression)


@cache
def _parsed(sql: str) -> Any:
    """Return the expression's tree, which nobody changes, None where no dialect can read it."""
    import sqlglot
    from sqlglot import exp

    dialects = (
        ("mysql",)
        if "`" in sql
        else ("postgres", "mysql")
        if re.search(r"::|~|<@|@>|\bANY\b", sql)
        else (None, "mysql", "postgres")
    )
    for dialect in dialects:
        try:
            return sqlglot.parse_one(sql, into=exp.Condition, dialect=dialect).transform(_plainer)
        except sqlglot.errors.SqlglotError:
            continue
    return None


def _plainer(node: Any) -> Any:
    """Return what says the same: NOT (x IS NULL) for x IS NOT NULL, comparisons for a range or all of some values."""
    from sqlglot import exp

    if isinstance(node, exp.Is) and node.args.get("negate"):  # one only in the dialect of PostgreSQL
        return exp.Not(this=exp.Is(this=node.this.copy(), expression=node.expression.copy()))
    if isinstance(node, exp.ArrayContainedBy | exp.ArrayContainsAll):
        inner, outer = node.this.unnest(), node.expression.unnest()
        if isinstance(node, exp.ArrayContainsAll):
            inner, outer = outer, inner
        if isinstance(outer, exp.Anonymous) and outer.name.lower().endswith("range") and len(outer.expressions) > 1:
            low, high, *signs = outer.expressions
            open_low, open_high = (signs[0].name.startswith("("), not signs[0].name.endswith("]")) if signs else (0, 1)
            above = (exp.GT if open_low else exp.GTE)(this=inner.copy(), expression=low.copy())
            below = (exp.LT if open_high else exp.LTE)(this=inner.copy(), expression=high.copy())
            return exp.paren(exp.and_(above, below), copy=False)
    if isinstance(node, exp.Binary) and isinstance(node.expression, exp.Anonymous) and node.expression.name == "ALL":
        listed = node.expression.expressions[0].find(exp.Array)
        if listed is not None:
            each = (type(node)(this=node.this.copy(), expression=one.copy()) for one in listed.expressions)
            return exp.paren(exp.and_(*each), copy=False)
    return node


def _let_rates_be(found: Found) -> None:
    """Let a few rates be what they are, as of a tax, where a product with one is rounded: the other is whole."""
    for bounds in found.values():
        if not isinstance(bounds.formula, tuple) or bounds.formula[0] != "round":
            continue
        terms = [found[name] for name in terms_of(bounds.formula) if name in found]
        rates = [one for one in terms if one.options and any(rate % 1 for rate in one.options)]
        for one in terms if len(rates) == 1 else ():
            one.parts = 0 if one is rates[0] else 1


def _make_room_for_sums(found: Found, table: sa.Table) -> None:
    """Let a sum that a column is above leave it some room, and one that it is below reach its lowest value."""
    for bounds in list(found.values()):
        for end, comparisons, is_least in ((bounds.high, bounds.after, False), (bounds.low, bounds.within, True)):
            for formula, steps in comparisons if end is not None else ():
                names = _added(formula)
                if len({*names}) == len(names) > 1:
                    reached = Decimal(end) - steps * min(Decimal(step_of(table.columns[name])) for name in names)
                    total = Sum(names, low=reached) if is_least else Sum(names, high=reached)
                    found[names[0]].sums.append(total)


def _added(formula: Formula) -> tuple[str, ...]:
    """Return the columns that are added up; none where it is more than that."""
    if isinstance(formula, str):
        return (formula,)
    if not isinstance(formula, tuple) or formula[0] != "+":
        return ()
    left, right = _added(formula[1]), _added(formula[2])
    return left + right if left and right else ()


def _share_out(found: Found, table: sa.Table) -> None:
    """Give each column of a sum its part of the room there is; where the sum is given, the last one is the rest."""
    sums = [one for bounds in found.values() for one in bounds.sums]
    for names in dict.fromkeys(one.names for one in sums):
        low = max((one.low for one in sums if one.names == names and one.low is not None), default=None)
        high = min((one.high for one in sums if one.names == names and one.high is not None), default=None)
        parts = [_Part(table.columns[name], found[name]) for name in names]
        if any(part.bounds.formula is not None or part.bounds.same or part.bounds.multiple > 1 for part in parts):
            continue
        if low is not None and low == high:
            _give_the_rest(found, parts, low)
        else:
            _give_room(parts, low, high)


def _give_the_rest(found: Found, parts: list[_Part], total: Decimal) -> None:
    *others, rest = parts
    bounds = rest.bounds
    waiting = any(_waits_for(found, one.column.name, rest.column.name) for one in others)
    tied = bounds.options is not None or bounds.after or bounds.within or bounds.unequal or bounds.excluded
    coarse = not isinstance(plain_type(rest.column), sa.Float) and any(one.step < rest.step for one in others)
    # Of other sums than of halves and so on a database without decimal numbers computes a little too much.
    if waiting or tied or coarse or total % (1 if rest.step == 1 else Decimal("0.5")):
        return
    if not _give_room(others, total - rest.high, total - rest.low):
        return
    formula: Formula = total
    for one in others:
        formula = ("-", formula, one.column.name)
        one.bounds.parts = one.bounds.parts or 64
        one.bounds.never_null = one.bounds.never_null or not rest.column.nullable
    bounds.formula = formula


def _give_room(parts: list[_Part], low: Decimal | None, high: Decimal | None) -> bool:
    """Narrow columns so that whatever each of them holds, they amount to what they have to; return whether they can."""
    least, most = [part.low for part in parts], [part.high for part in parts]
    if high is not None:
        given = _split(high - sum(least), [part.high - part.low for part in parts], [part.step for part in parts])
        most = [part.rounded(lowest + more) for part, lowest, more in zip(parts, least, given, strict=True)]
        if any(one % _QUARTER for one in most):  # added up as floats, these may be a little too much
            widest_part = max(range(len(parts)), key=lambda place: most[place] - least[place])
            most[widest_part] -= parts[widest_part].step
    if low is not None and low > sum(least):
        room = [highest - lowest for highest, lowest in zip(most, least, strict=True)]
        given = _split(low - sum(least), room, [part.step for part in parts])
        least = [lowest + more for lowest, more in zip(least, given, strict=True)]
    too_little, too_much = low is not None and sum(least) < low, high is not None and sum(most) > high
    if too_little or too_much or any(lowest > highest for lowest, highest in zip(least, most, strict=True)):
        return False
    for part, lowest, highest in zip(parts, least, most, strict=True):
        part.limit(lowest, highest if high is not None else None)
    return True


def _split(amount: Decimal, room: Sequence[Decimal], steps: Sequence[Decimal]) -> list[Decimal]:
    """Return an amount in parts that are as even as their room and their steps allow; what is left over is the first's.

    All parts are nothing where there is less than that to split.
    """
    parts = [Decimal(0)] * len(room)
    for count, place in enumerate(sorted(range(len(room)), key=lambda place: (room[place], -place))):
        even = max(amount - sum(parts), Decimal(0)) / (len(room) - count)
        parts[place] = min(room[place], even // steps[place] * steps[place])
    return parts


class _Part:
    """A column of a sum."""

    def __init__(self, column: Column, bounds: Bounds) -> None:
        self.column, self.bounds, self.step = column, bounds, Decimal(step_of(column))
        options = bounds.options or [None]
        low, high = (min(options), max(options)) if bounds.options else (bounds.low, bounds.high)
        self.low = Decimal(low if low is not None else 0)
        self.high = max(self.low, Decimal(high if high is not None else widest(column)[1]))

    def rounded(self, value: Decimal) -> Decimal:
        """Return a number of which all databases compute the same sums, or the same one where there is none below."""
        whole = value // _QUARTER * _QUARTER
        return whole if whole > self.low and self.bounds.options is None else value

    def limit(self, low: Decimal, high: Decimal | None) -> None:
        number = int if isinstance(plain_type(self.column), sa.Integer) else Decimal
        self.bounds.low = number(low)
        self.bounds.high = number(high) if high is not None else self.bounds.high


_QUARTER = Decimal("0.25")


def _put_in_order(found: Found) -> None:
    """Let a column that is at most so far above another be no less than it, unless it is the other that comes later."""
    for name, bounds in found.items():
        bounds.within = [
            one for one in bounds.within if not any(_waits_for(found, term, name) for term in terms_of(one[0]))
        ]
        bounds.after += [
            (other, 0) for other, _ in bounds.within if isinstance(other, str) and other not in dict(bounds.after)
        ]


def _waits_for(found: Found, name: str, other: str) -> bool:
    """Return whether a column is filled from another, or from one that is."""
    reached, ahead = set[str](), [name]
    while ahead:
        if (one := ahead.pop()) not in reached:
            reached.add(one)
            ahead += _needed(found.get(one, Bounds()))
    return other in reached


def _needed(bounds: Bounds) -> Iterator[str]:
    """Yield the columns that one is filled from."""
    yield from filter(None, (*bounds.unequal, bounds.same))
    sums = (one for one in bounds.within if not isinstance(one[0], str))
    for formula in (bounds.formula, *(what for what, _ in (*bounds.after, *sums))):
        yield from terms_of(formula)


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
                    highest = _moved(_like_those_of(column, larger.high), column, -steps)
                    smaller.high = highest if smaller.high is None else _least(smaller.high, highest)
                    smaller.names += [one for one in larger.names if one not in smaller.names]
                if smaller.low is not None:
                    lowest = _like_those_of(table.columns[own], _moved(smaller.low, column, steps), up=True)
                    larger.low = lowest if larger.low is None else _most(larger.low, lowest)
            for name, steps in larger.within:
                if isinstance(name, str) and larger.low is not None:
                    smaller = found.setdefault(name, Bounds())
                    column = table.columns[name]
                    lowest = _moved(_like_those_of(column, larger.low, up=True), column, -steps)
                    smaller.low = lowest if smaller.low is None else _most(smaller.low, lowest)
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


class _Reader:
    """Reads one constraint into what is known of a table's columns."""

    def __init__(self, table: sa.Table, found: Found, name: str, turn: int = 0, narrow: set[str] | None = None) -> None:
        """Take the table, what is known of it, the constraint's name, and which of some alternatives to try first.

        Args:
            narrow: gets the name where there are alternatives that cannot be read, so that no row would have them.
        """
        self.table, self.found, self.name, self.turn, self.narrow = table, found, name, turn, narrow

    def _try(self, read: Callable[[_Reader], bool]) -> bool:
        """Keep what is read where that is certain, and can be."""
        trial = _copied(self.found)
        understood = read(_Reader(self.table, trial, self.name, self.turn, self.narrow))
        impossible = [
            name for name, one in trial.items() if not _is_possible(one) and _is_possible(self._bounds_of(name))
        ]
        if understood and not impossible:
            self.found.clear()
            self.found.update(trial)
            return True
        return False

    def read(self, node: Any, *, negated: bool = False) -> bool:
        """Take note of a condition; return whether rows that keep to what was noted are certain to fulfil it."""
        from sqlglot import exp

        if node is None:
            return False
        node = node.unnest()
        if isinstance(node, exp.Not):
            return self.read(node.this, negated=not negated)
        if isinstance(node, exp.And | exp.Or):
            parts = list(node.flatten())
            if isinstance(node, exp.Or) is negated:
                understood = [self.read(part, negated=negated) for part in parts]  # each of them, whatever the others
                return all(understood)
            return self._read_any(parts, negated)
        column = self._column(node)
        if column is not None and isinstance(plain_type(column), sa.Boolean):
            return self._limit_to(column, [not negated])
        name = next((name for kind, name in _readers() if isinstance(node, kind)), None)
        return name is not None and bool(getattr(self, name)(node, negated))

    def read_domain(self, domain: Any, column: Column) -> None:
        """Take note of what a type asks for."""
        bounds = self._bounds(column)
        bounds.never_null = bounds.never_null or domain.not_null
        tree = _of_domain(domain, column)
        if tree is not None:
            self.read(tree)

    def _read_truth(self, node: Any, negated: bool) -> bool:
        return bool(node.this) is not negated

    def _read_any(self, parts: list[Any], negated: bool) -> bool:
        """Read alternatives: `x = 1 OR x = 2` as a list, others by keeping to the first one that can be read."""
        from sqlglot import exp

        together: dict[str, list[list[Any]]] = {}
        for part in parts:
            trial: Found = {}
            _Reader(self.table, trial, self.name).read(part, negated=negated)
            options = [bounds.options for bounds in trial.values()]
            if len(trial) == 1 and options[0] is not None:
                together.setdefault(next(iter(trial)), []).append(options[0])
        if len(together) == 1 and sum(map(len, together.values())) == len(parts):
            [(name, several)] = together.items()
            return self._limit_to(self.table.columns[name], list(dict.fromkeys(chain.from_iterable(several))))
        if any(self._holds_anyway(part, negated) for part in parts):
            return True
        meaningful = [part for part in parts if not isinstance(part.unnest(), exp.Is)] or parts
        named = {column.name.lower() for part in meaningful for column in part.find_all(exp.Column)}
        # A share of a column that may be NULL is so anyway, unless another one decides whether it is.
        others = [part for part in parts if part not in meaningful and part.this.name.lower() not in named]
        rest = [part for part in parts if part not in (*meaningful, *others)]
        if self.narrow is not None and not all(
            _Reader(self.table, {}, self.name, self.turn, self.narrow).read(part, negated=negated)
            for part in meaningful
        ):
            self.narrow.add(self.name)
        in_turn = [*meaningful, *others]
        first = self.turn % len(in_turn)
        return any(
            self._try(lambda reader, part=part: reader.read(part, negated=negated))  # type: ignore[misc]  # of this turn
            for part in in_turn[first:] + in_turn[:first] + rest
        )

    def _holds_anyway(self, part: Any, negated: bool) -> bool:
        """Return whether an alternative is fulfilled by all that columns can still hold."""
        asked: Found = {}
        if not _Reader(self.table, asked, "").read(part, negated=negated):
            return False
        return bool(asked) and all(self._is_kept_to(name, bounds) for name, bounds in asked.items())

    def _is_kept_to(self, name: str, asked: Bounds) -> bool:
        own = self._bounds_of(name)
        if replace(asked, names=[]) in (Bounds(never_null=own.never_null), Bounds(always_null=own.always_null)):
            return True
        of_values = replace(asked, options=None, excluded=[], names=[]) == Bounds()
        return (
            of_values
            and own.options is not None
            and all(
                one not in asked.excluded and (asked.options is None or one in asked.options) for one in own.options
            )
        )

    def _read_case(self, node: Any, negated: bool) -> bool:
        return self._read_any(alternatives(node, negated), False)

    def _read_between(self, node: Any, negated: bool) -> bool:
        if negated:
            return self._compare(node.this, ">", node.args["high"])
        low = self._compare(node.this, ">=", node.args["low"])
        return self._compare(node.this, "<=", node.args["high"]) and low

    def _read_in(self, node: Any, negated: bool) -> bool:
        from sqlglot import exp

        numbers = [_literal(one) or "" for one in node.expressions]
        if not negated and (counted := _counted(node.this)) and numbers and all(map(str.isdigit, numbers)):
            return self._read_count(counted, "=", int(numbers[self.turn % len(numbers)]))
        measured = self._measured(node.this)
        if measured is not None and not negated and node.expressions:
            what, column = measured
            if what in ("upper", "lower"):
                values = [_value(one, column) for one in node.expressions]
                fitting = [one for one in values if isinstance(one, str) and one == getattr(one, what)()]
                return bool(fitting) and self._limit_to(column, fitting)
            if not isinstance(plain_type(column), _DAYS):
                return self._compare(node.this, "=", node.expressions[0])
        if isinstance(node.this.unnest(), exp.Substring | exp.Left | exp.Right) and not negated:
            each = [exp.EQ(this=node.this.copy(), expression=one.copy()) for one in node.expressions]
            return self._read_any(each, False)
        return self._read_list(node.this, node.expressions, negated)

    def _read_list(self, left: Any, nodes: Iterable[Any], negated: bool) -> bool:
        from sqlglot import exp

        column, measured = self._column(left), self._measured(left)
        if measured is not None and isinstance(plain_type(measured[1]), _DAYS):
            return self._allow(*measured, nodes, negated)
        values = [_value(one, column) for one in nodes] if column is not None else []
        if column is None or not values:
            return False
        if None in values:  # another column, or what is computed from one
            parts = [exp.EQ(this=left.copy(), expression=one.copy()) for one in nodes]
            understood = [self.read(one, negated=True) for one in parts] if negated else [self._read_any(parts, False)]
            return all(understood)
        return self._exclude(column, values) if negated else self._limit_to(column, values)

    def _read_items(self, node: Any, negated: bool) -> bool:
        """Read what there may be in a list: `tags <@ ARRAY['new', 'sale']`."""
        from sqlglot import exp

        inner, outer = node.this, _without_cast(node.expression)
        if isinstance(node, exp.ArrayContainsAll):
            inner, outer = node.expression, _without_cast(node.this)
        column = self._column(inner)
        kind: Any = plain_type(column) if column is not None and not negated else None
        if not isinstance(kind, sa.ARRAY) or not isinstance(outer, exp.Array) or column is None:
            return False
        item = sa.Column(column.name, kind.item_type)
        values = [_value(one, item) for one in outer.expressions]
        self._bounds(column).items = [one for one in values if one is not None]
        return None not in values

    def _read_is(self, node: Any, negated: bool) -> bool:
        from sqlglot import exp

        inner = node.this.unnest()
        if isinstance(inner, exp.Coalesce) and isinstance(node.expression, exp.Null) and negated:
            inner = inner.this
        column = self._column(inner)
        if column is None:
            return False
        if isinstance(node.expression, exp.Boolean):
            return self._limit_to(column, [node.expression.this is not negated])
        if not isinstance(node.expression, exp.Null):
            return False
        bounds = self._bounds(column)
        bounds.never_null, bounds.always_null = bounds.never_null or negated, bounds.always_null or not negated
        return negated or column.nullable is True

    def _read_like(self, node: Any, negated: bool) -> bool:
        return self._match_like(node.this, _literal(node.expression), negated is not bool(node.args.get("negate")))

    def _read_starts_with(self, node: Any, negated: bool) -> bool:
        return self._match_like(node.this, _like_of(_literal(node.expression), after="%"), negated)

    def _match_like(self, node: Any, pattern: str | None, negated: bool) -> bool:
        column = self._column(node)
        if column is None or pattern is None:
            return False
        like = "".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in pattern)
        if negated:
            self._match(column, f"^(?!{like}$)")
            return self._spell_otherwise(column, pattern)
        self._match(column, f"^{like}$")
        understood = self._spell(column, lambda more: _places_of_like(pattern, more))
        self._bounds(column).like = pattern if understood else ""
        return understood

    def _spell_otherwise(self, column: Column, pattern: str) -> bool:
        """Note a word in small letters, where a pattern that must not match asks for something else."""
        if all(character in _WORD or character in "%_" for character in pattern):
            return False
        return self._spell(column, lambda more: [_WORD] * (more + 1))

    def _read_regexp(self, node: Any, negated: bool) -> bool:
        from sqlglot import exp

        column = self._column(node.this)
        pattern = _literal(node.expression)
        if column is None or pattern is None or negated or node.args.get("negate"):
            return False
        self._match(column, pattern, any_case=isinstance(node, exp.RegexpILike))
        return self._spell(column, lambda more: places_of_regexp(pattern, more))

    def _match(self, column: Column, pattern: str, *, any_case: bool = False) -> None:
        """Note a regular expression that is to be found in a text, where Python reads it."""
        with suppress(re.error, OverflowError):
            flags = re.DOTALL | (re.IGNORECASE if any_case else re.NOFLAG)
            self._bounds(column).patterns.append(re.compile(in_python(pattern), flags))

    def _read_similar(self, node: Any, negated: bool) -> bool:
        """Read SIMILAR TO: a regular expression of all of the text, with LIKE's two signs.

        https://www.postgresql.org/docs/current/functions-matching.html#FUNCTIONS-SIMILARTO-REGEXP
        """
        column, pattern = self._column(node.this), _literal(node.expression)
        if column is None or pattern is None or negated or "\\" in pattern:
            return False
        whole = f"^(?:{pattern.replace('%', '.*').replace('_', '.')})$"
        self._match(column, whole)
        return self._spell(column, lambda more: places_of_regexp(whole, more))

    def _spell(self, column: Column, places: Callable[[int], list[str] | None]) -> bool:
        """Note a spelling, with as many characters where any number may stand as the column has room for."""
        length = length_of(column)
        for more in (6, 2, 1, 0):
            found = places(more)
            if found is None:
                return False
            if length is None or len(found) <= length:
                bounds = self._bounds(column)
                if bounds.spelling is not None:
                    return False
                bounds.spelling, bounds.spell = found, places
                return True
        return False

    def _read_comparison(self, node: Any, negated: bool) -> bool:
        from sqlglot import exp

        signs = {exp.LTE: "<=", exp.LT: "<", exp.GTE: ">=", exp.GT: ">", exp.EQ: "=", exp.NEQ: "<>"}
        sign = signs[type(node)]
        left, right = node.this.unnest(), node.expression.unnest()
        sign = _OPPOSITE[sign] if negated else sign
        if sign != "<>" and (said := _counted(left)) and (number := _literal(right) or "").isdigit():
            return self._read_count(said, sign, int(number))
        are_conditions = [isinstance(one, _conditions()) for one in (left, right)]
        are_both = any(are_conditions) and all(
            is_one or self._is_flag(one) for is_one, one in zip(are_conditions, (left, right), strict=True)
        )
        if sign in ("=", "<>") and are_both:
            return self._read_both(left, right, alike=sign == "=")
        if isinstance(left, exp.Mod) and sign == "=":
            return self._read_multiple(left, right)
        if isinstance(right, exp.Any) and sign == "=":
            listed = right.this.unnest()
            listed = listed.this if isinstance(listed, exp.Cast) else listed
            return self._read_list(node.this, listed.unnest().expressions, negated)
        for part, than, rest in ((left, sign, right), (right, _MIRRORED[sign], left)):
            if (pattern := _like_of_part(part, than, _literal(rest))) is not None:
                return self._match_like(part.this, pattern, sign == "<>")
        return self._compare(node.this, sign, node.expression)

    def _read_both(self, left: Any, right: Any, *, alike: bool) -> bool:
        """Read conditions of which both hold or none, or only one: no NULL where they are alike, else the first.

        A row before which there is none refers to no other row: there both are NULL.
        """
        from sqlglot import exp

        is_null = [isinstance(one, exp.Is) and isinstance(one.expression, exp.Null) for one in (left, right)]
        negated = alike and all(is_null) and not any(self._refers_to_itself(one.this) for one in (left, right))
        signs = [negated or (not alike and is_null[0]), negated or (not alike and not is_null[0])]
        others = [not one for one in signs]

        def read(reader: _Reader, negated: Sequence[bool]) -> bool:
            return reader.read(left, negated=negated[0]) and reader.read(right, negated=negated[1])

        if self.narrow is not None and not all(
            read(_Reader(self.table, {}, self.name, self.turn, self.narrow), one) for one in (signs, others)
        ):
            self.narrow.add(self.name)
        first, second = (others, signs) if self.turn % 2 else (signs, others)
        return self._try(partial(read, negated=first)) or self._try(partial(read, negated=second)) or read(self, signs)

    def _is_flag(self, node: Any) -> bool:
        column = self._column(node)
        return column is not None and isinstance(plain_type(column), sa.Boolean)

    def _refers_to_itself(self, node: Any) -> bool:
        """Return whether a column refers to rows of its own table."""
        column = self._column(node)
        return column is not None and any(one.column.table is self.table for one in column.foreign_keys)

    def _read_count(self, conditions: Sequence[Any], sign: str, number: int) -> bool:
        """Read of how many conditions so many hold: the first ones do, and those above the most do not."""
        least = number + (sign == ">") if sign in ("=", ">=", ">") else 0
        most = number - (sign == "<") if sign in ("=", "<=", "<") else len(conditions)
        first = self.turn % len(conditions)
        conditions = [*conditions[first:], *conditions[:first]]
        understood = [
            self.read(one, negated=place >= most)
            for place, one in enumerate(conditions)
            if not least <= place < most  # of the others each may hold or not
        ]
        return all(understood) and least <= len(conditions)

    def _read_multiple(self, node: Any, rest: Any) -> bool:
        column, number = self._column(node.this), _literal(node.expression)
        more = _literal(rest) or ""
        if column is None or number is None or not re.fullmatch(r"[1-9]\d{0,5}", number):
            return False
        if not isinstance(plain_type(column), sa.Integer) or not re.fullmatch(r"\d{1,6}", more):
            return False
        bounds = self._bounds(column)
        if int(more) >= int(number) or bounds.multiple > 1:
            return False
        bounds.multiple, bounds.remainder = int(number), int(more)
        if more != "0" and (bounds.low is None or bounds.low < 0):
            bounds.low = 0  # of what is less than nothing databases count the rest in their own way
        return True

    def _compare(self, left: Any, sign: str, right: Any) -> bool:
        from sqlglot import exp

        one, other = self._column(left), self._column(right)
        if one is not None and other is not None:
            return self._compare_columns(one, sign, other)
        for several, than, rest in ((left, sign, right), (right, _MIRRORED[sign], left)):
            if isinstance(several.unnest(), (exp.Greatest, exp.Least, exp.Max, exp.Min)):
                return self._compare_extreme(several.unnest(), than, rest)
        if self._measured(left) is None and (self._measured(right) is not None or other is not None):
            left, right, one, sign = right, left, other, _MIRRORED[sign]
        if (born := _born(left)) is not None:
            return self._compare(born, _MIRRORED[sign], exp.Sub(this=exp.CurrentDate(), expression=right.copy()))
        difference = self._difference(left)
        if difference is not None and _literal(right) == "0":
            return self._compare_columns(difference[0], sign, difference[1])
        if self._read_gap(left, sign, right) or self._read_gap(right, _MIRRORED[sign], left):
            return True
        if self._read_sum(left, sign, right) or self._read_sum(right, _MIRRORED[sign], left):
            return True
        if one is not None and (formula := self._formula(right)) is not None and any(terms_of(formula)):
            return self._compute(one, formula) if sign == "=" else self._compare_formula(one, sign, formula)
        if isinstance(left.unnest(), exp.Add | exp.Sub) and other is None and self._formula(left) is not None:
            kind = exp.Add if isinstance(left.unnest(), exp.Sub) else exp.Sub
            is_number = kind is exp.Add or (self._is_number(right) and self._is_number(left.unnest().expression))
            moved = kind(this=right.copy(), expression=exp.paren(left.unnest().expression.copy()))
            if is_number:
                return self._compare(left.unnest().this, sign, moved)
        if one is None:
            measured = self._measured(left)
            return measured is not None and self._compare_measure(*measured, sign, right)
        value = _value(right, one)
        if value is None:
            day = _today(right, sign, one)
            return day is not None and self._limit(one, sign, day)
        if isinstance(value, str) and sign == "<>" and value == "":
            self._bounds(one).shortest = max(1, self._bounds(one).shortest)
            return True
        return self._limit(one, sign, value)

    def _compare_extreme(self, node: Any, sign: str, right: Any) -> bool:
        """Read of the greatest, or the least, of some: each of them is no more than something, or one of them is."""
        from sqlglot import exp

        several = [node.this, *node.expressions]
        if sign in ("=", "<>"):
            return False
        if isinstance(node, exp.Greatest | exp.Max) is sign.startswith("<"):
            understood = [self._compare(one, sign, right) for one in several]
            return all(understood)
        kind = {"<=": exp.LTE, "<": exp.LT, ">=": exp.GTE, ">": exp.GT}[sign]
        return self._read_any([kind(this=one.copy(), expression=right.copy()) for one in several], False)

    def _compare_formula(self, column: Column, sign: str, formula: Formula) -> bool:
        """Read `x <= a + b`, and `x <= a - b` as `a >= x + b`: what must not be below nothing is the larger one."""
        if isinstance(formula, tuple) and formula[0] == "-" and isinstance(formula[1], str) and sign.startswith("<"):
            larger = self.table.columns[formula[1]]
            return self._compare_formula(larger, _MIRRORED[sign], ("+", column.name, formula[2]))
        if not isinstance(plain_type(column), NUMBER) or column.foreign_keys or sign == "<>":
            return False
        if any(_waits_for(self.found, name, column.name) for name in terms_of(formula)):
            return False
        # Of decimal numbers a database without them computes a little too much or too little.
        steps = (sign in ("<", ">")) + (isinstance(plain_type(column), DECIMAL) and scale_of(column) > 0)
        bounds, *_ = [self._bounds(self.table.columns[name]) for name in (column.name, *terms_of(formula))]
        if sign.startswith("<"):
            bounds.within.append((formula, -steps))
        else:
            bounds.after.append((formula, steps))
        return True

    def _compare_columns(self, one: Column, sign: str, other: Column) -> bool:
        if sign in ("<=", "<"):
            one, other, sign = other, one, _MIRRORED[sign]
        earlier, later = sorted((one, other), key=list(self.table.columns).index)
        if sign in ("=", "<>") and earlier is not later and _waits_for(self.found, earlier.name, later.name):
            return False
        if sign == "<>":
            self._bounds(later).unequal.append(earlier.name)
            return True
        if one is other:
            return False
        if sign != "=" and not (isinstance(plain_type(one), COUNTED) or one.foreign_keys or other.foreign_keys):
            return False  # nobody knows what comes after a text or a label
        if sign == "=":
            self._bounds(later).same = earlier.name
            if not later.nullable:
                self._bounds(earlier).never_null = True
            return True
        return self._put_after(one, other, int(sign == ">"))

    def _put_after(self, one: Column, other: Column, steps: int) -> bool:
        if _waits_for(self.found, other.name, one.name):
            return False
        bounds = self._bounds(one)
        bounds.after.append((other.name, steps))
        kind = plain_type(one)
        if bounds.high is None and isinstance(kind, sa.Time):
            bounds.high = time(23, 59)
        elif bounds.high is None and isinstance(kind, DECIMAL) and widest(one)[1] < NARROW:
            bounds.high = widest(one)[1]
        return True

    def _put_within(self, one: Column, other: Column, steps: int) -> bool:
        self._bounds(one).within.append((other.name, steps))
        is_time = isinstance(plain_type(other), sa.Time)
        if is_time and steps < 24 * 60:  # a time plus some hours may be one after midnight
            self._limit(other, "<=", _moved(time(23, 59), other, -steps))
        return True

    def _read_gap(self, left: Any, sign: str, right: Any) -> bool:
        """Read how far apart two columns are: `ends - starts <= 30`, `ends > starts + interval '1 hour'`."""
        from sqlglot import exp

        inner = left.this.unnest() if isinstance(left, exp.Abs) else None
        if isinstance(inner, exp.Sub) and sign in ("<", "<="):
            turned = exp.Sub(this=inner.expression.copy(), expression=inner.this.copy())
            return self._read_gap(inner, sign, right) and self._read_gap(turned, sign, right)
        gap = self._gap(left, right) if sign in ("<", "<=", ">", ">=") else None
        if gap is None:
            return False
        one, other, (shortest, longest) = gap
        step = _step_between(one, other)
        if one is other or step is None or one.foreign_keys or other.foreign_keys:
            return False
        # Of decimal numbers a database without them computes a difference that is a little too large or too small.
        spare = 1 if isinstance(plain_type(one), DECIMAL) and scale_of(one) else 0
        if sign.startswith("<"):
            most = (math.floor(shortest / step) if sign == "<=" else math.ceil(shortest / step) - 1) - spare
            return self._put_within(one, other, most) if most >= 0 else self._put_after(other, one, -most)
        least = (math.ceil(longest / step) if sign == ">=" else math.floor(longest / step) + 1) + spare
        return self._put_after(one, other, least) if least > 0 else self._put_within(other, one, -least)

    def _gap(self, left: Any, right: Any) -> tuple[Column, Column, tuple[Any, Any]] | None:
        """Return a column, the one that is taken from it or added to, and how far that is, at least and at most."""
        from sqlglot import exp

        left, right = left.unnest(), right.unnest()
        if isinstance(left, exp.DateDiff) and left.args.get("unit") is None:  # MariaDB's, of days
            one, other = self._column(left.this), self._column(left.expression)
            far = _distance(right, one) if one is not None and isinstance(plain_type(one), sa.Date) else None
        elif (difference := self._difference(left)) is not None:
            one, other = difference
            far = _distance(right, one)
        elif isinstance(right, exp.Add | exp.Sub):
            one, other = self._column(left), self._column(right.this)
            far = _distance(right.expression, one) if one is not None else None
            if far is not None and isinstance(right, exp.Sub):
                far = -far[1], -far[0]
        else:
            return None
        return None if one is None or other is None or far is None else (one, other, far)

    def _read_sum(self, left: Any, sign: str, right: Any) -> bool:
        """Read what columns amount to together: `adults + children <= 6`, `a + b + c = 100`."""
        from sqlglot import exp

        columns, total = self._summands(left), _literal(right)
        names = tuple(one.name for one in self.table.columns if one in columns)
        numbers = all(isinstance(plain_type(one), NUMBER) and not one.foreign_keys for one in columns)
        if len(columns) < 2 or len(names) < len(columns) or not numbers or sign == "<>":
            return False
        if total is None or not re.fullmatch(r"\d{1,18}(\.\d{1,9})?", total):
            return False
        step, value = min(Decimal(step_of(one)) for one in columns), Decimal(total)
        for one in columns:
            bounds = self._bounds(one)
            bounds.never_null = bounds.never_null or left.find(exp.Coalesce) is not None
        low = value + step * (sign == ">") if sign in ("=", ">=", ">") else None
        high = value - step * (sign == "<") if sign in ("=", "<=", "<") else None
        bounds.sums.append(Sum(names, low, high))
        return True

    def _summands(self, node: Any) -> list[Column]:
        """Return the columns that are added up, where nothing else is."""
        from sqlglot import exp

        node = _without_cast(node)
        if not isinstance(node, exp.Add):
            return []
        found = [
            [column] if (column := self._column(part)) is not None else self._summands(part)
            for part in map(_or_zero, (node.this, node.expression))
        ]
        return [*found[0], *found[1]] if all(found) else []

    def _formula(self, node: Any) -> Formula | None:
        """Return what a sum, a difference or a product of columns and numbers says; None of anything else."""
        from sqlglot import exp

        node = _without_cast(node)
        signs = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
        if isinstance(node, exp.Round):
            inner, places = self._part(node.this), _literal(node.args.get("decimals") or exp.Literal.number(0)) or ""
            fine = any(round(one, int(places)) != one for one in _numbers_in(inner)) if places.isdigit() else True
            return ("round", inner, Decimal(places)) if inner is not None and not fine else None
        if type(node) in signs:
            left, right = self._part(node.this), self._part(node.expression)
            return None if left is None or right is None else (signs[type(node)], left, right)
        return None

    def _part(self, node: Any) -> Formula | None:
        column, literal = self._column(node), _literal(node)
        if column is not None:
            return column.name if isinstance(plain_type(column), NUMBER) and not column.foreign_keys else None
        if literal is not None:
            return Decimal(literal) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", literal) else None
        return self._formula(node)

    def _compute(self, column: Column, formula: Formula) -> bool:
        if (
            not isinstance(plain_type(column), NUMBER)
            or column.foreign_keys
            or self._bounds(column).formula is not None
        ):
            return False
        reached, ahead = set[str](), [*terms_of(formula)]
        while ahead:
            if (name := ahead.pop()) not in reached:
                reached.add(name)
                ahead += terms_of(self._bounds_of(name).formula)
        if column.name in reached:
            return False
        self._bounds(column).formula = formula
        parts = 1 if _rounds_halves(formula) else 2 if "*" in str(formula) else 4
        for name in terms_of(formula):
            term = self._bounds(self.table.columns[name])
            term.parts = min(term.parts or parts, parts)
            term.never_null = term.never_null or not column.nullable
        return True

    def _bounds_of(self, name: str) -> Bounds:
        return self.found.get(name, Bounds())

    def _is_number(self, node: Any) -> bool:
        return re.fullmatch(r"\d{1,12}(\.\d{1,12})?", _literal(node) or "") is not None

    def _difference(self, node: Any) -> tuple[Column, Column] | None:
        """Return the two columns of `one - other`."""
        from sqlglot import exp

        node = node.unnest()
        if not isinstance(node, exp.Sub):
            return None
        one, other = self._column(node.this), self._column(node.expression)
        return (one, other) if one is not None and other is not None else None

    def _limit(self, column: Column, sign: str, value: Any) -> bool:
        if sign == "=":
            return self._limit_to(column, [value])
        if sign == "<>":
            return self._exclude(column, [value])
        bounds = self._bounds(column)
        kind = plain_type(column)
        # SQLite compares moments as texts, of which 22:00:00.000000 is more than 22:00.
        as_text = sign == "<=" and isinstance(kind, sa.Time | sa.DateTime)
        if sign in ("<", ">") or as_text:
            value = _moved(value, column, -1 if sign.startswith("<") else 1)
        if sign.startswith("<"):
            bounds.high = value if bounds.high is None else _least(bounds.high, value)
        else:
            bounds.low = value if bounds.low is None else _most(bounds.low, value)
        return True

    def _limit_to(self, column: Column, values: list[Any]) -> bool:
        bounds = self._bounds(column)
        bounds.options = [one for one in values if bounds.options is None or one in bounds.options]
        return True

    def _exclude(self, column: Column, values: list[Any]) -> bool:
        self._bounds(column).excluded += values
        kind: Any = plain_type(column)
        if isinstance(kind, sa.Boolean):
            return self._limit_to(column, [one for one in (True, False) if one not in values])
        if isinstance(kind, sa.Enum):
            return self._limit_to(column, [one for one in kind.enum_class or kind.enums if one not in values])
        return True

    def _measured(self, node: Any) -> tuple[str, Column] | None:
        """Return what is measured of a column and which: its length, its case, its type in JSON, or itself trimmed."""
        from sqlglot import exp

        node = _without_cast(node)
        if (part := part_of(node)) is not None:
            day = self._column(part[1])
            return (part[0], day) if day is not None and isinstance(plain_type(day), _DAYS) else None
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        kinds = {exp.Length: "length", exp.Upper: "upper", exp.Lower: "lower", exp.Trim: "trim", exp.Abs: "abs"}
        what = {**kinds, exp.JSONType: "json"}.get(type(node)) or _MEASURES.get(name, "")
        inner = node.expressions[0] if name and node.expressions else node.this if what else None
        if not what or inner is None:
            return None
        deeper = self._measured(inner) if hasattr(inner, "unnest") else None
        column = deeper[1] if deeper is not None and deeper[0] == "trim" else self._column(inner)
        return (what, column) if column is not None else None

    def _compare_measure(self, what: str, column: Column, sign: str, right: Any) -> bool:
        bounds = self._bounds(column)
        if what in ("upper", "lower"):
            other = self._column(right)
            if sign != "=" or other is None:
                return False
            self._bounds(other).case = what
            if other is not column:
                self._bounds(other).same = column.name
                bounds.never_null = bounds.never_null or not other.nullable
            return True
        if what == "trim":
            return self._compare_trimmed(column, sign, right)
        if what == "json":
            wanted = (_literal(right) or "").lower()  # MariaDB says ARRAY
            if sign != "=" or wanted not in ("array", "object") or not isinstance(plain_type(column), sa.JSON):
                return False
            bounds.json = wanted
            return True
        if what == "abs":
            most = _value(right, column)
            if most is None or sign not in ("<", "<="):
                return False
            return self._limit(column, sign, most) and self._limit(column, _MIRRORED[sign], -most)
        if what.startswith("start of "):
            starts = STARTS[what.removeprefix("start of ")]
            if sign != "=" or self._column(right) is not column:
                return False
            understood = [self._keep_to(column, part, numbers) for part, numbers in starts.items()]
            return all(understood)
        text = _literal(right)
        if text is None or not re.fullmatch(r"\d{1,9}", text):
            return False
        number = int(text)
        if what == "year":
            return self._limit_year(column, sign, number)
        if isinstance(plain_type(column), _DAYS):
            return self._keep_to(column, what, [one for one in range(MOST) if _SIGNS[sign](one, number)])
        if sign in ("=", ">=", ">") and number + (sign == ">") > (length_of(column) or math.inf):
            return False
        if sign in ("=", ">=", ">"):
            bounds.shortest = max(bounds.shortest, number + (sign == ">"))
        if sign in ("=", "<=", "<"):
            most = number - (sign == "<")
            bounds.longest = most if bounds.longest is None else min(bounds.longest, most)
        if sign == "<>":
            bounds.shortest = max(bounds.shortest, number + 1)
        return True

    def _allow(self, part: str, column: Column, nodes: Iterable[Any], negated: bool) -> bool:
        """Read which months, or other parts of a day, there may be."""
        said = [_literal(one) or "" for one in nodes]
        if not all(re.fullmatch(r"\d{1,4}", one) for one in said) or (part == "year" and negated):
            return False
        numbers = [*map(int, said)]
        if part == "year":
            self._limit_year(column, ">=", min(numbers))
            self._limit_year(column, "<=", max(numbers))
        return self._keep_to(column, part, [one for one in range(MOST) if one not in numbers] if negated else numbers)

    def _keep_to(self, column: Column, part: str, numbers: list[int]) -> bool:
        calendar = self._bounds(column).calendar
        calendar[part] = [one for one in numbers if one in calendar.get(part, numbers)]
        return bool(calendar[part])

    def _limit_year(self, column: Column, sign: str, year: int) -> bool:
        kind = plain_type(column)
        if sign == "<>" or isinstance(kind, sa.Time) or not 1 < year < 9999:
            return False
        first, after = (_typed(f"{one:04}-01-01", False, column) for one in (year, year + 1))
        if sign in (">=", ">", "="):
            self._limit(column, ">=", after if sign == ">" else first)
        if sign in ("<=", "<", "="):
            self._limit(column, "<", first if sign == "<" else after)
        return True

    def _compare_trimmed(self, column: Column, sign: str, right: Any) -> bool:
        if sign == "<>" and _literal(right) == "":
            self._bounds(column).shortest = max(1, self._bounds(column).shortest)
            return True
        return sign == "=" and self._column(right) is column

    def _bounds(self, column: Column) -> Bounds:
        bounds = self.found.setdefault(column.name, Bounds())
        if self.name not in bounds.names:
            bounds.names.append(self.name)
        return bounds

    def _column(self, node: Any) -> Column | None:
        from sqlglot import exp

        node = _without_cast(node)
        if not isinstance(node, exp.Column):
            return None
        return _by_small_name(self.table).get(node.name.lower())


@cache
def _readers() -> list[tuple[Any, str]]:
    """Return what reads each kind of condition: a method's name."""
    from sqlglot import exp

    return [
        (exp.Boolean, "_read_truth"),
        (exp.Case, "_read_case"),
        (exp.Between, "_read_between"),
        (exp.In, "_read_in"),
        (exp.Is, "_read_is"),
        ((exp.Like, exp.ILike), "_read_like"),
        (exp.StartsWith, "_read_starts_with"),
        ((exp.RegexpLike, exp.RegexpILike), "_read_regexp"),
        (exp.SimilarTo, "_read_similar"),
        ((exp.ArrayContainedBy, exp.ArrayContainsAll), "_read_items"),
        ((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), "_read_comparison"),
    ]


@cache
def _by_small_name(table: sa.Table) -> dict[str, Column]:
    return {one.name.lower(): one for one in reversed([*table.columns])}


_MEASURES = {
    **dict.fromkeys(("len", "octet_length", "character_length"), "length"),
    **dict.fromkeys(("json_typeof", "jsonb_typeof"), "json"),
}
_MIRRORED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "=": "=", "<>": "<>"}
_SIGNS: dict[str, Callable[[int, int], bool]] = {
    "<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "=": operator.eq, "<>": operator.ne,
}  # fmt: skip
_DAYS = (sa.Date, sa.DateTime, sa.Time)
_OPPOSITE = {"<=": ">", "<": ">=", ">=": "<", ">": "<=", "=": "<>", "<>": "="}


def step_of(column: Column) -> Any:
    """Return the distance between two neighbouring values of a column."""
    kind = plain_type(column)
    if isinstance(kind, sa.Integer):
        return 1
    if isinstance(kind, DECIMAL):
        return Decimal(1).scaleb(-scale_of(column))
    if isinstance(kind, sa.DateTime | sa.Interval):
        return timedelta(seconds=1)
    return timedelta(days=1) if isinstance(kind, sa.Date) else None


def _step_between(one: Column, other: Column) -> Any:
    """Return the distance in which both columns are counted when they are compared; None where there is none."""
    kinds = [plain_type(column) for column in (one, other)]
    if all(isinstance(kind, sa.Time) for kind in kinds):
        return timedelta(minutes=1)
    is_long = [isinstance(kind, sa.Interval) for kind in kinds]
    return step_of(one) if is_long[0] is is_long[1] and step_of(one) == step_of(other) else None


def _moved(value: Any, column: Column, steps: int) -> Any:
    """Return the value that is some steps from another."""
    if isinstance(value, time):
        minutes = min(max(value.hour * 60 + value.minute + steps, 0), 24 * 60 - 1)
        return time(minutes // 60, minutes % 60)
    step = step_of(column)
    return value if step is None else value + steps * step


def widest(column: Column) -> tuple[Any, Any]:
    """Return the lowest and the highest number that a column holds."""
    kind = plain_type(column)
    if isinstance(kind, sa.Integer):
        return integer_range(column)
    scale, precision = scale_of(column), getattr(kind, "precision", None) or 10
    most = Decimal(10) ** (max(precision, scale) - scale) - Decimal(1).scaleb(-scale)
    return -most, most


def _least(one: Any, other: Any) -> Any:
    try:
        return min(one, other)
    except TypeError:  # a moment with a zone and one without
        return one


def _most(one: Any, other: Any) -> Any:
    try:
        return max(one, other)
    except TypeError:  # a moment with a zone and one without
        return one


def _conditions() -> tuple[Any, ...]:
    """Return the kinds of expressions that are true or false."""
    from sqlglot import exp

    return (exp.Is, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Like, exp.Between)


def is_condition(node: Any) -> bool:
    """Return whether an expression is true or false, as a CASE of such expressions is."""
    from sqlglot import exp

    if isinstance(node, exp.Case):
        results = [*(one.args["true"] for one in node.args["ifs"]), node.args.get("default")]
        return all(is_condition(one.unnest()) for one in results if one is not None)
    return isinstance(node, (*_conditions(), exp.And, exp.Or, exp.Boolean, exp.RegexpLike))


def alternatives(node: Any, negated: bool) -> list[Any]:
    """Return the cases of a CASE, each with what it asks for, or with the opposite of that."""
    from sqlglot import exp

    found, before = [], list[Any]()
    for one in node.args["ifs"]:
        case = one.this if node.this is None else exp.EQ(this=node.this.copy(), expression=one.this.copy())
        found.append([*before, case, *_not_null(case), one.args["true"]])
        before.append(exp.not_(case))
    if node.args.get("default") is not None:
        found.append([*before, node.args["default"]])
    if negated:
        found = [[*conditions, exp.not_(asked)] for *conditions, asked in found]
    true, false = exp.true(), exp.false()
    possible = [one for one in found if false not in one and exp.not_(true) not in one]
    return [exp.and_(*([part for part in one if part != true] or [true])) for one in possible or found]


def _not_null(node: Any) -> list[Any]:
    """Return what must not be NULL so that a condition is true, and not only not false."""
    from sqlglot import exp

    node = node.unnest()
    while isinstance(node, exp.Not):
        node = node.this.unnest()
    if isinstance(node, exp.And):
        return [one for part in node.flatten() for one in _not_null(part)]
    if isinstance(node, (exp.Or, exp.Is, exp.Case)) or node.find(exp.Coalesce, exp.Anonymous, exp.Is) is not None:
        return []
    return [exp.not_(exp.Is(this=one.copy(), expression=exp.Null())) for one in node.find_all(exp.Column)]


def spelled_by(node: Any, column: Column) -> list[str] | None:
    """Return the characters at each place of texts for which a condition holds; None where it asks for no spelling."""
    from sqlglot import exp

    pattern = _literal(node.expression) if isinstance(node, exp.Like | exp.RegexpLike) else None
    if pattern is None:
        return None
    read = _places_of_like if isinstance(node, exp.Like) else places_of_regexp
    room = length_of(column) or 1_000
    made = (read(pattern, more) for more in (6, 2, 1, 0))
    return next((places for places in made if places is not None and len(places) <= room), None)


def _counted(node: Any) -> list[Any]:
    """Return the conditions whose truth a sum counts, as of an exclusive arc; none where it is another sum."""
    from sqlglot import exp

    node = _without_cast(node)
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("num_nonnulls", "num_nulls"):
        nulls = [exp.Is(this=one.copy(), expression=exp.Null()) for one in node.expressions]
        return nulls if node.name.lower() == "num_nulls" else [exp.Not(this=one) for one in nulls]
    if isinstance(node, exp.Add):
        left, right = _counted(node.this), _counted(node.expression)
        return left + right if left and right else []
    if isinstance(node, exp.Case) and len(node.args["ifs"]) == 1 and node.this is None and node.args.get("default"):
        [one] = node.args["ifs"]
        values = [_literal(one.args["true"]), _literal(node.args["default"])]
        if values == ["1", "0"]:
            return [one.this]
        return [exp.Not(this=one.this.copy())] if values == ["0", "1"] else []
    return [node] if isinstance(node, _conditions()) else []


def _rounds_halves(formula: Formula) -> bool:
    """Return whether parts of whole numbers might make halves of what is rounded: up here and down there."""
    if not isinstance(formula, tuple):
        return False
    sign, left, right = formula
    rounds = sign == "round" and isinstance(right, Decimal) and (right < 2 or any(_numbers_in(left)))
    return rounds or _rounds_halves(left) or _rounds_halves(right)


def _numbers_in(formula: Formula | None) -> Iterator[Decimal]:
    if isinstance(formula, Decimal):
        yield formula
    elif isinstance(formula, tuple):
        yield from (number for one in formula[1:] if not isinstance(one, str) for number in _numbers_in(one))


# Literals


def _without_cast(node: Any) -> Any:
    from sqlglot import exp

    node = node.unnest()
    while isinstance(node, exp.Cast | exp.TryCast | exp.Collate):
        node = node.this.unnest()
    return node


def _literal(node: Any) -> str | None:
    from sqlglot import exp

    if node is None:
        return None
    node = _without_cast(node)
    if isinstance(node, exp.DPipe | exp.Concat):
        parts = [_literal(one) for one in (node.flatten() if isinstance(node, exp.DPipe) else node.expressions)]
        return None if None in parts else "".join(map(str, parts))
    # PostgreSQL's E'' is called a string of bytes there, whose escapes have been read.
    return str(node.this) if isinstance(node, exp.Literal | exp.ByteString) else None


def _or_zero(node: Any) -> Any:
    """Return what COALESCE(x, 0) is of, and anything else as it is."""
    from sqlglot import exp

    inner = node.unnest()
    is_or_zero = isinstance(inner, exp.Coalesce) and [_literal(one) for one in inner.expressions] == ["0"]
    return inner.this if is_or_zero else node


def _value(node: Any, column: Column | None) -> Any:
    """Return a literal as the column's Python type; None when it is something else."""
    from sqlglot import exp

    if column is not None and isinstance(plain_type(column), sa.Interval):
        least, most = _interval(node) or (None, None)
        return least if least == most else None
    node = _without_cast(node)
    if column is not None and isinstance(plain_type(column), NUMBER) and isinstance(node, exp.Add | exp.Sub | exp.Mul):
        node = _worked_out(node)
    negative = isinstance(node, exp.Neg)
    node = _without_cast(node.this) if negative else node
    if isinstance(node, exp.Boolean):
        return node.this
    if not isinstance(node, exp.Literal | exp.ByteString) or column is None:
        return None
    try:
        return _typed(node.this, negative, column)
    except (ValueError, ArithmeticError, LookupError):  # of another type: the database will say what it means
        return None


def _worked_out(node: Any) -> Any:
    """Return the number that sums, differences and products of numbers amount to, else what was given."""
    from sqlglot import exp

    signs: dict[Any, Callable[[Decimal, Decimal], Decimal]] = {
        exp.Add: operator.add, exp.Sub: operator.sub, exp.Mul: operator.mul,
    }  # fmt: skip

    def value_of(one: Any) -> Decimal | None:
        one = _without_cast(one)
        if isinstance(one, exp.Neg):
            inner = value_of(one.this)
            return None if inner is None else -inner
        if type(one) in signs:
            left, right = value_of(one.this), value_of(one.expression)
            return None if left is None or right is None else signs[type(one)](left, right)
        said = _literal(one) or ""
        return Decimal(said) if re.fullmatch(r"\d{1,12}(\.\d{1,12})?", said) else None

    found = value_of(node)
    return node if found is None else exp.Literal.number(f"{found:f}")


def _typed(literal: str, negative: bool, column: Column) -> Any:
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


def _today(node: Any, sign: str, column: Column) -> Any:
    """Return a day, or a moment, before (or after) the one on which the row will be stored, or some time from it."""
    from sqlglot import exp

    node, shift = _without_cast(node), (timedelta(), timedelta())
    if isinstance(node, exp.Add | exp.Sub):
        far = _distance(node.expression, column)
        if far is None:
            return None
        shift = far if isinstance(node, exp.Add) else (-far[1], -far[0])
    kinds = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime)
    today = _without_cast(node.this) if isinstance(node, exp.Add | exp.Sub) else node
    is_today = isinstance(today, kinds) or (isinstance(today, exp.Anonymous) and today.name.lower() == "now")
    kind = plain_type(column)
    if not is_today or sign not in _MIRRORED or not isinstance(kind, sa.Date | sa.DateTime):
        return None
    day = PAST if sign.startswith("<") else FUTURE
    moment = datetime(day.year, day.month, day.day) + shift[0 if sign.startswith("<") else 1]
    if isinstance(kind, sa.DateTime):
        return moment.replace(tzinfo=UTC if kind.timezone else None)
    return moment.date()


def _born(node: Any) -> Any:
    """Return the day whose distance from today is an age: age(born), age(CURRENT_DATE, born)."""
    from sqlglot import exp

    node = node.unnest()
    if not isinstance(node, exp.Anonymous) or node.name.lower() != "age" or not node.expressions:
        return None
    *others, born = node.expressions
    return born if all(isinstance(one, exp.CurrentDate) for one in others) else None


def _distance(node: Any, column: Column) -> tuple[Any, Any] | None:
    """Return how far something is, at least and at most, that is added to a column."""
    if isinstance(plain_type(column), NUMBER):
        number = _value(node, column)
        return None if number is None else (number, number)
    said = _literal(node) or ""
    is_days = isinstance(plain_type(column), sa.Date) and re.fullmatch(r"\d{1,9}", said)
    far = (timedelta(days=int(said)),) * 2 if is_days else _interval(node)
    return far if far is not None and far[1] <= FARTHEST else None


def _interval(node: Any) -> tuple[timedelta, timedelta] | None:
    """Return how long an interval is, at least and at most: a month has 28 days, or up to 31."""
    from sqlglot import exp

    node = _without_cast(node)
    is_whole = not isinstance(node, exp.Interval)
    said = (_literal(node) or "") if is_whole else f"{node.this.name if node.this else ''} {node.text('unit')}"
    found = duration(f"{said} seconds" if said.isdigit() else said)
    if found is None:
        return None
    years, months = divmod(found[0], 12)
    return timedelta(365 * years + 28 * months) + found[1], timedelta(366 * years + 31 * months) + found[1]


# Spellings

_WORD = string.ascii_lowercase


def _places_of_like(pattern: str, more: int) -> list[str]:
    places: list[str] = []
    for character in pattern:
        places += [_WORD] * more if character == "%" else [_WORD] if character == "_" else [character]
    return places


_DIGITS = string.digits
_SAFE = string.ascii_letters + string.digits + " -_.,:;!?@#/+*=()"


def _like_of(text: str | None, before: str = "", after: str = "") -> str | None:
    """Return a pattern of LIKE for texts with another one in them; None where its signs stand in that."""
    return None if not text or "%" in text or "_" in text or "\\" in text else f"{before}{text}{after}"


def _like_of_part(node: Any, sign: str, text: str | None) -> str | None:
    """Return the pattern of LIKE that says the same of a part of a text: `substr(code, 1, 2) = 'AB'` is `AB%`."""
    from sqlglot import exp

    if isinstance(node, exp.StrPosition) and node.args.get("position") is None:
        is_in = (sign, text) in ((">", "0"), (">=", "1"), ("<>", "0"))
        return _like_of(_literal(node.args["substr"]), "%", "%") if is_in else None
    if not isinstance(node, exp.Substring | exp.Left | exp.Right) or sign not in ("=", "<>") or text is None:
        return None
    start = "1" if not isinstance(node, exp.Substring) else _literal(node.args["start"]) or ""
    length = _literal(node.args.get("length") if isinstance(node, exp.Substring) else node.expression)
    if not re.fullmatch(r"[1-9]\d?", start) or length != str(len(text)):
        return None
    return _like_of(text, "%") if isinstance(node, exp.Right) else _like_of(text, "_" * (int(start) - 1), "%")


def places_of_regexp(pattern: str, more: int) -> list[str] | None:
    """Return the characters that may stand at each place of some texts that match; None for what is not understood."""
    from re import _parser  # type: ignore[attr-defined]  # the only reader of regular expressions there is

    try:
        return list(_places_of(_parser.parse(in_python(pattern)), more))
    except (re.error, _NotUnderstood, OverflowError):
        return None


class _NotUnderstood(Exception):
    """A part of a regular expression that no text is made for."""


def _places_of(tree: Iterable[Any], more: int) -> Iterator[str]:
    for operation, argument in tree:
        what = str(operation)
        if what == "LITERAL":
            yield chr(argument)
        elif what in ("ANY", "NOT_LITERAL", "IN"):
            yield _characters(what, argument)
        elif what in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            times = max(least, min(int(most), more))
            if times > 1000:
                raise _NotUnderstood
            for _ in range(times):
                yield from _places_of(inner, more)
        elif what == "SUBPATTERN":
            yield from _places_of(argument[3], more)
        elif what == "BRANCH":
            yield from _places_of(argument[1][0], more)
        elif what != "AT":
            raise _NotUnderstood


def _characters(what: str, argument: Any) -> str:
    if what == "ANY":
        return _WORD
    if what == "NOT_LITERAL":
        return _SAFE.replace(chr(argument), "")
    chosen: list[str] = []
    negated = False
    for kind, value in argument:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            chosen.append(chr(value))
        elif name == "RANGE":
            low, high = value
            if high - low > 1000:
                raise _NotUnderstood
            chosen += map(chr, range(low, high + 1))
        elif name == "CATEGORY":
            chosen += {"CATEGORY_DIGIT": _DIGITS, "CATEGORY_WORD": _WORD, "CATEGORY_SPACE": " "}.get(str(value), "")
        else:
            raise _NotUnderstood
    found = [one for one in _SAFE if one not in chosen] if negated else list(dict.fromkeys(chosen))
    # Of the characters of a word its letters and digits are the ones that look like one.
    plain = [one for one in found if one.isalnum()]
    if not found:
        raise _NotUnderstood
    return "".join(plain or found)
