"""MariaDB and MySQL: named locks, DDL that commits by itself, LOAD DATA LOCAL."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
import threading
import time as clock
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import sqlalchemy as sa

from ..errors import CommandError, NotAllowed
from ..types import BINARY, plain_type
from . import options, text
from .base import (
    CONNECT_TIMEOUT,
    IDLE,
    SPELLING,
    Backend,
    Blocks,
    LastNumber,
    LockName,
    Relation,
    Size,
    driver_errors,
    drop_each,
    drop_tables_at_once,
    expression_text,
    idle_for,
    spelled_check,
    spelled_column,
    spelling_column,
    standing,
    without_parameters,
)
from .copies import run
from .processes import UNKNOWN
from .waiting import LOCK_TIMEOUT

if TYPE_CHECKING:
    from .mariadb_copies import MariaDBCopies

STATEMENT = 1 << 20  # bytes of an INSERT of many rows


class MariaDB(Backend):
    title = "MariaDB"
    transactional_ddl = False  # https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/
    _acts_by_itself = "SELECT 1 FROM information_schema.triggers WHERE event_object_schema = DATABASE() LIMIT 1"

    def __init__(self, url: sa.URL, *, root: object) -> None:
        super().__init__(_translated(url), root=root)  # type: ignore[arg-type]  # passed on as it came
        self._options = self._read_options()
        self.title = "MariaDB" if url.get_dialect().name == "mariadb" else "MySQL"

    @property
    def _label(self) -> str:
        return f"{self.database} on {', '.join(self.hosts()) or 'this machine'}"

    def hosts(self) -> list[str]:
        query = self.url.query
        if query.get("read_default_file") or query.get("read_default_group"):
            return ["an option file's host"]
        if query.get("unix_socket"):
            return []
        return [str(host) for host in (self.url.host, query.get("host")) if host]

    def _read_options(self) -> dict[str, object]:
        if self.url.get_driver_name() != "pymysql":
            return {}  # its own words have to do
        return options.read(self.url.query, _OPTIONS, "PyMySQL")

    @property
    def _patience(self) -> object:
        """The seconds a server has to answer a new connection."""
        return self._options.get("connect_timeout", CONNECT_TIMEOUT)

    def _engine_options(self) -> dict[str, object]:
        if self.url.get_driver_name() != "pymysql":
            return {"connect_args": {"connect_timeout": CONNECT_TIMEOUT}}
        # SQLAlchemy itself makes PyMySQL's `ssl` of these; of the others it would leave texts.
        given = {name: value for name, value in self._options.items() if name not in _SSL}
        return {"connect_args": {"connect_timeout": CONNECT_TIMEOUT, "local_infile": True, **given}}

    def _connect(self, dialect: sa.Dialect, arguments: Sequence[object], given: dict[str, object]) -> object:
        """Connect with a deadline for the handshake too: PyMySQL's own covers only the TCP connection.

        The password goes as UTF-8, which the server expects: PyMySQL would make latin-1 of text.
        """
        if self.url.get_driver_name() != "pymysql":
            return super()._connect(dialect, arguments, given)
        from .pymysql_connection import Connection

        asked: dict[str, Any] = {"read_timeout": self._patience, **given}
        if isinstance(asked.get("password"), str):
            asked["password"] = asked["password"].encode()
        connection: Any = Connection(*arguments, **asked)
        connection._read_timeout = given.get("read_timeout")
        return connection

    def server_engine(self) -> sa.Engine:
        """Return an engine beside any database, each of whose statements commits."""
        return self._engine(self.url._replace(database=None), isolation_level="AUTOCOMMIT")

    def engine_of(self, database: str, **more: object) -> sa.Engine:
        """Return an engine for another database of the server."""
        return self._engine(self.url.set(database=database), **more)

    def create_database(self) -> bool:
        self.require_name()
        with self.server_engine().connect() as connection:
            known = sa.text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
            if connection.scalar(known, {"name": self.database}):
                return False
            quoted = connection.dialect.identifier_preparer.quote_identifier(self.database)
            connection.exec_driver_sql(f"CREATE DATABASE IF NOT EXISTS {quoted} CHARACTER SET utf8mb4")
        return True

    def explain(self, error: sa.exc.DBAPIError) -> CommandError | None:
        arguments: tuple[object, ...] = getattr(error.orig, "args", ())
        code = arguments[0] if arguments and isinstance(arguments[0], int) else None
        words = self.refusal(error)
        where = ", ".join(self.hosts()) or "this machine"
        if code == 1049:
            return CommandError(
                f"there is no database {self.database!r} on {where}",
                "python manage.py migrate --create-database makes it",
            )
        if code in (1044, 1045, 1698):
            return NotAllowed(
                f"{self.title} on {where} refuses user {self.url.username!r}: wrong user or password, or no right to"
                f" {self.database!r}",
                "correct DATABASE_URL (in a password write @ as %40, : as %3A, / as %2F, # as %23, % as %25)",
            )
        if code in (2003, 2013) and "timed out" in words:
            seconds = self._patience if code == 2003 else self._options.get("read_timeout", self._patience)
            return CommandError(
                f"{where} did not answer within {seconds} seconds", "is DATABASE_URL right, and the server well?"
            )
        if code == 2003:
            reason = words.rpartition("] ")[2].rstrip(")")
            return CommandError(
                f"{self.title} on {where}:{self.url.port or 3306} cannot be reached: {reason}",
                "start it, or correct DATABASE_URL",
            )
        if code == 2026:
            return CommandError(
                f"{self.title} on {where} cannot be reached with TLS: {words}",
                "set it up there, or take ssl out of DATABASE_URL",
            )
        if code == 1205:
            return self.in_the_way()
        if code in (1142, 1143):
            return NotAllowed(
                f"{self.title} does not let user {self.url.username!r} do this: {words.rstrip('.')}",
                "grant that right, or use another user",
            )
        if code in (1021, 1114):
            return CommandError(f"the disk of {where} is full", "make room, then run the command again")
        if code in (2006, 2013, 1927, 1053) or error.connection_invalidated:
            return CommandError(f"the connection to {self.label} was cut", "run the command again")
        return None

    def never_ran(self, error: BaseException) -> bool:
        orig = error.orig if isinstance(error, sa.exc.DBAPIError) else None
        return getattr(orig, "args", ())[:1] == (1064,)  # a syntax error

    @contextmanager
    def lock(self, connection: sa.Connection, name: LockName = "migrate") -> Iterator[None]:
        with super().lock(connection, name):
            if name == "migrate" and self.is_half_restored(connection):
                connection.commit()
                with self.copies.alone():  # whoever is at it finishes first
                    self.copies.clear_up()
            connection.commit()
            yield

    def _lock_name(self, name: LockName) -> str:
        # A lock's name is shared by the whole server and at most 64 characters long.
        return f"management:{name}:" + hashlib.sha256(self.database.encode()).hexdigest()[:40]

    def _try_lock(self, connection: sa.Connection, name: LockName) -> bool:
        locked = connection.scalar(sa.text("SELECT GET_LOCK(:name, 0)"), {"name": self._lock_name(name)})
        connection.commit()
        return bool(locked)

    def _unlock(self, connection: sa.Connection, name: LockName) -> None:
        connection.rollback()
        connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": self._lock_name(name)})
        connection.commit()

    def _lock_holder(self, connection: sa.Connection, name: LockName) -> str:
        holder = connection.execute(
            sa.text(
                f"SELECT {_SESSION} FROM (SELECT IS_USED_LOCK(:name) AS id) l"  # noqa: S608  # columns
                " LEFT JOIN information_schema.processlist p ON p.id = l.id WHERE l.id IS NOT NULL"
            ),
            {"name": self._lock_name(name)},
        ).all()
        connection.commit()
        return _sessions(holder) or UNKNOWN

    @contextmanager
    def limited(self, connection: sa.Connection) -> Iterator[None]:
        seconds = max(self.waiting.seconds, 1)  # the least that every version knows
        for variable in ("lock_wait_timeout", "innodb_lock_wait_timeout"):
            connection.exec_driver_sql(f"SET SESSION {variable} = {seconds}")
        here = connection.scalar(sa.text("SELECT CONNECTION_ID()"))
        connection.commit()
        beside = partial(committing, connection.engine)
        with self.waiting.watched(beside, lambda session: _in_the_way_of(session, here), self._holds, seconds):
            yield

    def whole_default(self, connection: sa.Connection, column: sa.Column[Any], reflected: str | None) -> str | None:
        if reflected is not None:
            return reflected
        # SQLAlchemy reads no text with a quote in it.
        query = sa.text(
            "SELECT column_default FROM information_schema.columns WHERE table_name = :table"
            " AND column_name = :column AND table_schema = coalesce(:schema, DATABASE())"
        )
        names = {"table": column.table.name, "column": column.name, "schema": column.table.schema}
        found: str | None = connection.scalar(query, names)
        return None if found == "NULL" else found

    def unescaped(self, connection: sa.Connection, quoted: str) -> str:
        dialect: Any = connection.dialect
        if not dialect._backslash_escapes:  # by its sql_mode
            return super().unescaped(connection, quoted)
        return re.sub(r"''|\\(.)", lambda found: _ESCAPED.get(found[1], found[1] or "'"), quoted, flags=re.DOTALL)

    @property
    def utc_now(self) -> sa.ColumnElement[Any]:
        return sa.func.utc_timestamp()

    def is_half_restored(self, connection: sa.Connection) -> bool:
        return self.copies.is_half_done(connection)

    def unreflected_checks(self, connection: sa.Connection, table: sa.Table) -> list[str]:
        if self.title != "MariaDB":  # which reflects none that stands within its column
            return []
        query = sa.text(
            "SELECT check_clause FROM information_schema.check_constraints WHERE table_name = :table"
            " AND constraint_schema = coalesce(:schema, DATABASE()) AND level = 'Column'"
        )
        return list(connection.scalars(query, {"table": table.name, "schema": table.schema}))

    def respelled(self, connection: sa.Connection, table: sa.Table, check: sa.CheckConstraint) -> str | None:
        condition = f"CONSTRAINT {SPELLING} CHECK ({expression_text(connection, check)})"
        return _spelled(connection, table, condition, spelled_check)

    def respelled_column(self, connection: sa.Connection, column: sa.Column[Any], computed: sa.Computed) -> str | None:
        return _spelled(connection, column.table, spelling_column(connection, column, computed), spelled_column)

    def exact(self, column: sa.ColumnElement[Any], kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
        # Of a FLOAT it sends 6 digits: https://mariadb.com/kb/en/float/
        return sa.cast(column, sa.Double) if isinstance(kind, sa.Float) else column

    def drop(self, connection: sa.Connection, relations: Sequence[Relation]) -> None:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        try:
            with self._seen_through(connection):
                drop_tables_at_once(connection, (one for one in relations if one.kind == "TABLE"))
            connection.exec_driver_sql("UNLOCK TABLES")  # who has locked them has not locked the rest
            drop_each(connection, (one for one in relations if one.kind != "TABLE"))
        finally:
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")

    @contextmanager
    def _seen_through(self, connection: sa.Connection) -> Iterator[None]:
        """Wait for what the server is at when somebody ends this program or session: it goes on, nothing undoes it."""
        session = connection.scalar(sa.text("SELECT CONNECTION_ID()"))
        try:
            yield
        except (KeyboardInterrupt, SystemExit, sa.exc.DBAPIError):
            with committing(connection.engine) as beside:
                while beside.scalar(_BUSY, {"session": session}):
                    clock.sleep(0.01)
            raise

    def end_idle_readers(self, connection: sa.Connection) -> None:
        idle = sa.text(
            "SELECT p.id, p.user FROM information_schema.innodb_trx t"
            " JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id"
            " WHERE t.trx_rows_modified = 0 AND p.command = 'Sleep' AND p.db = DATABASE()"
            " AND p.time_ms >= :seconds * 1000"
        )
        try:
            found = idle_for(connection, idle, IDLE)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "args", ())[:1] != (1227,):  # who lacks PROCESS sees nobody, and waits
                raise
            found = []
        for session, user in found:
            connection.exec_driver_sql(f"KILL {int(session)}")
            self.waiting.notify(f"ended session {session} of {user}, which waited in a transaction that had only read")
        connection.commit()

    def last_number(self, connection: sa.Connection, key: sa.Column[Any]) -> LastNumber:
        """Return what the base says, or where AUTO_INCREMENT stands: it never goes back by itself."""
        largest, _, _ = super().last_number(connection, key)
        asked = sa.text(
            "SELECT auto_increment FROM information_schema.tables"
            " WHERE table_schema = coalesce(:schema, DATABASE()) AND table_name = :name"
        )
        comes = connection.scalar(asked, {"schema": key.table.schema, "name": key.table.name}) or 1
        table = connection.dialect.identifier_preparer.format_table(key.table)
        cure = f"give that row another one and ALTER TABLE {table} AUTO_INCREMENT = 1, then run the command again"
        return LastNumber(largest, max(largest, int(comes) - 1), cure)

    def delete_rows(self, connection: sa.Connection, table: sa.Table) -> None:
        """Delete all rows of a table; of one that refers to itself without looking at each row's foreign key.

        InnoDB looks at them row by row, and not when all rows of a statement are gone, and never lets a row go that
        refers to itself: https://dev.mysql.com/doc/refman/8.4/en/ansi-diff-foreign-keys.html
        """
        if all(one.referred_table is not table for one in table.foreign_key_constraints):
            super().delete_rows(connection, table)
            return
        run(connection, "SET foreign_key_checks = 0")
        try:
            super().delete_rows(connection, table)
        finally:
            if not connection.invalidated:
                run(connection, "SET foreign_key_checks = 1")

    def bulk_load(
        self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks, size: Size
    ) -> None:
        if self.url.get_driver_name() != "pymysql" or not columns:
            super().bulk_load(connection, table, columns, blocks, size)
            return
        key = table.autoincrement_column
        if key is not None and key.name not in columns:
            first = self._first_number(connection, table, key)
            if first is not None:
                columns, blocks = [*columns, key.name], _numbered(blocks, first)
        kinds = [plain_type(table.columns[name]) for name in columns]
        converters = [
            convert if not isinstance(kind, BINARY) else lambda values: values
            for kind, convert in zip(kinds, self._converters(connection, table, columns), strict=True)
        ]
        converted = ([convert(column) for convert, column in zip(converters, block, strict=True)] for block in blocks)
        if self._may_load_files(connection):
            self._load_lines(connection, table, columns, converted)
        else:
            self._insert(connection, table, columns, converted)

    def _first_number(self, connection: sa.Connection, table: sa.Table, key: sa.Column[Any]) -> int | None:
        """Return the number after a table's last one, None where the server itself would go on there.

        Numbers that were taken do not come back with a rollback, ALTER TABLE would commit, and for a file the server
        takes more than there are lines: https://mariadb.com/kb/en/auto_increment-handling-in-innodb/
        """
        named = f"{connection.dialect.name}_auto_increment"
        start = next((int(value) for name, value in table.kwargs.items() if name.lower() == named), 1)
        looked = sa.select(key).order_by(key.desc()).limit(1)
        last = connection.scalar(looked)
        first = start if last is None else max(start, int(last) + 1)
        names = {"schema": table.schema, "table": table.name, "first": first}
        if connection.scalar(sa.text(_MOVED_NUMBERS), names) is None:
            return None
        try:  # nobody adds a row until these are there
            return first if connection.scalar(looked.with_for_update(nowait=True)) == last else None
        except sa.exc.DBAPIError:  # somebody has put rows in, or this version cannot ask so
            return None

    def _may_load_files(self, connection: sa.Connection) -> bool:
        """Return whether rows can come as a file: the server, the URL and this machine allow it."""
        refused = self.url.query.get("local_infile") in ("0", "false")
        if refused or not hasattr(os, "mkfifo"):
            return False
        return bool(connection.scalar(sa.text("SELECT @@GLOBAL.local_infile")))

    def _load_lines(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks) -> None:
        """Load lines through a pipe; what LOAD DATA LOCAL would skip or bend with a warning is an error here.

        https://mariadb.com/kb/en/load-data-infile/#priority-and-concurrency
        """
        import pymysql

        driver = connection.connection.driver_connection
        assert driver is not None
        statement = _load_statement(connection, table, columns)
        with driver_errors(connection, pymysql.MySQLError), driver.cursor() as cursor, _Pipe() as pipe:
            pipe.read_by(lambda: cursor.execute(statement.format(file=pymysql.converters.escape_string(pipe.path))))
            try:
                rows = pipe.write(blocks)
            except (KeyboardInterrupt, SystemExit):
                driver._force_close()  # the server is amid a statement that would go on: it ends with the connection
                connection.invalidate()
                raise
            _refuse_warnings(cursor, rows)

    def _insert(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks) -> None:
        """Insert many rows with each statement, where the server takes no files."""
        import pymysql

        driver = connection.connection.driver_connection
        assert driver is not None
        most = int(connection.scalar(sa.text("SELECT @@max_allowed_packet")) or 0) // 2
        quote = connection.dialect.identifier_preparer
        names = ", ".join(map(quote.quote, columns))
        insert = without_parameters(f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ")  # noqa: S608  # quoted
        texts = _Literals(driver.escape)
        with driver_errors(connection, pymysql.MySQLError), driver.cursor() as cursor:
            for block in blocks:
                values = texts.columns(block)
                if values is None:
                    raise TypeError(f"a value for {table.fullname} is of a type that has no literal")
                rows = list(map(",".join, zip(*values, strict=True)))
                step = max(1, len(rows) * min(most, STATEMENT) // (sum(map(len, rows)) * 4 + 1))
                for start in range(0, len(rows), step):
                    cursor.execute(f"{insert}({'),('.join(rows[start : start + step])})")
                    _refuse_warnings(cursor, len(rows[start : start + step]))

    @cached_property
    def copies(self) -> MariaDBCopies:
        from .mariadb_copies import MariaDBCopies

        return MariaDBCopies(self)

    def client(self) -> tuple[list[str], dict[str, str]]:
        url = self.url
        query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
        flags = {
            "--defaults-file": query.get("read_default_file"),  # has to come first
            "--host": query.get("host", url.host),
            "--port": query.get("port", url.port),
            "--user": query.get("user", url.username),
            "--socket": query.get("unix_socket"),
            "--ssl-ca": query.get("ssl_ca"),
            "--ssl-cert": query.get("ssl_cert"),
            "--ssl-key": query.get("ssl_key"),
        }
        arguments = [f"{flag}={value}" for flag, value in flags.items() if value is not None]
        password = query.get("password") or query.get("passwd") or url.password
        database = ["--", url.database] if url.database else []
        return ["mariadb", *arguments, *database], {"MYSQL_PWD": password} if password else {}


@contextmanager
def committing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a session each of whose statements commits."""
    with engine.connect() as session:
        yield session.execution_options(isolation_level="AUTOCOMMIT")


