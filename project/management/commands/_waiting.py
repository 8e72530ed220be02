"""The option of the commands that take the lock."""

from __future__ import annotations

import argparse

from ..backends.waiting import LOCK_TIMEOUT, seconds_of
from ..project import Project

OPTION = "--lock-timeout"


def add_lock_timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        OPTION,
        type=_seconds,
        default=LOCK_TIMEOUT,
        metavar="SECONDS",
        help=f"wait at most so long for what somebody else has locked ({LOCK_TIMEOUT}); 0 does not wait",
    )


def limit_waiting(project: Project, seconds: int) -> None:
    """Let this command wait that long for each lock."""
    project.backend.waiting.limit(seconds, f"{OPTION} SECONDS")


def _seconds(text: str) -> int:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
