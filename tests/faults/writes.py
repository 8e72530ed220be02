"""SQLite's own calls of the system: killed at the first, second, third ... write, and a disk that is full at each.

`strace` does it: https://man7.org/linux/man-pages/man1/strace.1.html, without --seccomp-bpf, with which its version 6.1
delivers no signals. It counts each system call by itself, and only those on the database's files.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.faults.stages import Stage, Work, check_words, judge
from tests.faults.states import Verdict
from tests.processes import Result

CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink")
FILES = ("mkdir", "sendfile", "rename")  # what makes, fills and moves the files of snapshots
REMOVALS = ("unlinkat", "rmdir")  # which no disk is too full for
MAKING = 4  # folders that no run makes more of
KILLED = "signal=KILL:when={}"
FULL_ONCE = "error=ENOSPC:when={}"
FULL_FROM = "error=ENOSPC:when={}+"
FULL = "make room"


def why_not() -> str:
    """Return why this machine cannot do it, nothing when it can."""
    if (strace := shutil.which("strace")) is None:
        return "strace is not installed"
    tried = subprocess.run([strace, "-o", os.devnull, "-e", "trace=none", "true"], capture_output=True, text=True)
    return f"strace cannot trace here: {tried.stderr.strip()}" if tried.returncode else ""


def at_writes(stage: Stage, work: Work, fault: str, numbers: Iterable[int]) -> Verdict:
    """Inject a fault into every call of every kind that writes to the database's files, or those of its snapshots."""
    verdict = Verdict()
    calls = (*CALLS, *FILES, *(REMOVALS if fault == KILLED else ())) if work.copies else CALLS
    for call in calls:
        for number, result in _faults(stage, work, call, fault, numbers):
            where = f"{work.name}, {fault.format(number)} of {call}"
            verdict.tries += 1
            if result.code != 0 and fault != KILLED:
                check_words(result, verdict, where, FULL)
            judge(stage, work, verdict, where, killed=fault == KILLED, done=result.code == 0)
    return verdict


def at_sizes(stage: Stage, work: Work, sizes: Iterable[int]) -> Verdict:
    """Let no file grow beyond a size in bytes: a full disk that needs no strace."""
    verdict = Verdict()
    for size in sizes:
        stage.restore(work.start)
        where = f"{work.name} with files of at most {size:,} bytes"
        result = stage.run(*work.command, env={**work.environment, "FAULT_SIZE": str(size), "FAULT_CACHE": "1"})
        verdict.tries += 1
        if result.code == 0:
            verdict.lose(f"{where} ends with 0")
        else:
            check_words(result, verdict, where, FULL)
        judge(stage, work, verdict, where)
    return verdict


def _faults(stage: Stage, work: Work, call: str, fault: str, numbers: Iterable[int]) -> Iterator[tuple[int, Result]]:
    for number in numbers:
        stage.restore(work.start)
        result, came = _traced(stage, work, f"inject={call}:{fault.format(number)}")
        if not came:
            result.expect(0)
            return
        yield number, result


_FILES = ("database.db", "database.db-journal", "about.json", "beginning")


def _watched_of_copies(stage: Stage, work: Work) -> Iterator[str]:
    """Yield the paths of what a run makes of snapshots; `injected` numbers the folders that become one."""
    [folder] = {stage.beside.root / Path(name).parts[0] for name in work.start.beside.files}
    yield str(folder)
    for number in range(MAKING):
        making = folder / f".making-{number}"
        yield from map(str, (making, *map(making.joinpath, _FILES)))


def _traced(stage: Stage, work: Work, injection: str) -> tuple[Result, bool]:
    """Run a command that strace attaches to before it connects; return what it left, and whether the fault came."""
    assert stage.database.file is not None
    files = Path(tempfile.mkdtemp(dir=stage.house.root.parent))
    sign, trace = files / "traced", files / "trace"
    running = stage.run.start(*work.command, env={**work.environment, "FAULT_TRACED": str(sign)})
    running.wait_until(sign.exists, "connecting")
    watched = [f"{stage.database.file}{ending}" for ending in ("", "-journal", "-wal", "-shm")]
    if work.copies:
        watched += [*map(str, map(stage.beside.restoring, range(MAKING))), *_watched_of_copies(stage, work)]
    paths = [word for path in watched for word in ("-P", path)]
    command = ["strace", "-f", "-p", str(running.pid), "-o", str(trace), "-e", injection, *paths]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert said.endswith("attached\n"), said
        sign.unlink()
        result = running.wait()
        strace.stderr.read()
    text = trace.read_text(errors="replace")
    shutil.rmtree(files)
    return result, "(INJECTED)" in text or result.code == -signal.SIGKILL
