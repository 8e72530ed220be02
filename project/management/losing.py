"""What steps back would lose, read from their SQL: counted, or not told where it is not certain to be nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from alembic.script import Script

from . import history
from .backends.base import TableName

if TYPE_CHECKING:
    from .backends.base import Backend


@dataclass(frozen=True)
class Loss:
    """What a backward step takes away: rows of a table, wholly or by a condition, or the values of a column."""

    revision: Script
    table: TableName
    column: str | None
    count: sa.TextClause  # a SELECT that counts it in the database as it is
    dropped: bool
    becomes: str | None = None  # the type that the column gets, which may not hold its values


def losses(backend: Backend, connection: sa.Connection, revisions: Iterable[Script]) -> tuple[list[Loss], list[Script]]:
    """Return what stepping back through revisions would lose, and those of which it cannot be told."""
    walk = _Walk(backend.offline_dialect, acts=backend.acts_by_itself(connection))
    looks_at = _LOOKS_AT_DATABASE if backend.dialect == backend.offline_dialect else _LOOKS_AT_DATABASE_OR_DIALECT
    for revision in revisions:
        walk.revision = revision
        try:
            statements = history.render(revision, "downgrade", backend.offline_dialect)
        except Exception:  # it asks the database something: what it does cannot be told beforehand
            walk.doubt()
            continue
        if looks_at.search(ast.unparse(history.function_of(revision, "downgrade"))):
            walk.doubt()
        for statement in statements:
            walk.take(statement)
    dropped = {loss.table for loss in walk.found.values() if loss.dropped and loss.column is None}
    kept = [loss for loss in walk.found.values() if loss.table not in dropped or (loss.dropped and not loss.column)]
    return kept, walk.silent


# A step that does something else when it is only written out; or when it is written out in another dialect.
_LOOKS_AT_DATABASE = re.compile(r"\.(?:get_bind|bind|connection|as_sql)\b")
_LOOKS_AT_DATABASE_OR_DIALECT = re.compile(
    rf"{_LOOKS_AT_DATABASE.pattern}|\.dialect\b|'sqlite'|\b(?:copy_from|reflect_args|sqlite_on_conflict)"
)

# Statements as `_statements` writes them: one blank between words, quoted names and texts as numbers in their quotes.
_NAME = r"(?:\"\d+\"|[\w$]+)"
_TABLE = rf"{_NAME}(?: \. {_NAME})?"
_DROP_TABLE = re.compile(rf"DROP TABLE (?:IF EXISTS )?(?P<table>{_TABLE})", re.I)
_DELETE = re.compile(rf"DELETE FROM (?P<table>{_TABLE})(?: WHERE (?P<condition>.*))?", re.I)  # noqa: S608  # a pattern
_INSERT = re.compile(rf"INSERT INTO {_TABLE}(?: \( [^()]* \))? (?P<rows>(?:VALUES|SELECT|DEFAULT VALUES)\b.*)", re.I)
_CREATE_TABLE = re.compile(
    rf"CREATE (?:UNLOGGED |VIRTUAL )?TABLE (?P<unless>IF NOT EXISTS )?(?P<table>{_TABLE}) (?P<rest>.*)",
    re.I,
)
_ALTER_TABLE = re.compile(rf"ALTER TABLE (?:IF EXISTS )?(?P<table>{_TABLE}) (?P<actions>.*)", re.I)
_DROP_COLUMN = re.compile(rf"DROP COLUMN (?:IF EXISTS )?(?P<column>{_NAME})", re.I)
_NO_COLUMN = r"(?:CHECK|CONSTRAINT|EXCLUDE|FOREIGN|FULLTEXT|IF|INDEX|KEY|PERIOD|PRIMARY|SPATIAL|SYSTEM|UNIQUE)\b"
_ADD_COLUMN = re.compile(rf"ADD (?:COLUMN )?(?!{_NO_COLUMN})(?P<column>{_NAME}) .*", re.I)
_RENAME_COLUMN = re.compile(rf"RENAME (?:COLUMN )?(?P<column>{_NAME}) TO (?P<name>{_NAME})", re.I)
_RENAME_TABLE = re.compile(rf"RENAME (?:TO )?(?P<table>{_NAME})", re.I)
_AFTER_TYPE = r"(?: (?:NOT NULL|NULL|DEFAULT|COMMENT|AUTO_INCREMENT|FIRST|AFTER|ON UPDATE|UNIQUE|PRIMARY KEY)\b.*)?"
_CHANGE_TYPE = re.compile(
    rf"ALTER (?:COLUMN )?(?P<column>{_NAME}) (?:SET DATA )?TYPE (?P<type>.+)"
    rf"|(?:MODIFY (?:COLUMN )?(?P<modified>{_NAME})|CHANGE (?:COLUMN )?(?P<changed>{_NAME}) (?P<name>{_NAME}))"
    rf" (?P<declared>.+?){_AFTER_TYPE}",
    re.I,
)
_NOT_CASCADE = r"(?!.*\bCASCADE\b)"  # which takes columns along
# What takes no row and no value away: as a part of ALTER TABLE, and as a statement.
_ACTION_KEEPS = re.compile(
    rf"ADD .*|DROP (?:CONSTRAINT|INDEX|KEY|FOREIGN KEY|CHECK) (?:IF EXISTS )?(?!(?:CASCADE|RESTRICT)\b){_NAME}"
    rf"|DROP PRIMARY KEY"
    rf"|ALTER (?:COLUMN )?{_NAME} (?:(?:SET|DROP) NOT NULL|SET DEFAULT .*|DROP (?:DEFAULT|IDENTITY)"
    r"|(?:SET|ADD) GENERATED .*|SET (?:STATISTICS|STORAGE|COMPRESSION) .*|RESTART.*)"
    rf"|ALTER CONSTRAINT {_NAME} .*|VALIDATE CONSTRAINT {_NAME}|RENAME (?:CONSTRAINT|INDEX|KEY) {_NAME} TO {_NAME}"
    r"|COMMENT (?:= )?'\d+'",
    re.I,
)
_KEEPS = re.compile(
    r"CREATE (?:(?:UNIQUE )?INDEX|SEQUENCE|TYPE|DOMAIN|SCHEMA|EXTENSION|COLLATION|AGGREGATE"
    r"|(?:OR REPLACE )?(?:VIEW|FUNCTION|PROCEDURE|TRIGGER|RULE)) .*"
    rf"|DROP (?:INDEX|VIEW|TYPE|DOMAIN|SEQUENCE|TRIGGER|FUNCTION|PROCEDURE) {_NOT_CASCADE}.*|COMMENT ON .*"
    rf"|ALTER (?:INDEX {_TABLE} RENAME TO|TYPE {_TABLE} (?:ADD VALUE|RENAME)|SEQUENCE {_TABLE}) {_NOT_CASCADE}.*"
    r"|BEGIN|COMMIT",
    re.I,
)
_MAKES_ACT = re.compile(r"CREATE (?:OR REPLACE )?(?:TRIGGER|RULE)\b", re.I)
_ROWS = re.compile(r"\b(?:SELECT|VALUES|EXECUTE)\b.*", re.I)
_REFERENCES = re.compile(rf"\bREFERENCES {_TABLE} \(", re.I)
_WRITES = re.compile(r"\b(?:DELETE|UPDATE|DUPLICATE|MERGE|EXECUTE|CALL)\b|\bREPLACE\b(?! \()", re.I)
_CALL = re.compile(rf"(?P<schema>\. )?(?P<name>{_NAME}) \(", re.I)
_KNOWN_CALL = re.compile(  # a function of every database, or a word before a bracket that is none of a function
    r"ABS|ALL|AND|ANY|AS|AVG|BETWEEN|BY|CAST|CHAR|CHECK|COALESCE|CONCAT|CONFLICT|COUNT|CURRENT_TIMESTAMP|DATE"
    r"|DATETIME|DECIMAL|DEFAULT|ELSE|EXISTS|EXTRACT|FROM|GEN_RANDOM_UUID|IN|JOIN|KEY|LENGTH|LIKE|LOWER|MAX|MIN"
    r"|NEXTVAL|NOT|NOW|NULLIF|NUMERIC|ON|OR|OVER|REPLACE|ROUND|ROW_NUMBER|SELECT|STRFTIME|SUBSTR|SUBSTRING|SUM|THAN"
    r"|THEN|TIME|TIMESTAMP|TRIM|UNION|UNIQUE|UPPER|USING|UUID|VALUES|VARCHAR|VARYING|WHEN|WHERE",
    re.I,
)


class _Statement(NamedTuple):
    text: str  # as it was written
    words: str  # as the patterns read it
    quoted: list[str]

    def written(self, words: str) -> str:
        """Return some of the words with their quoted names and texts."""
        return re.sub(r"([\"'])(\d+)\1", lambda found: self.quoted[int(found[2])], words)


class _Walk:
    """What the statements so far have lost, and what they have made of the database that is there."""

    def __init__(self, dialect: str, *, acts: bool) -> None:
        self.dialect = dialect
        self.acts = acts  # whether an INSERT or a DELETE may do more than it says
        self.revision: Script
        self.found: dict[object, Loss] = {}
        self.silent: list[Script] = []
        self.deleted: dict[object, list[str]] = {}
        self.made: set[object] = set()  # tables, and columns of tables: with them nothing is lost that was there
        self.other: set[object] = set()  # those of a name that is another's in the database as it is
        self.differs = False  # whether rows differ from those there are

    def doubt(self) -> None:
        """Remember that what the present revision loses cannot be told."""
        if self.revision not in self.silent:
            self.silent.append(self.revision)

    def take(self, sql: str) -> None:
        """Look what a text of one or more statements loses."""
        statements = _statements(sql, self.dialect)
        if statements is None:
            self.doubt()
        for one in statements or ():
            self._take(one)

    def _take(self, one: _Statement) -> None:
        if found := _DROP_TABLE.fullmatch(one.words):
            self.differs = True
            table, name = self._table(one, found["table"])
            self._lose(table, None, f"SELECT count(*) FROM {name}", dropped=True)  # noqa: S608  # what it drops
            self.made.discard(table)
        elif found := _DELETE.fullmatch(one.words):
            self._delete(one, found)
        elif found := _CREATE_TABLE.fullmatch(one.words):
            self.differs = True
            table, _ = self._table(one, found["table"])
            self.made |= set() if found["unless"] else {table}
            rows = _ROWS.search(found["rest"])
            if rows and not _only_reads(rows[0]):
                self.doubt()
        elif found := _ALTER_TABLE.fullmatch(one.words):
            for action in _actions(found["actions"]):
                self._alter(one, *self._table(one, found["table"]), action)
        elif found := _INSERT.fullmatch(one.words):
            self.differs = True
            if self.acts or not _only_reads(found["rows"]):
                self.doubt()
        elif not _KEEPS.fullmatch(one.words):
            self.doubt()
        else:
            self.differs = True  # a view may be another one now
        self.acts = self.acts or bool(_MAKES_ACT.match(one.words))

    def _delete(self, one: _Statement, found: re.Match[str]) -> None:
        table, name = self._table(one, found["table"])
        condition = found["condition"]
        if self.acts:  # others may go with them
            self.doubt()
        if condition and not _only_reads(condition):
            self.doubt()
            return
        clause = re.search(r"\bWHERE\b.*", one.text, re.I | re.S) if condition else None
        if clause and ((table, "") in self.other or (self.differs and re.search(r"\bSELECT\b", condition, re.I))):
            self.doubt()  # it will be of other rows than now
        counts = self.deleted.setdefault((table, self.revision), [])
        counts.append(f"(SELECT count(*) FROM {name} {clause[0] if clause else ''})")  # noqa: S608  # what it deletes
        self.found.pop((table, None, self.revision), None)
        self._lose(table, None, f"SELECT {' + '.join(counts)}")
        self.differs = True

    def _alter(self, one: _Statement, table: TableName, name: str, action: str) -> None:
        if found := _DROP_COLUMN.fullmatch(action):
            column = self._folded(one.written(found["column"]))
            self._lose(table, column, _values(one, found["column"], name), dropped=True)
            self.differs = True
        elif found := _CHANGE_TYPE.fullmatch(action):
            of = found["column"] or found["modified"] or found["changed"]
            becomes = _spaced(one.written(found["type"] or found["declared"]))
            self._lose(table, self._folded(one.written(of)), _values(one, of, name), becomes=becomes)
            if found["name"] and self._folded(one.written(found["name"])) != self._folded(one.written(of)):
                self._rename(table, self._folded(one.written(of)), self._folded(one.written(found["name"])))
            self._becomes_another(table)
        elif found := _RENAME_COLUMN.fullmatch(action):
            self._rename(table, *(self._folded(one.written(found[group])) for group in ("column", "name")))
            self._becomes_another(table)
        elif found := _RENAME_TABLE.fullmatch(action):
            to = TableName(table[0], self._folded(one.written(found["table"])))
            if table in self.made:
                self.made = (self.made - {table}) | {to}
            else:
                self.other |= {table, to}
            self.differs = True
        elif not _ACTION_KEEPS.fullmatch(action):
            self.doubt()
        elif found := _ADD_COLUMN.fullmatch(action):
            default = re.search(r"\bDEFAULT\b.*", _REFERENCES.sub("(", action), re.I)
            if default and not _only_reads(default[0]):
                self.doubt()
            self.made.add((table, self._folded(one.written(found["column"]))))
            self.differs = True  # a condition may mean this column now

    def _rename(self, table: TableName, old: str, new: str) -> None:
        if (table, old) in self.made:
            self.made = (self.made - {(table, old)}) | {(table, new)}
        else:
            self.other |= {(table, old), (table, new)}

    def _becomes_another(self, table: TableName) -> None:
        """Remember that conditions speak of other columns of a table than now, or compare them otherwise."""
        self.other |= set() if table in self.made else {(table, "")}
        self.differs = True

    def _lose(
        self, table: TableName, column: str | None, count: str, *, dropped: bool = False, becomes: str | None = None
    ) -> None:
        if table in self.made:
            return
        if table in self.other or (table, column) in self.other:
            self.doubt()
        elif (table, column) in self.made:
            return
        loss = Loss(self.revision, table, column, sa.text(count.replace(":", "\\:")), dropped, becomes)
        self.found.setdefault((table, column, becomes or dropped or self.revision), loss)

    def _table(self, one: _Statement, words: str) -> tuple[TableName, str]:
        """Return a table as it is known here, and as SQL writes it."""
        *schema, name = (self._folded(one.written(part)) for part in words.split(" . "))
        return TableName(schema[0] if schema else None, name), one.written(words)

    def _folded(self, name: str) -> str:
        """Return a name as the database reads it."""
        if name[0] in '"`':
            return name[1:-1]
        return name.lower() if self.dialect == "postgresql" else name


def _values(one: _Statement, column: str, table: str) -> str:
    return f"SELECT count({one.written(column)}) FROM {table}"  # noqa: S608  # what a migration drops or changes


_TOKEN = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"""
    r"|--|/\*|\[\d*\]|[\w$]+|[^\w\s]",
    re.S,
)


