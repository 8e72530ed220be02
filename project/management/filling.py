"""Fill tables with rows, whatever they are: as inference reads them, as a seeder says, else by trying what fits.

Then values at the edge of what the database allows, one at a time; the database itself is the judge of each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain, groupby, permutations
from random import Random
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.ddl.base import AddColumn, AlterColumn, RenameTable
from sqlalchemy.dialects.mysql import BIT
from sqlalchemy.schema import CreateTable

from . import bookkeeping, rehearsing, seeding
from .errors import CommandError, driver_words
from .fields import integer_range
from .spellings import places_of_regexp
from .types import BINARY, DECIMAL, NUMBER

if TYPE_CHECKING:
    from .project import Project

_Type = sa.types.TypeEngine[Any]
_Value = str | bytes | None  # as it is given to the database, which makes of it what the column holds

ROWS = 20  # of each table
TRIES = 1000  # until there is a row, where nothing but trying is left
ENOUGH = 300  # of them, where there are some
LONGEST = 1000  # characters, of a text that may have any length
ROOM = 1000  # the largest integer leaves room for so many times itself: prices become cents
_REQUEST = seeding.Request(count=ROWS, anywhere=True)
_IS_JSON = re.compile(r"json_valid\(`(\w+)`\)")  # what MariaDB makes of the type JSON
_CHECK = re.compile(r"CHECK \((.*)\)", re.S)
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)")

# Texts that some type of PostgreSQL reads: shapes, composite types with all fields NULL, addresses, bits, documents
ODD = (
    *("(1,2)", "((0,0),(1,1))", "<(0,0),1>", "{1,2,3}", "[(0,0),(1,1)]", "1", "a", "{}", "[]", "empty", "1 day"),
    *("10.0.0.1", "08:00:2b:01:02:03", "08:00:2b:01:02:03:04:05", "0/0", "<a/>", "$.a", "1010", "1.0", "2020-01-01"),
    *(f"({',' * commas})" for commas in range(1, 12)),
)


class DeclaredTypes:
    """The types that migrations give to columns, where the database keeps less of them: an Enum that is a VARCHAR."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, _Type]] = {}  # by table and column

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what is made meanwhile, on whichever connection."""
        sa.event.listen(sa.Engine, "before_execute", self._note)
        try:
            yield
        finally:
            sa.event.remove(sa.Engine, "before_execute", self._note)

    @contextmanager
    def unless_it_fails(self) -> Iterator[None]:
        """Forget what is noted meanwhile if that fails: the database takes it back."""
        before = {name: {**columns} for name, columns in self.known.items()}
        try:
            yield
        except CommandError:
            self.known = before
            raise

    def _note(self, _connection: sa.Connection, statement: Any, *_of_the_statement: object) -> None:
        if isinstance(statement, CreateTable):
            self._note_table(statement.element)
        elif isinstance(statement, RenameTable):
            old, new = (_made_anew(str(one)) for one in (statement.table_name, statement.new_table_name))
            self.known[new] = self.known.pop(old, {})
        elif isinstance(statement, AddColumn | AlterColumn):
            name = f"{statement.schema}.{statement.table_name}" if statement.schema else str(statement.table_name)
            _note_column(self.known.setdefault(_made_anew(name), {}), statement)

    def _note_table(self, table: sa.Table) -> None:
        name = _made_anew(table.fullname)
        before = self.known.get(name, {}) if name != table.fullname else {}
        # A batch makes the table of what it has reflected, and of what it changes; a column's key is its former name.
        self.known[name] = {one.name: _type_of(one.type, before.get(one.key)) for one in table.columns}

    def put_into(self, metadata: sa.MetaData, connection: sa.Connection) -> None:
        """Give reflected columns the type that they were declared with, where what is reflected may be any of it."""
        for table in metadata.tables.values():
            known = self.known.get(table.fullname, {})
            for column in table.columns:
                if _may_be(column.type, known.get(column.name)):
                    column.type = _with_stored_labels(connection, column, known[column.name])


def _with_stored_labels(connection: sa.Connection, column: sa.Column[Any], declared: _Type) -> _Type:
    """Return a column's type; of an Enum with the labels that are stored, where an UPDATE renamed them."""
    if not isinstance(declared, sa.Enum):
        return declared
    here = _untyped(column.table).c[column.name]
    stored = connection.scalars(sa.select(here).distinct().where(here.is_not(None)).order_by(here)).all()
    if {*stored} <= {*declared.enums}:
        return declared
    return sa.Enum(*stored, native_enum=False, length=declared.length)


