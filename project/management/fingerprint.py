"""What a reset would build, as one short text: two that are equal build the same rows in the same tables."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import re
from collections.abc import Iterator
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from .project import Project

LIBRARIES = ("SQLAlchemy", "alembic", "Faker", "sqlglot")
# What says where the database is and what is kept of it says nothing of what is in it.
ELSEWHERE = frozenset({"database_url", "development_hosts", "snapshots_kept", "snapshot_limit"})

_ASKS_THE_CLOCK = re.compile(rb"\b(today|now|utcnow)\(")  # in a seeder: its rows are others tomorrow


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
    """
    found = hashlib.sha256()
    for part in _parts(project, connection, wanted):
        found.update(repr(part).encode("utf-8", "backslashreplace"))
    return found.hexdigest()


def _parts(project: Project, connection: sa.Connection | None, wanted: Wanted) -> Iterator[object]:
    yield dataclasses.astuple(wanted) if wanted.seeded else "not seeded"
    yield platform.python_version(), [(name, _version(name)) for name in LIBRARIES]
    yield project.backend.dialect, project.backend.version(connection)
    settings = project.settings
    names = {"environment", *getattr(settings, "__dict__", ())}
    if dataclasses.is_dataclass(settings):  # it may have slots
        names |= {field.name for field in dataclasses.fields(settings)}
    yield [(name, getattr(settings, name)) for name in sorted(names - ELSEWHERE)]
    for folder in (project.package, "migrations"):
        for file in _files(project.root / folder):
            if project.backend.is_its_file(file):
                continue
            text = file.read_bytes()
            yield str(file.relative_to(project.root)), text
            if file.parent.name == "seeds" and _ASKS_THE_CLOCK.search(text):
                yield date.today()
    yield (project.root / "alembic.ini").read_bytes()


def _files(folder: Path) -> Iterator[Path]:
    """Return every file below a folder, data that a seeder reads as well, but for what Python compiled."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name != "__pycache__":
                yield from _files(path)
        elif path.is_file() and path.suffix != ".pyc":
            yield path


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
