"""Rolling back: how far, what it loses, who is asked, and doing it again."""

from __future__ import annotations

import re

import pytest

from tests.databases import Database
from tests.houses import House, OpenTerminal, Runner

SAMPLE = {"students", "subjects", "enrollments"}
PRODUCTION = {"ENVIRONMENT": "production"}
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'


def enroll(database: Database, *, students: int = 1) -> None:
    """Put in students, each with one enrollment."""
    for number in range(1, students + 1):
        database.execute(
            "INSERT INTO students (id, name, email, grade, birthday)"
            " VALUES (:id, 'Ada Lovelace', :email, 5, '2015-12-10')",
            id=number,
            email=f"ada{number}@example.org",
        )
    database.execute(
        "INSERT INTO enrollments (student_id, subject_id, enrolled_on)"
        " SELECT students.id, (SELECT min(subjects.id) FROM subjects), '2026-09-01' FROM students"
    )


# How far


def test_rollback_takes_back_the_newest_revision(house: House, manage: Runner, migrated: Database) -> None:
    *_, data, newest = house.line()
    enroll(migrated, students=2)

    result = manage.ok("rollback", "--noinput")

    header, step, end, undo = result.out.splitlines()
    assert header.startswith(migrated.name)
    assert undo.startswith("To undo it: python manage.py restore before-downgrade-")
    assert re.fullmatch(rf"- {newest}  Added Enrollment model .*\d\.\d\d s", step)
    assert end == f"1 revision taken back, at {data}."
    assert re.search(r"enrollments +2 rows +the table will be dropped", result.err)
    assert migrated.revision() == data
    assert migrated.tables() == SAMPLE - {"enrollments"}


