"""Copies of an SQLite file: files in `.snapshots/`, and the ways back that leave no session with an unlinked file."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO

from ..errors import TERMINATING
from ..lazily import sqlalchemy as sa
from . import looking
from .base import TableName, driver_errors
from .copies import Building, Connect, Copy, Counted, Describe, IsUnchanged, Keep
from .folders import CHUNK, FolderCopies, checksum, data_of, explained, sync, write
from .looking import raised_as_sqlalchemys
from .sqlite_looking import BESIDE, PlainSQLite, driver_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # looked at before it is used

if TYPE_CHECKING:
    from .sqlite import SQLite

DATA = "database.db"
_LOOKING = ".looking-"  # what is only compared
_HAS_LEASES = hasattr(fcntl, "F_SETLEASE")
BEGINNING = "beginning"  # the first bytes of the data, where others are written over them; see `_swap`
_HEADER = 100
_STEP = 10  # pages: fewer than are put aside into the file before all are there
# The mode, the counters of changes and of schemas (a backup counts one), and who wrote last:
# https://www.sqlite.org/fileformat.html#the_database_header
_VOLATILE = (18, 19, *range(24, 28), *range(40, 44), *range(92, 100))
_REPLACED = b"This file was replaced by a restored snapshot; open it again.\n"


class SQLiteCopies(FolderCopies):
    backend: SQLite
    data = DATA

    def __init__(self, backend: SQLite) -> None:
        path = backend.path
        own = os.path.relpath(path, backend.root) if path.is_relative_to(backend.root) else str(path)
        super().__init__(backend, own, path.name)

    def save(self, name: str, describe: Describe, *, all_of_it: bool = False) -> None:
        with self._making() as making:
            self._copy_out(making / DATA)
            with _looking_into(making / DATA) as connection:
                about = describe(connection)
            self._complete(making, name, about)

    @contextmanager
    def building(self, name: str, going: Collection[TableName]) -> Iterator[Building]:
        self.backend.engine(create=True)  # where no file can be, that is to be known before
        with self._making() as making:
            data = making / DATA
            if self.backend.exists():
                self._copy_out(data)
            else:
                data.touch()

            def keep(describe: Describe) -> None:
                with raised_as_sqlalchemys("backup", sqlite3.Error), closing(sqlite3.connect(data)) as driver:
                    driver.execute("PRAGMA journal_mode = DELETE").fetchall()  # a copy is one file
                sync(data)
                with _looking_into(data) as connection:
                    about = describe(connection)
                self._complete(making, name, about)

            yield Building(str(data.with_suffix("")), keep)

    def restore(self, copy: Copy, keep: Keep | None, same: Copy | None = None) -> bool:
        source = Path(copy.place, DATA)
        with self._looked_at(copy) as require_whole:
            if self._replace(source, keep, same, require_whole):
                return keep is not None and same is None
            require_whole()
        if not self.backend.exists():  # what belonged to the file that is gone is no part of this one
            for ending in BESIDE:
                with suppress(OSError):  # SQLite itself takes none of them for its own
                    Path(f"{self.backend.path.resolve()}{ending}").unlink()
        self._write_into(source, keep)
        return keep is not None

    @contextmanager
    def _looked_at(self, copy: Copy) -> Iterator[Callable[[], None]]:
        """Look whether a copy is as it was saved while something else is done; give what waits for that."""
        found: list[BaseException] = []

        def look() -> None:
            try:
                self._refuse_damaged(copy)
            except BaseException as error:  # which is raised below
                found.append(error)

        def require_whole() -> None:
            thread.join()
            for error in found:
                raise error

        thread = Thread(target=look)
        thread.start()
        try:
            yield require_whole
        finally:
            thread.join()

    @contextmanager
    def throwaway(self, *, empty: bool = False) -> Iterator[str]:
        with self._making() as making:
            if empty:
                (making / "throwaway.db").touch()
            else:
                self._copy_out(making / "throwaway.db")
            yield str(making / "throwaway")

    def clear_up(self) -> None:
        super().clear_up()
        live = self.backend.path.resolve()
        for folder, begin in ((live.parent, _besides(live)), (self.folder, _LOOKING)):
            with suppress(OSError):
                for left in folder.iterdir():
                    if left.name.startswith(begin):
                        _remove_left(left)
        for beginning in self.folder.glob(f"*/{BEGINNING}"):
            with suppress(OSError):  # it is read together with what is over it
                if _is_half_done(beginning.with_name(DATA)):
                    self._discard(beginning.parent)
                elif _HAS_LEASES:
                    _mend(beginning)

    def unchanged_since(self, copies: Sequence[Copy], connection: sa.Connection, counted: Counted) -> Copy | None:
        if not copies:
            return None
        with self._as_it_is(connection) as now:
            return next((copy for copy in copies if _is_same(now, Path(copy.place, DATA))), None)

    def is_same(self, one: Copy, other: Copy) -> bool:
        with data_of(Path(one.place, DATA)) as data:
            return _is_same(data, Path(other.place, DATA), _beginning(Path(one.place, DATA)))

    @contextmanager
    def watching(self, connect: Connect, *, drops: bool) -> Iterator[IsUnchanged]:
        with self.backend.looking() as connection:
            before = self._counted(connection)
            connection.rollback()

        def is_unchanged(connection: sa.Connection, copy: Copy | None, tables: Sequence[TableName]) -> bool:
            if copy is None:
                return self._counted(connection) == before
            with self.backend.looking() as beside, self._image(beside) as now:  # of who writes SQLite copies nothing
                return _is_same(now, Path(copy.place, DATA))

        yield is_unchanged

    def _counted(self, connection: sa.Connection) -> dict[TableName, int]:
        return {one: looking.count(connection, one) for one in self.tables(connection)}

    def clone(self, name: str) -> None:
        shutil.copyfile(self.backend.path, self.backend.path.with_name(name))

    def drop(self, name: str) -> None:
        for ending in ("", *BESIDE):
            self.backend.path.with_name(f"{name}{ending}").unlink(missing_ok=True)

    def inventory(self, connection: sa.Connection) -> list[str]:
        query = "SELECT type || ' ' || name FROM sqlite_master WHERE type <> 'index' AND name NOT GLOB 'sqlite_*'"
        return sorted(connection.exec_driver_sql(query).scalars())

    def size(self, connection: sa.Connection) -> int:
        return self.backend.path.stat().st_size

    # Out of the database

    def _copy_out(self, target: Path) -> None:
        """Copy the file while a read lock keeps it as it is; a WAL-mode one, which that would not, page by page."""
        with open(self.backend.path, "rb") as file, self.backend.looking() as connection, connection.begin() as reading:
            if _is_wal(file):
                self._copy_pages(connection, target)
            else:
                _copy_bytes(file, target)
            reading.rollback()  # a commit waits for those who read

    @contextmanager
    def _as_it_is(self, connection: sa.Connection) -> Iterator[BinaryIO]:
        """Give a file that has all there is, while nobody writes; the connection is left outside a transaction.

        It is the database's own but in WAL mode: with any file of it that this process closes go all the locks that it
        has there, and in that mode a connection has one as long as it is open: https://www.sqlite.org/howtocorrupt.html
        """
        is_wal = connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        connection.rollback()
        with (
            nullcontext() if is_wal else open(self.backend.path, "rb") as own,
            connection.begin() as reading,
            nullcontext(own) if own else self._image(connection) as now,
        ):
            yield now
            reading.rollback()  # a commit waits for those who read

    @contextmanager
    def _image(self, connection: sa.Connection) -> Iterator[BinaryIO]:
        """Give a copy of what a connection sees; who works with the snapshots meanwhile leaves it alone."""
        self._make_folder()
        with explained(self.folder), _held(_LOOKING, self.folder) as (file, _):
            self._copy_pages(connection, file)
            with open(file, "rb") as image:
                yield image

    def _copy_pages(self, connection: sa.Connection, target: Path) -> None:
        with raised_as_sqlalchemys("backup", sqlite3.Error), closing(sqlite3.connect(target)) as other:
            other.execute("PRAGMA journal_mode = OFF").fetchall()  # beside it nothing that another process might remove
            driver_of(connection).backup(other)
            other.execute("PRAGMA journal_mode = DELETE").fetchall()  # a copy is one file
        sync(target)

    # Into the database

    def _replace(self, source: Path, keep: Keep | None, same: Copy | None, require_whole: Callable[[], None]) -> bool:
        """Put a copy of the source in the file's place, where the system promises that nobody has the file open.

        Return False where that cannot be, or somebody has written meanwhile; then nothing was done.

        A lease is given for a file that is open nowhere else, and holds up whoever opens it then:
        https://man7.org/linux/man-pages/man2/F_GETLEASE.2const.html
        """
        live = self.backend.path.resolve()
        if not _HAS_LEASES or not self._is_settled(live):
            return False
        owned = live.stat()
        if owned.st_nlink != 1 or owned.st_uid != os.geteuid():
            return False
        with self._making() as making:
            try:
                with _laid_beside(source, live) as beside:
                    require_whole()
                    return self._swap(beside, live, making, keep, same)
            except OSError:  # no room for two, another file system, no right to the folder
                return False

    def _swap(self, beside: Path, live: Path, making: Path, keep: Keep | None, same: Copy | None) -> bool:
        """Rename what lies beside the file over it, which itself becomes the copy that is kept.

        Whoever is held up by the lease at that moment gets the file of before, and would write into that copy: so it
        must not look like a database. Its beginning is kept apart until nobody can have it open, see `_mend`.
        """
        with _leased(live) as lease, _opened(live.parent) as folder:
            if lease is None or os.fstat(lease).st_size < _HEADER or not self._is_settled(live, look=False):
                return False
            with open(lease, "rb", closefd=False) as now:
                if _is_wal(now):
                    return False
                if same is not None:
                    if not _is_same(now, Path(same.place, DATA)):
                        return False
                    keep = None
                if keep:
                    self._note(making, keep.about, checksum(now))
            is_replaced = False
            try:
                if keep:
                    write(making / BEGINNING, os.pread(lease, _HEADER, 0))
                    os.fsync(lease)
                    os.link(live, making / DATA)
                    self._name(making, keep.name)
                with _undisturbed():
                    if fcntl.fcntl(lease, fcntl.F_GETLEASE) == fcntl.F_WRLCK:  # else somebody has come meanwhile
                        os.rename(beside, live)
                        is_replaced = True
                        with suppress(OSError):  # that it is replaced can be taken back no more
                            os.pwrite(lease, _REPLACED, 0)
                            os.fsync(folder)
            finally:
                if keep and not is_replaced:
                    self._take_back(making, keep.name, live)
        return is_replaced

    def _take_back(self, making: Path, name: str, live: Path) -> None:
        """Take its name from a copy that is the file itself, which may be changed before it can be replaced."""
        with suppress(FileNotFoundError):  # it had no name yet
            if Path(self.folder, name, DATA).samefile(live):
                self._unname(making, name)

    def _read(self, about: Path) -> Copy | None:
        return None if _is_half_done(about.with_name(DATA)) else super()._read(about)

    def _checksum(self, data: BinaryIO) -> int:
        return checksum(data, _beginning(Path(data.name)))

    def _is_settled(self, live: Path, *, look: bool = True) -> bool:
        """Return whether all there is of the database is in its one file."""
        if not live.exists() or live.is_symlink():
            return False
        if look:  # a journal that a crash left is rolled back by the first who reads, a log is taken in by the last
            with self.backend.looking() as connection, connection.begin() as reading:
                connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
                reading.rollback()
        return not any(os.path.exists(f"{live}{ending}") for ending in BESIDE)

    def _write_into(self, source: Path, keep: Keep | None) -> None:
        """Write every page of the source into the file, in one transaction, beside those who have it open.

        https://www.sqlite.org/backup.html
        """

        def keep_before() -> None:
            """Copy what is there, which from now on nobody changes."""
            if keep is None:
                return
            with self._making() as making:
                if _is_wal(file):
                    with self.backend.looking() as reading:
                        self._copy_pages(reading, making / DATA)
                else:
                    _copy_bytes(file, making / DATA)
                self._complete(making, keep.name, keep.about)

        self.backend.engine(create=True).connect().close()
        with (
            open(self.backend.path, "rb") as file,  # closed last: with it go the locks that this process has on it
            self._whole(source, of_several_pages=True) as whole,
            closing(sqlite3.connect(f"{whole.as_uri()}?mode=ro", uri=True)) as other,
            self.backend.engine().connect() as connection,
        ):
            driver = driver_of(connection)
            driver.execute("PRAGMA foreign_keys = OFF")
            driver.execute("PRAGMA busy_timeout = 0")
            with driver_errors(connection, sqlite3.Error):
                is_other = _is_wal(file) and _page_size(driver) != _page_size(other)
                if is_other:  # in WAL mode the size of pages cannot change
                    self.backend.when_nobody_is_in(lambda: driver.execute("PRAGMA journal_mode = DELETE").fetchall())
                self.backend.when_nobody_is_in(partial(_backup, other, driver, keep_before))
                if is_other:
                    driver.execute("PRAGMA journal_mode = WAL").fetchall()

    @contextmanager
    def inside(self, copy: Copy) -> Iterator[sa.Connection]:
        with self._whole(Path(copy.place, DATA)) as whole, _looking_into(whole) as connection:
            yield connection

    @contextmanager
    def _whole(self, source: Path, *, of_several_pages: bool = False) -> Iterator[Path]:
        """Give the data of a copy as a file that SQLite can read.

        Args:
            of_several_pages: let it have an empty one more, where one is all there is.
        """
        with data_of(source) as data:
            beginning = _beginning(source)
            is_one_page = of_several_pages and _is_one_page(data, beginning)
            if not is_one_page and not beginning:
                yield source
                return
            with self._making() as making:
                _copy_all(data, making / DATA, beginning)
                if is_one_page:
                    _add_a_page(making / DATA)
                yield making / DATA


@contextmanager
def _looking_into(file: Path) -> Iterator[sa.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        yield PlainSQLite(driver, partial(driver.execute, "BEGIN")).itself


class _Busy(Exception):
    """Somebody holds what is to be written."""


def _backup(source: sqlite3.Connection, target: sqlite3.Connection, begun: Callable[[], None]) -> None:
    """Copy everything; `begun` is called when the target is locked, and nothing is written to its file yet.

    The source has several pages: the step that copies the last one commits, and only then says so.
    """
    first = True

    def look(status: int, _remaining: int, _total: int) -> None:
        nonlocal first
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):  # Python itself would wait for ever
            raise _Busy
        if first:
            first = False
            begun()

    try:
        assert _pages(source) > 1  # else this would be all of them at once
        source.backup(target, pages=min(_STEP, _pages(source) - 1), progress=look)
    except _Busy as error:
        busy = sqlite3.OperationalError("database is locked")
        busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise busy from error


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody stop this process for a moment: the system ends a lease for which others wait too long.

    https://man7.org/linux/man-pages/man5/proc_sys_fs.5.html
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *TERMINATING, signal.SIGTSTP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _leased(file: Path) -> Iterator[int | None]:
    """Hold a lease on a file and give its descriptor; None when somebody has it open."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # what tells that somebody is held up would end the program
    number = os.open(file, os.O_RDWR | os.O_NONBLOCK)
    try:
        try:
            fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            yield None
            return
        yield number
    finally:
        os.close(number)  # and with it the lease
        signal.signal(signal.SIGIO, before)


