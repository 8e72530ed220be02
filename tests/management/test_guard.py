"""Who may destroy what: production, other machines and names like production's are refused, each with its cure."""

from __future__ import annotations

import socket
from itertools import product

import pytest

from tests.databases import SERVERS, Database
from tests.houses import House, OpenTerminal, Runner

SAMPLE = {"students", "subjects", "enrollments"}
PRODUCTION = {"ENVIRONMENT": "production"}
DESTROYERS = (("reset", "--no-input"), ("seed", "--fresh", "--no-input"))
BACKWARDS = (
    ("migrate", "zero"),
    ("migrate", "-1"),
    ("rollback",),
    ("rollback", "2"),
    ("rollback", "--redo"),
)
# Nobody listens there: whoever connects is told so, and whoever is told something else did not connect.
CLOSED = "cannot be reached"


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def put_in_ada(database: Database) -> None:
    database.execute(
        "INSERT INTO students (id, name, email, grade, birthday)"
        " VALUES (7000, 'Ada Lovelace', 'ada@example.org', 5, '2015-12-10')"
    )


# Before connecting: the environment


@pytest.mark.parametrize("command", DESTROYERS, ids=" ".join)
@pytest.mark.parametrize("kind", SERVERS)
def test_production_by_the_settings_is_refused_before_connecting(
    manage: Runner, closed_port: int, kind: str, command: tuple[str, ...]
) -> None:
    url = {"DATABASE_URL": f"{kind}://ada@127.0.0.1:{closed_port}/school"}

    line = manage(*command, env={**url, **PRODUCTION}).refusal()
    unguarded = manage(*command, env=url).refusal()

    assert line == (
        f"{command[0]}{' --fresh' if command[0] == 'seed' else ''} is refused: ENVIRONMENT is production"
        " (in the environment) — point DATABASE_URL and ENVIRONMENT at a development database"
    )
    assert CLOSED in unguarded


@pytest.mark.parametrize("written", ["production", "PRODUCTION", '" Production "'])
def test_production_may_be_written_in_any_way(house: House, manage: Runner, closed_port: int, written: str) -> None:
    house.env(DATABASE_URL=f"postgresql://ada@127.0.0.1:{closed_port}/school", ENVIRONMENT=written)

    line = manage("reset", "--no-input", "--allow-remote", "--allow-production-name").refusal()

    assert "ENVIRONMENT is production (in .env, line 2)" in line


def test_a_test_database_may_be_reset(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("reset", env={"ENVIRONMENT": "test"})
    manage.ok("reset", "--no-input", env={"ENVIRONMENT": "test"})

    assert sqlite_database.count("students") == 100


# Before connecting: the host


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://ada@db.invalid/school", "db.invalid"),
        ("mariadb://ada@db.invalid/school", "db.invalid"),
        ("mysql://ada@db.invalid/school", "db.invalid"),
        ("postgresql+asyncpg://ada@db.invalid/school", "db.invalid"),
        ("postgresql://ada@192.0.2.7/school", "192.0.2.7"),
        ("postgresql://ada@[2001:db8::7]/school", "2001:db8::7"),
        ("postgresql://ada@localhost.invalid/school", "localhost.invalid"),
        ("postgresql://ada@127.0.0.1.invalid/school", "127.0.0.1.invalid"),
        ("postgresql://ada@127.0.0.1/school?host=db.invalid", "db.invalid"),
        ("postgresql:///school?host=db.invalid", "db.invalid"),
        ("postgresql:///school?host=localhost,db.invalid", "db.invalid"),
        ("postgresql://ada@localhost/school?hostaddr=192.0.2.7", "192.0.2.7"),
        ("mariadb://ada@127.0.0.1/school?host=db.invalid", "db.invalid"),
    ],
)
def test_another_machine_is_refused_before_connecting(manage: Runner, url: str, host: str) -> None:
    for command in DESTROYERS:
        line = manage(*command, env={"DATABASE_URL": url}).refusal()

        assert f" is refused: {host} is another machine — if it is for development, add DEVELOPMENT_HOSTS=" in line
        assert f"DEVELOPMENT_HOSTS={host} to .env" in line
        assert ("--allow-remote" in line) == (command[0] == "reset")


