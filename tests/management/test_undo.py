"""What is kept before a loss is all there was, whoever writes meanwhile; and nothing but copies is ever dropped."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import Database, administrate, fresh, server_address, settle
from tests.houses import House, OpenTerminal, Runner
from tests.management.test_reset import DROPS, FAILS, HANGS, MAKES, PAPER, expect_fresh, in_its_place, put_in_ada
from tests.management.test_snapshots import at, file_of, how, names, undo
from tests.processes import Result, Running

BY_HAND = "UPDATE students SET name = 'By Hand' WHERE id = 1"


def is_by_hand(database: Database) -> bool:
    return bool(database.value("SELECT name FROM students WHERE id = 1") == "By Hand")


def test_a_step_back_refuses_rows_that_came_while_it_waited(manage: Runner, migrated: Database) -> None:
    """Of what has no rows no snapshot is taken."""
    manage.ok("seed")
    migrated.execute("DELETE FROM enrollments")

    with migrated.connect() as busy:
        busy.exec_driver_sql(
            "INSERT INTO enrollments (student_id, subject_id, enrolled_on) SELECT 1, id, '2026-09-01' FROM subjects"
        )
        running = manage.start("rollback", "--no-input")
        running.wait_for("waiting for")
        busy.commit()
    line = running.wait().expect(1).err.splitlines()[-1]

    assert line.endswith(" where none were when this began. Nothing was changed — run the command again")
    assert migrated.count("enrollments") == 14


WAITING = (("reset", "--rebuild"), ("seed", "--fresh"), ("rollback", "2"), ("restore", "one"))


@pytest.mark.parametrize("command", WAITING, ids=lambda one: one[0])
def test_what_somebody_commits_while_the_command_waits_comes_back(
    manage: Runner, migrated: Database, command: tuple[str, ...]
) -> None:
    manage.ok("seed")
    manage.ok("snapshot", "one")
    manage.ok("reset", "--no-input")

    with migrated.connect() as busy:
        busy.exec_driver_sql(BY_HAND)
        running = manage.start(*command, "--no-input")
        running.wait_for("waiting for")
        busy.commit()
    result = running.wait().expect(0)

    manage.ok("restore", undo(result), "--no-input")
    assert is_by_hand(migrated)


@pytest.mark.parametrize("command", [("restore", "full"), ("reset",)], ids=lambda one: one[0])
def test_what_somebody_commits_into_an_empty_database_comes_back(
    manage: Runner, migrated: Database, command: tuple[str, ...]
) -> None:
    manage.ok("reset", "--no-input")
    manage.ok("snapshot", "full")
    migrated.execute("DELETE FROM enrollments", "DELETE FROM students", "DELETE FROM subjects")

    with migrated.connect() as busy:
        busy.exec_driver_sql("INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('X', 'X', 1, 2)")
        running = manage.start(*command, "--no-input")
        running.wait_for("waiting for")
        busy.commit()
    result = running.wait().expect(0)
    there = migrated.count("subjects")
    manage.ok("restore", undo(result), "--no-input")

    assert there == 14
    assert migrated.rows("SELECT code FROM subjects") == [("X",)]


ADDS = """\
__import__("subprocess").run([__import__("sys").executable, "-c", {code!r}, __import__("os").environ["DATABASE_URL"]])
"""
ROW = """\
import sys
import sqlalchemy as sa
url = sa.make_url(sys.argv[1])
drivers = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
url = url.set(drivername=drivers.get(url.drivername, url.drivername))
with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
    if not connection.exec_driver_sql("SELECT count(*) FROM subjects WHERE code = 'X'").scalar():
        connection.exec_driver_sql(
            "INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('X', 'X', 1, 2)"
        )
"""


def run_before(house: House, path: str, before: str, code: str) -> None:
    """Have a program run at the database before some lines of the project do."""
    blanks = len(before) - len(before.lstrip())
    house.change(path, before, f"{blanks * ' '}{ADDS.format(code=code)}{before}")


@pytest.mark.parametrize(
    ("database", "file", "before"),
    [
        ("sqlite", "sqlite_copies", "                    return self._swap("),
        ("postgresql", "postgresql_copies", "            with (\n                nullcontext() if is_ready"),
        (
            "mariadb",
            "mariadb_copies",
            "            self._refuse_others(server, self.owner)\n            self._refuse_keys",
        ),
    ],
    indirect=["database"],
)
def test_what_comes_into_an_empty_database_amid_a_restore_comes_back(
    house: House, manage: Runner, database: Database, file: str, before: str
) -> None:
    """A row is committed when the copy is made, and the places have not changed yet."""
    manage.ok("migrate")
    manage.ok("snapshot", "full")
    database.execute("DELETE FROM subjects")
    path = f"project/management/backends/{file}.py"
    unchanged = house.read(path)
    run_before(house, path, before, ROW)

    result = manage.ok("restore", "full", "--no-input")
    there = database.count("subjects")
    house.write(path, unchanged)
    manage.ok("restore", undo(result), "--no-input")

    assert there == 14
    assert database.rows("SELECT code FROM subjects") == [("X",)]
    database.execute("DELETE FROM subjects")
    assert "To undo" not in manage.ok("restore", "full", "--no-input").out
    assert names(manage, database) == [undo(result), "full"]


BEFORE_A_LOSS = [
    (("reset", "--rebuild"), "rebuilding", "        with connection.begin():\n            guard."),  # in its place
    (("reset", "--rebuild"), "commands/reset", "                undo = undoing.restore("),
    (("seed", "--fresh"), "seeding", "    with connection.begin():\n        if request.look"),
    (("rollback", "2"), "migrations", "    with (\n        project.connect(write=True, create=True)"),
]


@pytest.mark.parametrize(("command", "file", "before"), BEFORE_A_LOSS, ids=("in place", "reset", "seed", "rollback"))
def test_what_comes_between_the_snapshot_and_the_loss_comes_back(
    house: House, manage: Runner, migrated: Database, command: tuple[str, ...], file: str, before: str
) -> None:
    """A row is committed when the snapshot has been taken, and nothing is locked yet."""
    if file == "rebuilding":
        in_its_place(house)
    manage.ok("seed")
    migrated.execute(BY_HAND, *(["PRAGMA journal_mode = WAL"] if migrated.kind == "sqlite" else []))
    path = f"project/management/{file}.py"
    unchanged = house.read(path)
    run_before(house, path, before, ROW)

    result = manage.ok(*command, "--no-input")
    there = migrated.count("subjects") if command[0] != "rollback" else 0
    house.write(path, unchanged)
    kept = [one for one in names(manage, migrated) if one.startswith("before-")]
    manage.ok("restore", undo(result), "--no-input")

    assert there == {"reset": 14, "seed": 15, "rollback": 0}[command[0]]
    assert migrated.count("subjects") == 15
    assert is_by_hand(migrated)
    assert undo(result) in kept
    first = [one for one in kept if one != undo(result)]
    assert first == re.findall(r"in a snapshot too: python manage\.py restore (\S+)\n", result.err)
    assert len(first) == (file == "commands/reset")


OF_ONES_OWN = {
    "postgresql": ["CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'"],
    "mariadb": ["CREATE FUNCTION mine() RETURNS INTEGER DETERMINISTIC RETURN 1"],
}
WAITS = """\
import pathlib, time
pathlib.Path("asked").touch()
while not pathlib.Path("go").exists():
    time.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("command", "file", "before"), [BEFORE_A_LOSS[0], BEFORE_A_LOSS[2]], ids=("reset in place", "seed")
)
def test_what_an_older_transaction_commits_between_the_snapshot_and_the_loss_comes_back(
    house: House, manage: Runner, postgresql_database: Database, command: tuple[str, ...], file: str, before: str
) -> None:
    if file == "rebuilding":
        in_its_place(house)
    manage.ok("reset")
    path = f"project/management/{file}.py"
    unchanged = house.read(path)
    run_before(house, path, before, WAITS)

    with postgresql_database.connect() as busy:
        busy.exec_driver_sql("SELECT * FROM students WHERE id = 1 FOR UPDATE")
        running = manage.start(*command, "--no-input")
        running.wait_until((house.root / "asked").exists, "coming to the loss")
        busy.exec_driver_sql(BY_HAND)
        busy.commit()
    (house.root / "go").touch()
    result = running.wait().expect(0)
    house.write(path, unchanged)
    manage.ok("restore", undo(result), "--no-input")

    assert is_by_hand(postgresql_database)


