"""What a model says of its columns: types, CHECK, UNIQUE, lengths, foreign keys and names become fields."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from graphlib import TopologicalSorter
from itertools import chain, takewhile
from typing import Any

import sqlalchemy as sa

from . import calendars, meanings
from .computing import can_be_computed
from .conditions import checks_of, other_ways, read_certain, read_checks
from .errors import CommandError, did_you_mean, shortened
from .fields import (
    Field,
    between,
    choice,
    constant,
    fake,
    integer_range,
    maybe,
    numbered,
    reference,
    scale_of,
    terms_of,
)
from .inferred import (
    Component,
    OrderedPair,
    Ways,
    above,
    calculated,
    cased,
    computed,
    copied,
    decimals,
    digit,
    earlier_alike,
    earlier_number,
    earlier_row,
    either,
    email,
    exact,
    fulfilling,
    in_steps,
    last_year,
    listed,
    numbered_text,
    only_for,
    ordered,
    other_than,
    part_of_row,
    reference_where,
    shaped,
    small_list,
    small_object,
    spelled,
    text,
    unique_email,
    unique_text,
    unique_uuid,
    usual_places,
    written,
)
from .numbering import Column, Steps
from .outcomes import LOCALE, faker_of, pool
from .parents import leads_to
from .parsing import columns_in, text_of
from .partial import Part, once_for_each, parts_of
from .reading import Bounds, Found, widest
from .types import BINARY, DECIMAL, NUMBER, length_of, plain_type
from .vocabulary import LEAST_ROOM

NULL_SHARE, RARE_NULL_SHARE = 0.2, 0.9
_WORD, _QUOTED = re.compile(r"\w+"), re.compile("'[^']*'")
MULTIPLES = 200_000  # of a step, in a column in which none may come twice
LARGE = 10_000  # of numbers from here on, with no end, it is as many again that are likely
SHORT = 5  # characters: a column with room for fewer holds a code, not words
TODAY = meanings.TODAY
MAIL_ROOM = 20  # characters, that an e-mail address needs
SAMPLE = 100  # values that tell whether those of a provider suit a column
FEWEST = 0.05  # of them that have to fulfil a CHECK


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


_LEFT = Plan(None, "server default")
_ALWAYS_NULL = ": always NULL"
_ANOTHER_EACH_TIME = re.compile("uuid|rand|nextval|next value", re.IGNORECASE)


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


@dataclass(frozen=True)
class Key:
    """Columns that together may not repeat, and what says so."""

    columns: tuple[Column, ...]
    why: str
    where: str = ""  # of which rows, if not of all
    has_nulls: bool = True  # whether rows that are NULL in one of them may repeat, if they can be


def plan_table(table: sa.Table, declared: Mapping[str, Plan], around: Around = Around()) -> dict[str, Plan]:
    """Return how each column of a table is filled: as declared, else as the model says it."""
    first, *others = found_ways = [read_checks(table), *other_ways(table)]
    known = [one for found in found_ways for one in found.items()]
    said = {name for name, bounds in known if bounds.after or bounds.within or bounds.same}
    said |= {bounds.same for _, bounds in known if bounds.same}
    plans = _Planner(table, declared, around, first, said).plan()
    ways = [plans]
    for found in others:
        way = _Planner(table, declared, around, found, said).plan()
        if all(_go_together(table, declared, around, one, way) for one in ways):
            ways.append(way)
    together = _in_some_way(table, ways)
    if not any(plan.field for plan in together.values()):  # a row has to have something
        nothing = "there is nothing else to fill"
        together |= {column.name: Plan(numbered(), nothing) for column in table.primary_key.columns}
    return together


def keys_of(table: sa.Table, declared: Container[str] = (), around: Around = Around()) -> Iterator[Key]:
    """Yield every key of a table but those the database numbers itself because nothing is declared for them."""
    primary = tuple(table.primary_key.columns)
    if primary and not any(_is_numbered(one, around) and one.name not in declared for one in primary):
        yield Key(primary, "PRIMARY KEY")
    for constraint in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, sa.UniqueConstraint):
            columns = tuple(one for column in constraint.columns for one in _computed_from(column))
            yield Key(columns, f"UNIQUE {constraint.name or ''}".strip(), "", _has_nulls(constraint))
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        if index.unique:
            named = [one for part in index.expressions for one in _columns_in(part, table)]
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
    named = [*dict.fromkeys(_columns_in(column.computed.sqltext, column.table))]
    return [one for one in named if isinstance(plain_type(one), sa.String)] or [column]


def _has_nulls(said: sa.UniqueConstraint | sa.Index) -> bool:
    """Return whether rows that are NULL in a key may repeat."""
    return not dict(said.dialect_kwargs).get("postgresql_nulls_not_distinct")


def _of_sources(keys: Iterable[Key], plans: Mapping[str, Plan], table: sa.Table) -> Iterator[Key]:
    """Yield keys, each once, in which what is copied from another column is that column."""
    known = set[tuple[tuple[Column, ...], str]]()
    for key in keys:
        columns = tuple(dict.fromkeys(_source_of(one, plans, table) for one in key.columns))
        if not known & {(columns, ""), (columns, key.where)}:
            known.add((columns, key.where))
            yield replace(key, columns=columns)


def _source_of(column: Column, plans: Mapping[str, Plan], table: sa.Table) -> Column:
    """Return the column that one has its values from, in whatever case: itself, where it is no copy."""
    inner = _inner(plans[column.name].field)
    inner = inner.field if isinstance(inner, cased) else inner
    if not isinstance(inner, copied) or plans[column.name].second is not None:
        return column
    return _source_of(table.columns[inner.other], plans, table)


def _columns_of(keys: Iterable[Key]) -> tuple[Column, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(one.columns for one in keys)))


def _columns_in(part: Any, table: sa.Table) -> Iterator[Column]:
    """Yield the columns of a part of an index; of one that is written as text, those whose names are in it."""
    for element in sa.sql.visitors.iterate(part):
        if isinstance(element, sa.Column):
            yield element
        elif isinstance(element, sa.TextClause | sa.ColumnClause):
            words = {*_WORD.findall(_QUOTED.sub("", str(element)))}
            yield from (column for column in table.columns if column.name in words)


def _is_numbered(column: Column, around: Around) -> bool:
    """Return whether the database gives this column its values by itself."""
    if column.identity is not None:
        return True
    if column is not column.table.autoincrement_column or column.foreign_keys:
        return False
    return not getattr(column.default, "is_sequence", False) and around.numbers(column)


@dataclass(frozen=True)
class _KeptOut:
    """What keeps rows out of a partial index: what fills a column of its condition, and what where they are not in."""

    key: Key
    part: Part
    plan: Plan
    outside: Field


class _Planner:
    """Plans one table: columns one by one, then the keys, then what depends on other columns."""

    def __init__(
        self, table: sa.Table, declared: Mapping[str, Plan], around: Around, found: Found, said: Collection[str]
    ) -> None:
        """Take what CHECKs say in one of their ways, and the columns that they compare with others in any of them."""
        self.table, self.declared, self.around = table, declared, around
        self.bounds = deepcopy(found)
        own = [key for key in table.foreign_key_constraints if key.referred_table is table]
        self.tied = {key: one for key in own if (one := self._tied_to_others(key)) is not None}
        self.late = {*around.late, *own} - {*self.tied}  # keys that wait for their rows
        self.below: set[tuple[str, str]] = set()  # of what waits, and the column that it must be less than
        self._let_what_waits_be_compared_later()
        self._let_what_waits_together_be_there()
        self.alike: dict[sa.ForeignKeyConstraint, earlier_alike] = {}
        self.unequal: list[tuple[str, str]] = []  # columns in keys of several that must differ
        self.usual: dict[str, timedelta] = {}  # how far days and moments are at most after others, by their names
        self._let_keys_go_first()
        self._add_order_of_names(said)
        self._add_twins()
        known = self.bounds.values()
        self.wanted = {name for one in known for name in (*one.unequal, one.same)}
        self.wanted |= {
            name
            for one in known
            for formula in (one.formula, *(other for other, _ in (*one.after, *one.within)))
            for name in terms_of(formula)
        }
        doubtful = [one.tree for one in checks_of(table) if not one.is_certain and can_be_computed(one.tree, table)]
        self.wanted |= {column.name for tree in doubtful for column in columns_in(tree, table)}
        self.plans: dict[str, Plan] = {}
        self.some: list[_KeptOut] = []
        self.keys = list(keys_of(table, declared, around))

    def plan(self) -> dict[str, Plan]:
        for column in self.table.columns:
            declared = self.declared.get(column.name)
            plan = self._declared(column, declared) if declared is not None else self._plan(column)
            self.plans[column.name] = plan
        self._number_what_refers_to_itself()
        self._order_references()
        self.keys = [*_of_sources(self.keys, self.plans, self.table)]
        self._set_keys_of_some_apart()
        self._keep_steps_apart()
        for key in sorted(self.keys, key=lambda one: len(one.columns)):
            self._make_unique(key)
        for found in self.some:
            self._let_in_once(found)
        self._keep_ranges_apart()
        self._look_for_what_is_given()
        return self.plans

    def _look_for_what_is_given(self) -> None:
        """Let columns of a key of several choose by those that were numbered through with others."""
        fields = {name: _inner(plan.field) for name, plan in self.plans.items()}
        inners = {name: one for name, one in fields.items() if isinstance(one, part_of_row)}
        of_key: dict[sa.ForeignKeyConstraint, list[str]] = {}
        for name, inner in inners.items():
            of_key.setdefault(inner.key, []).append(name)
        for inner in inners.values():
            inner.given = [one.name for one in inner.key.columns if one.name not in of_key[inner.key]]
        for first, second in self.unequal:
            is_last = second not in inners or (
                first in inners and {*inners[first].given} & {*of_key[inners[second].key]}
            )
            asking, asked = (first, second) if is_last else (second, first)
            own = of_key[inners[asking].key] if asking in inners else []
            for name in own if asked not in own else ():
                inners[name].unlike = (asking, asked)

    def _tied_to_others(self, key: sa.ForeignKeyConstraint) -> Column | None:
        """Return what a key to the same table refers to, where a CHECK ties it to what else a row holds.

        Such a key cannot wait for the rows: the number that it refers to is given here, and not by the database.
        """
        if len(key.columns) > 1:
            return None
        [(column, own)] = _pairs(key)
        others = [one.name for one in self.table.columns if one not in (column, own)]
        is_always = own.identity is not None and own.identity.always
        if is_always or not _is_numbered(own, self.around) or {column.name, own.name} & {*self.declared}:
            return None
        is_tied = column.nullable and _are_in_check(self.table, column.name, others)
        return own if is_tied and column is not own else None

    def _let_what_waits_be_compared_later(self) -> None:
        """Let no column be compared with one that is NULL until the rows are there."""
        names = {
            column.name
            for column in self.table.columns
            if column.nullable and self._refers(column) and self._key_of(column) in self.late
        }
        names |= {column.name for column in self.table.columns if self._is_always_null(column)}
        for name, bounds in self.bounds.items():
            self.below |= {(one, name) for one, _ in bounds.after if isinstance(one, str) and one in names}
            bounds.after = [one for one in bounds.after if not names & {*terms_of(one[0])}]
            bounds.within = [one for one in bounds.within if not names & {*terms_of(one[0])}]
            bounds.unequal = [one for one in bounds.unequal if one not in names]

    def _let_what_waits_together_be_there(self) -> None:
        """Let the columns of a key be more than NULL, where CHECKs only ask for all of them or none."""
        for key in self.table.foreign_key_constraints:
            names = {one.name for one in self._waiting(key)}
            if len(names) < 2 or not all(self._bounds(one).always_null for one in self._waiting(key)):
                continue
            rest = {name: one for name, one in read_checks(self.table).items() if name not in names}
            for found in other_ways(self.table):
                are_there = all(found.get(name, Bounds()).never_null for name in names)
                if are_there and rest == {name: one for name, one in found.items() if name not in names}:
                    for name in names:
                        self.bounds[name].always_null = False

    def _let_keys_go_first(self) -> None:
        """Let a column that must differ from one of a key of several columns be the one that gives way."""
        in_keys = {
            column.name
            for column in self.table.columns
            if any(one.constraint and len(one.constraint.columns) > 1 for one in column.foreign_keys)
        }
        for column in self.table.columns:
            if column.name not in in_keys:
                continue
            for name in self._bounds(column).unequal:
                if name in in_keys:
                    self.unequal.append((name, column.name))
                else:
                    self.bounds.setdefault(name, Bounds()).unequal.append(column.name)
            if column.name in self.bounds:
                self.bounds[column.name].unequal = []

    def _add_order_of_names(self, said: Collection[str]) -> None:
        """Take start_date <= end_date for granted, where no CHECK says anything of the two."""
        for column in self.table.columns:
            for other, least, most in meanings.come_before(column):
                self._put_after(column, other, least, most, said)

    def _put_after(self, column: Column, other: Column, least: int, most: int | None, said: Collection[str]) -> None:
        """Put a column some days after another one; where CHECKs say that it is after it, no nearer than is usual."""
        kind, bounds = plain_type(column), self._bounds(column)
        known = isinstance(kind, (sa.Date, sa.DateTime, sa.Time, *NUMBER))
        is_moment = isinstance(kind, sa.Date | sa.DateTime)  # which is filled, whatever its default
        if not known or column.foreign_keys or other.foreign_keys or not (is_moment or other.server_default is None):
            return
        strictly = other.name in bounds.unequal or column.name in self._bounds(other).unequal
        steps = least * (86_400 if isinstance(kind, sa.DateTime) else 1)
        if isinstance(kind, NUMBER):
            steps = least // 365
        elif type(kind) is sa.Date and isinstance(plain_type(other), sa.DateTime):
            strictly = True  # a day begins before all of its moments
        told = dict(bounds.after)
        if other.name in told and not bounds.within and bounds.high is None:
            bounds.after = [(name, max(step, steps) if name == other.name else step) for name, step in bounds.after]
        elif {column.name, other.name} & {*said}:
            return
        else:
            self.bounds.setdefault(column.name, Bounds()).after.append((other.name, max(steps, int(strictly))))
        if is_moment and most is not None:
            self.usual[column.name] = timedelta(days=max(0, most - least))

    def _add_twins(self) -> None:
        """Let username_lower be username in small letters, where no CHECK says anything of it."""
        unique = [key.columns for key in keys_of(self.table)]
        for column in self.table.columns:
            found = meanings.twin(column)
            if found is not None and self._bounds(column) == Bounds() and not column.foreign_keys:
                other, case = found
                if (column,) not in unique or (other,) in unique or other.name not in self.declared:
                    self.bounds[column.name] = Bounds(same=other.name, case=case)

    def _bounds(self, column: Column) -> Bounds:
        return self.bounds.get(column.name, Bounds())

    # Columns one by one

    def _declared(self, column: Column, plan: Plan) -> Plan:
        """Let a declared reference to the same table, or to one that comes later, wait for the rows."""
        inner = plan.field.field if isinstance(plan.field, maybe) else plan.field
        if not isinstance(inner, reference) or not any(key.constraint in self.late for key in column.foreign_keys):
            return plan
        share = plan.field.share if isinstance(plan.field, maybe) else 0.0
        second = earlier_row(unique=False, share=share) if inner.table is self.table else plan.field
        return Plan(self._placeholder(column), plan.why, declared=True, second=second)

    def _plan(self, column: Column) -> Plan:
        bounds = self._bounds(column)
        if column in self.tied.values():
            return Plan(numbered(), "rows refer to earlier ones")
        if _is_numbered(column, self.around):
            return Plan(None, "identity")
        if column.computed is not None:
            return Plan(None, "computed")
        if self._is_always_null(column):
            return Plan(None, f"{bounds.why}{_ALWAYS_NULL}")
        if column.name in self.around.inheritance.identities:
            identities = self.around.inheritance.identities[column.name]
            allowed = [one for one in identities if bounds.options is None or one in bounds.options]
            return Plan(choice(allowed or list(identities)), "the classes mapped to this table")
        refers = any(self._holds(key) for key in _keys_from(column))
        filled = self._reference(column) if refers else self._value(column, bounds)
        return self._with_nulls(column, filled, bounds)

    def _with_nulls(self, column: Column, plan: Plan, bounds: Bounds) -> Plan:
        owner = self.around.inheritance.owners.get(column.name)
        if owner is not None and column.nullable and plan.field is not None:
            return Plan(only_for(plan.field, *owner), plan.why, second=plan.second)
        if not column.nullable or bounds.never_null or plan.field is None or plan.second is not None:
            return plan
        if isinstance(plan.field, part_of_row):  # with the others of its key
            return Plan(plan.field.with_nulls(NULL_SHARE), f"{plan.why}, nullable")
        share = RARE_NULL_SHARE if meanings.is_rare(column) else NULL_SHARE
        return Plan(maybe(plan.field, share), f"{plan.why}, nullable")

    def _value(self, column: Column, bounds: Bounds) -> Plan:
        filled = self._by_check(column, bounds) or self._by_name(column, bounds)
        is_allowed = (_plain(column.server_default) or "") not in [*map(str, bounds.excluded)]
        if filled is None and _has_default(column) and is_allowed and column.name not in self.wanted:
            return _LEFT
        filled = filled or self._by_type(column, bounds)
        is_decimal = isinstance(plain_type(column), DECIMAL)
        if bounds.parts and is_decimal and filled.field is not None and bounds.formula is None:
            return Plan(exact(filled.field, bounds.parts, bounds.low), filled.why)
        if isinstance(filled.field, spelled):
            places = _in_case(filled.field.spellings.places, bounds.case)
            return Plan(spelled(_without_letters(places, _fulfilling(column, bounds))), filled.why)
        if filled.field is not None and bounds.case:
            return Plan(cased(filled.field, bounds.case), filled.why if bounds.same else bounds.why)
        if filled.field is not None and bounds.unequal and not bounds.after:
            return Plan(other_than(filled.field, *dict.fromkeys(bounds.unequal)), bounds.why)
        return filled

    def _by_check(self, column: Column, bounds: Bounds) -> Plan | None:
        kind: Any = plain_type(column)
        if bounds.same:
            return Plan(copied(bounds.same), bounds.why or f"the column is called {column.name}")
        if bounds.formula is not None:
            return Plan(calculated(bounds.formula), bounds.why)
        if bounds.options is not None:
            options = [one for one in bounds.options if one not in bounds.excluded]
            return (
                Plan(choice(*options) if len(options) != 1 else constant(options[0]), bounds.why) if options else None
            )
        if isinstance(plain_type(column), sa.String) and not isinstance(plain_type(column), sa.Enum):
            return self._text_by_check(column, bounds)
        if bounds.json == "array":
            return Plan(computed("a small list", small_list), bounds.why)
        limited = bounds.names and ((bounds.low, bounds.high) != (None, None) or bounds.multiple > 1)
        span = _span(column, self._with_range_of_name(column, bounds)) if limited else None
        if bounds.items:
            return Plan(listed(choice(bounds.items), kind.dimensions or 1), bounds.why)
        days = self._days_of_calendar(column, bounds) if bounds.calendar else []
        if days and not bounds.after:
            made = choice(days)
            made.description = f"some of {days[0]} to {days[-1]}"
            return Plan(made, bounds.why)
        if bounds.after or bounds.within:
            return self._above(column, bounds, days)
        if span is not None and bounds.multiple > 1:
            step = bounds.multiple
            is_key = self._is_unique_alone(column)
            high = integer_range(column)[1] if is_key and bounds.high is None else span[1]
            first = -(-(span[0] - bounds.remainder) // step) * step + bounds.remainder
            multiples = range(first, high + 1, step)[: MULTIPLES if is_key else 1000]
            allowed = [one for one in multiples if one not in bounds.excluded]
            return Plan(choice(allowed), bounds.why) if allowed else None
        return Plan(_without(_between(column, *span), bounds.excluded), bounds.why) if span is not None else None

    def _above(self, column: Column, bounds: Bounds, days: Sequence[Any]) -> Plan:
        """Return what fills a column that is compared with others, near them and as its name says."""
        low, high, usual = bounds.low, bounds.high, self.usual.get(column.name)
        is_day, is_open = isinstance(plain_type(column), sa.Date | sa.DateTime), bounds.low is bounds.high is None
        is_open = is_open and not bounds.within
        if is_open and isinstance(plain_type(column), NUMBER) and (named := meanings.numbers(column)):
            low, high = named if meanings.is_year(column) else (None, named[1])
        elif is_open and is_day:
            if (span := meanings.days(column, TODAY)) is not None:
                low, high = map(_as_moment(column), span)
                usual = usual or span[1] - span[0]
            elif meanings.is_past(column):
                high = _as_moment(column)(TODAY)
        description = f"{low} to {high}" if low is not None and high is not None else ""
        why = bounds.why or f"the column is called {column.name}"
        return Plan(above(bounds.after, low, high, description, bounds.within, days, usual), why)

    def _with_range_of_name(self, column: Column, bounds: Bounds) -> Bounds:
        """Return bounds that are closed, where one side is open, by what the column's name asks for."""
        as_moment = _as_moment(column)
        is_day = isinstance(plain_type(column), sa.Date | sa.DateTime)
        named: tuple[Any, Any] | None = meanings.days(column, TODAY) if is_day else meanings.numbers(column)
        if named is None or not (is_day or isinstance(plain_type(column), NUMBER)):
            return bounds
        low, high = (as_moment(one) if is_day else one for one in named)
        if None not in (bounds.low, bounds.high):
            is_wider = bounds.low <= low and high <= bounds.high and (is_day or meanings.is_year(column))
            return replace(bounds, low=low, high=high) if is_wider else bounds
        if bounds.high is None and bounds.low is not None and bounds.low <= high:
            return replace(bounds, low=max(bounds.low, low), high=high)
        if bounds.low is None and bounds.high is not None and low <= bounds.high:
            return replace(bounds, low=low, high=min(bounds.high, high))
        return bounds

    def _days_of_calendar(self, column: Column, bounds: Bounds) -> list[Any]:
        """Return the days, moments or times that a column may hold, where CHECKs say something of their parts."""
        known, kind = self._with_range_of_name(column, bounds), plain_type(column)
        if known.low is known.high is None and not isinstance(kind, sa.Time):
            low, high = map(_as_moment(column), meanings.days(column, TODAY) or (TODAY - _YEAR, TODAY))
            known = replace(known, low=low, high=high)
        span = _span(column, known)
        if span is None:
            return []
        low, high = span
        if self._is_unique_alone(column) and bounds.low is None:
            low = min(low, high - 100 * _YEAR)
        if bounds.after and bounds.high is None:  # there has to be one after the last one of the others
            high += 2 * _YEAR
        return calendars.fitting(kind, low, high, bounds.calendar)

    def _text_by_check(self, column: Column, bounds: Bounds) -> Plan | None:
        if not (bounds.patterns or bounds.shortest > 1 or bounds.longest is not None or bounds.low or bounds.high):
            return None
        return self._named_text_by_check(column, bounds) or self._made_text_by_check(column, bounds)

    def _named_text_by_check(self, column: Column, bounds: Bounds) -> Plan | None:
        """Return what the column's name asks for, where that, or enough of it, fulfils the CHECKs."""
        said, fulfils = meanings.texts(column), _fulfilling(column, bounds)
        if said == meanings.Texts():
            said = meanings.texts_like(bounds.like)
        why = f"the column is called {column.name}, {bounds.why}"
        if "email" in said.providers:
            made = email(*self._name_columns(column), longest=bounds.longest)
            return Plan(made, why) if _room(column) >= MAIL_ROOM and all(map(fulfils, _ADDRESSES)) else None
        found = _best(_fields_by_name(column, said), fulfils)
        if isinstance(found, fake):
            otherwise = self._made_text_by_check(column, bounds)
            return Plan(written(found, fulfils, (otherwise and otherwise.field) or text()), why)
        return Plan(found, why) if found is not None else None

    def _made_text_by_check(self, column: Column, bounds: Bounds) -> Plan | None:
        if bounds.spelling is not None:
            places = bounds.spelled(_room(column), is_padded=isinstance(plain_type(column), sa.CHAR))
            is_number = _SEPARATED.fullmatch(bounds.like) and self._is_of_digits(column)
            if is_number or _NUMBERED.fullmatch(bounds.like):
                places = [string.digits if len(one) > 1 else one for one in places]
            return Plan(spelled(places), bounds.why)
        ends = bounds.low, bounds.high
        if all(isinstance(one, str) for one in ends) and (places := _places_between(*ends, _room(column))):
            return Plan(spelled(places), bounds.why)
        length = length_of(column)
        most = min((one for one in (length, bounds.longest) if one is not None), default=None)
        if bounds.shortest > 1 and (most is not None and (most < SHORT or most == bounds.shortest)):
            letters = string.digits if self._is_of_digits(column) else _letters(bounds.case)
            return Plan(spelled([letters] * bounds.shortest), bounds.why)
        if bounds.shortest > 1 or bounds.longest is not None:
            return Plan(text(bounds.shortest, bounds.longest), bounds.why)
        return None

    def _is_of_digits(self, column: Column) -> bool:
        said = meanings.texts(column)
        return not _OF_DIGITS.isdisjoint(said.providers) or any(one.isdigit() for one in said.like)

    def _by_name(self, column: Column, bounds: Bounds, *, has_default: bool | None = None) -> Plan | None:
        has_default = _has_default(column) if has_default is None else has_default
        kind, why = plain_type(column), f"the column is called {column.name}"
        if isinstance(kind, sa.Date | sa.DateTime):
            return self._day_by_name(column, why)
        if isinstance(kind, NUMBER) and not has_default:
            found = meanings.numbers(column)
            span = _span(column, Bounds(low=found[0], high=found[1])) if found is not None else None
            return Plan(_without(_between(column, *span), bounds.excluded), why) if span is not None else None
        if not isinstance(kind, sa.String) or isinstance(kind, sa.Enum) or has_default:
            return None
        said = meanings.texts(column)
        if "email" in said.providers:
            return Plan(email(*self._name_columns(column)), why) if _room(column) >= MAIL_ROOM else None
        if said.in_sentences:
            return Plan(text(), why) if _room(column) >= SHORT else None
        if said.options and bounds.names:
            return None
        fulfils = _fulfilling(column, Bounds())
        fields = [*_fields_by_name(column, said)]
        for one in fields:
            if not isinstance(one, fake) or _fits(one.provider, column):
                return Plan(one, why)
            if 2 * len(fulfilling(_sample(one.provider), fulfils)) >= SAMPLE:
                return Plan(written(one, fulfils, text()), why)
        best = _best(fields, fulfils)
        return Plan(written(best, fulfils, text()), why) if isinstance(best, fake) else None

    def _day_by_name(self, column: Column, why: str) -> Plan | None:
        found = meanings.days(column, TODAY)
        if found is not None:
            return Plan(_between(column, *map(_as_moment(column), found)), why)
        return Plan(last_year(), why) if meanings.is_moment(column) else None

    def _by_type(self, column: Column, bounds: Bounds) -> Plan:
        kind = plain_type(column)
        why = f"{type(column.type).__name__} column"
        made = _field_of(kind, column, bounds)
        return Plan(made, why if made is not None else f"{why}: nothing is known to fill it with")

    def _name_columns(self, column: Column) -> tuple[str, ...]:
        """Return the columns that an e-mail address takes its letters from."""
        texts = {one.name.lower(): one.name for one in self.table.columns if isinstance(one.type, sa.String)}
        before = takewhile(lambda one: one is not column, self.table.columns)
        if any(isinstance(_inner(self.plans[one.name].field), unique_email) for one in before):
            return ()  # a second address is another one
        whole = [name for name, plan in self.plans.items() if _is_name(plan.field)]
        if whole:
            return (whole[0],)
        parts = [texts.get(first) or texts.get(other) for first, other in _NAME_PARTS]
        return tuple(part for part in parts if part) if all(parts) else ()

    # References

    def _reference(self, column: Column) -> Plan:
        key = self._key_of(column)
        parent = key.referred_table
        why = f"FOREIGN KEY to {parent.fullname}"
        if key in self.late:
            return self._late_reference(column, key, why)
        if key in self.tied:
            unique = self._is_unique_alone(column)
            return Plan(earlier_number(self.tied[key], numbered(), unique=unique), f"{why}, itself")
        if column.name in self.around.inheritance.kinds:
            where, what = self.around.inheritance.kinds[column.name]
            return Plan(reference_where(parent, where, what), why)
        if len(key.columns) > 1:
            options = {one.name: self._bounds(one).options for one in key.columns}
            only = {name: values for name, values in options.items() if values}
            return Plan(part_of_row(key, column, self._given(key), unequal=self.unequal, only=only), why)
        same = self._bounds(column).same
        if same and any(
            one.referred_table is parent and one not in self.late for one in _keys_from(self.table.columns[same])
        ):
            return Plan(copied(same), self._bounds(column).why)
        made: Field = reference(parent)
        unequal = [one for one in self._bounds(column).unequal if not self._is_always_null(self.table.columns[one])]
        return Plan(other_than(made, *dict.fromkeys(unequal)) if unequal else made, why)

    def _key_of(self, column: Column) -> sa.ForeignKeyConstraint:
        """Return the key that decides a column: the one of most columns, for the others then hold too.

        Of two to tables of which one refers to the other, it is the one to that one.
        """
        keys = _keys_from(column)
        tables = {one.referred_table for one in keys}

        def rank(key: sa.ForeignKeyConstraint) -> tuple[Any, ...]:
            own = key.referred_table
            led_to = sum(other is not own and leads_to(own, other) for other in tables)
            return key in self.late, -len(key.columns), -led_to, own.fullname, list(key.column_keys)

        return min([one for one in keys if self._holds(one)] or keys, key=rank)

    def _refers(self, column: Column) -> bool:
        """Return whether a column refers to rows, and no method of a seeder says to which."""
        declared = self.declared.get(column.name)
        return bool(column.foreign_keys) and (declared is None or isinstance(_inner(declared.field), reference))

    def _is_always_null(self, column: Column) -> bool:
        return self._bounds(column).always_null and bool(column.nullable)

    def _holds(self, key: sa.ForeignKeyConstraint) -> bool:
        """Return whether a key asks for anything: of several columns it does not, where one is NULL."""
        return not any(map(self._is_always_null, key.columns))

    def _given(self, key: sa.ForeignKeyConstraint) -> list[str]:
        """Return the columns of a key that are filled by another key, or by a column before."""
        return [one.name for one in key.columns if one.name in self.declared or self._key_of(one) is not key]

    def _late_reference(self, column: Column, key: sa.ForeignKeyConstraint, why: str) -> Plan:
        if key.referred_table is not self.table and len(key.columns) > 1:
            return Plan(None, f"{why}, which refers back") if column.nullable else self._by_type(column, Bounds())
        if key.referred_table is not self.table:
            return self._late_reference_elsewhere(column, key, why)
        own = key.elements[list(key.columns).index(column)].column
        if own is column:
            return self._value(column, self._bounds(column))
        is_ordered = (column.name, own.name) in self.below and not _is_numbered(own, self.around)
        if len(key.columns) > 1 or is_ordered:
            if not column.nullable:
                return Plan(copied(own.name), f"{why}, itself")
            return Plan(None, f"{why}, itself", second=self._earlier_alike(key))
        unique = self._is_unique_alone(column)
        if unique and not column.nullable:
            return Plan(self._placeholder(column), f"{why}, itself")
        share = NULL_SHARE if column.nullable and not unique else 0.0
        second = earlier_row(unique=unique, share=share, in_pairs=unique and not meanings.is_next(column))
        return Plan(self._placeholder(column), f"{why}, itself", second=second)

    def _earlier_alike(self, key: sa.ForeignKeyConstraint) -> earlier_alike | None:
        """Return what sets those columns of a key to the same table that can wait; None where they have to be NULL."""
        waiting = self._waiting(key)
        keys = [one for one in self.keys if {*waiting} & {*one.columns}]
        is_tied = any(
            bounds.after or bounds.within or {*bounds.unequal} - {own.name}
            for bounds, own in ((self._bounds(one), own) for one, own in waiting.items())
        )
        if is_tied or not all({*key.columns} <= {*one.columns} for one in keys):
            return None
        below = any((one.name, own.name) in self.below for one, own in waiting.items())
        made = earlier_alike(key, [*waiting], unique=bool(keys), below=below, share=0.0 if keys else NULL_SHARE)
        return self.alike.setdefault(key, made)

    def _waiting(self, key: sa.ForeignKeyConstraint) -> dict[Column, Column]:
        """Return the columns of a key to the same table that are set when rows are there, and what they refer to."""
        if key.referred_table is not self.table:
            return {}
        return {one: own for one, own in _pairs(key) if one.nullable and own is not one and self._key_of(one) is key}

    def _late_reference_elsewhere(self, column: Column, key: sa.ForeignKeyConstraint, why: str) -> Plan:
        second: Field = reference(key.referred_table)
        if self._is_unique_alone(column):
            second = digit((Component((column,), second),), column)
        elif column.nullable:
            second = maybe(second, NULL_SHARE)
        return Plan(self._placeholder(column), why, second=second)

    def _placeholder(self, column: Column) -> Field | None:
        """Return what stands in a column until the rows it refers to are there; nothing where it can be NULL."""
        if column.nullable:
            return None
        key = self._key_of(column)
        if key.referred_table is self.table:
            return copied(key.elements[0].column.name)
        if isinstance(plain_type(column), sa.Integer):
            return numbered(start=integer_range(column)[0])  # which no row has
        made = _field_of(plain_type(column), column, Bounds())
        return unique_text() if isinstance(plain_type(column), sa.String) else made

    def _number_what_refers_to_itself(self) -> None:
        """Give a key that rows have to copy its numbers here: they are not known before the database gives them."""
        for plan in list(self.plans.values()):
            if isinstance(plan.field, copied) and self.plans[plan.field.other].field is None:
                self.plans[plan.field.other] = Plan(numbered(), "rows refer to themselves")

    def _order_references(self) -> None:
        """Draw two references to one table together, where a CHECK says which is the smaller: low_id < high_id."""
        for higher in self.table.columns:
            for lower in (self.table.columns[one] for one, _ in self._bounds(higher).after if isinstance(one, str)):
                fields = [_inner(self.plans[one.name].field) for one in (lower, higher)]
                tables = [field.table if type(field) is reference else None for field in fields]
                if tables[0] is not None and tables[0] is tables[1]:
                    pair = OrderedPair(tables[0], (lower, higher))
                    for place, one in enumerate((lower, higher)):
                        self.plans[one.name] = Plan(ordered(pair, place), self._bounds(higher).why)

    def _is_unique_alone(self, column: Column) -> bool:
        return any(key.columns == (column,) for key in self.keys)

    # Keys

    def _make_unique(self, key: Key) -> None:
        """Change the plans of a key's columns so that no combination comes twice, by construction."""
        key = self._with_defaults_filled(key)
        if any(self._is_apart(column, key) for column in key.columns):
            return
        fields = [self.plans[column.name].field for column in key.columns]
        if all(isinstance(one, ordered) for one in fields) and len(fields) == 2:
            for one in fields:
                assert isinstance(one, ordered)
                one.pair.once = True
            return
        self._widen(key)
        self._forget_order_of_names(key)
        free = [one for one in key.columns if not self.plans[one.name].declared and not one.foreign_keys]
        listable = all(self._can_be_listed(column) for column in key.columns)
        alone = len(key.columns) == 1 or not listable or self._has_text(free) or self._overlaps(key)
        for column in sorted(free, key=self._is_in_many_keys) if alone else ():
            unique = self._unique(column)
            if isinstance(unique, spelled):
                self.plans[column.name] = Plan(unique, self.plans[column.name].why)
                listable = all(self._can_be_listed(column) for column in key.columns)
            elif unique is not None:
                plan = self.plans[column.name]
                nullable = isinstance(plan.field, maybe) and not self._bounds(column).never_null
                why = f"{key.why}{_length(column)}" + (", nullable" if nullable else "")
                self.plans[column.name] = Plan(maybe(unique, NULL_SHARE) if nullable else unique, why)
                return
        self._number([some for one in self._together_with(key) if (some := self._listed(one))])

    def _with_defaults_filled(self, key: Key) -> Key:
        """Return a key without what the server gives all rows alike; or fill that, if nothing else keeps rows apart."""
        alike = [one for one in key.columns if self._is_left_alike(one)]
        rest = tuple(one for one in key.columns if one not in alike)
        free = [one for one in rest if not self.plans[one.name].declared and not one.foreign_keys]
        if not alike or self._has_text(free) or any(self._is_apart(one, key) for one in rest):
            return replace(key, columns=rest or key.columns)
        for column in alike:
            if not rest or not isinstance(plain_type(column), sa.String):  # as a language, which is the same for most
                plan = self._without_default(column)
                self.plans[column.name] = self._with_nulls(column, plan, self._bounds(column))
        return replace(key, columns=tuple(one for one in key.columns if not self._is_left_alike(one)))

    def _is_left_alike(self, column: Column) -> bool:
        """Return whether the server gives all rows the same value."""
        default = column.server_default
        if self.plans[column.name] != _LEFT or not isinstance(default, sa.DefaultClause):
            return False
        return not _ANOTHER_EACH_TIME.search(str(default.arg))

    def _without_default(self, column: Column) -> Plan:
        bounds = self._bounds(column)
        filled = self._by_check(column, bounds) or self._by_name(column, bounds, has_default=False)
        return filled or self._by_type(column, bounds)

    # Keys of some rows

    def _set_keys_of_some_apart(self) -> None:
        """Leave out the keys of partial indexes that rows can be kept out of, and note what does it for each."""
        for key in [one for one in self.keys if one.where]:
            plans = [self.plans[column.name] for column in key.columns]
            are_filled = all(plan.field and not plan.second and not plan.declared for plan in plans)
            if are_filled and not any(self._can_be_apart(column, key) for column in key.columns):
                found = self._kept_out(key)
                self.some += [found] if found else []
        self.keys = [key for key in self.keys if key not in [one.key for one in self.some]]

    def _kept_out(self, key: Key) -> _KeptOut | None:
        """Return what keeps rows out of a partial index: a column of its condition that nothing else speaks of."""
        in_keys = {column for one in self.keys for column in one.columns}
        for part in parts_of(self.table, key.where):
            column = part.column
            plan = self.plans[column.name]
            if plan == _LEFT:
                plan = self._with_nulls(column, self._without_default(column), self._bounds(column))
            outside = part.outside(plan.field) if plan.field is not None else None
            is_tied = column.name in self.wanted or column.name in self.around.inheritance.identities
            others = [one.name for one in self.table.columns if one is not column]
            if not (
                outside is None
                or is_tied
                or plan.declared
                or column.foreign_keys
                or column in in_keys
                or _are_in_check(self.table, column.name, others)
                or any(one.part.column is column and one.part != part for one in self.some)
            ):
                return _KeptOut(key, part, plan, outside)
        return None

    def _let_in_once(self, found: _KeptOut) -> None:
        """Let only one of the rows with the same values in a partial index's columns be in it."""
        column, key, plan = found.part.column, found.key, found.plan
        before = self.plans[column.name]
        plan = before if isinstance(before.field, once_for_each) else plan
        assert plan.field is not None
        field = once_for_each(plan.field, found.outside, found.part, key.columns, key.where)
        self.plans[column.name] = Plan(field, f"{plan.why}, {key.why}")

    def _keep_steps_apart(self) -> None:
        """Let columns that a CHECK puts in order, and of which keys let one not repeat, go on in steps: lft < rgt."""
        before = self._in_order_and_apart()
        columns = self.table.columns
        order = [columns[name] for name in TopologicalSorter(before).static_order()]
        for kind in dict.fromkeys(type(plain_type(one)) for one in order):
            some = [one for one in order if type(plain_type(one)) is kind]
            bounds = [self._bounds(one) for one in some]
            fields = [*_in_steps(some, bounds)]
            if len(fields[0].steps) < ENOUGH and not any(map(self._is_unique_alone, some)):
                continue  # the other columns of their keys have more
            why = ", ".join(dict.fromkeys(one.why for one in bounds if one.after))
            for column, made in zip(some, fields, strict=True):
                self.plans[column.name] = self._with_nulls(column, Plan(made, why), self._bounds(column))

    def _in_order_and_apart(self) -> dict[str, list[str]]:
        """Return columns that can go on in steps, with those that come before each, where a key needs one to."""
        after = {
            one.name: {str(name): steps for name, steps in self._bounds(one).after}
            for one in self.table.columns
            if self._can_go_in_steps(one)
        }
        kinds = {name: type(plain_type(self.table.columns[name])) for name in after}
        while others := [
            name
            for name, lower in after.items()
            if any(one not in after or steps > 1 or kinds[one] is not kinds[name] for one, steps in lower.items())
        ]:
            after = {name: lower for name, lower in after.items() if name not in others}
        before: dict[str, list[str]] = {}
        waiting = [
            column.name
            for key in self.keys
            for column in key.columns
            if after.get(column.name) and not any(self._can_be_apart(one, key) for one in {*key.columns} - {column})
        ]
        while waiting:
            name = waiting.pop()
            before[name] = [*after[name]]
            waiting += [one for one in after[name] if one not in before]
        return before

    def _can_go_in_steps(self, column: Column) -> bool:
        bounds, plan = self._bounds(column), self.plans[column.name]
        is_tied = bounds.within or bounds.unequal or bounds.options or bounds.excluded or bounds.calendar
        return (
            not (is_tied or plan.declared or column.foreign_keys)
            and bounds.multiple == 1
            and bool(bounds.names or not bounds.after)
            and isinstance(_inner(plan.field), above | between | last_year)
            and isinstance(plain_type(column), sa.Integer | sa.Date | sa.DateTime)
        )

    def _keep_ranges_apart(self) -> None:
        """Fill what an EXCLUDE constraint does not let overlap: ranges of which each ends where the next begins.

        https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-EXCLUDE
        """
        for constraint in self.table.constraints:
            for part, _, operator in getattr(constraint, "_render_exprs", ()):  # nothing public has the expressions
                if operator != "&&" or any(self.plans[one.name].declared for one in _columns_in(part, self.table)):
                    continue
                why = f"EXCLUDE {constraint.name or ''}".strip()
                columns = [
                    source
                    for one in _columns_in(part, self.table)
                    for source in (
                        _columns_in(one.computed.sqltext, self.table) if one.computed is not None else (one,)
                    )
                ]
                for column, made in _apart(columns):
                    self.plans[column.name] = self._with_nulls(column, Plan(made, why), self._bounds(column))

    def _is_apart(self, column: Column, key: Key) -> bool:
        """Return whether a column of a key keeps rows apart already: alone, or as it is numbered with others of it."""
        plan = self.plans[column.name]
        inner = _inner(plan.field)
        if isinstance(plan.second, earlier_row | earlier_alike):
            return plan.second.unique
        if plan.second is not None:
            return isinstance(plan.second, digit)
        if isinstance(inner, digit):
            return inner.keeps_apart(key.columns)
        return inner is None or inner.is_unique(column)

    def _widen(self, key: Key) -> None:
        """Let a day that may not repeat be one of a hundred years, not only of the last one."""
        for column in key.columns if len(key.columns) == 1 else ():
            plan = self.plans[column.name]
            if type(_inner(plan.field)) is last_year and isinstance(plain_type(column), sa.Date):
                days = between(TODAY - timedelta(days=36_525), TODAY)
                self.plans[column.name] = Plan(days, plan.why)

    def _forget_order_of_names(self, key: Key) -> None:
        """Let a moment that may not repeat come before another one again, where only their names ask for an order."""
        for column in key.columns:
            plan, bounds = self.plans[column.name], self._bounds(column)
            if isinstance(_inner(plan.field), above) and not bounds.names:
                free = self._value(column, replace(bounds, after=[]))
                self.plans[column.name] = self._with_nulls(column, free, bounds)

    def _overlaps(self, key: Key) -> bool:
        """Return whether a column of a key is in another too: numbered through for one, it may repeat in the other."""
        return any(self._is_in_many_keys(column) for column in key.columns)

    def _is_in_many_keys(self, column: Column) -> bool:
        return sum(column in key.columns for key in self.keys) > 1

    def _has_text(self, columns: Iterable[Column]) -> bool:
        return any(isinstance(plain_type(one), sa.String) and not self._bounds(one).names for one in columns)

    def _can_be_listed(self, column: Column) -> bool:
        inner = _inner(self.plans[column.name].field)
        if isinstance(inner, other_than):
            inner = inner.field
        if isinstance(inner, part_of_row):
            others = (self.plans[one.name].field for one in inner.key.columns)
            return not any(isinstance(_inner(one), digit) for one in others)
        return inner is not None and type(inner).domain is not Field.domain and not isinstance(inner, digit)

    def _together_with(self, key: Key) -> list[Key]:
        """Return a key with those that share columns with it, or with one of these, and need to be numbered too."""
        found, waiting = [key], self.keys
        while True:
            columns = {one for other in found for one in other.columns}
            near = [one for one in waiting if columns & {*one.columns}]
            if not near:
                return found
            waiting = [one for one in waiting if one not in near]
            near = [self._with_defaults_filled(one) for one in near]
            found += [one for one in near if not any(self._can_be_apart(column, one) for column in one.columns)]

    def _can_be_apart(self, column: Column, key: Key) -> bool:
        """Return whether a column keeps the rows of a key apart, or will when it is that key's turn."""
        if self._is_apart(column, key):
            return True
        is_free = not self.plans[column.name].declared and not column.foreign_keys
        is_made = is_free and not self._can_be_listed(column)
        return is_made and not isinstance(self._unique(column), spelled | None)

    def _listed(self, key: Key) -> Key | None:
        """Return a key of those of its columns whose values can be listed; None where the person keeps rows apart."""
        self._forget_order_of_names(key)
        for column in key.columns:
            if not self._can_be_listed(column) and isinstance(unique := self._unique(column), spelled):
                self.plans[column.name] = Plan(unique, self.plans[column.name].why)
        some = tuple(one for one in key.columns if self._can_be_listed(one))
        is_told = any(self.plans[one.name].declared for one in key.columns if one not in some)
        return replace(key, columns=some) if some and not is_told else None

    def _number(self, keys: Sequence[Key]) -> None:
        """Number keys through together, as a room is used once at an hour, and a teacher teaches once.

        One that has only a part of the columns of a foreign key is left for later.
        """
        keys = [one for one in keys if not any({*other.columns} < {*one.columns} for other in keys)]
        some: list[Key] = []
        self._let_others_give_way(_columns_of(keys))
        for key in {frozenset(one.columns): one for one in keys}.values():
            if not some or self._can_be_numbered([*some, key]):
                some.append(key)
        columns = _columns_of(some)
        components = tuple(self._components(columns))
        whole_keys = [{*one.columns} for one in self.keys]
        is_known = all(len(one.keys) < 2 for one in components)  # of very many that are joined, only some are taken
        has_all = is_known and all({*one.columns} in whole_keys for one in some) and all(map(self._has_all, columns))
        then_null = self._null_in_the_end(some)
        for column in dict.fromkeys(chain.from_iterable(one.columns for one in components)):
            why = [self.plans[column.name].why, *(one.why for one in some if column in one.columns)]
            of_each = [one.columns for one in some] if len(some) > 1 else ()
            field = digit(components, column, of_each, has_all=has_all, then_null=then_null)
            self.plans[column.name] = Plan(field, ", ".join(filter(None, why)), self.plans[column.name].declared)

    def _null_in_the_end(self, keys: Sequence[Key]) -> Column | None:
        """Return a column of all of some keys that any number of rows may leave NULL: nothing else speaks of it."""
        others = [one.name for one in self.table.columns]
        for column in keys[0].columns if keys else ():
            is_free = column.nullable and not self._bounds(column).never_null and not self.plans[column.name].declared
            is_alone = not isinstance(_inner(self.plans[column.name].field), part_of_row)
            is_tied = _are_in_check(self.table, column.name, [one for one in others if one != column.name])
            if is_free and is_alone and not is_tied and all(one.has_nulls and column in one.columns for one in keys):
                return column
        return None

    def _let_others_give_way(self, columns: Collection[Column]) -> None:
        """Let a column that is not numbered through differ from one that is, and not the other way round."""
        names = [one.name for one in columns]
        for name in names:
            inner = _inner(self.plans[name].field)
            outside = [one for one in inner.others if one not in names] if isinstance(inner, other_than) else []
            for other in (one for one in outside if self._can_give_way(self.plans[one])):
                self.plans[name] = replace(self.plans[name], field=_with_others(inner, without=other))
                inner = self.plans[name].field
                plan = self.plans[other]
                share = plan.field.share if isinstance(plan.field, maybe) else 0.0
                field = _with_others(_inner(plan.field), name)
                self.plans[other] = replace(plan, field=maybe(field, share) if share else field)

    def _can_give_way(self, plan: Plan) -> bool:
        inner = _inner(plan.field)
        inner = inner.field if isinstance(inner, other_than) else inner
        return isinstance(inner, reference | between | choice) and not plan.declared

    def _can_be_numbered(self, keys: Sequence[Key]) -> bool:
        """Return whether keys have all columns of a part each, or none; or there is a row to count all else in."""
        components = [*self._components(_columns_of(keys))]
        parts = [{*(one.alone or one.columns)} for one in components]
        if all(part <= {*key.columns} or not part & {*key.columns} for part in parts for key in keys):
            return True
        row = next(part for part, one in zip(parts, components, strict=True) if one.keys)
        beside = [one for key in keys if not row <= {*key.columns} for one in key.columns if one not in row]
        is_in_all = all(row & {*key.columns} for key in keys)
        return is_in_all and len({*beside}) == len(beside) and not any(one.must_differ_from for one in components)

    def _has_all(self, column: Column) -> bool:
        """Return whether a column of a key can be nothing but what is listed of it: NULL could come again."""
        plan, bounds = self.plans[column.name], self._bounds(column)
        is_closed = bounds.options is not None or None not in (bounds.low, bounds.high)
        is_listed = isinstance(plain_type(column), sa.Boolean | sa.Enum) or isinstance(_inner(plan.field), spelled)
        return not column.nullable and (plan.declared or bool(column.foreign_keys) or is_closed or is_listed)

    def _components(self, columns: Sequence[Column]) -> Iterator[Component]:
        """Yield the columns of keys one by one; those of foreign keys of several columns together."""
        parts = {one: _inner(self.plans[one.name].field) for one in columns}
        keys = list(dict.fromkeys(one.key for one in parts.values() if isinstance(one, part_of_row)))
        joined = tuple(dict.fromkeys(column for one in keys for column in one.columns))
        for column, inner in parts.items():
            assert inner is not None
            if column not in joined:
                yield Component((column,), inner)
        if keys:
            alone = tuple(one for one in joined if one in columns)
            field = next(one for one in parts.values() if isinstance(one, part_of_row))
            yield Component(joined, field, tuple(keys), alone if len(alone) < len(joined) else ())

    def _unique(self, column: Column) -> Field | None:
        kind, bounds, field = plain_type(column), self._bounds(column), _inner(self.plans[column.name].field)
        field = field.field if isinstance(field, cased) else field
        is_spelled = bounds.spelling is not None and not isinstance(field, email | written)
        if isinstance(kind, sa.Enum) or bounds.options is not None or is_spelled:
            return None
        if isinstance(kind, sa.String):
            unique = self._unique_text(column, bounds, field)
            return (
                cased(unique, bounds.case)
                if bounds.case and isinstance(unique, unique_email | numbered_text)
                else unique
            )
        only_from_below = bounds == Bounds(low=bounds.low, names=bounds.names)
        if isinstance(kind, sa.Integer) and only_from_below:
            return numbered(start=max(1, bounds.low or 1))
        if isinstance(kind, BINARY):
            size = min(kind.length or 16, 16)
            return computed(f"{size} bytes", lambda random, number: number.to_bytes(size, "big"), unique=True)
        return None

    def _unique_text(self, column: Column, bounds: Bounds, field: Field | None) -> Field | None:
        room = min(_room(column), bounds.longest or _room(column))
        is_mail = isinstance(field, email) or "mail" in column.name.lower()
        if is_mail and (not bounds.patterns or all(map(_fulfilling(column, bounds), _ADDRESSES))):
            return unique_email(*self._name_columns(column), longest=bounds.longest)
        if isinstance(field, written):
            apart = _apart_as_written(field, column)
            if apart is not None and not (bounds.case and isinstance(apart, shaped)):
                return apart
        if bounds.shortest > 1 or room < SHORT:
            size = max(bounds.shortest, min(room, SHORT - 1))
            return spelled([_letters(bounds.case)] * size) if size <= room else None
        if isinstance(field, spelled):
            return field
        if isinstance(field, fake) and not bounds.case:
            if field.provider == "ipv4":
                return computed(*_BY_TYPE_NAME["INET"], unique=True)
            if field.provider in _NUMBER_AFTER and room >= 16:
                return numbered_text(field, _NUMBER_AFTER[field.provider])
            if _has_places(field, room):
                return shaped(field, room)
        if isinstance(field, choice) and not bounds.names and room >= 16:
            return numbered_text(field)
        return unique_text(bounds.case)


