"""Unique by construction: values and combinations that are numbered through, so that no row remembers another's."""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, combinations, count, cycle, islice, repeat
from operator import add, le, mul
from random import Random
from typing import Any

import sqlalchemy as sa

from .blocks import Source

Column = sa.Column[Any]
MOVES = 1024  # by which places are mixed, a power of two


@dataclass
class Context:
    """What a field may look at while it gets ready: the table's source, the database, and the row numbers to make."""

    source: Source
    connection: sa.Connection
    present: int = 0  # rows that the table holds already, whose keys must not come again
    looks: bool = False  # whether to read which of them hold a number that is to come, which takes a whole scan
    start: int = 0  # the first row number to make
    stop: int = 0  # the row number to stop before

    @property
    def has_rows(self) -> bool:
        return self.present > 0


class Numbering:
    """Gives row numbers places in 0 .. total - 1, each once, far from the one before, and none that is taken.

    Row i is at (a i + b) modulo total. Where that place is taken (a parent came later, a row of the person's own) it
    gets the place of a row number after this run; whoever comes to that number then moves on in the same way.

    Places that stand for pairs are mixed: else each of many parents had as many children as any other. A place is a
    number below the width, and one above; each is moved by as much as chance gave to the other, so none comes twice.
    """

    def __init__(self, total: int, context: Context, name: str, taken: set[int], width: int = 1) -> None:
        random = Random(context.source.seed(name))
        self.total = max(total, 1)
        near = round(self.total * 0.6180339887) + random.randint(-self.total // 50, self.total // 50)
        self.step = coprime(near, self.total)
        self.offset = random.randrange(self.total)
        self.limit = context.start + total - len(taken)
        self.blocked = len(taken)
        self._context = context
        self._taken = taken
        self._moved: dict[int, int] | None = None
        self._lost: set[int] = set()  # row numbers for which there is no place left
        self._width, self._rest = width, self.total // max(width, 1)
        self._moves: list[list[int]] = []
        if width > 1 and self._rest > 1:
            self._moves = [[random.randrange(most) for _ in range(MOVES)] for most in (width, self._rest)]

    def places(self, numbers: range) -> Sequence[int]:
        """Return the place of each of some row numbers."""
        places = self._in_order(numbers)
        moved = self._known_moves()
        return [moved.get(number, place) for number, place in zip(numbers, places, strict=True)] if moved else places

    def has_place(self, numbers: range) -> list[bool] | None:
        """Return of each of some row numbers whether there is a place that is its own; None where all have one.

        Those past the last one have none, unless rows before them are gone: the same rows come in one go and in two.
        """
        self._known_moves()
        end = self.total if self._context.present >= self._context.start else self._context.start + self.total
        found = [number < end and number not in self._lost for number in numbers]
        return None if all(found) else found

    def _known_moves(self) -> dict[int, int]:
        """Return which row numbers have another place than their own, and which; looked up once."""
        if self._moved is None:
            self._moved = self._move() if self._taken else {}
        return self._moved

    def _in_order(self, numbers: range) -> list[int]:
        step, total = self.step, self.total
        first = (step * numbers.start + self.offset) % total
        places = [place % total for place in range(first, first + step * len(numbers), step)]
        if not self._moves:
            return places
        width, rest, last = self._width, self._rest, MOVES - 1
        below, above = self._moves
        return [
            (place // width + above[(low := (place + below[place // width & last]) % width) & last]) % rest * width
            + low
            for place in places
        ]

    def _move(self) -> dict[int, int]:
        own, end = range(self._context.start, self._context.stop), self._context.start + self.total
        blocked = [number for number, place in zip(own, self._in_order(own), strict=True) if place in self._taken]
        some = (range(first, min(first + MOVES, end)) for first in range(own.stop, end, MOVES))
        free = (place for numbers in some for place in self._in_order(numbers) if place not in self._taken)
        moved = dict(zip(blocked, free, strict=False))
        self._lost = {number for number in blocked if number not in moved}
        return moved


def coprime(least: int, total: int) -> int:
    """Return the first number from a least on, and from 1, that has no divisor in common with a total."""
    return next(one for one in count(max(1, least)) if math.gcd(one, max(total, 1)) == 1)


def free_numbers(
    context: Context, column: Column, number_in: Callable[[Any], int | None], *others: Column
) -> Callable[[Sequence[int]], Sequence[int]]:
    """Return what gives rows, by their numbers, the numbers in their unique values.

    These are the same. Where a row of the person's own holds the value of such a number, a number after this run
    takes its place; whoever comes to that one then finds it taken and moves on in the same way.

    Args:
        number_in: the row number whose value a value of the column is or might clash with; None when there is none.
        others: columns whose values come of the same numbers.
    """
    if not context.looks:
        return lambda numbers: numbers
    queries = (sa.select(one).where(one.is_not(None)) for one in (column, *others))
    found = (number_in(value) for query in queries for value in context.connection.scalars(query))
    taken = {number for number in found if number is not None and number >= context.start}
    blocked = sorted(number for number in taken if number < context.stop)
    later = (number for number in count(context.stop) if number not in taken)
    moved = dict(zip(blocked, later, strict=False))
    return lambda numbers: [moved.get(number, number) for number in numbers] if moved else numbers


def number_in(pattern: re.Pattern[str], value: Any, start: int) -> int | None:
    """Return the row number in a value whose number is the pattern's first group and begins with `start`."""
    found = pattern.fullmatch(str(value))
    if found is None:
        return None
    try:
        return int(found[1]) - start
    except ValueError:
        return None


# Values in a fixed order, which a number picks from


PARTS, VARIANTS = 128, 16
SPREAD = PARTS * PARTS
LONGEST_TABLE = 1_000
_VARIANT = bytes(range(VARIANTS)) * (256 // VARIANTS)  # of each byte


class Steps(Sequence[Any]):
    """Numbers, dates or moments at even distances, as a sequence that is not stored."""

    def __init__(self, low: Any, step: Any, count: int) -> None:
        self.low, self.step, self._count = low, step, min(max(0, count), 2**62)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if index < 0 or index >= self._count:
            raise IndexError(index)
        return self.low + self.step * index

    def at(self, places: Iterable[int]) -> tuple[Any, ...]:
        """Return the values at some places, all at once."""
        return self._shown(self._at(places))

    def spread(self, random: Random) -> tuple[Any, ...]:
        """Return 16,384 of at least so many values: one from each of 128 places in each of 128 parts.

        What a place can add to where its part begins is one of 16 values, the same in all parts: so few are computed.
        """
        part = self._count // PARTS
        begins = (number * part // PARTS for number in range(PARTS) for _ in range(VARIANTS))
        moved = random.choices(range(part // PARTS), k=PARTS * VARIANTS)
        added = tuple(map(self.step.__mul__, map(add, begins, moved)))
        variants = random.randbytes(PARTS * PARTS).translate(_VARIANT)
        chosen = map(added.__getitem__, map(add, cycle(range(0, PARTS * VARIANTS, VARIANTS)), variants))
        starts = self._at(number * self._count // PARTS for number in range(PARTS))
        return self._shown(map(add, chain.from_iterable(map(repeat, starts, repeat(PARTS))), chosen))

    def _at(self, places: Iterable[int]) -> Iterable[Any]:
        return map(self.low.__add__, map(self.step.__mul__, places))

    def _shown(self, values: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(values)

    def index(self, value: Any, *_: Any) -> int:
        place = int((value - self.low) // self.step)
        if not 0 <= place < self._count:
            raise ValueError(value)
        return place


class Spellings(Sequence[str]):
    """Every text with one of some characters at each place: what a pattern like [A-Z]{2}[0-9] allows."""

    def __init__(self, places: Iterable[str]) -> None:
        self.places = [*places]
        self.total = math.prod(map(len, self.places))

    def __len__(self) -> int:
        return min(self.total, 2**62)

    def __getitem__(self, index: Any) -> Any:
        if index < 0 or index >= self.total:
            raise IndexError(index)
        letters = []
        for characters in reversed(self.places):
            index, place = divmod(index, len(characters))
            letters.append(characters[place])
        return "".join(reversed(letters))

    def at(self, numbers: Sequence[int]) -> list[str]:
        """Return the texts at some places, all at once: put together from tables of a few characters each."""
        width, parts = self.total, []
        for table in self._tables:
            width //= len(table)
            parts.append([table[number // width % len(table)] for number in numbers])
        return list(map("".join, zip(*parts, strict=True)))

    @cached_property
    def _tables(self) -> list[list[str]]:
        tables = [[""]]
        for characters in self.places:
            if len(tables[-1]) * len(characters) > LONGEST_TABLE:
                tables.append([""])
            tables[-1] = [text + one for text in tables[-1] for one in characters]
        return tables

    def index(self, value: Any, *_: Any) -> int:
        if not isinstance(value, str) or len(value) != len(self.places):
            raise ValueError(value)
        number = 0
        for characters, letter in zip(self.places, value, strict=True):
            number = number * len(characters) + characters.index(letter)
        return number


class Places:
    """Where values are in a sequence; a long one is not searched from its beginning."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._stored = isinstance(values, list | tuple | array)
        self._sorted = self._stored and isinstance(values, array) and all(map(le, values, islice(values, 1, None)))
        self._known: dict[Any, int] | None = None

    def of(self, value: Any) -> int | None:
        """Return the place of a value; None when it is not there."""
        if self._sorted:
            place = bisect_left(self._values, value)
            return place if place < len(self._values) and self._values[place] == value else None
        try:
            if not self._stored:
                return self._values.index(value)
            if self._known is None:
                self._known = {one: place for place, one in enumerate(self._values)}
            return self._known.get(value)
        except (ValueError, TypeError):
            return None


def _are_same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    if one is other or type(one) is not type(other):
        return one is other
    return one == other if isinstance(one, list | tuple | array | range) else vars(one) == vars(other)


class Combinations:
    """All combinations of one value from each of some sequences, in a fixed order."""

    def __init__(self, domains: Sequence[Sequence[Any]], unequal: Iterable[tuple[int, int]] = ()) -> None:
        """Take sequences, and pairs of the places of those whose values must differ."""
        self.domains = domains
        self._places = [Places(domain) for domain in domains]
        pairs = {frozenset(pair) for pair in unequal}
        self._others = in_turn(len(domains), pairs)
        self._is_all = all(frozenset(two) in pairs for others in self._others for two in combinations(others, 2))
        both = ((place, other) for place, others in enumerate(self._others) for other in others)
        self._strange = {pair for pair in both if not _are_same(*(domains[one] for one in pair))}
        lengths = zip(domains, self._others, strict=True)
        self._widths = [max(0, len(domain) - len(others)) for domain, others in lengths]
        self._before = [1, *accumulate(self._widths, mul)]

    @property
    def total(self) -> int:
        return int(self._before[-1])

    @property
    def width(self) -> int:
        """How many numbers differ in the first of the sequences alone."""
        return int(self._before[1])

    @property
    def most(self) -> float:
        """How many rows a key allows of these values, as far as that is known."""
        return self.total if self._is_all and not self._strange else math.inf

    def column(self, place: int, numbers: Sequence[int]) -> list[Any]:
        """Return the values of one of the sequences in combinations given by their numbers."""
        domain = self.domains[place]
        return [domain[at] for at in self._at(place, numbers)]

    def _at(self, place: int, numbers: Sequence[int]) -> Sequence[int]:
        """Return where in a sequence the values are; those that are taken by others are left out, from the first on."""
        before, width, size = self._before[place], self._widths[place], len(self.domains[place])
        counted = [number // before % width for number in numbers]
        others = [self._seen(place, other, self._at(other, numbers)) for other in self._others[place]]
        if not others:
            return counted
        if len(others) == 1 and not self._strange:  # as nearly always
            return [(one + 1 + more) % size for one, more in zip(others[0], counted, strict=True)]
        made = []
        for more, *taken in zip(counted, *others, strict=True):
            start = taken[0] or 0
            for one in sorted((other - start) % size for other in taken if other is not None):
                more += one <= more
            made.append((start + more) % size)
        return made

    def _seen(self, place: int, other: int, found: Sequence[int]) -> Sequence[Any]:
        """Return where the values of another sequence are in this one; None for those that are not."""
        if (place, other) not in self._strange:
            return found
        return [self._places[place].of(self.domains[other][one]) for one in found]

    def number(self, values: Sequence[Any]) -> int | None:
        """Return the number of a combination; None when it is none of these."""
        found = [places.of(value) for places, value in zip(self._places, values, strict=True)]
        number = 0
        for place, (at, before) in enumerate(zip(found, self._before, strict=False)):
            if at is None:
                return None
            seen = [self._seen(place, other, [found[other] or 0])[0] for other in self._others[place]]
            start, size = (seen[0] or 0) if seen else 0, len(self.domains[place])
            taken = [(other - start) % size for other in seen if other is not None]
            more = (at - start) % size
            more, is_taken = more - sum(one < more for one in taken), more in taken
            if is_taken or more >= self._widths[place]:
                return None
            number += more * before
        return number

    def taken(self, rows: Iterable[Sequence[Any]]) -> Iterator[int]:
        """Yield the numbers of those of some rows that are among these combinations."""
        return (number for row in rows if (number := self.number(row)) is not None)


def in_turn(count: int, pairs: Collection[frozenset[int]]) -> list[list[int]]:
    """Return for each of some places those before it that it must differ from, which all differ from each other.

    So it is known how many values are left for it. Where the pairs do not say so, more are made to differ than must.
    """
    edges = {*pairs}
    while True:
        others: dict[int, list[int]] = {}
        while len(others) < count:
            near = {
                place: [one for one in others if frozenset((place, one)) in edges]
                for place in range(count)
                if place not in others
            }
            place = max(near, key=lambda one: len(near[one]))
            others[place] = near[place]
        missing = {frozenset(two) for some in others.values() for two in combinations(some, 2)} - edges
        if not missing:
            return [others[place] for place in range(count)]
        edges |= missing
