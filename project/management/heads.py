"""Whether a database is at the newest revision, told from the text of the files: importing Alembic takes longer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import bookkeeping, migration_history

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project


def reached_head(root: Path, connection: sa.Connection) -> str | None:
    """Return the one newest revision when the database is certainly at it; None leaves the answer to Alembic.

    Args:
        root: the project's folder, with alembic.ini.
    """
    try:
        head = _head(root)
    except (*_UNREADABLE, Error):  # what is wrong with the files, Alembic's own way will find out
        return None
    return head if head is not None and bookkeeping.versions(connection) == [head] else None


def is_as_applied(project: Project, connection: sa.Connection) -> bool:
    """Return whether every file of a plain history is certainly the one that was applied."""
    known, why_not = migration_history.look_up(project, connection)
    if not known or why_not:
        return False
    records = migration_history.last_applied(known)
    try:
        return not any(_is_changed(file, records) for file in _files(project.root))
    except _UNREADABLE:  # as above
        return False


def _is_changed(file: Path, records: Mapping[str, migration_history.Record]) -> bool:
    record = records.get(str(_values(file)[0]))
    return record is not None and migration_history.is_changed(file, record)


def revisions(root: Path) -> set[str]:
    """Return the revisions that files have, as far as the files say it plainly."""
    found: set[str] = set()
    for file in _files(root):
        with suppress(*_UNREADABLE):
            assigned = _ASSIGNED.findall(migration_history.text_of(file))
            found.update(str(ast.literal_eval(value)) for name, value in assigned if name == "revision")
    return found


def _head(root: Path) -> str | None:
    """Return the newest revision of a plain history, in one line and without branches; None for any other."""
    parents: dict[str, str | None] = {}
    for file in _files(root):
        revision, parent, *others = _values(file)
        if not isinstance(revision, str) or revision in parents or any(others) or not isinstance(parent, str | None):
            return None
        parents[revision] = parent
    heads = parents.keys() - parents.values()
    return heads.pop() if len(heads) == 1 and list(parents.values()).count(None) == 1 else None


def _files(root: Path) -> Iterator[Path]:
    config = ConfigParser(defaults={"here": str(root).replace("%", "%%")})
    config.read(root / "alembic.ini", encoding="utf-8")
    folders = map(Path, config.get("alembic", "version_locations", fallback="").split("\n"))
    return (file for folder in folders if folder.name for file in folder.glob("*.py"))


def _values(file: Path) -> list[object]:
    """Return what a revision file assigns to revision, down_revision, branch_labels and depends_on.

    Raises:
        ValueError, SyntaxError: a value is not on its line, or a name has two.
    """
    found: dict[str, object] = {}
    for name, value in _ASSIGNED.findall(migration_history.text_of(file)):
        if name in found:
            raise ValueError(name)
        found[name] = ast.literal_eval(value)
    return [found.get(name) for name in _NAMES]


_UNREADABLE = (OSError, ValueError, SyntaxError)
_NAMES = ("revision", "down_revision", "branch_labels", "depends_on")
# A file is not parsed as a whole: of a long history that would take most of the time of a small seeding.
_ASSIGNED = re.compile(rf"^({'|'.join(_NAMES)})\b[^=\n]*=(?!=)[ \t]*(.*)$", re.MULTILINE)
