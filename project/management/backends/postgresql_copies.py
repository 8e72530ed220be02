"""Copies of a PostgreSQL database: other databases on the server, made and put back as templates are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import CommandError, shortened
from ..lazily import sqlalchemy as sa
from . import looking
from .base import IDLE, TableName, quoted
from .copies import (
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
from .looking import Rows
from .postgresql import SERVER_DATABASE, sessions
from .postgresql_dumps import PROGRAMS, WRITABLE, PostgreSQLDumps, end, waited_too_long
from .postgresql_looking import NOT_PERMITTED, Session, state_of
from .processes import UNKNOWN
from .waiting import meanwhile

if TYPE_CHECKING:
    from .postgresql import PostgreSQL

LONGEST_NAME = 63  # bytes: https://www.postgresql.org/docs/current/limits.html
COPIED_AS_FILES = 128 << 20  # bytes from which copying files takes less time than writing each page to the log
IN_USE, IS_TEMPLATE = "55006", "42809"
_COMES_BACK = 0.1  # seconds after which is looked for sessions that were opened when others had been ended
_CLOSED = " ALLOW_CONNECTIONS false"
_ITEM = re.compile(r'"((?:[^"]|"")*)"|([^",\s]+)')  # of a list of names, as a setting keeps it
_LONGEST_PURPOSE = len("~making-12345678")
_NUMBERS = 1 << 32  # of transactions, after which they begin again
_FIRST = 3  # of them: those below stand for what all can see
_MARK = '{"snapshot": '  # with this begins the comment on a database that is a copy


class PostgreSQLCopies(Copies):
    """Databases like `school_snapshot_NAME`; what is known of each is its comment. Dumps where there can be none.

    https://www.postgresql.org/docs/current/manage-ag-templatedbs.html
    """

    backend: PostgreSQL

    @cached_property
    def dumps(self) -> PostgreSQLDumps:
        """The copies of a role that can make none on the server."""
        return PostgreSQLDumps(self.backend)

    @cached_property
    def _refused(self) -> CannotCopy | None:
        """Why this role can make no copies on the server, as far as its rights say."""
        try:
            with self.backend.on_server() as server:
                found = server.exec_driver_sql(_RIGHTS, (self.owner,))
        except CannotCopy as error:
            return error
        if not found:  # there is no database
            return None
        [(me, makes, owns)] = found
        cures = [] if makes else [f"ALTER ROLE {quoted(me)} CREATEDB"]
        cures += [] if owns else [f"ALTER DATABASE {quoted(self.owner)} OWNER TO {quoted(me)}"]
        return CannotCopy(f"PostgreSQL does not let user {me!r} copy a database", "; ".join(cures)) if cures else None

    def _is_dump(self, copy: Copy) -> bool:
        return copy.place.startswith(f"{self.dumps.root}{os.sep}")

    @contextmanager
    def alone(self) -> Iterator[None]:
        does = f"works with the snapshots of {self.backend.label}"
        with ExitStack() as stack:
            with suppress(CannotCopy):
                server = stack.enter_context(self.backend.on_server())
                stack.enter_context(self.backend.held(server, "copies", does))
            if self._refused or self.dumps.folder.exists():
                stack.enter_context(self.dumps.alone())
            yield

    def all(self) -> Sequence[Copy]:
        found = [*self.dumps.all()]
        try:
            with self.backend.on_server() as server:
                copies = (_read(*row) for row in server.exec_driver_sql(_COPIES, (f"{_MARK}%",)))
                found += [one for one in copies if not one.name or one.place == _named(one.database, one.name)]
        except CannotCopy:
            with self.backend.session():  # where nothing answers, that is to be told
                pass
        return found

    def save(self, name: str, describe: Describe, *, all_of_it: bool = False) -> None:
        if self._refused:
            self._save_dump(self._refused, name, describe)
            return
        with self.backend.on_server() as server:
            making, place = self._working("making"), self._place(server, name)
            live = {"oid": _oid(server, self.owner), "after": _transaction(server)}  # later changes have later numbers
            with self._dropped_if_it_fails(server, making):
                # A dump leaves out what somebody has not committed, whose number may be an earlier one.
                is_whole = self._copied(server, making, all_of_it=all_of_it)
                comment = self._told(name, making, describe, with_counts=is_whole)
            self._complete(server, making, place, comment | ({"live": live} if is_whole else {}))

    def require_exchangeable(self) -> None:
        if self._refused:
            raise self._refused
        with self.backend.on_server() as server:
            others = self._others(server, self.owner, end=False)
        busy = [one for one in others if not (one[-1] or re.match(_OURS, one[2]))]  # programs of ours end soon
        if busy:
            raise CannotCopy(f"{sessions(busy)} is connected to {self.owner}", "end it")

    @contextmanager
    def building(self, name: str, going: Collection[TableName]) -> Iterator[Building]:
        with self.backend.on_server() as server:
            making, place = self._working("making"), self._place(server, name)

            def keep(describe: Describe) -> None:
                comment = self._told(name, making, describe, with_counts=True)
                self._when_nobody_is_in(server, making, partial(self._complete, server, making, place, comment))

            with self._dropped_if_it_fails(server, making):
                self._copied(server, making, all_of_it=True)
                cure = "let the database's owner run this"
                with self._permitted(f"set for a copy what is set for {self.owner}", cure), _at_once(server):
                    self._carry_over(server, self.owner, making, only_rights=True, all_settings=True)
                yield Building(making, keep)
                if self._is_there(server, making):
                    self._drop(server, making)

    def _told(self, name: str, making: str, describe: Describe, *, with_counts: bool) -> dict[str, Any]:
        """Return what is to be known of a copy."""
        with self.backend.session(making) as copy:
            about = describe(copy.itself)
            signs = _look_at_all(copy.itself)
            size = self.size(copy.itself)
        counts = {"counts": signs.counts if signs else {}} if with_counts else {}
        return {"snapshot": name, "database": self.owner, "about": about, "size": size} | counts

    def _complete(self, server: Session, making: str, place: str, comment: dict[str, Any]) -> None:
        """Make a copy of what was in the making."""
        with _at_once(server):
            _comment(server, making, comment)
            self._give(server, making)
            self._rename(server, making, place)
            _keep_as_it_is(server, place)

    def _copied(self, server: Session, target: str, *, all_of_it: bool = False) -> bool:
        """Copy the database, whoever works with it; return whether it is a copy of all there is, pages and all.

        Args:
            all_of_it: so that it is, when nobody is connected any more.
        """
        if is_whole := all_of_it or not self._is_used(server):
            self._clone(server, self.owner, target)
            self._open(server, target)
        else:
            self._dump(server, target)
        return is_whole

    def require_possible(self) -> None:
        refused = self._refused
        if not refused:
            return
        missing = [one for one in PROGRAMS if not shutil.which(one)]
        if missing:
            raise CannotCopy(
                f"{refused.cause}, and for a dump there is no {' and no '.join(missing)}",
                f"{refused.cure}, or install the client of PostgreSQL",
            )
        self.dumps.require_possible()

    def _save_dump(self, refused: CannotCopy, name: str, describe: Describe) -> None:
        self.require_possible()
        is_first = not any(copy.database == self.owner for copy in self.dumps.all())
        self.dumps.save(name, describe)
        if is_first:
            self.backend.waiting.notify(
                f"Snapshots of {self.backend.label} are dumps in {self.dumps.folder}: {refused.cause}."
                f" For faster ones: {refused.cure}"
            )

    def restore(self, copy: Copy, keep: Keep | None, same: Copy | None = None) -> bool:
        if self._is_dump(copy):
            return self.dumps.restore(copy, keep)  # what is kept is one too: for others nobody may be in the database
        with self.backend.on_server() as server:
            making, gone = self._working("making"), self._working("gone")
            written = json.loads(_comment_of(server, copy.place) or "{}")
            ready = self._ready_for(server, copy.place)
            if is_ready := "counts" in written and self._is_there(server, ready):
                making = ready
            else:
                self._clone(server, copy.place, making)
            written["live"] = {"oid": _oid(server, making), "after": _transaction(server)}
            if "counts" not in written:  # it came of a dump
                self._open(server, making)
                with self.backend.session(making) as connection:
                    signs = _look_at_all(connection.itself)
                written["counts"] = signs.counts if signs else {}
            old = self._place(server, keep.name) if keep else gone
            kept = (
                {"snapshot": keep.name, "database": self.owner, "about": keep.about, "size": keep.size} if keep else {}
            )

            def change_places() -> None:
                _comment(server, copy.place, written)
                self._carry_over(server, self.owner, making)
                self._rename(server, self.owner, old)
                self._rename(server, making, self.owner)
                if keep:
                    _comment(server, old, kept)
                    _keep_as_it_is(server, old)

            one_has_set = f"take away what one has set for {self.owner} (ALTER DATABASE ... RESET ALL)"
            cure = _owners_can(server, copy.place) or f"a superuser can; or {one_has_set}"
            with (
                nullcontext() if is_ready else self._dropped_if_it_fails(server, making),
                self._permitted(f"put a copy in the place of {self.owner}", cure),
            ):
                self._when_nobody_is_in(server, self.owner, change_places, at_once=True)
            if not keep:
                self._drop(server, gone)
        return keep is not None

    def delete(self, copy: Copy, *, wait: bool = True) -> None:
        if self._is_dump(copy):
            self.dumps.delete(copy)
            return
        with self.backend.on_server() as server:
            ready = self._ready_for(server, copy.place)
            with self._permitted(f"drop the database {copy.place}", _owners_can(server, copy.place)):
                for name in (ready, copy.place) if self._is_there(server, ready) else (copy.place,):
                    (self._drop if wait else self._let_go)(server, name)

    def _let_go(self, server: Session, database: str) -> None:
        """Make a database no copy any more; the server drops it when nobody waits."""
        going = self._working("going", f"{database}:{_oid(server, database)}")

        def take_away() -> None:
            run(server, f"COMMENT ON DATABASE {quoted(database)} IS NULL")
            run(server, _no_template(database))
            self._rename(server, database, going)

        self._when_nobody_is_in(server, database, take_away, at_once=True)
        self.backend.part_with(_dropped(going))

    def prepare(self, copy: Copy) -> None:
        """Have the server make, when nobody waits, the database that the next restore of a copy renames.

        Nobody can connect to it before: what belongs to the copied database is given to it only then.
        """
        if self._is_dump(copy):
            return
        with self.backend.on_server() as server:
            ready = self._ready_for(server, copy.place)
            for name, _ in self._temporary(server, "ready"):
                if name != ready:
                    self._let_go(server, name)
            self.backend.part_with(self._cloning(server, copy.place, ready) + _CLOSED)

    @contextmanager
    def _dropped_if_it_fails(self, server: Session, making: str) -> Iterator[None]:
        """Leave no copy in the making where what it is made for is not done."""
        try:
            yield
        except BaseException:
            if not server.closed:
                with suppress(CommandError, sa.exc.DBAPIError):  # then the next command drops it
                    self._drop(server, making)
            raise

    def _is_there(self, server: Session, temporary: str) -> bool:
        return any(name == temporary for name, _ in self._temporary(server))

    def _ready_for(self, server: Session, place: str) -> str:
        """Return the name of a database that is the same as a copy, in which nobody ever was."""
        return self._working("ready", f"{place}:{_oid(server, place)}")

    @contextmanager
    def throwaway(self, *, empty: bool = False) -> Iterator[str]:
        if self._refused:
            raise self._refused
        making = self._working("making")
        with self.backend.on_server() as server:
            try:
                if empty:
                    self._create(server, making)
                else:
                    self._copied(server, making)
                yield making
            finally:
                self._drop(server, making)

    def clear_up(self) -> None:
        self.dumps.clear_up()
        with suppress(CannotCopy), self.backend.on_server() as server:
            known = {self._working("ready", f"{name}:{oid}") for name, oid in server.exec_driver_sql(_NUMBERED, ("",))}
            for name, _ in self._temporary(server):
                if name not in known:
                    self._drop(server, name)

    def counted(self, connection: sa.Connection, tables: Iterable[TableName]) -> Counted:
        signs = _look_at_all(connection)
        rows = signs.rows if signs else {}
        counted = {one: rows[one] if one in rows else looking.count(connection, one) for one in tables}
        return Counted(counted, signs, is_all=signs is not None)

    def unchanged_since(self, copies: Sequence[Copy], connection: sa.Connection, counted: Counted) -> Copy | None:
        copies = [one for one in copies if not self._is_dump(one)]
        signs: Signs | None = counted.signs
        if not copies or signs is None or self._refused:
            return None
        with self.backend.on_server() as server:
            now, oid = _transaction(server), _oid(server, self.owner)
            comments = dict(server.exec_driver_sql(_OWN_COPIES, (f"{_MARK}%",)))  # others' could not be restored
        for copy in copies:
            if _is_as(json.loads(comments.get(copy.place, "{}")), oid, now, signs):
                return copy
        return None

    @contextmanager
    def inside(self, copy: Copy) -> Iterator[sa.Connection]:
        if self._is_dump(copy):
            with super().inside(copy) as connection:
                yield connection
            return
        with self.backend.session(copy.place) as session:
            yield session.itself

    @property
    def sees_changes(self) -> bool:
        return not self._refused

    def is_same(self, one: Copy, other: Copy) -> bool:
        if self._is_dump(one) or self._is_dump(other):
            return self._is_dump(one) and self._is_dump(other) and self.dumps.is_same(one, other)
        with self.backend.session(one.place) as kept:
            signs = _look_at_all(kept.itself)
        with self.backend.on_server() as server:
            written = json.loads(_comment_of(server, other.place) or "{}")
            return signs is not None and _is_as(written, _oid(server, one.place), _transaction(server), signs)

    def wait_for_writers(self, connection: sa.Connection) -> None:
        if tables := list(run(connection, WRITABLE).scalars()):
            run(connection, f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")

    @contextmanager
    def watching(self, connect: Connect, *, drops: bool) -> Iterator[IsUnchanged]:
        with connect() as connection:
            self.wait_for_writers(connection)
            running = int(run(connection, "SELECT txid_snapshot_xmin(txid_current_snapshot())").scalar() or 0)
            before = _look_at_all(connection, since=running)
            connection.rollback()

        def is_unchanged(connection: sa.Connection, copy: Copy | None, tables: Sequence[TableName]) -> bool:
            if before is None:
                return True
            self.wait_for_writers(connection)
            now = _look_at_all(connection, since=running)
            return now is not None and (now.counts, now.later) == (before.counts, before.later)

        yield is_unchanged

    @property
    def server(self) -> str:
        return address_of(self.backend.url)

    def held(self) -> AbstractContextManager[object]:
        return self.backend.on_server()

    def clone(self, name: str) -> None:
        with self.backend.on_server() as server:
            self._clone(server, self.owner, name, closed=False)

    def drop(self, name: str) -> None:
        with self.backend.on_server() as server:
            with suppress(sa.exc.DBAPIError):  # somebody else's: it is waited for
                server.exec_driver_sql(_END, (name,))
            self._drop(server, name)

    def beginning(self, begin: str) -> Sequence[str]:
        with self.backend.on_server() as server:
            return server.exec_driver_sql(_NUMBERED, (begin,)).scalars()

    def tables(self, connection: sa.Connection) -> list[TableName]:
        return [TableName(schema, name) for schema, name in run(connection, _TABLES_OF_ALL)]

    def inventory(self, connection: sa.Connection) -> list[str]:
        return list(run(connection, _INVENTORY).scalars())

    def rights(self, connection: sa.Connection) -> list[str]:
        return list(run(connection, _RIGHTS_INSIDE).scalars())

    def size(self, connection: sa.Connection) -> int:
        return int(run(connection, "SELECT pg_database_size(current_database())").scalar() or 0)

    # Names

    def _working(self, purpose: str, of: str = "") -> str:
        """Return the name of a database that is no copy, but becomes one, or was one; no snapshot's name has a ~.

        Args:
            of: what makes it another one for each.
        """
        return self._named(f"~{purpose}{of and '-'}{of and digest(of)}", room=_LONGEST_PURPOSE)

    def _temporary(self, server: Session, purpose: str = "") -> Rows:
        """Return the names and numbers of those that are there and this role's to take or to drop."""
        return server.exec_driver_sql(_OWN_NUMBERED, (self._named(f"~{purpose}", room=_LONGEST_PURPOSE),))

    def _place(self, server: Session, name: str) -> str:
        """Return the name of the database that a copy becomes."""
        place = self._named(name)
        if _oid(server, place) is not None:
            raise CommandError(f"there is a database {place} already", "take another name, or drop it")
        return place

    def _named(self, name: str, *, room: int = 0) -> str:
        return _named(self.owner, name, room=room)

    # On the server

    def _clone(self, server: Session, source: str, target: str, *, closed: bool = True) -> None:
        """Make a copy; a closed one has nobody in it before it is given what says who may be."""
        statement = self._cloning(server, source, target) + (_CLOSED if closed else "")
        with self._permitted("copy a database", _owners_can(server, source)):
            self._when_nobody_is_in(server, source, lambda: run(server, statement))

    def _cloning(self, server: Session, source: str, target: str) -> str:
        strategy = ""
        if server.version >= (15, 0):
            size = server.exec_driver_sql("SELECT pg_database_size(CAST(%s AS name))", (source,)).scalar() or 0
            strategy = " STRATEGY FILE_COPY" if size >= COPIED_AS_FILES else " STRATEGY WAL_LOG"
        return f"CREATE DATABASE {quoted(target)} TEMPLATE {quoted(source)}{strategy}"

    def _open(self, server: Session, database: str) -> None:
        """Let those into a copy who may be in the database, and nobody else."""
        with _at_once(server):
            self._carry_over(server, self.owner, database, only_rights=True)

    def _give(self, server: Session, database: str) -> None:
        """Give a copy to the owner of the database, so that all who share it share its copies."""
        found = server.exec_driver_sql(_BELONGINGS, (self.owner,))
        for owner, me, *_ in found:
            if owner != me:
                run(server, f"ALTER DATABASE {quoted(database)} OWNER TO {quoted(owner)}")

    @contextmanager
    def _permitted(self, what: str, cure: str = "") -> Iterator[None]:
        """Say what to grant where a right is missing: that to make databases, where nothing else is given."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            if state_of(error) != NOT_PERMITTED:
                raise
            user = self.backend.address.user
            raise CannotCopy(
                f"PostgreSQL does not let user {user!r} {what}: {self.backend.refusal(error)}",
                cure or f"ALTER ROLE {quoted(user or '')} CREATEDB; the database has to be its own",
            ) from error

    def _is_used(self, server: Session) -> bool:
        """Return whether somebody is connected whom its own tools let stay while they copy the database."""
        for _ in range(10):
            names = server.exec_driver_sql(_NAMES, (self.owner,)).scalars()
            if not all(re.match(_OURS, name) for name in names):
                return all(map(shutil.which, ("pg_dump", "psql")))
            if not names:
                return False
            time.sleep(0.01)  # a session of this program that was closed a moment ago
        return False

    def _create(self, server: Session, database: str) -> None:
        """Make an empty database that sorts and spells as this one does."""
        found = server.exec_driver_sql(_LETTERS, (self.owner,))
        if not found:
            with self.backend.session():  # says that there is none
                pass
        [(encoding, collate, ctype, kind, locale)] = found
        provider = _PROVIDERS.get(kind, "").format(locale)
        with self._permitted("make a database"):
            run(
                server,
                f"CREATE DATABASE {quoted(database)} TEMPLATE template0 ENCODING '{encoding}'"
                f" LC_COLLATE '{collate}' LC_CTYPE '{ctype}'{provider}{_CLOSED}",
            )
        self._open(server, database)

    def _dump(self, server: Session, target: str) -> None:
        """Copy the database as pg_dump sees it at one moment, beside those who work in it."""
        self._create(server, target)
        dump = ["pg_dump", "--no-password", f"--lock-wait-timeout={round(self.backend.patience * 1000)}"]
        load = ["psql", "--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
        with (
            self.backend.watching_program() as given,
            subprocess.Popen(dump, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as out,  # noqa: S603  # ours
            subprocess.Popen(  # noqa: S603  # ours
                load,
                env={**given, "PGDATABASE": target},  # an argument with a = in it would be more than a name
                stdin=out.stdout,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as into,
        ):
            assert out.stdout is not None
            out.stdout.close()
            try:
                said = [one.communicate()[1].decode(errors="replace").strip() for one in (into, out)]
            except BaseException:  # Ctrl-C: pg_dump would wait on for a lock
                end(out)
                end(into)
                raise
        if waited_too_long(said[1]):
            raise self.backend.in_the_way()
        if into.returncode or out.returncode:
            words = " ".join((said[0] or said[1]).split())
            raise CannotCopy(
                f"{self.owner} cannot be copied beside its sessions: {shortened(words, most=200)}", "end them"
            )

    def _when_nobody_is_in(
        self, server: Session, database: str, work: Callable[[], object], *, at_once: bool = False
    ) -> None:
        """Do what nobody may be connected to a database for; sessions that do nothing are ended, others waited for.

        While a statement waits for the last to go it lets no others in, so that those a pool opens are ended at last.
        """

        def done() -> bool:
            others = self._others(server, database)
            if not all(is_idle for *_, is_idle in others):
                return False
            ended = {pid for pid, *_ in others}
            for _ in range(50 if ended else 0):  # they take a moment
                if ended.isdisjoint(pid for pid, *_ in self._others(server, database, end=False)):
                    break
                time.sleep(0.01)
            try:
                with (
                    _at_once(server) if at_once else nullcontext(),
                    meanwhile(beside, lambda second: self._others(second, database), after=_COMES_BACK),
                ):
                    work()
            except sa.exc.DBAPIError as error:
                if state_of(error) != IN_USE:
                    raise
                return False
            return True

        def beside() -> AbstractContextManager[Session]:
            return self.backend.session(SERVER_DATABASE, autocommit=True)

        def holder() -> str:
            return sessions(self._others(server, database)) or UNKNOWN

        self.backend.waiting.until(done, holder, f"is connected to {database}")

    def _others(self, server: Session, database: str, *, end: bool = True) -> Sequence[Any]:
        """Return the sessions in a database after ending those that do nothing."""
        found = server.exec_driver_sql(_SESSIONS, {"database": database, "idle": IDLE, "ours": _OURS})
        for pid, user, program, _, is_idle in found:
            if not is_idle or not end:
                continue
            with suppress(sa.exc.DBAPIError):  # somebody else's: it is waited for
                server.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
                inside = f" ({program})" if program else ""
                self.backend.waiting.notify(f"ended session {pid} of {user}{inside}, which did nothing")
        return found

    def _carry_over(
        self, server: Session, old: str, new: str, *, only_rights: bool = False, all_settings: bool = False
    ) -> None:
        """Give the new database what belongs to the old one and is not in it: rights, owner, settings, comment.

        From then on one can connect to it.

        Args:
            only_rights: only the rights, and in which schemas a table is found.
            all_settings: with them all that is set for who connects.
        """
        [(owner, me, limit, is_template, comment, rights, settings)] = server.exec_driver_sql(_BELONGINGS, (old,))
        target, statements = quoted(new), []
        if owner != me and not only_rights:
            statements.append(f"ALTER DATABASE {target} OWNER TO {quoted(owner)}")
        if limit != -1:
            statements.append(f"ALTER DATABASE {target} CONNECTION LIMIT {limit}")
        if rights is not None:
            statements.append(f"REVOKE ALL ON DATABASE {target} FROM PUBLIC")
            for right, grantee, grantable in rights:
                to = quoted(grantee) if grantee else "PUBLIC"
                option = " WITH GRANT OPTION" if grantable else ""
                statements.append(f"GRANT {right} ON DATABASE {target} TO {to}{option}")
        for role, setting in settings or ():
            name, _, value = setting.partition("=")
            if only_rights and (role not in (None, me) or not (all_settings or name == "search_path")):
                continue
            items = [value]
            if name in _LISTS:
                items = [one.replace('""', '"') or word for one, word in _ITEM.findall(value)] or [""]
            given = ", ".join("'" + item.replace("'", "''") + "'" for item in items)
            of = f"ROLE {quoted(role)} IN " if role else ""
            statements.append(f"ALTER {of}DATABASE {target} SET {quoted(name)} TO {given}")
        if is_template and not only_rights:
            statements += [_no_template(old), f"ALTER DATABASE {target} IS_TEMPLATE true"]
        for statement in (*statements, f"ALTER DATABASE {target} ALLOW_CONNECTIONS true"):
            run(server, statement)
        if not only_rights and comment is not None and not comment.startswith(_MARK):
            _comment(server, new, comment)

    def _rename(self, server: Session, old: str, new: str) -> None:
        run(server, f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}")

    def _drop(self, server: Session, database: str) -> None:
        def drop() -> None:
            try:
                run(server, _dropped(database))
            except sa.exc.DBAPIError as error:
                if state_of(error) != IS_TEMPLATE:
                    raise
                run(server, _no_template(database))
                run(server, _dropped(database))

        self._when_nobody_is_in(server, database, drop)


def _named(owner: str, name: str, *, room: int = 0) -> str:
    """Return the name of a database that belongs to another one.

    Args:
        room: for how many letters after _snapshot_ the owner's name is cut, at least.
    """
    end = f"_snapshot_{name}"
    room = LONGEST_NAME - max(len(end), len("_snapshot_") + room)
    if len(owner.encode()) > room:
        owner = f"{owner.encode()[: room - 9].decode(errors='ignore')}_{digest(owner)}"
    return owner + end


@contextmanager
def _at_once(server: Session) -> Iterator[None]:
    """Make one transaction of what is done on a connection that commits each statement."""
    run(server, "BEGIN")
    try:
        yield
    except BaseException:
        with suppress(sa.exc.DBAPIError):
            run(server, "ROLLBACK")
        raise
    run(server, "COMMIT")


def _owners_can(server: Session, database: str) -> str:
    """Return what to grant where somebody else owns a database; nothing where this role has its owner's rights."""
    query = (
        "SELECT pg_get_userbyid(datdba), current_user FROM pg_database"
        " WHERE datname = %s AND NOT pg_has_role(datdba, 'USAGE')"
    )
    for owner, me in server.exec_driver_sql(query, (database,)):
        return f"its owner can, {owner}; or GRANT {quoted(owner)} TO {quoted(me)}"
    return ""


