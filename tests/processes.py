"""Run the house's own programs, each in a process of its own, without paying for the same imports every time.

A forkserver imports the libraries and the project's machinery once; every run is then a fork of it that has never seen
the rest of a project: models, seeders, migrations, settings, commands. A house in which the machinery was changed has
forks of another server, which has imported only the libraries. Imports of this module stay light: each of those
processes imports it.
"""

from __future__ import annotations

import atexit
import importlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

DEADLINE = 120  # seconds; nothing here takes so long, whatever the machine
REPOSITORY = Path(__file__).resolve().parent.parent
LIBRARIES = [
    "tests.strict",
    "sqlalchemy",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.mysql.mariadb",
    "sqlalchemy.dialects.mysql.pymysql",
    "alembic.command",
    "alembic.autogenerate",
    "alembic.ext.checkconstraint_byname",
    "alembic.ddl.sqlite",
    "alembic.ddl.postgresql",
    "alembic.ddl.mysql",
    "psycopg",
    "psycopg_binary",
    "pymysql",
    "dotenv.parser",
    "sqlglot",
    "sqlglot.dialects",
    "faker",
    "encodings.idna",
    "encodings.utf_8_sig",
    "faker.proxy",
    "faker.decode",
    "faker.providers.person.en_US",
    "rich.progress",
    "mako.template",
    "argparse",
    "logging.config",
]
# Who starts a process looks at the ends of all others, and an end can be read once: one thread at a time does either.
_looking = threading.Lock()
_context = multiprocessing.get_context("forkserver")
_with_machinery, _without_machinery = forkserver.ForkServer(), forkserver.ForkServer()
_with_machinery.set_forkserver_preload([*LIBRARIES, "tests.machinery", "tests.forkserver"])
_without_machinery.set_forkserver_preload([*LIBRARIES, "tests.forkserver"])


@dataclass(frozen=True)
class Result:
    """What a program left behind: its exit code (negative: the signal that ended it) and what it wrote."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"

    def expect(self, code: int) -> Result:
        """Fail with everything that was written unless this is the exit code."""
        assert self.code == code, f"expected exit code {code}, not this:\n{self}"
        return self

    def refusal(self, code: int = 1) -> str:
        """Return the one line that says why it was refused; fail when it is not one line with this exit code."""
        self.expect(code)
        lines = self.err.splitlines()
        assert len(lines) == 1, f"a refusal is one line on stderr, not this:\n{self}"
        assert lines[0].startswith("manage.py: "), f"a refusal begins with manage.py:\n{self}"
        return lines[0].removeprefix("manage.py: ")


@dataclass(frozen=True)
class Program:
    """What is to be run: manage.py by its path, or an installed module by its name."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path
    root: Path  # of the house
    files: Path  # a folder for its three streams
    file: Path | None = None
    module: str = ""


class Running:
    """A program that was started: wait for it, or end it. Its streams are files, so that nothing waits for a reader."""

    def __init__(self, name: str, pid: int, files: Path) -> None:
        self.pid = pid
        self._name = name
        self._files = files

    def wait(self, timeout: float = DEADLINE) -> Result:
        """Return what the program left behind; one that does not end in time is killed, and fails the test."""
        code = self._wait(timeout)
        if code is None:
            raise AssertionError(f"{self._name} did not end in {timeout} s:\n{self.kill()}")
        return self._result(code)

    def has_ended(self) -> bool:
        """Return whether it has ended, after a moment's wait."""
        return self._wait(0.01) is not None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> Result:
        """End it as `kill -9` does."""
        if self._wait(0) is None:
            with suppress(ProcessLookupError):  # it has ended in this moment
                os.kill(self.pid, signal.SIGKILL)
        code = self._wait(DEADLINE)
        return self._result(-signal.SIGKILL if code is None else code)

    def wait_for(self, text: str, timeout: float = DEADLINE) -> None:
        """Wait until it has written a text to stdout or stderr."""
        self.wait_until(lambda: text in self._read("stdout") + self._read("stderr"), f"writing {text!r}", timeout)

    def wait_until(self, happened: Callable[[], bool], what: str, timeout: float = DEADLINE) -> None:
        """Wait until something has happened that it does."""
        deadline = time.monotonic() + timeout
        while not happened():
            code = self._wait(0.01)
            if code is not None and not happened():
                raise AssertionError(f"{self._name} ended without {what}:\n{self._result(code)}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self._name} went on for {timeout} s without {what}:\n{self.kill()}")

    def written(self) -> str:
        """Return what it has written to stdout, with the ends of its lines as they are."""
        return (self._files / "stdout").read_bytes().decode("utf-8")

    def _wait(self, timeout: float) -> int | None:
        """Return the exit code, None when it still runs after so many seconds."""
        raise NotImplementedError

    def _result(self, code: int) -> Result:
        result = Result(code, self._read("stdout"), self._read("stderr"))
        # Where nothing can be raised, as in __del__, Python writes a warning that is an error to stderr.
        assert "Exception ignored" not in result.err, f"{self._name} raised where nothing can be raised:\n{result}"
        return result

    def _read(self, name: str) -> str:
        file = self._files / name
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