# Names of people in a table, for its e-mail addresses.
_NAME_PARTS = [("first_name", "firstname"), ("last_name", "lastname")]
# What addresses look like, the shortest and a long one.
_ADDRESSES = ("x1@example.org", "ada.lovelace123456@example.org")
_OF_DIGITS = {"phone_number", "postcode", "ean13", "isbn13", "ssn", "credit_card_number"}
_NUMBERED = re.compile(r"[A-Z][A-Z0-9./-]*_[_./-]*")  # one for what begins with capital letters: SO-______
_SEPARATED = re.compile(r"[_ ./()+-]*_[_ ./()+-]*")  # a pattern of LIKE that asks for nothing but signs between
# Providers of texts that a number can be put into, and what it comes after: a dot stands for before the last one.
_NUMBER_AFTER = {
    **dict.fromkeys(
        ("name", "company", "catch_phrase", "bs", "city", "country", "state", "job", "color_name", "language_name",
         "currency_name", "street_address", "address", "product_name", "book_title", "course_title", "headline",
         "company_department", "product_category", "hall_name", "street_name"), " "
    ),
    "slug": "-",
    **dict.fromkeys(("url", "uri", "image_url"), "/"),
    **dict.fromkeys(("domain_name", "hostname", "file_name", "file_path"), "."),
}  # fmt: skip
ENOUGH = 20_000  # values of a look, from which they are numbered through


