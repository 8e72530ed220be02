"""Choose the backend of a URL. Everything that differs between databases is in this folder."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from urllib.parse import unquote

from ..errors import CommandError, did_you_mean
from ..lazily import sqlalchemy as sa
from . import options
from .addresses import Address
from .base import Backend

__all__ = ["Backend", "backend_for", "moved"]

# scheme -> (module, class, SQLAlchemy's name of the dialect, drivers in order of preference, the extra with one)
_SCHEMES = {
    "sqlite": ("sqlite", "SQLite", "sqlite", ("sqlite3",), ""),
    "postgresql": ("postgresql", "PostgreSQL", "postgresql", ("psycopg", "psycopg2"), "postgresql"),
    "postgres": ("postgresql", "PostgreSQL", "postgresql", ("psycopg", "psycopg2"), "postgresql"),
    "mysql": ("mariadb", "MariaDB", "mysql", ("pymysql", "MySQLdb"), "mariadb"),
    "mariadb": ("mariadb", "MariaDB", "mariadb", ("pymysql", "MySQLdb"), "mariadb"),
}
_DRIVER_OF_MODULE = {"sqlite3": "pysqlite", "MySQLdb": "mysqldb"}
_MODULE_OF_DRIVER = {driver: module for module, driver in _DRIVER_OF_MODULE.items()}
_PACKAGE_OF_MODULE = {"MySQLdb": "mysqlclient", "psycopg2": "psycopg2-binary"}
_PLAIN_FILE = re.compile(r"sqlite:///(?! )[\w./ -]+(?<! )")
_LIKE_A_SERVER = re.compile(r"/*[^/:@]{2,}:.*@")  # user:password@
_EXAMPLE = (
    "write it as scheme://user:password@host:port/database, with @ : / # % ? in a password as %40 %3A %2F %23 %25 %3F"
)


def backend_for(text: str, *, root: Path, source: str) -> Backend:
    """Return the backend for a DATABASE_URL.

    Args:
        root: the folder a relative SQLite path is relative to.
        source: where the text comes from, for messages; the text itself may hold a password and is never shown.

    Raises:
        CommandError: the text is no URL, its database or driver is unknown or not installed.
    """
    if _PLAIN_FILE.fullmatch(text):  # which needs no SQLAlchemy to be read
        from .sqlite import SQLite

        return SQLite(text, root=root)
    if (address := Address.of_plain(text)) is not None:  # nor does this, while its driver is asked nothing else
        from .postgresql import PostgreSQL

        scheme, rest = text.split("://")
        *_, drivers, extra = _SCHEMES[scheme]
        return PostgreSQL(f"postgresql+{_installed(scheme, '', drivers, extra)}://{rest}", root=root, address=address)
    url = _parsed(text, source)
    scheme, _, driver = url.drivername.lower().partition("+")
    if scheme not in _SCHEMES:
        raise CommandError(
            f"DATABASE_URL ({source}) begins with {scheme!r}.{did_you_mean(scheme, list(_SCHEMES))}",
            "it can be sqlite, postgresql, mariadb or mysql",
        )
    module, name, dialect, drivers, extra = _SCHEMES[scheme]
    url = options.without_async_only(url, driver)
    driver = _installed(scheme, "" if driver in options.ASYNC_DRIVERS else driver, drivers, extra)
    url = _with_one_database(url.set(drivername=f"{dialect}+{driver}"), source)
    try:
        url.get_dialect()
    except (
        sa.exc.NoSuchModuleError,
        AttributeError,
    ) as error:  # the second for a module of SQLAlchemy that is no driver
        raise CommandError(
            f"SQLAlchemy has no driver {driver!r} for {scheme}", f"begin DATABASE_URL with {scheme}://"
        ) from error
    backend: type[Backend] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return backend(url, root=root)


def moved(text: str, name: str, folder: Path, *, source: str) -> str:
    """Return the URL of another database on the same server, of SQLite that of a file in a folder.

    The driver stays as it is written, so that a program which wants an async one gets it.
    """
    url = _parsed(text, source)
    if url.get_backend_name() == "sqlite":
        url = sa.URL.create(url.drivername, database=str(folder / f"{name}.db"))
    else:
        url = url.difference_update_query(["dbname", "database", "db"]).set(database=name)
    return url.render_as_string(hide_password=False)


def _parsed(text: str, source: str) -> sa.URL:
    scheme, _, rest = text.partition("://")
    of_server = not scheme.lower().startswith("sqlite")
    if of_server and rest.count("@") > 1:  # whatever else is taken for a host, a port or an option would be shown
        raise CommandError(
            f"DATABASE_URL ({source}) holds more than one @, so that the end of its password cannot be told",
            "write @ as %40 in the password",
        )
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # Not even as its cause is the error kept: it may quote what was taken for a port.
        raise CommandError(f"DATABASE_URL ({source}) is not a database URL", _EXAMPLE) from None
    if not of_server and (url.host or url.username or url.password or _LIKE_A_SERVER.match(url.database or "")):
        raise CommandError(
            f"DATABASE_URL ({source}) begins with sqlite and goes on like the URL of a server",
            "begin it with postgresql:// or mariadb://, or name a file, as in sqlite:///school.db",
        )
    if not of_server and "?" in text and not url.query:  # of options without a value nothing is left
        raise CommandError(
            f"DATABASE_URL ({source}) has a ? in the name of its file, with which options would begin",
            "write it as %3F",
        )
    if "\0" in unquote(text):  # a driver in C would take what is before it for the whole name
        raise CommandError(f"DATABASE_URL ({source}) holds a NUL character (%00)", "take it out")
    return url


def _with_one_database(url: sa.URL, source: str) -> sa.URL:
    """Return the URL with its database in the path: drivers take one of the query too, which would go unseen."""
    named = [key for key in ("dbname", "database", "db") if key in url.query]
    if url.get_backend_name() == "sqlite" or not named:
        return url
    if url.database or len(named) > 1 or not isinstance(url.query[named[0]], str):
        raise CommandError(f"DATABASE_URL ({source}) names its database twice", "write it once, after the last /")
    return url.set(database=str(url.query[named[0]])).difference_update_query(named)


def _installed(scheme: str, driver: str, preferred: tuple[str, ...], extra: str) -> str:
    modules = [_MODULE_OF_DRIVER.get(driver, driver)] if driver else list(preferred)
    for module in modules:
        if _is_installed(module):
            return _DRIVER_OF_MODULE.get(module, module)
    wanted, usual = modules[0], preferred[0]
    cure = f"python -m pip install {_PACKAGE_OF_MODULE.get(wanted, wanted)}, or write {scheme}:// to use {usual}"
    if wanted == usual:
        cure = f"python -m pip install -c constraints.txt -e '.[{extra}]'"
    raise CommandError(f"the driver {wanted} of {scheme}:// is not installed", cure)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a name that no module can have
        return False