def _note_column(known: dict[str, _Type], statement: AddColumn | AlterColumn) -> None:
    """Note the type of a column that is added, or has another type or name from now on."""
    if isinstance(statement, AddColumn):
        known[statement.column.name] = statement.column.type
        return
    before, given = known.pop(str(statement.column_name), None), getattr(statement, "type_", None)
    kind = before if given is None else _type_of(given, before)
    if kind is not None:
        known[str(getattr(statement, "newname", None) or statement.column_name)] = kind


def _type_of(given: _Type, before: _Type | None) -> _Type:
    """Return the type of a column that is said to have one, and had one before: what is reflected changes nothing."""
    return before if before is not None and _may_be(given, before) else given


def _may_be(reflected: _Type, declared: _Type | None) -> bool:
    """Return whether a type is what a database keeps of one that was declared."""
    if isinstance(declared, sa.Boolean):
        return getattr(reflected, "display_width", None) == 1  # MariaDB's TINYINT(1)
    if not isinstance(reflected, sa.String | sa.LargeBinary) or isinstance(reflected, sa.Enum):
        return False
    if not reflected.__visit_name__.isupper():  # what is reflected is a type of SQL, as VARCHAR
        return False
    if isinstance(declared, sa.Enum | sa.Uuid):
        return getattr(reflected, "length", None) == (declared.length if isinstance(declared, sa.Enum) else 32)
    return isinstance(declared, sa.JSON | sa.types.TypeDecorator)


def _made_anew(name: str) -> str:
    return name.replace("_alembic_tmp_", "")


@dataclass
class Filler:
    """Keeps the tables of a database filled while it goes from revision to revision."""

    empty: dict[str, tuple[str, str]] = field(default_factory=dict)  # what has no rows: since which revision, and why
    declared: DeclaredTypes = field(default_factory=DeclaredTypes)
    _known: dict[str, str] = field(default_factory=dict)  # what a table was like when it was last filled

    def fill(self, project: Project, revision: str) -> bool:
        """Fill the tables as they are now, read from the database: the models are those of the newest revision.

        Returns:
            Whether anything came of it.
        """
        with project.connect() as connection:
            metadata = _reflected(project, connection)
            self.declared.put_into(metadata, connection)
            tables = metadata.sorted_tables
            before = {table.fullname: seeding.rows_in(connection, table) for table in tables}
        why = _seed_each(project, metadata)
        came = False
        with project.connect(write=True) as connection:
            inserted = bookkeeping.read_all(connection, "inserted:")
            for table in tables:
                one = _Table(project, connection, table)
                rows, now = seeding.rows_in(connection, table), _description(table)
                is_new = now != self._known.get(table.fullname)
                if not rows and (is_new or table.fullname not in self.empty):
                    refused = one.try_rows()
                    connection.commit()  # what is tried now may take back all that is not
                    rows = seeding.rows_in(connection, table)
                    if not rows and table.fullname not in self.empty:
                        self.empty[table.fullname] = revision, why.get(table.fullname) or refused
                if before[table.fullname] != rows or is_new:
                    came = came or rows > 0
                    self._known[table.fullname] = now
                    if table.fullname not in inserted:  # rows of a data migration are as it wants them
                        one.repeat()
                        one.go_to_the_edges()
                        connection.commit()
        return came

    def forget(self) -> None:
        """Fill from the start: the database is another one."""
        self._known.clear()