def _dropped(database: str) -> str:
    return f"DROP DATABASE IF EXISTS {quoted(database)}"


def _no_template(database: str) -> str:
    """Return what lets a database be dropped that somebody has declared a template."""
    return f"ALTER DATABASE {quoted(database)} IS_TEMPLATE false"


def _keep_as_it_is(server: Session, database: str) -> None:
    """Let whoever looks into a copy change nothing by mistake."""
    run(server, f"ALTER DATABASE {quoted(database)} SET default_transaction_read_only TO on")


def _comment(server: Session, database: str, comment: object) -> None:
    text = comment if isinstance(comment, str) else json.dumps(comment)
    literal = server.exec_driver_sql("SELECT quote_literal(CAST(%s AS text))", (text,)).scalar()
    run(server, f"COMMENT ON DATABASE {quoted(database)} IS {literal}")


def _comment_of(server: Session, database: str) -> str | None:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    found: str | None = server.exec_driver_sql(query, (database,)).scalar()
    return found


def _oid(server: Session, database: str) -> int | None:
    query = "SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = %s"
    found: int | None = server.exec_driver_sql(query, (database,)).scalar()
    return found


def _transaction(server: Session) -> int:
    return int(server.exec_driver_sql("SELECT txid_current()").scalar() or 0)


