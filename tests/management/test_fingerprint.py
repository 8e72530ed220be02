"""Resetting in the time of a file copy: what is restored is what would be built, and any change builds it anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from project.management.fingerprint import _ASKS_THE_CLOCK
from tests.databases import Database, fresh
from tests.houses import House, Runner
from tests.management.test_reset import adas, expect_fresh, put_in_ada
from tests.management.test_snapshots import everything, how, kept


def spoiled_reset(manage: Runner, database: Database, *options: str, **environment: str) -> str:
    """Put in a row of somebody's own and reset; return whether that rebuilt or restored."""
    put_in_ada(database)
    result = manage.ok("reset", "--no-input", *options, env=environment)
    assert adas(database) == 0
    return how(result)


def but_for_times(database: Database) -> tuple[object, ...]:
    """Return all that a database holds; of the steps that built it only which, for they took their time."""
    schema, rows = everything(database)
    steps = database.rows("SELECT revision, message, direction FROM migration_history ORDER BY id")
    return schema, {**rows, "migration_history": steps}


ASK = [
    "date.today()",
    "clock = datetime.now",
    "time()",
    'fake("simple_profile")',
    "fake.date()",
    "fake.simple_profile()",
    'faker.profile(["birthdate"])',
    'time.strftime("%Y")',
    'fake(name="date")',
    "fake.unique.date()",
    'fake("pydict")',
    'pd.Timestamp("today")',
]
DO_NOT = [
    "rows.today",
    "func.now()",
    "date(2020, 1, 1)",
    "datetime.time(8)",
    'fake("city")',
    "rows.times()",
    "fake.name()",
    'sa.text("now()")',
]


@pytest.mark.parametrize(("code", "asks"), [(one, True) for one in ASK] + [(one, False) for one in DO_NOT])
def test_what_asks_for_the_date_is_seen(code: str, asks: bool) -> None:
    assert bool(_ASKS_THE_CLOCK.search(f"    return {code}".encode())) == asks


def test_what_is_restored_is_what_a_rebuild_builds(
    house: House, manage: Runner, database: Database, tmp_path: Path
) -> None:
    first = manage.ok("reset", "--count", "30")
    put_in_ada(database)
    database.execute("DELETE FROM enrollments WHERE id < 7", "UPDATE students SET grade = 1")
    manage.ok("rollback", "1", "--no-input", env={"SNAPSHOTS_KEPT": "0"})

    second = manage.ok("reset", "--no-input", "--count", "30")

    assert (how(first), how(second)) == ("Rebuilt", "Restored")
    lines = second.out.splitlines()
    assert [" ".join(line.split()) for line in lines[:3]] == [
        "enrollments 30 rows",
        "students 30 rows",
        "subjects 14 rows",
    ]
    assert re.search(r"Restored from snapshot reset-\d{8}-\d{6} in \d+\.\d\d s\.$", lines[3])
    assert re.fullmatch(r"To undo it: python manage\.py restore before-reset-\d{8}-\d{6}", lines[4])
    assert len(lines) == 5
    with fresh(database.kind, tmp_path) as other:
        manage.ok("reset", "--count", "30", env={"DATABASE_URL": other.url})
        assert but_for_times(database) == but_for_times(other)
    expect_fresh(house, database, students=30)
    assert "No errors" in manage.ok("check").out
    manage.ok("seed", "--count", "31")
    assert database.count("students") == 31


