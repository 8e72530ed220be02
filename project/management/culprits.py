"""The row that a migration failed on, looked for in the tables as the failure left them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from .errors import StepFailed, driver_words, shortened

if TYPE_CHECKING:
    from .project import Project

# How the databases say which constraint it was, of which columns. SQLite names the table that a batch makes anew.
_COLUMNS = (
    re.compile(r"(?:UNIQUE|NOT NULL) constraint failed: (?P<columns>[\w., ]+)"),
    re.compile(r"Key \((?P<columns>[^)]*)\)=\("),
    re.compile(r"column (?:`\w+`\.`\w+`\.)?[\"'`](?P<columns>\w+)[\"'`] (?:of relation|cannot be null|at row)"),
)
_VALUES = re.compile(r"Key \([^)]*\)=\((.*)\)|Duplicate entry '(.*)' for key")  # those that are there twice
_CHECK = re.compile(
    r"CHECK constraint failed: (?P<sqlite>\w+)|check constraint \"(?P<postgresql>[^\"]+)\""
    r"|CONSTRAINT `(?P<mariadb>[^`]+)` failed"
)
_ALTERED = re.compile(r"ALTER COLUMN \"?(\w+)\"? TYPE|(?:MODIFY|CHANGE)(?: COLUMN)? `?(\w+)`?", re.I)
_TOO_MUCH = re.compile(r"too long|out of range|overflow|truncated", re.I)
_NO_VALUE = re.compile(r"invalid input (?:syntax|value) for \w+ [^:]+: \"(.*)\"|Incorrect [\w ]+ value: '(.*?)'")
_PLACE = re.compile(r"at row (\d+)$")  # of a table that MariaDB makes anew, in the order of its primary key
_DUPLICATE = re.compile(r"UNIQUE constraint failed|Key \(|Duplicate entry")
_OF_A_ROW = re.compile(
    r"constraint failed|constraint \"|CONSTRAINT `|Key \(|Duplicate entry|null|out of range|too long|truncated"
    r"|overflow|Incorrect|invalid input",
    re.I,
)
_OF_A_KEY = re.compile(r"foreign key|is not present in|still referenced", re.I)  # whose row is in the other table
_BATCH = "_alembic_tmp_"


def row_of(copy: Project, failure: StepFailed) -> str:
    """Return the table and the first row that a step could not go on with, as one text; nothing where none is found."""
    error = failure.__cause__
    if not isinstance(error, sa.exc.DBAPIError) or error.orig is None:
        return ""
    words, statement = driver_words(error.orig), error.statement or ""
    if not _OF_A_ROW.search(words) or _OF_A_KEY.search(words):
        return ""
    with copy.connect() as connection:
        inspector = sa.inspect(connection)
        known = inspector.get_table_names()
        for name in _tables_in(f"{statement} {words}", known):
            table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
            for query in _queries(table, words, [*failure.statements, statement]):
                try:
                    with connection.begin_nested():
                        row = connection.execute(query).mappings().first()
                except sa.exc.DBAPIError:  # it speaks of a column that is only to come
                    continue
                if row is not None:
                    cells = ", ".join(f"{column} {shortened(str(value), most=30)}" for column, value in row.items())
                    return f"row of {name}: {shortened(cells, most=200)}"
    return ""


def _tables_in(text: str, known: Iterable[str]) -> list[str]:
    """Return the tables that a text names, the last one first: what is altered or copied stands after what is read."""
    bare = text.replace(_BATCH, "")
    found = {
        name: max((one.start() for one in re.finditer(rf"\b{re.escape(name)}\b", bare)), default=-1) for name in known
    }
    return sorted((name for name, place in found.items() if place >= 0), key=lambda name: -found[name])


def _queries(table: sa.Table, words: str, statements: list[str]) -> Iterator[sa.Select[tuple[object, ...]]]:
    """Yield what looks for the row, the most certain first; nothing where any other might be to blame."""
    any_row = sa.select(table).limit(1)
    if _is_update(statements) and _wrote_before(table, statements):
        return
    updated = _updated(table, statements)
    if check := _CHECK.search(words):
        name = next(filter(None, check.groups()))
        for condition in _conditions(name, statements):
            yield sa.select(table).where(sa.text(f"NOT ({condition})")).limit(1)
        in_conditions = {word for one in _conditions(name, statements) for word in re.findall(r"\w+", one)}
        if updated is not None:
            yield updated
        elif not _is_update(statements) and not in_conditions & {*table.columns.keys()}:  # of a column that is to come
            yield any_row
        return
    named = next((found["columns"] for one in _COLUMNS if (found := one.search(words))), "")
    names = [one.strip().rpartition(".")[2].strip('"` ') for one in named.split(",")]
    columns = [table.columns[name] for name in names if name in table.columns]
    if _DUPLICATE.search(words):
        found, within = _VALUES.search(words), _of_index(statements[-1])
        for keys in [columns] if columns else [*_key_of(table, words), *_keys(table, statements)]:
            values = (found[1].split(", ") if found[1] else found[2].split("-")) if found else []
            if len(values) == len(keys) > 0:
                same = (sa.cast(key, sa.String(200)) == value for key, value in zip(keys, values, strict=True))
                yield sa.select(table).where(*same, *within).limit(1)
            if _is_update(statements):  # taken back, no key is there twice
                continue
            twice = sa.select(*keys).where(*within).group_by(*keys).having(sa.func.count() > 1).limit(1).subquery()
            yield sa.select(table).where(*(key == twice.c[key.name] for key in keys), *within).limit(1)
        if updated is not None:
            yield updated
        elif (names and not columns) or _is_of_itself(table, statements[-1]):
            yield any_row
    elif "null" in words.lower():
        if columns:
            yield sa.select(table).where(columns[0].is_(None)).limit(1)
        if updated is not None:
            yield updated
        elif not columns:  # a column that is to come has no value in any
            yield any_row
    else:
        if (place := _PLACE.search(words)) and re.match(r"\s*ALTER\b", statements[-1], re.I):
            yield sa.select(table).order_by(*table.primary_key.columns).offset(int(place[1]) - 1).limit(1)
        unread = _NO_VALUE.search(words)
        texts = [one for one in table.columns if isinstance(one.type, sa.String)] if unread else []
        for column in columns or [*_altered(table, statements), *texts]:
            if unread:
                value = next(filter(None, unread.groups()), "")
                yield sa.select(table).where(sa.cast(column, sa.Text) == value).limit(1)
            elif _TOO_MUCH.search(words):
                size = sa.func.char_length if isinstance(column.type, sa.String) else sa.func.abs
                yield sa.select(table).where(column.is_not(None)).order_by(size(column).desc()).limit(1)


def _is_update(statements: list[str]) -> bool:
    return re.match(r"\s*UPDATE\b", statements[-1], re.I) is not None


def _wrote_before(table: sa.Table, statements: list[str]) -> bool:
    """Return whether the step had written the table before: that is taken back, and rows are not what they were."""
    writes = re.compile(rf"\s*(?:UPDATE|DELETE|INSERT)\b.*\b{re.escape(table.name)}\b", re.I | re.S)
    return any(writes.match(one) for one in statements[:-1] if one != statements[-1])


def _updated(table: sa.Table, statements: list[str]) -> sa.Select[tuple[object, ...]] | None:
    """Return what finds a row that an UPDATE was about, where it writes the same into all of them; else nothing."""
    name = re.escape(table.name)
    found = re.match(rf"\s*UPDATE\s+\W?{name}\W?\s+SET\b(.*?)(?:\bWHERE\b(.*))?$", statements[-1], re.I | re.S)
    if found is None:
        return None
    written = re.sub(r"'[^']*'|[\"`]?\w+[\"`]?\s*=", "", found[1])
    if {*re.findall(r"\w+", written)} & {*table.columns.keys()}:
        return None
    where = [_as_written(found[2])] if found[2] else []
    return sa.select(table).where(*where).order_by(*table.primary_key.columns).limit(1)


def _of_index(statement: str) -> list[sa.TextClause]:
    """Return the condition of the rows that a unique index is made for, where it is not made for all."""
    found = re.match(r"\s*CREATE UNIQUE INDEX\b.*?\)\s*WHERE\b(.*)$", statement, re.I | re.S)
    return [_as_written(f"({found[1]})")] if found else []


def _as_written(condition: str) -> sa.TextClause:
    return sa.text(re.sub(r"(?<!:):(?=\w)", r"\:", condition))  # a colon is no parameter


def _key_of(table: sa.Table, words: str) -> Iterator[list[sa.Column[object]]]:
    """Yield the columns of the key that MariaDB names."""
    named = re.search(r"for key '(?:\w+\.)?(\w+)'", words)
    if named and named[1] == "PRIMARY":
        yield [*table.primary_key.columns]
    yield from ([*one.columns] for one in table.indexes if named and one.name == named[1])


def _is_of_itself(table: sa.Table, statement: str) -> bool:
    """Return whether a statement writes the rows of a table into it once more."""
    name = re.escape(table.name)
    return re.match(rf"\s*INSERT INTO \W?{name}\b.*\bSELECT\b.*\bFROM \W?{name}\b", statement, re.I | re.S) is not None


def _altered(table: sa.Table, statements: list[str]) -> Iterator[sa.Column[object]]:
    """Yield the columns whose type the statements change, the latest first."""
    for statement in reversed(statements):
        for found in _ALTERED.finditer(statement):
            name = found[1] or found[2]
            if name in table.columns:
                yield table.columns[name]


def _conditions(name: str, statements: list[str]) -> Iterator[str]:
    """Yield what a CHECK of this name says in the statements, the latest first."""
    begins = re.compile(rf"CONSTRAINT [\"`]?{re.escape(name)}[\"`]? CHECK \(", re.I)
    for statement in reversed(statements):
        for found in begins.finditer(statement):
            depth, place = 1, found.end()
            while depth and place < len(statement):
                depth += {"(": 1, ")": -1}.get(statement[place], 0)
                place += 1
            yield statement[found.end() : place - 1]


def _keys(table: sa.Table, statements: list[str]) -> Iterator[list[sa.Column[object]]]:
    """Yield the columns of UNIQUE constraints and indexes that the statements make, the latest first."""
    for statement in reversed(statements):
        for found in re.finditer(r"\bUNIQUE\b[^(]*\(([^()]*)\)", statement, re.I):
            names = [one.strip().strip('"`') for one in found[1].split(",")]
            if names and all(name in table.columns for name in names):
                yield [table.columns[name] for name in names]
