"""Databases for tests: pytest fixtures that give each test a migrated, seeded one of its own, cloned in milliseconds.

In tests/conftest.py: `pytest_plugins = ["project.management.testing"]`. A test then asks for `db_session`, `db_engine`
or `db_url`; `@pytest.mark.seeded(count=50)` puts rows in, and `db_clone` makes as many databases as one wants.

No database is touched that was there before. Those that are made have names of their own, on the server of
TEST_DATABASE_URL, or else of DATABASE_URL, if that is this machine or one of DEVELOPMENT_HOSTS; SQLite's are files in
the run's folder. On that folder each process of a run holds a lock, which dies with it: the last one out drops all
that has the run's name, and what a killed run left the next one drops.

PYTEST_DONT_REWRITE (it holds no assertions, and conftest.py may import it, for its types, before pytest does)
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cached_property
from itertools import count as numbers
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import fingerprint, guard
from .backends import moved
from .backends.copies import CannotCopy, Copies, digest
from .console import Console
from .env_file import Value, Variables
from .errors import CommandError
from .fingerprint import Wanted
from .outcomes import LOCALE
from .project import Project

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # looked at before it is used

PREFIX = "manage_test_clone_"  # with this the name of every database begins that is made or dropped here
PACKAGE, ROOT = __name__.partition(".")[0], Path(__file__).resolve().parents[2]
SOURCE = "for tests"  # where a URL comes from, in messages
DROPS = 8  # databases that are being dropped while the tests go on
PATIENCE = 10  # seconds to wait for those who are in a database that is to be dropped
BARE = Wanted(seeded=False, count=None, random_seed=1, locale=LOCALE)
MARK = "seeded(count=None, random_seed=1, locale='en_US'): put rows into the test's database, as manage.py seed does"
_RUN: pytest.StashKey[Run] = pytest.StashKey()
_FOLDER, _SERVERS = "manage_test_folder", "manage_test_servers"  # what the processes of a run tell each other


# What tests ask for


@pytest.fixture(scope="session")
def db_server() -> str:
    """A URL of the server on which databases are made; a fixture of this name in one's own conftest.py says another."""
    with _told():
        return _server(_project().variables)


@pytest.fixture(scope="session")
def db_clone(pytestconfig: pytest.Config, db_server: str) -> Iterator[Clones]:
    """Makes databases, for fixtures of any scope: `with db_clone(seeded=True, count=50) as clone:`."""
    with _told():
        clones = Clones(pytestconfig.stash[_RUN], db_server)
    with closing(clones):
        yield clones


@pytest.fixture
def db_url(_db: Clone) -> str:
    """The URL of this test's own database."""
    return _db.url


@pytest.fixture
def db_engine(_db: Clone) -> sa.Engine:
    """An engine of this test's own database."""
    return _db.engine


@pytest.fixture
def db_session(_db: Clone) -> Session:
    """A session on this test's own database, which may commit."""
    return _db.session()


@pytest.fixture
def _db(request: pytest.FixtureRequest, db_clone: Clones) -> Iterator[Clone]:
    mark: pytest.Mark | None = request.node.get_closest_marker("seeded")
    if mark and (mark.args or mark.kwargs.keys() - {"count", "random_seed", "locale"}):
        pytest.fail("seeded takes count, random_seed and locale, as in @pytest.mark.seeded(count=50)", pytrace=False)
    with db_clone(seeded=mark is not None, **(mark.kwargs if mark else {})) as clone:
        yield clone


