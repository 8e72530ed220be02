"""Copies of a PostgreSQL database: other databases on the server, made and put back as templates are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..errors import CommandError, shortened
from .base import IDLE, TableName, quoted
from .copies import CannotCopy, Copies, Copy, Describe, Keep, address_of, digest, run, unreadable
from .postgresql import sessions
from .postgresql_dumps import PROGRAMS, PostgreSQLDumps
from .processes import UNKNOWN

if TYPE_CHECKING:
    from .postgresql import PostgreSQL

LONGEST_NAME = 63  # bytes: https://www.postgresql.org/docs/current/limits.html
COPIED_AS_FILES = 128 << 20  # bytes from which copying files takes less time than writing each page to the log
IN_USE = "55006"
_NUMBERS = 1 << 32  # of transactions, after which they begin again
_MARK = '{"snapshot": '  # with this begins the comment on a database that is a copy


class PostgreSQLCopies(Copies):
    """Databases like `school_snapshot_NAME`; what is known of each is its comment. Dumps where there can be none.

    https://www.postgresql.org/docs/current/manage-ag-templatedbs.html
    """

    backend: PostgreSQL

    @cached_property
    def dumps(self) -> PostgreSQLDumps:
        """The copies of a role that can make none on the server."""
        return PostgreSQLDumps(self.backend)

    @cached_property
    def _refused(self) -> CannotCopy | None:
        """Why this role can make no copies on the server, as far as its rights say."""
        try:
            with self.backend.on_server() as server:
                rights = server.execute(sa.text(_RIGHTS), {"name": self.owner}).one_or_none()
        except CannotCopy as error:
            return error
        if rights is None:  # there is no database
            return None
        user, database = quoted(rights.me), quoted(self.owner)
        cures = [] if rights.makes else [f"ALTER ROLE {user} CREATEDB"]
        cures += [] if rights.owns else [f"ALTER DATABASE {database} OWNER TO {user}"]
        return (
            CannotCopy(f"PostgreSQL does not let user {rights.me!r} copy a database", "; ".join(cures))
            if cures
            else None
        )

    def _is_dump(self, copy: Copy) -> bool:
        return copy.place.startswith(f"{self.dumps.root}{os.sep}")

    @contextmanager
    def alone(self) -> Iterator[None]:
        does = f"works with the snapshots of {self.backend.label}"
        with ExitStack() as stack:
            with suppress(CannotCopy):
                server = stack.enter_context(self.backend.on_server())
                stack.enter_context(self.backend.held(server, "copies", does))
            if self._refused or self.dumps.folder.exists():
                stack.enter_context(self.dumps.alone())
            yield

    def all(self) -> Sequence[Copy]:
        found = [*self.dumps.all()]
        try:
            with self.backend.on_server() as server:
                found += [_read(row) for row in server.execute(sa.text(_COPIES), {"mark": f"{_MARK}%"})]
        except CannotCopy:
            self.backend.engine().connect().close()  # where nothing answers, that is to be told
        return found

    def save(self, name: str, describe: Describe) -> None:
        if self._refused:
            self._save_dump(self._refused, name, describe)
            return
        with self.backend.on_server() as server:
            making, place = self._working("making"), self._place(server, name)
            live = {"oid": _oid(server, self.owner), "after": _transaction(server)}  # later changes have later numbers
            is_whole = self._copied(server, making)
            with self._connected(making) as copy:
                about = describe(copy)
                counts = {table: count for table, count, _ in _changes(copy, live["after"] or 0)}
                size = self.size(copy)
            comment = {"snapshot": name, "database": self.owner, "about": about, "size": size}
            if is_whole:  # a dump leaves out what somebody has not committed, whose number may be an earlier one
                comment |= {"live": live, "counts": counts}
            with _at_once(server):
                self._carry_over(server, self.owner, making, only_rights=True)  # who may not read here reads not there
                _comment(server, making, comment)
                self._rename(server, making, place)

    def _copied(self, server: sa.Connection, target: str) -> bool:
        """Copy the database, whoever works with it; return whether it is a copy of all there is, pages and all."""
        if is_whole := not self._is_used(server):
            self._clone(server, self.owner, target)
        else:
            self._dump(server, target)
        return is_whole

    def _save_dump(self, refused: CannotCopy, name: str, describe: Describe) -> None:
        missing = [one for one in PROGRAMS if not shutil.which(one)]
        if missing:
            raise CannotCopy(
                f"{refused.cause}, and for a dump there is no {' and no '.join(missing)}",
                f"{refused.cure}, or install the client of PostgreSQL",
            )
        is_first = not any(copy.database == self.owner for copy in self.dumps.all())
        self.dumps.save(name, describe)
        if is_first:
            self.backend.waiting.notify(
                f"Snapshots of {self.backend.label} are dumps in {self.dumps.folder}: {refused.cause}."
                f" For faster ones: {refused.cure}"
            )

    def restore(self, copy: Copy, keep: Keep | None) -> None:
        if self._is_dump(copy):
            if keep and not self._refused:  # for such a copy nobody may be in the database
                self.save(keep.name, lambda _: keep.about)
            self.dumps.restore(copy, keep if self._refused else None)
            return
        with self.backend.on_server() as server:
            making, gone = self._working("making"), self._working("gone")
            self._clone(server, copy.place, making)
            written = json.loads(server.scalar(sa.text(_COMMENT), {"name": copy.place}))
            written["live"] = {"oid": _oid(server, making), "after": _transaction(server)}
            if "counts" not in written:  # it came of a dump
                with self._connected(making) as connection:
                    written["counts"] = {table: count for table, count, _ in _changes(connection, 0)}
            old = self._place(server, keep.name) if keep else gone
            kept = (
                {"snapshot": keep.name, "database": self.owner, "about": keep.about, "size": keep.size} if keep else {}
            )

            def change_places() -> None:
                _comment(server, copy.place, written)
                self._carry_over(server, self.owner, making)
                self._rename(server, self.owner, old)
                self._rename(server, making, self.owner)
                if keep:
                    _comment(server, old, kept)

            with self._permitted(f"put a copy in the place of {self.owner}"):
                self._when_nobody_is_in(server, self.owner, change_places, at_once=True)
            if not keep:
                self._drop(server, gone)

    def delete(self, copy: Copy) -> None:
        if self._is_dump(copy):
            self.dumps.delete(copy)
            return
        with self.backend.on_server() as server:
            self._drop(server, copy.place)

    @contextmanager
    def throwaway(self, *, empty: bool = False) -> Iterator[str]:
        if self._refused:
            raise self._refused
        making = self._working("making")
        with self.backend.on_server() as server:
            try:
                if empty:
                    self._create(server, making)
                else:
                    self._copied(server, making)
                yield making
            finally:
                self._drop(server, making)

    def clear_up(self) -> None:
        self.dumps.clear_up()
        with suppress(CannotCopy), self.backend.on_server() as server:
            for purpose in ("making", "gone"):
                if _oid(server, self._working(purpose)) is not None:
                    self._drop(server, self._working(purpose))

    def unchanged_since(self, copies: Sequence[Copy], connection: sa.Connection) -> Copy | None:
        copies = [one for one in copies if not self._is_dump(one)]
        if not copies:
            return None
        with self.backend.on_server() as server:
            now, oid = _transaction(server), _oid(server, self.owner)
            comments = {one.place: server.scalar(sa.text(_COMMENT), {"name": one.place}) for one in copies}
        for copy in copies:
            written = json.loads(comments[copy.place] or "{}")
            live, counts = written.get("live"), written.get("counts")
            if not live or not counts or live["oid"] != oid or now - live["after"] > _NUMBERS // 4:
                continue
            if counts["pg_largeobject_metadata"]:  # what is in one cannot be read without special rights
                continue
            found = _changes(connection, live["after"])
            connection.rollback()
            if {name: count for name, count, _ in found} == counts and not any(changed for *_, changed in found):
                return copy
        return None

    @property
    def server(self) -> str:
        return address_of(self.backend.url)

    def held(self) -> AbstractContextManager[object]:
        return self.backend.on_server()

    def clone(self, name: str) -> None:
        with self.backend.on_server() as server:
            self._clone(server, self.owner, name)

    def drop(self, name: str) -> None:
        with self.backend.on_server() as server:
            with suppress(sa.exc.DBAPIError):  # somebody else's: it is waited for
                server.execute(sa.text(_END), {"name": name})
            self._drop(server, name)

    def beginning(self, begin: str) -> Sequence[str]:
        with self.backend.on_server() as server:
            return list(
                server.scalars(
                    sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :begin)"), {"begin": begin}
                )
            )

    def tables(self, connection: sa.Connection) -> list[TableName]:
        default = sa.inspect(connection).default_schema_name
        return [
            TableName(None if schema == default else schema, name)
            for schema, name in connection.execute(sa.text(_TABLES_OF_ALL))
        ]

    def inventory(self, connection: sa.Connection) -> list[str]:
        return list(connection.scalars(sa.text(_INVENTORY)))

    def size(self, connection: sa.Connection) -> int:
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)

    # Names

    def _working(self, purpose: str) -> str:
        """Return the name of a database that is there only while something is done; no snapshot's name has a ~."""
        return self._named(f"~{purpose}")

    def _place(self, server: sa.Connection, name: str) -> str:
        """Return the name of the database that a copy becomes."""
        place = self._named(name)
        if _oid(server, place) is not None:
            raise CommandError(f"there is a database {place} already", "take another name, or drop it")
        return place

    def _named(self, name: str) -> str:
        end = f"_snapshot_{name}"
        room = LONGEST_NAME - len(end)
        owner = self.owner
        if len(owner.encode()) > room:
            owner = f"{owner.encode()[: room - 9].decode(errors='ignore')}_{digest(owner)}"
        return owner + end

    # On the server

    @contextmanager
    def _connected(self, database: str) -> Iterator[sa.Connection]:
        engine = self.backend.engine_of(database)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def _clone(self, server: sa.Connection, source: str, target: str) -> None:
        strategy = ""
        if (server.dialect.server_version_info or ()) >= (15,):
            size = server.scalar(sa.text("SELECT pg_database_size(CAST(:name AS name))"), {"name": source}) or 0
            strategy = " STRATEGY FILE_COPY" if size >= COPIED_AS_FILES else " STRATEGY WAL_LOG"
        statement = f"CREATE DATABASE {quoted(target)} TEMPLATE {quoted(source)}{strategy}"
        with self._permitted("copy a database"):
            self._when_nobody_is_in(server, source, lambda: run(server, statement))

    @contextmanager
    def _permitted(self, what: str) -> Iterator[None]:
        """Say what to grant where a right is missing."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != "42501":
                raise
            user = self.backend.url.username
            raise CannotCopy(
                f"PostgreSQL does not let user {user!r} {what}: {self.backend.refusal(error)}",
                f"ALTER ROLE {quoted(user or '')} CREATEDB; the database has to be its own",
            ) from error

    def _is_used(self, server: sa.Connection) -> bool:
        """Return whether somebody is connected whom its own tools let stay while they copy the database."""
        for _ in range(10):
            names = list(server.scalars(sa.text(_NAMES), {"database": self.owner}))
            if not all(re.match(_OURS, name) for name in names):
                return all(map(shutil.which, ("pg_dump", "psql")))
            if not names:
                return False
            time.sleep(0.01)  # a session of this program that was closed a moment ago
        return False

    def _create(self, server: sa.Connection, database: str) -> None:
        """Make an empty database that sorts and spells as this one does."""
        row = server.execute(sa.text(_LETTERS), {"name": self.owner}).one_or_none()
        if row is None:
            self.backend.engine().connect().close()  # says that there is none
        assert row is not None
        provider = _PROVIDERS.get(row.provider, "").format(row.locale)
        with self._permitted("make a database"):
            run(
                server,
                f"CREATE DATABASE {quoted(database)} TEMPLATE template0 ENCODING '{row.encoding}'"
                f" LC_COLLATE '{row.datcollate}' LC_CTYPE '{row.datctype}'{provider}",
            )

    def _dump(self, server: sa.Connection, target: str) -> None:
        """Copy the database as pg_dump sees it at one moment, beside those who work in it."""
        self._create(server, target)
        _, environment = self.backend.client()
        given = {**os.environ, **environment}
        dump = ["pg_dump", "--no-password"]
        load = ["psql", "--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
        with (
            subprocess.Popen(dump, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as out,  # noqa: S603  # ours
            subprocess.Popen(  # noqa: S603  # ours
                load,
                env={**given, "PGDATABASE": target},  # an argument with a = in it would be more than a name
                stdin=out.stdout,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as into,
        ):
            assert out.stdout is not None
            out.stdout.close()
            said = [one.communicate()[1].decode(errors="replace").strip() for one in (into, out)]
        if into.returncode or out.returncode:
            words = " ".join((said[0] or said[1]).split())
            raise CannotCopy(
                f"{self.owner} cannot be copied beside its sessions: {shortened(words, most=200)}", "end them"
            )

    def _when_nobody_is_in(
        self, server: sa.Connection, database: str, work: Callable[[], object], *, at_once: bool = False
    ) -> None:
        """Do what nobody may be connected to a database for; sessions that do nothing are ended, others waited for."""

        def done() -> bool:
            if self._others(server, database):
                return False
            try:
                if at_once:
                    with _at_once(server):
                        work()
                else:
                    work()
            except sa.exc.DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != IN_USE:
                    raise
                return False
            return True

        def holder() -> str:
            return sessions(self._others(server, database)) or UNKNOWN

        self.backend.waiting.until(done, holder, f"is connected to {database}")

    def _others(self, server: sa.Connection, database: str) -> Sequence[Any]:
        """Return the sessions in a database after ending those that do nothing."""
        found = server.execute(sa.text(_SESSIONS), {"database": database, "idle": IDLE, "ours": _OURS}).all()
        for one in found:
            if not one.is_idle:
                continue
            with suppress(sa.exc.DBAPIError):  # somebody else's: it is waited for
                server.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": one.pid})
                inside = f" ({one.application_name})" if one.application_name else ""
                self.backend.waiting.notify(f"ended session {one.pid} of {one.usename}{inside}, which did nothing")
        return found

    def _carry_over(self, server: sa.Connection, old: str, new: str, *, only_rights: bool = False) -> None:
        """Give the new database what belongs to the old one and is not in it: rights, owner, settings, comment."""
        row = server.execute(sa.text(_BELONGINGS), {"name": old}).one()
        target, statements = quoted(new), []
        if row.owner != row.me and not only_rights:
            statements.append(f"ALTER DATABASE {target} OWNER TO {quoted(row.owner)}")
        if row.datconnlimit != -1:
            statements.append(f"ALTER DATABASE {target} CONNECTION LIMIT {row.datconnlimit}")
        if row.acl is not None:
            statements.append(f"REVOKE ALL ON DATABASE {target} FROM PUBLIC")
            for right, grantee, grantable in row.acl:
                to = quoted(grantee) if grantee else "PUBLIC"
                option = " WITH GRANT OPTION" if grantable else ""
                statements.append(f"GRANT {right} ON DATABASE {target} TO {to}{option}")
        for role, setting in () if only_rights else row.settings or ():
            name, _, value = setting.partition("=")
            given = value if name in _LISTS else "'" + value.replace("'", "''") + "'"
            of = f"ROLE {quoted(role)} IN " if role else ""
            statements.append(f"ALTER {of}DATABASE {target} SET {quoted(name)} TO {given}")
        for statement in statements:
            run(server, statement)
        if not only_rights and row.comment is not None and not row.comment.startswith(_MARK):
            _comment(server, new, row.comment)

    def _rename(self, server: sa.Connection, old: str, new: str) -> None:
        run(server, f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}")

    def _drop(self, server: sa.Connection, database: str) -> None:
        statement = f"DROP DATABASE IF EXISTS {quoted(database)}"
        self._when_nobody_is_in(server, database, lambda: run(server, statement))


@contextmanager
def _at_once(server: sa.Connection) -> Iterator[None]:
    """Make one transaction of what is done on a connection that commits each statement."""
    run(server, "BEGIN")
    try:
        yield
    except BaseException:
        with suppress(sa.exc.DBAPIError):
            run(server, "ROLLBACK")
        raise
    run(server, "COMMIT")


def _comment(server: sa.Connection, database: str, comment: object) -> None:
    text = comment if isinstance(comment, str) else json.dumps(comment)
    literal = server.scalar(sa.text("SELECT quote_literal(:text)"), {"text": text})
    run(server, f"COMMENT ON DATABASE {quoted(database)} IS {literal}")


def _oid(server: sa.Connection, database: str) -> int | None:
    query = sa.text("SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = :name")
    found: int | None = server.scalar(query, {"name": database})
    return found


def _transaction(server: sa.Connection) -> int:
    return int(server.scalar(sa.text("SELECT txid_current()")) or 0)


def _changes(connection: sa.Connection, after: int) -> list[tuple[str, int, int]]:
    """Return of each table, and each catalog that says what there is, the rows and those of a later transaction.

    Of a sequence the number it is at. https://www.postgresql.org/docs/current/ddl-system-columns.html
    """
    younger = f"count(*) FILTER (WHERE age(xmin) <= age('{after % _NUMBERS}'::xid))"
    looks = [f"SELECT '{name}', count(*), {younger} FROM pg_catalog.{name}" for name in _CATALOGS]  # noqa: S608  # ours
    for table, literal, kind in connection.execute(sa.text(_TABLES)):
        what = "last_value * 2 + is_called::int, 0" if kind == "S" else f"count(*), {younger}"
        looks.append(f"SELECT {literal}, {what} FROM {table}")  # noqa: S608  # PostgreSQL quoted them
    everything = run(connection, " UNION ALL ".join(looks))
    return [(name, count, changed) for name, count, changed in everything]


def _read(row: Any) -> Copy:
    try:
        written = json.loads(row.comment)
        return Copy(written["snapshot"], written["database"], written["about"], written["size"], row.datname)
    except (ValueError, KeyError, TypeError):  # of another version of this program, or changed by hand
        return unreadable(row.datname)


_OURS = r"^(manage\.py|alembic)( (?!shell)|$)"  # sessions of this project's programs; Python and PostgreSQL read it
_NAMES = "SELECT application_name FROM pg_stat_activity WHERE datname = :database AND backend_type = 'client backend'"
_COMMENT = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name"
_COPIES = """
SELECT datname, shobj_description(oid, 'pg_database') AS comment
FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE :mark ORDER BY datname
"""
# A program of this project that waits for its turn is not idle: it goes by itself. A shell may sit there for days.
_SESSIONS = """
SELECT pid, usename, application_name, host(client_addr) AS address,
    application_name !~ :ours
    AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')
    AND (state = 'idle' OR state LIKE 'idle in transaction%' AND backend_xid IS NULL
        AND state_change <= clock_timestamp() - make_interval(secs => :idle)) AS is_idle
