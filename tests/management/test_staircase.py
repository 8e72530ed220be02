"""`check --staircase`: what works on empty tables only fails, by revision and row; what works on every table passes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import pytest

from tests.databases import Database
from tests.faults.beside import Beside
from tests.houses import House, Runner

BASE = """
op.create_table(
    "parent",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("size", sa.Integer(), nullable=False),
    sa.Column("big", sa.Integer(), nullable=False),
    sa.Column("flag", sa.Boolean(), nullable=False),
    sa.Column("made", sa.Date(), nullable=False),
    sa.Column("note", sa.String(50)),
    sa.Column("spare", sa.Integer()),
    sa.Column("rate", sa.Float()),
    sa.Column("total", sa.Double()),
    sa.Column("bytes", sa.LargeBinary()),
    sa.Column("lasts", sa.Interval()),
    sa.UniqueConstraint("name", name="uq_name"),
    sa.CheckConstraint("size BETWEEN 1 AND 3", name="small"),
    sa.CheckConstraint("big BETWEEN 100000 AND 200000", name="large"),
    sa.CheckConstraint("rate <= 70.5", name="below"),
)
op.create_table(
    "child",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("parent_id", sa.Integer(), sa.ForeignKey("parent.id", name="fk_parent"), nullable=False),
    sa.Column("amount", sa.Numeric(8, 2), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.CheckConstraint("kind IN ('one', 'two')", name="a_kind"),
    sa.CheckConstraint("amount > 1000", name="much"),
)
"""
UNBASE = 'op.drop_table("child")\nop.drop_table("parent")'
ALTER = 'with op.batch_alter_table("{}") as batch:\n    batch.'
PARENT, CHILD = ALTER.format("parent"), ALTER.format("child")


class Bad(NamedTuple):
    """A migration that is wrong, and on which way it fails."""

    up: str
    down: str = "pass"
    where: str = "up failed"
    row: bool = True  # whether a row is to be named
    no_row_on: str = ""  # a database that does not say enough for it
    not_on: tuple[str, ...] = ()  # databases that let it pass
    says: str = ""  # what is in the row, as a regular expression


def typed(table: str, column: str, kind: str, before: str) -> str:
    change = f'alter_column("{column}", type_={kind}, existing_type={before}, existing_nullable=False)'
    return ALTER.format(table) + change


BAD = {
    # What rows there are cannot have it
    "NOT NULL without a default": Bad(
        f'{PARENT}add_column(sa.Column("since", sa.Date(), nullable=False))', not_on=("mariadb",)
    ),
    "NOT NULL over NULLs": Bad(
        f'op.add_column("parent", sa.Column("x", sa.Integer()))\n'
        f'{PARENT}alter_column("x", nullable=False, existing_type=sa.Integer())'
    ),
    "UNIQUE over duplicates": Bad(f'{PARENT}create_unique_constraint("uq_x", ["size"])'),
    "a unique index over duplicates": Bad('op.create_index("ux_x", "parent", ["size"], unique=True)'),
    "a partial unique index over duplicates": Bad(
        'op.create_index("ux_x", "parent", ["size"], unique=True, sqlite_where=sa.text("id > 15"),'
        ' postgresql_where=sa.text("id > 15"))',
        not_on=("mariadb",),
        says="parent: id 1[6-9]|parent: id 20",
    ),
    "a unique index whatever the case": Bad(
        'op.create_index("ux_x", "parent", [sa.text("lower(name)")], unique=True)', row=False, not_on=("mariadb",)
    ),
    "UNIQUE over a boolean": Bad(f'{PARENT}create_unique_constraint("uq_x", ["flag"])'),
    "UNIQUE over a pair": Bad(f'{PARENT}create_unique_constraint("uq_x", ["size", "flag"])'),
    "UNIQUE over dates": Bad(f'{PARENT}create_unique_constraint("uq_x", ["made"])'),
    "UNIQUE over amounts": Bad(f'{CHILD}create_unique_constraint("uq_x", ["amount"])'),
    "UNIQUE over a pair of numbers": Bad(f'{PARENT}create_unique_constraint("uq_x", ["big", "made"])'),
    "UNIQUE over a constant": Bad(
        'op.add_column("parent", sa.Column("code", sa.String(9), server_default="A"))\n'
        f'{PARENT}create_unique_constraint("uq_x", ["code"])'
    ),
    "a CHECK on a number": Bad(f'{PARENT}create_check_constraint("ck_x", "size > 3")'),
    "a CHECK on a date": Bad(f'{PARENT}create_check_constraint("ck_x", "made < \'1800-01-01\'")'),
    "a CHECK on a text": Bad(f'{CHILD}create_check_constraint("ck_x", "kind IN (\'three\')")'),
    "a CHECK on two columns": Bad(f'{PARENT}create_check_constraint("ck_x", "size > big")'),
    "a narrowed CHECK": Bad(
        f'{PARENT}drop_constraint("small", type_="check")\n{PARENT}create_check_constraint("small", "size = 99")'
    ),
    # Values at the edge of what the schema allows
    "a CHECK below the bound": Bad(f'{PARENT}create_check_constraint("ck_x", "big < 200000")', says=", big 200000"),
    "a CHECK on numbers below nought": Bad(f'{PARENT}create_check_constraint("ck_x", "spare >= 0")', says=", spare -"),
    "a CHECK on nought": Bad(f'{PARENT}create_check_constraint("ck_x", "spare <> 0")'),
    "a CHECK on large numbers": Bad(
        f'{PARENT}create_check_constraint("ck_x", "spare < 1000000")', says=", spare 2147483"
    ),
    "a CHECK on rates below nought": Bad(f'{PARENT}create_check_constraint("ck_x", "rate >= 0")', says=", rate -"),
    "a CHECK on a rate of nought": Bad(f'{PARENT}create_check_constraint("ck_x", "rate <> 0")', says=", rate 0"),
    "a CHECK below the bound of a rate": Bad(
        f'{PARENT}create_check_constraint("ck_x", "rate < 70.5")', says=", rate 70.5"
    ),
    "a CHECK on large sums": Bad(f'{PARENT}create_check_constraint("ck_x", "total < 1000000")', says=", total 9999999"),
    "a CHECK on empty texts": Bad(f'{PARENT}create_check_constraint("ck_x", "note <> \'\'")'),
    "a CHECK on empty bytes": Bad(f'{PARENT}create_check_constraint("ck_x", "length(bytes) > 0")', says=", bytes b''"),
    "a CHECK on whiles below nought": Bad(
        f'{PARENT}create_check_constraint("ck_x", "lasts >= interval \'0\'")', not_on=("sqlite", "mariadb")
    ),
    "a CHECK on long whiles": Bad(
        f'{PARENT}create_check_constraint("ck_x", "lasts < interval \'1 year\'")', not_on=("sqlite", "mariadb")
    ),
    "a CHECK on old dates": Bad(
        f'{PARENT}create_check_constraint("ck_x", "made > \'1950-01-01\'")', says=", made 1900-01-01"
    ),
    "a CHECK on large amounts": Bad(f'{CHILD}create_check_constraint("ck_x", "amount < 900000")'),
    "NULL no more": Bad(f'{PARENT}alter_column("note", nullable=False, existing_type=sa.String(50))'),
    "a text that is a little shorter": Bad(
        f'{PARENT}alter_column("note", type_=sa.String(49), existing_type=sa.String(50))',
        not_on=("sqlite",),
    ),
    "texts that are numbers": Bad(
        'op.add_column("parent", sa.Column("x", sa.Integer()))\n'
        'op.execute("UPDATE parent SET x = CAST(note AS INTEGER)")',
        not_on=("sqlite", "mariadb"),
    ),
    "a default that a CHECK forbids": Bad(
        'op.add_column("parent", sa.Column("x", sa.Integer(), server_default="5"))\n'
        f'{PARENT}create_check_constraint("ck_x", "x > 5")'
    ),
    "a key to rows that are not there": Bad(
        'op.create_table("other", sa.Column("id", sa.Integer(), primary_key=True))\n'
        f'{PARENT}create_foreign_key("fk_x", "other", ["size"], ["id"])',
        row=False,
    ),
    "a primary key over duplicates": Bad(
        'op.create_table("other", sa.Column("size", sa.Integer(), primary_key=True))\n'
        'op.execute("INSERT INTO other (size) SELECT size FROM parent")',
        row=False,
    ),
    # Types that are too narrow; SQLite keeps what it is given
    "a narrowed text": Bad(typed("parent", "name", "sa.String(2)", "sa.String(60)"), not_on=("sqlite",)),
    "a narrowed integer": Bad(
        typed("parent", "big", "sa.SmallInteger()", "sa.Integer()"), not_on=("sqlite",), says=", big "
    ),
    "a narrowed number": Bad(typed("child", "amount", "sa.Numeric(4, 2)", "sa.Numeric(8, 2)"), not_on=("sqlite",)),
    "a narrowed sum": Bad(
        f'{PARENT}alter_column("total", type_=sa.SmallInteger(), existing_type=sa.Double())', not_on=("sqlite",)
    ),
    "a text as a number": Bad(
        typed("child", "kind", "sa.Integer(), postgresql_using='kind::integer'", "sa.String(20)"),
        not_on=("sqlite",),
    ),
    # Data migrations that take the table for empty
    "numbers of its own": Bad(
        'op.execute("INSERT INTO parent (id, name, size, big, flag, made)'
        " VALUES (1, 'x', 1, 100000, '1', '2020-01-01')\")",
        no_row_on="sqlite",
    ),
    "a table that must be empty": Bad(
        'if op.get_bind().scalar(sa.text("SELECT count(*) FROM parent")):\n    raise ValueError("not empty")', row=False
    ),
    "a table that must have one row": Bad(
        'op.get_bind().execute(sa.text("SELECT id FROM parent")).scalar_one_or_none()', row=False
    ),
    "one row of a subquery": Bad(
        'op.execute("UPDATE child SET kind = (SELECT name FROM parent)")', not_on=("sqlite",), row=False
    ),
    "a row that a CHECK forbids": Bad('op.execute("UPDATE parent SET size = 9")'),
    "one row that a CHECK forbids": Bad(
        'op.execute("UPDATE parent SET size = 9 WHERE id = 19")', says="parent: id 19,"
    ),
    "no name for one": Bad('op.execute("UPDATE parent SET name = NULL WHERE id = 19")', says="parent: id 19,"),
    "the same name for all": Bad("op.execute(\"UPDATE parent SET name = 'x'\")"),
    "no name for all": Bad('op.execute("UPDATE parent SET name = NULL")', not_on=()),
    "parents that are needed": Bad('op.execute("DELETE FROM parent")', row=False),
    "a copy of every row": Bad(
        'op.execute("INSERT INTO parent (name, size, big, flag, made) SELECT name, size, big, flag, made FROM parent")'
    ),
    "a column that is filled by dividing": Bad(
        'op.add_column("parent", sa.Column("x", sa.Integer()))\nop.execute("UPDATE parent SET x = 1 / (size - size)")',
        not_on=("sqlite", "mariadb"),
        row=False,
    ),
    "a text that is cut": Bad(
        'op.add_column("parent", sa.Column("x", sa.String(2)))\nop.execute("UPDATE parent SET x = name")',
        not_on=("sqlite",),
        row=False,
    ),
    # Ways back
    "no way back": Bad("pass", 'raise NotImplementedError("no way back")', "down failed", row=False),
    "a way back that does nothing": Bad(
        'op.create_table("more", sa.Column("id", sa.Integer(), primary_key=True))', where="up again failed", row=False
    ),
    "a column that comes back NOT NULL": Bad(
        f'{PARENT}drop_column("made")',
        f'{PARENT}add_column(sa.Column("made", sa.Date(), nullable=False))',
        "down failed",
        not_on=("mariadb",),
    ),
    "NOT NULL that comes back over NULLs": Bad(
        f'{PARENT}alter_column("made", nullable=True, existing_type=sa.Date())\n'
        'op.execute("UPDATE parent SET made = NULL")',
        f'{PARENT}alter_column("made", nullable=False, existing_type=sa.Date())',
        "down failed",
    ),
    "UNIQUE that comes back over duplicates": Bad(
        f'{PARENT}drop_constraint("uq_name", type_="unique")\nop.execute("UPDATE parent SET name = \'x\'")',
        f'{PARENT}create_unique_constraint("uq_name", ["name"])',
        "down failed",
    ),
    "a CHECK that comes back": Bad(
        f'{PARENT}drop_constraint("small", type_="check")\nop.execute("UPDATE parent SET size = 5")',
        f'{PARENT}create_check_constraint("small", "size BETWEEN 1 AND 3")',
        "down failed",
    ),
    "a type that comes back too narrow": Bad(
        typed("parent", "name", "sa.Text()", "sa.String(60)"),
        typed("parent", "name", "sa.String(2)", "sa.Text()"),
        "down failed",
        not_on=("sqlite", "mariadb"),  # MariaDB cannot have a whole TEXT UNIQUE
    ),
    "a way back that drops too much": Bad(
        'op.add_column("parent", sa.Column("x", sa.Integer()))',
        'op.drop_table("child")\nop.drop_column("parent", "x")\nop.drop_table("nothing")',
        "down failed",
        row=False,
    ),
    # What fails on every table
    "a column that is not there": Bad('op.execute("UPDATE parent SET nothing = 1")', row=False),
    "a table that is there": Bad('op.create_table("child", sa.Column("id", sa.Integer()))', row=False),
    "SQL that is none": Bad('op.execute("UPDATE parent SETT size = 1")', row=False),
    "an error of Python": Bad('{}["x"]', row=False, says=" failed: KeyError: 'x', in line 1"),
}
GOOD = [
    ('op.add_column("parent", sa.Column("a1", sa.Integer()))', 'op.drop_column("parent", "a1")'),
    (
        'op.add_column("parent", sa.Column("a2", sa.Integer(), nullable=False, server_default="7"))',
        f'{PARENT}drop_column("a2")',
    ),
    ('op.create_index("ix_made", "parent", ["made"])', 'op.drop_index("ix_made", table_name="parent")'),
    (
        f'op.add_column("parent", sa.Column("a3", sa.Integer()))\nop.execute("UPDATE parent SET a3 = size")\n'
        f'{PARENT}alter_column("a3", nullable=False, existing_type=sa.Integer())',
        f'{PARENT}drop_column("a3")',
    ),
    (
        typed("parent", "name", "sa.String(80)", "sa.String(60)"),
        typed("parent", "name", "sa.String(60)", "sa.String(80)"),
    ),
    (f'{PARENT}create_check_constraint("ck_ok", "size < 9")', f'{PARENT}drop_constraint("ck_ok", type_="check")'),
    (
        f'{PARENT}create_unique_constraint("uq_ok", ["name", "size"])',
        f'{PARENT}drop_constraint("uq_ok", type_="unique")',
    ),
    (
        'op.create_table("third", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("parent_id", sa.Integer(),'
        ' sa.ForeignKey("parent.id", name="fk_third", ondelete="CASCADE"), nullable=False))',
        'op.drop_table("third")',
    ),
    (
        f'op.add_column("child", sa.Column("third_id", sa.Integer()))\n'
        f'{CHILD}create_foreign_key("fk_to_third", "third", ["third_id"], ["id"], ondelete="SET NULL")',
        f'{CHILD}drop_constraint("fk_to_third", type_="foreignkey")\n{CHILD}drop_column("third_id")',
    ),
    (
        'op.execute("INSERT INTO parent (name, size, big, flag, made, a2, a3)'
        " VALUES ('Zzz', 1, 100000, '1', '2020-01-01', 1, 1)\")",
        "op.execute(\"DELETE FROM parent WHERE name = 'Zzz'\")",
    ),
    (
        f'{PARENT}alter_column("note", new_column_name="remark", existing_type=sa.String(50), existing_nullable=True)',
        f'{PARENT}alter_column("remark", new_column_name="note", existing_type=sa.String(50), existing_nullable=True)',
    ),
    ('op.rename_table("third", "last")', 'op.rename_table("last", "third")'),
    ('op.execute("UPDATE parent SET size = 2 WHERE size = 3")', "pass"),
    (
        f'{PARENT}drop_constraint("small", type_="check")',
        f'{PARENT}create_check_constraint("small", "size BETWEEN 1 AND 3")',
    ),
    ('op.create_index("ix_low", "parent", [sa.text("size"), "made"])', 'op.drop_index("ix_low", table_name="parent")'),
    (f'{PARENT}drop_column("a1")', 'op.add_column("parent", sa.Column("a1", sa.Integer()))'),
    ('op.execute("CREATE VIEW seen AS SELECT id, name FROM parent")', 'op.execute("DROP VIEW seen")'),
    ('op.execute("DROP VIEW seen")', 'op.execute("CREATE VIEW seen AS SELECT id, name FROM parent")'),
    (
        'op.create_table("fourth", sa.Column("code", sa.String(9), primary_key=True), sa.Column("at", sa.DateTime(),'
        ' server_default=sa.func.current_timestamp(), nullable=False), sa.Column("up", sa.String(9)),'
        ' sa.ForeignKeyConstraint(["up"], ["fourth.code"], name="fk_up"))',
        'op.drop_table("fourth")',
    ),
    (
        'op.add_column("parent", sa.Column("a4", sa.String(3)))\n'
        "op.execute(\"UPDATE parent SET a4 = 'yes' WHERE flag = true\")\n"
        "op.execute(\"UPDATE parent SET a4 = 'no' WHERE flag = false\")\n"
        f'{PARENT}alter_column("a4", nullable=False, existing_type=sa.String(3))',
        f'{PARENT}drop_column("a4")',
    ),
    ("pass", "pass"),
]


@pytest.fixture
def short(house: House) -> House:
    """A project whose history is one revision with two tables."""
    for file in house.revisions().values():
        house.remove(str(file.relative_to(house.root)))
    house.add_revision("base11", BASE, UNBASE, parent=None)
    return house


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_migration_fails_by_name(short: House, manage: Runner, database: Database, bad: Bad) -> None:
    if database.kind in bad.not_on:
        pytest.skip(f"{database.kind} lets it pass")
    short.add_revision("bad111", bad.up, bad.down)

    result = manage("check", "--staircase")

    line = result.refusal()
    assert line.startswith("the staircase failed: revision bad111 'By hand bad111' (migrations/versions/schema/")
    assert next(one for one in result.out.splitlines() if "bad111" in one).endswith(bad.where)
    if bad.row and database.kind != bad.no_row_on:
        assert "; row of parent: id " in line or "; row of child: id " in line
    assert re.search(bad.says, line)
    assert database.tables() == set()
    assert Beside(short, database).places() == set()


def test_good_migrations_pass(short: House, manage: Runner, database: Database) -> None:
    for number, (up, down) in enumerate(GOOD):
        short.add_revision(f"good{number:02}", up, down)
    manage.ok("migrate", "base11")

    said = manage.ok("check", "--staircase").out

    assert said.splitlines()[-1] == (
        f"{len(GOOD) + 1} revisions applied to tables with rows, taken back and applied again."
    )
    assert "down leaves" not in said


def test_this_projects_own_history_passes(manage: Runner, migrated: Database) -> None:
    said = manage.ok("check", "--staircase").out

    assert "subjects: 20 rows -> 34 rows" in said
    assert said.splitlines()[-1] == "5 revisions applied to tables with rows, taken back and applied again."
    assert "down leaves" not in said


def test_a_rehearsal_names_the_row_too(house: House, manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "40")
    house.add_revision("aaa111", ALTER.format("students") + 'create_check_constraint("ck_x", "grade < 3")')

    line = manage("migrate", "--rehearse").refusal()

    assert "; row of students: id " in line
    assert ", grade " in line


def test_json_and_other_schemas_are_filled(short: House, manage: Runner, server_database: Database) -> None:
    schema = "other" if server_database.kind == "postgresql" else None
    makes = "" if schema is None else 'op.execute("CREATE SCHEMA other")\n'
    columns = 'sa.Column("id", sa.Integer(), primary_key=True), sa.Column("j", sa.JSON(), nullable=False)'
    drops = "" if schema is None else '\nop.execute("DROP SCHEMA other")'
    short.add_revision(
        "aaa111",
        f'{makes}op.create_table("things", {columns}, schema={schema!r})',
        f'op.drop_table("things", schema={schema!r}){drops}',
    )
    short.add_revision(
        "bbb111",
        'if op.get_bind().scalar(sa.text("SELECT count(*) FROM '
        + (f"{schema}." if schema else "")
        + 'things")) != 20:\n'
        '    raise ValueError("not filled")',
    )

    manage.ok("check", "--staircase")


def test_values_are_of_the_types_that_the_migrations_declare(short: House, manage: Runner, database: Database) -> None:
    typed = (
        'sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("kind", sa.Enum("red", "green", name="kinds"),'
        ' nullable=False), sa.Column("made", sa.PickleType()), sa.Column("other", sa.Uuid()), sa.Column("j", sa.JSON())'
    )
    drop = 'op.drop_table("old")'
    drop += "\nop.execute('DROP TYPE kinds')" if database.kind == "postgresql" else ""
    short.add_revision("aaa111", f'op.create_table("old", {typed})', drop)
    recreate = "always" if database.kind == "sqlite" else "never"
    batch = f'with op.batch_alter_table("old", recreate="{recreate}") as batch:\n    batch.'
    of_new = batch.replace('"old"', '"new"')
    renamed = 'alter_column("{}", new_column_name="{}", existing_type=sa.Uuid(), existing_nullable=True)'
    short.add_revision(
        "bbb111",
        f'{batch}add_column(sa.Column("x", sa.Integer()))\nop.rename_table("old", "new")\n'
        + of_new
        + renamed.format("other", "later"),
        f'{of_new}{renamed.format("later", "other")}\nop.rename_table("new", "old")\n{batch}drop_column("x")',
    )
    short.add_revision(
        "ccc111",
        f'things = sa.Table("new", sa.MetaData(), {typed.replace("other", "later")})\n'
        "rows = op.get_bind().execute(sa.select(things)).all()\n"
        "assert len(rows) == 20, len(rows)",
    )

    manage.ok("check", "--staircase")


def test_values_may_become_others_than_the_migrations_declared(
    short: House, manage: Runner, database: Database
) -> None:
    typed = (
        f'{ID}, sa.Column("kind", sa.Enum("x", "y", native_enum=False, length=10), nullable=False),'
        ' sa.Column("other", sa.Uuid(native_uuid=False), nullable=False), sa.Column("j", sa.JSON())'
    )
    change = 'alter_column("j", type_={}, existing_type={}, postgresql_using="j::{}")'
    key = 'sa.Column("kind", sa.Enum("x", "y", native_enum=False, length=10), primary_key=True)'
    short.add_revision(
        "aaa111",
        f'op.create_table("kinds", {key})\nop.create_table("things", {typed})',
        'op.drop_table("things")\nop.drop_table("kinds")',
    )
    short.add_revision(
        "bbb111",
        "op.execute(\"UPDATE kinds SET kind = 'z' WHERE kind = 'x'\")\n"
        "op.execute(\"UPDATE things SET kind = 'z', other = 'none'\")\n"
        + ALTER.format("things")
        + change.format("sa.Text()", "sa.JSON()", "text"),
        ALTER.format("things") + change.format("sa.JSON()", "sa.Text()", "json"),
    )
    more = f'op.create_table("more", {ID}, sa.Column("kind", sa.String(10), sa.ForeignKey("kinds.kind")))'
    short.add_revision("ccc111", f"{MUST_BE_TEXTS}{more}", 'op.drop_table("more")')

    manage.ok("check", "--staircase")


NOTES = """
op.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
op.execute("CREATE VIRTUAL TABLE words USING fts5(title, content='things', content_rowid='id')")
"""
DROP_N = 'op.drop_column("things", "n")'
WORD_TRIGGERS = """
op.execute("CREATE TRIGGER ai AFTER INSERT ON things BEGIN"
           " INSERT INTO words (rowid, title) VALUES (new.id, new.title); END")
op.execute("CREATE TRIGGER au AFTER UPDATE ON things BEGIN"
           " INSERT INTO words (words, rowid, title) VALUES ('delete', old.id, old.title);"
           " INSERT INTO words (rowid, title) VALUES (new.id, new.title); END")
"""


def test_an_index_of_words_is_filled_by_its_triggers(short: House, manage: Runner, sqlite_database: Database) -> None:
    short.add_revision("aaa111", f"{NOTES}{WORD_TRIGGERS}", 'op.drop_table("words")\nop.drop_table("things")')
    short.add_revision("bbb111", 'op.add_column("things", sa.Column("n", sa.Integer()))', DROP_N)
    short.add_revision("ccc111", MUST_BE_FILLED.format(table="things"))

    manage.ok("check", "--staircase")


@pytest.mark.parametrize("refused", ["UPDATE ON things", "INSERT ON things WHEN new.note NOT LIKE 'a%'"])
def test_a_trigger_that_takes_back_the_transaction_is_survived(
    short: House, manage: Runner, sqlite_database: Database, refused: str
) -> None:
    short.add_revision(
        "aaa111",
        f'op.create_table("things", {ID}, sa.Column("note", sa.String(50), nullable=False))\n'
        f"op.execute(\"CREATE TRIGGER no BEFORE {refused} BEGIN SELECT RAISE(ROLLBACK, 'no'); END\")",
        'op.drop_table("things")',
    )
    short.add_revision("bbb111", MUST_BE_FILLED.format(table="things"))

    manage.ok("check", "--staircase")


# Tables that nothing but trying, or a seeder, can fill

ID = 'sa.Column("id", sa.Integer(), primary_key=True)'
NOT_INFERRED = (
    # numbers that add up
    f'op.create_table("things", {ID}, sa.Column("a", sa.Integer(), nullable=False),'
    ' sa.Column("b", sa.Integer(), nullable=False), sa.CheckConstraint("a + b = 100", name="ck_sum"))',
    # soon after each other
    f'op.create_table("things", {ID}, sa.Column("a", sa.DateTime(), nullable=False),'
    ' sa.Column("b", sa.DateTime(), nullable=False), sa.CheckConstraint('
    '"(b > a) = (1 = 1) AND substr(CAST(a AS CHAR(30)), 1, 7) = substr(CAST(b AS CHAR(30)), 1, 7)", name="ck_soon"))',
    # one of two
    f'op.create_table("things", {ID}, sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer()),'
    ' sa.CheckConstraint("(a IS NULL) <> (b IS NULL)", name="ck_one"))',
    # one or the other
    f'op.create_table("things", {ID}, sa.Column("kind", sa.String(9), nullable=False),'
    ' sa.Column("a", sa.Integer(), nullable=False), sa.CheckConstraint('
    "\"CASE WHEN kind = 'big' THEN a > 900 WHEN kind = 'low' THEN a < 9 ELSE a = 77 END\", name='ck_case'))",
    # rows of itself
    f'op.create_table("things", {ID}, sa.Column("up", sa.Integer(), sa.ForeignKey("things.id"),'
    ' nullable=False), sa.Column("a", sa.Integer(), nullable=False), sa.CheckConstraint("a * 2 = 48", name="ck_two"))',
)
NOT_INFERRED_ON_POSTGRESQL = (
    # a domain
    'op.execute("CREATE DOMAIN even AS integer CHECK (VALUE % 2 = 0 AND VALUE > 950)")\n'
    'op.execute("CREATE TABLE things (id serial PRIMARY KEY, n even NOT NULL)")',
    # a composite type
    'op.execute("CREATE TYPE pair AS (a integer, b text)")\n'
    'op.execute("CREATE TABLE things (id serial PRIMARY KEY, p pair NOT NULL)")',
    # shapes
    'op.execute("CREATE TABLE things (id serial PRIMARY KEY, p point NOT NULL, b box NOT NULL, c circle NOT NULL)")',
    # partitions
    'op.execute("CREATE TABLE things (id integer NOT NULL, kind text NOT NULL)'
    ' PARTITION BY LIST (kind)")\n'
    "op.execute(\"CREATE TABLE things_of_one PARTITION OF things FOR VALUES IN ('one')\")",
    # what may not overlap
    'op.execute("CREATE TABLE things (id serial PRIMARY KEY, during daterange NOT NULL,'
    ' EXCLUDE USING gist (during WITH &&))")',
    # a domain with a pattern
    "op.execute(\"CREATE DOMAIN mail AS text CHECK (VALUE ~ '^[^@]+@[^@]+$')\")\n"
    'op.execute("CREATE TABLE things (id serial PRIMARY KEY, m mail NOT NULL UNIQUE)")',
    # a percent sign
    'op.execute(\'CREATE TABLE things (id serial PRIMARY KEY, "a%" integer CHECK (("a%" + 1) * 2 = 42))\')',
)
MUST_BE_TEXTS = """
if not op.get_bind().scalar(sa.text("SELECT count(*) FROM things WHERE j = ''")):
    raise ValueError("no texts")
"""
MUST_BE_FILLED = """
if not op.get_bind().scalar(sa.text("SELECT count(*) FROM {table}")):
    raise ValueError("{table} is not filled")
"""


def with_tables(house: House, ups: Iterable[str]) -> None:
    """Add a revision that makes things0, things1 ..., and one that works only where each of them has rows."""
    made, dropped, looks = [], [], []
    for number, up in enumerate(ups):
        table = f"things{number}"
        made.append(up.replace("things", table))
        types = [f'op.execute("DROP {kind} {name}")' for kind, name in re.findall(r"CREATE (DOMAIN|TYPE) (\w+)", up)]
        dropped += [f'op.execute("DROP TABLE {table}")', *types]
        looks.append(MUST_BE_FILLED.format(table=table))
    house.add_revision("aaa111", "\n".join(made), "\n".join(dropped))
    house.add_revision("bbb111", "".join(looks))


def test_what_cannot_be_inferred_is_filled(short: House, manage: Runner, database: Database) -> None:
    of_one = {"sqlite": "a, b", "postgresql": "", "mariadb": "p point, b bit(1) NOT NULL"}[database.kind]
    nothing_has_to_stand = f'op.execute("CREATE TABLE things ({of_one})")'
    with_tables(short, [*NOT_INFERRED, nothing_has_to_stand])

    manage.ok("check", "--staircase")


def test_what_only_postgresql_has_is_filled(short: House, manage: Runner, postgresql_database: Database) -> None:
    with_tables(short, NOT_INFERRED_ON_POSTGRESQL)

    manage.ok("check", "--staircase")


HARD = (
    f'op.create_table("things", {ID}, sa.Column("a", sa.Integer(), nullable=False),'
    ' sa.Column("b", sa.Integer(), nullable=False),'
    ' sa.CheckConstraint("a * 7919 + b = 998877 AND a > 7 AND b > 7", name="ck_hard"))'
)
THING = """
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class Thing(Base):
    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[int]
    b: Mapped[int]
    later: Mapped[str]
"""
THINGS = """
from project.management.fields import constant
from project.management.seeding import Seeder
from project.models.things import Thing


class Things(Seeder):
    model = Thing
    a = constant(100)
    b = constant(206977)
    later = constant("not yet")
"""


def test_a_table_without_rows_fails_at_the_end_and_a_seeder_mends_it(
    short: House, manage: Runner, sqlite_database: Database
) -> None:
    short.add_revision("aaa111", HARD, 'op.drop_table("things")')
    short.add_revision("bbb111", "pass")

    assert "No rows could be put into things at revision aaa111: " in manage.ok("check", "--staircase").out

    short.write("project/models/things.py", THING)
    without = manage("check", "--staircase")
    line = without.refusal()
    assert line.startswith("the staircase could put no row into things at revision aaa111: ")
    assert line.endswith("say in project/seeds/things.py how to fill it")
    assert "~" not in line
    assert "  bbb111  " in without.out

    short.write("project/seeds/things.py", THINGS)
    manage.ok("check", "--staircase")


def test_a_way_back_that_refuses_what_only_the_new_schema_allows_is_told(
    short: House, manage: Runner, database: Database
) -> None:
    widened = f'{PARENT}drop_constraint("small", type_="check")'
    back = f'{PARENT}create_check_constraint("small", "size BETWEEN 1 AND 3")'
    short.add_revision("aaa111", widened, back)
    short.add_revision("bbb111", 'op.create_index("ix_x", "parent", ["size"])', 'op.drop_index("ix_x", "parent")')

    said = manage.ok("check", "--staircase").out

    assert "    down is refused once there are rows that it does not allow: revision aaa111 " in said
    assert "; row of parent: id " in said
    assert "3 revisions applied to tables with rows" in said
    assert database.tables() == set()


def test_a_step_that_fails_on_what_its_way_back_left_fails(short: House, manage: Runner, database: Database) -> None:
    short.add_revision(
        "aaa111",
        "if op.get_bind().scalar(sa.text(\"SELECT count(*) FROM parent WHERE note = 'moved'\")):\n"
        '    raise ValueError("moved before")\n'
        f'op.create_table("fresh", {ID})',
        'op.execute("UPDATE parent SET note = \'moved\' WHERE EXISTS (SELECT 1 FROM fresh)")\nop.drop_table("fresh")',
    )

    result = manage("check", "--staircase")

    assert "moved before" in result.refusal()
    assert next(one for one in result.out.splitlines() if "aaa111" in one).endswith(", up again failed")


def test_a_schema_that_does_not_come_back_fails_at_the_end(short: House, manage: Runner, database: Database) -> None:
    short.add_revision("aaa111", typed("parent", "name", "sa.String(80)", "sa.String(60)"), "pass")
    short.add_revision("bbb111", "pass")

    result = manage("check", "--staircase")

    line = result.refusal()
    assert line.startswith("revision aaa111 'By hand aaa111' (migrations/versions/schema/")
    assert " is not taken back by its downgrade: the schema is with" in line
    assert "  bbb111  " in result.out


KINDS = "op.execute(\"CREATE TYPE kinds AS ENUM ('one', 'two')\")\n"
WITH_KINDS = f'{KINDS}op.execute("CREATE TABLE things (id serial PRIMARY KEY, kind kinds NOT NULL)")'
WITHOUT_KINDS = 'op.execute("DROP TABLE things")\nop.execute("DROP TYPE kinds")'


def test_labels_and_extensions_that_stay_are_told(short: House, manage: Runner, postgresql_database: Database) -> None:
    short.add_revision("aaa111", WITH_KINDS, WITHOUT_KINDS)
    adds = "op.execute(\"ALTER TYPE kinds ADD VALUE IF NOT EXISTS 'three' BEFORE 'two'\")"
    extends = "op.execute('CREATE EXTENSION IF NOT EXISTS pgcrypto')"
    short.add_revision("bbb111", f"{extends}\nwith op.get_context().autocommit_block():\n    {adds}", "pass")

    said = manage.ok("check", "--staircase").out

    assert "down leaves the schema with enumeration kinds: one, three, two" in said
    assert "with extension pgcrypto" in said


def test_a_type_that_stays_is_no_label(short: House, manage: Runner, postgresql_database: Database) -> None:
    short.add_revision("aaa111", KINDS.replace("op.", 'op.execute("DROP TYPE IF EXISTS kinds")\nop.', 1), "pass")

    assert "is not taken back by its downgrade: the schema is with" in manage("check", "--staircase").refusal()


def test_the_row_with_a_label_that_goes_is_named(short: House, manage: Runner, postgresql_database: Database) -> None:
    short.add_revision("aaa111", WITH_KINDS, WITHOUT_KINDS)
    short.add_revision(
        "bad111",
        "op.execute(\"CREATE TYPE fewer AS ENUM ('one')\")\n"
        'op.execute("ALTER TABLE things ALTER COLUMN kind TYPE fewer USING kind::text::fewer")',
    )

    assert re.search(r"; row of things: id \d+, kind two", manage("check", "--staircase").refusal())


def test_a_first_step_that_is_not_taken_back_is_named(house: House, manage: Runner, database: Database) -> None:
    for file in house.revisions().values():
        house.remove(str(file.relative_to(house.root)))
    house.add_revision("base11", BASE, "pass", parent=None)

    line = manage("check", "--staircase").refusal()

    assert line.startswith("the staircase failed: revision base11 'By hand base11' (migrations/versions/schema/")
    assert " is not taken back by its downgrade: the schema is with " in line


def test_a_database_that_is_not_there_is_named(short: House, manage: Runner, postgresql_database: Database) -> None:
    env = {"DATABASE_URL": postgresql_database.url.replace(postgresql_database.name, "manage_test_nowhere")}

    assert "there is no database 'manage_test_nowhere'" in manage("check", "--staircase", env=env).refusal()