def _spelled(
    connection: sa.Connection,
    table: sa.FromClause,
    addition: str,
    read: Callable[[sa.Inspector, str | None], str],
) -> str | None:
    """Return what the server makes of an addition to a table: nothing where it lacks a column, None if it refuses."""
    name = standing(connection, table)
    try:
        run(connection, f"CREATE TEMPORARY TABLE {SPELLING} LIKE {name}")
        run(connection, f"ALTER TABLE {SPELLING} ADD {addition}")
        return read(sa.inspect(connection), None)
    except sa.exc.DBAPIError as error:
        return "" if getattr(error.orig, "args", ())[:1] == (1054,) else None  # a column that is not there yet
    finally:
        run(connection, f"DROP TEMPORARY TABLE IF EXISTS {SPELLING}")


def _patient(look: Callable[..., bool]) -> Callable[..., bool]:
    """Return what looks whether a table is there, until nobody changes it: https://mariadb.com/kb/en/e1684/"""

    def has_table(*arguments: Any, **options: Any) -> bool:
        for _ in range(LOCK_TIMEOUT * 100):  # on a slow disk a change takes seconds
            try:
                return look(*arguments, **options)
            except sa.exc.DBAPIError as error:
                if getattr(error.orig, "args", ())[:1] != (1684,):
                    raise
                clock.sleep(0.01)
        return look(*arguments, **options)

    return has_table


