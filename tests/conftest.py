"""Fixtures: a fresh database on each of the three kinds, a copy of the project, and the ways to run it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, SERVERS, Database, fresh, spares
from tests.houses import Environment, House, OpenTerminal, Python, Runner, Terminal, build, contents, furnish

pytest_plugins = ["project.management.testing"]

_DATABASES = ("database", "sqlite_database", "server_database", "postgresql_database", "mariadb_database")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` is: one more than there are cores, for some always wait for a server."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish() -> None:
    """Drop the databases that were kept from test to test."""
    if spares.cache_info().currsize:
        spares().drop()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that is there and empty (on SQLite: a path without a file), on each of the three in turn."""
    with fresh(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A path for an SQLite file, for what cannot differ between databases."""
    with fresh("sqlite", tmp_path) as made:
        yield made


@pytest.fixture(params=SERVERS)
def server_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database on each of the two servers."""
    with fresh(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def postgresql_database(tmp_path: Path) -> Iterator[Database]:
    with fresh("postgresql", tmp_path) as made:
        yield made


@pytest.fixture
def mariadb_database(tmp_path: Path) -> Iterator[Database]:
    with fresh("mariadb", tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def _clean_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    house = build(tmp_path_factory.mktemp("house"))
    before = contents(house)
    yield house
    assert contents(house) == before, "a test has written into a file that other tests have too"


@pytest.fixture
def house(_clean_house: Path, tmp_path: Path) -> House:
    """A copy of the project, as it is after cloning, that the test may change."""
    return furnish(tmp_path / "house", _clean_house)


@pytest.fixture
def manage(request: pytest.FixtureRequest, house: House) -> Runner:
    """Run `python manage.py ...` in the house, with DATABASE_URL of the test's database when it has one."""
    return Runner(house, _url(request))


@pytest.fixture
def alembic(request: pytest.FixtureRequest, house: House) -> Runner:
    """Run plain `alembic ...` in the house."""
    return Runner(house, _url(request), module="alembic")


@pytest.fixture(scope="session")
def _migrated_file(_clean_house: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every migration applied, for tests to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    Runner(furnish(folder / "house", _clean_house), f"sqlite:///{folder / 'migrated.db'}").ok("migrate")
    return folder / "migrated.db"


@pytest.fixture
def migrated(request: pytest.FixtureRequest, database: Database, manage: Runner) -> Database:
    """The database of this test, on each of the three kinds, with every migration applied."""
    if database.file is None:
        manage.ok("migrate")
    else:
        shutil.copyfile(request.getfixturevalue("_migrated_file"), database.file)
    return database


@pytest.fixture
def python(request: pytest.FixtureRequest, house: House) -> Python:
    """Run manage.py by a new interpreter, for what happens while it starts."""
    return Python(house, _url(request))


@pytest.fixture
def terminal(request: pytest.FixtureRequest, house: House) -> Iterator[OpenTerminal]:
    """Open `python manage.py ...` on a terminal (`-m alembic ...` too)."""
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, env: Environment | None = None) -> Terminal:
        opened.append(Terminal(house, _url(request), arguments, env))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


def _url(request: pytest.FixtureRequest) -> str | None:
    asked = [name for name in _DATABASES if name in request.fixturenames]
    assert len(asked) <= 1, f"a test has one database, not {asked}"
    if not asked:
        return None
    made: Database = request.getfixturevalue(asked[0])
    return made.url
