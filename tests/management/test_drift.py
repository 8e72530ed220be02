"""Where a database is not what models and migrations say: changed CHECKs, defaults, and what somebody made by hand."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.databases import Database
from tests.houses import House, Runner
from tests.management.test_check import errors

# What a model says, and what it says later under the same name.
CHECKS = {
    "a BETWEEN 1 AND 12": "a BETWEEN 1 AND 13",
    "a IN (1, 2, 3)": "a IN (1, 2)",
    "a NOT IN (7, 8)": "a NOT IN (7, 9)",
    "s IN ('x', 'y', 'O''Brien')": "s IN ('x', 'y')",
    "s LIKE 'a%' OR s NOT LIKE '%50%'": "s LIKE 'a%' OR s NOT LIKE '%60%'",
    "s <> ''": "s <> 'X'",
    "s != 'é \"quoted\" `x`'": "s != 'É \"quoted\" `x`'",
    "a > 0 OR b IS NULL": "a > 0 AND b IS NULL",
    "NOT (a = 1 AND b = 2)": "NOT (a = 1 OR b = 2)",
    "(a = 1 OR b = 2) AND s IS NOT NULL": "a = 1 OR (b = 2 AND s IS NOT NULL)",
    "(a + b) * 2 < 100": "a + b * 2 < 100",
    "a - (b - 1) >= -5": "a - b - 1 >= -5",
    "length(s) > 3": "length(s) >= 3",
    "lower(s) = s": "upper(s) = s",
    "d >= '2020-01-01'": "d > '2020-01-01'",
    "a % 2 = 0": "a % 3 = 0",
    "n >= 0.5 AND n < 99.95": "n >= 0.5 AND n < 99.96",
    "coalesce(a, b, 0) >= 0": "coalesce(b, a, 0) >= 0",
    "CASE WHEN a = 1 THEN b ELSE 5 END > 0": "CASE WHEN a = 1 THEN b ELSE 6 END > 0",
    "abs(a) <= 10 AND \n    b = b": "abs(a) <= 10 AND \n    b = a",
}
THING = '''"""A table with CHECKs of many kinds."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Thing(Base):
    __tablename__ = "Things"
    __table_args__ = (
        {checks}
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[int | None]
    b: Mapped[int | None]
    s: Mapped[str | None] = mapped_column(String(40))
    d: Mapped[date | None]
    n: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
'''


def write_thing(house: House, conditions: list[str]) -> None:
    checks = [f'CheckConstraint({one!r}, name="check {number}"),' for number, one in enumerate(conditions)]
    house.write("project/models/thing.py", THING.format(checks="\n        ".join(checks)))


@pytest.fixture
def thing(house: House, manage: Runner, migrated: Database) -> Database:
    """A database that has the table, as the model says it."""
    write_thing(house, list(CHECKS))
    manage.ok("makemigrations", "-m", "Added Thing model")
    manage.ok("migrate")
    return migrated


def test_a_check_is_known_however_the_database_spells_it(manage: Runner, alembic: Runner, thing: Database) -> None:
    assert manage.ok("check").out == f"No errors in {thing.name}{'' if thing.file else ' on 127.0.0.1'}.\n"
    assert "No changes" in manage.ok("makemigrations", "--check").out
    alembic.ok("check")
    with thing.connect() as connection:
        assert "management_spelling" not in sa.inspect(connection).get_table_names()


def test_a_check_that_changed_under_its_name_is_found_and_migrated(
    house: House, manage: Runner, thing: Database
) -> None:
    write_thing(house, list(CHECKS.values()))

    found = errors(manage("check"))
    manage.ok("makemigrations", "-m", "Other checks")
    manage.ok("migrate")

    assert [identity for identity, _, _ in found] == ["models.E002"] * len(CHECKS)
    for number in range(len(CHECKS)):
        assert any(f": change CHECK check {number} on Things from " in message for _, message, _ in found)
    assert any(message.endswith(" to a BETWEEN 1 AND 13") for _, message, _ in found)
    manage.ok("check")
    manage.ok("rollback", "--redo", "--no-input")
    manage.ok("check")


def test_a_column_an_index_and_a_table_made_by_hand_are_named(manage: Runner, migrated: Database) -> None:
    migrated.execute(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY)",
        "ALTER TABLE students ADD COLUMN nickname VARCHAR(20)",
        "CREATE INDEX ix_by_hand ON students (grade)",
    )
    if can_index_expressions := migrated.kind != "mariadb":
        migrated.execute("CREATE INDEX ix_lower ON students (lower(name))")

    result = manage("check")

    found = errors(result)
    hint = 'python manage.py makemigrations -m "..." writes the revision'
    hint += "; or, if somebody made it by hand, put it into the model"
    assert sorted(one for one in found if one[0] == "models.E002") == [
        ("models.E002", "the database is not what the models say: remove column students.nickname", hint),
        ("models.E002", "the database is not what the models say: remove index ix_by_hand on students", hint),
        *[("models.E002", "the database is not what the models say: remove index ix_lower on students", hint)]
        * can_index_expressions,
    ]
    assert "database.W002: " in result.out
    assert " has table notes, which no model and no migration knows\n  somebody made it by hand" in result.out


def test_an_index_on_an_expression_that_somebody_made_goes_and_comes_again(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.add_revision("aaa111", 'op.create_index("ix_ours", "students", [sa.text("upper(name)")])')
    made = "CREATE INDEX \"ix by hand\" ON students (name || ':x%')\n  WHERE grade > 3"
    catalogue = "SELECT sql FROM sqlite_master WHERE name = 'ix by hand'"
    manage.ok("migrate")
    manage.ok("check")
    sqlite_database.execute(made.replace(":", "\\:"))

    manage.ok("makemigrations", "-m", "Without it")
    manage.ok("migrate")
    gone = sqlite_database.rows(catalogue)
    manage.ok("check")
    manage.ok("rollback", "--no-input")

    assert gone == []
    assert sqlite_database.rows(catalogue) == [(made,)]


def test_constraints_that_were_never_validated_are_warnings(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    check, key = "grade_between_1_and_12", "fk_enrollments_subject_id_subjects"
    manage.ok("migrate")
    for table, name, says in (
        ("students", check, "CHECK (grade BETWEEN 1 AND 12)"),
        ("enrollments", key, "FOREIGN KEY (subject_id) REFERENCES subjects"),
    ):
        again = f"DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {says} NOT VALID"
        postgresql_database.execute(f"ALTER TABLE {table} {again}")

    checked = manage.ok("check")
    compared = manage.ok("makemigrations", "--check")
    house.change("project/models/student.py", f'name="{check}"', f'name="{check}", postgresql_not_valid=True')
    meant = manage.ok("check")

    assert (checked.err, compared.err) == ("", "")
    never = "is NOT VALID: rows from before it may break it\n  ALTER TABLE"
    of_check = f"models.W002: CHECK {check} on students {never} students VALIDATE CONSTRAINT {check}\n"
    of_key = f"models.W002: foreign key {key} on enrollments {never} enrollments VALIDATE CONSTRAINT {key}\n"
    assert checked.out.startswith(of_key + of_check)
    assert meant.out.startswith(of_key)
    assert check not in meant.out


def test_the_way_back_of_a_check_that_was_never_validated_leaves_it_so(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    postgresql_database.execute("ALTER TABLE students ADD CONSTRAINT by_hand CHECK (grade > 3) NOT VALID")

    written = manage.ok("makemigrations", "-m", "Without it")
    manage.ok("migrate")
    assert postgresql_database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'by_hand'") == 0
    manage.ok("rollback", "--no-input")

    assert written.err == ""
    assert postgresql_database.value("SELECT convalidated FROM pg_constraint WHERE conname = 'by_hand'") is False


COMMENTED = {
    "sqlite": [],
    "postgresql": ["COMMENT ON COLUMN students.grade IS 'a year'", "COMMENT ON TABLE students IS 'all'"],
    "mariadb": ["ALTER TABLE students COMMENT 'all', MODIFY grade integer NOT NULL COMMENT 'a year'"],
}


def test_defaults_and_comments_are_warnings(house: House, manage: Runner, migrated: Database) -> None:
    house.change(
        "project/models/student.py",
        "    grade: Mapped[int]\n",
        '    grade: Mapped[int] = mapped_column(server_default="3", comment="school year")\n',
    )
    name = 'name="grade_between_1_and_12"),\n'
    house.change("project/models/student.py", name, f'{name}        {{"comment": "pupils"}},\n')
    migrated.execute(*COMMENTED[migrated.kind])

    result = manage.ok("check")

    said = [line.partition("what the models say: ")[2] for line in result.out.splitlines()[:-1:2]]
    if migrated.kind == "sqlite":  # which has no comments
        assert said == ["modify default students.grade"]
    else:
        assert sorted(said) == [
            "add table comment students",
            "modify default students.grade; modify comment students.grade",
        ]
    assert result.out.splitlines()[-1].endswith(f"; {len(said)} warning{'s' * (len(said) > 1)}.")
    assert manage("makemigrations", "--check").code == 1


TYPES = """

from enum import Enum as PythonEnum

from sqlalchemy import Boolean, Enum


class Size(PythonEnum):
    small = "S"
    large = "L"


class Sized(Base):
    __tablename__ = "sized"

    id: Mapped[int] = mapped_column(primary_key=True)
    ok: Mapped[bool] = mapped_column(Boolean(create_constraint=True, name="ok_is_bool"))
    size: Mapped[Size] = mapped_column(Enum(Size, native_enum=False, length=9, create_constraint=True, name="a_size"))
    real: Mapped[Size] = mapped_column(Enum(Size, name="real_size", create_constraint=True))
"""


def test_checks_that_types_bring_along_are_no_difference(house: House, manage: Runner, migrated: Database) -> None:
    write_thing(house, ["s <> '  '"])
    house.write("project/models/thing.py", house.read("project/models/thing.py") + TYPES)
    manage.ok("makemigrations", "-m", "Added types")
    manage.ok("migrate")

    manage.ok("check")
    assert "No changes" in manage.ok("makemigrations", "--check").out
    write_thing(house, ["s <> ' '"])  # a space less
    house.write("project/models/thing.py", house.read("project/models/thing.py") + TYPES)
    house.change("project/models/thing.py", '    large = "L"\n', "")

    said = manage("makemigrations", "--check").out
    assert "change CHECK check 0 on Things from " in said
    [of_size] = [line for line in said.splitlines() if line.startswith("  change CHECK a_size on sized from ")]
    assert of_size.endswith(" IN ('small')")
