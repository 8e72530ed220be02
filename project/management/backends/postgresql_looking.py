"""A session of PostgreSQL by psycopg or psycopg2 alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .looking import LOG, Plain, raised_as_sqlalchemys

if TYPE_CHECKING:
    import sqlalchemy as sa


NOT_PERMITTED = "42501"


class Session(Plain):
    """What SQLAlchemy's connection would do here, of a driver that takes parameters as %s or %(name)s."""

    @property
    def version(self) -> tuple[int, int]:
        """The server's, as SQLAlchemy tells it: https://www.postgresql.org/docs/current/libpq-status.html"""
        number = int(self.driver.info.server_version)
        return number // 10_000, number % 10_000

    def has_database(self, name: str) -> bool:
        """Return whether the server has a database of this name."""
        return bool(self.exec_driver_sql("SELECT 1 FROM pg_database WHERE datname = %s", (name,)))

    def part(self, statement: str) -> None:
        """Close the session with a statement that the server runs to its end, without waiting for it.

        By psycopg2, which shows nothing of the protocol, it is not run at all.
        https://www.postgresql.org/docs/current/libpq-async.html
        """
        protocol = getattr(self.driver, "pgconn", None)
        if protocol is None:
            return
        with raised_as_sqlalchemys(statement, self.errors):
            LOG.info("%s", statement)
            protocol.nonblocking = 0
            protocol.send_query(statement.encode(self.driver.info.encoding))
            self.driver.close()


def state_of(error: sa.exc.DBAPIError) -> str | None:
    """Return the code of what the server refused, as psycopg or psycopg2 tells it; None where it was not the server.

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    found: str | None = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return found
