"""The history in the database: every step, who and when, and what it tells of edited files and lost revisions."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project.management.migration_history import Record, is_changed
from tests.databases import Database, administrate, server_address
from tests.faults.beside import Beside
from tests.houses import House, Runner
from tests.management.test_check import errors, problems

MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'
STEPS = "SELECT revision, direction FROM migration_history ORDER BY id"


def steps(database: Database) -> list[tuple[str, str]]:
    return [(revision, direction) for revision, direction in database.rows(STEPS)]


def every(house: House, direction: str) -> list[tuple[str, str]]:
    return [(revision, direction) for revision in house.line()]


@pytest.fixture
def last(house: House) -> Path:
    """The file of a revision of one's own, the newest."""
    return house.add_revision("aaa111", MAKES, DROPS)


# What is recorded


def test_each_step_is_recorded_with_when_how_long_and_by_whom(
    house: House, manage: Runner, database: Database, last: Path
) -> None:
    manage.ok("migrate")
    manage.ok("rollback", "--no-input")
    manage.ok("migrate", "--fake", "aaa111")

    shown = [line.split() for line in manage.ok("showmigrations", "--history").out.splitlines()[1:]]

    assert steps(database) == [*every(house, "upgrade"), ("aaa111", "downgrade"), ("aaa111", "stamp")]
    whole = "SELECT message, down_revision, done_by, checksum, code_checksum FROM migration_history ORDER BY id"
    message, parent, who, *checksums = database.rows(whole)[-1]
    assert (message, parent) == ("By hand aaa111", house.line()[-2])
    assert who.endswith(f"@{socket.gethostname()}")
    assert [len(one) for one in checksums] == [64, 64]
    for line in shown:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", " ".join(line[:2]))
    assert re.fullmatch(r"\d+\.\d\d s applied aaa111 By hand aaa111 .*", " ".join(shown[-3][2:]))
    assert re.fullmatch(r"\d+\.\d\d s taken back aaa111 By hand aaa111 .*", " ".join(shown[-2][2:]))
    assert " ".join(shown[-1][2:]) == f"recorded aaa111 By hand aaa111 {who}"


def test_plain_alembic_records_the_same(house: House, alembic: Runner, database: Database, last: Path) -> None:
    alembic.ok("upgrade", "head")
    alembic.ok("downgrade", "-1")
    alembic.ok("stamp", "head")

    assert steps(database) == [*every(house, "upgrade"), ("aaa111", "downgrade"), ("aaa111", "stamp")]


def test_a_step_that_fails_is_not_recorded(house: House, manage: Runner, database: Database) -> None:
    house.add_revision("aaa111", f'{MAKES}\nop.execute("SELECT nothing FROM nowhere")', DROPS)

    manage("migrate").refusal()

    assert steps(database) == every(house, "upgrade")[:-1]


