"""A fresh database for one test, on SQLite, PostgreSQL or MariaDB, and what a test asks of it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.spares import DROP, Spares

KINDS = ("sqlite", "postgresql", "mariadb")
SERVERS = KINDS[1:]
PREFIX = "manage_test_"
BOOKKEEPING = {"alembic_version", "management_metadata", "migration_history"}
_ADDRESSES = {
    "postgresql": ("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mariadb": ("TEST_MARIADB_URL", "mariadb+pymysql://root@127.0.0.1:3306"),
}


_DROP = {"postgresql": DROP, "mariadb": "DROP DATABASE IF EXISTS `{}`"}
_EACH_COMMITS: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}


@dataclass(frozen=True)
class Database:
    """One database of one test."""

    kind: str
    name: str  # what a person types to confirm: the file's name, or the database's
    address: sa.URL
    file: Path | None = None  # on SQLite

    @classmethod
    def at(cls, kind: str, url: str) -> Database:
        """Return a database that somebody else has made, and will drop."""
        address = sa.make_url(url)
        file = Path(address.database or "") if kind == "sqlite" else None
        return cls(kind, file.name if file else address.database or "", address, file)

    @property
    def url(self) -> str:
        """The DATABASE_URL that a person would write."""
        scheme = self.kind
        return self.address.set(drivername=scheme).render_as_string(hide_password=False)

    def engine(self) -> sa.Engine:
        """Return an engine of the test's own, with foreign keys on in SQLite too."""
        engine = _engine(self.address)
        if self.kind == "sqlite":
            sa.event.listen(engine, "connect", _enforce_foreign_keys)
        return engine

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """Open a connection; what is not committed is rolled back."""
        with _known_engine(self).connect() as connection:
            yield connection

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(sql), parameters)]

    def value(self, sql: str, **parameters: object) -> Any:
        """Return the first column of a query's only row."""
        [(value, *_)] = self.rows(sql, **parameters)
        return value

    def execute(self, *statements: str, **parameters: object) -> None:
        """Run statements in one transaction."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), parameters)
            connection.commit()

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        return int(self.value(f"SELECT count(*) FROM {table}"))

    def tables(self) -> set[str]:
        """Return every table there is but the bookkeeping; none when there is no SQLite file."""
        return self.all_tables() - BOOKKEEPING

    def all_tables(self) -> set[str]:
        """Return every table there is, the bookkeeping too."""
        if self.file is not None and not self.file.exists():
            return set()
        with self.connect() as connection:
            return set(sa.inspect(connection).get_table_names())

    def revision(self) -> str | None:
        """Return the revision recorded in the database."""
        if "alembic_version" not in self.all_tables():
            return None
        found = self.rows("SELECT version_num FROM alembic_version")
        assert len(found) <= 1, f"{len(found)} revisions are recorded: {found}"
        return found[0][0] if found else None

    def metadata(self, key: str) -> str | None:
        """Return a value of the bookkeeping."""
        found = self.rows("SELECT value FROM management_metadata WHERE management_metadata.key = :key", key=key)
        return found[0][0] if found else None


@lru_cache(maxsize=8)
def _known_engine(database: Database) -> sa.Engine:
    """Return an engine that has looked before at what sort of server it is; it keeps no connection."""
    return database.engine()


@contextmanager
def fresh(kind: str, folder: Path, *, made: bool = True) -> Iterator[Database]:
    """Make a database with a name of its own and drop it afterwards; skip, or fail in CI, where there is no server.

    With `made=False` only the name is there, and what the test makes of it is dropped.
    """
    name = PREFIX + uuid.uuid4().hex[:8]  # short, for the names of its snapshots to have room
    if kind == "sqlite":
        file = folder / f"{name}.db"
        yield Database(kind, file.name, sa.URL.create("sqlite", database=str(file)), file)
        return
    server = _server(kind)
    is_spare = made and kind == "postgresql"
    try:
        if is_spare:
            spares().take(name)
        elif made:
            administrate(server, f"CREATE DATABASE {name}")
        yield Database(kind, name, server.set(database=name))
    finally:
        while left := snapshots_of(server, name):
            for one in left:
                administrate(server, _DROP[kind].format(one))
        if not is_spare:
            administrate(server, _DROP[kind].format(name))
        if is_spare:
            spares().give_back(name)


@cache
def spares() -> Spares:
    """Return the databases of PostgreSQL that earlier tests of this process have left.

    They are dropped when it ends: tests/conftest.py
    """
    server = server_address("postgresql")
    return Spares(_session(server), lambda name: _engine(server.set(database=name), **_EACH_COMMITS).connect())


def snapshots_of(server: sa.URL, name: str) -> list[str]:
    """Return the databases of a server that are snapshots of another one, half-made ones too."""
    kind = _kind(server)
    settle(server, name)
    catalog = "pg_database" if kind == "postgresql" else "information_schema.schemata"
    column = "datname" if kind == "postgresql" else "schema_name"
    query = sa.text(f"SELECT {column} FROM {catalog} WHERE {column} LIKE :name OR {column} LIKE :short")
    return list(_session(server_address(kind)).scalars(query, _snapshot_names(name)))


def settle(server: sa.URL, name: str) -> None:
    """Wait for what PostgreSQL does with the snapshots of a database after the command that asked for it has ended."""
    if _kind(server) != "postgresql":
        return
    busy = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'manage.py%'"
        " AND query ~ '^(CREATE|DROP) DATABASE ' AND (query LIKE '%' || :name OR query LIKE :short)"
    )
    while _session(server_address("postgresql")).scalar(busy, _snapshot_names(name)):
        time.sleep(0.005)


def _snapshot_names(name: str) -> dict[str, str]:
    """Return what the names of a database's snapshots are like."""
    short = hashlib.sha256(name.encode()).hexdigest()[:8]  # a long name is cut and gets this
    return {"name": f"{name}\\_snapshot\\_%", "short": f"%\\_{short}\\_snapshot\\_%"}


