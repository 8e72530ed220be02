"""Whole copies of a database, kept beside it: what a snapshot is made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ..errors import CommandError
from ..lazily import sqlalchemy as sa
from . import looking

if TYPE_CHECKING:
    from .base import Backend, TableName
    from .looking import Plain, Rows

TABLE = "management_snapshot"  # in a MariaDB database that is a copy: what is known of it, written when it is complete

About = dict[str, Any]  # what is known of a copy, as JSON has it
Describe = Callable[["sa.Connection"], About]
Connect = Callable[[], AbstractContextManager["sa.Connection"]]


class CannotCopy(CommandError):
    """This database can have no copies, however often one tries: a right is missing, or something cannot be copied."""


class Damaged(CommandError):
    """A copy cannot be put back: its data cannot be read, or are not as they were saved."""


class Copy(NamedTuple):
    """One copy: its name, the database it is of, what was written down about it, its size in bytes, and where it is."""

    name: str
    database: str
    about: Mapping[str, Any]
    size: int
    place: str


IsUnchanged = Callable[["sa.Connection", Copy | None, "Sequence[TableName]"], bool]


class Keep(NamedTuple):
    """What becomes of the database as it was when a copy takes its place: a copy of this name."""

    name: str
    about: About
    size: int  # bytes


class Building(NamedTuple):
    """A database in which a copy is built: its name, as `Project.beside` takes it, and what makes it that copy."""

    database: str
    keep: Callable[[Describe], None]  # is given what `save` is; when nobody is connected to it any more


class Counted(NamedTuple):
    """The rows of tables at one moment, and what the same look at the database tells of changes in it."""

    rows: dict[TableName, int]
    signs: Any = None
    is_all: bool = True  # what there is: no rows were hidden from who counted


class Copies:
    """The copies of one backend's database, and of others that are kept at the same place.

    Everything that changes something is called inside `alone`: one process at a time.
    """

    schemas_are_databases = False  # whether a table of another schema is in another database

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @property
    def owner(self) -> str:
        """Which database this is among those that are kept at the same place."""
        return self.backend.database

    def alone(self) -> AbstractContextManager[None]:
        """Let one process after the other make, restore and delete copies of this database."""
        return nullcontext()

    def all(self) -> Sequence[Copy]:
        """Return the copies of every database that are kept here; half-made ones are not among them."""
        raise NotImplementedError

    def require_possible(self) -> None:
        """Look whether there can be copies, as far as that is known before one is made.

        Raises:
            CannotCopy: there can be none.
        """

    def save(self, name: str, describe: Describe, *, all_of_it: bool = False) -> None:
        """Copy the database as it is at one moment, whoever works with it.

        Args:
            describe: is given a connection to the copy, and returns what to write down about it.
            all_of_it: so that `unchanged_since` can tell later; sessions that do nothing are ended where it takes that.
        """
        raise NotImplementedError

    def require_exchangeable(self) -> None:
        """Look whether a copy could take the database's place now.

        Raises:
            CannotCopy: naming who would be waited for, though the database could be changed as it is.
        """

    def building(self, name: str, going: Collection[TableName]) -> AbstractContextManager[Building]:
        """Give a database to build a copy of this name in: all there is in this one.

        Inside `alone`. What is not kept in the end goes; what a crash leaves of it, `clear_up` removes.

        Args:
            going: tables that will be dropped there; they may have no rows.

        Raises:
            CannotCopy: there can be none.
        """
        raise NotImplementedError

    def restore(self, copy: Copy, keep: Keep | None, same: Copy | None = None) -> bool:
        """Put a copy in the database's place, at one moment: before it everything is as it was.

        Sessions that do nothing are ended where the database asks for that; for others this waits.
        Returns whether the database was kept.

        Args:
            same: what the database was seen to be the same as; nothing has to be kept where it certainly is still.
        """
        raise NotImplementedError

    def delete(self, copy: Copy, *, wait: bool = True) -> None:
        """Delete a copy.

        Args:
            wait: until it is gone; else it only is a copy no more, where its going takes long.
        """
        raise NotImplementedError

    def prepare(self, copy: Copy) -> None:
        """Let the next restore of a copy take less time, where something can be done for it while nobody waits."""

    def clear_up(self) -> None:
        """Remove what is left of copies of this database that a crash interrupted."""
        raise NotImplementedError

    def counted(self, connection: sa.Connection, tables: Iterable[TableName]) -> Counted:
        """Return how many rows each table holds, for `unchanged_since` too: large ones are not read twice."""
        return Counted({table: looking.count(connection, table) for table in tables})

    def unchanged_since(self, copies: Sequence[Copy], connection: sa.Connection, counted: Counted) -> Copy | None:
        """Return the first copy that the database is certainly the same as: with it nothing would be lost.

        Args:
            connection: to the database, outside a transaction, as it is left.
            counted: of all tables, as they just were.
        """
        raise NotImplementedError

    @property
    def sees_changes(self) -> bool:
        """Whether `unchanged_since` finds a copy that is the same, where there is one."""
        return True

    def is_same(self, one: Copy, other: Copy) -> bool:
        """Return whether one copy, which `restore` has just kept, is certainly the same as another."""
        raise NotImplementedError

    @contextmanager
    def inside(self, copy: Copy) -> Iterator[sa.Connection]:
        """Give a connection to a copy that looks at it.

        Raises:
            CannotCopy: it is none that can be looked into.
        """
        raise CannotCopy(f"{copy.place} cannot be looked into", "restore it")
        yield  # what makes it a generator

    def wait_for_writers(self, connection: sa.Connection) -> None:
        """Wait until whoever has written something has committed it, where a copy would be made without.

        Args:
            connection: that writes, in a transaction.
        """

    def watching(self, connect: Connect, *, drops: bool) -> AbstractContextManager[IsUnchanged]:
        """Give what tells, in a transaction that has changed nothing yet, whether nobody else has changed the database.

        It is given the connection, a copy that was made meanwhile, where one was, and the tables that lose rows. Nobody
        changes those from then on until they are dropped, or the transaction ends. Where it cannot be told, or locked,
        it has not changed.

        Args:
            connect: opens a connection that writes.
            drops: whether tables are dropped in the end, not rows deleted.
        """
        raise NotImplementedError

    def without(self, tables: Iterable[TableName]) -> list[TableName]:
        """Return those of some tables that are in no copy."""
        return []

    def is_named_in(self, text: str) -> bool:
        """Return whether a migration, or a seeder, may do something to this very database, in whichever it runs."""
        return bool(_OF_A_DATABASE.search(text))

    def throwaway(self, *, empty: bool = False) -> AbstractContextManager[str]:
        """Give a copy of the database as it is, whoever works with it, for as long as it is used; inside `alone`.

        Its name is as `Project.beside` takes it. What a crash leaves of it, `clear_up` removes.

        Args:
            empty: give one like it without anything in it.
        """
        raise NotImplementedError

    # For tests: copies that nobody keeps, as fast as they can be made

    @property
    def server(self) -> str:
        """What stands for the server that the databases are on; empty where they are files."""
        return ""

    def held(self) -> AbstractContextManager[object]:
        """Hold one session on the server for all that is done meanwhile."""
        return nullcontext()

    def clone(self, name: str) -> None:
        """Copy the database, which nobody changes, to one of another name; a crash of the machine may lose it.

        Raises:
            CannotCopy: it can have no copies.
        """
        raise NotImplementedError

    def drop(self, name: str) -> None:
        """Drop another database, if it is there, with whoever is in it."""
        raise NotImplementedError

    def beginning(self, begin: str) -> Sequence[str]:
        """Return the databases of the server whose names begin so."""
        return ()

    # What is in it

    def tables(self, connection: sa.Connection) -> list[TableName]:
        """Return every table of the database, other people's too."""
        return [
            one.name
            for one in self.backend.relations(connection, {None})
            if one.kind == "TABLE" and one.name[1] != TABLE
        ]

    def inventory(self, connection: sa.Connection) -> list[str]:
        """Return everything in a database that somebody made: kind and name."""
        raise NotImplementedError

    def rights(self, connection: sa.Connection) -> list[str]:
        """Return what a rebuild leaves as it is while a copy brings its own, such as who may do what in a database."""
        return []

    def size(self, connection: sa.Connection) -> int:
        """Return the size of the database in bytes, about what a copy will take."""
        raise NotImplementedError