def test_a_lost_file_is_restored(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("reset")
    before = everything(sqlite_database)
    assert sqlite_database.file is not None
    sqlite_database.file.unlink()

    told = manage.ok("reset")

    assert how(told) == "Restored"
    assert told.err == ""
    assert everything(sqlite_database) == before


def test_rebuild_builds_it_anew(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("reset")

    told = spoiled_reset(manage, sqlite_database, "--rebuild")

    assert told == "Rebuilt"
    assert sorted(one["kind"] for one in kept(manage, sqlite_database)) == ["before", "reset"]
    assert spoiled_reset(manage, sqlite_database) == "Restored"


@pytest.mark.parametrize(
    "path",
    [
        "project/models/student.py",
        "project/seeds/students.py",
        "project/management/inferred.py",
        "migrations/env.py",
        "alembic.ini",
        "migration",
    ],
)
def test_a_changed_file_rebuilds_and_changed_back_it_restores(
    house: House, manage: Runner, sqlite_database: Database, path: str
) -> None:
    manage.ok("reset")
    path = path if path != "migration" else str(next(iter(house.revisions().values())).relative_to(house.root))
    before = house.read(path)

    house.write(path, f"{before}\n# changed\n")
    changed = spoiled_reset(manage, sqlite_database)
    house.write(path, before)

    assert changed == "Rebuilt"
    assert spoiled_reset(manage, sqlite_database) == "Restored"


def test_a_file_that_a_seeder_reads_rebuilds(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write("project/seeds/data/names.csv", "Ada\n")
    manage.ok("reset")

    house.write("project/seeds/data/names.csv", "Eve\n")
    changed = spoiled_reset(manage, sqlite_database)
    (house.root / "project/seeds/data/names.csv").rename(house.root / "project/seeds/data/other.csv")
    renamed = spoiled_reset(manage, sqlite_database)
    house.remove("project/seeds/data/other.csv")
    removed = spoiled_reset(manage, sqlite_database)

    assert [changed, renamed, removed] == ["Rebuilt"] * 3


def test_each_option_has_a_snapshot_of_its_own(manage: Runner, sqlite_database: Database) -> None:
    options = [("--count", "7"), ("--random-seed", "5"), ("--locale", "de_DE"), ("--no-seed",)]
    manage.ok("reset")

    first = [spoiled_reset(manage, sqlite_database, *one) for one in options]
    again = [spoiled_reset(manage, sqlite_database, *one) for one in options[1:]]
    pruned = spoiled_reset(manage, sqlite_database)

    assert first == ["Rebuilt"] * 4
    assert again == ["Restored"] * 3
    assert pruned == "Rebuilt"


def test_a_setting_of_ones_own_rebuilds(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.change(
        "project/settings.py",
        "    development_hosts: tuple[str, ...] = ()\n",
        '    development_hosts: tuple[str, ...] = ()\n    school: str = ""\n',
    )
    house.change(
        "project/settings.py",
        '        development_hosts=variables.words("DEVELOPMENT_HOSTS"),\n',
        '        development_hosts=variables.words("DEVELOPMENT_HOSTS"),\n'
        '        school=variables.one_of("SCHOOL", ("east", "west"), default="east"),\n',
    )
    manage.ok("reset")

    same = spoiled_reset(manage, sqlite_database, SCHOOL="east")
    other = spoiled_reset(manage, sqlite_database, SCHOOL="west")
    environment = spoiled_reset(manage, sqlite_database, ENVIRONMENT="test")

    assert [same, other, environment] == ["Restored", "Rebuilt", "Rebuilt"]


def test_settings_that_are_no_dataclass_count_too(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write(
        "project/settings.py",
        "class Settings:\n"
        "    def __init__(self, variables):\n"
        '        self.database_url = variables.required("DATABASE_URL", "set it")\n'
        '        self.environment = "development"\n'
        "        self.development_hosts = ()\n"
        "        self.snapshots_kept = 3\n"
        "        self.snapshot_limit = 1_000\n"
        '        self.school = variables.one_of("SCHOOL", ("east", "west"), default="east")\n\n\n'
        "def load(variables):\n"
        "    return Settings(variables)\n",
    )
    manage.ok("reset")

    same = spoiled_reset(manage, sqlite_database)
    other = spoiled_reset(manage, sqlite_database, SCHOOL="west")

    assert [same, other] == ["Restored", "Rebuilt"]


def test_what_says_nothing_of_the_rows_rebuilds_nothing(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("reset")
    for file in list(house.root.rglob("*.py")):
        house.write(str(file.relative_to(house.root)), file.read_text(encoding="utf-8"))
        os.utime(file, (1, 1))
    (house.root / "project/__pycache__/x.cpython-311.pyc").write_bytes(b"x")
    house.write("README.md", "changed")
    house.env(DEVELOPMENT_HOSTS="db", SNAPSHOTS_KEPT="2", SNAPSHOT_LIMIT="999")
    secret = postgresql_database.url.replace("postgres@", "postgres:secret@").replace("127.0.0.1", "localhost")

    told = spoiled_reset(manage, postgresql_database, DATABASE_URL=secret)

    assert told == "Restored"


def test_a_database_in_the_projects_folder_is_no_part_of_what_it_is_built_from(house: House, manage: Runner) -> None:
    house.env(DATABASE_URL="sqlite:///project/school.db")
    manage.ok("reset")
    assert (house.root / "project/school.db").exists()
    manage.ok("seed", "--count", "120")

    told = manage.ok("reset", "--no-input")

    assert how(told) == "Restored"


# What is not ours


def test_a_link_that_leads_back_is_followed_once(house: House, manage: Runner, sqlite_database: Database) -> None:
    (house.root / "project" / "seeds" / "loop").symlink_to("..", target_is_directory=True)

    built, restored = (manage.ok("reset", "--no-input").out for _ in range(2))

    assert "Rebuilt in" in built
    assert "seen in" in restored


def test_nothing_of_other_people_is_restored_over(house: House, manage: Runner, postgresql_database: Database) -> None:
    makes = {
        "SCHEMA theirs CASCADE": ("CREATE SCHEMA theirs", "CREATE TABLE theirs.diary (id int)"),
        "FUNCTION f()": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
        "TYPE mood": ("CREATE TYPE mood AS ENUM ('sad')",),
        "COLLATION german": ("CREATE COLLATION german (locale = 'C')",),
        "EXTENSION pg_stat_statements": ("CREATE EXTENSION pg_stat_statements",),
    }
    manage.ok("reset")
    for made, statements in makes.items():
        postgresql_database.execute(*statements)

        told = spoiled_reset(manage, postgresql_database)

        assert told == "Rebuilt", made
        postgresql_database.execute(f"DROP {made}")  # which fails unless it is there
    assert spoiled_reset(manage, postgresql_database) == "Rebuilt", "with what is kept the extension would come back"
    assert spoiled_reset(manage, postgresql_database) == "Restored"


def test_what_other_people_change_of_their_own_stays(manage: Runner, postgresql_database: Database) -> None:
    postgresql_database.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    manage.ok("reset")
    postgresql_database.execute("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'")

    told = spoiled_reset(manage, postgresql_database)

    assert told == "Rebuilt"
    assert postgresql_database.value("SELECT f()") == 2


@pytest.mark.parametrize("statement", ["CREATE TABLE diary (id INTEGER)", "CREATE VIEW v AS SELECT 1 AS one"])
def test_a_table_or_view_of_other_people_is_refused_as_ever(
    manage: Runner, sqlite_database: Database, statement: str
) -> None:
    manage.ok("reset")
    put_in_ada(sqlite_database)
    sqlite_database.execute(statement)

    line = manage("reset", "--no-input").refusal()
    ada = adas(sqlite_database)
    told = manage.ok("reset", "--no-input", "--drop-unknown")

    assert "which no model or migration of this project knows" in line
    assert ada == 1
    assert how(told) == "Rebuilt"
    assert spoiled_reset(manage, sqlite_database) == "Restored"


def test_things_that_migrations_make_are_ours(house: House, manage: Runner, postgresql_database: Database) -> None:
    house.add_revision(
        "aaa111",
        'op.execute("CREATE SEQUENCE numbers")\n'
        "op.execute(\"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'\")\n"
        'op.execute("CREATE VIEW adults AS SELECT * FROM students WHERE grade > 6")\n'
        'op.execute("CREATE SCHEMA archive")\n'
        'op.execute("CREATE TABLE archive.papers (id int)")',
    )
    manage.ok("reset")

    assert spoiled_reset(manage, postgresql_database) == "Restored"
    assert spoiled_reset(manage, postgresql_database, "--rebuild") == "Rebuilt"
    assert spoiled_reset(manage, postgresql_database) == "Restored"
