"""A copy of the project that a test may change, and the ways a person runs things in it."""

from __future__ import annotations

import compileall
import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from tests.processes import DEADLINE, REPOSITORY, Forked, Program, Result, Running, Started

FILES = ("manage.py", "alembic.ini", "pyproject.toml", ".env.example")
FOLDERS = ("project", "migrations")
Environment = Mapping[str, str | None]


def build(root: Path) -> Path:
    """Copy the project, compiled, without tests, databases and anybody's .env."""
    for name in FOLDERS:
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.db", ".*"))
    for name in FILES:
        shutil.copy2(REPOSITORY / name, root / name)
    compileall.compile_dir(root, quiet=2)
    return root


def furnish(root: Path, clean: Path) -> House:
    """Copy a clean house; its machinery, which is most of the files, and what Python compiled are linked.

    Nobody may write into those: whoever changes one writes another, as `House.write` and Python do.
    """
    machinery = str(clean / "project" / "management")

    def linked(source: str, target: str) -> None:
        is_shared = source.startswith(machinery) or source.endswith(".pyc")
        (os.link if is_shared else shutil.copy2)(source, target)

    return House(Path(shutil.copytree(clean, root, copy_function=linked)), clean)


def _machinery(root: Path) -> set[tuple[str, int]]:
    """Return the files of the machinery, which houses share as long as they are the same."""
    folder = root / "project" / "management"
    return {(str(one.relative_to(folder)), one.stat().st_ino) for one in folder.rglob("*.py")}


_clean_machinery = cache(_machinery)


def contents(root: Path) -> dict[str, tuple[int, int]]:
    """Return of each file its size and when it was written, in nanoseconds."""
    return {str(one): (one.stat().st_size, one.stat().st_mtime_ns) for one in root.rglob("*") if one.is_file()}


class House:
    """One copy of the project."""

    def __init__(self, root: Path, clean: Path | None = None) -> None:
        """Take a house as it was built, or copied from a clean one."""
        self.root = root
        self._as_built = _machinery(root) if clean is None else _clean_machinery(clean)

    def has_own_machinery(self) -> bool:
        """Return whether a file of the machinery is another than it was at first."""
        return _machinery(self.root) != self._as_built

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project, making its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        self._forget_compiled(file)
        file.unlink(missing_ok=True)  # other houses may have it too
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def change(self, path: str, old: str, new: str) -> Path:
        """Replace a text that must be in a file exactly once."""
        text = self.read(path)
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
        return self.write(path, text.replace(old, new))

    def remove(self, path: str) -> None:
        self._forget_compiled(self.root / path)
        (self.root / path).unlink()

    def env(self, **values: str) -> Path:
        """Write .env, a variable a line."""
        return self.write(".env", "".join(f"{name}={value}\n" for name, value in values.items()))

    def revisions(self) -> dict[str, Path]:
        """Return the files of the migrations by their revision id."""
        found = sorted((self.root / "migrations" / "versions").glob("*/*.py"))
        return {file.stem.split("_")[2]: file for file in found}

    def line(self) -> list[str]:
        """Return the revision ids from the oldest to the newest, as the files say it."""
        parents: dict[str | None, str] = {}
        for file in self.revisions().values():
            values: dict[str, str | None] = {}
            for line in file.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition(" = ")
                if name.partition(":")[0] in ("revision", "down_revision"):
                    values[name.partition(":")[0]] = None if value == "None" else value.strip("\"'")
            assert values["revision"] is not None
            parents[values["down_revision"]] = values["revision"]
        ordered: list[str] = []
        while (after := parents.get(ordered[-1] if ordered else None)) is not None:
            ordered.append(after)
        return ordered

    def add_revision(
        self, revision: str, upgrade: str, downgrade: str = "pass", *, parent: str | None = "", kind: str = "schema"
    ) -> Path:
        """Write a revision by hand, after the newest one unless a parent is named."""
        parent = self.line()[-1] if parent == "" else parent
        return self.write(
            f"migrations/versions/{kind}/20300101_0000_{revision}_by_hand.py",
            f'"""By hand {revision}"""\n\n'
            "import sqlalchemy as sa\n"
            "from alembic import op\n\n"
            f"revision = {revision!r}\ndown_revision = {parent!r}\nbranch_labels = None\ndepends_on = None\n\n\n"
            f"def upgrade():\n{_indented(upgrade)}\n\n\ndef downgrade():\n{_indented(downgrade)}\n",
        )

    def git(self, *arguments: str) -> None:
        """Run git in the project's folder, as somebody."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", "-C", str(self.root), *who, *arguments], check=True, capture_output=True)  # noqa: S607

    def _forget_compiled(self, file: Path) -> None:
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()


class Runner:
    """Runs one program of the house, each time in a process of its own with an environment of its own."""

    def __init__(self, house: House, url: str | None, module: str = "") -> None:
        self._house = house
        self._url = url
        self._module = module

    def __call__(
        self, *arguments: str, env: Environment | None = None, stdin: str | None = None, cwd: Path | None = None
    ) -> Result:
        """Run it to its end. DATABASE_URL is that of the test's database; `env` adds, or with None takes away."""
        return self.start(*arguments, env=env, stdin=stdin, cwd=cwd).wait()

    def ok(
        self, *arguments: str, env: Environment | None = None, stdin: str | None = None, cwd: Path | None = None
    ) -> Result:
        """Run it to its end and fail the test unless it ends with exit code 0."""
        return self(*arguments, env=env, stdin=stdin, cwd=cwd).expect(0)

    def exact(self, *arguments: str, env: Environment | None = None) -> str:
        """Run it to its end and return what it wrote to stdout, every character as it is."""
        running = self.start(*arguments, env=env)
        running.wait().expect(0)
        return running.written()

    def start(
        self, *arguments: str, env: Environment | None = None, stdin: str | None = None, cwd: Path | None = None
    ) -> Running:
        """Start it and go on."""
        folder, files = cwd or self._house.root, _new_folder(self._house)
        values, manage = environment(self._house, self._url, env), self._house.root / "manage.py"
        (files / "stdin").write_text(stdin or "", encoding="utf-8")
        program = Program(
            arguments, values, folder, self._house.root, files, None if self._module else manage, self._module
        )
        return Forked(program, has_own_machinery=self._house.has_own_machinery())


