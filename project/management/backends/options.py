"""The options after the ? of a DATABASE_URL: what other drivers call them, and those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ..errors import CommandError, did_you_mean
from ..lazily import sqlalchemy as sa

Given = str | tuple[str, ...]
Read = Callable[[str], object]

# What only an async driver, its pool or SQLAlchemy's dialect for it knows, and says nothing of the database.
_ASYNC_ONLY: Mapping[str, Collection[str]] = {
    # https://magicstack.github.io/asyncpg/current/api/index.html#asyncpg.connection.connect
    "asyncpg": (
        "prepared_statement_cache_size",
        "prepared_statement_name_func",
        "async_fallback",
        "statement_cache_size",
        "max_cached_statement_lifetime",
        "max_cacheable_statement_size",
        "command_timeout",
        "timeout",
        "server_settings",
        "direct_tls",
        "min_size",
        "max_size",
    ),
    # https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#module-sqlalchemy.dialects.sqlite.aiosqlite
    "aiosqlite": ("timeout", "check_same_thread", "cached_statements", "async_fallback"),
    # https://aiomysql.readthedocs.io/en/stable/connection.html, pool.html
    "aiomysql": ("minsize", "maxsize", "pool_recycle", "echo", "autocommit", "auth_plugin", "async_fallback"),
    "asyncmy": ("minsize", "maxsize", "pool_recycle", "echo", "autocommit", "auth_plugin", "async_fallback"),
    "psycopg_async": ("async_fallback",),
}
ASYNC_DRIVERS = _ASYNC_ONLY.keys()
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def without_async_only(url: sa.URL, driver: str) -> sa.URL:
    """Return the URL of an async driver without the options that no other driver knows."""
    return url.difference_update_query(_ASYNC_ONLY.get(driver, ()))


def translated_ssl(url: sa.URL, words: Mapping[str, Mapping[str, str]]) -> sa.URL:
    """Return the URL with ssl=..., as asyncpg and aiomysql have it, in the options of the driver that is used here.

    Args:
        words: for each value what is to be given instead; "true" and "false" stand for their other spellings too.
    """
    if "ssl" not in url.query:
        return url
    given = str(url.query["ssl"]).lower()
    word = "true" if given in _YES else "false" if given in _NO else given
    if word not in words:
        raise _wrong("ssl", given, f"it can be {', '.join(words)}")
    url = url.difference_update_query(["ssl"])
    return url.set(query={**words[word], **url.query})


def read(given: Mapping[str, Given], known: Mapping[str, Read], driver: str) -> dict[str, object]:
    """Return the options of a URL as the driver takes them.

    Args:
        known: what reads each option that the driver has; it raises ValueError with what the option can be.

    Raises:
        CommandError: the driver has no such option, or could do nothing with its value.
    """
    values = {}
    for name, text in given.items():
        if name not in known:
            close = did_you_mean(name, list(known), most=1)
            raise CommandError(
                f"DATABASE_URL has the option {name!r}, which {driver} does not know.{close}",
                "correct it, or take it out",
            )
        if not isinstance(text, str):
            raise CommandError(f"DATABASE_URL gives the option {name!r} twice", "keep one")
        try:
            values[name] = known[name](text)
        except ValueError as error:
            shown = "..." if name.startswith("pass") or name.endswith("password") else text
            raise _wrong(name, shown, str(error)) from error
    return values


def _wrong(name: str, given: str, cure: str) -> CommandError:
    return CommandError(f"the option {name!r} of DATABASE_URL is {given!r}", cure)


# What reads one option


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 2**31 - 1):
        raise ValueError("it is a whole number above 0")
    return int(text)


def integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("it is a whole number") from None


def flag(text: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise ValueError("it can be true or false")
    return text.lower() in _YES


def file(text: str) -> str:
    try:
        with open(Path(text).expanduser(), "rb"):
            return text
    except (OSError, ValueError) as error:
        raise ValueError(f"name a file that can be read: {getattr(error, 'strerror', error)}") from error
