"""The limits: the fastest plain path of each driver, fed with rows that are ready-made.

L0 keeps every constraint and index; L1 drops what the database allows to be built after the load, all but the
primary key, and builds it again in the same transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .ready import read_pieces, read_tuples

Work = Callable[[], None]


def sqlite(address: str, table: str, columns: Sequence[str], file: Path, *, rebuild: bool) -> Work:
    """executemany of tuples in one transaction, with foreign keys enforced; L1 has a larger page cache too."""
    rows, path = read_tuples(file), address.removeprefix("sqlite:///")
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"

    def work() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        if rebuild:
            connection.execute("PRAGMA cache_size = -262144")  # KiB
        connection.execute("BEGIN IMMEDIATE")
        indexes = _sqlite_indexes(connection, table) if rebuild else []
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.executemany(insert, rows)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("COMMIT")
        connection.close()

    return work


def _sqlite_indexes(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    return connection.execute(query, (table,)).fetchall()


def postgresql(address: str, table: str, columns: Sequence[str], file: Path, *, rebuild: bool) -> Work:
    """COPY of text in pieces of 256 KiB."""
    import psycopg

    pieces = read_pieces(file)
    copy_from = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()

    def work() -> None:
        with psycopg.connect(address) as connection, connection.cursor() as cursor:
            drops, creates = _postgresql_rebuild(cursor, table) if rebuild else ([], [])
            for statement in drops:
                cursor.execute(statement.encode())
            with cursor.copy(copy_from) as copy:
                for piece in pieces:
                    copy.write(piece)
            for statement in creates:
                cursor.execute(statement.encode())

    return work


def _postgresql_rebuild(cursor: Any, table: str) -> tuple[list[str], list[str]]:
    """Return the statements that drop a table's unique constraints and indexes, and those that build them again."""
    constraints = cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        f" WHERE conrelid = '{table}'::regclass AND contype = 'u'"
    ).fetchall()
    indexes = cursor.execute(
        f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{table}'"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    ).fetchall()
    drops = [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for name, _ in constraints]
    creates = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for name, definition in constraints]
    return [*drops, *(f"DROP INDEX {name}" for name, _ in indexes)], [*creates, *(one for _, one in indexes)]


def mariadb(address: str, table: str, columns: Sequence[str], file: Path, *, rebuild: bool) -> Work:
    """LOAD DATA LOCAL from one file; DDL commits there, so nothing can be built after the load: there is no L1."""
    import pymysql
    import sqlalchemy as sa

    assert not rebuild
    url = sa.make_url(address)
    load = (
        f"LOAD DATA LOCAL INFILE '{pymysql.converters.escape_string(str(file))}' INTO TABLE {table}"
        f" CHARACTER SET utf8mb4 ({', '.join(columns)})"
    )

    def work() -> None:
        connection = pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=url.database,
            local_infile=True,
        )
        with connection.cursor() as cursor:
            cursor.execute(load)
        connection.commit()
        connection.close()

    return work


LIMITS = {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}
