"""Keys that share columns, all unique by construction: rows are numbered in digits that each key tells again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import accumulate, islice
from operator import lt, mul, or_
from typing import Any

from .numbering import Combinations, coprime

MOST_BITS = 16  # of a choice: which of the digits each part is made of
LOOKED_AT = 10_000  # rows that are there already, at once


class Interlocked:
    """Combinations of which each of several keys, that share parts, has none twice.

    Every part is at the sum of some digits of the row's number. They are so chosen that from the parts of each key all
    digits can be told, one after the other: in a league home = x, away = x + 1 + y and round = y; in a timetable the
    hour is one digit, the room and the teacher the other.
    """

    def __init__(
        self, domains: Sequence[Sequence[Any]], unequal: Sequence[int | None], keys: Sequence[Collection[int]]
    ) -> None:
        """Take sequences, for each the place of an earlier one, of the same values, that it must differ from, and keys.

        Args:
            keys: the places of the sequences that each has.
        """
        self._columns = _parts(unequal, keys)
        self._part_of = {place: part for part, places in enumerate(self._columns) for place in places}
        self._parts: list[Combinations] = []
        self._others: list[int | None] = []  # parts that a part must differ from
        for places in self._columns:
            within = [(places.index(place), places.index(one)) for place in places if (one := unequal[place]) in places]
            other = self._part_of[one] if (one := unequal[places[0]]) is not None and one not in places else None
            self._parts.append(Combinations([domains[place] for place in places], within))
            self._others.append(other)
        self._sizes = [part.total for part in self._parts]
        self._rooms = [
            max(0, size - (other is not None)) for size, other in zip(self._sizes, self._others, strict=True)
        ]
        # The same for parts of the same values: those that differ still do.
        self._spreads = [coprime(round(size * 0.618), size) for size in self._sizes]
        self._keys = [sorted({self._part_of[place] for place in key}) for key in keys]
        self._leading, self._radices = self._choose()
        self._times = [dict.fromkeys(_bits(leading), 1) for leading in self._leading]
        self._vary()
        self._orders = [self._order(key, self._tells(), self._made_of()) for key in self._keys]
        self._before = [*accumulate(self._radices, mul, initial=1)]

    @property
    def total(self) -> int:
        return self._before[-1] if all(self._rooms) else 0

    @property
    def width(self) -> int:
        """How many numbers differ in the first of the digits alone."""
        return self._radices[0]

    @property
    def most(self) -> int:
        """How many rows the smallest of the keys allows of these values."""
        return min(math.prod(self._room(part, key) for part in key) for key in self._keys)

    def column(self, place: int, combinations: Sequence[int]) -> list[Any]:
        """Return the values of one of the sequences in combinations given by their numbers."""
        places = zip(self._before, self._radices, strict=False)
        digits = [[number // before % radix for number in combinations] for before, radix in places]
        part = self._part_of[place]
        spread, size = self._spreads[part], self._sizes[part]
        places_of_part = [one * spread % size for one in self._at(part, digits)]
        return self._parts[part].column(self._columns[part].index(place), places_of_part)

    def taken(self, rows: Iterable[Sequence[Any]]) -> Iterator[int]:
        """Yield the number of each combination that would repeat a key of some rows."""
        rows = iter(rows if self.total else ())
        while some := list(islice(rows, LOOKED_AT)):
            found = [self._found(part, some) for part in range(len(self._parts))]
            for key, order in zip(self._keys, self._orders, strict=True):
                yield from self._told(key, order, [found[part] for part in key])

    def _found(self, part: int, rows: Sequence[Sequence[Any]]) -> list[int | None]:
        """Return where in a part some rows are, before it was spread; None for those that are not."""
        size, places, combinations = self._sizes[part], self._columns[part], self._parts[part]
        back = pow(self._spreads[part], -1, size)
        numbers = (combinations.number([row[place] for place in places]) for row in rows)
        return [None if number is None else number * back % size for number in numbers]

    def _told(
        self, key: Sequence[int], order: Sequence[tuple[int, int]], found: Sequence[Sequence[int | None]]
    ) -> Iterator[int]:
        """Yield the numbers that a key of rows tells."""
        rows = [row for row in zip(*found, strict=True) if None not in row]
        at: dict[int, Any] = dict(zip(key, zip(*rows, strict=True), strict=False))
        digits = [[0] * len(rows) for _ in self._radices]
        for part, digit in order if rows else ():
            pairs = zip(at[part], self._at(part, digits), strict=True)
            digits[digit] = [(there - without) % self._sizes[part] for there, without in pairs]
        made = zip(*(self._at(part, digits) for part in key), strict=True)
        for row, again, own in zip(rows, made, zip(*digits, strict=True), strict=True):
            if row == again and all(map(lt, own, self._radices)):
                yield sum(map(mul, own, self._before))

    def _at(self, part: int, digits: Sequence[Sequence[int]]) -> Sequence[int]:
        """Return where in a part the combinations of some digits are."""
        size, other, sums = self._sizes[part], self._others[part], [0] * len(digits[0])
        for digit, times in self._times[part].items():
            sums = [one + more * times for one, more in zip(sums, digits[digit], strict=True)]
        if other is None:
            return [one % size for one in sums]
        return [(one + 1 + more % (size - 1)) % size for one, more in zip(self._at(other, digits), sums, strict=True)]

    def _room(self, part: int, key: Sequence[int]) -> int:
        return self._rooms[part] if self._others[part] in key else self._sizes[part]

    # Which digits

    def _choose(self) -> tuple[list[int], list[int]]:
        """Return the digits that tell each part, as bits, and how many values each digit has: of most rows."""
        best = [int(other is None) for other in self._others], [min(self._rooms)]
        for digits in range(min(map(len, self._keys)), 0, -1):
            if digits * len(self._parts) > MOST_BITS:
                continue
            for leading in self._ways([], digits):
                radices = [
                    min(room for room, bits in zip(self._rooms, leading, strict=True) if bits >> digit & 1)
                    for digit in range(digits)
                ]
                if math.prod(radices) > math.prod(best[1]):
                    best = leading, radices
                    if math.prod(radices) == self.most:
                        return best
        return best

    def _ways(self, leading: list[int], digits: int) -> Iterator[list[int]]:
        """Yield the ways to make the parts, after the first ones, of so many digits that each key tells all of them."""
        part = len(leading)
        if part == len(self._parts):
            yield leading
            return
        used, other = reduce(or_, leading, 0), self._others[part]
        for bits in range(1 << digits):
            if (met := used | bits) & met + 1:  # the same as a way in which the digits are called otherwise
                continue
            if other is not None and (bits & bits - 1 or bits & self._inherited(leading)[other]):
                continue
            way = [*leading, bits]
            tells = self._inherited(way)
            if all(len(self._order(key, tells, tells)) == digits for key in self._keys if key[-1] == part):
                yield from self._ways(way, digits)

    def _vary(self) -> None:
        """Let other digits move a part too, where the keys tell them all the same: not always the same two meet."""
        for part, room in enumerate(self._rooms):
            if self._others[part] is not None and self._leading[part]:
                continue
            for digit in {*range(len(self._radices))} - {*self._times[part]}:
                self._times[part][digit] = coprime(part + 1, room)
                tells, made_of = self._tells(), self._made_of()
                if any(len(self._order(key, tells, made_of)) < len(self._radices) for key in self._keys):
                    del self._times[part][digit]

    def _tells(self) -> list[int]:
        """Return the digits that each part can tell, which are not those that move it, or what it is counted from."""
        moved = [
            sum(1 << digit for digit in times) & ~own for times, own in zip(self._times, self._leading, strict=True)
        ]
        both = zip(self._inherited(self._leading), self._inherited(moved), strict=True)
        return [leading & ~moving for leading, moving in both]

    def _made_of(self) -> list[int]:
        return self._inherited([sum(1 << digit for digit in times) for times in self._times])

    def _inherited(self, own: Sequence[int]) -> list[int]:
        """Return the digits of each part with those of the one that it must differ from, from which it is counted."""
        made_of: list[int] = []
        for bits, other in zip(own, self._others, strict=False):
            made_of.append(bits if other is None else bits | made_of[other])
        return made_of

    def _order(self, key: Sequence[int], tells: Sequence[int], made_of: Sequence[int]) -> list[tuple[int, int]]:
        """Return the parts of a key and the digit that each of them tells when those before are known."""
        known = 0
        order: list[tuple[int, int]] = []
        while True:
            for part in key:
                unknown = made_of[part] & ~known
                if unknown and not unknown & unknown - 1 and unknown & tells[part]:
                    known |= unknown
                    order.append((part, unknown.bit_length() - 1))
                    break
            else:
                return order


class Ranked:
    """Rows of parents, each once, and what keys that have only a part of their columns have beside: counted in it.

    As an order has lines, each of another product: order and product are a row, and the lines are counted in an order.
    """

    def __init__(
        self, domains: Sequence[Sequence[Any]], main: int, keys: Sequence[tuple[Sequence[int], Sequence[int]]]
    ) -> None:
        """Take sequences, the place of the one of rows, and of each key which values of a row it has, and what beside.

        Args:
            keys: places in a row, and places of sequences; nothing where a key has enough of the row to be of one.
        """
        self._domains, self._main, self._keys = domains, main, keys
        self._beside = [Combinations([domains[place] for place in beside]) for _, beside in keys]
        self._rows: list[Any] = []
        self._ranks: list[list[int]] = [[] for _ in keys]
        self._known: dict[Any, int] = {}
        members: Counter[Any] = Counter()
        for row in domains[main]:
            groups = [self._group(number, row) for number in range(len(keys))]
            if any(members[group] >= self._beside[number].total for number, group in enumerate(groups)):
                continue
            for number, group in enumerate(groups):
                self._known[group, members[group]] = len(self._rows)
                self._ranks[number].append(members[group])
            members.update(groups)
            self._rows.append(row)

    @property
    def total(self) -> int:
        return len(self._rows)

    width = 1  # as there is nothing to mix

    @property
    def most(self) -> float:
        """How many rows the keys allow is not known."""
        return math.inf

    def column(self, place: int, combinations: Sequence[int]) -> list[Any]:
        """Return the values of one of the sequences in combinations given by their numbers."""
        if place == self._main:
            return [self._rows[number] for number in combinations]
        for (_, beside), ranks, counted in zip(self._keys, self._ranks, self._beside, strict=True):
            if place in beside:
                return counted.column(beside.index(place), [ranks[number] for number in combinations])
        values, size = self._domains[place], len(self._domains[place])
        return [values[number % size] for number in combinations]

    def taken(self, rows: Iterable[Sequence[Any]]) -> Iterator[int]:
        """Yield the number of each combination that would repeat a key of some rows."""
        for row in rows:
            for number, (_, beside) in enumerate(self._keys):
                rank = self._beside[number].number([row[place] for place in beside])
                found = self._known.get((self._group(number, row[self._main]), rank))
                if found is not None:
                    yield found

    def _group(self, number: int, row: Sequence[Any]) -> tuple[int, ...]:
        return number, *(row[place] for place in self._keys[number][0])


def _parts(unequal: Sequence[int | None], keys: Sequence[Collection[int]]) -> list[list[int]]:
    """Return what is in the same keys together; alone what must differ from something in others, and comes after it."""
    within = [frozenset(number for number, key in enumerate(keys) if place in key) for place in range(len(unequal))]
    pairs = [(place, other) for place, other in enumerate(unequal) if other is not None]
    alone = {one for pair in pairs if within[pair[0]] != within[pair[1]] for one in pair}
    parts: dict[object, list[int]] = {}
    for place in range(len(unequal)):
        parts.setdefault(place if place in alone else within[place], []).append(place)
    depth = dict.fromkeys(alone, 0)
    for _ in alone:
        depth.update((place, depth[other] + 1) for place, other in pairs if place in alone and other in alone)
    return sorted(parts.values(), key=lambda places: depth.get(places[0], 0))


def _bits(mask: int) -> Iterator[int]:
    return (bit for bit in range(mask.bit_length()) if mask >> bit & 1)