def server_address(kind: str) -> sa.URL:
    """Return the address of a server that answers; skip the test, or fail it in CI, when it does not."""
    return _server(kind)


def why_no_server(kind: str) -> str:
    """Return why no server of a kind can be used, nothing when one answers."""
    return _look_for(kind)[1]


def _server(kind: str) -> sa.URL:
    url, why = _look_for(kind)
    if why:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return url


@cache
def _look_for(kind: str) -> tuple[sa.URL, str]:
    variable, default = _ADDRESSES[kind]
    url = sa.make_url(os.environ.get(variable) or default)
    if url.host != "127.0.0.1":
        return url, f"{variable} must be on 127.0.0.1: tests make and drop databases there"
    try:
        _session(url)
    except sa.exc.OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        return url, f"no {kind} server answers on {url.host}:{url.port} (set {variable} for another port): {why}"
    return url, ""


def administrate(server: sa.URL, statement: str) -> None:
    """Run a statement on a server, or in a database of it, outside of a transaction."""
    options = {"no_parameters": True}
    if server == server_address(_kind(server)):
        _session(server).exec_driver_sql(statement, execution_options=options)
        return
    with _engine(server, **_EACH_COMMITS).connect() as connection:
        connection.exec_driver_sql(statement, execution_options=options)


def _session(server: sa.URL) -> sa.Connection:
    """Return this thread's session with a server; it stays, for there is something to do for each test."""
    return _session_of(server, threading.get_ident())


@cache
def _session_of(server: sa.URL, _thread: int) -> sa.Connection:
    return _engine(server, **_EACH_COMMITS).connect()


def _kind(server: sa.URL) -> str:
    return "postgresql" if server.get_backend_name() == "postgresql" else "mariadb"


def _engine(address: sa.URL, **given: Any) -> sa.Engine:
    arguments: dict[str, object] = {} if address.get_backend_name() == "sqlite" else {"connect_timeout": 10}
    if address.get_driver_name() == "pymysql":
        arguments["ssl_disabled"] = True  # what TLS needs takes longer than all else
    return sa.create_engine(address, poolclass=sa.NullPool, connect_args=arguments, **given)


def _enforce_foreign_keys(driver: sqlite3.Connection, _record: object) -> None:
    driver.execute("PRAGMA foreign_keys = ON")
