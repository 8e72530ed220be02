"""What the sample's tables refuse, proven by rows that break it, in the schema that the migrations make."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from project.models.base import Base
from project.models.enrollment import Enrollment
from project.models.student import Student
from project.models.subject import Subject
from tests.databases import KINDS, Database, server_address
from tests.houses import House, Runner

STUDENT = {
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "grade": 5,
    "birthday": "2015-12-10",
}
SUBJECT = {"code": "LAT", "title": "Latin", "lowest_grade": 5, "highest_grade": 12}
TABLES = {
    "enrollments": "student_id, subject_id, enrolled_on, mark",
    "students": "name, email, grade, birthday",
    "subjects": "code, title, lowest_grade, highest_grade",
}


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def db_server(kind: str) -> str:
    """Where each test of this file gets a database of its own: project/management/testing.py."""
    return "sqlite://" if kind == "sqlite" else server_address(kind).render_as_string(hide_password=False)


@pytest.fixture
def migrated(kind: str, db_url: str) -> Database:
    return Database.at(kind, db_url)


def insert(database: Database, table: str, **values: object) -> None:
    names = TABLES[table].split(", ")
    marks = ", ".join(f":{name}" for name in names)
    database.execute(f"INSERT INTO {table} ({TABLES[table]}) VALUES ({marks})", **values)


def refusal(database: Database, table: str, **values: object) -> str:
    """Return the database's words, of whatever class: MariaDB calls a broken CHECK an OperationalError."""
    before = database.count(table)
    with pytest.raises((sa.exc.IntegrityError, sa.exc.OperationalError)) as caught:
        insert(database, table, **values)
    assert database.count(table) == before
    return str(caught.value.orig)


def enroll(database: Database) -> dict[str, object]:
    """Put a student in; return an enrollment of that student that is not in yet."""
    insert(database, "students", **STUDENT)
    student = database.value("SELECT max(id) FROM students")
    subject = database.value("SELECT min(id) FROM subjects")
    return {"student_id": student, "subject_id": subject, "enrolled_on": "2026-09-01", "mark": 70}


def test_a_grade_outside_1_to_12_is_refused(migrated: Database) -> None:
    for grade in (0, 13, -1, 100_000):
        words = refusal(migrated, "students", **{**STUDENT, "grade": grade})

        assert "grade_between_1_and_12" in words


def test_the_first_and_the_last_grade_are_taken(migrated: Database) -> None:
    for grade in (1, 12):
        insert(migrated, "students", **{**STUDENT, "grade": grade, "email": f"{grade}@example.org"})

    assert migrated.rows("SELECT grade FROM students ORDER BY grade") == [(1,), (12,)]


def test_two_students_cannot_have_one_email(migrated: Database) -> None:
    insert(migrated, "students", **STUDENT)

    words = refusal(migrated, "students", **{**STUDENT, "name": "Somebody Else"})

    assert ("students.email" if migrated.kind == "sqlite" else "unique_email") in words


def test_a_student_has_every_column(migrated: Database) -> None:
    for column in STUDENT:
        words = refusal(migrated, "students", **{**STUDENT, column: None})

        assert column in words


def test_a_subject_is_taught_from_a_lower_to_a_higher_grade(migrated: Database) -> None:
    for lowest, highest in ((0, 5), (6, 5), (5, 13)):
        words = refusal(migrated, "subjects", **{**SUBJECT, "lowest_grade": lowest, "highest_grade": highest})

        assert "grades_from_lowest_to_highest" in words


def test_two_subjects_cannot_have_one_code(migrated: Database) -> None:
    insert(migrated, "subjects", **SUBJECT)

    words = refusal(migrated, "subjects", **{**SUBJECT, "title": "Latin, again"})

    assert ("subjects.code" if migrated.kind == "sqlite" else "uq_subjects_code") in words


def test_a_student_takes_a_subject_once(migrated: Database) -> None:
    enrollment = enroll(migrated)
    insert(migrated, "enrollments", **enrollment)

    words = refusal(migrated, "enrollments", **{**enrollment, "mark": None})

    assert ("enrollments.student_id" if migrated.kind == "sqlite" else "uq_enrollments_student_id_subject_id") in words


def test_a_mark_outside_0_to_100_is_refused(migrated: Database) -> None:
    enrollment = enroll(migrated)
    for mark in (-1, 101):
        words = refusal(migrated, "enrollments", **{**enrollment, "mark": mark})

        assert "mark_between_0_and_100" in words


def test_a_mark_may_be_missing_lowest_or_highest(migrated: Database) -> None:
    enrollment = enroll(migrated)
    for mark in (None, 0, 100):
        insert(migrated, "enrollments", **{**enrollment, "mark": mark})

        assert migrated.value("SELECT mark FROM enrollments") == mark
        migrated.execute("DELETE FROM enrollments")


def test_an_enrollment_is_of_a_student_and_a_subject_that_exist(migrated: Database) -> None:
    enrollment = enroll(migrated)
    for column in ("student_id", "subject_id"):
        words = refusal(migrated, "enrollments", **{**enrollment, column: 999_999})

        assert "foreign key" in words.lower()


