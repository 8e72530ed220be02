"""Plain Alembic stays plain: its own commands, with the project's URL, lock, transactions and guard."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from tests.databases import Database, fresh
from tests.houses import House, OpenTerminal, Runner
from tests.processes import Result

SAMPLE = {"students", "subjects", "enrollments"}
PRODUCTION = {"ENVIRONMENT": "production"}
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'
TEACHER = '''"""A teacher."""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Teacher(Base):
    __tablename__ = "teachers"
    __table_args__ = (CheckConstraint("age >= 18", name="teacher_of_age"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    age: Mapped[int]
'''


def failure(result: Result) -> str:
    """Return what Alembic says when it fails: one line, and no traceback."""
    assert result.code not in (0, 1), result
    assert "Traceback" not in result.err + result.out, result
    [line] = [line for line in (result.out + result.err).splitlines() if line.startswith("FAILED: ")]
    return line.removeprefix("FAILED: ")


def files(house: House) -> set[Path]:
    return set(house.revisions().values())


def enroll(database: Database) -> None:
    database.execute(
        "INSERT INTO students (id, name, email, grade, birthday)"
        " VALUES (7, 'Ada Lovelace', 'ada@example.org', 5, '2015-12-10')",
        "INSERT INTO enrollments (student_id, subject_id, enrolled_on, mark)"
        " SELECT 7, min(id), '2026-09-01', 70 FROM subjects",
    )


# Up and down


def test_upgrade_check_current_and_downgrade_do_what_manage_py_does(
    house: House, manage: Runner, alembic: Runner, database: Database
) -> None:
    head = house.line()[-1]

    upgrade = alembic.ok("upgrade", "head", env={"ENVIRONMENT": "test"})

    running = re.findall(r"Running upgrade .*?-> (\w+)", upgrade.err)
    assert running == house.line()
    assert upgrade.out == ""
    assert database.tables() == SAMPLE
    assert database.count("subjects") == 14
    assert database.metadata("environment") == "test"
    assert alembic.ok("check").out == "No new upgrade operations detected.\n"
    assert alembic.ok("current").out == f"{head} (head)\n"
    assert manage.ok("showmigrations").out.splitlines()[-1] == "All applied."

    downgrade = alembic.ok("downgrade", "base")

    assert re.findall(r"Running downgrade (\w+)", downgrade.err) == list(reversed(house.line()))
    assert database.tables() == set()
    assert database.revision() is None
    assert alembic.ok("current").out == ""
    alembic.ok("upgrade", "head")
    assert database.tables() == SAMPLE


def test_steps_and_beginnings_of_revisions_are_alembics_own(
    house: House, alembic: Runner, sqlite_database: Database
) -> None:
    line = house.line()
    for asked, reached in (
        (("upgrade", "+2"), line[1]),
        (("upgrade", line[3][:6]), line[3]),
        (("downgrade", "-1"), line[2]),
        (("upgrade", "heads"), line[4]),
        (("downgrade", line[0]), line[0]),
    ):
        alembic.ok(*asked)

        assert sqlite_database.revision() == reached


def test_manage_py_goes_on_where_alembic_stopped_and_the_other_way_round(
    house: House, manage: Runner, alembic: Runner, sqlite_database: Database
) -> None:
    alembic.ok("upgrade", "+2")
    manage.ok("migrate", "+2")
    alembic.ok("upgrade", "head")
    manage.ok("rollback", "--no-input")
    alembic.ok("downgrade", "-1")

    assert sqlite_database.revision() == house.line()[2]
    assert sqlite_database.tables() == SAMPLE - {"enrollments"}
    assert sqlite_database.count("subjects") == 0


def test_stamp_records_and_runs_nothing(house: House, alembic: Runner, sqlite_database: Database) -> None:
    alembic.ok("stamp", "head")

    assert sqlite_database.revision() == house.line()[-1]
    assert sqlite_database.tables() == set()


# Looking


def test_history_and_heads_list_the_revisions(house: House, alembic: Runner, sqlite_database: Database) -> None:
    alembic.ok("upgrade", "head")

    result = alembic.ok("history")

    messages = [line.rpartition(", ")[2] for line in result.out.splitlines()]
    assert messages == [
        "Added Enrollment model",
        "Put the subjects in",
        "Added Subject model",
        "Added Student model",
        "Empty Init",
    ]
    assert alembic.ok("heads").out == f"{house.line()[-1]} (head)\n"


@pytest.mark.parametrize("command", ["current", "check", "history"])
def test_looking_makes_no_sqlite_file(alembic: Runner, sqlite_database: Database, command: str) -> None:
    result = alembic(command)

    assert "Traceback" not in result.err + result.out
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


def test_check_fails_when_the_models_have_changed(house: House, alembic: Runner, migrated: Database) -> None:
    house.write("project/models/teacher.py", TEACHER)

    result = alembic("check")

    assert result.code not in (0, 1)
    assert "teachers" in result.out + result.err
    assert "Traceback" not in result.err
    assert "management_metadata" not in result.out + result.err


# Writing revisions


def test_autogenerate_writes_what_makemigrations_would(
    house: House, manage: Runner, alembic: Runner, migrated: Database
) -> None:
    def body(text: str) -> str:
        return text.partition("depends_on")[2]

    house.write("project/models/teacher.py", TEACHER)
    before = files(house)
    manage.ok("makemigrations", "-m", "Added Teacher model")
    [ours] = files(house) - before
    expected = ours.read_text(encoding="utf-8")
    house.remove(str(ours.relative_to(house.root)))

    alembic.ok("revision", "--autogenerate", "-m", "Added Teacher model")

    [theirs] = files(house) - before
    written = theirs.read_text(encoding="utf-8")
    assert theirs.parent.name == "schema"
    assert written.startswith('"""Added Teacher model"""\n')
    assert body(written) == body(expected)
    assert "teacher_of_age" in written
    for command in (("upgrade", "head"), ("check",), ("downgrade", "-1"), ("upgrade", "head")):
        alembic.ok(*command)
    assert "teachers" in migrated.tables()


def test_autogenerate_refuses_a_database_that_is_behind(
    house: House, alembic: Runner, sqlite_database: Database
) -> None:
    alembic.ok("upgrade", "+3")
    before = files(house)

    line = failure(alembic("revision", "--autogenerate", "-m", "x"))

    assert "not up to date" in line
    assert files(house) == before


def test_a_data_migration_is_written_with_x_kind_data(house: House, alembic: Runner, database: Database) -> None:
    alembic.ok("upgrade", "head")
    before = files(house)

    alembic.ok("-x", "kind=data", "revision", "-m", "Put the languages into subjects")

    [written] = files(house) - before
    text = written.read_text(encoding="utf-8")
    assert written.parent.name == "data"
    assert f'"{house.line()[-2]}"' in text
    assert "op.bulk_insert(subjects, ROWS)" in text
    alembic.ok("upgrade", "head")
    assert database.revision() == house.line()[-1]


def test_after_a_data_migration_a_schema_migration_is_in_its_own_folder_again(
    house: House, alembic: Runner, sqlite_database: Database
) -> None:
    alembic.ok("-x", "kind=data", "revision", "-m", "Mend something")
    before = files(house)

    alembic.ok("revision", "-m", "By hand")

    [written] = files(house) - before
    assert written.parent.name == "schema"
    assert "bulk_insert" not in written.read_text(encoding="utf-8")
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


def test_another_kind_is_refused(house: House, alembic: Runner, sqlite_database: Database) -> None:
    before = files(house)

    line = failure(alembic("-x", "kind=date", "revision", "-m", "x"))

    assert "'date'" in line
    assert "-x kind=data" in line
    assert files(house) == before


def test_two_heads_are_refused_and_merged(
    house: House, manage: Runner, alembic: Runner, sqlite_database: Database
) -> None:
    alembic.ok("upgrade", "head")
    fork, newest = house.line()[-2:]
    other = house.add_revision("bbb111", MAKES, DROPS, parent=fork)

    line = failure(alembic("upgrade", "head"))
    assert sqlite_database.revision() == newest
    alembic.ok("merge", "heads", "-m", "Both")
    alembic.ok("upgrade", "head")

    assert "2 heads" in line
    assert str(other.relative_to(house.root)) in line
    assert sqlite_database.tables() == SAMPLE | {"made"}
    assert manage.ok("showmigrations").out.splitlines()[-1] == "All applied."


# SQL


def run(database: Database, script: str) -> None:
    """Run a script of several statements as it is."""
    if database.file is not None:
        connection = sqlite3.connect(database.file)
        connection.executescript(script)
        connection.close()
        return
    with database.connect() as connected:
        driver = connected.connection.driver_connection
        assert driver is not None
        driver.execute(script)
        driver.commit()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_upgrade_as_sql_changes_nothing_and_makes_the_same_as_upgrade(
    house: House, manage: Runner, alembic: Runner, tmp_path: Path, kind: str
) -> None:
    with fresh(kind, tmp_path) as database:
        url = {"DATABASE_URL": database.url}

        script = alembic.ok("upgrade", "head", "--sql", env=url).out

        assert database.all_tables() == set()
        run(database, script)
        assert database.tables() == SAMPLE
        assert database.count("subjects") == 14
        assert database.revision() == house.line()[-1]
        assert "No errors" in manage.ok("check", env=url).out
        alembic.ok("check", env=url)

        back = alembic.ok("downgrade", "head:base", "--sql", env={**url, **PRODUCTION}).out

        assert database.tables() == SAMPLE
        run(database, back)
        assert database.tables() == set()
        assert database.revision() is None


def test_upgrade_as_sql_makes_no_file_and_can_begin_anywhere(
    house: House, alembic: Runner, sqlite_database: Database
) -> None:
    second, newest = house.line()[1], house.line()[-1]

    script = alembic.ok("upgrade", f"{second}:{newest}", "--sql").out

    assert "CREATE TABLE subjects" in script
    assert "CREATE TABLE students" not in script
    assert "management_metadata" not in script
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


def test_as_sql_no_server_is_asked(alembic: Runner, house: House) -> None:
    nobody = {"DATABASE_URL": "mariadb://ada:sec%25ret@127.0.0.1:1/school"}

    result = alembic.ok("upgrade", "head", "--sql", env=nobody)

    assert "CREATE TABLE enrollments" in result.out
    assert "CHARSET=utf8mb4" in result.out
    assert "ret@" not in result.out + result.err


# The guard


def test_in_production_a_downgrade_needs_x_allow_production(house: House, alembic: Runner, database: Database) -> None:
    alembic.ok("upgrade", "head", env=PRODUCTION)

    by_settings = failure(alembic("downgrade", "base", env=PRODUCTION))
    by_record = failure(alembic("downgrade", "-1"))
    assert database.tables() == SAMPLE
    alembic.ok("-x", "allow-production", "downgrade", "-1", env=PRODUCTION)

    for line in (by_settings, by_record):
        assert "going back is refused" in line
        assert "production database" in line
        assert "-x allow-production" in line
    assert database.tables() == SAMPLE - {"enrollments"}
    alembic.ok("upgrade", "head", env=PRODUCTION)
    assert database.revision() == house.line()[-1]


def test_on_a_terminal_a_downgrade_says_the_loss_and_asks(
    alembic: Runner, terminal: OpenTerminal, migrated: Database
) -> None:
    enroll(migrated)
    screen = terminal("-m", "alembic", "downgrade", "-1")

    shown = screen.read_until("to go on: ")
    screen.type(migrated.name)

    assert re.search(r"enrollments +1 row +the table will be dropped", shown)
    screen.wait().expect(0)
    assert migrated.tables() == SAMPLE - {"enrollments"}


def test_in_a_script_a_downgrade_says_the_loss_and_asks_nothing(
    alembic: Runner, manage: Runner, migrated: Database
) -> None:
    manage.ok("seed", "--count", "20")

    went = alembic.ok("downgrade", "-1")

    assert "enrollments  20 rows  the table will be dropped" in went.err
    assert "enrollments" not in migrated.tables()


def test_on_a_terminal_any_other_answer_changes_nothing(
    alembic: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    alembic.ok("upgrade", "head")
    screen = terminal("-m", "alembic", "downgrade", "base")
    screen.read_until("to go on: ")

    screen.type("y")

    result = screen.wait()
    assert result.code != 0
    assert "nothing was changed" in result.out
    assert "Traceback" not in result.out
    assert sqlite_database.tables() == SAMPLE


def test_on_a_terminal_an_upgrade_asks_nothing(terminal: OpenTerminal, sqlite_database: Database) -> None:
    screen = terminal("-m", "alembic", "upgrade", "head")

    assert "to go on" not in screen.wait().expect(0).out
    assert sqlite_database.tables() == SAMPLE


# All or nothing, and one line


def test_a_failing_revision_is_named_and_leaves_nothing_of_itself(
    house: House, alembic: Runner, sqlite_database: Database
) -> None:
    head = house.line()[-1]
    file = house.add_revision("bad111", f'{MAKES}\nop.execute("INSERT INTO a_table_nobody_made VALUES (1)")')

    line = failure(alembic("upgrade", "head"))

    assert "revision bad111 'By hand bad111'" in line
    assert str(file.relative_to(house.root)) in line
    assert "a_table_nobody_made" in line
    assert "Nothing of it stays" in line
    assert sqlite_database.tables() == SAMPLE
    assert sqlite_database.revision() == head


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"DATABASE_URL": None}, "copy .env.example"),
        ({"DATABASE_URL": "nonsense"}, "is not a database URL"),
        ({"DATABASE_URL": "postgresql://ada:sec%25ret@127.0.0.1:1/school"}, "127.0.0.1:1 cannot be reached"),
        ({"ENVIRONMENT": "live"}, "development, test or production"),
    ],
    ids=["no URL", "no such URL", "no server", "no such environment"],
)
def test_wrong_settings_are_one_line_and_never_a_password(
    alembic: Runner, sqlite_database: Database, changes: dict[str, str | None], told: str
) -> None:
    result = alembic("upgrade", "head", env=changes)

    assert told in failure(result)
    assert "ret@" not in result.out + result.err


def test_an_unknown_revision_is_one_line(alembic: Runner, sqlite_database: Database) -> None:
    alembic.ok("upgrade", "+1")

    for asked in (("upgrade", "xyz"), ("upgrade", "+9"), ("downgrade", "-9")):
        line = failure(alembic(*asked))

        assert "xyz" in line or "9" in line
        assert "python manage.py showmigrations" in line


def test_a_percent_sign_in_the_url_is_no_trouble(alembic: Runner, house: House, tmp_path: Path) -> None:
    (tmp_path / "100% school").mkdir()
    house.env(DATABASE_URL=f'"sqlite:///{tmp_path}/100%25 school/a%20b.db"')

    alembic.ok("upgrade", "head", env={"DATABASE_URL": None})

    [made] = (tmp_path / "100% school").iterdir()
    assert made.suffix == ".db"


# From elsewhere


def test_from_another_folder_with_c_the_same_files_and_the_same_database_are_found(
    house: House, manage: Runner, alembic: Runner, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    house.env(DATABASE_URL="sqlite:///school.db")
    (elsewhere / ".env").write_text("DATABASE_URL=sqlite:///wrong.db\n", encoding="utf-8")
    nothing: dict[str, str | None] = {"DATABASE_URL": None}
    ini = ("-c", str(house.root / "alembic.ini"))
    before = files(house)

    for command in (("upgrade", "head"), ("check",), ("revision", "-m", "By hand")):
        alembic.ok(*ini, *command, env=nothing, cwd=elsewhere)
    relative = alembic.ok("-c", "../house/alembic.ini", "current", env=nothing, cwd=elsewhere)

    assert (house.root / "school.db").exists()
    assert [file.name for file in elsewhere.iterdir()] == [".env"]
    [written] = files(house) - before
    assert written.parent == house.root / "migrations" / "versions" / "schema"
    assert relative.out == f"{house.line()[-2]}\n"
    assert "1 pending" in manage.ok("showmigrations", env=nothing).out
