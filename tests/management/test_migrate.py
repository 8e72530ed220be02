"""Migrating: there and back, all or nothing, one at a time, on each of the three databases."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess

import pytest
import sqlalchemy as sa

from tests.databases import BOOKKEEPING, Database
from tests.houses import House, OpenTerminal, Runner, environment
from tests.processes import DEADLINE

MESSAGES = (
    "Empty Init",
    "Added Student model",
    "Added Subject model",
    "Put the subjects in",
    "Added Enrollment model",
)
SAMPLE = {"students", "subjects", "enrollments"}
# Makes a table and a row in it, then fails.
FAILS = """\
op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("INSERT INTO half (id) VALUES (1)")
op.execute("INSERT INTO a_table_nobody_made (id) VALUES (1)")
"""
# Makes a table, says so, and then takes an hour.
HANGS = """\
import sys
import time
op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
sys.stderr.write("half-way\\n")
sys.stderr.flush()
while True:
    time.sleep(0.05)  # a signal that comes just before a sleep is seen after it
"""
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'
ADDS_A_SUBJECT = """\
op.execute(
    "INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('LAT', 'Latin', 5, 12)"
)
"""


def put_in_a_student(database: Database) -> None:
    database.execute(
        "INSERT INTO students (id, name, email, grade, birthday)"
        " VALUES (7, 'Ada Lovelace', 'ada@example.org', 5, '2015-12-10')"
    )


# There


def test_migrate_applies_every_revision_a_line_each(house: House, manage: Runner, database: Database) -> None:
    result = manage.ok("migrate")

    header, *steps, end = result.out.splitlines()
    assert header.startswith(database.name)
    assert header.endswith(", development)")
    assert [step.split()[0] for step in steps] == house.line()
    assert all(message in step for message, step in zip(MESSAGES, steps, strict=True))
    assert all(re.search(r" \d+\.\d\d s$", step) for step in steps)
    assert "data" in steps[3]
    assert "14 rows" in steps[3]
    assert end == f"5 revisions applied, at head {house.line()[-1]}.   Next: python manage.py seed"
    assert result.err == ""
    assert database.tables() == SAMPLE
    assert database.revision() == house.line()[-1]
    assert database.count("subjects") == 14


def test_the_lines_of_the_steps_are_aligned(manage: Runner, sqlite_database: Database) -> None:
    lines = manage.ok("migrate").out.splitlines()[1:-1]

    assert len({line.index(message) for line, message in zip(lines, MESSAGES, strict=True)}) == 1
    assert len({len(line) for line in lines}) == 1


def test_migrating_twice_does_nothing_the_second_time(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")

    result = manage.ok("migrate")

    assert result.out.splitlines()[1:] == [f"Nothing to do: at head {house.line()[-1]}."]
    assert database.count("subjects") == 14


def test_migrate_goes_to_the_revision_that_is_named(house: House, manage: Runner, database: Database) -> None:
    empty, student, subject, data, enrollment = house.line()
    for asked, reached in (
        ("+1", empty),
        (student, student),
        (data[:4], data),
        ("-1", subject),
        ("head", enrollment),
        ("-2", subject),
        ("+2", enrollment),
        (empty, empty),
        ("zero", None),
    ):
        manage.ok("migrate", asked, "--no-input")

        assert database.revision() == reached
    assert database.tables() == set()


def test_migrate_says_nothing_of_seeding_before_the_head(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    result = manage.ok("migrate", "+1")

    assert result.out.splitlines()[-1] == f"1 revision applied, at {house.line()[0]}."


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("xyz", ["no revision 'xyz'", "python manage.py showmigrations"]),
        ("+9", ["9 revisions cannot be applied: 5 are pending"]),
        ("-1", ["1 revision cannot be taken back: 0 are applied"]),
        ("", ["revision"]),
        ("+x", ["+x"]),
        ("base; DROP TABLE students", ["no revision"]),
    ],
)
def test_a_revision_that_is_not_there_is_refused(
    manage: Runner, sqlite_database: Database, asked: str, told: list[str]
) -> None:
    line = manage("migrate", asked).refusal()

    assert all(words in line for words in told)
    assert sqlite_database.revision() is None


def test_a_revision_that_is_nearly_there_is_refused_with_the_close_one(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    right = house.line()[1]
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")

    assert f"Did you mean '{right}'" in manage("migrate", wrong).refusal()


def test_the_beginning_of_two_revisions_is_refused_with_both(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.add_revision("abc111", MAKES, DROPS)
    house.add_revision("abc222", "pass", parent="abc111")

    line = manage("migrate", "abc").refusal()

    assert "2 revisions begin with 'abc'" in line
    assert "abc111" in line
    assert "abc222" in line


def test_the_first_migration_records_the_environment(manage: Runner, database: Database) -> None:
    manage.ok("migrate", "+1", env={"ENVIRONMENT": "test"})
    manage.ok("migrate", env={"ENVIRONMENT": "development"})

    assert database.metadata("environment") == "test"


# Looking first


def test_plan_lists_the_steps_and_does_nothing(house: House, manage: Runner, database: Database) -> None:
    result = manage.ok("migrate", "--plan")

    assert [line.split()[:2] for line in result.out.splitlines()] == [["up", revision] for revision in house.line()]
    assert all(message in line for message, line in zip(MESSAGES, result.out.splitlines(), strict=True))
    assert database.all_tables() == set()


def test_plan_of_going_back_lists_the_steps_down(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")

    result = manage.ok("migrate", house.line()[2], "--plan")

    assert [line.split()[:2] for line in result.out.splitlines()] == [
        ["down", revision] for revision in reversed(house.line()[3:])
    ]
    assert database.tables() == SAMPLE
    assert manage.ok("migrate", "--plan").out == "Nothing to do.\n"


def test_check_exits_with_1_while_a_step_is_pending(house: House, manage: Runner, database: Database) -> None:
    before = manage("migrate", "--check").expect(1)
    assert database.all_tables() == set()
    manage.ok("migrate")
    after = manage.ok("migrate", "--check")

    assert before.err == "manage.py: 5 revisions pending — python manage.py migrate applies them\n"
    assert house.line()[0] in before.out
    assert after.out == "Nothing to do.\n"


def run_in_the_databases_own_client(house: House, database: Database, sql: str) -> None:
    address = database.address
    if database.file is not None:
        with sqlite3.connect(database.file) as connection:
            connection.executescript(sql)
        connection.close()
        return
    flags = [f"--host={address.host}", f"--port={address.port}"]
    client = {
        "postgresql": ["psql", *flags, f"--username={address.username}", "-v", "ON_ERROR_STOP=1", "-q"],
        "mariadb": ["mariadb", *flags, f"--user={address.username}"],
    }[database.kind]
    subprocess.run(
        [*client, database.name],
        input=sql,
        env=environment(house, None, None),
        text=True,
        check=True,
        capture_output=True,
        timeout=DEADLINE,
    )


def test_sql_is_what_this_database_lacks_and_brings_it_to_head(
    house: House, manage: Runner, database: Database
) -> None:
    whole = manage.ok("migrate", "--sql").out
    assert database.all_tables() == set()
    manage.ok("migrate", "+2")
    rest = manage.ok("migrate", "--sql").out

    assert "CREATE TABLE students" in whole
    assert "CREATE TABLE students" not in rest
    assert "CREATE TABLE enrollments" in rest
    assert database.revision() == house.line()[1]

    run_in_the_databases_own_client(house, database, rest)
    assert database.revision() == house.line()[-1]
    assert database.count("subjects") == 14
    assert "No errors" in manage.ok("check").out
    assert manage.ok("migrate", "--sql").out.strip() == ""


def test_sql_for_an_empty_database_makes_the_same_as_migrate(house: House, manage: Runner, database: Database) -> None:
    run_in_the_databases_own_client(house, database, manage.ok("migrate", "--sql").out)

    assert database.tables() == SAMPLE
    assert database.metadata("environment") == "development"
    assert manage.ok("migrate").out.splitlines()[-1].startswith("Nothing to do")


def test_sql_is_exact_whatever_is_in_a_text(house: House, manage: Runner, database: Database) -> None:
    text = "a\\rb\\x7fc\\x85d"
    house.add_revision(
        "aaa111",
        'op.bulk_insert(sa.table("subjects", sa.column("code", sa.String), sa.column("title", sa.String),'
        ' sa.column("lowest_grade", sa.Integer), sa.column("highest_grade", sa.Integer)),'
        f' [{{"code": "ODD", "title": "{text}", "lowest_grade": 1, "highest_grade": 2}}])',
    )
    manage.ok("migrate", "+5")

    run_in_the_databases_own_client(house, database, manage.exact("migrate", "--sql"))

    assert database.value("SELECT title FROM subjects WHERE code = 'ODD'") == "a\rb\x7fc\x85d"


def test_fake_records_the_revision_and_runs_nothing(house: House, manage: Runner, database: Database) -> None:
    result = manage.ok("migrate", house.line()[1], "--fake")

    assert "nothing was run" in result.out
    assert database.revision() == house.line()[1]
    assert database.tables() == set()

    manage.ok("migrate", "zero", "--fake")
    assert database.revision() is None


# Back


def test_going_back_without_a_terminal_says_the_loss_and_names_no_input(manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    put_in_a_student(database)

    result = manage("migrate", "zero").expect(1)

    line = result.err
    assert line.count("\n") == 1
    assert "5 revisions" in line
    assert "students 1 row" in line
    assert "subjects 14 rows" in line
    assert "--no-input goes on without the question" in line
    assert database.count("students") == 1


def test_going_back_on_a_terminal_asks_for_the_databases_name(
    manage: Runner, terminal: OpenTerminal, database: Database
) -> None:
    manage.ok("migrate")
    put_in_a_student(database)
    screen = terminal("migrate", "zero")

    shown = screen.read_until("to go on: ")
    screen.type(database.name)

    assert re.search(r"students +1 row +the table will be dropped", shown)
    assert f"Type {database.name} to go on: " in shown
    screen.wait().expect(0)
    assert database.tables() == set()


@pytest.mark.parametrize("keys", [b"no\n", b"\n", b"y\n", b"\x04"], ids=["no", "Enter", "y", "Ctrl-D"])
def test_any_other_answer_changes_nothing(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database, keys: bytes
) -> None:
    manage.ok("migrate")
    screen = terminal("migrate", "zero")
    screen.read_until("to go on: ")

    screen.press(keys)

    assert "nothing was changed" in screen.wait().expect(1).out
    assert sqlite_database.tables() == SAMPLE


def test_ctrl_c_at_the_question_changes_nothing(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    screen = terminal("migrate", "zero")
    screen.read_until("to go on: ")

    screen.interrupt()

    assert "Traceback" not in screen.wait().expect(130).out
    assert sqlite_database.tables() == SAMPLE


def test_the_loss_of_a_column_is_counted_in_values(house: House, manage: Runner, database: Database) -> None:
    house.add_revision(
        "aaa111",
        'with op.batch_alter_table("students") as batch:\n    batch.add_column(sa.Column("nickname", sa.String(20)))',
        'with op.batch_alter_table("students") as batch:\n    batch.drop_column("nickname")',
    )
    manage.ok("migrate")
    put_in_a_student(database)
    database.execute("UPDATE students SET nickname = 'Countess'")

    line = manage("migrate", "-1").refusal()

    assert "students 1 value column nickname will be dropped" in line


def test_the_loss_of_a_data_migration_is_its_rows(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    database.execute("INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('LAT', 'Latin', 5, 12)")
    data = house.line()[3]
    manage.ok("migrate", data, "--no-input")

    told = manage("migrate", "-1").refusal()
    manage.ok("migrate", "-1", "--no-input")

    assert "subjects 14 rows will be deleted" in told
    assert database.rows("SELECT code FROM subjects") == [("LAT",)]


def test_with_no_input_the_loss_is_said_all_the_same(manage: Runner, database: Database) -> None:
    manage.ok("migrate")

    result = manage.ok("migrate", "zero", "--noinput")

    assert re.search(r"subjects +14 rows", result.err)
    assert "5 revisions taken back, at zero." in result.out


def test_going_back_in_production_is_refused_unless_it_is_allowed(manage: Runner, database: Database) -> None:
    production = {"ENVIRONMENT": "production"}
    manage.ok("migrate", env=production)

    by_settings = manage("migrate", "-1", "--no-input", env=production).refusal()
    by_record = manage("migrate", "-1", "--no-input").refusal()
    assert database.tables() == SAMPLE
    manage.ok("migrate", "-1", "--no-input", "--allow-production", env=production)

    for line in (by_settings, by_record):
        assert "going back is refused" in line
        assert "production" in line
        assert "--allow-production" in line
    assert database.tables() == SAMPLE - {"enrollments"}
    manage.ok("migrate", env=production)


# All or nothing


def test_a_failing_revision_is_named_with_its_file_and_the_databases_words(
    house: House, manage: Runner, database: Database
) -> None:
    file = house.add_revision("bad111", FAILS)

    result = manage("migrate").expect(1)

    assert len(result.err.splitlines()) == 1
    assert "revision bad111 'By hand bad111'" in result.err
    assert str(file.relative_to(house.root)) in result.err
    assert "a_table_nobody_made" in result.err
    assert "Traceback" not in result.err


def test_the_revisions_before_a_failing_one_stay(house: House, manage: Runner, database: Database) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", FAILS)

    result = manage("migrate").expect(1)

    assert database.revision() == before
    assert database.tables() >= SAMPLE
    assert database.count("subjects") == 14
    assert MESSAGES[-1] in result.out


@pytest.mark.parametrize("kind", ["schema", "data"])
def test_a_failing_revision_leaves_nothing_of_itself(
    house: House, manage: Runner, database: Database, kind: str
) -> None:
    if database.kind == "mariadb":
        pytest.skip("MariaDB commits DDL by itself: it says what stays, and that is tested below")
    house.add_revision("bad111", FAILS, kind=kind)

    line = manage("migrate").expect(1).err

    assert "Nothing of it stays" in line
    assert "half" not in database.tables()
    house.add_revision("bad111", MAKES, DROPS, parent=house.line()[-2], kind=kind)
    manage.ok("migrate")
    assert "made" in database.tables()


def test_a_failing_change_of_rows_only_leaves_nothing_on_mariadb_either(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    house.add_revision("bad111", "\n".join(['op.execute("DELETE FROM subjects")', FAILS.splitlines()[-1]]))

    line = manage("migrate").refusal()
    again = manage("migrate").refusal()

    assert "Nothing of it stays" in line
    assert "bad111" in again
    assert "never finished" not in again
    assert mariadb_database.count("subjects") == 14


def test_a_revision_that_raises_is_named_as_well(house: House, manage: Runner, database: Database) -> None:
    house.add_revision("bad111", f'{MAKES}\nraise ValueError("no such luck")')

    line = manage("migrate").refusal()

    assert "revision bad111" in line
    assert "no such luck" in line
    assert ("made" in database.tables()) == (database.kind == "mariadb")


@pytest.mark.parametrize("leave", ["raise SystemExit", "raise SystemExit(0)", "import sys\nsys.exit()"])
def test_a_revision_that_ends_the_program_has_failed(
    house: House, manage: Runner, alembic: Runner, database: Database, leave: str
) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", f'op.execute("DELETE FROM subjects")\n{leave}')

    line = manage("migrate").refusal()
    sql = manage("migrate", "--sql").refusal()
    plain = alembic("upgrade", "head")

    assert "revision bad111" in line
    assert "SystemExit" in line
    assert "Nothing of it stays" in line
    assert "revision bad111" in sql
    assert plain.code not in (0, 1)
    assert "SystemExit" in plain.err + plain.out
    assert database.revision() == before
    assert database.count("subjects") == 14


def test_a_failing_step_back_leaves_everything(house: House, manage: Runner, database: Database) -> None:
    house.add_revision("bad111", MAKES, f"{DROPS}\n{FAILS.splitlines()[-1]}")
    manage.ok("migrate")

    line = manage("migrate", "-1", "--no-input").expect(1).err

    assert "revision bad111" in line
    assert "could not be taken back" in line
    assert database.revision() == "bad111"
    assert ("made" in database.tables()) == (database.kind != "mariadb")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_an_interrupted_revision_leaves_nothing_where_the_database_can(
    house: House, manage: Runner, database: Database, number: signal.Signals
) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", HANGS)
    running = manage.start("migrate")
    running.wait_for("half-way")

    running.send(number)

    result = running.wait()
    assert result.code == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(number, -number)
    assert "Traceback" not in result.err
    # A killed process of SQLite left a journal that the next reader rolls back; a server needs to notice.
    house.add_revision("bad111", MAKES, DROPS, parent=before)
    again = manage("migrate")
    if database.kind == "mariadb":
        assert "bad111" in again.refusal()
        assert "half" in database.tables()
    else:
        again.expect(0)
        assert database.revision() == "bad111"
        assert "half" not in database.tables()


# MariaDB, which cannot roll DDL back


def test_mariadb_says_what_stayed_and_how_to_go_on(house: House, manage: Runner, mariadb_database: Database) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", FAILS)

    line = manage("migrate").refusal()

    assert "MariaDB cannot roll back what had run before: CREATE TABLE half" in line
    assert "python manage.py migrate --fake bad111" in line
    assert f"python manage.py migrate --fake {before}" in line


def test_mariadb_refuses_to_go_on_over_an_unfinished_revision(
    house: House, manage: Runner, alembic: Runner, mariadb_database: Database
) -> None:
    house.add_revision("bad111", FAILS)
    manage("migrate").expect(1)
    house.add_revision("ccc111", MAKES, DROPS, parent="bad111")

    for command in (
        ("migrate",),
        ("migrate", "--plan"),
        ("migrate", "--check"),
        ("migrate", "--sql"),
        ("rollback", "--no-input"),
        ("migrate", "zero", "--no-input"),
    ):
        line = manage(*command).refusal()
        assert "revision bad111" in line
        assert "never finished" in line
        assert "--fake bad111" in line
    plain = alembic("upgrade", "head")

    assert plain.code != 0
    assert "never finished" in plain.err + plain.out
    assert "made" not in mariadb_database.tables()


def test_fake_clears_an_unfinished_revision_that_was_finished_by_hand(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    house.add_revision("bad111", FAILS)
    manage("migrate").expect(1)
    house.add_revision("ccc111", MAKES, DROPS, parent="bad111")

    manage.ok("migrate", "--fake", "bad111")

    manage.ok("migrate")
    assert mariadb_database.tables() >= {"half", "made"}
    assert mariadb_database.revision() == "ccc111"


def test_fake_clears_an_unfinished_revision_that_was_undone_by_hand(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", FAILS)
    manage("migrate").expect(1)
    mariadb_database.execute("DROP TABLE half")

    manage.ok("migrate", "--fake", before)

    house.add_revision("bad111", MAKES, DROPS, parent=before)
    manage.ok("migrate")
    assert mariadb_database.revision() == "bad111"


def test_an_unfinished_step_back_is_remembered_too(house: House, manage: Runner, mariadb_database: Database) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", MAKES, f"{DROPS}\n{FAILS.splitlines()[-1]}")
    manage.ok("migrate")
    manage("migrate", "-1", "--no-input").expect(1)

    line = manage("migrate").refusal()
    manage.ok("migrate", "--fake", before)

    assert f"--fake {before}" in line
    assert manage.ok("migrate").code == 0


CHANGES_ROWS = """\
op.execute("UPDATE subjects SET highest_grade = 12")
op.execute("INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('LAT', 'Latin', 5, 12)")
"""
FAILING_DDL = 'op.create_index("ux_lowest", "subjects", ["lowest_grade"], unique=True)'


def test_rows_that_a_failing_ddl_statement_had_committed_are_named(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    house.add_revision("bad111", CHANGES_ROWS + FAILING_DDL)

    line = manage("migrate").refusal()
    again = manage("migrate").refusal()

    assert "Nothing of it stays" not in line
    assert "cannot roll back what had run before: UPDATE subjects SET highest_grade = 12; INSERT INTO subjects" in line
    assert "CREATE UNIQUE INDEX" not in line.partition("cannot roll back")[2]
    assert "--fake bad111" in line
    assert "never finished" in again
    assert mariadb_database.count("subjects") == 15


def test_a_failing_ddl_statement_alone_leaves_nothing(house: House, manage: Runner, mariadb_database: Database) -> None:
    manage.ok("migrate")
    house.add_revision("bad111", FAILING_DDL)

    lines = [manage("migrate").refusal() for _ in range(2)]

    assert all("Nothing of it stays" in line for line in lines)


def test_ddl_that_is_not_even_understood_has_committed_nothing(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    house.add_revision("bad111", CHANGES_ROWS + 'op.execute("ALTER NOTHING")')

    lines = [manage("migrate").refusal() for _ in range(2)]

    assert all("Nothing of it stays" in line for line in lines)
    assert mariadb_database.count("subjects") == 14


def test_rows_that_a_revision_commits_by_itself_are_named(
    house: House, manage: Runner, server_database: Database
) -> None:
    house.add_revision("bad111", CHANGES_ROWS + "op.get_bind().commit()\n" + FAILS.splitlines()[-1])

    line = manage("migrate").refusal()
    again = manage("migrate").refusal()

    assert "Nothing of it stays" not in line
    assert "UPDATE subjects SET highest_grade = 12; INSERT INTO subjects" in line
    assert "a_table_nobody_made" not in line.partition("UPDATE subjects")[2]
    assert "never finished" in again
    assert server_database.count("subjects") == 15


def test_a_comment_before_a_statement_changes_nothing_of_that(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    house.add_revision(
        "bad111", 'op.execute("/* all */ -- of them\\nUPDATE subjects SET title = 1")\nraise ValueError("no")'
    )

    assert "Nothing of it stays" in manage("migrate").refusal()


def test_a_cut_connection_that_leaves_nothing_is_no_revision_that_was_never_finished(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    cut = (
        'session = op.get_bind().scalar(sa.text("SELECT CONNECTION_ID()"))\n'
        'sa.create_engine(op.get_bind().engine.url).connect().exec_driver_sql(f"KILL {session}")\n'
    )
    house.add_revision("bad111", f"{CHANGES_ROWS}{cut}{FAILS.splitlines()[-1]}")

    line = manage("migrate").refusal()

    assert line.endswith("was cut. Nothing of it stays — run the command again")
    assert mariadb_database.metadata("unfinished") is None
    assert mariadb_database.count("subjects") == 14


def test_what_stays_is_shown_in_whole_statements(house: House, manage: Runner, mariadb_database: Database) -> None:
    long = ", ".join(f'sa.Column("column_{number}", sa.Integer())' for number in range(30))
    house.add_revision(
        "bad111",
        'op.create_table("short", sa.Column("id", sa.Integer(), nullable=False))\n'
        f'op.create_table("long", {long})\n{FAILS.splitlines()[-1]}',
    )

    line = manage("migrate").refusal()

    assert "CREATE TABLE short ( id INTEGER NOT NULL )" in line
    assert "CREATE TABLE `long` ( column_0 INTEGER, column_1 INTEGER" in line
    assert "column_29" not in line
    assert "…" in line


# PostgreSQL, where some statements run outside a transaction

BLOCK = """\
with op.get_context().autocommit_block():
    op.create_index("ix_lowest", "subjects", ["lowest_grade"], postgresql_concurrently=True)