class Forked(Running):
    """A fork of a forkserver: of the one with the machinery, unless the house has its own."""

    def __init__(self, program: Program, *, has_own_machinery: bool) -> None:
        self._process: ForkServerProcess = _context.Process(target=_be, args=(program,), daemon=True)
        server = _without_machinery if has_own_machinery else _with_machinery
        with _looking:
            # multiprocessing knows one server for all: this is where it asks it for a fork.
            setattr(forkserver, "connect_to_new_process", server.connect_to_new_process)  # noqa: B010  # a function
            self._process.start()
        assert self._process.pid is not None
        super().__init__(" ".join(program.arguments), self._process.pid, program.files)

    def _wait(self, timeout: float) -> int | None:
        wait([self._process.sentinel], timeout)
        with _looking:
            return self._process.exitcode


class Started(Running):
    """An interpreter of its own, from its first import on."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path, files: Path) -> None:
        given = files / "stdin"
        given.touch()
        with given.open("rb") as stdin, open(files / "stdout", "wb") as out, open(files / "stderr", "wb") as err:
            self._process = subprocess.Popen(
                command, cwd=cwd, env=dict(environment), stdin=stdin, stdout=out, stderr=err
            )
        super().__init__(" ".join(command), self._process.pid, files)

    def _wait(self, timeout: float) -> int | None:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


def _be(program: Program) -> None:
    """Become `python manage.py ...`: its environment, folder, streams, arguments and exit code, and nothing else."""
    os.environ.clear()
    os.environ.update(program.environment)
    os.chdir(program.cwd)
    _redirect(program.files)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.dont_write_bytecode = True
    sys.path[:] = [place for place in sys.path if place and Path(place) not in _OURS]
    if "project" in sys.modules:
        _move(program.root)
    code = 1
    try:
        if program.file is not None:
            sys.argv = [program.file.name, *program.arguments]
            sys.path.insert(0, str(program.file.parent))
            importlib.invalidate_caches()
            runpy.run_path(str(program.file), run_name="__main__")
        else:
            sys.argv = [program.module, *program.arguments]
            runpy.run_module(program.module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = _exit_code(leaving)
    except KeyboardInterrupt:
        traceback.print_exc()
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter itself does at its end
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code & 0xFF)


def _move(root: Path) -> None:
    """Let the package whose machinery is imported be that of a house; nothing else of it is known yet."""
    package = sys.modules["project"]
    assert {name.split(".")[1] for name in sys.modules if name.startswith("project.")} == {"management"}
    package.__file__ = str(root / "project" / "__init__.py")
    package.__path__[:] = [str(root / "project")]


_OURS = {REPOSITORY, REPOSITORY / "tests", REPOSITORY / "tests" / "management"}


def _redirect(files: Path) -> None:
    streams = (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY | os.O_CREAT), ("stderr", os.O_WRONLY | os.O_CREAT))
    for number, (name, mode) in enumerate(streams):
        opened = os.open(files / name, mode | os.O_APPEND if mode != os.O_RDONLY else mode)
        os.dup2(opened, number)
        os.close(opened)
    # As the interpreter makes them: what is written stays buffered until a flush, stderr until the end of a line.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # it stays open
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # it stays open
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code
    sys.stderr.write(f"{leaving.code}\n")
    return 1
