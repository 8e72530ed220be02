"""Where the settings come from: .env as people write it, the environment, and URLs of every spelling."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import format_exception
from urllib.parse import quote

import pytest
from dotenv import dotenv_values
from dotenv.parser import parse_stream
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from project.management.backends import Backend
from project.management.env_file import Variables
from project.management.errors import CommandError
from project.management.project import Project
from tests.databases import BOOKKEEPING, Database, server_address
from tests.houses import House, Python, Runner
from tests.processes import REPOSITORY

SECRET = "hunter2-Geheim"


def made(house: House, name: str = "school.db") -> bool:
    return (house.root / name).exists()


# .env as people write it


@pytest.mark.parametrize(
    "text",
    [
        "DATABASE_URL=sqlite:///school.db",
        "DATABASE_URL=sqlite:///school.db\n",
        'DATABASE_URL="sqlite:///school.db"\n',
        "DATABASE_URL='sqlite:///school.db'\n",
        "  DATABASE_URL = sqlite:///school.db  \n",
        "export DATABASE_URL=sqlite:///school.db\n",
        "DATABASE_URL=sqlite:///school.db # of the school\n",
        "# a comment\n\n\nDATABASE_URL=sqlite:///school.db\n# DATABASE_URL=sqlite:///other.db\n",
        "DATABASE_URL=sqlite:///school.db\r\nENVIRONMENT=development\r\n",
        "\ufeffDATABASE_URL=sqlite:///school.db\n",
        "DATABASE_URL=sqlite:///school.db\nENVIRONMENT=\nSOMETHING_ELSE='of another program'\n",
        "DATABASE_URL=sqlite:///school.db\nENVIRONMENT=Development\n",
    ],
    ids=[
        "plain",
        "plain line",
        "double quotes",
        "single quotes",
        "spaces",
        "export",
        "comment behind",
        "comments",
        "CRLF",
        "BOM",
        "others",
        "capitals",
    ],
)
def test_dot_env_is_read_as_people_write_it(house: House, manage: Runner, text: str) -> None:
    (house.root / ".env").write_bytes(text.encode())

    manage.ok("migrate")

    assert made(house)


def test_the_example_works_as_it_is(house: House, manage: Runner) -> None:
    house.write(".env", house.read(".env.example"))

    manage.ok("migrate")

    assert made(house)


@pytest.mark.parametrize("name", ["cash$.db", "$HOME.db", "${HOME}.db", "$${}.db"])
def test_a_dollar_in_a_value_is_a_dollar(house: House, manage: Runner, name: str) -> None:
    house.env(DATABASE_URL=f"'sqlite:///{name}'" if "${HOME}" in name else f"sqlite:///{name}")

    manage.ok("migrate")

    assert made(house, name)


@pytest.mark.parametrize("quotes", ["", '"'])
def test_what_other_readers_of_dot_env_would_replace_is_refused(house: House, manage: Runner, quotes: str) -> None:
    house.write(".env", f"# one\nOTHER=${{NOBODY}}\nDATABASE_URL={quotes}sqlite:///${{NAME}}.db{quotes}\n")

    line = manage("migrate").refusal()

    assert line.startswith("DATABASE_URL refers to ${NAME} (in .env, line 3)")
    assert "single quotes" in line
    assert not list(house.root.glob("*.db"))
    manage.ok("migrate", env={"DATABASE_URL": "sqlite:///school.db"})


def test_dot_env_may_be_a_pipe_that_somebody_writes(house: House, python: Python) -> None:
    os.mkfifo(house.root / ".env")
    house.write("written", "DATABASE_URL=sqlite:///school.db\n")

    result = python.shell("$MANAGE migrate & reader=$!; cat written > .env; wait $reader")

    result.expect(0)
    assert made(house)


# What is refused, with file, line and variable


def test_a_pipe_that_nobody_writes_is_given_up(house: House, manage: Runner) -> None:
    os.mkfifo(house.root / ".env")

    line = manage("migrate").refusal()

    assert line.startswith(".env is a pipe, and nobody wrote into it within ")


@pytest.mark.parametrize("given", ["", " "])
def test_an_env_file_without_a_name_is_wrong_usage(manage: Runner, given: str) -> None:
    line = manage("migrate", "--env-file", given).refusal(2)

    assert line.startswith("argument --env-file: it names no file")


def test_a_folder_is_no_env_file(house: House, manage: Runner) -> None:
    line = manage("migrate", "--env-file", ".").refusal()

    assert line.startswith(f"{house.root.name} cannot be read: Is a directory")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", ["DATABASE_URL is not set", ".env.example"]),
        (b"ENVIRONMENT=test\n", ["DATABASE_URL is not set", ".env.example"]),
        (b"\nDATABASE_URL=\n", ["DATABASE_URL is empty", ".env, line 2"]),
        (b"DATABASE_URL='  '\n", ["DATABASE_URL is empty", ".env, line 1"]),
        (b"DATABASE_URL\n", ["DATABASE_URL", ".env, line 1"]),
        (b"# one\nDATABASE_URL=sqlite:///school.db\nthis is no assignment\n", [".env, line 3"]),
        (b"# one\nDATABASE_URL='sqlite:///school.db\n", [".env, line 2"]),
        (
            b"DATABASE_URL=sqlite:///a.db\n\nDATABASE_URL=sqlite:///b.db\n",
            ["DATABASE_URL", "twice", "line 1", "line 3"],
        ),
        (
            b"DATABASE_URL=sqlite:///school.db\nENVIRONMENT=prod\n",
            ["ENVIRONMENT", "'prod'", ".env, line 2", "production"],
        ),
        ("DATABASE_URL=sqlite:///school.db\n".encode("utf-16"), [".env, line 1", "UTF-8"]),
        ("DATABASE_URL=sqlite:///school.db\n# Schüler\n".encode("latin-1"), [".env, line 2", "UTF-8"]),
        (b"DATABASE_URL=sqlite:///school.db\nNAME=\x00\n", [".env, line 2", "NUL"]),
        (b"X=1\n" * 300_000, [".env", "1 MB"]),
        (b"\n  \r\n\t this is no assignment\n", [".env, line 3"]),
    ],
    ids=[
        "empty file",
        "not set",
        "empty value",
        "blank value",
        "no value",
        "no assignment",
        "open quote",
        "twice",
        "unknown environment",
        "UTF-16",
        "latin-1",
        "NUL",
        "huge",
        "indented",
    ],
)
def test_a_wrong_dot_env_is_refused_naming_file_line_and_variable(
    house: House, manage: Runner, content: bytes, told: list[str]
) -> None:
    (house.root / ".env").write_bytes(content)

    line = manage("migrate").refusal()

    for words in told:
        assert words in line
    assert not list(house.root.glob("*.db"))


def test_no_dot_env_and_no_variable_says_to_copy_the_example(house: House, manage: Runner) -> None:
    line = manage("migrate").refusal()

    assert line.startswith("DATABASE_URL is not set")
    assert "copy .env.example to .env" in line
    assert not list(house.root.glob("*.db"))


def test_a_folder_called_dot_env_is_refused(house: House, manage: Runner) -> None:
    (house.root / ".env").mkdir()

    line = manage("migrate").refusal()

    assert ".env cannot be read" in line
    assert "move the folder away" in line


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_a_dot_env_without_an_end_is_refused(manage: Runner) -> None:
    assert "zero is larger than 1 MB" in manage("migrate", "--env-file", "/dev/zero").refusal()


def test_a_dot_env_that_leads_nowhere_is_refused(house: House, manage: Runner) -> None:
    (house.root / ".env").symlink_to("nowhere")

    assert ".env cannot be read" in manage("migrate").refusal()


def test_the_dot_env_of_a_folder_above_is_not_read(house: House, manage: Runner) -> None:
    (house.root.parent / ".env").write_text("DATABASE_URL=sqlite:///above.db\n", encoding="utf-8")

    assert manage("migrate").refusal().startswith("DATABASE_URL is not set")


# The environment


def test_the_environment_wins_over_dot_env(house: House, manage: Runner) -> None:
    house.env(DATABASE_URL="sqlite:///file.db")

    manage.ok("migrate", env={"DATABASE_URL": "sqlite:///variable.db"})

    assert made(house, "variable.db")
    assert not made(house, "file.db")


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_database_url_that_is_empty_in_the_environment_is_refused(house: House, manage: Runner, empty: str) -> None:
    house.env(DATABASE_URL="sqlite:///file.db")

    line = manage("migrate", env={"DATABASE_URL": empty}).refusal()

    assert line.startswith("DATABASE_URL is empty (in the environment)")
    assert ".env" in line
    assert not made(house, "file.db")


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_database_url_that_is_empty_as_an_option_is_refused(house: House, manage: Runner, empty: str) -> None:
    house.env(DATABASE_URL="sqlite:///file.db")
    manage.ok("migrate")
    before = (house.root / "file.db").read_bytes()

    line = manage("reset", "--no-input", "--database-url", empty).refusal()

    assert line.startswith("DATABASE_URL is empty (given as --database-url)")
    assert (house.root / "file.db").read_bytes() == before


def test_an_option_wins_over_an_empty_variable(house: House, manage: Runner) -> None:
    manage.ok("migrate", "--database-url", "sqlite:///option.db", env={"DATABASE_URL": ""})

    assert made(house, "option.db")


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_leaves_what_dot_env_says_of_production(house: House, manage: Runner, empty: str) -> None:
    house.env(DATABASE_URL="sqlite:///file.db", ENVIRONMENT="production")

    line = manage("reset", "--no-input", env={"ENVIRONMENT": empty}).refusal()

    assert "ENVIRONMENT is production (in .env, line 2)" in line


def test_a_wrong_environment_variable_is_named(house: House, manage: Runner, sqlite_database: Database) -> None:
    line = manage("migrate", env={"ENVIRONMENT": "live"}).refusal()

    assert "ENVIRONMENT is 'live' (in the environment)" in line
    assert "development, test or production" in line


def test_plain_alembic_reads_the_same_settings(house: House, alembic: Runner) -> None:
    house.env(DATABASE_URL="sqlite:///school.db")

    alembic.ok("upgrade", "head")

    assert made(house)


def test_plain_alembic_refuses_the_same_settings_in_one_line(house: House, alembic: Runner) -> None:
    result = alembic("upgrade", "head")

    assert result.code != 0
    assert "DATABASE_URL is not set" in result.err + result.out
    assert "Traceback" not in result.err


def test_settings_can_be_added(house: House, manage: Runner) -> None:
    house.change(
        "project/settings.py",
        'environment: str = "development"',
        'environment: str = "development"\n    motto: str = ""',
    )
    house.change(
        "project/settings.py",
        "return Settings(",
        'return Settings(\n        motto=variables.required("MOTTO", "say it in .env"),',
    )
    house.write(
        "project/commands/motto.py", '"""Say it."""\n\n\ndef handle(project):\n    print(project.settings.motto)\n'
    )
    house.env(DATABASE_URL="sqlite:///school.db", MOTTO='"Know thyself"')

    assert manage.ok("motto").out == "Know thyself\n"


# URLs


def test_a_relative_sqlite_path_is_relative_to_manage_py(house: House, manage: Runner, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (house.root / "data").mkdir()

    manage.ok("migrate", env={"DATABASE_URL": "sqlite:///data/school.db"}, cwd=elsewhere)

    assert made(house, "data/school.db")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["my school.db", "100%.db", "a#b.db", "Schülerin.db", "semi;colon.db", "quo'te.db"])
def test_an_sqlite_file_may_have_any_name(house: House, manage: Runner, name: str) -> None:
    house.write(".env", f'DATABASE_URL="sqlite:///{name.replace("%", "%25")}"\n')

    manage.ok("migrate")

    assert made(house, name)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "sqlite+aiosqlite://"]
)
def test_an_in_memory_database_is_refused(manage: Runner, url: str) -> None:
    for command in ("migrate", "showmigrations", "reset", "seed"):
        line = manage(command, env={"DATABASE_URL": url}).refusal()

        assert "in-memory" in line
        assert "sqlite:///school.db" in line


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"])
def test_sqlite_urls_of_every_driver_work(manage: Runner, sqlite_database: Database, scheme: str) -> None:
    manage.ok("migrate", env={"DATABASE_URL": sqlite_database.url.replace("sqlite", scheme, 1)})

    assert "students" in sqlite_database.tables()


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg", "postgresql+psycopg_async"]
)
def test_postgresql_urls_of_every_driver_work(manage: Runner, postgresql_database: Database, scheme: str) -> None:
    manage.ok("migrate", env={"DATABASE_URL": postgresql_database.url.replace("postgresql", scheme, 1)})

    assert "students" in postgresql_database.tables()


@pytest.mark.parametrize(
    "scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql", "mysql+aiomysql", "mariadb+asyncmy"]
)
def test_mariadb_urls_of_every_driver_work(manage: Runner, mariadb_database: Database, scheme: str) -> None:
    manage.ok("migrate", env={"DATABASE_URL": mariadb_database.url.replace("mariadb", scheme, 1)})

    assert "students" in mariadb_database.tables()
    assert mariadb_database.all_tables() >= BOOKKEEPING


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("asyncpg", "prepared_statement_cache_size=0&ssl=disable"),
        ("asyncpg", "statement_cache_size=0&command_timeout=60&timeout=5&ssl=prefer"),
        ("asyncpg", "server_settings=x&max_cached_statement_lifetime=0&ssl=false"),
        ("asyncpg", "application_name=web&target_session_attrs=read-write"),
    ],
)
def test_postgresql_options_of_an_async_driver_do_no_harm(
    manage: Runner, postgresql_database: Database, driver: str, options: str
) -> None:
    url = postgresql_database.url.replace("postgresql", f"postgresql+{driver}", 1)

    manage.ok("migrate", env={"DATABASE_URL": f"{url}?{options}"})

    assert "students" in postgresql_database.tables()


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("aiomysql", "minsize=1&maxsize=5&pool_recycle=3600&echo=true"),
        ("asyncmy", "charset=utf8mb4&autocommit=true&ssl=preferred"),
        ("aiomysql", "ssl=false&connect_timeout=5"),
        ("pymysql", "ssl_disabled=false&read_timeout=60&max_allowed_packet=16000000&local_infile=0&passwd="),
    ],
)
def test_mariadb_options_of_an_async_driver_do_no_harm(
    manage: Runner, mariadb_database: Database, driver: str, options: str
) -> None:
    url = mariadb_database.url.replace("mariadb", f"mariadb+{driver}", 1)

    manage.ok("migrate", env={"DATABASE_URL": f"{url}?{options}"})

    assert "students" in mariadb_database.tables()


@pytest.mark.parametrize("asked", ["true", "1", "require"])
@pytest.mark.parametrize("driver", ["asyncpg", "aiomysql"])
def test_tls_that_an_async_url_asks_for_is_insisted_on(manage: Runner, driver: str, asked: str) -> None:
    # Neither of the servers speaks TLS: only one who insists on it is turned away.
    kind = {"asyncpg": "postgresql", "aiomysql": "mysql"}[driver]
    address = server_address({"postgresql": "postgresql", "mysql": "mariadb"}[kind])
    url = address.set(drivername=f"{kind}+{driver}", database="postgres" if kind == "postgresql" else "mysql")

    line = manage("migrate", "--plan", env={"DATABASE_URL": f"{url}?ssl={asked}"}).refusal()

    assert "cannot be reached" in line
    assert "SSL" in line


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("minsize=1", "'minsize', which PyMySQL does not know"),
        ("charsett=utf8mb4", "Did you mean 'charset'"),
        ("autocommit=true", "'autocommit'"),
        ("charset=nope", "'charset' of DATABASE_URL is 'nope'"),
        ("charset=utf8mb4&charset=utf8", "'charset' twice"),
        ("ssl_ca=/nope", "'ssl_ca' of DATABASE_URL is '/nope'"),
        ("ssl_ca=manage.py", "ssl_ca"),
        ("ssl_disabled=perhaps", "'ssl_disabled' of DATABASE_URL is 'perhaps'"),
        ("ssl=perhaps", "'ssl' of DATABASE_URL is 'perhaps'"),
        ("read_timeout=abc", "'read_timeout' of DATABASE_URL is 'abc'"),
        ("connect_timeout=0", "'connect_timeout'"),
        ("connect_timeout=99999999", "connect_timeout"),
        ("port=abc", "'port'"),
    ],
)
def test_a_mariadb_option_that_cannot_be_used_is_named(manage: Runner, option: str, told: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": f"mariadb://root@127.0.0.1:3306/school?{option}"}).refusal()

    assert told in line


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("statement_cache_size=0", "'statement_cache_size', which psycopg does not know"),
        ("ssl_mode=require", "Did you mean 'sslmode'"),
        ("row_factory=x", "'row_factory'"),
        ("ssl=perhaps", "'ssl' of DATABASE_URL is 'perhaps'"),
        ("connect_timeout=abc", "'connect_timeout' of DATABASE_URL is 'abc'"),
        ("application_name=a&application_name=b", "'application_name' twice"),
        ("sslmode=nope", 'invalid sslmode value: "nope"'),
        ("keepalives=abc", 'invalid integer value "abc" for connection option "keepalives"'),
        ("options=-c%20foo%3Dbar", 'parameter "foo"'),
        ("port=abc", "'abc'"),
    ],
)
def test_a_postgresql_option_that_cannot_be_used_is_named(manage: Runner, option: str, told: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": f"postgresql://postgres@127.0.0.1:5432/postgres?{option}"}).refusal()

    assert told in line
    assert "start it" not in line


@pytest.mark.parametrize(
    ("url", "close"),
    [
        ("sqllite:///school.db", "sqlite"),
        ("postgresq://localhost/x", "postgresql"),
        ("mariadbb://localhost/x", "mariadb"),
    ],
)
def test_an_unknown_scheme_is_refused_with_the_close_one(manage: Runner, url: str, close: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert repr(url.partition(":")[0]) in line
    assert f"Did you mean '{close}'" in line


def test_a_scheme_like_no_other_says_what_it_can_be(manage: Runner) -> None:
    line = manage("migrate", env={"DATABASE_URL": "oracle://localhost/x"}).refusal()

    assert "'oracle'" in line
    assert "sqlite, postgresql, mariadb or mysql" in line


@pytest.mark.parametrize(
    "url", ["school.db", "/var/lib/school.db", "://", "postgresql:/localhost", "postgresql://h:x/d"]
)
def test_what_is_no_url_is_refused_with_an_example(manage: Runner, url: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert "DATABASE_URL (in the environment) is not a database URL" in line
    assert "scheme://user:password@host:port/database" in line


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        ("postgresql+pg8000", "pip install pg8000, or write postgresql:// to use psycopg"),
        ("postgresql+psycopg2", "pip install psycopg2-binary, or write postgresql:// to use psycopg"),
        ("mysql+mysqldb", "pip install mysqlclient, or write mysql:// to use pymysql"),
    ],
)
def test_a_driver_that_is_not_installed_is_said_with_the_package_that_has_it(
    manage: Runner, scheme: str, told: str
) -> None:
    line = manage("migrate", env={"DATABASE_URL": f"{scheme}://localhost/x"}).refusal()

    assert "is not installed" in line
    assert told in line


@pytest.mark.parametrize("module", ["json", "base"])
def test_a_module_that_is_no_driver_is_refused(manage: Runner, module: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": f"postgresql+{module}://localhost/x"}).refusal()

    assert repr(module) in line or f"driver {module} " in line


@pytest.mark.parametrize("name", ["school?.db", "school.db?", "x?b#c", "?", "a?b=c.db"])
def test_a_question_mark_in_the_name_of_a_file_opens_no_other_file(house: House, manage: Runner, name: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": f"sqlite:///{name}"}).refusal()
    files = list(house.root.glob("*.db")) + list(house.root.glob("x*"))
    manage.ok("migrate", env={"DATABASE_URL": f"sqlite:///{name.replace('?', '%3F')}"})

    assert files == []
    assert "%3F" in line
    assert made(house, name)


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
@pytest.mark.parametrize("command", [("migrate",), ("migrate", "--create-database"), ("showmigrations",), ("seed",)])
def test_a_server_url_without_a_database_is_refused(manage: Runner, scheme: str, command: tuple[str, ...]) -> None:
    for end in ("", "/", "/?connect_timeout=5"):
        line = manage(*command, env={"DATABASE_URL": f"{scheme}://root@127.0.0.1:1{end}"}).refusal()

        assert "names no database" in line
        assert f"as in {scheme}://ada@localhost/school" in line


def test_postgresql_may_have_its_database_named_elsewhere(manage: Runner, tmp_path: Path) -> None:
    tmp_path.joinpath("services").write_text("[elsewhere]\nhost=127.0.0.1\nport=1\ndbname=school\n")
    elsewhere = {"PGSERVICEFILE": str(tmp_path / "services")}
    named: list[tuple[str, dict[str, str]]] = [
        ("postgresql://ada@127.0.0.1:1?dbname=school", {}),
        ("postgresql://ada@127.0.0.1:1", {"PGDATABASE": "school"}),
        ("postgresql://?service=elsewhere", elsewhere),
        ("postgresql://", {"PGSERVICE": "elsewhere", **elsewhere}),
    ]
    for url, variables in named:
        line = manage("migrate", env={"DATABASE_URL": url, **variables}).refusal()

        assert "cannot be reached" in line


# Passwords


def test_an_at_sign_in_a_password_is_recognised(manage: Runner) -> None:
    for scheme in ("postgresql", "mariadb"):
        line = manage("migrate", env={"DATABASE_URL": f"{scheme}://ada:{SECRET}@home@127.0.0.1/school"}).refusal()

        assert "write @ as %40" in line
        assert SECRET not in line


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{SECRET}@127.0.0.1:1/school",
        f"mariadb://ada:{SECRET}@127.0.0.1:1/school",
        f"mariadb://ada:{SECRET}@127.0.0.1:3306/school",
        f"postgresql://ada:{SECRET}@host.invalid/school",
        f"postgresql://ada@127.0.0.1:1/school?password={SECRET}",
        f"mariadb://ada@127.0.0.1:1/school?password={SECRET}",
        f"postgresql://ada:{SECRET}@home@127.0.0.1/school",
        f"postgresql://ada:{SECRET}#1@127.0.0.1/school",
        f"postgresql://ada:{SECRET}/1@127.0.0.1/school",
        f"postgresql://ada:{SECRET}:1@127.0.0.1:x/school",
        f"postgresql://ada:%{SECRET}%@127.0.0.1:1/school",
        f"nonsense://ada:{SECRET}@127.0.0.1/school",
        f"postgresql+pg8000://ada:{SECRET}@127.0.0.1/school",
        f"ada:{SECRET}@127.0.0.1/school",
        f"postgresql://ada:{SECRET}@[::1/school",
    ],
    ids=str.lower,
)
def test_a_password_is_in_no_output(manage: Runner, alembic: Runner, url: str) -> None:
    for runner, command in (
        (manage, ("migrate", "-v", "3", "--traceback")),
        (manage, ("reset", "--no-input", "--allow-remote")),
        (manage, ("check",)),
        (alembic, ("upgrade", "head")),
    ):
        result = runner(*command, env={"DATABASE_URL": url})

        assert result.code == 1 or runner is alembic
        assert SECRET not in result.out + result.err


def test_a_password_given_as_an_option_is_in_no_output(manage: Runner) -> None:
    url = f"postgresql://ada:{SECRET}@127.0.0.1:1/school"

    result = manage("migrate", "--database-url", url, "-v", "3", "--traceback").expect(1)

    assert SECRET not in result.out + result.err


def test_a_password_that_works_is_in_no_output_either(manage: Runner, server_database: Database) -> None:
    # These servers trust everybody of this machine, or know a user without a password: only the first takes any.
    url = server_database.url.replace("postgres@", f"postgres:{SECRET}@")

    for command in (("migrate", "-v", "3"), ("showmigrations", "--json"), ("check", "-v", "3"), ("migrate", "--sql")):
        result = manage.ok(*command, env={"DATABASE_URL": url})

        assert SECRET not in result.out + result.err


@pytest.mark.parametrize("password", ["Käse", "schlüssel-密码-🔑", "π"])
def test_a_password_may_have_any_letters(manage: Runner, server_database: Database, password: str) -> None:
    with user_with_password(server_database, password) as url:
        manage.ok("migrate", env={"DATABASE_URL": url})

    assert "students" in server_database.tables()


def test_a_byte_that_is_no_letter_in_a_password_is_said_as_such(manage: Runner, server_database: Database) -> None:
    url = server_database.url.replace("@127", ":\udcff@127")

    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert "database, user or password" in line
    assert "UTF-8" in line


@pytest.mark.parametrize(
    "url",
    [
        f"sqlite://ada:{SECRET}@127.0.0.1/school",
        f"sqlite:///ada:{SECRET}@127.0.0.1/school",
        f"sqlite+aiosqlite:////ada:{SECRET}/2@127.0.0.1:5432/school",
    ],
)
def test_the_wrong_scheme_shows_no_password_and_makes_no_file(house: House, manage: Runner, url: str) -> None:
    line = manage("migrate", env={"DATABASE_URL": url}).refusal()

    assert "goes on like the URL of a server" in line
    assert SECRET not in line
    assert not (house.root / "school").exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@127.0.0.1/postgres%00_of_somebody",
        "mariadb://root:%00@127.0.0.1/mysql",
        "mariadb://root@127.0.0.1/mysql?charset=utf8mb4%00",
        "sqlite:///school.db%00.txt",
    ],
)
def test_a_name_is_not_cut_at_a_nul(house: House, manage: Runner, url: str) -> None:
    for command in ("check", "migrate", "dbshell"):
        result = manage(command, "--database-url", url).expect(1)

        assert "DATABASE_URL (given as --database-url) holds a NUL character" in result.out + result.err
    assert not list(house.root.glob("school*"))


def test_a_file_name_that_is_no_utf_8_works(house: House, manage: Runner) -> None:
    manage.ok("migrate", "--database-url", "sqlite:///caf\udce9.db")

    assert made(house, "caf\udce9.db")


@contextmanager
def user_with_password(database: Database, password: str) -> Iterator[str]:
    """Make a user who may do everything in a database; yield its DATABASE_URL."""
    name = database.name
    everything = {
        "postgresql": f"ALTER DATABASE {name} OWNER TO {name}",
        "mariadb": f"GRANT ALL ON {name}.* TO {name}@'127.0.0.1'",
    }[database.kind]
    made = {
        "postgresql": f"CREATE ROLE {name} LOGIN PASSWORD '{password}'",
        "mariadb": f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{password}'",
    }[database.kind]
    gone = {
        "postgresql": f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}; DROP ROLE {name}",
        "mariadb": f"DROP USER {name}@'127.0.0.1'",
    }[database.kind]
    database.execute(made, everything)
    try:
        address = database.address.set(drivername=database.kind, username=name, password=password)
        yield address.render_as_string(hide_password=False)
    finally:
        database.execute(*gone.split("; "))


# Whatever is in it


PIECES = ["DATABASE_URL", "ENVIRONMENT", "A", "=", " = ", "'", '"', "#", " # ", "\n", "\r\n", "\r", "\t", "\x0c"]
PIECES += ["\\", "\\n", "export ", "${A}", "$", "sqlite:///school.db", "Zoë", "\u2028", "\x00", "\ufeff", "\x1b[2J"]
WRITTEN = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.one_of(WRITTEN.map(str.encode), WRITTEN.map(lambda text: text.encode("utf-16")), st.binary(max_size=60)))
@example("A=ä\n".encode("latin-1"))
@example(b"\n  \n\tA='open\n")
@example(b"A='of\r\ntwo lines'\r\nB=\"of\rtwo\"\r")
@example("\ufeff\ufeff=".encode())
@example("\ufeff\ufeff\n\ufeff".encode())
def test_dot_env_is_what_python_dotenv_reads_or_is_refused_by_name_and_line(content: bytes) -> None:
    with a_file(content) as file, without_variables():
        if is_wrong(content):
            with pytest.raises(CommandError) as refusal:
                Variables.read(file, required=True)

            line = re.search(rf"{re.escape(file.name)}, line (\d+)", str(refusal.value))
            assert line is not None
            assert 1 <= int(line[1]) <= len(content) + 1
            return

        read = Variables.read(file, required=True)

        for name, value in dotenv_values(file, interpolate=False).items():
            if value and value.strip() and "${" not in value:
                assert read.required(name, "") == value.strip()


def is_wrong(content: bytes) -> bool:
    """Return whether python-dotenv itself cannot read it, or would take one of two values without a word."""
    try:
        bindings = list(parse_stream(io.StringIO(content.decode(), newline=None)))
    except UnicodeDecodeError:
        return True
    names = [one.key for one in bindings if one.key is not None]
    return b"\0" in content or any(one.error for one in bindings) or len(names) > len(set(names))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
@example("@:/#%?&=+ '\"\\")
@example("${HOME}")
def test_any_password_that_is_escaped_reaches_the_driver(password: str) -> None:
    for scheme in ("postgresql", "mysql+aiomysql"):
        url = f"{scheme}://ada:{quote(password, safe='')}@127.0.0.1:1/school"
        with a_file(f"DATABASE_URL={url}\n".encode()) as file, without_variables():
            found = [Project("project", REPOSITORY, env_file=file).backend]
            found += [Project("project", REPOSITORY, database_url=url).backend]

        assert [password_given(backend) for backend in found] == [password, password]


def password_given(backend: Backend) -> object:
    _, given = backend.url.get_dialect()().create_connect_args(backend.url)
    return given["password"]


WORDS = ("Geheim", "hunter2", "Pa55wort")  # none of which may be seen
BETWEEN = st.text(st.sampled_from("@:/#%?&=+. \n\t\x1b'\\[]$ä密🔑"), max_size=3)


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(BETWEEN, BETWEEN, BETWEEN, BETWEEN),
    st.sampled_from(["postgresql", "mariadb", "mysql+asyncmy", "sqlite", "sqlite:/", "postgresql+pg8000", "http"]),
    st.sampled_from(["@127.0.0.1:1", "@127.0.0.1:x", "@[::1", "@127.0.0.1:1/a?port=x", ""]),
    st.booleans(),
)
@example(("", "@", "/", ""), "postgresql", "@127.0.0.1:1", False)
@example(("", "@", ":", ""), "postgresql", "@127.0.0.1:1", False)
@example(("", "", "", ""), "postgresql", "", False)
@example(("", "/", "", ""), "sqlite", "@127.0.0.1:1", False)
@example(("", "/", "", ""), "sqlite:/", "@127.0.0.1:1", False)
def test_no_part_of_a_password_is_in_what_is_said_of_it(
    between: tuple[str, ...], scheme: str, host: str, escaped: bool
) -> None:
    password = "".join(map("".join, zip(between, (*WORDS, ""), strict=True)))
    if not host:  # then what stands after an @ is taken for one
        password = password.replace("@", "")
        assume(scheme in ("postgresql", "mariadb"))
    url = f"{scheme}://ada:{quote(password, safe='') if escaped else password}{host}/school"

    refusal = refused(url)

    said = "".join(format_exception(refusal))
    assert not [word for word in WORDS if word.lower() in said.lower()]
    if not escaped and "@" in password and not scheme.startswith("sqlite"):
        assert "write @ as %40" in str(refusal)


def refused(url: str) -> CommandError:
    """Return why nothing can be connected to."""
    project = Project("project", REPOSITORY, database_url=url)
    with without_variables():
        try:
            with project.connect():
                raise AssertionError("there is nothing at this URL")
        except CommandError as error:
            return error


@contextmanager
def a_file(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "my.env")
        file.write_bytes(content)
        yield file


@contextmanager
def without_variables() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for name in os.environ:
            patched.delenv(name)
        yield
