"""Look for everything that can be wrong, and say for each how to mend it. Exit 1 on errors.

With --staircase every revision is applied to tables with rows, taken back and applied again, from the first to the
newest, in a database that is made for it and dropped. The rows are made from what the database says of its tables, or
a seeder of them, among them values at the edge of what each column takes: NULL, an empty text, nought, the longest.
"""

from __future__ import annotations

import argparse

from .. import checks
from ..console import plural
from ..errors import CommandError
from ..project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--staircase", action="store_true", help="try every revision on tables with rows")


def handle(project: Project, *, staircase: bool) -> int:
    if staircase:
        return _climb(project)
    console = project.console
    problems = checks.run(project)
    for problem in problems:
        console.lines(f"{problem.id}: {problem.message}", f"  {problem.hint}")
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        raise CommandError(
            f"{plural(len(errors), 'error')} found", f"mend {'it' if len(errors) == 1 else 'them'}, then check again"
        )
    warnings = f"; {plural(len(problems), 'warning')}" if problems else ""
    console.say(f"No errors in {project.backend.label}{warnings}.")
    return 0


def _climb(project: Project) -> int:
    from .. import lost, migrations, staircase
    from .migrate import header, rehearsed

    lost.note(project, migrations.read_heads(project))
    project.console.say(f"{header(project)}, in a database of its own", style="bold")
    climbed = staircase.climb(project, lambda done: project.console.lines(*rehearsed(done)))
    for table in climbed.without_rows:
        project.console.lines(f"No rows could be put into {table.rstrip('.')}.")
    project.console.say(
        f"{plural(climbed.steps, 'revision')} applied to tables with rows, taken back and applied again."
    )
    return 0
