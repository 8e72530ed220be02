"""A database's schema in parts, to tell whether two are the same: reflected, so that it is what the database says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from . import autogenerate, bookkeeping

if TYPE_CHECKING:
    from .project import Project


class Part(NamedTuple):
    """One thing in a schema: what it is ("column name"), of which table, and how it is."""

    table: str
    what: str
    how: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, self))

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.what} of {self.table}" if self.table else self.what


Schema = frozenset[Part]
_HIDDEN = re.compile(rf" ({'|'.join(bookkeeping.HIDDEN)})(_id_seq)?$")


def described(project: Project, connection: sa.Connection) -> Schema:
    """Return everything that makes a difference; the order of a table's columns does not."""
    inspector = sa.inspect(connection)
    schemas = {None, *(table.schema for table in project.metadata.tables.values())}
    parts = {Part("", one) for one in project.backend.copies.inventory(connection) if not _HIDDEN.search(one)}
    for table, index, order in project.backend.unreflected_orders(connection):
        parts.add(Part(table, f"order of index {index}", order))
    with autogenerate.quiet(types=True):
        for schema in schemas & {None, *inspector.get_schema_names()}:
            for table in inspector.get_table_names(schema):
                if table not in bookkeeping.HIDDEN:
                    name = f"{schema}.{table}" if schema else table
                    parts.update(Part(name, *one) for one in _table(inspector, connection, table, schema))
            for view in inspector.get_view_names(schema):
                parts.add(Part("", f"view {view}", _one_line(inspector.get_view_definition(view, schema))))
            for enumeration in inspector.get_enums(schema) if hasattr(inspector, "get_enums") else ():
                parts.add(Part("", f"enumeration {enumeration['name']}", ", ".join(enumeration["labels"])))
    return frozenset(parts)


def changed(before: Schema, after: Schema) -> list[str]:
    """Return what is different, a line each: what is missing, then what is more."""
    return [*(f"without {one}" for one in sorted(before - after)), *(f"with {one}" for one in sorted(after - before))]


class Difference(NamedTuple):
    """What one schema has more than another, what it lacks, and what is otherwise in it: names, each once."""

    more: Sequence[str]
    less: Sequence[str]
    other: Sequence[str]


def difference(wanted: Schema, found: Schema) -> Difference:
    """Return how a schema differs, shortly: of a table that only one has nothing but its name is told."""
    more, less = _names(found - wanted, wanted), _names(wanted - found, found)
    other = [one for one in more if one in less]
    return Difference([one for one in more if one not in other], [one for one in less if one not in other], other)


def _names(parts: Schema, elsewhere: Schema) -> list[str]:
    """Return the names of what is only in one of two schemas, tables first."""
    tables = sorted({one.table for one in parts} - {one.table for one in elsewhere} - {""})
    # The database lists a table again by itself, and the sequence of its numbers.
    again = re.compile(rf"[\w ]* ({'|'.join(map(re.escape, tables))})(_\w+_seq)?$") if tables else None
    rest = {one.name for one in parts if one.table not in tables and not (again and again.match(one.what))}
    return [*(f"table {one}" for one in tables), *sorted(rest)]


def _table(
    inspector: sa.Inspector, connection: sa.Connection, table: str, schema: str | None
) -> Iterator[tuple[str, str]]:
    for column in inspector.get_columns(table, schema):
        yield f"column {column['name']}", _column(column, connection)
    yield _told("primary key", inspector.get_pk_constraint(table, schema))
    for unique in inspector.get_unique_constraints(table, schema):
        yield _told("unique", unique)
    for foreign in inspector.get_foreign_keys(table, schema):
        yield _told("foreign key", foreign)
    for check in inspector.get_check_constraints(table, schema):
        yield f"CHECK {check['name']}" if check["name"] else "unnamed CHECK", _condition(check["sqltext"])
    for index in inspector.get_indexes(table, schema):
        yield _told("index", index)
    comment = inspector.get_table_comment(table, schema)["text"] if connection.dialect.supports_comments else None
    if comment:
        yield "comment", comment


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


def _told(kind: str, thing: Any) -> tuple[str, str]:
    """Return a key or an index: its name, then what it is."""
    given: Mapping[str, Any] = thing
    rest = [
        f"{name} {_plain(given[name])}" for name in sorted(given) if name not in ("name", "comment") and given[name]
    ]
    return f"{kind} {given.get('name') or ''}".rstrip(), ", ".join(rest)


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