FROM pg_stat_activity a
WHERE datname = :database AND pid <> pg_backend_pid() AND backend_type NOT LIKE 'autovacuum%'
ORDER BY pid
"""
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
_RIGHTS = """
SELECT rolname AS me, rolcreatedb OR rolsuper AS makes, rolsuper OR pg_has_role(datdba, 'USAGE') AS owns
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = :name
"""
_LETTERS = (
    "SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, datctype,"
    " to_jsonb(d) ->> 'datlocprovider' AS provider,"  # versions before 15 have none
    " coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale"
    " FROM pg_database d WHERE datname = :name"
)
# https://www.postgresql.org/docs/current/sql-createdatabase.html
_PROVIDERS = {"i": " LOCALE_PROVIDER icu ICU_LOCALE '{}'", "b": " LOCALE_PROVIDER builtin BUILTIN_LOCALE '{}'"}
_BELONGINGS = """
SELECT pg_get_userbyid(datdba) AS owner, current_user AS me, datconnlimit,
    shobj_description(d.oid, 'pg_database') AS comment,
    CASE WHEN datacl IS NOT NULL THEN (
        SELECT coalesce(json_agg(json_build_array(privilege_type,
            CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, is_grantable)), '[]')
        FROM aclexplode(datacl) WHERE grantee <> datdba
    ) END AS acl,
    (SELECT json_agg(json_build_array(CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END, one))
        FROM pg_db_role_setting, unnest(setconfig) AS one WHERE setdatabase = d.oid) AS settings
