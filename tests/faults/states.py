"""What a database holds, as a value: two are the same when schema, rows, revision and bookkeeping are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tests.databases import BOOKKEEPING, Database
from tests.faults.beside import MARK

MARKS_A_COPY = "management_snapshot"  # on MariaDB
Row = tuple[Any, ...]


@dataclass(frozen=True)
class State:
    """What a database holds."""

    revision: str | None
    schema: frozenset[str]  # a text for each table, index and constraint
    rows: Mapping[str, Counter[Row]]
    bookkeeping: Mapping[str, str]
    damage: tuple[str, ...] = ()  # what the database's own look at itself found
    keys: Mapping[str, Sequence[Any]] = field(default_factory=dict, compare=False)  # where rows have only their places

    @property
    def contents(self) -> tuple[object, ...]:
        """Everything but the bookkeeping, which a run makes before its first step."""
        return self.revision, self.schema, self.rows, self.damage


@dataclass
class Verdict:
    """What was wrong after one or many faults."""

    tries: int = 0
    lost: int = 0
    duplicated: int = 0
    unclear: int = 0
    refused: int = 0  # runs that said by name what was left half-way
    words: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.unclear)

    def add(self, other: Verdict) -> None:
        self.tries += other.tries
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.unclear += other.unclear
        self.refused += other.refused
        self.words += other.words

    def lose(self, words: str) -> None:
        self.lost += 1
        self.words.append(words)

    def blame(self, words: str) -> None:
        """Count a message that is not one clear line."""
        self.unclear += 1
        self.words.append(words)

    def compare(self, expected: State, found: State, where: str) -> None:
        """Count what is missing and what is too much; what is not rows counts as one of them."""
        if expected == found:
            return
        lost = _missing(expected.rows, found.rows) + len(expected.schema - found.schema) + len(found.damage)
        more = _missing(found.rows, expected.rows) + len(found.schema - expected.schema)
        self.lost += lost if lost or more else 1
        self.duplicated += more
        self.words.append(f"{where}: {difference(expected, found)}")


def _missing(wanted: Mapping[str, Counter[Row]], there: Mapping[str, Counter[Row]]) -> int:
    return sum((rows - there.get(table, Counter())).total() for table, rows in wanted.items())


def difference(expected: State, found: State) -> str:
    """Return in a line how two states differ."""
    parts: list[str] = []
    if expected.revision != found.revision:
        parts.append(f"revision {found.revision}, not {expected.revision}")
    parts += [f"lacks {one[:90]}" for one in sorted(expected.schema - found.schema)]
    parts += [f"has also {one[:90]}" for one in sorted(found.schema - expected.schema)]
    for table in sorted(expected.rows.keys() | found.rows.keys()):
        before, now = expected.rows.get(table, Counter[Row]()), found.rows.get(table, Counter[Row]())
        if before != now:
            parts.append(f"{table}: {(before - now).total()} rows lost, {(now - before).total()} too many")
    if expected.bookkeeping != found.bookkeeping:
        parts.append(f"bookkeeping {dict(found.bookkeeping)}, not {dict(expected.bookkeeping)}")
    return "; ".join([*parts, *found.damage])


def read(database: Database) -> State:
    """Read everything that a database holds; no file is the same as an empty one.

    What the program writes into a database that is a copy, to know it by, is not the copy's.
    """
    if database.file is not None and not database.file.exists():
        return State(None, frozenset(), {}, {})
    try:
        return _read(database)
    except sa.exc.DatabaseError as error:
        if database.file is None:
            raise
        return State(None, frozenset(), {}, {}, (f"it cannot be read: {error.orig}",))


def _read(database: Database) -> State:
    with database.connect() as connection:
        inspector = sa.inspect(connection)
        names = sorted(inspector.get_table_names())
        hidden = BOOKKEEPING | ({MARKS_A_COPY} if MARK in database.name else set())
        tables = [name for name in names if name not in hidden]
        revision = bookkeeping = None
        if "alembic_version" in names:
            revision = ",".join(sorted(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))) or None
        if "management_metadata" in names:
            remembered = connection.execute(sa.text("SELECT * FROM management_metadata"))
            bookkeeping = {str(key): str(value) for key, value in remembered}
            steps = (
                "SELECT revision, direction FROM migration_history ORDER BY id" if "migration_history" in names else ""
            )
            if steps:
                bookkeeping["history"] = ", ".join(" ".join(row) for row in connection.execute(sa.text(steps)))
        keys = {} if connection.dialect.name == "sqlite" else _keys(connection, inspector, tables)
        return State(
            revision,
            frozenset(_schema(connection, tables)),
            _rows(connection, inspector, tables, keys),
            bookkeeping or {},
            tuple(_damage(connection, tables)),
            keys,
        )


def _schema(connection: sa.Connection, tables: Iterable[str]) -> Iterable[str]:
    if connection.dialect.name == "sqlite":
        listed = "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE tbl_name NOT IN :hidden"
        hidden: sa.BindParameter[list[str]] = sa.bindparam("hidden", sorted(BOOKKEEPING), expanding=True)
        for name, sql in connection.execute(sa.text(listed).bindparams(hidden)):
            # Alembic writes the constraints of a table that it makes anew in any order.
            yield f"{name}: {sorted(line.strip().rstrip(',') for line in sql.splitlines())}"
    elif connection.dialect.name == "postgresql":
        yield from (": ".join(row) for row in connection.execute(sa.text(_POSTGRESQL), {"hidden": sorted(BOOKKEEPING)}))
    else:
        for table in tables:
            made = connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1]
            yield re.sub(r" AUTO_INCREMENT=\d+", "", " ".join(made.split()))


_POSTGRESQL = """
SELECT c.relname::text, a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
    || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> ALL(:hidden)
