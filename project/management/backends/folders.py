"""Copies that are folders in `.snapshots/`: a data file and what is known of it, complete before it has its name."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import CommandError
from . import processes
from .base import Backend
from .copies import About, CannotCopy, Copies, Copy, Damaged, digest, unreadable

ABOUT = "about.json"
CHUNK = 1 << 17  # bytes; memory for larger ones is asked of the system each time
_MAKING = ".making-"  # what begins with this is not complete
_WRITABLE = "make it writable (chmod u+w)"


class FolderCopies(Copies):
    """A folder for each database, in it one for each copy."""

    data: str  # the name of the file that a copy of this sort is
    server = ""  # where the database is, when not on this machine

    def __init__(self, backend: Backend, owner: str, name: str) -> None:
        super().__init__(backend)
        self.root = backend.root / ".snapshots"
        self._owner = owner
        self.folder = self.root / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name)[:60]}-{digest(self.server + owner)}"

    @property
    def owner(self) -> str:
        return self._owner

    @contextmanager
    def alone(self) -> Iterator[None]:
        self._make_folder()
        does = f"works with the snapshots of {self.backend.label}"
        with processes.locked(self.folder, self.backend.waiting, does):
            yield

    def all(self) -> Sequence[Copy]:
        for folder in (self.root, self.folder):
            if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
                raise CannotCopy(
                    f"{folder} cannot be read: {os.strerror(errno.EACCES)}", "make it readable (chmod u+rx)"
                )
        found = []
        for about in sorted(one / ABOUT for one in self.root.glob("*/*")):
            if about.parent.name.startswith(_MAKING) or not _may_be_there(about):
                continue
            if (copy := self._read(about)) is not None:
                found.append(copy)
        return found

    def require_possible(self) -> None:
        there = next(one for one in (self.folder, *self.folder.parents) if os.path.lexists(one))
        if not os.path.isdir(there):
            raise CannotCopy(f"{there} is no folder", "move it away")
        if not os.access(there, os.W_OK | os.X_OK):
            raise CannotCopy(f"{there} cannot be written: {os.strerror(errno.EACCES)}", _WRITABLE)

    def delete(self, copy: Copy, *, wait: bool = True) -> None:
        self._discard(Path(copy.place))

    def _discard(self, copy: Path) -> None:
        """Delete the folder of a copy, which at once is one no more."""
        with explained(copy.parent):
            gone = Path(tempfile.mkdtemp(prefix=_MAKING, dir=copy.parent))
            os.rename(copy, gone / copy.name)
            shutil.rmtree(gone)

    def clear_up(self) -> None:
        for left in self.folder.glob(f"{_MAKING}*"):
            with suppress(OSError):  # it is in nobody's way
                shutil.rmtree(left)

    def _make_folder(self) -> None:
        try:
            if not self.folder.is_dir():
                self.require_possible()
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            cure = _WRITABLE if error.errno == errno.EACCES else "make room for it there"
            raise CannotCopy(f"{self.folder} cannot be made: {error.strerror}", cure) from error

    @contextmanager
    def _making(self) -> Iterator[Path]:
        """Give a folder for something that is not there before it is complete."""
        with explained(self.folder):
            making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=self.folder))
            try:
                yield making
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def _complete(self, making: Path, name: str, about: About) -> None:
        """Write down what is known of a copy, and give it its name."""
        with open(making / self.data, "rb") as data:
            self._note(making, about, checksum(data))
        self._name(making, name)

    def _note(self, making: Path, about: About, number: int) -> None:
        written = {"database": self.owner, "server": self.server, "about": {**about, "checksum": number}}
        write(making / ABOUT, json.dumps(written).encode())

    def _name(self, making: Path, name: str) -> None:
        """Give a copy, all of which is written, its name: from now on it is there."""
        if (self.folder / name).exists():  # and it is no copy that is known
            raise CommandError(
                f"there is {self.folder / name} already, of which nothing can be read",
                "take another name, or move it away",
            )
        sync(making)
        os.rename(making, self.folder / name)
        try:
            sync(self.folder)
        except OSError:
            self._unname(making, name)
            raise

    def _unname(self, making: Path, name: str) -> None:
        """Take back the name of a copy that could not do what it is for."""
        os.rename(self.folder / name, making)

    def _refuse_damaged(self, copy: Copy) -> None:
        """Refuse to put back what is not as it was saved.

        Raises:
            Damaged: naming the file.
        """
        file = Path(copy.place, self.data)
        with data_of(file) as data:
            number = self._checksum(data)
        if copy.about.get("checksum", number) != number:
            raise Damaged(
                f"snapshot {copy.name} is damaged: {file} is not as it was saved",
                f"python manage.py snapshots --delete {copy.name}, and restore another one",
            )

    def _checksum(self, data: BinaryIO) -> int:
        return checksum(data)

    def _read(self, about: Path) -> Copy | None:
        """Return a copy; None for one of a database elsewhere: of another server, of a file."""
        try:
            written = json.loads(about.read_text(encoding="utf-8"))
            if written.get("server", "") != self.server:
                return None
            size = about.with_name(self.data).stat().st_size
            return Copy(about.parent.name, written["database"], written["about"], size, str(about.parent))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return unreadable(str(about.parent))  # of another version of this program, or changed by hand


def _may_be_there(file: Path) -> bool:
    """Return whether there is a file, or its folder lets nobody see that."""
    try:
        return file.exists()
    except PermissionError:
        return True


@contextmanager
def data_of(file: Path) -> Iterator[BinaryIO]:
    """Open the data of a copy; say in a line why it cannot be read."""
    try:
        with open(file, "rb") as data:
            yield data
    except OSError as error:
        raise Damaged(
            f"{file} cannot be read: {error.strerror}", "make it readable (chmod u+r), or restore another snapshot"
        ) from error


def checksum(data: BinaryIO, beginning: bytes = b"") -> int:
    """Return the CRC-32 of a file.

    Args:
        beginning: what it is to begin with, instead of as many bytes of its own.
    """
    number = zlib.crc32(beginning)
    data.seek(len(beginning))
    while chunk := data.read(CHUNK):
        number = zlib.crc32(chunk, number)
    return number


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Say in a line why a folder, or a file, cannot be written; where it never can be, that there can be no copies."""
    try:
        yield
    except OSError as error:
        cause = f"{folder} cannot be written: {error.strerror}"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise CannotCopy(cause, _WRITABLE) from error
        raise CommandError(cause, "make room there") from error


def sync(path: Path) -> None:
    """Have a file or the entries of a folder on the disk before what comes next."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write(file: Path, data: bytes) -> None:
    """Write a file that is not there yet, onto the disk."""
    with open(file, "xb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
