"""Snapshots: what is saved comes back row for row, nothing else is touched, and what a command loses can be undone."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from textwrap import indent
from threading import Event
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.databases import PREFIX, Database, administrate, fresh, server_address, settle, snapshots_of
from tests.faults.stages import install_points
from tests.faults.states import read
from tests.houses import House, OpenTerminal, Python, Runner, build
from tests.management.test_concurrency import sign  # noqa: F401  # a fixture
from tests.management.test_reset import SAMPLE, adas, expect_fresh, put_in_ada
from tests.processes import Result

STAMP = r"\d{8}-\d{6}"
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
DROPS = 'op.drop_table("made")'
PASSWORD = "between us"


def everything(database: Database) -> tuple[object, dict[str, Any]]:
    """Return all that a database holds, every key as it is."""
    state = read(database)
    assert not state.damage
    tables = sorted(database.all_tables())
    return state.schema, {name: sorted(database.rows(f"SELECT * FROM {name}"), key=str) for name in tables}


def owner(database: Database) -> str:
    """Return what snapshots say of which database they are."""
    return str(database.file) if database.file else database.name


def kept(manage: Runner, database: Database) -> list[dict[str, Any]]:
    """Return what is said of each snapshot of a database, the newest first; a server has others."""
    found: list[dict[str, Any]] = json.loads(manage.ok("snapshots", "--json").out)
    return [one for one in found if one["database"] == owner(database)]


def names(manage: Runner, database: Database) -> list[str]:
    return [one["name"] for one in kept(manage, database)]


def undo(result: Result) -> str:
    """Return the snapshot that the last line of a command names, with all that was there before."""
    told = (result.out or result.err).splitlines()[-1]
    found = re.fullmatch(r"To undo it: python manage\.py restore (\S+)", told)
    assert found, f"the last line does not say how to undo it:\n{result}"
    return found[1]


def how(result: Result) -> str:
    """Return whether a reset rebuilt or restored, and which snapshot."""
    found = re.search(r"as the models say\. (Rebuilt|Restored from snapshot \S+|.* seen) in \d+\.\d\d s\.", result.out)
    assert found, f"it does not say how:\n{result}"
    return found[1].split()[0]


def at(database: Database, name: str) -> Database:
    """Return another database of the same server."""
    return Database.at(database.kind, database.address.set(database=name).render_as_string(hide_password=False))


# There and back


def test_everything_comes_back(house: House, manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "30")
    put_in_ada(migrated)
    migrated.execute("CREATE INDEX ix_by_hand ON students (grade, name)")
    before = everything(migrated)

    saved = manage.ok("snapshot", "good")
    migrated.execute("DELETE FROM enrollments", "UPDATE students SET name = 'Eve' WHERE id = 7000")
    migrated.execute("DROP TABLE enrollments")
    migrated.execute("INSERT INTO subjects (code, title, lowest_grade, highest_grade) VALUES ('X', 'x', 1, 2)")
    house.add_revision("aaa111", MAKES)
    manage.ok("migrate")
    told = manage.ok("restore", "good", "--no-input").out

    size = r"[\d,.]+ [KM]B"
    assert re.fullmatch(
        rf"Saved \S*{migrated.name}.* as snapshot good: 75 rows, {size}, in \d+\.\d\d s\."
        r"   Back to it: python manage.py restore good\n",
        saved.out,
    )
    line, last = told.splitlines()
    assert f"is as in snapshot good: 75 rows, at revision {house.line()[-2]}. Restored in" in line
    assert line.endswith("   Next: python manage.py migrate")
    assert last.startswith("To undo it: python manage.py restore before-restore-")
    assert everything(migrated) == before
    # The numbers go on where they were, and every constraint is there.
    put_in_a_pupil(migrated, "next@example.org")
    assert (
        migrated.value("SELECT id FROM students WHERE email = 'next@example.org'") == 7001
        if (migrated.kind != "postgresql")
        else 31
    )
    for wrong in (
        "INSERT INTO enrollments (student_id, subject_id, enrolled_on) VALUES (99999, 1, '2026-01-01')",
        "UPDATE students SET email = 'next@example.org' WHERE id = 1",
        "UPDATE students SET grade = 13 WHERE id = 1",
    ):
        with pytest.raises(sa.exc.DBAPIError):
            migrated.execute(wrong)
    manage.ok("migrate")
    assert migrated.tables() == SAMPLE | {"made"}


def put_in_a_pupil(database: Database, email: str) -> None:
    database.execute(
        f"INSERT INTO students (name, email, grade, birthday) VALUES ('Grace', '{email}', 6, '2015-12-09')"
    )


def test_a_view_comes_back(manage: Runner, postgresql_database: Database) -> None:
    manage.ok("reset")
    postgresql_database.execute("CREATE VIEW elder AS SELECT name FROM students WHERE grade > 6")
    before = postgresql_database.count("elder")
    manage.ok("snapshot", "seen")
    postgresql_database.execute("DROP VIEW elder", "DELETE FROM enrollments")

    manage.ok("restore", "--no-input")

    assert postgresql_database.count("elder") == before > 0


def test_an_empty_database_is_saved_and_comes_back(manage: Runner, server_database: Database) -> None:
    manage.ok("snapshot", "empty")
    manage.ok("migrate")

    told = manage.ok("restore", "empty", "--no-input").out

    assert "0 rows, at revision zero" in told
    assert server_database.all_tables() == set()
    manage.ok("restore", undo(Result(0, told, "")), "--no-input")
    assert server_database.tables() == SAMPLE


def test_what_a_restore_replaced_comes_back_exactly(manage: Runner, migrated: Database) -> None:
    manage.ok("snapshot", "empty")
    manage.ok("seed", "--count", "12")
    put_in_ada(migrated)
    before = everything(migrated)

    name = undo(manage.ok("restore", "empty", "--no-input"))
    between = migrated.count("students")
    back = undo(manage.ok("restore", name, "--no-input"))

    assert re.fullmatch(rf"before-restore-{STAMP}", name)
    assert between == 0
    assert back == "empty"  # which has all that was there
    assert everything(migrated) == before
    assert names(manage, migrated) == [name, "empty"]


def test_restoring_what_is_there_already_changes_nothing_and_needs_no_undo(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "5")
    manage.ok("snapshot", "good")

    told = manage.ok("restore", "--no-input").out

    assert "is as in snapshot good" in told
    assert "To undo it" not in told
    assert names(manage, sqlite_database) == ["good"]


# Names


def test_without_git_a_snapshot_is_called_after_the_moment(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")

    manage.ok("snapshot")
    manage.ok("snapshot")

    second, first = names(manage, sqlite_database)
    assert re.fullmatch(STAMP, first)
    assert re.fullmatch(rf"{STAMP}(-2)?", second)


@pytest.mark.parametrize(
    ("branch", "begin"),
    [
        ("main", "main-"),
        ("feature/new_marks", "feature-new_marks-"),
        ("fix/#42-überall.x", "fix-42-berall-x-"),
        ("日本語", ""),
        ("a-very-long-name-for-a-branch-that-goes-on-and-on", "a-very-long-name-for-a-"),
        ("twenty-one-letters-xx-and-more", "twenty-one-letters-xx-"),
        ("-" * 3 + "x", ""),
    ],
)
def test_in_git_a_snapshot_is_called_after_the_branch(
    house: House, manage: Runner, sqlite_database: Database, branch: str, begin: str
) -> None:
    manage.ok("migrate")
    house.git("init", "--quiet")
    house.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    manage.ok("snapshot")

    [name] = names(manage, sqlite_database)
    assert re.fullmatch(rf"{begin or '(x-)?'}{STAMP}", name), name


def test_on_no_branch_a_snapshot_is_called_after_the_moment(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    house.git("init", "--quiet")
    house.git("commit", "--allow-empty", "-m", "x")
    house.git("checkout", "--quiet", "--detach")

    manage.ok("snapshot")

    [name] = names(manage, sqlite_database)
    assert re.fullmatch(STAMP, name)


def test_a_branch_whose_name_is_no_text(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.git("init", "--quiet")
    (house.root / ".git" / "HEAD").write_bytes(b"ref: refs/heads/caf\xe9\n")

    manage.ok("snapshot")

    [name] = names(manage, sqlite_database)
    assert re.fullmatch(rf"caf-{STAMP}", name)


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "", "x" * 41, ".x", "-", "x\n", "x\ny", "x y", "é", "x~", "a\\b", "C:x", "..", "a%b", "x;y"],
)
def test_a_name_that_leaves_the_folder_or_is_none_is_refused(
    house: House, manage: Runner, sqlite_database: Database, name: str
) -> None:
    manage.ok("migrate")

    line = manage("snapshot", "--", name).refusal(2)

    assert "cannot be the name of a snapshot" in line
    assert "up to 40 letters, digits, and - _ ." in line
    assert not list(house.root.parent.rglob("about.json"))


def test_a_file_that_was_deleted_comes_back(manage: Runner, sqlite_database: Database) -> None:
    file = sqlite_database.file
    assert file is not None
    manage.ok("migrate")
    manage.ok("seed", "--count", "30")
    manage.ok("snapshot", "good")
    before = everything(sqlite_database)
    file.unlink()
    left = [file.with_name(f"{file.name}{ending}") for ending in ("-wal", "-shm", "-journal")]
    for one in left:
        one.write_bytes(b"of the file that is gone")

    told = manage.ok("restore")

    assert "There is no such file now." in told.err
    assert "is as in snapshot good: 74 rows, at head" in told.out
    assert "To undo it" not in told.out
    assert everything(sqlite_database) == before
    assert not any(one.exists() for one in left)


@pytest.mark.parametrize("damage", ["a letter", "cut off", "something else", "a folder"])
def test_a_damaged_file_takes_no_place(house: House, manage: Runner, sqlite_database: Database, damage: str) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(sqlite_database)
    [kept] = (house.root / ".snapshots").glob("*/good/database.db")
    if damage == "a letter":
        data = kept.read_bytes()
        assert data.count(b"Mathematics") == 1
        kept.write_bytes(data.replace(b"Mathematics", b"Nathematics"))
    elif damage == "cut off":
        os.truncate(kept, 40_000)
    elif damage == "something else":
        kept.write_bytes(b"no database" * 9_000)
    else:
        kept.unlink()
        kept.mkdir()

    line = manage("restore", "good", "--no-input").expect(1).err.splitlines()[-1]

    assert ("cannot be read: Is a directory — " if damage == "a folder" else "snapshot good is damaged: ") in line
    assert adas(sqlite_database) == 1


def test_a_reset_builds_anew_what_is_damaged(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("reset", "--count", "30")
    [kept] = (house.root / ".snapshots").glob("*/reset-*/database.db")
    kept.write_bytes(kept.read_bytes().replace(b"Mathematics", b"Nathematics"))
    put_in_ada(sqlite_database)

    mended = manage.ok("reset", "--count", "30", "--no-input")
    title = sqlite_database.value("SELECT title FROM subjects WHERE code = 'MAT'")
    put_in_ada(sqlite_database)
    after = manage.ok("reset", "--count", "30", "--no-input")

    assert " is damaged: " in mended.err
    assert how(mended) == "Rebuilt"
    assert title == "Mathematics"
    assert how(after) == "Restored"


def test_who_may_do_what_in_the_database_is_not_restored_over(
    manage: Runner, postgresql_database: Database, request: pytest.FixtureRequest
) -> None:
    name = postgresql_database.name.replace("manage_test_", "manage_test_role_")
    server = server_address("postgresql")
    administrate(server, f"CREATE ROLE {name}")
    request.addfinalizer(lambda: administrate(server, f"DROP ROLE {name}"))
    rights = "SELECT CAST(nspacl AS text) FROM pg_namespace WHERE nspname = 'public'"
    hows = []
    try:
        for change in (
            "SELECT 1",
            f"GRANT CREATE ON SCHEMA public TO {name}",
            f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {name}",
            "CREATE TEXT SEARCH DICTIONARY theirs (TEMPLATE = simple)",
        ):
            postgresql_database.execute(change)
            hows.append(how(manage.ok("reset", "--no-input", "--no-seed")))
        put_in_ada(postgresql_database)
        assert name in postgresql_database.value(rights)
        assert postgresql_database.value("SELECT count(*) FROM pg_ts_dict WHERE dictname = 'theirs'") == 1
        assert postgresql_database.value("SELECT count(*) FROM pg_default_acl") == 1
    finally:
        postgresql_database.execute(f"DROP OWNED BY {name}")
        manage.ok("snapshots", "--keep", "0")
        settle(postgresql_database.address, postgresql_database.name)

    assert hows == ["Rebuilt", "Rebuilt", "Rebuilt", "Rebuilt"]


def test_a_snapshot_that_is_taken_for_the_database_says_that_it_is_read_only(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    url = postgresql_database.address.set(database=f"{postgresql_database.name}_snapshot_good")

    line = manage("seed", env={"DATABASE_URL": url.render_as_string(hide_password=False)}).refusal()

    assert "can only be read: " in line
    assert "a snapshot is read-only" in line


def test_names_of_every_kind_and_those_that_are_taken(manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    nothing = manage("restore", "--no-input").refusal()
    for name in ("x" * 40, "v1.2_b-C", "good"):
        manage.ok("snapshot", name)
    manage.ok("seed", "--count", "3")

    taken = [manage("snapshot", name).refusal() for name in ("good", "GOOD")]
    wrong = manage("restore", "god", "--no-input").refusal()
    path = [manage(*command, "../good").refusal() for command in (("restore", "--no-input"), ("snapshots", "--delete"))]
    manage.ok("restore", "v1.2_b-C", "--no-input")

    assert "has no snapshot — python manage.py snapshot saves one" in nothing
    assert taken == 2 * [
        "there is a snapshot good already — take another name, or python manage.py snapshots --delete good"
    ]
    assert wrong == "no snapshot 'god'. Did you mean 'good'? — python manage.py snapshots lists them"
    assert path == 2 * ["no snapshot '../good'. Did you mean 'good'? — python manage.py snapshots lists them"]
    assert names(manage, database)[1:] == ["good", "v1.2_b-C", "x" * 40]
    assert database.count("students") == 0
    manage.ok("snapshots", "--delete", "x" * 40)
    assert names(manage, database)[1:] == ["good", "v1.2_b-C"]


# Listing and deleting


def test_snapshots_are_listed_the_newest_first(house: House, manage: Runner, sqlite_database: Database) -> None:
    assert manage.ok("snapshots").out == ("There are no snapshots.   Next: python manage.py snapshot saves one\n")
    assert kept(manage, sqlite_database) == []
    manage.ok("migrate", "+1")
    manage.ok("snapshot", "first")
    manage.ok("reset")
    manage.ok("snapshot", "second")

    second, reset, first = kept(manage, sqlite_database)
    table = manage.ok("snapshots").out.splitlines()

    assert list(first) == ["name", "taken", "kind", "revisions", "rows", "size", "database"]
    assert (first["name"], first["kind"], first["revisions"], first["rows"]) == (
        "first",
        "by hand",
        house.line()[:1],
        {},
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", first["taken"])
    assert second["rows"] == {"enrollments": 300, "students": 100, "subjects": 14}
    assert second["revisions"] == house.line()[-1:]
    assert (second["kind"], reset["kind"]) == ("by hand", "reset")
    assert all(one["size"] > 4000 for one in (first, second, reset))
    assert table[0].split() == ["NAME", "TAKEN", "REVISION", "ROWS", "SIZE", "DATABASE"]
    assert [line.split()[0] for line in table[1:]] == ["second", reset["name"], "first"]
    assert table[2].endswith("  reset keeps it")
    assert re.match(rf"second +\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d +{house.line()[-1]} +414 ", table[1])


def test_delete_and_keep(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    for number in range(5):
        manage.ok("snapshot", f"n{number}")

    one = manage.ok("snapshots", "--delete", "n1").out
    unknown = manage("snapshots", "--delete", "n1").refusal()
    some = manage.ok("snapshots", "--keep", "2").out
    left = names(manage, sqlite_database)
    every = manage.ok("snapshots", "--keep", "0").out
    none = manage.ok("snapshots", "--keep", "0").out

    assert re.fullmatch(r"Deleted 1 snapshot, [\d.,]+ [KM]B: n1\.\n", one)
    assert unknown == "no snapshot 'n1' — python manage.py snapshots lists them"
    assert re.fullmatch(r"Deleted 2 snapshots, [\d.,]+ [KM]B: n2, n0\.\n", some)
    assert left == ["n4", "n3"]
    assert ": n4, n3." in every
    assert none == "Deleted 0 snapshots, 0 KB.\n"
    assert names(manage, sqlite_database) == []


def test_numbers_to_keep_that_cannot_be(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")

    for wrong in ("-1", "x", "", "1.5", "٣"):
        assert "is not a number of snapshots" in manage("snapshots", f"--keep={wrong}").refusal(2)
    assert "not allowed with" in manage("snapshots", "--keep", "1", "--delete", "x").refusal(2)

    assert names(manage, sqlite_database) == ["good"]


# Another database's


def test_a_snapshot_of_another_database_is_named_and_taken_only_with_from(
    manage: Runner, database: Database, tmp_path: Path
) -> None:
    manage.ok("migrate")
    put_in_ada(database)
    with fresh(database.kind, tmp_path) as other:
        elsewhere = {"DATABASE_URL": other.url}
        manage.ok("reset", env=elsewhere)
        manage.ok("snapshot", "theirs", env=elsewhere)
        manage.ok("snapshot", "good", env=elsewhere)
        manage.ok("snapshot", "good")
        name = owner(other)
        expected = everything(other)

        line = manage("restore", "theirs", "--no-input").refusal()
        undeletable = manage("snapshots", "--delete", "theirs").refusal()
        wrong = manage("restore", "theirs", "--from", f"{name}x", "--no-input").refusal()
        untouched = adas(database)
        told = manage.ok("restore", "--from", name, "--no-input")

        assert line == (
            f"theirs is a snapshot of {name}, not of {owner(database)} — --from {name} takes it all the same"
        )
        assert f"theirs is a snapshot of {name}" in undeletable
        assert "--from" not in undeletable
        assert f"no snapshot is of a database '{name}x'. Did you mean" in wrong
        assert untouched == 1
        assert everything(database) == everything(other) == expected
        assert names(manage, other)[:2] == ["good", "theirs"]
        manage.ok("restore", undo(told), "--no-input")
        assert adas(database) == 1
        assert adas(other) == 0


def test_restore_takes_the_newest_that_no_reset_keeps_for_itself(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "older")
    manage.ok("seed", "--count", "3")
    manage.ok("snapshot", "newer")
    manage.ok("snapshots", "--delete", "older")
    manage.ok("reset", "--no-input")
    put_in_ada(sqlite_database)

    told = manage.ok("restore", "--no-input").out

    assert "is as in snapshot newer" in told
    assert sqlite_database.count("students") == 3


# Asking


def test_restore_says_what_it_replaces_and_by_what_and_asks(
    house: House, manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "3")
    manage.ok("snapshot", "good")
    put_in_ada(sqlite_database)
    screen = terminal("restore")
    shown = screen.read_until("to go on: ")
    screen.type("yes")
    answered = screen.wait().expect(1).out
    refused = adas(sqlite_database)
    screen = terminal("restore", "good")
    screen.read_until("to go on: ")
    screen.type(sqlite_database.name)
    screen.wait().expect(0)

    header, *rows, question = shown.splitlines()
    assert re.match(
        rf"restore puts snapshot good \(\d{{4}}-\d\d-\d\d \d\d:\d\d, 20 rows\) in the place of {sqlite_database.name}",
        header,
    )
    assert header.endswith(", development). It holds")
    assert [" ".join(row.split()) for row in rows] == [
        "enrollments 3 rows",
        "students 4 rows 1 of them not from seed",
        f"subjects 14 rows from migration {house.line()[3]}",
    ]
    assert question == f"Type {sqlite_database.name} to go on: "
    assert "nothing was changed" in answered
    assert refused == 1
    assert adas(sqlite_database) == 0


def test_without_a_terminal_restore_is_refused_and_names_no_input(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(sqlite_database)

    line = manage("restore", "good", stdin=f"{sqlite_database.name}\n").refusal()

    assert "restore puts snapshot good" in line
    assert line.endswith(" — --no-input goes on without the question")
    assert adas(sqlite_database) == 1
    assert names(manage, sqlite_database) == ["good"]


def test_rows_that_came_after_the_question_are_not_lost(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(sqlite_database)
    screen = terminal("restore", "good")
    screen.read_until("to go on: ")
    put_in_ada(sqlite_database, 7001)

    screen.type(sqlite_database.name)

    said = screen.wait().expect(1).out
    assert "students holds 2 rows by now, and 1 were shown. Nothing was changed" in said
    assert adas(sqlite_database) == 2


def test_production_other_machines_and_production_names_are_refused(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "3")
    manage.ok("snapshot", "good")
    for command in (("restore", "--no-input"), ("snapshot",)):
        verb = command[0]
        by_setting = manage(*command, env={"ENVIRONMENT": "production"}).refusal()
        remote = {"DATABASE_URL": "postgresql://ada@db.invalid/school"}
        elsewhere = manage(*command, env=remote).refusal()
        allowed = manage(*command, "--allow-remote", env=remote).refusal()
        named = {"DATABASE_URL": "postgresql://ada@127.0.0.1:1/school_prod"}
        by_name = manage(*command, env=named).refusal()
        reached = manage(*command, "--allow-production-name", env=named).refusal()

        assert f"{verb} is refused: ENVIRONMENT is production (in the environment)" in by_setting
        assert f"{verb} is refused: db.invalid is another machine" in elsewhere
        assert "--allow-remote" in elsewhere
        assert "there is no host db.invalid" in allowed
        assert f"{verb} is refused: the name 'school_prod' says production" in by_name
        assert "--allow-production-name" in by_name
        assert "cannot be reached" in reached
    sqlite_database.execute("UPDATE management_metadata SET value = 'production' WHERE \"key\" = 'environment'")
    put_in_ada(sqlite_database)

    for command in (("restore", "--no-input"), ("snapshot",), ("reset", "--no-input")):
        assert "records that it is a production database" in manage(*command).refusal()
    back = manage.ok("rollback", "--no-input", "--allow-production").out

    assert adas(sqlite_database) == 1
    assert "No snapshot brings back what was there: none is taken of a production database." in back


# Undoing


LOSES: dict[str, tuple[str, ...]] = {
    "reset": ("reset", "--no-input"),
    "seed-fresh": ("seed", "--fresh", "--no-input"),
    "downgrade": ("rollback", "2", "--no-input"),
}


def test_what_a_rollback_loses_comes_back_exactly(manage: Runner, migrated: Database) -> None:
    lose_and_restore("downgrade", manage, migrated)


@pytest.mark.parametrize("action", ["reset", "seed-fresh"])
def test_what_another_command_loses_comes_back_exactly(manage: Runner, sqlite_database: Database, action: str) -> None:
    manage.ok("migrate")
    lose_and_restore(action, manage, sqlite_database)


def lose_and_restore(action: str, manage: Runner, database: Database) -> None:
    manage.ok("seed", "--count", "8")
    put_in_ada(database)
    database.execute("DELETE FROM enrollments WHERE id = 2", "UPDATE subjects SET title = 'Magic' WHERE id = 1")
    before = everything(database)

    name = undo(manage.ok(*LOSES[action]))
    between = everything(database)
    manage.ok("restore", name, "--no-input")

    assert re.fullmatch(rf"before-{action}-{STAMP}", name)
    assert between != before
    assert everything(database) == before


def test_what_a_plain_downgrade_loses_comes_back_exactly(
    manage: Runner, alembic: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "8")
    put_in_ada(sqlite_database)
    before = everything(sqlite_database)

    result = alembic.ok("downgrade", "-2")
    manage.ok("restore", undo(Result(0, "", result.err)), "--no-input")

    assert everything(sqlite_database) == before


def test_what_redo_loses_comes_back(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "8")
    before = everything(sqlite_database)

    result = manage.ok("rollback", "--redo", "--no-input")

    [name] = names(manage, sqlite_database)
    assert f"restore {name}" in result.out
    manage.ok("restore", name, "--no-input")
    assert everything(sqlite_database) == before


@pytest.mark.parametrize("command", LOSES.values(), ids=" ".join)
def test_what_a_reset_would_build_again_is_not_saved(
    manage: Runner, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    manage.ok("reset")

    told = manage.ok(*command)

    [own] = kept(manage, sqlite_database)
    assert own["kind"] == "reset"
    assert "No snapshot" not in told.out
    assert re.findall(r"To undo it: .* (\S+)", told.out) == ([] if command[0] == "reset" else [own["name"]])


def test_an_unchanged_database_is_seen_on_every_kind(manage: Runner, database: Database) -> None:
    manage.ok("reset")
    before = everything(database)
    again = manage.ok("reset", "--no-input")
    database.execute("UPDATE students SET name = 'Eve' WHERE id = 3")
    database.execute("DELETE FROM enrollments WHERE id = 300")
    changed = manage.ok("reset", "--no-input")
    after = everything(database)
    last = manage.ok("reset", "--no-input")

    assert re.search(r"Nothing had changed since snapshot reset-\S+: seen in \d", again.out)
    assert "To undo it" not in again.out
    assert how(changed) == "Restored"
    assert undo(changed).startswith("before-reset-")
    assert after == before
    assert re.search(r"Nothing had changed since snapshot reset-\S+: seen in \d", last.out)
    assert [one["kind"] for one in kept(manage, database)] == ["before", "reset"]
    assert "No errors" in manage.ok("check").out


def test_no_snapshot_is_taken_where_the_settings_say_none(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    none, small = {"SNAPSHOTS_KEPT": "0"}, {"SNAPSHOT_LIMIT": "0"}
    for command in LOSES.values():
        put_in_ada(sqlite_database)
        off = manage.ok(*command, env=none).out
        manage.ok("migrate")
        manage.ok("seed")
        put_in_ada(sqlite_database, 7001)
        big = manage.ok(*command, env=small)
        manage.ok("migrate")

        assert "No snapshot brings back what was there: SNAPSHOTS_KEPT is 0." in off
        assert re.search(
            r"No snapshot brings back what was there: \S+ has \d+ KB, more than SNAPSHOT_LIMIT \(0 KB\)\.", big.out
        )
        if command[0] == "reset":
            assert re.search(r"No snapshot of it is kept: \S+ has \d+ KB, more than SNAPSHOT_LIMIT", big.err)

    assert names(manage, sqlite_database) == []
    manage.ok("snapshot", "by-hand", env={**none, **small})
    assert names(manage, sqlite_database) == ["by-hand"]
    for wrong in ("-1", "x", "1001"):
        assert "SNAPSHOTS_KEPT" in manage("snapshots", env={"SNAPSHOTS_KEPT": wrong}).refusal()
    assert "SNAPSHOT_LIMIT" in manage("snapshots", env={"SNAPSHOT_LIMIT": "1 GB"}).refusal()


def test_the_newest_of_each_automatic_kind_are_kept_and_all_taken_by_hand(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    for number in range(5):
        put_in_ada(sqlite_database)
        manage.ok("snapshot", f"hand{number}")
        put_in_ada(sqlite_database, 7001)
        manage.ok("reset", "--no-input", "--count", str(number + 1))

    found = kept(manage, sqlite_database)
    assert [one["rows"]["students"] for one in found if one["kind"] == "reset"] == [5, 4, 3]
    assert [one["rows"]["students"] for one in found if one["kind"] == "before"] == [6, 5, 4]
    assert [one["name"] for one in found if one["kind"] == "by hand"] == [f"hand{n}" for n in (4, 3, 2, 1, 0)]
    put_in_ada(sqlite_database)
    manage.ok("reset", "--no-input", "--count", "5", env={"SNAPSHOTS_KEPT": "1"})
    found = kept(manage, sqlite_database)
    assert [one["rows"]["students"] for one in found if one["kind"] == "reset"] == [5, 4, 3]
    assert [one["rows"]["students"] for one in found if one["kind"] == "before"] == [6]
    assert len(found) == 9


def test_what_is_kept_no_more_is_dropped_though_nobody_waits(manage: Runner, postgresql_database: Database) -> None:
    begin = f"{postgresql_database.name}_snapshot_"
    manage.ok("reset", "--no-input")
    for _ in range(3):
        put_in_ada(postgresql_database)
        manage.ok("reset", "--no-input", env={"SNAPSHOTS_KEPT": "1"})
    assert [one["kind"] for one in kept(manage, postgresql_database)] == ["before", "reset"]
    assert len(snapshots_of(postgresql_database.address, postgresql_database.name)) == 3  # and what is made ready

    for left in ("~going-1a2b3c4d", "~ready-1a2b3c4d", "~making"):  # by a crash
        administrate(server_address("postgresql"), f'CREATE DATABASE "{begin}{left}"')
    manage.ok("snapshot", "next")
    there = snapshots_of(postgresql_database.address, postgresql_database.name)
    [ready] = set(there) - {begin + name for name in names(manage, postgresql_database)}
    assert ready.startswith(f"{begin}~ready-")
    assert ready != f"{begin}~ready-1a2b3c4d"


def test_a_restore_takes_what_was_made_ready_and_the_result_is_the_same(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("reset", "--no-input")
    manage.ok("snapshot", "good")
    before = everything(postgresql_database)
    rows = {"name": postgresql_database.name}
    oid = "SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = :name"

    put_in_ada(postgresql_database)
    manage.ok("restore", "good", "--no-input")
    [ready] = [one for one in snapshots_of(postgresql_database.address, postgresql_database.name) if "~ready-" in one]
    made = postgresql_database.value(oid, name=ready)
    with pytest.raises(sa.exc.OperationalError, match="not currently accepting connections"):
        at(postgresql_database, ready).value("SELECT 1")
    put_in_ada(postgresql_database)
    told = manage.ok("restore", "good", "--no-input")

    assert postgresql_database.value(oid, **rows) == made
    assert everything(postgresql_database) == before
    assert manage.ok("restore", "good", "--no-input").out.count("\n") == 1  # nothing had changed
    manage.ok("restore", undo(told), "--no-input")
    assert adas(postgresql_database) == 1


def test_what_was_made_ready_of_another_snapshot_is_not_taken(manage: Runner, postgresql_database: Database) -> None:
    manage.ok("reset", "--no-input")
    manage.ok("snapshot", "same")
    put_in_ada(postgresql_database)
    manage.ok("restore", "same", "--no-input")
    settle(postgresql_database.address, postgresql_database.name)
    manage.ok("snapshots", "--delete", "same")
    put_in_ada(postgresql_database)
    manage.ok("snapshot", "same")  # another one of the same name
    postgresql_database.execute("DELETE FROM students WHERE id = 7000")

    manage.ok("restore", "same", "--no-input")

    assert adas(postgresql_database) == 1


def test_a_snapshot_that_somebody_is_in_stays_until_the_next_time(
    manage: Runner, postgresql_database: Database
) -> None:
    one = {"SNAPSHOTS_KEPT": "1"}
    manage.ok("reset", "--no-input")
    put_in_ada(postgresql_database)
    manage.ok("reset", "--no-input", env=one)
    [oldest] = [found["name"] for found in kept(manage, postgresql_database) if found["kind"] == "before"]
    put_in_ada(postgresql_database)

    with at(postgresql_database, f"{postgresql_database.name}_snapshot_{oldest}").connect() as inside:
        inside.exec_driver_sql("SET TRANSACTION READ WRITE")
        inside.exec_driver_sql("CREATE TABLE begun (id int)")
        result = manage.ok("reset", "--no-input", env=one)

    assert f"Snapshot {oldest} stays for now: gave up after 2 s: session " in result.err
    assert how(result) == "Restored"
    assert adas(postgresql_database) == 0
    assert oldest in names(manage, postgresql_database)
    put_in_ada(postgresql_database)
    manage.ok("reset", "--no-input", env=one)
    assert oldest not in names(manage, postgresql_database)


# The SQLite file


def file_of(database: Database) -> Path:
    assert database.file is not None
    return database.file


def beside(file: Path) -> list[str]:
    """Return what there is of a database, and of its being restored."""
    return sorted(path.name for path in file.parent.glob("*.db*"))


def saved_and_spoiled(manage: Runner, database: Database) -> None:
    """Leave a snapshot without pupils and the database with Ada."""
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(database)


def test_the_file_of_a_session_that_reads_is_never_replaced(manage: Runner, sqlite_database: Database) -> None:
    saved_and_spoiled(manage, sqlite_database)
    before = file_of(sqlite_database).stat()
    with closing(sqlite3.connect(file_of(sqlite_database))) as session:
        assert session.execute("SELECT count(*) FROM students").fetchone() == (1,)

        manage.ok("restore", "good", "--no-input")

        assert session.execute("SELECT count(*) FROM students").fetchone() == (0,)
        session.execute("DELETE FROM subjects WHERE id = 1")
        session.commit()
    assert sqlite_database.count("subjects") == 13
    assert file_of(sqlite_database).stat().st_ino == before.st_ino
    assert beside(file_of(sqlite_database)) == [sqlite_database.name]


def test_a_snapshot_that_was_put_back_beside_a_session_is_known_as_what_is_there(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "30")
    manage.ok("snapshot", "seeded")
    put_in_ada(sqlite_database)
    assert sqlite_database.file is not None
    with closing(sqlite3.connect(sqlite_database.file)) as session:
        session.execute("SELECT count(*) FROM students").fetchall()
        before = undo(manage.ok("restore", "seeded", "--no-input"))

        again = manage.ok("restore", "seeded", "--no-input")

    assert "before-" not in again.out + again.err
    assert sorted(names(manage, sqlite_database)) == sorted([before, "seeded"])


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_session_that_writes_is_waited_for_and_named(
    manage: Runner, sqlite_database: Database, python: Python, begin: str
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    with closing(sqlite3.connect(file_of(sqlite_database), isolation_level=None)) as session:
        session.execute(begin)
        session.execute("DELETE FROM subjects WHERE id = 1")

        line = manage("restore", "good", "--no-input", "--lock-timeout", "0").expect(1).err.splitlines()[-1]
        waiting = manage.start("restore", "good", "--no-input")
        waiting.wait_for("waiting for process")
        session.execute("COMMIT")
        result = waiting.wait().expect(0)

    user = rf"process {os.getpid()} .* is (reading or )?writing {sqlite_database.name}"
    assert re.match(rf"manage\.py: {user}", line)
    assert line.endswith("let it finish or end it, then run the command again; --lock-timeout SECONDS waits longer")
    assert f"waiting for process {os.getpid()}" in result.err
    assert adas(sqlite_database) == 0
    assert sqlite_database.count("subjects") == 14
    manage.ok("restore", undo(result), "--no-input")
    assert (adas(sqlite_database), sqlite_database.count("subjects")) == (1, 13)


def test_a_session_that_reads_in_a_transaction_is_waited_for_and_named(
    manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    with closing(sqlite3.connect(file_of(sqlite_database), isolation_level=None)) as session:
        session.execute("BEGIN")
        assert session.execute("SELECT count(*) FROM students").fetchone() == (1,)

        line = manage("restore", "good", "--no-input", "--lock-timeout", "0").expect(1).err.splitlines()[-1]
        ada = session.execute("SELECT count(*) FROM students").fetchone()

    assert re.match(rf"manage\.py: process {os.getpid()} .* is reading or writing {sqlite_database.name}", line)
    assert ada == (1,)
    assert adas(sqlite_database) == 1
    assert beside(file_of(sqlite_database)) == [sqlite_database.name]


def test_a_snapshot_of_a_file_that_others_write_is_of_one_moment(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    with closing(sqlite3.connect(file_of(sqlite_database), isolation_level=None)) as session:
        session.execute("PRAGMA cache_size = 1")
        session.execute("BEGIN IMMEDIATE")
        session.execute("UPDATE subjects SET title = 'Magic'")

        manage.ok("snapshot", "amid")

        session.execute("COMMIT")
    manage.ok("restore", "amid", "--no-input")
    assert sqlite_database.value("SELECT count(*) FROM subjects WHERE title = 'Magic'") == 0


def test_links_are_followed_and_stay(manage: Runner, sqlite_database: Database, tmp_path: Path) -> None:
    saved_and_spoiled(manage, sqlite_database)
    link, folder = tmp_path / "link.db", tmp_path / "folder"
    folder.symlink_to(tmp_path)
    link.symlink_to(file_of(sqlite_database))
    for path in (link, folder / sqlite_database.name):
        put_in_ada(sqlite_database, 8000)
        there = {"DATABASE_URL": f"sqlite:///{path}"}

        manage.ok("restore", "good", "--from", owner(sqlite_database), "--no-input", env=there)

        assert adas(sqlite_database) == 0
    assert link.is_symlink()
    assert folder.is_symlink()
    assert not file_of(sqlite_database).is_symlink()


def test_a_hard_link_stays_one(manage: Runner, sqlite_database: Database, tmp_path: Path) -> None:
    saved_and_spoiled(manage, sqlite_database)
    other = tmp_path / "other.db"
    other.hardlink_to(file_of(sqlite_database))

    manage.ok("restore", "good", "--no-input")

    assert other.samefile(file_of(sqlite_database))
    with closing(sqlite3.connect(other)) as session:
        assert session.execute("SELECT count(*) FROM students").fetchone() == (0,)


def test_the_mode_of_the_file_is_kept(manage: Runner, sqlite_database: Database) -> None:
    saved_and_spoiled(manage, sqlite_database)
    file_of(sqlite_database).chmod(0o640)

    manage.ok("restore", "good", "--no-input")

    assert file_of(sqlite_database).stat().st_mode & 0o777 == 0o640
    assert adas(sqlite_database) == 0


def test_what_is_kept_can_be_read_by_nobody_else(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    file_of(sqlite_database).chmod(0o600)

    manage.ok("snapshot", "good")

    [folder] = (house.root / ".snapshots").iterdir()
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("wal_before", [True, False], ids=["saved in WAL mode", "WAL mode later"])
def test_a_file_in_wal_mode(manage: Runner, sqlite_database: Database, wal_before: bool) -> None:
    manage.ok("migrate")
    file = file_of(sqlite_database)
    if not wal_before:
        manage.ok("snapshot", "good")
    with closing(sqlite3.connect(file, isolation_level=None)) as session:
        assert session.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        session.execute("UPDATE subjects SET title = 'Magic' WHERE id = 1")
        if wal_before:
            assert Path(f"{file}-wal").stat().st_size  # what is in it only is saved too
            manage.ok("snapshot", "good")
    put_in_ada(sqlite_database)
    before = everything(sqlite_database)

    name = undo(manage.ok("restore", "good", "--no-input"))

    assert adas(sqlite_database) == 0
    assert sqlite_database.value("SELECT count(*) FROM subjects WHERE title = 'Magic'") == wal_before
    assert beside(file) == [sqlite_database.name]
    assert sqlite_database.value("PRAGMA journal_mode") == "wal"
    manage.ok("restore", name, "--no-input")
    assert everything(sqlite_database) == before
    with closing(sqlite3.connect(file, isolation_level=None)) as session:
        session.execute("BEGIN")
        assert session.execute("SELECT count(*) FROM students").fetchone() == (1,)
        told = manage.ok("restore", "good", "--no-input")
        assert session.execute("SELECT count(*) FROM students").fetchone() == (1,)
        session.execute("COMMIT")
        assert session.execute("SELECT count(*) FROM students").fetchone() == (0,)
    assert undo(told)
    assert beside(file) == [sqlite_database.name]


# Leaves what a crash in the middle of a transaction leaves.
CRASHES = """\
import os, sqlite3, sys
session = sqlite3.connect(sys.argv[1], isolation_level=None)
session.execute("PRAGMA journal_mode = " + sys.argv[2])
session.execute("PRAGMA cache_size = 1")
session.execute("UPDATE subjects SET title = 'Committed' WHERE id = 1")
session.execute("BEGIN")
session.execute("CREATE TABLE big AS SELECT a.id, a.title, randomblob(3000) FROM subjects a, subjects b, subjects c")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("mode", "left"), [("DELETE", "-journal"), ("WAL", "-wal")])
def test_what_a_crash_left_beside_the_file(
    manage: Runner, sqlite_database: Database, tmp_path: Path, mode: str, left: str
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    file = file_of(sqlite_database)
    for command in (("snapshot", f"after-{mode}"), ("restore", "good", "--no-input")):
        subprocess.run([sys.executable, "-c", CRASHES, str(file), mode], check=False)
        assert Path(f"{file}{left}").stat().st_size

        manage.ok(*command)

    assert sqlite_database.tables() == SAMPLE
    assert adas(sqlite_database) == 0
    assert beside(file) == [sqlite_database.name]
    manage.ok("restore", f"after-{mode}", "--no-input")
    assert adas(sqlite_database) == 1
    assert sqlite_database.tables() == SAMPLE
    assert sqlite_database.value("SELECT count(*) FROM subjects WHERE title = 'Committed'") == 1


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_another_size_of_pages(manage: Runner, sqlite_database: Database, mode: str) -> None:
    saved_and_spoiled(manage, sqlite_database)
    with closing(sqlite3.connect(file_of(sqlite_database), isolation_level=None)) as session:
        session.execute("PRAGMA page_size = 1024")
        session.execute("VACUUM")
        session.execute(f"PRAGMA journal_mode = {mode}")

        told = manage.ok("restore", "good", "--no-input")

    assert adas(sqlite_database) == 0
    assert sqlite_database.value("PRAGMA journal_mode") == mode
    manage.ok("restore", undo(told), "--no-input")
    assert adas(sqlite_database) == 1


def shrink(session: sqlite3.Connection, pages: int) -> None:
    """Drop all there is, and make a database of so many pages."""
    for (name,) in session.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE TABLE%'").fetchall():
        session.execute(f"DROP TABLE {name}")
    session.execute("VACUUM")
    while session.execute("PRAGMA page_count").fetchone()[0] < pages:
        session.execute("CREATE TABLE IF NOT EXISTS filler (data)")
        if session.execute("PRAGMA page_count").fetchone()[0] < pages:
            session.execute("INSERT INTO filler VALUES (zeroblob(3000))")
    assert session.execute("PRAGMA page_count").fetchone() == (pages,)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_what_a_small_snapshot_replaces_comes_back(manage: Runner, sqlite_database: Database, mode: str) -> None:
    """SQLite commits a backup with the step that copies its last page."""
    manage.ok("migrate")
    manage.ok("snapshot", "full")
    with closing(sqlite3.connect(file_of(sqlite_database), isolation_level=None)) as session:
        session.execute(f"PRAGMA journal_mode = {mode}")
        for pages in (1, 2, 10):
            shrink(session, pages)
            manage.ok("snapshot", f"small-{pages}")
            manage.ok("restore", "full", "--no-input")
            session.execute(f"UPDATE subjects SET title = 'By hand {pages}'")
            before = everything(sqlite_database)

            told = manage.ok("restore", f"small-{pages}", "--no-input")
            there = sqlite_database.tables()
            manage.ok("restore", undo(told), "--no-input")

            assert there == ({"filler"} if pages > 1 else set())
            assert everything(sqlite_database) == before
        if mode == "delete":  # a page that is as large as a page can be
            session.execute("PRAGMA page_size = 65536")
            shrink(session, 1)
            manage.ok("snapshot", "one-large")
            session.execute("CREATE TABLE mine (id INTEGER PRIMARY KEY)")
            manage.ok("restore", undo(manage.ok("restore", "one-large", "--no-input")), "--no-input")
            assert sqlite_database.tables() == {"mine"}


# What opens the file while it is replaced waits for that, and goes on with neither file's rows lost.
COMES = """\
print("swapping", file=__import__("sys").stderr, flush=True)
while fcntl.fcntl(lease, fcntl.F_GETLEASE) == fcntl.F_WRLCK:
    __import__("time").sleep(0.01)
"""
RENAMES = "                        os.rename(beside, live)\n"
SWAPS_SLOWLY = indent(COMES, 24 * " ") + RENAMES
OPENS = """\
import sqlite3, sys
session = sqlite3.connect(sys.argv[1], isolation_level=None)
for _ in sys.stdin:
    try:
        session.execute("DELETE FROM subjects")
    except sqlite3.DatabaseError as error:
        print(error, flush=True)
"""


def test_who_opens_the_file_in_the_moment_it_is_replaced_writes_into_no_lost_file(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    code = house.read("project/management/backends/sqlite_copies.py")
    house.change(
        "project/management/backends/sqlite_copies.py",
        RENAMES,
        SWAPS_SLOWLY,
    )
    restoring = manage.start("restore", "good", "--no-input")
    restoring.wait_for("swapping")
    house.write("project/management/backends/sqlite_copies.py", code)
    program = [sys.executable, "-c", OPENS, str(file_of(sqlite_database))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as opened:
        assert opened.stdin is not None
        assert opened.stdout is not None

        opened.stdin.write("try\n")
        first = opened.stdout.readline()
        replaced = restoring.wait().expect(0)
        there = sqlite_database.count("subjects"), adas(sqlite_database)
        manage.ok("restore", undo(replaced), "--no-input")
        opened.stdin.write("try again\n")
        again = opened.stdout.readline()
        opened.stdin.close()

    assert first == again == "file is not a database\n"
    assert there == (14, 0)
    assert (sqlite_database.count("subjects"), adas(sqlite_database)) == (14, 1)


def test_the_file_that_was_replaced_is_the_copy_that_is_kept(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    before = file_of(sqlite_database).stat().st_ino

    name = undo(manage.ok("restore", "good", "--no-input"))
    [kept] = (house.root / ".snapshots").glob(f"*/{name}/database.db")
    inode, begins = kept.stat().st_ino, kept.read_bytes()[:9]
    manage.ok("snapshot", "another")  # nobody has it open

    assert inode == before
    assert begins == b"This file"
    with closing(sqlite3.connect(kept)) as session:
        assert session.execute("SELECT count(*) FROM students").fetchone() == (1,)
    assert sorted(path.name for path in kept.parent.iterdir()) == ["about.json", "database.db"]


@pytest.mark.parametrize("is_read", [True, False], ids=["beside a session", "alone"])
def test_a_copy_whose_beginning_is_apart_is_put_back_whole(
    house: House, manage: Runner, sqlite_database: Database, is_read: bool
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    before = everything(sqlite_database)
    name = undo(manage.ok("restore", "good", "--no-input"))
    [kept] = (house.root / ".snapshots").glob(f"*/{name}/database.db")

    with kept.open("rb"), ExitStack() as sessions:
        if is_read:
            session = sessions.enter_context(closing(sqlite3.connect(file_of(sqlite_database))))
            session.execute("SELECT 1 FROM students").fetchall()
        manage.ok("restore", name, "--no-input")
        again = manage.ok("restore", name, "--no-input")

        assert kept.read_bytes().startswith(b"This file")
    assert everything(sqlite_database) == before
    assert "To undo" not in again.out, "the copy is known as what is there"


def test_a_crash_before_the_file_is_replaced_leaves_no_copy_that_changes_with_it(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    code = house.read("project/management/backends/sqlite_copies.py")
    house.change(
        "project/management/backends/sqlite_copies.py",
        RENAMES,
        f"                        os.kill(os.getpid(), 9)\n{RENAMES}",
    )
    assert manage("restore", "good", "--no-input").code == -signal.SIGKILL
    house.write("project/management/backends/sqlite_copies.py", code)
    put_in_ada(sqlite_database, 8000)

    crashed = names(manage, sqlite_database)
    name = undo(manage.ok("restore", "good", "--no-input"))
    spoiled = adas(sqlite_database)
    manage.ok("restore", name, "--no-input")

    assert crashed == ["good"]
    assert (spoiled, adas(sqlite_database)) == (0, 2)
    assert sorted(names(manage, sqlite_database)) == sorted(["good", name])
    assert file_of(sqlite_database).stat().st_nlink == 1


def test_the_file_is_not_replaced_when_somebody_has_come_to_open_it(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    before = file_of(sqlite_database).stat().st_ino
    house.change(
        "project/management/backends/sqlite_copies.py",
        "                    self._note(making, keep.about, checksum(now))\n",
        indent(COMES, 20 * " ") + "                    self._note(making, keep.about, checksum(now))\n",
    )
    restoring = manage.start("restore", "good", "--no-input")
    restoring.wait_for("swapping")
    with closing(sqlite3.connect(file_of(sqlite_database))) as session:
        session.execute("SELECT count(*) FROM students").fetchall()

        name = undo(restoring.wait().expect(0))

        assert session.execute("SELECT count(*) FROM students").fetchall() == [(0,)]
    assert file_of(sqlite_database).stat().st_ino == before
    manage.ok("restore", name, "--no-input")
    assert adas(sqlite_database) == 1


def test_what_a_restore_lays_beside_the_file_is_left_alone_by_another_project(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    elsewhere = build(house.root.parent / "elsewhere")
    house.change(
        "project/management/backends/sqlite_copies.py",
        "                with _laid_beside(source, live) as beside:\n",
        "                with _laid_beside(source, live) as beside:\n"
        '                    print("laid", file=__import__("sys").stderr, flush=True)\n'
        "                    while not os.path.exists(f'{live}.go'):\n"
        '                        __import__("time").sleep(0.01)\n',
    )
    before = file_of(sqlite_database).stat().st_ino
    restoring = manage.start("restore", "good", "--no-input")
    restoring.wait_for("laid")

    Runner(House(elsewhere), sqlite_database.url).ok("snapshot", "theirs")
    Path(f"{file_of(sqlite_database)}.go").touch()
    name = undo(restoring.wait().expect(0))

    assert adas(sqlite_database) == 0
    assert file_of(sqlite_database).stat().st_ino != before
    manage.ok("restore", name, "--no-input")
    assert adas(sqlite_database) == 1
    assert not [path for path in file_of(sqlite_database).parent.iterdir() if ".restoring" in path.name]


@pytest.mark.parametrize("gone", ["os.unlink(beside)", "raise InterruptedError"])
def test_a_file_that_was_not_replaced_is_never_written_over(
    house: House, manage: Runner, sqlite_database: Database, gone: str
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    house.change("project/management/backends/sqlite_copies.py", RENAMES, f"                        {gone}\n{RENAMES}")

    name = undo(manage.ok("restore", "good", "--no-input"))

    assert adas(sqlite_database) == 0
    manage.ok("restore", name, "--no-input")
    assert adas(sqlite_database) == 1


def test_a_command_that_opens_the_file_in_that_moment_says_what_to_do(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    house.change(
        "project/management/backends/sqlite_copies.py",
        RENAMES,
        SWAPS_SLOWLY,
    )
    restoring = manage.start("restore", "good", "--no-input")
    restoring.wait_for("swapping")

    result = manage("seed", "--count", "3")

    restoring.wait().expect(0)
    assert result.code == 0 or "run the command again" in result.refusal()
    manage.ok("seed", "--count", "3")
    assert sqlite_database.count("students") == 3


@pytest.mark.parametrize("ends", [9, 2], ids=["killed", "interrupted"])
def test_a_database_that_is_moved_after_a_crash_is_never_written_into(
    house: House, manage: Runner, sqlite_database: Database, ends: int
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    path, links = "project/management/backends/sqlite_copies.py", "                    os.link(live, making / DATA)\n"
    code = house.read(path)
    where = RENAMES if ends == 9 else links
    house.change(
        path,
        where,
        f"{where}{24 * ' ' if ends == 9 else 20 * ' '}os.kill(os.getpid(), {ends})\n"
        if ends == 2
        else f"{24 * ' '}os.kill(os.getpid(), 9)\n{where}",
    )
    assert manage("restore", "good", "--no-input").code == (-signal.SIGKILL if ends == 9 else 130)
    house.write(path, code)
    moved = file_of(sqlite_database).with_name("moved.db")
    with closing(sqlite3.connect(file_of(sqlite_database))) as session:
        session.execute("CREATE TABLE mine (id INTEGER PRIMARY KEY)")
        session.commit()
    file_of(sqlite_database).rename(moved)
    elsewhere = {"DATABASE_URL": f"sqlite:///{moved}"}
    listed = manage.ok("snapshots", env=elsewhere).out

    manage.ok("migrate")
    manage.ok("snapshot", "another")

    assert "before-" not in listed
    with closing(sqlite3.connect(moved)) as session:
        assert session.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert session.execute("SELECT count(*) FROM mine").fetchall() == [(0,)]
    assert moved.stat().st_nlink == 1


def test_an_interruption_after_the_file_is_replaced_says_which_snapshot_has_what_was_there(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    manage.ok("snapshot", "spoiled")
    path = "project/management/backends/sqlite_copies.py"
    house.change(path, RENAMES, f"{RENAMES}{24 * ' '}os.kill(os.getpid(), 2)\n")

    told = manage("restore", "good", "--no-input").expect(130).err

    assert adas(sqlite_database) == 0
    assert "What was there is in a snapshot: python manage.py restore spoiled\n" in told


def test_an_interruption_before_anything_is_done_names_no_snapshot(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    path = "project/management/backends/sqlite_copies.py"
    house.change(path, "        self._refuse_damaged(copy)\n", "        os.kill(os.getpid(), 2)\n")

    told = manage("restore", "good", "--no-input").expect(130).err

    assert "What was there is in" not in told
    assert adas(sqlite_database) == 1


NAMED_AND_FULL = """\
        try:
            if "tried" not in vars(self):
                self.tried = True
                raise OSError(28, "full")
            sync(self.folder)
"""


@pytest.mark.parametrize(
    ("file", "code", "broken"),
    [
        (
            "sqlite_copies",
            RENAMES,
            "                        raise OSError(28, 'full')\n",
        ),
        ("folders", "        try:\n            sync(self.folder)\n", NAMED_AND_FULL),
    ],
    ids=["rename", "sync"],
)
def test_where_a_file_cannot_be_replaced_it_is_written_into_and_what_was_there_is_kept_once(
    house: House, manage: Runner, sqlite_database: Database, file: str, code: str, broken: str
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    house.change(f"project/management/backends/{file}.py", code, broken)

    told = manage.ok("restore", "good", "--no-input")

    assert adas(sqlite_database) == 0
    manage.ok("restore", undo(told), "--no-input")
    assert adas(sqlite_database) == 1


def test_a_damaged_note_is_named_and_in_nobodys_way(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    [about] = (house.root / ".snapshots").glob("*/good/about.json")
    whole = json.loads(about.read_text("utf-8"))
    for text in (
        "",
        "{",
        "[]",
        "\udcff",
        "null",
        '{"database": 1}',
        json.dumps({**whole, "about": {**whole["about"], "rows": []}}),
        json.dumps({**whole, "about": {**whole["about"], "rows": {"a": "x"}}}),
        json.dumps({**whole, "about": {**whole["about"], "taken": "yesterday"}}),
        json.dumps({**whole, "about": {**whole["about"], "revisions": None}}),
        json.dumps({**whole, "about": {**whole["about"], "rows": {"a": float("inf")}}}),
        json.dumps({**whole, "about": {**whole["about"], "taken": "0001-01-01T00:00:00+14:00"}}),
    ):
        about.write_bytes(text.encode("utf-8", "surrogateescape"))

        listed = manage.ok("snapshots")
        manage.ok("seed", "--fresh", "--no-input", "--count", "1", "--verbosity", "0")  # stopped by nothing

        assert "good" not in listed.out.split(), text
        assert f"Nothing can be read of the snapshot in {about.parent}:" in listed.err, text


def test_what_a_crash_left_of_a_snapshot_is_removed(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    [folder] = (house.root / ".snapshots").iterdir()
    (folder / ".making-abc").mkdir()
    (folder / ".making-abc" / "database.db").write_text("half")
    (folder / ".looking-abc").write_text("half")
    left = file_of(sqlite_database).with_name(f".{sqlite_database.name}.restoring-abc")
    left.write_text("half")

    listed = names(manage, sqlite_database)
    manage.ok("snapshot", "better")

    assert listed == ["good"]
    assert sorted(path.name for path in folder.iterdir()) == ["better", "good"]
    assert not left.exists()


def test_where_nothing_can_be_kept_the_rest_works(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write(".snapshots", "a file where the folder would be")

    reset = manage.ok("reset")
    put_in_ada(sqlite_database)
    fresh_ones = manage.ok("seed", "--fresh", "--no-input")
    line = manage("snapshot").refusal()

    assert "No snapshot of it is kept: " in reset.err
    for told in (fresh_ones.err, fresh_ones.out):  # before it is asked, and at the end
        assert re.search(r"No snapshot brings back what was there: .*\.snapshots is no folder", told)
    assert ".snapshots is no folder — move it away" in line
    assert manage.ok("snapshots").out.startswith("There are no snapshots")


def test_a_missing_file_and_one_that_is_no_database(manage: Runner, sqlite_database: Database) -> None:
    for command in (("snapshot",), ("restore", "good", "--no-input")):
        line = manage(*command).refusal()
        assert "does not exist yet" in line or "no snapshot 'good'" in line
    assert not file_of(sqlite_database).exists()
    saved_and_spoiled(manage, sqlite_database)
    file_of(sqlite_database).write_bytes(b"These are minutes, and no database.\n" * 200)

    for command in (("snapshot",), ("restore", "good", "--no-input")):
        assert "is not an SQLite database" in manage(*command).refusal()


def test_what_is_committed_while_a_restore_begins_is_not_lost(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    saved_and_spoiled(manage, sqlite_database)
    house.change(
        "project/management/backends/sqlite_copies.py",
        "                    return self._swap(",
        "                    with closing(sqlite3.connect(live)) as other:\n"
        "                        other.execute('DELETE FROM subjects WHERE id = 1')\n"
        "                        other.commit()\n"
        "                    return self._swap(",
    )

    name = undo(manage.ok("restore", "good", "--no-input"))
    between = sqlite_database.count("subjects")
    manage.ok("restore", name, "--no-input")

    assert between == 14
    assert sqlite_database.count("subjects") == 13
    assert adas(sqlite_database) == 1


# PostgreSQL


@contextmanager
def a_pool(database: Database, size: int) -> Iterator[None]:
    """Keep sessions that are opened anew as soon as they are ended, as a web application does."""
    ended, url = Event(), database.address.set(drivername="postgresql").render_as_string(hide_password=False)

    def stay() -> None:
        while not ended.is_set():
            with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as session:
                while not ended.wait(0.005):
                    session.execute("SELECT 1")

    with ThreadPoolExecutor(size) as threads:
        for _ in range(size):
            threads.submit(stay)
        try:
            yield
        finally:
            ended.set()


def test_the_sessions_of_a_pool_that_come_back_at_once_are_in_nobodys_way(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(postgresql_database)
    with a_pool(postgresql_database, 5):
        name = undo(manage.ok("restore", "good", "--no-input", "--lock-timeout", "20"))
        there = adas(postgresql_database)
        manage.ok("restore", name, "--no-input", "--lock-timeout", "20")

    assert (there, adas(postgresql_database)) == (0, 1)


@pytest.fixture
def team() -> Iterator[list[str]]:
    """A role that may log in no more than a team can, and two people who are in it."""
    names = [f"{PREFIX}{who}_{uuid.uuid4().hex[:6]}" for who in ("team", "ada", "bob")]
    server = server_address("postgresql")
    administrate(server, f"CREATE ROLE {names[0]}")
    for one in names[1:]:
        administrate(server, f"CREATE ROLE {one} LOGIN CREATEDB PASSWORD '{PASSWORD}' IN ROLE {names[0]}")
    yield names
    for one in reversed(names):
        administrate(server, f"DROP ROLE {one}")


def test_those_who_share_a_database_share_its_snapshots(
    team: list[str], house: House, manage: Runner, postgresql_database: Database
) -> None:
    owner, *people = team
    ada, bob = (
        Runner(house, postgresql_database.address.set(username=one, password=PASSWORD).render_as_string(False))
        for one in people
    )
    manage.ok("migrate")
    administrate(postgresql_database.address, f"ALTER DATABASE {postgresql_database.name} OWNER TO {owner}")
    for [table] in postgresql_database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        postgresql_database.execute(f"ALTER TABLE {table} OWNER TO {owner}")
    ada.ok("snapshot", "good")
    put_in_ada(postgresql_database)

    name = undo(bob.ok("restore", "good", "--no-input"))
    there = adas(postgresql_database)
    ada.ok("restore", name, "--no-input")
    kept = f"{postgresql_database.name}_snapshot_good"
    administrate(postgresql_database.address, f"ALTER DATABASE {kept} OWNER TO {people[0]}")
    refused = [
        bob(*command).expect(1).err.splitlines()[-1]
        for command in (("restore", "good", "--no-input"), ("snapshots", "--delete", "good"))
    ]
    listed = names(bob, postgresql_database)
    ada.ok("snapshots", "--delete", "good")

    assert (there, adas(postgresql_database)) == (0, 1)
    for line in refused:
        assert line.endswith(f' — its owner can, {people[0]}; or GRANT "{people[0]}" TO "{people[1]}"')
    assert "good" in listed
    assert "good" not in names(bob, postgresql_database)
    ada.ok("snapshots", "--keep", "0")
    administrate(postgresql_database.address, f"ALTER DATABASE {postgresql_database.name} OWNER TO CURRENT_USER")


def test_a_database_that_knows_no_letters_is_worked_with_as_others_are(
    manage: Runner, postgresql_database: Database
) -> None:
    """In SQL_ASCII the server tells no text from bytes."""
    name = postgresql_database.name
    administrate(postgresql_database.address.set(database="postgres"), f"DROP DATABASE {name}")
    administrate(
        postgresql_database.address.set(database="postgres"),
        f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    )

    manage.ok("reset", "--no-input", "--count", "30")
    manage.ok("snapshot", "good")
    restored = manage.ok("reset", "--no-input", "--count", "30")
    manage.ok("check")

    assert how(restored) == "Restored"


def test_idle_sessions_stay_for_a_snapshot_and_are_ended_and_named_for_a_restore(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "5")
    with postgresql_database.connect() as idle, postgresql_database.connect() as shell:
        numbers = [one.scalar(sa.text("SELECT pg_backend_pid()")) for one in (idle, shell)]
        shell.exec_driver_sql("SET application_name = 'manage.py shell'")
        for one in (idle, shell):
            one.commit()

        saved = manage.ok("snapshot", "good")
        both = [one.scalar(sa.text("SELECT count(*) FROM students")) for one in (idle, shell)]
        for one in (idle, shell):
            one.commit()
        put_in_ada(postgresql_database)
        result = manage.ok("restore", "good", "--no-input")

        for number in numbers:
            assert f"ended session {number} of postgres" in result.err
        for one in (idle, shell):
            one.invalidate()
    assert saved.err == ""
    assert both == [5, 5]
    assert adas(postgresql_database) == 0
    assert "No errors" in manage.ok("check").out
    put_in_a_pupil(postgresql_database, "next@example.org")
    assert postgresql_database.value("SELECT max(id) FROM students") == 6
    manage.ok("restore", undo(Result(0, result.out, "")), "--no-input")
    assert adas(postgresql_database) == 1


def test_a_copy_beside_its_sessions_has_the_same_locale(manage: Runner, tmp_path: Path) -> None:
    server = server_address("postgresql")
    with fresh("postgresql", tmp_path, made=False) as database:
        locale = "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ENCODING 'UTF8'"
        administrate(server, f"CREATE DATABASE {database.name} TEMPLATE template0 {locale}")
        with database.connect() as idle:
            idle.scalar(sa.text("SELECT 1"))
            idle.commit()

            manage.ok("snapshot", "good", env={"DATABASE_URL": database.url})

        query = "SELECT datcollate, datctype, datlocprovider, daticulocale FROM pg_database WHERE datname LIKE :name"
        [own, copied] = database.rows(query, name=f"{database.name}%")
        assert own == copied
        assert own[2:] == ("i", "de-DE")


def test_a_session_that_writes_is_waited_for_and_named_on_postgresql(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(postgresql_database)
    with postgresql_database.connect() as busy:
        number = busy.scalar(sa.text("SELECT pg_backend_pid()"))
        busy.exec_driver_sql("DELETE FROM subjects WHERE id = 1")

        line = manage("restore", "good", "--no-input", "--lock-timeout", "0").expect(1).err.splitlines()[-1]
        saved = manage.ok("snapshot", "amid")
        waiting = manage.start("restore", "good", "--no-input")
        waiting.wait_for(f"waiting for session {number} of postgres")
        busy.commit()
        busy.close()
        result = waiting.wait().expect(0)

    assert re.match(rf"manage\.py: session {number} of postgres .*is connected to {postgresql_database.name}", line)
    assert "15 rows" in saved.out
    assert (adas(postgresql_database), postgresql_database.count("subjects")) == (0, 14)
    manage.ok("restore", undo(Result(0, result.out, "")), "--no-input")
    assert (adas(postgresql_database), postgresql_database.count("subjects")) == (1, 13)
    manage.ok("restore", "amid", "--no-input")
    assert (adas(postgresql_database), postgresql_database.count("subjects")) == (1, 14)


@pytest.fixture
def role(postgresql_database: Database) -> Iterator[str]:
    """A user who owns the database, and may not make others."""
    server = server_address("postgresql")
    name = f"{postgresql_database.name}_role"
    administrate(server, f"CREATE ROLE {name} LOGIN")
    administrate(server, f"ALTER DATABASE {postgresql_database.name} OWNER TO {name}")
    postgresql_database.execute(f"GRANT ALL ON SCHEMA public TO {name}")
    yield name
    for one in (postgresql_database.name, *snapshots_of(server, postgresql_database.name)):
        if "~ready-" in one:  # nobody can connect to it
            administrate(server, f'DROP DATABASE "{one}"')
            continue
        owned = f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}"
        administrate(server.set(database=one), f"BEGIN READ WRITE; {owned}; COMMIT")
    administrate(server, f"DROP ROLE {name}")


def test_a_user_who_gets_the_right_to_make_databases_goes_on_with_what_was_kept_before(
    manage: Runner, postgresql_database: Database, role: str
) -> None:
    env = {"DATABASE_URL": postgresql_database.url.replace("postgres@", f"{role}@")}
    told = manage.ok("reset", env=env).err
    grant = f'ALTER ROLE "{role}" CREATEDB'
    administrate(server_address("postgresql"), grant)

    put_in_ada(postgresql_database)
    from_before = manage.ok("reset", "--no-input", env=env)
    built = manage.ok("reset", "--no-input", "--rebuild", env=env)
    put_in_ada(postgresql_database)
    cloned = manage.ok("reset", "--no-input", env=env)

    assert grant in told
    assert grant not in built.err
    assert [how(one) for one in (from_before, built, cloned)] == ["Restored", "Rebuilt", "Restored"]
    assert postgresql_database.count("students") == 100
    query = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert postgresql_database.value(query) == role


def test_a_table_that_may_not_be_read_keeps_nothing_from_being_done(
    manage: Runner, postgresql_database: Database, role: str
) -> None:
    env = {"DATABASE_URL": postgresql_database.url.replace("postgres@", f"{role}@")}
    administrate(server_address("postgresql"), f"ALTER ROLE {role} CREATEDB")
    manage.ok("migrate", env=env)
    manage.ok("seed", "--count", "3", env=env)
    postgresql_database.execute("CREATE SCHEMA secret", "CREATE TABLE secret.diary (id int)")

    fresh_ones = manage.ok("seed", "--fresh", "--no-input", env=env)
    back = manage.ok("rollback", "--no-input", env=env)
    reset = manage.ok("reset", "--no-input", env=env)

    for result in (fresh_ones, back, reset):
        assert "No snapshot brings back what was there: PostgreSQL does not let user" in result.out
    assert postgresql_database.count("secret.diary") == 0


def test_where_a_snapshot_cannot_take_the_place_reset_builds(
    manage: Runner, postgresql_database: Database, role: str
) -> None:
    env = {"DATABASE_URL": postgresql_database.url.replace("postgres@", f"{role}@")}
    administrate(server_address("postgresql"), f"ALTER ROLE {role} CREATEDB")
    manage.ok("reset", env=env)
    put_in_ada(postgresql_database)
    administrate(server_address("postgresql"), f"ALTER DATABASE {postgresql_database.name} SET log_statement = 'none'")

    result = manage.ok("reset", "--no-input", env=env)

    assert how(result) == "Rebuilt"
    assert "is not restored: PostgreSQL does not let user" in result.err
    assert adas(postgresql_database) == 0
    manage.ok("restore", undo(Result(0, result.out, "")), "--no-input")
    assert adas(postgresql_database) == 1


def test_what_belongs_to_the_database_stays_with_it(manage: Runner, postgresql_database: Database, role: str) -> None:
    server, name = server_address("postgresql"), postgresql_database.name
    for statement in (
        f"GRANT CONNECT ON DATABASE {name} TO pg_monitor WITH GRANT OPTION",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"ALTER DATABASE {name} SET search_path = \"$user\", public, 'a b'",
        f"ALTER DATABASE {name} SET my.setting = 'it''s {{}} = 100%'",
        f"ALTER ROLE {role} IN DATABASE {name} SET work_mem = '5MB'",
        f"ALTER DATABASE {name} CONNECTION LIMIT 20",
        f"COMMENT ON DATABASE {name} IS 'of the school: 100%, it''s ours'",
    ):
        administrate(server, statement)
    belongings = (
        "SELECT pg_get_userbyid(datdba), datacl::text, datconnlimit, shobj_description(oid, 'pg_database'),"
        " (SELECT array_agg(setrole::text || setconfig::text ORDER BY setrole) FROM pg_db_role_setting"
        " WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = current_database()"
    )
    before = postgresql_database.rows(belongings)
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(postgresql_database)

    told = manage.ok("restore", "good", "--no-input")

    assert postgresql_database.rows(belongings) == before
    assert before[0][0] == role
    manage.ok("restore", undo(told), "--no-input")
    assert postgresql_database.rows(belongings) == before
    assert adas(postgresql_database) == 1


@pytest.mark.parametrize("name", ["Sch o\"ol=50% 'off'", "é" * 25 + "x"], ids=["odd", "63 bytes"])
def test_databases_of_any_name(manage: Runner, name: str) -> None:
    server = server_address("postgresql")
    database = Database("postgresql", PREFIX + name, server.set(database=PREFIX + name))
    env = {"DATABASE_URL": database.url}
    try:
        manage.ok("migrate", "--create-database", env=env)
        with database.connect() as idle:
            idle.scalar(sa.text("SELECT 1"))
            idle.commit()
            manage.ok("snapshot", "x" * 40, env=env)
            idle.invalidate()
        put_in_ada(database)
        told = manage.ok("restore", "x" * 40, "--no-input", env=env)
        assert adas(database) == 0
        manage.ok("restore", undo(Result(0, told.out, "")), "--no-input", env=env)
        assert adas(database) == 1
        manage.ok("snapshots", "--keep", "0", env=env)
    finally:
        for one in (database.name, *snapshots_of(server, database.name)):
            quoted = one.replace('"', '""')
            administrate(server, f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)')


# MariaDB


ODD_TABLES = (
    "CREATE TABLE `50% of``f` (id INT AUTO_INCREMENT PRIMARY KEY, `a``b %s` INT CHECK (`a``b %s` > 0), d INT DEFAULT 5,"
    " doubled INT AS (`a``b %s` * 2) VIRTUAL, kept INT AS (`a``b %s` + 1) STORED, day TIMESTAMP NULL,"
    " hidden INT INVISIBLE DEFAULT 7, t TEXT, b BLOB, j JSON, u INT UNSIGNED, UNIQUE `k``%` (`a``b %s`))",
    "CREATE TABLE hen (id INT PRIMARY KEY, egg INT)",
    "CREATE TABLE egg (id INT PRIMARY KEY, hen INT, CONSTRAINT `f%``1` FOREIGN KEY (hen) REFERENCES hen (id))",
    "ALTER TABLE hen ADD CONSTRAINT f2 FOREIGN KEY (egg) REFERENCES egg (id) ON DELETE SET NULL",
    "INSERT INTO `50% of``f` (`a``b %s`, hidden, b, t)"
    " VALUES (3, 9, x'00ff27', '%s ''x'' `y` \\\\ {}'), (4, 8, NULL, NULL)",
    "INSERT INTO hen VALUES (1, NULL)",
    "INSERT INTO egg VALUES (1, 1)",
    "UPDATE hen SET egg = 1",
    "ALTER TABLE `50% of``f` AUTO_INCREMENT = 500",
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "INSERT INTO `50% of``f` (id, `a``b %s`) VALUES (0, 12)",
    "SET sql_mode = ''",
    "CREATE TABLE old (day DATE)",
    "INSERT INTO old VALUES ('0000-00-00')",
    "SET check_constraint_checks = 0",
    "INSERT INTO `50% of``f` (id, `a``b %s`) VALUES (3, -1)",
    "SET foreign_key_checks = 0",
    "INSERT INTO egg VALUES (7, 99)",
)


def test_tables_of_every_sort_in_mariadb(manage: Runner, mariadb_database: Database) -> None:
    manage.ok("migrate")
    with mariadb_database.connect() as connection:
        for statement in ODD_TABLES:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
        connection.commit()
    names = ("50% of``f", "hen", "egg", "old")

    def state() -> list[object]:
        with mariadb_database.connect() as connection:
            return [
                connection.exec_driver_sql(f"{ask} `{name}`", execution_options={"no_parameters": True}).all()
                for name in names
                for ask in ("SELECT * FROM", "SHOW CREATE TABLE")
            ] + [mariadb_database.rows("SELECT id, hidden, doubled, kept FROM `50% of``f` ORDER BY id")]

    before = state()
    manage.ok("snapshot", "good")
    mariadb_database.execute("SET foreign_key_checks = 0", "DELETE FROM hen", "DELETE FROM egg", "DROP TABLE old")

    name = undo(manage.ok("restore", "good", "--no-input"))

    assert state() == before
    assert "AUTO_INCREMENT=500" in str(before)
    with pytest.raises(sa.exc.IntegrityError):
        mariadb_database.execute("INSERT INTO egg VALUES (8, 98)")
    mariadb_database.execute("DELETE FROM egg WHERE id = 1")
    assert mariadb_database.value("SELECT egg FROM hen") is None
    manage.ok("restore", name, "--no-input")
    assert mariadb_database.count("egg") == 0
    manage.ok("restore", "good", "--no-input")
    assert state() == before


MADE_BESIDE_TABLES = (
    "CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 2",
    "CREATE TABLE ticket (id INT PRIMARY KEY DEFAULT NEXTVAL(numbers), said VARCHAR(40), seen INT)",
    "CREATE FUNCTION plus(x INT) RETURNS INT DETERMINISTIC RETURN x + 1",
    "CREATE PROCEDURE said(word VARCHAR(9)) BEGIN SELECT 'é`%s' \\G; END".replace(" \\G", ""),
    "CREATE VIEW zz AS SELECT id, plus(grade) AS next, '50% é' AS word FROM students",
    "CREATE VIEW aa AS SELECT next FROM zz",
    "CREATE TRIGGER `t2` BEFORE INSERT ON `ticket` FOR EACH ROW SET NEW.seen = 1",
    "CREATE TRIGGER `t 1` BEFORE INSERT ON `ticket` FOR EACH ROW SET NEW.seen = NEW.seen + 1",
    "CREATE EVENT yearly ON SCHEDULE EVERY 1 YEAR ENABLE DO DELETE FROM ticket",
)
KINDS_BESIDE_TABLES = {
    "VIEW": "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()",
    "TRIGGER": "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    "EVENT": "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE()",
    **{
        kind: "SELECT routine_name FROM information_schema.routines"
        f" WHERE routine_schema = DATABASE() AND routine_type = '{kind}'"
        for kind in ("FUNCTION", "PROCEDURE")
    },
    "SEQUENCE": "SELECT table_name FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_type = 'SEQUENCE'",
}
GONE_BESIDE_TABLES = (
    "DROP VIEW aa",
    "DROP TRIGGER `t 1`",
    "DROP FUNCTION plus",
    "DROP EVENT yearly",
    "CREATE OR REPLACE VIEW zz AS SELECT 1 AS one",
    "CREATE PROCEDURE other() SELECT 1",
    "CREATE TRIGGER `late` AFTER INSERT ON `students` FOR EACH ROW SET @x = 1",
)


def beside_tables(database: Database) -> list[object]:
    """Return what makes each view, routine, trigger and event of a MariaDB database, and how its sequences stand."""
    with database.connect() as connection:

        def ask(query: str) -> list[sa.Row[Any]]:
            return list(connection.exec_driver_sql(query, execution_options={"no_parameters": True}).all())

        found: list[object] = []
        for kind, query in KINDS_BESIDE_TABLES.items():
            for (name,) in ask(f"{query} ORDER BY 1"):
                shown = ask(f"SELECT * FROM `{name}`" if kind == "SEQUENCE" else f"SHOW CREATE {kind} `{name}`")
                found.append((kind, name, [cell for row in shown for cell in row if not isinstance(cell, datetime)]))
        return found


@pytest.fixture
def furnished(manage: Runner, mariadb_database: Database) -> Database:
    """A MariaDB database with something of every kind beside its tables."""
    manage.ok("migrate")
    manage.ok("seed", "--count", "5")
    mariadb_database.execute(*MADE_BESIDE_TABLES, "INSERT INTO ticket (said) VALUES ('one'), ('two')")
    return mariadb_database


def test_what_is_no_table_comes_back_in_mariadb(manage: Runner, furnished: Database) -> None:
    before, rows = beside_tables(furnished), furnished.rows("SELECT * FROM ticket")
    manage.ok("snapshot", "good")
    furnished.execute(*GONE_BESIDE_TABLES, "INSERT INTO ticket (said) VALUES ('three')")
    changed = beside_tables(furnished)

    name = undo(manage.ok("restore", "good", "--no-input"))

    assert beside_tables(furnished) == before
    assert furnished.rows("SELECT * FROM ticket") == rows
    assert furnished.count("aa") == 5
    furnished.execute("INSERT INTO ticket (said) VALUES ('four')")
    assert furnished.value("SELECT seen FROM ticket WHERE said = 'four'") == 2
    manage.ok("restore", name, "--no-input")
    assert beside_tables(furnished) == changed
    assert furnished.count("ticket") == 3
    manage.ok("restore", "good", "--no-input")
    assert beside_tables(furnished) == before


def test_with_something_beside_its_tables_a_database_is_seen_to_be_unchanged(
    manage: Runner, furnished: Database
) -> None:
    manage.ok("snapshot", "good")

    assert "To undo" not in manage.ok("restore", "good", "--no-input").out
    furnished.execute("DROP TRIGGER t2")
    undo(manage.ok("restore", "good", "--no-input"))


def test_the_letters_of_tables_to_come_are_brought_back_in_mariadb(manage: Runner, mariadb_database: Database) -> None:
    def letters() -> object:
        return mariadb_database.value("SELECT concat(@@character_set_database, ' ', @@collation_database)")

    manage.ok("reset")
    manage.ok("snapshot", "good")
    before = letters()
    administrate(server_address("mariadb"), f"ALTER DATABASE {mariadb_database.name} CHARACTER SET latin1")
    changed = letters()

    reset = manage.ok("reset", "--no-input")
    kept = letters()
    put_in_ada(mariadb_database)
    restored = manage.ok("restore", "good", "--no-input")
    brought_back = letters()
    manage.ok("restore", undo(restored), "--no-input")

    assert how(reset) == "Rebuilt", "what is kept has other letters"
    assert (kept, brought_back, letters()) == (changed, before, changed)


def test_a_crash_amid_a_restore_is_mended_by_the_next_command_in_mariadb(
    house: House, manage: Runner, furnished: Database, tmp_path: Path
) -> None:
    """A trigger keeps its table from being renamed to another database: it is dropped before, and made after."""
    install_points(house)
    good = beside_tables(furnished), everything(furnished)
    manage.ok("snapshot", "good")
    furnished.execute(*GONE_BESIDE_TABLES, "INSERT INTO ticket (said) VALUES ('three')")
    changed = beside_tables(furnished), everything(furnished)
    manage.ok("snapshot", "changed")
    was_half_done = False
    reached = tmp_path / "reached"

    for number in (84, 90, 96, 106):
        fault = {"FAULT": "kill", "FAULT_AT": str(number), "FAULT_SIGN": str(reached)}
        assert manage("restore", "good", "--no-input", env=fault).code == -signal.SIGKILL
        if beside_tables(furnished) not in (good[0], changed[0]):
            was_half_done = True
            assert "database.E003: " in manage("check").expect(1).out
            assert " that had been cut off" in manage("migrate").expect(0).err
        manage.ok("migrate")

        assert (beside_tables(furnished), everything(furnished)) in (good, changed)
        manage.ok("restore", "changed", "--no-input")
    assert was_half_done


def test_a_bar_shows_how_far_a_long_copy_is_in_mariadb(
    manage: Runner, terminal: OpenTerminal, mariadb_database: Database
) -> None:
    manage.ok("migrate")
    keys = ", ".join(f"w{number} CHAR(36) DEFAULT (UUID()), KEY (w{number})" for number in range(3))
    mariadb_database.execute(
        f"CREATE TABLE many (id INT PRIMARY KEY, {keys})", "INSERT INTO many (id) SELECT seq FROM seq_1_to_700000"
    )

    shown = terminal("snapshot", "much").wait().expect(0)

    assert re.search(rf"copying {mariadb_database.name} .*[1-9][\d,]* of [\d,]+ rows", shown.out)
    assert "Saved " in shown.out


def test_sequences_that_are_gone_come_back_with_the_tables_that_use_them(
    manage: Runner, furnished: Database, tmp_path: Path
) -> None:
    manage.ok("snapshot", "good")
    furnished.execute("DROP TABLE ticket", "DROP SEQUENCE numbers")

    manage.ok("restore", "good", "--no-input")

    furnished.execute("INSERT INTO ticket (said) VALUES ('three')")
    assert furnished.count("ticket") == 3
    assert f"nextval(`{furnished.name}`.`numbers`)" in furnished.rows("SHOW CREATE TABLE ticket")[0][1]
    with fresh("mariadb", tmp_path) as other:
        env = {"DATABASE_URL": other.url}
        manage.ok("restore", "good", "--from", furnished.name, "--no-input", env=env)
        assert f"nextval(`{other.name}`.`numbers`)" in other.rows("SHOW CREATE TABLE ticket")[0][1]


def test_a_key_of_another_database_is_named(manage: Runner, furnished: Database, tmp_path: Path) -> None:
    with fresh("mariadb", tmp_path) as other:
        other.execute(f"CREATE TABLE child (s INT, FOREIGN KEY (s) REFERENCES {furnished.name}.subjects (id))")
        manage.ok("snapshot", "good")
        furnished.execute("DELETE FROM enrollments")

        line = manage("restore", "good", "--no-input").expect(1).err.splitlines()[-1]

        assert line.startswith(
            f"manage.py: a foreign key of {other.name}.child refers to subjects, and would go on referring"
        )
        assert furnished.count("enrollments") == 0


def test_what_was_made_by_a_client_of_another_character_set_keeps_it(manage: Runner, furnished: Database) -> None:
    query = "SELECT character_set_name, collation_name FROM information_schema.columns WHERE table_name = 'latin'"
    query += " AND table_schema = DATABASE()"
    with furnished.connect() as connection:
        connection.exec_driver_sql("SET NAMES latin1")
        connection.exec_driver_sql("CREATE VIEW latin AS SELECT 'abc' AS c")
    before = furnished.rows(query)
    manage.ok("snapshot", "good")
    furnished.execute("DROP VIEW latin")

    manage.ok("restore", "good", "--no-input")

    assert before[0][0] == "latin1"
    assert furnished.rows(query) == before


def test_a_view_that_does_not_work_is_named_in_mariadb(manage: Runner, furnished: Database) -> None:
    before = furnished.rows("SELECT * FROM aa")
    manage.ok("snapshot", "good")
    furnished.execute("DROP VIEW zz")
    put_in_ada(furnished)

    saved = manage.ok("snapshot", "bad").err
    told = undo(manage.ok("restore", "good", "--no-input"))

    assert "The view aa refers to what is not there any more, and is not in the snapshot.\n" in saved
    assert furnished.rows("SELECT * FROM aa") == before
    there = adas(furnished)
    manage.ok("restore", told, "--no-input")
    assert (there, adas(furnished)) == (0, 1)


def test_the_history_of_a_table_is_named_and_the_rest_works_in_mariadb(
    manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("migrate")
    mariadb_database.execute("CREATE TABLE thing (id INT) WITH SYSTEM VERSIONING")

    line = manage("snapshot").refusal()

    assert line == (
        f"{mariadb_database.name} has the system versioned table thing, which cannot go into a snapshot"
        f" — mariadb-dump {mariadb_database.name} saves it"
    )
    put_in_ada(mariadb_database)
    mariadb_database.execute(
        "INSERT INTO enrollments (student_id, subject_id, enrolled_on)"
        " SELECT max(s.id), max(u.id), '2026-09-01' FROM students s, subjects u"
    )
    back = manage.ok("rollback", "--no-input")
    reset = manage.ok("reset", "--no-input", "--drop-unknown")
    for result in (back, reset):
        assert f"No snapshot brings back what was there: {line.partition(' — ')[0]}." in result.out
    assert how(reset) == "Rebuilt"


def test_a_user_of_one_database_only_is_told_what_to_grant_and_works_without(
    manage: Runner, mariadb_database: Database
) -> None:
    server, name = server_address("mariadb"), mariadb_database.name
    user = f"u_{name[-12:]}"
    env = {"DATABASE_URL": mariadb_database.url.replace("root@", f"{user}@")}
    administrate(server, f"CREATE USER '{user}'@'%'")
    administrate(server, f"CREATE USER '{user}'@'localhost'")
    try:
        for host in ("%", "localhost"):
            administrate(server, f"GRANT ALL ON `{name}`.* TO '{user}'@'{host}'")
        reset = manage.ok("reset", env=env)
        put_in_ada(mariadb_database)
        line = manage("snapshot", env=env).refusal()
        asked = manage("seed", "--fresh", env=env).expect(1)
        back = manage.ok("seed", "--fresh", "--no-input", env=env)
        again = manage.ok("reset", "--no-input", env=env)
        granted = rf"GRANT ALL ON `manag%\_snapshot\_%`.* TO '{user}'"
        for host in ("%", "localhost"):
            administrate(server, f"{granted}@'{host}'")
        allowed = manage.ok("reset", "--no-input", env=env)
        put_in_ada(mariadb_database)
        restored = manage.ok("reset", "--no-input", env=env)

        assert f"MariaDB does not let user '{user}' make the database {name[:16]}" in line
        for one in (line, reset.err.splitlines()[-1], again.err.splitlines()[-1]):
            assert granted in one
        for result in (back, again):
            assert f"No snapshot brings back what was there: MariaDB does not let user '{user}' " in result.out
        assert f"No snapshot brings back what was there: MariaDB does not let user '{user}' " in asked.err
        assert [how(one) for one in (reset, again, allowed, restored)] == ["Rebuilt"] * 3 + ["Restored"]
    finally:
        for host in ("%", "localhost"):
            administrate(server, f"DROP USER '{user}'@'{host}'")


def test_a_transaction_that_is_open_is_waited_for_and_named_in_mariadb(
    manage: Runner, mariadb_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(mariadb_database)
    with mariadb_database.connect() as busy:
        number = busy.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
        busy.exec_driver_sql("DELETE FROM subjects WHERE id = 1")

        line = manage("restore", "good", "--no-input", "--lock-timeout", "1").expect(1).err.splitlines()[-1]
        left = mariadb_database.rows(f"SHOW DATABASES LIKE '{mariadb_database.name}\\_snapshot\\_%'")
        waiting = manage.start("restore", "good", "--no-input")
        waiting.wait_for(f"waiting for session {number} of root")
        busy.commit()
        result = waiting.wait().expect(0)

    assert f"session {number} of root" in line
    assert left == [(f"{mariadb_database.name}_snapshot_good",)]
    assert (adas(mariadb_database), mariadb_database.count("subjects")) == (0, 14)
    manage.ok("restore", undo(Result(0, result.out, "")), "--no-input")
    assert (adas(mariadb_database), mariadb_database.count("subjects")) == (1, 13)


# Others at the same time


def test_many_resets_at_once_all_end_right(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(database)

    number = 3 if database.kind == "mariadb" else 8
    running = [manage.start("reset", "--no-input", "--count", "20") for _ in range(number)]
    results = [one.wait() for one in running]

    assert [one.code for one in results] == [0] * number, "\n".join(map(str, results))
    assert sorted({how(one) for one in results}) in (["Nothing", "Rebuilt"], ["Rebuilt", "Restored"])
    expect_fresh(house, database, students=20)
    assert sorted(one["kind"] for one in kept(manage, database)) == ["before", "reset"]


def test_migrating_and_seeding_while_others_reset(house: House, manage: Runner, postgresql_database: Database) -> None:
    manage.ok("reset", "--count", "20")
    commands = [("reset", "--no-input", "--count", "20"), ("migrate",), ("snapshot",), ("snapshots",)]

    running = [manage.start(*command) for command in commands * 2]
    results = [one.wait() for one in running]

    assert [one.code for one in results] == [0] * 8, "\n".join(map(str, results))
    expect_fresh(house, postgresql_database, students=20)


# What is said before a loss, and what outlives the next ones


def test_steps_back_do_not_push_out_what_a_reset_has_saved(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("reset", "--no-input")
    put_in_ada(sqlite_database)
    saved = undo(manage.ok("reset", "--no-input"))

    for number in range(4):
        manage.ok("seed", "students", "--add", "1")
        sqlite_database.execute(f"UPDATE students SET name = 'N{number}'")
        manage.ok("rollback", "--no-input")
        manage.ok("migrate")
        manage.ok("seed", "-v", "0")

    there = names(manage, sqlite_database)
    assert saved in there
    assert sum(one.startswith("before-downgrade-") for one in there) == 3


@pytest.mark.parametrize("command", LOSES.values(), ids=" ".join)
def test_that_nothing_will_bring_it_back_is_said_with_the_question(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    manage.ok("reset", "--no-input")
    manage.ok("snapshot", "good")
    put_in_ada(sqlite_database)

    asked = terminal(*[one for one in command if one != "--no-input"], env={"SNAPSHOTS_KEPT": "0"})
    shown = asked.read_until("to go on: ")
    asked.type("no")

    assert "No snapshot brings back what was there: SNAPSHOTS_KEPT is 0." in shown
    assert asked.wait().code == 1


def test_a_snapshot_at_a_revision_that_no_file_has_says_so(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    file = house.add_revision("aaa111", MAKES, DROPS)
    manage.ok("migrate")
    manage.ok("snapshot", "ahead")
    manage.ok("rollback", "--no-input")
    house.remove(str(file.relative_to(house.root)))

    result = manage.ok("restore", "ahead", "--no-input")

    assert "The snapshot is at revision aaa111, which no file in migrations/versions has." in result.err
    assert "Next: python manage.py migrate" not in result.out


def test_a_copy_that_takes_no_place_is_closed_to_whom_its_database_is_closed_and_goes(
    manage: Runner, terminal: OpenTerminal, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(postgresql_database)
    administrate(server_address("postgresql"), f"REVOKE CONNECT ON DATABASE {postgresql_database.name} FROM PUBLIC")
    making = f"{postgresql_database.name}_snapshot_~making"

    with postgresql_database.connect() as busy:
        busy.exec_driver_sql("CREATE TABLE begun (id int)")
        screen = terminal("restore", "good", "--no-input", "--lock-timeout", "5")
        screen.read_until("waiting for session")
        closed = postgresql_database.rows("SELECT datallowconn FROM pg_database WHERE datname = :name", name=making)
        ended = screen.wait()

    assert closed == [(False,)]
    assert ended.code == 1
    assert making not in snapshots_of(postgresql_database.address, postgresql_database.name)


def test_a_database_that_is_a_template_stays_one_and_keeps_nothing_from_going(
    manage: Runner, postgresql_database: Database
) -> None:
    name, one = postgresql_database.name, {"SNAPSHOTS_KEPT": "1"}
    templates = "SELECT datname FROM pg_database WHERE datistemplate AND datname LIKE :like"
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    administrate(server_address("postgresql"), f"ALTER DATABASE {name} IS_TEMPLATE true")
    administrate(server_address("postgresql"), f'ALTER DATABASE "{name}_snapshot_good" IS_TEMPLATE true')
    try:
        for env in (one, one, {"SNAPSHOTS_KEPT": "0"}):
            put_in_ada(postgresql_database)
            manage.ok("restore", "good", "--no-input", env=env)
            assert adas(postgresql_database) == 0
        manage.ok("snapshots", "--delete", "good")

        settle(postgresql_database.address, name)
        assert postgresql_database.rows(templates, like=f"{name}%") == [(name,)]
    finally:
        administrate(server_address("postgresql"), f"ALTER DATABASE {name} IS_TEMPLATE false")


@pytest.mark.parametrize(
    ("given", "kept_as"), [("''", '""'), ("'a b', \"$user\", 'we\"ird'", '"a b", "$user", "we""ird"')]
)
def test_a_list_of_names_stays_as_it_is_set(
    manage: Runner, postgresql_database: Database, given: str, kept_as: str
) -> None:
    name = postgresql_database.name
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    put_in_ada(postgresql_database)
    administrate(server_address("postgresql"), f"ALTER ROLE postgres IN DATABASE {name} SET temp_tablespaces TO ''")
    administrate(server_address("postgresql"), f"ALTER DATABASE {name} SET search_path TO {given}, public")

    manage.ok("restore", "good", "--no-input")

    set_to = postgresql_database.rows(
        "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        " WHERE datname = :name ORDER BY 1",
        name=name,
    )
    assert [one for (one,) in set_to] == [f"search_path={kept_as}, public", 'temp_tablespaces=""']


def test_who_locks_a_table_that_a_snapshot_copies_is_named_and_nothing_is_left(
    manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")

    with postgresql_database.connect() as busy:
        busy.exec_driver_sql("LOCK TABLE students")
        pid = busy.scalar(sa.text("SELECT pg_backend_pid()"))
        line = manage("snapshot", "late", "--lock-timeout", "1").refusal()

    assert f"session {pid} of" in line
    assert names(manage, postgresql_database) == []
    assert snapshots_of(postgresql_database.address, postgresql_database.name) == []


def test_whatever_somebody_made_counts_as_a_change(manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(postgresql_database)
    manage.ok("snapshot", "good")

    for number, made in enumerate(
        (
            "CREATE COLLATION c1 (locale = 'C')",
            "CREATE PUBLICATION p1",
            "CREATE CAST (text AS int) WITH INOUT",
            "CREATE TEXT SEARCH CONFIGURATION t1 (COPY = english)",
            "CREATE TEXT SEARCH DICTIONARY d1 (TEMPLATE = simple)",
            "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
        )
    ):
        postgresql_database.execute(made)
        told = manage.ok("restore", "good", "--no-input")
        assert undo(told).startswith("before-restore-"), made
        assert manage.ok("restore", "good", "--no-input").out.count("\n") == 1, number  # now it is gone


def test_what_is_no_change_counts_as_none(manage: Runner, postgresql_database: Database) -> None:
    postgresql_database.execute(
        'CREATE SCHEMA "App, x"',
        "CREATE SEQUENCE bigs",
        "SELECT setval('bigs', 9000000000000000000)",
    )
    administrate(
        server_address("postgresql"), f'ALTER DATABASE {postgresql_database.name} SET search_path TO "App, x", public'
    )
    manage.ok("migrate")
    put_in_ada(postgresql_database)
    postgresql_database.execute("CREATE MATERIALIZED VIEW later AS SELECT * FROM students WITH NO DATA")
    manage.ok("snapshot", "good")
    [about] = kept(manage, postgresql_database)
    postgresql_database.execute("CREATE TEMPORARY TABLE passing (id int)", "ANALYZE")

    told = manage.ok("restore", "good", "--no-input").out

    assert told.count("\n") == 1  # there is nothing to undo
    assert about["rows"] == {"enrollments": 0, "students": 1, "subjects": 14}
    assert "at head" in told
    postgresql_database.execute("SELECT nextval('bigs')")
    assert undo(manage.ok("restore", "good", "--no-input"))


def test_what_was_made_ready_for_another_role_is_left_alone(
    manage: Runner, postgresql_database: Database, role: str
) -> None:
    administrate(server_address("postgresql"), f"ALTER ROLE {role} CREATEDB")
    env = {"DATABASE_URL": postgresql_database.url.replace("postgres@", f"{role}@")}
    manage.ok("migrate", env=env)
    manage.ok("snapshot", "good", env=env)
    put_in_ada(postgresql_database)
    manage.ok("restore", "good", "--no-input")  # by a superuser, to whom belongs what is made ready
    settle(postgresql_database.address, postgresql_database.name)
    put_in_ada(postgresql_database)

    manage.ok("restore", "good", "--no-input", env=env)

    assert adas(postgresql_database) == 0
    manage.ok("snapshots", "--delete", "good", env=env)


def test_a_snapshot_is_changed_by_nobody_by_mistake(manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    put_in_ada(postgresql_database)
    manage.ok("snapshot", "good")
    put_in_ada(postgresql_database, 7001)
    before = undo(manage.ok("restore", "good", "--no-input"))

    for name in ("good", before):
        looked_into = at(postgresql_database, f"{postgresql_database.name}_snapshot_{name}")
        assert looked_into.count("students") >= 1
        with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
            looked_into.execute("DELETE FROM students")
    put_in_ada(postgresql_database, 7002)  # but the database itself is not


def test_an_owner_who_may_not_set_what_an_administrator_has_set_is_told_what_to_do(
    manage: Runner, postgresql_database: Database, role: str
) -> None:
    server = server_address("postgresql")
    administrate(server, f"ALTER ROLE {role} CREATEDB")
    env = {"DATABASE_URL": postgresql_database.url.replace("postgres@", f"{role}@")}
    manage.ok("migrate", env=env)
    manage.ok("snapshot", "good", env=env)
    put_in_ada(postgresql_database)
    administrate(server, f"ALTER DATABASE {postgresql_database.name} SET log_min_duration_statement = 5000")

    line = manage("restore", "good", "--no-input", env=env).expect(1).err.splitlines()[-1]

    assert "permission denied to set parameter" in line
    assert line.endswith(f"what one has set for {postgresql_database.name} (ALTER DATABASE ... RESET ALL)")
    assert not [one for one in snapshots_of(server, postgresql_database.name) if "~making" in one]


def test_a_snapshot_is_closed_to_whom_its_database_is_closed(manage: Runner, postgresql_database: Database) -> None:
    name = postgresql_database.name
    manage.ok("migrate")
    postgresql_database.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")

    manage.ok("snapshot", "closed")

    rights = "SELECT has_database_privilege('pg_monitor', CAST(:name AS text), 'CONNECT')"
    assert postgresql_database.value(rights, name=name) is False
    assert postgresql_database.value(rights, name=f"{name}_snapshot_closed") is False