def _seed_each(project: Project, metadata: sa.MetaData) -> dict[str, str]:
    """Seed every table, and return of each that could not be why: neither as inferred, nor as its seeder says."""
    inferred = project.beside_itself()
    inferred.metadata = metadata
    try:
        rehearsing.seed_all(inferred, _REQUEST)
    except CommandError:
        pass  # which tables it is, and what else there is to do for them, comes now
    else:
        return {}
    declared = project.beside_itself()
    declared.metadata, declared.seeders = metadata, project.seeders
    why = {}
    for group in _groups(inferred):
        refused = _refusal(inferred, group)
        if refused and any(name in declared.seeders for name in group):
            refused = _refusal(declared, group, at_head=False)
        if refused:
            why.update(dict.fromkeys(group, refused))
    return why


def _groups(project: Project) -> list[list[str]]:
    """Return the names of the tables that are seeded together, parents first; none where they cannot be ordered."""
    try:
        targets = seeding.choose(project, ())
    except CommandError:
        return [[table.fullname] for table in project.metadata.sorted_tables]
    return [[one.name for one in group] for _, group in groupby(targets, lambda target: target.group)]


def _refusal(project: Project, names: Sequence[str], *, at_head: bool = True) -> str:
    """Seed some tables, and return why that cannot be."""
    try:
        rehearsing.seed_all(project, _REQUEST, only=names, at_head=at_head)
    except CommandError as error:
        return error.cause
    return ""


def _reflected(project: Project, connection: sa.Connection) -> sa.MetaData:
    """Return the tables that the database has, with their CHECKs, which SQLAlchemy leaves out."""
    metadata = sa.MetaData()
    inspector = sa.inspect(connection)
    left_alone = bookkeeping.HIDDEN | project.backend.virtual_tables(connection)
    for schema in sorted({None, *(schema for schema, _ in project.backend.copies.tables(connection))}, key=str):
        metadata.reflect(connection, schema=schema, only=lambda name, _: name not in left_alone)
    for table in metadata.tables.values():
        for check in inspector.get_check_constraints(table.name, table.schema):
            table.append_constraint(sa.CheckConstraint(check["sqltext"], name=check["name"]))
        for text in project.backend.unreflected_checks(connection, table):
            table.append_constraint(sa.CheckConstraint(text))
            if found := _IS_JSON.fullmatch(text):
                table.columns[found[1]].type = sa.JSON()
        for column in table.columns:
            column.type = _without_domain(column.type)
        for text in project.backend.conditions_elsewhere(connection, table):
            if found := _CHECK.fullmatch(text):
                table.append_constraint(sa.CheckConstraint(found[1]))
    return metadata


def _description(table: sa.Table) -> str:
    """Return what is the same for as long as a table is the same."""
    parts = [*map(repr, table.columns), *(f"{one!r}{one.name}" for one in table.indexes)]
    parts += [f"{one!r}{_words(one)}" for one in table.constraints]
    return "\n".join(sorted(re.sub(r" at 0x\w+", "", one) for one in parts))


def _words(constraint: sa.Constraint) -> str:
    return str(constraint.sqltext) if isinstance(constraint, sa.CheckConstraint) else str(constraint.name)


