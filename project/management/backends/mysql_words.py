"""What models say to MySQL, for MariaDB, whose dialect does not listen to it."""

from __future__ import annotations

from typing import Any

from ..lazily import sqlalchemy as sa


def say_it_to_mariadb(table: sa.Table) -> None:
    """Let options called mysql_..., and types for "mysql", hold on MariaDB too, unless it has its own.

    SQLAlchemy has a dialect of each of the two, and no model that was written for MySQL says everything twice.
    """
    things: list[Any] = [table, *table.indexes, *table.constraints]
    for options in (one.dialect_kwargs for one in things):
        said = {one: options[one] for one in options}
        for name in [one for one in said if one.startswith("mysql_")]:
            own = f"mariadb_{name.removeprefix('mysql_')}"
            if own not in said:
                options[own] = said[name]
    for column in table.columns:
        variants: Any = column.type._variant_mapping
        if "mysql" in variants and "mariadb" not in variants and not isinstance(column.type, sa.types.SchemaType):
            column.type = column.type.with_variant(variants["mysql"], "mariadb")
