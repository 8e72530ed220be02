"""Fill an SQLite table fast: many rows in a statement, and the next ones made while it runs."""

from __future__ import annotations

import re
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from operator import methodcaller
from queue import SimpleQueue
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Any

import sqlalchemy as sa

from ..errors import TERMINATING
from ..outcomes import Convert, Remembered, around_nulls, through_tables
from .base import Size, quoted

CACHE = 96 * 1024  # KiB of pages while many rows are loaded
MEANWHILE_FROM = 20_000  # rows to come that are worth a thread: of fewer there is no block to make meanwhile
ROWS = 2_000  # of one statement at most: a longer one takes more time to be prepared, and saves none
SWITCHING = 0.00005  # seconds after which a thread that makes rows lets the one that loads them go on

Columns = Sequence[Sequence[Any]]  # of one block, all of the same length
_Statement = tuple[str, list[Any]]  # and its values


def load(driver: sqlite3.Connection, table: str, columns: Sequence[str], blocks: Iterable[Columns], size: Size) -> None:
    """Insert blocks of columns in the open transaction.

    Args:
        table: its name.
        columns: the names of those that are filled, in the order of each block's.
        blocks: what the driver takes as it is; while all but the first are made the connection may be in use.
    """
    with _without_indexes(driver, table, size):
        if not size.present:
            _restart_numbers(driver, table)
        if not columns:
            return
        into = f"INTO {quoted(table)} ({', '.join(map(quoted, columns))}) VALUES"
        marks = f"({', '.join('?' * len(columns))})"
        if size.coming >= MEANWHILE_FROM and _takes_many_rows(driver, table):
            _load_meanwhile(driver, f"INSERT OR FAIL {into}", marks, blocks)
        else:
            for block in blocks:
                driver.executemany(f"INSERT {into} {marks}", zip(*block, strict=True))


def _takes_many_rows(driver: sqlite3.Connection, table: str) -> bool:
    """Return whether one statement may insert many rows of a table as many statements would, and as fast.

    SQLite keeps a copy of each page that such a statement changes, to take back it alone; INSERT OR FAIL spares that,
    and the transaction is taken back anyway. It would overrule what the table and its triggers say of conflicts. A
    foreign key wants the copies, and has the tables that refer to the new rows searched for each of them.
    https://www.sqlite.org/lang_conflict.html
    """
    of_table = "SELECT type, sql FROM sqlite_master WHERE lower(tbl_name) = lower(?) AND type IN ('table', 'trigger')"
    definitions = driver.execute(of_table, (table,)).fetchall()
    if any(kind == "trigger" or re.search("conflict", sql, re.IGNORECASE) for kind, sql in definitions):
        return False
    if driver.execute("SELECT 1 FROM pragma_foreign_key_list(?)", (table,)).fetchone():
        return False
    referring = """
        SELECT DISTINCT one.name FROM sqlite_master AS one, pragma_foreign_key_list(one.name) AS key
        WHERE one.type = 'table' AND lower(key."table") = lower(?)
    """
    names = [name for (name,) in driver.execute(referring, (table,))]
    return not any(driver.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 1").fetchone() for name in names)  # noqa: S608


def _load_meanwhile(driver: sqlite3.Connection, insert: str, marks: str, blocks: Iterable[Columns]) -> None:
    """Insert blocks in a thread, each while the next one is made here: SQLite needs no Python within a statement."""
    most = driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    with _switching_often(), _Loading(driver) as loading:
        for block in blocks:
            statements = [
                (f"{insert} {', '.join([marks] * (len(values) // len(block)))}", values)
                for values in _pieces(block, most)
            ]
            loading.wait()
            loading.begin(statements)
        loading.wait()


class _Loading:
    """A thread that runs statements. Nobody else uses the connection then: it is left when the thread has ended.

    Rows are made by the thread that everything else runs in, for what a seeder uses may belong to that one. It is that
    one too that Ctrl-C and the like interrupt: once, for if they took it away from waiting here, whoever takes the
    transaction back would do so amid a statement, and the next one would be committed by itself.
    """

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self._given: SimpleQueue[Sequence[_Statement] | None] = SimpleQueue()
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()
        self._begun = self._is_stopped = False
        self._thread = Thread(target=self._run, name="loading", daemon=True)
        in_main_thread = current_thread() is main_thread()  # no other is interrupted
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, *TERMINATING) if in_main_thread}
        self._handlers = {number: handler for number, handler in handlers.items() if callable(handler)}

    def __enter__(self) -> _Loading:
        self._thread.start()
        for number in self._handlers:
            signal.signal(number, self._interrupt)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        interruption: BaseException | None = None
        self._is_stopped = self._is_stopped or kind is not None
        while self._thread.is_alive():
            try:
                self._given.put(None)
                self._thread.join()
            except BaseException as error:  # it ends after this statement, and is waited for
                interruption = error
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if interruption is not None and kind is None:
            raise interruption

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._handlers[signal.Signals(number)](number, frame)

    def begin(self, statements: Sequence[_Statement]) -> None:
        """Have statements run."""
        self._begun = True
        self._given.put(statements)

    def wait(self) -> None:
        """Wait until those that were begun have run, and raise what came of it."""
        if self._begun and (error := self._ended.get()) is not None:
            raise error

    def _run(self) -> None:
        while (statements := self._given.get()) is not None:
            try:
                for statement, values in statements:
                    if self._is_stopped:
                        raise KeyboardInterrupt
                    self._driver.execute(statement, values)
            except BaseException as error:  # it is raised where they are waited for
                self._ended.put(error)
            else:
                self._ended.put(None)


