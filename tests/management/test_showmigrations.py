"""Showing the migrations: which there are, which are applied, and where the database is."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime
from typing import Any

from tests.databases import Database
from tests.houses import House, Runner

KINDS = ["schema", "schema", "schema", "data", "schema"]
MESSAGES = [
    "Empty Init",
    "Added Student model",
    "Added Subject model",
    "Put the subjects in",
    "Added Enrollment model",
]
MAKES = 'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True))'
HANGS = """\
import sys
import time
sys.stderr.write("half-way\\n")
sys.stderr.flush()
time.sleep(3600)
"""


def listed(manage: Runner) -> list[str]:
    """Return the lines between the header and the last one."""
    return manage.ok("showmigrations").out.splitlines()[1:-1]


def as_json(manage: Runner) -> dict[str, Any]:
    result = manage.ok("showmigrations", "--json")
    assert result.err == ""
    shown: dict[str, Any] = json.loads(result.out)
    return shown


# An empty database


def test_an_empty_database_lacks_every_revision_and_the_next_step_is_named(
    house: House, manage: Runner, database: Database
) -> None:
    result = manage.ok("showmigrations")

    header, *lines, end = result.out.splitlines()
    assert header.startswith(database.name)
    assert header.endswith(", development)")
    assert [line.split()[:3] for line in lines] == [["[", "]", revision] for revision in house.line()]
    assert end == "5 pending.   Next: python manage.py migrate"
    assert result.err == ""
    assert database.all_tables() == set()


def test_it_makes_no_sqlite_file(manage: Runner, sqlite_database: Database) -> None:
    file = sqlite_database.file
    assert file is not None
    before = sorted(file.parent.iterdir())

    manage.ok("showmigrations")
    manage.ok("showmigrations", "--json")

    assert [one for one in sorted(file.parent.iterdir()) if one not in before and one.name.startswith(file.stem)] == []
    assert not file.exists()


def test_an_empty_sqlite_file_stays_empty(manage: Runner, sqlite_database: Database) -> None:
    assert sqlite_database.file is not None
    sqlite_database.file.touch()

    assert manage.ok("showmigrations").out.endswith("5 pending.   Next: python manage.py migrate\n")

    assert sqlite_database.file.read_bytes() == b""


# The list


def test_each_revision_has_its_mark_its_message_its_kind_and_where_the_database_is(
    house: House, manage: Runner, database: Database
) -> None:
    manage.ok("migrate", "+2")

    *lines, end = manage.ok("showmigrations").out.splitlines()[1:]

    marks = [line.strip()[:3] for line in lines]
    assert marks == ["[X]", "[X]", "[ ]", "[ ]", "[ ]"]
    assert [line.strip()[3:].split()[0] for line in lines] == house.line()
    assert all(message in line for message, line in zip(MESSAGES, lines, strict=True))
    assert all(kind in line.split() for kind, line in zip(KINDS, lines, strict=True))
    assert ["<- the database" in line for line in lines] == [False, True, False, False, False]
    assert ["head" in line.split() for line in lines] == [False, False, False, False, True]
    assert end == "3 pending.   Next: python manage.py migrate"


def test_the_columns_of_the_list_are_aligned(manage: Runner, sqlite_database: Database) -> None:
    lines = listed(manage)

    for words in (MESSAGES, KINDS):
        assert len({line.rindex(word) for line, word in zip(lines, words, strict=True)}) == 1


def test_at_head_everything_is_applied(house: House, manage: Runner, migrated: Database) -> None:
    result = manage.ok("showmigrations")

    *lines, end = result.out.splitlines()[1:]
    assert all(line.startswith("  [X]  ") for line in lines)
    assert lines[-1].endswith("head <- the database")
    assert end == "All applied."
    assert result.err == ""


def test_the_list_is_a_result_and_is_shown_at_every_verbosity(manage: Runner, sqlite_database: Database) -> None:
    loud, quiet = manage.ok("showmigrations"), manage.ok("showmigrations", "-v", "0")

    assert loud.out == quiet.out
    assert quiet.err == ""


def test_it_waits_for_nobody_who_migrates(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    house.add_revision("aaa111", HANGS)
    running = manage.start("migrate")
    running.wait_for("half-way")

    lines = listed(manage)

    assert lines[-1].startswith("  [ ]  aaa111")
    assert lines[-2].endswith("<- the database")
    assert running.kill().code < 0


# JSON


def test_json_says_the_same_to_programs(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate", "+2")

    shown = as_json(manage)

    line = house.line()
    files = {revision: str(file.relative_to(house.root)) for revision, file in house.revisions().items()}
    assert shown["database"] == database.name + ("" if database.kind == "sqlite" else " on 127.0.0.1")
    assert shown["current"] == [line[1]]
    assert shown["heads"] == [line[-1]]
    for number, one in enumerate(shown["revisions"]):
        moment, seconds, who = one.pop("applied_at"), one.pop("seconds"), one.pop("applied_by")
        if number < 2:
            assert datetime.fromisoformat(moment) <= datetime.now(UTC)
            assert seconds > 0
            assert who.endswith(f"@{socket.gethostname()}")
        else:
            assert (moment, seconds, who) == (None, None, None)
    assert shown["revisions"] == [
        {"revision": revision, "message": message, "kind": kind, "applied": number < 2, "file": files[revision]}
        for number, (revision, message, kind) in enumerate(zip(line, MESSAGES, KINDS, strict=True))
    ]


def test_json_of_an_empty_database_is_at_nothing(house: House, manage: Runner, sqlite_database: Database) -> None:
    shown = as_json(manage)

    assert shown["current"] == []
    assert [one["applied"] for one in shown["revisions"]] == [False] * 5


# Histories that do not fit


def test_several_heads_are_all_marked(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    fork, newest = house.line()[-2:]
    house.add_revision("bbb111", MAKES, parent=fork)

    heads = [line for line in listed(manage) if "head" in line.split()]
    shown = as_json(manage)

    assert {line.split("]")[1].split()[0] for line in heads} == {newest, "bbb111"}
    assert sorted(shown["heads"]) == sorted([newest, "bbb111"])
    assert {one["revision"]: one["applied"] for one in shown["revisions"]}["bbb111"] is False


def test_with_two_heads_the_next_step_is_to_join_them(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.add_revision("bbb111", MAKES, parent=house.line()[-2])

    end = manage.ok("showmigrations").out.splitlines()[-1]

    assert "python manage.py makemigrations --merge" in end


def test_a_branch_that_is_applied_in_part_shows_which_part(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    fork, newest = house.line()[-2:]
    manage.ok("migrate", fork)
    house.add_revision("bbb111", MAKES, parent=fork)
    house.add_revision("ccc111", "pass", parent="bbb111")
    manage.ok("migrate", "bbb111")

    applied = {one["revision"] for one in as_json(manage)["revisions"] if one["applied"]}

    assert applied == {*house.revisions()} - {newest, "ccc111"}


def test_a_revision_that_only_the_database_knows_is_named(house: House, manage: Runner, database: Database) -> None:
    files = [house.add_revision("eee111", "pass"), house.add_revision("fff111", "pass")]
    manage.ok("migrate")
    for file in files:
        house.remove(str(file.relative_to(house.root)))
    house.add_revision("aaa111", "pass")

    result = manage.ok("showmigrations")
    shown = as_json(manage)

    *ours, pending, before, newest = result.out.splitlines()[1:9]
    who = f"by {shown['revisions'][0]['applied_by']}"
    assert all(line.startswith("  [X]  ") for line in ours)
    assert pending.split()[:3] == ["[", "]", "aaa111"]
    assert re.fullmatch(rf"  \[X\]  eee111 +By hand eee111 +lost +20.* s  {who}", before)
    assert re.fullmatch(rf"  \[X\]  fff111 +By hand fff111 +lost +20.* s  {who} <- the database", newest)
    assert f"{shown['database']} is at revision fff111 'By hand fff111' (applied 20" in result.out
    assert "), which no file in migrations/versions has.   Next: get that file" in result.out
    assert "All applied" not in result.out
    assert shown["current"] == ["fff111"]
    assert shown["heads"] == ["aaa111"]
    assert [one["applied"] for one in shown["revisions"]] == [*[True] * 5, False]
    assert [(one["revision"], one["message"]) for one in shown["lost"]] == [
        ("eee111", "By hand eee111"),
        ("fff111", "By hand fff111"),
    ]
    assert all(one["applied_at"] and one["applied_by"] for one in [*shown["lost"], *shown["revisions"][:5]])


def test_without_a_history_nothing_tells_what_was_applied_before_such_a_revision(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate", "+3")
    sqlite_database.execute("DROP TABLE migration_history", "UPDATE alembic_version SET version_num = 'fff111'")

    *ours, lost, _ = manage.ok("showmigrations").out.splitlines()[1:]
    shown = as_json(manage)

    assert [line.split()[0] for line in ours] == ["[?]"] * 5
    assert " ".join(lost.split()) == "[X] fff111 nothing is recorded of it lost <- the database"
    assert [one["applied"] for one in shown["revisions"]] == [None] * 5
    assert [(one["revision"], one["message"], one["applied_at"]) for one in shown["lost"]] == [("fff111", None, None)]


def test_a_project_without_any_revision_has_none_to_show(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    for file in house.revisions().values():
        house.remove(str(file.relative_to(house.root)))

    header, *lines = manage.ok("showmigrations").out.splitlines()
    shown = as_json(manage)

    assert header.startswith(sqlite_database.name)
    assert not any("[" in line for line in lines)
    assert shown["revisions"] == shown["heads"] == shown["current"] == []


def test_a_message_is_shown_and_never_obeyed(house: House, manage: Runner, sqlite_database: Database) -> None:
    file = house.add_revision("aaa111", "pass")
    text = file.read_text(encoding="utf-8")
    house.write(
        str(file.relative_to(house.root)),
        text.replace("By hand aaa111", "Zoë\\x1b[2J 学生\n\n    Revises: nothing"),
    )

    line = listed(manage)[-1]
    shown = as_json(manage)

    assert "Zoë\\x1b[2J 学生" in line
    assert "\x1b" not in line
    assert shown["revisions"][-1]["message"] == "Zoë\x1b[2J 学生"


def test_a_long_message_is_shown_short(house: House, manage: Runner, sqlite_database: Database) -> None:
    message = "Added " + "word " * 1000
    manage.ok("makemigrations", "--empty", "-m", message)

    lines = [*listed(manage), *manage.ok("migrate").out.splitlines()]

    assert max(map(len, lines)) < 160
    assert as_json(manage)["revisions"][-1]["message"] == message.strip()


def test_json_is_written_to_any_terminal(house: House, manage: Runner, sqlite_database: Database) -> None:
    file = house.add_revision("aaa111", "pass")
    house.change(str(file.relative_to(house.root)), "By hand aaa111", "Zoë\\x9b2J\\udce9")

    shown = manage.ok("showmigrations", "--json", env={"PYTHONIOENCODING": "ascii"}).out

    assert shown.isascii()
    assert json.loads(shown)["revisions"][-1]["message"] == "Zoë\x9b2J\udce9"


def test_a_revision_without_a_message_is_shown_all_the_same(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    file = house.add_revision("aaa111", "pass")
    text = file.read_text(encoding="utf-8")
    house.write(str(file.relative_to(house.root)), text.partition("\n")[2])

    assert listed(manage)[-1].split()[2:6] == ["aaa111", "no", "message", "schema"]


# What is not as it should be


def test_a_revision_that_was_never_finished_is_said(house: House, manage: Runner, mariadb_database: Database) -> None:
    house.add_revision("bad111", f'{MAKES}\nop.execute("INSERT INTO a_table_nobody_made (id) VALUES (1)")')
    manage("migrate").expect(1)

    end = manage.ok("showmigrations").out.splitlines()[-1]

    assert end.startswith("Revision bad111 was begun and never finished.")
    assert "python manage.py migrate says how to go on" in end
    assert as_json(manage)["unfinished"] == "bad111"


def test_two_revisions_of_one_line_are_said(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    first, *_, last = house.line()
    database.execute(f"INSERT INTO alembic_version (version_num) VALUES ('{first}')")

    end = manage.ok("showmigrations").out.splitlines()[-1]

    assert end.startswith(f"The database records 2 revisions at once: {', '.join(sorted([first, last]))}.")
    assert "python manage.py migrate --fake REVISION" in end
