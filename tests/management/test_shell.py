"""The two shells: Python with the models and a session, and the database's own client."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Database
from tests.houses import House, OpenTerminal, Python, Runner

ADA = "Student(name='Ada Lovelace', email='ada@example.org', grade=5, birthday=datetime.date(2015, 12, 10))"
PROMPTS = {"sqlite": "sqlite> ", "postgresql": "=# ", "mariadb": "]> "}
QUIT = {"sqlite": ".quit", "postgresql": "\\q", "mariadb": "exit"}
# A client that says how it was called, instead of one that may not be installed.
CLIENT = """\
#!/bin/sh
printf '%s\\n' "${0##*/}" "$@"
"""
# What is called of IPython, which says with what it was called.
IPYTHON = """\
def start_ipython(argv, user_ns):
    print("IPython has", argv, user_ns["Student"].__name__, "session" in user_ns)
"""


def programs(house: House, *names: str) -> dict[str, str | None]:
    """Return an environment in which these are the only programs."""
    for name in names:
        house.write(f"bin/{name}", CLIENT).chmod(0o755)
    (house.root / "bin").mkdir(exist_ok=True)
    return {"PATH": str(house.root / "bin")}


# Python: -c


def test_code_is_run_with_the_models_a_session_and_sqlalchemy(manage: Runner, migrated: Database) -> None:
    added = manage.ok("shell", "-c", f"import datetime\nsession.add({ADA})\nsession.commit()")
    asked = manage.ok(
        "shell",
        "-c",
        "def grade():\n"
        "    return session.scalars(sa.select(Student.grade)).one()\n"
        "print([grade() for _ in range(2)], session.query(Subject).count(), Enrollment.__tablename__)\n"
        "print(session.get_bind().engine.dialect.name, project.root)",
    )

    assert (added.out, added.err) == ("", "")
    assert asked.out.splitlines()[0] == "[5, 5] 14 enrollments"
    assert asked.out.splitlines()[1].startswith(migrated.kind)
    assert asked.err == ""
    assert migrated.rows("SELECT name FROM students") == [("Ada Lovelace",)]


def test_code_that_is_no_utf_8_is_refused(python: Python, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")

    assert "the code is not UTF-8 text" in manage("shell", "-c", "print('caf\udce9')").refusal(2)
    assert "UTF-8" in python.shell(r"printf 'print(\351)' | $MANAGE shell", env={"LANG": "C.UTF-8"}).refusal(2)


def test_without_any_input_the_shell_has_nothing_to_do(
    python: Python, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")

    assert python.shell("exec $MANAGE shell <&-").expect(0).out == ""


def test_what_is_not_committed_is_not_kept(manage: Runner, migrated: Database) -> None:
    manage.ok("shell", "-c", f"import datetime\nsession.add({ADA})\nsession.flush()")

    assert migrated.count("students") == 0


@pytest.mark.parametrize(("end", "exit_code"), [("", 0), ("\nraise ValueError('no')", 1)])
def test_what_is_still_open_at_its_end_is_written(
    python: Python, manage: Runner, sqlite_database: Database, tmp_path: Path, end: str, exit_code: int
) -> None:
    manage.ok("migrate")
    code = f"file = open({str(tmp_path / 'kept')!r}, 'w')\ndef write():\n    file.write('all of it')\nwrite()"

    python("shell", "-c", code + end, env={"PYTHONWARNINGS": "ignore::ResourceWarning"}).expect(exit_code)

    assert (tmp_path / "kept").read_text() == "all of it"


def test_every_model_is_there_without_a_list(house: House, manage: Runner, sqlite_database: Database) -> None:
    student = house.read("project/models/student.py")
    house.write(
        "project/models/teacher.py",
        student.replace("Student", "Teacher").replace("students", "teachers").replace("name=", "name='t' "),
    )
    manage.ok("migrate")

    assert manage.ok("shell", "-c", "print(Teacher.__tablename__)").out == "teachers\n"


@pytest.mark.parametrize(
    ("code", "ends", "told"),
    [
        ("raise ValueError('no such luck')", 1, "no such luck"),
        ("undefined_name", 1, "NameError"),
        ("if True print()", 1, "SyntaxError"),
        ("session.execute(sa.text('SELECT * FROM nowhere'))", 1, "nowhere"),
        ("import sys; sys.exit(7)", 7, ""),
        ("raise SystemExit", 0, ""),
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("", 0, ""),
    ],
)
def test_the_exit_code_says_how_the_code_ended(
    manage: Runner, sqlite_database: Database, code: str, ends: int, told: str
) -> None:
    manage.ok("migrate")

    result = manage("shell", "-c", code).expect(ends)

    assert result.out == ""
    assert told in result.err
    assert bool(result.err) == bool(told)


def test_a_broken_constraint_is_one_line(manage: Runner, database: Database) -> None:
    manage.ok("migrate")

    line = manage(
        "shell", "-c", f"import datetime\nsession.add({ADA.replace('grade=5', 'grade=13')})\nsession.commit()"
    ).refusal()

    assert "grade_between_1_and_12" in line
    assert database.count("students") == 0


def test_what_a_database_says_is_words_and_no_tuple(manage: Runner, migrated: Database) -> None:
    manage.ok("seed", "-v", "0")

    line = manage("shell", "-c", "session.execute(sa.text('DELETE FROM subjects'))").refusal()

    assert line.startswith("the database refused: ")
    assert "foreign key" in line.lower()
    assert "(1451" not in line
    assert "'Cannot" not in line


def test_a_module_that_an_installed_library_has_not_is_no_missing_dependency(
    manage: Runner, migrated: Database
) -> None:
    result = manage("shell", "-c", "import sqlglot.missing").expect(1)

    assert "No module named 'sqlglot.missing'" in result.err
    assert "is not installed" not in result.err


def test_without_a_database_there_is_no_shell(manage: Runner, sqlite_database: Database) -> None:
    line = manage("shell", "-c", "print('here')").refusal()

    assert line == f"the database {sqlite_database.name} does not exist yet — python manage.py migrate makes it"
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


# Python: on a terminal


def test_on_a_terminal_it_answers_until_ctrl_d(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    screen = terminal("shell")
    shown = screen.read_until(">>> ")

    screen.type("session.query(Subject).count() * 1000 + 7")
    screen.read_until("14007")
    screen.type("nothing_of_this_name")
    screen.read_until("NameError: name 'nothing_of_this_name' is not defined")
    screen.type("import sys; sys.ps1 = 'still' + ' here> '")
    screen.read_until("still here> ")
    screen.press(b"\x04")

    screen.wait().expect(0)
    assert f"{sqlite_database.name} (SQLite)" in shown
    assert all(name in shown for name in ("Student", "Subject", "Enrollment", "session", "sa"))


def test_ipython_is_taken_where_it_is_installed(
    house: House, manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    house.write("IPython/__init__.py", IPYTHON)

    result = terminal("shell").wait().expect(0)

    assert "IPython has [] Student True" in result.out
    assert ">>>" not in result.out


# The database's own client


def test_dbshell_opens_the_client_at_this_database(manage: Runner, migrated: Database) -> None:
    result = manage.ok("dbshell", stdin="SELECT count(*) FROM subjects;\nCREATE TABLE made_there (id INTEGER);\n")

    assert "14" in result.out.split()
    assert "made_there" in migrated.tables()


def command_lines() -> str:
    """Return the command lines of everything that runs on this machine, as `ps` shows them to everybody."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(found)


