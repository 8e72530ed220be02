"""The command line: find the command, parse its options, run it, print what went wrong."""

from __future__ import annotations

import errno
import gc
import os
import re
import signal
import sys
from collections.abc import Sequence

from .console import Console, one_line, undelivered, visible
from .errors import DEPENDENCIES, TERMINATING, CommandError, Terminated, did_you_mean, driver_words, first_line

TYPE_CHECKING = False  # typing's own takes long to import, as pathlib does: help needs neither
if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from types import ModuleType
    from typing import NoReturn

GROUPS = {
    "Migrations": ("migrate", "rollback", "showmigrations", "makemigrations"),
    "Data": ("seed", "reset"),
    "Snapshots": ("snapshot", "restore", "snapshots"),
    "Inspection": ("check", "shell", "dbshell"),
}
UNWRITABLE = (errno.EPIPE, errno.ENOSPC)  # a reader that went away, a full disk
INSTALL = "python -m pip install -c constraints.txt -e ."


def main(arguments: Sequence[str] | None = None, *, package: str, root: str | Path) -> int | str | None:
    """Run one command line and return its exit code.

    0 done or nothing to do, 1 refused or failed, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM, 129 a terminal that is closed.
    (What a person's own code gives to `exit` is handed on as it is.)
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(color="--no-color" not in arguments)
    gc.set_threshold(100_000, 50, 50)  # importing makes much that stays and hardly any circle
    for number in TERMINATING:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores what comes when the terminal is closed
            signal.signal(number, _terminate)
    sys.unraisablehook = _send_again
    try:
        if sys.version_info < (3, 11):  # noqa: UP036  # it is run by whatever python there is
            raise CommandError("Python 3.11 or newer is needed", "make install PYTHON=python3.11")
        with _interruptible():
            code: int | str | None = _run(arguments, package, os.fspath(root), console)
    except BaseException as error:
        code = _explain(_interruption(error) or error, console, show_traceback="--traceback" in arguments)
    finally:
        # What was done is done, and Python would die of it while it leaves.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not _own_code_has_run():
            gc.freeze()  # to look for circles once more takes a tenth of many a command
    if (lost := undelivered()) is not None and not code:
        console.error(
            f"manage.py: what was asked for is done, but stdout cannot be written: {lost.strerror} — make room there"
        )
        return 1
    return code


def _own_code_has_run() -> bool:
    """Return whether a model, seeder, command or revision has: what it left open is Python's to close.

    (`gc.get_freeze_count` would tell as well, but goes through everything that is frozen.)
    """
    of = sys.modules.get(f"{__package__}.project")
    return "alembic" in sys.modules or (of is not None and of.leave_libraries_alone.cache_info().currsize > 0)


def run_environment(package: str) -> None:
    """Run Alembic for migrations/env.py, the same whether `alembic` or manage.py asked for it."""
    from pathlib import Path

    from alembic import context
    from alembic.util import CommandError as AlembicCommandError

    from .migrations import run
    from .project import Project

    config = context.config
    if "project" in config.attributes:
        run(context, config.attributes["project"])
        return
    _log_as_alembic_ini_says(config.config_file_name)
    root = Path(config.config_file_name or "alembic.ini").resolve().parent
    project = Project(package, root)
    try:
        run(context, project)
    except BaseException as error:
        interruption = _interruption(error)
        if isinstance(interruption, KeyboardInterrupt) and config.cmd_opts is not None:  # of the command line
            project.console.error("FAILED: interrupted")  # as Alembic begins its own
            raise SystemExit(130) from None
        if interruption is not None:
            raise interruption from None
        if isinstance(error, CommandError):
            raise AlembicCommandError(one_line(str(error))) from error
        raise


def _run(arguments: list[str], package: str, root: str, console: Console) -> int:
    commands = find_commands(package, root)
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        topic = [word for word in arguments[1:] if not word.startswith("-")]
        if not topic:
            console.result(_overview(commands))
            return 0
        name, arguments = topic[0], [topic[0], "--help"]
    if name not in commands:
        raise CommandError(
            f"unknown command {name!r}.{did_you_mean(name, list(commands))}",
            "python manage.py help lists them",
            exit_code=2,
        )
    module = _import_command(name, commands[name], package, root)
    file = commands[name]
    parser = _parser(name, module, file.removeprefix(os.path.join(root, "")))
    options = vars(_parse(parser, arguments[1:]))
    project = _project(options, package, root)
    return module.handle(project, **options) or 0


def find_commands(package: str, root: str) -> dict[str, str]:
    """Return the file of every command by its name: the project's own win over the machinery's."""
    found = {}
    for folder in (os.path.join(os.path.dirname(__file__), "commands"), _own_commands(package, root)):
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            name, ending = os.path.splitext(entry)
            file = os.path.join(folder, entry)
            if ending == ".py" and not name.startswith("_") and os.path.isfile(file):
                found[name] = file
    return found


def _own_commands(package: str, root: str) -> str:
    return os.path.join(root, package, "commands")


def _import_command(name: str, file: str, package: str, root: str) -> ModuleType:
    if os.path.dirname(file) != _own_commands(package, root):
        import importlib

        return importlib.import_module(f"{__package__}.commands.{name}")
    from pathlib import Path

    from .project import import_own, leave_libraries_alone

    leave_libraries_alone()
    module = import_own(f"{package}.commands.{name}", Path(file), Path(root))
    if not callable(getattr(module, "handle", None)):
        shown = os.path.relpath(file, root)
        raise CommandError(f"{shown} has no handle(project)", "write what it does into that function")
    return module


def _parser(name: str, module: ModuleType, file: str) -> argparse.ArgumentParser:
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise CommandError(message, f"python manage.py help {name}", exit_code=2)

    parser = Parser(
        prog=f"manage.py {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    try:
        if hasattr(module, "add_arguments"):
            module.add_arguments(parser)
        _add_common_arguments(parser)
    except (argparse.ArgumentError, TypeError, ValueError) as error:
        raise CommandError(f"the arguments in {file} cannot be used: {first_line(error)}", "correct them") from error
    return parser


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Parse arguments and options in any order, where the parser can.

    https://docs.python.org/3/library/argparse.html#intermixed-parsing
    """
    try:
        return parser.parse_intermixed_args(arguments)
    except TypeError:  # it has commands of its own, takes the rest of the line, or an argument that excludes an option
        return parser.parse_args(arguments)