def _pieces(block: Columns, most: int) -> Iterator[list[Any]]:
    """Yield the values of a block row after row, of as many rows at once as go into a statement with so many values."""
    width = len(block)
    count = max(1, min(ROWS, most // width))
    for start in range(0, len(block[0]), count):
        columns = [values[start : start + count] for values in block]
        together: list[Any] = [None] * (len(columns[0]) * width)
        for place, values in enumerate(columns):
            together[place::width] = values
        yield together


@contextmanager
def _switching_often() -> Iterator[None]:
    """Let threads take turns so often that the one that loads, which needs Python shortly, does not wait long."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHING)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _restart_numbers(driver: sqlite3.Connection, table: str) -> None:
    """Let the numbers of an empty table begin anew, where it remembers them: https://www.sqlite.org/autoinc.html"""
    if driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        driver.execute("DELETE FROM sqlite_sequence WHERE lower(name) = lower(?)", (table,))


@contextmanager
def _without_indexes(driver: sqlite3.Connection, table: str, size: Size) -> Iterator[None]:
    """Drop the secondary indexes and build them again, in the same transaction, when that takes less time.

    A unique index that a foreign key may refer to stays: https://www.sqlite.org/foreignkeys.html#fk_indexes
    """
    if not size.is_worth_rebuilding:
        yield
        return
    [(before,)] = driver.execute("PRAGMA cache_size").fetchall()
    driver.execute(f"PRAGMA cache_size = -{CACHE}")
    of_table = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND lower(tbl_name) = lower(?) AND sql IS NOT NULL"
    )
    found = driver.execute(of_table, (table,)).fetchall()
    indexes = [(name, sql) for name, sql in found if not sql.upper().startswith("CREATE UNIQUE")]
    for name, _ in indexes:
        driver.execute(f"DROP INDEX {quoted(name)}")
    yield
    for _, sql in indexes:
        driver.execute(sql)
    driver.execute(f"PRAGMA cache_size = {before}")


def faster(kind: sa.types.TypeEngine[Any], convert: Convert) -> Convert:
    """Return what Python writes in C where SQLAlchemy would write the same in Python."""
    if type(kind) not in (sa.Date, sa.DateTime) or getattr(kind, "timezone", False):
        return convert
    for example, write in _WRITTEN:
        if convert([example]) == [write(example)]:
            return through_tables(partial(_written, type(example), Remembered(write).all, convert))
    return convert


def _written(kind: type, write: Convert, convert: Convert, values: Sequence[Any]) -> Any:
    """Write values of exactly the type that is expected; leave others to SQLAlchemy."""
    kinds = {*map(type, values)}
    if kinds == {kind}:
        return write(values)
    return around_nulls(write, values) if kinds == {kind, type(None)} else convert(values)


_WRITTEN: list[tuple[date, Callable[[Any], str]]] = [
    (datetime(2001, 2, 3, 4, 5, 6, 70), methodcaller("isoformat", " ", "microseconds")),
    (date(2001, 2, 3), date.isoformat),
]
