"""Blocks of rows: made column by column, each from its own randomness, so that any run is a prefix of a longer one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import CommandError, did_you_mean, first_line
from .outcomes import expand_exactly, faker_of, pick

if TYPE_CHECKING:
    import sqlalchemy as sa
    from faker import Faker

BLOCK = 10_000  # rows; part of what a row's values depend on, so never change it
MOST = 1_000_000_000  # rows of one run

Value = TypeVar("Value")
Fill = Callable[["Rows"], Sequence[Any]]


class Source:
    """What all blocks of one table share: the random seed, the locale, the day that counts as today."""

    def __init__(self, table: sa.Table, random_seed: int, locale: str, today: date) -> None:
        self.table = table
        self.random_seed = random_seed
        self.locale = locale
        self.today = today
        self._memory: dict[object, Any] = {}

    def seed(self, *parts: object) -> str:
        """Return the text that seeds one source of randomness of this table."""
        return ":".join(map(str, (self.random_seed, self.locale, self.table.fullname, *parts)))

    @property
    def fake(self) -> Faker:
        """The Faker of the locale; whoever draws from it seeds it first."""
        return faker_of(self.locale)

    def forget(self) -> None:
        """Make anew what was made once: the rows it was made from have changed."""
        self._memory.clear()

    def once(self, key: object, make: Callable[[], Value]) -> Value:
        """Return what is made once for the table: a pool, a table of outcomes, the keys of a parent."""
        if key not in self._memory:
            self._memory[key] = make()
        found: Value = self._memory[key]
        return found


class Block:
    """Rows number*10,000 to number*10,000+9,999 of a table; a column is filled when it is first asked for."""

    def __init__(self, source: Source, fills: Mapping[str, Fill], number: int) -> None:
        self.source = source
        self.number = number
        self._fills = fills
        self._columns: dict[str, Sequence[Any]] = {}
        self._shared: dict[object, Any] = {}
        self._filling: list[str] = []
        self.asked: dict[str, set[str]] = {}  # what each column is made from

    def column(self, name: str, *, asks: str = "") -> Sequence[Any]:
        """Return the 10,000 values of a column.

        Args:
            asks: the column that is made from it.

        Raises:
            CommandError: the column is not filled here, columns wait for each other, or a method returned another
                number of values.
        """
        if asks:
            self.asked.setdefault(asks, set()).add(name)
        if name in self._columns:
            return self._columns[name]
        table = self.source.table.fullname
        if name not in self.source.table.columns:
            known = sorted(column.name for column in self.source.table.columns)
            raise CommandError(
                f"{table}.{asks} asks for rows[{name!r}], and {table} has no such column.{did_you_mean(name, known)}",
                "correct the seeder",
            )
        if name not in self._fills:
            raise CommandError(
                f"{table}.{asks} asks for rows[{name!r}], and {table}.{name} is left to the database",
                "give it a field in the seeder",
            )
        if name in self._filling:
            circle = " -> ".join([*self._filling[self._filling.index(name) :], name])
            raise CommandError(
                f"the seeder of {table} goes in a circle: {circle}", "let one of them do without the other"
            )
        self._filling.append(name)
        with explained(table, name):
            values = self._fills[name](Rows(self, name))
        self._filling.pop()
        if not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
            raise CommandError(
                f"the seeder of {table} returned {type(values).__name__} for {name}, not a list of values",
                "return one value for each row: [... for row in range(len(rows))]",
            )
        if len(values) != BLOCK:
            raise CommandError(
                f"the seeder of {table} returned {len(values):,} values for {name}, not {BLOCK:,}",
                "return one value for each row: [... for row in range(len(rows))]",
            )
        self._columns[name] = values
        return values

    def shared(self, key: object, make: Callable[[Rows], Value], name: str) -> Value:
        """Return what several columns of this block are made from, made with randomness of its own name."""
        if key not in self._shared:
            self._shared[key] = make(Rows(self, name))
        found: Value = self._shared[key]
        return found


class Rows:
    """A block as one column sees it: the other columns, the row numbers, and randomness of its own."""

    def __init__(self, block: Block, column: str) -> None:
        self._block = block
        self._column = column
        self.source = block.source

    def __len__(self) -> int:
        return BLOCK

    def __getitem__(self, column: str) -> Sequence[Any]:
        return self._block.column(column, asks=self._column)

    @cached_property
    def random(self) -> Random:
        """This column's randomness in this block."""
        return Random(self.source.seed(self._column, self._block.number))

    @property
    def numbers(self) -> range:
        """The numbers of the rows in the table, from 0."""
        return range(self._block.number * BLOCK, (self._block.number + 1) * BLOCK)

    @property
    def today(self) -> date:
        """The day that counts as today, the same on every day: `Seeder.today`."""
        return self.source.today

    def integers(self, low: int, high: int) -> list[int]:
        """Return one whole number from low to high, both included, for each row."""
        numbers = range(low, high + 1)
        table = self.source.once(("integers", low, high), lambda: expand_exactly(numbers))
        return self.random.choices(numbers, k=BLOCK) if table is None else [*pick(table, self.random, BLOCK)]

    def choices(self, options: Sequence[Value]) -> list[Value]:
        """Return one of the options, each as likely, for each row."""
        return self.random.choices(options, k=BLOCK)

    def once(self, key: object, make: Callable[[], Value]) -> Value:
        """Return what is made once for all blocks of the table."""
        return self.source.once((self._column, key), make)

    def shared(self, key: str | tuple[str, ...], make: Callable[[Rows], Value]) -> Value:
        """Return what several columns of this block are made from; the first that asks makes it.

        Args:
            key: names it, in every run alike: its randomness is of that name.
        """
        return self._block.shared(key, make, str(key))