"""


def test_an_autocommit_block_runs_everywhere(house: House, manage: Runner, database: Database) -> None:
    house.add_revision("aaa111", f"{BLOCK}{MAKES}", f'op.drop_index("ix_lowest", "subjects")\n{DROPS}')

    manage.ok("migrate")
    manage.ok("rollback", "--redo", "--no-input")

    assert database.revision() == "aaa111"
    assert database.metadata("unfinished") is None
    assert "made" in database.tables()


def test_what_an_autocommit_block_committed_is_said_and_remembered(
    house: House, manage: Runner, alembic: Runner, postgresql_database: Database
) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", f"{MAKES}\n{BLOCK}{FAILS}")

    line = manage("migrate").refusal()
    again = manage("migrate").refusal()
    plain = alembic("upgrade", "head")

    assert "Nothing of it stays" not in line
    assert "CREATE TABLE made" in line
    assert "CREATE INDEX CONCURRENTLY ix_lowest" in line
    assert "CREATE TABLE half" not in line
    assert f"python manage.py migrate --fake {before}" in line
    assert "never finished" in again
    assert "PostgreSQL keeps what it did" in again
    assert "never finished" in plain.err + plain.out
    assert "made" in postgresql_database.tables()
    assert "half" not in postgresql_database.tables()

    postgresql_database.execute("DROP TABLE made", "DROP INDEX ix_lowest")
    manage.ok("migrate", "--fake", before)
    house.add_revision("bad111", f"{MAKES}\n{BLOCK}", parent=before)
    manage.ok("migrate")
    assert postgresql_database.metadata("unfinished") is None


def test_a_failing_statement_of_a_block_may_leave_an_invalid_index(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    house.add_revision("bad111", BLOCK.replace("postgresql_concurrently", "unique=True, postgresql_concurrently"))

    line = manage("migrate").refusal()

    assert "CREATE UNIQUE INDEX CONCURRENTLY ix_lowest" in line
    assert "--fake bad111" in line


def test_a_block_that_failed_before_anything_was_done_leaves_nothing(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    house.add_revision(
        "bad111", 'with op.get_context().autocommit_block():\n    op.execute("DROP TABLE a_table_nobody_made")'
    )

    lines = [manage("migrate").refusal() for _ in range(2)]

    assert all("Nothing of it stays" in line for line in lines)


def test_a_process_that_is_killed_after_a_commit_of_its_own_leaves_a_note(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    house.add_revision("bad111", f"{BLOCK}{HANGS}")
    running = manage.start("migrate")
    running.wait_for("half-way")

    running.kill()

    # The server needs a moment to notice, and lets go of the lock then.
    assert "bad111" in manage("migrate").refusal()
    assert postgresql_database.metadata("unfinished") == "bad111 upgrade"


@pytest.mark.parametrize("commit", ["op.get_bind().commit()", 'op.execute("COMMIT")'])
def test_a_revision_that_commits_by_itself_is_refused_on_sqlite(
    house: House, manage: Runner, sqlite_database: Database, commit: str
) -> None:
    house.add_revision("bad111", f"{MAKES}\n{commit}")

    line = manage("migrate").refusal()

    assert "revision bad111" in line
    assert "commits" in line
    assert "Nothing of it stays" in line
    assert sqlite_database.tables() == SAMPLE


# One at a time


def test_eight_migrators_at_once_apply_each_revision_once(house: House, manage: Runner, database: Database) -> None:
    house.add_revision("ddd111", ADDS_A_SUBJECT)

    running = [manage.start("migrate") for _ in range(8)]
    results = [one.wait().expect(0) for one in running]

    applied = [line for one in results for line in one.out.splitlines() if line.startswith("  ")]
    assert sorted(line.split()[0] for line in applied) == sorted(house.line())
    assert database.count("subjects") == 15
    assert database.revision() == "ddd111"


def test_manage_py_and_alembic_at_once_apply_each_revision_once(
    house: House, manage: Runner, alembic: Runner, database: Database
) -> None:
    running = [manage.start("migrate") for _ in range(3)] + [alembic.start("upgrade", "head") for _ in range(3)]

    for one in running:
        one.wait().expect(0)

    assert database.count("subjects") == 14
    assert database.revision() == house.line()[-1]


def test_a_second_migrator_waits_says_for_whom_and_goes_on_when_the_first_is_killed(
    house: House, manage: Runner, server_database: Database
) -> None:
    before = house.line()[-1]
    house.add_revision("bad111", HANGS)
    first = manage.start("migrate")
    first.wait_for("half-way")
    second = manage.start("migrate", before)
    second.wait_for("waiting for session")

    first.kill()

    result = second.wait()
    if server_database.kind == "postgresql":
        result.expect(0)
    assert "which migrates or seeds" in result.err


# SQLite


BATCH = """\
with op.batch_alter_table("students") as batch:
    batch.alter_column("name", type_=sa.String(120), existing_type=sa.String(100), existing_nullable=False)
