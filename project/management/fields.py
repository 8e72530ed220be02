"""What a column can be filled with: the words a seeder is written in."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .blocks import Fill, Rows, Source
from .errors import CommandError, did_you_mean
from .names import Names, PersonNames
from .numbering import SPREAD, Column, Context, Numbering, Places, Steps, free_numbers, number_in
from .outcomes import ENTRIES, LOCALE, POOL, draw, expand, expand_exactly, faker_of, pick, pool
from .parents import columns_of, keys_of_rows, leads_to, only_key, parents, require_parents
from .types import length_of, plain_type

if TYPE_CHECKING:
    from faker import Faker
    from sqlalchemy.orm import DeclarativeBase

Look = tuple[Any, ...]


class Field(ABC):
    """A way to fill a column."""

    description = ""
    asks = False  # whether it may look at any other column of the row: a method of a seeder

    @abstractmethod
    def ready(self, context: Context, column: Column) -> Fill:
        """Return the function that makes a block's values for this column."""

    def looks_at(self) -> Iterable[str]:
        """Return the columns of the row that the value is told from."""
        return ()

    def limit(self, context: Context, column: Column) -> float:
        """Return how many rows this can fill; only for a field of unique values is it less than infinite."""
        return math.inf

    def fits(self, context: Context, column: Column, numbers: range) -> Sequence[bool] | None:
        """Return of each of some row numbers whether this can fill it; None where it can fill all."""
        limit = self.limit(context, column)
        return None if numbers.stop <= limit else [number < limit for number in numbers]

    def is_proven(self, context: Context, column: Column) -> bool:
        """Return whether the limit is that of the keys themselves, and not only of the values that are known here."""
        return True

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
        if not self.arguments and self.provider == "name":
            if names_of(source).longest <= (length_of(column) or math.inf):
                return lambda rows: person_names(rows, column.name).texts
            return lambda rows: fit(person_names(rows, column.name).texts, column)
        drawn = fit(self.table(column, source), column)
        return lambda rows: pick(drawn, rows.random, len(rows))

    def table(self, column: Column, source: Source) -> tuple[Any, ...]:
        """Return the table of outcomes of the provider: what does not fit is left out where there is enough else."""
        table = None if self.arguments else self._part_of_name(source)
        if table is not None:
            return table
        values = self._pool_for(column, source)
        whole = [one for one in values if not isinstance(one, str) or len(one) <= (length_of(column) or math.inf)]
        return expand(whole if 4 * len(whole) >= len(values) else values)

    def _pool_for(self, column: Column, source: Source) -> list[Any]:
        """Return values of the provider; as texts, where a column of texts is to hold numbers."""
        values = self.pool(source, column.name)
        if isinstance(plain_type(column), sa.String) and {*map(type, values)} & {int, float, Decimal}:
            return [str(value) if isinstance(value, int | float | Decimal) else value for value in values]
        return values

    def pool(self, source: Source, name: str, size: int = POOL) -> list[Any]:
        """Return values drawn from Faker for a column of this name: those of en_US where the locale has none.

        Raises:
            CommandError: Faker has no such provider, or it wants other arguments.
        """
        own = next((one for one in (source.fake, faker_of(LOCALE)) if hasattr(one, self.provider)), None)
        if self.provider.startswith("_") or own is None:
            known = [name for name in dir(source.fake) if not name.startswith("_")]
            raise CommandError(
                f"Faker has no provider {self.provider!r} for {source.table.fullname}.{name}."
                f"{did_you_mean(self.provider, known)}",
                "see Faker's list of providers",
            )

        def make(faker: Faker) -> Any:
            return getattr(faker, self.provider)(**self.arguments)

        return pool(own, make, source.seed(name, "pool"), size)

    def _part_of_name(self, source: Source) -> tuple[str, ...] | None:
        """Return the table of a first or last name, with Faker's own weights."""
        if not re.fullmatch(r"(first|last)_name(_male|_female|_nonbinary)?", self.provider):
            return None
        return names_of(source).table(self.provider)


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
        weights = list(self.weights.values())
        table = expand_exactly(self.options, weights)
        if table is not None:
            return lambda rows: pick(table, rows.random, len(rows))
        reached = list(accumulate(weights))
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
        options = self.domain(context, column)
        if options is not None:
            return drawing(options, context, column)
        if not isinstance(self.low, float):
            raise ValueError(f"between() knows no values between {self.low!r} and {self.high!r}")
        low, width = self.low, self.high - self.low
        return lambda rows: [low + width * rows.random.random() for _ in range(len(rows))]

    def domain(self, context: Context, column: Column) -> Sequence[Any] | None:
        if isinstance(self.low, int):
            return range(self.low, self.high + 1)
        if isinstance(self.low, Decimal):
            return decimal_steps(self.low, self.high, column)
        if isinstance(self.low, date | timedelta):
            is_day = isinstance(self.low, date) and not isinstance(self.low, datetime)
            step = timedelta(days=1) if is_day else timedelta(seconds=1)
            return Steps(self.low, step, (self.high - self.low) // step + 1)
        return None

    def span(self) -> tuple[Any, Any] | None:
        return self.low, self.high


class numbered(Field):
    """The row number in a text, so never twice: `numbered("S{:06}")`; or alone: `numbered(start=1000)`."""

    def __init__(self, pattern: str | None = None, *, start: int = 1) -> None:
        self.pattern, self.start = pattern, start
        self.description = f"numbered {pattern or ''}".strip()

    def ready(self, context: Context, column: Column) -> Fill:
        values_of = self.by_number(context, column)
        return lambda rows: values_of(rows.numbers)

    def by_number(self, context: Context, column: Column) -> Callable[[Sequence[int]], list[Any]]:
        """Return what gives rows their values by their numbers, of any rows of the table."""
        start, form = self.start, self.pattern.format if self.pattern else None
        if form is None:
            free = free_numbers(context, column, lambda value: int(value) - start)
            return lambda numbers: [number + start for number in free(numbers)]
        width = format_width(self.pattern or "")
        before, _, after = form(0).partition(width) if width else (form(0), "", "")
        around = re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.IGNORECASE)
        free = free_numbers(context, column, lambda value: number_in(around, value, start))
        return lambda numbers: [form(number + start) for number in free(numbers)]

    def is_unique(self, column: Column) -> bool:
        return True

    def limit(self, context: Context, column: Column) -> float:
        length = length_of(column)
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
        in_circle = column.nullable and leads_to(self.table, column.table)  # neither could be seeded first
        found = parents(context, column, self.table, required=not in_circle)
        return drawing(found, context, column) if len(found) else lambda rows: [None] * len(rows)

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
        nulls = round(self.share * ENTRIES)

        def fill_some(rows: Rows) -> list[Any]:
            chances = draw(Random(rows.source.seed(column.name, "null", rows.numbers.start)), len(rows))
            return [None if chance < nulls else value for value, chance in zip(fill(rows), chances, strict=True)]

        return fill_some

    def limit(self, context: Context, column: Column) -> float:
        return self.field.limit(context, column)

    def fits(self, context: Context, column: Column, numbers: range) -> Sequence[bool] | None:
        return self.field.fits(context, column, numbers)

    def is_proven(self, context: Context, column: Column) -> bool:
        return False  # a NULL may come again

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
        self.names = ["", ""]  # of the columns that the two fields are assigned to
        # Rows of the left that look the same to the condition fit the same rows of the right: ask once for each look.
        self.where = sa.true() if where is None else where
        self.used = sorted({one for one in columns_of(self.where) if one.table is left}, key=lambda one: one.name)

    def numbering(self, context: Context, columns: tuple[Column, Column]) -> _PairNumbering:
        return context.source.once(
            self, lambda: _PairNumbering(context, *self._groups(context), self._taken(context, columns))
        )

    def _look(self, table: sa.Table) -> list[sa.ColumnElement[Any]]:
        return [*(table.columns[one.name] for one in self.used)] or [sa.literal(1).label("every_row")]

    def _groups(self, context: Context) -> tuple[dict[Look, Any], dict[Look, list[Any]]]:
        left, right = self.tables
        members: dict[Look, Any] = {}
        kind = only_key(left)
        empty = array("q") if isinstance(plain_type(kind), sa.Integer) else []  # a number takes 8 bytes there
        query = sa.select(*self._look(left), kind).order_by(kind)
        for *look, key in context.connection.execute(query, execution_options={"yield_per": 10_000}):
            members.setdefault(tuple(look), empty[:]).append(key)
        require_parents(context.source.table, left, members)
        require_parents(context.source.table, right, keys_of_rows(context, (only_key(right),)))
        looks = sa.select(*self._look(left)).select_from(left).distinct().subquery()
        own = {column: looks.c[column.name] for column in self.used}
        fits = sa.sql.visitors.replacement_traverse(self.where, {}, lambda element, **_: own.get(element))
        fitting: dict[Look, list[Any]] = {}
        fits_query = sa.select(*looks.c, only_key(right)).select_from(right.join(looks, fits))
        for *look, key in context.connection.execute(fits_query):
            fitting.setdefault(tuple(look), []).append(key)
        for keys in (*members.values(), *fitting.values()):
            if isinstance(keys, list):
                keys.sort()  # in Python's order, the same on every database
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
        self._places = [(Places(one), Places(other)) for one, other in self.groups] if taken else []
        self.ends = list(accumulate(len(one) * len(other) for one, other in self.groups))
        group_of = {look: number for number, look in enumerate(looks)}
        places = (self._place(group_of.get(look), one, other) for look, one, other in taken)
        total = self.ends[-1] if self.ends else 0
        self.numbering = Numbering(total, context, "pairs", {place for place in places if place is not None})

    def at(self, numbers: range) -> tuple[list[Any], list[Any]]:
        """Return both ends of the pairs of these row numbers."""
        left, right = [], []
        starts = [0, *self.ends]
        for place in self.numbering.places(numbers):
            group = bisect_right(self.ends, place)
            members, fitting = self.groups[group]
            member, other = divmod(place - starts[group], len(fitting))
            left.append(members[member])
            right.append(fitting[other])
        return left, right

    def _place(self, group: int | None, one: Any, other: Any) -> int | None:
        """Return the place of a pair that is there; None when the condition would not have made it."""
        if group is None:
            return None
        members, fitting = self.groups[group]
        member, fit = self._places[group][0].of(one), self._places[group][1].of(other)
        if member is None or fit is None:
            return None
        return self.ends[group] - len(members) * len(fitting) + member * len(fitting) + fit


