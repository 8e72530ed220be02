"""Writing migrations: what changed is written, what did not is not, and what is written runs everywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import SERVERS, Database, fresh
from tests.houses import House, Python, Runner
from tests.processes import DEADLINE

SAMPLE = {"students", "subjects", "enrollments"}
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'
IMPORTS = '''"""For a test."""

import enum
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


'''
TEACHER = """class Teacher(Base):
    __tablename__ = "teachers"
    __table_args__ = (CheckConstraint("age >= 18", name="teacher_of_age"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    age: Mapped[int]
"""


def files(house: House) -> set[Path]:
    """Return every file under migrations, but what Python and ruff keep for themselves."""
    found = (house.root / "migrations").rglob("*")
    return {file for file in found if file.is_file() and "__pycache__" not in file.parts}


def newest(house: House) -> Path:
    return house.revisions()[house.line()[-1]]


def up_down_up(manage: Runner, database: Database) -> None:
    """Apply the newest revision, take it back and apply it again; then the database is what the models say."""
    before = database.tables()
    manage.ok("migrate")
    after = database.tables()
    assert manage.ok("makemigrations", "--check").out == "No changes: the database is what the models say.\n"
    manage.ok("rollback", "--no-input")
    assert database.tables() == before
    manage.ok("migrate")
    assert database.tables() == after
    manage.ok("makemigrations", "--check")


def refuses(database: Database, sql: str) -> None:
    """A row that breaks a constraint: MariaDB calls a broken CHECK an OperationalError."""
    with pytest.raises((sa.exc.IntegrityError, sa.exc.OperationalError)):
        database.execute(sql)


def put_in_a_student(database: Database) -> None:
    database.execute(
        "INSERT INTO students (id, name, email, grade, birthday)"
        " VALUES (7, 'Ada Lovelace', 'ada@example.org', 5, '2015-12-10')",
        "INSERT INTO enrollments (student_id, subject_id, enrolled_on, mark)"
        " SELECT 7, min(id), '2026-09-01', 70 FROM subjects",
    )


# What changed is written


def test_a_new_model_is_written_as_a_revision_that_goes_up_and_down(
    house: House, manage: Runner, migrated: Database
) -> None:
    before, head = files(house), house.line()[-1]
    house.write("project/models/teacher.py", IMPORTS + TEACHER)

    result = manage.ok("makemigrations", "-m", "Added Teacher model")

    [written] = files(house) - before
    assert written.parent.name == "schema"
    assert written.name.endswith("_added_teacher_model.py")
    assert result.out.splitlines() == [
        f"Wrote {written.relative_to(house.root)}",
        "Read it, then: python manage.py migrate",
    ]
    assert result.err == ""
    text = written.read_text(encoding="utf-8")
    assert text.startswith('"""Added Teacher model"""\n')
    assert f'down_revision: str | Sequence[str] | None = "{head}"' in text
    assert "project" not in text
    assert "teachers" not in migrated.tables()
    up_down_up(manage, migrated)
    migrated.execute("INSERT INTO teachers (name, code, age) VALUES ('Ada', 'A', 18)")
    refuses(migrated, "INSERT INTO teachers (name, code, age) VALUES ('Ada', 'B', 17)")
    refuses(migrated, "INSERT INTO teachers (name, code, age) VALUES ('Ada', 'A', 18)")


def test_what_was_written_with_sqlite_applies_on_the_servers(
    house: House, manage: Runner, sqlite_database: Database, tmp_path: Path
) -> None:
    manage.ok("migrate")
    house.write("project/models/teacher.py", IMPORTS + TEACHER)
    house.change("project/models/student.py", "grade: Mapped[int]", "grade: Mapped[int | None]")
    house.write(
        "project/models/defaults.py",
        IMPORTS
        + """class Defaults(Base):
    __tablename__ = "defaults"

    id: Mapped[int] = mapped_column(primary_key=True)
    a_yes: Mapped[bool] = mapped_column(server_default=sa.true())
    a_no: Mapped[bool] = mapped_column(server_default=sa.false())
    a_now: Mapped[datetime] = mapped_column(server_default=func.now())
    a_word: Mapped[str] = mapped_column(String(20), server_default="it's")
""",
    )
    manage.ok("makemigrations", "-m", "Added two models, and a grade may be missing")

    for kind in SERVERS:
        with fresh(kind, tmp_path) as server:
            url = ("--database-url", server.url)
            manage.ok("migrate", *url)
            manage.ok("makemigrations", "--check", *url)
            manage.ok("rollback", "--redo", "--no-input", *url)

            assert server.tables() == SAMPLE | {"teachers", "defaults"}
            server.execute("INSERT INTO defaults (id) VALUES (1)")
            assert server.rows("SELECT a_yes, a_no, a_word FROM defaults") == [(True, False, "it's")]


def test_every_kind_of_column_is_written_and_then_seen_as_it_is(
    house: House, manage: Runner, migrated: Database
) -> None:
    house.write(
        "project/models/anything.py",
        IMPORTS
        + """class Color(enum.Enum):
    red = 1
    blue = 2


class Anything(Base):
    __tablename__ = "anything"
    __table_args__ = (
        Index("ix_two", "an_int", "a_date"),
        UniqueConstraint("a_string", "an_int"),
        {"comment": "It's all: 100%"},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    a_string: Mapped[str] = mapped_column(String(20), server_default="it's 100%")
    an_int: Mapped[int] = mapped_column(server_default="7")
    a_big: Mapped[int] = mapped_column(sa.BigInteger)
    a_small: Mapped[int | None] = mapped_column(sa.SmallInteger)
    a_bool: Mapped[bool]
    a_yes: Mapped[bool] = mapped_column(server_default=sa.true())
    a_no: Mapped[bool] = mapped_column(server_default=sa.false())
    a_now: Mapped[datetime] = mapped_column(server_default=func.now())
    a_color: Mapped[Color]
    a_text: Mapped[str] = mapped_column(sa.Text)
    a_unicode: Mapped[str] = mapped_column(sa.Unicode(20), comment="of any script: 学生")
    a_float: Mapped[float]
    a_numeric: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2), server_default="0.00")
    a_date: Mapped[date]
    a_time: Mapped[time]
    a_moment: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    a_zoned: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    an_interval: Mapped[timedelta]
    a_json: Mapped[Any] = mapped_column(sa.JSON)
    some_bytes: Mapped[bytes]
    a_uuid: Mapped[uuid.UUID]
    a_word: Mapped[str] = mapped_column(sa.Enum("a", "b", name="letters", native_enum=False))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("anything.id", ondelete="SET NULL"))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"), index=True)
