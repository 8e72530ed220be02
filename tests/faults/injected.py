"""Goes into a copy of the project: at the N-th point that a run comes to, it is killed or its connection is cut.

Points are before and after every statement and before every commit, and in the middle of the loading of rows. FAULT
is `kill`, `hold` (it waits there until it is told to go on, and is killed at the next point), `cut` (the session that
is working) or `cut-all` (every session of the database, as when a server stops); a kill passes by the statements that
only read, for nothing is different after them. With SQLite what makes, moves and removes files has points too.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from project.management.backends.looking import Plain

_FAULT = os.environ.get("FAULT", "")
_AT = int(os.environ.get("FAULT_AT", "0"))
_KILLS = ("kill", "hold")
_READS = re.compile(r"\s*(SELECT|WITH|SHOW|DESCRIBE|CHECKSUM|PRAGMA|EXPLAIN|USE|SET SESSION)\b", re.I)


# https://man7.org/linux/man-pages/man2/pr_set_ptracer.2const.html
_SET_PTRACER, _ANYBODY = 0x59616D61, -1


class _Run:
    points = 0
    is_traced = False
    connection: Any = None  # SQLAlchemy's, or a plain one


def point(connection: Any = None) -> None:
    """Come to one more point; the fault happens at the one that is asked for."""
    _Run.connection = connection or _Run.connection
    _Run.points += 1
    if _FAULT == "hold" and _Run.points == _AT + 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if not _FAULT or _Run.points != _AT:
        return
    sign = Path(os.environ["FAULT_SIGN"])
    sign.touch()
    if _FAULT == "hold":
        while sign.exists():
            time.sleep(0.001)
        return
    if _FAULT == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    assert _Run.connection is not None
    _cut(_Run.connection, everybody=_FAULT == "cut-all")


def _statement(connection: Any, _cursor: object, statement: str, *_: object) -> None:
    if _FAULT not in _KILLS or not _READS.match(statement):
        point(connection)


def _plain_statement(run: Callable[..., Any]) -> Callable[..., Any]:
    """Give the statements that go past SQLAlchemy their points."""

    @functools.wraps(run)
    def counted(session: Any, statement: str, *arguments: Any, **named: Any) -> Any:
        _statement(session, None, statement)
        result = run(session, statement, *arguments, **named)
        _statement(session, None, statement)
        return result

    return counted


def _with_points(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def called(*arguments: Any, **named: Any) -> Any:
        point()
        result = call(*arguments, **named)
        point()
        return result

    return called


def _small_cache(driver: Any, _record: object) -> None:
    driver.execute("PRAGMA cache_size = 10")


def _cut(connection: Any, *, everybody: bool) -> None:
    """End a session from outside, and wait until the server has forgotten it."""
    is_plain = isinstance(connection, Plain)
    if connection.closed or (not is_plain and connection.invalidated):
        return
    driver: Any = connection.driver if is_plain else connection.connection.driver_connection
    postgresql = is_plain or connection.dialect.name == "postgresql"
    own = driver.info.backend_pid if postgresql else driver.thread_id()
    url = (
        sa.make_url(os.environ["DATABASE_URL"]).set(database=driver.info.dbname) if is_plain else connection.engine.url
    )
    other = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect()
    with other:
        if postgresql:
            sessions = (
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND (datname <> 'postgres' OR application_name LIKE 'manage.py%')"  # where others work too
            )
        else:
            sessions = (
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
                " AND command <> 'Killed'"
            )
        ended = [one for one in other.scalars(sa.text(sessions)) if everybody or one == own]
        for session in ended:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({session})" if postgresql else f"KILL {session}")
        deadline = time.monotonic() + 30
        while set(ended) & set(other.scalars(sa.text(sessions))) and time.monotonic() < deadline:
            time.sleep(0.002)


def _wait_for_strace(event: str, _arguments: object) -> None:
    """Before SQLite opens its file, let anybody trace this process, and wait until the sign is taken away."""
    if _Run.is_traced or event != "sqlite3.connect":
        return
    sign = Path(os.environ["FAULT_TRACED"])
    _Run.is_traced = True
    ctypes.CDLL(None).prctl(_SET_PTRACER, ctypes.c_ulong(_ANYBODY))
    sign.touch()
    while sign.exists():
        time.sleep(0.001)


if _FAULT:
    sa.event.listen(sa.Engine, "before_cursor_execute", _statement)
    sa.event.listen(sa.Engine, "after_cursor_execute", _statement)
    sa.event.listen(sa.Engine, "commit", point)
    Plain.exec_driver_sql = _plain_statement(Plain.exec_driver_sql)  # type: ignore[method-assign]  # a wrapper of it
    if _FAULT in _KILLS and os.environ["DATABASE_URL"].startswith("sqlite"):
        for module, names in (
            (os, ("mkdir", "link", "rename", "unlink", "fsync", "pwrite", "copy_file_range")),
            (shutil, ("copyfile", "rmtree")),
        ):
            for name in names:
                setattr(module, name, _with_points(getattr(module, name)))
if os.environ.get("FAULT_SIZE"):  # no file can grow beyond it: what is written fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["FAULT_SIZE"]),) * 2)
if os.environ.get("FAULT_CACHE"):  # pages are written to the file, and read back, before a transaction is done
    sa.event.listen(sa.Engine, "connect", _small_cache)
if os.environ.get("FAULT_TRACED"):
    sys.addaudithook(_wait_for_strace)
    vars(tempfile)["_name_sequence"] = map(str, range(100))  # strace has to be told the paths that it shall watch
