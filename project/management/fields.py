"""What a column can be filled with: the words a seeder is written in."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, count
from random import Random
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .blocks import Fill, Rows, Source
from .errors import CommandError, did_you_mean
from .outcomes import ENTRIES, PersonNames, expand, letters, pick, pool

if TYPE_CHECKING:
    from faker import Faker
    from sqlalchemy.orm import DeclarativeBase

Column = sa.Column[Any]
Look = tuple[Any, ...]
DOMAIN = "example.org"  # reserved for examples: https://www.rfc-editor.org/rfc/rfc2606#section-3


@dataclass
class Context:
    """What a field may look at while it gets ready: the table's source, the database, and the row numbers to make."""

    source: Source
    connection: sa.Connection
    has_rows: bool = False  # whether the table holds rows already, whose keys must not come again
    looks: bool = False  # whether to read which of them hold a number that is to come, which takes a whole scan
    start: int = 0  # the first row number to make
    stop: int = 0  # the row number to stop before


class Field(ABC):
    """A way to fill a column."""

    description = ""

    @abstractmethod
    def ready(self, context: Context, column: Column) -> Fill:
        """Return the function that makes a block's values for this column."""

    def limit(self, context: Context, column: Column) -> float:
        """Return how many rows this can fill; only for a field of unique values is it less than infinite."""
        return math.inf

    def is_unique(self, column: Column) -> bool:
        """Return whether no value of this field comes twice."""
        return False

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        """Return all values in a fixed order where they can be listed, for keys to be numbered through."""
        return None

    def span(self) -> tuple[Any, Any] | None:
        """Return the lowest and highest value where there are such, to compare with a CHECK."""
        return None

    def values(self) -> Sequence[Any] | None:
        """Return the values themselves where they are declared, to compare with a CHECK and a length."""
        return None

    def may_be_null(self) -> bool:
        return False


# What a seeder declares


class fake(Field):
    """Values of a Faker provider: `fake("job")`, `fake("sentence", nb_words=4)`."""

    def __init__(self, provider: str, **arguments: Any) -> None:
        self.provider, self.arguments = provider, arguments
        self.description = f"Faker {provider}"

    def ready(self, context: Context, column: Column) -> Fill:
        source = context.source
        if self.provider == "name" and not self.arguments:
            return lambda rows: fit(person_names(rows, column.name)[0], column)
        drawn = self._pool(source, column)
        return lambda rows: rows.choices(drawn)

    def _pool(self, source: Source, column: Column) -> list[Any]:
        if self.provider.startswith("_") or not hasattr(source.fake, self.provider):
            known = [name for name in dir(source.fake) if not name.startswith("_")]
            raise CommandError(
                f"Faker has no provider {self.provider!r} for {column}.{did_you_mean(self.provider, known)}",
                "see Faker's list of providers",
            )

        def draw(faker: Faker) -> Any:
            return getattr(faker, self.provider)(**self.arguments)

        return list(fit(pool(source.fake, draw, source.seed(column.name, "pool")), column))


class choice(Field):
    """One of some values, each as likely or by weight: `choice("red", "green")`, `choice({"active": 9, "left": 1})`."""

    def __init__(self, *options: Any) -> None:
        first = options[0] if len(options) == 1 else options
        if isinstance(first, Mapping):
            self.weights: Mapping[Any, float] = first
        else:
            self.weights = dict.fromkeys(
                first if isinstance(first, Sequence) and not isinstance(first, str) else options, 1
            )
        self.options = list(self.weights)
        if not self.options:
            raise ValueError("choice(): there is nothing to choose from")
        if min(self.weights.values()) < 0 or not any(self.weights.values()):
            raise ValueError(f"choice({first!r}): weights are from 0, and one of them is more")
        self.description = f"one of {', '.join(map(str, self.options[:6]))}" + (" ..." if len(self.options) > 6 else "")

    def ready(self, context: Context, column: Column) -> Fill:
        reached = list(accumulate(self.weights.values()))
        return lambda rows: rows.random.choices(self.options, cum_weights=reached, k=len(rows))

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        return self.options

    def values(self) -> Sequence[Any] | None:
        return [option for option in self.options if option is not None]

    def may_be_null(self) -> bool:
        return None in self.options