class Python:
    """Runs the house's manage.py by a real `python`, imports and all: slow, for what only that can show."""

    def __init__(self, house: House, url: str | None) -> None:
        self._house = house
        self._url = url

    def __call__(self, *arguments: str, env: Environment | None = None, flags: tuple[str, ...] = ()) -> Result:
        return self.start(*arguments, env=env, flags=flags).wait()

    def start(self, *arguments: str, env: Environment | None = None, flags: tuple[str, ...] = ()) -> Started:
        return Started(
            [sys.executable, *flags, "manage.py", *arguments],
            environment(self._house, self._url, env),
            self._house.root,
            _new_folder(self._house),
        )

    def shell(self, line: str, *, env: Environment | None = None) -> Result:
        """Run a line of sh in which `python manage.py` is `$MANAGE`."""
        values = {"MANAGE": f"{sys.executable} manage.py", **(env or {})}
        return Started(
            ["/bin/sh", "-c", line],
            environment(self._house, self._url, values),
            self._house.root,
            _new_folder(self._house),
        ).wait()


class Terminal:
    """A real `python manage.py` with a person's terminal around it: read what it shows, type an answer."""

    def __init__(self, house: House, url: str | None, arguments: tuple[str, ...], env: Environment | None) -> None:
        self._screen, inner = pty.openpty()
        self._seen = b""
        command = [sys.executable, *(arguments if arguments[:1] == ("-m",) else ("manage.py", *arguments))]
        self.process = subprocess.Popen(
            command,
            cwd=house.root,
            env=environment(house, url, {"TERM": "xterm", **(env or {})}),
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=_hear_interrupts,
        )
        os.close(inner)

    @property
    def seen(self) -> str:
        """What the screen has shown so far."""
        return self._seen.decode("utf-8", "replace").replace("\r\n", "\n")

    def read_until(self, text: str) -> str:
        """Wait for a text; return all that was seen."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.seen:
            assert self._read(deadline), f"the screen never showed {text!r}, but:\n{self.seen}"
        return self.seen

    def type(self, text: str) -> None:
        """Type a line and Enter."""
        os.write(self._screen, f"{text}\n".encode())

    def press(self, keys: bytes) -> None:
        """Press keys, as in b"\\x04" for Ctrl-D."""
        os.write(self._screen, keys)

    def interrupt(self) -> None:
        """What a terminal does on Ctrl-C; again, as a person would, when Python was about to read and missed it."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < deadline:
            os.killpg(self.process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)

    def wait(self) -> Result:
        """Wait for the end; stdout and stderr are one screen."""
        deadline = time.monotonic() + DEADLINE
        while self._read(deadline):
            pass
        return Result(self.process.wait(DEADLINE), self.seen, "")

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)
        os.close(self._screen)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing happened any more, after:\n{self.seen}"
        try:
            read = os.read(self._screen, 65536)
        except OSError:  # Linux says EIO when the other end is closed
            return False
        self._seen += read
        return bool(read)


def _hear_interrupts() -> None:
    """Undo what a shell does to whatever it runs in the background: on a terminal Ctrl-C is heard."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


OpenTerminal = Callable[..., Terminal]


def environment(house: House, url: str | None, changes: Environment | None) -> dict[str, str]:
    """Return a clean environment: nothing of the machine's that a person's project would notice."""
    home = house.root.parent / "home"
    home.mkdir(exist_ok=True)
    values: dict[str, str | None] = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "error",
        "DATABASE_URL": url,
        **(changes or {}),
    }
    return {name: value for name, value in values.items() if value is not None}


def _new_folder(house: House) -> Path:
    runs = house.root.parent / "runs"
    runs.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(dir=runs))


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines())
