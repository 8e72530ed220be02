"""`migrate --rehearse`: the pending steps on a copy with all rows, up, down and up; nothing is touched or left."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import Database, administrate, server_address
from tests.faults.beside import Beside
from tests.faults.stages import install_points
from tests.faults.states import read
from tests.houses import House, Runner

ADDS = 'op.add_column("students", sa.Column("nickname", sa.String(20)))'
DROPS = 'with op.batch_alter_table("students") as batch:\n    batch.drop_column("nickname")'
DELETES = 'op.execute("DELETE FROM enrollments WHERE id > 3")'
CHANGES = (  # letters that are equal to some collations, and values of a new column
    'op.execute("UPDATE students SET name = upper(name) WHERE id <= 7")\n'
    "op.execute(\"UPDATE students SET nickname = 'Ada' WHERE id = 8\")"
)
BATCH = 'with op.batch_alter_table("students") as batch:\n    batch.'
# Each runs on an empty table.
BAD = {
    "NOT NULL without a default": (f'{BATCH}add_column(sa.Column("since", sa.Date(), nullable=False))', "pass"),
    "UNIQUE over duplicates": (f'{BATCH}create_unique_constraint("uq_x", ["grade"])', "pass"),
    "a CHECK that rows break": (f'{BATCH}create_check_constraint("ck_x", "grade < 3")', "pass"),
    "rows that must not be there": (
        'if op.get_bind().scalar(sa.text("SELECT count(*) FROM students")):\n    raise ValueError("not empty")',
        "pass",
    ),
}


@pytest.fixture
def beside(house: House, migrated: Database) -> Beside:
    return Beside(house, migrated)


@pytest.fixture
def filled(manage: Runner, migrated: Database) -> Database:
    """A database with rows in every table."""
    manage.ok("seed", "--count", "40")
    return migrated


def test_steps_are_run_up_down_and_up_on_a_copy(house: House, manage: Runner, filled: Database, beside: Beside) -> None:
    house.add_revision("aaa111", f"{ADDS}\n{DELETES}\n{CHANGES}", DROPS)
    house.add_revision("bbb111", DROPS, ADDS)
    before = read(filled)

    said = manage.ok("migrate", "--rehearse").out
    first, one, two = said.split("\n  ", 1)[0], *said.split("\n  ", 1)[1].split("\n  bbb111")
    last = said.splitlines()[-1]

    assert first.endswith(", on a copy")
    assert one.startswith("aaa111  By hand aaa111  up 0.")
    assert "enrollments: 40 rows -> 3 rows" in one
    assert "down: 37 rows of enrollments are not what they were (40 rows -> 3 rows)" in one
    assert "students: 40 rows, 7 changed" in one
    assert "down: 7 rows of students are not what they were" in one
    assert "down: 1 row of students is not what it was" in two
    assert "rows, " not in two
    assert "subjects" not in said
    assert "down leaves" not in said
    assert two.startswith("  By hand bbb111  up 0.")
    assert ", down 0." in two
    assert ", up again 0." in two
    assert last.startswith("2 revisions rehearsed, and the seeders fit; ")
    assert last.endswith(" was not touched.   Next: python manage.py migrate")
    assert read(filled) == before
    assert beside.places() == set()


# By database: a type, values of two rows, and what one becomes that a driver would not show, or stumbles over.
ODD = {
    "sqlite": ("TEXT", ("CAST(x'ff' AS TEXT)", "NULL"), "CAST(x'fe' AS TEXT)"),
    "postgresql": ("json, since date DEFAULT 'infinity'", ("'{\"a\": 1}'", "NULL"), "'{\"a\": 2}'"),
    "mariadb": ("FLOAT", ("1000001", "NULL"), "1000002"),
}


def test_rows_are_compared_exactly_where_a_key_tells_them_apart(
    house: House, manage: Runner, migrated: Database
) -> None:
    kind, values, becomes = ODD[migrated.kind]
    key = "VARCHAR(9) PRIMARY KEY" if migrated.kind == "sqlite" else "VARCHAR(9)"  # there it may be NULL
    statements = [f"CREATE TABLE odd (id INTEGER PRIMARY KEY, odd {kind})", f"CREATE TABLE loose (id {key})"]
    statements += [f"INSERT INTO odd (id, odd) VALUES ({id}, {value})" for id, value in enumerate(values)]
    statements += ["INSERT INTO loose (id) VALUES (NULL), (NULL)"]
    with migrated.connect() as connection:
        for one in statements:
            connection.exec_driver_sql(one)
        connection.commit()
    changes = [f"UPDATE odd SET odd = {becomes} WHERE id = 0", "UPDATE odd SET id = 7 WHERE odd IS NULL"]
    house.add_revision("aaa111", "\n".join(f"op.get_bind().exec_driver_sql({one!r})" for one in changes))

    said = manage.ok("migrate", "--rehearse").out.splitlines()

    assert "    odd: 2 rows, 1 changed, 1 replaced" in said
    assert "    down: 3 rows of odd are not what they were" in said
    assert said[-2].startswith("Rows of loose were only counted: ")


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_step_that_only_works_on_empty_tables_fails(
    house: House, manage: Runner, filled: Database, beside: Beside, bad: tuple[str, str]
) -> None:
    if filled.kind == "mariadb" and "nullable=False" in bad[0]:
        pytest.skip("MariaDB gives the rows that are there a value by itself")
    house.add_revision("aaa111", *bad)
    before = read(filled)

    result = manage("migrate", "--rehearse")

    line = result.refusal()
    assert "  aaa111  By hand aaa111  up failed" in result.out.splitlines()
    assert line.startswith("the rehearsal failed: revision aaa111 'By hand aaa111' (migrations/versions/schema/")
    assert line.endswith(" was not touched — correct it, then try again")
    assert "stays" not in line
    assert "snapshot" not in line
    assert read(filled) == before
    assert beside.places() == set()


def test_a_way_back_that_does_not_lead_back_is_named(
    house: House, manage: Runner, filled: Database, beside: Beside
) -> None:
    house.add_revision("aaa111", ADDS, "pass")
    unlike = manage("migrate", "--rehearse")
    house.add_revision("aaa111", ADDS, 'raise NotImplementedError("there is no way back")', parent=house.line()[-2])
    failing = manage("migrate", "--rehearse")

    assert "up again failed" in unlike.out
    assert "    down leaves the schema with students: column nickname: VARCHAR(20)" in unlike.out.splitlines()
    assert unlike.code == failing.code == 1
    assert "s, down failed" in failing.out
    assert "NotImplementedError: there is no way back" in failing.refusal()
    assert beside.places() == set()


def test_seeders_that_would_not_fit_are_named(house: House, manage: Runner, filled: Database) -> None:
    renames = 'with op.batch_alter_table("students") as batch:\n    batch.alter_column("{}", new_column_name="{}"{})'
    kind = ", existing_type=sa.Date(), existing_nullable=False"
    house.add_revision("aaa111", renames.format("birthday", "born", kind), renames.format("born", "birthday", kind))

    line = manage("migrate", "--rehearse").refusal()

    assert line.startswith("the seeders would not fit: ")
    assert "birthday" in line
    assert f". {filled.name}{'' if filled.file else ' on 127.0.0.1'} was not touched — " in line


def test_seeders_are_left_alone_before_the_newest_revision(house: House, manage: Runner, filled: Database) -> None:
    house.add_revision("aaa111", ADDS, DROPS)
    house.add_revision("bbb111", "pass", "pass")

    said = manage.ok("migrate", "aaa111", "--rehearse").out

    assert "1 revision rehearsed (seeders are tried at the newest revision only); " in said


def test_seeders_are_left_alone_in_production(house: House, manage: Runner, sqlite_database: Database) -> None:
    production = {"ENVIRONMENT": "production"}
    manage.ok("migrate")
    house.add_revision("aaa111", ADDS, DROPS)

    set_later = manage.ok("migrate", "--rehearse", env=production)
    sqlite_database.execute("UPDATE management_metadata SET value = 'production' WHERE key = 'environment'")
    recorded = manage.ok("migrate", "--rehearse")
    both = manage.ok("migrate", "--rehearse", env=production)

    for result in (set_later, recorded, both):
        assert "1 revision rehearsed (seeders are never run in production); " in result.out
        assert result.err == ""


def test_locks_that_others_would_wait_for_are_named(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "students", "--count", "40")
    house.add_revision(
        "aaa111",
        f'{ADDS}\nop.create_index("ix_x", "students", ["grade"])\nop.execute("ALTER TABLE enrollments ADD x int")',
        'op.execute("ALTER TABLE enrollments DROP x")\nop.drop_index("ix_x")\nop.drop_column("students", "nickname")',
    )

    said = [line.strip() for line in manage.ok("migrate", "--rehearse").out.splitlines()]

    taken = " ADD COLUMN nickname VARCHAR(20) holds AccessExclusiveLock on students (40 rows)"
    assert f"ALTER TABLE students{taken}" in said
    assert "CREATE INDEX ix_x ON students (grade) holds ShareLock on students (40 rows)" in said
    assert not any("enrollments" in line for line in said)  # it is empty


def test_whoever_works_in_the_database_goes_on(house: House, manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "5")
    house.add_revision("aaa111", ADDS, DROPS)
    with postgresql_database.connect() as connection:
        connection.execute(sa.text("UPDATE students SET name = 'Ada'"))

        manage.ok("migrate", "--rehearse")

        connection.commit()
    assert postgresql_database.value("SELECT count(*) FROM students WHERE name = 'Ada'") == 5


def test_what_a_kill_leaves_of_a_copy_the_next_one_removes(
    house: House, manage: Runner, filled: Database, beside: Beside, tmp_path: Path
) -> None:
    install_points(house)
    house.add_revision("aaa111", ADDS, DROPS)
    before, reached = read(filled), tmp_path / "reached"
    left = 0

    for number in (6, 14, 30, 60):
        fault = {"FAULT": "kill", "FAULT_AT": str(number), "FAULT_SIGN": str(reached)}
        result = manage("migrate", "--rehearse", env=fault)
        assert result.code in (0, -signal.SIGKILL)
        left += bool(beside.places())

    manage.ok("migrate", "--rehearse")
    assert left
    assert read(filled) == before
    assert beside.places() == set()


def test_a_role_that_may_make_no_databases_is_told_what_to_grant(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    server, name = server_address("postgresql"), postgresql_database.name
    manage.ok("migrate")
    house.add_revision("aaa111", ADDS, DROPS)
    role = f"r_{name[-8:]}"
    administrate(server, f"CREATE ROLE {role} LOGIN SUPERUSER")
    administrate(server, f"ALTER ROLE {role} NOSUPERUSER")
    try:
        postgresql_database.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        env = {"DATABASE_URL": postgresql_database.url.replace("postgres@", f"{role}@")}

        line = manage("migrate", "--rehearse", env=env).refusal()

        assert f"does not let user '{role}' copy a database" in line
        assert f'ALTER ROLE "{role}" CREATEDB' in line
    finally:
        postgresql_database.execute(f"DROP OWNED BY {role}")
        administrate(server, f"DROP ROLE {role}")


def test_with_nothing_to_rehearse_it_says_so(house: House, manage: Runner, sqlite_database: Database) -> None:
    missing = manage("migrate", "--rehearse").refusal()
    manage.ok("migrate")
    nothing = manage.ok("migrate", "--rehearse")
    back = manage("migrate", "zero", "--rehearse").refusal()

    assert "is not there yet, so there are no rows to rehearse on — python manage.py migrate" in missing
    assert nothing.out.splitlines()[-1] == "Nothing to do."
    assert back == "a rehearsal is of pending steps, and these go back — name a later revision, or none"


def test_what_is_restored_is_not_called_different(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    house.add_revision(
        "aaa111",
        "where = sa.text('grade > 3')\n"
        "op.create_index('ix_part', 'students', ['name'], sqlite_where=where, postgresql_where=where)\n"
        "with op.batch_alter_table('students') as batch:\n"
        "    batch.create_check_constraint('ck_x', \"name NOT IN ('a', 'b')\")",
    )
    manage.ok("migrate")
    drop = (
        "with op.batch_alter_table('students') as batch:\n    batch.drop_constraint('ck_x', type_='check')\n    batch."
    )
    text = "\"name::text <> ALL (ARRAY['a'::character varying, 'b'::character varying]::text[])\""
    text = text if database.kind == "postgresql" else "\"name NOT IN ('a', 'b')\""
    house.add_revision(
        "bbb111",
        f"{drop}create_check_constraint('ck_x', \"name NOT IN ('a', 'b', '')\")",
        f"{drop}create_check_constraint('ck_x', {text})",
    )

    said = manage.ok("migrate", "--rehearse").out

    assert "down leaves" not in said


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ('alter_column("name", type_=sa.String(5), existing_type=sa.String(60))', "id 5, name toolongname"),
        ('alter_column("n", type_=sa.SmallInteger(), existing_type=sa.Integer())', "id 5, name toolongname"),
        ('create_unique_constraint("uq_x", ["name"])', "id 2, name bb"),
        ('alter_column("note", nullable=False, existing_type=sa.String(9))', "id 3, name bb"),
    ],
)
def test_it_is_the_row_to_blame_that_is_named(
    house: House, manage: Runner, server_database: Database, change: str, culprit: str
) -> None:
    rows = "(1, 'aa', 1, ''), (2, 'bb', 2, ''), (3, 'bb', 3, NULL), (4, 'cc', 4, ''), (5, 'toolongname', 70000, '')"
    house.add_revision(
        "aaa111",
        'op.create_table("things", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(60)),'
        ' sa.Column("n", sa.Integer()), sa.Column("note", sa.String(9)))\n'
        f'op.execute("INSERT INTO things VALUES {rows}")',
    )
    manage.ok("migrate")
    house.add_revision("bad111", f'with op.batch_alter_table("things") as batch:\n    batch.{change}')

    assert f"; row of things: {culprit}" in manage("migrate", "--rehearse").refusal()


THINGS = """
op.create_table(
    "things",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("n", sa.Integer(), nullable=False),
    sa.Column("note", sa.String(9)),
    sa.CheckConstraint("n > 0", name="ck_n"),
)
op.execute("INSERT INTO things VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')")
"""


def test_no_row_is_named_where_none_of_those_there_is_to_blame(
    house: House, manage: Runner, server_database: Database
) -> None:
    house.add_revision("aaa111", THINGS)
    manage.ok("migrate")

    for change in (
        "INSERT INTO things VALUES (4, -4, 'd')",
        "UPDATE things SET nullified = 1",
        "UPDATE things SET note = concat(note, '234567890')",
        "UPDATE things SET n = (SELECT max(o.n) FROM (SELECT n FROM things) o WHERE o.n > 9) + n * 0",
        "SELECT 1 FROM things WHERE nothing IS NOT NULL",
    ):
        house.add_revision("bad111", f"op.execute({change!r})", parent="aaa111")

        assert "; row of" not in manage("migrate", "--rehearse").refusal(), change


def test_the_row_that_a_check_of_before_forbids_is_named(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    later = "op.execute('ALTER TABLE things DROP CONSTRAINT ck_n, ADD CONSTRAINT ck_n CHECK (n % 2 = 1) NOT VALID')"
    house.add_revision("aaa111", f"{THINGS}{later}")
    manage.ok("migrate")
    house.add_revision("bad111", "op.execute('ALTER TABLE things VALIDATE CONSTRAINT ck_n')")

    assert "; row of things: id 2, n 2" in manage("migrate", "--rehearse").refusal()


def test_an_order_of_an_index_that_does_not_come_back_is_told(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    made = "op.execute('CREATE INDEX ix_x ON students (name COLLATE NOCASE, grade DESC)')"
    house.add_revision("aaa111", made, "op.drop_index('ix_x', 'students')")
    manage.ok("migrate")
    house.add_revision("bbb111", "op.drop_index('ix_x', 'students')", made)
    house.add_revision("ccc111", made.replace("ix_x", "ix_y"), "op.drop_index('ix_y', 'students')")
    drops = "op.drop_index('ix_y', 'students')"
    house.add_revision("ddd111", drops, "op.create_index('ix_y', 'students', ['name', 'grade'])")

    lines = manage.ok("migrate", "--rehearse").out.splitlines()

    told = [line.strip() for line in lines if "down leaves the schema" in line]
    assert len(told) == 1
    assert "students: order of index ix_y: name COLLATE NOCASE, grade COLLATE BINARY DESC" in told[0]


def test_how_to_hand_over_what_would_be_lost_is_told(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("aaa111", "op.execute('CREATE TABLE u (id INTEGER PRIMARY KEY, n INTEGER, CHECK (n > 0))')")
    manage.ok("migrate")
    house.add_revision(
        "bbb111", 'with op.batch_alter_table("u") as batch:\n    batch.alter_column("n", nullable=False)'
    )

    line = manage("migrate", "--rehearse").refusal()

    assert 'hand it over: op.batch_alter_table("u", table_args=[' in line