class between(Field):
    """A number, date or moment from low to high, both included: `between(1, 6)`."""

    def __init__(self, low: Any, high: Any) -> None:
        if type(low) is not type(high) and not {type(low), type(high)} <= {int, float}:
            raise ValueError(f"between({low!r}, {high!r}): the two are of different types")
        if low > high:
            raise ValueError(f"between({low!r}, {high!r}): the first is larger than the second")
        self.low: Any
        self.high: Any
        self.low, self.high = (low, high) if type(low) is type(high) else (float(low), float(high))
        self.description = f"{low} to {high}"

    def ready(self, context: Context, column: Column) -> Fill:
        options = self._options()
        if options is not None:
            return lambda rows: rows.choices(options)
        if isinstance(self.low, Decimal):
            scale = getattr(column.type, "scale", None)
            return decimals(self.low, self.high, 2 if scale is None else scale).ready(context, column)
        if not isinstance(self.low, float | timedelta):
            raise ValueError(f"between() knows no values between {self.low!r} and {self.high!r}")
        low, width = self.low, self.high - self.low
        return lambda rows: [low + width * rows.random.random() for _ in range(len(rows))]

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        return self._options()

    def span(self) -> tuple[Any, Any] | None:
        return self.low, self.high

    def _options(self) -> Sequence[Any] | None:
        if isinstance(self.low, datetime):
            return Moments(self.low, timedelta(seconds=1), int((self.high - self.low).total_seconds()) + 1)
        if isinstance(self.low, date):
            return Moments(self.low, timedelta(days=1), (self.high - self.low).days + 1)
        return range(self.low, self.high + 1) if isinstance(self.low, int) and isinstance(self.high, int) else None


class numbered(Field):
    """The row number in a text, so never twice: `numbered("S{:06}")`; or alone: `numbered(start=1000)`."""

    def __init__(self, pattern: str | None = None, *, start: int = 1) -> None:
        self.pattern, self.start = pattern, start
        self.description = f"numbered {pattern or ''}".strip()

    def ready(self, context: Context, column: Column) -> Fill:
        start, form = self.start, self.pattern.format if self.pattern else None
        if form is None:
            numbers = free_numbers(context, column, lambda value: int(value) - start)
            return lambda rows: [number + start for number in numbers(rows)]
        width = format_width(self.pattern or "")
        before, _, after = form(0).partition(width) if width else (form(0), "", "")
        around = re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.IGNORECASE)
        numbers = free_numbers(context, column, lambda value: _number_in(around, value, start))
        return lambda rows: [form(number + start) for number in numbers(rows)]

    def is_unique(self, column: Column) -> bool:
        return True

    def limit(self, context: Context, column: Column) -> float:
        length = getattr(column.type, "length", None)
        if self.pattern is None:
            low, high = integer_range(column)
            return max(0, high - max(self.start, low) + 1)
        if length is None:
            return math.inf
        digits = length - (len(self.pattern.format(0)) - len(format_width(self.pattern)))
        return max(0, 10**digits - self.start) if digits > 0 else 0

    def values(self) -> Sequence[Any] | None:
        return [self.pattern.format(self.start)] if self.pattern else None


class reference(Field):
    """A row of another model that exists, each as likely: `reference(Teacher)`."""

    def __init__(self, model: type[DeclarativeBase] | sa.Table) -> None:
        self.table: sa.Table = model if isinstance(model, sa.Table) else model.__table__  # type: ignore[assignment]  # mapped to a table
        self.description = f"a row of {self.table.fullname}"

    def ready(self, context: Context, column: Column) -> Fill:
        keys = parents(context, column, self.table)
        return lambda rows: rows.choices(keys)

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        return parents(context, column, self.table)


