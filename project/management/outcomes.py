"""Tables of outcomes: what Faker can say, each list expanded once so that a draw is one look-up.

A table has 65,536 entries in proportion to Faker's own weights; 16 random bits pick one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, chain, repeat
from operator import itemgetter, sub
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from faker import Faker

LOCALE = "en_US"  # where none is asked for
ENTRIES = 65_536
POOL = 1_000  # values drawn from Faker where it has no list to expand
FEWEST = 50  # entries of the rarest outcome: with fewer its share would be more than 1% off

WORTH = 20_000  # values that were picked from a table before all of it is converted: so many come first without delay
REMEMBERED = 50_000  # results of a function that are kept

Outcome = TypeVar("Outcome")
Convert = Callable[[Sequence[Any]], Any]


def expand(outcomes: Iterable[Outcome], weights: Iterable[float] | None = None) -> tuple[Outcome, ...]:
    """Return a table in which each outcome has its share of the entries, to within one entry."""
    outcomes = list(outcomes)
    return filled(outcomes, entries_of(repeat(1.0, len(outcomes)) if weights is None else weights))


def entries_of(weights: Iterable[float]) -> list[int]:
    """Return how many entries of a table each outcome has."""
    reached = list(accumulate(weights))
    ends = [round(ENTRIES * one / reached[-1]) for one in reached]
    return list(map(sub, ends, [0, *ends[:-1]]))


def filled(outcomes: Iterable[Outcome], entries: Iterable[int]) -> tuple[Outcome, ...]:
    """Return a table in which each outcome has so many entries."""
    return tuple(chain.from_iterable(map(repeat, outcomes, entries)))


def expand_exactly(outcomes: Sequence[Outcome], weights: Sequence[float] | None = None) -> tuple[Outcome, ...] | None:
    """Return a table, or None where some outcome is too rare for one to give it its share."""
    rarest = 1 / max(1, len(outcomes)) if weights is None else min(filter(None, weights)) / sum(weights)
    return expand(outcomes, weights) if rarest * ENTRIES >= FEWEST else None


class Draws:
    """Places in a table that were drawn; what is taken from several tables by the same draws belongs together."""

    def __init__(self, places: Sequence[int]) -> None:
        self.count = len(places)
        self._take: Any = itemgetter(*places) if places else None

    def of(self, table: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the entries of a table at these places."""
        if self.count < 2:
            return (self._take(table),) if self.count else ()
        taken: Sequence[Outcome] = self._take(table)
        return taken


class Picked(Sequence[Outcome]):
    """What was picked from a table, taken from it when it is looked at: who converts values may convert the table."""

    def __init__(self, table: Sequence[Outcome], draws: Draws) -> None:
        self.table = table
        self.draws = draws

    @cached_property
    def _taken(self) -> Sequence[Outcome]:
        return self.draws.of(self.table)

    def __len__(self) -> int:
        return self.draws.count

    def __getitem__(self, index: Any) -> Any:
        return self._taken[index]

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._taken)


def through_tables(convert: Convert) -> Convert:
    """Return what converts a table of outcomes once, where much is picked from it, instead of what is picked."""
    known: dict[int, _Table] = {}

    def convert_picked(values: Sequence[Any]) -> Any:
        if not isinstance(values, Picked):
            return convert(values)
        table = known.setdefault(id(values.table), _Table(values.table))
        if table.picked >= WORTH and table.converted is None:
            table.converted = convert(table.entries)
        table.picked += len(values)
        return convert(values) if table.converted is None else values.draws.of(table.converted)

    return convert_picked


@dataclass
class _Table:
    entries: Sequence[Any]  # kept, so that no other table gets the id of this one
    picked: int = 0
    converted: Sequence[Any] | None = None


class Remembered(dict[Any, Any]):
    """A function's results by its argument: of many rows with few values each value is converted once."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        self[value] = made = self._make(value)
        return made

    def all(self, values: Sequence[Any]) -> list[Any]:
        """Return what the function makes of each value."""
        if len(self) > REMEMBERED:
            self.clear()
        if not self:  # all are missing: without a call of Python's for each
            once = {*values}
            self.update(zip(once, map(self._make, once), strict=True))
        return list(map(self.__getitem__, values))


def around_nulls(convert: Convert, values: Sequence[Any], null: Any = None) -> list[Any]:
    """Return converted values, with what stands for NULL where there is none."""
    present = iter(convert([value for value in values if value is not None]))
    return [null if value is None else next(present) for value in values]


@cache
def faker_of(locale: str) -> Faker:
    """Return the one Faker of a locale; whoever draws from it seeds it first."""
    from faker import Faker

    from .providers import Provider

    fake = Faker(locale)
    fake.add_provider(Provider)
    return fake


def draw(random: Random, count: int) -> Sequence[int]:
    """Return `count` places in a table of 65,536."""
    return memoryview(random.randbytes(2 * count)).cast("H")


def pick(table: Sequence[Outcome], random: Random, count: int) -> Sequence[Outcome]:
    """Return `count` entries of a table of 65,536, each drawn with 16 bits."""
    return Picked(table, Draws(draw(random, count)))


def pool(fake: Faker, draw: Callable[[Faker], Any], seed: str, size: int = POOL) -> list[Any]:
    """Return values drawn from Faker itself, the same for the same seed."""
    fake.seed_instance(seed)
    return [draw(fake) for _ in range(size)]
