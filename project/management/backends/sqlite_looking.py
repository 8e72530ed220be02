"""A connection to an SQLite file by Python's driver alone, and that driver's own of one that is SQLAlchemy's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..lazily import sqlalchemy as sa
from .looking import LOG, Plain, Rows, raised_as_sqlalchemys

BESIDE = ("-journal", "-wal", "-shm")  # how the names end of what SQLite keeps beside a file


class PlainSQLite(Plain):
    mark = "?"
    tables = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE"

    def __init__(self, driver: sqlite3.Connection, begin: Callable[[], object]) -> None:
        """Take a connection, and what begins a transaction on it."""
        super().__init__(driver, sqlite3.Error)
        self._begin = begin

    @property
    def closed(self) -> bool:
        return False

    @contextmanager
    def begin(self) -> Iterator[PlainSQLite]:
        """Begin a transaction, and end it."""
        with raised_as_sqlalchemys("BEGIN", self.errors):
            self._start()
        try:
            yield self
        finally:
            self.rollback()

    def _start(self) -> None:
        LOG.info("BEGIN")
        self._begin()

    def rollback(self) -> None:
        if self.driver.in_transaction:
            super().rollback()

    def _run(self, statement: str, parameters: Any) -> Rows:
        if not self.driver.in_transaction:
            self._start()
        return Rows(self.driver.execute(statement, parameters or ()))


def driver_of(connection: sa.Connection) -> sqlite3.Connection:
    """Return SQLite's own connection."""
    driver = connection.driver if isinstance(connection, Plain) else connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