@pytest.fixture
def password(server_database: Database) -> Iterator[str]:
    """The password of a user called like the database; PostgreSQL's trust lets anybody in with any password."""
    password = f"{secrets.token_hex(8)} %@:/#?'\"\\"
    if server_database.kind == "postgresql":
        yield password
        return
    user = f"{server_database.name}@'%'"
    server_database.execute(f"CREATE USER {user} IDENTIFIED BY :password", password=password)
    try:
        server_database.execute(f"GRANT ALL ON {server_database.name}.* TO {user}")
        yield password
    finally:
        server_database.execute(f"DROP USER {user}")


def test_the_password_reaches_the_client_and_no_command_line(
    manage: Runner, terminal: OpenTerminal, server_database: Database, password: str
) -> None:
    kind = server_database.kind
    user = server_database.address.username if kind == "postgresql" else server_database.name
    address = server_database.address.set(drivername=kind, username=user, password=password)
    screen = terminal("dbshell", env={"DATABASE_URL": address.render_as_string(hide_password=False), "PAGER": "cat"})

    screen.read_until(PROMPTS[kind])
    running = command_lines()
    screen.type("\\! printenv PGPASSWORD MYSQL_PWD")
    screen.read_until(password)
    screen.type("SELECT 6 * 7000 + 11;")
    screen.read_until("42011")
    screen.type(QUIT[kind])
    screen.wait()

    assert server_database.name in running
    assert password[:16] not in running