"""


def enroll(database: Database) -> None:
    put_in_a_student(database)
    database.execute(
        "INSERT INTO enrollments (student_id, subject_id, enrolled_on, mark)"
        " SELECT 7, min(id), '2026-09-01', 70 FROM subjects"
    )


def test_a_batch_change_of_a_parent_table_keeps_its_children(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    enroll(database)
    house.add_revision("eee111", BATCH)

    manage.ok("migrate")

    assert database.rows("SELECT id, name FROM students") == [(7, "Ada Lovelace")]
    assert database.rows("SELECT student_id, mark FROM enrollments") == [(7, 70)]


def test_foreign_keys_are_enforced_by_the_house_on_sqlite(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    enroll(sqlite_database)

    result = manage("shell", "-c", "session.execute(sa.text('DELETE FROM subjects')); session.commit()")

    assert result.code == 1
    assert "FOREIGN KEY" in result.err
    assert sqlite_database.count("subjects") == 14


def test_a_revision_that_leaves_rows_without_their_parent_is_refused(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    enroll(sqlite_database)
    house.add_revision("bad111", f'{BATCH}\nop.execute("DELETE FROM students")')

    line = manage("migrate").refusal()

    assert "enrollments" in line
    assert "students" in line
    assert sqlite_database.count("students") == 1
    assert sqlite_database.count("enrollments") == 1


# What a table of SQLite loses when it is made anew


def in_the_catalogue(database: Database, *kinds: str) -> set[str]:
    """Return the names of the triggers, indexes or views there are."""
    return {name for kind, name in database.rows("SELECT type, name FROM sqlite_master") if kind in kinds}


def put_on_students(manage: Runner, database: Database, *statements: str) -> None:
    """Migrate, with one student, and add what Alembic does not see."""
    manage.ok("migrate")
    put_in_a_student(database)
    database.execute(*statements)


TRIGGER = (
    "CREATE TRIGGER graded AFTER UPDATE OF grade ON students WHEN new.grade > old.grade"
    " BEGIN UPDATE subjects SET title = 'up' WHERE lowest_grade = new.grade; END"
)


def test_triggers_and_indexes_on_expressions_are_put_back(
    house: House, manage: Runner, alembic: Runner, sqlite_database: Database
) -> None:
    put_on_students(
        manage,
        sqlite_database,
        TRIGGER,
        "CREATE UNIQUE INDEX ux_lower ON students (lower(email))",
        'CREATE INDEX "ix half" ON students (grade, lower(name)) WHERE grade > 3',
        "CREATE INDEX ix_birthday ON students (birthday)",
        "CREATE VIEW shown AS SELECT name FROM students",
        "CREATE TRIGGER elsewhere AFTER DELETE ON subjects BEGIN UPDATE students SET grade = 1; END",
    )
    house.add_revision("aaa111", BATCH, BATCH)
    before = in_the_catalogue(sqlite_database, "trigger", "index", "view")

    result = manage.ok("migrate")
    down = manage.ok("rollback", "--redo", "--no-input")
    alembic.ok("downgrade", "-1")

    assert result.err == ""
    assert "Warning" not in down.err
    assert in_the_catalogue(sqlite_database, "trigger", "index", "view") == before
    sqlite_database.execute("UPDATE students SET grade = 6")
    assert sqlite_database.value("SELECT count(*) FROM subjects WHERE title = 'up'") > 0
    with pytest.raises(sa.exc.IntegrityError):
        sqlite_database.execute(
            "INSERT INTO students (name, email, grade, birthday) VALUES ('A', 'ADA@example.org', 5, '2015-12-10')"
        )


DROPS_GRADE = """\
with op.batch_alter_table("students") as batch:
    batch.drop_constraint("grade_between_1_and_12", type_="check")
    batch.drop_column("grade")