def test_enrollments_go_with_their_student_and_keep_their_subject(migrated: Database) -> None:
    insert(migrated, "enrollments", **enroll(migrated))

    with pytest.raises(sa.exc.IntegrityError):
        migrated.execute("DELETE FROM subjects")
    migrated.execute("DELETE FROM students")

    assert migrated.count("enrollments") == 0
    assert migrated.count("subjects") >= 12


def test_a_name_of_any_script_comes_back_as_it_went_in(migrated: Database) -> None:
    insert(migrated, "students", **{**STUDENT, "name": "Žofie 山田 😀 O'Brien %s :x"})

    assert migrated.value("SELECT name FROM students") == "Žofie 山田 😀 O'Brien %s :x"


def test_enrolled_date_is_the_databases_moment_of_the_insert(migrated: Database) -> None:
    # Both moments are the database's own, so no clock or time zone of this machine has a say.
    before = migrated.value("SELECT CURRENT_TIMESTAMP")
    insert(migrated, "students", **STUDENT)
    migrated.execute("UPDATE students SET enrolled_date = '2001-01-01 00:00:00'")
    insert(migrated, "students", **{**STUDENT, "email": "second@example.org"})
    after = migrated.value("SELECT CURRENT_TIMESTAMP")

    first, second = (row[0] for row in migrated.rows("SELECT enrolled_date FROM students ORDER BY id"))
    assert str(first).startswith("2001-01-01")
    if migrated.kind == "postgresql":
        before, after = before.replace(tzinfo=None), after.replace(tzinfo=None)
    assert before <= second <= after


def test_the_default_of_enrolled_date_is_a_function_and_no_moment(migrated: Database) -> None:
    with migrated.connect() as connection:
        columns = {column["name"]: column for column in sa.inspect(connection).get_columns("students")}

    assert str(columns["enrolled_date"]["default"]).lower().removesuffix("()") == "current_timestamp"
    assert Student.__table__.c.enrolled_date.default is None


def test_a_student_shows_as_id_name_and_grade() -> None:
    assert str(Student(id=7, name="Ada Lovelace", grade=5)) == "Student 7: Ada Lovelace, Grade 5"


def test_subjects_and_enrollments_show_as_a_person_would_say_it() -> None:
    subject = Subject(code="LAT", title="Latin", lowest_grade=5, highest_grade=12)
    enrollment = Enrollment(id=3, student_id=7, subject_id=2)

    assert str(subject) == "Subject LAT: Latin, Grade 5 to 12"
    assert str(enrollment) == "Enrollment 3: student 7, subject 2"


def test_every_index_and_constraint_has_the_name_it_is_known_by(migrated: Database) -> None:
    with migrated.connect() as connection:
        inspector = sa.inspect(connection)
        checks = {check["name"] for table in TABLES for check in inspector.get_check_constraints(table)}
        unique = {key["name"] for table in TABLES for key in inspector.get_unique_constraints(table)}
        indexes = {index["name"] for table in TABLES for index in inspector.get_indexes(table)}
        keys = {key["name"] for table in TABLES for key in inspector.get_foreign_keys(table)}

    assert checks >= {"grade_between_1_and_12", "grades_from_lowest_to_highest", "mark_between_0_and_100"}
    assert unique >= {"unique_email", "uq_subjects_code", "uq_enrollments_student_id_subject_id"}
    assert indexes >= {"ix_students_name", "ix_enrollments_subject_id"}
    assert keys == {"fk_enrollments_student_id_students", "fk_enrollments_subject_id_subjects"}


def test_an_email_has_at_most_55_characters() -> None:
    length = Base.metadata.tables["students"].c.email.type

    assert isinstance(length, sa.String)
    assert length.length == 55


def test_a_model_keeps_its_own_table_arguments_and_gets_the_character_set(house: House, manage: Runner) -> None:
    house.write(
        "project/commands/arguments.py",
        '"""Show."""\n\n'
        "from sqlalchemy import CheckConstraint\n"
        "from sqlalchemy.orm import Mapped, mapped_column\n\n"
        "from project.models.base import Base\n\n\n"
        "class One(Base):\n    __tablename__ = 'one'\n    id: Mapped[int] = mapped_column(primary_key=True)\n\n\n"
        "class Two(Base):\n    __tablename__ = 'two'\n    __table_args__ = {'comment': 'of two'}\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n\n\n"
        "class Three(Base):\n    __tablename__ = 'three'\n"
        "    __table_args__ = (CheckConstraint('id > 0', name='positive'), {'comment': 'of three'})\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n\n\n"
        "def handle(project):\n"
        "    for table in (One.__table__, Two.__table__, Three.__table__):\n"
        "        checks = sorted(one.name for one in table.constraints if isinstance(one, CheckConstraint))\n"
        "        print(table.name, table.comment, checks, dict(table.dialect_kwargs))\n",
    )

    result = manage.ok("arguments")

    utf8 = {"mariadb_charset": "utf8mb4", "mysql_charset": "utf8mb4"}
    assert result.out.splitlines() == [
        f"one None [] {utf8}",
        f"two of two [] {utf8}",
        f"three of three ['positive'] {utf8}",
    ]