""",
    )

    manage.ok("makemigrations", "-m", "Added anything")

    up_down_up(manage, migrated)


def test_changes_of_a_table_with_rows_go_up_and_down_and_keep_the_rows(
    house: House, manage: Runner, migrated: Database
) -> None:
    put_in_a_student(migrated)
    student = "project/models/student.py"
    house.change(student, "import CheckConstraint", "import ForeignKey, CheckConstraint")
    house.change(student, 'UniqueConstraint("email"', 'UniqueConstraint("name", "birthday"), UniqueConstraint("email"')
    house.change(student, "String(100), index=True", "String(120)")
    house.change(student, "birthday: Mapped[date]", "birthday: Mapped[date | None]")
    house.change(
        student,
        "    grade: Mapped[int]\n",
        '    grade: Mapped[int] = mapped_column(server_default="3")\n'
        "    nick: Mapped[str | None] = mapped_column(String(30), index=True)\n"
        '    friend_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))\n'
        '    favourite_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))\n',
    )
    house.change("project/models/enrollment.py", "    mark: Mapped[int | None]\n", "")
    house.change(
        "project/models/enrollment.py", 'CheckConstraint("mark BETWEEN 0 AND 100", name="mark_between_0_and_100"),', ""
    )

    manage.ok("makemigrations", "-m", "Changed students")

    manage.ok("migrate")
    manage.ok("makemigrations", "--check")
    assert migrated.rows("SELECT name, grade, nick, friend_id FROM students") == [("Ada Lovelace", 5, None, None)]
    assert migrated.count("enrollments") == 1
    migrated.execute("UPDATE students SET nick = 'Countess', friend_id = 7")
    manage.ok("rollback", "--redo", "--no-input")
    assert migrated.rows("SELECT name, grade, nick, friend_id FROM students") == [("Ada Lovelace", 5, None, None)]
    assert migrated.rows("SELECT student_id FROM enrollments") == [(7,)]
    manage.ok("makemigrations", "--check")


def test_a_check_that_is_added_or_taken_away_by_name_is_seen(house: House, manage: Runner, migrated: Database) -> None:
    before = files(house)
    house.change(
        "project/models/student.py",
        'CheckConstraint("grade BETWEEN 1 AND 12", name="grade_between_1_and_12")',
        'CheckConstraint("grade BETWEEN 0 AND 12", name="grade_between_0_and_12")',
    )

    check = manage("makemigrations", "--check").expect(1)
    manage.ok("makemigrations", "-m", "A grade 0")

    assert len(files(house) - before) == 1
    assert "grade_between_1_and_12" in check.out
    assert "grade_between_0_and_12" in check.out
    up_down_up(manage, migrated)
    row = "INSERT INTO students (name, email, grade, birthday) VALUES ('Ada', 'a@example.org', {}, '2015-12-10')"
    refuses(migrated, row.format(-1))
    migrated.execute(row.format(0))


def test_a_cycle_of_foreign_keys_is_written_with_every_key(house: House, manage: Runner, migrated: Database) -> None:
    house.write(
        "project/models/department.py",
        IMPORTS
        + """class Department(Base):
    __tablename__ = "departments"

    id: Mapped[int] = mapped_column(primary_key=True)
    head_id: Mapped[int | None] = mapped_column(ForeignKey("workers.id"))
    above_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))


class Worker(Base):
    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id", use_alter=True, ondelete="SET NULL"))


class Desk(Base):
    __tablename__ = "desks"

    id: Mapped[int] = mapped_column(primary_key=True)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("workers.id", use_alter=True))