def _keys_from(column: Column) -> set[sa.ForeignKeyConstraint]:
    return {key.constraint for key in column.foreign_keys if key.constraint is not None}


def _pairs(key: sa.ForeignKeyConstraint) -> Iterator[tuple[Column, Column]]:
    """Yield the columns of a key, each with the one that it refers to."""
    return ((one.parent, one.column) for one in key.elements)


def _has_default(column: Column) -> bool:
    """Return whether the server gives a column a value worth leaving there: an empty text is none."""
    default = getattr(column.server_default, "arg", column.server_default)
    return default is not None and str(default).strip("'") != ""


def _is_name(field: Field | None) -> bool:
    inner = _inner(field)
    inner = inner.field if isinstance(inner, numbered_text) else inner
    return isinstance(inner, fake) and inner.provider == "name" and not inner.arguments


def _inner(field: Field | None) -> Field | None:
    return field.field if isinstance(field, maybe) else field


def _with_others(field: Field | None, *more: str, without: str = "") -> Field:
    """Return a field that must differ from other columns, too, or from one less."""
    assert field is not None
    others = [*field.others, *more] if isinstance(field, other_than) else more
    others = [one for one in others if one != without]
    field = field.field if isinstance(field, other_than) else field
    return other_than(field, *others) if others else field