def test_an_sqlite_client_is_a_terminal_of_its_own(
    manage: Runner, terminal: OpenTerminal, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    screen = terminal("dbshell")

    screen.read_until(PROMPTS["sqlite"])
    screen.type("SELECT count(*) * 3003 FROM subjects;")
    screen.read_until("42042")
    screen.type(QUIT["sqlite"])

    screen.wait().expect(0)


def test_a_client_that_is_not_installed_is_named(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")
    program, title = {
        "sqlite": ("sqlite3", "SQLite"),
        "postgresql": ("psql", "PostgreSQL"),
        "mariadb": ("mariadb", "MariaDB"),
    }[database.kind]

    line = manage("dbshell", env=programs(house)).refusal()

    assert line == (f"the program {program} is not installed — install the client of {title}, or use manage.py shell")


@pytest.mark.parametrize(("installed", "used"), [(("mysql",), "mysql"), (("mysql", "mariadb"), "mariadb")])
@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_the_client_of_mariadb_may_have_its_former_name(
    house: House, manage: Runner, scheme: str, installed: tuple[str, ...], used: str
) -> None:
    url = f"{scheme}://ada:s3cret@127.0.0.1:3307/school"

    result = manage.ok("dbshell", env={**programs(house, *installed), "DATABASE_URL": url})

    name, *arguments = result.out.splitlines()
    assert name in (used, "mariadb")
    assert arguments == ["--host=127.0.0.1", "--port=3307", "--user=ada", "--", "school"]


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("postgresql://ada:s3cret@db.invalid:5433/school", ["psql"]),  # its environment says the rest, as below
        ("mariadb://ada@localhost/a%20b", ["mariadb", "--host=localhost", "--user=ada", "--", "a b"]),
        (
            "mariadb+aiomysql://ada:s3cret@localhost/school?unix_socket=/run/my.sock",
            ["mariadb", "--host=localhost", "--user=ada", "--socket=/run/my.sock", "--", "school"],
        ),
        ("mariadb://ada@localhost/--help", ["mariadb", "--host=localhost", "--user=ada", "--", "--help"]),
    ],
)
def test_the_client_is_told_where_and_who_and_no_secret(
    house: House, manage: Runner, url: str, called: list[str]
) -> None:
    result = manage.ok("dbshell", env={**programs(house, "psql", "mariadb"), "DATABASE_URL": url})

    assert result.out.splitlines() == called
    assert result.err == ""


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql://ada:s3cret@db.invalid:5433/school",
            {"PGHOST=db.invalid", "PGPORT=5433", "PGUSER=ada", "PGPASSWORD=s3cret", "PGDATABASE=school"},
        ),
        ("postgres+asyncpg://ada@db.invalid/school", {"PGHOST=db.invalid", "PGUSER=ada", "PGDATABASE=school"}),
        ("postgresql:///school", {"PGDATABASE=school"}),
        ("postgresql:///school?hostaddr=192.0.2.7", {"PGDATABASE=school", "PGHOSTADDR=192.0.2.7"}),
        ("postgresql:///school?service=elsewhere", {"PGDATABASE=school", "PGSERVICE=elsewhere"}),
    ],
)
def test_psql_gets_what_the_url_says_in_its_environment(house: House, manage: Runner, url: str, told: set[str]) -> None:
    house.write("bin/psql", "#!/bin/sh\n/usr/bin/env\n").chmod(0o755)

    result = manage.ok("dbshell", env={"PATH": str(house.root / "bin"), "DATABASE_URL": url})

    assert {line for line in result.out.splitlines() if line.startswith("PG")} == told


def test_the_clients_exit_code_is_that_of_dbshell(house: House, manage: Runner) -> None:
    environment = programs(house)
    house.write("bin/psql", "#!/bin/sh\nexit 3\n").chmod(0o755)

    manage("dbshell", env={**environment, "DATABASE_URL": "postgresql:///school"}).expect(3)


def test_a_missing_sqlite_file_is_refused_and_not_made(house: House, manage: Runner, sqlite_database: Database) -> None:
    line = manage("dbshell", env=programs(house, "sqlite3")).refusal()

    assert line == f"the database {sqlite_database.name} does not exist yet — python manage.py migrate makes it"
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()
