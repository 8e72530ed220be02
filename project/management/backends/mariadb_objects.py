"""What a MariaDB or MySQL database holds beside tables: views, routines, triggers and events, made anew by statements.

The manuals call them stored objects: https://mariadb.com/kb/en/stored-routines/, /views/, /triggers/, /events/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..errors import driver_words
from .copies import CannotCopy, run

_INVALID_VIEW, _NO_SUCH_TABLE, _NO_SUCH_ROUTINE, _OTHER_DEFINER = 1356, 1146, 1305, 1227

Key = tuple[str, str]  # kind and name, which no two of a database have alike


class StoredObject(NamedTuple):
    """One of them, and what makes it in whichever database is used."""

    kind: str  # as DROP has it
    name: str
    statement: str
    sql_mode: str = ""  # under which it was made, which changes what its text means
    time_zone: str = ""  # in which the times of an event are
    charset: str = ""  # of the client that made it, which its texts have
    collation: str = ""

    @property
    def key(self) -> Key:
        return self.kind, self.name


def read(server: sa.Connection, database: str) -> list[StoredObject]:
    """Return them in an order in which they can be made, but for views on views.

    Raises:
        CannotCopy: the server does not show one to this user.
    """
    with using(server, database):
        return [
            StoredObject(row.kind, row.name, _trigger(row), row.sql_mode, "", row.charset, row.collation)
            if row.kind == "TRIGGER"
            else _shown(server, row.kind, row.name)
            for row in server.execute(_OBJECTS, {"database": database}).all()
        ]


def broken(server: sa.Connection, database: str, objects: Sequence[StoredObject]) -> list[StoredObject]:
    """Return the views that refer to what is not there any more: nothing could make them again."""
    found = []
    for one in objects:
        if one.kind == "VIEW":
            try:
                run(server, f"SELECT 1 FROM {quoted(database)}.{quoted(one.name)} LIMIT 0")  # noqa: S608  # quoted
            except sa.exc.DBAPIError as error:
                if code_of(error) != _INVALID_VIEW:
                    raise
                found.append(one)
    return found


def unqualified(one: StoredObject, database: str) -> StoredObject:
    """Return one as it is shown where what it refers to is there: of a broken view each name has a database."""
    return one._replace(statement=one.statement.replace(f"{quoted(database)}.", "")) if one.kind == "VIEW" else one


def make(server: sa.Connection, database: str, objects: Sequence[StoredObject], *, asleep: bool = False) -> None:
    """Make them in a database.

    Args:
        asleep: make the events as ones that do not run.

    Raises:
        CannotCopy: one cannot be made.
    """
    with using(server, database), settings_kept(server):
        while objects:
            objects, before = _made_but(server, objects, asleep), objects
            if len(objects) == len(before):
                raise CannotCopy(f"the view {objects[0].name} refers to what is not there", "mend or drop it")


def drop(server: sa.Connection, database: str, objects: Sequence[StoredObject]) -> None:
    """Drop them, those that are there."""
    for one in reversed(objects):
        run(server, f"DROP {one.kind} IF EXISTS {quoted(database)}.{quoted(one.name)}")


def change(server: sa.Connection, database: str, there: Sequence[StoredObject], wanted: Sequence[StoredObject]) -> None:
    """Drop and make what it takes for a database that has some to have others."""
    drop(server, database, [one for one in there if one not in wanted])
    make(server, database, [one for one in wanted if one not in there])


@contextmanager
def using(server: sa.Connection, database: str) -> Iterator[None]:
    """Have names without a database mean one's of this."""
    before = server.scalar(sa.text("SELECT DATABASE()"))
    run(server, f"USE {quoted(database)}")
    try:
        yield
    finally:
        if before is not None and not server.invalidated:
            run(server, f"USE {quoted(before)}")


