"""Servers that are not there, not willing or silent, and SQLite paths that hold something else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from project.management.backends.addresses import Address
from tests.databases import SERVERS, Database, fresh, server_address
from tests.houses import House, Runner

JUNK = b"These are the minutes of the school's last conference, and no database.\n" * 100


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A server that accepts connections and never says a word; yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield int(server.getsockname()[1])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


# URLs


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("postgresql://ada:secret.1!~*$-_@db.example.org:5433/school", True),
        ("postgres://ada@127.0.0.1/school_2", True),
        ("postgresql://localhost/a-b.c", True),
        ("postgresql://ada:p%40ss@localhost/school", False),
        ("postgresql://ada:a+b@localhost/school", False),
        ("postgresql://ada@localhost/school?sslmode=disable", False),
        ("postgresql+psycopg://ada@localhost/school", False),
        ("postgresql://[::1]:5432/school", False),
        ("postgresql:///school", False),
        ("postgresql://localhost", False),
        ("postgresql://localhost/", False),
        ("mariadb://ada@localhost/school", False),
    ],
)
def test_a_plain_url_is_read_as_sqlalchemy_reads_it(url: str, is_plain: bool) -> None:
    address = Address.of_plain(url)

    assert (address is not None) == is_plain
    assert address in (None, Address.of(sa.make_url(url)))


# Servers


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_is_not_there_is_named_with_the_reason(manage: Runner, kind: str) -> None:
    port = free_port()

    for command in ("migrate", "showmigrations"):
        line = manage(command, env={"DATABASE_URL": f"{kind}://ada@127.0.0.1:{port}/school"}).refusal()

        assert f"127.0.0.1:{port} cannot be reached" in line
        assert "refused" in line.lower()
        assert "correct DATABASE_URL" in line


@pytest.mark.parametrize("kind", SERVERS)
def test_an_unknown_host_is_named(manage: Runner, kind: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": f"{kind}://ada@no-such-host.invalid/school"}).refusal()

    assert "no-such-host.invalid" in line
    assert "correct DATABASE_URL" in line


@pytest.mark.parametrize("kind", SERVERS)
def test_a_silent_server_is_given_up_within_20_seconds(manage: Runner, silent_server: int, kind: str) -> None:
    begun = time.monotonic()

    line = manage("migrate", env={"DATABASE_URL": f"{kind}://ada@127.0.0.1:{silent_server}/school"}).refusal()

    assert time.monotonic() - begun < 20
    assert "127.0.0.1 did not answer within 10 seconds" in line


@pytest.mark.parametrize("kind", SERVERS)
def test_the_urls_own_patience_wins(manage: Runner, silent_server: int, kind: str) -> None:
    url = f"{kind}://ada@127.0.0.1:{silent_server}/school?connect_timeout=2"

    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert "127.0.0.1 did not answer within 2 seconds" in line


def test_a_silent_server_is_given_up_when_the_database_is_to_be_made_too(manage: Runner, silent_server: int) -> None:
    begun = time.monotonic()
    running = [
        manage.start("migrate", "--create-database", env={"DATABASE_URL": f"{kind}://ada@127.0.0.1:{silent_server}/x"})
        for kind in SERVERS
    ]

    lines = [one.wait().refusal() for one in running]

    assert time.monotonic() - begun < 20
    assert all("did not answer" in line for line in lines)


def test_a_wrong_password_is_said_as_such(manage: Runner, mariadb_database: Database) -> None:
    url = mariadb_database.url.replace("root@", "root:wrong@")

    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert "MariaDB on 127.0.0.1 refuses user 'root'" in line
    assert "%40" in line


def test_an_unknown_user_is_said_as_such(manage: Runner, server_database: Database) -> None:
    url = str(server_database.address.set(drivername=server_database.kind, username="nobody_here"))

    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert "refuses user 'nobody_here'" in line


@pytest.mark.parametrize("kind", SERVERS)
def test_a_missing_database_is_made_only_when_asked(manage: Runner, tmp_path: Path, kind: str) -> None:
    with fresh(kind, tmp_path, made=False) as missing:
        url = {"DATABASE_URL": missing.url}

        for command in (("migrate",), ("showmigrations",), ("rollback",), ("migrate", "--plan")):
            line = manage(*command, env=url).refusal()
            assert f"there is no database {missing.name!r} on 127.0.0.1" in line
            assert "python manage.py migrate --create-database" in line
        made = manage.ok("migrate", "--create-database", env=url)
        again = manage.ok("migrate", "--create-database", env=url)

        assert missing.name in made.out.splitlines()[0]
        assert "students" in missing.tables()
        assert "Made" not in again.out


@pytest.mark.parametrize("kind", SERVERS)
def test_a_database_may_have_any_name(manage: Runner, tmp_path: Path, kind: str) -> None:
    with fresh(kind, tmp_path, made=False) as plain:
        strange = f"{plain.name} %s\"'`-x"
        address = server_address(kind).set(database=strange)
        url = address.set(drivername=kind).render_as_string(hide_password=False)
        try:
            manage.ok("migrate", "--create-database", env={"DATABASE_URL": url})
            shown = manage.ok("showmigrations", env={"DATABASE_URL": url})
        finally:
            engine = sa.create_engine(server_address(kind), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(connection, strange)}")

    assert strange in shown.out
    assert "All applied." in shown.out


def test_processes_that_make_the_same_database_at_once_all_succeed(manage: Runner, tmp_path: Path) -> None:
    for kind in SERVERS:
        with fresh(kind, tmp_path, made=False) as missing:
            running = [
                manage.start("migrate", "--create-database", env={"DATABASE_URL": missing.url}) for _ in range(4)
            ]

            for one in running:
                one.wait().expect(0)

            assert "students" in missing.tables()


# SQLite files


@pytest.mark.parametrize("command", [("migrate",), ("showmigrations",), ("migrate", "--create-database"), ("check",)])
def test_a_folder_is_no_database(house: House, manage: Runner, command: tuple[str, ...]) -> None:
    (house.root / "school.db").mkdir()

    result = manage(*command, env={"DATABASE_URL": "sqlite:///school.db"}).expect(1)

    assert "is a directory" in result.out + result.err
    assert "Traceback" not in result.err
    assert list((house.root / "school.db").iterdir()) == []


@pytest.mark.parametrize("command", [("migrate",), ("showmigrations",), ("reset", "--no-input"), ("rollback",)])
def test_a_file_that_is_no_database_is_left_as_it_is(house: House, manage: Runner, command: tuple[str, ...]) -> None:
    (house.root / "minutes.txt").write_bytes(JUNK)

    line = manage(*command, env={"DATABASE_URL": "sqlite:///minutes.txt"}).refusal()

    assert "minutes.txt is not an SQLite database" in line
    assert (house.root / "minutes.txt").read_bytes() == JUNK


def test_a_short_file_that_is_no_database_is_left_as_it_is(house: House, manage: Runner) -> None:
    (house.root / "notes.txt").write_bytes(b"hi\n")

    line = manage("migrate", env={"DATABASE_URL": "sqlite:///notes.txt"}).refusal()

    assert "notes.txt is not an SQLite database" in line
    assert (house.root / "notes.txt").read_bytes() == b"hi\n"


@pytest.mark.parametrize("command", [("migrate",), ("migrate", "--create-database"), ("reset", "--no-input")])
def test_a_missing_folder_is_refused_and_not_made(house: House, manage: Runner, command: tuple[str, ...]) -> None:
    line = manage(*command, env={"DATABASE_URL": "sqlite:///data/school.db"}).refusal()

    assert f"the folder {house.root}/data of the SQLite database does not exist" in line
    assert not (house.root / "data").exists()


def test_a_path_through_a_file_is_refused(house: House, manage: Runner) -> None:
    manage("migrate", env={"DATABASE_URL": "sqlite:///manage.py/school.db"}).refusal()

    assert (house.root / "manage.py").is_file()


def test_a_name_that_is_too_long_is_refused(manage: Runner) -> None:
    manage("migrate", env={"DATABASE_URL": f"sqlite:///{'x' * 300}.db"}).refusal()


@pytest.mark.parametrize(
    "command",
    [
        ("showmigrations",),
        ("rollback",),
        ("migrate", "--plan"),
        ("migrate", "--sql"),
        ("makemigrations", "-m", "X"),
        ("check",),
        ("seed",),
        ("shell", "-c", "1"),
        ("dbshell",),
    ],
    ids=" ".join,
)
def test_only_migrate_and_reset_make_an_sqlite_file(
    manage: Runner, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    result = manage(*command)

    assert "Traceback" not in result.err
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


@pytest.mark.parametrize("command", [("rollback",), ("seed",), ("shell", "-c", "1"), ("dbshell",)], ids=" ".join)
def test_a_missing_sqlite_file_is_said_with_the_command_that_makes_it(
    manage: Runner, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    assert "python manage.py migrate" in manage(*command).refusal()


def allow_files_of(house: House, size: int, command: str) -> str:
    """Write a command that runs another with no larger files: they stand for a full disk, which fails writes too."""
    house.write(
        f"project/commands/{command}_on_a_full_disk.py",
        '"""Run a command with no room for the database."""\n\n'
        "import resource\nimport signal\n\n"
        f"from project.management.commands.{command} import add_arguments, handle as run\n\n\n"
        "def handle(project, **options):\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
        "    return run(project, **options)\n",
    )
    return f"{command}_on_a_full_disk"


def test_a_migration_that_finds_no_room_leaves_nothing_and_says_so(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    line = manage(allow_files_of(house, 8192, "migrate")).refusal()

    assert "could not be written" in line or "disk" in line
    assert "Nothing stays of 5 revisions" in line
    assert sqlite_database.tables() == set()
    manage.ok("migrate")


def test_a_seeding_that_finds_no_room_leaves_no_row_and_the_next_ends_right(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")

    line = manage(allow_files_of(house, 1 << 20, "seed"), "students", "--count", "40000").refusal()

    assert "could not be written" in line or "disk" in line
    assert sqlite_database.count("students") == 0
    manage.ok("seed", "students", "--count", "40000")
    assert sqlite_database.count("students") == 40_000


def test_an_sqlite_file_may_be_reached_through_a_link(house: House, manage: Runner, sqlite_database: Database) -> None:
    assert sqlite_database.file is not None
    manage.ok("migrate")
    (house.root / "link.db").symlink_to(sqlite_database.file)

    manage.ok("migrate", "zero", "--no-input", env={"DATABASE_URL": "sqlite:///link.db"})

    assert (house.root / "link.db").is_symlink()
    assert sqlite_database.tables() == set()