UNION ALL SELECT conname::text, conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> ALL(:hidden)
UNION ALL SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> ALL(:hidden)
"""


def _keys(connection: sa.Connection, inspector: sa.Inspector, tables: Iterable[str]) -> dict[str, Sequence[Any]]:
    """Return the keys of each table that has one of its own, in order."""
    return {
        table: connection.scalars(sa.text(f"SELECT id FROM {table} ORDER BY id")).all()
        for table in tables
        if {"id"} == set(inspector.get_pk_constraint(table)["constrained_columns"])
    }


def _rows(
    connection: sa.Connection, inspector: sa.Inspector, tables: Iterable[str], keys: Mapping[str, Sequence[Any]]
) -> dict[str, Counter[Row]]:
    """Return the rows of each table.

    A server does not give a number again that a rolled back transaction had: there a key counts by its place among
    the keys, and so does what refers to it.
    """
    exact = connection.dialect.name == "sqlite"
    places = {table: {key: place for place, key in enumerate(found)} for table, found in keys.items()}
    found: dict[str, Counter[Row]] = {}
    for table in tables:
        result = connection.execute(sa.text(f"SELECT * FROM {table}"))
        columns = list(result.keys())
        ranked = {} if exact else {columns.index("id"): places[table]} if table in places else {}
        for key in () if exact else inspector.get_foreign_keys(table):
            if key["referred_columns"] == ["id"]:
                ranked[columns.index(key["constrained_columns"][0])] = places.get(key["referred_table"], {})
        found[table] = Counter(
            tuple(ranked[place].get(value, value) if place in ranked else value for place, value in enumerate(row))
            for row in result
        )
    return found


def _damage(connection: sa.Connection, tables: Iterable[str]) -> Iterable[str]:
    if connection.dialect.name == "sqlite":
        for said in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if said != "ok":
                yield f"integrity_check: {said}"
        yield from (
            f"foreign_key_check: {tuple(row)}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
        )
    elif connection.dialect.name == "mariadb":
        for table in tables:
            for row in connection.exec_driver_sql(f"CHECK TABLE `{table}`"):
                if row[3] != "OK":
                    yield f"CHECK TABLE: {tuple(row)}"