def _statements(sql: str, dialect: str) -> list[_Statement] | None:
    """Return the statements of a text; None where it cannot be told for certain where one begins and ends."""
    if re.search(r"\\['\"`]", sql) or (dialect != "postgresql" and "$" in sql):
        return None  # what is quoted depends on settings
    tokens = list(_TOKEN.finditer(sql))
    if any(token[0] in ("--", "/*", "#", "'", '"', "`", "[") for token in tokens):
        return None  # a comment may be one to one database and none to another
    numbers = accumulate(token[0] == ";" for token in tokens)
    found = []
    for _, numbered in groupby(zip(numbers, tokens, strict=True), key=lambda one: one[0]):
        own = [token for _, token in numbered if token[0] != ";"]
        quoted = [token[0] for token in own if token["quoted"]]
        order = iter(range(len(quoted)))
        words = [
            (f'"{next(order)}"' if token[0][0] in '"`' else f"'{next(order)}'") if token["quoted"] else token[0]
            for token in own
        ]
        if own:
            found.append(_Statement(sql[own[0].start() : own[-1].end()], " ".join(words), quoted))
    return found


def _actions(words: str) -> Iterator[str]:
    """Yield the parts of an ALTER TABLE, between commas that are in no brackets."""
    depth, action = 0, list[str]()
    for word in [*words.split(" "), ","]:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and not depth:
            yield " ".join(action)
            action = []
        else:
            action.append(word)