def _add_common_arguments(parser: argparse.ArgumentParser) -> None:
    own = {action.dest for action in parser._actions}
    for taken in ("project", "database_url", "env_file", "verbosity", "traceback", "no_color"):
        if taken in own:
            raise ValueError(f"the name {taken} is taken")
    common = parser.add_argument_group("every command")
    common.add_argument("--database-url", metavar="URL", help="use this database instead of DATABASE_URL's")
    common.add_argument(
        "--env-file", metavar="FILE", type=_file, help="read this file instead of .env beside manage.py"
    )
    common.add_argument(
        "-v",
        "--verbosity",
        type=int,
        choices=range(4),
        default=1,
        help="0 errors only, 1 what was done, 2 also Alembic's log, 3 also every SQL statement",
    )
    common.add_argument("--traceback", action="store_true", help="show the traceback of an error")
    common.add_argument("--no-color", action="store_true", help="no colors (the variable NO_COLOR does the same)")


def _file(text: str) -> Path:
    if not text.strip():
        import argparse

        raise argparse.ArgumentTypeError("it names no file")
    from pathlib import Path

    return Path(text).absolute()  # with a name to show, for `.` too


def _project(options: dict[str, object], package: str, root: str):  # type: ignore[no-untyped-def]  # imported late
    verbosity, env_file, url = (options.pop(name) for name in ("verbosity", "env_file", "database_url"))
    options.pop("traceback")
    console = Console(verbosity=verbosity, color=not options.pop("no_color"))  # type: ignore[arg-type]  # argparse made an int
    _log(verbosity)  # type: ignore[arg-type]  # argparse made an int
    from pathlib import Path

    from .project import Project

    return Project(package, Path(root), console=console, env_file=env_file, database_url=url)  # type: ignore[arg-type]  # from argparse


