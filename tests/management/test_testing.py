"""Databases for a person's own tests: cloned, alone, and gone afterwards; each test runs a pytest in the house."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest

from tests.databases import Database
from tests.houses import House, OpenTerminal, Python
from tests.processes import Result

COMMAND = "-m pytest -q -p no:cacheprovider"
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # importing other people's plugins takes longer than all else
TWO_WORKERS = ("-p", "xdist", "-n", "2")
MINE = "CREATE TABLE mine (id INTEGER)"
TOKEN = re.compile(r"manage_test_clone_([0-9a-f]{12})_\w+")
BEGIN = """
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from project.models.student import Student

ROWS = sa.select(sa.func.count()).select_from(Student)


def note(url):
    with open("urls", "a") as file:
        file.write(f"{url}\\n")


def ada():
    return Student(name="Ada Lovelace", email="ada@example.org", grade=5, birthday=date(2015, 12, 10))
"""
EACH = """

@pytest.mark.parametrize("number", range(3))
def test_bare(db_session, db_url, number):
    note(db_url)
    db_session.add(ada())
    db_session.commit()
    assert db_session.scalar(ROWS) == 1


@pytest.mark.seeded(count=30)
@pytest.mark.parametrize("number", range(3))
def test_seeded(db_engine, db_url, number):
    note(db_url)
    with db_engine.begin() as connection:
        assert connection.scalar(ROWS) == 30
        connection.execute(sa.text("DELETE FROM enrollments"))
        connection.execute(sa.delete(Student))


def test_two(db_clone):
    with db_clone(seeded=True, count=30) as one, db_clone() as other:
        other.session().add(ada())
        assert (one.session().scalar(ROWS), other.session().scalar(ROWS)) == (30, 0)
"""
FAILS = """
LEFT = []


def test_fails(db_engine, db_url):
    note(db_url)
    LEFT.append(db_engine.execution_options(begin_immediate=True).connect())
    LEFT[0].execute(sa.insert(Student), {"name": "Ada", "email": "a@b.cd", "grade": 5, "birthday": date(2015, 12, 10)})
    raise AssertionError("as it should")


@pytest.fixture
def broken(db_session):
    raise AssertionError("amid the fixtures")


def test_is_not_begun(broken):
    pass
"""
WAITS = """
import os
import time


@pytest.mark.parametrize("number", range(2))
@pytest.mark.seeded(count=3)
def test_waits(db_session, db_url, number):
    note(db_url)
    os.write(2, b"waiting")
    for _ in range(6000):  # a signal that comes before a long sleep has begun would be heard at its end
        time.sleep(0.1)
"""
VIEW = """

@pytest.mark.seeded(count=30)
def test_view(db_session, db_url):
    note(db_url)
    assert db_session.scalar(sa.text("SELECT count(*) FROM known")) == 30
