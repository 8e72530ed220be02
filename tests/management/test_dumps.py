"""Snapshots of a role that can make no databases: dumps, put back in one transaction, whoever ends what."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import Database, administrate, fresh, server_address, snapshots_of
from tests.houses import House, Runner
from tests.management.test_snapshots import undo
from tests.processes import Running

PASSWORD = "no-word-to-be-seen"  # the server asks for none
OBJECTS = (
    "CREATE SCHEMA school",
    "COMMENT ON SCHEMA school IS 'where it is'",
    "CREATE TYPE mood AS ENUM ('glad', 'sad')",
    "CREATE DOMAIN school.mark AS int CHECK (value BETWEEN 1 AND 6)",
    "CREATE FUNCTION twice(number int) RETURNS int LANGUAGE sql AS 'SELECT number * 2'",
    "CREATE PROCEDURE school.rest() LANGUAGE sql AS ''",
    "CREATE AGGREGATE school.added(int) (SFUNC = int4pl, STYPE = int)",
    "CREATE TABLE school.notes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood NOT NULL,"
    " mark school.mark, student_id int REFERENCES students ON DELETE CASCADE)",
    "COMMENT ON COLUMN school.notes.mood IS 'it''s how 100% feel;\nnext line'",
    "CREATE INDEX by_mood ON school.notes (mood) WHERE mark > twice(1)",
    "CREATE STATISTICS school.both ON mood, mark FROM school.notes",
    "INSERT INTO school.notes (mood, mark, student_id) SELECT 'sad', 3, id FROM students WHERE id < 9",
    "SELECT nextval('students_id_seq'), setval('school.notes_id_seq', 77)",
    "CREATE VIEW glad AS SELECT * FROM school.notes WHERE mood = 'glad'",
    "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM glad",
    'CREATE TABLE "it\'s a ""table""" (line text)',
    'INSERT INTO "it\'s a ""table""" VALUES'
    " (E'--\\n'), ('COMMENT ON EXTENSION plpgsql IS ''x'';'), ('\\.'), (NULL)",
    "SELECT lo_create(4711)",
)
CHANGES = (
    "DROP VIEW glad CASCADE",
    "ALTER TYPE mood ADD VALUE 'bored'",
    "DELETE FROM students WHERE id < 5",
    "ALTER TABLE students DROP COLUMN grade",
    "CREATE SCHEMA later",
    "CREATE TABLE later.more (id serial PRIMARY KEY, student_id int REFERENCES students)",
    "CREATE FUNCTION once(number int) RETURNS int LANGUAGE sql AS 'SELECT number'",
    "CREATE TYPE later.pair AS (a int, b int)",
    "SELECT setval('students_id_seq', 9999)",
    "COMMENT ON TABLE students IS 'changed'",
)