def _beginning(data: Path) -> bytes:
    """Return the first bytes of a copy, which are not in its data; nothing where they are."""
    try:
        return data.with_name(BEGINNING).read_bytes()
    except OSError:
        return b""


def _is_half_done(data: Path) -> bool:
    """Return whether a copy still is the database itself, wherever that is now: a crash came before it was replaced."""
    with suppress(OSError):
        if data.stat().st_nlink > 1 and data.with_name(BEGINNING).exists():
            with open(data, "rb") as file:
                return file.read(len(_REPLACED)) != _REPLACED
    return False


def _mend(beginning: Path) -> None:
    """Give a copy's data their beginning, when nobody has them open."""
    with _leased(beginning.with_name(DATA)) as lease:
        if lease is not None:
            if os.pread(lease, len(_REPLACED), 0) == _REPLACED:
                os.pwrite(lease, beginning.read_bytes(), 0)
                os.fsync(lease)
            beginning.unlink()


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    number = os.open(folder, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def _besides(live: Path) -> str:
    """Return how the names begin of what is to take a file's place."""
    return f".{live.name}.restoring-"


@contextmanager
def _laid_beside(source: Path, live: Path) -> Iterator[Path]:
    """Copy a file to where it can take another's place at once, for as long as that may take."""
    with _held(_besides(live), live.parent) as (beside, number):
        with open(source, "rb") as out_of:
            _copy_all(out_of, beside, _beginning(source))
        shutil.copystat(live, beside)
        os.utime(beside)
        os.chown(beside, -1, live.stat().st_gid)
        os.fsync(number)
        yield beside


@contextmanager
def _held(begin: str, folder: Path) -> Iterator[tuple[Path, int]]:
    """Give an empty file, and its descriptor, that other processes leave alone; it goes in the end."""
    number, name = tempfile.mkstemp(prefix=begin, dir=folder)
    try:
        if fcntl is not None:
            fcntl.flock(number, fcntl.LOCK_EX)
        yield Path(name), number
    finally:
        with suppress(OSError):
            os.unlink(name)
        os.close(number)


def _remove_left(left: Path) -> None:
    """Remove what a crash has left beside a database, unless somebody is at it."""
    number = os.open(left, os.O_RDONLY)
    try:
        if fcntl is not None:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        left.unlink(missing_ok=True)
    finally:
        os.close(number)


def _copy_bytes(file: BinaryIO, target: Path) -> None:
    _copy_all(file, target)
    sync(target)


def _copy_all(file: BinaryIO, target: Path, beginning: bytes = b"") -> None:
    """Copy a file to an empty one, or to where none is, by the file system where that can: some share what both hold.

    Args:
        beginning: what the copy begins with, instead of as many bytes of the file.

    https://man7.org/linux/man-pages/man2/copy_file_range.2.html
    """
    file.seek(0)
    with open(target, "wb") as out:
        if hasattr(os, "copy_file_range"):
            with suppress(OSError):  # some cannot between two disks, or at all
                while os.copy_file_range(file.fileno(), out.fileno(), CHUNK):
                    pass
            file.seek(out.seek(0, os.SEEK_END))
        shutil.copyfileobj(file, out, CHUNK)  # what is left, or why that cannot be
        if beginning:
            out.seek(0)
            out.write(beginning)


def _pages(driver: sqlite3.Connection) -> int:
    [(number,)] = driver.execute("PRAGMA page_count").fetchall()
    return int(number)


def _is_one_page(data: BinaryIO, beginning: bytes) -> bool:
    """Return whether a database has one page, or none."""
    head = beginning or os.pread(data.fileno(), _HEADER, 0)
    return _length(data, head) <= _page_size_in(head)


def _length(data: BinaryIO, head: bytes | bytearray) -> int:
    """Return how many bytes of a file are the database, as its header says: others may follow.

    https://www.sqlite.org/fileformat.html#in_header_database_size
    """
    pages = int.from_bytes(head[28:32])
    if pages and head[24:28] == head[92:96]:
        return pages * _page_size_in(head)
    return os.fstat(data.fileno()).st_size


def _page_size_in(head: bytes | bytearray) -> int:
    """Return the bytes of a page: https://www.sqlite.org/fileformat.html#page_size"""
    size = int.from_bytes(head[16:18])
    return 1 << 16 if size == 1 else size


def _add_a_page(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        driver.executescript("PRAGMA auto_vacuum = NONE; VACUUM; CREATE TABLE a (a); DROP TABLE a")


def _page_size(driver: sqlite3.Connection) -> int:
    [(size,)] = driver.execute("PRAGMA page_size").fetchall()
    return int(size)


def _is_wal(file: BinaryIO) -> bool:
    """Return whether a database is in WAL mode: https://www.sqlite.org/fileformat.html#file_format_version_numbers"""
    return os.pread(file.fileno(), 1, 18) == b"\2"


def _is_same(now: BinaryIO, file: Path, beginning: bytes = b"") -> bool:
    """Return whether two files hold the same database, but for what each writing changes in its header.

    Args:
        beginning: what the one begins with, where something else is written over it.
    """
    try:
        then = open(file, "rb")  # noqa: SIM115  # only that it cannot be opened is no error
    except OSError:
        return False
    with then:
        now.seek(0)
        heads = [bytearray(one.read(_HEADER)) for one in (now, then)]
        heads = [bytearray(whole) or read for whole, read in zip((beginning, _beginning(file)), heads, strict=True)]
        length = _length(now, heads[0])
        if length != _length(then, heads[1]):
            return False
        for head in heads:
            for place in _VOLATILE:
                head[place : place + 1] = b"\0"
        if heads[0] != heads[1]:
            return False
        for place in range(_HEADER, length, CHUNK):
            size = min(CHUNK, length - place)
            if now.read(size) != then.read(size):
                return False
        return True