""",
    )

    result = manage.ok("makemigrations", "-m", "Added departments")

    assert result.err == ""
    up_down_up(manage, migrated)
    with migrated.connect() as connection:
        keys = {
            (table, key["constrained_columns"][0], key["referred_table"])
            for table in ("departments", "workers", "desks")
            for key in sa.inspect(connection).get_foreign_keys(table)
        }
    assert keys == {
        ("departments", "head_id", "workers"),
        ("departments", "above_id", "departments"),
        ("workers", "department_id", "departments"),
        ("workers", "desk_id", "desks"),
        ("desks", "worker_id", "workers"),
    }
    for table, column, _ in sorted(keys):
        refuses(migrated, f"INSERT INTO {table} (id, {column}) VALUES (1, 99)")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_indexes_on_expressions_are_written_for_new_and_for_old_tables(
    house: House, manage: Runner, tmp_path: Path, kind: str
) -> None:
    house.write(
        "project/models/teacher.py",
        IMPORTS
        + TEACHER
        + '\n\nIndex("ix_teachers_lower", func.lower(Teacher.code), unique=True)\n'
        + 'Index("ix_teachers_age", Teacher.age.desc())\n',
    )
    house.change("project/models/subject.py", "import CheckConstraint", "import Index, func, CheckConstraint")
    text = house.read("project/models/subject.py")
    house.write("project/models/subject.py", f'{text}\n\nIndex("ix_title", Subject.code, func.upper(Subject.title))\n')

    with fresh(kind, tmp_path) as database:
        url = {"DATABASE_URL": database.url}
        manage.ok("migrate", env=url)
        manage.ok("makemigrations", "-m", "Indexes", env=url)
        for command in (("migrate",), ("rollback", "--redo", "--no-input"), ("makemigrations", "--check")):
            manage.ok(*command, env=url)

        catalogue = {"sqlite": "SELECT name FROM sqlite_master", "postgresql": "SELECT indexname FROM pg_indexes"}[kind]
        assert {name for (name,) in database.rows(catalogue)} >= {"ix_teachers_lower", "ix_teachers_age", "ix_title"}
        database.execute("INSERT INTO teachers (name, code, age) VALUES ('Ada', 'a', 18)")
        refuses(database, "INSERT INTO teachers (name, code, age) VALUES ('Ada', 'A', 18)")
    assert newest(house).read_text(encoding="utf-8").count("lower(code)") == 1


def test_indexes_that_postgresql_spells_otherwise_are_the_models_until_they_change(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    indexes = """(
        sa.Index("one_code", sa.text("lower((code)::text)"), sa.text("COALESCE((name)::text, ''::text)"), unique=True),
        sa.Index("words", sa.text("to_tsvector('english', name)"), postgresql_using="gin"),
        sa.Index("odd Name", func.lower(sa.text("name")), sa.text("age DESC")),
        """
    house.write(
        "project/models/teacher.py", IMPORTS + TEACHER.replace("__table_args__ = (", f"__table_args__ = {indexes}")
    )
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Indexes")
    manage.ok("migrate")

    settled = manage("makemigrations", "--check")
    checked = manage("check")
    house.change("project/models/teacher.py", "age DESC", "age")
    changed = manage("makemigrations", "--check")

    assert (settled.code, checked.code, changed.code) == (0, 0, 1)
    assert "odd Name" in changed.out


def test_a_model_that_is_gone_takes_its_table_and_the_way_back_makes_it_again(
    house: House, manage: Runner, migrated: Database
) -> None:
    house.remove("project/models/enrollment.py")
    house.remove("project/seeds/enrollments.py")

    manage.ok("makemigrations", "-m", "No enrollments")

    up_down_up(manage, migrated)
    assert migrated.tables() == SAMPLE - {"enrollments"}
    manage.ok("rollback", "--no-input")
    put_in_a_student(migrated)
    refuses(migrated, "UPDATE enrollments SET mark = 101")
    refuses(migrated, "UPDATE enrollments SET subject_id = 999")


COMPUTED = """class Sum(Base):
    __tablename__ = "sums"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    one: Mapped[int]
    word: Mapped[str] = mapped_column(String(20))
    two: Mapped[int | None] = mapped_column(sa.Computed("one * 2 + 1", persisted=True))
    loud: Mapped[str | None] = mapped_column(String(20), sa.Computed("upper(word)", persisted=True))
"""


def test_computed_and_identity_columns_are_written_and_compared(
    house: House, manage: Runner, alembic: Runner, migrated: Database
) -> None:
    house.write("project/models/sums.py", IMPORTS + COMPUTED)
    manage.ok("makemigrations", "-m", "Sums")

    up_down_up(manage, migrated)
    check = manage.ok("check")
    plain = alembic("check")
    reset = manage.ok("reset", "--no-input", "--no-seed")

    assert check.err == ""
    assert "Warning" not in reset.err
    assert plain.code == 0
    assert "Warning" not in plain.err
    migrated.execute("INSERT INTO sums (word, one) VALUES ('it', 3)")
    assert migrated.rows("SELECT one, two, loud FROM sums") == [(3, 7, "IT")]


def test_a_computed_column_that_changed_is_made_anew_with_what_stands_on_it(
    house: House, manage: Runner, migrated: Database
) -> None:
    model = IMPORTS + COMPUTED.replace(
        '"sums"',
        '"sums"\n    __table_args__ = (UniqueConstraint("two", "word", name="two_word"), Index("by_loud", "loud"))',
    )
    house.write("project/models/sums.py", model)
    manage.ok("makemigrations", "-m", "Sums")
    manage.ok("migrate")
    migrated.execute("INSERT INTO sums (word, one) VALUES ('It', 3)")
    house.write("project/models/sums.py", model := model.replace("word: Mapped[str]", "word: Mapped[str | None]"))
    manage.ok("makemigrations", "-m", "Sums without words")
    up_down_up(manage, migrated)
    model = model.replace("one * 2 + 1", "coalesce(one, 0) * 3").replace("upper(", "lower(")
    house.write("project/models/sums.py", model)

    found = manage("check")
    manage.ok("makemigrations", "-m", "Other sums")

    assert "change computed column two on sums from " in found.out
    assert " to coalesce(one, 0) * 3" in found.out
    up_down_up(manage, migrated)
    assert migrated.rows("SELECT one, two, loud FROM sums") == [(3, 9, "it")]
    manage.ok("rollback", "--no-input")
    assert migrated.rows("SELECT one, two, loud FROM sums") == [(3, 7, "IT")]
    refuses(migrated, "INSERT INTO sums (word, one) VALUES ('It', 3)")


ENUMERATIONS = """class Color(enum.Enum):
    red = 1
    blue = 2


"""


PAINTS = """COLOR = sa.Enum({labels}, name="paint color")


class Paint(Base):
    __tablename__ = "paints"

    id: Mapped[int] = mapped_column(primary_key=True)
    color: Mapped[str] = mapped_column(COLOR, server_default="red")
    mixed: Mapped[list[str] | None] = mapped_column(sa.ARRAY(COLOR).with_variant(sa.String(20), "sqlite"))
"""


def write_paints(house: House, labels: list[str]) -> None:
    house.write("project/models/paints.py", IMPORTS + PAINTS.format(labels=", ".join(map(repr, labels))))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["red", "blue"], ["d:eep", "red", "it's 100% \\blue", "blue", "pink"]),
        (["red", "blue", "pink"], ["red", "blue"]),
        (["red", "blue"], ["blue", "red", "green"]),
    ],
    ids=["more", "fewer", "another order"],
)
def test_labels_of_an_enumeration_that_changed_are_found_and_go_there_and_back(
    house: House, manage: Runner, postgresql_database: Database, before: list[str], after: list[str]
) -> None:
    manage.ok("migrate")
    write_paints(house, before)
    manage.ok("makemigrations", "-m", "Paints")
    manage.ok("migrate")
    postgresql_database.execute("INSERT INTO paints (mixed) VALUES ('{red,blue}')")
    write_paints(house, after)

    found = manage("check")
    manage.ok("makemigrations", "-m", "Other colors")

    words = ", ".join(map(repr, before)), ", ".join(map(repr, after))
    assert f"change enumeration paint color from {words[0]} to {words[1]}" in found.out
    up_down_up(manage, postgresql_database)
    labels = 'SELECT unnest(enum_range(NULL::"paint color"))::text'
    assert postgresql_database.rows(labels) == [(one,) for one in after]
    assert postgresql_database.rows("SELECT color::text, mixed::text FROM paints") == [("red", "{red,blue}")]
    manage.ok("migrate", "--database-url", "sqlite:///other.db")


def test_a_label_that_rows_have_does_not_go(house: House, manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    write_paints(house, ["red", "blue"])
    manage.ok("makemigrations", "-m", "Paints")
    manage.ok("migrate")
    postgresql_database.execute("INSERT INTO paints (color) VALUES ('blue')")
    write_paints(house, ["red"])
    manage.ok("makemigrations", "-m", "Only red")

    assert 'invalid input value for enum "paint color": "blue"' in manage("migrate").refusal()
    assert postgresql_database.rows("SELECT color::text FROM paints") == [("blue",)]


def enumerations(database: Database) -> set[str]:
    """Return the types that PostgreSQL keeps for enumerations."""
    if database.kind != "postgresql":
        return set()
    return {name for (name,) in database.rows("SELECT typname FROM pg_type WHERE typtype = 'e'")}


def test_a_schema_is_made_for_the_first_table_in_it(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    house.write(
        "project/models/walls.py",
        IMPORTS
        + """class Wall(Base):
    __tablename__ = "walls"
    __table_args__ = {"schema": "House"}

    id: Mapped[int] = mapped_column(primary_key=True)
""",
    )

    manage.ok("makemigrations", "-m", "Walls")
    up_down_up(manage, postgresql_database)

    assert postgresql_database.value('SELECT count(*) FROM "House".walls') == 0
    manage.ok("makemigrations", "--check")
    manage.ok("reset", "--no-input")


def test_an_enumeration_is_made_for_a_column_that_is_added_and_goes_with_the_last_one(
    house: House, manage: Runner, migrated: Database
) -> None:
    put_in_a_student(migrated)
    before = house.read("project/models/student.py")
    house.write("project/models/colors.py", IMPORTS + ENUMERATIONS.rstrip() + "\n")
    house.change(
        "project/models/student.py", "\nclass Student", "from project.models.colors import Color\n\n\nclass Student"
    )
    house.change(
        "project/models/student.py",
        "    grade: Mapped[int]\n",
        "    grade: Mapped[int]\n    color: Mapped[Color | None]\n",
    )

    manage.ok("makemigrations", "-m", "Colors")
    up_down_up(manage, migrated)
    migrated.execute("UPDATE students SET color = 'red'")
    assert migrated.rows("SELECT color FROM students") == [("red",)]
    manage.ok("rollback", "--no-input")
    assert enumerations(migrated) == set()
    manage.ok("migrate")

    with_color = house.read("project/models/student.py")
    house.write(
        "project/models/walls.py",
        IMPORTS
        + "from project.models.colors import Color\n\n\n"
        + """class Wall(Base):
    __tablename__ = "walls"

    id: Mapped[int] = mapped_column(primary_key=True)
    color: Mapped[Color]
""",
    )
    manage.ok("makemigrations", "-m", "Walls of the same colors")
    up_down_up(manage, migrated)

    house.write("project/models/student.py", before)
    manage.ok("makemigrations", "-m", "Students without a color")
    up_down_up(manage, migrated)
    assert enumerations(migrated) == ({"color"} if migrated.kind == "postgresql" else set())
    migrated.execute("INSERT INTO walls (color) VALUES ('blue')")

    house.remove("project/models/walls.py")
    house.write("project/models/student.py", with_color)
    manage.ok("makemigrations", "-m", "Students with a color, and no walls")
    up_down_up(manage, migrated)

    house.write("project/models/student.py", before)
    manage.ok("makemigrations", "-m", "No colors at all")
    up_down_up(manage, migrated)
    assert enumerations(migrated) == set()


def test_an_enumeration_of_an_added_column_is_part_of_the_sql(
    house: House, manage: Runner, alembic: Runner, sqlite_database: Database, tmp_path: Path
) -> None:
    manage.ok("migrate")
    house.change("project/models/student.py", "import CheckConstraint", "import Enum, CheckConstraint")
    house.change(
        "project/models/student.py",
        "    grade: Mapped[int]\n",
        '    grade: Mapped[int]\n    mood: Mapped[str | None] = mapped_column(Enum("fine", "not", name="mood"))\n',
    )
    assert "New upgrade operations detected: [('add_enumeration', 'mood', " in alembic("check").out
    manage.ok("makemigrations", "-m", "Moods")

    with fresh("postgresql", tmp_path) as server:
        sql = manage.ok("migrate", "--sql", "--database-url", server.url).out
        manage.ok("migrate", "--database-url", server.url)
        manage.ok("makemigrations", "--check", "--database-url", server.url)

    assert sql.count("CREATE TYPE mood AS ENUM ('fine', 'not')") == 1


def test_defaults_are_compared_by_what_they_mean(house: House, manage: Runner, migrated: Database) -> None:
    house.write(
        "project/models/defaults.py",
        IMPORTS
        + """class Defaults(Base):
    __tablename__ = "defaults"

    id: Mapped[int] = mapped_column(primary_key=True)
    money: Mapped[Decimal] = mapped_column(sa.Numeric(8, 3), server_default="0")
    price: Mapped[Decimal] = mapped_column(sa.Numeric(8, 3), server_default=sa.text("1.5"))
    share: Mapped[float] = mapped_column(server_default="1.50")
    day: Mapped[date] = mapped_column(server_default=func.current_date())
    word: Mapped[str] = mapped_column(sa.Text, server_default="it's")
    path: Mapped[str] = mapped_column(String(20), server_default="a'b")
    file: Mapped[str] = mapped_column(String(20), server_default="a\\\\b\\\\\\\\n\\\\'c\\nd")
""",
    )

    manage.ok("makemigrations", "-m", "Defaults")

    up_down_up(manage, migrated)
    assert manage.ok("check").err == ""
    house.change("project/models/defaults.py", 'server_default="0"', 'server_default="0.5"')
    house.change("project/models/defaults.py", "it's", "it's new")
    assert manage("makemigrations", "--check").expect(1).out.splitlines() == [
        "  modify default defaults.money",
        "  modify default defaults.word",
    ]


def test_a_check_of_a_column_is_written_for_a_new_table(house: House, manage: Runner, migrated: Database) -> None:
    house.write(
        "project/models/pupil.py",
        IMPORTS
        + """class Pupil(Base):
    __tablename__ = "pupils"

    id: Mapped[int] = mapped_column(primary_key=True)
    age: Mapped[int] = mapped_column(CheckConstraint("age BETWEEN 5 AND 10", name="age_col"))
    size: Mapped[int] = mapped_column(CheckConstraint("size > 0"))
""",
    )

    manage.ok("makemigrations", "-m", "Pupils")

    up_down_up(manage, migrated)
    migrated.execute("INSERT INTO pupils (id, age, size) VALUES (1, 5, 1)")
    refuses(migrated, "INSERT INTO pupils (id, age, size) VALUES (2, 4, 1)")
    refuses(migrated, "INSERT INTO pupils (id, age, size) VALUES (2, 5, 0)")


def test_an_index_of_a_foreign_key_goes_and_comes_again(
    house: House, manage: Runner, alembic: Runner, migrated: Database
) -> None:
    put_in_a_student(migrated)
    file, index = "project/models/enrollment.py", 'ForeignKey("subjects.id"), index=True'
    for change in ((index, 'ForeignKey("subjects.id")'), ('ForeignKey("subjects.id")', index)):
        house.change(file, *change)

        assert "New upgrade operations detected: " in alembic("check").out
        manage.ok("makemigrations", "-m", "An index")

        up_down_up(manage, migrated)
        assert migrated.count("enrollments") == 1
        refuses(migrated, "UPDATE enrollments SET subject_id = 999")
        refuses(migrated, "UPDATE enrollments SET student_id = 999")
    migrated.execute("DELETE FROM students")
    assert migrated.count("enrollments") == 0


def test_a_unique_key_that_holds_a_foreign_key_comes_and_goes(house: House, manage: Runner, migrated: Database) -> None:
    put_in_a_student(migrated)
    house.change("project/models/enrollment.py", 'UniqueConstraint("student_id", "subject_id"),', "")

    manage.ok("makemigrations", "-m", "Twice")

    up_down_up(manage, migrated)
    assert migrated.count("enrollments") == 1
    refuses(migrated, "UPDATE enrollments SET student_id = 999")


def test_a_foreign_key_goes_with_its_index_and_its_column(house: House, manage: Runner, migrated: Database) -> None:
    put_in_a_student(migrated)
    file = "project/models/enrollment.py"
    house.change(file, '    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)\n', "")
    house.change(file, 'UniqueConstraint("student_id", "subject_id"),', "")
    house.change(file, "student {self.student_id}, subject {self.subject_id}", "student {self.student_id}")
    house.remove("project/seeds/enrollments.py")

    manage.ok("makemigrations", "-m", "No subject")

    manage.ok("migrate")
    manage.ok("makemigrations", "--check")
    assert migrated.count("enrollments") == 1
    migrated.execute("DELETE FROM enrollments")
    manage.ok("rollback", "--redo", "--no-input")
    manage.ok("makemigrations", "--check")


# What did not change is not


def test_nothing_is_written_when_nothing_of_ours_changed(house: House, manage: Runner, migrated: Database) -> None:
    migrated.execute(
        "CREATE TABLE theirs (id integer PRIMARY KEY, name varchar(20))", "CREATE VIEW shown AS SELECT * FROM theirs"
    )
    before = {file: file.read_bytes() for file in files(house)}

    result = manage.ok("makemigrations", "-m", "Nothing")
    check = manage.ok("makemigrations", "--check")
    dry = manage.ok("makemigrations", "-m", "Nothing", "--dry-run")

    assert result.out == "No changes: the database is what the models say. Nothing was written.\n"
    assert check.out == "No changes: the database is what the models say.\n"
    assert dry.out == result.out
    assert result.err + check.err + dry.err == ""
    assert {file: file.read_bytes() for file in files(house)} == before


def test_check_says_what_changed_exits_with_1_and_writes_nothing(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    before = files(house)
    house.write("project/models/teacher.py", IMPORTS + TEACHER)
    house.change("project/models/student.py", "birthday: Mapped[date]", "birthday: Mapped[date | None]")

    result = manage("makemigrations", "--check").expect(1)

    assert "  add table teachers" in result.out.splitlines()
    assert "students.birthday" in result.out
    assert result.refusal().startswith("the models have changed since the last revision")
    assert "python manage.py makemigrations -m" in result.err
    assert files(house) == before


def test_a_dry_run_shows_the_operations_and_writes_nothing(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    before = files(house)
    house.write("project/models/teacher.py", IMPORTS + TEACHER)

    result = manage.ok("makemigrations", "-m", "Added Teacher model", "--dry-run")

    assert "create_table" in result.out
    assert "teachers" in result.out
    assert "ix_teachers_name" in result.out
    assert "Wrote" not in result.out
    assert result.err == ""
    assert files(house) == before
    assert sqlite_database.tables() == SAMPLE


# Where the database is


@pytest.mark.parametrize("asked", [("-m", "x"), ("-m", "x", "--dry-run"), ("--check",)], ids=" ".join)
def test_a_database_that_is_behind_is_refused(
    house: House, manage: Runner, sqlite_database: Database, asked: tuple[str, ...]
) -> None:
    before = files(house)
    house.write("project/models/teacher.py", IMPORTS + TEACHER)

    without_file = manage("makemigrations", *asked).refusal()
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()
    manage.ok("migrate", "+4")
    behind = manage("makemigrations", *asked).refusal()

    assert "does not exist yet" in without_file
    assert f"{sqlite_database.name} is not at the newest revision" in behind
    assert "python manage.py migrate" in without_file
    assert "python manage.py migrate" in behind
    assert files(house) == before


def test_a_server_that_was_never_migrated_is_behind(house: House, manage: Runner, server_database: Database) -> None:
    before = files(house)

    line = manage("makemigrations", "-m", "x").refusal()

    assert "is not at the newest revision — python manage.py migrate first" in line
    assert files(house) == before
    assert server_database.all_tables() == set()


def test_a_database_that_is_ahead_is_refused(house: House, manage: Runner, sqlite_database: Database) -> None:
    file = house.add_revision("fff111", MAKES, DROPS)
    manage.ok("migrate")
    house.remove(str(file.relative_to(house.root)))
    before = files(house)

    for asked in (("-m", "x"), ("--check",)):
        assert "is at revision fff111 'By hand fff111' (applied 20" in manage("makemigrations", *asked).refusal()

    assert files(house) == before


# By hand: --empty and --data


def test_an_empty_revision_needs_no_database_and_does_nothing(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    before, head = files(house), house.line()[-1]
    house.write("project/models/teacher.py", IMPORTS + TEACHER)

    result = manage.ok("makemigrations", "--empty", "-m", "By hand")

    [written] = files(house) - before
    text = written.read_text(encoding="utf-8")
    assert f"Wrote {written.relative_to(house.root)}" in result.out
    assert written.parent.name == "schema"
    assert f'= "{head}"' in text
    assert "import sqlalchemy as sa\nfrom alembic import op\n" in text  # for what will be written by hand
    assert text.endswith("def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n")
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()
    house.remove("project/models/teacher.py")
    manage.ok("migrate")
    manage.ok("rollback", "--redo", "--no-input")


def test_a_data_migration_is_written_for_the_table_its_message_names(
    house: House, manage: Runner, migrated: Database
) -> None:
    before = files(house)

    result = manage.ok("makemigrations", "--data", "-m", "Put the languages into subjects")

    [written] = files(house) - before
    assert written.parent.name == "data"
    assert f"Wrote {written.relative_to(house.root)}" in result.out
    text = written.read_text(encoding="utf-8")
    for line in (
        '    "subjects",',
        '    sa.column("code", sa.String(length=10)),',
        "    op.bulk_insert(subjects, ROWS)",
    ):
        assert line in text.splitlines()
    row = '    {"code": "LAT", "title": "Latin: 100%, it\'s", "lowest_grade": 5, "highest_grade": 12},\n'
    house.change(str(written.relative_to(house.root)), "= [\n", f"= [\n{row}")
    manage.ok("migrate")
    assert migrated.value("SELECT title FROM subjects WHERE code = 'LAT'") == "Latin: 100%, it's"
    told = manage.ok("rollback", "--no-input").err
    assert "subjects  1 row" in told
    assert migrated.count("subjects") == 14
    manage.ok("migrate")
    manage.ok("makemigrations", "--check")


def test_a_data_migration_deletes_by_a_key_of_several_columns(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    put_in_a_student(sqlite_database)
    manage.ok("makemigrations", "--data", "-m", "Everybody has an enrollment")

    written = newest(house)
    row = '    {"student_id": 7, "subject_id": 2, "enrolled_on": date(2026, 9, 1), "mark": None},\n'
    text = written.read_text(encoding="utf-8").replace("= [\n", f"= [\n{row}")
    house.write(
        str(written.relative_to(house.root)),
        text.replace("import sqlalchemy", "from datetime import date\nimport sqlalchemy"),
    )
    manage.ok("migrate")
    both = sqlite_database.rows("SELECT subject_id FROM enrollments ORDER BY subject_id")
    manage.ok("rollback", "--no-input")

    assert both == [(1,), (2,)]
    assert sqlite_database.rows("SELECT subject_id FROM enrollments") == [(1,)]


@pytest.mark.parametrize("table", ["class", "2fa", "order"])
def test_a_data_migration_is_written_for_a_table_of_any_name(
    house: House, manage: Runner, sqlite_database: Database, table: str
) -> None:
    manage.ok("migrate")
    columns = """
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(8), server_default="none")
    part: Mapped[int]