class Clone:
    """A database for one test."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._sessions = ExitStack()

    @property
    def url(self) -> str:
        """Its URL as DATABASE_URL would have it, with the password."""
        return self._project.settings.database_url

    @cached_property
    def engine(self) -> sa.Engine:
        """An engine as the commands have it: without a pool, on SQLite with foreign keys enforced."""
        engine = self._project.backend.engine()
        engine.hide_parameters = False  # a test that fails shall say why
        return engine

    def session(self, **options: Any) -> Session:
        """Return a new session on it, which is closed with it if not before."""
        return self._sessions.enter_context(Session(self.engine, **options))

    def close(self) -> None:
        self._sessions.close()


class Clones:
    """Makes databases on a server: each a copy of a template, which is built once in a run."""

    def __init__(self, run: Run, url: str) -> None:
        self._run = run
        self._url = url
        self._variables = _project().variables
        self._templates: dict[Wanted, Project] = {}
        self._failed: dict[Wanted, CommandError] = {}
        self._sessions = ExitStack()
        self._drops: deque[Thread] = deque()
        self._numbers = numbers(1)
        self._refuse()

    def _refuse(self) -> None:
        """Refuse production and other machines, before there is any connection."""
        what = "a database for tests"
        guard.before_connecting(_project(self._with_url(PREFIX)), what)
        name = sa.make_url(self._url).database or ""
        if guard.names_production(name):
            raise CommandError(
                f"{what} is refused: {name!r} says production", "set TEST_DATABASE_URL to a server that is for tests"
            )

    @contextmanager
    def __call__(
        self, *, seeded: bool = False, count: int | None = None, random_seed: int = 1, locale: str = LOCALE
    ) -> Iterator[Clone]:
        """Give a database with every migration applied, and drop it afterwards.

        Args:
            seeded: whether its tables are filled, as `manage.py seed` does with the other options.
        """
        wanted = Wanted(True, count, random_seed, locale) if seeded else BARE
        with _told(), self._cut_when_broken():
            template = self._template(wanted)
            made = self._at(f"{self._run.prefix}{self._run.worker}_{next(self._numbers)}")
            made.backend.waiting.limit(PATIENCE, "")
            self._copy(template, made, wanted)
        try:
            with closing(Clone(made)) as clone:
                yield clone
        finally:
            self._drop_behind(made)

    def close(self) -> None:
        """Wait until what was made is dropped, and end the sessions on the server."""
        while self._drops:
            self._drops.popleft().join()
        self._cut()

    def _cut(self) -> None:
        """End the sessions on the server; who asks for another database begins new ones."""
        self._templates.clear()
        self._sessions.close()

    @contextmanager
    def _cut_when_broken(self) -> Iterator[None]:
        """End the sessions after an error, or a timeout of the test, that may have come amid a statement."""
        try:
            yield
        except BaseException:
            self._cut()
            raise

    def _drop_behind(self, made: Project) -> None:
        """Drop a database while the tests go on: PostgreSQL waits with each for a checkpoint, which several share."""
        thread = Thread(target=_drop, args=(made,), daemon=True)
        thread.start()
        self._drops.append(thread)
        if len(self._drops) > DROPS:
            self._drops.popleft().join()

    def _template(self, wanted: Wanted) -> Project:
        """Return a template; the first process of the run that wants it has built it."""
        if wanted in self._failed:  # a thousand tests need not wait for that
            raise self._failed[wanted]
        if wanted not in self._templates:
            try:
                self._templates[wanted] = self._built(wanted)
            except CommandError as error:
                self._failed[wanted] = error
                raise
        return self._templates[wanted]

    def _built(self, wanted: Wanted) -> Project:
        key = digest(self._url + fingerprint.of(self._at(PREFIX), None, wanted))
        template = self._at(f"{self._run.prefix}{key}")
        copies = template.backend.copies
        template.backend.waiting.limit(PATIENCE, "")
        with template.explained():
            self._sessions.enter_context(copies.held())
            self._run.uses(copies, self._url)
            with self._run.locked(key) as done:
                if not done.exists():
                    copies.drop(template.backend.database)  # what one that was killed has built of it
                    self._build(template, wanted)
                    done.touch()
        return template

    def _build(self, target: Project, wanted: Wanted) -> None:
        if not wanted.seeded:
            self._manage(target, "migrate", "--create-database")
            return
        self._copy(self._template(BARE), target, BARE)
        rows = [] if wanted.count is None else [f"--count={wanted.count}"]
        self._manage(target, "seed", *rows, f"--random-seed={wanted.random_seed}", f"--locale={wanted.locale}")

    def _copy(self, template: Project, target: Project, wanted: Wanted) -> None:
        """Copy a template; where the database has what cannot be copied, build it anew."""
        copies, name = template.backend.copies, target.backend.database
        with template.explained():
            try:
                copies.clone(name)
            except CannotCopy:
                copies.drop(name)
                self._build(target, wanted)

    def _manage(self, target: Project, *arguments: str) -> None:
        """Run manage.py in a process of its own, where nothing is as a test may have changed it."""
        given = {"DATABASE_URL": target.settings.database_url, "ENVIRONMENT": "test"}
        done = subprocess.run(  # noqa: S603  # ours
            [sys.executable, str(ROOT / "manage.py"), *arguments, "--verbosity=0"],
            cwd=ROOT,
            env={**self._run.environment, **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip().removeprefix("manage.py: ")
            raise CommandError(f"no database for tests, for manage.py {arguments[0]} failed: {words}")

    def _at(self, name: str) -> Project:
        """Return the project with a database of that name in the place of its own."""
        return _project(self._with_url(name).but({"ENVIRONMENT": Value("test", SOURCE)}))

    def _with_url(self, name: str) -> Variables:
        url = moved(self._url, name, self._run.folder, source=SOURCE)
        return self._variables.but({"DATABASE_URL": Value(url, SOURCE)})


# A run of pytest and its processes


class Run:
    """What a process knows of the run it is a part of."""

    def __init__(self, folder: Path | None, worker: str) -> None:
        self.worker = worker
        self.environment = dict(os.environ)  # before a test has changed it
        self.servers: dict[str, str] = {}  # a URL of each on which there may be databases of the run
        self._given = folder
        self._held: tuple[Path, Lock] | None = None

    @property
    def folder(self) -> Path:
        """The run's own folder, made when it is first asked for, and locked as long as this process lives."""
        while self._held is None:
            folder = self._given or _home() / uuid.uuid4().hex[:12]
            folder.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError), ExitStack() as stack:
                lock = stack.enter_context(closing(Lock(folder)))
                lock.take(shared=True)
                folder.stat()  # it is gone where somebody took it, before it was locked, for one that was left
                self._held = folder, lock
                stack.pop_all()
        return self._held[0]

    @property
    def prefix(self) -> str:
        """What the names of the run's databases begin with."""
        return _prefix(self.folder)

    @contextmanager
    def locked(self, key: str) -> Iterator[Path]:
        """Let one process of the run after the other do something; give the file that is there when it is done."""
        file = self.folder / f"{key}.lock"
        file.touch()
        with closing(Lock(file)) as lock:
            lock.take()
            yield file.with_suffix(".done")

    def uses(self, copies: Copies, url: str) -> None:
        """Write down that databases will be on a server; drop what runs that are over have left there."""
        known = {}
        if copies.server:
            known[copies.server] = copies
            self.servers[copies.server] = url
            _marker(self.folder, copies.server).touch()
        for other in self.folder.parent.iterdir() if fcntl is not None else ():
            if other != self.folder:
                with suppress(OSError), closing(Lock(other)) as lock:  # another run is just removing it
                    if lock.take(wait=False):
                        _remove(other, known)

    def leave(self) -> None:
        """Drop all that the run has made, if this is the last of its processes."""
        if self._held is None:
            return
        folder, lock = self._held
        with closing(lock), suppress(CommandError, sa.exc.SQLAlchemyError):  # what stays, the next run drops
            if lock.take(wait=False):
                _remove(folder, self._known(folder) if _markers(folder) else {})
        self._held = None

    def _known(self, folder: Path) -> dict[str, Copies]:
        """Return the servers with databases of the run, by what stands for each."""
        variables = _project().variables
        known = {}
        for url in set(self.servers.values()) or {_server(variables)}:  # an interrupted worker could not tell
            given = Value(moved(url, PREFIX, folder, source=SOURCE), SOURCE)
            backend = _project(variables.but({"DATABASE_URL": given})).backend
            backend.waiting.limit(PATIENCE, "")
            known[backend.copies.server] = backend.copies
        return known


