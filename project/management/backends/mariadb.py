"""MariaDB and MySQL: named locks, DDL that commits by itself, LOAD DATA LOCAL."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from ..errors import CommandError, first_line
from . import text
from .base import (
    CONNECT_TIMEOUT,
    IDLE,
    STATEMENT_LOCK_TIMEOUT,
    Backend,
    LockName,
    Notify,
    Relation,
    driver_errors,
    drop_each,
    drop_tables_at_once,
    idle_for,
)


class MariaDB(Backend):
    title = "MariaDB"
    transactional_ddl = False  # https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/

    def __init__(self, url: sa.URL, *, root: object) -> None:
        super().__init__(url, root=root)  # type: ignore[arg-type]  # passed on as it came
        self.title = "MariaDB" if url.get_dialect().name == "mariadb" else "MySQL"

    @property
    def label(self) -> str:
        return f"{self.database} on {', '.join(self.hosts()) or 'this machine'}"

    def hosts(self) -> list[str]:
        query = self.url.query
        if query.get("read_default_file") or query.get("read_default_group"):
            return ["an option file's host"]
        if query.get("unix_socket"):
            return []
        return [str(host) for host in (self.url.host, query.get("host")) if host]

    def _engine_options(self) -> dict[str, object]:
        if self.url.get_driver_name() != "pymysql":
            return {"connect_args": {"connect_timeout": CONNECT_TIMEOUT}}
        return {"connect_args": {"connect_timeout": CONNECT_TIMEOUT, "local_infile": True}}

    def engine(self, *, create: bool = False) -> sa.Engine:
        if not self.url.database:
            raise CommandError(
                "DATABASE_URL names no database", "end it with /NAME, as in mariadb://root@localhost/school"
            )
        engine = super().engine(create=create)
        self._watch_handshake(engine)
        return engine

    def _watch_handshake(self, engine: sa.Engine) -> None:
        if self.url.get_driver_name() == "pymysql":
            sa.event.listen(engine, "do_connect", _connect_with_deadline)

    def create_database(self) -> bool:
        engine = sa.create_engine(self.url._replace(database=None), poolclass=sa.NullPool, **self._engine_options())
        self._watch_handshake(engine)
        with engine.connect() as connection:
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
            return CommandError(
                f"{self.title} on {where} refuses user {self.url.username!r}: wrong user or password, or no right to"
                f" {self.database!r}",
                "correct DATABASE_URL (in a password write @ as %40, : as %3A, / as %2F, # as %23, % as %25)",
            )
        if (code == 2003 and "timed out" in words) or (
            code == 2013 and "during query" in words and "timed out" in words
        ):
            return CommandError(
                f"{where} did not answer within {CONNECT_TIMEOUT} seconds",
                "is DATABASE_URL right, and the server well?",
            )
        if code == 2003:
            reason = words.rpartition("] ")[2].rstrip(")")
            return CommandError(
                f"{self.title} on {where}:{self.url.port or 3306} cannot be reached: {reason}",
                "start it, or correct DATABASE_URL",
            )
        if code == 1205:
            return CommandError(
                f"another session's open transaction holds what this needs in {self.label}",
                "end that transaction, then run the command again",
            )
        if code in (1021, 1114):
            return CommandError(f"the disk of {where} is full", "make room, then run the command again")
        if code in (2006, 2013, 1927, 1053) or error.connection_invalidated:
            return CommandError(f"the connection to {self.label} was cut", "run the command again")
        return None

    def refusal(self, error: sa.exc.DBAPIError) -> str:
        arguments: tuple[object, ...] = getattr(error.orig, "args", ())
        return first_line(Exception(arguments[1])) if len(arguments) > 1 else super().refusal(error)

    def _lock_name(self, name: LockName) -> str:
        # A lock's name is shared by the whole server and at most 64 characters long.
        return f"management:{name}:" + hashlib.sha256(self.database.encode()).hexdigest()[:40]

    def _try_lock(self, connection: sa.Connection, name: LockName) -> bool:
        locked = connection.scalar(sa.text("SELECT GET_LOCK(:name, 0)"), {"name": self._lock_name(name)})
        connection.commit()
        return bool(locked)

    def _unlock(self, connection: sa.Connection, name: LockName) -> None:
        if connection.closed or connection.invalidated:
            return  # the lock went with its session
        connection.rollback()
        connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": self._lock_name(name)})
        connection.commit()

    def _lock_holder(self, connection: sa.Connection, name: LockName) -> str:
        holder = connection.scalar(sa.text("SELECT IS_USED_LOCK(:name)"), {"name": self._lock_name(name)})
        connection.commit()
        return f"session {holder}" if holder else "another process"

    @contextmanager
    def migrating(self, connection: sa.Connection) -> Iterator[None]:
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {STATEMENT_LOCK_TIMEOUT}")
        connection.commit()
        yield

    def drop(self, connection: sa.Connection, relations: Sequence[Relation]) -> None:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        try:
            drop_each(connection, (one for one in relations if one.kind == "VIEW"))
            drop_tables_at_once(connection, (one for one in relations if one.kind == "TABLE"))
            drop_each(connection, (one for one in relations if one.kind in ("FUNCTION", "PROCEDURE", "SEQUENCE")))
        finally:
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")

    def end_idle_readers(self, connection: sa.Connection, notify: Notify) -> None:
        idle = sa.text(
            "SELECT p.id, p.user FROM information_schema.innodb_trx t"
            " JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id"
            " WHERE t.trx_rows_modified = 0 AND p.command = 'Sleep' AND p.db = DATABASE()"
            " AND p.time_ms >= :seconds * 1000"
        )
        for session, user in idle_for(connection, idle, IDLE):
            connection.exec_driver_sql(f"KILL {int(session)}")
            notify(f"ended session {session} of {user}, which waited in a transaction that had only read")
        connection.commit()

    def bulk_load(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: Sequence[str],
        blocks: Iterable[Sequence[Sequence[object]]],
    ) -> int:
        if self.url.get_driver_name() != "pymysql" or not self._may_load_files(connection):
            return super().bulk_load(connection, table, columns, blocks)
        converters = self._converters(connection, table, columns)
        loaded = 0
        for block in blocks:
            values = [convert(column) for convert, column in zip(converters, block, strict=True)]
            lines = text.rows_of(values, _KINDS)
            if lines is None:  # a type without a text
                loaded += super().bulk_load(connection, table, columns, [block])
            else:
                self._load_lines(connection, table, columns, lines, len(block[0]))
                loaded += len(block[0])
        return loaded

    def _may_load_files(self, connection: sa.Connection) -> bool:
        return bool(connection.scalar(sa.text("SELECT @@GLOBAL.local_infile")))

    def _load_lines(
        self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], lines: str, rows: int
    ) -> None:
        """Load lines through a file; what LOAD DATA LOCAL would skip or bend with a warning is an error here.

        https://mariadb.com/kb/en/load-data-infile/#priority-and-concurrency
        """
        import pymysql

        quote = connection.dialect.identifier_preparer
        driver = connection.connection.driver_connection
        assert driver is not None
        with (
            driver_errors(connection, pymysql.MySQLError),
            tempfile.NamedTemporaryFile(suffix=".tsv") as file,
            driver.cursor() as cursor,
        ):
            file.write(lines.encode())
            file.flush()
            names = ", ".join(map(quote.quote, columns))
            target = quote.format_table(table)
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{pymysql.converters.escape_string(file.name)}' INTO TABLE {target}"
                f" CHARACTER SET utf8mb4 ({names})".replace("%", "%%"),
                (),
            )
            inserted = cursor.rowcount
            if inserted != rows or cursor.warning_count:
                cursor.execute("SHOW WARNINGS LIMIT 1")
                _, code, words = cursor.fetchone() or ("", 0, f"{rows - inserted} of {rows} rows were left out")
                raise pymysql.IntegrityError(code, words)

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


_KINDS: dict[type, text.Render] = {
    bool: lambda value: "1" if value else "0",
}


def _connect_with_deadline(
    dialect: sa.Dialect, _record: object, arguments: list[object], options: dict[str, object]
) -> object:
    """Connect with a deadline for the handshake too: PyMySQL's own covers only the TCP connection."""
    connection = dialect.loaded_dbapi.connect(*arguments, **{"read_timeout": CONNECT_TIMEOUT, **options})
    connection._read_timeout = options.get("read_timeout")
    return connection