class _End(Field):
    def __init__(self, link: _Link, side: int) -> None:
        self.link, self.side = link, side
        self.description = f"a row of {link.tables[side].fullname}, each pair once"

    def ready(self, context: Context, column: Column) -> Fill:
        found = self.link.numbering(context, self._ends(column))
        name = ("pairs", *map(str, self.link.names))
        return lambda rows: rows.shared(name, lambda own: found.at(own.numbers))[self.side]

    def limit(self, context: Context, column: Column) -> float:
        return self.link.numbering(context, self._ends(column)).numbering.limit

    def __set_name__(self, owner: type, name: str) -> None:
        self.link.names[self.side] = name

    def _ends(self, column: Column) -> tuple[Column, Column]:
        """Return the two columns of this table that the link fills.

        Raises:
            CommandError: one of them is no foreign key to the model it was made for.
        """
        columns = column.table.columns
        found = []
        for name, table in zip(self.link.names, self.link.tables, strict=True):
            end = columns.get(name)
            if end is None or not any(key.column.table is table for key in end.foreign_keys):
                raise CommandError(
                    f"{column.table.fullname}.{name} is filled by pairs() and refers to no row of {table.fullname}",
                    "assign both fields in the seeder: one_id, other_id = pairs(One, Other)",
                )
            found.append(end)
        return found[0], found[1]


