"""Databases of the benchmark's own: make one, copy one, look at it, drop them all at the end."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

PREFIX = "manage_bench_"
_ADDRESSES = {
    "postgresql": ("BENCHMARK_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mariadb": ("BENCHMARK_MARIADB_URL", "mariadb+pymysql://root@127.0.0.1:3306"),
}


class Unavailable(Exception):
    """Something a measure needs is not there, and why."""


@dataclass(frozen=True)
class Database:
    """One database, and how to ask it something."""

    kind: str
    address: sa.URL

    @property
    def url(self) -> str:
        """The DATABASE_URL that a person would write."""
        return self.address.set(drivername=self.kind).render_as_string(hide_password=False)

    @property
    def name(self) -> str:
        return self.address.database or ""

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """Open a connection outside any transaction of ours: each statement is its own."""
        engine = sa.create_engine(self.address, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def value(self, sql: str) -> Any:
        """Return the only value of a query."""
        [(value,)] = self.rows(sql)
        return value

    def schema(self, table: str) -> list[str]:
        """Return a table's columns, constraints and indexes in the database's own words."""
        return sorted(str(part) for row in self.rows(_SCHEMA[self.kind].format(table=table)) for part in _words(row))


class Databases:
    """The databases of one kind that a run makes; leaving it drops them."""

    kind = ""
    title = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Database] = []

    def new(self) -> Database:
        """Return an empty database; on SQLite the file is for `migrate` to make."""
        made = self._named(PREFIX + uuid.uuid4().hex[:8])
        self._made.append(made)
        self._create(made)
        return made

    def copy(self, original: Database) -> Database:
        """Return a copy of a database that nobody is connected to, written out to the disk."""
        raise NotImplementedError

    def drop(self, database: Database) -> None:
        """Drop a database that was made here."""
        self._drop(database)
        self._made.remove(database)

    def settle(self) -> None:
        """Wait for what the server does after the command that asked for it has ended, and let it write its pages."""

    def version(self) -> str:
        """Return the version of the database."""
        return sqlite3.sqlite_version

    def close(self) -> None:
        """Drop whatever is left."""
        for database in list(self._made):
            self.drop(database)

    def _named(self, name: str) -> Database:
        raise NotImplementedError

    def _create(self, database: Database) -> None:
        pass

    def _drop(self, database: Database) -> None:
        raise NotImplementedError


class SQLiteDatabases(Databases):
    kind = "sqlite"
    title = "SQLite"

    def copy(self, original: Database) -> Database:
        made = self.new()
        shutil.copyfile(original.name, made.name)
        os.sync()
        return made

    def _named(self, name: str) -> Database:
        return Database(self.kind, sa.URL.create("sqlite", database=str(self._folder / f"{name}.db")))

    def _drop(self, database: Database) -> None:
        Path(database.name).unlink(missing_ok=True)


class ServerDatabases(Databases):
    """Databases on a server of this machine."""

    _dropping = "DROP DATABASE IF EXISTS `{name}`"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        variable, default = _ADDRESSES[self.kind]
        address = sa.make_url(os.environ.get(variable) or default)
        if address.host != "127.0.0.1":
            raise Unavailable(f"{variable} must be on 127.0.0.1: databases are made and dropped there")
        self._server = Database(self.kind, address)
        try:
            self._server.value("SELECT 1")
        except sa.exc.OperationalError as error:
            raise Unavailable(f"no {self.kind} server answers on 127.0.0.1 ({variable} says where)") from error

    def version(self) -> str:
        [number] = re.findall(r"\d[\d.]*", self._server.value("SELECT version()"))[:1]
        return str(number)

    def _named(self, name: str) -> Database:
        return Database(self.kind, self._server.address.set(database=name))

    def _create(self, database: Database) -> None:
        self._administrate(f"CREATE DATABASE {database.name}")

    def _drop(self, database: Database) -> None:
        """Drop a database and the snapshots of it, which are databases beside it."""
        self.settle()
        begin = f"{database.name}_snapshot_"
        beside = [name for (name,) in self._server.rows(_NAMES[self.kind]) if name.startswith(begin)]
        for name in (database.name, *beside):
            self._administrate(self._dropping.format(name=name))

    def _administrate(self, *statements: str) -> None:
        with self._server.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


class PostgreSQLDatabases(ServerDatabases):
    kind = "postgresql"
    title = "PostgreSQL"
    _dropping = 'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'

    def settle(self) -> None:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, 'manage.py')"
        while self._server.value(busy):
            time.sleep(0.05)
        self._administrate("CHECKPOINT")  # or the next sample would pay for the pages that this one has changed

    def copy(self, original: Database) -> Database:
        made = self._named(PREFIX + uuid.uuid4().hex[:8])
        self._made.append(made)
        # https://www.postgresql.org/docs/current/sql-createdatabase.html: for a large template, files are faster
        self._administrate(f"CREATE DATABASE {made.name} TEMPLATE {original.name} STRATEGY file_copy")
        self.settle()
        return made


class MariaDBDatabases(ServerDatabases):
    kind = "mariadb"
    title = "MariaDB"

    def copy(self, original: Database) -> Database:
        made = self.new()
        with made.connect() as connection:
            connection.exec_driver_sql("SET foreign_key_checks = 0")
            for table in _tables(original):
                [(_, definition)] = original.rows(f"SHOW CREATE TABLE {table}")
                connection.exec_driver_sql(definition.replace("%", "%%"))
                connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {original.name}.{table}")
        os.sync()
        return made


KINDS: dict[str, type[Databases]] = {one.kind: one for one in (SQLiteDatabases, PostgreSQLDatabases, MariaDBDatabases)}


def _tables(database: Database) -> list[str]:
    return [table for (table,) in database.rows("SHOW TABLES")]


def _words(row: Sequence[object]) -> Iterator[str]:
    """Yield the parts of a definition that do not depend on the rows."""
    for part in row:
        for line in str(part).splitlines():
            yield re.sub(r" AUTO_INCREMENT=\d+", "", line)


_NAMES = {"postgresql": "SELECT datname FROM pg_database", "mariadb": "SHOW DATABASES"}
_SCHEMA = {
    "sqlite": "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_master WHERE tbl_name = '{table}'",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename = '{table}' UNION ALL"
    " SELECT conname || ': ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{table}'::regclass",
    "mariadb": "SHOW CREATE TABLE {table}",
}
