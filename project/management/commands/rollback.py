"""Take back the last N revisions; say what will be lost and ask.

With --redo they are applied again afterwards, which is how you try a migration that you are still writing.
"""

from __future__ import annotations

import argparse

from .. import migrations
from ..errors import CommandError
from ..migrations import Request
from ..project import Project
from ._waiting import limit_waiting
from .migrate import add_backward_arguments, run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("steps", nargs="?", type=_steps, default=1, metavar="N", help="how many revisions (1)")
    parser.add_argument("--redo", action="store_true", help="apply them again afterwards")
    add_backward_arguments(parser)


def handle(
    project: Project, *, steps: int, redo: bool, allow_production: bool, no_input: bool, lock_timeout: int
) -> None:
    limit_waiting(project, lock_timeout)
    before = migrations.read_heads(project)
    if not before:
        raise CommandError(f"{project.backend.label} has no revision to take back", "python manage.py migrate")
    request = Request(no_input=no_input, allow_production=allow_production)
    run(project, f"-{steps}", request)
    if redo:
        run(project, before[0] if len(before) == 1 else f"+{steps}", request, titled=False)


def _steps(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of revisions")
    return int(text)