class Signs(NamedTuple):
    """What one statement reads of all tables, of the catalogs that say what there is, and of sequences."""

    rows: dict[TableName, int]
    counts: dict[str, int]  # by PostgreSQL's names; of a sequence what it is at
    ages: list[int]  # of the youngest row of each, in transactions
    next: int  # transaction, of 32 bits as those of rows are
    later: list[int]  # of each the sum of the transactions that its rows are of, where asked for

    def is_younger(self, after: int) -> bool:
        """Return whether a row is of this transaction, or of a later one.

        https://www.postgresql.org/docs/current/ddl-system-columns.html
        """
        return any(age <= (self.next - after) % _NUMBERS for age in self.ages)


def _look_at_all(connection: sa.Connection, *, since: int | None = None) -> Signs | None:
    """Return what can be told of changes; None, and no transaction, where this role may not read all of it.

    Args:
        since: a transaction from which on to sum up: one that began before another may be committed after it.

    https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    names, looks = {}, [f"SELECT '', 0, age('{_FIRST}'::xid), 0"]
    later = "0"
    if since is not None:
        begin = max(since % _NUMBERS, _FIRST)
        later = f"coalesce(sum(xmin::text::bigint) FILTER (WHERE age(xmin) <= age('{begin}'::xid)), 0)"
    for name, literal, schema, table, kind, is_hidden in run(connection, _TABLES):
        if is_hidden:
            connection.rollback()
            return None
        what = "count(*), min(age(xmin))" if kind != "S" else "last_value # (is_called::int::bigint << 62), NULL"
        what += f", {later if kind != 'S' else 0}"
        which = " WHERE nspname !~ '^pg_(toast_)?temp_'" if name == "pg_namespace" else ""  # which come and stay
        looks.append(f"SELECT {literal}, {what} FROM {name}{which}")  # noqa: S608  # PostgreSQL quoted them
        if kind == "r":
            names[name] = TableName(schema, table)
    try:
        (_, _, since_first, _), *found = run(connection, " UNION ALL ".join(looks))
    except sa.exc.DBAPIError as error:
        if state_of(error) != NOT_PERMITTED:
            error.statement = "SELECT"  # which of all the tables it is that cannot be read, its own words say
            raise
        connection.rollback()
        return None
    counts = {name: count for name, count, *_ in found}
    return Signs(
        {table: counts[name] for name, table in names.items()},
        counts,
        [age for _, _, age, _ in found if age is not None],
        (since_first + _FIRST) % _NUMBERS,
        [later for *_, later in found],
    )


def _is_as(written: dict[str, Any], oid: int | None, now: int, signs: Signs) -> bool:
    """Return whether a database is certainly as it was when a copy came of it, or took its place.

    Args:
        written: what is known of the copy.
        now: a transaction later than all that changed the database.
    """
    live, counts = written.get("live"), written.get("counts")
    if not live or not counts or live["oid"] != oid or now - live["after"] > _NUMBERS // 4:
        return False
    if counts.get("pg_largeobject_metadata"):  # what is in one cannot be read without special rights
        return False
    there = signs.counts
    if signs.is_younger(live["after"]) or not all(counts.get(name, one) == one for name, one in there.items()):
        return False
    return all(name.startswith("pg_") for name in there.keys() ^ counts.keys())  # not every role reads all


def _read(database: str, comment: str) -> Copy:
    try:
        written = json.loads(comment)
        return Copy(written["snapshot"], written["database"], written["about"], written["size"], database)
    except (ValueError, KeyError, TypeError):  # of another version of this program, or changed by hand
        return unreadable(database)


_OURS = r"^(manage\.py|alembic)( (?!shell)|$)"  # sessions of this project's programs; Python and PostgreSQL read it
_NAMES = "SELECT application_name FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
_OWN_NUMBERED = (
    "SELECT datname, CAST(oid AS bigint) FROM pg_database"
    " WHERE starts_with(datname, %s) AND pg_has_role(datdba, 'USAGE')"
)
_NUMBERED = "SELECT datname, CAST(oid AS bigint) FROM pg_database WHERE starts_with(datname, %s)"
_COPIES = """
SELECT datname, shobj_description(oid, 'pg_database') AS comment
FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE %s ORDER BY datname
"""
_OWN_COPIES = _COPIES.replace("ORDER", "AND pg_has_role(datdba, 'USAGE') ORDER")
# A program of this project that waits for its turn is not idle: it goes by itself. A shell may sit there for days.
_SESSIONS = """
SELECT pid, usename, application_name, host(client_addr) AS address,
    application_name !~ %(ours)s
    AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')
    AND (state = 'idle' OR state LIKE 'idle in transaction%%' AND backend_xid IS NULL
        AND state_change <= clock_timestamp() - make_interval(secs => %(idle)s)) AS is_idle