@contextmanager
def settings_kept(server: sa.Connection) -> Iterator[None]:
    """Give a session its mode and time zone back in the end."""
    before = server.execute(sa.text("SELECT @@SESSION.sql_mode, @@SESSION.time_zone")).one()
    try:
        yield
    finally:
        if not server.invalidated:
            names = {"mode": before[0], "zone": before[1]}
            server.execute(sa.text("SET SESSION sql_mode = :mode, time_zone = :zone"), names)


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def code_of(error: sa.exc.DBAPIError) -> int | None:
    """Return the server's number of an error: https://mariadb.com/kb/en/mariadb-error-code-reference/"""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _made_but(server: sa.Connection, objects: Sequence[StoredObject], asleep: bool) -> list[StoredObject]:
    """Make what can be made; return the views that have to wait for others."""
    waiting = []
    for one in objects:
        try:
            _make(server, one, asleep)
        except sa.exc.DBAPIError as error:
            if one.kind == "VIEW" and code_of(error) in (_NO_SUCH_TABLE, _NO_SUCH_ROUTINE):
                waiting.append(one)
                continue
            raise CannotCopy(
                f"the {one.kind.lower()} {one.name} cannot be made: {driver_words(error.orig or error)}",
                "grant that right, or let somebody who has it run this"
                if code_of(error) == _OTHER_DEFINER
                else "mend or drop it",
            ) from error
    return waiting


def _make(server: sa.Connection, one: StoredObject, asleep: bool) -> None:
    for setting in ("sql_mode", "time_zone"):
        value = getattr(one, setting)
        if value or (setting == "sql_mode" and one.kind != "VIEW"):
            server.execute(sa.text(f"SET SESSION {setting} = :value"), {"value": value})
    statement = one.statement
    if asleep and one.kind == "EVENT":
        statement = _STATUS.sub(r"\1 DISABLE", statement, count=1)
    with _as_client(server, one.charset, one.collation):
        run(server, statement)


@contextmanager
def _as_client(server: sa.Connection, charset: str, collation: str) -> Iterator[None]:
    """Send what comes as a client with another character set does: what is made keeps both."""
    driver: Any = server.connection.driver_connection
    if not charset or not hasattr(driver, "set_character_set"):  # of PyMySQL
        yield
        return
    before = driver.charset, driver.collation
    driver.set_character_set(charset, collation)
    try:
        yield
    finally:
        driver.set_character_set(*before)


def _shown(server: sa.Connection, kind: str, name: str) -> StoredObject:
    row = run(server, f"SHOW CREATE {kind} {quoted(name)}").mappings().one()
    statement = row[f"Create {kind.title()}"]
    if not statement:
        raise CannotCopy(
            f"the server does not show the {kind.lower()} {name} to this user",
            "let its definer be this user, or GRANT SELECT ON mysql.proc",
        )
    settings = ("sql_mode", "time_zone", "character_set_client", "collation_connection")
    return StoredObject(kind, name, statement, *(row.get(setting, "") for setting in settings))


def _trigger(row: sa.Row[tuple[str, ...]]) -> str:
    """Return what makes a trigger: the server shows it with the database's name, where it was made with that."""
    user, _, host = row.definer.rpartition("@")
    definer = f"{quoted(user)}@{quoted(host)}" if user else quoted(host)
    events = row.event.replace(",", " OR ")
    return (
        f"CREATE DEFINER={definer} TRIGGER {quoted(row.name)} {row.timing} {events} ON {quoted(row.table_of)}"
        f" FOR EACH ROW {row.body}"
    )


_STATUS = re.compile(r"( ON COMPLETION (?:NOT )?PRESERVE) (ENABLE|DISABLE(?: ON SLAVE)?)")
# By the schema of its table a server finds a trigger at once; by its own, which is the same, it would open every table.
_OBJECTS = sa.text(
    "SELECT kind, name, table_of, timing, event, body, definer, sql_mode, charset, collation FROM ("
    " SELECT 1 AS turn, routine_type AS kind, routine_name AS name, '' AS table_of, '' AS timing, '' AS event,"
    " '' AS body, '' AS definer, '' AS sql_mode, 0 AS place, '' AS charset, '' AS collation"
    " FROM information_schema.routines WHERE routine_schema = :database"
    " UNION ALL SELECT 2, 'VIEW', table_name, '', '', '', '', '', '', 0, '', ''"
    " FROM information_schema.views WHERE table_schema = :database"
    " UNION ALL SELECT 3, 'TRIGGER', trigger_name, event_object_table, action_timing, event_manipulation,"
    " action_statement, definer, sql_mode, action_order, character_set_client, collation_connection"
    " FROM information_schema.triggers WHERE event_object_schema = :database"
    " UNION ALL SELECT 4, 'EVENT', event_name, '', '', '', '', '', '', 0, '', ''"
    " FROM information_schema.events WHERE event_schema = :database"
    ") found ORDER BY turn, table_of, timing, event, place, kind, name"
)
