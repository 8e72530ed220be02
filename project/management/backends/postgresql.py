"""PostgreSQL: advisory locks, DDL in transactions, COPY."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..errors import CommandError, NotAllowed, first_line
from ..outcomes import Convert
from ..types import plain_type
from . import options, text
from .base import (
    CONNECT_TIMEOUT,
    IDLE,
    SPELLING,
    Backend,
    Blocks,
    LockName,
    Relation,
    Size,
    TableName,
    Unvalidated,
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
from .copies import CannotCopy, run
from .processes import UNKNOWN, program

if TYPE_CHECKING:
    from .postgresql_copies import PostgreSQLCopies

SERVER_DATABASE = "postgres"  # that every server has: https://www.postgresql.org/docs/current/app-initdb.html
SHORTEST_WAIT = 0.5  # seconds for a statement, in which it can be found who is in its way

# Any numbers that no other user of advisory locks in this database has.
_KEYS: dict[LockName, int] = {
    "migrate": 7_305_521_846_209_114,
    "reset": 7_305_521_846_209_115,
    "copies": 7_305_521_846_209_116,
}


class PostgreSQL(Backend):
    title = "PostgreSQL"
    # https://www.postgresql.org/docs/current/ddl-system-columns.html
    own_columns = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})

    def __init__(self, url: sa.URL, *, root: Path) -> None:
        super().__init__(options.translated_ssl(url, _SSL_WORDS), root=root)
        self._refuse_options()
        self._server: sa.Connection | None = None

    @property
    def label(self) -> str:
        return f"{self.database} on {', '.join(self.hosts()) or 'this machine'}"

    @property
    def database(self) -> str:
        return self.url.database or os.environ.get("PGDATABASE") or self.url.username or ""

    @property
    def _is_named(self) -> bool:
        # Else libpq takes the user's name: https://www.postgresql.org/docs/current/libpq-connect.html
        return bool(self.url.database or os.environ.get("PGDATABASE") or self._service)

    @property
    def _service(self) -> str:
        return str(self.url.query.get("service") or os.environ.get("PGSERVICE") or "")

    def hosts(self) -> list[str]:
        # What libpq would do: https://www.postgresql.org/docs/current/libpq-envars.html
        if self._service:
            return [f"service {self._service}"]
        named = [self.url.host, *_values(self.url, "host"), *_values(self.url, "hostaddr")]
        named.append(os.environ.get("PGHOSTADDR"))
        if not any(named[:-1]):
            named.append(os.environ.get("PGHOST"))
        return [host for value in named if value for host in value.split(",") if not host.startswith(("/", "@"))]

    def _refuse_options(self) -> None:
        """Refuse what libpq does not know; the values it looks at itself when it connects."""
        if self.url.get_driver_name() != "psycopg":
            return
        from psycopg import pq

        known: dict[str, options.Read] = {one.keyword.decode(): str for one in pq.Conninfo.get_defaults()}
        known["connect_timeout"] = options.integer
        several = ("host", "port")  # https://docs.sqlalchemy.org/en/21/dialects/postgresql.html#psycopg-multi-host
        query = {name: value for name, value in self.url.query.items() if name not in several}
        options.read(query, known, "psycopg")
        try:
            self.url.get_dialect()().create_connect_args(self.url)
        except sa.exc.ArgumentError as error:
            raise CommandError(
                f"the hosts in DATABASE_URL cannot be used: {first_line(error)}", "correct it"
            ) from error

    def _engine_options(self) -> dict[str, object]:
        given: dict[str, object] = {"fallback_application_name": program(sys.argv)}  # who others will be told of
        if "connect_timeout" not in self.url.query:
            given["connect_timeout"] = CONNECT_TIMEOUT
        return {"connect_args": given}

    @contextmanager
    def sessions_kept(self) -> Iterator[None]:
        if self.url.get_driver_name() != "psycopg":
            yield
            return
        engine = self._engine(self.url, poolclass=sa.QueuePool, pool_reset_on_return=None)
        sa.event.listen(engine, "connect", _without_plans)
        sa.event.listen(engine, "reset", _as_new)
        self._only_engine = engine
        try:
            yield
        finally:
            engine.dispose()
            del self._only_engine

    def server_engine(self) -> sa.Engine:
        """Return an engine beside the database, each of whose statements commits: for what is done with the whole."""
        return self._engine(self.url.set(database=SERVER_DATABASE), isolation_level="AUTOCOMMIT")

    def engine_of(self, database: str) -> sa.Engine:
        """Return an engine for another database of the server."""
        return self._engine(self.url.set(database=database))

    def create_database(self) -> bool:
        self.require_name()
        with self.server_engine().connect() as connection:
            known = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.scalar(known, {"name": self.database}):
                return False
            quoted = connection.dialect.identifier_preparer.quote_identifier(self.database)
            try:
                connection.exec_driver_sql(f"CREATE DATABASE {quoted}")
            except sa.exc.DBAPIError:
                if connection.scalar(known, {"name": self.database}):
                    return False  # another process made it in this moment
                raise
        return True

    def explain(self, error: sa.exc.DBAPIError) -> CommandError | None:
        words = first_line(error.orig or error)
        where = ", ".join(self.hosts()) or "this machine"
        state = getattr(error.orig, "sqlstate", None)
        if state == "55P03":
            return self.in_the_way()
        if state in ("57P01", "57P02", "57P03") or error.connection_invalidated:
            return CommandError(f"the connection to {self.label} was cut", "run the command again")
        if state == "53100":
            return CommandError(f"the disk of {where} is full", "make room, then run the command again")
        if state == "42501":
            return NotAllowed(
                f"PostgreSQL does not let user {self.url.username!r} do this: {words.rstrip('.')}",
                "grant that right, or use the tables' owner",
            )
        if state == "2BP01":
            said = getattr(error.orig, "diag", None)
            of_others = first_line(Exception("; ".join((getattr(said, "message_detail", None) or "").splitlines())))
            return CommandError(
                f"{self.refusal(error)}: {of_others}", "drop that, run the command again, and make it anew"
            )
        if state is not None and not state.startswith(("08", "28", "3D")):
            return None
        if f'database "{self.database}" does not exist' in words:
            return CommandError(
                f"there is no database {self.database!r} on {where}",
                "python manage.py migrate --create-database makes it",
            )
        if "authentication failed" in words or ("role" in words and "does not exist" in words) or "pg_hba" in words:
            return CommandError(
                f"PostgreSQL on {where} refuses user {self.url.username!r}: wrong user or password",
                "correct DATABASE_URL (in a password write @ as %40, : as %3A, / as %2F, # as %23, % as %25)",
            )
        if "no password supplied" in words:
            return CommandError(
                f"PostgreSQL on {where} wants a password for user {self.url.username!r}",
                "put it into DATABASE_URL",
            )
        if wrong := _WRONG_OPTION.search(words):
            return CommandError(f"an option of DATABASE_URL cannot be used: {wrong[0]}", "correct it, or take it out")
        if "timeout" in words or "timed out" in words:
            return CommandError(
                f"{where} did not answer within {self.url.query.get('connect_timeout', CONNECT_TIMEOUT)} seconds",
                "is DATABASE_URL right, and the server well?",
            )
        if "resolve host" in words:
            return CommandError(f"there is no host {where}", "correct DATABASE_URL")
        if "connection failed" in words or "connection is bad" in words or "connection refused" in words.lower():
            reason = words.partition("failed: ")[2].partition("failed: ")[2] or words
            reason = reason.removeprefix("FATAL: ").strip().partition(" Is the server")[0]
            return CommandError(
                f"PostgreSQL on {where}:{self.url.port or 5432} cannot be reached: {reason}",
                "start it, or correct DATABASE_URL",
            )
        return None

    def _try_lock(self, connection: sa.Connection, name: LockName) -> bool:
        # Polling, not waiting: a session that waits inside a statement would block CREATE INDEX CONCURRENTLY.
        locked = connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEYS[name]})
        connection.commit()
        return bool(locked)

    def _unlock(self, connection: sa.Connection, name: LockName) -> None:
        connection.rollback()
        connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _KEYS[name]})
        connection.commit()

    def _lock_holder(self, connection: sa.Connection, name: LockName) -> str:
        holder = _holder_of(connection, _KEYS[name])
        connection.commit()
        return holder

    @contextmanager
    def alone(self, connect: Callable[[], AbstractContextManager[sa.Connection]]) -> Iterator[None]:
        """Hold a lock beside the database: one that is to be replaced by a snapshot has no session in it."""
        with ExitStack() as stack:
            try:
                server = stack.enter_context(self.on_server())
            except CannotCopy:  # then no snapshot takes its place either
                connection = stack.enter_context(connect())
                stack.enter_context(self.lock(connection, "reset"))
            else:
                stack.enter_context(self.held(server, "reset", f"resets {self.label}"))
            yield

    @contextmanager
    def on_server(self) -> Iterator[sa.Connection]:
        """Give a session beside the database, each of whose statements commits; who asks meanwhile gets the same.

        Raises:
            CannotCopy: there can be none.
        """
        if self._server is not None:
            yield self._server
            return
        if self.database == SERVER_DATABASE:
            raise CannotCopy(f"the database {SERVER_DATABASE} is where the others are copied from", "use another one")
        try:
            server = self.server_engine().connect()
        except sa.exc.DBAPIError as error:
            if not _SHUT_OUT.search(str(error.orig)):  # the server itself is not to be reached
                raise
            raise CannotCopy(
                f"user {self.url.username!r} cannot connect to the database {SERVER_DATABASE}, where others are copied"
                f" from: {first_line(error.orig or error)}",
                "grant that right",
            ) from error
        with server:
            self._server = server
            try:
                yield server
            finally:
                self._server = None

    @contextmanager
    def held(self, server: sa.Connection, purpose: str, does: str) -> Iterator[None]:
        """Hold a lock on the database of a session that is beside it, and that is over with it.

        Args:
            does: what whoever has it does, for who waits.
        """
        words = f"{purpose}:{self.database}".encode("utf-8", "surrogateescape")
        key = int.from_bytes(hashlib.sha256(words).digest()[:7], "big")
        lock = sa.text("SELECT pg_try_advisory_lock(:key)")
        self.waiting.until(lambda: bool(server.scalar(lock, {"key": key})), lambda: _holder_of(server, key), does)
        try:
            yield
        finally:
            if not server.closed and not server.invalidated:
                with suppress(sa.exc.DBAPIError):  # it went with its session
                    server.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})

    @contextmanager
    def limited(self, connection: sa.Connection) -> Iterator[None]:
        settle = sa.text("SELECT set_config('lock_timeout', :wait, false), pg_backend_pid()")
        _, here = connection.execute(settle, {"wait": f"{round(self.patience * 1000)}ms"}).one()
        connection.commit()
        with self.watching(connection.engine, "SELECT CAST(:here AS int)", here=here):
            yield

    @property
    def patience(self) -> float:
        """Seconds after which the server is to end a wait."""
        return max(self.waiting.seconds, SHORTEST_WAIT)

    def watching(self, engine: sa.Engine, waiters: str, **which: object) -> AbstractContextManager[None]:
        """Look who is in the way of sessions.

        Args:
            waiters: the query for their numbers, and what it wants to know.

        https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION
        """
        blocking = sa.text(
            f"SELECT {_SESSION} FROM ({waiters}) AS w(pid)"  # noqa: S608  # columns
            " CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b(pid)"
            " LEFT JOIN pg_stat_activity a ON a.pid = b.pid ORDER BY a.xact_start"
        )
        return self.waiting.watched(
            engine, lambda beside: sessions(beside.execute(blocking, which).all()), self._holds, self.patience
        )

    def relations(self, connection: sa.Connection, schemas: Iterable[str | None]) -> list[Relation]:
        default = sa.inspect(connection).default_schema_name
        names = [default if schema is None else schema for schema in schemas]
        return [
            Relation(_RELATION_KINDS[kind], TableName(None if schema == default else schema, name))
            for schema, name, kind in connection.execute(sa.text(_RELATIONS), {"schemas": names})
        ]

    def drop(self, connection: sa.Connection, relations: Sequence[Relation]) -> None:
        """Drop views with the views on them, which are among them, then tables, then what the tables used."""
        of_kind: dict[str, list[Relation]] = {}
        for one in relations:
            of_kind.setdefault(one.kind, []).append(one)
        for kind in ("VIEW", "MATERIALIZED VIEW"):
            drop_each(connection, of_kind.get(kind, ()), cascade=" CASCADE")
        drop_each(connection, of_kind.get("FOREIGN TABLE", ()))
        drop_tables_at_once(connection, of_kind.get("TABLE", ()))
        for kind in ("FUNCTION", "PROCEDURE", "AGGREGATE"):
            for one in of_kind.get(kind, ()):
                self._drop_routines(connection, one.name)
        for kind in ("SEQUENCE", "DOMAIN", "TYPE", "SCHEMA", "EXTENSION"):
            drop_each(connection, of_kind.get(kind, ()))

    def _drop_routines(self, connection: sa.Connection, name: TableName) -> None:
        """Drop the functions of a name, whatever their arguments, but those of an extension."""
        known = sa.text(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE p.proname = :name AND n.nspname = coalesce(:schema, current_schema()) AND NOT EXISTS"
            " (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
        )
        for routine in list(connection.scalars(known, {"name": name[1], "schema": name[0]})):
            connection.exec_driver_sql(f"DROP ROUTINE IF EXISTS {routine}")

    def end_idle_readers(self, connection: sa.Connection) -> None:
        idle = sa.text(
            "SELECT pid, usename FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%' AND backend_xid IS NULL"
            " AND state_change <= clock_timestamp() - make_interval(secs => :seconds)"
        )
        for pid, user in idle_for(connection, idle, IDLE):
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            self.waiting.notify(f"ended session {pid} of {user}, which waited in a transaction that had only read")
        connection.commit()

    def can_defer(self, key: sa.ForeignKeyConstraint) -> bool:
        return bool(key.deferrable)

    def defer_keys(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")

    def bulk_load(
        self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks, size: Size
    ) -> None:
        key = table.autoincrement_column
        if key is not None and key.name not in columns:
            (self._move_sequence if size.present else self._restart_sequence)(connection, key)
        if self.url.get_driver_name() != "psycopg" or not columns:
            super().bulk_load(connection, table, columns, blocks, size)
        else:
            with self._without_indexes(connection, table, size):
                self._copy(connection, table, columns, blocks)
        if key is not None and key.name in columns:
            self._move_sequence(connection, key)

    def _copy(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks) -> None:
        import psycopg

        driver = connection.connection.driver_connection
        assert driver is not None
        quote = connection.dialect.identifier_preparer
        names = ", ".join(map(quote.quote, columns))
        copy_from = without_parameters(f"COPY {quote.format_table(table)} ({names}) FROM STDIN")
        converters = self._converters(connection, table, columns)
        texts = text.Lines(_KINDS)
        with driver_errors(connection, psycopg.Error), driver.cursor() as cursor, cursor.copy(copy_from) as copy:
            for block in blocks:
                values = [convert(column) for convert, column in zip(converters, block, strict=True)]
                lines = texts.of(values)
                if lines is not None:
                    copy.write(lines)
                else:  # types that psycopg knows how to write, a row at a time
                    for row in zip(*values, strict=True):
                        copy.write_row(row)

    @contextmanager
    def _without_indexes(self, connection: sa.Connection, table: sa.Table, size: Size) -> Iterator[None]:
        """Drop indexes and unique constraints and build them again, in the same transaction, when that is faster.

        Only where nobody reads or writes the table at this moment: dropping would wait for them.
        """
        droppable = self._droppable(connection, table) if size.is_worth_rebuilding else []
        as_it_stands = {"no_parameters": True}  # a % in an index is no parameter
        for drop, _ in droppable:
            connection.exec_driver_sql(drop, execution_options=as_it_stands)
        yield
        if droppable:
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
        for _, make in droppable:
            connection.exec_driver_sql(make, execution_options=as_it_stands)

    def _droppable(self, connection: sa.Connection, table: sa.Table) -> list[tuple[str, str]]:
        """Return for each index or unique constraint that may be built anew what drops it and what makes it."""
        name = standing(connection, table)
        try:
            with connection.begin_nested():
                run(connection, f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE NOWAIT")
        except sa.exc.DBAPIError:  # somebody is using it, or it is not ours
            return []
        return [(row.drop, row.make) for row in connection.execute(sa.text(_INDEXES), {"table": name})]

    def _move_sequence(self, connection: sa.Connection, key: sa.Column[Any]) -> None:
        """Let a key's own numbers go on after the largest that is there."""
        owner = standing(connection, key.table)
        sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(owner, key.name)))
        largest = connection.scalar(sa.select(sa.func.max(key)))
        if sequence is None or largest is None:
            return
        asked = f"SELECT last_value + is_called::int FROM {sequence}"  # noqa: S608  # PostgreSQL quoted it
        if largest >= (run(connection, asked).scalar() or 0):
            last = sa.text("SELECT seqmax FROM pg_sequence WHERE seqrelid = CAST(:sequence AS regclass)")
            if largest >= connection.scalar(last, {"sequence": sequence}):  # no rollback would move it back
                raise CommandError(
                    f"a row of {key.table.fullname} has the {key.name} {largest:,}, the last there is",
                    "give that row another one, then run the command again",
                )
            connection.execute(sa.select(sa.func.setval(sequence, largest)))

    def _restart_sequence(self, connection: sa.Connection, key: sa.Column[Any]) -> None:
        """Let the numbers of an empty table begin anew: those that were taken do not come back with a rollback."""
        owner = standing(connection, key.table)
        sequence = connection.scalar(sa.text(_MOVED_SEQUENCE), {"table": owner, "column": key.name})
        if sequence is None:
            return
        with connection.begin_nested() as savepoint:
            run(connection, f"ALTER SEQUENCE {sequence} RESTART")
            # It is locked now, so that no other transaction that took a number of it is open.
            if connection.execute(sa.select(sa.literal(1)).select_from(key.table).limit(1)).first() is not None:
                savepoint.rollback()

    def _converters(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> list[Convert]:
        """Return the base's converters, but for JSON a text: psycopg's own wrapper would be written row by row."""
        converters = super()._converters(connection, table, columns)
        kinds = [plain_type(table.columns[name]) for name in columns]
        return [
            (lambda values: [None if value is None else json.dumps(value) for value in values])
            if isinstance(kind, sa.JSON)
            else convert
            for kind, convert in zip(kinds, converters, strict=True)
        ]

    @property
    def utc_now(self) -> sa.ColumnElement[Any]:
        return sa.func.timezone("UTC", sa.func.now())

    def exact(self, column: sa.ColumnElement[Any], kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(column, sa.Text)  # any type has one, and what is infinite, or of no known type, is a text too

    def strong_locks(self, connection: sa.Connection) -> list[tuple[TableName, str]]:
        default = sa.inspect(connection).default_schema_name
        return [
            (TableName(None if schema == default else schema, name), mode)
            for schema, name, mode in connection.execute(sa.text(_STRONG_LOCKS))
        ]

    def unvalidated(self, connection: sa.Connection, tables: Iterable[sa.Table]) -> list[Unvalidated]:
        preparer = connection.dialect.identifier_preparer
        default = sa.inspect(connection).default_schema_name
        ours = {(table.schema or default, table.name): table for table in tables}
        found = []
        for schema, name, kind, constraint in connection.execute(_NOT_VALID):
            table, quoted = ours.get((schema, name)), preparer.quote(constraint)
            if table is not None and quoted not in map(preparer.format_constraint, _meant_not_valid(table)):
                cure = f"ALTER TABLE {preparer.format_table(table)} VALIDATE CONSTRAINT {quoted}"
                found.append(Unvalidated(f"{kind} {constraint} on {table.fullname}", cure))
        return found

    def conditions_elsewhere(self, connection: sa.Connection, table: sa.Table) -> list[str]:
        name = standing(connection, table)
        return list(connection.scalars(_CONDITIONS_ELSEWHERE, {"table": name}))

    def respelled(self, connection: sa.Connection, table: sa.Table, check: sa.CheckConstraint) -> str | None:
        condition = f"CONSTRAINT {SPELLING} CHECK ({expression_text(connection, check)})"
        return _spelled(connection, table, condition, spelled_check)

    def respelled_column(self, connection: sa.Connection, column: sa.Column[Any], computed: sa.Computed) -> str | None:
        return _spelled(connection, column.table, spelling_column(connection, column, computed), spelled_column)

    def labels(self, connection: sa.Connection, schema: str | None, name: str) -> Sequence[str]:
        inspector: Any = sa.inspect(connection)
        return next((one["labels"] for one in inspector.get_enums(schema) if one["name"] == name), ())

    def relabelled(
        self, connection: sa.Connection, schema: str | None, name: str, before: Sequence[str], after: Sequence[str]
    ) -> list[str]:
        """Return what adds labels where that is all; else what makes the type anew, which rewrites its tables."""
        quote = connection.dialect.identifier_preparer.quote
        kind = ".".join(map(quote, filter(None, (schema, name))))
        if [one for one in after if one in before] == list(before):
            return [
                f"ALTER TYPE {kind} ADD VALUE {_literal(label)} "
                + (f"AFTER {_literal(after[number - 1])}" if number else f"BEFORE {_literal(before[0])}")
                for number, label in enumerate(after)
                if label not in before
            ]
        old = quote(f"{name[:40]}_before")
        columns = connection.execute(sa.text(_OF_ENUMERATION), {"kind": kind}).all()
        changes = []
        for table, column, brackets, default in columns:
            alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
            changes += [f"{alter} DROP DEFAULT"] if default else []
            changes.append(
                f"{alter} TYPE {kind}{brackets} USING CAST(CAST({column} AS text{brackets}) AS {kind}{brackets})"
            )
            changes += [f"{alter} SET DEFAULT {default}".replace(":", "\\:")] if default else []
        return [
            f"ALTER TYPE {kind} RENAME TO {old}",
            f"CREATE TYPE {kind} AS ENUM ({', '.join(map(_literal, after))})",
            *changes,
            f"DROP TYPE {'.'.join(filter(None, (schema and quote(schema), old)))}",
        ]

    @cached_property
    def copies(self) -> PostgreSQLCopies:
        from .postgresql_copies import PostgreSQLCopies

        return PostgreSQLCopies(self)

    def client(self) -> tuple[list[str], dict[str, str]]:
        """Return psql with everything in its environment: libpq has a variable for each part of a URL."""
        self.require_name()
        _, given = self.url.get_dialect()().create_connect_args(self.url)
        return ["psql"], {_VARIABLES.get(key, f"PG{key.upper()}"): str(value) for key, value in given.items()}


_SHUT_OUT = re.compile(
    r'permission denied for database|pg_hba|database "[^"]*" does not exist|not currently accepting|too many conn'
)
# What libpq and its drivers say of an option before they connect, the server of those that are meant for it.
_WRONG_OPTION = re.compile(
    r"(invalid (\w+ value|value for|connection option|port number)|bad value for|definition of service"
    r"|unrecognized configuration parameter)\b.*"
)
# `ssl` as asyncpg and other programs have it: https://www.postgresql.org/docs/current/libpq-ssl.html
_SSL_WORDS = {
    "true": {"sslmode": "require"},
    "false": {"sslmode": "disable"},
    **{word: {"sslmode": word} for word in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")},
}
# https://www.postgresql.org/docs/current/libpq-envars.html; all others are PG and the name in capitals.
_VARIABLES = {
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "channel_binding": "PGCHANNELBINDING",
}
_SESSION = "a.pid, a.usename, a.application_name, host(a.client_addr)"
_RELATION_KINDS = {"r": "TABLE", "p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE"}
# Tables and views of some schemas; then, of any schema, the views on them and the tables that refer to or inherit them.
_RELATIONS = """
WITH RECURSIVE found(oid) AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY(:schemas)
    UNION
    SELECT dependent.oid FROM found JOIN (
        SELECT d.refobjid AS on_oid, r.ev_class AS oid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        UNION ALL SELECT confrelid, conrelid FROM pg_constraint WHERE contype = 'f'
        UNION ALL SELECT inhparent, inhrelid FROM pg_inherits
    ) dependent ON dependent.on_oid = found.oid
)
SELECT n.nspname, c.relname, c.relkind FROM found JOIN pg_class c USING (oid)
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%'
AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
)
ORDER BY n.nspname, c.relname
"""

# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES: those that writers wait for
_STRONG_LOCKS = """
SELECT n.nspname, c.relname, l.mode FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p')
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
ORDER BY 1, 2, 3
"""

# A column's own sequence, if numbers of it were taken, it is ours to restart, and nobody else is using it.
_MOVED_SEQUENCE = """
SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid = pg_get_serial_sequence(:table, :column)::regclass
AND CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_sequence_last_value(c.oid) END IS NOT NULL
AND NOT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.relation = c.oid AND l.pid <> pg_backend_pid()
)
"""

# The columns of an enumeration, or of arrays of one, with what says that and their default; those of partitions follow.
_OF_ENUMERATION = """
SELECT CAST(a.attrelid AS regclass)::text, quote_ident(a.attname), CASE WHEN a.atttypid = t.oid THEN '' ELSE '[]' END,
    pg_get_expr(d.adbin, d.adrelid)
FROM pg_type t JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE t.oid = CAST(:kind AS regtype) ORDER BY 1, a.attnum
"""

_NOT_VALID = sa.text("""
SELECT n.nspname, c.relname, CASE k.contype WHEN 'c' THEN 'CHECK' ELSE 'foreign key' END, k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND k.contype IN ('c', 'f')
ORDER BY n.nspname, c.relname, k.conname
""")

# What the types of a table's columns say, and the bounds of its partitions, or of itself as one.
_CONDITIONS_ELSEWHERE = sa.text("""
SELECT regexp_replace(pg_get_constraintdef(k.oid), '\\mVALUE\\M', quote_ident(a.attname), 'g')
FROM pg_attribute a JOIN pg_constraint k ON k.contypid = a.atttypid
WHERE a.attrelid = CAST(:table AS regclass) AND NOT a.attisdropped
UNION ALL SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relispartition AND CAST(:table AS regclass) IN (c.oid, i.inhparent)
""")

# Secondary indexes that can be built anew as they are: none that a foreign key refers to or anything else depends on.
_INDEXES = """
SELECT
    CASE WHEN con.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
        ELSE 'ALTER TABLE ' || owner.oid::regclass || ' DROP CONSTRAINT ' || quote_ident(con.conname) END AS drop,
    CASE WHEN con.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
        ELSE 'ALTER TABLE ' || owner.oid::regclass || ' ADD CONSTRAINT ' || quote_ident(con.conname) || ' '
            || pg_get_constraintdef(con.oid) END AS make
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class owner ON owner.oid = i.indrelid
LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
WHERE i.indrelid = (:table)::regclass AND NOT i.indisprimary AND i.indisvalid AND NOT i.indisclustered
AND NOT i.indisreplident AND (con.oid IS NULL OR con.contype = 'u') AND c.reltablespace = 0
AND (con.oid IS NULL OR c.reloptions IS NULL) AND owner.relkind = 'r' AND NOT owner.relispartition
AND pg_has_role(owner.relowner, 'USAGE') AND has_schema_privilege(owner.relnamespace, 'CREATE')
AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)
AND NOT EXISTS (SELECT FROM pg_description d WHERE d.objoid IN (i.indexrelid, con.oid))
AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.refobjid IN (i.indexrelid, con.oid) AND d.deptype = 'n'
)
ORDER BY c.relname
"""

_KINDS: dict[type, text.Render] = {
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: "\\\\x" + value.hex(),
    list: lambda value: _array_text(value),
    timedelta: lambda value: f"{value.total_seconds():f} seconds",
}


def _without_plans(session: Any, _record: object) -> None:
    session.prepare_threshold = None  # they would go with all else, unknown to the driver


def _as_new(session: Any, _record: object, _state: object) -> None:
    """Take back what a session holds and has set: https://www.postgresql.org/docs/current/sql-discard.html"""
    if session.closed:
        return
    session.rollback()
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    session.autocommit = False


def _meant_not_valid(table: sa.Table) -> list[sa.Constraint]:
    """Return the constraints of a model that say themselves that they hold for new rows only."""
    kinds = (sa.CheckConstraint, sa.ForeignKeyConstraint)
    return [
        one for one in table.constraints if isinstance(one, kinds) and one.dialect_options["postgresql"]["not_valid"]
    ]


def _spelled(
    connection: sa.Connection,
    table: sa.FromClause,
    addition: str,
    read: Callable[[sa.Inspector, str | None], str],
) -> str | None:
    """Return what the server makes of an addition to a table: nothing where it lacks a column, None if it refuses."""
    name = standing(connection, table)
    trying = connection.begin_nested()
    try:
        run(connection, f"CREATE TEMPORARY TABLE {SPELLING} (LIKE {name})")
        run(connection, f"ALTER TABLE pg_temp.{SPELLING} ADD {addition}")
        schema = connection.scalar(sa.text("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()"))
        return read(sa.inspect(connection), schema)
    except sa.exc.DBAPIError as error:
        return "" if getattr(error.orig, "sqlstate", None) == "42703" else None  # a column that is not there yet
    finally:
        trying.rollback()


def _literal(label: str) -> str:
    return "'" + label.replace("'", "''") + "'"


def _holder_of(connection: sa.Connection, key: int) -> str:
    """Return the session that holds an advisory lock in a session's database."""
    query = sa.text(
        f"SELECT {_SESSION} FROM pg_locks l JOIN pg_stat_activity a USING (pid)"  # noqa: S608  # columns
        " WHERE l.locktype = 'advisory' AND l.granted AND l.database = a.datid"
        " AND a.datname = current_database() AND (l.classid::bigint << 32) + l.objid::bigint = :key"
    )
    return sessions(connection.execute(query, {"key": key}).all()) or UNKNOWN


def sessions(found: Sequence[Any]) -> str | None:
    """Return `session 4711 of ada (psql)` for the first of rows of _SESSION, and how many more there are."""
    if not found:
        return None
    pid, user, program_name, address, *_ = found[0]
    if pid is None:
        return "a prepared transaction"
    inside = ", ".join(filter(None, (program_name, address)))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"session {pid} of {user}{f' ({inside})' if inside else ''}{more}"


def _array_text(values: list[Any]) -> str:
    """Return a list as COPY reads an array: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO"""
    return text.escaped(_array(values))


def _array(values: list[Any]) -> str:
    items = ("NULL" if one is None else _array(one) if isinstance(one, list) else _quoted_item(one) for one in values)
    return "{" + ",".join(items) + "}"


def _quoted_item(value: Any) -> str:
    value = getattr(value, "obj", value)  # psycopg's own wrapper of JSON
    if isinstance(value, dict):
        value = json.dumps(value)
    written = ("t" if value else "f") if isinstance(value, bool) else str(value)
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _values(url: sa.URL, key: str) -> list[str]:
    value = url.query.get(key, ())
    return [value] if isinstance(value, str) else list(value)
