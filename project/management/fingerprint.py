"""What a reset would build, as one short text: two that are equal build the same rows in the same tables."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CommandError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project

LIBRARIES = ("SQLAlchemy", "alembic", "Faker", "sqlglot")
# What says where the database is and what is kept of it says nothing of what is in it.
ELSEWHERE = frozenset({"database_url", "development_hosts", "snapshots_kept", "snapshot_limit"})

_ABOUT = re.compile(r"(\w+)-([^-]+)\.dist-info")
# In a migration, a seeder, or what one may import: its rows are others tomorrow. Some of Faker's providers count from
# today as well.
_ASKS_THE_CLOCK = re.compile(
    rb"(?<!func\.)(?<![\"'])\b(?:today|now|utcnow|localtime|gmtime|ctime|time_ns)\(|[\"'](?:today|now)[\"']"
    rb"|\b(?:date|datetime)\.(?:today|now|utcnow)\b|\btime\.(?:time|strftime)\b|(?<![\w.])time\(\)"
    rb"|\bfake\(\s*(?:name\s*=\s*)?[\"'](?:ssn|rvnr|py(?:dict|list|set|tuple|struct|iterable)|past|future|date|time|year|month|day_of|century|am_pm|unix_time|iso8601|passport|profile|simple_profile|credit_card_(?:expire|full))"
    rb"|\bfake\w*\.(?:unique\.)?(?:ssn|rvnr|py(?:dict|list|set|tuple|struct|iterable)|date|time|year|month|day_of|century|am_pm|passport)"
    rb"|\.(?:past_|future_|date_(?:of_birth|between|this|time|object)|time_(?:delta|object|series)|unix_time|iso8601|profile|simple_profile|credit_card_(?:expire|full))"
)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a reset shall build."""

    seeded: bool
    count: int | None
    random_seed: int
    locale: str


def of(project: Project, connection: sa.Connection | None, wanted: Wanted) -> str:
    """Return the fingerprint of a reset: files, settings, options, and the versions of everything that takes part.

    Args:
        connection: to the database, None where there is none yet and none is needed to know its version.

    Raises:
        CommandError: a file cannot be read.
    """
    found = hashlib.sha256()
    try:
        for part in _parts(project, connection, wanted):
            found.update(repr(part).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise CommandError(
            f"{error.filename} cannot be read: {error.strerror}", "make it readable, or take it out of the project"
        ) from error
    return found.hexdigest()


def _parts(project: Project, connection: sa.Connection | None, wanted: Wanted) -> Iterator[object]:
    yield dataclasses.astuple(wanted) if wanted.seeded else "not seeded"
    yield sys.version.split()[0], _versions()
    yield project.backend.dialect, project.backend.version(connection)
    settings = project.settings
    names = {"environment", *getattr(settings, "__dict__", ())}
    if dataclasses.is_dataclass(settings):  # it may have slots
        names |= {field.name for field in dataclasses.fields(settings)}
    yield [(name, getattr(settings, name)) for name in sorted(names - ELSEWHERE)]
    for name, text, is_machinery in _read(project):
        yield name, hashlib.sha256(text).digest()
        if not is_machinery and _ASKS_THE_CLOCK.search(text):
            yield date.today()
    yield (project.root / "alembic.ini").read_bytes()


def sources(project: Project) -> Iterator[str]:
    """Yield the texts that build a database: of migrations, models and seeders.

    Raises:
        CommandError: a file cannot be read.
    """
    folders = ("migrations", os.path.join(project.package, "models"), os.path.join(project.package, "seeds"))
    for name, text, _ in _read(project):
        if name.startswith(tuple(f"{one}{os.sep}" for one in folders)):
            yield text.decode("utf-8", "replace")


def _read(project: Project) -> Iterator[tuple[str, bytes, bool]]:
    """Yield the path of every file that takes part, as seen from the root, what it holds, and if it is machinery."""
    root, its_own = os.path.realpath(project.root), project.backend.own_files()
    machinery = os.path.join(root, project.package, "management", "")
    for folder in (project.package, "migrations"):
        for file in _files(os.path.join(root, folder)):
            if (os.path.realpath(file) if os.path.islink(file) else file) not in its_own:
                yield os.path.relpath(file, root), Path(file).read_bytes(), file.startswith(machinery)


def _files(folder: str, inside: tuple[str, ...] = ()) -> Iterator[str]:
    """Return every file below a folder, data that a seeder reads as well, but for what Python compiled.

    Args:
        inside: the folders around it, for a link may lead back to one of them.
    """
    inside = (*inside, folder)
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda one: one.name)
    for one in found:
        if one.is_dir():
            leads_back = one.is_symlink() and os.path.realpath(one.path) in map(os.path.realpath, inside)
            if one.name != "__pycache__" and not leads_back:
                yield from _files(one.path, inside)
        elif one.is_file() and not one.name.endswith(".pyc"):
            yield one.path


def _versions() -> list[tuple[str, str]]:
    """Return the versions of the libraries from the names of the folders that say it: reading these takes longer.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-dist-info-directory
    """
    named: dict[str, str] = {}
    for folder in sys.path:
        with suppress(OSError):
            for found in filter(None, map(_ABOUT.fullmatch, os.listdir(folder or "."))):
                named.setdefault(found[1].lower(), found[2])
    return [(name, named.get(name.lower()) or _version(name)) for name in LIBRARIES]


def _version(library: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
