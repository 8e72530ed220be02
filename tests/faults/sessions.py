"""reset while somebody else is at the database: a link, a -wal or a hot journal left over, sessions in every state."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.databases import Database
from tests.faults import kills
from tests.faults.stages import Stage, Work, check_words, judge
from tests.faults.states import Verdict

WITHIN = 75  # seconds for a reset to give up: the minute it may wait for somebody, and a start on a busy machine
OWN_ROW = "INSERT INTO students (name, email, grade, birthday) VALUES (:name, :name, 3, '2016-12-10')"


class _Session:
    """Somebody else's connection that was open before the reset."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine()
        self.connection = self._engine.connect()
        self.read()
        self.connection.commit()

    def read(self) -> int:
        return self.connection.scalar(sa.text("SELECT count(*) FROM students")) or 0

    def write(self, name: str) -> None:
        """Put in a row, without a commit."""
        self.connection.execute(sa.text(OWN_ROW), {"name": name})

    def close(self) -> None:
        self.connection.invalidate()
        self._engine.dispose()


@contextmanager
def _session(stage: Stage) -> Iterator[_Session]:
    session = _Session(stage.database)
    try:
        yield session
    finally:
        session.close()


def around(stage: Stage, work: Work, *, patient: bool) -> Verdict:
    """Reset with other sessions open; with `patient` also with one that holds a lock for longer than a reset waits."""
    verdict = Verdict()
    for scene in (_idle, _reading, _writing_a_moment, *([_writing_for_ever] if patient else [])):
        stage.restore(work.start)
        with ExitStack() as stack:
            session = stack.enter_context(_session(stage))
            verdict.tries += 1
            scene(stage, work, session, verdict, f"reset with a session {scene.__name__.strip('_').replace('_', ' ')}")
    return verdict


def _idle(stage: Stage, work: Work, session: _Session, verdict: Verdict, where: str) -> None:
    _reset(stage, work, verdict, where)
    _sees_and_writes(stage, work, session, verdict, where)


def _reading(stage: Stage, work: Work, session: _Session, verdict: Verdict, where: str) -> None:
    """A transaction that has only read: servers end it, SQLite's in WAL mode keeps what it sees."""
    if stage.kind == "sqlite":
        session.connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        session.connection.commit()
        session.connection.exec_driver_sql("BEGIN")  # its driver begins none for a query
    before = session.read()
    _reset(stage, work, verdict, where)
    try:
        if session.read() != before:
            verdict.lose(f"{where}: it sees other rows in the same transaction")
        session.connection.commit()
    except sa.exc.DBAPIError:
        session.connection.invalidate()
        session.connection.rollback()
    _sees_and_writes(stage, work, session, verdict, where)


def _writing_a_moment(stage: Stage, work: Work, session: _Session, verdict: Verdict, where: str) -> None:
    """A transaction that has written, and commits while the reset waits for it: nothing it writes later is lost."""
    session.write("meanwhile")
    committed = threading.Timer(1.0, session.connection.commit)
    running = stage.run.start(*work.command)
    committed.start()
    committed.join()
    result = running.wait()
    if result.code == 0:
        verdict.compare(work.after, stage.state(), where)
    else:
        check_words(result, verdict, where)
        _reset(stage, work, verdict, f"{where}, and the next")
    _sees_and_writes(stage, work, session, verdict, where)


def _writing_for_ever(stage: Stage, work: Work, session: _Session, verdict: Verdict, where: str) -> None:
    """A transaction that has written and never ends: the reset gives up, and what was written is there."""
    session.write("for ever")
    begun = time.monotonic()
    result = stage.run(*work.command)
    if time.monotonic() - begun > WITHIN:
        verdict.blame(f"{where}: it gave up after {time.monotonic() - begun:.0f} s")
    check_words(result, verdict, where)
    session.connection.commit()
    if _names(stage, "for ever") != 1:
        verdict.lose(f"{where}: the row of the other session is not there")
    _reset(stage, work, verdict, f"{where}, and the next")


def _reset(stage: Stage, work: Work, verdict: Verdict, where: str) -> None:
    result = stage.run(*work.command)
    if result.code != 0:
        verdict.lose(f"{where} ends with {result}")
    verdict.compare(work.after, stage.state(), where)


def _sees_and_writes(stage: Stage, work: Work, session: _Session, verdict: Verdict, where: str) -> None:
    """The session sees what the reset made, or an error; what it commits then is there for everybody."""
    try:
        if session.read() != work.after.rows["students"].total():
            verdict.lose(f"{where}: it does not see the rows of the reset")
        session.write("afterwards")
        session.connection.commit()
    except sa.exc.DBAPIError:
        return
    if _names(stage, "afterwards") != 1:
        verdict.lose(f"{where}: a row that was committed afterwards is lost")


def _names(stage: Stage, name: str) -> int:
    return int(stage.database.value("SELECT count(*) FROM students WHERE name = :name", name=name))


# The file of SQLite


