"""What fills a column of a type, within bounds, when nothing else is known of it."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from . import meanings
from .documents import document, items_of
from .fields import (
    Field,
    between,
    choice,
    integer_range,
)
from .inferred import (
    computed,
    decimals,
    in_steps,
    last_year,
    listed,
    spelled,
    text,
    unique_uuid,
)
from .numbering import Column, Steps
from .reading import Bounds, widest
from .types import BINARY, DECIMAL, NUMBER, length_of, plain_type

LARGE = 10_000  # of numbers from here on, with no end, it is as many again that are likely
SHORT = 5  # characters: a column with room for fewer holds a code, not words
TODAY = meanings.TODAY


def room_of(column: Column) -> int:
    """Return how many characters a column has room for; of any number, so many as nobody needs more."""
    return length_of(column) or 1_000


def field_of(kind: Any, column: Column, bounds: Bounds) -> Field | None:
    """Return what fills a column of a type when nothing else is known of it; None where nothing is known at all."""
    for types, make in _BY_TYPE:
        if isinstance(kind, types):
            return without_values(make(kind, column), bounds.excluded)
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
    if name in BY_TYPE_NAME:
        return computed(*BY_TYPE_NAME[name], unique=True)
    try:
        general = kind.as_generic()
    except NotImplementedError:
        return None
    return field_of(general, column, Bounds()) if type(general) is not type(kind) else None


def none_over_another(columns: Sequence[Column]) -> Iterator[tuple[Column, Field]]:
    """Yield what fills a range, or the two columns that make one, so that no two of them overlap."""
    steps = _RANGES.get(type(columns[0].type).__name__) if columns else None
    if len(columns) == 1 and steps is not None:
        yield columns[0], computed("none over another", _range_of(steps, apart=True), unique=True)
    if len(columns) == 2 and all(isinstance(plain_type(one), sa.Date | sa.DateTime | sa.Integer) for one in columns):
        yield from zip(columns, steps_for(columns), strict=True)


_DAY = timedelta(days=1)

_TIMES = date(2026, 1, 1), date(9000, 1, 1)  # between which steps go on


def steps_for(columns: Sequence[Column], bounds: Sequence[Bounds] = ()) -> Iterator[in_steps]:
    """Yield what fills columns of one type with values that go on in steps, from one to the next and row by row."""
    kind, as_moment = plain_type(columns[0]), moment_of(columns[0])
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
    room = room_of(column)
    return spelled([string.ascii_uppercase] * room) if room < SHORT else text()


def _number(kind: Any, column: Column) -> Field:
    return between_ends(column, *(span_of(column, Bounds()) or (0, 1)))


def _integer(column: Column) -> Field:
    low, high = integer_range(column)
    return between(*meanings.YEARS) if low > 0 else between(0, min(1000, high))


def _bytes(kind: Any, column: Column) -> Field:
    size = kind.length or 16
    return computed(f"{size} bytes", lambda random, number: random.randbytes(size))


def _array(kind: Any, column: Column) -> Field | None:
    item = sa.Column(column.name, kind.item_type)
    items = items_of(column) if isinstance(plain_type(item), sa.String) else ()
    items = [one for one in items if len(one) <= room_of(item)]
    inner = choice(items) if items else field_of(kind.item_type, item, Bounds())
    return listed(inner, kind.dimensions or 1) if inner is not None else None


def _enum(kind: Any, column: Column) -> Field:
    return choice(list(kind.enum_class) if kind.enum_class else list(kind.enums))


def _flag(column: Column, no: Any = False, yes: Any = True) -> Field:
    share = meanings.share_of_true(column)
    return choice({no: 1 - share, yes: share})


def _uuid(kind: Any, column: Column) -> Field:
    as_uuid = bool(kind.as_uuid)
    return computed("a UUID", lambda random, number: unique_uuid(random.getrandbits(76), number, as_uuid), unique=True)


_BY_TYPE: list[tuple[Any, Callable[[Any, Column], Field | None]]] = [
    (sa.Boolean, lambda kind, column: _flag(column)),
    (sa.Enum, _enum),
    (sa.Integer, lambda kind, column: _integer(column)),
    (DECIMAL, _number),
    (sa.String, _text),
    (sa.Date | sa.DateTime, lambda kind, column: last_year()),
    (sa.Time, lambda kind, column: between_ends(column, time(0), time(23, 59))),
    (sa.Interval, lambda kind, column: between(*meanings.while_of(column))),
    (sa.Uuid, _uuid),
    (BINARY, _bytes),
    (sa.JSON | sa.PickleType, lambda kind, column: document(column)),
    (sa.ARRAY, _array),
]

BY_TYPE_NAME: dict[str, tuple[str, Callable[[Any, int], Any]]] = {
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


def span_of(column: Column, bounds: Bounds) -> tuple[Any, Any] | None:
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
        as_moment = moment_of(column)
        low, high = (as_moment(one) if one is not None else None for one in (low, high))
        near = timedelta(days=365)
        if high is None:
            given: Any = low
            return given, max(given + near, moment_of(column)(TODAY))
        return (high - near if low is None else low, high) if low is None or low <= high else None
    if isinstance(kind, sa.Time):
        low, high = low or time(0), high or time(23, 59)
        return (low, high) if low <= high else None
    if isinstance(kind, sa.Interval) and (low is None) is not (high is None):
        usual = meanings.while_of(column)
        return (low, low + usual[1]) if high is None else (min(usual[0], high), high)
    return (low, high) if low is not None and high is not None else None


def moment_of(column: Column) -> Callable[[Any], Any]:
    """Return what makes of a day the first moment of it, where the column holds moments."""
    kind = plain_type(column)
    if not isinstance(kind, sa.DateTime):
        return lambda day: day
    zone = UTC if kind.timezone else None
    return lambda day: day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=zone)


def between_ends(column: Column, low: Any, high: Any) -> Field:
    """Return what fills a column from a lowest value to a highest, in the steps of its type."""
    kind = plain_type(column)
    if isinstance(kind, sa.Integer) and (low, high) == meanings.numbers(column) == (0, 1):
        return _flag(column, 0, 1)
    if isinstance(kind, DECIMAL):
        places = 2 if meanings.is_money(column) and high - low >= 1 else None
        return decimals(Decimal(str(low)), Decimal(str(high)), as_float=not kind.asdecimal, places=places)
    if isinstance(kind, sa.Time):
        minutes = range(low.hour * 60 + low.minute + (low.second > 0), high.hour * 60 + high.minute + 1)
        made = choice([time(minute // 60, minute % 60) for minute in minutes])
        made.description = f"{low:%H:%M} to {high:%H:%M}"
        return made
    return between(low, high)


def without_values(field: Field | None, excluded: Sequence[Any]) -> Field | None:
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
