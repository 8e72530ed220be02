"""What an SQLite table would lose when Alembic makes it anew: put back what can be, refuse the step for the rest."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..errors import StepRefused
from .base import quoted

# Alembic's way: CREATE TABLE _alembic_tmp_x, INSERT INTO it, DROP TABLE x, ALTER TABLE _alembic_tmp_x RENAME TO x.
_TEMPORARY = r'"?(?P<temporary>_alembic_tmp_[^"\s(]*)"?'
_CREATE = re.compile(rf"\s*CREATE TABLE {_TEMPORARY}", re.I)
_COPY = re.compile(rf"\s*INSERT INTO {_TEMPORARY}", re.I)
_RENAME = re.compile(rf'\s*ALTER TABLE {_TEMPORARY} RENAME TO "?(?P<table>[^"]*?)"?\s*$', re.I)
_INDEX = re.compile(r"\s*CREATE (UNIQUE )?INDEX\b", re.I)
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|\w+|[^\w\s]""", re.S)

_CLAUSE = re.compile(r"\s+(?:DESC|ASC|COLLATE\s+\w+)\b", re.I)  # what may follow a column of an index

_COLUMNS = "SELECT name FROM pragma_table_xinfo(?)"
_GENERATED = f"{_COLUMNS} WHERE hidden IN (2, 3)"  # https://www.sqlite.org/pragma.html#pragma_table_xinfo


class _Entry(NamedTuple):
    """A row of sqlite_master."""

    kind: str
    name: str
    table: str
    sql: str


@dataclass(frozen=True)
class Check:
    """A CHECK of a table, known by the words in it, and whether it has a name."""

    text: str = field(compare=False)
    words: tuple[str, ...]
    named: bool = field(compare=False)


@contextmanager
def watched(connection: sa.Connection, driver: sqlite3.Connection) -> Iterator[None]:
    """Watch every table that is made anew on this connection."""
    watch = _Watch(driver)
    sa.event.listen(connection, "before_execute", _without_generated, retval=True)
    sa.event.listen(connection, "before_cursor_execute", watch.before)
    sa.event.listen(connection, "after_cursor_execute", watch.after)
    try:
        yield
    finally:
        sa.event.remove(connection, "before_execute", _without_generated)
        sa.event.remove(connection, "before_cursor_execute", watch.before)
        sa.event.remove(connection, "after_cursor_execute", watch.after)
        driver.execute("PRAGMA legacy_alter_table = OFF")