"""


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (TRIGGER, "trigger graded"),
        ("CREATE TRIGGER graded DELETE ON students BEGIN UPDATE subjects SET title = old.grade; END", "trigger graded"),
        ("CREATE INDEX ix_next ON students (grade + 1)", "index ix_next"),
    ],
)
def test_what_cannot_be_put_back_is_named_and_nothing_is_lost(
    house: House, manage: Runner, sqlite_database: Database, made: str, named: str
) -> None:
    put_on_students(manage, sqlite_database, made)
    before = sqlite_database.rows("SELECT * FROM sqlite_master ORDER BY name")
    house.add_revision("bad111", DROPS_GRADE)

    line = manage("migrate").refusal()

    assert "revision bad111" in line
    assert f"students would lose its {named}" in line
    assert "no such column" in line
    assert "Nothing of it stays" in line
    assert sqlite_database.rows("SELECT * FROM sqlite_master ORDER BY name") == before
    kind, name = named.split()
    house.add_revision("bad111", f'op.execute("DROP {kind} {name}")\n{DROPS_GRADE}', parent=house.line()[-2])
    manage.ok("migrate")


NAMELESS = """\
op.create_table(
    "things",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("size", sa.Integer(), sa.CheckConstraint("size > ')' OR size IN (1, 2)")),
    sa.Column("name", sa.String(20)),
    sa.CheckConstraint("name <> ''", name="has_a_name"),
)
"""
CHANGES_NAME = """\
with op.batch_alter_table("things"{}) as batch:
    batch.alter_column("name", type_=sa.String(30), existing_type=sa.String(20))