FROM pg_database d WHERE datname = :name
"""
# Settings whose value is a list of names, kept quoted: https://www.postgresql.org/docs/current/runtime-config-client.html
_LISTS = (
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "local_preload_libraries",
)
_CATALOGS = (
    "pg_attrdef",
    "pg_attribute",
    "pg_class",
    "pg_constraint",
    "pg_default_acl",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_index",
    "pg_inherits",
    "pg_largeobject_metadata",
    "pg_namespace",
    "pg_policy",
    "pg_proc",
    "pg_range",
    "pg_rewrite",
    "pg_sequence",
    "pg_statistic_ext",
    "pg_trigger",
    "pg_type",
)
_TABLES = """
SELECT CAST(CAST(c.oid AS regclass) AS text), quote_literal(CAST(c.oid AS regclass)), c.relkind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY c.oid
"""
_TABLES_OF_ALL = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema'
AND n.nspname NOT LIKE 'pg\\_%' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
) ORDER BY n.nspname, c.relname
"""
_INVENTORY = """
WITH made(classid, oid, said) AS (
    SELECT 'pg_class'::regclass, c.oid, CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'relation ' END || c.oid::regclass
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, 'function ' || p.oid::regprocedure
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_type'::regclass, t.oid, 'type ' || t.oid::regtype
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('d', 'e', 'r') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_namespace'::regclass, oid, 'schema ' || quote_ident(nspname) FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL SELECT 'pg_extension'::regclass, oid, 'extension ' || quote_ident(extname) FROM pg_extension
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 'event trigger ' || quote_ident(evtname) FROM pg_event_trigger
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 'trigger ' || quote_ident(tgname) || ' on ' || tgrelid::regclass
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'pg_policy'::regclass, oid, 'policy ' || quote_ident(polname) || ' on ' || polrelid::regclass
    FROM pg_policy
    UNION ALL SELECT 'pg_publication'::regclass, oid, 'publication ' || quote_ident(pubname) FROM pg_publication
    UNION ALL SELECT classid, oid, pg_describe_object(classid, oid, 0) FROM (
        SELECT 'pg_collation'::regclass, oid FROM pg_collation
        UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
        UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
        UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
        UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata
    ) other(classid, oid) WHERE oid >= 16384  -- below is what every database has
)
SELECT said FROM made WHERE NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = made.classid AND d.objid = made.oid AND d.deptype = 'e'
) ORDER BY said
"""
