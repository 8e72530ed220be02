"""The kinds of column there are, whatever a model wraps them in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

BINARY = (sa.LargeBinary, sa.BINARY, sa.VARBINARY)
DECIMAL = (sa.Numeric, sa.Float)  # a Float is no Numeric
NUMBER = (sa.Integer, *DECIMAL)

# SQLAlchemy 2.1 says at each comparison that its own DOMAIN has to be prepared for 2.2: no model could help it.
warnings.filterwarnings("ignore", r"Type object .*\bDOMAIN\b", sa.exc.SADeprecationWarning)


def plain_type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """Return a column's type without the decorators that models put around types, and the domains of PostgreSQL."""
    kind: sa.types.TypeEngine[Any] = column.type
    while (inner := _inside(kind)) is not None:
        kind = inner
    return sa.SmallInteger() if kind.__visit_name__ == "YEAR" else kind  # MariaDB's


def is_text(column: sa.Column[Any]) -> bool:
    """Return whether a column holds texts, and not the few values of an enumeration, whose type is one of texts too."""
    kind = plain_type(column)
    return isinstance(kind, sa.String) and not isinstance(kind, sa.Enum)


def domains_of(column: sa.Column[Any]) -> Iterator[Any]:
    """Yield the domains of PostgreSQL that a column's type is made of: types with a CHECK of their own."""
    kind: sa.types.TypeEngine[Any] | None = column.type
    while kind is not None:
        if _is_domain(kind):
            yield kind
        kind = _inside(kind)


def length_of(column: sa.Column[Any]) -> int | None:
    """Return how many characters, or bytes, a column and all that refer to it have room for; None where none says."""
    own: int | None = getattr(plain_type(column), "length", None)
    metadata = getattr(column.table, "metadata", None)
    if own is None or metadata is None:
        return own
    return min(own, _shortest_references(metadata, len(metadata.tables)).get(column, own))


@lru_cache(maxsize=8)
def _shortest_references(metadata: sa.MetaData, tables: int) -> dict[sa.Column[Any], int]:
    """Return the least room of the columns that refer to another one, where these are shorter than it.

    Args:
        tables: how many there are, for there may be more later.
    """
    found: dict[sa.Column[Any], int] = {}
    for key in (key for table in metadata.tables.values() for key in table.foreign_keys):
        room = getattr(plain_type(key.parent), "length", None)
        if room is not None:
            with suppress(sa.exc.NoReferenceError):  # of a table that is not there yet
                found[key.column] = min(room, found.get(key.column, room))
    return found


def _inside(kind: Any) -> sa.types.TypeEngine[Any] | None:
    """Return the type that another one is put around; None where it is a plain one."""
    if _is_domain(kind):
        return kind.data_type  # type: ignore[no-any-return]  # a type
    if isinstance(kind, sa.TypeDecorator) and not isinstance(kind, sa.Interval | sa.PickleType):  # SQLAlchemy's own
        return kind.impl_instance
    return None


def _is_domain(kind: Any) -> bool:
    return bool(kind.__visit_name__ == "DOMAIN")  # asking for its class would import the whole dialect
