"""Copies of a MariaDB or MySQL database: other databases on the server, whose tables change places with its own."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from ..errors import CommandError, driver_words
from . import mariadb_objects
from .copies import (
    TABLE,
    Building,
    CannotCopy,
    Connect,
    Copies,
    Copy,
    Counted,
    Describe,
    IsUnchanged,
    Keep,
    address_of,
    digest,
    run,
    unreadable,
)
from .mariadb import committing
from .mariadb_objects import Key, StoredObject, code_of, quoted, using
from .waiting import LOOK_EVERY, meanwhile

if TYPE_CHECKING:
    from .base import TableName
    from .mariadb import MariaDB

_ALWAYS_WHOLE = 5  # letters of the owner's name that are in every copy's
_LOOKS = 5  # at what somebody makes again and again meanwhile
LONGEST_NAME = 64  # characters: https://mariadb.com/kb/en/identifier-names/#maximum-length


class MariaDBCopies(Copies):
    """Databases like `school_snapshot_NAME`, their tables made by the statements that the server itself shows.

    Views, routines, triggers and events are written down as statements: no RENAME takes them to another database.
    """

    backend: MariaDB
    schemas_are_databases = True
    _held: sa.Connection | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._server() as server, self.backend.lock(server, "copies"):
            yield

    def all(self) -> Sequence[Copy]:
        with self._server() as server:
            return [copy for place in self._places(server) if (copy := self._read(server, place)) is not None]

    def require_possible(self) -> None:
        with self._server() as server:
            self._refuse_others(server, self.owner)
            mariadb_objects.read(server, self.owner)
            place = self._working("making")
            if not _may_make(server, place):
                raise self._not_allowed(server, place)

    def save(self, name: str, describe: Describe, *, all_of_it: bool = False) -> None:
        with self._server() as server:
            self._refuse_others(server, self.owner)
            objects = self._lasting(server, mariadb_objects.read(server, self.owner))
            place = self._place(server, name)
            with self._dropped_if_it_fails(place):
                self._make(server, place)
                self._copy(server, self.owner, place)
                self._complete(server, place, name, describe, objects)

    @contextmanager
    def building(self, name: str, going: Collection[TableName]) -> Iterator[Building]:
        making = self._working("making")
        with self._server() as server:
            self._refuse_keys_of_others(server)
            objects = self._objects(server)
            if event := next((one.name for one in objects if one.kind == "EVENT"), None):
                raise CannotCopy(f"the event {event} would run in a second database too", "drop it for that long")

            def keep(describe: Describe) -> None:
                place = self._place(server, name)
                with self._dropped_if_it_fails(place):
                    self._keep(server, making, place, name, describe)

            try:
                self._create(server, making)
                self._copy(server, self.owner, making, to=making, without={table for _, table in going})
                mariadb_objects.make(server, making, objects)
                yield Building(making, keep)
            finally:
                self._drop(server, making)

    def _keep(self, server: sa.Connection, making: str, place: str, name: str, describe: Describe) -> None:
        """Make a copy of what was in the making, whose tables go there as they are."""
        objects = mariadb_objects.read(server, making)
        if named := next((one for one in objects if making in one.statement), None):
            raise CannotCopy(
                f"the {named.kind.lower()} {named.name} names the database that it was made in", "leave that out"
            )
        mariadb_objects.drop(server, making, objects)
        self._make(server, place)
        tables = self._tables(server, making)
        if tables:
            moves = (f"{_table(making, one)} TO {_table(place, one)}" for one in tables)
            self._rename(server, f"RENAME TABLE {', '.join(moves)}")
        self._name_sequences_of(server, place, before=making)
        self._complete(server, place, name, describe, objects, numbered_by=place)

    def _complete(
        self,
        server: sa.Connection,
        place: str,
        name: str,
        describe: Describe,
        objects: Sequence[StoredObject],
        **more: str,
    ) -> None:
        """Write down what is known of a copy that has all its tables: from now on it is one."""
        with self.backend.engine_of(place).connect() as copy:
            about = describe(copy)
        about["inventory"] = sorted(about["inventory"] + [_noted(*one.key) for one in objects])
        state = self._state(server, place, objects)
        written = {"snapshot": name, "database": self.owner, "about": about, "objects": objects, "state": state}
        self._write(server, place, written | more)

    @contextmanager
    def _dropped_if_it_fails(self, place: str) -> Iterator[None]:
        """Leave no half of a copy."""
        try:
            yield
        except BaseException:
            with suppress(CommandError, sa.exc.DBAPIError), self._server() as beside:  # else the next command drops it
                self._drop(beside, place)
            raise

    def restore(self, copy: Copy, keep: Keep | None, same: Copy | None = None) -> bool:
        with self._server() as server:
            making = self._working("making")
            self._make(server, making)
            known = self._written(server, copy.place)
            self._copy(server, copy.place, making, of=known.get("numbered_by", copy.database), to=making)
            wanted = _objects_of(known)
            mariadb_objects.make(server, making, wanted, asleep=True)  # what cannot be made is to be known before
            mariadb_objects.drop(server, making, wanted)
            self._refuse_others(server, self.owner)
            self._refuse_keys_of_others(server)
            objects = mariadb_objects.read(server, self.owner)
            old = self._place(server, keep.name) if keep else self._working("gone")
            self._make(server, old)
            here, there = self._tables(server, self.owner), self._tables(server, making)
            if keep:
                written = {"snapshot": keep.name, "database": self.owner, "about": keep.about, "tables": len(here)}
                self._write(server, old, written | {"objects": self._lasting(server, objects)})
            moves = [(self.owner, table, old) for table in here] + [(making, table, self.owner) for table in there]
            words = [f"{_table(source, name)} TO {_table(target, name)}" for source, name, target in moves]
            rename = f"RENAME TABLE {', '.join(words)}" if words else "DO 0"
            letters = self._letters(server, self.owner), self._letters(server, copy.place)
            self.backend.end_idle_readers(server)
            is_plain = objects == wanted and not any(one.kind == "TRIGGER" for one in wanted)
            with self._dropped_unless_moved(old, making, there):
                if is_plain and letters[0] == letters[1] and not self._tables(server, making, "SEQUENCE"):
                    self._rename(server, rename)
                else:
                    change = _Change(here, there, objects, wanted, *letters, kept=old if keep else "")
                    self._change_places(server, making, rename, change)
            self._drop(server, making)
            if not keep:
                self._drop(server, old)
        return keep is not None

    @contextmanager
    def _dropped_unless_moved(self, old: str, making: str, there: Sequence[str]) -> Iterator[None]:
        """Leave nothing of a restore that failed: what the tables would have gone to, and come from."""
        try:
            yield
        except BaseException:
            with suppress(CommandError, sa.exc.DBAPIError), self._server() as beside:  # else the next command drops it
                if not self._tables(beside, old) and [*there] == self._tables(beside, making):
                    self._drop(beside, old)
                    self._drop(beside, making)
            raise

    def _change_places(self, server: sa.Connection, making: str, rename: str, change: _Change) -> None:
        """Rename all tables at one moment; what is no table before and after it, so that a crash amid it is mended.

        A trigger would keep its table from going to another database.
        """
        self._write(server, making, {"database": self.owner, "change": change})
        try:
            triggers = [one for one in change.objects if one.kind == "TRIGGER"]
            with self._ended_with_us(server):
                mariadb_objects.drop(server, self.owner, triggers)
            self._rename(server, rename)
        finally:
            with self._server() as beside:  # Ctrl-C ends the session that it interrupts
                self._finish_change(beside, making)

    def _rename(self, server: sa.Connection, rename: str) -> None:
        with self._ended_with_us(server):
            try:
                run(server, rename)
            except sa.exc.DBAPIError as error:
                if code_of(error) not in _OTHER_TABLES:
                    raise
                raise CommandError(
                    f"tables of {self.backend.label} were changed meanwhile ({driver_words(error.orig or error)})."
                    " Nothing was changed",
                    "run the command again",
                ) from error

    @contextmanager
    def _ended_with_us(self, server: sa.Connection) -> Iterator[None]:
        """End what the server is at when somebody ends this program: it would go on, and be done later."""
        session = int(server.scalar(sa.text("SELECT CONNECTION_ID()")) or 0)
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            with self._server() as beside:
                with suppress(sa.exc.DBAPIError):  # it has gone by itself
                    run(beside, f"KILL {session}")
                while beside.scalar(_RUNNING, {"session": session}):
                    time.sleep(0.01)
            raise

    def _finish_change(self, server: sa.Connection, making: str) -> None:
        """Bring views, routines, triggers and events to what the tables are: those of before, or those of the copy.

        And let defaults take their numbers of the database's own sequences.
        """
        change = _Change(*self._written(server, making)["change"])
        if change.there:
            is_done = not self._tables(server, making)
        else:
            is_done = {*change.here}.isdisjoint(self._tables(server, self.owner))
        if is_done:
            if change.wanted_letters and change.wanted_letters != self._letters(server, self.owner):
                run(server, f"ALTER DATABASE {quoted(self.owner)} {change.wanted_letters}")
            self._name_sequences_of(server, self.owner, before=making)
            mariadb_objects.change(server, self.owner, *self._kept_too(server, making, change))
        else:
            self._put_back(server, [one for one in _stored(change.objects) if one.kind == "TRIGGER"])
        self._drop(server, making)  # else the next command would finish it once more

    def _name_sequences_of(self, server: sa.Connection, database: str, *, before: str) -> None:
        """Let the defaults of a database's tables take their numbers of its own sequences, not of another one's."""
        for table, column, default in server.execute(_DEFAULTS, {"database": database}).all():
            own = default.replace(f"nextval({quoted(before)}.", f"nextval({quoted(database)}.")
            if own != default:
                run(server, f"ALTER TABLE {_table(database, table)} ALTER COLUMN {quoted(column)} SET DEFAULT ({own})")

    def _put_back(self, server: sa.Connection, triggers: Sequence[StoredObject]) -> None:
        """Make the triggers that are not there: nothing else has gone, and somebody may have made something since."""
        there = {one.key for one in mariadb_objects.read(server, self.owner)}
        for one in triggers:
            if one.key not in there:
                try:
                    mariadb_objects.make(server, self.owner, [one])
                except CannotCopy as error:
                    if not isinstance(error.__cause__, sa.exc.DBAPIError) or code_of(error.__cause__) not in _GONE:
                        raise  # its table has not been dropped meanwhile

    def _kept_too(
        self, server: sa.Connection, making: str, change: _Change
    ) -> tuple[list[StoredObject], list[StoredObject]]:
        """Let what is kept have what somebody has made, and not what is gone, since that was written down.

        What cannot be made there stays where it is. Returns what is there and what shall be, but for that.
        """
        before, wanted = _stored(change.objects), _stored(change.wanted)
        unqualified = partial(mariadb_objects.unqualified, database=self.owner)
        known, stays, gone = [*map(unqualified, [*before, *wanted])], set[Key](), set[Key]()
        there = mariadb_objects.read(server, self.owner)
        if not change.is_seen:  # else what is gone is what this has dropped
            gone = {one.key for one in before if one.kind != "TRIGGER"} - {one.key for one in there}
        for number in range(_LOOKS):
            new = [one for one in map(unqualified, there) if one not in known]
            if not new and not gone:
                break
            known += new
            keys = {one.key for one in new}
            is_last = number == _LOOKS - 1  # somebody goes on and on
            if not (change.kept and not is_last and self._amend(server, change.kept, gone | keys, new)) and new:
                stays |= keys
                names = ", ".join(f"{kind.lower()} {name}" for kind, name in sorted(keys))
                self.backend.waiting.notify(f"made meanwhile, and left as it is: {names}")
            else:
                gone = set()
            if not is_last:  # what is made from now on is not seen, and so is left, too
                there = mariadb_objects.read(server, self.owner)
        self._write(server, making, {"database": self.owner, "change": change._replace(is_seen=True)})
        return [one for one in there if one.key not in stays], [one for one in wanted if one.key not in stays]

    def _amend(self, server: sa.Connection, place: str, gone: Collection[Key], new: Sequence[StoredObject]) -> bool:
        """Write down other objects of a copy that was just made; return whether they can be made there."""
        written = self._written(server, place)
        objects = [one for one in _objects_of(written) if one.key not in gone] + [*new]
        try:
            mariadb_objects.make(server, place, objects, asleep=True)
        except CannotCopy:
            return False
        finally:
            mariadb_objects.drop(server, place, objects)
        about = dict(written["about"])
        inventory = {*about["inventory"]} - {_noted(*key) for key in gone} | {_noted(*one.key) for one in new}
        about["inventory"] = sorted(inventory)
        self._write(server, place, written | {"about": about, "objects": objects})
        return True

    def is_half_done(self, connection: sa.Connection) -> bool:
        """Return whether a crash amid a restore has left something to mend, or one is under way."""
        names = {"database": self._working("making"), "table": TABLE}
        return bool(connection.scalar(_HALF_DONE, names))

    @contextmanager
    def throwaway(self, *, empty: bool = False) -> Iterator[str]:
        making = self._working("making")
        with self._server() as server:
            objects = [] if empty else self._objects(server)
            try:
                self._create(server, making)
                if not empty:
                    self._copy(server, self.owner, making, to=making)
                    mariadb_objects.make(server, making, objects, asleep=True)
                yield making
            finally:
                self._drop(server, making)

    def delete(self, copy: Copy, *, wait: bool = True) -> None:
        with self._server() as server:
            self._drop(server, copy.place)

    def clear_up(self) -> None:
        with self._server() as server:
            making = self._working("making")
            if self.is_half_done(server) and "change" in self._written(server, making):
                self._finish_change(server, making)
                self.backend.waiting.notify(f"finished a restore of {self.backend.label} that had been cut off")
            for purpose in ("making", "gone"):
                self._drop(server, self._working(purpose))
            for place in self._started(server):
                self._drop(server, place)

    def unchanged_since(self, copies: Sequence[Copy], connection: sa.Connection, counted: Counted) -> Copy | None:
        with self._server() as server:
            states = {copy.place: self._written(server, copy.place).get("state") for copy in copies}
            now = None
            if any(states.values()):
                found = mariadb_objects.read(server, self.owner)
                now = self._state(server, self.owner, self._lasting(server, found, quietly=True))
            return next((copy for copy in copies if now is not None and states[copy.place] == now), None)

    def wait_for_writers(self, connection: sa.Connection) -> None:
        tables = self._tables(connection, self.owner, "BASE TABLE")
        if not tables:
            return
        try:
            run(connection, f"LOCK TABLES {', '.join(f'{_table(self.owner, one)} READ' for one in tables)}")
        except sa.exc.DBAPIError as error:
            if code_of(error) not in _REFUSED:  # who has no right to that can have no copies either
                raise
        else:
            run(connection, "UNLOCK TABLES")

    @contextmanager
    def watching(self, connect: Connect, *, drops: bool) -> Iterator[IsUnchanged]:
        def look(connection: sa.Connection, lock: Callable[[], None] = lambda: None) -> str:
            with mariadb_objects.settings_kept(connection):
                run(connection, _AS_IT_IS)
                lock()
                with connect() as beside:  # what is no table is shown to no lock's owner
                    objects = mariadb_objects.read(beside, self.owner)
                return self._state(connection, self.owner, objects)

        before = None
        with suppress(CannotCopy), connect() as connection:
            before = look(connection)
            connection.rollback()

        def is_unchanged(connection: sa.Connection, copy: Copy | None, tables: Sequence[TableName]) -> bool:
            if before is None:
                return True
            if not drops:
                run(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # it locks what is not there yet too
            return look(connection, partial(self._lock_all, connection, tables, drops)) == before

        yield is_unchanged

    def _lock_all(self, connection: sa.Connection, tables: Iterable[TableName], drops: bool) -> None:
        """Let nobody change a row before the transaction ends, or before a table is dropped, with which it would."""
        own = [_table(self.owner, one) for one in self._tables(connection, self.owner)]
        names = dict.fromkeys(own + [_table(schema or self.owner, name) for schema, name in tables])
        locks = [f"SELECT count(*) FROM {name} FOR UPDATE" for name in names]  # noqa: S608  # quoted
        if drops and names:
            locks = [f"LOCK TABLES {', '.join(f'{one} WRITE' for one in names)}"]
        for lock in locks:
            try:
                run(connection, lock)
            except sa.exc.DBAPIError as error:
                if code_of(error) not in _REFUSED:
                    raise

    def is_named_in(self, text: str) -> bool:
        name = re.escape(self.owner)
        return super().is_named_in(text) or bool(re.search(rf"[\"'`]{name}[\"'`]|(?<![\w.]){name}`?\.", text))

    def without(self, tables: Iterable[TableName]) -> list[TableName]:
        return [one for one in tables if one[0] not in (None, self.owner)]

    @contextmanager
    def inside(self, copy: Copy) -> Iterator[sa.Connection]:
        with self.backend.engine_of(copy.place).connect() as connection:
            yield connection

    def is_same(self, one: Copy, other: Copy) -> bool:
        with self._server() as server:
            objects = _objects_of(self._written(server, one.place))
            known = self._written(server, other.place).get("state")
            return known is not None and self._state(server, one.place, objects) == known

    @property
    def server(self) -> str:
        return address_of(self.backend.url)

    @contextmanager
    def held(self) -> Iterator[sa.Connection]:
        if self._held is not None:
            yield self._held
            return
        with self._session(self.backend.server_engine()) as server:
            run(server, f"SET SESSION lock_wait_timeout = {max(self.backend.waiting.seconds, 1)}")
            self._held = server
            try:
                yield server
            finally:
                self._held = None

    def clone(self, name: str) -> None:
        with self._server() as server:
            objects = self._objects(server)
            self._create(server, name)
            self._copy(server, self.owner, name, to=name)
            mariadb_objects.make(server, name, objects)

    def drop(self, name: str) -> None:
        with self.held() as server:
            for session in server.scalars(_SESSIONS, {"database": name}).all():
                with suppress(sa.exc.DBAPIError):  # it has gone, or is somebody else's, who is waited for
                    run(server, f"KILL {int(session)}")
            self._drop(server, name)

    def beginning(self, begin: str) -> Sequence[str]:
        with self.held() as server:
            return list(server.scalars(_BEGINNING, {"begin": begin}))

    def inventory(self, connection: sa.Connection) -> list[str]:
        return sorted(" ".join(row) for row in connection.execute(sa.text(_INVENTORY)))

    def rights(self, connection: sa.Connection) -> list[str]:
        return list(run(connection, _LETTERS).scalars())

    def size(self, connection: sa.Connection) -> int:
        return self._size(connection, self.owner)

    # Names

    def _working(self, purpose: str) -> str:
        """Return the name of a database that is there only while something is done; no snapshot's name has a ~."""
        return self._named(f"~{purpose}")

    def _place(self, server: sa.Connection, name: str) -> str:
        """Return the name of the database that a copy becomes."""
        place = self._named(name)
        if server.scalar(_KNOWN, {"name": place}):
            raise CommandError(f"there is a database {place} already", "take another name, or drop it")
        return place

    def _named(self, name: str) -> str:
        return _named(self.owner, name)

    @property
    def _pattern(self) -> str:
        """Return what GRANT takes for the names of all copies, those too in which the owner's name is cut."""
        begin = self.owner[:_ALWAYS_WHOLE]
        escaped = "".join(f"\\{letter}" if letter in "_%\\" else letter for letter in begin)
        return escaped + ("%" if len(self.owner) > len(begin) else "") + "\\_snapshot\\_%"

    # On the server

    @contextmanager
    def _server(self) -> Iterator[sa.Connection]:
        if self._held is not None:
            yield self._held
            return
        engine = self.backend.engine_of(self.owner, isolation_level="AUTOCOMMIT")
        with self._session(engine) as server, self.backend.limited(server):
            yield server

    @contextmanager
    def _session(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        with engine.connect() as server:
            run(server, "SET SESSION foreign_key_checks = 0")
            run(server, _AS_IT_IS)
            if self.backend.title == "MariaDB":
                run(server, "SET SESSION check_constraint_checks = 0")
            yield server
        engine.dispose()

    def _make(self, server: sa.Connection, database: str) -> None:
        """Make a database that is to become a copy, and says from its first moment on whose."""
        self._create(server, database, mark=self._mark if _can_mark(server) else "")
        columns = "id INT PRIMARY KEY, about LONGTEXT NOT NULL"
        about = json.dumps({"database": self.owner, "place": database})
        row = f"SELECT 1 AS id, {_literal(server, about)} AS about"
        run(server, f"CREATE TABLE {_table(database, TABLE)} ({columns}) CHARSET utf8mb4 AS {row}")

    @property
    def _mark(self) -> str:
        """The comment on a database that becomes a copy of this one."""
        return f"a snapshot of {self.owner}"

    def _create(self, server: sa.Connection, database: str, *, mark: str = "") -> None:
        """Make an empty database like this one."""
        statement = f"CREATE DATABASE {quoted(database)} {self._letters(server, self.owner)}"
        statement += f" COMMENT {_literal(server, mark)}" if mark else ""
        try:
            run(server, statement)
        except sa.exc.DBAPIError as error:
            if code_of(error) != 1044:
                raise
            raise self._not_allowed(server, database) from error

    def _not_allowed(self, server: sa.Connection, database: str) -> CannotCopy:
        user, _, host = str(run(server, "SELECT CURRENT_USER()").scalar()).rpartition("@")
        return CannotCopy(
            f"{self.backend.title} does not let user {user!r} make the database {database}",
            f"GRANT ALL ON {quoted(self._pattern)}.* TO {user!r}@{host!r}",
        )

    def _letters(self, server: sa.Connection, database: str) -> str:
        """Return which letters a database's new tables have, and how they sort, as a statement says it."""
        row = server.execute(_KNOWN_AS, {"name": database}).one()
        return f"CHARACTER SET {row.charset} COLLATE {row.collation}"

    def _copy(
        self,
        server: sa.Connection,
        source: str,
        target: str,
        *,
        of: str = "",
        to: str = "",
        without: Collection[str] = (),
    ) -> None:
        """Copy every table and sequence, all as they are at one moment: who writes meanwhile waits.

        Args:
            of: the database whose sequences the defaults of the tables name.
            to: the one whose they shall name.
            without: those of which no rows are copied.
        """
        self._refuse_others(server, source)
        sequences = self._tables(server, source, "SEQUENCE")
        tables = [*sequences, *(one for one in self._tables(server, source) if one not in sequences)]
        own, other = (f"nextval({quoted(database)}." for database in (of or self.owner, to or self.owner))
        with using(server, target):
            for table in tables:
                run(server, self._made_by(server, source, table).replace(own, other))
        tables = [one for one in tables if one not in without]
        if not tables:
            return
        # A default that takes a number of a sequence locks that one too, though the rows come with theirs.
        locked = {(source, table): "WRITE" if table in sequences else "READ" for table in tables}
        locked |= {(target, table): "WRITE" for table in tables}
        locked |= {(self.owner, one): "WRITE" for one in self._tables(server, self.owner, "SEQUENCE")}
        run(server, f"LOCK TABLES {', '.join(f'{_table(*place)} {way}' for place, way in locked.items())}")
        try:
            with self._shown(server, source):
                for table in tables:
                    names = ", ".join(map(quoted, server.scalars(_COLUMNS, {"database": source, "table": table})))
                    rows = f"SELECT {names} FROM {_table(source, table)}"  # noqa: S608  # quoted names
                    run(server, f"INSERT INTO {_table(target, table)} ({names}) {rows}")  # quoted names
        finally:
            run(server, "UNLOCK TABLES")

    @contextmanager
    def _shown(self, server: sa.Connection, source: str) -> Iterator[None]:
        """Show how far the copying of rows is, which a second session can see while the first waits for the server."""
        session = server.scalar(sa.text("SELECT CONNECTION_ID()"))
        total = int(server.scalar(_ROWS, {"database": source}) or 0)
        with self.backend.progress(f"copying {source}", total) as bar:
            last = 0

            def look(beside: sa.Connection) -> None:
                nonlocal last
                now = int(beside.scalar(_ROWS_DONE, {"session": session}) or 0)
                bar.advance(now - last if now >= last else now)  # each table is a transaction of its own
                last = now

            with meanwhile(partial(committing, server.engine), look, after=LOOK_EVERY):
                yield

    def _made_by(self, server: sa.Connection, database: str, table: str) -> str:
        return str(run(server, f"SHOW CREATE TABLE {_table(database, table)}").one()[1])

    def _tables(self, server: sa.Connection, database: str, *kinds: str) -> list[str]:
        """Return the tables and sequences of a database but for what is known of a copy; or those of some kinds."""
        found = server.execute(_TABLES, {"database": database}).all()
        return [name for name, kind in found if name != TABLE and (not kinds or kind in kinds)]

    def _objects(self, server: sa.Connection) -> list[StoredObject]:
        """Return what the database has beside tables, all of which can be made again.

        Raises:
            CannotCopy: naming what cannot.
        """
        found = mariadb_objects.read(server, self.owner)
        for one in mariadb_objects.broken(server, self.owner, found):
            raise CannotCopy(f"the view {one.name} refers to what is not there any more", "mend or drop it")
        return found

    def _lasting(
        self, server: sa.Connection, found: Sequence[StoredObject], *, quietly: bool = False
    ) -> list[StoredObject]:
        """Return what of it can be made again; the rest, which works no more, is no reason to save nothing."""
        broken = mariadb_objects.broken(server, self.owner, found)
        for one in () if quietly else broken:
            self.backend.waiting.notify(
                f"The view {one.name} refers to what is not there any more, and is not in the snapshot."
            )
        return [one for one in found if one not in broken]

    def _refuse_others(self, server: sa.Connection, database: str) -> None:
        """Refuse what is neither: the history of a system-versioned table cannot be put in by statements."""
        found = server.execute(_OTHERS, {"database": database}).first()
        if found is not None:
            raise CannotCopy(
                f"{database} has the {found.kind} table {found.name}, which cannot go into a snapshot",
                f"mariadb-dump {database} saves it",
            )

    def _refuse_keys_of_others(self, server: sa.Connection) -> None:
        """Refuse while a table of another database refers to one of these: its key would go along with that one."""
        found = server.execute(_KEYS_OF_OTHERS, {"database": self.owner}).first()
        if found is not None:
            raise CannotCopy(
                f"a foreign key of {found.other}.{found.child} refers to {found.parent}, and would go on referring to"
                " the table that is replaced",
                "drop that key, and make it again afterwards",
            )

    def _places(self, server: sa.Connection) -> list[str]:
        return list(server.scalars(_COPIES, {"table": TABLE}))

    def _started(self, server: sa.Connection) -> list[str]:
        """Return the databases that were to become copies of this one and never did."""
        begun = []
        for place in self._places(server):
            written = self._written(server, place)
            its_own = {written.get("place"), self._named(str(written.get("snapshot")))}  # not what was loaded from it
            if written.get("database") == self.owner and place in its_own and self._read(server, place) is None:
                begun.append(place)
        return begun + list(server.scalars(_EMPTY, {"mark": self._mark}) if _can_mark(server) else ())

    def _read(self, server: sa.Connection, place: str) -> Copy | None:
        """Return a copy; None when it is not complete."""
        try:
            written = self._written(server, place)
            if "snapshot" not in written or (written.get("tables") and not self._tables(server, place)):
                return None
            if place != _named(written["database"], written["snapshot"]):  # renamed, or loaded from a dump of a copy
                return None
            return Copy(written["snapshot"], written["database"], written["about"], self._size(server, place), place)
        except (ValueError, KeyError, TypeError):  # of another version of this program, or changed by hand
            return unreadable(place)

    def _written(self, server: sa.Connection, place: str) -> dict[str, Any]:
        """Return what is known of a copy, complete or not; nothing of one that was dropped in this moment."""
        try:
            text = run(server, f"SELECT about FROM {_table(place, TABLE)}").scalar()  # noqa: S608  # quoted
        except sa.exc.DBAPIError as error:
            if code_of(error) not in _GONE:
                raise
            return {}
        return dict(json.loads(text)) if text else {}

    def _write(self, server: sa.Connection, place: str, written: dict[str, Any]) -> None:
        """Write down what is known of a copy, in one statement."""
        values = f"(1, {_literal(server, json.dumps(written))})"
        run(server, f"REPLACE INTO {_table(place, TABLE)} (id, about) VALUES {values}")  # noqa: S608  # quoted

    def _state(self, server: sa.Connection, database: str, objects: Sequence[StoredObject]) -> str:
        """Return what stands for all the rows and tables of a database."""
        tables = self._tables(server, database)
        made = {table: re.sub(_SEQUENCE_OF, "nextval(", self._made_by(server, database, table)) for table in tables}
        unsummed = [table for table in tables if " VIRTUAL" in made[table]]  # a checksum takes in what is not stored
        names = ", ".join(_table(database, table) for table in tables if table not in unsummed)
        sums = [row[1] for row in run(server, f"CHECKSUM TABLE {names} EXTENDED")] if names else []
        sums += [self._digest(server, database, table) for table in tables]
        told = (tables, [*made.values()], sums, list(objects), self._letters(server, database))
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _digest(self, server: sa.Connection, database: str, table: str) -> object:
        """Return what stands for the rows of a table, in any order.

        A checksum alone takes the values of a row for one text, and is a sum of CRCs: values that two rows have
        exchanged can leave it as it was.
        """
        columns = server.execute(_COLUMNS, {"database": database, "table": table})
        exact = [  # of a FLOAT one would see 6 digits
            f"cast({quoted(name)} AS double)" if kind == "float" else quoted(name) for name, kind in columns
        ]
        values = ", ".join(f"coalesce(length({one}), -1), cast({one} AS binary)" for one in exact)
        row = f"conv(left(md5(concat_ws(',', {values})), 15), 16, 10)"
        look = f"SELECT sum(cast({row} AS decimal(20))) FROM {_table(database, table)}"  # noqa: S608  # quoted
        return run(server, look).scalar()

    def _size(self, server: sa.Connection, database: str) -> int:
        return int(server.scalar(_SIZE, {"database": database}) or 0)

    def _drop(self, server: sa.Connection, database: str) -> None:
        if server.scalar(_KNOWN, {"name": database}):  # else who may not drop it would be refused
            run(server, f"DROP DATABASE IF EXISTS {quoted(database)}")


def _named(owner: str, name: str) -> str:
    """Return the name of the database that is a copy of another one."""
    end = f"_snapshot_{name}"
    room = LONGEST_NAME - len(end)
    return (owner if len(owner) <= room else f"{owner[: room - 9]}_{digest(owner)}") + end


class _Change(NamedTuple):
    """What is needed to take a change of places back, or to finish it."""

    here: list[str]  # the tables of the database
    there: list[str]  # those of the copy
    objects: list[StoredObject]  # what the database has beside them
    wanted: list[StoredObject]  # what it shall have then
    letters: str = ""  # of the database
    wanted_letters: str = ""
    kept: str = ""  # the database that they go to, where it is a copy
    is_seen: bool = False  # whether that has what was there when the tables changed places


def _may_make(server: sa.Connection, database: str) -> bool:
    """Return whether this user may make a database of this name, as far as the server shows it.

    https://mariadb.com/kb/en/grant/#database-privileges
    """
    shown = list(run(server, "SHOW GRANTS").scalars())
    if server.dialect.name == "mysql" and any(" ON " not in one for one in shown):
        return True  # MySQL shows a role without what it may do
    return any(
        {"CREATE", "ALL PRIVILEGES"} & {*found["rights"].split(", ")}
        and (found["pattern"] is None or re.fullmatch(_spelled(found["pattern"]), database, re.S))
        for found in filter(None, map(_GRANT.match, shown))
    )


def _spelled(pattern: str) -> str:
    """Return what LIKE takes, as a regular expression."""
    of = {"%": ".*", "_": "."}
    found = _LETTER.findall(pattern.replace("``", "`"))
    return "".join(of.get(one) or re.escape(one[-1]) for one in found)


def _can_mark(server: sa.Connection) -> bool:
    """Return whether databases have comments: https://mariadb.com/kb/en/create-database/#comment"""
    return bool(getattr(server.dialect, "is_mariadb", False)) and (server.dialect.server_version_info or ()) >= (10, 5)


def _literal(server: sa.Connection, text: str) -> str:
    return str(server.scalar(sa.text("SELECT QUOTE(:text)"), {"text": text}))


def _objects_of(written: dict[str, Any]) -> list[StoredObject]:
    return _stored(written.get("objects", ()))


def _stored(written: Iterable[Sequence[str]]) -> list[StoredObject]:
    return [StoredObject(*one) for one in written]


def _noted(kind: str, name: str) -> str:
    """Return what an inventory has of a stored object."""
    return f"{kind.lower()} {name}"


def _table(database: str, name: str) -> str:
    return f"{quoted(database)}.{quoted(name)}"


_SEQUENCE_OF = r"nextval\(`(?:[^`]|``)+`\.(?=`)"
_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?:\*|`(?P<pattern>(?:[^`]|``)+)`)\.\* TO ")
_LETTER = re.compile(r"\\.|.", re.S)
# What is there was allowed once: no rule that came later keeps it from being copied, or seen, as it is.
_AS_IT_IS = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES', time_zone = '+00:00'"
)
_GONE = (1049, 1146, 1932)  # no such database, no such table, no file of it
_OTHER_TABLES = (1050, 1146, 1435)  # one of that name is there already, or none; it has a trigger
_REFUSED = (1044, 1142)  # a right to the database, to a table
_KNOWN = sa.text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
_KNOWN_AS = sa.text(
    "SELECT default_character_set_name AS charset, default_collation_name AS collation"
    " FROM information_schema.schemata WHERE schema_name = :name"
)
_LETTERS = "SELECT concat_ws(' ', 'letters', @@character_set_database, @@collation_database)"
_TABLES = sa.text(
    "SELECT table_name, table_type FROM information_schema.tables"
    " WHERE table_schema = :database AND table_type IN ('BASE TABLE', 'SEQUENCE') ORDER BY table_name"
)
_HALF_DONE = sa.text("SELECT 1 FROM information_schema.tables WHERE table_schema = :database AND table_name = :table")
_COLUMNS = sa.text(
    "SELECT column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = :database AND table_name = :table AND coalesce(generation_expression, '') = ''"
    " ORDER BY ordinal_position"
)
_DEFAULTS = sa.text(
    "SELECT table_name, column_name, column_default FROM information_schema.columns"
    " WHERE table_schema = :database AND column_default LIKE 'nextval(%'"
)
_KEYS_OF_OTHERS = sa.text(
    "SELECT constraint_schema AS other, table_name AS child, referenced_table_name AS parent"
    " FROM information_schema.referential_constraints"
    " WHERE unique_constraint_schema = :database AND constraint_schema <> :database"
)
_COPIES = sa.text("SELECT table_schema FROM information_schema.tables WHERE table_name = :table ORDER BY table_schema")
_EMPTY = sa.text(
    "SELECT schema_name FROM information_schema.schemata s WHERE schema_comment = :mark"
    " AND NOT EXISTS (SELECT 1 FROM information_schema.tables t WHERE t.table_schema = s.schema_name)"
)
_BEGINNING = sa.text(
    "SELECT schema_name FROM information_schema.schemata WHERE left(schema_name, char_length(:begin)) = :begin"
)
_SESSIONS = sa.text("SELECT id FROM information_schema.processlist WHERE db = :database AND id <> CONNECTION_ID()")
_RUNNING = sa.text("SELECT 1 FROM information_schema.processlist WHERE id = :session")
_ROWS = sa.text("SELECT sum(table_rows) FROM information_schema.tables WHERE table_schema = :database")  # about
_ROWS_DONE = sa.text("SELECT trx_rows_modified FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = :session")
_SIZE = sa.text("SELECT sum(data_length + index_length) FROM information_schema.tables WHERE table_schema = :database")
_OTHERS = sa.text(
    "SELECT lower(table_type) AS kind, table_name AS name FROM information_schema.tables"
    " WHERE table_schema = :database AND table_type NOT IN ('BASE TABLE', 'SEQUENCE', 'VIEW')"
)
_INVENTORY = """
SELECT lower(table_type), table_name FROM information_schema.tables WHERE table_schema = DATABASE()
    AND table_name <> 'management_snapshot'
UNION ALL SELECT 'trigger', trigger_name FROM information_schema.triggers WHERE event_object_schema = DATABASE()
UNION ALL SELECT lower(routine_type), routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()
UNION ALL SELECT 'event', event_name FROM information_schema.events WHERE event_schema = DATABASE()
"""
