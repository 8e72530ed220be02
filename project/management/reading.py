"""One condition of a CHECK, read into what it asks of each column: bounds, lists, spellings, comparisons."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import chain
from typing import Any

import sqlalchemy as sa

from .calendars import MOST, STARTS, part_of
from .computing import in_python
from .fields import Formula, integer_range, scale_of, terms_of
from .literals import MIRRORED, born_of, distance_of, literal_of, or_zero, today_of, typed, value_of, without_cast
from .numbering import Column
from .parsing import of_domain
from .spellings import SMALL_LETTERS, places_of_like, places_of_regexp, regexp_of_part
from .types import DECIMAL, NUMBER, length_of, plain_type

NARROW = 10_000  # a column for smaller numbers than this has no room above most of them
COUNTED = (*NUMBER, sa.Date, sa.DateTime, sa.Time, sa.Interval)  # types of which one value comes after another


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

    def lists(self, value: Any) -> bool:
        """Return whether a value is one of those that there may be, where they are listed, and is not left out."""
        return (self.options is None or value in self.options) and value not in self.excluded

    def allows(self, option: Any) -> bool:
        """Return whether one of the values that there may be is not left out, and within the bounds."""
        try:
            is_below, is_above = (
                self.low is not None and option < self.low,
                self.high is not None and option > self.high,
            )
        except TypeError:  # of other types: the database will compare them
            return option not in self.excluded
        return option not in self.excluded and not is_below and not is_above

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


def copied(found: Found) -> Found:
    """Return what is known, to be changed without the other."""
    return {name: bounds.copied() for name, bounds in found.items()}


def is_possible(bounds: Bounds) -> bool:
    """Return whether there is a value that fulfils what is known of a column, as far as that can be told."""
    if bounds.options is not None and not any(map(bounds.allows, bounds.options)):
        return False
    is_empty = bounds.low is not None and bounds.high is not None and bounds.low > bounds.high
    return not is_empty and not (bounds.always_null and bounds.never_null)


def waits_for(found: Found, name: str, other: str) -> bool:
    """Return whether a column is filled from another, or from one that is."""
    reached, ahead = set[str](), [name]
    while ahead:
        if (one := ahead.pop()) not in reached:
            reached.add(one)
            ahead += needed_by(found.get(one, Bounds()))
    return other in reached


def needed_by(bounds: Bounds) -> Iterator[str]:
    """Yield the columns that one is filled from."""
    yield from filter(None, (*bounds.unequal, bounds.same))
    sums = (one for one in bounds.within if not isinstance(one[0], str))
    for formula in (bounds.formula, *(what for what, _ in (*bounds.after, *sums))):
        yield from terms_of(formula)


class Reader:
    """Reads one constraint into what is known of a table's columns."""

    def __init__(self, table: sa.Table, found: Found, name: str, turn: int = 0, narrow: set[str] | None = None) -> None:
        """Take the table, what is known of it, the constraint's name, and which of some alternatives to try first.

        Args:
            narrow: gets the name where there are alternatives that cannot be read, so that no row would have them.
        """
        self.table, self.found, self.name, self.turn, self.narrow = table, found, name, turn, narrow

    def _try(self, read: Callable[[Reader], bool]) -> bool:
        """Keep what is read where that is certain, and can be."""
        trial = copied(self.found)
        understood = read(Reader(self.table, trial, self.name, self.turn, self.narrow))
        impossible = [
            name for name, one in trial.items() if not is_possible(one) and is_possible(self._bounds_of(name))
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
        tree = of_domain(domain, column)
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
            Reader(self.table, trial, self.name).read(part, negated=negated)
            options = [bounds.options for bounds in trial.values()]
            if len(trial) == 1 and options[0] is not None:
                together.setdefault(next(iter(trial)), []).append(options[0])
        if len(together) == 1 and sum(map(len, together.values())) == len(parts):
            [(name, several)] = together.items()
            return self._limit_to(self.table.columns[name], list(dict.fromkeys(chain.from_iterable(several))))
        if any(self._holds_anyway(part, negated) for part in parts):
            return True
        meaningful = [part for part in parts if not isinstance(part.unnest(), exp.Is)] or parts
        named = {name for part in meaningful for name in self._asked_of(part, negated)}
        # A share of a column that may be NULL is so anyway, unless it is to others that it matters.
        others = [part for part in parts if part not in meaningful and named - {part.this.name.lower()}]
        rest = [part for part in parts if part not in (*meaningful, *others)]
        if len(others) == 1 and not negated:
            there = exp.not_(others[0].copy())
            rest += others  # what is asked to be there with it is not there without it either, if that can be
            others = [exp.and_(others[0].copy(), *self._nothing_of(meaningful))]
            meaningful = [exp.and_(there, part.copy()) for part in meaningful]
        if self.narrow is not None and not all(
            Reader(self.table, {}, self.name, self.turn, self.narrow).read(part, negated=negated) for part in meaningful
        ):
            self.narrow.add(self.name)
        in_turn = [*meaningful, *others]
        first = self.turn % len(in_turn)
        return any(
            self._try(lambda reader, part=part: reader.read(part, negated=negated))  # type: ignore[misc]  # of this turn
            for part in in_turn[first:] + in_turn[:first] + rest
        )

    def _asked_of(self, part: Any, negated: bool) -> set[str]:
        """Return the columns of which an alternative asks something, by itself."""
        asked: Found = {}
        Reader(self.table, asked, "").read(part, negated=negated)
        return {name.lower() for name, bounds in asked.items() if replace(bounds, names=[]) != Bounds()}

    def _nothing_of(self, parts: Sequence[Any]) -> list[Any]:
        """Return that what alternatives ask to be there is not there."""
        from sqlglot import exp

        asked: Found = {}
        for part in parts:
            Reader(self.table, asked, "").read(part)
        names = [name for name, bounds in asked.items() if bounds.never_null and self.table.columns[name].nullable]
        return [exp.Is(this=exp.column(name), expression=exp.Null()) for name in names]

    def _holds_anyway(self, part: Any, negated: bool) -> bool:
        """Return whether an alternative is fulfilled by all that columns can still hold."""
        asked: Found = {}
        if not Reader(self.table, asked, "").read(part, negated=negated):
            return False
        return bool(asked) and all(self._is_kept_to(name, bounds) for name, bounds in asked.items())

    def _is_kept_to(self, name: str, asked: Bounds) -> bool:
        own = self._bounds_of(name)
        if replace(asked, names=[]) in (Bounds(never_null=own.never_null), Bounds(always_null=own.always_null)):
            return True
        of_values = replace(asked, options=None, excluded=[], names=[]) == Bounds()
        return of_values and own.options is not None and all(map(asked.lists, own.options))

    def _read_case(self, node: Any, negated: bool) -> bool:
        return self._read_any(alternatives(node, negated), False)

    def _read_between(self, node: Any, negated: bool) -> bool:
        if negated:
            return self._compare(node.this, ">", node.args["high"])
        low = self._compare(node.this, ">=", node.args["low"])
        return self._compare(node.this, "<=", node.args["high"]) and low

    def _read_in(self, node: Any, negated: bool) -> bool:
        from sqlglot import exp

        numbers = [literal_of(one) or "" for one in node.expressions]
        if not negated and (counted := counted_in(node.this)) and numbers and all(map(str.isdigit, numbers)):
            return self._read_count(counted, "=", int(numbers[self.turn % len(numbers)]))
        measured = self._measured(node.this)
        if measured is not None and not negated and node.expressions:
            what, column = measured
            if what in ("upper", "lower"):
                values = [value_of(one, column) for one in node.expressions]
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
        values = [value_of(one, column) for one in nodes] if column is not None else []
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

        inner, outer = node.this, without_cast(node.expression)
        if isinstance(node, exp.ArrayContainsAll):
            inner, outer = node.expression, without_cast(node.this)
        column = self._column(inner)
        kind: Any = plain_type(column) if column is not None and not negated else None
        if not isinstance(kind, sa.ARRAY) or not isinstance(outer, exp.Array) or column is None:
            return False
        item = sa.Column(column.name, kind.item_type)
        values = [value_of(one, item) for one in outer.expressions]
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
        return self._match_like(node.this, literal_of(node.expression), negated is not bool(node.args.get("negate")))

    def _read_starts_with(self, node: Any, negated: bool) -> bool:
        text = literal_of(node.expression)
        return bool(text) and self._match_part(node.this, f"^{re.escape(str(text))}.*$", negated)

    def _match_part(self, node: Any, pattern: str, negated: bool) -> bool:
        column = self._column(node)
        if column is None:
            return False
        if negated:
            self._match(column, f"^(?!{pattern.removeprefix('^')})")
            return False
        self._match(column, pattern)
        return self._spell(column, lambda more: places_of_regexp(pattern, more))

    def _match_like(self, node: Any, pattern: str | None, negated: bool) -> bool:
        column = self._column(node)
        if column is None or pattern is None:
            return False
        like = "".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in pattern)
        if negated:
            self._match(column, f"^(?!{like}$)")
            return self._spell_otherwise(column, pattern)
        self._match(column, f"^{like}$")
        understood = self._spell(column, lambda more: places_of_like(pattern, more))
        self._bounds(column).like = pattern if understood else ""
        return understood

    def _spell_otherwise(self, column: Column, pattern: str) -> bool:
        """Note a word in small letters, where a pattern that must not match asks for something else."""
        if all(character in SMALL_LETTERS or character in "%_" for character in pattern):
            return False
        return self._spell(column, lambda more: [SMALL_LETTERS] * (more + 1))

    def _read_regexp(self, node: Any, negated: bool) -> bool:
        from sqlglot import exp

        column = self._column(node.this)
        pattern = literal_of(node.expression)
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
        column, pattern = self._column(node.this), literal_of(node.expression)
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
        if sign != "<>" and (said := counted_in(left)) and (number := literal_of(right) or "").isdigit():
            return self._read_count(said, sign, int(number))
        are_conditions = [isinstance(one, (*kinds_of_conditions(), exp.And, exp.Or)) for one in (left, right)]
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
        for part, than, rest in ((left, sign, right), (right, MIRRORED[sign], left)):
            if (pattern := regexp_of_part(part, than, literal_of(rest))) is not None:
                return self._match_part(part.this, pattern, than == "<>" and not isinstance(part, exp.StrPosition))
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

        def read(reader: Reader, negated: Sequence[bool]) -> bool:
            return reader.read(left, negated=negated[0]) and reader.read(right, negated=negated[1])

        if self.narrow is not None and not all(
            read(Reader(self.table, {}, self.name, self.turn, self.narrow), one) for one in (signs, others)
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
        column, number = self._column(node.this), literal_of(node.expression)
        more = literal_of(rest) or ""
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
        for several, than, rest in ((left, sign, right), (right, MIRRORED[sign], left)):
            if isinstance(several.unnest(), (exp.Greatest, exp.Least, exp.Max, exp.Min)):
                return self._compare_extreme(several.unnest(), than, rest)
        if self._measured(left) is None and (self._measured(right) is not None or other is not None):
            left, right, one, sign = right, left, other, MIRRORED[sign]
        if (born := born_of(left)) is not None:
            return self._compare(born, MIRRORED[sign], exp.Sub(this=exp.CurrentDate(), expression=right.copy()))
        difference = self._difference(left)
        if difference is not None and literal_of(right) == "0":
            return self._compare_columns(difference[0], sign, difference[1])
        if self._read_gap(left, sign, right) or self._read_gap(right, MIRRORED[sign], left):
            return True
        if self._read_sum(left, sign, right) or self._read_sum(right, MIRRORED[sign], left):
            return True
        if one is not None and (formula := self._formula(right)) is not None and any(terms_of(formula)):
            return self._compute(one, formula) if sign == "=" else self._compare_formula(one, sign, formula)
        if isinstance(left.unnest(), exp.Add | exp.Sub) and other is None and self._formula(left) is not None:
            kind = exp.Add if isinstance(left.unnest(), exp.Sub) else exp.Sub
            is_number = kind is exp.Add or (self._is_number(right) and self._is_number(left.unnest().expression))
            moved = kind(this=right.copy(), expression=exp.paren(left.unnest().expression.copy()))
            if is_number:
                return self._compare(left.unnest().this, sign, moved)
        if one is None and isinstance(left.unnest(), exp.Mul) and self._is_number(right):
            return self._compare_multiple(left.unnest(), sign, Decimal(literal_of(right) or ""))
        if one is None:
            measured = self._measured(left)
            return measured is not None and self._compare_measure(*measured, sign, right)
        value = value_of(right, one)
        if value is None:
            day = today_of(right, sign, one)
            return day is not None and self._limit(one, sign, day)
        if isinstance(value, str) and sign == "<>" and value == "":
            self._bounds(one).shortest = max(1, self._bounds(one).shortest)
            return True
        return self._limit(one, sign, value)

    def _compare_multiple(self, node: Any, sign: str, value: Decimal) -> bool:
        """Read `x * 2 <= 230` of a whole number."""
        column, number = self._column(node.this), literal_of(node.expression) or ""
        if (
            column is None
            or not isinstance(plain_type(column), sa.Integer)
            or not re.fullmatch(r"[1-9]\d{0,8}", number)
        ):
            return False
        part = value / int(number)
        if sign in ("<=", "<"):
            return self._limit(column, "<=", math.ceil(part) - 1 if sign == "<" else math.floor(part))
        if sign in (">=", ">"):
            return self._limit(column, ">=", math.floor(part) + 1 if sign == ">" else math.ceil(part))
        return False

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
            return self._compare_formula(larger, MIRRORED[sign], ("+", column.name, formula[2]))
        if not isinstance(plain_type(column), NUMBER) or column.foreign_keys or sign == "<>":
            return False
        if any(waits_for(self.found, name, column.name) for name in terms_of(formula)):
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
            one, other, sign = other, one, MIRRORED[sign]
        earlier, later = sorted((one, other), key=list(self.table.columns).index)
        if sign == "<>" and (self._put_further(one, other) or self._put_further(other, one)):
            return True
        if sign in ("=", "<>") and earlier is not later and waits_for(self.found, earlier.name, later.name):
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

    def _put_further(self, one: Column, other: Column) -> bool:
        """Let a column that is no less than another one be more; return whether it is one that is."""
        after = self._bounds_of(one.name).after
        if one is other or other.name not in dict(after):
            return False
        self._bounds(one).after = [(name, max(1, steps) if name == other.name else steps) for name, steps in after]
        return True

    def _put_after(self, one: Column, other: Column, steps: int) -> bool:
        if waits_for(self.found, other.name, one.name):
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
            self._limit(other, "<=", moved_by(time(23, 59), other, -steps))
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
            far = distance_of(right, one) if one is not None and isinstance(plain_type(one), sa.Date) else None
        elif (difference := self._difference(left)) is not None:
            one, other = difference
            far = distance_of(right, one)
        elif isinstance(right, exp.Add | exp.Sub):
            one, other = self._column(left), self._column(right.this)
            far = distance_of(right.expression, one) if one is not None else None
            if far is not None and isinstance(right, exp.Sub):
                far = -far[1], -far[0]
        else:
            return None
        return None if one is None or other is None or far is None else (one, other, far)

    def _read_sum(self, left: Any, sign: str, right: Any) -> bool:
        """Read what columns amount to together: `adults + children <= 6`, `a + b + c = 100`."""
        from sqlglot import exp

        columns, total = self._summands(left), literal_of(right)
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

        node = without_cast(node)
        if not isinstance(node, exp.Add):
            return []
        found = [
            [column] if (column := self._column(part)) is not None else self._summands(part)
            for part in map(or_zero, (node.this, node.expression))
        ]
        return [*found[0], *found[1]] if all(found) else []

    def _formula(self, node: Any) -> Formula | None:
        """Return what a sum, a difference or a product of columns and numbers says; None of anything else."""
        from sqlglot import exp

        node = without_cast(node)
        signs = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
        if isinstance(node, exp.Round):
            inner, places = self._part(node.this), literal_of(node.args.get("decimals") or exp.Literal.number(0)) or ""
            fine = any(round(one, int(places)) != one for one in _numbers_in(inner)) if places.isdigit() else True
            return ("round", inner, Decimal(places)) if inner is not None and not fine else None
        if type(node) in signs:
            left, right = self._part(node.this), self._part(node.expression)
            return None if left is None or right is None else (signs[type(node)], left, right)
        return None

    def _part(self, node: Any) -> Formula | None:
        column, literal = self._column(node), literal_of(node)
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
        return re.fullmatch(r"\d{1,12}(\.\d{1,12})?", literal_of(node) or "") is not None

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
            value = moved_by(value, column, -1 if sign.startswith("<") else 1)
        if sign.startswith("<"):
            bounds.high = value if bounds.high is None else least_of(bounds.high, value)
        else:
            bounds.low = value if bounds.low is None else most_of(bounds.low, value)
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

        node = without_cast(node)
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
            wanted = (literal_of(right) or "").lower()  # MariaDB says ARRAY
            if sign != "=" or wanted not in ("array", "object") or not isinstance(plain_type(column), sa.JSON):
                return False
            bounds.json = wanted
            return True
        if what == "abs":
            most = value_of(right, column)
            if most is None or sign not in ("<", "<="):
                return False
            return self._limit(column, sign, most) and self._limit(column, MIRRORED[sign], -most)
        if what.startswith("start of "):
            starts = STARTS[what.removeprefix("start of ")]
            if sign != "=" or self._column(right) is not column:
                return False
            understood = [self._keep_to(column, part, numbers) for part, numbers in starts.items()]
            return all(understood)
        text = literal_of(right)
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
        said = [literal_of(one) or "" for one in nodes]
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
        first, after = (typed(f"{one:04}-01-01", False, column) for one in (year, year + 1))
        if sign in (">=", ">", "="):
            self._limit(column, ">=", after if sign == ">" else first)
        if sign in ("<=", "<", "="):
            self._limit(column, "<", first if sign == "<" else after)
        return True

    def _compare_trimmed(self, column: Column, sign: str, right: Any) -> bool:
        if sign == "<>" and literal_of(right) == "":
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

        node = without_cast(node)
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


def moved_by(value: Any, column: Column, steps: int) -> Any:
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
    scale, digits = scale_of(column), 15 if isinstance(kind, sa.Float) else 10  # of a float that are certain
    precision = getattr(kind, "precision", None) or digits
    most = Decimal(10) ** (max(precision, scale) - scale) - Decimal(1).scaleb(-scale)
    return -most, most


def least_of(one: Any, other: Any) -> Any:
    """Return the lower of two bounds, or the first where they cannot be compared."""
    try:
        return min(one, other)
    except TypeError:  # a moment with a zone and one without
        return one


def most_of(one: Any, other: Any) -> Any:
    """Return the higher of two bounds, or the first where they cannot be compared."""
    try:
        return max(one, other)
    except TypeError:  # a moment with a zone and one without
        return one


def kinds_of_conditions() -> tuple[Any, ...]:
    """Return the kinds of expressions that are true or false."""
    from sqlglot import exp

    return (exp.Is, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Like, exp.Between)


def is_condition(node: Any, is_flag: Callable[[Any], bool] = lambda node: False) -> bool:
    """Return whether an expression is true or false, as a CASE of such expressions is.

    Args:
        is_flag: tells whether one that is no condition by its kind is so too.
    """
    from sqlglot import exp

    if isinstance(node, exp.Case):
        results = [*(one.args["true"] for one in node.args["ifs"]), node.args.get("default")]
        return all(is_condition(one.unnest(), is_flag) for one in results if one is not None)
    return is_flag(node) or isinstance(node, (*kinds_of_conditions(), exp.And, exp.Or, exp.Boolean, exp.RegexpLike))


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


def counted_in(node: Any) -> list[Any]:
    """Return the conditions whose truth a sum counts, as of an exclusive arc; none where it is another sum."""
    from sqlglot import exp

    node = without_cast(node)
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("num_nonnulls", "num_nulls"):
        nulls = [exp.Is(this=one.copy(), expression=exp.Null()) for one in node.expressions]
        return nulls if node.name.lower() == "num_nulls" else [exp.Not(this=one) for one in nulls]
    if isinstance(node, exp.Add):
        left, right = counted_in(node.this), counted_in(node.expression)
        return left + right if left and right else []
    if isinstance(node, exp.Case) and len(node.args["ifs"]) == 1 and node.this is None and node.args.get("default"):
        [one] = node.args["ifs"]
        values = [literal_of(one.args["true"]), literal_of(node.args["default"])]
        if values == ["1", "0"]:
            return [one.this]
        return [exp.Not(this=one.this.copy())] if values == ["0", "1"] else []
    return [node] if isinstance(node, kinds_of_conditions()) else []


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