# What asks in which database it is, changes what is said of one as a whole, or opens one itself.
_OF_A_DATABASE = re.compile(
    r"\bcurrent_(?:database|catalog)\b|\b(?:database|schema)\s*\(\s*\)|\b(?:alter|comment\s+on)\s+database\b"
    r"|\b(?:grant|revoke)\b[^;]*?\bon\s+database\b"
    r"|\battach\b|\bdatabase_url\b|\bcreate_engine\b|\b(?:sqlite3|psycopg2?|pymysql|mysqldb|asyncpg)\b"
    r"|\bdefault_schema_name\b|\burl\.database\b|\bengine\.url\b|\bdatabase_list\b",
    re.IGNORECASE,
)


def unreadable(place: str) -> Copy:
    """Return what there is to say of a copy of which nothing can be read."""
    return Copy("", "", {}, 0, place)


@overload
def run(server: sa.Connection, statement: str) -> sa.CursorResult[*tuple[Any, ...]]: ...
@overload
def run(server: Plain, statement: str) -> Rows: ...
def run(server: sa.Connection | Plain, statement: str) -> sa.CursorResult[*tuple[Any, ...]] | Rows:
    """Run a statement as it stands: a % in a name or a default is no parameter."""
    return server.exec_driver_sql(statement, execution_options={"no_parameters": True})


def digest(text: str, *, length: int = 8) -> str:
    """Return a few letters that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:length]


def address_of(url: sa.URL) -> str:
    """Return a few letters that stand for a server: a URL without its database and password."""
    return digest(url._replace(database=None, password=None).render_as_string(hide_password=False), length=16)
