"""Who may destroy what: the environment, the host, the database's name, and the consent of the person."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from . import bookkeeping
from .backends import looking
from .backends.base import TableName
from .console import plural
from .errors import CommandError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project

DISPOSABLE = ("development", "test")  # environments in which rows may be destroyed
WITH_FLAGS = ("reset", "restore", "snapshot")  # commands that have --allow-remote and --allow-production-name
Losses = Sequence[tuple[str, int, str]]  # table, rows, a note on them


def before_connecting(
    project: Project, action: str, *, allow_remote: bool = False, allow_production_name: bool = False
) -> None:
    """Refuse to empty a database of production, of another machine, or with a name like production's.

    Args:
        action: what is refused, as it begins a sentence: "reset".

    Raises:
        CommandError: with the flag or setting that lifts this refusal.
    """
    backend, settings = project.backend, project.settings
    if settings.environment == "production":
        raise CommandError(
            f"{action} is refused: ENVIRONMENT is production ({project.variables.source('ENVIRONMENT')})",
            "point DATABASE_URL and ENVIRONMENT at a development database",
        )
    known = {host.lower() for host in settings.development_hosts}
    remote = [host for host in backend.hosts() if not is_this_machine(host) and host.lower() not in known]
    if remote and not allow_remote:
        # A host that only a service or an option file knows has no name to put into the setting.
        ways = [f"add DEVELOPMENT_HOSTS={remote[0]} to .env"] if " " not in remote[0] else []
        ways += ["give --allow-remote"] if action in WITH_FLAGS else []
        way = " or ".join(ways or ["name its host in DATABASE_URL"])
        raise CommandError(f"{action} is refused: {remote[0]} is another machine", f"if it is for development, {way}")
    if names_production(backend.database) and not allow_production_name:
        way = "give --allow-production-name" if action in WITH_FLAGS else "use reset --allow-production-name"
        raise CommandError(
            f"{action} is refused: the name {backend.database!r} says production", f"if it is not, {way}"
        )


def after_connecting(project: Project, connection: sa.Connection, action: str) -> None:
    """Refuse a database that was first migrated as production, or as something that nothing here writes.

    Raises:
        CommandError: the environment recorded in the database is neither development nor test.
    """
    recorded = recorded_environment(connection)
    if recorded not in (None, *DISPOSABLE, "production"):
        raise bookkeeping.damaged("environment", recorded or "")
    if recorded == "production":
        raise CommandError(
            f"{action} is refused: {project.backend.label} records that it is a production database",
            "point DATABASE_URL at a development database",
        )


def recorded_environment(connection: sa.Connection) -> str | None:
    """Return the environment the database was first migrated in, None when it never was."""
    return bookkeeping.read(connection, "environment")


def is_production(project: Project, connection: sa.Connection) -> bool:
    """Return whether the settings say production, or the database itself anything but development or test."""
    return project.settings.environment == "production" or recorded_environment(connection) not in (None, *DISPOSABLE)


def is_this_machine(host: str) -> bool:
    """Return whether a host of a URL is certainly this machine, without asking any name server."""
    if host.lower() in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def names_production(name: str) -> bool:
    """Return whether a name holds prod or production as a word: school-prod, SchoolProd, but not reproduction."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return any(word.lower() in ("prod", "production") for word in words)


def count_rows(connection: sa.Connection, tables: Iterable[TableName]) -> dict[TableName, int]:
    """Return how many rows each table holds."""
    return {table: looking.count(connection, table) for table in tables}


def losses(connection: sa.Connection, counted: Mapping[TableName, int]) -> Losses:
    """Return what would be lost with tables: of each its rows, and which of them seeding could not make again."""
    seeded, inserted = bookkeeping.seeded_rows(connection), bookkeeping.read_all(connection, "inserted:")
    return [
        (str(table), rows, where_from(rows, seeded.get(str(table), 0), inserted.get(str(table))))
        for table, rows in sorted(counted.items(), key=lambda one: str(one[0]))
    ]


def where_from(rows: int, seeded: int, revision: str | None) -> str:
    """Return which of a table's rows seeding could not make again, nothing when it could make them all."""
    if not rows or revision:
        return f"from migration {revision}" if revision and rows else ""
    strangers = max(0, rows - seeded)
    return f"{strangers:,} of them not from seed" if strangers else ""


def refuse_more(agreed: Losses | None, found: Losses) -> None:
    """Refuse to lose rows that came after the person was asked.

    Args:
        agreed: what was shown; None where nobody was asked.

    Raises:
        CommandError: a table holds more rows than were shown.
    """
    shown = {table: rows for table, rows, _ in agreed or ()}
    for table, rows, _ in found if agreed is not None else ():
        if rows > shown.get(table, 0):
            cause = f"{table} holds {plural(rows, 'row')} by now, and {shown.get(table, 0):,} were shown"
            raise CommandError(f"{cause}. Nothing was changed", "run the command again")


def consent(project: Project, explanation: str, *, no_input: bool) -> None:
    """Say what will be lost, and have the person type the database's name unless --no-input was given.

    Raises:
        CommandError: the person declined, or there is no terminal to ask on.
    """
    if no_input:
        project.console.note(explanation)
    else:
        project.console.confirm(explanation, project.backend.database)