def _are_in_check(table: sa.Table, name: str, others: Collection[str]) -> bool:
    """Return whether a CHECK speaks of a column, and of one of some others too."""
    texts = (str(one.sqltext) for one in table.constraints if isinstance(one, sa.CheckConstraint))
    words = ({*map(str.lower, _WORD.findall(_QUOTED.sub("", text)))} for text in texts)
    return any(name.lower() in found and found & {*map(str.lower, others)} for found in words)


def _length(column: Column) -> str:
    length = length_of(column)
    return f", at most {length} characters" if length else ""


def _room(column: Column) -> int:
    return length_of(column) or 1_000


def _in_case(places: Iterable[str], case: str) -> list[str]:
    change: Callable[[str], str] = {"upper": str.upper, "lower": str.lower}.get(case, str)
    return ["".join(dict.fromkeys(change(one))) for one in places]


def _places_between(low: str, high: str, room: int) -> list[str]:
    """Return the characters at each place of texts that are no less than one and no more than another of its length.

    None where there is no room for them, or nothing is known of how such characters are ordered.
    """
    alphabet = next((one for one in _ALPHABETS if {*low, *high} <= {*one}), "")
    if len(low) != len(high) or len(low) > room or not low <= high or not alphabet:
        return []
    alike = next((place for place, pair in enumerate(zip(low, high, strict=True)) if pair[0] != pair[1]), len(low))
    first, last = (alphabet.index(one[alike : alike + 1] or alphabet[0]) for one in (low, high))
    first += any(one != alphabet[0] for one in low[alike + 1 :])
    last -= any(one != alphabet[-1] for one in high[alike + 1 :])
    if alike == len(low) or first > last:
        return [*low]
    return [*low[:alike], alphabet[first : last + 1], *[alphabet] * (len(low) - alike - 1)]


