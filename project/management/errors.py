"""The one exception for the person at the keyboard."""

from __future__ import annotations

import signal
from collections.abc import Sequence

# What pyproject.toml installs, by the names that are imported: missing, they are no fault of anybody's code.
DEPENDENCIES = ("sqlalchemy", "alembic", "faker", "dotenv", "sqlglot", "rich")
# What asks a command to end; the second when its terminal is closed, where there is such a signal.
TERMINATING = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class CommandError(Exception):
    """Something the person can act on: shown as one line, the cause and then the cure, without a traceback.

    Anything else that is raised is a bug and keeps its traceback.
    """

    def __init__(self, cause: str, cure: str = "", *, exit_code: int = 1) -> None:
        super().__init__(cause, cure)
        self.cause = cause
        self.cure = cure
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.cause.rstrip('.')} — {self.cure}" if self.cure else self.cause


class NotAllowed(CommandError):
    """The database does not let this user do it."""


class StepFailed(CommandError):
    """A step of a migration failed: `what` says which and why, the cause also what stays of it."""

    def __init__(self, what: str, stays: str, cure: str, statements: Sequence[str]) -> None:
        super().__init__(f"{what}. {stays}", cure)
        self.what = what
        self.statements = statements  # that were run or tried


class StepRefused(Exception):
    """A step of a migration that was stopped for what it would do; undone, and told with the revision's name."""

    def __init__(self, cause: str, cure: str = "correct it, then run the command again") -> None:
        super().__init__(cause)
        self.cure = cure


class Terminated(SystemExit):
    """A signal that asks to end, told apart from a revision or a model that ends the program by itself."""


def did_you_mean(wrong: str, known: list[str], *, most: int = 3) -> str:
    """Return " Did you mean 'migrate'?" for the names close to a wrong one, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(wrong.lower(), [name.lower() for name in known], n=most)
    names = [next(name for name in known if name.lower() == match) for match in close]
    return f" Did you mean {' or '.join(map(repr, names))}?" if names else ""


def shortened(text: str, *, most: int = 40) -> str:
    """Return a text cut to so many characters, with an ellipsis where it was longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def refuse_bytes(text: str, what: str) -> None:
    """Refuse a text with a byte that is no letter, which Python makes a surrogate of.

    Raises:
        CommandError: naming what the text is.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CommandError(f"{what} is not UTF-8 text", "write it as UTF-8", exit_code=2) from error


def driver_words(error: BaseException) -> str:
    """Return what a database said, on one line and without the row it said it of.

    PostgreSQL appends the failing row; its detail is kept only where it names a key. The drivers of MariaDB give a
    number with the words.
    """
    arguments = error.args
    if len(arguments) > 1 and isinstance(arguments[0], int) and isinstance(arguments[1], str):
        return first_line(Exception(arguments[1] or f"error {arguments[0]}"))
    said = getattr(error, "diag", None)
    primary = getattr(said, "message_primary", None)
    if not primary:
        return first_line(error)
    detail = getattr(said, "message_detail", None) or ""
    return first_line(Exception(f"{primary}. {detail}" if detail.startswith("Key ") else primary))


def first_line(error: BaseException) -> str:
    """Return what an error says, on one line and of a readable length."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if len(line) <= 400 else line[:399] + "…"
