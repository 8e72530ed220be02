"""Many processes on one database: every revision applied once, every row there once, all or nothing when one dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Database
from tests.houses import House, Runner
from tests.processes import Result, Running

BLOCK = 10_000
# Says so when it has come to a row, and goes on when a file is there.
WAITS = '''"""A seeder that waits for a sign in its last block."""

import os
import sys
import time
from pathlib import Path

from project.management.seeding import Rows, Seeder, column
from project.models.student import Student


class StudentSeeder(Seeder):
    model = Student

    @column
    def grade(self, rows: Rows) -> list[int]:
        if rows.numbers.start == 40_000:
            print("half-way", file=sys.stderr, flush=True)
            while not Path(os.environ["SIGN"]).exists():
                time.sleep(0.01)
        return rows.integers(1, 12)
'''
MIGRATES = """\
import os
import sys
import time
from pathlib import Path
op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))
sys.stderr.write("half-way\\n")
sys.stderr.flush()
while not Path(os.environ["SIGN"]).exists():
    time.sleep(0.01)
"""
COUNTER = """\
counter = op.create_table("counter", sa.Column("runs", sa.Integer()))
op.bulk_insert(counter, [{"runs": 0}])
"""
SOME = 5 * BLOCK  # students: more than fit into SQLite's cache, so that a killed writer leaves half of them in its file


@pytest.fixture
def sign(tmp_path: Path) -> Iterator[Path]:
    """The file that the processes of a test wait for; nobody waits longer than the test, failed or not."""
    file = tmp_path / "sign"
    yield file
    file.touch()


def counts(database: Database) -> tuple[int, int, int]:
    """Return how many students, subjects and enrollments there are, having made sure that each is there once."""
    assert database.value("SELECT count(DISTINCT email) FROM students") == database.count("students")
    pairs = "(SELECT DISTINCT student_id, subject_id FROM enrollments)"
    assert database.value(f"SELECT count(*) FROM {pairs} AS pairs") == database.count("enrollments")
    return database.count("students"), database.count("subjects"), database.count("enrollments")


def all_of(running: list[Running]) -> list[Result]:
    return [one.wait() for one in running]


def wait_behind(running: Running, database: Database) -> None:
    """Wait until a process waits for another one's lock."""
    running.wait_for("waiting for process" if database.kind == "sqlite" else "waiting for session")


# Migrating


@pytest.mark.parametrize("applied", [0, 3, 7], ids=["empty", "half-way", "at head"])
def test_eight_migrators_at_once_apply_what_is_pending_once(
    house: House, manage: Runner, database: Database, applied: int
) -> None:
    house.add_revision("aaa111", COUNTER, 'op.drop_table("counter")')
    house.add_revision("bbb222", 'op.execute("UPDATE counter SET runs = runs + 1")', kind="data")
    if applied:
        manage.ok("migrate", f"+{applied}")

    results = all_of([manage.start("migrate") for _ in range(8)])

    steps = [line.split()[0] for one in results for line in one.expect(0).out.splitlines() if line.startswith("  ")]
    assert sorted(steps) == sorted(house.line()[applied:])
    assert all(one.err == "" or one.err.startswith("waiting for ") for one in results)
    assert database.revision() == house.line()[-1]
    assert database.count("subjects") == 14
    assert database.value("SELECT runs FROM counter") == 1


# Seeding


def test_four_seeders_at_once_end_with_exactly_the_rows_that_were_asked_for(manage: Runner, migrated: Database) -> None:
    results = all_of([manage.start("seed", "--count", "400") for _ in range(4)])

    assert counts(migrated) == (400, 14, 400)
    assert sum("nothing to add" not in line for one in results for line in one.expect(0).out.splitlines()[:-1]) == 2 + 4
    assert manage.ok("seed", "--count", "400").out.count("nothing to add") == 2


def test_seeders_with_other_targets_at_once_end_with_the_largest(manage: Runner, migrated: Database) -> None:
    targets = ("50", "400", "10", "200")

    results = all_of([manage.start("seed", "--count", count, "--random-seed", count) for count in targets])

    assert [one.code for one in results] == [0, 0, 0, 0]
    assert counts(migrated) == (400, 14, 400)


def test_four_seeders_that_add_at_once_add_four_times(manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "20")

    results = all_of([manage.start("seed", "--add", "30") for _ in range(4)])

    assert [one.code for one in results] == [0, 0, 0, 0]
    assert counts(migrated) == (140, 14, 140)
    assert migrated.metadata("seeded:students") == "140"


def test_four_seedings_anew_at_once_end_with_exactly_the_rows_that_were_asked_for(
    manage: Runner, migrated: Database
) -> None:
    manage.ok("seed", "--count", "30")

    results = all_of([manage.start("seed", "--fresh", "--no-input", "--count", "25") for _ in range(4)])

    assert [one.code for one in results] == [0, 0, 0, 0]
    assert counts(migrated) == (25, 14, 25)
    assert migrated.metadata("seeded:students") == "25"