FROM pg_stat_activity a
WHERE datname = %(database)s AND pid <> pg_backend_pid() AND backend_type NOT LIKE 'autovacuum%%'
ORDER BY pid
"""
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
_RIGHTS = """
SELECT rolname AS me, rolcreatedb OR rolsuper AS makes, rolsuper OR pg_has_role(datdba, 'USAGE') AS owns
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = %s
"""
_LETTERS = (
    "SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, datctype,"
    " to_jsonb(d) ->> 'datlocprovider' AS provider,"  # versions before 15 have none
    " coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale"
    " FROM pg_database d WHERE datname = %s"
)
# https://www.postgresql.org/docs/current/sql-createdatabase.html
_PROVIDERS = {"i": " LOCALE_PROVIDER icu ICU_LOCALE '{}'", "b": " LOCALE_PROVIDER builtin BUILTIN_LOCALE '{}'"}
_BELONGINGS = """
SELECT pg_get_userbyid(datdba) AS owner, current_user AS me, datconnlimit, datistemplate,
    shobj_description(d.oid, 'pg_database') AS comment,
    CASE WHEN datacl IS NOT NULL THEN (
        SELECT coalesce(json_agg(json_build_array(privilege_type,
            CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, is_grantable)), '[]')
        FROM aclexplode(datacl) WHERE grantee <> datdba
    ) END AS acl,
    (SELECT json_agg(json_build_array(CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END, one))
        FROM pg_db_role_setting, unnest(setconfig) AS one WHERE setdatabase = d.oid) AS settings
