"""Resetting: what is lost is said and asked for, what is not ours stays, and what comes out is proven."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import SERVERS, Database, fresh
from tests.houses import House, OpenTerminal, Runner

SAMPLE = {"students", "subjects", "enrollments"}
STUDENTS = "SELECT id, name, email, grade, birthday FROM students ORDER BY id"
ENROLLMENTS = "SELECT id, student_id, subject_id, enrolled_on, mark FROM enrollments ORDER BY id"
BOOKKEEPING = "SELECT * FROM management_metadata ORDER BY 1"
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'
FAILS = f'{MAKES}\nop.execute("INSERT INTO a_table_nobody_made (id) VALUES (1)")'
HANGS = f"""\
import sys
import time
{MAKES}
sys.stderr.write("half-way\\n")
sys.stderr.flush()
time.sleep(3600)
"""
# Fills a column with what its CHECK forbids.
BREAKS = """\
from project.management.seeding import Rows, Seeder, column
from project.models.student import Student


class StudentSeeder(Seeder):
    model = Student

    @column
    def grade(self, rows: Rows) -> list[int]:
        return [99] * len(rows["name"])
"""
DECLARES = """\
from project.management.fields import between
from project.management.seeding import Seeder
from project.models.student import Student


class StudentSeeder(Seeder):
    model = Student
    grade = between(1, 99)
"""
PAPER = """\
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Paper(Base):
    __tablename__ = "papers"
    __table_args__ = {"schema": "archive"}

    id: Mapped[int] = mapped_column(primary_key=True)
"""
# Two tables that refer to each other: neither can be dropped alone.
CIRCLE = """\
op.create_table("houses", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("owner", sa.Integer()))
op.create_table(
    "owners",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("house", sa.Integer(), sa.ForeignKey("houses.id", name="fk_owners_house")),
)
with op.batch_alter_table("houses") as batch:
    batch.create_foreign_key("fk_houses_owner", "owners", ["owner"], ["id"])
