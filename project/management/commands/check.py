"""Look for everything that can be wrong, and say for each how to mend it. Exit 1 on errors."""

from __future__ import annotations

from .. import checks
from ..console import plural
from ..errors import CommandError
from ..project import Project


def handle(project: Project) -> int:
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