def _only_reads(words: str) -> bool:
    """Return whether an expression or a query certainly changes nothing: it calls only functions that do not."""
    calls = _CALL.finditer(words)
    return not _WRITES.search(words) and all(
        call["schema"] is None and _KNOWN_CALL.fullmatch(call["name"]) for call in calls
    )


# Types

_ALIASES = {
    "postgresql": {"FLOAT": "DOUBLE PRECISION", "INT": "INTEGER", "BOOL": "BOOLEAN"},
    "mariadb": {"BOOL": "TINYINT", "BOOLEAN": "TINYINT", "JSON": "LONGTEXT"},
    "mysql": {"BOOL": "TINYINT", "BOOLEAN": "TINYINT"},
}
_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "MEDIUMINT": 8, "INT": 10, "INTEGER": 10, "BIGINT": 19}
_BYTES = {"TINYTEXT": 2**8 - 1, "TEXT": 2**16 - 1, "MEDIUMTEXT": 2**24 - 1, "LONGTEXT": 2**32 - 1}  # on MariaDB
_TYPE = re.compile(r"(?P<word>\w+(?: VARYING| PRECISION)?)(?:\((?P<sizes>\d+(?:, \d+)?)\))?(?P<rest>.*)")


class _Type(NamedTuple):
    family: str
    least: float  # characters, or digits before the point, that fit in any case
    most: float  # that can be in it
    scale: float
    rest: str


