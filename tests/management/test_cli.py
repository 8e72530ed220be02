"""The command line itself: help, wrong usage, exit codes, interruptions, and streams that go away."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import Database
from tests.houses import House, OpenTerminal, Python, Runner, environment
from tests.processes import DEADLINE

COMMANDS = ("migrate", "rollback", "showmigrations", "makemigrations", "seed", "reset", "check", "shell", "dbshell")
HEAVY = ("sqlalchemy", "alembic", "faker", "dotenv", "sqlglot", "rich", "argparse", "project.models")
WAIT = '''"""Wait until somebody ends this."""

import time


def handle(project):
    print("waiting", flush=True)
    time.sleep(600)
'''
SLOW = '''"""Slow to import."""

import sys
import time

print("importing", file=sys.stderr, flush=True)
time.sleep(600)
'''
GREET = '''"""Greet somebody of the school.

Kindly.
"""


def add_arguments(parser):
    parser.add_argument("name")
    parser.add_argument("--times", type=int, default=1)


def handle(project, *, name, times):
    project.console.result(f"Hello {name}! " * times)
    return 3 if name == "nobody" else None
'''
TEACHER = '''"""A teacher, who says nothing of itself."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Teacher(Base):
    __tablename__ = "teachers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
'''


# Help


@pytest.mark.parametrize("asking", [(), ("help",), ("--help",), ("-h",)], ids=["alone", "help", "--help", "-h"])
def test_help_lists_every_command_in_groups(manage: Runner, asking: tuple[str, ...]) -> None:
    result = manage.ok(*asking)

    for group in ("Migrations", "Data", "Inspection", "This project"):
        assert group in result.out.splitlines()
    listed = [line.split()[0] for line in result.out.splitlines() if line.startswith("  ")]
    assert [one for one in listed if one in COMMANDS] == list(COMMANDS)
    assert "show" in listed
    assert result.err == ""


def test_help_says_what_each_command_does_in_one_line(manage: Runner) -> None:
    result = manage.ok("help")

    summaries = [line for line in result.out.splitlines() if line.startswith("  ")]
    assert all(len(line.split(maxsplit=1)) == 2 for line in summaries)
    assert all(len(line) <= 120 for line in summaries)


def test_help_imports_no_library_and_no_model(python: Python) -> None:
    result = python("help", flags=("-X", "importtime")).expect(0)

    imported = {line.rpartition("|")[2].strip() for line in result.err.splitlines()}
    assert "project.management.cli" in imported
    assert {one for one in imported if one.startswith(HEAVY)} == set()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_what_copies_a_database_imports_nothing_heavy(python: Python, manage: Runner, database: Database) -> None:
    manage.ok("reset", "--no-input")

    for command, said in (
        (("snapshot", "by-hand"), "Saved"),
        (("reset", "--no-input"), "Restored from snapshot"),
        (("restore", "by-hand", "--no-input"), "Restored in"),
        (("snapshots",), "by-hand"),
        (("snapshots", "--delete", "by-hand"), "Deleted 1 snapshot"),
    ):
        database.execute("UPDATE students SET grade = 13 - grade")
        result = python(*command, flags=("-X", "importtime")).expect(0)

        assert said in result.out
        imported = {line.rpartition("|")[2].strip() for line in result.err.splitlines()}
        assert "project.management.snapshots" in imported
        assert {one for one in imported if one.startswith(HEAVY)} <= {"argparse", "psycopg"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_shows_what_it_does_and_its_options(manage: Runner, command: str) -> None:
    result = manage.ok("help", command)
    same = manage.ok(command, "--help")

    assert result.out == same.out
    assert result.out.startswith(f"usage: manage.py {command}")
    for option in ("--database-url", "--env-file", "--verbosity", "--traceback", "--no-color"):
        assert option in result.out


def test_help_of_an_unknown_command_is_refused(manage: Runner) -> None:
    assert "unknown command 'sed'. Did you mean 'seed'?" in manage("help", "sed").refusal(2)


# Wrong usage


def test_an_unknown_command_is_refused_with_the_close_one(manage: Runner) -> None:
    result = manage("migate")

    assert result.refusal(2).startswith("unknown command 'migate'. Did you mean 'migrate'?")
    assert result.out == ""


def test_an_unknown_command_like_no_other_points_to_help(manage: Runner) -> None:
    line = manage("xyzzy").refusal(2)

    assert line.startswith("unknown command 'xyzzy'")
    assert "Did you mean" not in line
    assert "python manage.py help" in line


@pytest.mark.parametrize(
    "wrong",
    [
        ("migrate", "--nonsense"),
        ("migrate", "head", "head"),
        ("migrate", "--pla"),
        ("migrate", "--plan", "--fake"),
        ("migrate", "-v", "4"),
        ("migrate", "-v", "loud"),
        ("migrate", "--database-url"),
        ("rollback", "one"),
        ("rollback", "0"),
        ("rollback", "-1"),
        ("rollback", "1.5"),
        ("rollback", "99999999999999999999"),
        ("showmigrations", "students"),
        ("makemigrations",),
        ("makemigrations", "--data", "--empty", "-m", "Both"),
        ("shell", "-c"),
        ("check", "everything"),
        ("seed", "--count", "-1"),
        ("seed", "--count", "1.5"),
        ("seed", "--count", "many"),
        ("reset", "--count", "-5"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_with_exit_code_2(
    manage: Runner, sqlite_database: Database, wrong: tuple[str, ...]
) -> None:
    result = manage(*wrong)

    result.refusal(2)
    assert result.out == ""
    assert not sqlite_database.all_tables()


@pytest.mark.parametrize(
    "order",
    [
        ("seed", "students", "--count", "3", "subjects", "--dry-run"),
        ("seed", "--dry-run", "students", "subjects", "--count", "3"),
        ("seed", "students", "--dry-run", "--", "subjects"),
        ("migrate", "-v", "0", "+1", "--plan"),
        ("migrate", "+1", "--plan", "-v", "0"),
    ],
    ids=" ".join,
)
def test_arguments_and_options_come_in_any_order(
    manage: Runner, sqlite_database: Database, order: tuple[str, ...]
) -> None:
    if order[0] == "seed":
        manage.ok("migrate")

    out = manage.ok(*order).out

    assert ("students" in out and "subjects" in out) if order[0] == "seed" else out.startswith("  up")


def test_a_command_may_take_the_rest_of_its_line(manage: Runner, house: House, sqlite_database: Database) -> None:
    house.write(
        "project/commands/run.py",
        '"""Run."""\n\n\ndef add_arguments(parser):\n    parser.add_argument("words", nargs="...")\n\n\n'
        "def handle(project, *, words):\n    print(words)\n",
    )

    assert manage.ok("run", "-v", "0", "echo", "--loud", "-v").out == "['echo', '--loud', '-v']\n"


def test_a_command_may_have_an_argument_that_excludes_an_option(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    house.write(
        "project/commands/run.py",
        '"""Run."""\n\n\ndef add_arguments(parser):\n    group = parser.add_mutually_exclusive_group()\n'
        '    group.add_argument("one", nargs="?")\n    group.add_argument("--two")\n\n\n'
        "def handle(project, *, one, two):\n    print(one, two)\n",
    )

    assert manage.ok("run", "--two", "x").out == "None x\n"
    assert "not allowed with" in manage("run", "x", "--two", "x").refusal(2)


def test_a_command_may_have_commands_of_its_own(manage: Runner, house: House, sqlite_database: Database) -> None:
    house.write(
        "project/commands/run.py",
        '"""Run."""\n\n\ndef add_arguments(parser):\n    inner = parser.add_subparsers(dest="inner")\n'
        '    inner.add_parser("echo").add_argument("--loud", action="store_true")\n\n\n'
        "def handle(project, *, inner, loud):\n    print(inner, loud)\n",
    )

    assert manage.ok("run", "echo", "--loud").out == "echo True\n"


def test_control_characters_in_an_argument_are_shown_and_not_obeyed(manage: Runner) -> None:
    line = manage("mig\x1b[31mrate\x07").refusal(2)

    assert "\x1b" not in line
    assert "\x07" not in line


EVIL = "a\x1b]0;b\x07\x9bc\u202ed\ne"  # what a terminal would obey, what turns letters around, what ends a line


def test_nothing_that_a_terminal_would_obey_is_printed(house: House, manage: Runner, migrated: Database) -> None:
    file = house.add_revision("aaa111", f"op.get_bind().exec_driver_sql({f'BROKEN {EVIL}'!r})")
    house.change(str(file.relative_to(house.root)), "By hand aaa111", ascii(EVIL)[1:-1])
    with migrated.connect() as connection:
        sa.Table(EVIL, sa.MetaData(), sa.Column("id", sa.Integer)).create(connection)
        connection.execute(sa.text("UPDATE subjects SET title = :evil").bindparams(evil=EVIL))
        connection.commit()

    failed = manage("migrate", "-v", "3", "--traceback").expect(1)
    refused = manage("reset", "--no-input").refusal()
    commands = ("show", "check", "showmigrations", "migrate -v 2", "migrate --plan")
    said = [manage(*command.split()) for command in commands]
    raised = manage("shell", "-c", f"raise RuntimeError({EVIL!r})").expect(1)

    shown = "".join(f"{one.out}{one.err}" for one in (failed, *said, raised)) + refused
    assert not re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert r"a\x1b]0;b\x07\x9bc\u202ed" in refused
    assert r"a\x1b]0;b\x07\x9bc\u202ed" in said[0].out
    assert "RuntimeError: a" in raised.err


ODD_COLUMN = '    odd: Mapped[str] = mapped_column("o\\nd\\td", String(9))\n    name:'


def test_a_name_with_a_newline_stays_on_its_line(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write(
        "project/models/teacher.py", TEACHER.replace('"teachers"', repr("tea\nchers")).replace("    name:", ODD_COLUMN)
    )
    manage.ok("migrate")
    added = manage.ok("makemigrations", "-m", "Added Teacher model")
    manage.ok("migrate")
    with sqlite_database.connect() as connection:
        sa.Table("o\nther", sa.MetaData(), sa.Column("id", sa.Integer)).create(connection)
        connection.commit()

    seeded = manage.ok("seed", "--count", "5")
    listed = manage.ok("seed", "--list", "tea\nchers")
    sample = manage.ok("seed", "--dry-run", "tea\nchers")
    shown = manage.ok("show")
    house.remove("project/models/teacher.py")
    checked = manage("check").expect(1)
    changes = manage("makemigrations", "--check").expect(1)

    for one in (added, seeded, listed, sample, shown, checked, changes):
        assert not re.search(r"(?m)^(chers|e\b)", one.out + one.err), one
    for one in (seeded, listed, sample, shown, checked, changes):
        assert r"tea\nchers" in one.out


def test_a_warning_of_a_library_is_shown_and_not_obeyed(
    house: House, python: Python, sqlite_database: Database
) -> None:
    house.write(
        "project/commands/warn.py",
        f'"""Warn."""\n\nimport warnings\n\n\ndef handle(project):\n    warnings.warn({EVIL!r})\n',
    )

    result = python("warn", env={"PYTHONWARNINGS": None}).expect(0)

    assert r"UserWarning: a\x1b]0;b" in result.err
    assert "\x1b" not in result.err


# Without the dependencies


@pytest.mark.parametrize(
    "command",
    [(one,) for one in COMMANDS if one not in ("makemigrations", "dbshell")] + [("help", "seed"), ("show",)],
    ids=" ".join,
)
def test_missing_dependencies_are_said_with_the_command_that_installs_them(
    python: Python, sqlite_database: Database, command: tuple[str, ...]
) -> None:
    result = python(*command, flags=("-S",))  # an interpreter without site-packages

    line = result.refusal()
    assert "is not installed" in line
    assert "pip install -c constraints.txt -e ." in line


def test_help_works_without_the_dependencies(python: Python) -> None:
    assert "migrate" in python("help", flags=("-S",)).expect(0).out
    assert "--plan" in python("help", "migrate", flags=("-S",)).expect(0).out


def test_a_missing_library_of_the_projects_own_is_no_missing_dependency(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    house.write("project/models/teacher.py", '"""A teacher."""\n\nimport a_library_nobody_has\n')

    result = manage("makemigrations", "-m", "Anything")

    assert result.code == 1
    assert "a_library_nobody_has" in result.err
    assert "constraints.txt" not in result.err


# Interruptions


def test_ctrl_c_ends_a_command_with_130_and_one_line(manage: Runner, house: House, sqlite_database: Database) -> None:
    house.write("project/commands/wait.py", WAIT)
    running = manage.start("wait")
    running.wait_for("waiting")

    running.send(signal.SIGINT)

    assert running.wait().refusal(130) == "interrupted"


def test_sigterm_ends_a_command_with_143_and_without_a_traceback(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    house.write("project/commands/wait.py", WAIT)
    running = manage.start("wait")
    running.wait_for("waiting")

    running.send(signal.SIGTERM)

    result = running.wait().expect(143)
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("number", "code", "told"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_that_breaks_the_connection_is_still_an_interruption(
    manage: Runner, mariadb_database: Database, number: signal.Signals, code: int, told: str
) -> None:
    # The driver cannot go on with a connection on which it was interrupted: undoing fails then, and that is no news.
    manage.ok("migrate")
    mariadb_database.execute("CREATE TRIGGER slow BEFORE INSERT ON students FOR EACH ROW DO SLEEP(1)")
    running = manage.start("seed", "students", "--count", "5")
    wait_until_it_sleeps(mariadb_database)

    running.send(number)

    result = running.wait().expect(code)
    assert result.err.strip().removeprefix("manage.py: ") == told


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_that_comes_while_an_object_is_deleted_is_not_lost(
    manage: Runner, house: House, sqlite_database: Database, number: str, code: int
) -> None:
    # What is raised there goes nowhere: https://docs.python.org/3/reference/datamodel.html#object.__del__
    house.write(
        "project/commands/wait.py",
        '"""Wait."""\n\nimport os\nimport signal\nimport time\n\n\nclass Loose:\n    def __del__(self):\n'
        f"        os.kill(os.getpid(), signal.{number})\n        time.sleep(0)\n\n\n"
        "def handle(project):\n    Loose()\n    time.sleep(5)\n",
    )

    result = manage("wait").expect(code)

    assert "Traceback" not in result.err


def wait_until_it_sleeps(database: Database) -> None:
    """Wait until a session of a MariaDB database is in SLEEP."""
    sleeping = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'"
    deadline = time.monotonic() + DEADLINE
    while not database.value(sleeping):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("file", ["project/__init__.py", "project/settings.py", "project/models/slow.py"])
def test_ctrl_c_during_imports_ends_with_130_and_without_a_traceback(
    manage: Runner, python: Python, house: House, sqlite_database: Database, file: str
) -> None:
    manage.ok("migrate")
    house.write(file, SLOW)
    running = python.start("makemigrations", "-m", "Anything")
    running.wait_for("importing")

    running.send(signal.SIGINT)

    assert "Traceback" not in running.wait().expect(130).err


def test_ctrl_c_at_any_moment_of_starting_ends_with_130_and_without_a_traceback(
    python: Python, sqlite_database: Database
) -> None:
    for delay in (0.02, 0.08, 0.2, 0.5, 0.9):
        # Python's own import, interrupted, leaves the closing of a file to the collector, with a warning that is shown
        # to nobody who does not ask for it.
        shown = {"PYTHONWARNINGS": None}
        running = python.start("migrate", "--plan", flags=("-X", "importtime"), env=shown)
        # Before manage.py's first lines have run, Python itself answers Ctrl-C; the delays begin after that.
        running.wait_for("project.management\n")
        time.sleep(delay)

        running.send(signal.SIGINT)

        result = running.wait()
        assert result.code in (0, 130), result
        assert "Traceback" not in result.err


# A project's own commands


def test_a_file_in_the_projects_commands_folder_is_a_command(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    house.write("project/commands/greet.py", GREET)

    listed = manage.ok("help")
    result = manage.ok("greet", "Ada", "--times", "2")

    assert "greet  " in listed.out.partition("This project")[2]
    assert "Greet somebody of the school\n" in listed.out
    assert result.out == "Hello Ada! Hello Ada! \n"


def test_a_commands_number_is_the_exit_code(manage: Runner, house: House, sqlite_database: Database) -> None:
    house.write("project/commands/greet.py", GREET)

    assert manage("greet", "nobody").code == 3


def test_a_projects_own_command_wins_over_the_machinerys(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    house.write("project/commands/check.py", GREET)

    assert manage.ok("check", "Ada").out == "Hello Ada! \n"


def test_a_command_that_is_wrong_inside_keeps_its_traceback(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    house.write("project/commands/broken.py", '"""Break."""\n\n\ndef handle(project):\n    return {}["a bug"]\n')

    result = manage("broken")

    assert result.code == 1
    assert "Traceback (most recent call last)" in result.err
    assert "KeyError: 'a bug'" in result.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"""Greet."""\n\ndef handle(project:\n', "cannot be imported: SyntaxError"),
        ('"""Greet."""\n\nimport a_library_nobody_has\n', "cannot be imported: ModuleNotFoundError"),
        ('"""Greet."""\n\nfrom project.models.nobody import Nobody\n', "No module named 'project.models.nobody'"),
        ('"""Greet."""\n\nimport sys\n\nsys.stdout.nonsense\n', "cannot be imported: AttributeError"),
        ('"""Greet."""\n', "has no handle"),
        ('"""Greet."""\n\nhandle = 3\n', "has no handle"),
        (GREET.replace("--times", "--verbosity"), "verbosity"),
        (GREET.replace('"--times"', '"-v"'), "-v"),
        (GREET.replace('"name"', '"verbosity"'), "verbosity"),
        (GREET.replace("type=int", "typ=int"), "typ"),
    ],
    ids=["syntax", "library", "model", "attribute", "no handle", "no function", "option", "letter", "name", "typo"],
)
def test_a_command_that_is_none_is_one_line_naming_the_file(
    manage: Runner, house: House, sqlite_database: Database, text: str, told: str
) -> None:
    house.write("project/commands/greet.py", text)

    for asking in (("greet", "Ada"), ("help", "greet"), ("greet", "--help")):
        line = manage(*asking).refusal()

        assert "project/commands/greet.py" in line
        assert told in line
    assert "Greet" in manage.ok("help").out


def test_a_command_with_letters_of_another_encoding_is_listed(manage: Runner, house: House) -> None:
    (house.root / "project/commands/greet.py").write_bytes('"""Grüße."""\n'.encode("latin-1"))
    (house.root / "project/commands/folder.py").mkdir()

    listed = manage.ok("help").out

    assert "greet" in listed
    assert "folder" not in listed
    assert "project/commands/greet.py" in manage("greet").refusal()


# The sample's own command


def test_show_tells_tables_rows_and_three_students(manage: Runner, migrated: Database) -> None:
    manage.ok("seed")

    lines = manage.ok("show").out.splitlines()

    assert [line.split() for line in lines[1:4]] == [
        ["students", "100", "rows"],
        ["subjects", "14", "rows"],
        ["enrollments", "300", "rows"],
    ]
    assert [line.partition(":")[0] for line in lines[4:]] == ["Student 1", "Student 2", "Student 3"]


def test_show_takes_the_first_table_with_rows_that_can_say_what_they_are(
    manage: Runner, house: House, migrated: Database
) -> None:
    lines = manage.ok("show").out.splitlines()

    assert [line.partition(" ")[0] for line in lines[4:]] == ["Subject"] * 3


@pytest.mark.parametrize(
    ("column", "value"), [("birthday", "2015-02-30"), ("birthday", 20150230), ("enrolled_date", "yesterday\n")]
)
def test_show_names_a_value_that_is_none(manage: Runner, sqlite_database: Database, column: str, value: object) -> None:
    manage.ok("migrate")
    manage.ok("seed", "--count", "5")
    sqlite_database.execute(f"UPDATE students SET {column} = :value WHERE id = 2", value=value)

    line = manage("show").refusal()

    assert line.startswith(f"students.{column} holds {value!r}: ")
    assert line.endswith(" — correct that row")


def test_an_optimizing_python_leaves_nothing_out(python: Python, house: House, sqlite_database: Database) -> None:
    python("migrate", flags=("-O",)).expect(0)

    run = python("shell", "-c", "print(Student.__name__)", flags=("-O",)).expect(0)
    house.write("project/models/broken.py", "1 / 0\n")
    checked = python("check", flags=("-O",)).expect(1)

    assert run.out == "Student\n"
    assert "models.E001: project/models/broken.py cannot be imported" in checked.out


def test_the_sample_may_be_deleted(manage: Runner, house: House, sqlite_database: Database) -> None:
    for name in ("student", "subject", "enrollment"):
        house.remove(f"project/models/{name}.py")
    for file in sorted((house.root / "project/seeds").glob("[a-z]*.py")):
        file.unlink()
    for file in house.revisions().values():
        file.unlink()

    for command in ("migrate", "seed", "show"):  # what `make dev` does
        manage.ok(command)
    house.write("project/models/teacher.py", TEACHER)
    manage.ok("makemigrations", "-m", "Added Teacher model")
    manage.ok("migrate")
    manage.ok("seed")
    shown = manage.ok("show").out

    assert shown.splitlines()[1:] == ["  teachers  100 rows"]


# Options of every command


def test_verbosity_0_says_nothing_but_errors(manage: Runner, database: Database) -> None:
    done = manage.ok("migrate", "-v", "0")
    wrong = manage("migrate", "nonsense", "-v", "0")

    assert (done.out, done.err) == ("", "")
    assert wrong.refusal().startswith("no revision 'nonsense'")
    assert "students" in database.tables()


def test_results_are_shown_at_verbosity_0_too(manage: Runner, sqlite_database: Database) -> None:
    assert "[ ]" in manage.ok("showmigrations", "-v", "0").out


def test_verbosity_2_shows_alembics_log_and_3_the_statements(manage: Runner, sqlite_database: Database) -> None:
    plain = manage.ok("migrate", "+1")
    log = manage.ok("migrate", "+1", "-v", "2")
    statements = manage.ok("migrate", "+1", "--verbosity", "3")

    assert plain.err == ""
    assert "Running upgrade" in log.err
    assert "CREATE TABLE" not in log.err
    assert "CREATE TABLE subjects" in statements.err


def test_traceback_is_shown_when_asked_for(manage: Runner, sqlite_database: Database) -> None:
    result = manage("migrate", "nonsense", "--traceback").expect(1)

    assert "Traceback (most recent call last)" in result.err
    assert result.err.splitlines()[-1].startswith("manage.py: no revision 'nonsense'")


def test_database_url_wins_over_the_environment(manage: Runner, house: House, sqlite_database: Database) -> None:
    manage.ok("migrate", "--database-url", "sqlite:///other.db")

    assert (house.root / "other.db").exists()
    assert sqlite_database.file is not None
    assert not sqlite_database.file.exists()


def test_env_file_is_read_instead_of_dot_env(manage: Runner, house: House) -> None:
    house.env(DATABASE_URL="sqlite:///usual.db")
    other = house.write("settings/other.env", "DATABASE_URL=sqlite:///other.db\n")

    manage.ok("migrate", "--env-file", str(other))

    assert (house.root / "other.db").exists()
    assert not (house.root / "usual.db").exists()


def test_an_env_file_that_is_not_there_is_refused(manage: Runner, sqlite_database: Database) -> None:
    assert "nowhere.env" in manage("migrate", "--env-file", "nowhere.env").refusal()


def test_colors_are_for_terminals_that_want_them(terminal: OpenTerminal, sqlite_database: Database) -> None:
    colored = terminal("migrate").wait().expect(0)
    refused = terminal("migrate", "--no-color").wait().expect(0)
    unwanted = terminal("migrate", env={"NO_COLOR": "1"}).wait().expect(0)

    assert "\x1b[" in colored.out
    assert "\x1b[" not in refused.out
    assert "\x1b[" not in unwanted.out


def test_there_are_no_colors_in_a_file(manage: Runner, sqlite_database: Database) -> None:
    result = manage.ok("migrate", env={"TERM": "xterm"})

    assert "\x1b" not in result.out


# Streams


@pytest.mark.parametrize("command", ["help", "migrate", "showmigrations"])
def test_a_reader_that_goes_away_does_not_stop_the_work(house: House, sqlite_database: Database, command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=house.root,
        env=environment(house, sqlite_database.url, None),
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=DEADLINE,
        check=False,
    )

    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert command != "migrate" or "students" in sqlite_database.tables()


def test_a_print_to_a_reader_that_went_away_ends_with_one_line(
    manage: Runner, house: House, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", "print('x' * 100_000); print('done')"],
        cwd=house.root,
        env=environment(house, sqlite_database.url, None),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=False,
    )

    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ("manage.py: it could not write on, and ended there: Broken pipe — --traceback shows where\n")


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


@FULL
@pytest.mark.parametrize(
    "command",
    [
        "help",
        "help seed",
        "migrate --help",
        "showmigrations",
        "migrate",
        "shell -c 'print(1)'",
        "shell -c 'print(1, flush=True)'",
    ],
)
def test_what_cannot_be_written_is_one_line(python: Python, sqlite_database: Database, command: str) -> None:
    python("migrate", "+1").expect(0)

    line = python.shell(f"exec $MANAGE {command} > /dev/full").refusal()

    assert "No space left on device" in line


@FULL
def test_a_full_disk_under_the_output_does_not_stop_the_work(python: Python, database: Database) -> None:
    python("migrate").expect(0)

    line = python.shell("exec $MANAGE seed --add 3 > /dev/full").refusal()

    assert "No space left on device" in line
    assert "what was asked for is done" in line
    assert (database.count("students"), database.count("enrollments")) == (3, 3)


@FULL
def test_a_failure_is_told_rather_than_a_full_disk(python: Python, sqlite_database: Database) -> None:
    line = python.shell("exec $MANAGE migrate nonsense > /dev/full").refusal()

    assert line.startswith("no revision 'nonsense'")


@FULL
def test_a_full_disk_under_the_errors_does_not_stop_the_work(python: Python, sqlite_database: Database) -> None:
    python.shell("exec $MANAGE migrate 2> /dev/full").expect(0)
    python.shell("exec $MANAGE migrate nonsense 2> /dev/full").expect(1)

    assert "students" in sqlite_database.tables()


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_stop_the_work(python: Python, sqlite_database: Database, closing: str) -> None:
    python.shell(f"exec $MANAGE migrate {closing}").expect(0)

    assert "students" in sqlite_database.tables()


def test_a_terminal_that_cannot_show_a_letter_gets_a_replacement(python: Python) -> None:
    result = python("migrate", env={"PYTHONIOENCODING": "ascii", "DATABASE_URL": None})

    assert result.refusal().startswith("DATABASE_URL is not set ")