class _Watch:
    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver
        self.entries: list[_Entry] = []  # of the table that is being made anew, itself first
        self.columns: list[str] = []
        self.lost: list[_Entry] = []  # that Alembic does not make again
        self.to_order: dict[str, str] = {}  # how its indexes were made, until the batch is over
        self.sequence: int | None = None
        self.copied = ""

    def before(self, _connection: sa.Connection, _cursor: object, statement: str, *_of_the_statement: object) -> None:
        if not _INDEX.match(statement):
            self.to_order = {}
        if found := _CREATE.match(statement):
            self._remember(found["temporary"])
        elif _COPY.match(statement):
            self.copied = statement
        elif _RENAME.match(statement) and self._has_dependants():
            # Views and triggers speak of a table that is not there at this moment.
            # https://www.sqlite.org/lang_altertable.html#otheralter
            self.driver.execute("PRAGMA legacy_alter_table = ON")

    def after(self, _connection: sa.Connection, _cursor: object, statement: str, *_of_the_statement: object) -> None:
        if _INDEX.match(statement):
            self._order_index()
        if not (found := _RENAME.match(statement)):
            return
        self.driver.execute("PRAGMA legacy_alter_table = OFF")
        self._refuse_losses(found["table"])
        self._put_back(found["table"])
        if self._has_dependants():
            self._try_them(found["table"])
        self.to_order = {one.name: one.sql for one in self.entries if one.kind == "index"}

    def _remember(self, temporary: str) -> None:
        rows = self.driver.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        entries = [_Entry(*row) for row in rows]
        mine = [one for one in entries if f"_alembic_tmp_{one.table}"[:50] == temporary]
        self.entries = sorted(mine, key=lambda one: one.kind != "table")
        self.lost = [one for one in mine if one.kind == "trigger" or (one.kind == "index" and self._is_computed(one))]
        table = mine[0].table if mine else ""
        self.columns = [name.lower() for (name,) in self.driver.execute(_COLUMNS, (table,))]
        self.sequence = self._sequence(table)

    def _is_computed(self, index: _Entry) -> bool:
        """Return whether an index has an expression, which SQLAlchemy does not reflect."""
        columns = self.driver.execute("SELECT cid FROM pragma_index_xinfo(?)", (index.name,))
        return any(cid == -2 for (cid,) in columns)  # https://www.sqlite.org/pragma.html#pragma_index_xinfo

    def _sequence(self, table: str) -> int | None:
        if not self.driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
            return None
        row = self.driver.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return row[0] if row else None

    def _has_dependants(self) -> bool:
        kinds = "SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger') LIMIT 1"
        return any(one.kind == "trigger" for one in self.entries) or self.driver.execute(kinds).fetchone() is not None

    def _refuse_losses(self, table: str) -> None:
        if not self.entries or self.entries[0].kind != "table":
            return
        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
        old, new = self.entries[0].sql, self.driver.execute(query, (table,)).fetchone()[0]
        before, after = checks_of(old), checks_of(new)
        copied = {*_words(self.copied), *(name.lower() for (name,) in self.driver.execute(_GENERATED, (table,)))}
        gone = {column for column in self.columns if column not in copied}
        lost = [one for one in before if not one.named and one not in after and not gone & set(one.words)]
        # As they are said when a column gets another name.
        others = [one for one in after if one not in before and not one.named]
        if len(lost) > len(others):
            text = lost[0].text
            raise StepRefused(
                f"{table} would lose its CHECK ({text}), which has no name",
                f'hand it over: op.batch_alter_table("{table}", table_args=[sa.CheckConstraint({text!r})])',
            )
        collations, left = collations_of(old), collations_of(new)
        for column in sorted(collations.keys() & copied - left.keys()):
            raise StepRefused(
                f"{table} would lose the COLLATE {collations[column]} of its column {column}",
                f'hand it over: op.batch_alter_table("{table}", reflect_args=[sa.Column("{column}",'
                f' sa.String(..., collation="{collations[column]}"))])',
            )
        for clause, words in lost_clauses(old, new):
            if not gone & set(words):
                raise StepRefused(
                    f"{table} would lose {clause} in {' '.join(words)}",
                    f'hand it over as it is: op.batch_alter_table("{table}", copy_from=sa.Table(...)),'
                    " or make it anew with op.execute",
                )
        if "autoincrement" in _words(old) and "autoincrement" not in _words(new):
            raise StepRefused(
                f"{table} would lose its AUTOINCREMENT",
                f'hand it over: op.batch_alter_table("{table}", table_kwargs={{"sqlite_autoincrement": True}})',
            )
        if self.sequence is not None:
            self.driver.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self.driver.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, self.sequence))

    def _put_back(self, table: str) -> None:
        for one in self.lost:
            try:
                self.driver.execute(one.sql)
            except sqlite3.Error as error:
                raise _lost(table, one.kind, one.name, str(error)) from error

    def _order_index(self) -> None:
        """Give an index back the order and the collations of its columns, which SQLAlchemy does not reflect."""
        for name, sql in self.to_order.items():
            query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?"
            now = self.driver.execute(query, (name,)).fetchone()
            if now and _words(now[0]) != _words(sql) and _words(now[0]) == _words(_CLAUSE.sub("", sql)):
                self.driver.execute(f"DROP INDEX {quoted(name)}")
                self.driver.execute(sql)

    def _try_them(self, table: str) -> None:
        """Let SQLite look whether each view and trigger still fits: it does so whenever any table is renamed."""
        try:
            self.driver.execute("CREATE TABLE _management_probe (id)")
            self.driver.execute("ALTER TABLE _management_probe RENAME TO _management_probed")
            self.driver.execute("DROP TABLE _management_probed")
        except sqlite3.Error as error:
            found = re.match(r"error in (\w+) (.+?)(?: after rename)?: (.+)", str(error), re.S)
            if not found:
                raise
            raise _lost(table, found[1], found[2], found[3]) from error


def _without_generated(
    _connection: sa.Connection, statement: Any, multiple: Any, parameters: Any, _options: object
) -> tuple[Any, Any, Any]:
    """Leave the generated columns out of a copy: Alembic puts them in, and SQLite computes them itself."""
    if isinstance(statement, sa.Insert) and statement.select is not None:
        table: Any = statement.table
        generated = {column.name for column in table.columns if column.computed is not None}
        if generated and table.name.startswith("_alembic_tmp_"):
            of_both = zip(statement._select_names or (), statement.select.selected_columns, strict=True)
            kept = {name: column for name, column in of_both if name not in generated}
            statement = table.insert().from_select(list(kept), statement.select.with_only_columns(*kept.values()))
    return statement, multiple, parameters