_ALPHABETS = string.digits, string.ascii_uppercase, string.ascii_lowercase


def _without_letters(places: list[str], fulfils: Callable[[str], bool]) -> list[str]:
    """Return the characters of each place without those that a CHECK has nothing of: NOT LIKE '%O%'."""
    texts = ["".join(one[number % len(one)] for one in places) for number in range(max(map(len, places), default=0))]
    fitting = {*chain.from_iterable(text for text in texts if fulfils(text))}
    rest = ["".join(one for one in place if one in fitting) or place for place in places]
    return rest if fitting and all(map(fulfils, _spread(spelled(rest).spellings))) else places


def _letters(case: str) -> str:
    return string.ascii_lowercase if case == "lower" else string.ascii_uppercase


def _has_places(field: fake, room: int) -> bool:
    """Return whether a provider's values have digits or the like at places of their own, which can be counted in."""
    values = pool(faker_of(LOCALE), lambda fake: getattr(fake, field.provider)(), field.provider, 100)
    return all(isinstance(one, str) for one in values) and math.prod(map(len, usual_places(values, room))) >= ENOUGH


def _fits(provider: str, column: Column) -> bool:
    """Return whether most values of a provider are no longer than the column."""
    room = _room(column)
    if provider in ("name", "first_name", "last_name"):
        return room >= SHORT - 1
    return room >= 100 or sum(len(value) <= room for value in _sample(provider)) >= 0.75 * SAMPLE