class maybe(Field):
    """A field that is NULL for a share of the rows: `maybe(between(0, 100), share=0.2)`."""

    def __init__(self, field: Field, share: float = 0.2) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"maybe(share={share!r}): a share is from 0 to 1")
        self.field, self.share = field, share
        self.description = f"{field.description}, {share:.0%} NULL"

    def ready(self, context: Context, column: Column) -> Fill:
        fill = self.field.ready(context, column)
        absent = (
            expand({"null": self.share, "": 1 - self.share})
            if 0 < self.share < 1
            else ("null" if self.share else "",) * ENTRIES
        )

        def fill_some(rows: Rows) -> list[Any]:
            chance = Random(rows.source.seed(column.name, "null", rows.numbers.start))
            return [
                None if null else value for value, null in zip(fill(rows), pick(absent, chance, len(rows)), strict=True)
            ]

        return fill_some

    def limit(self, context: Context, column: Column) -> float:
        return self.field.limit(context, column)

    def is_unique(self, column: Column) -> bool:
        return self.field.is_unique(column)

    def span(self) -> tuple[Any, Any] | None:
        return self.field.span()

    def values(self) -> Sequence[Any] | None:
        return self.field.values()

    def may_be_null(self) -> bool:
        return self.share > 0 or self.field.may_be_null()


