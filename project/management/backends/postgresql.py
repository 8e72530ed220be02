"""PostgreSQL: advisory locks, DDL in transactions, COPY."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CommandError, NotAllowed, first_line
from ..lazily import sqlalchemy as sa
from . import options
from .addresses import Address
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
    drop_each,
    drop_tables_at_once,
    expression_text,
    idle_for,
    quoted,
    spelled_check,
    spelled_column,
    spelling_column,
    standing,
)
from .copies import CannotCopy, run
from .looking import raised_as_sqlalchemys
from .postgresql_looking import NOT_PERMITTED, Session, state_of
from .processes import UNKNOWN, program

if TYPE_CHECKING:
    from ..outcomes import Convert
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
    has_schemas = keys_are_enough = True
    own_columns = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
    _acts_by_itself = (  # a view is a rule named _RETURN
        "SELECT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal)"
        " OR EXISTS (SELECT FROM pg_rewrite WHERE rulename <> '_RETURN' AND ev_class >= 16384)"
    )

    def __init__(self, url: sa.URL | str, *, root: Path, address: Address | None = None) -> None:
        """Take a URL; as a text, with its driver, only one that is plain, and then its parts."""
        if isinstance(url, str):
            assert address is not None
            super().__init__(url, root=root)
            self.address, self._driver_name = address, url.partition("://")[0].partition("+")[2]
        else:
            url = options.translated_ssl(url, _SSL_WORDS)
            super().__init__(url, root=root)
            self.address, self._driver_name = Address.of(url), url.get_driver_name()
            self._refuse_options()
        self._server: Session | None = None
        self._parting: list[str] = []  # what the server does when nobody waits for it any more

    @property
    def dialect(self) -> str:
        return "postgresql"

    @property
    def _label(self) -> str:
        return f"{self.database} on {', '.join(self.hosts()) or 'this machine'}"

    @property
    def database(self) -> str:
        return self.address.database or os.environ.get("PGDATABASE") or self.address.user or ""

    @property
    def _is_named(self) -> bool:
        # Else libpq takes the user's name: https://www.postgresql.org/docs/current/libpq-connect.html
        return bool(self.address.database or os.environ.get("PGDATABASE") or self._service)

    @property
    def _service(self) -> str:
        return str(self.address.options.get("service") or os.environ.get("PGSERVICE") or "")

    def hosts(self) -> list[str]:
        # What libpq would do: https://www.postgresql.org/docs/current/libpq-envars.html
        if self._service:
            return [f"service {self._service}"]
        named = [self.address.host, *self._options("host"), *self._options("hostaddr")]
        named.append(os.environ.get("PGHOSTADDR"))
        if not any(named[:-1]):
            named.append(os.environ.get("PGHOST"))
        return [host for value in named if value for host in value.split(",") if not host.startswith(("/", "@"))]

    def _options(self, name: str) -> list[str]:
        value = self.address.options.get(name, ())
        return [value] if isinstance(value, str) else list(value)

    def _refuse_options(self) -> None:
        """Refuse what libpq does not know; the values it looks at itself when it connects."""
        if self._driver_name != "psycopg":
            return
        from psycopg import pq

        known: dict[str, options.Read] = {one.keyword.decode(): str for one in pq.Conninfo.get_defaults()}
        known["connect_timeout"] = options.integer
        several = ("host", "port")  # https://docs.sqlalchemy.org/en/21/dialects/postgresql.html#psycopg-multi-host
        query = {name: value for name, value in self.address.options.items() if name not in several}
        options.read(query, known, "psycopg")
        try:
            self.url.get_dialect()().create_connect_args(self.url)
        except sa.exc.ArgumentError as error:
            raise CommandError(
                f"the hosts in DATABASE_URL cannot be used: {first_line(error)}", "correct it"
            ) from error

    def _engine_options(self) -> dict[str, object]:
        # Who has waited for a lock has to see what others have committed meanwhile, whatever the database's default.
        return {"connect_args": self._given_always(), "isolation_level": "READ COMMITTED"}

    def _given_always(self) -> dict[str, object]:
        """Return what a session is opened with, whatever the URL says."""
        given: dict[str, object] = {"fallback_application_name": program(sys.argv)}  # who others will be told of
        if "connect_timeout" not in self.address.options:
            given["connect_timeout"] = CONNECT_TIMEOUT
        if "client_encoding" not in self.address.options and not os.environ.get("PGCLIENTENCODING"):
            given["client_encoding"] = "utf8"  # psycopg reads no text of a database without one, SQL_ASCII
        return given

    @contextmanager
    def session(self, database: str | None = None, *, autocommit: bool = False) -> Iterator[Session]:
        """Open a session without SQLAlchemy.

        Args:
            database: another one of the server.
            autocommit: let each statement commit.
        """
        driver = importlib.import_module(self._driver_name)
        arguments: Sequence[Any] = ()
        given: Mapping[str, Any]
        if isinstance(self._given, str):
            given = self.address.given(dbname=database or self.address.database)
        else:
            url = self.url.set(database=database) if database else self.url
            arguments, given = url.get_dialect()().create_connect_args(url)
        with (
            raised_as_sqlalchemys("connect", driver.Error),
            self.connecting(self._driver_name, (driver.Error,)),
        ):
            opened = driver.connect(*arguments, **{**given, **self._given_always()})
        with closing(opened):
            opened.autocommit = autocommit
            yield Session(opened, driver.Error)

    @contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """Open a connection that only looks, without SQLAlchemy."""
        self.require_name()
        with self.session() as session, self.limited(session.itself):
            yield session.itself

    @contextmanager
    def sessions_kept(self) -> Iterator[None]:
        if self._driver_name != "psycopg":
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

    def create_database(self) -> bool:
        self.require_name()
        with self.session(SERVER_DATABASE, autocommit=True) as server:
            if server.has_database(self.database):
                return False
            try:
                server.exec_driver_sql(f"CREATE DATABASE {quoted(self.database)}")
            except sa.exc.DBAPIError as error:
                if server.has_database(self.database):
                    return False  # another process made it in this moment
                if state_of(error) != NOT_PERMITTED:
                    raise
                user = self.address.user
                raise NotAllowed(
                    f"PostgreSQL does not let user {user!r} make a database",
                    f"ALTER ROLE {quoted(user or '')} CREATEDB",
                ) from error
        return True

    def explain(self, error: sa.exc.DBAPIError) -> CommandError | None:
        words = first_line(error.orig or error)
        where = ", ".join(self.hosts()) or "this machine"
        state = state_of(error)
        if state == "55P03":
            return self.in_the_way()
        if state in ("57P01", "57P02", "57P03") or error.connection_invalidated:
            return CommandError(f"the connection to {self.label} was cut", "run the command again")
        if state == "53100":
            return CommandError(f"the disk of {where} is full", "make room, then run the command again")
        if state == NOT_PERMITTED:
            return NotAllowed(
                f"PostgreSQL does not let user {self.address.user!r} do this: {words.rstrip('.')}",
                "grant that right, or use the tables' owner",
            )
        if state == "25006":
            return CommandError(
                f"{self.label} can only be read: {self.refusal(error)}",
                "a snapshot is read-only, and so is a standby: is DATABASE_URL right?",
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
                f"PostgreSQL on {where} refuses user {self.address.user!r}: wrong user or password",
                "correct DATABASE_URL (in a password write @ as %40, : as %3A, / as %2F, # as %23, % as %25)",
            )
        if "no password supplied" in words:
            return CommandError(
                f"PostgreSQL on {where} wants a password for user {self.address.user!r}",
                "put it into DATABASE_URL",
            )
        if wrong := _WRONG_OPTION.search(words):
            return CommandError(f"an option of DATABASE_URL cannot be used: {wrong[0]}", "correct it, or take it out")
        if "timeout" in words or "timed out" in words:
            return CommandError(
                f"{where} did not answer within {self.address.options.get('connect_timeout', CONNECT_TIMEOUT)} seconds",
                "is DATABASE_URL right, and the server well?",
            )
        if "resolve host" in words:
            return CommandError(f"there is no host {where}", "correct DATABASE_URL")
        if "connection failed" in words or "connection is bad" in words or "connection refused" in words.lower():
            reason = words.partition("failed: ")[2].partition("failed: ")[2] or words
            reason = reason.removeprefix("FATAL: ").strip().partition(" Is the server")[0]
            return CommandError(
                f"PostgreSQL on {where}:{self.address.port or 5432} cannot be reached: {reason}",
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
    def on_server(self) -> Iterator[Session]:
        """Give a session beside the database, each of whose statements commits; who asks meanwhile gets the same.

        Raises:
            CannotCopy: there can be none.
        """
        if self._server is not None:
            yield self._server
            return
        self.require_name()
        if self.database == SERVER_DATABASE:
            raise CannotCopy(f"the database {SERVER_DATABASE} is where the others are copied from", "use another one")
        with ExitStack() as stack:
            try:
                server = stack.enter_context(self.session(SERVER_DATABASE, autocommit=True))
            except sa.exc.DBAPIError as error:
                if not _SHUT_OUT.search(str(error.orig)):  # the server itself is not to be reached
                    raise
                raise CannotCopy(
                    f"user {self.address.user!r} cannot connect to the database {SERVER_DATABASE}, where others are"
                    f" copied from: {first_line(error.orig or error)}",
                    "grant that right",
                ) from error
            self._server = server
            try:
                yield server
            finally:
                self._server = None
                self._part(server)

    def part_with(self, statement: str) -> None:
        """Have a session beside the database end with a statement, for which nobody waits."""
        self._parting.append(statement)

    def _part(self, server: Session) -> None:
        statements, self._parting = self._parting, []
        if not statements or server.closed:
            return
        try:
            for statement in statements[1:]:
                with self.session(SERVER_DATABASE, autocommit=True) as another:
                    another.part(statement)
            server.part(statements[0])
        except sa.exc.DBAPIError:
            return  # all that was asked for is done; what is left of it here is seen to next time

    @contextmanager
    def held(self, server: Session, purpose: str, does: str) -> Iterator[None]:
        """Hold a lock on the database of a session that is beside it, and that is over with it.

        Args:
            does: what whoever has it does, for who waits.
        """
        words = f"{purpose}:{self.database}".encode("utf-8", "surrogateescape")
        key = int.from_bytes(hashlib.sha256(words).digest()[:7], "big")
        lock = partial(server.exec_driver_sql, "SELECT pg_try_advisory_lock(%s)", (key,))
        self.waiting.until(lambda: bool(lock().scalar()), lambda: _holder_of(server, key), does)
        try:
            yield
        finally:
            if not server.closed:
                try:
                    server.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (key,))
                except sa.exc.DBAPIError:  # it went with its session
                    assert server.closed

    @contextmanager
    def limited(self, connection: sa.Connection) -> Iterator[None]:
        settle = "SELECT set_config('lock_timeout', %s, false), pg_backend_pid()"
        [(_, here)] = connection.exec_driver_sql(settle, (f"{round(self.patience * 1000)}ms",))
        connection.commit()
        with self.watching("SELECT CAST(%(here)s AS int)", here=here):
            yield

    @property
    def patience(self) -> float:
        """Seconds after which the server is to end a wait."""
        return max(self.waiting.seconds, SHORTEST_WAIT)

    def watching(self, waiters: str, **which: object) -> AbstractContextManager[None]:
        """Look who is in the way of sessions in this database.

        Args:
            waiters: the query for their numbers, and what it wants to know.

        https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION
        """
        blocking = (
            f"SELECT {_SESSION} FROM ({waiters}) AS w(pid)"  # noqa: S608  # columns
            " CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b(pid)"
            " LEFT JOIN pg_stat_activity a ON a.pid = b.pid ORDER BY a.xact_start"
        )
        beside = partial(self.session, autocommit=True)
        return self.waiting.watched(
            beside, lambda session: sessions(session.exec_driver_sql(blocking, which)), self._holds, self.patience
        )

    @contextmanager
    def watching_program(self) -> Iterator[dict[str, str]]:
        """Give the environment for a program of PostgreSQL's, and look who is in its way."""
        name = f"{program(sys.argv)} {os.getpid()}"
        _, environment = self.client()
        waiters = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %(name)s"
        with self.watching(waiters, name=name):
            yield {**os.environ, **environment, "PGAPPNAME": name, "LC_ALL": "C"}

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
        from . import postgresql_loading as loading

        key = table.autoincrement_column
        if key is not None and key.name not in columns:
            (loading.move_sequence if size.present else loading.restart_sequence)(connection, key)
        if self._driver_name != "psycopg" or not columns:
            super().bulk_load(connection, table, columns, blocks, size)
        else:
            with loading.without_indexes(connection, table, size):
                loading.copy(connection, table, columns, self._converters(connection, table, columns), blocks)
        if key is not None and key.name in columns:
            loading.move_sequence(connection, key)

    def _converters(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> list[Convert]:
        from . import postgresql_loading as loading

        return loading.converters(super()._converters(connection, table, columns), table, columns)

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
        for schema, name, kind, constraint in connection.execute(sa.text(_NOT_VALID)):
            table, quoted = ours.get((schema, name)), preparer.quote(constraint)
            if table is not None and quoted not in map(preparer.format_constraint, _meant_not_valid(table)):
                cure = f"ALTER TABLE {preparer.format_table(table)} VALIDATE CONSTRAINT {quoted}"
                found.append(Unvalidated(f"{kind} {constraint} on {table.fullname}", cure))
        return found

    def conditions_elsewhere(self, connection: sa.Connection, table: sa.Table) -> list[str]:
        name = standing(connection, table)
        return list(connection.scalars(sa.text(_CONDITIONS_ELSEWHERE), {"table": name}))

    def respelled(self, connection: sa.Connection, table: sa.Table, check: sa.CheckConstraint) -> str | None:
        condition = f"CONSTRAINT {SPELLING} CHECK ({expression_text(connection, check)})"
        return _spelled(connection, table, condition, spelled_check)

    def respelled_column(self, connection: sa.Connection, column: sa.Column[Any], computed: sa.Computed) -> str | None:
        return _spelled(connection, column.table, spelling_column(connection, column, computed), spelled_column)

    def has_index(self, connection: sa.Connection, index: sa.Index) -> bool:
        table = index.table
        if table is None or index.name is None:
            return False
        like = table.to_metadata(sa.MetaData(), schema=None)  # type: ignore[arg-type]  # None is the default schema
        [copy] = (one for one in like.indexes if one.name == index.name)
        name = standing(connection, table)
        preparer = connection.dialect.identifier_preparer
        there = connection.scalar(sa.text(_INDEX), {"table": name, "index": index.name})
        trying = connection.begin_nested()
        try:
            run(connection, f"CREATE TEMPORARY TABLE {preparer.format_table(like)} (LIKE {name})")
            connection.execute(sa.schema.CreateIndex(copy))
            made = connection.scalar(
                sa.text(_INDEX), {"table": f"pg_temp.{preparer.format_table(like)}", "index": index.name}
            )
        except sa.exc.DBAPIError:  # it needs a column that is not there yet
            return False
        finally:
            trying.rollback()
        return there is not None and there == made

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

    def version(self, connection: sa.Connection | None) -> str:
        if isinstance(connection, Session):
            return ".".join(map(str, connection.version))
        return super().version(connection)

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

# The columns of an enumeration, or of arrays of one, with what says that and their default; those of partitions follow.
_OF_ENUMERATION = """
SELECT CAST(a.attrelid AS regclass)::text, quote_ident(a.attname), CASE WHEN a.atttypid = t.oid THEN '' ELSE '[]' END,
    pg_get_expr(d.adbin, d.adrelid)
FROM pg_type t JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE t.oid = CAST(:kind AS regtype) ORDER BY 1, a.attnum
"""

# What an index is, but for its name and that of its table.
_INDEX = """
SELECT i.indisunique || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? ON .*? USING ', '')
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = CAST(:table AS regclass) AND c.relname = :index
"""
_NOT_VALID = """
SELECT n.nspname, c.relname, CASE k.contype WHEN 'c' THEN 'CHECK' ELSE 'foreign key' END, k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND k.contype IN ('c', 'f')
ORDER BY n.nspname, c.relname, k.conname
"""

# What the types of a table's columns say, and the bounds of its partitions, or of itself as one.
_CONDITIONS_ELSEWHERE = """
SELECT regexp_replace(pg_get_constraintdef(k.oid), '\\mVALUE\\M', quote_ident(a.attname), 'g')
FROM pg_attribute a JOIN pg_constraint k ON k.contypid = a.atttypid
WHERE a.attrelid = CAST(:table AS regclass) AND NOT a.attisdropped
UNION ALL SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relispartition AND CAST(:table AS regclass) IN (c.oid, i.inhparent)
"""


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
        return "" if state_of(error) == "42703" else None  # a column that is not there yet
    finally:
        trying.rollback()


def _literal(label: str) -> str:
    return "'" + label.replace("'", "''") + "'"


def _holder_of(connection: sa.Connection | Session, key: int) -> str:
    """Return the session that holds an advisory lock in a session's database."""
    query = (
        f"SELECT {_SESSION} FROM pg_locks l JOIN pg_stat_activity a USING (pid)"  # noqa: S608  # columns
        " WHERE l.locktype = 'advisory' AND l.granted AND l.database = a.datid"
        " AND a.datname = current_database() AND (l.classid::bigint << 32) + l.objid::bigint = %s"
    )
    return sessions(list(connection.exec_driver_sql(query, (key,)))) or UNKNOWN


def sessions(found: Sequence[Any]) -> str | None:
    """Return `session 4711 of ada (psql)` for the first of rows of _SESSION, of how many it is one."""
    if not found:
        return None
    pid, user, program_name, address, *_ = found[0]
    if pid is None:
        return "a prepared transaction"
    inside = ", ".join(filter(None, (program_name, address)))
    more = f", one of {len(found)}," if len(found) > 1 else ""
    return f"session {pid} of {user}{f' ({inside})' if inside else ''}{more}"
