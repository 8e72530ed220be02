"""What the machinery remembers in the database itself: a table of keys and values, hidden from autogenerate.

The steps that were done are in a table of their own: migration_history.

Keys: `environment` (recorded at the first migrate), `unfinished` (a revision that was begun and not done, where some
of it cannot be rolled back), `seeded:TABLE` (how far a table has been seeded), `inserted:TABLE` (the data migration
its rows come from), `rebuilding` (while a reset builds: the snapshot of what was there before it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from . import migration_history
from .backends import looking
from .errors import CommandError, driver_words, shortened
from .lazily import sqlalchemy as sa

TABLE = "management_metadata"
REBUILDING = "rebuilding"
HIDDEN = frozenset({TABLE, migration_history.TABLE, "alembic_version"})

_MADE_ANEW = {
    TABLE: "python manage.py migrate makes it anew",
    migration_history.TABLE: "python manage.py migrate makes it anew",
    "alembic_version": "python manage.py migrate --fake REVISION records the one it is at",
}


@cache
def metadata_table() -> sa.Table:
    return sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("key", sa.String(190), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        mariadb_charset="utf8mb4",
        mysql_charset="utf8mb4",
    )


def exists(connection: sa.Connection) -> bool:
    """Return whether this database has the table already."""
    return looking.has_table(connection, TABLE)


def versions(connection: sa.Connection) -> list[str]:
    """Return the revisions that the database is at; none where Alembic's table is missing.

    Raises:
        CommandError: the table holds something else.
    """
    if not looking.has_table(connection, "alembic_version"):
        return []
    return require_revisions(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def require_revisions(found: Iterable[object]) -> list[str]:
    """Return what Alembic's table holds, when all of it is texts."""
    revisions = []
    for one in found:
        if not isinstance(one, str):
            cause = f"alembic_version holds {shortened(repr(one))}, which is no revision"
            raise CommandError(cause, f"delete that row; then {_MADE_ANEW['alembic_version']}")
        revisions.append(one)
    return revisions


def is_complete(connection: sa.Connection) -> bool:
    """Return whether it has that of the steps too, which earlier versions of this project did not make."""
    return exists(connection) and migration_history.exists(connection)


def ensure(connection: sa.Connection) -> None:
    """Make the table, and that of the steps, when they are missing, in the transaction that is open."""
    metadata_table().create(connection, checkfirst=True)
    migration_history.ensure(connection)


def read(connection: sa.Connection, key: str) -> str | None:
    """Return a key's value, None when it or the whole table is missing."""
    if not exists(connection):
        return None
    return looking.value(connection, TABLE, metadata_table, key)


def read_all(connection: sa.Connection, prefix: str) -> dict[str, str]:
    """Return the values of all keys with a prefix, by the rest of the key."""
    if not exists(connection):
        return {}
    found = looking.values(connection, TABLE, metadata_table, prefix)
    return {key[len(prefix) :]: value for key, value in found.items()}


def seeded_rows(connection: sa.Connection) -> dict[str, int]:
    """Return how many row numbers of each table are used, by the table's name."""
    found = read_all(connection, "seeded:")
    for table, value in found.items():
        if not re.fullmatch(r"\d{1,18}", value, re.ASCII):
            raise damaged(f"seeded:{table}", value)
    return {table: int(value) for table, value in found.items()}


def write(connection: sa.Connection, key: str, value: str) -> None:
    """Set a key, in the transaction that is open."""
    delete(connection, key)
    connection.execute(metadata_table().insert().values(key=key, value=value))


def delete(connection: sa.Connection, key: str) -> None:
    """Forget a key, in the transaction that is open."""
    connection.execute(metadata_table().delete().where(metadata_table().c.key == key))


def refused(error: sa.exc.DBAPIError, label: str) -> CommandError | None:
    """Return what it means that a statement on one of the two tables failed; None for any other statement.

    Args:
        label: the database's.
    """
    for name in sorted(HIDDEN):
        if re.search(rf"\b{name}\b", error.statement or ""):
            return CommandError(
                f"{name} in {label} is not the table that migrate makes: {driver_words(error.orig or error)}",
                f"rename or drop it; then {_MADE_ANEW[name]}",
            )
    return None


def damaged(key: str, value: str) -> CommandError:
    """Return what it means that a key has a value that is never written to it."""
    cause = f"{TABLE} holds {shortened(value)!r} for {key}, which nothing here writes"
    return CommandError(cause, "correct that row, or delete it")