def _log(verbosity: int) -> None:
    import logging

    class Visible(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return visible(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Visible("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.INFO if verbosity >= 2 else logging.WARNING)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # of a connection that was cut we tell ourselves
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO if verbosity >= 3 else logging.WARNING)


def _log_as_alembic_ini_says(file: str | None) -> None:
    import logging.config

    if file:
        logging.config.fileConfig(file, disable_existing_loggers=False)


def _overview(commands: dict[str, str]) -> str:
    grouped = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, "This project": tuple(name for name in commands if name not in grouped)}
    width = max(map(len, commands))
    lines = ["Usage: python manage.py COMMAND [options]"]
    for group, names in groups.items():
        known = [name for name in names if name in commands]
        lines += ["", group, *(f"  {name:{width}}  {_summary(commands[name])}" for name in known)] if known else []
    return "\n".join([*lines, "", "python manage.py help COMMAND shows the options of one."])


def _summary(file: str) -> str:
    with open(file, encoding="utf-8", errors="replace") as lines:
        found = re.search(r'"""(.+?)(?:\.?"""|\.?\n)', lines.read())
    return found[1] if found else ""


def _explain(error: BaseException, console: Console, *, show_traceback: bool) -> int | str | None:
    """Say on one line why a command ended, and return the exit code; a bug keeps its traceback."""
    if isinstance(error, Terminated):
        _fail(console, "terminated", error if show_traceback else None)
        return error.code
    if isinstance(error, SystemExit):
        return error.code
    words, code = str(error), 1
    if isinstance(error, CommandError):
        code = error.exit_code
    elif isinstance(error, KeyboardInterrupt):
        words, code = "interrupted", 130
    elif isinstance(error, ModuleNotFoundError) and error.name in DEPENDENCIES:
        words = f"{error.name} is not installed — {INSTALL}"
    elif (
        isinstance(error, OSError) and error.errno in UNWRITABLE and not show_traceback
    ):  # by a print of the person's own
        words = f"it could not write on, and ended there: {error.strerror} — --traceback shows where"
    elif (said := _database_words(error)) and not show_traceback:
        words = f"{said} — --traceback shows where"
    else:
        _show_traceback(console, error)
        return 1
    _fail(console, words, error if show_traceback else None)
    return code


def _interruption(error: BaseException | None) -> BaseException | None:
    """Return the signal that an error comes of: it broke a connection, on which undoing then failed."""
    while error is not None and not isinstance(error, (KeyboardInterrupt, Terminated)):  # in Python 3.9 too
        error = error.__context__
    return error


def _database_words(error: BaseException) -> str | None:
    """Return what a database or its dialect says, without a statement's parameters; None for any other error."""
    if "sqlalchemy" not in sys.modules:
        return None
    import sqlalchemy as sa

    if isinstance(error, sa.exc.DBAPIError):
        return f"the database refused: {driver_words(error.orig or error)}"
    return f"a name of the models is too long: {error}" if isinstance(error, sa.exc.IdentifierError) else None


def _fail(console: Console, message: str, error: BaseException | None) -> None:
    if error is not None:
        _show_traceback(console, error)
    console.error(f"manage.py: {one_line(message)}")


def _show_traceback(console: Console, error: BaseException) -> None:
    import traceback

    console.error("".join(traceback.format_exception(error)).rstrip())


class _interruptible:
    """Let Ctrl-C interrupt the command by an exception, so that what it began is undone."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)


def _terminate(number: int, _frame: object) -> NoReturn:
    raise Terminated(128 + number)


def _send_again(swallowed: sys.UnraisableHookArgs) -> None:
    """Send a signal again that came while an object was deleted, where Python can only print what is raised."""
    import threading

    error = swallowed.exc_value
    if isinstance(error, KeyboardInterrupt):
        number = int(signal.SIGINT)
    elif isinstance(error, Terminated) and isinstance(error.code, int):
        number = error.code - 128
    else:
        sys.__unraisablehook__(swallowed)
        return
    later = threading.Timer(0.01, os.kill, (os.getpid(), number))  # here it would be swallowed too
    later.daemon = True
    later.start()