"""


def test_a_check_without_a_name_is_not_lost(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("aaa111", NAMELESS)
    manage.ok("migrate")
    house.add_revision("bad111", CHANGES_NAME.format(""))

    line = manage("migrate").refusal()

    assert "things would lose its CHECK (size > ')' OR size IN (1, 2)), which has no name" in line
    assert "table_args=" in line
    assert "Nothing of it stays" in line
    checked = """, table_args=[sa.CheckConstraint("size > ')' OR size IN (1, 2)")]"""
    house.add_revision("bad111", CHANGES_NAME.format(checked), parent="aaa111")
    assert manage.ok("migrate").err == ""
    with pytest.raises(sa.exc.IntegrityError):
        sqlite_database.execute("INSERT INTO things (size) VALUES (-1)")


def test_a_check_goes_with_its_column(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("aaa111", NAMELESS)
    house.add_revision("aaa222", 'with op.batch_alter_table("things") as batch:\n    batch.drop_column("size")')

    assert manage.ok("migrate").err == ""


def test_a_check_without_a_name_is_handed_over_with_the_new_name_of_its_column(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.add_revision("aaa111", NAMELESS)
    manage.ok("migrate")
    rename = 'with op.batch_alter_table("things"{}) as batch:\n    batch.alter_column("size", new_column_name="extent")'
    house.add_revision("bad111", rename.format(""))

    manage("migrate").refusal()
    house.add_revision("bad111", rename.format(', table_args=[sa.CheckConstraint("extent > 0")]'), parent="aaa111")
    manage.ok("migrate")

    with pytest.raises(sa.exc.IntegrityError):
        sqlite_database.execute("INSERT INTO things (extent) VALUES (-1)")


def test_a_check_without_a_name_is_not_lost_for_another_that_comes(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.add_revision("aaa111", NAMELESS)
    manage.ok("migrate")
    adds = 'with op.batch_alter_table("things") as batch:\n    batch.create_check_constraint("ck_x", "size < 9")'
    house.add_revision("bad111", adds)

    assert "things would lose its CHECK (" in manage("migrate").refusal()


def test_the_collation_of_a_column_is_not_lost(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision(
        "aaa111",
        'op.create_table("things", sa.Column("name", sa.String(20)), sa.Column("mail", sa.String(9, "NOCASE")))\n'
        "op.execute(\"INSERT INTO things VALUES (NULL, 'Ada')\")",
    )
    house.add_revision("bad111", CHANGES_NAME.format(""))

    line = manage("migrate").refusal()

    assert "things would lose the COLLATE nocase of its column mail" in line
    assert "reflect_args=" in line
    given = ', reflect_args=[sa.Column("mail", sa.String(9, "NOCASE"))]'
    house.add_revision("bad111", CHANGES_NAME.format(given), parent="aaa111")
    manage.ok("migrate")
    assert sqlite_database.value("SELECT count(*) FROM things WHERE mail = 'ADA'") == 1


@pytest.mark.parametrize(
    ("table", "clause", "where"),
    [
        ("name TEXT, a INTEGER UNIQUE ON CONFLICT IGNORE", "ON CONFLICT IGNORE", "a integer unique on conflict ignore"),
        ("name TEXT, a INTEGER NOT NULL ON CONFLICT REPLACE DEFAULT 3", "ON CONFLICT REPLACE", "a integer not null "),
        ("name TEXT, a TEXT, CONSTRAINT uq_a UNIQUE (a COLLATE NOCASE)", "COLLATE NOCASE", "constraint uq_a unique"),
        ("name TEXT, a INTEGER, b INTEGER, PRIMARY KEY (a, b DESC)", "DESC", "primary key ( a , b desc )"),
    ],
)
def test_what_a_key_says_of_order_and_conflicts_is_not_lost(
    house: House, manage: Runner, sqlite_database: Database, table: str, clause: str, where: str
) -> None:
    house.add_revision("aaa111", f'op.execute("CREATE TABLE things ({table})")')
    house.add_revision("bad111", CHANGES_NAME.format(""))

    line = manage("migrate").refusal()

    assert f"things would lose {clause} in {where}" in line
    assert "copy_from=" in line


def test_a_key_that_goes_takes_its_words_along(house: House, manage: Runner, sqlite_database: Database) -> None:
    table = 'name TEXT, "desc" TEXT UNIQUE, a TEXT UNIQUE ON CONFLICT IGNORE'
    table += ", CONSTRAINT uq_n UNIQUE (name) ON CONFLICT FAIL"
    house.add_revision("aaa111", f"op.execute('CREATE TABLE things ({table})')")
    house.add_revision(
        "bbb111",
        'with op.batch_alter_table("things") as batch:\n    batch.drop_column("a")\n'
        '    batch.drop_constraint("uq_n", type_="unique")',
    )

    manage.ok("migrate")

    assert "uq_n" not in sqlite_database.value("SELECT sql FROM sqlite_master WHERE name = 'things'")


def test_the_order_of_an_index_is_not_lost(house: House, manage: Runner, sqlite_database: Database) -> None:
    by_hand = "CREATE INDEX ix_things ON things (a COLLATE NOCASE DESC, name) WHERE a <> ''"
    house.add_revision("aaa111", f"op.execute('CREATE TABLE things (name TEXT, a TEXT)')\nop.execute(\"{by_hand}\")")
    house.add_revision("bbb111", CHANGES_NAME.format(""))

    manage.ok("migrate")

    assert sqlite_database.value("SELECT sql FROM sqlite_master WHERE name = 'ix_things'") == by_hand


def test_autoincrement_is_not_lost(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision(
        "aaa111",
        'op.create_table("things", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(20)),'
        ' sqlite_autoincrement=True)\nop.execute("INSERT INTO things VALUES (7, NULL)")\n'
        'op.execute("DELETE FROM things")',
    )
    house.add_revision("bad111", CHANGES_NAME.format(""))

    line = manage("migrate").refusal()

    assert "things would lose its AUTOINCREMENT" in line
    assert 'table_kwargs={"sqlite_autoincrement": True}' in line
    house.add_revision("bad111", CHANGES_NAME.format(', table_kwargs={"sqlite_autoincrement": True}'), parent="aaa111")
    manage.ok("migrate")
    sqlite_database.execute("INSERT INTO things (name) VALUES ('next')")
    assert sqlite_database.rows("SELECT id FROM things") == [(8,)]


# Databases that are not what they seem


def test_tables_without_a_recorded_revision_are_refused_with_the_way_to_record_it(
    house: House, manage: Runner, alembic: Runner, database: Database
) -> None:
    manage.ok("migrate", "+2")
    database.execute("DROP TABLE alembic_version")
    before = database.all_tables()

    line = manage("migrate").refusal()
    plain = alembic("upgrade", "head")
    after = database.all_tables()
    manage.ok("migrate", "--fake", house.line()[1])
    manage.ok("migrate")

    assert after == before
    assert plain.code != 0
    assert "no revision is recorded" in plain.out + plain.err
    assert "students" in line
    assert "no revision is recorded" in line
    assert "--fake" in line
    assert database.tables() == SAMPLE


def test_fake_mends_a_database_that_records_two_revisions_of_one_line(
    house: House, manage: Runner, alembic: Runner, database: Database
) -> None:
    manage.ok("migrate", "+3")
    first, second, third = house.line()[:3]
    twice = f"INSERT INTO alembic_version (version_num) VALUES ('{second}')"

    database.execute(twice)
    line = manage("migrate").refusal()
    manage.ok("migrate", "--fake", third)
    assert database.revision() == third

    database.execute(twice)
    manage.ok("migrate", "--fake", second)
    assert database.revision() == second

    database.execute(f"INSERT INTO alembic_version (version_num) VALUES ('{third}')")
    manage.ok("migrate", "--fake", house.line()[-1])
    assert database.revision() == house.line()[-1]

    database.execute(twice)
    manage.ok("migrate", "--fake", "zero")
    assert database.revision() is None

    manage.ok("migrate", "--fake", third)
    database.execute(twice)
    alembic.ok("stamp", first)
    assert database.revision() == first
    assert "records 2 revisions at once" in line
    assert "python manage.py migrate --fake REVISION" in line


@pytest.mark.parametrize("target", ["head", "zero"])
def test_fake_leads_back_from_a_revision_that_no_file_has(
    house: House, manage: Runner, database: Database, target: str
) -> None:
    manage.ok("migrate")
    database.execute("UPDATE alembic_version SET version_num = 'fff111'")

    result = manage.ok("migrate", "--fake", target)

    assert " in place of fff111, which no file in migrations/versions has; nothing was run." in result.out
    assert database.revision() == (house.line()[-1] if target == "head" else None)


@pytest.mark.parametrize("command", ["migrate", "showmigrations", "check", "rollback", "seed", "reset --no-input"])
def test_what_is_no_revision_in_alembics_table_is_named(
    manage: Runner, sqlite_database: Database, command: str
) -> None:
    manage.ok("migrate")
    sqlite_database.execute("UPDATE alembic_version SET version_num = x'00ff'")

    result = manage(*command.split())

    assert "alembic_version holds b'\\x00\\xff', which is no revision" in result.out + result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("table", sorted(BOOKKEEPING))
def test_a_table_of_the_bookkeeping_that_is_another_is_named_with_its_cure(
    house: House, manage: Runner, alembic: Runner, database: Database, table: str
) -> None:
    manage.ok("migrate", applied := house.line()[-2])
    database.execute(f"DROP TABLE {table}")
    told = [("migrate", "--plan"), ("showmigrations",)]  # these go on without a history, and say so
    refused = [("migrate",)] if table == "migration_history" else [("migrate",), ("seed",), *told]
    cause = " is not the table that migrate makes: "
    cure = "migrate --fake REVISION records" if table == "alembic_version" else "migrate makes it anew"

    for kind, what in (("TABLE", "(id INTEGER)"), ("VIEW", "AS SELECT 1 AS id")):
        database.execute(f"CREATE {kind} {table} {what}")
        lines = [manage(*command).refusal() for command in refused]
        if table == "migration_history":
            lines += [result.out + result.err for result in (manage.ok(*command) for command in told)]
        checked = manage("check").expect(1)
        plain = alembic("upgrade", "head")
        database.execute(f"DROP {kind} {table}")

        for said in (*lines, checked.out, plain.out + plain.err):
            assert f"{table} in {database.name}" in said
            assert cause in said
            assert "rename or drop it; then python manage.py " + cure in said
        assert plain.code != 0
        assert "Traceback" not in plain.err

    if table == "alembic_version":
        manage.ok("migrate", "--fake", applied)
    manage.ok("migrate")
    manage.ok("check")
    assert database.all_tables() == SAMPLE | BOOKKEEPING
    assert database.metadata("environment") == "development"


def test_a_version_that_is_a_view_nobody_can_write_is_named_when_it_is_to_be_written(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    sqlite_database.execute(
        "ALTER TABLE alembic_version RENAME TO versions", "CREATE VIEW alembic_version AS SELECT * FROM versions"
    )

    result = manage("rollback", "--no-input").expect(1)

    assert "alembic_version in " in result.err
    assert "because it is a view. Nothing of it stays — rename or drop it; then python manage.py migrate" in result.err
    assert sqlite_database.tables() >= SAMPLE


def test_heads_with_two_of_them_is_refused(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("bad111", "pass", parent=house.line()[-2])

    line = manage("migrate", "heads").refusal()

    assert "2 heads" in line
    assert "makemigrations --merge" in line


def test_a_database_that_is_ahead_of_this_checkout_is_refused(
    house: House, manage: Runner, alembic: Runner, database: Database
) -> None:
    house.add_revision("fff111", MAKES, DROPS)
    manage.ok("migrate")
    house.remove("migrations/versions/schema/20300101_0000_fff111_by_hand.py")

    for command in (("migrate",), ("migrate", "--plan"), ("migrate", "--sql"), ("migrate", "zero", "--no-input")):
        line = manage(*command).refusal()
        assert "is at revision fff111 'By hand fff111' (applied 20" in line
        assert "), which no file in migrations/versions has — get that file" in line
    plain = alembic("upgrade", "head")

    assert plain.code != 0
    assert "fff111" in plain.err + plain.out
    assert "Traceback" not in plain.err
    assert database.tables() == SAMPLE | {"made"}
