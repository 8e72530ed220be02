"""A database's schema as lines, to tell whether two are the same: reflected, so that it is what the database says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from . import autogenerate, bookkeeping

if TYPE_CHECKING:
    from .project import Project

Schema = frozenset[str]
_HIDDEN = re.compile(rf" ({'|'.join(bookkeeping.HIDDEN)})(_id_seq)?$")


def described(project: Project, connection: sa.Connection) -> Schema:
    """Return everything that makes a difference, a line each; the order of a table's columns does not."""
    inspector = sa.inspect(connection)
    schemas = {None, *(table.schema for table in project.metadata.tables.values())}
    lines = {one for one in project.backend.copies.inventory(connection) if not _HIDDEN.search(one)}
    with autogenerate.quiet():
        for schema in schemas & {None, *inspector.get_schema_names()}:
            for table in inspector.get_table_names(schema):
                if table not in bookkeeping.HIDDEN:
                    name = f"{schema}.{table}" if schema else table
                    lines.update(f"{name}: {line}" for line in _table(inspector, connection, table, schema))
            for view in inspector.get_view_names(schema):
                lines.add(f"view {view}: {_one_line(inspector.get_view_definition(view, schema))}")
            for enumeration in inspector.get_enums(schema) if hasattr(inspector, "get_enums") else ():
                lines.add(f"enumeration {enumeration['name']}: {', '.join(enumeration['labels'])}")
    return frozenset(lines)


def changed(before: Schema, after: Schema) -> list[str]:
    """Return what is different, a line each: what is missing, then what is more."""
    return [*(f"without {one}" for one in sorted(before - after)), *(f"with {one}" for one in sorted(after - before))]


def _table(inspector: sa.Inspector, connection: sa.Connection, table: str, schema: str | None) -> Iterator[str]:
    for column in inspector.get_columns(table, schema):
        yield f"column {column['name']}: {_column(column, connection)}"
    key = inspector.get_pk_constraint(table, schema)
    yield f"primary key {_told(key)}"
    for unique in inspector.get_unique_constraints(table, schema):
        yield f"unique {_told(unique)}"
    for foreign in inspector.get_foreign_keys(table, schema):
        yield f"foreign key {_told(foreign)}"
    for check in inspector.get_check_constraints(table, schema):
        yield f"CHECK {check['name']}: {_condition(check['sqltext'])}"
    for index in inspector.get_indexes(table, schema):
        yield f"index {_told(index)}"
    comment = inspector.get_table_comment(table, schema)["text"] if connection.dialect.supports_comments else None
    if comment:
        yield f"comment {comment}"


def _column(column: Any, connection: sa.Connection) -> str:
    kind = column["type"].compile(dialect=connection.dialect) if not _is_null(column["type"]) else ""
    words = [
        kind,
        "" if column["nullable"] else "NOT NULL",
        f"DEFAULT {column['default']}" if column.get("default") is not None else "",
        f"COMPUTED {column['computed']}" if column.get("computed") else "",
        "IDENTITY" if column.get("identity") else "",
        f"COMMENT {column['comment']}" if column.get("comment") else "",
    ]
    return " ".join(filter(None, words))


def _is_null(kind: object) -> bool:
    return isinstance(kind, sa.types.NullType)


def _told(thing: Any) -> str:
    """Return a key or an index on one line: its name, then what it is."""
    given: Mapping[str, Any] = thing
    rest = [
        f"{name} {_plain(given[name])}" for name in sorted(given) if name not in ("name", "comment") and given[name]
    ]
    return f"{given.get('name') or ''}: {', '.join(rest)}"


def _plain(value: Any) -> Any:
    """Return what SQLAlchemy reflects with its expressions as text."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value.text if isinstance(value, sa.TextClause) else value


def _condition(text: str) -> str:
    """Return a CHECK without the casts that PostgreSQL puts elsewhere when it reads its own words again."""
    bare = re.sub(r"::(text|character varying)(\[\])?", "", _one_line(text))
    return re.sub(r"\(('(?:[^']|'')*'|\w+)\)", r"\1", bare)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