def test_a_file_with_bytes_after_its_last_page_is_reset(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("reset")
    sqlite_database.execute(BY_HAND)
    assert sqlite_database.file is not None
    with sqlite_database.file.open("ab") as file:
        file.write(bytes(4096))

    result = manage.ok("reset", "--rebuild", "--no-input")
    manage.ok("restore", undo(result), "--no-input")

    assert is_by_hand(sqlite_database)


TRIGGER = """\
    connection.exec_driver_sql(
        "CREATE TRIGGER IF NOT EXISTS t BEFORE INSERT ON students FOR EACH ROW SET NEW.name = NEW.name"
    )
"""


def test_a_trigger_made_before_the_tables_are_locked_comes_back(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    in_its_place(house)
    manage.ok("reset")
    path = "project/management/backends/mariadb_copies.py"
    unchanged = house.read(path)
    run_before(house, path, "        own = [_table(self.owner, one)", ROW[: ROW.index("    if not")] + TRIGGER)

    result = manage.ok("reset", "--rebuild", "--no-input")
    house.write(path, unchanged)
    manage.ok("restore", undo(result), "--no-input")

    assert mariadb_database.value(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    )


OBJECTS = """\
SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema = DATABASE()
UNION SELECT table_name, 'view' FROM information_schema.views WHERE table_schema = DATABASE()
UNION SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_schema = DATABASE()
ORDER BY 1
"""
OLD = {"p": "SELECT 'old'", "t": "students", "w": "view"}


def restored_amid(house: House, manage: Runner, database: Database, command: Sequence[str], *statements: str) -> Result:
    """Put back a procedure that was replaced while somebody runs statements, just before tables change places."""
    path = "project/management/backends/mariadb_copies.py"
    unchanged = house.read(path)
    code = "import os, sys\nif not os.path.exists('amid'):\n    sys.exit()\n" + ROW[: ROW.index("    if not")]
    code += "".join(f"    connection.exec_driver_sql({one!r})\n" for one in statements)
    run_before(house, path, "            triggers = [one for one in change.objects", code)
    made = (
        "CREATE PROCEDURE p() SELECT 'new'",
        "CREATE TRIGGER t BEFORE INSERT ON students FOR EACH ROW SET NEW.name = NEW.name",
        "CREATE VIEW w AS SELECT title FROM subjects",
    )
    house.add_revision("aaa111", "\n".join(f'op.execute("{one}")' for one in made))
    manage.ok("reset")
    manage.ok("snapshot", "base")
    database.execute("CREATE OR REPLACE PROCEDURE p() SELECT 'old'")
    (house.root / "amid").touch()
    result = manage(*command, "--no-input")
    house.write(path, unchanged)
    return result


@pytest.mark.parametrize("command", [("restore", "base"), ("reset",)], ids=lambda one: one[0])
def test_what_is_no_table_and_made_amid_a_restore_comes_back(
    house: House, manage: Runner, mariadb_database: Database, command: tuple[str, ...]
) -> None:
    result = restored_amid(
        house,
        manage,
        mariadb_database,
        command,
        "CREATE OR REPLACE PROCEDURE p() SELECT 'work'",
        "CREATE PROCEDURE q() SELECT 2",
        "CREATE VIEW v AS SELECT code FROM subjects",
        "DROP VIEW w",
        "ALTER TABLE subjects DROP COLUMN title",
    ).expect(0)

    assert dict(mariadb_database.rows(OBJECTS)) == OLD | {"p": "SELECT 'new'"}
    manage.ok("restore", undo(result), "--no-input")
    made = {"p": "SELECT 'work'", "q": "SELECT 2", "t": "students", "v": "view"}
    assert dict(mariadb_database.rows(OBJECTS)) == made


def test_what_cannot_be_made_in_a_copy_stays_where_it_is(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    result = restored_amid(
        house,
        manage,
        mariadb_database,
        ("restore", "base"),
        "CREATE OR REPLACE PROCEDURE p() SELECT 'work'",
        "CREATE TABLE notes (id INT)",
        "CREATE VIEW v AS SELECT id FROM notes",
    ).expect(0)

    assert "made meanwhile, and left as it is: procedure p, view v" in result.err
    assert dict(mariadb_database.rows(OBJECTS)) == OLD | {"p": "SELECT 'work'", "v": "view"}


def test_a_restore_ends_though_somebody_makes_one_procedure_after_the_other(
    manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "base")
    mariadb_database.execute("CREATE PROCEDURE first() SELECT 1")
    made: list[str] = []
    restoring = manage.start("restore", "base", "--no-input")
    with mariadb_database.connect() as connection:
        while not restoring.has_ended():
            with suppress(sa.exc.DBAPIError):  # it asks for a lock on the database that others hold
                connection.exec_driver_sql(f"CREATE PROCEDURE p{len(made)}() SELECT 1")
                made.append(f"p{len(made)}")
    result = restoring.wait().expect(0)

    there = {name for name, _ in mariadb_database.rows(OBJECTS)}
    manage.ok("restore", undo(result), "--no-input")
    before = {name for name, _ in mariadb_database.rows(OBJECTS)}
    assert made
    assert {*made, "first"} <= there | before


def test_a_restore_that_fails_leaves_what_somebody_has_made(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    """Neither it nor the next command makes anything as it was."""
    there = OLD | {"q": "SELECT 2", "u": "subjects"}
    result = restored_amid(
        house,
        manage,
        mariadb_database,
        ("restore", "base"),
        "CREATE PROCEDURE q() SELECT 2",
        "CREATE TRIGGER u BEFORE INSERT ON subjects FOR EACH ROW SET NEW.code = NEW.code",
    ).expect(1)

    assert result.err.endswith(
        " were changed meanwhile (Trigger in wrong schema). Nothing was changed — run the command again\n"
    )
    assert dict(mariadb_database.rows(OBJECTS)) == there
    mariadb_database.execute("CREATE PROCEDURE r() SELECT 3")
    manage.ok("snapshot", "after")
    assert dict(mariadb_database.rows(OBJECTS)) == there | {"r": "SELECT 3"}


ENDS = '__import__("threading").Timer(0.005, __import__("os").kill, (__import__("os").getpid(), 15)).start()'
HALF = 'drop_tables_at_once(connection, relations[:1]); __import__("os").kill(__import__("os").getpid(), 15)'


@pytest.mark.parametrize(
    ("file", "before", "code"),
    [
        ("backends/mariadb", "                drop_tables_at_once(", f"if 'students' in str(relations): {ENDS}"),
        ("backends/mariadb", "                drop_tables_at_once(", HALF),
        ("rebuilding", "            left = backend.", f'{ENDS}; __import__("time").sleep(5)'),
    ],
    ids=("amid it", "half of it", "then"),
)
def test_a_reset_that_is_ended_when_it_drops_tables_puts_them_back(
    house: House, manage: Runner, mariadb_database: Database, file: str, before: str, code: str
) -> None:
    in_its_place(house)
    manage.ok("reset")
    mariadb_database.execute(BY_HAND)
    blanks = len(before) - len(before.lstrip())
    house.change(f"project/management/{file}.py", before, f"{blanks * ' '}{code}\n{before}")

    told = manage("reset", "--rebuild", "--no-input").expect(143).err.splitlines()

    assert is_by_hand(mariadb_database)
    assert " is as it was before." in told[-2]
    kept = [one for one in names(manage, mariadb_database) if not one.startswith("reset-")]
    assert kept == re.findall(r"What had been built is in snapshot (failed-reset-\S+)$", told[-2])


@pytest.mark.parametrize("in_place", [False, True], ids=("beside", "in place"))
def test_a_reset_that_cannot_build_leaves_everything_as_it_was(
    house: House, manage: Runner, migrated: Database, in_place: bool
) -> None:
    """However often it is tried: it takes nobody's undo. What others put into what it had built in place is kept."""
    kept = {"SNAPSHOTS_KEPT": "1"}
    if in_place:
        in_its_place(house)
    manage.ok("seed", "--count", "3")
    first = undo(manage.ok("reset", "--rebuild", "--no-input", env=kept))
    migrated.execute(BY_HAND, *OF_ONES_OWN.get(migrated.kind, ()))
    house.add_revision("bad111", FAILS)

    tries = [manage("reset", "--no-input", env=kept).expect(1).err.splitlines() for _ in range(2)]

    half = r" What had been built is in snapshot (failed-reset-[\d-]+)" if in_place else ""
    failed: tuple[str, ...] = ()
    for *_, note, line in tries:
        told = re.fullmatch(rf".* is as it was before\.{half}", note)
        assert told
        failed = told.groups()
        assert "bad111" in line
        assert "snapshot" not in line
        assert line.endswith(" — correct it, then run the command again")
    assert "made" not in migrated.tables()
    assert is_by_hand(migrated)
    assert [one for one in names(manage, migrated) if not one.startswith("reset-")] == [*failed, first]
    for one in failed:
        manage.ok("restore", one, "--no-input")
        assert migrated.count("students") == 0


def test_a_reset_that_was_killed_leaves_everything_as_it_was(house: House, manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "3")
    migrated.execute(BY_HAND)
    house.add_revision("bad111", HANGS)
    running = manage.start("reset", "--no-input")
    running.wait_for("half-way")
    running.kill()

    assert is_by_hand(migrated)
    assert migrated.count("students") == 3
    assert "database.W004" not in manage("check").out
    [kept] = names(manage, migrated)
    house.add_revision("bad111", f"{MAKES}\n{DROPS}", parent=house.line()[-2])
    told = manage.ok("reset", "--no-input")
    expect_fresh(house, migrated)
    assert undo(told) == kept
    manage.ok("restore", kept, "--no-input")
    assert is_by_hand(migrated)


@contextmanager
def building(house: House, manage: Runner, *then: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Give a reset that is amid its building, and goes on afterwards, with what a revision does then."""
    house.add_revision("slow111", "\n".join([WAITS, *then]))
    running = manage.start("reset", "--no-input", env=env or {})
    running.wait_until((house.root / "asked").exists, "building")
    yield running
    (house.root / "go").touch()


def test_what_changed_while_a_failing_reset_built_is_told(house: House, manage: Runner, migrated: Database) -> None:
    """There are as many rows as before."""
    manage.ok("seed", "--count", "3")
    migrated.execute(BY_HAND)
    with building(house, manage, FAILS) as running:
        migrated.execute("UPDATE students SET name = 'Somebody' WHERE id = 1")
    *_, told, _ = running.wait().expect(1).err.splitlines()

    [kept] = re.findall(r"^What was there when it began is in a snapshot: python manage\.py restore (\S+)$", told)
    manage.ok("restore", kept, "--no-input")
    assert is_by_hand(migrated)


def test_what_a_reset_names_it_keeps(house: House, manage: Runner, migrated: Database) -> None:
    """Of what is as a reset has built it, and changed while the next one builds, two snapshots are named."""
    kept = {"SNAPSHOTS_KEPT": "1"}
    manage.ok("reset", "--no-input", env=kept)
    with building(house, manage, env=kept) as running:
        migrated.execute(BY_HAND)
    result = running.wait().expect(0)

    [first] = re.findall(r"in a snapshot too: python manage\.py restore (\S+)\n", result.err)
    assert {first, undo(result)} <= {*names(manage, migrated)}
    manage.ok("restore", undo(result), "--no-input")
    assert is_by_hand(migrated)


def test_a_reset_that_gives_up_leaves_what_it_has_built_for_the_next(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("reset", "--no-input")
    house.add_revision("slow111", WAITS)
    with mariadb_database.connect() as busy:
        busy.exec_driver_sql(BY_HAND)
        busy.commit()
        for _ in range(2):
            running = manage.start("reset", "--rebuild", "--no-input", "--lock-timeout", "1")
            running.wait_until((house.root / "asked").exists, "building")
            busy.exec_driver_sql("DELETE FROM enrollments")
            (house.root / "go").touch()
            told = running.wait().expect(1).err.splitlines()
            busy.rollback()
            (house.root / "asked").unlink()
            (house.root / "go").unlink()
    left = names(manage, mariadb_database)

    assert told[-3:-1] == [
        "What was built is kept: the next reset takes it",
        f"{mariadb_database.name} on 127.0.0.1 is as it was before.",
    ]
    assert len([one for one in left if one.startswith("reset-")]) == 2  # of before, and of this project
    assert [one for one in left if one.startswith("before-")] == []
    (house.root / "go").touch()
    assert how(manage.ok("reset", "--no-input")) == "Restored"


def test_what_is_changed_while_a_reset_builds_is_saved_and_no_part_of_it(
    house: House, manage: Runner, migrated: Database
) -> None:
    with building(house, manage) as running:
        put_in_ada(migrated)
    first = running.wait().expect(0)
    there = migrated.rows("SELECT * FROM students ORDER BY id")

    again = manage.ok("reset", "--no-input")
    migrated.execute(BY_HAND)
    restored = manage.ok("reset", "--no-input")

    assert (how(again), how(restored)) == ("Nothing", "Restored")
    assert len(there) == 100
    assert migrated.rows("SELECT * FROM students ORDER BY id") == there
    manage.ok("restore", undo(first), "--no-input")
    assert migrated.count("students") == 1


BEHIND = {  # what a migration does to the very database in a way that nothing here knows
    "sqlite": 'with closing(import_module("sqlite" + "3").connect("{}", isolation_level=None)) as other:',
    "postgresql": 'with import_module("psyco" + "pg").connect("host=127.0.0.1 {}") as other:',
}


def behind(database: Database, does: str) -> str:
    address = database.address
    name = str(database.file or f"port={address.port} user={address.username} dbname={address.database}")
    imports = "from contextlib import closing\nfrom importlib import import_module"
    return f"{imports}\n{BEHIND[database.kind].format(name)}\n    {does}"


@pytest.mark.parametrize("database", BEHIND, indirect=True)
@pytest.mark.parametrize("by_hand", [False, True], ids=("saved for it", "saved before"))
def test_what_a_failing_migration_does_behind_our_back_is_told_until_a_reset_is_done(
    house: House, manage: Runner, database: Database, by_hand: bool
) -> None:
    kept = {"SNAPSHOTS_KEPT": "1"}
    manage.ok("migrate")
    manage.ok("seed")
    database.execute(BY_HAND)
    if by_hand:
        manage.ok("snapshot", "mine")
    deletes = 'other.execute("DELETE FROM enrollments WHERE id = (SELECT min(id) FROM enrollments)")'
    house.add_revision("aaa111", f"{behind(database, deletes)}\nnothing()")

    tries = [manage("reset", "--no-input", env=kept).expect(1).err.splitlines()[-2] for _ in range(3)]
    left = names(manage, database)
    house.add_revision("aaa111", MAKES, DROPS, parent=house.line()[-2])
    last = manage.ok("reset", "--no-input", env=kept).out.splitlines()[-1]

    [first] = re.findall(r"^What was there when it began is in a snapshot: python manage\.py restore (\S+)$", tries[0])
    assert len(left) == 2, "the first, and as many as SNAPSHOTS_KEPT says"
    assert by_hand == (first == "mine")
    assert f"What an earlier reset did not bring back: python manage.py restore {first} (also failed-reset-" in last
    manage.ok("restore", first, "--no-input")
    assert database.count("enrollments") == 300


@pytest.mark.parametrize("database", BEHIND, indirect=True)
def test_what_a_migration_does_behind_our_back_is_undone(house: House, manage: Runner, database: Database) -> None:
    """What was there is saved before any of it runs, and is told."""
    manage.ok("migrate")
    manage.ok("seed")
    database.execute(BY_HAND)
    house.add_revision("aaa111", behind(database, 'other.execute("DELETE FROM enrollments")'))

    result = manage.ok("reset", "--no-input", env={"SNAPSHOTS_KEPT": "1"})

    [first] = re.findall(r"in a snapshot too: python manage\.py restore (\S+)\n", result.err)
    manage.ok("restore", first, "--no-input")
    assert database.count("enrollments") == 300
    assert is_by_hand(database)


def test_what_somebody_makes_while_a_reset_builds_is_not_replaced(
    house: House, manage: Runner, server_database: Database
) -> None:
    with building(house, manage) as running:
        server_database.execute(*OF_ONES_OWN[server_database.kind])

    line = running.wait().expect(1).err.splitlines()[-1]
    left = names(manage, server_database)
    again = manage.ok("reset", "--no-input")

    assert left == []
    assert re.fullmatch(
        r"manage\.py: .* has got function mine(\(\))? meanwhile\. Nothing was changed — run the command again", line
    )
    assert how(again) == "Rebuilt"
    assert server_database.value("SELECT mine()") == 1
    assert server_database.count("students") == 100


def test_what_a_migration_does_to_the_database_by_its_name_is_done_to_it(
    house: House, manage: Runner, server_database: Database
) -> None:
    """It is built in its place: in another database that would be done to that one, or twice."""
    name = server_database.name
    said = {
        "postgresql": f"ALTER DATABASE {name} SET statement_timeout TO '77s'",
        "mariadb": f"CREATE TABLE `{name}`.made (id INT PRIMARY KEY)",
    }[server_database.kind]
    house.add_revision("aaa111", f"op.execute({said!r})")

    manage.ok("reset", "--no-input")

    if server_database.kind == "mariadb":
        assert "made" in server_database.tables()
    else:
        assert server_database.value("SHOW statement_timeout") == "77s"


@pytest.mark.parametrize("connected", [False, True], ids=("alone", "beside a session"))
def test_what_a_reset_leaves_alone_is_there_when_it_builds_and_after(
    house: House, manage: Runner, postgresql_database: Database, connected: bool
) -> None:
    house.add_revision("aaa111", "op.execute(\"CREATE TABLE zones AS SELECT current_setting('timezone'), mine()\")")
    name = postgresql_database.name
    postgresql_database.execute(
        *OF_ONES_OWN["postgresql"],
        f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'",
    )
    manage.ok("migrate")
    put_in_ada(postgresql_database)

    with postgresql_database.connect() if connected else nullcontext():
        told = manage.ok("reset", "--no-input")

    assert postgresql_database.rows("SELECT * FROM zones") == [("Asia/Tokyo", 1)]
    assert postgresql_database.count("students") == 100
    assert names(manage, postgresql_database) == [undo(told)]


HOLDING = {  # what no reset touches, and what it looks like
    "postgresql": (
        (
            "CREATE SCHEMA other",
            "CREATE TABLE other.kept AS SELECT 7 AS n",
            "CREATE SEQUENCE mine INCREMENT 5 START 100",
            "SELECT nextval('mine')",
            "SELECT lo_from_bytea(4711, 'mine')",
        ),
        "SELECT n, nextval('mine'), convert_from(lo_get(4711), 'UTF8') FROM other.kept",
        (7, 105, "mine"),
    ),
    "mariadb": (
        ("CREATE SEQUENCE mine START WITH 100 INCREMENT BY 5 NOCACHE", "SELECT nextval(mine)"),
        "SELECT nextval(mine)",
        (105,),
    ),
}


@pytest.mark.parametrize("connected", [False, True], ids=("alone", "beside a session"))
def test_what_holds_rows_and_is_not_ours_stays_as_it_is(
    manage: Runner, server_database: Database, connected: bool
) -> None:
    made, look, held = HOLDING[server_database.kind]
    manage.ok("migrate")
    put_in_ada(server_database)
    server_database.execute(*made)

    with server_database.connect() if connected else nullcontext():
        told = manage.ok("reset", "--no-input")

    assert server_database.rows(look) == [held]
    assert server_database.count("students") == 100
    assert names(manage, server_database) == [undo(told)]


def test_a_reset_in_place_that_was_killed_is_told_and_what_it_lost_stays(
    house: House, manage: Runner, migrated: Database
) -> None:
    kept = {"SNAPSHOTS_KEPT": "1"}
    in_its_place(house)
    manage.ok("seed", "--count", "3")
    migrated.execute(BY_HAND)
    house.add_revision("bad111", HANGS)
    for _ in range(2):
        kill_amid(manage, "reset", "--drop-unknown", env=kept)
    house.add_revision("bad111", MAKES, DROPS, parent=house.line()[-2])
    *_, lost = names(manage, migrated)

    found = manage("check").out
    told = [manage.ok("reset", "--rebuild", "--no-input", env=kept).out.splitlines()[-1] for _ in range(2)]

    assert f" did not come to its end: what was there is in snapshot {lost}" in found
    cut_off = (
        rf"What an earlier reset did not bring back: python manage\.py restore {lost}( \(also failed-reset-[\d-]+\))?"
    )
    assert re.fullmatch(rf"(To undo it: python manage\.py restore failed-reset-[\d-]+   )?{cut_off}", told[0])
    assert "earlier reset" not in told[1]
    assert "database.W004" not in manage("check").out
    manage.ok("restore", lost, "--no-input")
    assert is_by_hand(migrated)


def kill_amid(manage: Runner, *command: str, env: Mapping[str, str]) -> None:
    running = manage.start(*command, "--no-input", env=env)
    running.wait_for("half-way")
    running.kill()


def test_what_each_of_two_killed_resets_lost_stays_and_is_told(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    """Between them somebody has made the database whole again, and put a row into it."""
    kept = {"SNAPSHOTS_KEPT": "1"}
    in_its_place(house)
    for number in (1, 2):
        manage.ok("migrate")
        put_in_ada(sqlite_database, number)
        file = house.add_revision("bad111", HANGS)
        kill_amid(manage, "reset", env=kept)
        house.remove(str(file.relative_to(house.root)))

    found = manage("check").out
    told = manage.ok("reset", "--no-input", env=kept).out.splitlines()[-1]

    there = names(manage, sqlite_database)
    first, also = re.findall(r"did not bring back: python manage\.py restore (\S+) \(also (\S+)\)$", told)[0]
    assert {first, also} <= {*there}
    assert first in found
    assert also in found
    for number, one in ((1, first), (2, also)):
        assert f"restore {one}" not in manage.ok("restore", one, "--no-input").out
        assert sqlite_database.value("SELECT id FROM students") == number


def test_a_reset_killed_when_it_has_dropped_all_but_the_bookkeeping_is_told(
    house: House, manage: Runner, migrated: Database
) -> None:
    """On MariaDB, which takes no DROP back; elsewhere all is there."""
    in_its_place(house)
    manage.ok("seed", "--count", "3")
    migrated.execute(BY_HAND)
    path, before = "project/management/rebuilding.py", "            backend.drop(connection, ours)"
    unchanged = house.read(path)
    house.change(path, before, f'            __import__("os").kill(__import__("os").getpid(), 9)\n{before}')
    manage("reset", "--no-input").expect(-9)
    house.write(path, unchanged)

    found = manage("check").out
    told = manage.ok("reset", "--no-input").out.splitlines()[-1]

    lost = [one for one in names(manage, migrated) if one.startswith("before-")][-1]
    if migrated.kind == "mariadb":
        assert f" did not come to its end: what was there is in snapshot {lost}" in found
        assert f"What an earlier reset did not bring back: python manage.py restore {lost}" in told
    manage.ok("restore", lost, "--no-input")
    assert is_by_hand(migrated)


def test_what_an_earlier_reset_lost_stays_told_where_the_next_fails(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    """It fails at its first DROP, which has committed the note of what it was about to lose."""
    in_its_place(house)
    manage.ok("migrate")
    manage.ok("seed", "--count", "3")
    manage.ok("snapshot", "mine")
    mariadb_database.execute("INSERT INTO management_metadata VALUES ('rebuilding', 'mine')", BY_HAND)
    drops = 'connection.exec_driver_sql("DROP TABLE nowhere")'
    house.change(
        "project/management/rebuilding.py",
        "            backend.drop(connection, [one",
        f"            {drops}\n            backend.drop(connection, [one",
    )

    manage("reset", "--no-input").expect(1)

    assert re.findall("what was there is in snapshot (.*)\n", manage("check").out) == ["mine"]
    assert names(manage, mariadb_database) == ["mine"]
    assert is_by_hand(mariadb_database)


def test_killed_resets_do_not_pile_up_snapshots(house: House, manage: Runner, sqlite_database: Database) -> None:
    kept = {"SNAPSHOTS_KEPT": "1"}
    manage.ok("migrate")
    house.add_revision("bad111", HANGS)
    for number in range(3):
        put_in_ada(sqlite_database, number)
        kill_amid(manage, "reset", env=kept)

    assert len(names(manage, sqlite_database)) == 2
    assert sqlite_database.count("students") == 3


@pytest.mark.parametrize("command", [("seed", "--fresh"), ("rollback",)], ids=" ".join)
def test_what_fails_and_loses_nothing_keeps_no_snapshot(
    house: House, manage: Runner, migrated: Database, command: tuple[str, ...]
) -> None:
    manage.ok("seed", "--count", "3")
    if command[0] == "seed":
        seeder = "project/seeds/students.py"
        house.change(seeder, "        born = ", "        nothing()\n        born = ")
    else:
        house.add_revision("bad111", "pass", "nothing()")
        manage.ok("migrate")
    migrated.execute(BY_HAND)

    told = manage(*command, "--no-input").expect(1).err.splitlines()

    assert told[-2].endswith(" is as it was before.")
    assert names(manage, migrated) == []
    assert is_by_hand(migrated)


@pytest.mark.parametrize("how", [(), ("--rebuild",)], ids=["restored", "rebuilt"])
def test_what_somebody_made_besides_rows_comes_back(manage: Runner, migrated: Database, how: tuple[str, ...]) -> None:
    """Of a database without rows nothing is told where a reset builds all that was there."""
    migrated.execute("DELETE FROM subjects")
    nothing = manage.ok("reset", "--no-seed", "--no-input")
    taken = [one for one in names(manage, migrated) if not one.startswith("reset-")]
    migrated.execute("DELETE FROM subjects", "CREATE INDEX mine ON students (grade)")

    result = manage.ok("reset", *how, "--no-seed", "--no-input")

    assert "To undo" not in nothing.out
    assert taken == []
    manage.ok("restore", undo(result), "--no-input")
    assert "mine" in {index["name"] for index in sa.inspect(migrated.engine()).get_indexes("students")}


def test_what_somebody_changed_while_a_reset_built_comes_back(manage: Runner, migrated: Database) -> None:
    """It is in what that reset has saved as its own."""
    kept = {"SNAPSHOTS_KEPT": "1"}
    manage.ok("reset", "--no-input", env=kept)
    [own] = [one for one in names(manage, migrated) if one.startswith("reset-")]

    result = manage.ok("reset", "--rebuild", "--no-input", env=kept)

    assert undo(result) == own
    manage.ok("restore", own, "--no-input", env=kept)


DELETES = """\
import os, subprocess, sys
if not os.path.exists("deleted"):
    open("deleted", "w").close()
    subprocess.run([sys.executable, "manage.py", "snapshots", "--keep", "0"], check=True)
"""


def test_an_undo_that_somebody_deletes_is_taken_again(house: House, manage: Runner, migrated: Database) -> None:
    in_its_place(house)
    manage.ok("seed", "--count", "3")
    migrated.execute(BY_HAND)
    _, file, before = BEFORE_A_LOSS[0]
    run_before(house, f"project/management/{file}.py", before, DELETES)

    result = manage.ok("reset", "--no-input")

    manage.ok("restore", undo(result), "--no-input")
    assert is_by_hand(migrated)


def test_a_database_that_a_reset_has_built_is_put_back_whatever_the_size_of_what_failed(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    in_its_place(house)
    manage.ok("reset")
    fills = 'op.execute("INSERT INTO filled SELECT randomblob(2000000)")'
    house.add_revision("aaa111", f'op.create_table("filled", sa.Column("id", sa.LargeBinary()))\n{fills}', DROPS)
    house.add_revision("bad111", FAILS)

    told = manage("reset", "--no-input", env={"SNAPSHOT_LIMIT": "1"}).expect(1).err

    assert f"{sqlite_database.name} is as it was before. " in told
    assert sqlite_database.count("students") == 100


def test_what_is_changed_all_the_time_is_left_as_it_is_and_so_is_an_older_undo(
    house: House, manage: Runner, migrated: Database
) -> None:
    kept = {"SNAPSHOTS_KEPT": "1"}
    put_in_ada(migrated)
    first = undo(manage.ok("seed", "--fresh", "--no-input", env=kept))
    migrated.execute(BY_HAND)
    _, file, before = BEFORE_A_LOSS[2]
    always = ROW.replace("WHERE code = 'X'", "WHERE 1 = 0").replace(
        "VALUES ('X', 'X', 1, 2)", "SELECT count(*), 'X', 1, 2 FROM subjects"
    )
    run_before(house, f"project/management/{file}.py", before, always)

    line = manage("seed", "--fresh", "--no-input", env=kept).expect(1).err.splitlines()[-1]

    assert line == (
        f"manage.py: {migrated.name}{' on 127.0.0.1' if migrated.kind != 'sqlite' else ''} is changed all the time:"
        " no snapshot has all that would be lost. Nothing was changed"
        " — end what writes to it, or set SNAPSHOTS_KEPT=0 to do without a snapshot"
    )
    assert is_by_hand(migrated)
    assert names(manage, migrated) == [first]


def test_a_reset_of_two_databases_of_mariadb(
    house: House, manage: Runner, mariadb_database: Database, tmp_path: Path
) -> None:
    with fresh("mariadb", tmp_path) as other:
        house.write("project/models/paper.py", PAPER.replace("archive", other.name))
        house.add_revision(
            "aaa111",
            f'op.create_table("papers", sa.Column("id", sa.Integer(), primary_key=True), schema="{other.name}")',
            f'op.drop_table("papers", schema="{other.name}")',
        )
        manage.ok("reset")
        other.execute("INSERT INTO papers VALUES (4711)")

        result = manage.ok("reset", "--no-input")

        assert (how(result), other.count("papers")) == ("Rebuilt", 100)
        assert result.out.endswith(f" (it has nothing of {other.name}.papers)\n")
        assert f"No snapshot of it is kept: snapshots have nothing of {other.name}.papers" in result.err
        mariadb_database.execute(*(f"DELETE FROM {one}" for one in ("enrollments", "students", "subjects")))
        last = manage.ok("seed", "--fresh", f"{other.name}.papers", "--no-input").out.splitlines()[-1]
        assert last == f"No snapshot brings back what was there: snapshots have nothing of {other.name}.papers."


def test_a_user_who_may_lock_no_tables_resets_on_mariadb(manage: Runner, mariadb_database: Database) -> None:
    server, name = server_address("mariadb"), mariadb_database.name
    user = f"u_{name[-12:]}"
    env = {"DATABASE_URL": mariadb_database.url.replace("root@", f"{user}@")}
    rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES"
    for statement in (f"CREATE USER '{user}'@'127.0.0.1'", f"GRANT {rights} ON `{name}`.* TO '{user}'@'127.0.0.1'"):
        administrate(server, statement)
    try:
        manage.ok("migrate", env=env)
        manage.ok("migrate", "zero", "--no-input", env=env)

        result = manage.ok("reset", "--rebuild", "--no-input", env=env)
    finally:
        administrate(server, f"DROP USER '{user}'@'127.0.0.1'")

    assert how(result) == "Rebuilt"
    assert mariadb_database.count("students") == 100


# Found by trying: an exchange after which MariaDB's checksum of the table is the same.
EXCHANGED = [("akjqzmud", "zdpklwhz"), ("lctvztki", "fbbgdplw")]


def test_values_that_two_rows_have_exchanged_are_a_change_on_mariadb(
    manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("migrate")
    (a, b), (c, d) = EXCHANGED
    mariadb_database.execute(
        "CREATE TABLE pairs (id INT PRIMARY KEY, a VARCHAR(8), b VARCHAR(8))",
        f"INSERT INTO pairs VALUES (1, '{a}', '{b}'), (2, '{c}', '{d}')",
    )
    manage.ok("snapshot", "pairs")
    before = mariadb_database.rows("CHECKSUM TABLE pairs")
    mariadb_database.execute(f"UPDATE pairs SET b = '{d}' WHERE id = 1", f"UPDATE pairs SET b = '{b}' WHERE id = 2")
    assert mariadb_database.rows("CHECKSUM TABLE pairs") == before

    told = manage.ok("restore", "pairs", "--no-input")

    assert mariadb_database.rows("SELECT a, b FROM pairs ORDER BY id") == EXCHANGED
    manage.ok("restore", undo(told), "--no-input")
    assert mariadb_database.rows("SELECT a, b FROM pairs ORDER BY id") == [(a, d), (c, b)]


def test_what_is_written_while_a_person_thinks_comes_back(
    manage: Runner, terminal: OpenTerminal, migrated: Database
) -> None:
    manage.ok("reset", "--no-input")
    asking = terminal("seed", "--fresh")
    asking.read_until("to go on")
    migrated.execute(BY_HAND)
    asking.type(migrated.name)
    asking.wait().expect(0)

    [kept] = [one for one in names(manage, migrated) if one.startswith("before-seed-fresh-")]
    manage.ok("restore", kept, "--no-input")
    assert is_by_hand(migrated)


def test_what_was_kept_to_be_sure_goes_where_a_snapshot_has_all_of_it(manage: Runner, migrated: Database) -> None:
    manage.ok("snapshot", "empty")
    manage.ok("seed")
    manage.ok("snapshot", "full")

    there = manage.ok("restore", "empty", "--no-input")

    assert undo(there) == "full"
    assert names(manage, migrated) == ["full", "empty"]


def test_what_a_snapshot_has_is_enough_where_no_more_is_kept(manage: Runner, migrated: Database) -> None:
    manage.ok("snapshot", "empty")
    manage.ok("seed")
    manage.ok("snapshot", "full")

    there = manage.ok("restore", "empty", "--no-input", env={"SNAPSHOT_LIMIT": "0"})
    back = manage.ok("restore", "full", "--no-input", env={"SNAPSHOT_LIMIT": "0"})

    assert (undo(there), undo(back)) == ("full", "empty")
    assert migrated.count("students") == 100
    assert names(manage, migrated) == ["full", "empty"]


def test_a_copy_that_became_the_database_is_not_dropped_on_postgresql(
    manage: Runner, postgresql_database: Database
) -> None:
    server, name = server_address("postgresql"), postgresql_database.name
    manage.ok("migrate")
    manage.ok("snapshot", "rescued")
    manage.ok("snapshot", "better")
    settle(server, name)
    administrate(server, f"DROP DATABASE {name}")
    administrate(server, f"ALTER DATABASE {name}_snapshot_rescued RENAME TO {name}")
    administrate(server, f"ALTER DATABASE {name} RESET default_transaction_read_only")

    refused = manage("snapshots", "--delete", "rescued").refusal()
    manage.ok("snapshots", "--keep", "0")

    assert "no snapshot 'rescued'" in refused
    assert names(manage, postgresql_database) == []
    assert postgresql_database.count("subjects") == 14


def test_a_database_that_a_copy_was_loaded_into_is_not_dropped_on_mariadb(
    manage: Runner, mariadb_database: Database
) -> None:
    name = mariadb_database.name
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    administrate(
        server_address("mariadb"),
        f"CREATE TABLE {name}.management_snapshot AS SELECT * FROM `{name}_snapshot_good`.management_snapshot",
    )

    listed = names(manage, mariadb_database)
    manage.ok("snapshots", "--delete", "good")
    manage.ok("snapshot", "another")

    assert listed == ["good"]
    assert mariadb_database.count("subjects") == 14
    assert names(manage, mariadb_database) == ["another"]


def test_an_empty_database_of_somebody_else_stays_on_mariadb(manage: Runner, mariadb_database: Database) -> None:
    server, name = server_address("mariadb"), mariadb_database.name
    manage.ok("migrate")
    administrate(server, f"CREATE DATABASE {name}_snapshot_service")
    administrate(server, f"CREATE DATABASE {name}_snapshot_crashed COMMENT 'a snapshot of {name}'")

    manage.ok("snapshot", "good")

    found = mariadb_database.rows(f"SHOW DATABASES LIKE '{name}\\_snapshot\\_%'")
    assert {one for (one,) in found} == {f"{name}_snapshot_service", f"{name}_snapshot_good"}


def test_letters_that_go_from_one_column_to_the_next_are_a_change_on_mariadb(
    manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("reset")
    mariadb_database.execute("UPDATE students SET name = concat(name, left(email, 3)), email = substr(email, 4)")

    assert how(manage.ok("reset", "--no-input")) == "Restored"


def test_what_settings_keep_no_more_of_stays_where_it_is(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "one")
    put_in_ada(sqlite_database)
    before = undo(manage.ok("restore", "one", "--no-input"))

    put_in_ada(sqlite_database)
    manage.ok("restore", "one", "--no-input", env={"SNAPSHOTS_KEPT": "0"})

    assert before in names(manage, sqlite_database)


def test_an_undo_is_not_taken_for_an_old_one_where_the_clock_went_back(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "one")
    for number in range(3):
        put_in_ada(sqlite_database, 7000 + number)
        manage.ok("restore", "one", "--no-input")
        for about in (house.root / ".snapshots").glob("*/before-*/about.json"):
            text = json.loads(about.read_text("utf-8"))
            text["about"]["taken"] = f"2099{text['about']['taken'][4:]}"
            about.write_text(json.dumps(text), "utf-8")
    put_in_ada(sqlite_database, 7003)

    told = undo(manage.ok("restore", "one", "--no-input"))
    put_in_ada(sqlite_database, 7004)
    later = undo(manage.ok("restore", "one", "--no-input"))

    assert names(manage, sqlite_database)[:2] == [later, told]
    for name, number in ((told, 7003), (later, 7004)):
        manage.ok("restore", name, "--no-input")
        assert sqlite_database.value("SELECT id FROM students") == number


def restored_again(manage: Runner, database: Database) -> str:
    """Restore what has changed, and restore twice what has not; return the undo of the first, which stays."""
    put_in_ada(database)
    told = undo(manage.ok("restore", "one", "--no-input"))
    again = [manage.ok("restore", "one", "--no-input").out for _ in range(2)]
    assert names(manage, database) == [told, "one"]
    assert not [words for words in again if "before-" in words]
    return told


def test_restoring_what_nobody_has_changed_is_seen_where_a_log_has_the_last_changes(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "one")
    with closing(sqlite3.connect(file_of(sqlite_database), isolation_level=None)) as session:
        session.execute("PRAGMA journal_mode = WAL")
        session.execute("SELECT count(*) FROM students").fetchall()  # now it keeps the log
        restored_again(manage, sqlite_database)


def test_restoring_what_nobody_has_changed_is_seen_where_mariadb_computes_columns_when_they_are_read(
    manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("migrate")
    mariadb_database.execute(
        "CREATE TABLE doubled (a FLOAT, b INT AS (a + a) VIRTUAL)", "INSERT INTO doubled (a) VALUES (100000.1)"
    )
    manage.ok("snapshot", "one")
    told = restored_again(manage, mariadb_database)

    mariadb_database.execute("UPDATE doubled SET a = 100000.2")

    assert undo(manage.ok("restore", "one", "--no-input")) not in (told, "one")


def test_a_view_is_worth_an_undo_though_there_are_no_rows(manage: Runner, migrated: Database) -> None:
    migrated.execute("DELETE FROM subjects")
    manage.ok("snapshot", "early")
    migrated.execute("CREATE VIEW by_hand AS SELECT * FROM students")

    told = manage.ok("restore", "early", "--no-input")

    manage.ok("restore", undo(told), "--no-input")
    assert migrated.count("by_hand") == 0


def test_what_was_changed_while_it_was_built_is_not_kept(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.change(
        "project/seeds/students.py",
        "    count = 100\n",
        "    count = 100\n    with open(__file__ + '.txt', 'a') as more:\n        more.write('more')\n",
    )

    told = manage.ok("reset", "--no-input")

    assert "No snapshot of it is kept: the project was changed while it was built" in told.err
    assert names(manage, sqlite_database) == []


def test_what_was_changed_while_a_person_thinks_is_not_built_half(
    house: House, terminal: OpenTerminal, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    asking = terminal("reset")
    asking.read_until("to go on")
    house.change("project/seeds/students.py", "    count = 100\n", "    count = 7\n")
    asking.type(sqlite_database.name)

    told = asking.wait().expect(1)

    assert "the project was changed while this command waited. The database was not — run the command again" in told.out
    assert sqlite_database.count("students") == 0


def test_a_right_that_was_taken_away_does_not_come_back_with_a_reset(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    postgresql_database.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
    manage.ok("reset", "--no-input")
    postgresql_database.execute("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC")

    assert how(manage.ok("reset", "--no-input")) == "Rebuilt"
    assert postgresql_database.value("SELECT relacl IS NULL FROM pg_class WHERE oid = 'students'::regclass")


def test_a_database_made_anew_with_other_letters_keeps_them(manage: Runner, postgresql_database: Database) -> None:
    server, name = server_address("postgresql"), postgresql_database.name
    manage.ok("reset")
    settle(server, name)
    administrate(server, f"DROP DATABASE {name}")
    administrate(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")

    assert how(manage.ok("reset")) == "Rebuilt"
    assert at(postgresql_database, name).value("SHOW server_encoding") == "LATIN1"


def test_a_file_that_cannot_be_read_is_named(house: House, manage: Runner, sqlite_database: Database) -> None:
    os.symlink("loop", house.root / "project" / "loop")

    assert "project/loop cannot be read: Too many levels of symbolic links" in manage("reset").refusal()


def test_what_says_where_the_migrations_are_is_missed(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.remove("alembic.ini")

    for command in ("migrate", "reset"):
        assert "alembic.ini" in manage(command).refusal()
