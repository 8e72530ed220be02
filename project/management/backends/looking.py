"""A connection that only looks: SQLAlchemy's, or one of the driver alone, for importing SQLAlchemy takes longer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from ..lazily import sqlalchemy as sa
from .base import TableName, quoted

LOG = logging.getLogger("sqlalchemy.engine.Engine")  # where SQLAlchemy writes its statements


class Plain:
    """What is asked of SQLAlchemy's connection on the way of a reset from a snapshot, by a driver alone."""

    mark = "%s"  # of a parameter
    tables = "SELECT to_regclass(%s)"  # finds a table, or a view, by its name

    def __init__(self, driver: Any, errors: type[Exception]) -> None:
        """Take a connection as the driver gives it, and what it raises."""
        self.driver = driver
        self.errors = errors

    @property
    def itself(self) -> sa.Connection:
        """This, as what it stands for where nothing but this is asked of it."""
        return cast("sa.Connection", self)

    @property
    def closed(self) -> bool:
        """Whether it can no longer be used, whoever has closed it."""
        return bool(self.driver.closed)

    def commit(self) -> None:
        """Commit the transaction, where one is open."""
        self._end("COMMIT", self.driver.commit)

    def rollback(self) -> None:
        """Roll the transaction back, where one is open."""
        self._end("ROLLBACK", self.driver.rollback)

    def _end(self, statement: str, end: Callable[[], object]) -> None:
        with raised_as_sqlalchemys(statement, self.errors, self):
            LOG.info(statement)
            end()

    def exec_driver_sql(
        self, statement: str, parameters: tuple[object, ...] | Mapping[str, object] | None = None, **_options: object
    ) -> Rows:
        """Run a statement; without parameters a % in it is one."""
        with raised_as_sqlalchemys(statement, self.errors, self):
            LOG.info("%s", statement)
            return self._run(statement, parameters)

    def _run(self, statement: str, parameters: Any) -> Rows:
        with self.driver.cursor() as cursor:
            cursor.execute(statement, parameters)
            return Rows(cursor.fetchall() if cursor.description else ())


class Rows(list[Any]):
    """What a statement returned, as tuples."""

    def scalars(self) -> list[Any]:
        return [row[0] for row in self]

    def scalar(self) -> Any:
        return self[0][0] if self else None


@contextmanager
def raised_as_sqlalchemys(statement: str, errors: type[Exception], on: Plain | None = None) -> Iterator[None]:
    """Raise a driver's errors as SQLAlchemy would, for whoever explains them.

    Args:
        on: the connection, where there is one already.
    """
    try:
        yield
    except errors as error:
        is_cut = on is not None and on.closed
        raise sa.exc.DBAPIError.instance(
            statement, None, error, errors, hide_parameters=True, connection_invalidated=is_cut
        ) from error


def has_table(connection: sa.Connection, name: str) -> bool:
    """Return whether a database has a table, or a view, in its default schema; of a name that needs no quotes."""
    if isinstance(connection, Plain):
        return connection.exec_driver_sql(connection.tables, (name,)).scalar() is not None
    if connection.dialect.name == "postgresql":  # its own query takes SQLAlchemy longer to write
        return bool(connection.exec_driver_sql(f"SELECT to_regclass('{name}') IS NOT NULL").scalar())
    return sa.inspect(connection).has_table(name)


def count(connection: sa.Connection, table: TableName) -> int:
    """Return how many rows a table holds."""
    if isinstance(connection, Plain):
        query = f"SELECT count(*) FROM {'.'.join(map(quoted, filter(None, table)))}"  # noqa: S608  # quoted
        return int(connection.exec_driver_sql(query).scalar())
    return connection.scalar(sa.select(sa.func.count()).select_from(table.clause)) or 0


def value(connection: sa.Connection, name: str, table: Callable[[], sa.Table], key: str) -> str | None:
    """Return the value of a key in a table of keys and values, None where it is not there.

    Args:
        table: returns the table of that name; asked only where SQLAlchemy is used.
    """
    if isinstance(connection, Plain):
        query = f"SELECT value FROM {name} WHERE key = {connection.mark}"  # noqa: S608  # a name of ours
        return cast("str | None", connection.exec_driver_sql(query, (key,)).scalar())
    of = table().c
    found: str | None = connection.scalar(sa.select(of.value).where(of.key == key))
    return found


def values(connection: sa.Connection, name: str, table: Callable[[], sa.Table], prefix: str) -> dict[str, str]:
    """Return the values of all keys with a prefix, as `value` does."""
    if isinstance(connection, Plain):
        query = f"SELECT key, value FROM {name} WHERE key LIKE {connection.mark}"  # noqa: S608  # a name of ours
        return dict(connection.exec_driver_sql(query, (f"{prefix}%",)))
    of = table().c
    query_of_all = sa.select(of.key, of.value).where(of.key.startswith(prefix, autoescape=True))
    return dict(row for row in connection.execute(query_of_all))
