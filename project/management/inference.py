"""What a model says of its columns: types, CHECK, UNIQUE, lengths, foreign keys and names become fields."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from graphlib import TopologicalSorter
from itertools import chain, takewhile
from typing import Any

import sqlalchemy as sa

from . import calendars, meanings
from .by_name import (
    ENOUGH,
    NUMBER_AFTER,
    SAMPLE,
    apart_as_written,
    best_of,
    fields_by_name,
    fits_into,
    has_places,
    in_case,
    letters_in,
    places_between,
    sample_of,
    what_fulfils,
    without_letters,
)
from .by_type import (
    BY_TYPE_NAME,
    SHORT,
    TODAY,
    between_ends,
    field_of,
    moment_of,
    none_over_another,
    room_of,
    span_of,
    steps_for,
    without_values,
)
from .computing import can_be_computed
from .conditions import checks_of, other_ways, read_checks, told_apart_by
from .derived import (
    full_name,
    gender,
    happened,
    honorific,
    names_for,
    sexes_can_be_told,
    telling,
    told,
)
from .documents import listing
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
    terms_of,
)
from .inferred import (
    Component,
    OrderedPair,
    above,
    calculated,
    cased,
    computed,
    copied,
    digit,
    earlier_alike,
    earlier_number,
    earlier_of_block,
    earlier_row,
    email,
    exact,
    fulfilling,
    last_year,
    listed,
    numbered_text,
    only_for,
    ordered,
    other_than,
    part_of_row,
    reference_where,
    shaped,
    spelled,
    text,
    unique_email,
    unique_text,
    unique_username,
    written,
)
from .numbering import Column
from .own_types import field_of_own_type, is_own
from .parents import leads_to
from .parsing import columns_in
from .partial import Part, is_never_in, once_for_each, parts_of
from .plans import (
    ALWAYS_NULL,
    LEFT,
    NOTHING_ELSE,
    QUOTED,
    WORD,
    Around,
    Key,
    Plan,
    columns_of_part,
    is_numbered,
    keys_of,
    of_sources,
    without_nulls,
)
from .reading import Bounds, Found, needed_by, widest
from .types import BINARY, DECIMAL, NUMBER, is_text, length_of, plain_type
from .vocabulary import words_of
from .ways import filled_as, go_together, in_some_way, plain_default

NULL_SHARE = 0.2

RARE_NULL_SHARE = 0.9

MULTIPLES = 200_000  # of a step, in a column in which none may come twice

MAIL_ROOM = 20  # characters, that an e-mail address needs

NUMBERED_ROOM = 16  # and a text with a number behind it

_ANOTHER_EACH_TIME = re.compile("uuid|rand|nextval|next value", re.IGNORECASE)


def plan_table(table: sa.Table, declared: Mapping[str, Plan], around: Around = NOTHING_ELSE) -> dict[str, Plan]:
    """Return how each column of a table is filled: as declared, else as the model says it."""
    found_ways = [read_checks(table), *other_ways(table)]
    alike = [key.columns for key in keys_of(table, declared, around) if not key.has_nulls and not key.where]
    found_ways = [one for one in found_ways if not any(_is_alike(one, columns) for columns in alike)] or found_ways
    first, *others = found_ways
    known = [one for found in found_ways for one in found.items()]
    said = {name for name, bounds in known if bounds.after or bounds.within or bounds.same}
    said |= {bounds.same for _, bounds in known if bounds.same}
    plans = _Planner(table, declared, around, first, said).plan()
    ways, taken = [plans], [first]
    for found in others:
        way = _Planner(table, declared, around, found, said).plan()
        if all(go_together(table, declared, around, one, way) for one in ways):
            ways.append(way)
            taken.append(found)
    together = in_some_way(table, ways, _told_by(table, declared, taken))
    if not any(plan.field for plan in together.values()):  # a row has to have something
        nothing = "there is nothing else to fill"
        together |= {column.name: Plan(numbered(), nothing) for column in table.primary_key.columns}
    return together


def _columns_of(keys: Iterable[Key]) -> tuple[Column, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(one.columns for one in keys)))


@dataclass(frozen=True)
class _KeptOut:
    """What keeps rows out of a partial index: what fills a column of its condition, and what where they are not in."""

    key: Key
    part: Part
    plan: Plan
    outside: Field


def _is_alike(way: Found, columns: Sequence[Column]) -> bool:
    """Return whether all rows of a way are NULL in a key in which that may come only once."""
    return all(way.get(column.name, Bounds()).always_null for column in columns)


def _told_by(table: sa.Table, declared: Mapping[str, Plan], ways: Sequence[Found]) -> tuple[str, Sequence[Any]] | None:
    """Return the column that tells in which way a row is, where a seeder declares its values, and its value in each."""
    several = told_apart_by(table)
    field = declared[several.name].field if several is not None and several.name in declared else None
    if several is None or field is None or field.values() is None:
        return None
    options = (found.get(several.name, Bounds()).options for found in ways)
    return several.name, [one[0] if one else None for one in options]


class _Planner:
    """Plans one table: columns one by one, then the keys, then what depends on other columns."""

    def __init__(
        self, table: sa.Table, declared: Mapping[str, Plan], around: Around, found: Found, said: Collection[str]
    ) -> None:
        """Take what CHECKs say in one of their ways, and the columns that they compare with others in any of them."""
        self.table, self.declared, self.around = table, declared, around
        self.bounds = {name: one.copied() for name, one in found.items()}
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
        self.doubtful = {column.name for tree in doubtful for column in columns_in(tree, table)}  # which may be mended
        self.wanted |= self.doubtful
        self.plans: dict[str, Plan] = {}
        self.some: list[_KeptOut] = []
        keys = keys_of(table, declared, around)
        self.keys = [one for one in keys if not is_never_in(table, one.where, self._options)]

    def _options(self, column: Column) -> Sequence[Any]:
        """Return all that a column can hold in this way, where CHECKs list it."""
        return [None] if self._is_always_null(column) else self._bounds(column).options or ()

    def plan(self) -> dict[str, Plan]:
        for column in self.table.columns:
            declared = self.declared.get(column.name)
            plan = self._declared(column, declared) if declared is not None else self._plan(column)
            self.plans[column.name] = plan
        self._let_columns_tell()
        self._number_what_refers_to_itself()
        self._order_references()
        self.keys = [*of_sources(self.keys, self.plans, self.table)]
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
        fields = {name: without_nulls(plan.field) for name, plan in self.plans.items()}
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
        is_left = not is_numbered(own, self.around) and (own.server_default is not None or own.foreign_keys)
        if is_always or is_left or not own.primary_key or {column.name, own.name} & {*self.declared}:
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
        if isinstance(kind, NUMBER) and widest(column)[1] < widest(other)[1]:
            return  # what is above the other may have no room
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
        if column in self.tied.values() and is_numbered(column, self.around):
            return Plan(numbered(), "rows refer to earlier ones")
        if is_numbered(column, self.around):
            return Plan(None, "identity")
        if column.computed is not None:
            return Plan(None, "computed")
        if self._is_always_null(column):
            return Plan(None, f"{bounds.why}{ALWAYS_NULL}")
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
        is_there = not column.nullable or column.primary_key or bounds.never_null  # a model may say that a key is NULL
        if is_there or column.default is not None or plan.field is None or plan.second is not None:
            return plan
        if isinstance(plan.field, part_of_row):  # with the others of its key
            return Plan(plan.field.with_nulls(NULL_SHARE), f"{plan.why}, nullable")
        share = RARE_NULL_SHARE if meanings.is_rare(column) else NULL_SHARE
        return Plan(maybe(plan.field, share), f"{plan.why}, nullable")

    def _value(self, column: Column, bounds: Bounds) -> Plan:
        own = field_of_own_type(column) if not bounds.names and not _has_default(column) else None
        if own is not None:
            return Plan(own, f"{type(column.type).__name__} column")
        filled = self._by_check(column, bounds) or self._by_name(column, bounds)
        is_allowed = (plain_default(column.server_default) or "") not in [*map(str, bounds.excluded)]
        if filled is None and _has_default(column) and is_allowed and column.name not in self.wanted:
            return LEFT
        usual = getattr(column.default, "arg", None) if filled is None and not self._is_unique_alone(column) else None
        is_plain = is_text(column) and column.type is plain_type(column)
        if is_plain and isinstance(usual, str) and usual and len(usual) <= room_of(column):
            return Plan(constant(usual), "the model's default")
        filled = filled or self._by_type(column, bounds)
        is_decimal = isinstance(plain_type(column), DECIMAL)
        if bounds.parts and is_decimal and filled.field is not None and bounds.formula is None:
            return Plan(exact(filled.field, bounds.parts, bounds.low), filled.why)
        if isinstance(filled.field, spelled):
            places = in_case(filled.field.spellings.places, bounds.case)
            return Plan(spelled(without_letters(places, what_fulfils(column, bounds))), filled.why)
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
        if is_text(column):
            return self._text_by_check(column, bounds)
        if bounds.json == "array":
            return Plan(listing(column), bounds.why)
        limited = bounds.names and ((bounds.low, bounds.high) != (None, None) or bounds.multiple > 1)
        span = span_of(column, self._with_range_of_name(column, bounds)) if limited else None
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
        return (
            Plan(without_values(between_ends(column, *span), bounds.excluded), bounds.why) if span is not None else None
        )

    def _above(self, column: Column, bounds: Bounds, days: Sequence[Any]) -> Plan:
        """Return what fills a column that is compared with others, near them and as its name says."""
        low, high, usual = bounds.low, bounds.high, self.usual.get(column.name)
        is_day, is_open = isinstance(plain_type(column), sa.Date | sa.DateTime), bounds.low is bounds.high is None
        is_open = is_open and not bounds.within
        if is_open and isinstance(plain_type(column), NUMBER) and (named := meanings.numbers(column)):
            low, high = named if meanings.is_year(column) or meanings.is_epoch(column) else (None, named[1])
        elif is_open and is_day:
            if (span := meanings.days(column, TODAY)) is not None:
                low, high = map(moment_of(column), span)
                usual = usual or span[1] - span[0]
            elif meanings.is_past(column):
                high = moment_of(column)(TODAY)
        most = widest(column)[1] if isinstance(plain_type(column), NUMBER) else high
        high = min(high, most) if high is not None else None
        description = f"{low} to {high}" if low is not None and high is not None else ""
        high = most if high is None else high
        why = bounds.why or f"the column is called {column.name}"
        return Plan(above(bounds.after, low, high, description, bounds.within, days, usual), why)

    def _with_range_of_name(self, column: Column, bounds: Bounds) -> Bounds:
        """Return bounds that are closed, where one side is open, by what the column's name asks for."""
        as_moment = moment_of(column)
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
            low, high = map(moment_of(column), meanings.days(column, TODAY) or (TODAY - _YEAR, TODAY))
            known = replace(known, low=low, high=high)
        span = span_of(column, known)
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
        said, fulfils = meanings.texts(column), what_fulfils(column, bounds)
        if said == meanings.Texts():
            said = meanings.texts_like(bounds.like)
        why = f"the column is called {column.name}, {bounds.why}"
        if "email" in said.providers:
            made = email(*self._name_columns(column), longest=bounds.longest)
            return Plan(made, why) if room_of(column) >= MAIL_ROOM and all(map(fulfils, _ADDRESSES)) else None
        found = best_of(fields_by_name(column, said), fulfils)
        if isinstance(found, fake):
            otherwise = self._made_text_by_check(column, bounds)
            return Plan(written(found, fulfils, (otherwise and otherwise.field) or text()), why)
        return Plan(found, why) if found is not None else None

    def _made_text_by_check(self, column: Column, bounds: Bounds) -> Plan | None:
        if bounds.spelling is not None:
            places = bounds.spelled(room_of(column), is_padded=isinstance(plain_type(column), sa.CHAR))
            is_number = _SEPARATED.fullmatch(bounds.like) and self._is_of_digits(column)
            if is_number or _NUMBERED.fullmatch(bounds.like):
                places = [string.digits if len(one) > 1 else one for one in places]
            return Plan(spelled(places), bounds.why)
        ends = bounds.low, bounds.high
        if all(isinstance(one, str) for one in ends) and (places := places_between(*ends, room_of(column))):
            return Plan(spelled(places), bounds.why)
        length = length_of(column)
        most = min((one for one in (length, bounds.longest) if one is not None), default=None)
        if bounds.shortest > 1 and (most is not None and (most < SHORT or most == bounds.shortest)):
            letters = string.digits if self._is_of_digits(column) else letters_in(bounds.case)
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
            span = span_of(column, Bounds(low=found[0], high=found[1])) if found is not None else None
            made = without_values(between_ends(column, *span), bounds.excluded) if span is not None else None
            return Plan(made, why) if made is not None else None
        if not is_text(column) or has_default:
            return None
        said = meanings.texts(column)
        if "email" in said.providers:
            return Plan(email(*self._name_columns(column)), why) if room_of(column) >= MAIL_ROOM else None
        if said.in_sentences:
            return Plan(text(), why) if room_of(column) >= SHORT else None
        if said.options and bounds.names:
            return None
        fulfils = what_fulfils(column, Bounds())
        fields = [*fields_by_name(column, said)]
        for one in fields:
            if not isinstance(one, fake) or fits_into(one.provider, column):
                return Plan(one, why)
            is_last = one.provider != "catch_phrase" or one is fields[-1]  # without its spaces a phrase is none
            if is_last and 2 * len(fulfilling(sample_of(one.provider), fulfils)) >= SAMPLE:
                return Plan(written(one, fulfils, text()), why)
        best = best_of(fields, fulfils)
        return Plan(written(best, fulfils, text()), why) if isinstance(best, fake) else None

    def _day_by_name(self, column: Column, why: str) -> Plan | None:
        found = meanings.days(column, TODAY)
        if found is not None:
            return Plan(between_ends(column, *map(moment_of(column), found)), why)
        return Plan(last_year(), why) if meanings.is_moment(column) else None

    def _by_type(self, column: Column, bounds: Bounds) -> Plan:
        kind = plain_type(column)
        why = f"{type(column.type).__name__} column"
        made = field_of(kind, column, bounds)
        return Plan(made, why if made is not None else f"{why}: nothing is known to fill it with")

    def _name_columns(self, column: Column) -> tuple[str, ...]:
        """Return the columns that an e-mail address takes its letters from."""
        texts = {one.name.lower(): one.name for one in self.table.columns if isinstance(one.type, sa.String)}
        before = takewhile(lambda one: one is not column, self.table.columns)
        if any(isinstance(without_nulls(self.plans[one.name].field), unique_email) for one in before):
            return ()  # a second address is another one
        parts = [texts.get(first) or texts.get(other) for first, other in _NAME_PARTS]
        if all(parts):  # of which a full name is put together
            return tuple(part for part in parts if part)
        whole = [name for name, plan in self.plans.items() if _is_name(plan.field)]
        return tuple(whole[:1])

    # What columns tell of each other by their names

    def _let_columns_tell(self) -> None:
        """Let a total be the sum that its name says, and a moment be there where its flag is set: no CHECK says it."""
        in_keys = {column for key in self.keys for column in key.columns}
        days_first = sorted(self.table.columns, key=lambda one: not isinstance(plain_type(one), sa.Date))  # than ages
        for column in days_first:
            others = [one for one in self.table.columns if one is not column]
            plan = self.plans[column.name]
            if plan.declared or plan.second or plan.field is None or isinstance(plan.field, only_for):
                continue
            words = _words_in_checks_of(self.table, column.name)
            tied = {one.name for one in others if one.name.lower() in words}
            field = self._told(column, others, tied, is_key=column in in_keys)
            if field is not None:
                field = maybe(field, plan.field.share) if isinstance(plan.field, maybe) else field
                self.plans[column.name] = Plan(field, f"the column is called {column.name}")
            if not tied and column not in in_keys and column.nullable and not self._bounds(column).never_null:
                self._let_happen(column, others)

    def _told(self, column: Column, others: Sequence[Column], tied: set[str], *, is_key: bool) -> Field | None:
        """Return what fills a column from others that are filled: a total, an age, a full name, a gender.

        Args:
            tied: the columns that CHECKs compare it with: only of an end may they want that it is after its beginning.
        """
        bounds, drawn = self._bounds(column), without_nulls(self.plans[column.name].field)
        filled = [one for one in others if self.plans[one.name].field is not None and not is_own(one.type)]
        if drawn is None or column.foreign_keys or is_own(column.type):
            return None
        if (called := self._called(column, drawn, filled)) is not None and not tied:
            return None if is_key and not isinstance(called, full_name) else called
        said = telling(column, filled)
        if said is None or (is_key and not said.before) or not tied <= {*said.sources[: int(said.is_end)]}:
            return None
        if not all(self._can_tell(self.table.columns[one], column) for one in said.sources):
            return None
        is_open = bounds == Bounds(low=bounds.low, high=bounds.high, excluded=bounds.excluded, names=bounds.names)
        if isinstance(plain_type(column), NUMBER) and is_open:
            return told(said, drawn, bounds)
        is_open = bool(tied) or not bounds.names
        is_near = all(one in said.sources and steps <= 1 for one, steps in bounds.after)
        is_open = is_open and is_near and bounds == Bounds(after=bounds.after, names=bounds.names)
        return told(said, drawn, bounds) if is_open else None

    def _called(self, column: Column, drawn: Field, filled: Sequence[Column]) -> Field | None:
        """Return what fills a column that says something of what a person is called: a gender, a title, a full name."""
        names = [one for one in filled if words_of(one.name) == "first_name" or _is_name(self.plans[one.name].field)]
        if names and self._can_tell(names[0], column):
            if isinstance(drawn, choice) and sexes_can_be_told(drawn.options):
                return gender(drawn.options, names[0].name)
            if isinstance(drawn, fake) and drawn.provider == "prefix":
                sexes = [one.name for one in filled if sexes_can_be_told(self._all_values(one))]
                return honorific(names[0].name, *sexes[:1])
        whole = names_for(column, filled) if self._bounds(column) == Bounds() else None
        if whole and all(self._can_tell(self.table.columns[one], column) for one in whole):
            return full_name(*whole, drawn)
        return None

    def _can_tell(self, one: Column, column: Column) -> bool:
        """Return whether a column can be looked at to fill another one: it does not wait for that, nor is it mended."""
        if one.name in self.doubtful or self.plans[one.name].second:
            return False
        waiting, known = [one.name], set[str]()
        while waiting:
            if (name := waiting.pop()) in known:
                continue
            known.add(name)
            waiting += needed_by(self._bounds(self.table.columns[name]))
            field = self.plans[name].field
            while field is not None:  # and what it is put around
                if field.asks:
                    return False
                waiting += field.looks_at()
                field = getattr(field, "field", None)
        return column.name not in known

    def _let_happen(self, column: Column, others: Sequence[Column]) -> None:
        """Let a moment be there in the rows whose flag, or state, says that it has come, and in no others."""
        event, inner = happened(column, others, self._all_values), without_nulls(self.plans[column.name].field)
        if event is None or inner is None or isinstance(inner, part_of_row) or not self._can_tell(event.column, column):
            return
        owner, asked = event.column.name, self.plans[event.column.name]
        given = filled_as(event.column, asked) if asked.field is None else None
        if asked.field is not None:
            self.plans[column.name] = Plan(
                only_for(inner, owner, event.values), f"the columns are called {column.name} and {owner}"
            )
        elif given is not None and not event.has_come(given.values() or event.values):
            self.plans[column.name] = Plan(None, f"{owner} is {given.description}{ALWAYS_NULL}")
        elif given is not None and given.values():
            self.plans[column.name] = Plan(inner, f"{owner} is {given.description}")

    def _all_values(self, column: Column) -> Sequence[Any]:
        """Return what a column can be in any way, where that is a few values."""
        several, kind = told_apart_by(self.table), plain_type(column)
        if several is not None and several.name == column.name:
            return several.values
        if isinstance(kind, sa.Enum):
            return [*(kind.enum_class or kind.enums)]
        field = self.plans[column.name].field
        return (field.values() or ()) if field is not None else ()

    # References

    def _reference(self, column: Column) -> Plan:
        key = self._key_of(column)
        parent = key.referred_table
        why = f"FOREIGN KEY to {parent.fullname}"
        if key in self.late:
            return self._late_reference(column, key, why)
        if key in self.tied:
            own = self.tied[key]
            earlier = earlier_number if is_numbered(own, self.around) else earlier_of_block
            return Plan(earlier(own, unique=self._is_unique_alone(column)), f"{why}, itself")
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
        return bool(column.foreign_keys) and (declared is None or isinstance(without_nulls(declared.field), reference))

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
        is_ordered = (column.name, own.name) in self.below and not is_numbered(own, self.around)
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
        made = field_of(plain_type(column), column, Bounds())
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
                fields = [without_nulls(self.plans[one.name].field) for one in (lower, higher)]
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
        if self.plans[column.name] != LEFT or not isinstance(default, sa.DefaultClause):
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
        in_keys = {column for one in self.keys if one is not key for column in one.columns}
        for part in parts_of(self.table, key.where):
            column = part.column
            plan = self.plans[column.name]
            if plan == LEFT:
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
            fields = [*steps_for(some, bounds)]
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
            and isinstance(without_nulls(plan.field), above | between | last_year)
            and isinstance(plain_type(column), sa.Integer | sa.Date | sa.DateTime)
        )

    def _keep_ranges_apart(self) -> None:
        """Fill what an EXCLUDE constraint does not let overlap: ranges of which each ends where the next begins.

        https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-EXCLUDE
        """
        for constraint in self.table.constraints:
            for part, _, operator in getattr(constraint, "_render_exprs", ()):  # nothing public has the expressions
                if operator != "&&" or any(self.plans[one.name].declared for one in columns_of_part(part, self.table)):
                    continue
                why = f"EXCLUDE {constraint.name or ''}".strip()
                columns = [
                    source
                    for one in columns_of_part(part, self.table)
                    for source in (
                        columns_of_part(one.computed.sqltext, self.table) if one.computed is not None else (one,)
                    )
                ]
                for column, made in none_over_another(columns):
                    self.plans[column.name] = self._with_nulls(column, Plan(made, why), self._bounds(column))

    def _is_apart(self, column: Column, key: Key) -> bool:
        """Return whether a column of a key keeps rows apart already: alone, or as it is numbered with others of it."""
        plan = self.plans[column.name]
        inner = without_nulls(plan.field)
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
            if type(without_nulls(plan.field)) is last_year and isinstance(plain_type(column), sa.Date):
                days = between(TODAY - timedelta(days=36_525), TODAY)
                self.plans[column.name] = Plan(days, plan.why)

    def _forget_order_of_names(self, key: Key) -> None:
        """Let a moment that may not repeat come before another one again, where only their names ask for an order."""
        for column in key.columns:
            plan, bounds = self.plans[column.name], self._bounds(column)
            if isinstance(without_nulls(plan.field), above) and not bounds.names:
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
        inner = without_nulls(self.plans[column.name].field)
        if isinstance(inner, other_than):
            inner = inner.field
        if isinstance(inner, part_of_row):
            others = (self.plans[one.name].field for one in inner.key.columns)
            return not any(isinstance(without_nulls(one), digit) for one in others)
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
            where = some[0].where if len(some) == 1 else ""
            field = digit(components, column, of_each, has_all=has_all, then_null=then_null, where=where)
            self.plans[column.name] = Plan(field, ", ".join(filter(None, why)), self.plans[column.name].declared)

    def _null_in_the_end(self, keys: Sequence[Key]) -> Column | None:
        """Return a column of all of some keys that any number of rows may leave NULL: nothing else speaks of it."""
        others = [one.name for one in self.table.columns]
        for column in keys[0].columns if keys else ():
            is_free = column.nullable and not self._bounds(column).never_null and not self.plans[column.name].declared
            is_alone = not isinstance(without_nulls(self.plans[column.name].field), part_of_row)
            is_tied = _are_in_check(self.table, column.name, [one for one in others if one != column.name])
            if is_free and is_alone and not is_tied and all(one.has_nulls and column in one.columns for one in keys):
                return column
        return None

    def _let_others_give_way(self, columns: Collection[Column]) -> None:
        """Let a column that is not numbered through differ from one that is, and not the other way round."""
        names = [one.name for one in columns]
        for name in names:
            inner = without_nulls(self.plans[name].field)
            outside = [one for one in inner.others if one not in names] if isinstance(inner, other_than) else []
            for other in (one for one in outside if self._can_give_way(self.plans[one])):
                self.plans[name] = replace(self.plans[name], field=_with_others(inner, without=other))
                inner = self.plans[name].field
                plan = self.plans[other]
                share = plan.field.share if isinstance(plan.field, maybe) else 0.0
                field = _with_others(without_nulls(plan.field), name)
                self.plans[other] = replace(plan, field=maybe(field, share) if share else field)

    def _can_give_way(self, plan: Plan) -> bool:
        inner = without_nulls(plan.field)
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
        is_listed = isinstance(plain_type(column), sa.Boolean | sa.Enum) or isinstance(
            without_nulls(plan.field), spelled
        )
        return not column.nullable and (plan.declared or bool(column.foreign_keys) or is_closed or is_listed)

    def _components(self, columns: Sequence[Column]) -> Iterator[Component]:
        """Yield the columns of keys one by one; those of foreign keys of several columns together."""
        parts = {one: without_nulls(self.plans[one.name].field) for one in columns}
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
        kind, bounds, field = plain_type(column), self._bounds(column), without_nulls(self.plans[column.name].field)
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
        room = min(room_of(column), bounds.longest or room_of(column))
        if isinstance(field, told | full_name) and field.before and room >= NUMBERED_ROOM:
            return numbered_text(field, field.before)
        is_mail = isinstance(field, email) or "mail" in column.name.lower()
        if is_mail and (not bounds.patterns or all(map(what_fulfils(column, bounds), _ADDRESSES))):
            return unique_email(*self._name_columns(column), longest=bounds.longest)
        if isinstance(field, written):
            apart = apart_as_written(field, column)
            if apart is not None and not (bounds.case and isinstance(apart, shaped)):
                return apart
        if bounds.shortest > 1 or room < SHORT:
            size = max(bounds.shortest, min(room, SHORT - 1))
            return spelled([letters_in(bounds.case)] * size) if size <= room else None
        if isinstance(field, spelled):
            return field
        if isinstance(field, fake) and not bounds.case:
            if field.provider == "ipv4":
                return computed(*BY_TYPE_NAME["INET"], unique=True)
            if field.provider in NUMBER_AFTER and room >= NUMBERED_ROOM:
                return numbered_text(field, NUMBER_AFTER[field.provider])
            if field.provider == "user_name" and (names := self._name_columns(column)):
                return unique_username(*names)
            if has_places(field, room):
                return shaped(field, room)
        if isinstance(field, choice) and not bounds.names and room >= NUMBERED_ROOM:
            return numbered_text(field)
        return unique_text(bounds.case)