class Lazily(Sequence[Any]):
    """Values that are made in their order, when and if they are looked at."""

    def __init__(self, values: Iterator[Any], count: int) -> None:
        self._values, self._count = values, count
        self._made: list[Any] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        last = index.indices(self._count)[1] if isinstance(index, slice) else range(self._count)[index] + 1
        self._made.extend(islice(self._values, max(0, last - len(self._made))))
        return self._made[index]

    def __iter__(self) -> Iterator[Any]:
        return (self[row] for row in range(self._count))


class EachRow(Sequence[Any]):
    """The values of an @each method: made one by one, when and if they are looked at."""

    def __init__(self, rows: Rows, make: Callable[[Mapping[str, Any], Faker], Any], column: str) -> None:
        self._rows, self._make, self._column = rows, make, column
        self._made: dict[int, Any] = {}
        self._making: set[int] = set()

    def __len__(self) -> int:
        return BLOCK

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(BLOCK))]
        if index not in self._made:
            if not -BLOCK <= index < BLOCK:
                raise IndexError(index)
            if index in self._making:
                raise CommandError(
                    f"the seeder of {self._rows.source.table.fullname} goes in a circle: {self._column} needs itself",
                    "let one of them do without the other",
                )
            self._making.add(index)
            fake = self._rows.source.fake
            fake.seed_instance(self._rows.source.seed(self._column, "row", self._rows.numbers[index]))
            with explained(self._rows.source.table.fullname, self._column):
                self._made[index] = self._make(OneRow(self._rows, index), fake)
            self._making.discard(index)
        return self._made[index]


class OneRow(Mapping[str, Any]):
    """One row's other columns, for an @each method."""

    def __init__(self, rows: Rows, index: int) -> None:
        self._rows, self._index = rows, index

    def __getitem__(self, column: str) -> Any:
        return self._rows[column][self._index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows._block._fills)

    def __len__(self) -> int:
        return len(self._rows._block._fills)


@contextmanager
def explained(table: str, column: str) -> Iterator[None]:
    """Turn what a seeder's own code raises into one line that says where."""
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        frames = extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).parent != Path(__file__).parent]
        where = f" ({Path(own[0].filename).name}, line {own[0].lineno})" if own else ""
        words = f"{type(error).__name__}: {first_line(error)}" if str(error) else type(error).__name__
        raise CommandError(
            f"{table}.{column} could not be made: {words}{where}", "correct the seeder; --traceback shows the whole way"
        ) from error


def rows_from(
    source: Source, fills: Mapping[str, Fill], columns: Sequence[str], start: int, stop: int
) -> Iterator[list[Sequence[Any]]]:
    """Yield rows start to stop (not included) in blocks of columns, each cut from a block that is made whole."""
    for number in range(start // BLOCK, -(-stop // BLOCK)):
        block = Block(source, fills, number)
        first, last = max(start - number * BLOCK, 0), min(stop - number * BLOCK, BLOCK)
        made = [block.column(name) for name in columns]
        yield (
            made
            if last - first == BLOCK
            else [list(islice(values, first, last)) if first == 0 else values[first:last] for values in made]
        )
