"""Whether a load did what it should: the rows, the values, and the schema it found."""

from __future__ import annotations

import hashlib

from .databases import Database

_TRUE = {
    "students": (
        "SELECT min(grade) >= 1 AND max(grade) <= 12 FROM students",
        "SELECT count(DISTINCT email) = count(*) FROM students",
    ),
    "enrollments": (
        "SELECT count(*) = 0 FROM (SELECT 1 FROM enrollments GROUP BY student_id, subject_id HAVING count(*) > 1) x",
        "SELECT count(*) = 0 FROM enrollments e LEFT JOIN students s ON s.id = e.student_id WHERE s.id IS NULL",
        "SELECT count(*) = 0 FROM enrollments e LEFT JOIN subjects s ON s.id = e.subject_id WHERE s.id IS NULL",
    ),
    "products": ("SELECT count(DISTINCT title) > 1 AND min(price) < max(price) FROM products",),
}


def problem(database: Database, table: str, rows: int, schema: list[str]) -> str:
    """Return what is wrong with a loaded table, or nothing."""
    there = database.value(f"SELECT count(*) FROM {table}")
    if there != rows:
        return f"{there:,} rows, not {rows:,}"
    if database.schema(table) != schema:
        return "the schema is not the one that was migrated"
    for query in _TRUE[table]:
        if not database.value(query):
            return f"not true: {query}"
    return ""


def digest(database: Database, table: str, columns: tuple[str, ...]) -> str:
    """Return a hash of the first and the last hundred rows, without the keys that the database numbers."""
    parts = [
        database.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id {order} LIMIT 100")
        for order in ("ASC", "DESC")
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
