"""Where a server is and who asks it: the parts of a DATABASE_URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlalchemy as sa

# One that says nothing but these parts, each as it stands; any other is for SQLAlchemy to read.
_PLAIN = (
    r"postgres(?:ql)?://(?:(?P<user>[\w.-]+)(?::(?P<password>[\w.!~*$-]+))?@)?"
    r"(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?/(?P<database>[\w.-]+)"
)


class Address(NamedTuple):
    """The parts of a URL; None where it does not say one."""

    user: str | None
    password: str | None
    host: str | None
    port: int | None
    database: str | None
    options: Mapping[str, str | tuple[str, ...]]  # after the ?

    @classmethod
    def of(cls, url: sa.URL) -> Address:
        return cls(url.username, url.password, url.host, url.port, url.database, url.query)

    @classmethod
    def of_plain(cls, text: str) -> Address | None:
        """Return the parts of a URL of PostgreSQL that is plain, read as SQLAlchemy would; None of any other."""
        if not text.startswith("postgres") or (found := re.fullmatch(_PLAIN, text, re.ASCII)) is None:
            return None
        user, password, host, port, database = found.groups()
        return cls(user, password, host, int(port) if port else None, database, {})

    def given(self, **other: object) -> dict[str, Any]:
        """Return a plain one's parts as a driver takes them."""
        parts = {"host": self.host, "port": self.port, "user": self.user, "password": self.password, **other}
        return {name: value for name, value in parts.items() if value is not None}
