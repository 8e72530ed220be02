"""The kinds of column there are, whatever a model wraps them in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

BINARY = (sa.LargeBinary, sa.BINARY, sa.VARBINARY)
DECIMAL = (sa.Numeric, sa.Float)  # a Float is no Numeric
NUMBER = (sa.Integer, *DECIMAL)


def plain_type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """Return a column's type without the decorators that models put around types."""
    kind: Any = column.type
    while isinstance(kind, sa.TypeDecorator) and not isinstance(kind, sa.Interval | sa.PickleType):  # SQLAlchemy's own
        kind = kind.impl_instance
    return kind  # type: ignore[no-any-return]  # a decorator's inner type is a type