class _Table:
    """One table that is filled by what the database takes."""

    def __init__(self, project: Project, connection: sa.Connection, table: sa.Table) -> None:
        self.project, self.connection, self.table = project, connection, table
        self.plain = _untyped(table)
        self.each_by_itself = False  # whether to commit each statement: a refusal has taken back those before it
        self.random = Random(table.fullname)
        self.checks = [_words(one) for one in table.constraints if isinstance(one, sa.CheckConstraint)]

    # Rows by trying

    def try_rows(self) -> str:
        """Try rows until there are enough, and return why the last one was refused."""
        literals = self._literals()
        pools = {
            one.name: [*_literal_guesses(one, literals), *_edges(one), *self._odd(one)] for one in self.table.columns
        }
        largest = 2 * max([100, *(one for one in _numbers(literals) if one < 10**9)])
        keys = list(self.table.foreign_key_constraints)
        made, refused = 0, ""
        for tried in range(TRIES):
            row = self._row(pools, largest)
            for key in keys:
                row.update(self._reference(key, row))
            words = self._refused(self.plain.insert().values(row))
            made += words is None
            refused = words or refused
            if made == ROWS or (made > 2 and tried > ENOUGH):
                break
        return refused

    def _row(self, pools: Mapping[str, Sequence[_Value]], largest: int) -> dict[str, _Value]:
        row: dict[str, _Value] = {}
        day = date(2000, 1, 1) + timedelta(self.random.randrange(20_000))  # what is of one row is often of one time
        for column in self.table.columns:
            if column.computed or column.identity or (column.foreign_keys and not column.primary_key):
                continue
            may_be_left = column.nullable or column.server_default or column is self.table.autoincrement_column
            if may_be_left and self.random.random() < 0.4:
                continue
            pool = pools[column.name]
            made = _any(column, largest, day, self.random) if not pool or self.random.random() < 0.5 else None
            row[column.name] = made or (self.random.choice(pool) if pool else None)
        return row

    def _odd(self, column: sa.Column[Any]) -> list[str]:
        """Return what a column takes whose type is known to nobody here."""
        if not isinstance(column.type, sa.types.NullType):
            return []
        here = self.plain.c[column.name]
        tried = {
            text: sa.select(sa.case((sa.false(), here), else_=sa.literal(text, sa.types.NullType()))).limit(0)
            for text in ODD
        }
        return [text for text, query in tried.items() if self._refused(query) is None]

    def _reference(self, key: sa.ForeignKeyConstraint, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a foreign key: those of a row that is there, or of the row itself; or none."""
        if all(one.nullable for one in key.columns) and self.random.random() < 0.4:
            return {}
        wanted = [element.column for element in key.elements]
        referred = _untyped(key.referred_table)
        there = self.connection.execute(sa.select(*(referred.c[one.name] for one in wanted)).limit(ROWS)).all()
        if there:
            return dict(zip(key.column_keys, self.random.choice(there), strict=True))
        if key.referred_table is self.table:
            return {name: row.get(one.name) for name, one in zip(key.column_keys, wanted, strict=True)}
        return {}

    def _literals(self) -> list[str]:
        """Return what stands as a value in the CHECKs of the table, and wherever else a row may need one from."""
        texts = [*self.checks, *self.project.backend.conditions_elsewhere(self.connection, self.table)]
        found = chain.from_iterable(_LITERAL.findall(one) for one in texts)
        return list(dict.fromkeys(number or text.replace("''", "'") for text, number in found))

    # Rows that are there

    def repeat(self) -> None:
        """Let a second row have what the first has, wherever it may: what is not unique does repeat some day.

        A unique text does so in letters of the other case, where the database tells them apart.
        """
        unique = self._unique()
        rows = self._rows()[:2]
        if len(rows) < 2:
            return
        first, second = rows
        repeated = self.plain.update().where(*self._is(second))
        other = self.plain.alias("other")  # the database copies: not every driver writes what it reads
        copied = {
            one.name: sa.select(other.c[one.name]).where(*self._is(first, other)).scalar_subquery()
            for one in self.table.columns
            if one.name not in unique and not one.computed and not one.identity
        }
        if copied:
            self._refused(repeated.values(copied))  # something else may keep them apart
        for one in self.table.columns:
            if one.name in unique and _is_text(one.type) and not one.foreign_keys:
                text = self.connection.scalar(sa.select(self.plain.c[one.name]).where(*self._is(first)))
                if isinstance(text, str):  # on SQLite it may be anything
                    self._refused(repeated.values({one.name: f"{text}x"}))  # the same for a while
                    self._refused(repeated.values({one.name: text.swapcase()}))

    def _unique(self) -> set[str]:
        """Return the columns in which rows may have to differ."""
        apart: list[sa.UniqueConstraint | sa.PrimaryKeyConstraint | sa.Index] = [
            one for one in self.table.constraints if isinstance(one, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
        ]
        apart += [one for one in self.table.indexes if one.unique]
        return {column.name for one in apart for column in one.columns}

    def _rows(self) -> Sequence[sa.Row[Any]]:
        """Return the primary keys of the first rows; none where the table has no key."""
        keys = [self.plain.c[one.name] for one in self.table.primary_key.columns]
        return self.connection.execute(sa.select(*keys).order_by(*keys).limit(ROWS)).all() if keys else []

    def _is(self, row: sa.Row[Any], table: sa.FromClause | None = None) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of a row, in the table itself or in another that stands for it."""
        columns = (self.plain if table is None else table).c
        return [columns[one.name] == part for one, part in zip(self.table.primary_key.columns, row, strict=True)]

    def go_to_the_edges(self) -> None:
        """Give one row each, from the third on, a value at the edge of what its column takes."""
        found = self._rows()[2:]
        if not found:
            return
        place = 0
        for column in self.table.columns:
            if column.computed or column.identity or column.primary_key:
                continue
            for value in [*_edges(column), *self._bounds(column)]:
                for row in (found[(place + more) % len(found)] for more in range(3)):  # what is beside it may forbid it
                    update = self.plain.update().where(*self._is(row))
                    if self._refused(update.values({column.name: value})) is None:
                        break
                place += 1

    def _bounds(self, column: sa.Column[Any]) -> list[Any]:
        """Return the numbers in the CHECKs that name a column; and of a key to the table itself, the row's own."""
        if column.foreign_keys:
            own = [one.column.name for one in column.foreign_keys if one.column.table is self.table]
            return [self.plain.c[name] for name in own]
        if not isinstance(column.type, NUMBER):
            return []
        texts = [one for one in self.checks if re.search(rf"\b{re.escape(column.name)}\b", one)]
        return [number for one in texts for _, number in _LITERAL.findall(one) if number]

    def _refused(self, statement: sa.Executable) -> str | None:
        """Run a statement, of which nothing stays where the database refuses it, and return its words then."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(statement)
        except sa.exc.DBAPIError as error:
            if self.project.backend.explain(error) is not None:  # a connection that was lost
                raise
            if self.project.backend.rolled_back(self.connection):
                self.connection.rollback()
                self.each_by_itself = True
            return driver_words(error.orig or error)
        if self.each_by_itself:
            self.connection.commit()
        return None


def _untyped(table: sa.Table) -> sa.TableClause:
    """Return a table whose values are not converted: text goes in, and what becomes of it is up to the database."""
    columns: list[sa.ColumnClause[Any]] = [sa.column(one.name, sa.types.NullType()) for one in table.columns]
    return sa.table(table.name, *columns, schema=table.schema)


def _is_text(kind: _Type) -> bool:
    """Return whether any text may stand in a column of a type."""
    return isinstance(kind, sa.String) and not isinstance(kind, sa.Enum)


# Values, as text or bytes


def _without_domain(kind: _Type) -> _Type:
    """Return of a domain the type it stands on, else the type."""
    while isinstance(inner := getattr(kind, "data_type", None), sa.types.TypeEngine):
        kind = inner
    return kind


def _edges(column: sa.Column[Any]) -> list[_Value]:
    """Return the values at the edge of a column that tables really come to hold; the database refuses the rest."""
    found: list[_Value] = [None] if column.nullable and not column.primary_key else []
    return found if column.foreign_keys else [*found, *_values(column, column.type)]


def _values(column: sa.Column[Any], kind: _Type) -> Sequence[str | bytes]:
    if isinstance(kind, sa.Enum):
        return list(kind.enums)
    if isinstance(kind, sa.Boolean):
        return ["0", "1"]
    if isinstance(kind, sa.Integer):
        largest = integer_range(column)[1] // ROOM
        return ["0", "-1", str(largest), str(-largest)]
    if isinstance(kind, DECIMAL):
        digits = 7 if isinstance(kind, sa.Float) and kind.scale is None else kind.precision or 7  # a Float's are bits
        whole = digits - (kind.scale or 0)
        nines = "9" * whole + (f".{'9' * kind.scale}" if kind.scale else "")
        return ["0", "-1", nines, f"-{nines}"]
    if isinstance(kind, sa.DateTime):
        return ["1900-01-01 00:00:00", "2999-12-31 23:59:59", "1970-01-02 00:00:00", "2038-01-01 00:00:00"]
    if isinstance(kind, sa.Date):
        return ["1900-01-01", "2999-12-31"]
    if isinstance(kind, sa.Time):
        return ["00:00:00", "23:59:59"]
    if type(kind).__name__ == "INTERVAL":  # of PostgreSQL
        return ["0", "-1 day", "100 years"]
    if isinstance(kind, BIT):  # of MariaDB
        return [b"\0", b"\1"]
    if isinstance(kind, BINARY):  # a text would stay one on SQLite
        return [b"", b"\xff" * min(getattr(kind, "length", None) or LONGEST, LONGEST)]
    if isinstance(kind, sa.JSON):
        return ["{}", "[]"]
    if isinstance(kind, sa.Uuid):
        return ["0" * 32]
    if isinstance(kind, sa.ARRAY):
        return ["{}"]
    if isinstance(kind, sa.String):
        length = min(kind.length or LONGEST, LONGEST)
        return ["", "x" * length, " x "[:length], "O'Brien — Zoë 名"[:length]]
    return []


def _literal_guesses(column: sa.Column[Any], literals: Sequence[str]) -> Iterator[str]:
    """Yield what the values that stand in conditions suggest for a column."""
    kind: _Type = column.type
    numbers = _numbers(literals)
    if isinstance(kind, NUMBER):
        for number in numbers:
            yield from map(str, (number, number - 1, number + 1))
        for one, other in permutations(numbers[:6], 2):  # what has to be calculated from them
            yield from map(str, {one - other, one + other, *((one // other,) if other else ())})
    elif isinstance(kind, sa.JSON):
        yield from (json.dumps({one: one}) for one in literals)
    elif not isinstance(kind, sa.String):
        yield from (one for one in literals if not one.isdigit())
    else:
        for literal in literals:
            spelled = re.sub(r"\[\^?(.)[^]]*\]", r"\1", literal)
            yield from (literal, re.sub(r"[?_.]", "a", re.sub(r"[*%^$+]", "", spelled)), literal.upper())
            yield from (text for more in (6, 1, 0) if (text := _matching(literal, more)))
        yield from ("x" * number for number in numbers if 0 <= number <= LONGEST)


def _matching(pattern: str, more: int) -> str:
    """Return a text that a regular expression matches, where it is one that can be read; else nothing."""
    places = places_of_regexp(pattern, more) or ()
    return "".join(characters[(7 * number) % len(characters)] for number, characters in enumerate(places))


def _numbers(literals: Sequence[str]) -> list[int]:
    return [int(float(one)) for one in literals if re.fullmatch(r"-?\d+(\.\d+)?", one)]


def _any(column: sa.Column[Any], largest: int, day: date, random: Random) -> _Value:
    """Return a value of a column's type, as text; none where nobody here knows the type.

    Args:
        largest: number to make.
        day: the earliest, and the next is the latest.
    """
    kind: _Type = column.type
    if isinstance(kind, sa.Boolean):
        return random.choice("01")
    if isinstance(kind, NUMBER):
        return str(random.randint(0, largest))
    day += timedelta(random.randrange(2))
    if isinstance(kind, sa.Date):
        return str(day)
    if isinstance(kind, sa.DateTime):
        return f"{day} {random.randrange(24):02}:00:00"
    if isinstance(kind, sa.Uuid):
        return f"{random.getrandbits(128):032x}"
    if isinstance(kind, BINARY):
        return random.randbytes(4)
    if isinstance(kind, sa.String):
        word = "".join(random.choices("abcdefghij", k=random.randint(1, min(kind.length or 12, 12))))
        return random.choice((word, word.upper(), str(random.randrange(1000)))[: 3 if (kind.length or 3) >= 3 else 2])
    if values := _values(column, kind):
        return random.choice(values)
    if isinstance(kind, sa.types.NullType):
        return None
    number = random.randrange(10**6)
    return random.choice((f"[{number},{number + 1})", f"[{day},{day + timedelta(1)})"))  # a range, of one or the other