@pytest.mark.parametrize(
    ("url", "environment", "named"),
    [
        ("postgresql:///school", {"PGHOST": "db.invalid"}, "db.invalid"),
        ("postgresql://localhost/school", {"PGHOSTADDR": "192.0.2.7"}, "192.0.2.7"),
        ("postgresql:///school", {"PGSERVICE": "elsewhere"}, "elsewhere"),
        ("postgresql:///school?service=elsewhere", {}, "elsewhere"),
        ("mariadb://ada@localhost/school?read_default_file=/nowhere/my.cnf", {}, "option file"),
    ],
)
def test_another_machine_that_only_the_surroundings_name_is_refused(
    manage: Runner, url: str, environment: dict[str, str], named: str
) -> None:
    line = manage("reset", env={"DATABASE_URL": url, **environment}).refusal()

    assert "is another machine" in line
    assert named in line
    assert "--allow-remote" in line


def test_a_cure_of_the_guard_can_work(manage: Runner) -> None:
    line = manage("reset", env={"DATABASE_URL": "postgresql:///school?service=elsewhere"}).refusal()

    assert "DEVELOPMENT_HOSTS=service elsewhere" not in line


def test_another_machine_is_allowed_by_the_option_or_the_setting(manage: Runner, house: House) -> None:
    url = "postgresql://ada@db.invalid/school"
    unknown_host = "there is no host db.invalid"

    by_option = manage("reset", "--allow-remote", env={"DATABASE_URL": url}).refusal()
    house.env(DATABASE_URL=url, DEVELOPMENT_HOSTS="other.invalid, DB.invalid")
    by_setting = [manage(*command).refusal() for command in DESTROYERS]
    by_another_setting = manage("reset", env={"DEVELOPMENT_HOSTS": "invalid,b.invalid"}).refusal()

    assert unknown_host in by_option
    assert all(unknown_host in line for line in by_setting)
    assert "db.invalid is another machine" in by_another_setting


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada@127.0.0.1:{port}/school",
        "postgresql://ada@localhost:{port}/school",
        "mariadb://ada@LOCALHOST:{port}/school",
        "postgresql://ada@127.9.9.9:{port}/school",
        "postgresql://ada@[::1]:{port}/school",
        "mariadb://ada@127.0.0.1:{port}/school",
        "mariadb://ada@localhost:{port}/school?unix_socket=/nowhere/mariadb.sock",
        "postgresql://ada@/school?host=/nowhere",
    ],
)
def test_this_machine_is_not_refused(manage: Runner, closed_port: int, url: str) -> None:
    line = manage("reset", env={"DATABASE_URL": url.format(port=closed_port)}).refusal()

    assert "cannot be reached" in line
    assert "is refused" not in line


def test_the_url_of_the_command_line_is_the_one_that_is_looked_at(manage: Runner, sqlite_database: Database) -> None:
    remote = manage("reset", "--database-url", "mariadb://ada@db.invalid/school").refusal()
    named = manage("reset", "--database-url", "mariadb://ada@127.0.0.1/school_prod").refusal()

    assert "db.invalid is another machine" in remote
    assert "'school_prod' says production" in named


# Before connecting: the name