class constant(Field):
    """The same value in every row: `constant(True)`."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.description = f"always {value!r}"

    def ready(self, context: Context, column: Column) -> Fill:
        return lambda rows: [self.value] * len(rows)

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        return [self.value]

    def values(self) -> Sequence[Any] | None:
        return [self.value] if self.value is not None else []

    def may_be_null(self) -> bool:
        return self.value is None


def pairs(
    left: type[DeclarativeBase], right: type[DeclarativeBase], *, where: sa.ColumnElement[bool] | None = None
) -> tuple[Field, Field]:
    """Return two fields that link rows of two models, each pair once: `one_id, other_id = pairs(One, Other)`.

    Args:
        where: which rows fit each other, in columns of both models: `Student.grade >= Subject.lowest_grade`.
    """
    link = _Link(left.__table__, right.__table__, where)  # type: ignore[arg-type]  # mapped to tables
    return _End(link, 0), _End(link, 1)


class _Link:
    """Pairs that fit, numbered through: groups of rows of the left with the rows of the right that fit each group."""

    def __init__(self, left: sa.Table, right: sa.Table, where: sa.ColumnElement[bool] | None) -> None:
        self.tables = (left, right)
        # Rows of the left that look the same to the condition fit the same rows of the right: ask once for each look.
        self.where = sa.true() if where is None else where
        self.used = sorted({one for one in columns_of(self.where) if one.table is left}, key=lambda one: one.name)

    def numbering(self, context: Context, columns: tuple[Column, Column]) -> _PairNumbering:
        return context.source.once(
            self, lambda: _PairNumbering(context, *self._groups(context), self._taken(context, columns))
        )

    def _look(self, table: sa.Table) -> list[sa.ColumnElement[Any]]:
        return [*(table.columns[one.name] for one in self.used)] or [sa.literal(1).label("every_row")]

    def _groups(self, context: Context) -> tuple[dict[Look, list[Any]], dict[Look, list[Any]]]:
        left, right = self.tables
        members: dict[Look, list[Any]] = {}
        for *look, key in context.connection.execute(
            sa.select(*self._look(left), only_key(left)).order_by(only_key(left))
        ):
            members.setdefault(tuple(look), []).append(key)
        require_parents(context.source.table, left, members)
        require_parents(context.source.table, right, _keys(context, right, only_key(right)))
        looks = sa.select(*self._look(left)).select_from(left).distinct().subquery()
        own = {column: looks.c[column.name] for column in self.used}
        fits = sa.sql.visitors.replacement_traverse(self.where, {}, lambda element, **_: own.get(element))
        fitting: dict[Look, list[Any]] = {}
        query = sa.select(*looks.c, only_key(right)).select_from(right.join(looks, fits)).order_by(only_key(right))
        for *look, key in context.connection.execute(query):
            fitting.setdefault(tuple(look), []).append(key)
        return members, fitting

    def _taken(self, context: Context, columns: tuple[Column, Column]) -> list[tuple[Look, Any, Any]]:
        if not context.has_rows:
            return []
        left = self.tables[0].alias()
        used: list[sa.ColumnElement[Any]] = [left.c[one.name] for one in self.used]
        link = context.source.table.join(left, left.c[only_key(self.tables[0]).name] == columns[0])
        query = sa.select(*(used or [sa.literal(1)]), *columns).select_from(link).where(columns[1].is_not(None))
        return [(tuple(row[:-2]), row[-2], row[-1]) for row in context.connection.execute(query)]


class _PairNumbering:
    """Gives row numbers pairs of keys, no pair twice and none that is there already."""

    def __init__(
        self,
        context: Context,
        members: dict[Look, list[Any]],
        fitting: dict[Look, list[Any]],
        taken: list[tuple[Look, Any, Any]],
    ) -> None:
        looks = [look for look in sorted(members, key=str) if look in fitting]
        self.groups = [(members[look], fitting[look]) for look in looks]
        self.ends = list(accumulate(len(one) * len(other) for one, other in self.groups))
        group_of = {look: number for number, look in enumerate(looks)}
        places = (self._place(group_of.get(look), one, other) for look, one, other in taken)
        total = self.ends[-1] if self.ends else 0
        self.numbering = Numbering(total, context, "pairs", {place for place in places if place is not None})

    def at(self, numbers: Sequence[int]) -> tuple[list[Any], list[Any]]:
        """Return both ends of the pairs of these row numbers."""
        left, right = [], []
        for place in self.numbering.places(numbers):
            group = bisect_right(self.ends, place)
            members, fitting = self.groups[group]
            member, other = divmod(place - (self.ends[group] - len(members) * len(fitting)), len(fitting))
            left.append(members[member])
            right.append(fitting[other])
        return left, right

    def _place(self, group: int | None, one: Any, other: Any) -> int | None:
        """Return the place of a pair that is there; None when the condition would not have made it."""
        if group is None:
            return None
        members, fitting = self.groups[group]
        member, fit = place_of(members, one), place_of(fitting, other)
        if member is None or fit is None:
            return None
        return self.ends[group] - len(members) * len(fitting) + member * len(fitting) + fit


class _End(Field):
    def __init__(self, link: _Link, side: int) -> None:
        self.link, self.side = link, side
        self.description = f"a row of {link.tables[side].fullname}, each pair once"

    def ready(self, context: Context, column: Column) -> Fill:
        found = self.link.numbering(context, self._ends(column))
        return lambda rows: rows.shared(self.link, lambda own: found.at(own.numbers))[self.side]

    def limit(self, context: Context, column: Column) -> float:
        return self.link.numbering(context, self._ends(column)).numbering.limit

    def _ends(self, column: Column) -> tuple[Column, Column]:
        """Return the two columns of this table that the link fills."""
        left, right = (
            next(one for one in column.table.columns if any(key.column.table is table for key in one.foreign_keys))
            for table in self.link.tables
        )
        return left, right


# What inference adds


class unique_email(Field):
    """Addresses that are each there once: the letters of the row's name, then the row number."""

    def __init__(self, name_column: str | None = None) -> None:
        self.name_column = name_column
        self.description = "unique e-mail"

    def ready(self, context: Context, column: Column) -> Fill:
        name, length = self.name_column, column.type.length or 254  # type: ignore[attr-defined]  # inferred for strings only
        room = length - len(DOMAIN) - 1
        numbers = free_numbers(context, column, lambda value: _number_in(_ADDRESS, value, 1))

        def fill(rows: Rows) -> list[str]:
            if name is not None:
                stems: Sequence[str] = person_names(rows, name)[1]
            else:
                stems = pick(_first_letters(rows.source), rows.random, len(rows))
            own = numbers(rows)
            longest = room - len(str(max(own) + 1))
            if max(map(len, stems)) > longest:
                stems = [stem[:longest].rstrip(".") for stem in stems]
            return [f"{stem}{number + 1}@{DOMAIN}" for number, stem in zip(own, stems, strict=True)]

        return fill

    def limit(self, context: Context, column: Column) -> float:
        room = (getattr(column.type, "length", None) or 254) - len(DOMAIN) - 2
        return 10**room - 1 if 0 < room < 18 else math.inf if room > 0 else 0

    def is_unique(self, column: Column) -> bool:
        return True


class unique_text(Field):
    """Short texts that are each there once: letters, as many as fit, then the row number."""

    description = "unique text"

    def ready(self, context: Context, column: Column) -> Fill:
        length = getattr(column.type, "length", None) or 40
        words = context.source.once("letters", lambda: _first_letters(context.source))
        numbers = free_numbers(context, column, lambda value: _number_in(_WORD, value, 0))

        def fill(rows: Rows) -> list[str]:
            own = numbers(rows)
            longest = min(12, length - len(str(max(own))))
            return [
                (word[: max(longest, 0)] + str(number))[-length:]
                for number, word in zip(own, pick(words, rows.random, len(rows)), strict=True)
            ]

        return fill

    def limit(self, context: Context, column: Column) -> float:
        length = getattr(column.type, "length", None)
        return math.inf if length is None or length > 12 else 10**length

    def is_unique(self, column: Column) -> bool:
        return True