"""


def put_in_ada(database: Database, number: int = 7000) -> None:
    database.execute(
        "INSERT INTO students (id, name, email, grade, birthday)"
        f" VALUES ({number}, 'Ada Lovelace', 'ada{number}@example.org', 5, '2015-12-10')"
    )


def adas(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM students WHERE name = 'Ada Lovelace'"))


def expect_fresh(house: House, database: Database, students: int = 100) -> None:
    """Fail unless the database is as a reset leaves it."""
    assert database.tables() == SAMPLE
    assert database.revision() == house.line()[-1]
    assert database.count("students") == students
    assert database.count("subjects") == 14
    assert adas(database) == 0


# Asking


def test_reset_says_what_will_be_lost_and_asks_for_the_databases_name(
    house: House, manage: Runner, terminal: OpenTerminal, migrated: Database
) -> None:
    manage.ok("seed", "--count", "1200")
    put_in_ada(migrated)
    put_in_ada(migrated, 7001)
    screen = terminal("reset")

    shown = screen.read_until("to go on: ")
    before = adas(migrated)
    screen.type(migrated.name)

    header, *rows, question = shown.splitlines()
    assert header.startswith(f"reset empties {migrated.name}")
    assert header.endswith(", development). It holds")
    assert [" ".join(row.split()) for row in rows] == [
        "enrollments 1,200 rows",
        "students 1,202 rows 2 of them not from seed",
        f"subjects 14 rows from migration {house.line()[3]}",
    ]
    assert len({row.index(" rows") for row in rows}) == 1
    assert question == f"Type {migrated.name} to go on: "
    assert before == 2
    screen.wait().expect(0)
    expect_fresh(house, migrated)


@pytest.mark.parametrize("keys", [b"no\n", b"\n", b"\x04"], ids=["no", "Enter", "Ctrl-D"])
def test_any_other_answer_changes_nothing(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database, keys: bytes
) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    screen = terminal("reset")
    screen.read_until("to go on: ")

    screen.press(keys)

    assert "nothing was changed" in screen.wait().expect(1).out
    assert adas(sqlite_database) == 1


def test_ctrl_c_at_the_question_changes_nothing(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    screen = terminal("reset")
    screen.read_until("to go on: ")

    screen.interrupt()

    assert "Traceback" not in screen.wait().expect(130).out
    assert adas(sqlite_database) == 1


def test_without_a_terminal_reset_is_refused_with_the_loss_and_names_no_input(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)

    line = manage("reset", stdin=f"{sqlite_database.name}\n").refusal()

    assert f"reset empties {sqlite_database.name} (SQLite, development). It holds" in line
    assert "students 1 row 1 of them not from seed" in line
    assert "subjects 14 rows" in line
    assert line.endswith(" — --no-input goes on without the question")
    assert adas(sqlite_database) == 1


def test_an_empty_database_loses_nothing_and_so_nothing_is_asked(
    house: House, manage: Runner, database: Database
) -> None:
    result = manage.ok("reset")

    assert result.err == ""
    expect_fresh(house, database)
    assert database.metadata("environment") == "development"


# What comes out


def test_a_reset_database_is_the_same_as_a_new_one(house: House, manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "30")
    before = [migrated.rows(table) for table in (STUDENTS, ENROLLMENTS, BOOKKEEPING)]
    migrated.execute("DELETE FROM enrollments WHERE id > 3", "UPDATE students SET name = 'Ada Lovelace'")
    manage.ok("seed", "--add", "5")

    result = manage.ok("reset", "--noinput", "--count", "30")

    assert re.search(r"students +35 rows\n", result.err)
    assert "to go on" not in result.err
    assert [line.split()[0] for line in result.out.splitlines() if line.startswith("  ")] == [
        *house.line(),
        "students",
        "subjects",
        "enrollments",
    ]
    told, undo = result.out.splitlines()[-2:]
    assert told.startswith(migrated.name)
    assert re.search(r" is reset: at head, as the models say\. Rebuilt in \d+\.\d\d s\.$", told)
    assert re.fullmatch(r"To undo it: python manage\.py restore before-reset-\d{8}-\d{6}", undo)
    assert [migrated.rows(table) for table in (STUDENTS, ENROLLMENTS, BOOKKEEPING)] == before
    expect_fresh(house, migrated, students=30)
    assert "No errors" in manage.ok("check").out


def test_reset_takes_the_options_of_seed(manage: Runner, sqlite_database: Database) -> None:
    options = ("--count", "7", "--random-seed", "5", "--locale", "de_DE")
    manage.ok("migrate")
    manage.ok("seed", *options)
    seeded = sqlite_database.rows(STUDENTS)

    told = manage.ok("reset", "--no-input", *options).out
    same = sqlite_database.rows(STUDENTS)
    manage.ok("reset", "--no-input", *options, "--random-seed", "6")
    other = sqlite_database.rows(STUDENTS)

    assert "Random seed 5, locale de_DE." in told
    assert len(seeded) == 7
    assert same == seeded
    assert other != seeded


def test_no_seed_leaves_what_the_migrations_put_in(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)

    manage.ok("reset", "--no-input", "--no-seed")

    expect_fresh(house, sqlite_database, students=0)
    assert sqlite_database.count("enrollments") == 0


def test_no_seed_is_not_held_up_by_a_seeder(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write("project/seeds/students.py", DECLARES)

    manage("reset", "--no-input").refusal()
    manage.ok("reset", "--no-input", "--no-seed")

    assert sqlite_database.count("students") == 0


def test_models_that_no_migration_makes_are_found_at_the_end(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.change("project/models/student.py", "grade: Mapped[int]", "grade: Mapped[int] = mapped_column(index=True)")

    line = manage("reset").refusal()

    assert "after the reset the database is not what the models say" in line
    assert "ix_students_grade" in line
    assert "python manage.py makemigrations" in line


def test_comments_that_sqlite_could_not_compare_do_not_stop_a_reset(
    house: House, manage: Runner, sqlite_database: Database, tmp_path: Path
) -> None:
    manage.ok("migrate")
    house.change(
        "project/models/student.py", "String(100), index=True", 'String(100), index=True, comment="of anybody"'
    )
    house.change(
        "project/models/subject.py",
        'name="grades_from_lowest_to_highest",\n        ),\n',
        'name="grades_from_lowest_to_highest",\n        ),\n        {"comment": "what is taught"},\n',
    )
    manage.ok("makemigrations", "--check")

    for kind in SERVERS:
        with fresh(kind, tmp_path) as server:
            manage.ok("reset", "--no-input", "--no-seed", "--database-url", server.url)


def test_a_missing_constraint_is_found_at_the_end(house: House, manage: Runner, sqlite_database: Database) -> None:
    student = next(file for file in house.revisions().values() if "student_model" in file.name)
    check = next(line for line in student.read_text("utf-8").splitlines() if "grade_between_1_and_12" in line)
    house.change(str(student.relative_to(house.root)), f"{check}\n", "")

    line = manage("reset").refusal()

    assert "not what the models say" in line
    assert "grade_between_1_and_12" in line


# Refused before anything is changed


def test_options_that_cannot_be_are_refused(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    for options, told, code in (
        (("--locale", "xx_XX"), "no locale 'xx_XX'", 1),
        (("--count", "-1"), "--count", 2),
        (("--count", "many"), "'many' is not a number of rows", 2),
        (("--count", "5000000000"), "--count 5,000,000,000 is more than", 2),
        (("--random-seed", "x"), "'x' is not a whole number", 2),
        (("--drop",), "--drop", 2),
        (("students",), "students", 2),
    ):
        assert told in manage("reset", "--no-input", *options).refusal(code)

    assert adas(sqlite_database) == 1


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("project/models/student.py", "import nothing_of_this_name\n", "project/models/student.py"),
        ("project/seeds/students.py", "raise LookupError\n", "project/seeds/students.py"),
        ("project/seeds/students.py", DECLARES, "grade_between_1_and_12"),
        ("migrations/versions/schema/20300101_0000_aaa111_x.py", "def upgrade(:\n", "aaa111"),
    ],
    ids=["model", "seeder", "declared field", "migration"],
)
def test_code_that_could_never_build_the_database_again_is_refused(
    house: House, manage: Runner, sqlite_database: Database, path: str, text: str, told: str
) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    house.write(path, text)

    line = manage("reset", "--no-input").refusal()

    assert told in line
    assert adas(sqlite_database) == 1


def test_two_heads_are_refused(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    head = house.line()[-1]
    house.add_revision("aaa111", MAKES, DROPS, parent=head)
    house.add_revision("aaa222", "pass", parent=head)

    line = manage("reset", "--no-input").refusal()

    assert "2 heads" in line
    assert adas(sqlite_database) == 1


# What is not ours


def test_unknown_tables_are_named_and_dropped_only_when_told_so(
    house: House, manage: Runner, migrated: Database
) -> None:
    strange = ("diary", "order", "50% off", "o'clock", "a:b", "UPPER")
    with migrated.connect() as connection:
        quote = connection.dialect.identifier_preparer.quote_identifier
        for name in strange:
            connection.exec_driver_sql(f"CREATE TABLE {quote(name)} (id INTEGER)")
        connection.execute(sa.text("INSERT INTO diary VALUES (1), (2)"))
        connection.commit()
    put_in_ada(migrated)

    refused = manage("reset", "--no-input").refusal()
    ada, there = adas(migrated), migrated.tables()
    asked = manage("reset", "--drop-unknown").refusal()
    told = manage.ok("reset", "--drop-unknown", "--no-input").err

    assert f"{', '.join(sorted(strange))}, which no model or migration of this project knows" in refused
    assert refused.endswith(" — nothing was changed; --drop-unknown drops them too")
    assert ada == 1
    assert len(there) == len(SAMPLE) + len(strange)
    assert "diary 2 rows" in asked
    assert re.search(r"diary +2 rows", told)
    expect_fresh(house, migrated)


def test_unknown_views_and_foreign_keys_onto_ours_hold_everything_back(
    house: House, manage: Runner, migrated: Database
) -> None:
    migrated.execute(
        "CREATE TABLE lockers (id INTEGER PRIMARY KEY, student INTEGER,"
        " CONSTRAINT fk_lockers FOREIGN KEY (student) REFERENCES students (id))",
        "CREATE VIEW a_view AS SELECT * FROM students",
        "CREATE VIEW z_view AS SELECT a_view.name, b.grade FROM a_view, students b",
        "CREATE VIEW b_view AS SELECT * FROM z_view",
    )
    put_in_ada(migrated)

    line = manage("reset", "--no-input").refusal()
    ada = adas(migrated)
    manage.ok("reset", "--no-input", "--drop-unknown")

    assert "a_view, b_view, lockers, z_view" in line
    assert ada == 1
    expect_fresh(house, migrated)


def test_tables_and_views_of_migrations_are_ours(house: House, manage: Runner, migrated: Database) -> None:
    house.add_revision("aaa111", f'{MAKES}\nop.execute("CREATE VIEW adults AS SELECT * FROM students WHERE grade > 6")')
    manage.ok("migrate")
    house.add_revision("aaa222", DROPS)

    manage.ok("reset", "--no-input")

    expect_fresh(house, migrated)
    assert 0 < migrated.count("adults") < 100


def test_tables_that_refer_to_each_other_are_dropped(house: House, manage: Runner, migrated: Database) -> None:
    house.add_revision("aaa111", CIRCLE)
    manage.ok("migrate")
    migrated.execute("INSERT INTO houses VALUES (1, NULL)", "INSERT INTO owners VALUES (1, 1)")
    migrated.execute("UPDATE houses SET owner = 1")
    house.add_revision("aaa111", "pass", parent=house.line()[-2])

    manage.ok("reset", "--no-input", "--drop-unknown")

    expect_fresh(house, migrated)


def test_a_materialized_view_is_named_and_dropped(house: House, manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    postgresql_database.execute("CREATE MATERIALIZED VIEW mv AS SELECT * FROM students")

    line = manage("reset", "--no-input").refusal()
    manage.ok("reset", "--no-input", "--drop-unknown")

    assert "mv, which no model or migration" in line
    expect_fresh(house, postgresql_database)


def test_what_depends_on_ours_in_another_schema_is_named(manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    postgresql_database.execute(
        "CREATE SCHEMA other",
        "CREATE TABLE other.t (s integer REFERENCES students (id))",
        "CREATE VIEW other.v AS SELECT * FROM students",
    )

    line = manage("reset", "--no-input").refusal()

    assert "other.t" in line
    assert "other.v" in line
    assert "--traceback" not in line


def test_what_belongs_to_an_extension_is_left_alone(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    postgresql_database.execute("CREATE EXTENSION pg_stat_statements")

    manage.ok("reset", "--no-input")

    expect_fresh(house, postgresql_database)
    assert postgresql_database.value("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'") == 1


def test_virtual_tables_of_sqlite(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    sqlite_database.execute("CREATE VIRTUAL TABLE names USING fts5(name)")

    line = manage("reset", "--no-input").refusal()
    manage.ok("reset", "--no-input", "--drop-unknown")

    assert "holds names, which no model or migration" in line
    expect_fresh(house, sqlite_database)


def test_a_virtual_table_of_a_migration_is_ours(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("aaa111", 'op.execute("CREATE VIRTUAL TABLE names USING fts5(name)")')
    manage.ok("migrate")

    manage.ok("reset", "--no-input")

    assert sqlite_database.count("names") == 0


def test_a_sequence_of_a_migration_is_made_anew(house: House, manage: Runner, postgresql_database: Database) -> None:
    house.add_revision("aaa111", 'op.execute("CREATE SEQUENCE numbers")')
    manage.ok("migrate")

    manage.ok("reset", "--no-input")

    expect_fresh(house, postgresql_database)


def test_a_table_of_another_schema_is_dropped_and_a_strange_one_there_is_named(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    house.write("project/models/paper.py", PAPER)
    house.add_revision(
        "aaa111",
        'op.execute("CREATE SCHEMA IF NOT EXISTS archive")\n'
        'op.create_table("papers", sa.Column("id", sa.Integer(), primary_key=True), schema="archive")',
    )
    manage.ok("migrate")
    postgresql_database.execute("INSERT INTO archive.papers VALUES (1)", "CREATE TABLE archive.diary (id INTEGER)")

    refused = manage("reset", "--no-input").refusal()
    told = manage.ok("reset", "--no-input", "--no-seed", "--drop-unknown").err

    assert "archive.diary" in refused
    assert re.search(r"archive\.papers +1 row", told)
    assert postgresql_database.count("archive.papers") == 0
    assert postgresql_database.value("SELECT to_regclass('archive.diary')") is None


# Databases in any state


def test_a_database_at_a_revision_this_checkout_does_not_have_is_reset(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    file = house.add_revision("aaa111", 'op.add_column("students", sa.Column("nickname", sa.String(20)))')
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    house.remove(str(file.relative_to(house.root)))

    manage.ok("reset", "--no-input")

    expect_fresh(house, sqlite_database)
    assert "nickname" not in {name for _, name, *_ in sqlite_database.rows("PRAGMA table_info(students)")}


def test_a_table_of_a_revision_this_checkout_does_not_have_is_not_ours(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    file = house.add_revision("aaa111", MAKES)
    manage.ok("migrate")
    house.remove(str(file.relative_to(house.root)))

    line = manage("reset", "--no-input").refusal()
    manage.ok("reset", "--no-input", "--drop-unknown")

    assert "holds made, which no model or migration" in line
    expect_fresh(house, sqlite_database)


def test_tables_without_bookkeeping_are_reset(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    sqlite_database.execute("DROP TABLE alembic_version", "DROP TABLE management_metadata")

    told = manage.ok("reset", "--no-input").err

    assert re.search(r"students +1 row +1 of them not from seed", told)
    expect_fresh(house, sqlite_database)


def test_a_half_migrated_database_is_reset(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate", "+2")
    put_in_ada(sqlite_database)

    manage.ok("reset", "--no-input")

    expect_fresh(house, sqlite_database)


# Failing


def test_after_a_failing_migration_the_next_reset_ends_right(house: House, manage: Runner, migrated: Database) -> None:
    house.add_revision("bad111", FAILS)

    line = manage("reset", "--no-input").expect(1).err.splitlines()[-1]
    again = manage("reset", "--no-input").expect(1).err.splitlines()[-1]
    house.add_revision("bad111", f"{MAKES}\n{DROPS}", parent=house.line()[-2])
    manage.ok("reset", "--no-input")

    for one in (line, again):
        assert "revision bad111 'By hand bad111'" in one
        assert "a_table_nobody_made" in one
    expect_fresh(house, migrated)


def test_after_a_failing_seeder_the_next_reset_ends_right(house: House, manage: Runner, migrated: Database) -> None:
    good = house.read("project/seeds/students.py")
    house.write("project/seeds/students.py", BREAKS)

    result = manage("reset", "--no-input").expect(1)
    left = migrated.count("students")
    house.write("project/seeds/students.py", good)
    manage.ok("reset", "--no-input")

    assert "Traceback" not in result.err
    assert (
        "students.grade would be 99 in row 1, which CHECK grade_between_1_and_12 forbids" in result.err.splitlines()[-1]
    )
    assert "is reset" not in result.out
    assert left == 0
    expect_fresh(house, migrated)


def test_a_seeder_that_raises_is_one_line(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write(
        "project/seeds/students.py", BREAKS.replace('return [99] * len(rows["name"])', 'raise ValueError("no luck")')
    )

    line = manage("reset").refusal()

    assert "no luck" in line
    assert "students" in line


def test_after_a_killed_reset_the_next_one_ends_right(house: House, manage: Runner, migrated: Database) -> None:
    house.add_revision("bad111", HANGS)
    running = manage.start("reset", "--no-input")
    running.wait_for("half-way")

    running.kill()

    house.add_revision("bad111", f"{MAKES}\n{DROPS}", parent=house.line()[-2])
    manage.ok("reset", "--no-input")
    expect_fresh(house, migrated)


def in_its_place(house: House) -> None:
    """Have the next reset build in the database itself: it may say something of that."""
    house.write("migrations/note.txt", "CREATE EXTENSION hstore; COMMENT ON DATABASE school IS 'ours';")


# Others at the same database


def test_reset_works_while_other_sessions_are_connected(
    house: House, manage: Runner, server_database: Database
) -> None:
    """On PostgreSQL they are ended where what is built beside the database takes its place."""
    if server_database.kind == "postgresql":
        in_its_place(house)
    manage.ok("migrate")
    put_in_ada(server_database)
    with server_database.connect() as first, server_database.connect() as second:
        assert first.scalar(sa.text("SELECT count(*) FROM students")) == 1
        assert second.scalar(sa.text("SELECT count(*) FROM subjects")) == 14
        first.commit()
        second.rollback()

        manage.ok("reset", "--no-input")

        assert first.scalar(sa.text("SELECT count(*) FROM students")) == 100
        assert second.scalar(sa.text("SELECT count(*) FROM subjects")) == 14
    expect_fresh(house, server_database)


def test_a_session_that_only_read_in_an_open_transaction_does_not_stop_a_reset(
    house: House, manage: Runner, server_database: Database
) -> None:
    manage.ok("migrate")
    with server_database.engine().connect() as reader:
        reader.exec_driver_sql("SELECT * FROM students").all()

        manage.ok("reset", "--no-input")

        reader.invalidate()
    expect_fresh(house, server_database)


# The SQLite file


def test_the_sqlite_file_is_never_replaced_under_another_session(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    assert sqlite_database.file is not None
    before = sqlite_database.file.stat()
    session = sqlite3.connect(sqlite_database.file)
    assert session.execute("SELECT count(*) FROM students").fetchone() == (0,)

    manage.ok("reset", "--no-input")

    assert session.execute("SELECT count(*) FROM students").fetchone() == (100,)
    session.execute("DELETE FROM enrollments")
    session.commit()
    session.close()
    after = sqlite_database.file.stat()
    assert (after.st_ino, after.st_dev) == (before.st_ino, before.st_dev)
    assert sqlite_database.count("enrollments") == 0
    assert sorted(path.name for path in sqlite_database.file.parent.glob("*.db*")) == [sqlite_database.name]


def test_a_link_to_the_sqlite_file_survives(
    house: House, manage: Runner, sqlite_database: Database, tmp_path: Path
) -> None:
    assert sqlite_database.file is not None
    link = tmp_path / "link.db"
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    link.symlink_to(sqlite_database.file)

    result = manage.ok("reset", "--no-input", env={"DATABASE_URL": f"sqlite:///{link}"})

    assert link.is_symlink()
    assert "link.db is reset: at head, as the models say." in result.out
    expect_fresh(house, sqlite_database)


def test_a_session_that_reads_in_wal_mode_does_not_stop_a_reset(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    assert sqlite_database.file is not None
    reader = sqlite3.connect(sqlite_database.file, isolation_level=None)
    assert reader.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM students").fetchall()

    manage.ok("reset", "--no-input")

    assert reader.execute("SELECT count(*) FROM students").fetchone() == (0,)
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM students").fetchone() == (100,)
    assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reader.close()
    expect_fresh(house, sqlite_database)


def test_a_file_that_is_no_database_is_left_as_it_is(manage: Runner, sqlite_database: Database) -> None:
    assert sqlite_database.file is not None
    sqlite_database.file.write_bytes(b"These are minutes, and no database.\n" * 200)

    line = manage("reset", "--no-input").refusal()

    assert "is not an SQLite database" in line
    assert sqlite_database.file.read_bytes() == b"These are minutes, and no database.\n" * 200
