"""What inference fills columns with, beside the words that seeders are written in."""

from __future__ import annotations

import math
import re
import string
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import accumulate, chain, count, islice, pairwise, repeat
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from . import checkdigits
from .blocks import Fill, Rows, Source
from .errors import CommandError
from .fields import (
    Field,
    Formula,
    choice,
    constant,
    decimal_steps,
    drawing,
    fake,
    maybe,
    names_of,
    numbered,
    person_names,
    reference,
    scale_of,
    terms_of,
)
from .interlocking import Interlocked, Ranked
from .names import letters
from .numbering import (
    Column,
    Combinations,
    Context,
    Numbering,
    Places,
    Spellings,
    Steps,
    free_numbers,
    in_turn,
    number_in,
)
from .outcomes import POOL, Remembered, expand, pick
from .parents import in_order, keys_of_rows, parents, require_parents
from .types import DECIMAL, length_of, plain_type

DOMAIN = "example.org"  # reserved for examples: https://www.rfc-editor.org/rfc/rfc2606#section-3
MOST_JOINED = 100_000  # combinations of parents' rows that a key is numbered through
LOOKED_AT = 200  # values, which tell the characters at each place
WORDS = 8  # letters of a unique text at most, before its number


class unique_email(Field):
    """Addresses that are each there once: the letters of the row's name, then the row number."""

    description = "unique e-mail"
    end, pattern = f"@{DOMAIN}", re.compile(rf".*?(\d{{1,18}})@{re.escape(DOMAIN)}\s*", re.IGNORECASE | re.ASCII)

    def __init__(self, *name_columns: str, longest: int | None = None) -> None:
        """Take the name from one column with whole names, from some with parts of it, or from none.

        Args:
            longest: the most characters, where a CHECK allows fewer than the column.
        """
        self.name_columns, self.longest = name_columns, longest

    def _room(self, column: Column) -> int:
        return min(length_of(column) or 254, self.longest or 254) - len(self.end)

    def ready(self, context: Context, column: Column) -> Fill:
        room = self._room(column)
        numbers = free_numbers(context, column, lambda value: number_in(self.pattern, value, 1))
        stems = self._stems(context.source)

        longest_stem, end = self._longest_stem(context.source), self.end

        def fill(rows: Rows) -> list[str]:
            own, pieces = numbers(rows.numbers), stems(rows)
            first: Sequence[int] = (
                range(own.start + 1, own.stop + 1) if isinstance(own, range) else [number + 1 for number in own]
            )
            longest = room - len(str(first[-1] if isinstance(first, range) else max(first)))
            if longest_stem > longest:
                pieces = [[stem[: max(longest, 0)].rstrip(".") for stem in map("".join, zip(*pieces, strict=True))]]
            if len(pieces) == 2:
                return [f"{stem}{last}{number}{end}" for stem, last, number in zip(*pieces, first, strict=True)]
            return [f"{''.join(stem)}{number}{end}" for *stem, number in zip(*pieces, first, strict=True)]

        return fill

    def _longest_stem(self, source: Source) -> float:
        return names_of(source).longest_slug if len(self.name_columns) == 1 else math.inf

    def _stems(self, source: Source) -> Callable[[Rows], Sequence[Sequence[str]]]:
        names = self.name_columns
        if len(names) == 1:
            return lambda rows: person_names(rows, names[0]).slugs
        if not names:
            table = expand(source.once("first letters", lambda: _first_letters(source)))
            return lambda rows: [pick(table, rows.random, len(rows))]
        slug = Remembered(lambda text: letters(text) if text else "")
        return lambda rows: [
            [".".join(filter(None, parts)) for parts in zip(*(slug.all(rows[name]) for name in names), strict=True)]
        ]

    def limit(self, context: Context, column: Column) -> float:
        room = self._room(column)
        return 10**room - 1 if 0 < room < 18 else math.inf if room > 0 else 0

    def is_unique(self, column: Column) -> bool:
        return True


class unique_username(unique_email):
    """Names of users that are each there once: the letters of the row's name, then the row number."""

    description = "unique user name"
    end, pattern = "", re.compile(r".*?(\d{1,18})\s*", re.ASCII)


class email(unique_email):
    """Addresses as the unique ones are: their number keeps them apart though nothing asks for it."""

    description = "e-mail"

    def limit(self, context: Context, column: Column) -> float:
        return math.inf

    def is_unique(self, column: Column) -> bool:
        return False


class unique_text(Field):
    """Short texts that are each there once: letters, as many as fit, then the row number."""

    description = "unique text"

    def __init__(self, case: str = "") -> None:
        self.case = case

    def ready(self, context: Context, column: Column) -> Fill:
        length = length_of(column) or 40
        words = context.source.once("letters", lambda: expand(_first_letters(context.source)))
        numbers = free_numbers(context, column, lambda value: number_in(_WORD, value, 0))
        if self.case == "upper":
            words = tuple(map(str.upper, words))

        def fill(rows: Rows) -> list[str]:
            own = numbers(rows.numbers)
            longest = max(0, min(WORDS, length - len(str(max(own)))))
            stems = [stem[:longest] for stem in pick(words, rows.random, len(rows))]
            return list(map(str.__add__, stems, map(str, own)))

        return fill

    def limit(self, context: Context, column: Column) -> float:
        length = length_of(column)
        return math.inf if length is None or length > 18 else 10**length

    def is_unique(self, column: Column) -> bool:
        return True


class numbered_text(Field):
    """Values of another field, each with the row number: `Kelly Group 7`, `nice-house-7`, `report-7.txt`."""

    def __init__(self, field: Field, before: str = " ") -> None:
        """Take the field, and what the number comes after; before the last part of a name when that is a dot."""
        self.field, self.before = field, before
        self.description = f"{field.description}, numbered"

    def ready(self, context: Context, column: Column) -> Fill:
        fill, before = self.field.ready(context, column), self.before
        length = length_of(column) or 1_000
        pattern = _BEFORE_DOT if before == "." else re.compile(f".*{before}{_NUMBER}", re.ASCII | re.DOTALL)
        numbers = free_numbers(context, column, lambda value: number_in(pattern, value, 1))

        def fill_numbered(rows: Rows) -> list[str]:
            own = numbers(rows.numbers)
            room = length - len(str(max(own) + 1)) - 1
            pairs = zip(fill(rows), own, strict=True)
            if before == ".":
                parts = ((text.rpartition("."), number) for text, number in pairs)
                return [f"{name[: room - len(end) - 1]}-{number + 1}.{end}" for (name, _, end), number in parts]
            return [f"{text[:room].rstrip(f' {before}')}{before}{number + 1}" for text, number in pairs]

        return fill_numbered

    def limit(self, context: Context, column: Column) -> float:
        return 10.0 ** (min(20, length_of(column) or 20) - 2)

    def is_unique(self, column: Column) -> bool:
        return True


class spelled(Field):
    """Texts with one of some characters at each place, as a CHECK or a short column asks for."""

    def __init__(self, places: Sequence[str]) -> None:
        self.spellings = Spellings(places)
        self.description = f"like {self.spellings[self.spellings.total * 381_966_011_250 // 10**12]}"

    def ready(self, context: Context, column: Column) -> Fill:
        return drawing(self.spellings, context, column)

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        return self.spellings


