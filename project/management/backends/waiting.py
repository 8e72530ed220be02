"""Waiting for what somebody else holds: two seconds in silence, then with a word for whom, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event, Thread
from typing import TypeVar

from ..errors import CommandError, shortened

LOCK_TIMEOUT = 60  # seconds to wait for a lock, where nobody says otherwise
LONGEST = 86_400  # seconds that can be asked for
SAY_AFTER = 2  # seconds of waiting before saying for whom
LOOK_EVERY = 0.5  # seconds, who is in the way of a statement

Notify = Callable[[str], None]
Asked = TypeVar("Asked")  # a connection
Beside = Callable[[], AbstractContextManager[Asked]]
Look = Callable[[Asked], str | None]


class GaveUp(CommandError):
    """Somebody held something for longer than this waits."""


class Waiting:
    """How long one command waits for a lock, how that is told, and who was seen in its way."""

    def __init__(self) -> None:
        self.seconds = LOCK_TIMEOUT
        self.option = ""  # what a person would write to wait longer, where there is such an option
        self.notify: Notify = lambda text: None
        self.seen = ""  # who was in the way of a statement when it was last looked
        self._said = ""

    def limit(self, seconds: int, option: str) -> None:
        """Wait for that long, as an option says."""
        self.seconds, self.option = seconds, option

    def until(self, taken: Callable[[], bool], holder: Callable[[], str], does: str) -> None:
        """Try until a lock is taken.

        Args:
            holder: returns who has it.
            does: what the holder does: "migrates or seeds school.db".

        Raises:
            CommandError: it was not to be had in time.
        """
        begun, pause, said = time.monotonic(), 0.001, False
        while not taken():
            waited = time.monotonic() - begun
            if waited >= self.seconds:
                raise self.refusal(holder(), does)
            if waited > SAY_AFTER and not said:
                self._say(holder(), does)
                said = True
            time.sleep(min(pause, self.seconds - waited))
            pause = min(2 * pause, 0.05)

    @contextmanager
    def at_most(self, seconds: int) -> Iterator[None]:
        """Wait no longer than that, for something that can be done without."""
        before = self.seconds
        self.seconds = min(before, seconds)
        try:
            yield
        finally:
            self.seconds = before

    def refusal(self, who: str, does: str) -> GaveUp:
        """Return why this waits no longer."""
        after = f"gave up after {self.seconds:,} s: " if self.seconds else ""
        longer = f"; {self.option} waits longer" if self.option else ""
        return GaveUp(f"{after}{who} {does}", f"let it finish or end it, then run the command again{longer}")

    @contextmanager
    def watched(self, beside: Beside[Asked], look: Look[Asked], does: str, seconds: float) -> Iterator[None]:
        """Look from a second connection who is in the way of the statements on the first; say so when that lasts.

        Args:
            beside: opens it, each of its statements being a transaction.
            look: returns who it is, None for nobody; called in a thread of its own.
            does: what whoever is in the way does.
            seconds: after which the database itself ends a wait.
        """
        since: float | None = None

        def watch(connection: Asked) -> None:
            nonlocal since
            if (found := look(connection)) is None:
                since = None
                return
            self.seen = found
            since = time.monotonic() if since is None else since
            if time.monotonic() - since >= SAY_AFTER:
                self._say(found, does)

        with meanwhile(beside, watch, after=min(LOOK_EVERY, seconds / 4)):
            yield

    def _say(self, who: str, does: str) -> None:
        text = f"waiting for {who}, which {does}"
        if text != self._said:  # it may be in the way of one thing after the other
            self.notify(text)
        self._said = text


@contextmanager
def meanwhile(beside: Beside[Asked], look: Callable[[Asked], object], *, after: float) -> Iterator[None]:
    """Look from a second connection, again and again, while statements run on the first.

    Args:
        beside: opens it, each of its statements being a transaction.
        look: called in a thread of its own.
        after: seconds until the first look, and between two; most commands need no second connection.
    """
    ended = Event()

    def watch() -> None:
        if ended.wait(after):
            return
        with suppress(Exception), beside() as connection:  # where it cannot look, nothing can be told
            while not ended.is_set():
                look(connection)
                ended.wait(after)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5)  # it may be looking at a server that answers no more


def seconds_of(text: str) -> int:
    """Return the seconds that an option says.

    Raises:
        ValueError: it is no whole number of seconds, or more than a day.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > LONGEST:
        raise ValueError(f"{shortened(text)!r} is not a whole number of seconds from 0 to {LONGEST:,}")
    return int(text)