# Names of people in a table, for its e-mail addresses.
_NAME_PARTS = [("first_name", "firstname"), ("last_name", "lastname")]


# What addresses look like, the shortest and a long one.
_ADDRESSES = ("x1@example.org", "ada.lovelace123456@example.org")

_OF_DIGITS = {"phone_number", "postcode", "ean13", "isbn13", "ssn", "credit_card_number"}

_NUMBERED = re.compile(r"[A-Z][A-Z0-9./-]*_[_./-]*")  # one for what begins with capital letters: SO-______

_SEPARATED = re.compile(r"[_ ./()+-]*_[_ ./()+-]*")  # a pattern of LIKE that asks for nothing but signs between


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
    inner = without_nulls(field)
    inner = inner.field if isinstance(inner, numbered_text) else inner
    return isinstance(inner, fake) and inner.provider == "name" and not inner.arguments


def _with_others(field: Field | None, *more: str, without: str = "") -> Field:
    """Return a field that must differ from other columns, too, or from one less."""
    assert field is not None
    others = [*field.others, *more] if isinstance(field, other_than) else more
    others = [one for one in others if one != without]
    field = field.field if isinstance(field, other_than) else field
    return other_than(field, *others) if others else field


def _are_in_check(table: sa.Table, name: str, others: Collection[str]) -> bool:
    """Return whether a CHECK speaks of a column, and of one of some others too."""
    return not _words_in_checks_of(table, name).isdisjoint(map(str.lower, others))


def _words_in_checks_of(table: sa.Table, name: str) -> set[str]:
    """Return the words, in small letters, of the CHECKs that speak of a column."""
    return {word for words in _words_of_checks(table) if name.lower() in words for word in words}


@cache
def _words_of_checks(table: sa.Table) -> list[set[str]]:
    texts = (str(one.sqltext) for one in table.constraints if isinstance(one, sa.CheckConstraint))
    return [{*map(str.lower, WORD.findall(QUOTED.sub("", text)))} for text in texts]


def _length(column: Column) -> str:
    length = length_of(column)
    return f", at most {length} characters" if length else ""


_YEAR = timedelta(days=365)