class text(Field):
    """Some words of Faker's, cut to the column's length."""

    description = "words"

    def ready(self, context: Context, column: Column) -> Fill:
        length = getattr(column.type, "length", None) or 200

        def draw(faker: Faker) -> str:
            return faker.text(min(length, 200)) if length >= 5 else "".join(faker.random_letters(length)).upper()

        drawn = [value[:length] for value in pool(context.source.fake, draw, context.source.seed(column.name, "pool"))]
        return lambda rows: rows.choices(drawn)


class last_year(Field):
    """A day, or a moment in whole seconds, of the year before the day that counts as today."""

    description = "the last year"

    def ready(self, context: Context, column: Column) -> Fill:
        options = self.domain(context, column)
        return lambda rows: rows.choices(options)

    def domain(self, context: Context, column: Column) -> Sequence[Any]:
        today = context.source.today
        if isinstance(column.type, sa.DateTime):
            zone = UTC if column.type.timezone else None
            start = datetime(today.year, today.month, today.day, tzinfo=zone) - timedelta(days=365)
            return Moments(start, timedelta(seconds=1), 365 * 86_400)
        return Moments(today - timedelta(days=365), timedelta(days=1), 365)


class decimals(Field):
    """Numbers with a fixed count of digits after the point, from low to high."""

    def __init__(self, low: Decimal, high: Decimal, scale: int, *, as_float: bool = False) -> None:
        self.low, self.high, self.scale, self.as_float = low, high, scale, as_float
        self.description = f"{low} to {high}"

    def ready(self, context: Context, column: Column) -> Fill:
        options = range(math.ceil(self.low.scaleb(self.scale)), math.floor(self.high.scaleb(self.scale)) + 1)
        scale = self.scale
        if self.as_float:
            return lambda rows: [number / 10**scale for number in rows.choices(options)]
        return lambda rows: [Decimal(number).scaleb(-scale) for number in rows.choices(options)]

    def span(self) -> tuple[Any, Any] | None:
        return self.low, self.high


class computed(Field):
    """Values of a function of the row's own randomness and number: for types without a provider."""

    def __init__(self, description: str, make: Callable[[Random, int], Any], *, unique: bool = False) -> None:
        self.description, self.make, self.unique = description, make, unique

    def ready(self, context: Context, column: Column) -> Fill:
        return lambda rows: [self.make(rows.random, number) for number in rows.numbers]

    def is_unique(self, column: Column) -> bool:
        return self.unique


class at_least(Field):
    """A value from another column's up to a highest one, for `CHECK (lowest <= highest)`."""

    def __init__(self, other: str, bounds: Field, *, more: bool) -> None:
        self.other, self.bounds, self.more = other, bounds, more
        self.description = f"{bounds.description}, {'more than' if more else 'at least'} {other}"

    def ready(self, context: Context, column: Column) -> Fill:
        options = self.bounds.domain(context, column)
        assert options is not None
        places = {value: place for place, value in enumerate(options)} if len(options) <= ENTRIES else None
        step = 1 if self.more else 0

        def fill(rows: Rows) -> list[Any]:
            find = places.__getitem__ if places is not None else options.index
            last = len(options) - 1
            return [
                None
                if low is None
                else options[min(last, (place := find(low) + step) + int(share * max(0, last - place + 1)))]
                for low, share in ((low, rows.random.random()) for low in rows[self.other])
            ]

        return fill


