"""Rows that are ready-made: what this project seeded, read back into a file in the form its driver loads fastest."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .databases import Database
from .verify import digest

PIECE = 1 << 18  # bytes of COPY text in one write


@dataclass(frozen=True)
class Ready:
    """A file of rows and the columns they fill: all but the key that the database numbers."""

    file: Path
    columns: tuple[str, ...]
    digest: str  # of the whole table they were read from


def dump(database: Database, table: str, after: int, file: Path) -> Ready:
    """Write the rows of a table whose id is larger than `after`, in their order."""
    columns = _columns(database, table)
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE id > {after} ORDER BY id"
    _DUMPS[database.kind](database, query, file)
    return Ready(file, columns, digest(database, table, columns))


def read_tuples(file: Path) -> list[tuple[Any, ...]]:
    """Return the rows that SQLite is given."""
    rows: list[tuple[Any, ...]] = pickle.loads(file.read_bytes())
    return rows


def read_pieces(file: Path) -> list[bytes]:
    """Return the text that PostgreSQL is given."""
    text = file.read_bytes()
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def _columns(database: Database, table: str) -> tuple[str, ...]:
    import sqlalchemy as sa

    with database.connect() as connection:
        return tuple(one["name"] for one in sa.inspect(connection).get_columns(table) if one["name"] != "id")


def _dump_tuples(database: Database, query: str, file: Path) -> None:
    file.write_bytes(pickle.dumps(database.rows(query)))


def _dump_copy(database: Database, query: str, file: Path) -> None:
    import psycopg

    url = database.address.set(drivername="postgresql").render_as_string(hide_password=False)
    statement = f"COPY ({query}) TO STDOUT".encode()
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        file.write_bytes(b"".join(copy))


def _dump_lines(database: Database, query: str, file: Path) -> None:
    escapes = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
    with file.open("w", encoding="utf-8", newline="") as output:
        for row in database.rows(query):
            cells = ("\\N" if value is None else str(value).translate(escapes) for value in row)
            output.write("\t".join(cells) + "\n")


_DUMPS = {"sqlite": _dump_tuples, "postgresql": _dump_copy, "mariadb": _dump_lines}


def write_fixture(database: Database, file: Path) -> None:
    """Write the students of a database as Django's loaddata reads them."""
    columns = ("id", "name", "email", "grade", "birthday", "enrolled_date")
    found = database.rows(f"SELECT {', '.join(columns)} FROM students ORDER BY id")
    objects = [
        {"model": "school.student", "pk": row[0], "fields": dict(zip(columns[1:], map(_plain, row[1:]), strict=True))}
        for row in found
    ]
    file.write_text(json.dumps(objects), encoding="utf-8")


def _plain(value: object) -> object:
    return value if isinstance(value, int) else str(value)
