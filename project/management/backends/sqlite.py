"""SQLite: real transactions, a file that nothing but migrate makes, foreign keys that are enforced."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import CommandError
from ..lazily import sqlalchemy as sa
from . import processes
from .base import (
    Backend,
    Blocks,
    Index,
    Relation,
    Size,
    TableName,
    driver_errors,
    drop_each,
)
from .looking import raised_as_sqlalchemys
from .sqlite_looking import BESIDE, PlainSQLite, driver_of

if TYPE_CHECKING:
    from ..outcomes import Convert
    from .sqlite_copies import SQLiteCopies


WRITE_TIMEOUT = 20  # seconds for a connection that was to read, as a shell's, to get the write lock after all
_PENDING = 0x40000000  # the first of the 512 bytes that SQLite locks


class SQLite(Backend):
    title = "SQLite"
    one_transaction = True  # its write lock is the project's lock, and goes with the transaction
    own_columns = frozenset({"rowid", "oid", "_rowid_"})  # https://www.sqlite.org/lang_createtable.html#rowid
    follows_keys = False  # they are switched off
    # A constraint may have rows give way too: https://www.sqlite.org/lang_conflict.html
    _acts_by_itself = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' OR sql LIKE '%conflict%replace%' LIMIT 1"

    def __init__(self, url: sa.URL | str, *, root: Path) -> None:
        """Take a URL; as a text only what is certainly that of a plain file."""
        super().__init__(url, root=root)
        if isinstance(url, str):
            self.path = root / Path(url.removeprefix("sqlite:///"))
            return
        name = url.database or ""
        if name in ("", ":memory:") or url.query.get("mode") == "memory" or name.startswith("file::memory:"):
            raise CommandError(
                "DATABASE_URL is an in-memory SQLite database: it would be lost when the command ends",
                "name a file, as in sqlite:///school.db",
            )
        if name.startswith("file:") or url.query:
            raise CommandError(
                "DATABASE_URL is an SQLite URI or has options",
                "name a plain file, as in sqlite:///school.db (a ? in its name is %3F)",
            )
        self.path = root / Path(name).expanduser()

    @property
    def database(self) -> str:
        return self.path.name

    @property
    def dialect(self) -> str:
        return "sqlite"

    @property
    def offline_dialect(self) -> str:
        return "postgresql"  # batch mode wants a live table to copy; this spells the same change out

    def engine(self, *, create: bool = False) -> sa.Engine:
        self._look(create=create)
        return self._creating_engine if create else self._only_engine

    @cached_property
    def _only_engine(self) -> sa.Engine:
        return self._engine_in("rw")

    @cached_property
    def _creating_engine(self) -> sa.Engine:
        return self._engine_in("rwc")

    def _engine_in(self, mode: str) -> sa.Engine:
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: self._open(mode),
            poolclass=sa.NullPool,
            hide_parameters=True,
        )
        sa.event.listen(engine, "connect", _enforce_keys)
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "before_cursor_execute", _refuse_after_rollback)
        return engine

    def compact(self, connection: sa.Connection) -> None:
        with driver_errors(connection, sqlite3.Error):
            driver_of(connection).execute("VACUUM")

    @contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """Open a connection that only looks, without SQLAlchemy where SQLite itself can tell all that is asked."""
        if sqlite3.sqlite_version_info < (3, 37):
            with super().looking() as connection:
                yield connection
            return
        self._look(create=False)
        with raised_as_sqlalchemys("open", sqlite3.Error):
            driver = self._open("rw")
        with closing(driver):
            yield PlainSQLite(driver, partial(self._begin_reading, driver)).itself

    def _open(self, mode: str) -> sqlite3.Connection:
        """Open the file in one of SQLite's modes: https://www.sqlite.org/uri.html"""
        address = f"file:{quote(os.fsencode(self.path))}?mode={mode}"
        # Waiting inside SQLite would keep Ctrl-C waiting too, and a large transaction waits at each page it puts aside.
        # Python's own transactions leave DDL outside. A thread of its own may load rows; nobody else is there then.
        driver = sqlite3.connect(
            address, uri=True, timeout=0, factory=_Connection, isolation_level=None, check_same_thread=False
        )
        driver.commits = self._when_readers_have_left
        return driver

    def _begin(self, connection: sa.Connection) -> None:
        """Begin, and hold the lock: for one that writes the write lock, for one that reads what keeps writers off."""
        driver = driver_of(connection)
        writes = connection.get_execution_options().get("begin_immediate")
        with driver_errors(connection, sqlite3.Error):
            if writes:
                driver.execute("PRAGMA busy_timeout = 0")
                self.when_free(lambda: driver.execute("BEGIN IMMEDIATE"))
            else:
                self._begin_reading(driver)

    def _begin_reading(self, driver: sqlite3.Connection) -> None:
        driver.execute("PRAGMA busy_timeout = 0")
        driver.execute("BEGIN")
        self.when_free(lambda: driver.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall())
        driver.execute(f"PRAGMA busy_timeout = {WRITE_TIMEOUT * 1000}")

    def when_free(self, begin: Callable[[], object]) -> None:
        """Do something as soon as SQLite does not refuse it for somebody's lock."""
        self.waiting.until(lambda: not _is_busy(begin), self._writer, f"is writing {self.label}")

    def when_nobody_is_in(self, write: Callable[[], object]) -> None:
        """Do something as soon as nobody reads or writes the file."""
        self.waiting.until(lambda: not _is_busy(write), self._user, f"is reading or writing {self.label}")

    def _when_readers_have_left(self, commit: Callable[[], object]) -> None:
        self.waiting.until(lambda: not _is_busy(commit), self._reader, f"is reading {self.label}")

    def _writer(self) -> str:
        """Return the process that has locked the file: https://www.sqlite.org/lockingv3.html, walformat.html#locks"""
        lock = processes.Bytes(self.path, _PENDING, _PENDING + 511, frozenset({"WRITE"}))
        wal = processes.Bytes(Path(f"{self.path.resolve()}-shm"), 120, 122, frozenset({"WRITE"}))
        return processes.holding("POSIX", [lock, wal])

    def _reader(self) -> str:
        modes = frozenset({"READ", "WRITE"})
        return processes.holding("POSIX", [processes.Bytes(self.path, _PENDING, _PENDING + 511, modes)])

    def _user(self) -> str:
        return self._reader() if (writer := self._writer()) == processes.UNKNOWN else writer

    def exists(self) -> bool:
        try:
            return self.path.exists()
        except OSError:  # a name no file can have: opening it will say so
            return True

    def _look(self, *, create: bool) -> None:
        try:
            if self.path.is_dir():
                raise CommandError(
                    f"{self.path} is a directory", "name a file in DATABASE_URL, as in sqlite:///school.db"
                )
            if not self.path.parent.is_dir():
                raise CommandError(
                    f"the folder {self.path.parent} of the SQLite database does not exist",
                    "make it, or correct DATABASE_URL",
                )
            if not create and not self.path.exists():
                raise CommandError(f"the database {self.label} does not exist yet", "python manage.py migrate makes it")
        except OSError as error:
            raise CommandError(f"{self.label} cannot be opened: {error.strerror}", "correct DATABASE_URL") from error

    def explain(self, error: sa.exc.DBAPIError) -> CommandError | None:
        words = str(error.orig)
        if "file is not a database" in words and _is_database(self.path):
            return CommandError(f"{self.label} was replaced by a snapshot in this moment", "run the command again")
        if "file is not a database" in words or "malformed" in words:
            return CommandError(
                f"{self.path} is not an SQLite database",
                "it was left as it is: move it away, or correct DATABASE_URL",
            )
        if "unable to open database file" in words:
            return CommandError(f"{self.path} cannot be opened", "look at its permissions, or correct DATABASE_URL")
        if "readonly" in words:
            return CommandError(f"{self.path} is read-only", "make it and its folder writable (chmod u+w)")
        if "locked" in words:
            return CommandError(f"{self._reader()} has locked {self.label}", "try again when it is done")
        if "disk is full" in words:
            return CommandError(f"the disk of {self.label} is full", "make room, then run the command again")
        if "disk I/O error" in words:
            name = getattr(error.orig, "sqlite_errorname", "")
            return CommandError(
                f"{self.path} could not be written: {words} ({name})",
                "make room on its disk, or make its folder writable (chmod u+w), then run the command again",
            )
        return None

    def rolled_back(self, connection: sa.Connection) -> bool:
        # As it may on a full disk: https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
        driver = driver_of(connection)
        return connection.in_transaction() and not driver.in_transaction

    def writing(self, connection: sa.Connection) -> sa.Connection:
        return connection.execution_options(begin_immediate=True)

    @contextmanager
    def migrating(self, connection: sa.Connection) -> Iterator[None]:
        """Switch foreign keys off, for a batch change of a parent table would delete its children; watch such changes.

        https://www.sqlite.org/lang_altertable.html#otheralter
        """
        from . import recreated

        driver = driver_of(connection)
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with recreated.watched(connection, driver), warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
                warnings.filterwarnings("ignore", "Unnamed CHECK constraint on reflected table")
                yield
        finally:
            driver.execute("PRAGMA foreign_keys = ON")

    def broken_references(self, connection: sa.Connection) -> Counter[tuple[str, str]]:
        # https://www.sqlite.org/pragma.html#pragma_foreign_key_check
        return Counter((row[0], row[2]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check"))

    def indexes_as_made(self, connection: sa.Connection) -> list[Index] | None:
        # https://www.sqlite.org/pragma.html#pragma_index_xinfo
        query = (
            "SELECT name, tbl_name, sql, EXISTS (SELECT 1 FROM pragma_index_xinfo(made.name) WHERE cid = -2)"
            " FROM sqlite_master AS made WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
        )
        return [Index(*row) for row in connection.exec_driver_sql(query)]

    def unreflected_orders(self, connection: sa.Connection) -> list[tuple[str, str, str]]:
        # https://www.sqlite.org/pragma.html#pragma_index_xinfo
        query = (
            "SELECT m.tbl_name, m.name, group_concat(coalesce(x.name, 'an expression') || ' COLLATE ' || x.coll"
            " || CASE WHEN x.desc THEN ' DESC' ELSE '' END, ', ')"
            " FROM sqlite_master m, pragma_index_xinfo(m.name) x WHERE m.type = 'index' AND m.sql IS NOT NULL"
            " AND x.key AND (x.desc OR x.coll <> 'BINARY') GROUP BY m.name"
        )
        return [(table, name, order) for table, name, order in connection.exec_driver_sql(query)]

    def virtual_tables(self, connection: sa.Connection) -> set[str]:
        if sqlite3.sqlite_version_info < (3, 37):
            return set()
        # https://www.sqlite.org/pragma.html#pragma_table_list
        listed = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
        return set(connection.exec_driver_sql(listed).scalars())

    def exact(self, column: sa.ColumnElement[Any], kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
        """Return texts as bytes: it keeps those too that are no UTF-8."""
        text = (sa.func.typeof(column) == "text", sa.cast(column, sa.LargeBinary))
        return sa.type_coerce(sa.case(text, else_=column), sa.types.NullType())

    def relations(self, connection: sa.Connection, schemas: Iterable[str | None]) -> list[Relation]:
        if sqlite3.sqlite_version_info < (3, 37):
            return super().relations(connection, schemas)
        # A virtual table brings shadow tables of its own: https://www.sqlite.org/pragma.html#pragma_table_list
        listed = connection.exec_driver_sql("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
        kinds = {"table": "TABLE", "virtual": "TABLE", "view": "VIEW"}
        return [
            Relation(kinds[kind], TableName(None, name))
            for name, kind in sorted(listed)
            if kind in kinds and not name.startswith("sqlite_")
        ]

    def drop(self, connection: sa.Connection, relations: Sequence[Relation]) -> None:
        drop_each(connection, (one for one in relations if one.kind == "VIEW"))
        drop_each(connection, (one for one in relations if one.kind == "TABLE"))

    @contextmanager
    def alone(self, connect: Callable[[], AbstractContextManager[sa.Connection]]) -> Iterator[None]:
        """Hold a lock on the file's folder: one on the file itself would meddle with SQLite's own."""
        with processes.locked(self.path.resolve().parent, self.waiting, f"resets a database in {self.path.parent}"):
            yield

    def has_index(self, connection: sa.Connection, index: sa.Index) -> bool:
        """Compare with the statement that made it, which SQLite keeps: it reflects no `DESC`, and no expression."""
        wanted = str(sa.schema.CreateIndex(index).compile(dialect=connection.dialect))
        query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?"
        there = connection.exec_driver_sql(query, (str(index.name),)).scalar()
        return there is not None and _SPACES.sub(" ", there) == _SPACES.sub(" ", wanted)

    def _converters(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> list[Convert]:
        """Return the base's converters, but for days and moments what writes the same faster."""
        from .sqlite_loading import faster

        converters = super()._converters(connection, table, columns)
        return [faster(table.columns[name].type, convert) for name, convert in zip(columns, converters, strict=True)]

    def numbers(self, column: sa.Column[Any]) -> bool:
        # Only INTEGER PRIMARY KEY is another name of the rowid: https://www.sqlite.org/lang_createtable.html#rowid
        return column.type.compile(self.url.get_dialect()()) == "INTEGER"

    def can_defer(self, key: sa.ForeignKeyConstraint) -> bool:
        return True

    def defer_keys(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")

    def bulk_load(
        self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks, size: Size
    ) -> None:
        from . import sqlite_loading

        driver = driver_of(connection)
        converters = self._converters(connection, table, columns)
        converted = ([convert(one) for convert, one in zip(converters, block, strict=True)] for block in blocks)
        with driver_errors(connection, sqlite3.Error):
            try:
                sqlite_loading.load(driver, table.name, columns, converted, size)
            except OverflowError as error:  # Python's word for a number that SQLite cannot store
                raise sqlite3.DataError(str(error)) from error

    @cached_property
    def copies(self) -> SQLiteCopies:
        from .sqlite_copies import SQLiteCopies

        return SQLiteCopies(self)

    def own_files(self) -> frozenset[str]:
        return frozenset(f"{self.path.resolve()}{ending}" for ending in ("", *BESIDE))

    def version(self, connection: sa.Connection | None) -> str:
        return sqlite3.sqlite_version

    def client(self) -> tuple[list[str], dict[str, str]]:
        return ["sqlite3", str(self.path)], {}


def _is_database(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


class _Connection(sqlite3.Connection):
    """A connection whose commit waits for those who still read what was before."""

    commits: Callable[[Callable[[], object]], None]

    def commit(self) -> None:
        self.commits(super().commit)


def _enforce_keys(driver: sqlite3.Connection, _record: object) -> None:
    driver.execute("PRAGMA foreign_keys = ON")


def _refuse_after_rollback(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
    """Run nothing more after SQLite has taken back the whole transaction: it would be committed by itself.

    Raises what the transaction was taken back for, where that is what is being handled, as by Alembic's batch mode.
    """
    driver = driver_of(connection)
    if driver.in_transaction or not connection.get_execution_options().get("begin_immediate"):
        return
    if statement.startswith("BEGIN"):
        return
    first = sys.exc_info()[1]
    if isinstance(first, sa.exc.DBAPIError):
        raise first
    raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("the transaction had been taken back"))


def _is_busy(call: Callable[[], object]) -> bool:
    """Call, and return whether SQLite refused because of somebody's lock: https://www.sqlite.org/rescode.html#busy"""
    try:
        call()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return True
    return False


_SPACES = re.compile(r'[\s"]+')