"""
COUNTED = """
with open({file!r}, "a") as file:
    file.write("x")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the inner runs have their temporary files."""
    made = tmp_path / "temporary"
    made.mkdir()
    return made


@pytest.fixture
def suite(house: House) -> House:
    """A house with tests that use the fixtures."""
    house.write("tests/conftest.py", 'pytest_plugins = ["project.management.testing"]\n')
    return house


def run(python: Python, folder: Path, *options: str, **environment: str | None) -> Result:
    line = f"exec {shlex.quote(sys.executable)} {COMMAND} {' '.join(options)}"
    return python.shell(line, env={"TMPDIR": str(folder), **ALONE, **environment})


def urls(house: House) -> list[str]:
    return house.read("urls").splitlines()


def runs(house: House) -> set[str]:
    """Return what each run has called itself."""
    return {found[1] for url in urls(house) if (found := TOKEN.search(url))}


def left(database: Database, house: House, folder: Path) -> list[str]:
    """Return the databases and folders that are left of the runs."""
    names = {found[0] for file in folder.rglob("*") if (found := TOKEN.match(file.name))}
    if database.file is None:
        listed = "SELECT datname FROM pg_database" if database.kind == "postgresql" else "SHOW DATABASES"
        names = {name for (name,) in database.rows(listed) if (found := TOKEN.match(name)) and found[1] in runs(house)}
    folders = [one.name for one in folder.glob("manage-test-*/*")]
    return sorted([*names, *folders])


@pytest.mark.parametrize("workers", [(), TWO_WORKERS], ids=["one", "xdist"])
def test_each_test_has_a_database_of_its_own_from_a_template_that_is_built_once(
    suite: House, python: Python, database: Database, folder: Path, workers: tuple[str, ...]
) -> None:
    database.execute(MINE)
    built = suite.root / "built"
    suite.add_revision("aaaa00000001", COUNTED.format(file=str(built)))
    suite.write("tests/test_each.py", BEGIN + EACH)

    result = run(python, folder, *workers)

    assert "7 passed" in result.expect(0).out
    assert built.read_text() == "x"
    assert len(set(urls(suite))) == 6
    assert len(runs(suite)) == 1
    assert left(database, suite, folder) == []
    assert database.all_tables() == {"mine"}


def test_what_fails_leaves_nothing(suite: House, python: Python, database: Database, folder: Path) -> None:
    suite.write("tests/test_fails.py", BEGIN + FAILS)

    result = run(python, folder, "-W ignore", PYTHONWARNINGS=None)  # of the connection that is left open on purpose

    assert "1 failed, 1 error" in result.expect(1).out
    assert "as it should" in result.out
    assert left(database, suite, folder) == []


@pytest.mark.parametrize("workers", [(), TWO_WORKERS], ids=["one", "xdist"])
def test_ctrl_c_leaves_nothing(
    suite: House, terminal: OpenTerminal, database: Database, folder: Path, workers: tuple[str, ...]
) -> None:
    suite.write("tests/test_waits.py", BEGIN + WAITS)
    screen = terminal(*COMMAND.split(), "-s", *workers, env={"TMPDIR": str(folder), **ALONE})
    screen.read_until("waiting")

    os.killpg(screen.process.pid, signal.SIGINT)

    ended = screen.wait()
    # It may come while xdist waits for a worker, and Python gives back a lock then that it has not got yet.
    assert ended.code == 2 or (workers and ended.code == 3 and "release unlocked lock" in ended.out)
    assert left(database, suite, folder) == []


def test_what_was_killed_is_dropped_by_the_next_run(
    suite: House, python: Python, terminal: OpenTerminal, database: Database, folder: Path
) -> None:
    suite.write("tests/test_waits.py", BEGIN + WAITS)
    screen = terminal(*COMMAND.split(), "-s", env={"TMPDIR": str(folder), **ALONE})
    screen.read_until("waiting")
    screen.process.send_signal(signal.SIGKILL)
    screen.wait()
    killed = left(database, suite, folder)
    suite.remove("tests/test_waits.py")
    suite.write("tests/test_each.py", BEGIN + EACH)

    result = run(python, folder)

    assert len(killed) == 4  # the migrated and the seeded template, the test's own, and the run's folder
    assert result.code == 0
    assert len(runs(suite)) == 2
    assert left(database, suite, folder) == []


def test_two_runs_at_once_leave_each_other_alone(
    suite: House, python: Python, server_database: Database, folder: Path
) -> None:
    suite.write("tests/test_each.py", BEGIN + EACH)
    begin = f"{shlex.quote(sys.executable)} {COMMAND}"

    line = f"{begin} & first=$!; {begin} & second=$!; wait $first && wait $second"
    result = python.shell(line, env={"TMPDIR": str(folder), **ALONE})

    assert result.expect(0).out.count("7 passed") == 2
    assert len(runs(suite)) == 2
    assert left(server_database, suite, folder) == []


@pytest.mark.parametrize(
    ("url", "environment", "why"),
    [
        ("postgresql://ada@db.example.org/school", {}, "db.example.org is another machine"),
        ("mariadb://ada@127.0.0.1:1/school", {"ENVIRONMENT": "production"}, "ENVIRONMENT is production"),
        ("postgresql://ada@127.0.0.1:1/school_prod", {}, "'school_prod' says production"),
        ("sqlite:///school.db", {"TEST_DATABASE_URL": "mariadb://db.example.org/x"}, "db.example.org is another"),
        ("postgresql://ada@127.0.0.1:1/school", {}, "cannot be reached"),
    ],
    ids=["remote", "production", "name", "remote of the tests", "no server"],
)
def test_what_is_not_for_tests_is_refused_on_one_line(
    suite: House, python: Python, folder: Path, url: str, environment: dict[str, str], why: str
) -> None:
    suite.write("tests/test_each.py", BEGIN + EACH)

    result = run(python, folder, DATABASE_URL=url, **environment)

    assert result.expect(1).out.startswith("EEEEEE")
    assert why in result.out
    assert "Traceback" not in result.out
    assert list(folder.glob("manage-test-*/*")) == []


def test_a_host_that_is_for_development_is_not_refused(suite: House, python: Python, folder: Path) -> None:
    suite.write("tests/test_each.py", BEGIN + EACH)

    result = run(
        python,
        folder,
        DATABASE_URL="postgresql://ada@no.such.host.invalid/school",
        DEVELOPMENT_HOSTS="no.such.host.invalid",
    )

    assert "another machine" not in result.expect(1).out
    assert "there is no host no.such.host.invalid" in result.out


def test_a_server_for_tests_wins_and_a_fixture_over_it(suite: House, python: Python, folder: Path) -> None:
    suite.write("tests/test_url.py", "def test_url(db_url):\n    assert db_url.startswith('sqlite+aiosqlite:////')\n")
    url = {"DATABASE_URL": "postgresql://ada@db.example.org/school"}

    by_variable = run(python, folder, TEST_DATABASE_URL="sqlite+aiosqlite://", **url)
    suite.write(
        "tests/conftest.py",
        "import pytest\n\nfrom project.management.testing import Clones\n\n"
        'pytest_plugins = ["project.management.testing"]\n\n\n'
        '@pytest.fixture(scope="session", params=["sqlite+aiosqlite:///school.db"])\n'
        "def db_server(request):\n    return request.param\n",
    )
    by_fixture = run(python, folder, **url)

    assert by_variable.code == by_fixture.code == 0


def test_a_migration_that_fails_is_told_once_and_not_tried_for_each_test(
    suite: House, python: Python, database: Database, folder: Path
) -> None:
    built = suite.root / "built"
    suite.add_revision("aaaa00000001", COUNTED.format(file=str(built)) + 'raise ValueError("not like this")')
    suite.write("tests/test_each.py", BEGIN + EACH)

    result = run(python, folder)

    assert "1 failed, 6 errors" in result.expect(1).out  # one asks for its own amid the test
    assert "manage.py migrate failed: " in result.out
    assert "not like this" in result.out
    assert built.read_text() == "x"
    assert list(folder.glob("manage-test-*/*")) == []


def test_what_cannot_be_copied_is_built_anew(
    suite: House, python: Python, mariadb_database: Database, folder: Path
) -> None:
    suite.add_revision("aaaa00000001", 'op.execute("CREATE VIEW known AS SELECT name FROM students")')
    suite.write("tests/test_view.py", BEGIN + VIEW)

    result = run(python, folder)

    assert "1 passed" in result.expect(0).out
    assert left(mariadb_database, suite, folder) == []


def test_a_mark_that_says_something_else_is_refused(suite: House, python: Python, folder: Path) -> None:
    suite.write(
        "tests/test_mark.py", "import pytest\n\n\n@pytest.mark.seeded(rows=5)\ndef test_mark(db_url):\n    pass\n"
    )

    result = run(python, folder, DATABASE_URL=None)

    assert "\nseeded takes count, random_seed and locale" in result.expect(1).out
    assert "TypeError" not in result.out
