"""What types of a project's own take: told by what they are called, and by trying what comes back as it went in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from copy import copy
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from . import meanings
from .blocks import Fill, Rows
from .documents import document, listing
from .fields import Field, choice, fake
from .inferred import computed, unique_uuid
from .numbering import Column, Context
from .types import BINARY, length_of, plain_type
from .vocabulary import words_of

_SAID_OF_TYPES = {"type", "column", "field", "encoded", "my", "custom", "text", "string", "decorator"}


class as_taken(Field):
    """Values of a field as a type of the project's own takes them: moments with a zone, addresses as objects."""

    def __init__(self, field: Field, change: Callable[[Any], Any]) -> None:
        self.field, self.change = field, change
        self.description = field.description

    def ready(self, context: Context, column: Column) -> Fill:
        fill = self.field.ready(context, column)

        def fill_changed(rows: Rows) -> list[Any]:
            return [None if value is None else self.change(value) for value in fill(rows)]

        return fill_changed


def field_of_own_type(column: Column) -> Field | None:
    """Return what fills a column of a type of the project's own; None where that is what its inner type takes."""
    kind = column.type
    if not is_own(kind):
        return None
    for members in _enumerations(kind):
        if _comes_back(kind, members[0]):
            return choice(members)
    made = _by_name(column)
    if made is not None:
        return made
    if any(_comes_back(kind, one) for one in _samples_of(plain_type(column))):
        return None
    return next((_fitting(make(column), column) for sample, make in _OTHERS if _comes_back(kind, sample)), None)


def _fitting(field: Field, column: Column) -> Field:
    """Return a field whose lists and objects have no more in them than there is room for where they are stored."""
    room = length_of(column)
    if room is None or not isinstance(plain_type(column), sa.String):
        return field

    def shortened(value: Any) -> Any:
        value = copy(value)
        while isinstance(value, list | dict) and value and len(_stored(column.type, value)) > room:
            value.pop() if isinstance(value, list) else value.popitem()
        return value

    return as_taken(field, shortened) if not field.is_unique(column) else field


def _stored(kind: Any, value: Any) -> str:
    return str(kind.process_bind_param(value, _dialect()))


def is_own(kind: Any) -> bool:
    """Return whether a type is one of the project's own around another: what it takes, only it knows."""
    return isinstance(kind, sa.TypeDecorator) and not isinstance(kind, sa.Interval | sa.PickleType | sa.Enum)


def _enumerations(kind: Any) -> Iterator[list[Any]]:
    """Yield the members of enumerations that a type holds."""
    for held in vars(kind).values():
        if isinstance(held, type) and issubclass(held, enum.Enum) and len(held):
            yield [*held]


def _by_name(column: Column) -> Field | None:
    """Return what a type is called after: JSON, a UUID, an address of the internet, what Faker has a provider for."""
    kind = column.type
    words = [one for one in words_of(type(kind).__name__).split("_") if one not in _SAID_OF_TYPES]
    samples = [(sample, make) for names, sample, make in _NAMED if {*words} & {*names.split()}]
    found = next((_fitting(make(column), column) for sample, make in samples if _comes_back(kind, sample)), None)
    if found is not None or not words or not isinstance(plain_type(column), sa.String):
        return found
    as_named = sa.Column("_".join(words), plain_type(column))
    sa.Table(column.table.name, sa.MetaData(), as_named)
    said = meanings.texts(as_named).providers
    return fake(said[0]) if said and said[0] in _PROVIDERS else None


def _comes_back(kind: Any, value: Any) -> bool:
    """Return whether a type takes a value, and gives back the same."""
    try:
        stored = kind.process_bind_param(value, _dialect())
        return bool(kind.process_result_value(stored, _dialect()) == value)
    except NotImplementedError:
        return True  # it leaves values as they are
    except Exception:  # whatever it raises, it does not take the value
        return False


@cache
def _dialect() -> sa.Dialect:
    from sqlalchemy.engine.default import DefaultDialect

    return DefaultDialect()