@pytest.mark.parametrize(
    "name",
    [
        "prod",
        "PROD",
        "production",
        "school_prod",
        "school-production",
        "SchoolProd",
        "PRODSchool",
        "prod2",
        "schoolPRODUCTION",
    ],
)
def test_a_name_that_says_production_is_refused_before_connecting(manage: Runner, closed_port: int, name: str) -> None:
    url = {"DATABASE_URL": f"postgresql://ada@127.0.0.1:{closed_port}/{name}"}

    reset = manage("reset", "--no-input", env=url).refusal()
    fresh = manage("seed", "--fresh", "--no-input", env=url).refusal()
    allowed = manage("reset", "--no-input", "--allow-production-name", env=url).refusal()

    assert reset == (
        f"reset is refused: the name {name!r} says production — if it is not, give --allow-production-name"
    )
    assert f"seed --fresh is refused: the name {name!r} says production" in fresh
    assert "reset --allow-production-name" in fresh
    assert CLOSED in allowed


@pytest.mark.parametrize("name", ["product", "products", "reproduction", "Prodigy", "school_test", "approd", "p.r.o.d"])
def test_a_name_that_only_looks_like_production_is_not_refused(manage: Runner, closed_port: int, name: str) -> None:
    line = manage("reset", env={"DATABASE_URL": f"mariadb://ada@127.0.0.1:{closed_port}/{name}"}).refusal()

    assert CLOSED in line


def test_the_name_that_the_server_takes_when_there_is_none_counts_too(manage: Runner, closed_port: int) -> None:
    by_user = manage("reset", env={"DATABASE_URL": f"postgresql://prod@127.0.0.1:{closed_port}"}).refusal()
    by_variable = manage(
        "reset", env={"DATABASE_URL": f"postgresql://ada@127.0.0.1:{closed_port}", "PGDATABASE": "school_prod"}
    ).refusal()

    assert "'prod' says production" in by_user
    assert "'school_prod' says production" in by_variable


@pytest.mark.parametrize(
    "url",
    ["postgresql://ada@127.0.0.1:1/school?dbname=school_prod", "mariadb://ada@127.0.0.1:1/school?database=school_prod"],
)
def test_the_database_that_the_query_names_is_the_one_that_counts(manage: Runner, url: str) -> None:
    line = manage("reset", env={"DATABASE_URL": url}).refusal()

    assert "cannot be reached" not in line


def test_an_sqlite_file_with_such_a_name_is_not_even_made(manage: Runner, house: House) -> None:
    (house.root / "production").mkdir()
    for name in ("prod.db", "school.production.sqlite3", "my prod.db"):
        line = manage("reset", env={"DATABASE_URL": f"sqlite:///{name}"}).refusal()

        assert f"the name {name!r} says production" in line
        assert not (house.root / name).exists()
    manage.ok("reset", "--no-seed", env={"DATABASE_URL": "sqlite:///production/school.db"})
    manage.ok("reset", "--no-seed", "--allow-production-name", env={"DATABASE_URL": "sqlite:///prod.db"})


def test_allowing_one_thing_allows_no_other(manage: Runner) -> None:
    url = {"DATABASE_URL": "postgresql://ada@db.invalid/school_prod"}

    name_only = manage("reset", "--allow-production-name", env=url).refusal()
    host_only = manage("reset", "--allow-remote", env=url).refusal()
    both = manage("reset", "--allow-remote", "--allow-production-name", env={**url, **PRODUCTION}).refusal()

    assert "another machine" in name_only
    assert "says production" in host_only
    assert "ENVIRONMENT is production" in both


# After connecting: what the database itself says


def test_a_database_that_was_migrated_as_production_is_refused(manage: Runner, database: Database) -> None:
    manage.ok("migrate", env=PRODUCTION)
    put_in_ada(database)

    reset = manage("reset", "--no-input", "--drop-unknown", "--allow-remote", "--allow-production-name").refusal()
    fresh = manage("seed", "--fresh", "--no-input").refusal()
    seed = manage("seed").refusal()

    for line, action in ((reset, "reset"), (fresh, "seed --fresh")):
        assert line.startswith(f"{action} is refused: {database.name}")
        assert line.endswith(" records that it is a production database — point DATABASE_URL at a development database")
    assert "seed is refused" in seed
    assert "makemigrations --data" in seed
    assert database.rows("SELECT name FROM students") == [("Ada Lovelace",)]
    assert database.tables() == SAMPLE


