"""What the project asks of a database, and the answers that hold for any of them."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..console import ProgressBar
from ..errors import CommandError, driver_words, first_line, shortened
from ..lazily import sqlalchemy as sa
from .processes import UNKNOWN
from .waiting import Waiting

if TYPE_CHECKING:
    from ..outcomes import Convert
    from .copies import Copies

CONNECT_TIMEOUT = 10  # seconds for a server to answer a new connection
IDLE = 1.0  # seconds without a statement after which a session in a transaction counts as forgotten
REBUILD_FROM = 20_000  # rows

Blocks = Iterable[Sequence[Sequence[Any]]]
LockName = Literal["migrate", "reset", "copies"]


_DOES: dict[LockName, str] = {
    "migrate": "migrates or seeds",
    "reset": "resets",
    "copies": "works with the snapshots of",
}


class TableName(tuple[str | None, str]):
    """A table's schema (None for the default one) and name; shows as `name` or `schema.name`."""

    __slots__ = ()

    def __new__(cls, schema: str | None, name: str) -> TableName:
        return super().__new__(cls, (schema, name))

    @classmethod
    def of(cls, table: sa.Table) -> TableName:
        return cls(table.schema, table.name)

    @property
    def clause(self) -> sa.TableClause:
        """The table for Core statements, without columns."""
        return sa.table(self[1], schema=self[0])

    def __str__(self) -> str:
        return f"{self[0]}.{self[1]}" if self[0] else self[1]


class Index(NamedTuple):
    """An index as the statement says that made it."""

    name: str
    table: str
    statement: str
    is_computed: bool  # whether it is on an expression


class Unvalidated(NamedTuple):
    """A constraint that holds for new rows only, and the statement that makes it hold for all."""

    what: str  # "CHECK grade_between_1_and_12 on students"
    cure: str


class Relation(NamedTuple):
    """Something a database holds: what it is, in the word that drops it (TABLE, VIEW, SEQUENCE ...), and its name."""

    kind: str
    name: TableName


Progress = Callable[[str, int], AbstractContextManager[ProgressBar]]


@contextmanager
def unseen(label: str, total: int) -> Iterator[ProgressBar]:
    """Show nothing of how far it went."""
    yield ProgressBar(label, total, shown=False, color=False)


class LastNumber(NamedTuple):
    """Where a key stands that the database numbers: its largest value, the last number given, and how to go back."""

    largest: int
    given: int
    cure: str


class Size(NamedTuple):
    """How many rows a table holds, and how many will come."""

    present: int
    coming: int

    @property
    def is_worth_rebuilding(self) -> bool:
        """Return whether building an index anew takes less time than keeping it while the rows come."""
        return self.coming >= REBUILD_FROM and self.coming > self.present