def test_rollback_n_takes_back_n_revisions_the_newest_first(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    line = house.line()

    result = manage.ok("rollback", "3", "--no-input")

    _, *steps, end, _ = result.out.splitlines()
    assert [step.split()[1] for step in steps] == list(reversed(line[2:]))
    assert end == f"3 revisions taken back, at {line[1]}."
    assert sqlite_database.revision() == line[1]
    assert sqlite_database.tables() == {"students"}


def test_rollback_of_every_revision_ends_at_zero_and_migrate_comes_back(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    result = manage.ok("rollback", "5", "--no-input")

    assert result.out.splitlines()[-2] == "5 revisions taken back, at zero."
    assert sqlite_database.revision() is None
    assert sqlite_database.tables() == set()
    manage.ok("migrate")
    assert sqlite_database.tables() == SAMPLE


def test_rolling_back_by_hand_gets_exactly_the_data_migrations_rows(
    house: House, manage: Runner, migrated: Database
) -> None:
    migrated.execute("INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('LAT', 'Latin', 5, 12)")

    result = manage.ok("rollback", "2", "--no-input")

    assert re.search(r"subjects +14 rows +will be deleted", result.err)
    assert re.search(r"Put the subjects in +data +14 rows", result.out)
    assert migrated.rows("SELECT code FROM subjects") == [("LAT",)]


@pytest.mark.parametrize("steps", ["6", "1000000"])
def test_more_steps_than_are_applied_are_refused_with_how_many_there_are(
    house: House, manage: Runner, sqlite_database: Database, steps: str
) -> None:
    manage.ok("migrate")
    line = manage("rollback", steps, "--no-input").refusal()

    assert f"{int(steps):,} revisions cannot be taken back: 5 are applied" in line
    assert "python manage.py showmigrations" in line
    assert sqlite_database.revision() == house.line()[-1]
    assert sqlite_database.tables() == SAMPLE


def test_how_many_there_are_is_what_is_applied_and_not_what_is_written(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate", "+1")

    line = manage("rollback", "2", "--no-input").refusal()

    assert "2 revisions cannot be taken back: 1 is applied" in line
    assert sqlite_database.revision() == house.line()[0]


def test_there_is_nothing_to_take_back_from_an_empty_database(manage: Runner, database: Database) -> None:
    line = manage("rollback", "--no-input").refusal()

    assert database.name in line
    assert "no revision to take back" in line
    assert database.all_tables() == set()


def test_rollback_makes_no_sqlite_file(manage: Runner, sqlite_database: Database) -> None:
    for arguments in ((), ("--no-input",), ("--redo", "--no-input")):
        manage("rollback", *arguments).refusal()

    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


@pytest.mark.parametrize("steps", ["0", "-1", "+1", "1.5", "1e3", "all", "", "²", "1000001", "99999999999999999999"])
def test_a_number_of_steps_that_is_none_is_wrong_usage(manage: Runner, sqlite_database: Database, steps: str) -> None:
    line = manage("rollback", steps, "--no-input").refusal(2)

    assert repr(steps) in line
    assert "python manage.py help rollback" in line


# What it loses, and who is asked


def test_without_a_terminal_the_loss_is_said_and_no_input_is_named(
    house: House, manage: Runner, migrated: Database
) -> None:
    enroll(migrated, students=3)

    line = manage("rollback").refusal()

    assert "takes back 1 revision of " in line
    assert "enrollments 3 rows the table will be dropped" in line
    assert "subjects" not in line
    assert "There is no terminal to ask on" in line
    assert "--no-input goes on without the question" in line
    assert migrated.revision() == house.line()[-1]
    assert migrated.count("enrollments") == 3


def test_an_answer_that_comes_through_a_pipe_is_no_answer(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    line = manage("rollback", stdin=f"{sqlite_database.name}\n").refusal()

    assert "--no-input" in line
    assert sqlite_database.tables() == SAMPLE


def test_on_a_terminal_it_is_answered_with_the_databases_name(
    manage: Runner, terminal: OpenTerminal, migrated: Database
) -> None:
    enroll(migrated, students=2)
    screen = terminal("rollback", "4")

    shown = screen.read_until("to go on: ")
    assert migrated.tables() == SAMPLE
    screen.type(migrated.name)

    assert "takes back 4 revisions of " in shown
    assert re.search(r"enrollments +2 rows +the table will be dropped", shown)
    assert re.search(r"subjects +14 rows +the table will be dropped", shown)
    assert re.search(r"students +2 rows +the table will be dropped", shown)
    assert f"Type {migrated.name} to go on: " in shown
    assert "4 revisions taken back" in screen.wait().expect(0).out
    assert migrated.tables() == set()


@pytest.mark.parametrize("answer", ["yes", "", "{name}x"])
def test_any_other_answer_takes_nothing_back(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database, answer: str
) -> None:
    manage.ok("migrate")
    screen = terminal("rollback", "2", "--redo")
    screen.read_until("to go on: ")

    screen.type(answer.format(name=sqlite_database.name))

    assert "nothing was changed" in screen.wait().expect(1).out
    assert sqlite_database.tables() == SAMPLE
    assert sqlite_database.count("subjects") == 14


def test_a_step_back_that_loses_nothing_says_so(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("aaa111", 'op.create_index("by_hand", "students", ["birthday"])', 'op.drop_index("by_hand")')
    manage.ok("migrate")

    line = manage("rollback").refusal()

    assert "takes back 1 revision of " in line
    assert "No rows will be lost" in line


def test_a_step_back_whose_file_asks_the_database_is_named_as_one_that_cannot_tell(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.add_revision(
        "aaa111",
        MAKES,
        f"if op.get_bind().scalar(sa.text('SELECT count(*) FROM made')) == 0:\n    {DROPS}",
    )
    manage.ok("migrate")

    told = manage("rollback").refusal()
    manage.ok("rollback", "--no-input")

    assert "By hand aaa111 cannot tell what it loses" in told
    assert "made" not in sqlite_database.tables()


def test_rows_that_hold_odd_characters_are_counted_right(house: House, manage: Runner, database: Database) -> None:
    odd = ["100%", "it's", "a:b", "x\\y", '"q"', "%(name)s"]
    house.add_revision(
        "aaa111",
        'odd = sa.table("odd", sa.column("code", sa.String(20)))\n'
        'op.create_table("odd", sa.Column("code", sa.String(20), primary_key=True))\n'
        f'op.bulk_insert(odd, [{{"code": code}} for code in {odd!r} + ["kept"]])',
        DROPS.replace("made", "odd"),
    )
    house.add_revision(
        "bbb111",
        "pass",
        f'odd = sa.table("odd", sa.column("code", sa.String(20)))\n'
        f"for code in {odd!r}:\n    op.execute(odd.delete().where(odd.c.code == code))",
        parent="aaa111",
        kind="data",
    )
    manage.ok("migrate")

    result = manage.ok("rollback", "--no-input")

    assert re.search(rf"odd +{len(odd)} rows +will be deleted", result.err)
    assert database.rows("SELECT code FROM odd") == [("kept",)]


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL"])
def test_rows_that_a_foreign_key_takes_along_are_said_before_they_go(
    house: House, manage: Runner, database: Database, rule: str
) -> None:
    house.add_revision(
        "aaa111",
        "number = sa.Integer()\n"
        'op.create_table("houses", sa.Column("id", number, primary_key=True, autoincrement=False))\n'
        'key = sa.ForeignKey("houses.id", ondelete="CASCADE")\n'
        'op.create_table("rooms", sa.Column("id", number, primary_key=True), sa.Column("house_id", number, key))\n'
        f'key = sa.ForeignKey("rooms.id", ondelete={rule!r})\n'
        'op.create_table("chairs", sa.Column("id", number, primary_key=True), sa.Column("room_id", number, key))',
        'for name in ("chairs", "rooms", "houses"):\n    op.drop_table(name)',
    )
    house.add_revision(
        "bbb111",
        'op.execute("INSERT INTO houses VALUES (1)")',
        'op.execute("DELETE FROM houses WHERE id = 1")',
        parent="aaa111",
        kind="data",
    )
    manage.ok("migrate")
    nobodys = manage("rollback").refusal()
    database.execute("INSERT INTO rooms VALUES (1, 1), (2, 1)", "INSERT INTO chairs VALUES (1, 1), (2, 2), (3, NULL)")

    told = manage("rollback").refusal()
    with_the_tables = manage("rollback", "2").refusal()
    result = manage("rollback", "--no-input")

    assert "houses 1 row will be deleted" in told
    assert "rooms" not in nobodys
    assert "up to" not in with_the_tables
    if database.kind == "sqlite":  # foreign keys are off while it migrates: nothing goes along, and nothing may dangle
        assert "rooms" not in told
        assert "rows of rooms would refer to rows of houses that do not exist" in result.expect(1).err
        assert database.count("rooms") == 2
        return
    assert "rooms up to 2 rows go with those of houses (ON DELETE CASCADE)" in told
    if rule == "CASCADE":
        assert "chairs up to 2 rows go with those of rooms (ON DELETE CASCADE)" in told
    else:
        assert "chairs up to 2 values column room_id changes with those of rooms (ON DELETE SET NULL)" in told
    result.expect(0)
    assert database.count("rooms") == 0
    assert database.count("chairs") == (1 if rule == "CASCADE" else 3)


def test_a_loss_that_cannot_be_counted_yet_does_not_stand_in_the_way(
    house: House, manage: Runner, database: Database
) -> None:
    house.add_revision(
        "aaa111",
        "op.execute(\"INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('LAT', 'L', 5, 12)\")",
        "op.execute(\"DELETE FROM subjects WHERE code = 'LAT'\")",
        kind="data",
    )
    house.add_revision(
        "bbb111",
        'op.alter_column("subjects", "code", new_column_name="kode", existing_type=sa.String(10))',
        'op.alter_column("subjects", "kode", new_column_name="code", existing_type=sa.String(10))',
        parent="aaa111",
    )
    manage.ok("migrate")

    told = manage("rollback", "2").refusal()
    manage.ok("rollback", "2", "--no-input")

    assert "By hand aaa111 cannot tell what it loses" in told
    assert database.count("subjects") == 14


def test_sql_that_is_not_understood_is_never_said_to_lose_nothing(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    statements = [
        "TRUNCATE TABLE made0",
        "DROP TABLE other1, made1",
        "DELETE FROM other2; DELETE FROM made2",
        "-- bye\nDELETE FROM made3",
        "WITH gone AS (SELECT 1) DELETE FROM made4",
        "ALTER TABLE made5 DROP id",
        "UPDATE made6 SET id = 0",
    ]
    for number, statement in enumerate(statements):
        makes = [MAKES.replace("made", f"{name}{number}") for name in ("made", "other")]
        fills = f"op.execute('INSERT INTO made{number} VALUES (1)')"
        house.add_revision(f"aaa{number}", "\n".join([*makes, fills]), f"op.execute({statement!r})")
    manage.ok("migrate")

    told = manage("rollback", str(len(statements))).refusal()

    for number, statement in enumerate(statements):
        assert f"made{number} 1 row" in told or f"By hand aaa{number} cannot tell" in told, statement


UPSERTS = {
    "sqlite": "INSERT INTO made8 VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET note = NULL",
    "postgresql": "INSERT INTO made8 VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET note = NULL",
    "mariadb": "INSERT INTO made8 VALUES (1, NULL) ON DUPLICATE KEY UPDATE note = NULL",
}


def test_what_may_lose_something_is_never_said_to_lose_nothing(
    house: House, manage: Runner, database: Database
) -> None:
    statements = [
        "INSERT INTO made2 VALUES (2, 'b;'); DELETE FROM made1",
        "ALTER TABLE made2 ADD COLUMN x INT, DROP COLUMN note",
        "DELETE FROM seen3",
        "CREATE OR REPLACE TABLE made4 (id INT)",
        "CREATE TABLE IF NOT EXISTS made5 (id INT)\nDROP TABLE made5",
        "DROP TABLE MADE6",
        "ALTER TABLE made7 RENAME TO old7\nDROP TABLE old7",
        UPSERTS[database.kind],
        "INSERT INTO made10 VALUES (2, NULL)\nDELETE FROM made9 WHERE id IN (SELECT id - 1 FROM made10)",
        "CREATE TABLE kept10 AS SELECT forget() FROM made10",
        "ALTER TABLE made11 ADD COLUMN x INT DEFAULT forget()",
        "DROP TYPE mood CASCADE",
    ]
    statements += ["ALTER TABLE made1 COMMENT 'x' ENGINE=BLACKHOLE"] if database.kind == "mariadb" else []
    downgrades = ["\n".join(f"op.execute({line!r})" for line in one.splitlines()) for one in statements]
    if database.kind == "sqlite":  # written out in another dialect
        downgrades += [
            "if op.get_context().dialect.name == 'sqlite':\n    op.execute('DELETE FROM made1')",
            "made = sa.Table('made1', sa.MetaData(), sa.Column('id', sa.Integer()))\n"
            "with op.batch_alter_table('made1', copy_from=made) as made:\n"
            "    made.alter_column('id', nullable=True)",
        ]
    downgrades.append("if not op.get_context().as_sql:\n    op.execute('DELETE FROM made1')")
    for number, downgrade in enumerate(downgrades, 1):
        house.add_revision(f"aaa{number:03}", "pass", downgrade)
    options = "type_=sa.Integer(), existing_type=sa.String(30), postgresql_using='note::integer'"
    house.add_revision(
        "bbb111",
        "pass",
        f"with op.batch_alter_table('made0') as made:\n    made.alter_column('note', {options})",
    )
    manage.ok("migrate")
    for number in range(12):
        database.execute(
            f"CREATE TABLE made{number} (id INT PRIMARY KEY, note VARCHAR(30))",
            f"INSERT INTO made{number} VALUES (1, '31')",
        )
    database.execute("CREATE VIEW seen3 AS SELECT * FROM made3")

    told = manage("rollback", str(len(downgrades) + 1)).refusal()
    result = manage.ok("rollback", "--no-input")

    assert "made0 up to 1 value column note becomes INTEGER" in told
    for number, downgrade in enumerate(downgrades, 1):
        is_told = f"made{number} 1 row" in told or f"made{number} 1 value" in told
        assert is_told or f"By hand aaa{number:03} cannot tell" in told, downgrade
    assert "To undo it: python manage.py restore before-downgrade-" in result.out


BEHIND = {  # what makes it what it is, and the step back
    "a column called constraint": (
        "sqlite",
        ['CREATE TABLE made (id INT PRIMARY KEY, "constraint" INT)', "INSERT INTO made VALUES (1, 2)"],
        "with op.batch_alter_table('made') as made:\n"
        "    made.create_unique_constraint('one', ['id'])\n    made.drop_column('constraint')",
    ),
    "a view that becomes another": (
        "sqlite",
        ["CREATE TABLE made (id INT)", "INSERT INTO made VALUES (1)", "CREATE VIEW v AS SELECT 2 AS id"],
        "op.execute('DROP VIEW v')\nop.execute('CREATE VIEW v AS SELECT 1 AS id')\n"
        "op.execute('DELETE FROM made WHERE id IN (SELECT id FROM v)')",
    ),
    "a table that becomes another": (
        "sqlite",
        ["CREATE TABLE made (id INT)", "INSERT INTO made VALUES (1)", "CREATE TABLE t (id INT)"],
        "op.execute('DROP TABLE t')\nop.execute('CREATE TABLE t AS SELECT id FROM made')\n"
        "op.execute('DELETE FROM made WHERE id IN (SELECT id FROM t)')",
    ),
    "a column that hides another": (
        "sqlite",
        ["CREATE TABLE made (id INT, n INT)", "INSERT INTO made VALUES (1, 2)", "CREATE TABLE t (id INT)"],
        "op.execute('ALTER TABLE t ADD COLUMN n INT DEFAULT 9')\n"
        "op.execute('DELETE FROM made WHERE EXISTS (SELECT 1 FROM t WHERE n = 9)')",
    ),
    "a trigger on a deletion": (
        "postgresql",
        [
            "CREATE TABLE made (id INT)",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM students; RETURN NULL; END'",
            "CREATE TRIGGER t AFTER DELETE ON made EXECUTE FUNCTION f()",
        ],
        "op.execute('DELETE FROM made WHERE id < 0')",
    ),
    "a column called key": (
        "postgresql",
        ["CREATE TABLE made (id INT, key INT)", "INSERT INTO made VALUES (1, 2)"],
        "op.execute('ALTER TABLE made DROP key CASCADE')",
    ),
    "a text of a size": (
        "mariadb",
        ["CREATE TABLE made (id INT, note TEXT)", "INSERT INTO made VALUES (1, 'x')"],
        "op.alter_column('made', 'note', type_=sa.Text(50), existing_type=sa.Text())",
    ),
}


@pytest.mark.parametrize(("database", "makes", "downgrade"), [*BEHIND.values()], ids=[*BEHIND], indirect=["database"])
def test_what_is_lost_behind_a_name_is_never_said_to_be_nothing(
    house: House, manage: Runner, database: Database, makes: list[str], downgrade: str
) -> None:
    house.add_revision("aaa111", "pass", downgrade)
    manage.ok("migrate")
    database.execute(*makes)

    told = manage("rollback").refusal()

    assert "cannot tell what it loses" in told or "made up to 1 value" in told or "made 1 value" in told


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("sa.Numeric(10, 2)", "10.75"), "sa.Integer()"),
        (("sa.DateTime()", "'2026-01-02 03:04:05'"), "sa.Date()"),
        (("sa.BigInteger()", "31"), "sa.Boolean()"),
    ],
)
def test_values_that_may_be_cut_are_told(
    house: House, manage: Runner, database: Database, old: tuple[str, str], new: str
) -> None:
    change = "with op.batch_alter_table('made') as made:\n    made.alter_column('note', type_={}, existing_type={})"
    column = f'sa.Column("note", {old[0]})'
    house.add_revision("aaa111", f'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True), {column})')
    house.add_revision("bbb111", "pass", change.format(new, old[0]))
    manage.ok("migrate")
    nobodys = manage("rollback").refusal()
    database.execute(f"INSERT INTO made VALUES (1, {old[1]}), (2, NULL)")

    told = manage("rollback").refusal()

    assert "No rows will be lost" in nobodys
    assert "made up to 1 value column note becomes " in told


def test_an_ordinary_step_back_loses_nothing(
    house: House, manage: Runner, terminal: OpenTerminal, database: Database
) -> None:
    house.add_revision(
        "aaa111",
        'names = ("a", "b", "c", "d", "e")\n'
        'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),'
        ' sa.Column("n", sa.Integer()), sa.Column("price", sa.Numeric(5, 2)), sa.Column("unused", sa.Numeric(5, 2)),'
        " *(sa.Column(name, sa.String(50)) for name in names))",
    )
    house.add_revision(
        "bbb111",
        "pass",
        "text = sa.String(50)\n"
        'with op.batch_alter_table("made") as made:\n'
        '    made.alter_column("n", type_=sa.BigInteger(), existing_type=sa.Integer())\n'
        '    made.alter_column("price", type_=sa.Numeric(9, 3), existing_type=sa.Numeric(5, 2))\n'
        '    made.alter_column("unused", type_=sa.Integer(), existing_type=sa.Numeric(5, 2))\n'
        '    made.alter_column("a", type_=sa.String(60), existing_type=text)\n'
        '    made.alter_column("b", type_=sa.Text(), existing_type=text)\n'
        '    made.alter_column("c", nullable=False, server_default="x; y", existing_type=text)\n'
        '    made.alter_column("d", new_column_name="f", existing_type=text)\n'
        '    made.create_unique_constraint("one_e", ["e"])\n'
        '    made.create_index("by_c", ["c"])\n'
        '    made.add_column(sa.Column("g", sa.Integer(), server_default="1"))\n'
        'with op.batch_alter_table("made") as made:\n'
        '    made.drop_constraint("one_e", type_="unique")\n'
        '    made.alter_column("a", comment="what it is", existing_type=sa.String(60))\n'
        "op.execute(\"INSERT INTO made (id, c) VALUES (2, 'DELETE; ') \")\n"
        'op.create_table("new", sa.Column("id", sa.Integer(), primary_key=True))\n'
        'op.drop_table("new")\n'
        'op.rename_table("made", "newer")',
    )
    manage.ok("migrate")
    database.execute("INSERT INTO made VALUES (1, 5, 1.25, NULL, 'a', 'b', 'c', 'd', 'e')")

    told = manage("rollback").refusal()
    screen = terminal("rollback")
    screen.read_until("to go on: ")
    database.execute("UPDATE made SET unused = 31")
    screen.type(database.name)
    late = screen.wait()
    database.execute("UPDATE made SET unused = NULL")
    result = manage.ok("rollback", "--no-input")
    kept = database.rows("SELECT n, a, b, c, f, e, g FROM newer WHERE price = 1.25")

    assert "No rows will be lost" in told
    assert "somebody has put rows" in str(late.expect(1))
    assert "To undo it" not in result.out
    assert kept == [(5, "a", "b", "c", "d", "e", 1)]


TRIGGERS = {
    "sqlite": ["CREATE TRIGGER forgets AFTER INSERT ON made BEGIN DELETE FROM subjects; END"],
    "postgresql": [
        "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM subjects; RETURN NEW; END'",
        "CREATE TRIGGER forgets AFTER INSERT ON made FOR EACH ROW EXECUTE FUNCTION forget()",
    ],
    "mariadb": ["CREATE TRIGGER forgets AFTER INSERT ON made FOR EACH ROW DELETE FROM subjects"],
}


def test_rows_that_are_put_in_where_a_trigger_is_may_lose_others(
    house: House, manage: Runner, database: Database
) -> None:
    house.add_revision("aaa111", MAKES, "op.execute('INSERT INTO made VALUES (1)')")
    manage.ok("migrate")
    quiet = manage("rollback").refusal()
    database.execute(*TRIGGERS[database.kind])

    told = manage("rollback").refusal()

    assert "No rows will be lost" in quiet
    assert "By hand aaa111 cannot tell what it loses" in told


def test_what_was_agreed_to_is_all_that_is_taken_back(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    screen = terminal("rollback")
    screen.read_until("to go on: ")
    manage.ok("rollback", "--no-input")

    screen.type(sqlite_database.name)

    screen.wait().expect(1)
    assert sqlite_database.count("subjects") == 14


@pytest.mark.parametrize("is_column", [False, True])
def test_what_of_others_stands_in_the_way_is_named(
    house: House, manage: Runner, postgresql_database: Database, is_column: bool
) -> None:
    if is_column:
        column = 'op.{}_column("enrollments", {})'
        house.add_revision(
            "aaa111",
            column.format("add", 'sa.Column("note", sa.String(9))'),
            column.format("drop", '"note"'),
        )
    manage.ok("migrate")
    view = "CREATE VIEW {} AS SELECT {} FROM enrollments"
    what = "note" if is_column else "id"
    postgresql_database.execute(view.format("theirs", what), view.format('"Others"', what))

    result = manage("rollback", "--no-input").expect(1)

    line = result.err.splitlines()[-1]
    named = 'because other objects depend on it: view theirs depends on .*; view "Others" depends on .* enrollments'
    assert re.search(rf"{named}\. Nothing of it stays — drop that, run the command again, and make it anew$", line)
    assert "enrollments" in postgresql_database.tables()


# Production


def test_rollback_in_production_is_refused_unless_it_is_allowed(
    house: House, manage: Runner, database: Database
) -> None:
    manage.ok("migrate", env=PRODUCTION)

    by_settings = manage("rollback", "--no-input", env=PRODUCTION).refusal()
    by_record = manage("rollback", "2", "--redo", "--no-input").refusal()
    assert database.revision() == house.line()[-1]
    manage.ok("rollback", "--no-input", "--allow-production", env=PRODUCTION)

    for line in (by_settings, by_record):
        assert "going back is refused" in line
        assert "is a production database" in line
        assert "--allow-production does it all the same" in line
    assert database.revision() == house.line()[-2]


def test_the_settings_alone_make_it_production(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")

    line = manage("rollback", "--no-input", env=PRODUCTION).refusal()

    assert "is a production database" in line
    assert sqlite_database.revision() == house.line()[-1]


def test_allowing_production_does_not_answer_the_question(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate", env=PRODUCTION)

    line = manage("rollback", "--allow-production", env=PRODUCTION).refusal()
    screen = terminal("rollback", "--allow-production", env=PRODUCTION)
    screen.read_until(f"Type {sqlite_database.name} to go on: ")
    screen.type(sqlite_database.name)

    assert "--no-input" in line
    screen.wait().expect(0)
    assert sqlite_database.tables() == SAMPLE - {"enrollments"}


# Again


def test_redo_applies_them_again(house: House, manage: Runner, migrated: Database) -> None:
    *_, data, newest = house.line()
    migrated.execute("DELETE FROM subjects WHERE code = 'ART'")

    result = manage.ok("rollback", "2", "--redo", "--no-input")

    steps = [line.split() for line in result.out.splitlines() if line.endswith(" s")]
    assert [words[:2] for words in steps[:2]] == [["-", newest], ["-", data]]
    assert [words[0] for words in steps[2:]] == [data, newest]
    assert migrated.revision() == newest
    assert migrated.tables() == SAMPLE
    assert migrated.count("subjects") == 14


def test_redo_goes_no_further_than_it_came_from(house: House, manage: Runner, sqlite_database: Database) -> None:
    third = house.line()[2]
    manage.ok("migrate", third)

    result = manage.ok("rollback", "3", "--redo", "--no-input")

    assert result.out.splitlines()[-1] == f"3 revisions applied, at {third}."
    assert sqlite_database.revision() == third
    assert sqlite_database.tables() == {"students", "subjects"}


def test_redo_runs_the_file_as_it_is_now(house: House, manage: Runner, sqlite_database: Database) -> None:
    parent = house.line()[-1]
    house.add_revision("aaa111", MAKES, 'op.execute("DROP TABLE IF EXISTS made")')
    manage.ok("migrate")
    house.add_revision("aaa111", MAKES.replace("made", "other"), 'op.drop_table("made")', parent=parent)

    manage.ok("rollback", "--redo", "--no-input")

    assert sqlite_database.tables() == SAMPLE | {"other"}


def test_redo_asks_once(manage: Runner, terminal: OpenTerminal, sqlite_database: Database) -> None:
    manage.ok("migrate")
    screen = terminal("rollback", "--redo")
    screen.read_until("to go on: ")

    screen.type(sqlite_database.name)

    assert screen.wait().expect(0).out.count("to go on: ") == 1
    assert sqlite_database.tables() == SAMPLE


def test_redo_in_production_needs_to_be_allowed_and_then_does_both(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate", env=PRODUCTION)

    manage.ok("rollback", "--redo", "--no-input", "--allow-production", env=PRODUCTION)

    assert sqlite_database.revision() == house.line()[-1]


def test_a_redo_that_fails_on_the_way_up_says_so_and_stays_below(
    house: House, manage: Runner, database: Database
) -> None:
    parent = house.line()[-1]
    house.add_revision("aaa111", MAKES, DROPS)
    manage.ok("migrate")
    house.add_revision("aaa111", 'op.execute("DELETE FROM a_table_nobody_made")', DROPS, parent=parent)

    result = manage("rollback", "--redo", "--no-input").expect(1)

    assert "revision aaa111" in result.err
    assert "a_table_nobody_made" in result.err
    assert database.revision() == parent
    assert database.tables() == SAMPLE


# Histories that do not fit


def test_a_database_ahead_of_this_checkout_is_refused(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("fff111", MAKES, DROPS)
    manage.ok("migrate")
    house.remove("migrations/versions/schema/20300101_0000_fff111_by_hand.py")

    line = manage("rollback", "--no-input").refusal()

    assert "is at revision fff111 'By hand fff111' (applied 20" in line
    assert sqlite_database.tables() == SAMPLE | {"made"}


def test_rollback_goes_on_beyond_a_merge(house: House, manage: Runner, sqlite_database: Database) -> None:
    fork = house.line()[-2]
    house.add_revision("bbb111", MAKES, DROPS, parent=fork)
    manage.ok("makemigrations", "--merge")
    manage.ok("migrate")
    everything = sqlite_database.tables()

    manage.ok("rollback", "2", "--redo", "--no-input")
    again = sqlite_database.tables()
    first = manage.ok("rollback", "--no-input")
    second = manage.ok("rollback", "--no-input")
    third = manage.ok("rollback", "--no-input")

    assert again == everything == SAMPLE | {"made"}
    for result in (first, second, third):
        assert "1 revision taken back" in result.out
    assert sqlite_database.revision() == fork
    assert sqlite_database.tables() == SAMPLE - {"enrollments"}


def test_a_table_that_is_made_again_holds_no_seeded_rows(house: House, manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "subjects", "--count", "5")
    manage.ok("rollback", "5", "--no-input")
    manage.ok("migrate")

    result = manage.ok("seed")

    assert re.search(r"(?m)^  subjects +14 rows  kept: they come from migration a5af281c99a2$", result.out)
    assert migrated.count("subjects") == 14


def test_rows_of_a_data_migration_stay_its_own_when_a_later_change_of_them_is_taken_back(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    change = "op.execute('UPDATE subjects SET title = upper(title)')"
    house.add_revision("aaa111", change, change, kind="data")
    manage.ok("migrate")

    manage.ok("rollback", "--no-input")

    assert sqlite_database.metadata("inserted:subjects") == "a5af281c99a2"