def test_recording_a_whole_line_records_each_of_it(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate", "--fake", "head")

    assert steps(database) == every(house, "stamp")
    manage.ok("migrate", "--fake", "head")
    assert steps(database) == every(house, "stamp")
    last = house.line()[-1]
    manage.ok("migrate", "--fake", house.line()[-2])
    manage.ok("migrate", "--fake", "head")
    assert steps(database)[-2:] == [(last, "unstamp"), (last, "stamp")]
    assert f"forgotten  {last}" in manage.ok("showmigrations", "--history").out


def test_sql_for_somebody_else_to_run_records_its_steps(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate", "+1")
    script = manage.ok("migrate", "--sql").out
    with database.connect() as connection:
        for statement in script.split(";\n"):
            if statement.strip() and not re.fullmatch(r"(BEGIN|COMMIT)( TRANSACTION)?", statement.strip()):
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
        connection.commit()

    shown = manage.ok("showmigrations").out

    assert steps(database) == every(house, "upgrade")
    assert "All applied." in shown
    manage.ok("check")


def test_a_database_of_an_earlier_version_of_the_project_gets_the_table(
    house: House, manage: Runner, migrated: Database
) -> None:
    migrated.execute("DROP TABLE migration_history")
    manage.ok("showmigrations")
    assert "No step was recorded." in manage.ok("showmigrations", "--history").out

    manage.ok("migrate")

    assert steps(migrated) == every(house, "stamp")
    assert manage.ok("migrate").out.splitlines()[-1].startswith("Nothing to do")
    assert steps(migrated) == every(house, "stamp")


def test_autogenerate_and_reset_know_the_table(manage: Runner, migrated: Database) -> None:
    assert "No changes" in manage.ok("makemigrations", "--check").out
    manage.ok("rollback", "--redo", "--no-input")

    manage.ok("reset", "--no-input")

    assert migrated.value("SELECT count(*) FROM migration_history WHERE direction <> 'upgrade'") == 0


# A history that cannot be read


@pytest.fixture
def reader(server_database: Database) -> Iterator[dict[str, str]]:
    """The environment of somebody who may read the tables, but for the history."""
    kind, name = server_database.kind, server_database.name
    server, role = server_address(kind), f"r_{name[-8:]}"
    administrate(server, f"CREATE ROLE {role} LOGIN" if kind == "postgresql" else f"CREATE USER {role}@'%'")
    try:
        url = re.sub("(postgres|root)@", f"{role}@", server_database.url)
        yield {"DATABASE_URL": url}
    finally:
        if kind == "postgresql":
            server_database.execute(f"DROP OWNED BY {role}")
        administrate(server, f"DROP ROLE {role}" if kind == "postgresql" else f"DROP USER {role}@'%'")


def test_who_may_not_read_the_history_sees_the_rest(
    house: House, manage: Runner, server_database: Database, reader: dict[str, str]
) -> None:
    manage.ok("migrate", "+4")
    [who] = re.findall(r"//(\w+)@", reader["DATABASE_URL"])
    grantee = who if server_database.kind == "postgresql" else f"{who}@'%'"
    for table in server_database.all_tables() - {"migration_history"}:
        server_database.execute(f"GRANT SELECT ON {table} TO {grantee}")

    shown = manage.ok("showmigrations", env=reader).out
    checked = problems(manage("check", env=reader))
    planned = manage.ok("migrate", "--plan", env=reader)
    strict = [manage(*words, env=reader).refusal() for words in (("migrate",), ("showmigrations", "--history"))]

    said = f" does not let user '{who}' do this: "
    assert [line.split("]")[0].strip() for line in shown.splitlines()[1:6]] == [*["[X"] * 4, "["]
    for text in (shown, {one: message for one, message, _ in checked}["database.W003"], planned.err):
        assert re.search(rf"[Tt]he migration history cannot be read: \w+{said}", text)
    assert [one for one, *_ in checked] == ["database.W003", "migrations.E004"]
    assert len(planned.err.splitlines()) == 1
    assert house.line()[-1] in planned.out
    assert all(said in line and line.endswith((" or use the tables' owner", " or use another user")) for line in strict)


DAMAGES = {
    "without a column": "ALTER TABLE migration_history DROP COLUMN done_by",
    "with a moment that is none": "UPDATE migration_history SET done_at = 'never'",
    "with a step of nothing": "UPDATE migration_history SET revision = 7, message = x'00'",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_history_is_named_and_stops_only_what_writes_it(
    manage: Runner, sqlite_database: Database, last: Path, damage: str
) -> None:
    manage.ok("migrate")
    sqlite_database.execute(damage)

    shown = manage.ok("showmigrations").out
    checked = problems(manage("check"))
    line = manage("migrate").refusal()

    assert shown.count("[X]") == 6
    assert "The migration history cannot be read: migration_history " in shown
    assert "database.W003" in [one for one, *_ in checked]
    assert (
        "cannot be read: migration_history " in json.loads(manage.ok("showmigrations", "--json").out)["history_error"]
    )
    assert line.startswith("migration_history ")
    assert line.endswith("; then python manage.py migrate makes it anew") or line.endswith(
        "rename migration_history, then python manage.py migrate makes it anew"
    )


# Files that changed after they were applied

EDITS: dict[str, Callable[[str], str]] = {
    "another column": lambda text: text.replace("sa.Integer()", "sa.BigInteger()"),
    "another way back": lambda text: text.replace(DROPS, "pass"),
    "a function more": lambda text: text + "\n\ndef other():\n    pass\n",
}
CARE: dict[str, Callable[[str], str]] = {
    "a comment": lambda text: text.replace("def upgrade", "# why\ndef upgrade"),
    "formatting": lambda text: text.replace("op.create_table(", "op.create_table(\n        ").replace("'", '"'),
    "the message": lambda text: text.replace("By hand aaa111", "Made by hand"),
    "line endings": lambda text: text.replace("\n", "\r\n"),
    "a docstring": lambda text: text.replace("def upgrade():", 'def upgrade():\n    """Make it."""'),
    "a docstring of what does nothing": lambda text: text.replace("    pass", '    """Not needed."""'),
    "a byte order mark": lambda text: f"\ufeff{text}",
}


# What was recorded of the code of a file that is below.
BEFORE = "d4d6453bd63da5e3057431a6b2c1cb5fa227fdc404843bdc502c12784e23b9d2"


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_file_that_changed_after_it_was_applied_is_named(
    manage: Runner, alembic: Runner, sqlite_database: Database, last: Path, edit: Callable[[str], str]
) -> None:
    manage.ok("migrate")
    last.write_text(edit(last.read_text()))

    migrated, checked, plain = manage.ok("migrate"), manage("check"), alembic.ok("upgrade", "head")
    assert "is not what was applied" in manage.ok("migrate", "--check").err

    [(identity, message, hint)] = [one for one in errors(checked) if one[0] != "models.E002"]
    assert identity == "migrations.E009"
    assert message.startswith(f"migrations/versions/schema/{last.name} is not what was applied as revision aaa111 (20")
    assert hint.endswith("let it count as applied: python manage.py migrate --fake aaa111")
    assert f"{message} — {hint}" in migrated.err.splitlines()
    assert message in plain.err
    assert "Nothing to do" in migrated.out


@pytest.mark.parametrize("edit", CARE.values(), ids=CARE)
def test_what_python_does_not_read_may_change(
    manage: Runner, sqlite_database: Database, last: Path, edit: Callable[[str], str]
) -> None:
    last.write_text(f"{last.read_text()}\n\ndef other():\n    pass\n")
    manage.ok("migrate")
    before, after = last.read_text(), edit(last.read_text())
    last.write_bytes(after.encode())

    result = manage.ok("migrate")

    assert before != after
    assert result.err == ""
    assert "migrations.E" not in manage("check").out


def test_what_was_recorded_when_docstrings_of_functions_counted_still_counts(tmp_path: Path) -> None:
    file, text = tmp_path / "made.py", 'revision = "aaa111"\n\n\ndef upgrade():\n    """Make it."""\n    op.make()\n'
    record = Record("aaa111", (), "", "upgrade", checksum="another", code_checksum=BEFORE)

    for after, is_other in ((f"{text}# why\n", False), (text.replace("make()", "make(1)"), True)):
        file.write_text(after)
        assert is_changed(file, record) == is_other


@pytest.mark.parametrize("left", ["<<<<<<< HEAD\n", "\0"], ids=["a merge that was left off", "a NUL byte"])
def test_a_file_that_was_applied_and_python_cannot_read_is_refused(
    manage: Runner, sqlite_database: Database, last: Path, left: str
) -> None:
    manage.ok("migrate")
    last.write_text(last.read_text() + left)

    for words in (("migrate",), ("migrate", "--plan"), ("showmigrations",)):
        assert f"migrations/versions/schema/{last.name} cannot be read: " in manage(*words).refusal()


def test_an_edit_can_be_accepted_taken_back_or_applied_anew(manage: Runner, database: Database, last: Path) -> None:
    manage.ok("migrate")
    before, after = last.read_text(), EDITS["a function more"](last.read_text())

    last.write_text(after)
    assert "is not what was applied" in manage.ok("migrate").err
    last.write_text(before)
    assert manage.ok("migrate").err == ""
    last.write_text(after)
    manage.ok("rollback", "--redo", "--no-input")
    assert manage.ok("migrate").err == ""
    last.write_text(before)
    assert "is not what was applied" in manage.ok("migrate").err
    manage.ok("migrate", "--fake", "aaa111")

    assert manage.ok("migrate").err == ""
    assert steps(database)[-1] == ("aaa111", "stamp")
    last.write_text(after)
    assert f"As applied count as they are now: migrations/versions/schema/{last.name}." in (
        manage.ok("migrate", "--fake", "head").out
    )


# Revisions that this checkout does not have


def test_a_lost_revision_is_described_and_its_branch_named(
    house: House, manage: Runner, alembic: Runner, database: Database, last: Path
) -> None:
    path = str(last.relative_to(house.root))
    house.git("init", "--quiet")
    house.git("add", "migrations")
    house.git("commit", "--quiet", "-m", "x")
    house.git("branch", "feature/made")
    manage.ok("migrate")
    house.remove(path)

    deleted = manage("migrate").refusal()
    house.git("commit", "--quiet", "-am", "gone")
    switched = manage("migrate").refusal()
    for words in (("current",), ("check",), ("stamp", "head")):
        assert "git switch feature/made, python manage.py migrate --abandon" in alembic(*words).out
    listed = manage.ok("showmigrations").out

    who = database.value("SELECT max(done_by) FROM migration_history")
    assert re.search(
        r" is at revision aaa111 'By hand aaa111' \(applied \d{4}-\d\d-\d\d \d\d:\d\d by "
        rf"{re.escape(who)}\), which no file in migrations/versions has; on branch main it is {re.escape(path)}"
        rf" — git restore {re.escape(path)}, python manage.py migrate --abandon if the schema still is that of"
        rf" {house.line()[-1]}, or in development python manage.py reset, with --drop-unknown if it made tables$",
        deleted,
    )
    assert (
        f"; on branch feature/made it is {path} — git switch feature/made, python manage.py migrate --abandon"
        in switched
    )
    assert "git switch feature/made" in listed


def test_a_lost_file_is_found_at_a_tag_and_in_a_commit(
    house: House, manage: Runner, sqlite_database: Database, last: Path
) -> None:
    """Also where the project is only a folder of the repository, and where a remote's HEAD comes first."""
    path = str(last.relative_to(house.root))
    manage.ok("migrate")
    where = house.root.parent
    for words in (("init", "--quiet", str(where)), ("add", "migrations"), ("commit", "--quiet", "-m", "made")):
        house.git(*words)
    house.git("update-ref", "refs/remotes/origin/made", "HEAD")
    house.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/made")
    house.git("tag", "v1.0")
    before = last.read_text()
    last.write_text(f"{before}# changed\n")
    house.git("stash", "--quiet")
    house.remove(path)
    house.git("commit", "--quiet", "-am", "gone")

    on_a_branch = manage("migrate").refusal()
    for ref in ("HEAD", "made"):
        house.git("update-ref", "--no-deref", "-d", f"refs/remotes/origin/{ref}")
    at_a_tag = manage("migrate").refusal()
    house.git("tag", "-d", "v1.0")
    in_a_commit = manage("migrate").refusal()
    house.git("checkout", "--quiet", "--orphan", "anew")
    house.git("commit", "--quiet", "-m", "begins")
    house.git("branch", "--quiet", "-D", "main")
    nowhere = manage("migrate").refusal()
    without_git = manage("migrate", env={"PATH": ""}).refusal()

    assert f"; on branch made it is {path} — git switch made, " in on_a_branch
    assert f"; at tag v1.0 it is {path} — git restore --source=v1.0 {path}, " in at_a_tag
    [(commit, cure)] = re.findall(r"; in commit (\w+) it is [\w/.]+ — (.*?), ", in_a_commit)
    assert cure == f"git restore --source={commit} {path}"
    assert nowhere == without_git
    assert " no file in migrations/versions has — get that file (another branch may have it), " in nowhere


def test_a_snapshot_that_this_checkout_can_go_on_from_is_a_way_out(
    house: House, manage: Runner, database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "before-it")
    file = house.add_revision("aaa111", MAKES, DROPS)
    manage.ok("migrate")
    manage.ok("snapshot", "with-it")
    house.remove(str(file.relative_to(house.root)))

    line = manage("seed").refusal()

    assert line.endswith(
        " — get that file (another branch may have it), python manage.py restore before-it,"
        f" python manage.py migrate --abandon if the schema still is that of {house.line()[-1]},"
        " or in development python manage.py reset, with --drop-unknown if it made tables"
    )
    manage.ok("restore", "before-it", "--no-input")
    manage.ok("check")


def test_what_works_at_a_lost_revision_says_that_it_is_lost(
    house: House, manage: Runner, sqlite_database: Database, last: Path
) -> None:
    commands = (("showmigrations", "--history"), ("check", "--staircase"), ("snapshot", "NAME"))
    manage.ok("migrate")
    before = [manage.ok(*words).err for words in commands]
    house.remove(str(last.relative_to(house.root)))

    manage.ok("snapshots", "--delete", "NAME")
    after = [manage.ok(*words).err.splitlines() for words in commands]

    assert before == ["", "", ""]
    for [line] in after:
        assert line.startswith(f"{sqlite_database.name} is at revision aaa111 'By hand aaa111' (applied ")
        assert " which no file in migrations/versions has — get that file " in line


def test_in_production_a_reset_is_no_way_out(house: House, manage: Runner, sqlite_database: Database) -> None:
    file = house.add_revision("aaa111", MAKES, DROPS)
    manage.ok("migrate", env={"ENVIRONMENT": "production"})
    house.remove(str(file.relative_to(house.root)))

    line = manage("migrate", env={"ENVIRONMENT": "production"}).refusal()

    abandoning = f"python manage.py migrate --abandon if the schema still is that of {house.line()[-1]}"
    assert line.endswith(f" — get that file (another branch may have it), or {abandoning}")


# Giving one up


def test_a_lost_revision_that_changed_no_schema_can_be_abandoned(
    house: House, manage: Runner, database: Database
) -> None:
    files = [house.add_revision(one, "pass") for one in ("aaa111", "bbb111")]
    manage.ok("migrate")
    for file in files:
        house.remove(str(file.relative_to(house.root)))

    result = manage.ok("migrate", "--abandon")

    assert result.out.startswith(f"Recorded revision {house.line()[-1]}, whose schema {database.name}")
    assert database.revision() == house.line()[-1]
    assert Beside(house, database).places() == set()
    manage.ok("check")
    manage.ok("seed", "--count", "3")


def test_a_lost_revision_that_left_something_is_not_abandoned_before_that_is_gone(
    house: House, manage: Runner, database: Database
) -> None:
    adds = 'op.add_column("students", sa.Column("nickname", sa.String(9)))'
    file = house.add_revision("aaa111", f'{MAKES}\n{adds}\nop.create_index("ix_n", "students", ["nickname"])')
    manage.ok("migrate")
    house.remove(str(file.relative_to(house.root)))

    line = manage("migrate", "--abandon").refusal()
    database.execute("ALTER TABLE subjects RENAME COLUMN title TO heading")
    more = manage("migrate", "--abandon").refusal()
    of_table = " ON students" if database.kind == "mariadb" else ""
    database.execute(f"DROP INDEX ix_n{of_table}", "DROP TABLE made", "ALTER TABLE students DROP COLUMN nickname")
    other = manage("migrate", "--abandon").refusal()

    before = house.line()[-1]
    assert line.startswith(f"revision aaa111 cannot be abandoned: {database.name}")
    assert line.endswith(
        f" is not as {before} leaves it: it also has table made, column nickname of students, index ix_n of students"
        " — get the file of aaa111 and go back with it, or undo that by hand and run the command again"
    )
    assert "it also has table made, column heading of subjects, column nickname of students; 2 other d" in more
    assert f" is not as {before} leaves it: it also has column heading of subjects; it lacks column title of" in other
    assert database.revision() == "aaa111"
    assert Beside(house, database).places() == set()
    database.execute("ALTER TABLE subjects RENAME COLUMN heading TO title")
    manage.ok("migrate", "--abandon")
    manage.ok("check")


def test_what_cannot_be_abandoned(house: House, manage: Runner, sqlite_database: Database) -> None:
    file = house.add_revision("aaa111", "pass")
    manage.ok("migrate")

    nothing = manage("migrate", "--abandon").refusal()
    house.remove(str(file.relative_to(house.root)))
    sqlite_database.execute("DELETE FROM migration_history")
    unknown = manage("migrate", "--abandon").refusal()

    assert "there is nothing to abandon" in nothing
    assert unknown.startswith(f"nothing in {sqlite_database.name} tells what revision aaa111 came after")
    assert "--abandon" not in manage("migrate").refusal()


def test_a_file_missing_amid_the_line_is_found_in_git(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.git("init", "--quiet")
    house.git("add", "migrations")
    house.git("commit", "--quiet", "-m", "x")
    path = str(house.revisions()[house.line()[1]].relative_to(house.root))
    house.remove(path)

    assert f" — git restore {path}, or correct down_revision" in manage("migrate").refusal()