class Backend:
    """One database: how to reach, lock, empty and fill it, and what its errors mean."""

    title = "database"
    transactional_ddl = True  # whether a failed migration can be rolled back
    one_transaction = False  # whether a run of migrations is one transaction with a savepoint for each
    has_schemas = False  # whether a migration makes the schemas that tables are in
    own_columns: frozenset[str] = frozenset()  # names under which every table has something, whoever made it
    _acts_by_itself: str  # a query
    follows_keys = True  # whether rows go with those they refer to (ON DELETE CASCADE) while it migrates

    def __init__(self, url: sa.URL | str, *, root: Path) -> None:
        self._given = url
        self.root = root
        self.waiting = Waiting()
        self.progress: Progress = unseen
        self.shown_as = ""  # instead of its own name, where it is to take another one's place

    # Who it is

    @cached_property
    def url(self) -> sa.URL:
        """Where it is, with the password."""
        return sa.make_url(self._given)

    @property
    def database(self) -> str:
        """The name a person types to confirm: the database's, or the SQLite file's."""
        return self.url.database or ""

    @property
    def label(self) -> str:
        """The name shown in messages: never with user or password."""
        return self.shown_as or self._label

    @property
    def _label(self) -> str:
        return self.database

    def hosts(self) -> list[str]:
        """Return the hosts this URL may lead to; none when it is this machine for certain."""
        return []

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the dialect."""
        return self.url.get_dialect().name

    @property
    def offline_dialect(self) -> str:
        """The dialect in which a migration of this database can be written out without running it."""
        return self.dialect

    keys_are_enough = False  # whether a UNIQUE of the same columns as the primary key is that key, and no constraint

    # Reaching it

    def engine(self, *, create: bool = False) -> sa.Engine:
        """Return an engine without a pool, always the same; `create` lets SQLite make its file.

        Raises:
            CommandError: the URL can never work here (a missing folder, an in-memory database).
        """
        self.require_name()
        return self._only_engine

    @cached_property
    def _only_engine(self) -> sa.Engine:  # another one would ask the server what it is, and compile each statement anew
        return self._engine(self.url)

    @contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """Open a connection that only looks at what is there."""
        with self.engine().connect() as connection, self.limited(connection):
            yield connection

    @contextmanager
    def sessions_kept(self) -> Iterator[None]:
        """Take sessions again, as new, where to open one costs more; for a database that nobody else uses."""
        yield

    def require_name(self) -> None:
        """Refuse a URL that names no database, for which a server would take another one, or none."""
        if not self._is_named:
            raise CommandError(
                "DATABASE_URL names no database", f"end it with /NAME, as in {self.dialect}://ada@localhost/school"
            )

    @property
    def _is_named(self) -> bool:
        return bool(self.url.database)

    def _engine(self, url: sa.URL, **more: object) -> sa.Engine:
        given = {"poolclass": sa.NullPool, **self._engine_options(), **more}
        engine = sa.create_engine(url, hide_parameters=True, **given)
        sa.event.listen(engine, "do_connect", self._connect_or_explain)
        return engine

    def _engine_options(self) -> dict[str, object]:
        return {}

    def _connect(self, dialect: sa.Dialect, arguments: Sequence[object], given: dict[str, object]) -> object:
        return dialect.loaded_dbapi.connect(*arguments, **given)

    def _connect_or_explain(
        self, dialect: sa.Dialect, _record: object, arguments: Sequence[object], given: dict[str, object]
    ) -> object:
        with self.connecting(dialect.driver, (dialect.loaded_dbapi.Error, CommandError)):
            return self._connect(dialect, arguments, given)

    @contextmanager
    def connecting(self, driver: str, own: tuple[type[Exception], ...]) -> Iterator[None]:
        """Connect; what a driver raises that is no error of a database comes of what the URL says."""
        try:
            yield
        except own:
            raise
        except UnicodeEncodeError as error:  # a byte of the environment that is no text
            raise CommandError(
                "the database, user or password in DATABASE_URL is not UTF-8 text", "write it as UTF-8, or use another"
            ) from error
        except Exception as error:
            named = f" with its options ({', '.join(self.url.query)})" if self.url.query else ""
            raise CommandError(
                f"{driver} cannot use DATABASE_URL{named}: {type(error).__name__}: {first_line(error)}",
                "correct DATABASE_URL, or install what is missing",
            ) from error

    def exists(self) -> bool:
        """Return whether there is something to connect to, as far as can be told without connecting."""
        return True

    def create_database(self) -> bool:
        """Make the database when the server has none of this name; return whether it was made."""
        return False

    def explain(self, error: sa.exc.DBAPIError) -> CommandError | None:
        """Return what a driver's error means to a person, or None when it says nothing about the connection."""
        return None

    def refusal(self, error: sa.exc.DBAPIError) -> str:
        """Return the database's own words, on one line."""
        return driver_words(error.orig or error)

    def rolled_back(self, connection: sa.Connection) -> bool:
        """Return whether the database has by itself taken back the whole transaction that is open here."""
        return False

    def never_ran(self, error: BaseException) -> bool:
        """Return whether a statement was refused before it was begun, so that it cannot have committed anything."""
        return False

    # One at a time

    @contextmanager
    def lock(self, connection: sa.Connection, name: LockName = "migrate") -> Iterator[None]:
        """Hold this project's lock of this name on the database; it dies with its session.

        `connection` must be outside a transaction and is left outside one. On SQLite the write transaction
        itself is the lock and this does nothing.

        Raises:
            CommandError: somebody else held it for longer than this waits.
        """
        does = f"{_DOES[name]} {self.label}"
        self.waiting.until(lambda: self._try_lock(connection, name), lambda: self._lock_holder(connection, name), does)
        try:
            yield
        finally:
            if not connection.closed and not connection.invalidated:
                with suppress(sa.exc.DBAPIError):  # the lock went with its session, and what was done is done
                    self._unlock(connection, name)

    def _try_lock(self, connection: sa.Connection, name: LockName) -> bool:
        return True

    def _unlock(self, connection: sa.Connection, name: LockName) -> None:
        pass

    def _lock_holder(self, connection: sa.Connection, name: LockName) -> str:
        return UNKNOWN

    @contextmanager
    def limited(self, connection: sa.Connection) -> Iterator[None]:
        """Let no statement on this connection wait for somebody's open transaction longer than a lock is waited for."""
        yield

    @property
    def _holds(self) -> str:
        """What somebody does who is in the way of a statement."""
        return f"holds what this needs in {self.label}, in an open transaction"

    def in_the_way(self) -> CommandError:
        """Return what it means that a statement waited too long."""
        return self.waiting.refusal(self.waiting.seen or "another session", self._holds)

    @contextmanager
    def alone(self, connect: Callable[[], AbstractContextManager[sa.Connection]]) -> Iterator[None]:
        """Let one process after the other do what is more than one transaction, as a reset is."""
        with connect() as connection, self.lock(connection, "reset"):
            yield

    def writing(self, connection: sa.Connection) -> sa.Connection:
        """Prepare a connection, before its transaction, to be the one that writes."""
        return connection

    @contextmanager
    def migrating(self, connection: sa.Connection) -> Iterator[None]:
        """Surround a run of migrations with what this database needs for it."""
        yield

    def broken_references(self, connection: sa.Connection) -> Counter[tuple[str, str]]:
        """Return how many rows of a table refer to rows of another that are not there, by both tables' names.

        Only where the database does not see to it itself while migrating.
        """
        return Counter()

    def indexes_as_made(self, connection: sa.Connection) -> list[Index] | None:
        """Return all indexes where SQLAlchemy cannot reflect those on expressions, else None."""
        return None

    def unreflected_orders(self, connection: sa.Connection) -> list[tuple[str, str, str]]:
        """Return of indexes with an order that SQLAlchemy does not reflect the table, the name and that order."""
        return []

    def whole_default(self, connection: sa.Connection, column: sa.Column[Any], reflected: str | None) -> str | None:
        """Return a column's server default, where SQLAlchemy cannot reflect every one."""
        return reflected

    def unescaped(self, connection: sa.Connection, quoted: str) -> str:
        """Return the text that stands between single quotes in SQL."""
        return quoted.replace("''", "'")

    @property
    def utc_now(self) -> sa.ColumnElement[Any]:
        """What says in SQL which moment it is, in UTC without a zone."""
        return sa.func.current_timestamp()  # SQLite's: https://www.sqlite.org/lang_datefunc.html

    def is_half_restored(self, connection: sa.Connection) -> bool:
        """Return whether a restore was cut off amid what cannot be one step, or is under way."""
        return False

    def virtual_tables(self, connection: sa.Connection) -> set[str]:
        """Return the tables that only show, or hold in a way of their own, what is written elsewhere."""
        return set()

    def strong_locks(self, connection: sa.Connection) -> list[tuple[TableName, str]]:
        """Return the tables that the open transaction keeps others from writing or reading, and the locks' names."""
        return []

    def unreflected_checks(self, connection: sa.Connection, table: sa.Table) -> list[str]:
        """Return what the CHECKs of a table say that SQLAlchemy does not reflect."""
        return []

    def unvalidated(self, connection: sa.Connection, tables: Iterable[sa.Table]) -> list[Unvalidated]:
        """Return the constraints of these tables that rows from before may break, but for those meant to be so."""
        return []

    def conditions_elsewhere(self, connection: sa.Connection, table: sa.Table) -> list[str]:
        """Return what rows of a table have to fulfil that is no CHECK of it.

        Returns:
            `CHECK (...)` of a column's type, and what partitions say: `FOR VALUES ...`.
        """
        return []

    def respelled(self, connection: sa.Connection, table: sa.Table, check: sa.CheckConstraint) -> str | None:
        """Return how this database would report a model's CHECK; None where it cannot tell. Nothing of it stays."""
        return expression_text(connection, check)

    def has_index(self, connection: sa.Connection, index: sa.Index) -> bool:
        """Return whether the database certainly has an index of this name as it would make the model's."""
        return False

    def respelled_column(self, connection: sa.Connection, column: sa.Column[Any], computed: sa.Computed) -> str | None:
        """Return how this database would report a model's computed column; None where it cannot tell."""
        return expression_text(connection, computed)

    def labels(self, connection: sa.Connection, schema: str | None, name: str) -> Sequence[str]:
        """Return the labels of a named enumeration; none where there are no such types."""
        return ()

    def relabelled(
        self, connection: sa.Connection, schema: str | None, name: str, before: Sequence[str], after: Sequence[str]
    ) -> list[str]:
        """Return the statements that give a named enumeration, and the columns that have it, other labels."""
        raise NotImplementedError

    def exact(self, column: sa.ColumnElement[Any], kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
        """Return what has two values equal just when a column's are the same, as the driver gives it."""
        return column

    # Emptying it

    def relations(self, connection: sa.Connection, schemas: Iterable[str | None]) -> list[Relation]:
        """Return the tables and views of these schemas, and those elsewhere that could not stay without them.

        What belongs to the database itself or to an extension of it is left out.
        """
        inspector = sa.inspect(connection)
        known = {None, *inspector.get_schema_names()}
        found = []
        for schema in sorted(set(schemas) & known, key=str):
            found += [Relation("TABLE", TableName(schema, name)) for name in inspector.get_table_names(schema)]
            found += [Relation("VIEW", TableName(schema, name)) for name in inspector.get_view_names(schema)]
        return found

    def acts_by_itself(self, connection: sa.Connection) -> bool:
        """Return whether an INSERT or a DELETE may do more than it says, for a trigger or a rule."""
        return bool(connection.scalar(sa.text(self._acts_by_itself)))

    def drop(self, connection: sa.Connection, relations: Sequence[Relation]) -> None:
        """Drop views and tables that may refer to each other, the last of the tables last; then whatever else."""
        raise NotImplementedError

    def end_idle_readers(self, connection: sa.Connection) -> None:
        """End the sessions that wait in a transaction that has only read: they lose nothing, and hold up everything."""

    def compact(self, connection: sa.Connection) -> None:
        """Give back the room of what was dropped, where that does not go by itself; outside a transaction."""

    # Filling it

    def numbers(self, column: sa.Column[Any]) -> bool:
        """Return whether this database gives an integer primary key its values by itself."""
        return True

    def last_number(self, connection: sa.Connection, key: sa.Column[Any]) -> LastNumber:
        """Return after which number a key's own numbers go on."""
        largest = connection.scalar(sa.select(sa.func.max(key))) or 0
        return LastNumber(largest, largest, "give that row another one, then run the command again")

    def can_defer(self, key: sa.ForeignKeyConstraint) -> bool:
        """Return whether a foreign key can be checked at the end of the transaction."""
        return False

    def defer_keys(self, connection: sa.Connection) -> None:
        """Have foreign keys checked at the end of the open transaction, those that can be."""

    def delete_rows(self, connection: sa.Connection, table: sa.Table) -> None:
        """Delete all rows of a table, to which no row of another table refers."""
        connection.execute(sa.delete(table))

    def bulk_load(
        self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], blocks: Blocks, size: Size
    ) -> None:
        """Insert blocks of columns by the fastest safe way there is, in the open transaction.

        Args:
            columns: names of the columns that are filled, in the order of each block's lists.
            blocks: for each block one list of Python values per column, all of the same length.
            size: how many rows there are and how many will come.
        """
        insert = sa.insert(table)
        for block in blocks:
            rows = [dict(zip(columns, values, strict=True)) for values in zip(*block, strict=True)]
            if rows:
                connection.execute(insert, rows)

    def _converters(self, connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> list[Convert]:
        """Return for each column what turns its Python values into the driver's, as SQLAlchemy itself would."""
        return [_converter(table.columns[name], connection.dialect) for name in columns]

    # Keeping copies of it

    @property
    def copies(self) -> Copies:
        """The whole copies of the database that are kept beside it."""
        raise NotImplementedError

    def own_files(self) -> frozenset[str]:
        """Return the real paths of the files that the database is in, there or not."""
        return frozenset()

    def version(self, connection: sa.Connection | None) -> str:
        """Return the database's version; without a connection where none is needed to know it."""
        return ".".join(map(str, connection.dialect.server_version_info or ())) if connection else ""

    # Its own client

    def client(self) -> tuple[list[str], dict[str, str]]:
        """Return the arguments of the database's own client and the environment with its password."""
        raise NotImplementedError


def _converter(column: sa.Column[Any], dialect: sa.Dialect) -> Convert:
    """Return what turns the values of a column into the driver's.

    Raises:
        CommandError: when it is used, where a type of the project's own does not take a value.
    """
    from ..outcomes import Remembered, through_tables

    kind = column.type
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return lambda values: values
    if isinstance(kind, sa.JSON | sa.PickleType):  # of which None has a text, too
        return lambda values: [None if value is None else convert(value) for value in values]
    if isinstance(kind, sa.Date | sa.DateTime | sa.Enum | sa.Boolean | sa.Numeric | sa.Time):
        return through_tables(Remembered(convert).all)
    if isinstance(kind, sa.TypeDecorator):
        return through_tables(lambda values: [_converted(column, convert, value) for value in values])
    return through_tables(lambda values: list(map(convert, values)))


def _converted(column: sa.Column[Any], convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except CommandError:
        raise
    except Exception as error:
        shown = repr(shortened(value)) if isinstance(value, str) else shortened(repr(value))
        kind, raised = type(column.type).__name__, f"{type(error).__name__}: {first_line(error)}"
        raise CommandError(
            f"{column.table}.{column.name} does not take {shown}: its type {kind} raises {raised}",
            "give the column a field in its seeder, or correct the type; --traceback shows the whole way",
        ) from error


def drop_each(connection: sa.Connection, relations: Iterable[Relation], *, cascade: str = "") -> None:
    """Drop things one by one; those that went with another are no error."""
    for kind, name in relations:
        target = connection.dialect.identifier_preparer.format_table(name.clause)
        connection.exec_driver_sql(f"DROP {kind} IF EXISTS {target}{cascade}")


def drop_tables_at_once(connection: sa.Connection, relations: Iterable[Relation]) -> None:
    """Drop tables in one statement: in it they may refer to each other, and all are locked before one is dropped."""
    names = [connection.dialect.identifier_preparer.format_table(one.name.clause) for one in relations]
    if names:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {', '.join(names)}")


def idle_for(connection: sa.Connection, query: sa.TextClause, seconds: float) -> Sequence[Any]:
    """Return the sessions that a query finds idle for so long; it is given the time when some are idle at all."""
    if connection.execute(query, {"seconds": 0}).first() is None:
        return ()
    time.sleep(seconds)  # a program between two statements is not idle
    return connection.execute(query, {"seconds": seconds}).all()


@contextmanager
def driver_errors(connection: sa.Connection, base: type[Exception]) -> Iterator[None]:
    """Raise the errors of a driver that is used without SQLAlchemy as SQLAlchemy's."""
    try:
        yield
    except base as error:
        raise sa.exc.DBAPIError.instance(None, None, error, base, dialect=connection.dialect) from error


def quoted(name: str) -> str:
    """Return a name in quotes, as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'


def standing(connection: sa.Connection, table: sa.FromClause) -> str:
    """Return a table's name as it stands in a statement that is given no parameters, or in the parameter of another."""
    return without_parameters(connection.dialect.identifier_preparer.format_table(table))


def without_parameters(sql: str) -> str:
    """Return what SQLAlchemy has quoted for a driver that is given no parameters, and so takes a % for what it is."""
    return sql.replace("%%", "%")


def executable(sql: str) -> str:
    """Return SQL as sa.text, and so op.execute, wants it to run it as it is."""
    return _PARAMETER.sub(r"\:", sql)


_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")  # what it takes for one

SPELLING = "management_spelling"  # a temporary table, and what is in it for as long as it takes to read it back


def expression_text(connection: sa.Connection, thing: sa.CheckConstraint | sa.Computed) -> str:
    """Return what a CHECK or a computed column of a model says to a database, as it would be sent."""
    make: Callable[..., sa.Dialect] = type(connection.dialect)
    dialect = make(paramstyle="named")  # else every % is doubled
    given = {"include_table": False, "literal_binds": True}
    return str(thing.sqltext.compile(dialect=dialect, compile_kwargs=given))


def spelled_check(inspector: sa.Inspector, schema: str | None) -> str:
    """Return what a database says of the CHECK that was added to the temporary table."""
    checks = inspector.get_check_constraints(SPELLING, schema)
    return next(one["sqltext"] for one in checks if one["name"] == SPELLING)


def spelled_column(inspector: sa.Inspector, schema: str | None) -> str:
    """Return what a database says of the computed column that was added to the temporary table."""
    columns = inspector.get_columns(SPELLING, schema)
    return next(one["computed"]["sqltext"] for one in columns if one["name"] == SPELLING)


def spelling_column(connection: sa.Connection, column: sa.Column[Any], computed: sa.Computed) -> str:
    """Return what adds a computed column like this one to the temporary table."""
    text = sa.text(expression_text(connection, computed).replace(":", "\\:"))
    like = sa.Column(SPELLING, column.type, sa.Computed(text, persisted=computed.persisted))
    sa.Table(SPELLING, sa.MetaData(), like)
    make: Callable[..., sa.Dialect] = type(connection.dialect)
    return f"COLUMN {sa.schema.CreateColumn(like).compile(dialect=make(paramstyle='named'))}"