@cache
def _sample(provider: str) -> list[str]:
    """Return some values of a provider."""
    return [str(one) for one in pool(faker_of(LOCALE), lambda fake: getattr(fake, provider)(), provider, SAMPLE)]


def _fields_by_name(column: Column, said: meanings.Texts) -> Iterator[fake | choice | spelled]:
    """Yield what may fill a column of texts as its name says, the usual first; codes first in what is of their length.

    There is room for all of it, but for values of providers.
    """
    room = _room(column)
    providers = [one for one in said.providers if room >= LEAST_ROOM.get(one, 0)]
    if room < SHORT:
        providers.sort(key=lambda one: not all(len(value) == room for value in _sample(one)))
    yield from map(fake, providers)
    yield from (choice(*words) for words in said.options if room >= max(map(len, words)))
    yield from (spelled(meanings.places(like)) for like in said.like if len(like) <= room)
    if said.numbers is not None:
        low, high = said.numbers
        numbers = [str(one) for one in range(low, high + 1, max(1, (high - low) // 1_000))]
        if room >= len(numbers[-1]):
            made = choice(numbers)
            made.description = f"{low} to {high}"
            yield made


def _fulfilling(column: Column, bounds: Bounds) -> Callable[[str], bool]:
    """Return what tells whether a text fits into a column and fulfils what CHECKs say of it; its case is for later."""
    longest = min(_room(column), bounds.longest or _room(column))
    low, high = (one if isinstance(one, str) else None for one in (bounds.low, bounds.high))
    change: Callable[[str], str] = {"upper": str.upper, "lower": str.lower}.get(bounds.case, str)

    def fulfils(text: str) -> bool:
        text = change(text)
        return (
            max(bounds.shortest, 1) <= len(text) <= longest
            and all(one.search(text) for one in bounds.patterns)
            and (low is None or low <= text)
            and (high is None or text <= high)
            and text not in bounds.excluded
        )

    return fulfils


def _best(fields: Iterable[fake | choice | spelled], fulfils: Callable[[str], bool]) -> Field | None:
    """Return the first of some fields of whose values most fulfil something, or the one of which most do."""
    most, best = FEWEST, None
    for one in fields:
        if isinstance(one, spelled):
            values = _spread(one.spellings)
        else:
            values = _sample(one.provider) if isinstance(one, fake) else one.options
        found = fulfilling(values, fulfils)
        share = len(found) / len(values)
        if share > most and (share == 1 or not isinstance(one, spelled)):
            most, best = share, choice(*dict.fromkeys(found)) if isinstance(one, choice) else one
        if most >= 0.5:
            break
    return best


def _spread(spellings: Sequence[str]) -> list[str]:
    """Return some of all spellings, from the first on."""
    return [spellings[one * len(spellings) // SAMPLE] for one in range(SAMPLE)]


def _apart_as_written(field: written, column: Column) -> Field | None:
    """Return what fulfils a CHECK as some values do and is there once: they and a number, or what is like them."""
    found, before = fulfilling(_sample(field.provider), field.fulfils), _NUMBER_AFTER.get(field.provider)
    if before in ("-", " ") and all(field.fulfils(f"{one}{before}{end}") for one in found for end in (1, 1_000_000)):
        return numbered_text(field, before)
    places = usual_places(found, _room(column))
    spellings = spelled(places).spellings if math.prod(map(len, places)) >= ENOUGH else None
    if spellings is not None and all(map(field.fulfils, _spread(spellings))):
        return shaped(field, _room(column))
    return field.otherwise if isinstance(field.otherwise, spelled) else None


# Rows that keep to CHECKs in different ways


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
    | earlier_number
)


def _go_together(
    table: sa.Table, declared: Mapping[str, Plan], around: Around, one: dict[str, Plan], other: dict[str, Plan]
) -> bool:
    """Return whether rows can be filled in one way and the other: none clashes with another, or waits for it."""
    others = {name for name in one if _look(one[name]) != _look(other[name])}
    keys = [key for key in keys_of(table, declared, around) if others & {column.name for column in key.columns}]
    in_keys = {column.name for key in keys for column in key.columns}
    return all(_are_apart(key, one, other) for key in keys) and not any(
        plan.second
        or (plan.field is None and _filled(table.columns[name], plan) is _UNKNOWN)
        or not (name in in_keys or isinstance(_inner(plan.field), _IN_ONE_WAY | None))
        for name in others
        for plan in (one[name], other[name])
    )


def _are_apart(key: Key, one: Mapping[str, Plan], other: Mapping[str, Plan]) -> bool:
    """Return whether no row of one way can be like one of another in a key: for a NULL, or values that it never has."""
    for column in key.columns:
        pair = one[column.name], other[column.name]
        if key.has_nulls and any(plan.field is None and plan.why.endswith(_ALWAYS_NULL) for plan in pair):
            return True
        values = [_listed_values(plan) for plan in pair]
        if all(values) and not {*values[0]} & {*values[1]}:
            return True
    return False


def _listed_values(plan: Plan) -> Sequence[Any]:
    """Return all that a column can hold, where that is a few values and never NULL; nothing of any other."""
    field = plan.field
    if isinstance(field, digit):
        field = field.components[field.place].field
    return field.values() or () if isinstance(field, choice | constant) else ()


def _in_some_way(table: sa.Table, ways: Sequence[Mapping[str, Plan]]) -> dict[str, Plan]:
    """Return the plans of a table whose rows are filled in different ways."""
    first, *_ = ways
    others = [name for name in first if len({_look(way[name]) for way in ways}) > 1]
    filled = [{table.columns[name]: _filled(table.columns[name], way[name]) for name in others} for way in ways]
    all_ways = Ways(filled)
    made = {
        name: Plan(
            either([way[table.columns[name]] for way in filled], all_ways), first[name].why.removesuffix(_ALWAYS_NULL)
        )
        for name in others
    }
    return {**first, **made}


def _look(plan: Plan) -> str:
    return plan.how if plan.second or plan.field else plan.why


_UNKNOWN = constant(None)  # stands for what only the server knows


def _filled(column: Column, plan: Plan) -> Field | None:
    """Return what fills a column, where the server would as well; None where it is NULL."""
    if plan.field is not None or plan != _LEFT:
        return plan.field
    text = _plain(column.server_default)
    kind = plain_type(column)
    if (
        text is None
        or not isinstance(kind, sa.String | sa.Integer)
        or (isinstance(kind, sa.Integer) and not text.isdigit())
    ):
        return _UNKNOWN
    return constant(int(text) if isinstance(kind, sa.Integer) else text)


def _plain(default: Any) -> str | None:
    """Return a server default that is a plain value; None of any other."""
    arg = getattr(default, "arg", None)
    if isinstance(arg, str):
        return arg
    found = re.fullmatch(r"'([^']*)'|(\d+)", str(arg).strip())
    return (found[1] if found[1] is not None else found[2]) if found else None


# Types


def _field_of(kind: Any, column: Column, bounds: Bounds) -> Field | None:
    """Return what fills a column of a type when nothing else is known of it; None where nothing is known at all."""
    for types, make in _BY_TYPE:
        if isinstance(kind, types):
            return _without(make(kind, column), bounds.excluded)
    return _by_type_name(kind, column)


def _by_type_name(kind: Any, column: Column) -> Field | None:
    name = type(kind).__name__.upper()
    if name == "BIT":
        return computed("bits", lambda random, number: "1" * (kind.length or 1))
    if name in _RANGES:
        return computed("a range", _range_of(_RANGES[name]))
    if name.replace("MULTI", "") in _RANGES:
        one = _range_of(_RANGES[name.replace("MULTI", "")])
        return computed("ranges", lambda random, number: [one(random, number)])
    if name in _BY_TYPE_NAME:
        return computed(*_BY_TYPE_NAME[name], unique=True)
    try:
        general = kind.as_generic()
    except NotImplementedError:
        return None
    return _field_of(general, column, Bounds()) if type(general) is not type(kind) else None


def _apart(columns: Sequence[Column]) -> Iterator[tuple[Column, Field]]:
    """Yield what fills a range, or the two columns that make one, so that no two of them overlap."""
    steps = _RANGES.get(type(columns[0].type).__name__) if columns else None
    if len(columns) == 1 and steps is not None:
        yield columns[0], computed("none over another", _range_of(steps, apart=True), unique=True)
    if len(columns) == 2 and all(isinstance(plain_type(one), sa.Date | sa.DateTime | sa.Integer) for one in columns):
        yield from zip(columns, _in_steps(columns), strict=True)


_DAY, _YEAR = timedelta(days=1), timedelta(days=365)
_TIMES = date(2026, 1, 1), date(9000, 1, 1)  # between which steps go on


def _in_steps(columns: Sequence[Column], bounds: Sequence[Bounds] = ()) -> Iterator[in_steps]:
    """Yield what fills columns of one type with values that go on in steps, from one to the next and row by row."""
    kind, as_moment = plain_type(columns[0]), _as_moment(columns[0])
    step: Any = 1 if isinstance(kind, sa.Integer) else timedelta(hours=1) if isinstance(kind, sa.DateTime) else _DAY
    first, last = (1, integer_range(columns[0])[1]) if isinstance(kind, sa.Integer) else map(as_moment, _TIMES)
    low = max((as_moment(one.low) for one in bounds if one.low is not None), default=first)
    high = min((as_moment(one.high) for one in bounds if one.high is not None), default=last)
    return (in_steps(columns, place, Steps(low, step, (high - low) // step + 1)) for place in range(len(columns)))


def _range_of(steps: Steps, *, apart: bool = False) -> Callable[[Any, int], Any]:
    """Return what makes ranges of some steps of a kind, from a first value on; none of which overlap, if they must."""
    from sqlalchemy.dialects.postgresql import Range

    def make(random: Any, number: int) -> Any:
        if apart:
            return Range(steps.low + number * steps.step, steps.low + (number + 1) * steps.step)
        low = steps.low + number % 1_000 * steps.step
        return Range(low, low + random.randint(1, 30) * steps.step)

    return make


_RANGES = {
    "INT4RANGE": Steps(1, 1, 1),
    "INT8RANGE": Steps(1, 1, 1),
    "NUMRANGE": Steps(Decimal(0), Decimal("0.5"), 1),
    "DATERANGE": Steps(date(2026, 1, 1), timedelta(days=1), 1),
    "TSRANGE": Steps(datetime(2026, 1, 1), timedelta(hours=1), 1),
    "TSTZRANGE": Steps(datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1), 1),
}


def _text(kind: Any, column: Column) -> Field:
    room = _room(column)
    return spelled([string.ascii_uppercase] * room) if room < SHORT else text()


def _number(kind: Any, column: Column) -> Field:
    return _between(column, *(_span(column, Bounds()) or (0, 1)))


def _integer(column: Column) -> Field:
    low, high = integer_range(column)
    return between(*meanings.YEARS) if low > 0 else between(0, min(1000, high))


def _bytes(kind: Any, column: Column) -> Field:
    size = kind.length or 16
    return computed(f"{size} bytes", lambda random, number: random.randbytes(size))


def _array(kind: Any, column: Column) -> Field | None:
    item = sa.Column(column.name, kind.item_type)
    inner = _field_of(kind.item_type, item, Bounds())
    return listed(inner, kind.dimensions or 1) if inner is not None else None


def _enum(kind: Any, column: Column) -> Field:
    return choice(list(kind.enum_class) if kind.enum_class else list(kind.enums))


def _document(column: Column) -> Field:
    """Return what fills a column of JSON: lists where that is what a model has in place of nothing."""
    default = getattr(column.default, "arg", None)
    is_list = getattr(default, "__name__", "") == "list" or isinstance(default, list)
    return computed("a small list", small_list) if is_list else computed("a small object", small_object)


def _uuid(kind: Any, column: Column) -> Field:
    as_uuid = bool(kind.as_uuid)
    return computed("a UUID", lambda random, number: unique_uuid(random.getrandbits(76), number, as_uuid), unique=True)


_BY_TYPE: list[tuple[Any, Callable[[Any, Column], Field | None]]] = [
    (sa.Boolean, lambda kind, column: choice(False, True)),
    (sa.Enum, _enum),
    (sa.Integer, lambda kind, column: _integer(column)),
    (DECIMAL, _number),
    (sa.String, _text),
    (sa.Date | sa.DateTime, lambda kind, column: last_year()),
    (sa.Time, lambda kind, column: _between(column, time(0), time(23, 59))),
    (sa.Interval, lambda kind, column: between(*meanings.while_of(column))),
    (sa.Uuid, _uuid),
    (BINARY, _bytes),
    (sa.JSON | sa.PickleType, lambda kind, column: _document(column)),
    (sa.ARRAY, _array),
]
_BY_TYPE_NAME: dict[str, tuple[str, Callable[[Any, int], Any]]] = {
    "INET": ("an address", lambda random, number: f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"),
    "CIDR": ("a network", lambda random, number: f"10.{number >> 8 & 255}.{number & 255}.0/24"),
    "MACADDR": ("a MAC address", lambda random, number: (2 << 40 | number).to_bytes(6, "big").hex(":")),
    "MACADDR8": ("a MAC address", lambda random, number: (2 << 56 | number).to_bytes(8, "big").hex(":")),
    "HSTORE": ("a small object", lambda random, number: {"number": str(number)}),
    "INTERVAL": ("a while", lambda random, number: timedelta(minutes=number % 43_200 + 1)),
    "TSVECTOR": ("words", lambda random, number: f"word{number}"),
    "MONEY": ("an amount", lambda random, number: str(number % 100_000)),
    "OID": ("a number", lambda random, number: number + 1),
}  # fmt: skip


def _span(column: Column, bounds: Bounds) -> tuple[Any, Any] | None:
    """Return a lowest and highest value within the bounds, near the one that is given when the other is not."""
    kind = plain_type(column)
    if isinstance(kind, NUMBER):
        least, most = widest(column)
        low = max(least, bounds.low) if bounds.low is not None else None
        high = min(most, bounds.high) if bounds.high is not None else None
        if low is None:
            low = 0 if high is None or high > 0 else max(least, high - 1000)
        if high is None:
            high = min(max(1000, low + (low if low >= LARGE else 1000)), most)
        return (low, high) if low <= high else None
    low, high = bounds.low, bounds.high
    if isinstance(kind, sa.Date | sa.DateTime):
        as_moment = _as_moment(column)
        low, high = (as_moment(one) if one is not None else None for one in (low, high))
        near = timedelta(days=365)
        if high is None:
            given: Any = low
            return given, max(given + near, _as_moment(column)(TODAY))
        return (high - near if low is None else low, high) if low is None or low <= high else None
    if isinstance(kind, sa.Time):
        low, high = low or time(0), high or time(23, 59)
        return (low, high) if low <= high else None
    if isinstance(kind, sa.Interval) and (low is None) is not (high is None):
        usual = meanings.while_of(column)
        return (low, low + usual[1]) if high is None else (min(usual[0], high), high)
    return (low, high) if low is not None and high is not None else None


def _as_moment(column: Column) -> Callable[[Any], Any]:
    """Return what makes of a day the first moment of it, where the column holds moments."""
    kind = plain_type(column)
    if not isinstance(kind, sa.DateTime):
        return lambda day: day
    zone = UTC if kind.timezone else None
    return lambda day: day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=zone)


def _between(column: Column, low: Any, high: Any) -> Field:
    kind = plain_type(column)
    if isinstance(kind, DECIMAL):
        places = 2 if meanings.is_money(column) and high - low >= 1 else None
        return decimals(Decimal(str(low)), Decimal(str(high)), as_float=not kind.asdecimal, places=places)
    if isinstance(kind, sa.Time):
        minutes = range(low.hour * 60 + low.minute + (low.second > 0), high.hour * 60 + high.minute + 1)
        made = choice([time(minute // 60, minute % 60) for minute in minutes])
        made.description = f"{low:%H:%M} to {high:%H:%M}"
        return made
    return between(low, high)


def _without(field: Field | None, excluded: Sequence[Any]) -> Field | None:
    """Return a field without some values; of a long range only its lowest and highest can be left out."""
    if not excluded or field is None:
        return field
    if isinstance(field, choice):
        rest = {one: weight for one, weight in field.weights.items() if one not in excluded}
        return choice(rest) if rest else field  # else the database will say that nothing can be right
    if isinstance(field, between) and isinstance(field.low, int):
        values = range(field.low, field.high + 1)
        if len(values) <= 10_000:
            return choice([one for one in values if one not in excluded])
    if isinstance(field, decimals) and field.low in excluded:
        return decimals(field.low + Decimal("0.01"), field.high, as_float=field.as_float, places=field.places)
    return field


# What a seeder declares against what the model says


def conflicts(
    table: sa.Table,
    declared: Mapping[str, Plan],
    methods: Collection[str],
    plans: Mapping[str, Plan],
    around: Around = Around(),
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
    for key in _of_sources(keys_of(table, {*declared, *methods}, around), plans, table):
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
    inner = _inner(plan.field)
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
    return shortened(repr(value))


def _less(one: Any, other: Any) -> bool:
    try:
        return bool(one < other)
    except TypeError:  # other types: the database will compare them
        return False