class Lock:
    """A lock on a file or a folder that dies with its process; where there are none, everybody gets it."""

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDONLY) if fcntl is not None else None

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Return whether it was free, or has become so."""
        if self._number is None:
            return True
        try:
            fcntl.flock(self._number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        if self._number is not None:
            fcntl.flock(self._number, fcntl.LOCK_UN)  # a fork of this process, which a test left, would hold it
            os.close(self._number)


def _drop(made: Project) -> None:
    with suppress(CommandError, sa.exc.SQLAlchemyError):  # what stays, the end of the run drops
        made.backend.copies.drop(made.backend.database)


def _home() -> Path:
    """Return the folder with those of all runs; nobody else can write there."""
    user = getattr(os, "getuid", lambda: 0)()
    home = Path(tempfile.gettempdir(), f"manage-test-{user}")
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if os.name == "posix" and (not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077):
        raise CommandError(f"{home} is somebody else's, or open to others", "remove it, or set TMPDIR")
    return home


def _remove(folder: Path, known: Mapping[str, Copies]) -> None:
    """Drop what a run has on the servers that are known, then its folder, if there are no others."""
    for server, copies in known.items():
        if (marker := _marker(folder, server)).exists():
            for name in copies.beginning(_prefix(folder)):
                copies.drop(name)
            marker.unlink()
    if not _markers(folder):
        shutil.rmtree(folder)


def _marker(folder: Path, server: str) -> Path:
    return folder / f"{server}.server"


def _markers(folder: Path) -> list[Path]:
    return list(folder.glob("*.server"))


def _prefix(folder: Path) -> str:
    return f"{PREFIX}{folder.name}_"


def _project(variables: Variables | None = None) -> Project:
    project = Project(PACKAGE, ROOT, console=Console(verbosity=0))
    if variables is not None:
        project.variables = variables
    return project


def _server(variables: Variables) -> str:
    return variables.given("TEST_DATABASE_URL", "DATABASE_URL") or "sqlite://"


@contextmanager
def _told() -> Iterator[None]:
    """Let a test fail with the one line of what stops it."""
    try:
        yield
    except CommandError as error:
        pytest.fail(str(error), pytrace=False)


# What pytest calls


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    given = getattr(config, "workerinput", {})  # of a worker of pytest-xdist
    folder = Path(given[_FOLDER]) if _FOLDER in given and fcntl is not None else None
    config.stash[_RUN] = Run(folder, given.get("workerid", "main"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which run it is a part of: https://pytest-xdist.readthedocs.io/en/stable/how-to.html"""
    try:
        node.workerinput[_FOLDER] = str(node.config.stash[_RUN].folder)
    except CommandError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Learn from a worker which servers it has used: the process that started it is the last one out."""
    node.config.stash[_RUN].servers.update(getattr(node, "workeroutput", {}).get(_SERVERS, {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_SERVERS] = session.config.stash[_RUN].servers


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_RUN].leave()