"""
    key = "" if table == "order" else '    __table_args__ = (UniqueConstraint("code", "part"),)\n'
    house.write(
        "project/models/thing.py", f'{IMPORTS}class Thing(Base):\n    __tablename__ = "{table}"\n{key}{columns}'
    )
    manage.ok("makemigrations", "-m", "Added it")
    manage.ok("migrate")

    manage.ok("makemigrations", "--data", "-m", f"Fill {table} in")

    row = '    {"id": 7, "code": "A", "part": 1},\n' if table == "order" else '    {"code": "A", "part": 1},\n'
    house.change(str(newest(house).relative_to(house.root)), "= [\n", f"= [\n{row}")
    manage.ok("migrate")
    sqlite_database.execute(f"INSERT INTO \"{table}\" (code, part) VALUES ('A', 2)")
    manage.ok("rollback", "--no-input")
    assert sqlite_database.rows(f'SELECT code, part FROM "{table}"') == [("A", 2)]


def test_a_data_migration_of_no_known_table_is_one_to_fill_in(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("makemigrations", "--data", "-m", "Mend the numbers")

    written = newest(house)
    assert written.parent.name == "data"
    compile(written.read_text(encoding="utf-8"), str(written), "exec")
    assert "name_of_the_table" in written.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["--empty", "--data"])
def test_a_dry_run_of_what_is_filled_in_by_hand_writes_nothing_either(
    house: House, manage: Runner, sqlite_database: Database, kind: str
) -> None:
    before = files(house)

    manage.ok("makemigrations", kind, "-m", "Subjects", "--dry-run")

    assert files(house) == before


def test_schema_follows_data_and_data_follows_schema_in_one_line(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    for kind, message in (("--data", "one"), ("--empty", "two"), ("--data", "three")):
        manage.ok("makemigrations", kind, "-m", message)

    added = [house.revisions()[revision] for revision in house.line()[-3:]]
    assert [file.parent.name for file in added] == ["data", "schema", "data"]
    assert [file.stem.rpartition("_")[2] for file in added] == ["one", "two", "three"]


# Two heads


def test_two_heads_are_refused_with_their_files_and_the_way_to_join_them(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    newest_file = newest(house)
    other = house.add_revision("bbb111", MAKES, DROPS, parent=house.line()[-2])
    before = files(house)

    for asked in (("-m", "x"), ("--check",), ("--empty", "-m", "x"), ("--data", "-m", "x"), ("-m", "x", "--dry-run")):
        line = manage("makemigrations", *asked).refusal()

        assert "2 heads" in line
        assert str(newest_file.relative_to(house.root)) in line
        assert str(other.relative_to(house.root)) in line
        assert "python manage.py makemigrations --merge" in line
    assert files(house) == before


def test_merge_joins_two_heads_and_everything_goes_on(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    head = house.line()[-1]
    house.add_revision("bbb111", MAKES, DROPS, parent=house.line()[-2])
    before = files(house)

    dry = manage.ok("makemigrations", "--merge", "--dry-run")
    assert files(house) == before
    result = manage.ok("makemigrations", "--merge")

    [written] = files(house) - before
    text = written.read_text(encoding="utf-8")
    assert head in dry.out
    assert "bbb111" in dry.out
    assert f"Wrote {written.relative_to(house.root)}" in result.out
    assert written.parent.name == "schema"
    assert text.startswith('"""Merge Added Enrollment model and By hand bbb111"""')
    assert {head, "bbb111"} <= set(text.split('"'))
    manage.ok("migrate")
    assert sqlite_database.tables() == SAMPLE | {"made"}
    assert written == house.revisions()[str(sqlite_database.revision())]
    manage.ok("migrate", "zero", "--no-input")
    assert sqlite_database.tables() == set()


def test_merge_takes_a_message_of_your_own(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("bbb111", MAKES, DROPS, parent=house.line()[-2])
    before = files(house)

    manage.ok("makemigrations", "--merge", "-m", "Both of them")

    [written] = files(house) - before
    assert written.read_text(encoding="utf-8").startswith('"""Both of them"""')


def test_there_is_nothing_to_merge_with_one_head(house: House, manage: Runner, sqlite_database: Database) -> None:
    before = files(house)

    for asked in (("--merge",), ("--merge", "-m", "x"), ("--merge", "--dry-run")):
        assert "only one head, nothing to merge" in manage("makemigrations", *asked).refusal()

    assert files(house) == before


# Formatting


def ruff(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--no-cache", str(newest(house))],
        cwd=house.root,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def test_what_is_written_is_formatted_with_ruff(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.write("project/models/teacher.py", IMPORTS + TEACHER)

    for asked in (("-m", "Added Teacher model"), ("--empty", "-m", "two"), ("--data", "-m", "teachers")):
        manage.ok("makemigrations", *asked)
        manage.ok("migrate")

        formatted, linted = ruff(house, "format", "--check"), ruff(house, "check")
        assert formatted.returncode == 0, formatted.stdout
        assert linted.returncode == 0, linted.stdout


def test_without_ruff_it_is_written_all_the_same(house: House, python: Python, sqlite_database: Database) -> None:
    house.write(
        "hidden/sitecustomize.py",
        "import importlib.machinery as machinery\nimport sys\n\n\n"
        "class Hidden(machinery.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        return None if name == 'ruff' else machinery.PathFinder.find_spec(name, path, target)\n\n\n"
        "sys.meta_path[:] = [Hidden if one is machinery.PathFinder else one for one in sys.meta_path]\n",
    )
    house.write("project/models/teacher.py", IMPORTS + TEACHER)
    hidden = {"PYTHONPATH": str(house.root / "hidden")}
    house.remove("project/models/teacher.py")
    python("migrate").expect(0)
    house.write("project/models/teacher.py", IMPORTS + TEACHER)

    result = python("makemigrations", "-m", "Added Teacher model", env=hidden).expect(0)

    assert result.err == ""
    assert ruff(house, "format", "--check").returncode == 1
    python("migrate").expect(0)
    assert "teachers" in sqlite_database.tables()


# Messages


@pytest.mark.parametrize(
    "message",
    [
        '"""\nimport os; os.system("touch pwned")\n"""',
        '""" + __import__("os").system("touch pwned") + """',
        "'''; open('pwned', 'w'); '''",
        "${open('pwned', 'w')}",
        "<% open('pwned', 'w') %>",
        "% import os\n<%! open('pwned', 'w') %>",
        "pwned",
        "../../../pwned",
        "..\\..\\pwned",
        "ends with \\",
        'ends with "',
        "tab\tcarriage\rnull\\x00 %(here)s %s {} \\N{DASH} 学生 \x1b[2J",
        "x" * 300,
    ],
    ids=lambda message: ascii(message)[:30],
)
def test_a_message_is_only_ever_words(house: House, manage: Runner, sqlite_database: Database, message: str) -> None:
    kind = "data" if '"""' in message else "schema"
    place = house.root.parent
    before = {file for file in place.rglob("*") if place / "runs" not in file.parents}

    manage.ok("makemigrations", "--data" if kind == "data" else "--empty", "-m", message)
    manage.ok("showmigrations")

    after = {file for file in place.rglob("*") if place / "runs" not in file.parents}
    made = [file for file in after - before if file.is_file() and ".ruff_cache" not in file.parts]
    assert made == [newest(house)]
    assert made[0].parent == house.root / "migrations" / "versions" / kind
    assert ast.get_docstring(ast.parse(made[0].read_text(encoding="utf-8")), clean=False) == message
    assert not any("pwned" in file.name and file.suffix != ".py" for file in after)