def test_a_seeder_killed_while_another_waits_leaves_everything_to_it(
    house: House, manage: Runner, migrated: Database, sign: Path
) -> None:
    house.write("project/seeds/students.py", WAITS)
    first = manage.start("seed", "--count", str(SOME), env={"SIGN": str(sign)})
    first.wait_for("half-way")
    second = manage.start("seed", "--count", "60", env={"SIGN": str(sign)})
    wait_behind(second, migrated)

    first.kill()

    second.wait().expect(0)
    assert counts(migrated) == (60, 14, 60)


# Seeding and migrating


def test_a_seeder_waits_for_a_migration_and_then_seeds(
    house: House, manage: Runner, migrated: Database, sign: Path
) -> None:
    house.add_revision("aaa111", MIGRATES, 'op.drop_table("made")')
    migrator = manage.start("migrate", env={"SIGN": str(sign)})
    migrator.wait_for("half-way")
    seeder = manage.start("seed", "--count", "20")
    wait_behind(seeder, migrated)

    sign.touch()

    migrator.wait().expect(0)
    seeder.wait().expect(0)
    assert migrated.revision() == "aaa111"
    assert counts(migrated) == (20, 14, 20)


def test_a_migration_waits_for_a_seeder_and_then_migrates(
    house: House, manage: Runner, migrated: Database, sign: Path
) -> None:
    house.write("project/seeds/students.py", WAITS)
    seeder = manage.start("seed", "students", "--count", str(SOME), env={"SIGN": str(sign)})
    seeder.wait_for("half-way")
    house.add_revision("aaa111", MIGRATES, 'op.drop_table("made")')
    migrator = manage.start("migrate", env={"SIGN": str(sign)})
    wait_behind(migrator, migrated)

    sign.touch()

    seeder.wait().expect(0)
    migrator.wait().expect(0)
    assert migrated.revision() == "aaa111"
    assert counts(migrated) == (SOME, 14, 0)


def test_seeders_and_migrators_at_once_on_an_empty_database_do_no_harm(manage: Runner, database: Database) -> None:
    running = [manage.start(*command) for command in (("migrate",), ("seed", "--count", "30")) for _ in range(4)]

    results = all_of(running)

    assert [one.code for one in results[:4]] == [0, 0, 0, 0]
    for one in results[4:]:
        assert one.code == 0 or "python manage.py migrate" in one.refusal(), one
    manage.ok("seed", "--count", "30")
    assert counts(database) == (30, 14, 30)


# Killed


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_a_seeder_that_is_ended_half_way_leaves_no_row_and_the_next_ends_right(
    house: House, manage: Runner, migrated: Database, sign: Path, number: signal.Signals
) -> None:
    house.write("project/seeds/students.py", WAITS)
    running = manage.start("seed", "--count", str(SOME), env={"SIGN": str(sign)})
    running.wait_for("half-way")

    running.send(number)

    ended = running.wait()
    assert ended.code == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "Traceback" not in ended.err
    assert counts(migrated) == (0, 14, 0)
    assert migrated.metadata("seeded:students") is None
    manage.ok("seed", "--count", "70")
    assert counts(migrated) == (70, 14, 70)


def test_a_seeding_anew_that_is_killed_half_way_leaves_the_rows_that_were_there(
    house: House, manage: Runner, migrated: Database, sign: Path
) -> None:
    manage.ok("seed", "--count", "70")
    rows = "SELECT name, email, grade FROM students ORDER BY id"
    before = migrated.rows(rows)
    house.write("project/seeds/students.py", WAITS)
    running = manage.start("seed", "--fresh", "--no-input", "--count", str(SOME), env={"SIGN": str(sign)})
    running.wait_for("half-way")

    running.kill()

    assert migrated.rows(rows) == before
    assert counts(migrated) == (70, 14, 70)
    manage.ok("seed", "--count", "75")
    assert counts(migrated) == (75, 14, 75)


def test_a_seeder_killed_at_any_moment_leaves_all_rows_of_a_table_or_none(manage: Runner, migrated: Database) -> None:
    many = BLOCK + 500
    for delay in (0.05, 0.15, 0.25, 0.4, 0.6):
        running = manage.start("seed", "--add", str(many))
        time.sleep(delay)  # wherever it is by then: what is true afterwards is the same

        running.kill()

        student, subject, enrollment = counts(migrated)
        assert (student % many, subject, enrollment % many) == (0, 14, 0)
        assert migrated.metadata("seeded:students") == (str(student) if student else None)
        assert migrated.metadata("seeded:enrollments") == (str(enrollment) if enrollment else None)
    manage.ok("seed", "--count", str(student + 5))
    assert counts(migrated) == (student + 5, 14, student + 5)
