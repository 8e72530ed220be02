"""What somebody else holds: who waits says for whom, on one line, gives up in time, and goes on when it is free."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import Database
from tests.houses import House, Python, Runner
from tests.management.test_concurrency import BLOCK, WAITS, counts
from tests.management.test_reset import put_in_ada

SOME = 5 * BLOCK
LOCKERS = [("migrate",), ("rollback", "--no-input"), ("seed",), ("reset", "--no-input")]
ADDS = 'op.add_column("students", sa.Column("note", sa.String(5)))'
# A data migration that says so when it has changed rows, and goes on when a file is there.
CHANGES = """\
import os
import sys
import time
from pathlib import Path
op.execute("UPDATE subjects SET lowest_grade = lowest_grade + 1")
sys.stderr.write("half-way\\n")
sys.stderr.flush()
while not Path(os.environ["SIGN"]).exists():
    time.sleep(0.01)
op.execute("UPDATE subjects SET lowest_grade = lowest_grade - 1")
"""


@pytest.fixture
def sign(tmp_path: Path) -> Iterator[Path]:
    """The file that the processes of a test wait for; nobody waits longer than the test, failed or not."""
    file = tmp_path / "sign"
    yield file
    file.touch()


def whom(database: Database, pid: int) -> str:
    """Return what is said of another manage.py that seeds."""
    if database.kind == "sqlite":
        return f"process {pid} (manage.py seed)"
    return "session [0-9]+ of " + (
        r"postgres \(manage.py seed, 127.0.0.1\)" if database.kind == "postgresql" else "root@"
    )


def session_of(connection: sa.Connection) -> str:
    """Return what is said of a session of the test's own."""
    query = "pg_backend_pid()" if connection.dialect.name == "postgresql" else "CONNECTION_ID()"
    return f"session {connection.exec_driver_sql(f'SELECT {query}').scalar()} of "