def _in_the_way_of(beside: sa.Connection, session: int) -> str | None:
    """Return who holds what a session waits for: for rows InnoDB knows, for a table anybody in an open transaction may.

    https://mariadb.com/kb/en/information-schema-innodb_lock_waits-table/, https://mariadb.com/kb/en/metadata-locking/
    """
    found = beside.execute(sa.text(_HOLDS_ROWS), {"session": session}).all()
    if not found and beside.execute(sa.text(_WAITS_FOR_A_TABLE), {"session": session}).first():
        found = beside.execute(sa.text(_IN_A_TRANSACTION), {"session": session}).all()
    return _sessions(found, "one of the sessions")


def _sessions(found: Sequence[Any], several: str = "sessions") -> str | None:
    """Return `session 12 of ada@localhost` for a row of _SESSION, or the numbers of several."""
    if len(found) > 1:
        return f"{several} {', '.join(str(one.id) for one in found)}"
    if not found:
        return None
    number, user, host = found[0]
    return f"session {number}" + (f" of {user}@{host.rpartition(':')[0] or host}" if user else "")


def _numbered(blocks: Blocks, first: int) -> Blocks:
    """Yield blocks with one column more, in which their rows are numbered."""
    for block in blocks:
        yield [*block, list(range(first, first + len(block[0])))]
        first += len(block[0])


