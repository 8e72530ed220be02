"""What mapped classes say of tables that they share or inherit: which rows are of which class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from .plans import Inheritance


def read(mappers: Iterable[Any]) -> dict[sa.Table, Inheritance]:
    """Return what is known of each table that takes part in an inheritance."""
    mappers = [mapper for mapper in mappers if mapper.polymorphic_on is not None or mapper.inherits is not None]
    found: dict[sa.Table, Inheritance] = {}
    for mapper in sorted(mappers, key=lambda one: str(one.class_)):
        discriminator = mapper.polymorphic_on
        if not isinstance(discriminator, sa.Column) or not isinstance(mapper.local_table, sa.Table):
            continue
        own = found.setdefault(mapper.local_table, Inheritance({}, {}, {}))
        identities = _identities(mapper)
        if discriminator.table is mapper.local_table and mapper.inherits is None:
            own.identities[discriminator.name] = _identities(mapper)
        elif mapper.single:
            for column in _own_columns(mapper):
                own.owners[column.name] = (discriminator.name, identities)
        elif mapper.inherits is not None:
            words = f"{discriminator.name} {' or '.join(map(str, identities))}"
            for column in mapper.local_table.primary_key.columns:
                for key in column.foreign_keys:
                    if key.column.table is mapper.inherits.local_table:
                        own.kinds[column.name] = (_is_of(discriminator, identities, key.column), words)
    return found


def _is_of(discriminator: sa.Column[Any], identities: list[Any], key: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a row with this key is of some classes, which the root's table says."""
    condition = discriminator.in_(identities)
    root = discriminator.table
    if root is key.table:
        return condition
    return key.in_(sa.select(*root.primary_key.columns).where(condition))


def _identities(mapper: Any) -> list[Any]:
    """Return the identities of a class and of those under it."""
    known = [one.polymorphic_identity for one in mapper.self_and_descendants if not one.polymorphic_abstract]
    return sorted({one for one in known if one is not None}, key=str)


def _own_columns(mapper: Any) -> list[sa.Column[Any]]:
    """Return the columns that a class in single table inheritance adds to its parent's."""
    inherited = set(mapper.inherits.columns)
    others = {column for one in mapper.inherits.self_and_descendants if one is not mapper for column in one.columns
              if one not in mapper.self_and_descendants and one.single}  # fmt: skip
    return [column for column in mapper.columns if column not in inherited and column not in others]