# Values


def drawing(options: Sequence[Any], context: Context, column: Column) -> Fill:
    """Return what gives each row one of the options, each as likely.

    Of a long range of moments or decimal numbers, some that are spread evenly over it stand for all.
    """
    table = expand_exactly(options) if 0 < len(options) < ENTRIES else None
    if table is None and isinstance(options, Steps) and len(options) >= SPREAD:
        table = options.spread(Random(context.source.seed(column.name, "sample"))) * (ENTRIES // SPREAD)
    if table is None:
        return lambda rows: rows.random.choices(options, k=len(rows))
    return lambda rows: pick(table, rows.random, len(rows))


def names_of(source: Source) -> PersonNames:
    """Return the names of the source's locale."""
    return source.once("person names", lambda: PersonNames(source.locale))


def person_names(rows: Rows, column: str) -> Names:
    """Return a block's names and the letters of each; the same for the name and the e-mail of a row."""
    return rows.shared(column, lambda own: names_of(own.source).draw(own.random, len(own)))


def fit(values: Sequence[Any], column: Column) -> Sequence[Any]:
    """Return texts cut to the column's length."""
    length = length_of(column)
    if length is None or not any(isinstance(value, str) and len(value) > length for value in set(values)):
        return values
    return [value[:length].rstrip() if isinstance(value, str) else value for value in values]


def decimal_steps(low: Decimal, high: Decimal, column: Column, places: int | None = None) -> Steps:
    """Return every decimal number from low to high with the digits after the point that the column has, or fewer."""
    scale = scale_of(column) if places is None else min(scale_of(column), places)
    first, last = math.ceil(low.scaleb(scale)), math.floor(high.scaleb(scale))
    return Steps(Decimal(first).scaleb(-scale), Decimal(1).scaleb(-scale), last - first + 1)


def scale_of(column: Column) -> int:
    """Return how many digits a numeric column has after the point: by the standard none where it says nothing."""
    kind = plain_type(column)
    scale = getattr(kind, "scale", None)
    return int(scale) if scale is not None else 2 if isinstance(kind, sa.Float) else 0


def integer_range(column: Column) -> tuple[int, int]:
    """Return the lowest and highest number an integer column holds on every database."""
    kind = plain_type(column)
    if column.type.__visit_name__ == "YEAR":
        return 1901, 2155
    bits = 16 if isinstance(kind, sa.SmallInteger) else 64 if isinstance(kind, sa.BigInteger) else 32
    bits = {"TINYINT": 8, "MEDIUMINT": 24}.get(type(kind).__name__, bits)  # MariaDB's own
    if getattr(kind, "unsigned", False):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def format_width(pattern: str) -> str:
    """Return what a pattern puts for the number 0."""
    before, _, after = pattern.partition("{")
    return pattern.format(0)[len(before.replace("}}", "}")) : len(pattern.format(0)) - len(after.partition("}")[2])]


# What a CHECK computes: a column's name, a number, or a sign between two of these, as ("*", "quantity", "price")
Formula = str | Decimal | tuple[str, "Formula", "Formula"]


def terms_of(formula: Formula | None) -> Iterator[str]:
    """Yield the columns that something is computed from."""
    if isinstance(formula, str):
        yield formula
    elif isinstance(formula, tuple):
        yield from terms_of(formula[1])
        yield from terms_of(formula[2])