def test_a_message_that_is_no_utf_8_writes_nothing(house: House, manage: Runner, sqlite_database: Database) -> None:
    before = files(house)

    assert "the message is not UTF-8 text" in manage("makemigrations", "--empty", "-m", "caf\udce9").refusal(2)

    assert files(house) == before


def test_a_revision_that_cannot_be_written_leaves_nothing(
    house: House, python: Python, sqlite_database: Database
) -> None:
    before = files(house)

    told = python.shell("{ ulimit -f 0; $MANAGE makemigrations --empty -m x; echo code $?; } 2>&1 | cat").out

    assert told.splitlines() == [
        "manage.py: no revision can be written to migrations/versions: File too large"
        " — make the folder writable, or make room on its disk",
        "code 1",
    ]
    assert files(house) == before


# Wrong usage


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((), 'python manage.py makemigrations -m "Added Teacher model"'),
        (("--empty",), "a revision needs a message"),
        (("--data",), "a revision needs a message"),
        (("-m", ""), "a revision needs a message"),
        (("--empty", "-m", " \n "), "a revision needs a message"),
        (("-m",), "expected one argument"),
        (("--empty", "--data", "-m", "x"), "not allowed with"),
        (("--merge", "--check"), "not allowed with"),
        (("teachers", "-m", "x"), "unrecognized arguments: teachers"),
    ],
    ids=str,
)
def test_wrong_usage_writes_nothing(
    house: House, manage: Runner, sqlite_database: Database, asked: tuple[str, ...], told: str
) -> None:
    before = files(house)

    assert told in manage("makemigrations", *asked).refusal(2)

    assert files(house) == before


