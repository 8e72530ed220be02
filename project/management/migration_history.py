"""What was done to a database, step by step: the table migration_history, written in each step's own transaction."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from .backends import looking
from .errors import CommandError, NotAllowed, first_line
from .lazily import sqlalchemy as sa

if TYPE_CHECKING:
    from .project import Project

TABLE = "migration_history"

# stamp: recorded, and nothing was run; unstamp: the same of one that counts as applied no more
Direction = Literal["upgrade", "downgrade", "stamp", "unstamp"]
_DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@cache
def history_table() -> sa.Table:
    return sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.String(190), nullable=False),
        sa.Column("down_revision", sa.Text),  # the ones it comes after, with a comma between them
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("direction", sa.String(9), nullable=False),
        sa.Column("done_at", sa.DateTime),  # UTC
        sa.Column("seconds", sa.Float),
        sa.Column("done_by", sa.Text),
        sa.Column("checksum", sa.String(64)),  # of the file
        sa.Column("code_checksum", sa.String(64)),  # of what Python reads in it
        mariadb_charset="utf8mb4",
        mysql_charset="utf8mb4",
    )


@dataclass(frozen=True)
class Record:
    """One step that was done: which, in which direction, when, how long it took, by whom, and from what file."""

    revision: str
    parents: tuple[str, ...]
    message: str
    direction: Direction
    done_at: datetime | None = None  # in UTC
    seconds: float | None = None
    done_by: str | None = None
    checksum: str | None = None
    code_checksum: str | None = None

    @property
    def who_and_when(self) -> str:
        """Return "2026-11-25 08:20 by ada@laptop" in local time, as far as it is known."""
        when = f"{self.done_at.astimezone():%Y-%m-%d %H:%M}" if self.done_at else ""
        return " ".join(filter(None, (when, f"by {self.done_by}" if self.done_by else "")))


def ensure(connection: sa.Connection) -> None:
    """Make the table when it is missing, in the transaction that is open."""
    history_table().create(connection, checkfirst=True)


def exists(connection: sa.Connection) -> bool:
    """Return whether this database has the table already."""
    return looking.has_table(connection, TABLE)


def read(connection: sa.Connection) -> list[Record]:
    """Return every step that was ever recorded, in the order in which they were done.

    Raises:
        Damaged: a row is none that anything here writes.
    """
    if not exists(connection):
        return []
    try:
        rows = connection.execute(sa.select(history_table()).order_by(history_table().c.id)).all()
        return [_record(row) for row in rows]
    except (AttributeError, TypeError, ValueError) as error:
        raise Damaged(
            f"{TABLE} holds what nothing here writes: {first_line(error)}",
            f"correct that row; or rename {TABLE}, then python manage.py migrate makes it anew",
        ) from error


class Damaged(CommandError):
    """The table is there, and what is in it cannot be read."""


class Known(NamedTuple):
    """The steps that were recorded, as far as they can be read."""

    records: Sequence[Record] = ()
    why_not: CommandError | None = None


NOTHING = Known()


def look_up(project: Project, connection: sa.Connection) -> Known:
    """Return the steps for what only tells of them, and goes on without: where a right is missing, or rows are damaged.

    Raises:
        sqlalchemy.exc.DBAPIError: what has nothing to do with this table, as a connection that was cut.
    """
    try:
        with connection.begin_nested():
            return Known(read(connection))
    except Damaged as error:
        why_not: CommandError = error
    except sa.exc.DBAPIError as error:
        refused = project.backend.explain(error)
        explanation = project.explanation(error)
        if explanation is None or not (refused is None or isinstance(refused, NotAllowed)):
            raise
        why_not = explanation
    return Known((), CommandError(f"the migration history cannot be read: {why_not.cause}", why_not.cure))


def last_applied(records: Iterable[Record]) -> dict[str, Record]:
    """Return of each revision the step that applied it, or recorded that it is, unless it was taken back since."""
    last = {one.revision: one for one in records}
    return {revision: one for revision, one in last.items() if one.direction in ("upgrade", "stamp")}


def write(connection: sa.Connection, record: Record) -> None:
    """Add a step, done now, in the transaction that is open."""
    connection.execute(insert(record))


def insert(record: Record, now: sa.ColumnElement[Any] | None = None) -> sa.Insert:
    """Return what adds a step.

    Args:
        now: what says in SQL which moment in UTC it is, for a step that somebody else will take.
    """
    return sa.insert(history_table()).values(
        revision=record.revision,
        down_revision=", ".join(record.parents) or None,
        message=record.message,
        direction=record.direction,
        done_at=record.done_at.astimezone(UTC).replace(tzinfo=None) if record.done_at else now,
        seconds=record.seconds,
        done_by=record.done_by,
        checksum=record.checksum,
        code_checksum=record.code_checksum,
    )


def forgotten(record: Record) -> Record:
    """Return what is written down of a revision that is recorded no longer, though nothing was taken back."""
    return replace(record, direction="unstamp", done_at=datetime.now(UTC), seconds=None, done_by=myself())


def _record(row: sa.Row[tuple[object, ...]]) -> Record:
    names = row._mapping
    if not isinstance(names["revision"], str) or not isinstance(names["message"], str):
        raise TypeError(f"row {names['id']} has no revision, or no message")
    return Record(
        names["revision"],
        tuple(filter(None, (names["down_revision"] or "").split(", "))),
        names["message"],
        next((one for one in _DIRECTIONS if one == names["direction"]), "stamp"),
        names["done_at"].replace(tzinfo=UTC) if names["done_at"] else None,
        names["seconds"],
        names["done_by"],
        names["checksum"],
        names["code_checksum"],
    )


def myself() -> str:
    """Return who runs this program: user@host."""
    import getpass  # here, for most runs have nothing to write down
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have neither a name for the user nor a variable
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


# Files that changed


@dataclass(frozen=True)
class Checksums:
    """What tells whether a revision file is what it was."""

    text: str
    code: str

    @classmethod
    def of(cls, file: Path) -> Checksums:
        """Return those of a file."""
        text = text_of(file)
        return cls(_digest(text), _digest(_code(text)))


def is_changed(file: Path, record: Record) -> bool:
    """Return whether a file does other things than when it was applied; comments and formatting do not count.

    The code is only looked at where the text is another: most files never change.
    """
    text = text_of(file)
    if record.checksum is None or _digest(text) == record.checksum:
        return False
    # In the checksums of earlier versions docstrings of functions counted.
    return record.code_checksum not in (_digest(_code(text)), _digest(_code(text, (ast.Module,))))


def text_of(file: Path) -> str:
    """Return a file's text with line endings of one kind, whatever git made of them."""
    return file.read_text(encoding="utf-8-sig")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_DOCUMENTED: tuple[type[_Documented], ...] = get_args(_Documented)


def _code(text: str, documented: tuple[type[_Documented], ...] = _DOCUMENTED) -> str:
    """Return what stands for a module's code on every version of Python: ast.dump writes each its own way.

    Args:
        documented: whose docstrings are left out.
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return json.dumps(_plain(tree))


def _plain(node: object) -> object:
    if isinstance(node, ast.AST):
        plain: list[object] = [type(node).__name__]
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != [] and name != "kind":
                plain.append([name, _plain(value)])
        return plain
    if isinstance(node, list):
        return [_plain(one) for one in node]
    return f"{type(node).__name__} {node!r}"