FROM pg_database d WHERE datname = %s
"""
# Settings whose value is a list of names, kept quoted: https://www.postgresql.org/docs/current/runtime-config-client.html
_LISTS = (
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "local_preload_libraries",
)
# Tables, sequences, and the catalogs that say what there is: not those of statistics, or that nobody may read.
_TABLES = """
SELECT CAST(CAST(c.oid AS regclass) AS text), quote_literal(CAST(c.oid AS regclass)),
    nullif(n.nspname, current_schema()), c.relname, c.relkind, row_security_active(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND c.relispopulated AND CASE n.nspname
    WHEN 'pg_catalog' THEN NOT c.relisshared AND has_table_privilege(c.oid, 'SELECT')
        AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject')
    ELSE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' END
ORDER BY c.oid
"""
_TABLES_OF_ALL = """
SELECT nullif(n.nspname, current_schema()), c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema'
AND n.nspname NOT LIKE 'pg\\_%' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
) ORDER BY n.nspname, c.relname
"""
_RIGHTS_INSIDE = """
SELECT concat_ws(' ', 'schema', quote_ident(nspname), 'of', pg_get_userbyid(nspowner), nspacl,
    obj_description(oid, 'pg_namespace'))
FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
UNION ALL SELECT concat_ws(' ', pg_describe_object('pg_default_acl'::regclass, oid, 0), defaclacl) FROM pg_default_acl
UNION ALL SELECT concat_ws(' ', 'extension', extname, extversion) FROM pg_extension
UNION ALL SELECT concat_ws(' ', 'letters', pg_encoding_to_char(encoding), datcollate, datctype,
    to_jsonb(d) ->> 'datlocprovider', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
FROM pg_database d WHERE datname = current_database()
"""
_INVENTORY = """
WITH made(classid, oid, said) AS (
    SELECT 'pg_class'::regclass, c.oid, CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'relation ' END || c.oid::regclass
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, 'function ' || p.oid::regprocedure
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_type'::regclass, t.oid, 'type ' || t.oid::regtype
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('d', 'e', 'r') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    UNION ALL SELECT 'pg_namespace'::regclass, oid, 'schema ' || quote_ident(nspname) FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL SELECT 'pg_extension'::regclass, oid, 'extension ' || quote_ident(extname) FROM pg_extension
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 'event trigger ' || quote_ident(evtname) FROM pg_event_trigger
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 'trigger ' || quote_ident(tgname) || ' on ' || tgrelid::regclass
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'pg_policy'::regclass, oid, 'policy ' || quote_ident(polname) || ' on ' || polrelid::regclass
    FROM pg_policy
    UNION ALL SELECT 'pg_publication'::regclass, oid, 'publication ' || quote_ident(pubname) FROM pg_publication
    UNION ALL SELECT classid, oid, pg_describe_object(classid, oid, 0) FROM (
        SELECT 'pg_collation'::regclass, oid FROM pg_collation
        UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
        UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
        UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
        UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
        UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am
        UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
        UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata
    ) other(classid, oid) WHERE oid >= 16384  -- below is what every database has
)
SELECT said FROM made WHERE NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = made.classid AND d.objid = made.oid AND d.deptype = 'e'
) ORDER BY said
"""
