"""Read `.env` and the environment, remembering where each value came from so that errors can say it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import CommandError, shortened

PIPE_TIMEOUT = 5
LARGEST_FILE = 1_000_000  # bytes; a longer one is not an .env
_REFERENCE = re.compile(r"\$\{\w[^}]*\}")


@dataclass(frozen=True)
class Value:
    text: str
    source: str  # "in .env, line 3" or "in the environment"
    reference: str = ""  # what it says as ${NAME}, which other readers of the file would replace


class Variables:
    """The variables of this project: real environment variables first, then those of one `.env` file."""

    def __init__(self, values: Mapping[str, Value], file: Path, *, empty: Collection[str] = ()) -> None:
        self._values = values
        self._empty = empty  # what the environment holds without a value, and no option gives
        self.file = file

    @classmethod
    def read(cls, file: Path, *, required: bool = False, overrides: Mapping[str, str] | None = None) -> Variables:
        """Read a file of `NAME=value` lines; overrides (command-line options) win over everything.

        Raises:
            CommandError: the file cannot be read or holds a line that is not an assignment; a missing file
                is an error only when it is required.
        """
        values = _read_file(file) if required or os.path.lexists(file) else {}
        overrides = overrides or {}
        for name, text in os.environ.items():
            if text.strip():
                values[name] = Value(text, "in the environment")
        for option, text in overrides.items():
            values[option] = Value(text, f"given as --{option.lower().replace('_', '-')}")
        empty = {name for name, text in os.environ.items() if not text.strip()} - overrides.keys()
        return cls(values, file, empty=empty)

    def but(self, values: Mapping[str, Value]) -> Variables:
        """Return the same variables with others in the place of some."""
        return Variables({**self._values, **values}, self.file, empty=set(self._empty) - values.keys())

    def given(self, *names: str) -> str | None:
        """Return the first of some variables that is set and not empty."""
        found = (self._value(name) for name in names)
        return next((value.text.strip() for value in found if value and value.text.strip()), None)

    def required(self, name: str, cure: str) -> str:
        """Return a variable that must be set and not empty.

        Empty in the environment it is refused too, whatever `.env` says: `DATABASE_URL=$UNSET manage.py reset` means
        another database than the one in `.env`.
        """
        if name in self._empty:
            raise CommandError(
                f"{name} is empty (in the environment)", f"give it a value, or unset it to use {self.file.name}"
            )
        value = self._value(name)
        if value is None:
            raise CommandError(f"{name} is not set", cure)
        if not value.text.strip():
            given = value.source.startswith("given")
            raise CommandError(
                f"{name} is empty ({value.source})", "give it a value, or leave it out" if given else cure
            )
        return value.text.strip()

    def one_of(self, name: str, allowed: tuple[str, ...], *, default: str) -> str:
        """Return a variable that is one of a few words."""
        value = self._value(name)
        if value is None or not value.text.strip():
            return default
        if value.text.strip().lower() not in allowed:
            raise CommandError(
                f"{name} is {value.text!r} ({value.source})",
                f"it can be {', '.join(allowed[:-1])} or {allowed[-1]}",
            )
        return value.text.strip().lower()

    def integer(self, name: str, *, default: int, most: int) -> int:
        """Return a variable that is a whole number from 0 to a largest one."""
        value = self._value(name)
        if value is None or not value.text.strip():
            return default
        digits = value.text.strip().replace("_", "")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 18 or int(digits) > most:
            raise CommandError(
                f"{name} is {shortened(value.text)!r} ({value.source})", f"it can be a whole number from 0 to {most:,}"
            )
        return int(digits)

    def words(self, name: str) -> tuple[str, ...]:
        """Return a variable of words with commas or spaces between them."""
        value = self._value(name)
        return tuple(value.text.replace(",", " ").split()) if value else ()

    def _value(self, name: str) -> Value | None:
        value = self._values.get(name)
        if value is not None and value.reference:
            raise CommandError(
                f"{name} refers to {value.reference} ({value.source}), and nothing is put in its place here",
                "write the value itself, or single quotes around it where it is meant like this",
            )
        return value

    def source(self, name: str) -> str:
        """Return where a variable's value comes from: "in .env, line 3"."""
        return self._values[name].source if name in self._values else "not set"


def _read_file(file: Path) -> dict[str, Value]:
    from dotenv.parser import parse_stream

    values: dict[str, Value] = {}
    for binding in parse_stream(_open(file)):
        where = f"in {file.name}, line {binding.original.line + _leading_newlines(binding.original.string)}"
        if binding.error:
            raise CommandError(
                f"{where[3:]} is not NAME=value", "write one variable a line, quotes closed, comments after #"
            )
        if binding.key is None:
            continue
        if binding.key in values:
            raise CommandError(f"{binding.key} is set twice: {values[binding.key].source} and {where[3:]}", "keep one")
        values[binding.key] = Value(binding.value or "", where, _reference(binding.original.string, binding.value))
    return values


def _reference(line: str, value: str | None) -> str:
    """Return the ${NAME} that stands in a value outside of single quotes, which mean in any shell that it is none."""
    found = _REFERENCE.search(value or "")
    is_quoted = line.partition("=")[2].lstrip().startswith("'")
    return found[0] if found and not is_quoted else ""


def _leading_newlines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n") if text.strip() else 0


def _open(file: Path):  # type: ignore[no-untyped-def]  # io.StringIO, imported late
    import io

    try:
        with open(file, "rb", opener=_without_waiting) as opened:
            _settle(opened.fileno(), file)
            content = opened.read(LARGEST_FILE + 1)  # what is no file, as /dev/zero, has no size to ask for
        if len(content) > LARGEST_FILE:
            raise CommandError(
                f"{file.name} is larger than 1 MB", "it holds a few NAME=value lines; is it another file?"
            )
        text = content.decode()  # a byte order mark is taken off by python-dotenv
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CommandError(f"{file.name}, line {line} is not UTF-8 text", "save the file as UTF-8") from error
    except OSError as error:
        raise CommandError(f"{file.name} cannot be read: {error.strerror}", _unreadable(file, error)) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise CommandError(f"{file.name}, line {line} holds a NUL character", "save the file as plain UTF-8 text")
    return io.StringIO(text, newline=None)  # \r\n and \r end a line too


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # else opening a pipe waits for one that writes


def _settle(opened: int, file: Path) -> None:
    """Wait for what is in a pipe, as a manager of secrets or `<(...)` gives it, but not for ever."""
    import select

    if stat.S_ISFIFO(os.fstat(opened).st_mode) and not select.select([opened], [], [], PIPE_TIMEOUT)[0]:
        raise CommandError(
            f"{file.name} is a pipe, and nobody wrote into it within {PIPE_TIMEOUT} seconds",
            "start what writes into it, or name a file",
        )
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(opened, True)


def _unreadable(file: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"chmod u+r {file.name}, or run this as its owner"
    if isinstance(error, IsADirectoryError):
        return f"move the folder away, and copy .env.example to {file.name}"
    return "copy .env.example to it"
