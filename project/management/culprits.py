"""The row that a migration failed on, looked for in the tables as the failure left them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa

from .backends.base import executable
from .errors import StepFailed, driver_words, shortened

if TYPE_CHECKING:
    from .project import Project

# How the databases say which constraint it was, of which columns. SQLite names the table that a batch makes anew.
_COLUMNS = (
    re.compile(r"(?:UNIQUE|NOT NULL) constraint failed: (?P<columns>[\w., ]+)"),
    re.compile(r"Key \((?P<columns>[^)]*)\)=\("),
    re.compile(r"column (?:`\w+`\.`\w+`\.)?[\"'`](?P<columns>\w+)[\"'`] (?:of relation|cannot be null|at row)", re.I),
)
_VALUES = re.compile(r"Key \([^)]*\)=\((.*)\)|Duplicate entry '(.*)' for key")  # those that are there twice
_CHECK = re.compile(
    r"CHECK constraint failed: (?P<sqlite>\w+)|check constraint \"(?P<postgresql>[^\"]+)\""
    r"|CONSTRAINT `(?P<mariadb>[^`]+)` failed"
)
_ALTERED = re.compile(r"ALTER COLUMN \"?(\w+)\"? TYPE|(?:MODIFY|CHANGE)(?: COLUMN)? `?(\w+)`?", re.I)
_TOO_MUCH = re.compile(r"too long|out of range|overflow|truncated", re.I)
_NO_VALUE = re.compile(r"invalid input (?:syntax|value) for \w+ [^:]+: \"(.*)\"|[Ii]ncorrect [\w ]+ value: '(.*?)'")
_NO_NULL = re.compile(
    r"NOT NULL constraint failed|Cannot add a NOT NULL column|null value in column|contains null values|cannot be null"
    r"|Invalid use of NULL"
)
_PLACE = re.compile(r"at row (\d+)$")  # of a table that MariaDB makes anew, in the order of its primary key
_DUPLICATE = re.compile(r"UNIQUE constraint failed|Key \(|Duplicate entry")
_OF_A_ROW = re.compile(
    rf"constraint failed|constraint \"|CONSTRAINT `|Key \(|Duplicate entry|{_NO_NULL.pattern}|out of range|too long"
    r"|truncated|overflow|incorrect [\w ]+ value|invalid input",
    re.I,
)
_OF_A_KEY = re.compile(r"foreign key|is not present in|still referenced", re.I)  # whose row is in the other table
_UPDATE = re.compile(r"\s*UPDATE\s+\W?(\w+)", re.I)
_BATCH = "_alembic_tmp_"
_Query = sa.Select[tuple[object, ...]]


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
            checks = {str(one["name"]): one["sqltext"] for one in inspector.get_check_constraints(name)}
            for query in _Search(table, checks, words, [*failure.statements, statement]).queries():
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


class _Search:
    """What is looked for in one table; nothing where any other row might be to blame."""

    def __init__(self, table: sa.Table, checks: Mapping[str, str], words: str, statements: list[str]) -> None:
        self.table, self.checks, self.words, self.statements = table, checks, words, statements
        self.statement = statements[-1]  # which failed
        self.updated = found[1] if (found := _UPDATE.match(self.statement)) else None  # the name of a table
        named = next((found["columns"] for one in _COLUMNS if (found := one.search(words))), "")
        self.named = [one.strip().rpartition(".")[2].strip('"` ') for one in named.split(",") if named]
        self.columns = [table.columns[name] for name in self.named if name in table.columns]

    def queries(self) -> Iterator[_Query]:
        """Yield what finds the row, the most certain first."""
        if self.updated is not None and (self.updated != self.table.name or _wrote_before(self.table, self.statements)):
            return
        if check := _CHECK.search(self.words):
            yield from self._breaks(next(filter(None, check.groups())))
        elif _DUPLICATE.search(self.words):
            yield from self._repeats()
        elif _NO_NULL.search(self.words):
            yield from self._lacks()
        else:
            yield from self._does_not_fit()

    def _breaks(self, check: str) -> Iterator[_Query]:
        conditions = list(_conditions(check, self.statements)) or [*filter(None, [self.checks.get(check)])]
        for condition in conditions:
            yield sa.select(self.table).where(sa.text(executable(f"NOT ({condition})"))).limit(1)
        words = {word for one in conditions for word in re.findall(r"\w+", one)}
        is_of_new_column = bool(words) and not words & {*self.table.columns.keys()}
        yield from self._one_of_all(is_of_new_column and self.updated is None)

    def _repeats(self) -> Iterator[_Query]:
        found, within = _VALUES.search(self.words), _of_index(self.statement)
        possible = [*_key_of(self.table, self.words), *_keys(self.table, self.statements)]
        for keys in [self.columns] if self.columns else possible:
            values = (found[1].split(", ") if found[1] else found[2].split("-")) if found else []
            if len(values) == len(keys) > 0:
                same = (sa.cast(key, sa.String(200)) == value for key, value in zip(keys, values, strict=True))
                yield sa.select(self.table).where(*same, *within).limit(1)
            if self.updated is None:  # what one wrote is taken back, and no key is there twice
                twice = sa.select(*keys).where(*within).group_by(*keys).having(sa.func.count() > 1).limit(1).subquery()
                yield sa.select(self.table).where(*(key == twice.c[key.name] for key in keys), *within).limit(1)
        is_of_new_column = not self.columns if self.named else not possible
        yield from self._one_of_all(is_of_new_column or _is_of_itself(self.table, self.statement))

    def _lacks(self) -> Iterator[_Query]:
        if self.columns:
            yield sa.select(self.table).where(self.columns[0].is_(None)).limit(1)
        yield from self._one_of_all(not self.columns)  # a column that is to come has no value in any

    def _does_not_fit(self) -> Iterator[_Query]:
        is_altered = re.match(r"\s*ALTER\b", self.statement, re.I) is not None  # else it is about a row to come
        if is_altered and (place := _PLACE.search(self.words)):
            in_order = sa.select(self.table).order_by(*self.table.primary_key.columns)
            yield in_order.offset(int(place[1]) - 1).limit(1)
        unread = _NO_VALUE.search(self.words)
        texts = [one for one in self.table.columns if isinstance(one.type, sa.String)] if unread else []
        for column in self.columns or [*_altered(self.table, self.statements), *texts]:
            if unread:
                value = next(filter(None, unread.groups()), "")
                yield sa.select(self.table).where(sa.cast(column, sa.Text) == value).limit(1)
            elif _TOO_MUCH.search(self.words) and is_altered:
                size = sa.func.char_length if isinstance(column.type, sa.String) else sa.func.abs
                yield sa.select(self.table).where(column.is_not(None)).order_by(size(column).desc()).limit(1)

    def _one_of_all(self, are_all: bool) -> Iterator[_Query]:
        """Yield a row that the UPDATE was about; else, where all rows are to blame, any."""
        if (updated := _updated(self.table, self.statement)) is not None:
            yield updated
        elif are_all:
            yield sa.select(self.table).limit(1)


def _wrote_before(table: sa.Table, statements: list[str]) -> bool:
    """Return whether the step had written the table before: that is taken back, and rows are not what they were."""
    writes = re.compile(rf"\s*(?:UPDATE|DELETE|INSERT)\b.*\b{re.escape(table.name)}\b", re.I | re.S)
    return any(writes.match(one) for one in statements[:-1] if one != statements[-1])


def _updated(table: sa.Table, statement: str) -> _Query | None:
    """Return what finds a row that an UPDATE was about, where it writes the same into all of them; else nothing."""
    name = re.escape(table.name)
    found = re.match(rf"\s*UPDATE\s+\W?{name}\W?\s+SET\b(.*?)(?:\bWHERE\b(.*))?$", statement, re.I | re.S)
    if found is None:
        return None
    written = re.sub(r"'[^']*'|[\"`]?\w+[\"`]?\s*=", "", found[1])
    if {*re.findall(r"\w+", written)} & {*table.columns.keys()}:
        return None
    where = [sa.text(executable(found[2]))] if found[2] else []
    return sa.select(table).where(*where).order_by(*table.primary_key.columns).limit(1)


def _of_index(statement: str) -> list[sa.TextClause]:
    """Return the condition of the rows that a unique index is made for, where it is not made for all."""
    found = re.match(r"\s*CREATE UNIQUE INDEX\b.*?\)\s*WHERE\b(.*)$", statement, re.I | re.S)
    return [sa.text(executable(f"({found[1]})"))] if found else []


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
            yield statement[found.end() : place - 1].replace("%%", "%")  # as some drivers want it


def _keys(table: sa.Table, statements: list[str]) -> Iterator[list[sa.Column[object]]]:
    """Yield the columns of UNIQUE constraints and indexes that the statements make, the latest first."""
    for statement in reversed(statements):
        for found in re.finditer(r"\bUNIQUE\b[^(]*\(([^()]*)\)", statement, re.I):
            names = [one.strip().strip('"`') for one in found[1].split(",")]
            if names and all(name in table.columns for name in names):
                yield [table.columns[name] for name in names]