@pytest.fixture
def role() -> Iterator[str]:
    """A role that may log in and nothing else."""
    name = f"h_{uuid.uuid4().hex[:8]}"
    server = server_address("postgresql")
    administrate(server, f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    administrate(server, f"DROP ROLE {name}")


@pytest.fixture
def owned(role: str, tmp_path: Path) -> Iterator[Database]:
    """A database that belongs to that role, as it sees it."""
    if not shutil.which("pg_dump"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("pg_dump is not installed")
    with fresh("postgresql", tmp_path) as made:
        administrate(made.address, f"ALTER DATABASE {made.name} OWNER TO {role}")
        yield Database("postgresql", made.name, made.address.set(username=role, password=PASSWORD))


@pytest.fixture
def manage(house: House, owned: Database) -> Runner:
    return Runner(house, owned.url)


@pytest.fixture
def by_superuser(owned: Database) -> Database:
    """The same database as the server's superuser sees it."""
    address = server_address("postgresql").set(database=owned.name)
    return Database("postgresql", owned.name, address)


def contents(database: Database) -> str:
    """Return all there is, as pg_dump writes it."""
    url = database.address.set(drivername="postgresql").render_as_string(hide_password=False)
    program = str(shutil.which("pg_dump"))
    done = subprocess.run([program, "--dbname", url], capture_output=True, text=True, check=True)
    # What keeps a dump from running programs has a word that is another one each time.
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def but_for_times(dumped: str) -> str:
    """Return a dump without the moments and seconds of the steps that built it."""
    return re.sub(r"\t20\d\d-[\d-]+ [\d:.]+\t[\d.e-]+\t", "\t", dumped)


def put_in_path(folder: Path, name: str, script: str) -> dict[str, str]:
    """Return an environment in which a program is a script of the test's own."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def dumps(house: House) -> list[Path]:
    return sorted(house.root.glob(".snapshots/*/*/dump.sql"))


def test_everything_comes_back_from_a_dump(manage: Runner, owned: Database, house: House) -> None:
    manage.ok("reset", "--no-input", "--count", "50")
    with owned.connect() as connection:
        for statement in OBJECTS:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.commit()
    before = contents(owned)
    manage.ok("snapshot", "one")
    owned.execute(*CHANGES)
    changed = contents(owned)

    with owned.connect() as beside:
        beside.execute(sa.text("SELECT count(*) FROM students"))
        beside.rollback()
        said = manage.ok("restore", "one", "--no-input")
        beside.execute(sa.text("SELECT count(*) FROM students"))  # it stayed connected

    assert contents(owned) == before
    assert "is as in snapshot one: 126 rows, at head" in said.out
    manage.ok("restore", undo(said), "--no-input")
    assert contents(owned) == changed
    assert {one.stat().st_mode & 0o77 for file in dumps(house) for one in (file.parent, file.parent.parent)} == {0}
    assert not list(house.root.glob(".snapshots/*/.making-*"))


def test_a_reset_puts_back_the_dump_of_the_one_before(manage: Runner, owned: Database) -> None:
    manage.ok("reset", "--no-input")
    built = contents(owned)
    owned.execute("DELETE FROM enrollments", "CREATE VIEW more AS SELECT 1 AS one", "DROP VIEW more")

    said = manage.ok("reset", "--no-input")

    assert "Restored from snapshot reset-" in said.out
    assert contents(owned) == built
    assert "To undo it: python manage.py restore before-reset-" in said.out
    manage.ok("restore", "--no-input")
    assert (owned.count("enrollments"), owned.count("students")) == (0, 100)
    manage.ok("reset", "--no-input", "--rebuild")
    assert but_for_times(contents(owned)) == but_for_times(built)


def test_a_dump_of_what_nobody_has_changed_is_not_kept(manage: Runner, owned: Database) -> None:
    manage.ok("reset")
    owned.execute("DELETE FROM enrollments")
    told = manage.ok("reset", "--no-input").out.splitlines()[-1]

    again = [manage.ok(*command, "--no-input").out for command in (("reset",), ("reset", "--rebuild"))]

    name = told.removeprefix("To undo it: python manage.py restore ")
    assert [re.findall(r"To undo it: .* (\w+-)", words) for words in again] == [[], ["reset-"]]
    manage.ok("restore", name, "--no-input")
    assert owned.count("enrollments") == 0


def test_a_rollback_is_undone_by_a_dump(manage: Runner, owned: Database) -> None:
    manage.ok("reset", "--no-input")
    owned.execute("UPDATE students SET grade = 1")
    before = contents(owned)

    said = manage.ok("rollback", "--no-input")

    assert "enrollments" not in owned.tables()
    name = said.out.rpartition("To undo it: python manage.py restore ")[2].strip()
    manage.ok("restore", name, "--no-input")
    assert contents(owned) == before


def test_what_to_grant_is_told_with_the_first_dump(manage: Runner, owned: Database, role: str) -> None:
    manage.ok("migrate")

    first, second = manage.ok("snapshot", "one"), manage.ok("snapshot", "two")

    assert f"does not let user '{role}' copy a database" in first.err
    assert f'For faster ones: ALTER ROLE "{role}" CREATEDB\n' in first.err
    assert second.err == ""


def test_dumps_stay_when_the_role_may_make_databases(
    manage: Runner, owned: Database, by_superuser: Database, role: str, house: House
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "dumped")
    owned.execute("DELETE FROM subjects")
    administrate(by_superuser.address, f"ALTER ROLE {role} CREATEDB")
    manage.ok("snapshot", "copied")

    assert len(dumps(house)) == 1
    assert any(one.endswith("_snapshot_copied") for one in snapshots_of(by_superuser.address, owned.name))
    manage.ok("restore", "dumped", "--no-input")
    assert owned.count("subjects") == 14
    manage.ok("restore", "copied", "--no-input")
    assert owned.count("subjects") == 0
    assert manage("snapshot", "dumped").refusal().startswith("there is a snapshot dumped already")
    manage.ok("snapshots", "--keep", "0")
    assert dumps(house) == []
    assert snapshots_of(by_superuser.address, owned.name) == []


def test_what_cannot_all_be_read_can_be_kept_all_the_same(
    manage: Runner, owned: Database, by_superuser: Database, role: str
) -> None:
    administrate(by_superuser.address, f"ALTER ROLE {role} CREATEDB")
    manage.ok("migrate")
    manage.ok("snapshot", "good")
    by_superuser.execute("CREATE SEQUENCE theirs")
    owned.execute("DELETE FROM subjects WHERE id = 3")

    told = manage.ok("restore", "good", "--no-input").out.splitlines()[-1]
    assert owned.count("subjects") == 14
    manage.ok("restore", told.split()[-1], "--no-input")

    assert owned.count("subjects") == 13


def test_rows_that_a_policy_hides_are_no_reason_to_say_that_nothing_has_changed(
    manage: Runner, owned: Database, by_superuser: Database, role: str
) -> None:
    administrate(by_superuser.address, f"ALTER ROLE {role} CREATEDB")
    manage.ok("migrate")
    manage.ok("seed", "students", "--count", "30")
    owned.execute(
        "ALTER TABLE students ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE students FORCE ROW LEVEL SECURITY",
        "CREATE POLICY few ON students USING (id < 10)",
    )
    manage.ok("snapshot", "good")
    by_superuser.execute("UPDATE students SET name = 'An afternoon of work' WHERE id > 20")

    told = manage.ok("restore", "good", "--no-input").out.splitlines()[-1]
    restored = by_superuser.count("students WHERE name = 'An afternoon of work'")
    manage.ok("restore", told.split()[-1], "--no-input")

    assert restored == 0
    assert by_superuser.count("students WHERE name = 'An afternoon of work'") == 10


def test_nobody_may_do_more_after_a_restore_than_when_it_was_saved(manage: Runner, owned: Database) -> None:
    rights = "SELECT defaclnamespace > 0, defaclobjtype, CAST(defaclacl AS text) FROM pg_default_acl ORDER BY 1, 2"
    of_tables = (
        "SELECT relname, CAST(relacl AS text) FROM pg_class WHERE relkind = 'r' AND relname !~ '^pg_' ORDER BY 1"
    )
    manage.ok("migrate")
    owned.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO public")
    before = [owned.rows(rights), owned.rows(of_tables)]
    manage.ok("snapshot", "good")
    owned.execute(
        "DELETE FROM subjects",
        "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO public",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO public",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM public",
        "ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM public",
    )

    manage.ok("restore", "good", "--no-input")

    assert [owned.rows(rights), owned.rows(of_tables)] == before


def test_what_somebody_else_has_saved_is_no_undo(
    manage: Runner, owned: Database, by_superuser: Database, role: str
) -> None:
    administrate(by_superuser.address, f"ALTER ROLE {role} CREATEDB")
    manage.ok("migrate")
    manage.ok("seed", "students", "--count", "3")
    url = by_superuser.address.render_as_string(hide_password=False)
    manage.ok("snapshot", "theirs", env={"DATABASE_URL": url})
    administrate(by_superuser.address, f"ALTER DATABASE {owned.name}_snapshot_theirs OWNER TO CURRENT_USER")

    told = manage.ok("reset", "--no-input").out.splitlines()[-1]

    assert "python manage.py restore before-reset-" in told
    manage.ok("snapshots", "--delete", "theirs", env={"DATABASE_URL": url})


def test_a_dump_leaves_what_is_an_extensions_where_it_is(
    manage: Runner, owned: Database, by_superuser: Database
) -> None:
    by_superuser.execute(
        "CREATE SCHEMA shared",
        "CREATE EXTENSION pgcrypto SCHEMA shared",
        "COMMENT ON EXTENSION pgcrypto IS 'whose else'",
        "COMMENT ON SCHEMA shared IS 'whose else'",
        f'GRANT ALL ON SCHEMA shared TO "{owned.address.username}"',
    )
    manage.ok("migrate")
    owned.execute("CREATE TABLE shared.ours (id serial PRIMARY KEY, hash bytea DEFAULT shared.digest('a', 'md5'))")
    manage.ok("snapshot", "one")
    before = contents(by_superuser)
    owned.execute("DROP TABLE shared.ours", "DELETE FROM subjects")

    manage.ok("restore", "one", "--no-input")

    assert contents(by_superuser) == before


def test_what_belongs_to_others_is_neither_copied_nor_dropped(
    manage: Runner, owned: Database, by_superuser: Database
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "one")
    by_superuser.execute("CREATE VIEW theirs AS SELECT * FROM subjects")

    copied, restored = manage("snapshot", "two"), manage("restore", "one", "--no-input")

    assert copied.refusal() == (
        "view theirs belongs to postgres: it could not be put back — let one role own all there is"
    )
    assert restored.expect(1).err.splitlines()[-1].startswith("manage.py: view theirs belongs to postgres")
    assert by_superuser.count("theirs") == 14


@pytest.mark.parametrize("broken", ["SELECT 1 / 0;", "DROP SCHEMA pg_catalog;", ""])
def test_a_dump_that_is_refused_leaves_everything_as_it_was(
    manage: Runner, owned: Database, house: House, broken: str
) -> None:
    manage.ok("reset", "--no-input")
    owned.execute("SELECT lo_create(4711)")
    manage.ok("snapshot", "one")
    owned.execute("DELETE FROM enrollments")
    before = contents(owned)
    [file] = [file for file in dumps(house) if file.parent.name == "one"]
    dump = file.read_text("utf-8")
    end = dump.rindex("COMMIT;")
    file.write_text(dump[:end] + f"{broken}\n{dump[end:]}" if broken else dump[:end], "utf-8")

    ended = manage("restore", "one", "--no-input")

    [line] = [one for one in ended.expect(1).err.splitlines() if one.startswith("manage.py: ")]
    assert " — " in line
    assert "Traceback" not in ended.err
    assert contents(owned) == before


def test_what_somebody_commits_while_a_restore_waits_comes_back(manage: Runner, owned: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "one")
    owned.execute("DELETE FROM subjects WHERE id > 1")
    with owned.connect() as busy:
        busy.execute(sa.text("UPDATE subjects SET code = 'X'"))
        running = manage.start("restore", "one", "--no-input")
        running.wait_for("waiting for")
        busy.commit()
    told = running.wait().expect(0)
    there = owned.count("subjects")

    manage.ok("restore", undo(told), "--no-input")

    assert there == 14
    assert owned.rows("SELECT code FROM subjects") == [("X",)]


@contextmanager
def half_way(manage: Runner, owned: Database, *options: str) -> Iterator[tuple[Running, str]]:
    """Begin to restore, and stop where all is dropped and the table `late` is to be made: somebody else makes it."""
    manage.ok("reset", "--no-input")
    owned.execute("CREATE TABLE late (id int)", "SELECT lo_create(4711)")
    manage.ok("snapshot", "one")
    owned.execute("DROP TABLE late", "DELETE FROM enrollments")
    before = contents(owned)
    with owned.connect() as beside:
        beside.execute(sa.text("CREATE TABLE late (id int)"))
        running = manage.start("restore", "one", "--no-input", *options)
        running.wait_until(lambda: bool(waiting(owned)), "coming to the table", timeout=60)
        yield running, before


def waiting(owned: Database) -> list[tuple[object, ...]]:
    """Return the sessions that wait for another one's transaction."""
    return owned.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'"
        " AND application_name LIKE 'manage.py restore %'"
    )


def nobody_restores(database: Database) -> None:
    """Wait until the server has ended the sessions of whoever restored."""
    database.execute(
        "SET LOCAL statement_timeout = '60s'",
        "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'manage.py restore%')"
        " LOOP PERFORM pg_stat_clear_snapshot(), pg_sleep(0.01); END LOOP; END $$",
    )


def children(pid: int) -> list[int]:
    """Return the processes that a process has started: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(words[1]) == pid:
            found.append(int(file.parent.name))
    return found


def test_a_restore_that_is_killed_with_its_psql_has_done_nothing(manage: Runner, owned: Database) -> None:
    with half_way(manage, owned) as (running, before):
        [psql] = children(running.pid)
        os.kill(psql, signal.SIGKILL)
        running.kill()
    nobody_restores(owned)

    assert contents(owned) == before
    assert owned.count("students") == 100


def test_a_restore_whose_psql_goes_on_alone_is_done_as_a_whole(manage: Runner, owned: Database) -> None:
    with half_way(manage, owned) as (running, _):
        running.kill()
    nobody_restores(owned)

    assert (owned.count("enrollments"), owned.count("late")) == (300, 0)
    manage.ok("check")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_ends_the_psql_of_a_restore(
    manage: Runner, owned: Database, number: signal.Signals, code: int
) -> None:
    with half_way(manage, owned) as (running, before):
        psql = children(running.pid)
        running.send(number)
        ended = running.wait()
        nobody_restores(owned)  # while what it waited for is still there

        assert ended.code == code
        assert [Path(f"/proc/{one}").exists() for one in psql] == [False]
    assert contents(owned) == before


def test_who_is_in_the_way_of_a_restore_is_named_and_everything_stays(manage: Runner, owned: Database) -> None:
    manage.ok("reset", "--no-input")
    manage.ok("snapshot", "one")
    owned.execute("DELETE FROM enrollments")
    before = contents(owned)
    with owned.connect() as beside:
        beside.execute(sa.text("UPDATE students SET name = name"))
        pid = beside.scalar(sa.text("SELECT pg_backend_pid()"))
        ended = manage("restore", "one", "--no-input", "--lock-timeout", "1")

    assert f"manage.py: gave up after 1 s: session {pid} of " in ended.expect(1).err
    assert contents(owned) == before


def test_a_dump_waits_for_who_changes_tables_and_names_them(manage: Runner, owned: Database) -> None:
    manage.ok("migrate")
    with owned.connect() as beside:
        beside.execute(sa.text("LOCK TABLE students"))
        pid = beside.scalar(sa.text("SELECT pg_backend_pid()"))
        ended = manage("snapshot", "one", "--lock-timeout", "1")

    assert ended.refusal().startswith(f"gave up after 1 s: session {pid} of ")


@pytest.mark.parametrize("lost", [["pg_dump"], ["pg_dump", "pg_restore", "psql"]])
def test_without_the_client_both_ways_out_are_told(
    manage: Runner, owned: Database, tmp_path: Path, role: str, lost: list[str]
) -> None:
    manage.ok("migrate")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in {"pg_dump", "pg_restore", "psql"} - set(lost):
        (programs / name).symlink_to(str(shutil.which(name)))

    copied, reset = (manage(*words, env={"PATH": str(programs)}) for words in [("snapshot",), ("reset", "--no-input")])

    assert copied.refusal() == (
        f"PostgreSQL does not let user '{role}' copy a database, and for a dump there is no {' and no '.join(lost)}"
        f' — ALTER ROLE "{role}" CREATEDB, or install the client of PostgreSQL'
    )
    assert "No snapshot of it is kept: PostgreSQL does not let" in reset.expect(0).err


def test_a_pg_dump_that_is_older_than_the_server_is_named(manage: Runner, owned: Database, tmp_path: Path) -> None:
    manage.ok("migrate")
    older = put_in_path(
        tmp_path / "programs",
        "pg_dump",
        'echo "pg_dump: error: aborting because of server version mismatch\n'
        'pg_dump: detail: server version: 15.20 (Debian 15.20-0+deb12u1); pg_dump version: 14.9" >&2; exit 1',
    )

    ended = manage("snapshot", "one", env=older)

    assert ended.refusal() == (
        "pg_dump 14.9 is older than the server, PostgreSQL 15.20 — install the client of that version"
    )


def test_no_command_line_and_no_file_has_the_password(
    manage: Runner, owned: Database, house: House, tmp_path: Path
) -> None:
    manage.ok("migrate")
    seen = tmp_path / "seen"
    env = {}
    for name in ("pg_dump", "pg_restore", "psql"):
        env = put_in_path(tmp_path / "programs", name, f'echo "{name} $@" >> {seen}\nexec {shutil.which(name)} "$@"')

    said = [manage.ok("snapshot", "one", env=env), manage.ok("restore", "one", "--no-input", env=env)]
    refused = manage("snapshot", "two", env={**env, **put_in_path(tmp_path / "programs", "pg_dump", "env; exit 1")})

    lines = seen.read_text("utf-8")
    assert {line.split()[0] for line in lines.splitlines()} >= {"pg_dump", "pg_restore", "psql"}
    everything = [lines, *map(str, [*said, refused])]
    everything += [file.read_text("utf-8") for file in house.root.glob(".snapshots/*/*/*")]
    assert not [one for one in everything if PASSWORD in one]


def test_a_role_that_cannot_reach_the_servers_own_database_has_dumps(
    manage: Runner, owned: Database, house: House
) -> None:
    house.change("project/management/backends/postgresql.py", 'DATABASE = "postgres"', f'DATABASE = "{owned.name}_no"')
    manage.ok("reset", "--no-input")
    owned.execute("DELETE FROM enrollments")

    said = manage.ok("reset", "--no-input", "--lock-timeout", "10")

    assert "Restored from snapshot reset-" in said.out
    assert owned.count("enrollments") == 300
    manage.ok("restore", "--no-input")
    assert owned.count("enrollments") == 0
    assert [line.split()[0].rpartition("-")[0][:12] for line in manage.ok("snapshots").out.splitlines()[1:]]


def test_a_dump_of_another_database_of_the_role_can_be_taken(
    manage: Runner, owned: Database, role: str, tmp_path: Path
) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "one")
    with fresh("postgresql", tmp_path) as made:
        administrate(made.address, f"ALTER DATABASE {made.name} OWNER TO {role}")
        other = Database("postgresql", made.name, made.address.set(username=role))

        manage.ok("restore", "one", "--from", owned.name, "--no-input", env={"DATABASE_URL": other.url})

        assert contents(other) == contents(owned)


def test_sqlite_does_not_list_dumps(manage: Runner, owned: Database, tmp_path: Path) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "dumped")
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/other.db"}
    manage.ok("migrate", env=env)
    manage.ok("snapshot", "copied", env=env)

    here, there = manage.ok("snapshots"), manage.ok("snapshots", env=env)

    assert "dumped" in here.out
    assert "copied" not in here.out
    assert "copied" in there.out
    assert "dumped" not in there.out
    assert there.err == ""