def test_a_computed_column_of_a_type_with_a_comma_settles_and_goes_back(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    model = """from decimal import Decimal

from sqlalchemy import Computed, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Total(Base):
    __tablename__ = "totals"

    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int]
    twice: Mapped[Decimal] = mapped_column(Numeric(10, 2), Computed("amount * (1 + 1)"))
"""
    house.write("project/models/total.py", model)
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Totals")
    manage.ok("migrate")
    settled = manage.ok("check")
    house.write("project/models/total.py", model.replace("(1 + 1)", "(1 + 2)"))
    manage.ok("makemigrations", "-m", "Thrice")
    manage.ok("migrate")
    manage.ok("rollback", "--no-input")
    sqlite_database.execute("INSERT INTO totals (amount) VALUES (21)")

    assert "No errors" in settled.out
    assert sqlite_database.value("SELECT twice FROM totals") == 42


OWN_TYPES = """from geometry import Circle


class Point(sa.types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "VARCHAR(40)"


class Short(String):
    def __init__(self) -> None:
        super().__init__(12)


class Upper(sa.TypeDecorator):
    impl = String(20)
    cache_ok = True


class Place(Base):
    __tablename__ = "places"

    id: Mapped[int] = mapped_column(primary_key=True)
    spot: Mapped[str] = mapped_column(Point())
    either: Mapped[str] = mapped_column(Point().with_variant(String(50), "sqlite"))
    short: Mapped[str] = mapped_column(Short())
    upper: Mapped[str] = mapped_column(Upper().with_variant(String(30), "postgresql"))
    around: Mapped[str] = mapped_column(Circle())
"""


def test_types_of_ones_own_are_written_as_what_they_store_and_others_are_imported(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    circle = "import sqlalchemy as sa\n\n\nclass Circle(sa.types.UserDefinedType):\n    cache_ok = True\n\n"
    house.write("geometry.py", circle + '    def get_col_spec(self, **_):\n        return "VARCHAR(60)"\n')
    house.write("project/models/place.py", IMPORTS + OWN_TYPES)
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Places")
    written = newest(house).read_text()
    up_down_up(manage, sqlite_database)

    assert "project" not in written
    assert "import geometry\n" in written
    assert 'sa.Column("short", sa.String(length=12), nullable=False)' in written
    assert 'sa.String(length=20).with_variant(sa.String(length=30), "postgresql")' in written
    assert "VARCHAR(40)" in written.partition('"either"')[2].partition("with_variant")[0]
    shown = sqlite_database.value("SELECT sql FROM sqlite_schema WHERE name = 'places'")
    assert [*re.findall(r"\(\d+\)", shown)] == ["(40)", "(50)", "(12)", "(20)", "(60)"]


def test_a_name_that_is_too_long_is_one_line(house: House, manage: Runner, postgresql_database: Database) -> None:
    house.write("project/models/place.py", IMPORTS + LONG_NAME)
    manage.ok("migrate")

    for command in (("makemigrations", "-m", "Places"), ("check",)):
        refused = manage(*command)

        assert refused.code == 1
        assert re.fullmatch(
            r"manage.py: a name of the models is too long: Identifier 'ix_x+' exceeds .* — --traceback shows where\n",
            refused.err,
        )


LONG_NAME = f"""
class Place(Base):
    __tablename__ = "places"
    __table_args__ = (sa.Index("ix_{"x" * 70}", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
"""


DESCENDING = """
class Version(Base):
    __tablename__ = "versions"
    __table_args__ = (sa.Index("ix_versions_newest", "name", sa.text("major DESC")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    major: Mapped[int]
"""


def test_an_index_in_falling_order_is_found_as_it_was_made(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.write("project/models/version.py", IMPORTS + DESCENDING)
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Versions")
    manage.ok("migrate")
    assert manage("makemigrations", "-m", "Nothing", "--check").code == 0

    house.change("project/models/version.py", "major DESC", "major")

    assert manage("makemigrations", "-m", "The other way", "--check").code == 1
