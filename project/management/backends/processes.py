"""Locks on folders; which process of this machine holds one, as far as Linux tells, and what program it runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # looked at before it is used

if TYPE_CHECKING:
    from .waiting import Waiting

UNKNOWN = "another process"


class Bytes(NamedTuple):
    """Bytes of a file on which a lock may be held, in one of these ways: READ, WRITE."""

    file: Path
    first: int
    last: int
    modes: frozenset[str]


@contextmanager
def locked(path: Path, waiting: Waiting, does: str) -> Iterator[None]:
    """Hold a lock on a folder; where there are no such locks the transactions still come one after the other."""
    folder = _opened(path)
    if folder is None:
        yield
        return
    lock = Bytes(path, 0, 0, frozenset({"WRITE"}))
    try:
        waiting.until(lambda: _try_flock(folder), partial(holding, "FLOCK", [lock]), does)
        yield
    finally:
        os.close(folder)


def holding(kind: str, places: Iterable[Bytes]) -> str:
    """Return the other process that holds a lock: `process 4711 (manage.py seed)`.

    Args:
        kind: POSIX or FLOCK.

    https://man7.org/linux/man-pages/man5/proc_locks.5.html
    """
    try:
        locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:  # no Linux
        return UNKNOWN
    pids = {pid for place in places for line in locks if (pid := _holder(line.split(), kind, place))}
    pids.discard(os.getpid())
    if not pids:
        return UNKNOWN
    first, *others = sorted(pids)
    more = f", one of {len(pids)}," if others else ""
    return f"process {first}{_running(first)}{more}"


def program(arguments: Sequence[str]) -> str:
    """Return what a command line runs: `manage.py seed`, `sqlite3`; none of its options, for one may be a password."""
    name, *rest = [*arguments, ""]
    if re.fullmatch(r"python[\d.]*", Path(name).name):
        while rest[0] in ("-W", "-X"):
            rest = rest[2:] or [""]
        while rest[0].startswith("-") and rest[0] not in ("-", "-c", "-m"):
            rest = rest[1:]
        if rest[0] == "-m":
            rest = rest[1:]
        if rest[0] and not rest[0].startswith("-"):
            name, *rest = rest
    path = Path(name)
    shown = path.parent.name if path.name == "__main__.py" else path.name
    shown = "".join(shown.split()[:1]).rstrip(":") or "python"
    command = rest[0] if rest and shown in ("manage.py", "alembic") else ""
    return f"{shown} {command}" if re.fullmatch(r"[a-z_]{1,30}", command) else shown


def _opened(folder: Path) -> int | None:
    """Return a folder, opened to be locked; None where that cannot be: on Windows, without the right to list it."""
    try:
        return os.open(folder, os.O_RDONLY) if fcntl is not None else None
    except OSError:
        return None


def _try_flock(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: the transactions still come one after the other
        return True
    return True


def _holder(words: Sequence[str], kind: str, place: Bytes) -> int | None:
    """Return the process of a line (`1: POSIX ADVISORY WRITE 3785 fe:00:1466425 0 EOF`) that holds these bytes."""
    if len(words) < 8 or words[1] != kind or words[3] not in place.modes or not words[4].isdigit():
        return None  # one that waits has an arrow for a kind
    major, minor, inode = words[5].split(":")
    try:
        file = place.file.stat()
    except OSError:
        return None
    last = place.last if words[7] == "EOF" else int(words[7])
    if int(inode) != file.st_ino or int(words[6]) > place.last or last < place.first:
        return None
    pid = int(words[4])
    same = (int(major, 16), int(minor, 16)) == (os.major(file.st_dev), os.minor(file.st_dev))
    return pid if same or _has_open(pid, file) else None  # some file systems have one number here and another there


def _has_open(pid: int, file: os.stat_result) -> bool:
    try:
        return any(os.path.samestat(one.stat(), file) for one in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it ended, or is somebody else's
        return False


def _running(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
    return f" ({program(line.rstrip(chr(0)).split(chr(0)))})" if line else ""