def _samples_of(kind: sa.types.TypeEngine[Any]) -> Iterator[Any]:
    """Yield values that a type which is nobody's own takes."""
    for types, sample in _SAMPLES:
        if isinstance(kind, types):
            yield sample
            return
    yield "word"


def _uuid(column: Column) -> Field:
    return computed("a UUID", lambda random, number: unique_uuid(random.getrandbits(76), number, True), unique=True)


def _shares(column: Column) -> Field:
    """Return shares of 1, for a type that takes no larger numbers."""
    kind: Any = plain_type(column)
    number = Decimal if getattr(kind, "asdecimal", True) else float
    made = choice([number(one) / 100 for one in range(101)])
    made.description = "0 to 1"
    return made


def _networks(kind: Callable[[str], Any]) -> Field:
    return computed("a network", lambda random, _: kind(f"10.{random.randrange(256)}.{random.randrange(256)}.0/24"))


def _moments(zone: tzinfo | None) -> Callable[[Column], Field]:
    def make(column: Column) -> Field:
        first = datetime(meanings.TODAY.year - 1, meanings.TODAY.month, meanings.TODAY.day, tzinfo=zone)
        made = choice([first + timedelta(seconds=31_531 * one) for one in range(1_000)])
        made.description = "the last year"
        return made

    return make


_MOMENT = datetime(2026, 3, 4, 5, 6, 7)
_DICT, _UUID = {"id": 1}, UUID(int=1, version=4)
_PROVIDERS = {"ipv4", "ipv6", "mac_address", "url", "email", "phone_number", "hex_color", "timezone", "locale",
              "country_code", "currency_code", "password_hash", "color_name", "language_code"}  # fmt: skip
_NAMED: list[tuple[str, Any, Callable[[Column], Field]]] = [
    ("json jsonb dict dictionary", _DICT, document),
    ("list array", ["a", "b"], listing),
    ("uuid guid", _UUID, _uuid),
    ("cidr network", "10.0.1.0/24", lambda column: _networks(str)),
]
_SAMPLES: list[tuple[Any, Any]] = [
    (sa.Boolean, True), (sa.Integer, 1), (sa.Numeric, Decimal("1.5")), (sa.Float, 1.5), (sa.DateTime, _MOMENT),
    (sa.Date, date(2026, 3, 4)), (sa.Time, time(5, 6)), (sa.Interval, timedelta(hours=1)), (BINARY, b"bytes"),
    (sa.JSON, _DICT), (sa.Uuid, _UUID),
]  # fmt: skip
_OTHERS: list[tuple[Any, Callable[[Column], Field]]] = [
    ("ada@example.org", lambda column: fake("email")),
    ("https://example.org/", lambda column: fake("url")),
    ("192.0.2.1", lambda column: fake("ipv4")),
    (str(_UUID), lambda column: fake("uuid4")),
    ("+12025550100", lambda column: fake("e164")),
    ("#aabbcc", lambda column: fake("hex_color")),
    (_DICT, document),
    (["a", "b"], listing),
    (_UUID, _uuid),
    (_MOMENT.replace(tzinfo=UTC), _moments(UTC)),
    (_MOMENT, _moments(None)),
    (IPv4Address("192.0.2.1"), lambda column: as_taken(fake("ipv4"), IPv4Address)),
    (IPv4Network("192.0.2.0/24"), lambda column: _networks(IPv4Network)),
    (Decimal("0.5"), lambda column: _shares(column)),
    (True, lambda column: choice(False, True)),
    (7, lambda column: choice([*range(1000)])),
    (Decimal("1.5"), lambda column: choice([Decimal(one) / 2 for one in range(1, 1000)])),
    (timedelta(hours=1), lambda column: choice([timedelta(minutes=one) for one in range(1, 1000)])),
    (date(2026, 3, 4), lambda column: choice([date(2026, 1, 1) + timedelta(days=one) for one in range(365)])),
]  # fmt: skip