@contextmanager
def beside(database: Database, *statements: str) -> Iterator[sqlite3.Connection]:
    """Run statements in another program, as far as SQLite can tell, and keep what they have locked."""
    assert database.file is not None
    with closing(sqlite3.connect(database.file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()
        yield connection


def cut_everybody(database: Database, name: str = "") -> None:
    """Cut every connection to the database but this one, or to another of this name."""
    given = {"name": name or database.name}
    with database.connect() as connection:
        if database.kind == "postgresql":
            query = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = :name AND pid <> pg_backend_pid()"
            )
            assert connection.execute(sa.text(query), given).all()
            return
        query = "SELECT id FROM information_schema.processlist WHERE db = :name AND id <> CONNECTION_ID() ORDER BY id"
        numbers = connection.scalars(sa.text(query), given).all()
        assert numbers
        for number in numbers:
            connection.exec_driver_sql(f"KILL {number}")


# Other processes of this project


def test_every_command_names_the_holder_gives_up_and_finds_the_lock_free_when_it_is_killed(
    house: House, manage: Runner, python: Python, migrated: Database, sign: Path
) -> None:
    house.write("project/seeds/students.py", WAITS)
    holder = python.start("seed", "students", "--count", str(SOME), env={"SIGN": str(sign)})
    holder.wait_for("half-way")
    name = whom(migrated, holder.pid) if migrated.kind != "sqlite" else re.escape(whom(migrated, holder.pid))

    waiting = [manage.start(*command, "--lock-timeout", "5") for command in LOCKERS]
    results = [one.wait().expect(1) for one in waiting]
    at_once = manage("seed", "--lock-timeout", "1").refusal()

    for one in results:
        *before, said, line = one.err.splitlines()
        assert re.search(rf"^waiting for {name}.*, which ", said), one
        assert re.search(rf"^manage.py: gave up after 5 s: {name}.*--lock-timeout SECONDS waits longer$", line), one
        assert not [text for text in before if "waiting" in text]
    assert re.match(f"gave up after 1 s: {name}", at_once)
    holder.kill()
    assert manage.ok("seed", "--count", "40").err == ""
    assert counts(migrated) == (40, 14, 40)


def test_plain_alembic_waits_in_the_same_way(
    house: House, alembic: Runner, manage: Runner, migrated: Database, sign: Path
) -> None:
    house.write("project/seeds/students.py", WAITS)
    holder = manage.start("seed", "students", "--count", str(SOME), env={"SIGN": str(sign)})
    holder.wait_for("half-way")

    result = alembic("-x", "lock-timeout=0", "upgrade", "head")
    wrong = alembic("-x", "lock-timeout=soon", "upgrade", "head")

    [line] = (result.out + result.err).splitlines()
    assert re.match(r"FAILED: (process|session) \d+ .* — let it finish.*; -x lock-timeout=SECONDS waits longer$", line)
    assert "FAILED: lock-timeout: 'soon' is not a whole number of seconds" in wrong.out + wrong.err
    assert 0 not in (result.code, wrong.code)


def test_plain_alembic_that_waits_is_interrupted_in_the_same_way(
    house: House, alembic: Runner, manage: Runner, migrated: Database, sign: Path
) -> None:
    house.write("project/seeds/students.py", WAITS)
    holder = manage.start("seed", "students", "--count", str(SOME), env={"SIGN": str(sign)})
    holder.wait_for("half-way")
    waiting = alembic.start("upgrade", "head")
    waiting.wait_for("waiting for")

    waiting.send(signal.SIGINT)

    told, line = waiting.wait().expect(130).err.splitlines()
    assert told.startswith("waiting for ")
    assert line == "FAILED: interrupted"


def test_a_lock_timeout_that_is_no_number_of_seconds_is_wrong_usage(manage: Runner) -> None:
    wrong = [("seed", value) for value in ("-1", "1.5", "86401", "９", "")]

    for command, value in [*wrong, *((command[0], "soon") for command in LOCKERS)]:
        line = manage(command, f"--lock-timeout={value}").refusal(2)

        assert "--lock-timeout" in line
        assert "is not a whole number of seconds from 0 to 86,400" in line


# Other programs at an SQLite file


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_whoever_writes_an_sqlite_file_is_named(manage: Runner, sqlite_database: Database, mode: str) -> None:
    manage.ok("migrate")
    with beside(sqlite_database, f"BEGIN {mode}"):
        lines = [manage(*command, "--lock-timeout", "0").expect(1).err.splitlines()[-1] for command in LOCKERS[1:]]

    for line in lines:
        assert re.match(rf"manage.py: process {os.getpid()} \(.+\) is writing {sqlite_database.name} — ", line)


def test_whoever_writes_in_wal_mode_is_named(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    with beside(sqlite_database, "PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"):
        line = manage("seed", "--lock-timeout", "0").refusal()

    assert re.match(rf"process {os.getpid()} \(.+\) is writing {sqlite_database.name} — ", line)


def test_a_reader_that_stays_is_named_and_nothing_of_the_migration_stays(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    head = house.line()[-1]
    house.add_revision("aaa111", ADDS, 'op.drop_column("students", "note")')
    with beside(sqlite_database, "BEGIN", "SELECT * FROM students"):
        line = manage("migrate", "--lock-timeout", "0").refusal()

    assert re.match(rf"process {os.getpid()} \(.+\) is reading {sqlite_database.name}. Nothing stays of 1 rev", line)
    assert sqlite_database.revision() == head
    manage.ok("migrate")
    assert sqlite_database.revision() == "aaa111"


def test_a_migration_waits_for_a_reader_and_then_is_kept(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    house.add_revision("aaa111", ADDS, 'op.drop_column("students", "note")')
    with beside(sqlite_database, "BEGIN", "SELECT * FROM students"):
        running = manage.start("migrate")
        running.wait_for(f"waiting for process {os.getpid()} (")

    assert len(running.wait().expect(0).err.splitlines()) == 1
    assert sqlite_database.revision() == "aaa111"


def test_a_reader_does_not_slow_a_large_seeding_down_and_gets_all_or_nothing(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    with beside(sqlite_database, "BEGIN", "SELECT * FROM students") as reader:
        line = manage("seed", "students", "--count", str(SOME), "--lock-timeout", "0").refusal()

        assert "is reading" in line
        assert reader.execute("SELECT count(*) FROM students").fetchone() == (0,)
    assert counts(sqlite_database) == (0, 14, 0)


def test_a_reader_keeps_nobody_who_has_nothing_to_write(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "30")
    with beside(sqlite_database, "BEGIN", "SELECT * FROM students"):
        assert "Nothing to do" in manage.ok("migrate", "--lock-timeout", "0").out
        assert manage.ok("seed", "--count", "30", "--lock-timeout", "0").out.count("nothing to add") == 2


def test_tables_seeded_anew_are_told_only_when_they_are_kept(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "30")
    with beside(sqlite_database, "BEGIN", "SELECT * FROM students"):
        result = manage("seed", "--fresh", "--no-input", "--count", "20", "--lock-timeout", "0").expect(1)

    assert "students" not in result.out
    assert counts(sqlite_database) == (30, 14, 30)


# Open transactions on a server


def test_a_change_of_a_table_names_the_open_transaction_in_its_way_and_goes_on_after_it(
    house: House, manage: Runner, server_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "students")
    house.add_revision("aaa111", ADDS, 'op.drop_column("students", "note")')
    with server_database.connect() as connection:
        connection.execute(sa.text("UPDATE students SET grade = 1"))
        name = session_of(connection)

        given_up = manage.start("migrate", "--lock-timeout", "5").wait().expect(1)
        patient = manage.start("migrate")
        patient.wait_for(f"waiting for {name}")

    said, line = given_up.err.splitlines()
    assert said.startswith(f"waiting for {name}")
    assert f"failed: gave up after 5 s: {name}" in line
    assert "Nothing of it stays — let it finish or end it, then run the command again" in line
    assert len(patient.wait().expect(0).err.splitlines()) == 1
    assert server_database.revision() == "aaa111"


def test_counting_what_would_be_lost_does_not_wait_for_ever(manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    with postgresql_database.connect() as connection:
        connection.execute(sa.text("LOCK TABLE enrollments"))

        line = manage("rollback", "--no-input", "--lock-timeout", "1").refusal()

    assert "holds what this needs" in line
    assert "enrollments" in postgresql_database.tables()


# Connections that are cut


def test_a_seeding_whose_connection_is_cut_leaves_no_row_and_the_next_ends_right(
    house: House, manage: Runner, server_database: Database, sign: Path
) -> None:
    manage.ok("migrate")
    house.write("project/seeds/students.py", WAITS)
    running = manage.start("seed", "--count", str(SOME), env={"SIGN": str(sign)})
    running.wait_for("half-way")

    cut_everybody(server_database)
    sign.touch()

    said, line = running.wait().expect(1).err.splitlines()
    assert said == "half-way"
    assert line.endswith(f"the connection to {server_database.name} on 127.0.0.1 was cut — run the command again")
    assert counts(server_database) == (0, 14, 0)
    manage.ok("seed", "--count", "70")
    assert counts(server_database) == (70, 14, 70)


def test_a_migration_whose_connection_is_cut_leaves_nothing_and_the_next_ends_right(
    house: House, manage: Runner, server_database: Database, sign: Path
) -> None:
    manage.ok("migrate")
    grades = server_database.rows("SELECT id, lowest_grade FROM subjects ORDER BY id")
    house.add_revision("aaa111", CHANGES, kind="data")
    running = manage.start("migrate", env={"SIGN": str(sign)})
    running.wait_for("half-way")

    cut_everybody(server_database)
    sign.touch()

    said, line = running.wait().expect(1).err.splitlines()
    assert said == "half-way"
    assert line.endswith("was cut. Nothing of it stays — run the command again")
    assert server_database.rows("SELECT id, lowest_grade FROM subjects ORDER BY id") == grades
    manage.ok("migrate", env={"SIGN": str(sign)})
    assert server_database.revision() == "aaa111"
    assert server_database.rows("SELECT id, lowest_grade FROM subjects ORDER BY id") == grades


@pytest.mark.parametrize("in_place", [False, True], ids=("beside", "in place"))
def test_a_reset_whose_connections_are_cut_is_done_by_the_next(
    house: House, manage: Runner, server_database: Database, sign: Path, in_place: bool
) -> None:
    manage.ok("migrate")
    put_in_ada(server_database)
    house.write("project/seeds/students.py", WAITS)
    running = manage.start(
        "reset", "--no-input", "--count", str(SOME), env={"SIGN": str(sign), "SNAPSHOTS_KEPT": "0" if in_place else "3"}
    )
    running.wait_for("half-way")

    cut_everybody(server_database, "" if in_place else f"{server_database.name}_snapshot_~making")
    sign.touch()

    result = running.wait().expect(1)
    assert (
        result.err.splitlines()[-1]
        == f"manage.py: the connection to {server_database.name} on 127.0.0.1 was cut — run the command again"
    )
    assert "Traceback" not in result.err
    assert counts(server_database) == ((0, 14, 0) if in_place else (1, 14, 0))
    manage.ok("reset", "--no-input", "--count", "20")
    assert counts(server_database) == (20, 14, 20)
