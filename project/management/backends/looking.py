"""A connection that only looks: SQLAlchemy's, or to an SQLite file one without, for importing that takes longer."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from ..lazily import sqlalchemy as sa
from .base import TableName, quoted

_LOG = logging.getLogger("sqlalchemy.engine.Engine")  # where SQLAlchemy writes its statements


class Plain:
    """What is asked of SQLAlchemy's connection on the way of a reset from a snapshot, by SQLite's driver alone."""

    def __init__(self, driver: sqlite3.Connection, begin: Callable[[], object]) -> None:
        """Take a connection, and what begins a transaction on it."""
        self.driver = driver
        self._begin = begin

    @property
    def itself(self) -> sa.Connection:
        """This, as what it stands for where nothing but this is asked of it."""
        return cast("sa.Connection", self)

    @contextmanager
    def begin(self) -> Iterator[Plain]:
        """Begin a transaction, and end it."""
        with raised_as_sqlalchemys("BEGIN"):
            self._start()
        try:
            yield self
        finally:
            self.rollback()

    def _start(self) -> None:
        _LOG.info("BEGIN")
        self._begin()

    def rollback(self) -> None:
        """End the transaction, where one is open."""
        if self.driver.in_transaction:
            _LOG.info("ROLLBACK")
            self.driver.execute("ROLLBACK")

    def exec_driver_sql(self, statement: str, parameters: tuple[str, ...] = ()) -> Rows:
        """Run a statement, in a transaction that it begins where none is open."""
        with raised_as_sqlalchemys(statement):
            if not self.driver.in_transaction:
                self._start()
            _LOG.info("%s", statement)
            return Rows(self.driver.execute(statement, parameters))


class Rows(list[Any]):
    """What a statement returned, as tuples."""

    def scalars(self) -> list[Any]:
        return [row[0] for row in self]

    def scalar(self) -> Any:
        return self[0][0] if self else None


@contextmanager
def raised_as_sqlalchemys(statement: str) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy would, for whoever explains them."""
    try:
        yield
    except sqlite3.Error as error:
        raise sa.exc.DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True) from error


def driver_of(connection: sa.Connection) -> sqlite3.Connection:
    """Return SQLite's own connection."""
    driver = connection.driver if isinstance(connection, Plain) else connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def has_table(connection: sa.Connection, name: str) -> bool:
    """Return whether a database has a table, or a view, in its default schema; of a name that needs no quotes."""
    if isinstance(connection, Plain):
        query = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE"
        return bool(connection.exec_driver_sql(query, (name,)))
    if connection.dialect.name == "postgresql":  # its own query takes SQLAlchemy longer to write
        return bool(connection.exec_driver_sql(f"SELECT to_regclass('{name}') IS NOT NULL").scalar())
    return sa.inspect(connection).has_table(name)


def count(connection: sa.Connection, table: TableName) -> int:
    """Return how many rows a table holds."""
    if isinstance(connection, Plain):
        query = f"SELECT count(*) FROM {quoted(table[1])}"  # noqa: S608  # quoted
        return int(connection.exec_driver_sql(query).scalar())
    return connection.scalar(sa.select(sa.func.count()).select_from(table.clause)) or 0


def value(connection: sa.Connection, name: str, table: Callable[[], sa.Table], key: str) -> str | None:
    """Return the value of a key in a table of keys and values, None where it is not there.

    Args:
        table: returns the table of that name; asked only where SQLAlchemy is used.
    """
    if isinstance(connection, Plain):
        query = f"SELECT value FROM {name} WHERE key = ?"  # noqa: S608  # a name of ours
        return cast("str | None", connection.exec_driver_sql(query, (key,)).scalar())
    of = table().c
    found: str | None = connection.scalar(sa.select(of.value).where(of.key == key))
    return found


def values(connection: sa.Connection, name: str, table: Callable[[], sa.Table], prefix: str) -> dict[str, str]:
    """Return the values of all keys with a prefix, as `value` does."""
    if isinstance(connection, Plain):
        query = f"SELECT key, value FROM {name} WHERE key LIKE ?"  # noqa: S608  # a name of ours
        return dict(connection.exec_driver_sql(query, (f"{prefix}%",)))
    of = table().c
    query_of_all = sa.select(of.key, of.value).where(of.key.startswith(prefix, autoescape=True))
    return dict(row for row in connection.execute(query_of_all))