class digit(Field):
    """One column of a key of several, numbered through all combinations of their values."""

    def __init__(self, key: tuple[Column, ...], fields: tuple[Field, ...], place: int) -> None:
        self.key, self.fields, self.place = key, fields, place
        others = ", ".join(column.name for column in key if column is not key[place])
        self.description = fields[place].description + (
            f", each combination with {others} once" if others else ", each once"
        )

    def ready(self, context: Context, column: Column) -> Fill:
        numbering, domains = self._numbering(context)
        names = tuple(one.name for one in self.key)
        domain, before = domains[self.place], math.prod(map(len, domains[: self.place]))
        width = len(domain)

        def fill(rows: Rows) -> list[Any]:
            places = rows.shared(("key", *names), lambda own: numbering.places(own.numbers))
            return [domain[place // before % width] for place in places]

        return fill

    def limit(self, context: Context, column: Column) -> float:
        return self._numbering(context)[0].limit

    def _numbering(self, context: Context) -> tuple[Numbering, list[Sequence[Any]]]:
        return context.source.once(("key", *self.key), lambda: self._look(context))

    def _look(self, context: Context) -> tuple[Numbering, list[Sequence[Any]]]:
        domains = [field.domain(context, column) or () for field, column in zip(self.fields, self.key, strict=True)]
        taken: set[int] = set()
        for row in context.connection.execute(sa.select(*self.key)) if context.has_rows else ():
            places = [place_of(domain, value) for domain, value in zip(domains, row, strict=True)]
            if None not in places:
                widths = [math.prod(map(len, domains[:number])) for number in range(len(domains))]
                taken.add(sum(place * width for place, width in zip(places, widths, strict=True) if place is not None))
        name = ":".join(column.name for column in self.key)
        return Numbering(math.prod(map(len, domains)), context, f"key:{name}", taken), domains


class Numbering:
    """Gives row numbers places in 0 .. total - 1, each once, far from the one before, and none that is taken.

    Row i is at (a i + b) modulo total. Where that place is taken (a parent came later, a row of the person's own) it
    gets the place of a row number after this run; whoever comes to that number then moves on in the same way.
    """

    def __init__(self, total: int, context: Context, name: str, taken: set[int]) -> None:
        random = Random(context.source.seed(name))
        self.total = max(total, 1)
        self.step = max(1, round(self.total * 0.6180339887) + random.randint(-self.total // 50, self.total // 50))
        while math.gcd(self.step, self.total) != 1:
            self.step += 1
        self.offset = random.randrange(self.total)
        self.limit = context.start + total - len(taken)
        self._context = context
        self._taken = taken
        self._moved: dict[int, int] | None = None

    def places(self, numbers: Sequence[int]) -> list[int]:
        step, offset, total = self.step, self.offset, self.total
        places = [(step * number + offset) % total for number in numbers]
        if not self._taken:
            return places
        if self._moved is None:
            self._moved = self._move()
        moved = self._moved
        return [moved.get(number, place) for number, place in zip(numbers, places, strict=True)] if moved else places

    def _move(self) -> dict[int, int]:
        start, stop = self._context.start, self._context.stop
        step, offset, total, taken = self.step, self.offset, self.total, self._taken
        blocked = [number for number in range(start, stop) if (step * number + offset) % total in taken]
        later = ((step * number + offset) % total for number in range(stop, start + total))
        free = (place for place in later if place not in taken)
        return dict(zip(blocked, free, strict=False))


def free_numbers(
    context: Context, column: Column, number_in: Callable[[Any], int | None]
) -> Callable[[Rows], Sequence[int]]:
    """Return what gives the rows of a block the numbers in their unique values.

    These are the row numbers. Where a row of the person's own holds the value of such a number, a number after this run
    takes its place; whoever comes to that one then finds it taken and moves on in the same way.

    Args:
        number_in: the row number whose value a value of the column is or might clash with; None when there is none.
    """
    if not context.looks:
        return lambda rows: rows.numbers
    query = sa.select(column).where(column.is_not(None))
    found = (number_in(value) for value in context.connection.scalars(query))
    taken = {number for number in found if number is not None and number >= context.start}
    blocked = sorted(number for number in taken if number < context.stop)
    later = (number for number in count(context.stop) if number not in taken)
    moved = dict(zip(blocked, later, strict=False))
    return lambda rows: [moved.get(number, number) for number in rows.numbers] if moved else rows.numbers


_ADDRESS = re.compile(rf".*?(\d{{1,18}})@{re.escape(DOMAIN)}\s*", re.IGNORECASE | re.ASCII)
_WORD = re.compile(r".*?(\d{1,18})\s*", re.ASCII)


def _number_in(pattern: re.Pattern[str], value: Any, start: int) -> int | None:
    found = pattern.fullmatch(str(value))
    if found is None:
        return None
    try:
        return int(found[1]) - start
    except ValueError:
        return None


class Moments(Sequence[Any]):
    """Dates or moments at even distances, as a sequence that is not stored."""

    def __init__(self, low: Any, step: timedelta, count: int) -> None:
        self.low, self.step, self._count = low, step, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if index < 0 or index >= self._count:
            raise IndexError(index)
        return self.low + index * self.step

    def index(self, value: Any, *_: Any) -> int:
        place = (value - self.low) // self.step
        if not 0 <= place < self._count:
            raise ValueError(value)
        return int(place)


def place_of(values: Sequence[Any], value: Any) -> int | None:
    """Return where a value is in a sequence; keys of parents are in order, which makes it quick."""
    if isinstance(values, array) or (values and type(values[0]) is int and not isinstance(values, range)):
        place = bisect_left(values, value)
        return place if place < len(values) and values[place] == value else None
    try:
        return values.index(value)
    except (ValueError, TypeError):
        return None


# Parents


def parents(context: Context, column: Column, table: sa.Table) -> Sequence[Any]:
    """Return the keys of a parent table that a column can refer to, in the order of its primary key.

    Raises:
        CommandError: the parent table is empty.
    """
    referred = next((key.column for key in column.foreign_keys if key.column.table is table), None)
    found = _keys(context, table, referred if referred is not None else only_key(table))
    require_parents(context.source.table, table, found)
    return found


def require_parents(child: sa.Table, parent: sa.Table, found: Sized) -> None:
    if not len(found):
        raise CommandError(
            f"{child.fullname} refers to {parent.fullname}, which has no rows", f"seed {parent.fullname} first"
        )


def only_key(table: sa.Table) -> Column:
    key = list(table.primary_key.columns)
    if len(key) != 1:
        raise CommandError(f"{table.fullname} has a primary key of {len(key)} columns", "name the column to refer to")
    return key[0]


def _keys(context: Context, table: sa.Table, column: Column) -> Sequence[Any]:
    def look() -> Sequence[Any]:
        query = sa.select(column).where(column.is_not(None)).order_by(*table.primary_key.columns)
        found = list(context.connection.scalars(query))
        return array("q", found) if found and all(type(one) is int for one in found) else found

    return context.source.once(("keys", column), look)


def columns_of(expression: sa.ColumnElement[Any]) -> Iterator[Column]:
    for element in sa.sql.visitors.iterate(expression):
        if isinstance(element, sa.Column):
            yield element
        elif "parententity" in getattr(element, "_annotations", ()) and hasattr(element, "table"):
            yield element.table.c[element.key]  # type: ignore[attr-defined]  # an annotated column of a model


# Values


def person_names(rows: Rows, column: str) -> tuple[list[str], list[str]]:
    """Return a block's names and the letters of each; the same for the name and the e-mail of a row."""
    names = rows.source.once("person names", lambda: PersonNames(rows.source.fake))
    return rows.shared(column, lambda own: names.draw(own.random, len(own)))


def fit(values: Sequence[Any], column: Column) -> Sequence[Any]:
    """Return texts cut to the column's length."""
    length = getattr(column.type, "length", None)
    if length is None or not any(isinstance(value, str) and len(value) > length for value in values):
        return values
    return [value[:length].rstrip() if isinstance(value, str) else value for value in values]


def integer_range(column: Column) -> tuple[int, int]:
    """Return the lowest and highest number an integer column holds on every database."""
    bits = 16 if isinstance(column.type, sa.SmallInteger) else 64 if isinstance(column.type, sa.BigInteger) else 32
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def format_width(pattern: str) -> str:
    """Return what a pattern puts for the number 0."""
    before, _, after = pattern.partition("{")
    return pattern.format(0)[len(before.replace("}}", "}")) : len(pattern.format(0)) - len(after.partition("}")[2])]


def _first_letters(source: Source) -> tuple[str, ...]:
    def make() -> tuple[str, ...]:
        drawn = pool(source.fake, lambda faker: faker.first_name(), source.seed("letters"))
        return expand(dict.fromkeys(map(letters, drawn), 1.0))

    return source.once("first letters", make)