def around_the_copy(stage: Stage, work: Work, points: Iterable[int] = range(1, kills.MOST_POINTS)) -> Verdict:
    """Kill a run at each point, another session at the file: open before, or opened at that very moment."""
    verdict = Verdict()
    for mode in ("delete", "wal"):
        stage.restore(work.start)
        with stage.database.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA journal_mode = {mode}")
        start = stage.save()
        for comes in (_before, _meanwhile):
            for number in points:
                stage.restore(start)
                where = f"{work.name} in {mode} mode killed at point {number}, a session {comes.__name__.strip('_')}"
                if not comes(stage, work, number, verdict, where):
                    break
                verdict.tries += 1
    return verdict


def _before(stage: Stage, work: Work, number: int, verdict: Verdict, where: str) -> bool:
    sign = stage.sign()
    with _session(stage) as session:
        stage.run(*work.command, env={**work.environment, **_killed("kill", number, sign)})
        if not sign.exists():
            return False
        _writes(stage, session.connection.connection.driver_connection, verdict, where)
    _judge_with_own(stage, work, verdict, where)
    return True


def _meanwhile(stage: Stage, work: Work, number: int, verdict: Verdict, where: str) -> bool:
    """Who opens the file while it is replaced is held up by the system until the process that does it is gone."""
    sign = stage.sign()
    running = stage.run.start(*work.command, env={**work.environment, **_killed("hold", number, sign)})
    while not sign.exists():
        if running.has_ended():
            return False
    file = stage.database.file
    assert file is not None
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(sqlite3.connect, file, isolation_level=None, check_same_thread=False)
        while not opening.done() and "BREAKING" not in Path("/proc/locks").read_text():
            time.sleep(0.001)
        sign.unlink()
        running.wait()
        with closing(opening.result()) as session:
            _writes(stage, session, verdict, where)
    _judge_with_own(stage, work, verdict, where)
    return True


def _killed(fault: str, number: int, sign: Path) -> dict[str, str]:
    return {"FAULT": fault, "FAULT_AT": str(number), "FAULT_SIGN": str(sign)}


def _writes(stage: Stage, session: Any, verdict: Verdict, where: str) -> None:
    """The session writes into the database that everybody sees, or is told that it cannot."""
    try:
        session.execute(OWN_ROW, {"name": "afterwards"}).fetchall()
        session.commit()
    except sqlite3.DatabaseError:
        return
    if _names(stage, "afterwards") != 1:
        verdict.lose(f"{where}: a row that was committed afterwards is lost")


def _judge_with_own(stage: Stage, work: Work, verdict: Verdict, where: str) -> None:
    """Judge what is left, but for the row of the session, of which the work knows nothing.

    What it has written is a reason to keep what is there before the next run.
    """
    assert work.copies is not None
    copies = replace(work.copies, holding={**work.copies.holding, work.copies.undo: None}, or_more=True)
    if stage.database.value("SELECT count(*) FROM sqlite_master WHERE name = 'students'"):
        stage.database.execute("DELETE FROM students WHERE name = 'afterwards'")
    judge(stage, replace(work, copies=copies), verdict, where, killed=True)


def around_the_file(stage: Stage, work: Work, every: int = 1) -> Verdict:
    """Reset by a link, in rollback and in WAL mode, over what a crash left; finished, and killed at each statement."""
    verdict = Verdict()
    for words, statements in _LEFT_OVER.items():
        stage.restore(work.start)
        if statements:
            _crash(stage, statements)
        left = stage.save()
        disturbed = replace(work, start=left, before=stage.state())
        for number in [None, *range(1, kills.MOST_POINTS, every)]:
            stage.restore(left)
            where = f"reset by a link{words}, {f'killed at point {number}' if number else 'finished'}"
            if not _through_a_link(stage, disturbed, number, verdict, where):
                break
            verdict.tries += 1
    return verdict


_LEFT_OVER = {
    "": (),
    " over a -wal": ("PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0", "DELETE FROM enrollments"),
    " over a hot journal": ("PRAGMA cache_size = 5", "BEGIN", "UPDATE students SET grade = 1, name = name || 'x'"),
}


def _crash(stage: Stage, statements: Sequence[str]) -> None:
    """Leave the files as a process does that is killed after these statements."""
    file = stage.database.file
    assert file is not None
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement).fetchall()
    kept = stage.save()
    connection.close()
    assert len(kept.files) > 1, "nothing was left over"
    stage.restore(kept)


def _through_a_link(stage: Stage, work: Work, number: int | None, verdict: Verdict, where: str) -> bool:
    """Reset by a link, another session open; return whether the fault came, or none was wanted."""
    file, sign = stage.database.file, stage.sign()
    assert file is not None
    link = stage.house.root.parent / "linked.db"
    link.unlink(missing_ok=True)
    link.symlink_to(file)
    faults = {"FAULT": "kill", "FAULT_AT": str(number), "FAULT_SIGN": str(sign)} if number else {}
    node = file.stat().st_ino
    with _session(stage) as session:
        result = stage.run(*work.command, env={"DATABASE_URL": f"sqlite:///{link}", **faults})
        if number and not sign.exists():
            return False
        if not link.is_symlink() or file.stat().st_ino != node:
            verdict.lose(f"{where}: the link or the file was replaced")
        if not number:
            verdict.compare(work.after, stage.state(), where)
            if result.code:
                verdict.lose(f"{where} ends with {result}")
        else:
            judge(stage, work, verdict, where)
        _sees_and_writes(stage, work, session, verdict, where)
    return True
