"""PostgreSQL databases of earlier tests, emptied: while others run, to make and drop one takes half a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import sqlalchemy as sa

# What somebody can make in a database leaves a row in one of these.
_CATALOGS = (
    *("am", "amop", "amproc", "attrdef", "attribute", "cast", "class", "collation", "constraint", "conversion"),
    *("default_acl", "depend", "description", "enum", "event_trigger", "extension", "foreign_data_wrapper"),
    *("foreign_server", "inherits", "init_privs", "language", "largeobject_metadata", "namespace", "opclass"),
    *("operator", "policy", "proc", "publication", "range", "rewrite", "sequence", "statistic_ext", "transform"),
    *("trigger", "ts_config", "ts_dict", "ts_parser", "ts_template", "type", "user_mapping"),
)
_COUNTS = sa.text(
    " UNION ALL ".join(f"SELECT '{one}', count(*)::text FROM pg_catalog.pg_{one}" for one in _CATALOGS)
    + " UNION ALL SELECT nspname, concat(nspowner, nspacl) FROM pg_namespace"
)
# What most tests make in it
_MADE = sa.text("""
SELECT 'SCHEMA ' || quote_ident(nspname) FROM pg_namespace
WHERE nspname NOT IN ('information_schema', 'public') AND nspname !~ '^pg_'
UNION ALL SELECT CASE relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW ' WHEN 'S' THEN 'SEQUENCE '
    WHEN 'f' THEN 'FOREIGN TABLE ' WHEN 'c' THEN 'TYPE ' ELSE 'TABLE ' END || quote_ident(relname)
FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'ROUTINE ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'TYPE ' || oid::regtype FROM pg_type
WHERE typtype IN ('d', 'e', 'r') AND typnamespace = 'public'::regnamespace
""")
# What belongs to a database and is not in it
_AS_MADE = sa.text("""
SELECT datallowconn AND NOT datistemplate AND datconnlimit = -1 AND datacl IS NULL AND datdba = (
        SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND shobj_description(d.oid, 'pg_database') IS NULL
    AND NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = d.oid)
    AND NOT EXISTS (SELECT FROM pg_shdepend WHERE dbid = d.oid AND deptype <> 'o')
FROM pg_database d WHERE datname = :name AND oid = :oid
""")
_SESSIONS = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datid = :oid")
_OID = sa.text("SELECT oid FROM pg_database WHERE datname = :name")
_MAKE = "CREATE DATABASE {}"
# A killed process leaves its session to the server, which may still be undoing its work.
DROP = 'DROP DATABASE IF EXISTS "{}" WITH (FORCE)'


class Spares:
    """The databases of one server that are as new, for the tests of one process."""

    def __init__(self, server: sa.Connection, connect: Callable[[str], sa.Connection]) -> None:
        self._server = server  # each of whose statements commits
        self._connect = connect  # opens such a session in a database
        self._names: list[str] = []
        self._oids: dict[str, int] = {}
        self._new: Mapping[str, str] | None = None  # what a new database has in its catalogs

    def take(self, name: str) -> None:
        """Give a test a database of this name: one of an earlier test, or a new one."""
        if self._names:
            self._run(f"ALTER DATABASE {self._names.pop()} RENAME TO {name}")
        else:
            self._run(_MAKE.format(name))
            if self._new is None:
                self._new = self._counts(name)
        self._oids[name] = self._server.scalar(_OID, {"name": name})

    def give_back(self, name: str) -> None:
        """Keep a database for another test where nothing is left of this one, else drop it."""
        if self._is_emptied(name):
            self._names.append(name)
        else:
            self._run(DROP.format(name))

    def drop(self) -> None:
        """Drop what is left when no test comes any more."""
        while self._names:
            self._run(DROP.format(self._names.pop()))

    def _is_emptied(self, name: str) -> bool:
        which = {"name": name, "oid": self._oids.pop(name, None)}
        if not self._server.scalar(_AS_MADE, which) or not self._is_left(which):
            return False
        with self._connect(name) as session:
            try:
                session.exec_driver_sql("SET lock_timeout = '2s'")
                while one := session.scalar(_MADE):  # it may take others with it
                    session.exec_driver_sql(f"DROP {one} CASCADE", execution_options={"no_parameters": True})
            except sa.exc.DBAPIError:  # what this does not know how to empty
                return False
        return self._counts(name) == self._new

    def _is_left(self, which: Mapping[str, object]) -> bool:
        """Return whether every session is gone; one that was closed takes a moment for it."""
        deadline = time.monotonic() + 1
        while self._server.scalar(_SESSIONS, which):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def _counts(self, name: str) -> Mapping[str, str]:
        with self._connect(name) as session:
            return dict(session.execute(_COUNTS).all())

    def _run(self, statement: str) -> None:
        self._server.exec_driver_sql(statement)