class written(Field):
    """Values of a Faker provider that fulfil a CHECK, as they are or written otherwise: an ISBN without its signs."""

    def __init__(self, field: fake, fulfils: Callable[[str], bool], otherwise: Field) -> None:
        """Take what they have to fulfil, and what is there instead in a locale whose values do not."""
        self.field, self.fulfils, self.otherwise = field, fulfils, otherwise
        self.provider = field.provider
        self.description = f"{field.description} that fits"

    def ready(self, context: Context, column: Column) -> Fill:
        found = self.pool(context.source, column.name)
        if not found:
            return self.otherwise.ready(context, column)
        table = expand(found)
        if self.provider != "name":
            return lambda rows: pick(table, rows.random, len(rows))
        fill, fulfils = self.field.ready(context, column), self.fulfils  # the same names as in the e-mail addresses
        return lambda rows: [
            own if fulfils(own) else other
            for own, other in zip(fill(rows), pick(table, rows.random, len(rows)), strict=True)
        ]

    def pool(self, source: Source, name: str, size: int = POOL) -> list[str]:
        """Return those of some values that fulfil it."""
        column = source.table.columns[name]
        if re.fullmatch(r"(first|last)_name", self.provider):  # in Faker's own proportions
            table = self.field.table(column, source)
            return fulfilling(table[:: len(table) // size], self.fulfils)
        return fulfilling([str(one) for one in self.field.pool(source, name, size)], self.fulfils)


def fulfilling(values: Sequence[str], fulfils: Callable[[str], bool]) -> list[str]:
    """Return those values that fulfil something, in the first of some ways to write them in which most of them do."""
    best: list[str] = []
    for write in _WAYS:
        found = [text for text in map(write, values) if fulfils(text)]
        if 2 * len(found) >= len(values):
            return found
        best = max(best, found, key=len)
    return best


class shaped(Field):
    """Texts like those of a Faker provider, each there once: at each place a character that some of them have there."""

    def __init__(self, field: fake | written, longest: int) -> None:
        self.field, self.longest = field, longest
        self.description = f"{field.description}, each once"

    def ready(self, context: Context, column: Column) -> Fill:
        numbering, spellings = self._numbering(context, column)
        provider = self.field.provider
        if not checkdigits.places(provider, spellings[0]):
            return lambda rows: spellings.at(numbering.places(rows.numbers))
        return lambda rows: [
            checkdigits.corrected(provider, one) for one in spellings.at(numbering.places(rows.numbers))
        ]

    def limit(self, context: Context, column: Column) -> float:
        return self._numbering(context, column)[0].limit

    def fits(self, context: Context, column: Column, numbers: range) -> Sequence[bool] | None:
        return self._numbering(context, column)[0].has_place(numbers)

    def is_proven(self, context: Context, column: Column) -> bool:
        return False

    def is_unique(self, column: Column) -> bool:
        return True

    def _numbering(self, context: Context, column: Column) -> tuple[Numbering, Spellings]:
        return context.source.once((self, column), lambda: self._look(context, column))

    def _look(self, context: Context, column: Column) -> tuple[Numbering, Spellings]:
        places = usual_places(self.field.pool(context.source, column.name, LOOKED_AT), self.longest)
        spellings = Spellings(places or [_CAPITALS] * min(self.longest, WORDS))  # some locales have words there
        checked = checkdigits.places(self.field.provider, spellings[0]) if places else range(0)
        spellings = Spellings("0" if at in checked else one for at, one in enumerate(spellings.places))
        taken: set[int] = set()
        if context.looks:
            known, query = Places(spellings), sa.select(column).where(column.is_not(None))
            texts = context.connection.scalars(query)
            without = ("".join("0" if at in checked else one for at, one in enumerate(text)) for text in texts)
            taken = {place for one in without if (place := known.of(one)) is not None}
        return Numbering(spellings.total, context, f"key:{column.name}", taken), spellings


def usual_places(texts: Iterable[str], longest: int) -> list[str]:
    """Return the characters at each place of those texts that look alike, of the look that most have.

    Nothing where they are words: letters could not be changed in them.
    """
    texts = [one for one in texts if one and len(one) <= longest]
    for pattern, least in ((_LOOKS, 0.02), (_LENGTHS, 0.0)):
        alike: dict[str, list[str]] = {}
        for one in texts:
            alike.setdefault(pattern(one), []).append(one)
        most = max(alike.values(), key=len, default=[])
        if len(most) > least * len(texts):
            places = ["".join(sorted({one.lower(): one for one in some}.values())) for some in zip(*most, strict=True)]
            return [] if any(len(one) > 1 and any(map(_is_of_words, one)) for one in places) else places
    return []


def _is_of_words(character: str) -> bool:
    """Return whether a character is a letter that stands in words: no capital, and no digit of a hexadecimal number."""
    return character.isalpha() and not character.isupper() and character not in "abcdef"


class text(Field):
    """Some of Faker's words as sentences, of a length that the column and its CHECKs allow."""

    description = "words"

    def __init__(self, shortest: int = 0, longest: int | None = None) -> None:
        self.shortest, self.longest = shortest, longest

    def ready(self, context: Context, column: Column) -> Fill:
        most = min(filter(None, (length_of(column), self.longest, max(200, self.shortest))))
        words = context.source.once("words", lambda: _words(context.source.locale))
        random = Random(context.source.seed(column.name, "pool"))
        table = expand(_sentences(words, random, self.shortest, most) for _ in range(500))
        return lambda rows: pick(table, rows.random, len(rows))


class last_year(Field):
    """A day, or a moment in whole seconds, of the year before the day that counts as today."""

    description = "the last year"

    def ready(self, context: Context, column: Column) -> Fill:
        return drawing(self.domain(context, column), context, column)

    def domain(self, context: Context, column: Column) -> Sequence[Any]:
        return year_before(context.source.today, column)


class decimals(Field):
    """Numbers with a fixed count of digits after the point, from low to high."""

    def __init__(self, low: Decimal, high: Decimal, *, as_float: bool = False, places: int | None = None) -> None:
        """Take the ends, and how many digits there are at most, where a column has more."""
        self.low, self.high, self.as_float, self.places = low, high, as_float, places
        self.description = f"{low} to {high}"

    def ready(self, context: Context, column: Column) -> Fill:
        return drawing(self.domain(context, column), context, column)

    def domain(self, context: Context, column: Column) -> Sequence[Any]:
        steps = decimal_steps(self.low, self.high, column, self.places)
        return _Floats(steps.low, steps.step, len(steps)) if self.as_float else steps

    def span(self) -> tuple[Any, Any] | None:
        return self.low, self.high


class computed(Field):
    """Values of a function of the row's own randomness and number: for types without a provider."""

    def __init__(self, description: str, make: Callable[[Random, int], Any], *, unique: bool = False) -> None:
        self.description, self.make, self.unique = description, make, unique

    def ready(self, context: Context, column: Column) -> Fill:
        make = self.make
        if self.unique:
            return lambda rows: list(map(make, repeat(rows.random, len(rows)), rows.numbers))
        random = Random(context.source.seed(column.name, "pool"))
        made = [make(random, number) for number in range(1_000)]
        return lambda rows: rows.random.choices(made, k=len(rows))

    def is_unique(self, column: Column) -> bool:
        return self.unique


class listed(Field):
    """Lists of up to three values of another field, for arrays."""

    def __init__(self, field: Field, dimensions: int = 1) -> None:
        self.field, self.dimensions = field, dimensions
        self.description = f"lists of {field.description}"

    def ready(self, context: Context, column: Column) -> Fill:
        item = sa.Column(column.name, plain_type(column).item_type)  # type: ignore[attr-defined]  # of an array
        fill = self.field.ready(context, item)

        def fill_lists(rows: Rows) -> list[Any]:
            values = fill(rows)
            sizes = rows.random.choices((1, 2, 3), k=len(rows))
            made: list[Any] = [[*values[row : row + size]] for row, size in enumerate(sizes)]
            for _ in range(self.dimensions - 1):
                made = [[one] for one in made]
            return made

        return fill_lists


class above(Field):
    """A value above other columns' of the same row, for `CHECK (starts_on < ends_on)`."""

    def __init__(
        self,
        others: Sequence[tuple[Formula, int]],
        low: Any,
        high: Any,
        description: str,
        within: Sequence[tuple[Formula, int]] = (),
        among: Sequence[Any] = (),
        usual: timedelta | None = None,
    ) -> None:
        """Each of `others` is a column's name, or a formula, and how many steps this one is at least above it.

        Args:
            within: the same, of how many steps it is at most above it.
            among: the only values there may be, in order; any where there are none.
            usual: how far above the others days and moments are at most, where that is known.
        """
        self.others, self.low, self.high, self.within, self.among = others, low, high, within, among
        self.usual = usual
        words = [f"{'more than' if more else 'at least'} {_shown(what)}" for what, more in others]
        words += [f"{'not far from' if isinstance(what, str) else 'at most'} {_shown(what)}" for what, _ in within]
        self.description = ", ".join(filter(None, (description, *words)))

    def ready(self, context: Context, column: Column) -> Fill:
        kind = Scale.of(column)
        low, high = (kind.to_steps(one) if one is not None else None for one in (self.low, self.high))
        lowest = kind.start if low is None else low
        among = [*map(kind.to_steps, self.among)]
        usual = kind.usual
        if self.usual is not None:
            usual = self.usual.days if type(plain_type(column)) is sa.Date else int(self.usual.total_seconds())

        def allowed(steps: int) -> int:
            return among[min(bisect_left(among, steps), len(among) - 1)] if among else steps

        def fill(rows: Rows) -> list[Any]:
            random = rows.random.random
            ends = zip(kind.moved(rows, self.others), kind.moved(rows, self.within), strict=True)
            return [
                kind.from_steps(allowed(_up(max(least, default=lowest), low, _lowest(high, most), usual, random())))
                for least, most in ends
            ]

        return fill


def _lowest(high: int | None, others: Sequence[int]) -> int | None:
    return min(others if high is None else (high, *others)) if others else high


def _up(least: int, low: int | None, high: int | None, usual: int, share: float) -> int:
    """Return a number of steps from the least on, at most the highest, and not farther than is usual."""
    first = least if low is None else max(least, low)
    last = first + usual if high is None else max(first, min(high, first + usual))
    return first + int(share * (last - first + 1))


class Scale:
    """How the values of one type of column are counted in steps."""

    def __init__(
        self, to_steps: Callable[[Any], int], from_steps: Callable[[int], Any], usual: int, start: Any = 0
    ) -> None:
        """Take how many steps apart values usually are, and a value to start from where there is none to compare."""
        self.to_steps, self.from_steps, self.usual, self.start = to_steps, from_steps, usual, to_steps(start)

    def moved(self, rows: Rows, others: Sequence[tuple[Formula, int]]) -> Iterable[list[int]]:
        """Return for each row what is some steps above each of others, but for those that are NULL."""
        if not others:
            return repeat([], len(rows))
        columns = [
            [None if value is None else self.to_steps(value) + steps for value in _results(what, rows)]
            for what, steps in others
        ]
        return ([one for one in row if one is not None] for row in zip(*columns, strict=True))

    @classmethod
    def of(cls, column: Column) -> Scale:
        kind = plain_type(column)
        if isinstance(kind, sa.Integer):
            return cls(int, int, 1_000)
        if isinstance(kind, DECIMAL):
            step = decimal_steps(Decimal(0), Decimal(1), column).step
            as_float = not kind.asdecimal
            return cls(
                lambda value: math.ceil(Decimal(str(value)) / step),
                (lambda steps: float(steps * step)) if as_float else (lambda steps: steps * step),
                int(1_000 / step),
            )
        if isinstance(kind, sa.DateTime):
            zone = UTC if kind.timezone else None
            start = datetime(2000, 1, 1, tzinfo=zone)
            return cls(
                lambda value: int((_moment(value, zone) - start).total_seconds() // 1),
                lambda steps: start + timedelta(seconds=steps),
                30 * 86_400,
                _START,
            )
        if isinstance(kind, sa.Date):
            return cls(lambda value: value.toordinal(), date.fromordinal, 60, _START)
        if isinstance(kind, sa.Time):
            return cls(
                lambda value: value.hour * 60 + value.minute, lambda steps: _time(min(steps, 1439)), 8 * 60, time(8)
            )
        if isinstance(kind, sa.Interval):
            return cls(
                lambda value: int(value.total_seconds()), lambda steps: timedelta(seconds=steps), 86_400, timedelta(0)
            )
        raise CommandError(f"{column} cannot be compared with another column", "write its values in a seeder")


_START = date(2026, 1, 1)


def _moment(value: Any, zone: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    return moment.replace(tzinfo=zone) if (moment.tzinfo is None) is not (zone is None) else moment


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


class cased(Field):
    """A field in capital or in small letters."""

    def __init__(self, field: Field, case: str) -> None:
        self.field, self.case = field, case
        self.description = f"{field.description} in {case} case"

    def ready(self, context: Context, column: Column) -> Fill:
        fill, change = self.field.ready(context, column), str.upper if self.case == "upper" else str.lower
        return lambda rows: [change(value) if value is not None else None for value in fill(rows)]

    def is_unique(self, column: Column) -> bool:
        return self.field.is_unique(column)


SOME = 100  # values of a block that stand for all there may be, where nobody can list these


class other_than(Field):
    """A value of a field that is not that of some other columns in the same row, for `CHECK (user_id <> friend_id)`."""

    def __init__(self, field: Field, *others: str) -> None:
        self.field, self.others = field, others
        self.description = f"{field.description}, not {' or '.join(others)}"

    def ready(self, context: Context, column: Column) -> Fill:
        fill, domain = self.field.ready(context, column), self.field.domain(context, column)
        options = [*islice(domain, len(self.others) + 1)] if isinstance(domain, Sequence) else []

        def fill_differently(rows: Rows) -> list[Any]:
            values, taken = fill(rows), zip(*(rows[name] for name in self.others), strict=True)
            known = options or [*dict.fromkeys(one for one in islice(values, SOME) if one is not None)]
            return [
                value if value not in others else next((one for one in known if one not in others), None)
                for value, others in zip(values, taken, strict=True)
            ]

        return fill_differently

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        return self.field.domain(context, column)


class OrderedPair:
    """Two columns that refer to different rows of one table, of which the first is the smaller."""

    def __init__(self, table: sa.Table, columns: tuple[Column, Column]) -> None:
        self.table, self.columns = table, columns
        self.once = False  # whether no pair may come twice

    def numbering(self, context: Context) -> tuple[Numbering, Sequence[Any]]:
        return context.source.once((self, "numbering"), lambda: self._look(context))

    def _look(self, context: Context) -> tuple[Numbering, Sequence[Any]]:
        keys = parents(context, self.columns[0], self.table)
        places, size = Places(keys), len(keys)
        taken: set[int] = set()
        for row in context.connection.execute(sa.select(*self.columns)) if context.has_rows else ():
            low, high = map(places.of, row)
            if low is not None and high is not None and low < high:
                taken.add(_number_of(low, high, size))
        names = ":".join(column.name for column in self.columns)
        return Numbering(size * (size - 1) // 2, context, f"pair:{names}", taken, _in_circle(size)), keys

    def draw(self, context: Context, rows: Rows) -> list[tuple[Any, Any]]:
        """Return a pair for each row."""
        numbering, keys = self.numbering(context)
        size = len(keys)
        if size < 2 and not self.once:
            raise CommandError(
                f"{self.columns[0].table.fullname} refers to two rows of {self.table.fullname}, which has one",
                f"seed more of {self.table.fullname} first",
            )
        random, most = rows.random.random, size * (size - 1) // 2
        numbers = numbering.places(rows.numbers) if self.once else (int(random() * most) for _ in range(len(rows)))
        return [(keys[low], keys[high]) for low, high in (_pair(number, size) for number in numbers)]


def _in_circle(size: int) -> int:
    """Return how many of some things can stand in a circle so that each has as many to its left as to its right."""
    return max(1, size - (size % 2 == 0))


def _pair(number: int, size: int) -> tuple[int, int]:
    """Return the pair of places, the smaller first, that has a number.

    It is made of one in a circle and of how far on the other is; of an even size the last stands beside the circle.
    """
    circle = _in_circle(size)
    far, one = divmod(number, circle)
    far += size % 2
    other = (one + far) % circle if far else circle
    return min(one, other), max(one, other)


def _number_of(low: int, high: int, size: int) -> int:
    circle = _in_circle(size)
    far = (high - low) % circle if high < circle else 0
    one, far = (low, far) if far <= circle // 2 else (high, circle - far)
    return (far - size % 2) * circle + one


class ordered(Field):
    """One of two references, of which one is the smaller, for `CHECK (low_id < high_id)`."""

    def __init__(self, pair: OrderedPair, place: int) -> None:
        self.pair, self.place = pair, place
        other = pair.columns[1 - place].name
        self.description = f"a row of {pair.table.fullname}, {'above' if place else 'below'} {other}"

    def ready(self, context: Context, column: Column) -> Fill:
        self.pair.numbering(context)  # asks the database now, and not while rows are loaded
        name = ("pair", *(one.name for one in self.pair.columns))
        return lambda rows: [one[self.place] for one in rows.shared(name, lambda own: self.pair.draw(context, own))]

    def limit(self, context: Context, column: Column) -> float:
        return self.pair.numbering(context)[0].limit if self.pair.once else math.inf


class copied(Field):
    """What another column of the same row holds: a row that refers to itself."""

    def __init__(self, other: str) -> None:
        self.other = other
        self.description = f"the same as {other}"

    def ready(self, context: Context, column: Column) -> Fill:
        return lambda rows: rows[self.other]

    def looks_at(self) -> Iterable[str]:
        return (self.other,)

    def is_unique(self, column: Column) -> bool:
        return True  # as the key it copies


class calculated(Field):
    """What a CHECK says a column is computed from: total = quantity * price."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.description = _shown(formula)

    def ready(self, context: Context, column: Column) -> Fill:
        kind = plain_type(column)
        number: Callable[[Any], Any] = Decimal
        if isinstance(kind, sa.Integer | sa.Float):
            number = int if isinstance(kind, sa.Integer) else float
        return lambda rows: [None if one is None else number(one) for one in _results(self.formula, rows)]


class Ways:
    """The ways in which rows of a table can keep to its CHECKs; of each what fills the columns."""

    def __init__(
        self,
        ways: Sequence[Mapping[Column, Field | None]],
        weights: Sequence[float],
        of: tuple[str, Sequence[Any]] | None = None,
    ) -> None:
        """Take what fills in each way the columns in which they differ, None for NULL, and how likely the way is.

        Args:
            of: a column that is filled otherwise, and what it holds in each way.
        """
        self.ways, self.weights, self.of = ways, [*accumulate(weights)], of

    def choose(self, rows: Rows, context: Context) -> list[int]:
        """Return in which way each row is filled: in none whose keys allow no more, or that needs a row before."""
        return rows.shared(("way", str(len(self.ways))), lambda own: self._choose(own, context))

    def _choose(self, rows: Rows, context: Context) -> list[int]:
        numbers = range(len(self.ways))
        chosen = rows.random.choices(numbers, cum_weights=self.weights, k=len(rows))
        if self.of is not None:
            name, held = self.of
            of_value = {value: [way for way in numbers if held[way] == value] for value in held}
            chosen = _among(chosen, (of_value.get(value) or [*numbers] for value in rows[name]))
        fits = [
            self._fits(way, start, rows.numbers, context) for way, start in zip(self.ways, self._starts(), strict=True)
        ]
        if not any(fits):
            return chosen
        can_be = zip(*(one or repeat(True, len(rows)) for one in fits), strict=True)
        return _among(chosen, ([way for way in numbers if each[way]] or [*numbers] for each in can_be))

    def _fits(
        self, way: Mapping[Column, Field | None], start: int, numbers: range, context: Context
    ) -> list[bool] | None:
        """Return of each row whether it can be filled in a way: its keys may allow no more; None where all can."""
        found = [one.fits(context, column, numbers) for column, one in way.items() if one]
        if numbers.start < start:
            found.append([number >= start for number in numbers])
        some = [one for one in found if one is not None]
        return [all(each) for each in zip(*some, strict=True)] if some else None

    def limit(self, context: Context) -> float:
        """Return how many rows there can be: the most that any way has room for."""
        return max(
            min((one.limit(context, column) for column, one in way.items() if one), default=math.inf)
            for way in self.ways
        )

    def _starts(self) -> list[int]:
        return [int(any(isinstance(one, earlier_at_once) for one in way.values())) for way in self.ways]


def _among(chosen: Sequence[int], some_ways: Iterable[Sequence[int]]) -> list[int]:
    """Return the way of each row where it is one of some, else another of these."""
    return [way if way in some else some[way % len(some)] for way, some in zip(chosen, some_ways, strict=True)]


def _of_values(fields: Sequence[Field | None]) -> str:
    """Return what fields of some values each are together; nothing where they are not only that."""
    inner = [one.field if isinstance(one, maybe) else one for one in fields]
    values = [one.values() if isinstance(one, choice | constant) else None for one in inner]
    shares = {one.share if isinstance(one, maybe) else 0 for one in fields}
    if not all(values) or len(shares) > 1:
        return ""
    made: Field = choice(*dict.fromkeys(chain.from_iterable(filter(None, values))))
    return (maybe(made, *shares) if any(shares) else made).description


def _nothing(rows: Rows) -> Sequence[None]:
    return [None] * len(rows)


class either(Field):
    """One of some fields, the same one in all columns of a row: of rows that keep to a CHECK in another way each."""

    def __init__(self, fields: Sequence[Field | None], ways: Ways) -> None:
        """Take what fills the column in each way, None where it then is NULL, and the ways."""
        self.fields, self.ways = fields, ways
        said = dict.fromkeys(one.description if one else "NULL" for one in fields)
        self.description = _of_values(fields) or ", or ".join(said)

    def ready(self, context: Context, column: Column) -> Fill:
        looks = [one.description if one else None for one in self.fields]  # what looks alike is made once
        alike = dict(zip(looks, self.fields, strict=True))
        fills = {look: one.ready(context, column) if one else _nothing for look, one in alike.items()}

        def fill(rows: Rows) -> list[Any]:
            made = {look: one(rows) for look, one in fills.items()}
            values = [made[look] for look in looks]
            return [values[way][row] for row, way in enumerate(self.ways.choose(rows, context))]

        return fill

    def limit(self, context: Context, column: Column) -> float:
        return self.ways.limit(context)

    def is_proven(self, context: Context, column: Column) -> bool:
        return False  # a key that one way has used up may have room in another

    def may_be_null(self) -> bool:
        return any(one is None or one.may_be_null() for one in self.fields)


class in_steps(Field):
    """One of some columns that must be in order, of which none may repeat: row by row, each next to the one before."""

    def __init__(self, columns: Sequence[Column], place: int, steps: Steps) -> None:
        """Take the columns, in their order, the place of this one, and the values there may be."""
        self.columns, self.place, self.steps = columns, place, steps
        others = ", ".join(one.name for number, one in enumerate(columns) if number != place)
        self.description = f"next to {others}, each once"

    def ready(self, context: Context, column: Column) -> Fill:
        many, place, (first, *others) = len(self.columns), self.place, self.columns
        numbers = free_numbers(context, first, self._number_in, *others)
        # Those after the rows that are asked for may have no value.
        at, last = self.steps.__getitem__, len(self.steps) - 1
        return lambda rows: [at(min(number * many + place, last)) for number in numbers(rows.numbers)]

    def _number_in(self, value: Any) -> int | None:
        place = Places(self.steps).of(value)
        return None if place is None else place // len(self.columns)

    def limit(self, context: Context, column: Column) -> float:
        return len(self.steps) // len(self.columns)

    def is_proven(self, context: Context, column: Column) -> bool:
        return False

    def is_unique(self, column: Column) -> bool:
        return True


class exact(Field):
    """Numbers of a field, in halves, quarters ...: of these every database computes the same sums, with floats too."""

    def __init__(self, field: Field, parts: int, low: Any) -> None:
        self.field, self.parts, self.low = field, parts, low
        self.description = field.description

    def ready(self, context: Context, column: Column) -> Fill:
        fill, parts = self.field.ready(context, column), min(self.parts, 2 ** scale_of(column))

        def cut(value: Any) -> Any:
            if value is None:
                return None
            part = math.floor(value * parts)
            if self.low is not None and part < self.low * parts:
                part = math.ceil(value * parts)
            return type(value)(part) / parts

        return lambda rows: list(map(cut, fill(rows)))


def _results(formula: Formula, rows: Rows) -> Sequence[Any]:
    """Return what a formula amounts to in each row; None where something in it is NULL."""
    if isinstance(formula, str):
        return rows[formula]
    names = [*dict.fromkeys(terms_of(formula))]
    return [
        None
        if None in row
        else _result(formula, {name: Decimal(str(one)) for name, one in zip(names, row, strict=True)})
        for row in zip(*(rows[name] for name in names), strict=True)
    ]


def _result(formula: Formula, row: Mapping[str, Decimal]) -> Decimal:
    if isinstance(formula, Decimal):
        return formula
    if isinstance(formula, str):
        return row[formula]
    sign, left, right = formula[0], _result(formula[1], row), _result(formula[2], row)
    if sign == "round":
        return left.quantize(Decimal(1).scaleb(-int(right)), ROUND_HALF_UP)
    return left + right if sign == "+" else left - right if sign == "-" else left * right


def _shown(formula: Formula, inner: bool = False) -> str:
    if not isinstance(formula, tuple):
        return str(formula)
    if formula[0] == "round":
        return f"round({_shown(formula[1])}, {formula[2]})"
    shown = f"{_shown(formula[1], True)} {formula[0]} {_shown(formula[2], True)}"
    return f"({shown})" if inner else shown


class only_for(Field):
    """A field for some rows, NULL for others: those of some kinds, as of a class in single table inheritance.

    Without kinds they are those in which the other column is filled.
    """

    def __init__(self, field: Field, discriminator: str, identities: Sequence[Any]) -> None:
        self.field, self.discriminator, self.identities = field, discriminator, identities
        kinds = " or ".join(map(str, identities))
        of_which = f"for {discriminator} {kinds}" if kinds else f"where {discriminator} is there"
        self.description = f"{field.description}, {of_which}"

    def ready(self, context: Context, column: Column) -> Fill:
        fill, own = self.field.ready(context, column), set(self.identities)

        def fill_some(rows: Rows) -> list[Any]:
            pairs = zip(fill(rows), rows[self.discriminator], strict=True)
            return [value if (kind in own if own else kind is not None) else None for value, kind in pairs]

        return fill_some

    def looks_at(self) -> Iterable[str]:
        return (self.discriminator,)

    def may_be_null(self) -> bool:
        return True


# References of more than one column, and those that only some rows of the parent are for


class part_of_row(Field):
    """One column of a foreign key of several: all of them come from the same row of the parent.

    Columns of the key that are filled otherwise, as a tenant's is by a key before this one, choose among the parents.
    """

    def __init__(
        self,
        key: sa.ForeignKeyConstraint,
        column: Column,
        given: Sequence[str],
        share: float = 0.0,
        unequal: Sequence[tuple[str, str]] = (),
        only: Mapping[str, Collection[Any]] | None = None,
    ) -> None:
        """Take the key, one of its columns, those that are filled otherwise, and the share of rows without a parent.

        Args:
            unequal: pairs of the table's columns that must differ, each in a key of several columns.
            only: what some columns of the key may hold, where that is a few values.
        """
        self.key, self.column, self.given, self.share, self.unequal = key, column, given, share, unequal
        self.only = only or {}
        self.place = list(key.columns).index(column)
        self.unlike: tuple[str, str] | None = None  # of the key, and the one filled before that it must differ from
        self.description = f"a row of {key.referred_table.fullname}" + (f", {share:.0%} NULL" if share else "")

    def with_nulls(self, share: float) -> part_of_row:
        """Return the same, NULL in some rows, together with what else of the key can be NULL."""
        return part_of_row(self.key, self.column, self.given, share, self.unequal, self.only)

    def may_be_null(self) -> bool:
        return self.share > 0

    def ready(self, context: Context, column: Column) -> Fill:
        found = rows_of_parent(context, self.key, self.unequal, self.only)
        own = [one.name for one in self.key.columns]
        given = [(place, name) for place, name in enumerate(own) if name in self.given]
        differing, other = (own.index(self.unlike[0]), [self.unlike[1]]) if self.unlike else (None, [])
        groups: dict[Any, list[Any]] = {}
        for row in found:
            groups.setdefault(tuple(row[place] for place, _ in given), []).append(row)
        sorted_groups = {key: _Alike(rows, differing) for key, rows in groups.items()}
        everyone = _Alike(found, differing)

        def choose(rows: Rows) -> list[Any]:
            if not given and not other:
                return rows.random.choices(found, k=len(rows))
            filled = zip(*(rows[name] for name in (*(name for _, name in given), *other)), strict=True)
            chosen = []
            for before, share in zip(filled, (rows.random.random() for _ in range(len(rows))), strict=True):
                key = before[: len(given)]
                fitting = everyone if None in key else sorted_groups.get(key)
                row = fitting.choose(share, *before[len(given) :]) if fitting else None
                chosen.append(row if row is not None else self._refuse(context, before))
            return chosen

        def fill(rows: Rows) -> list[Any]:
            # Names, and not the key itself: they are the same in every run.
            only = (f"{name} {values}" for name, values in self.only.items())
            chosen = [row[self.place] for row in rows.shared(("row of", *own, *only), choose)]
            if not self.share:
                return chosen
            shares = rows.shared(("no row of", *own), lambda one: [one.random.random() for _ in range(len(one))])
            return [None if share < self.share else value for share, value in zip(shares, chosen, strict=True)]

        return fill

    def _refuse(self, context: Context, before: Sequence[Any]) -> Any:
        values = [f"{name} {value}" for name, value in zip(self.given, before, strict=False)]
        if self.unlike:
            values.append(f"{self.unlike[0]} other than {before[-1]}")
        raise CommandError(
            f"no row of {self.key.referred_table.fullname} has {', '.join(values)},"
            f" to which rows of {context.source.table.fullname} have to refer",
            f"seed more of {self.key.referred_table.fullname} first",
        )


class _Alike:
    """Rows of a parent to choose one from, or one that has another value in some column."""

    def __init__(self, rows: Sequence[Any], differing: int | None) -> None:
        self._rows = rows
        self._spans: dict[Any, tuple[int, int]] = {}
        if differing is not None:
            places: dict[Any, list[Any]] = {}
            for row in rows:
                places.setdefault(row[differing], []).append(row)
            self._rows = [*chain.from_iterable(places.values())]
            ends = accumulate(map(len, places.values()))
            self._spans = {value: (end - len(places[value]), end) for value, end in zip(places, ends, strict=True)}

    def choose(self, share: float, unlike: Any = None) -> Any:
        """Return the row at a share of those without a value; None where there is none."""
        first, last = self._spans.get(unlike, (0, 0))
        at = int(share * (len(self._rows) - (last - first)))
        at += last - first if at >= first else 0
        return self._rows[at] if at < len(self._rows) else None


def rows_of_parent(
    context: Context,
    key: sa.ForeignKeyConstraint,
    unequal: Sequence[tuple[str, str]] = (),
    only: Mapping[str, Collection[Any]] | None = None,
) -> list[Any]:
    """Return the keys of a parent, but for those to which another key of the table, that shares a column, fits none.

    Args:
        unequal: pairs of the table's columns that must differ.
        only: what some columns may hold.

    Raises:
        CommandError: there is no such row.
    """
    table = context.source.table
    found: list[Any] = [*keys_of_rows(context, tuple(element.column for element in key.elements))]
    require_parents(table, key.referred_table, found)
    names = [one.name for one in key.columns]
    for name, values in (only or {}).items():
        found = [row for row in found if row[names.index(name)] in values]
    if not found:
        asked = " and ".join(f"{name} {' or '.join(map(str, values))}" for name, values in (only or {}).items())
        raise CommandError(
            f"{table.fullname} refers to rows of {key.referred_table.fullname} with {asked}, and there is none",
            f"seed more of {key.referred_table.fullname} first",
        )
    for other in sorted(table.foreign_key_constraints, key=lambda one: list(one.column_keys)):
        there_names = [one.name for one in other.columns]
        shared = [name for name in there_names if name in names]
        if other is key or not shared or other.referred_table is table:
            continue
        pairs = ((one, two) for pair in unequal for one, two in (pair, pair[::-1]))
        apart = next((pair for pair in pairs if pair[0] in names and pair[1] in there_names), None)
        there: Iterable[Any] = keys_of_rows(context, tuple(element.column for element in other.elements))
        there = there if len(other.columns) > 1 else ((value,) for value in there)
        known: dict[Any, set[Any]] = {}
        for row in there:
            at = tuple(row[there_names.index(name)] for name in shared)
            known.setdefault(at, set()).add(row[there_names.index(apart[1])] if apart else None)
        own = [names.index(name) for name in shared]
        groups = (known.get(tuple(row[place] for place in own), set()) for row in found)
        mine = (row[names.index(apart[0])] if apart else True for row in found)  # which is no None
        fitting = zip(found, groups, mine, strict=True)
        found = [row for row, values, value in fitting if len(values) > (value in values)] or found
    return found


class reference_where(reference):
    """A row of a parent that is of some kind: a class in joined table inheritance."""

    def __init__(self, table: sa.Table, where: sa.ColumnElement[bool], what: str) -> None:
        super().__init__(table)
        self.where = where
        self.description = f"a row of {table.fullname}, {what}"

    def ready(self, context: Context, column: Column) -> Fill:
        return drawing(self.domain(context, column), context, column)

    def domain(self, context: Context, column: Column) -> Sequence[Any]:
        return parents(context, column, self.table, self.where)


class earlier_row(Field):
    """A row of the same table that was made before, or none: set in a second pass, when all rows are there."""

    def __init__(self, *, unique: bool, share: float, in_pairs: bool = False) -> None:
        """Take whether no row may be referred to twice, the share of rows that refer to none, and whether it is half.

        Args:
            in_pairs: whether of those that are unique only each second one refers to the one before: no endless chain.
        """
        self.unique, self.share, self.in_pairs = unique, share, in_pairs
        self.description = "each second one the row before" if in_pairs else "the row before"
        self.description = self.description if unique else "an earlier row"

    def ready(self, context: Context, column: Column) -> Fill:
        raise NotImplementedError  # there is nothing to draw from before the rows are there

    def choose(self, keys: Sequence[Any], first: int, chances: Iterable[tuple[float, float]]) -> list[Any]:
        """Return what the rows from the `first` on of these keys, which are in order, refer to.

        Args:
            chances: two random numbers for each of these rows.
        """
        if self.unique:
            left_out = 2 if self.in_pairs else len(keys) + 1
            return [keys[place - 1] if place % left_out else None for place in range(first, len(keys))]
        return [
            keys[int(one * place)] if place and other >= self.share else None
            for place, (one, other) in zip(range(first, len(keys)), chances, strict=True)
        ]


class earlier_at_once(Field):
    """An earlier row of the same table, which is there at once, with what a CHECK asks of the row beside it."""

    def __init__(self, own: Column, *, unique: bool) -> None:
        """Take the key that it refers to, and whether no row may be referred to twice."""
        self.own, self.unique = own, unique
        self.description = "the row before" if unique else "an earlier row"

    def there(self, context: Context, column: Column) -> Sequence[Any]:
        """Return the keys that are there before the first row that is to come."""
        is_topped_up = context.has_rows and context.start
        return parents(context, column, self.own.table, required=False) if is_topped_up else ()

    def is_unique(self, column: Column) -> bool:
        return self.unique

    def may_be_null(self) -> bool:
        return True


class earlier_number(earlier_at_once):
    """An earlier row whose key is known before the row is there, for that is its number."""

    def ready(self, context: Context, column: Column) -> Fill:
        key_of, start = numbered().by_number(context, self.own), context.start
        there = self.there(context, column)
        known = {*there}

        def fill(rows: Rows) -> list[Any]:
            random = rows.random.random
            earlier = [max(0, one - 1) if self.unique else int(random() * one) for one in rows.numbers]
            others = [] if self.unique else there  # in place of a row that is no longer there
            keys = [
                key if place >= start or key in known else others[place % len(others)] if others else None
                for place, key in zip(earlier, key_of(earlier), strict=True)
            ]
            return keys if rows.numbers.start else [None, *keys[1:]]

        return fill


class earlier_of_block(earlier_at_once):
    """An earlier row whose key is a text, or what else is made here: one of the same block."""

    def ready(self, context: Context, column: Column) -> Fill:
        start, there = context.start, self.there(context, column)
        known, others = {*there}, [] if self.unique else there  # in place of a row that is no longer there
        first = dict[str, Any]()

        def fill(rows: Rows) -> list[Any]:
            keys, number, random = rows[self.own.name], rows.numbers.start, rows.random.random
            if not number:
                first["key"] = keys[0]
            before = None if self.unique or not number else first.get("key", others[0] if others else None)
            made = [before]
            for offset in range(1, len(keys)):
                place = offset - 1 if self.unique else int(random() * offset)
                key = keys[place]
                if number + place < start and key not in known:
                    key = others[place % len(others)] if others else None
                made.append(key)
            return made

        return fill


class earlier_alike(Field):
    """An earlier row of the same table, or none, for a key of several columns: one that has what some of them hold.

    As an answer is to a post of the same topic. The rest of the key is set in a second pass, when all rows are there.
    """

    def __init__(
        self, key: sa.ForeignKeyConstraint, waiting: Sequence[Column], *, unique: bool, below: bool, share: float
    ) -> None:
        """Take the key, those of its columns that are to be set, and the share of rows without any.

        Args:
            unique: whether no row may be referred to twice.
            below: whether the row that is referred to must have the lower values, too.
        """
        self.waiting, self.unique, self.below, self.share = waiting, unique, below, share
        elements = list(key.elements)
        given = [one for one in elements if one.parent not in waiting]
        self._filled, self._shared = [one.parent for one in given], [one.column for one in given]
        self._referred = [next(one.column for one in elements if one.parent is column) for column in waiting]
        names = ", ".join(one.name for one in self._filled)
        self.description = f"an earlier row of the same {names}" if given else "an earlier row"

    @property
    def columns(self) -> list[Column]:
        """The columns that tell of each row what it can refer to, what refers to it, and what it refers to already."""
        return [*self._filled, *self._shared, *self._referred, *self.waiting]

    def ready(self, context: Context, column: Column) -> Fill:
        raise NotImplementedError  # there is nothing to draw from before the rows are there

    def choose(self, rows: Sequence[Sequence[Any]], first: int, chances: Iterable[tuple[float, float]]) -> list[Any]:
        """Return what the rows from the `first` on refer to: a value for each column that is to be set, or None.

        Args:
            rows: the values of the columns in each row, in the order of the rows.
            chances: two random numbers for each of the rows from the first on.
        """
        ends = [*accumulate(map(len, (self._filled, self._shared, self._referred, self.waiting)), initial=0)]
        parts = [[tuple(row[one:end]) for one, end in pairwise(ends)] for row in rows]
        followed = {(wanted, there) for wanted, _, _, there in parts[:first]} if self.unique else set()
        earlier: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        chosen, draws = list[Any](), iter(chances)
        for place, (wanted, shared, own, _) in enumerate(parts):
            if place >= first:
                chance, other = next(draws)
                some = earlier.get(wanted, [])
                end = bisect_left(some, in_order(own), key=in_order) if self.below and None not in own else len(some)
                at = int(chance * end) if end and other >= self.share else None
                chosen.append(None if at is None else some.pop(at) if self.unique else some[at])
            if None not in (*shared, *own) and (shared, own) not in followed:
                insort(earlier.setdefault(shared, []), own, key=in_order)
        return chosen


# Keys


@dataclass(frozen=True)
class Component:
    """One of the parts of a key that are numbered through: a column, or the columns of a foreign key of several."""

    columns: tuple[Column, ...]
    field: Field
    keys: tuple[sa.ForeignKeyConstraint, ...] = ()
    alone: tuple[Column, ...] = ()  # those of the columns that may not repeat, where these are not all

    def domain(self, context: Context) -> Sequence[Any]:
        """Return everything it can be, in a fixed order."""
        if self.keys:
            return [rows[0] for rows in self.alike(context).values()]
        field = self.field.field if isinstance(self.field, other_than) else self.field
        return field.domain(context, self.columns[0]) or ()

    def own(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Return those values of a row of the parents that may not repeat."""
        return tuple(row[self.columns.index(one)] for one in self.alone) if self.alone else tuple(row)

    def alike(self, context: Context) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
        """Return rows of the parents, by those of their values that may not repeat."""
        return context.source.once(("alike", *self.columns, *self.alone), lambda: self._alike(context))

    def _alike(self, context: Context) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
        found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for row in self._rows(context):
            found.setdefault(self.own(row), []).append(row)
        return found

    def _rows(self, context: Context) -> Iterator[tuple[Any, ...]]:
        """Yield rows of the parents, joined where foreign keys share columns; of very many, some for each."""
        joined: list[dict[str, Any]] = [{}]
        field = self.field if isinstance(self.field, part_of_row) else None
        unequal = field.unequal if field is not None else ()
        for key in self.keys:
            only = field.only if field is not None and field.key is key else None
            found = rows_of_parent(context, key, unequal, only)
            names = [column.name for column in key.columns]
            shared = [place for place, name in enumerate(names) if name in joined[0]]
            groups: dict[tuple[Any, ...], list[Any]] = {}
            for row in found:
                groups.setdefault(tuple(row[place] for place in shared), []).append(row)
            most = max(1, MOST_JOINED // max(1, len(joined)))
            both = (
                {**one, **dict(zip(names, row, strict=True))}
                for one in joined
                for row in groups.get(tuple(one[names[place]] for place in shared), [])[:most]
            )
            joined = [row for row in both if _differ(row, unequal)] or [{}]
        return (tuple(one[column.name] for column in self.columns) for one in joined if one)

    @property
    def must_differ_from(self) -> Sequence[str]:
        return self.field.others if isinstance(self.field, other_than) else ()


def _differ(row: Mapping[str, Any], unequal: Sequence[tuple[str, str]]) -> bool:
    return all(row[one] != row[other] for one, other in unequal if one in row and other in row)


class digit(Field):
    """One column of a key of several, numbered through all combinations of their values."""

    def __init__(
        self,
        components: tuple[Component, ...],
        column: Column,
        keys: Sequence[Collection[Column]] = (),
        *,
        has_all: bool = False,
        then_null: Column | None = None,
        where: str = "",
    ) -> None:
        """Take the parts of the key and one of its columns.

        Args:
            keys: where it is several keys at once, the columns of each.
            has_all: whether the parts are all there is of the keys, and can be nothing that is not listed.
            then_null: the column that is NULL when all combinations have been there: such rows do not count as alike.
            where: of which rows the key is, if not of all.
        """
        self.where = where
        self.components, self.keys, self.has_all, self.then_null = components, keys, has_all, then_null
        self.key = tuple(one for component in components for one in component.columns)
        self.place = next(place for place, component in enumerate(components) if column in component.columns)
        own = components[self.place]
        self.part = own.columns.index(column) if own.keys else None
        others = ", ".join(one.name for one in self.key if one not in own.columns)
        self.description = own.field.description + (
            f", each combination with {others} once" if others else ", each once"
        )
        self.is_then_null = column is then_null
        self.description += ", then NULL" if self.is_then_null else ""

    def ready(self, context: Context, column: Column) -> Fill:
        numbering, combinations = self._numbering(context)
        names = (*(one.name for one in self.key), *(one.field.description for one in self.components))

        def fill(rows: Rows) -> list[Any]:
            places = rows.shared(("key", *names), lambda own: numbering.places(own.numbers))
            values = combinations.column(self.place, places)
            has_place = numbering.has_place(rows.numbers) if self.is_then_null else None
            if has_place is not None:
                return [value if is_one else None for value, is_one in zip(values, has_place, strict=True)]
            if self.part is None:
                return values
            return [value[self.part] for value in self._any_alike(context, values, rows)]

        return fill

    def _any_alike(self, context: Context, values: list[Any], rows: Rows) -> list[Any]:
        """Return for each row of the parents one that is the same in what may not repeat; which, is up to chance."""
        own = self.components[self.place]
        if not own.alone:
            return values
        alike, name = own.alike(context), ("alike", *(one.name for one in own.columns))
        shares = rows.shared(name, lambda shared: [shared.random.random() for _ in range(len(shared))])
        groups = (alike[own.own(value)] for value in values)
        return [group[int(share * len(group))] for group, share in zip(groups, shares, strict=True)]

    def limit(self, context: Context, column: Column) -> float:
        limit = self._numbering(context)[0].limit
        return limit if self.then_null is None else math.inf

    def fits(self, context: Context, column: Column, numbers: range) -> Sequence[bool] | None:
        return self._numbering(context)[0].has_place(numbers) if self.then_null is None else None

    def may_be_null(self) -> bool:
        return self.is_then_null

    def is_proven(self, context: Context, column: Column) -> bool:
        numbering, combinations = self._numbering(context)
        all_are_made = combinations.total == combinations.most and numbering.blocked <= context.present
        return self.has_all and all_are_made

    def keeps_apart(self, columns: Collection[Column]) -> bool:
        """Return whether no values of these columns come twice."""
        keys = self.keys or [[one for part in self.components for one in part.alone or part.columns]]
        return any({*key} <= {*columns} for key in keys)

    def _numbering(self, context: Context) -> tuple[Numbering, Combinations | Interlocked | Ranked]:
        return context.source.once(("key", self.components), lambda: self._look(context))

    def _look(self, context: Context) -> tuple[Numbering, Combinations | Interlocked | Ranked]:
        combinations = self._combinations([component.domain(context) for component in self.components])
        are_there = (one.is_not(None) for one in self.key)  # a row with a NULL is like no other
        query = sa.select(*self.key).where(*are_there)
        query = query.where(sa.text(self.where)) if self.where else query
        found = context.connection.execute(query) if context.has_rows else ()
        taken = {*combinations.taken(self._values_of(context, row) for row in found)}
        name = f"key:{':'.join(column.name for column in self.key)}"
        return Numbering(combinations.total, context, name, taken, combinations.width), combinations

    def _combinations(self, domains: Sequence[Sequence[Any]]) -> Combinations | Interlocked | Ranked:
        places = {component.columns[0].name: place for place, component in enumerate(self.components)}
        pairs = [
            (place, places[name])
            for place, component in enumerate(self.components)
            for name in component.must_differ_from
            if name in places
        ]
        if not self.keys:
            return Combinations(domains, pairs)
        parts = [one.alone or one.columns for one in self.components]
        if all({*part} <= {*key} or not {*part} & {*key} for part in parts for key in self.keys):
            within = [[place for place, part in enumerate(parts) if part[0] in key] for key in self.keys]
            others = in_turn(len(domains), {frozenset(pair) for pair in pairs})
            if max(map(len, others)) > 1:  # more than can be counted in digits: each has values of its own
                domains, others = _split(domains, others), [[] for _ in domains]
            return Interlocked(domains, [next(iter(some), None) for some in others], within)
        main = next(place for place, component in enumerate(self.components) if component.keys)
        columns = self.components[main].columns
        keys = []
        for key in self.keys:
            is_of_one = {*parts[main]} <= {*key}
            beside = [place for place, part in enumerate(parts) if place != main and part[0] in key and not is_of_one]
            keys.append(([place for place, column in enumerate(columns) if column in key], beside))
        return Ranked(domains, main, keys)

    def _values_of(self, context: Context, row: Iterable[Any]) -> list[Any]:
        """Return what each part of the key is in a row that is there; of rows of parents that are alike, the first."""
        values, found = iter(row), list[Any]()
        for component in self.components:
            value = tuple(islice(values, len(component.columns))) if component.keys else next(values)
            alike = component.alike(context).get(component.own(value)) if component.keys else None
            found.append(alike[0] if alike else value)
        return found


def _split(domains: Sequence[Sequence[Any]], others: Sequence[Sequence[int]]) -> list[Sequence[Any]]:
    """Return of each sequence that must differ from others a part of its values that none of these has."""
    near: dict[int, set[int]] = {}
    for place, other in ((place, other) for place, some in enumerate(others) for other in some):
        near.setdefault(place, set()).add(other)
        near.setdefault(other, set()).add(place)
    part_of: dict[int, int] = {}
    for place, some_near in near.items():
        part_of[place] = next(part for part in count() if part not in [part_of.get(other) for other in some_near])
    parts = max(part_of.values()) + 1
    known = {value: number for place in near for number, value in enumerate(domains[place])}
    return [
        [value for value in domain if known[value] % parts == part_of[place]] if place in near else domain
        for place, domain in enumerate(domains)
    ]


# Values


def year_before(today: date, column: Column) -> Steps:
    """Return the days, or the moments in whole seconds, of the year before a day."""
    kind = plain_type(column)
    if isinstance(kind, sa.DateTime):
        zone = UTC if kind.timezone else None
        start = datetime(today.year, today.month, today.day, tzinfo=zone) - timedelta(days=365)
        return Steps(start, timedelta(seconds=1), 365 * 86_400)
    return Steps(today - timedelta(days=365), timedelta(days=1), 365)


def unique_uuid(bits: int, number: int, as_uuid: bool) -> UUID | str:
    """Return a version 4 UUID whose last 48 bits are the row number, so never twice."""
    made = UUID(int=(bits << 48 | number) & (1 << 128) - 1, version=4)
    return made if as_uuid else str(made)


class _Floats(Steps):
    """Steps of decimal numbers, as floats."""

    def __getitem__(self, index: Any) -> Any:
        return float(super().__getitem__(index))

    def _shown(self, values: Iterable[Any]) -> tuple[float, ...]:
        return tuple(map(float, values))

    def index(self, value: Any, *_: Any) -> int:
        return super().index(Decimal(str(value)))


_SIGNS = re.compile(r"[\W_]+")


def _without_signs(text: str) -> str:
    return _SIGNS.sub("", text)


# How the same may be written, the usual way first.
_WAYS: tuple[Callable[[str], str], ...] = (
    str,
    _without_signs,
    str.lower,
    str.upper,
    lambda text: _without_signs(text).lower(),
    lambda text: _SIGNS.sub("-", text.lower()).strip("-"),
    lambda text: _SIGNS.sub("_", text.lower()).strip("_"),
)
_WORD = re.compile(r".*?(\d{1,18})\s*", re.ASCII)
_CAPITALS = string.ascii_uppercase + string.digits
_NUMBER = r"(\d{1,18})\s*"
_BEFORE_DOT = re.compile(r".*-(\d{1,18})\.[^.]*", re.ASCII | re.DOTALL)
_LENGTHS = partial(re.sub, r"\w", "x")
_LOOKS = partial(re.sub, r"[^\W\d_]|\d", lambda one: "0" if one[0].isdigit() else "A" if one[0].isupper() else "a")


def _first_letters(source: Source) -> list[str]:
    """Return what first names of the locale leave in a to z."""
    return list(dict.fromkeys(map(letters, names_of(source).texts("first_name"))))


def _words(locale: str) -> list[str]:
    from faker import Faker

    provider = Faker(locale, providers=["faker.providers.lorem"]).provider("faker.providers.lorem")
    return list(dict.fromkeys(provider.word_list))


def _sentences(words: Sequence[str], random: Random, shortest: int, longest: int) -> str:
    """Return sentences, or a word, of at least and at most so many characters."""
    made, wanted = "", max(shortest, min(longest, random.randint(20, 200)))
    while len(made) < wanted:
        sentence = " ".join(random.choices(words, k=random.randint(4, 9))).capitalize()
        if made and len(made) + len(sentence) + 2 > longest and len(made) >= shortest:
            break
        made = f"{made} {sentence}." if made else f"{sentence}."
    if len(made) <= longest:
        return made
    cut = made[:longest].rstrip(" .")
    whole = cut.rpartition(" ")[0] if longest >= 12 and len(cut.rpartition(" ")[0]) >= shortest else cut
    return whole + random.choice(words)[0] * (shortest - len(whole))  # a blank that was cut off may be missing
