"""The tests' own ground: databases that are fresh and go away, processes that know nothing of each other."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.databases import PREFIX, Database, fresh, spares
from tests.houses import House, OpenTerminal, Python, Runner

SHOW_WORLD = '''"""Show what this process knows."""

import os
import sys


def handle(project):
    print(sorted(os.environ), os.getcwd(), sys.path[0], sys.stdin.read(), file=sys.stderr)
    sys.exit(int(os.environ.get("LEAVE", "0")))
'''
SHOW_MODEL = '''"""Show where a model comes from."""

from project.models import student


def handle(project):
    print(student.__file__, student.Student(id=1, name="Ada", grade=2))
'''
WARN = '''"""Warn."""

import warnings


def handle(project):
    warnings.warn("careful")
'''
LEAK = '''"""Leave a file open."""


def handle(project):
    open(__file__)
'''
WAIT = '''"""Wait until somebody ends this."""

import time


def handle(project):
    print("waiting", flush=True)
    time.sleep(600)
'''


def test_a_database_is_empty_and_has_a_name_of_its_own(database: Database) -> None:
    assert database.name.startswith(PREFIX)
    assert database.all_tables() == set()
    database.execute("CREATE TABLE here (id INTEGER)")
    assert database.tables() == {"here"}


def test_a_database_is_gone_after_its_test(server_database: Database, tmp_path: Path) -> None:
    with fresh(server_database.kind, tmp_path) as other:
        other.execute("CREATE TABLE here (id INTEGER)")

    spares().drop()  # as at the end of all tests
    listed = "SELECT datname FROM pg_database" if server_database.kind == "postgresql" else "SHOW DATABASES"
    names = {name for (name,) in server_database.rows(listed)}
    assert server_database.name in names
    assert other.name not in names


MADE = {
    "tables": "CREATE TABLE one (id serial PRIMARY KEY); CREATE TABLE two (id int REFERENCES one)",
    "views": "CREATE VIEW one AS SELECT 1 AS id; CREATE MATERIALIZED VIEW two AS SELECT * FROM one",
    "types": "CREATE TYPE kind AS ENUM ('a'); CREATE DOMAIN even AS int; CREATE TYPE pair AS (a int, b text)",
    "functions": "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "schemas": "CREATE SCHEMA other; CREATE TABLE other.one (id int)",
    "casts": "CREATE CAST (text AS integer) WITH INOUT",
    "operators": "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
}


@pytest.mark.parametrize("statements", MADE.values(), ids=MADE)
def test_what_a_test_made_is_not_there_for_the_next(tmp_path: Path, statements: str) -> None:
    for _ in range(2):
        with fresh("postgresql", tmp_path) as made:
            made.execute(*statements.split("; "))


def test_what_a_test_said_of_its_database_is_not_true_of_the_next(tmp_path: Path) -> None:
    about = "SELECT datconnlimit, datacl, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name"
    with fresh("postgresql", tmp_path) as made:
        as_new = made.rows(about, name=made.name), made.value("SHOW lock_timeout")
    for change in (
        "COMMENT ON DATABASE {} IS 'mine'",
        "ALTER DATABASE {} SET lock_timeout = '7s'",
        "ALTER DATABASE {} CONNECTION LIMIT 7",
        "REVOKE ALL ON DATABASE {} FROM PUBLIC",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
    ):
        with fresh("postgresql", tmp_path) as made:
            made.execute(change.format(made.name))
        with fresh("postgresql", tmp_path) as made:
            assert (made.rows(about, name=made.name), made.value("SHOW lock_timeout")) == as_new
            assert not made.value("SELECT nspacl::text LIKE '%=UC/%,=UC/%' FROM pg_namespace WHERE nspname = 'public'")


def test_a_process_has_a_clean_environment(
    manage: Runner, house: House, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("NO_COLOR", "1")
    house.write("project/commands/world.py", SHOW_WORLD)

    result = manage("world", stdin="typed", env={"LEAVE": "7", "DATABASE_URL": None})

    assert result.code == 7
    assert "'ENVIRONMENT'" not in result.err
    assert "'NO_COLOR'" not in result.err
    assert "'DATABASE_URL'" not in result.err
    assert result.err.rstrip().endswith(f"{house.root} {house.root} typed")


def test_a_process_runs_the_house_it_is_in(manage: Runner, house: House, sqlite_database: Database) -> None:
    house.change("project/models/student.py", 'return f"Student', 'return f"Pupil')
    house.write("project/commands/name.py", SHOW_MODEL)

    result = manage("name")

    assert result.out == f"{house.root}/project/models/student.py Pupil 1: Ada, Grade 2\n"


def test_a_warning_is_an_error_in_a_process_too(manage: Runner, python: Python, house: House) -> None:
    house.write("project/commands/warn.py", WARN)
    house.write("project/commands/leak.py", LEAK)

    for run in (manage, python):
        assert "UserWarning: careful" in run("warn").expect(1).err
        with pytest.raises(AssertionError, match="ResourceWarning"):
            run("leak")


def test_processes_are_started_waited_for_and_ended(manage: Runner, house: House, sqlite_database: Database) -> None:
    house.write("project/commands/wait.py", WAIT)
    first, second = manage.start("wait"), manage.start("wait")
    first.wait_for("waiting")
    second.wait_for("waiting")

    killed = first.kill()
    second.send(signal.SIGTERM)

    assert killed.code == -signal.SIGKILL
    assert second.wait().code == 143
    assert first.pid != second.pid


def test_plain_alembic_runs_in_the_house(alembic: Runner, sqlite_database: Database) -> None:
    result = alembic("heads")

    assert result.code == 0
    assert "(head)" in result.out


def test_a_terminal_asks_and_is_answered(manage: Runner, terminal: OpenTerminal, sqlite_database: Database) -> None:
    manage.ok("migrate")
    screen = terminal("rollback")

    screen.read_until("to go on: ")
    screen.type("no")

    assert screen.wait().code == 1