def test_however_a_production_database_was_made_it_is_recorded(
    house: House, manage: Runner, alembic: Runner, sqlite_database: Database
) -> None:
    assert sqlite_database.file is not None
    for program, arguments in (
        (alembic, ("upgrade", "head")),
        (alembic, ("stamp", "head")),
        (manage, ("migrate", "--fake")),
        (manage, ("migrate", "+1")),
    ):
        program.ok(*arguments, env=PRODUCTION)

        assert "records that it is a production database" in manage("reset", "--no-input").refusal()
        sqlite_database.file.unlink()


def test_a_development_database_stays_one_though_the_settings_said_production_later(
    manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("migrate", env=PRODUCTION)

    assert "ENVIRONMENT is production" in manage("reset", "--no-input", env=PRODUCTION).refusal()
    manage.ok("reset", "--no-input")


# Going back in production


@pytest.mark.parametrize("command", BACKWARDS, ids=" ".join)
def test_going_back_in_production_is_refused_whoever_says_production(
    house: House, manage: Runner, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    manage.ok("migrate", env=PRODUCTION)

    by_both = manage(*command, "--no-input", env=PRODUCTION).refusal()
    by_record = manage(*command, "--no-input").refusal()
    sqlite_database.execute("UPDATE management_metadata SET value = 'development' WHERE \"key\" = 'environment'")
    by_settings = manage(*command, "--no-input", env=PRODUCTION).refusal()

    for line in (by_both, by_record, by_settings):
        assert line == (
            f"going back is refused: {sqlite_database.name} is a production database"
            " — --allow-production does it all the same"
        )
    assert sqlite_database.revision() == house.line()[-1]
    assert sqlite_database.tables() == SAMPLE


@pytest.mark.parametrize("command", BACKWARDS, ids=" ".join)
def test_when_it_is_allowed_in_production_the_loss_is_still_asked_for(
    house: House, manage: Runner, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    manage.ok("migrate", env=PRODUCTION)
    put_in_ada(sqlite_database)

    line = manage(*command, "--allow-production", env=PRODUCTION).refusal()
    before = sqlite_database.revision()
    manage.ok(*command, "--allow-production", "--no-input", env=PRODUCTION)

    assert "It loses" in line
    assert "--no-input goes on without the question" in line
    assert before == house.line()[-1]
    assert (sqlite_database.revision() == house.line()[-1]) == ("--redo" in command)


def test_plain_alembic_goes_back_in_production_only_when_it_is_allowed(
    house: House, manage: Runner, alembic: Runner, database: Database
) -> None:
    alembic.ok("upgrade", "head", env=PRODUCTION)

    by_both = alembic("downgrade", "-1", env=PRODUCTION)
    by_record = alembic("downgrade", "base")
    before = database.revision()
    alembic.ok("-x", "allow-production", "downgrade", "-1", env=PRODUCTION)

    for result in (by_both, by_record):
        assert result.code != 0
        assert "going back is refused" in result.out + result.err
        assert "-x allow-production does it all the same" in result.out + result.err
        assert "Traceback" not in result.err
    assert before == house.line()[-1]
    assert database.revision() == house.line()[-2]


def test_plain_alembic_asks_on_a_terminal_and_not_in_a_script(
    house: House, manage: Runner, alembic: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    put_in_ada(sqlite_database)
    refused = terminal("-m", "alembic", "downgrade", "base")
    shown = refused.read_until("to go on: ")
    refused.type("no")
    refused.wait()
    kept = sqlite_database.revision()
    allowed = terminal("-m", "alembic", "downgrade", "-1")
    allowed.read_until("to go on: ")
    allowed.type(sqlite_database.name)
    allowed.wait().expect(0)
    after = sqlite_database.revision()

    alembic.ok("downgrade", "base")

    assert "5 revisions" in shown
    assert "students" in shown
    assert "nothing was changed" in refused.seen
    assert kept == house.line()[-1]
    assert after == house.line()[-2]
    assert sqlite_database.tables() == set()


def test_going_forward_in_production_asks_nothing(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate", "+1", env=PRODUCTION)
    result = manage.ok("migrate", env=PRODUCTION)

    assert result.err == ""
    assert database.revision() == house.line()[-1]


# What comes while a person thinks, and what goes with other rows


@pytest.mark.parametrize("command", [("reset",), ("seed", "--fresh")], ids=" ".join)
def test_rows_that_came_after_the_question_are_not_lost_unseen(
    manage: Runner, terminal: OpenTerminal, migrated: Database, command: tuple[str, ...]
) -> None:
    manage.ok("seed", "--count", "20")
    screen = terminal(*command)
    screen.read_until("to go on: ")
    put_in_ada(migrated)
    screen.type(migrated.name)

    ended = screen.wait()

    ended.expect(1)
    assert "students holds 21 rows by now, and 20 were shown. Nothing was changed" in str(ended)
    assert (migrated.count("students"), migrated.count("enrollments")) == (21, 20)


def test_seeding_anew_leaves_rows_of_a_stranger_that_would_go_with_its_own(manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "--count", "20")
    migrated.execute(
        "CREATE TABLE mine (id INT PRIMARY KEY, student INT, FOREIGN KEY (student) REFERENCES students (id)"
        " ON DELETE CASCADE)",
        "INSERT INTO mine SELECT id, id FROM students WHERE grade > 0",
    )

    refused = manage("seed", "--fresh", "--no-input").refusal()

    assert refused == (
        "mine has rows that refer to students, and is no table of this project — delete them, or let them refer to"
        " nothing, before students is seeded anew"
    )
    assert (migrated.count("mine"), migrated.count("students")) == (20, 20)
    migrated.execute("UPDATE mine SET student = NULL")
    manage.ok("seed", "--fresh", "--no-input", "--count", "10")
    assert (migrated.count("mine"), migrated.count("students")) == (20, 10)


def test_an_environment_that_nothing_here_records_is_not_taken_for_development(
    manage: Runner, migrated: Database
) -> None:
    manage.ok("seed", "--count", "20")
    key = "management_metadata.key = 'environment'"
    for recorded, command in product(("PRODUCTION ", "prod", ""), DESTROYERS):
        migrated.execute(f"UPDATE management_metadata SET value = :value WHERE {key}", value=recorded)

        refused = manage(*command).refusal()

        assert f"management_metadata holds {recorded!r} for environment" in refused
        assert migrated.count("students") == 20


def test_production_is_seen_however_the_table_is_spelled_on_sqlite(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    manage.ok("snapshot", "mine")
    sqlite_database.execute(
        "UPDATE management_metadata SET value = 'production' WHERE key = 'environment'",
        "ALTER TABLE management_metadata RENAME TO other",
        "ALTER TABLE other RENAME TO MANAGEMENT_METADATA",
    )

    for command in (("reset", "--no-input"), ("restore", "mine", "--no-input"), ("snapshot", "another")):
        assert "records that it is a production database" in manage(*command).refusal()


def test_rows_that_nobody_asks_for_are_in_nobodys_way(manage: Runner, database: Database) -> None:
    manage.ok("reset", "--no-input")
    blob = {"sqlite": "x'ff'", "postgresql": "E'\\u2028'", "mariadb": "x'00'"}[database.kind]
    key = "key" if database.kind != "mariadb" else "`key`"
    database.execute(f"INSERT INTO management_metadata ({key}, value) VALUES ({blob}, 'x')")

    manage.ok("snapshot", "mine")
    manage.ok("restore", "mine", "--no-input")
    manage.ok("seed", "--count", "150")
    manage.ok("reset", "--no-input")