def _lost(table: str, kind: str, name: str, why: str) -> StepRefused:
    return StepRefused(
        f"{table} would lose its {kind} {name}: {why}",
        f"drop it in the revision first: op.execute('DROP {kind.upper()} {name}')",
    )


def _tokens(sql: str) -> list[re.Match[str]]:
    return [one for one in _TOKEN.finditer(sql) if not one[0].startswith(("--", "/*"))]


def _in_brackets(sql: str, tokens: Sequence[re.Match[str]]) -> str:
    """Return what stands between the first of some tokens, a bracket, and the one that closes it."""
    depth, end = 0, len(sql)
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            end = token.start()
            break
    return sql[tokens[0].end() : end].strip()


def computed_of(sql: str) -> dict[str, str]:
    """Return what the columns of a CREATE TABLE are computed by, by their names in small letters."""
    tokens, depth, column, found = _tokens(sql), 0, "", {}
    for number, token in enumerate(tokens[:-1]):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 1 and token[0] in ("(", ","):
            [column] = _words(tokens[number + 1][0]) or ("",)
        elif depth == 1 and token[0].upper() == "AS" and tokens[number + 1][0] == "(":
            found[column] = _in_brackets(sql, tokens[number + 1 :])
    return found


def checks_of(sql: str) -> list[Check]:
    """Return the CHECKs in the text of a CREATE TABLE."""
    tokens = _tokens(sql)
    found = []
    for number, token in enumerate(tokens[:-1]):
        if token[0].upper() != "CHECK" or tokens[number + 1][0] != "(":
            continue
        text = _in_brackets(sql, tokens[number + 1 :])
        named = number >= 2 and tokens[number - 2][0].upper() == "CONSTRAINT"
        found.append(Check(text, _words(text), named))
    return found


def collations_of(sql: str) -> dict[str, str]:
    """Return the collations of the columns that a CREATE TABLE gives one."""
    found: dict[str, str] = {}
    depth, column, words = 0, "", _words(sql)
    for before, word, after in zip(("", *words), words, (*words[1:], ""), strict=False):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 1 and before in ("(", ","):
            column = word
        elif depth == 1 and word == "collate":
            found[column] = after
    return found


def lost_clauses(old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return what one CREATE TABLE says of conflicts, order and collations of keys, and another does not.

    Returns:
        The clause, and the words of the column or constraint that it stands in.
    """
    left = Counter(clause for clause, _ in _clauses(new))
    lost = []
    for clause, words in _clauses(old):
        left[clause] -= 1
        # A key with an order or a collation is one that SQLAlchemy does not reflect, and no batch can drop.
        is_dropped = words[0] == "constraint" and clause.startswith("ON") and words[1] not in _words(new)
        if left[clause] < 0 and not is_dropped:
            lost.append((clause, words))
    return lost


def _clauses(sql: str) -> list[tuple[str, tuple[str, ...]]]:
    tokens = [one for one in _TOKEN.findall(sql) if not one.startswith(("--", "/*"))]
    found, item, depth = [], list[str](), 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth and (depth > 1 or token not in ("(", ",")):
            item.append(token)
        elif item:
            text = " ".join(item)
            in_key = not re.search(r"\bCHECK\b|\bAS \(", text, re.I)
            found += [(one, _words(text)) for one in _clauses_in(text) if in_key or one.startswith("ON")]
            item = []
    return found


def _clauses_in(text: str) -> list[str]:
    """Return the clauses in the words of a column or a constraint; a column's own collation is not one of them."""
    found = [f"ON CONFLICT {one.upper()}" for one in re.findall(r"\bON CONFLICT (\w+)", text, re.I)]
    key = re.search(r"\b(?:PRIMARY KEY|UNIQUE)\b(.*)", text, re.I)
    if key:
        found += ["DESC"] * len(re.findall(r"(?<![\"`\[])\bDESC\b", key[1], re.I))
        if "(" in key[1]:
            found += [f"COLLATE {one.upper()}" for one in re.findall(r"\bCOLLATE (\w+)", key[1], re.I)]
    return found


def _words(sql: str) -> tuple[str, ...]:
    """Return the tokens of a statement, names without their quotes and in small letters; texts as they are."""
    tokens = [one for one in _TOKEN.findall(sql) if not one.startswith(("--", "/*"))]
    return tuple(one if one.startswith("'") else one.strip('"`[]').lower() or one for one in tokens)