def _refuse_warnings(cursor: Any, rows: int) -> None:
    """Raise what a statement only warned of: rows that it left out, values that it bent."""
    import pymysql

    inserted = cursor.rowcount
    if inserted != rows or cursor.warning_count:
        cursor.execute("SHOW WARNINGS LIMIT 1")
        _, code, words = cursor.fetchone() or ("", 0, f"{rows - inserted} of {rows} rows were left out")
        raise pymysql.IntegrityError(code, words)


def _load_statement(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> str:
    """Return the LOAD DATA of some columns, with a place for the file; bytes come as hexadecimal digits."""
    quote = connection.dialect.identifier_preparer
    places, binary = [], []
    for number, name in enumerate(columns):
        is_binary = isinstance(plain_type(table.columns[name]), (*BINARY, sa.PickleType))
        places.append(f"@bytes{number}" if is_binary else quote.quote(name))
        binary += [f"{quote.quote(name)} = UNHEX(@bytes{number})"] if is_binary else []
    after = f" SET {', '.join(binary)}" if binary else ""
    target = without_parameters(f"{quote.format_table(table)} CHARACTER SET utf8mb4 ({', '.join(places)}){after}")
    return f"LOAD DATA LOCAL INFILE '{{file}}' INTO TABLE {target.replace('{', '{{').replace('}', '}}')}"


class _Pipe:
    """A file that is read, in a thread of its own, while it is written: rows as text."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rows-")
        self.path = str(Path(self._folder.name, "pipe"))
        self._reader: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> _Pipe:
        os.mkfifo(self.path, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.join()
        self._folder.cleanup()

    def read_by(self, read: Callable[[], object]) -> None:
        """Start what opens and reads the file."""

        def run() -> None:
            try:
                read()
            except BaseException as error:  # raised again by write, in the thread that waits for it
                self._error = error

        self._reader = threading.Thread(target=run, daemon=True)
        self._reader.start()

    def _open(self) -> BinaryIO:
        """Open the file when it is being read; one that nobody will read any more refuses what is written."""
        assert self._reader is not None
        while self._reader.is_alive():
            try:
                number = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    raise
                clock.sleep(0.001)
            else:
                os.set_blocking(number, True)
                return open(number, "wb", buffering=0)
        raise BrokenPipeError

    def write(self, blocks: Blocks) -> int:
        """Write rows and wait until they are read; return how many they were.

        Raises whatever the reader raised.
        """
        assert self._reader is not None
        texts = text.Lines(_KINDS)
        rows = 0
        try:
            with self._open() as file:
                for block in blocks:
                    lines = texts.of(block)
                    if lines is None:
                        raise TypeError("a value is of a type that has no text")
                    data = memoryview(lines.encode())
                    while data:
                        data = data[file.write(data) :]
                    rows += len(block[0])
        except BrokenPipeError:
            pass  # the reader has left, and says why
        self._reader.join()
        if self._error is not None:
            raise self._error
        return rows


class _Literals(text.Texts):
    """Values as SQL literals."""

    def __init__(self, escape: Callable[[str], str]) -> None:
        quoted: text.Render = lambda value: f"'{value}'"  # noqa: E731  # one of a table of them
        super().__init__(
            {
                **dict.fromkeys((date, time, UUID), quoted),
                str: escape,
                int: str,
                float: repr,
                Decimal: str,
                bool: _KINDS[bool],
                datetime: lambda value: f"'{_KINDS[datetime](value)}'",
                timedelta: lambda value: f"'{_KINDS[timedelta](value)}'",
                bytes: lambda value: f"x'{value.hex()}'",
            },
            null="NULL",
        )

    def strings(self, values: Sequence[str]) -> Sequence[str]:
        together = "".join(values)
        if together.isprintable() and "'" not in together and "\\" not in together and '"' not in together:
            return [f"'{value}'" for value in values]
        return super().strings(values)


def _in_utc(value: datetime) -> str:
    """Return a moment without its zone, which MariaDB would warn of."""
    return str(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)


def _translated(url: sa.URL) -> sa.URL:
    """Return the URL with the options that PyMySQL has under another name."""
    if "passwd" in url.query and "password" not in url.query:
        url = url.difference_update_query(["passwd"]).update_query_dict({"password": url.query["passwd"]})
    if any(name.startswith("ssl_") for name in url.query):
        return url.difference_update_query(["ssl"])  # these say more than that it is wanted
    return options.translated_ssl(url, _SSL_WORDS)


def _charset(name: str) -> str:
    from pymysql.charset import charset_by_name

    try:
        known = charset_by_name(name).encoding
    except (KeyError, AttributeError):
        known = None
    if known is None:
        raise ValueError("utf8mb4 is right for every language")
    return name


# https://mariadb.com/kb/en/string-literals/#escape-sequences
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}

# https://pymysql.readthedocs.io/en/latest/modules/connections.html, but for what a URL cannot hold or that would
# end the transactions
_OPTIONS: dict[str, options.Read] = {
    **dict.fromkeys(("host", "user", "password", "unix_socket", "bind_address", "program_name"), str),
    **dict.fromkeys(("collation", "sql_mode", "init_command", "read_default_group", "server_public_key"), str),
    **dict.fromkeys(("port", "connect_timeout", "read_timeout", "write_timeout"), options.number),
    **dict.fromkeys(("client_flag", "max_allowed_packet"), options.number),
    **dict.fromkeys(("use_unicode", "local_infile", "ssl_disabled"), options.flag),
    **dict.fromkeys(("ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname"), options.flag),
    **dict.fromkeys(("ssl_ca", "ssl_cert", "ssl_key"), options.file),
    **dict.fromkeys(("read_default_file", "ssl_capath", "ssl_cipher", "ssl_key_password"), str),
    "charset": _charset,
}
_SSL = ("ssl_ca", "ssl_key", "ssl_cert", "ssl_capath", "ssl_cipher", "ssl_check_hostname")
# `ssl` as async drivers and other programs have it. PyMySQL tries TLS by itself; with any option for it, it insists.
_INSIST = {"ssl_check_hostname": "false"}
_SSL_WORDS: dict[str, dict[str, str]] = {
    "true": _INSIST,
    "false": {"ssl_disabled": "true"},
    "disable": {"ssl_disabled": "true"},
    "disabled": {"ssl_disabled": "true"},
    "prefer": {},
    "preferred": {},
    "require": _INSIST,
    "required": _INSIST,
    "verify-ca": {"ssl_verify_cert": "true"},
}
_BUSY = sa.text("SELECT 1 FROM information_schema.processlist WHERE id = :session AND command <> 'Sleep'")
_SESSION = "l.id, p.user, p.host"
_HOLDS_ROWS = f"""
SELECT {_SESSION} FROM (
    SELECT DISTINCT holder.trx_mysql_thread_id AS id FROM information_schema.innodb_lock_waits w
    JOIN information_schema.innodb_trx waits ON waits.trx_id = w.requesting_trx_id
    JOIN information_schema.innodb_trx holder ON holder.trx_id = w.blocking_trx_id
    WHERE waits.trx_mysql_thread_id = :session
) l LEFT JOIN information_schema.processlist p ON p.id = l.id ORDER BY l.id
"""  # noqa: S608  # columns
_WAITS_FOR_A_TABLE = """
SELECT 1 FROM information_schema.processlist WHERE id = :session AND state LIKE 'Waiting for % lock'
"""
_IN_A_TRANSACTION = f"""
SELECT {_SESSION} FROM (SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx) l
JOIN information_schema.processlist p ON p.id = l.id WHERE l.id <> :session AND p.db = DATABASE() ORDER BY l.id
"""  # noqa: S608  # columns
# Steps of more than one, as the nodes of a cluster take, are left to the server; so is all where one statement that
# would wait takes the whole transaction back.
_MOVED_NUMBERS = """
SELECT 1 FROM information_schema.tables WHERE table_schema = coalesce(:schema, DATABASE()) AND table_name = :table
AND auto_increment > :first AND @@auto_increment_increment = 1 AND @@auto_increment_offset = 1
AND NOT @@innodb_rollback_on_timeout
"""
_KINDS: dict[type, text.Render] = {
    bool: lambda value: "1" if value else "0",
    bytes: bytes.hex,
    datetime: _in_utc,
    timedelta: str,
}