def keeps_values(old: str, new: str, dialect: str) -> bool:
    """Return whether every value of a type is certain to stay as it is when its column gets another one."""
    before, after = _type(old, dialect), _type(new, dialect)
    if before.rest != after.rest:
        return False
    if dialect == "sqlite":  # where a length says nothing, and only what is of another family is converted
        return (before.family, after.family) in _KEPT_BY_SQLITE or before == after
    if before.family == after.family:
        return before == after or (before.most <= after.least and before.scale <= after.scale)
    sign = after.family == "text"
    return before.family == "integer" and after.family in ("text", "number") and before.most + sign <= after.least


_KEPT_BY_SQLITE = {("text", "text"), ("integer", "integer"), ("number", "number"), ("integer", "text")}


def _type(text: str, dialect: str) -> _Type:
    has_sizes = dialect in ("mariadb", "mysql")  # where none is written too
    found = _TYPE.fullmatch(_spaced(text))
    if found is None:
        return _Type(text, 0, inf, 0, "")
    word = _ALIASES.get(dialect, {}).get(found["word"], found["word"])
    sizes = [int(one) for one in (found["sizes"] or "").split(", ") if one]
    rest = re.sub(r"CHARACTER SET \w+ (?=COLLATE)", "", found["rest"].strip())
    if word in _DIGITS:
        return _Type("integer", _DIGITS[word], _DIGITS[word], 0, rest)
    if word in ("NUMERIC", "DECIMAL"):
        digits, scale = [*sizes, 0][:2] if sizes else (10, 0) if has_sizes else (inf, inf)
        whole = digits if digits == inf else digits - scale
        return _Type("number", whole, whole, scale, rest)
    if word in ("VARCHAR", "CHARACTER VARYING") or (dialect == "sqlite" and word == "CHAR"):
        length = sizes[0] if sizes else inf
        return _Type("text", length, length, 0, rest)
    if word in _BYTES and not sizes:  # with one, MariaDB takes the smallest type that has room
        most = _BYTES[word] if has_sizes else inf
        return _Type("text", most / 4, most, 0, rest)
    return _Type(f"{word} {sizes}", 0, inf, 0, rest)


def _spaced(text: str) -> str:
    """Return a type with the blanks and, but for what is quoted, the letters that SQLAlchemy writes."""
    words = [token[0] if token["quoted"] else token[0].upper() for token in _TOKEN.finditer(text)]
    return " ".join(words).replace(" ( ", "(").replace(" )", ")").replace(" ,", ",")
