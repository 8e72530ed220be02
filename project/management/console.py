"""The terminal as the commands see it: results to stdout, progress and questions to stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from .errors import CommandError

TYPE_CHECKING = False  # typing's own takes long to import
if TYPE_CHECKING:
    from typing import TextIO

# What a terminal obeys instead of showing it, and what turns the order of the letters around: a table name, a message
# or a value could carry it. https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_DIRECTIONS = {code: f"\\u{code:04x}" for code in (*range(0x2028, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)}
_VISIBLE = _CONTROLS | _DIRECTIONS
_ON_ONE_LINE = _VISIBLE | {9: "\\t", 10: "\\n"}
_COLORS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def visible(text: str) -> str:
    """Return the text with its control characters (but not newlines and tabs) written out."""
    return text.translate(_VISIBLE)


def one_line(text: str) -> str:
    """Return the text with its newlines and tabs written out as well."""
    return text.translate(_ON_ONE_LINE)


class Console:
    """Writes for people and programs; a reader that goes away or a full disk never stops the work."""

    def __init__(self, *, verbosity: int = 1, color: bool = True) -> None:
        self.verbosity = verbosity
        self.color = color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    def result(self, text: str = "") -> None:
        """Write what the command was asked for, to stdout, at every verbosity."""
        _write(sys.stdout, visible(text))

    def lines(self, *lines: str) -> None:
        """Write the same as lines, each of which stays one whatever name is in it."""
        self.result("\n".join(map(one_line, lines)))

    def output(self, text: str) -> None:
        """Write what a program will read, to stdout, every character as it is; on a terminal only what is harmless.

        Raises:
            CommandError: stdout is in an encoding that lacks one of them.
        """
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError as error:
            raise CommandError(
                f"stdout is in {encoding}, which has no {error.object[error.start]!r}", "set PYTHONIOENCODING=utf-8"
            ) from error
        _write(sys.stdout, visible(text) if _is_terminal(sys.stdout) else text)

    def say(self, text: str = "", *, style: str = "") -> None:
        """Write what the command did, as one line to stdout, unless --verbosity is 0."""
        if self.verbosity >= 1:
            _write(sys.stdout, self._styled(one_line(text), style, sys.stdout))

    def note(self, text: str, *, style: str = "") -> None:
        """Write what is going on, to stderr, unless --verbosity is 0."""
        if self.verbosity >= 1:
            _write(sys.stderr, self._styled(visible(text), style, sys.stderr))

    def error(self, text: str) -> None:
        """Write why the command failed, to stderr, at every verbosity."""
        _write(sys.stderr, self._styled(visible(text), "red", sys.stderr))

    def can_ask(self) -> bool:
        """Return whether a person is there to answer a question."""
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    def confirm(self, explanation: str, answer: str) -> None:
        """Show what will be lost and go on only when the person types the answer.

        Raises:
            CommandError: there is no terminal to ask on, or the answer was another.
        """
        if not self.can_ask():
            first, *rest = (" ".join(line.split()) for line in explanation.splitlines())
            raise CommandError(
                f"{first} {'; '.join(rest)}".strip().rstrip(".") + ". There is no terminal to ask on",
                "--no-input goes on without the question",
            )
        _write(sys.stderr, visible(explanation))
        _write(sys.stderr, visible(f"Type {answer} to go on: "), end="")
        try:
            typed = input()
        except EOFError:
            typed = ""
        if typed.strip() != answer:
            raise CommandError("nothing was changed: the answer was not the name asked for")

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[ProgressBar]:
        """Show a bar on a terminal once the work has taken more than a second; yield what moves it."""
        bar = ProgressBar(label, total, shown=self.verbosity >= 1 and _is_terminal(sys.stderr), color=self.color)
        try:
            yield bar
        finally:
            bar.close()

    def _styled(self, text: str, style: str, stream: TextIO | None) -> str:
        if style and self.color and _is_terminal(stream):
            return f"\x1b[{_COLORS[style]}m{text}\x1b[0m"
        return text


class ProgressBar:
    """A bar of rich that appears after one second; without a terminal nothing at all."""

    def __init__(self, label: str, total: int, *, shown: bool, color: bool) -> None:
        self._label, self._total, self._shown, self._color = one_line(label), total, shown, color
        self._done = 0
        self._begun = time.monotonic()
        self._stop: Callable[[], None] | None = None
        self._move: Callable[[int], None] | None = None

    def advance(self, rows: int) -> None:
        """Move the bar by the rows that were just written."""
        self._done += rows
        if self._move:
            self._move(rows)
        elif self._shown and time.monotonic() - self._begun > 1:
            self._open()

    def _open(self) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
            TimeRemainingColumn(),
            console=RichConsole(stderr=True, no_color=not self._color),
            transient=True,
        )
        task = progress.add_task(self._label, total=self._total, completed=self._done)
        progress.start()
        self._stop = progress.stop
        self._move = partial(progress.advance, task)

    def close(self) -> None:
        if self._stop:
            self._stop()


def columns(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset(), indent: str = "  ") -> str:
    """Return rows of cells as aligned lines; the columns numbered in `right` are aligned to the right."""
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        indent
        + "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def plural(number: int, noun: str) -> str:
    """Return "1 row" or "1,203 rows"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def undelivered() -> OSError | None:
    """Return why something written to stdout never got there: the work went on, and is done by now."""
    _write(sys.stdout, "", end="")  # what a command printed itself
    return _lost.get(sys.stdout)


_lost: dict[TextIO | None, OSError] = {}  # why a stream could not be written


def _write(stream: TextIO | None, text: str, *, end: str = "\n") -> None:
    if stream is None or stream.closed:
        return
    try:
        stream.write(text + end)
        stream.flush()
    except OSError as error:  # `| head` has read enough, or the disk is full; the work goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            _lost[stream] = error
