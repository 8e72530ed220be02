"""Checking: every problem has an id, says what is wrong and how to mend it; only errors fail."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.databases import SERVERS, Database
from tests.houses import House, Runner
from tests.processes import Result

MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
FAILS = f"{MAKES}\nop.execute('INSERT INTO a_table_nobody_made (id) VALUES (1)')"
SEEDER = """\
from project.management.fields import between, choice, fake, maybe
from project.management.seeding import Rows, Seeder, column
from project.models.student import Student


class StudentSeeder(Seeder):
    model = Student
"""


def problems(result: Result) -> list[tuple[str, str, str]]:
    """Return what was found as (id, message, hint)."""
    lines = result.out.splitlines()
    if lines and lines[-1].startswith("No errors in "):
        lines.pop()
    assert all(line.startswith("  ") for line in lines[1::2]), result
    found = []
    for line, hint in zip(lines[::2], lines[1::2], strict=True):
        identity, _, message = line.partition(": ")
        found.append((identity, message, hint.strip()))
    return found


def errors(result: Result) -> list[tuple[str, str, str]]:
    """Return what was found; fail unless the check failed and counts every error."""
    found = problems(result.expect(1))
    number = sum(".E" in identity for identity, _, _ in found)
    assert number > 0
    assert result.err.startswith(f"manage.py: {number} error{'' if number == 1 else 's'} found — ")
    assert result.err.count("\n") == 1
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# Nothing wrong


def test_a_migrated_and_seeded_database_has_no_errors(manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "20")
    migrated.execute("CREATE TABLE diary (id INTEGER)", "CREATE VIEW names AS SELECT name FROM students")

    result = manage.ok("check")

    warned, _, last = result.out.splitlines()
    assert warned.startswith(f"database.W002: {migrated.name}")
    assert warned.endswith(" has table diary, view names, which no model and no migration knows")
    assert last.startswith(f"No errors in {migrated.name}")
    assert last.endswith("; 1 warning.")
    assert result.err == ""


def test_a_project_without_anything_of_its_own_has_no_errors(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    for folder in ("project/seeds", "project/models", "migrations/versions/schema", "migrations/versions/data"):
        for file in (house.root / folder).glob("[a-z]*.py"):
            if file.name != "base.py":
                house.remove(str(file.relative_to(house.root)))
    manage.ok("migrate")

    assert manage.ok("check").out == f"No errors in {sqlite_database.name}.\n"


def test_check_changes_nothing(manage: Runner, database: Database) -> None:
    manage("check").expect(1)

    assert database.all_tables() == set()
    assert database.file is None or not database.file.exists()


# settings


def test_no_database_url(manage: Runner) -> None:
    assert errors(manage("check")) == [
        ("settings.E001", "DATABASE_URL is not set", "set it in .env, or copy .env.example to .env")
    ]


def test_settings_that_are_refused(house: House, manage: Runner) -> None:
    house.env(DATABASE_URL="sqlite:///school.db", ENVIRONMENT="staging")

    assert errors(manage("check")) == [
        (
            "settings.E001",
            "ENVIRONMENT is 'staging' (in .env, line 2)",
            "it can be development, test or production",
        )
    ]


def test_a_database_url_that_can_never_work(manage: Runner) -> None:
    [(identity, message, hint)] = errors(manage("check", env={"DATABASE_URL": "sqlite://"}))

    assert identity == "settings.E001"
    assert "in-memory" in message
    assert "name a file" in hint


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_an_env_that_others_can_read_is_a_warning(
    house: House, manage: Runner, sqlite_database: Database, mode: int
) -> None:
    manage.ok("migrate")
    house.env(ENVIRONMENT="development").chmod(mode)

    result = manage.ok("check")

    assert problems(result) == [("settings.W001", ".env can be read by other users", "chmod 600 .env")]
    assert result.out.splitlines()[-1] == f"No errors in {sqlite_database.name}; 1 warning."
    assert result.err == ""


def test_the_hint_about_env_mends_it(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.env(ENVIRONMENT="development").chmod(0o600)

    assert problems(manage.ok("check")) == []


def test_another_env_file_is_named(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.write("local.env", "ENVIRONMENT=development\n").chmod(0o644)

    found = problems(manage.ok("check", "--env-file", "local.env"))

    assert found == [("settings.W001", "local.env can be read by other users", "chmod 600 local.env")]


# models


def test_a_model_that_cannot_be_imported(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write("project/models/teacher.py", "from project.models.base import Nothing\n")

    [(identity, message, hint)] = errors(manage("check"))

    assert identity == "models.E001"
    assert message.startswith("project/models/teacher.py cannot be imported: ImportError: cannot import name 'Nothing'")
    assert hint == "correct it, then try again"


def test_models_ahead_of_the_database(house: House, manage: Runner, migrated: Database) -> None:
    house.change(
        "project/models/student.py",
        "    grade: Mapped[int]\n",
        "    grade: Mapped[int] = mapped_column(index=True)\n"
        "    house: Mapped[str | None] = mapped_column(String(9))\n",
    )

    found = errors(manage("check"))

    hint = 'python manage.py makemigrations -m "..." writes the revision'
    assert sorted(found) == [
        ("models.E002", "the database is not what the models say: add column students.house", hint),
        ("models.E002", "the database is not what the models say: add index ix_students_grade on students", hint),
    ]


def test_whatever_the_database_has_otherwise_is_named(house: House, manage: Runner, migrated: Database) -> None:
    for path, old, new in (
        ("student", 'CheckConstraint("grade BETWEEN 1 AND 12", name="grade_between_1_and_12"),', ""),
        ("student", 'UniqueConstraint("email", name="unique_email"),', ""),
        ("student", "String(100), index=True", "String(100)"),
        ("student", "birthday: Mapped[date]", "birthday: Mapped[date | None]"),
        ("student", "String(55)", "String(60)"),
        ("enrollment", 'ForeignKey("students.id", ondelete="CASCADE")', ""),
        ("subject", "    title: Mapped[str] = mapped_column(String(60))\n", ""),
    ):
        house.change(f"project/models/{path}.py", old, new)
    house.remove("project/seeds/students.py")
    house.remove("project/seeds/enrollments.py")

    found = errors(manage("check"))

    said = [message.removeprefix("the database is not what the models say: ") for _, message, _ in found]
    assert {identity for identity, _, _ in found} == {"models.E002"}
    for named in (
        "grade_between_1_and_12",
        "unique_email",
        "ix_students_name",
        "students.birthday",
        "students.email",
        "fk_enrollments_student_id_students",
        "subjects.title",
    ):
        assert sum(named in message for message in said) == 1, said


# migrations


def test_a_migration_that_cannot_be_imported(house: House, manage: Runner, sqlite_database: Database) -> None:
    file = house.add_revision("aaa111", "pass")
    house.change(str(file.relative_to(house.root)), "from alembic import op", "from alembic import nothing")

    [(identity, message, hint), *others] = errors(manage("check"))

    assert identity == "migrations.E001"
    assert message.startswith(f"{file.relative_to(house.root)} cannot be imported: ImportError: ")
    assert hint == "correct it, then try again"
    assert {other[0] for other in others} <= {"database.E002"}


def test_two_heads(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    head = house.line()[-1]
    first, second = (house.add_revision(name, "pass", parent=head) for name in ("aaa111", "aaa222"))

    found = errors(manage("check"))

    assert found == [
        (
            "migrations.E002",
            f"the history has 2 heads: {first.relative_to(house.root)} and {second.relative_to(house.root)}",
            "python manage.py makemigrations --merge joins them",
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "from project.models.student import Student",
        "import os, project.models.student as own",
        "from project import settings",
        "def late():\n    from project.seeds import students",
    ],
)
def test_a_migration_that_imports_the_projects_code(
    house: House, manage: Runner, sqlite_database: Database, line: str
) -> None:
    file = house.add_revision("aaa111", "pass", kind="data")
    house.change(str(file.relative_to(house.root)), "import sqlalchemy as sa", f"import sqlalchemy as sa\n{line}")
    manage.ok("migrate")

    assert errors(manage("check")) == [
        (
            "migrations.E003",
            f"{file.name} imports from project: it will break when the models change",
            "write the tables it needs into it, as sa.table(...)",
        )
    ]


def test_a_migration_that_imports_others_is_fine(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write("projector.py", "")
    file = house.add_revision("aaa111", "pass")
    house.change(
        str(file.relative_to(house.root)),
        "import sqlalchemy as sa",
        'import sqlalchemy as sa\nimport projector\nproject = "from project import models"',
    )
    manage.ok("migrate")

    assert problems(manage.ok("check")) == []


def test_pending_revisions(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate", "+2")

    assert errors(manage("check")) == [("migrations.E004", "3 of 5 revisions are pending", "python manage.py migrate")]


def test_a_server_database_that_was_never_migrated(manage: Runner, server_database: Database) -> None:
    assert errors(manage("check")) == [("migrations.E004", "5 of 5 revisions are pending", "python manage.py migrate")]


def test_an_unfinished_revision(house: House, manage: Runner, mariadb_database: Database) -> None:
    house.add_revision("bad111", FAILS)
    manage("migrate").expect(1)

    assert errors(manage("check")) == [
        (
            "migrations.E005",
            "revision bad111 was begun and never finished",
            "python manage.py migrate says how to go on",
        ),
        ("migrations.E004", "1 of 6 revisions are pending", "python manage.py migrate"),
    ]


def test_a_revision_that_no_file_has(house: House, manage: Runner, database: Database) -> None:
    file = house.add_revision("aaa111", "pass")
    manage.ok("migrate")
    house.remove(str(file.relative_to(house.root)))

    [(identity, message, hint)] = errors(manage("check"))

    assert identity == "migrations.E006"
    assert message.startswith(database.name)
    assert " is at revision aaa111 'By hand aaa111' (applied 20" in message
    assert message.endswith("), which no file in migrations/versions has")
    assert hint == (
        "get that file (another branch may have it), python manage.py migrate --abandon if the schema still is that of"
        f" {house.line()[-1]}, or in development python manage.py reset, with --drop-unknown if it made tables"
    )


@pytest.mark.parametrize("lost", ["DROP TABLE alembic_version", "DELETE FROM alembic_version"])
def test_tables_without_a_recorded_revision(house: House, manage: Runner, database: Database, lost: str) -> None:
    manage.ok("migrate", "+2")
    database.execute(lost)

    [(identity, message, hint)] = errors(manage("check"))
    refused = manage("migrate").refusal()

    assert identity == "migrations.E008"
    assert message.startswith(database.name)
    assert message.endswith(" has the tables students, but no revision is recorded in it")
    assert hint == "python manage.py migrate --fake REVISION records the one it is at"
    assert refused == f"{message} — {hint}"
    manage.ok("migrate", "--fake", house.line()[1])
    assert [identity for identity, *_ in errors(manage("check"))] == ["migrations.E004"]


def test_two_revisions_of_one_line(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    first, *_, last = house.line()
    database.execute(f"INSERT INTO alembic_version (version_num) VALUES ('{first}')")

    [(identity, message, hint)] = errors(manage("check"))

    assert identity == "migrations.E007"
    assert message.startswith(database.name)
    assert f"records 2 revisions at once: {', '.join(sorted([first, last]))}" in message
    assert hint == "python manage.py migrate --fake REVISION records the one it is at"


# seeders


def test_a_seeder_that_cannot_be_imported(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.write("project/seeds/teachers.py", "from project.models.student import Teacher\n")

    found = errors(manage("check"))

    [(identity, message, hint)] = found
    assert identity == "seeders.E001"
    assert message.startswith("project/seeds/teachers.py cannot be imported: ImportError: ")
    assert hint == "correct it, then try again"


def test_two_seeders_of_one_table(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.write("project/seeds/pupils.py", SEEDER.replace("StudentSeeder", "PupilSeeder"))

    [(identity, message, hint)] = errors(manage("check"))

    assert identity == "seeders.E001"
    assert message == "students has two seeders: PupilSeeder and StudentSeeder"
    assert hint == "keep one"


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("grade = between(1, 13)", "students.grade can be 13 as declared, which CHECK grade_between_1_and_12 forbids"),
        ("name = maybe(fake('name'), share=0.2)", "students.name can be NULL as declared and is NOT NULL"),
        ("nmae = fake('name')", "students has no column 'nmae'. Did you mean 'name'?"),
        (
            "@column\n    def grades(self, rows: Rows) -> list[int]:\n        return []",
            "students has no column 'grades'. Did you mean 'grade'?",
        ),
        (
            "email = fake('job')",
            "students.email may not repeat (UNIQUE unique_email), and what is declared could",
        ),
        (
            f"name = choice(['{'x' * 101}'])",
            f"students.name can be '{'x' * 38}… as declared, which is 101 characters long and the column holds 100",
        ),
    ],
    ids=["CHECK", "NOT NULL", "no such field", "no such method", "UNIQUE", "length"],
)
def test_a_seeder_against_its_model(
    house: House, manage: Runner, sqlite_database: Database, declared: str, told: str
) -> None:
    manage.ok("migrate")
    house.write("project/seeds/students.py", f"{SEEDER}    {declared}\n")

    assert errors(manage("check")) == [("seeders.E002", told, "correct StudentSeeder")]


# database


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_does_not_answer(manage: Runner, kind: str) -> None:
    port = free_port()

    result = manage("check", env={"DATABASE_URL": f"{kind}://ada:s3cret@127.0.0.1:{port}/school"})

    [(identity, message, hint)] = errors(result)
    assert identity == "database.E001"
    assert f"127.0.0.1:{port} cannot be reached" in message
    assert hint == "start it, or correct DATABASE_URL"
    assert "s3cret" not in result.out + result.err


def test_a_file_that_is_no_database(manage: Runner, sqlite_database: Database) -> None:
    assert sqlite_database.file is not None
    sqlite_database.file.write_bytes(b"minutes, and no database\n" * 100)

    [(identity, message, _)] = errors(manage("check"))

    assert identity == "database.E001"
    assert message == f"{sqlite_database.file} is not an SQLite database"


def test_an_sqlite_file_that_is_missing(manage: Runner, sqlite_database: Database) -> None:
    assert errors(manage("check")) == [
        ("database.E002", f"the database {sqlite_database.name} does not exist yet", "python manage.py migrate")
    ]
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


def test_a_missing_folder_is_told_apart_from_a_missing_file(manage: Runner, tmp_path: Path) -> None:
    [(identity, message, _)] = errors(manage("check", env={"DATABASE_URL": f"sqlite:///{tmp_path}/no/school.db"}))

    assert identity.startswith("database.E")
    assert f"{tmp_path}/no" in message
    assert not (tmp_path / "no").exists()


def test_a_database_of_another_environment_is_a_warning(manage: Runner, database: Database) -> None:
    manage.ok("migrate", env={"ENVIRONMENT": "production"})

    result = manage.ok("check")

    [(identity, message, hint)] = problems(result)
    assert identity == "database.W001"
    assert message.startswith(database.name)
    assert message.endswith(" was first migrated as production, ENVIRONMENT is development")
    assert hint == "is DATABASE_URL the database you mean?"
    assert result.out.splitlines()[-1].endswith("; 1 warning.")
    assert problems(manage.ok("check", env={"ENVIRONMENT": "production"})) == []


# Several


def test_a_problem_of_a_seeder_hides_no_pending_revision(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate", "+1")
    house.write("project/seeds/students.py", f"{SEEDER}    grade = between(0, 12)\n")

    assert [identity for identity, _, _ in errors(manage("check"))] == ["seeders.E002", "migrations.E004"]


def test_what_can_be_looked_at_is_looked_at(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate", "+1", env={"ENVIRONMENT": "test"})
    house.env(ENVIRONMENT="development").chmod(0o644)
    file = house.add_revision("aaa111", "pass")
    house.change(str(file.relative_to(house.root)), "from alembic import op", "from project import models")
    house.write("project/seeds/students.py", f"{SEEDER}    grade = between(0, 12)\n")

    result = manage("check", "--verbosity", "0")

    found = [identity for identity, _, _ in errors(result)]
    assert found[:4] == ["settings.W001", "migrations.E003", "seeders.E002", "database.W001"]
