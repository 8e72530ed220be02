"""Bring the database to the newest revision, or to the one you name.

REVISION is head (the default), an id or the beginning of one, zero for none at all, +1 or -1 for steps from
where the database is. Going back says what will be lost and asks.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from ..console import columns, plural
from ..errors import CommandError
from ..project import Project
from ._waiting import add_lock_timeout, limit_waiting

if TYPE_CHECKING:
    from ..migrations import Request, Step
    from ..rehearsing import Effect, Rehearsed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("revision", nargs="?", default="head", metavar="REVISION", help="where to go (head)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="list the steps and do nothing")
    what.add_argument("--check", action="store_true", help="exit with 1 when a step is pending, and do nothing")
    what.add_argument("--sql", action="store_true", help="print the SQL that this database lacks, and do nothing")
    what.add_argument(
        "--rehearse", action="store_true", help="run the steps on a copy of this database: up, down and up again"
    )
    what.add_argument(
        "--abandon", action="store_true", help="give up a revision that no file has: record the one before it"
    )
    what.add_argument("--fake", action="store_true", help="record the revision without running anything")
    parser.add_argument("--create-database", action="store_true", help="make the database first when it is missing")
    add_backward_arguments(parser)


def add_backward_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--allow-production", action="store_true", help="go back in production too")
    parser.add_argument("--no-input", "--noinput", action="store_true", help="ask nothing")
    add_lock_timeout(parser)


def handle(
    project: Project,
    *,
    revision: str,
    plan: bool,
    check: bool,
    sql: bool,
    rehearse: bool,
    abandon: bool,
    fake: bool,
    create_database: bool,
    allow_production: bool,
    no_input: bool,
    lock_timeout: int,
) -> int:
    console = project.console
    limit_waiting(project, lock_timeout)
    if revision == "head" and not (sql or fake or rehearse or abandon or create_database):
        head = _settled_head(project)
        if head and (plan or check):
            console.result("Nothing to do.")
            return 0
        if head and _settled_head(project, locked=True):
            console.say(header(project), style="bold")
            console.say(f"Nothing to do: at head {head}.")
            return 0
    from .. import migrations

    if plan or check:
        return show_plan(project, revision, failing=check)
    if rehearse:
        return _rehearse(project, revision)
    if abandon:
        from .. import abandoning

        at = abandoning.abandon(project)
        console.say(f"Recorded revision {at}, whose schema {project.backend.label} has; rows were not compared.")
        return 0
    if sql:
        console.output(migrations.render_sql(project, revision))
        return 0
    if create_database:
        with project.explained():
            if project.backend.create_database():
                console.say(f"Made the database {project.backend.label}.")
    request = migrations.Request(no_input=no_input, allow_production=allow_production, stamp=fake)
    run(project, revision, request, hint="   Next: python manage.py seed" if revision == "head" else "")
    return 0


def _rehearse(project: Project, target: str) -> int:
    """Run the steps on a copy, and say of each how it went."""
    from .. import rehearsing

    console = project.console
    console.say(f"{header(project)}, on a copy", style="bold")
    outcome = rehearsing.rehearse(project, target, lambda done: console.lines(*rehearsed(done)))
    if not outcome.steps:
        console.result("Nothing to do.")
        return 0
    if outcome.only_counted:
        console.say(f"Rows of {', '.join(sorted(outcome.only_counted))} were only counted: {rehearsing.COMPARED}.")
    seeders = f" ({outcome.untried})" if outcome.untried else ", and the seeders fit"
    console.say(
        f"{plural(outcome.steps, 'revision')} rehearsed{seeders}; {project.backend.label} was not touched."
        "   Next: python manage.py migrate"
    )
    return 0


def rehearsed(done: Rehearsed) -> list[str]:
    """Return what there is to say of one step."""
    took = [
        f"{way} {'failed' if seconds is None else f'{seconds:.2f} s'}"
        for way, seconds in zip(("up", "down", "up again"), done.seconds, strict=True)
        if seconds is not None or done.failure is not None
    ]
    failed = next((number for number, seconds in enumerate(done.seconds) if seconds is None), len(took))
    head = f"  {done.step.revision.revision}  {done.step.message}  {', '.join(took[: failed + 1])}"
    lines = [f"{table}: {_became(effect)}" for table, effect in done.rows.items() if effect.before or effect.after]
    lines += [f"down: {_is_lost(table, effect)}" for table, effect in done.lost.items()]
    lines += [f"down leaves the schema {one}" for one in done.not_restored]
    lines += [f"down is refused once there are rows that it does not allow: {done.refused}"] if done.refused else []
    return [head, *(f"    {line}" for line in [*lines, *done.locks])]


def _became(effect: Effect) -> str:
    """Return "100 rows, 37 changed", or "40 rows -> 3 rows"."""
    before, after = ("no table" if rows is None else plural(rows, "row") for rows in (effect.before, effect.after))
    words = [before if before == after else f"{before} -> {after}"]
    if change := effect.change:
        replaced = min(change.gone, change.added)
        words += [f"{change.changed:,} changed"] if change.changed else []
        words += [f"{replaced:,} replaced"] if replaced else []
    return ", ".join(words)


def _is_lost(table: str, effect: Effect) -> str:
    if effect.change is None:
        return f"{table}: {_became(effect)}"
    number = effect.change.total
    verb, it = ("is", "it was") if number == 1 else ("are", "they were")
    counts = f" ({_became(replace(effect, change=None))})" if effect.before != effect.after else ""
    return f"{plural(number, 'row')} of {table} {verb} not what {it}{counts}"


def _settled_head(project: Project, *, locked: bool = False) -> str | None:
    """Return the newest revision where nothing can be pending or unfinished, told without importing Alembic.

    Args:
        locked: look while nobody migrates or seeds, as one that migrates does.
    """
    from .. import bookkeeping, heads

    backend = project.backend
    if not backend.exists():
        return None
    with (
        project.connect(write=locked) as connection,
        backend.lock(connection) if locked else nullcontext(),
        connection.begin() as looking,
    ):
        head = heads.reached_head(project.root, connection)
        if head and heads.is_as_applied(project, connection):  # else what is read next may be being made
            environment, unfinished = (bookkeeping.read(connection, key) for key in ("environment", "unfinished"))
            head = head if environment and unfinished is None else None
        else:
            head = None
        looking.rollback()  # a commit, even of nothing, waits for those who read an SQLite file
        return head


def run(project: Project, target: str, request: Request, *, hint: str = "", titled: bool = True) -> int:
    """Go to a revision, a line for each step as it is done; return how many there were.

    Args:
        hint: what to do next, said after steps up.
        titled: whether to say first which database this is.
    """
    from .. import migrations

    console, done = project.console, 0
    steps = [] if request.stamp else migrations.plan(project, target)
    if titled:
        console.say(header(project), style="bold")
    widths = _widths(steps)

    def report(step: Step) -> None:
        nonlocal done
        done += 1
        console.say(_line(step, widths))

    request.on_step = report
    migrations.migrate(project, target, request)
    at = ", ".join(migrations.read_heads(project)) or "zero"
    if request.stamp:
        before = ", ".join(request.forgotten)
        instead = f" in place of {before}, which no file in migrations/versions has" if before else ""
        accepted = f" As applied count as they are now: {', '.join(request.accepted)}." if request.accepted else ""
        console.say(f"Recorded revision {at}{instead}; nothing was run.{accepted}")
    elif done:
        upwards = bool(steps) and steps[0].upgrade
        verb = "applied" if upwards else "taken back"
        console.say(f"{plural(done, 'revision')} {verb}, at {_place(project, at)}.{hint if upwards else ''}")
    else:
        console.say(f"Nothing to do: at {_place(project, at)}.")
    if request.undo.words:
        console.say(request.undo.words)
    return done


def show_plan(project: Project, target: str, *, failing: bool) -> int:
    """List the steps to a revision; with `failing` return 1 when there are any."""
    from .. import migrations

    steps = migrations.plan(project, target)
    migrations.refuse_unfinished(project)
    for one in migrations.changed_files(project):
        project.console.note(str(one))
    if not steps:
        project.console.result("Nothing to do.")
        return 0
    rows = [["up" if step.upgrade else "down", step.revision.revision, step.message] for step in steps]
    project.console.result(columns([[*row, _kind(step)] for row, step in zip(rows, steps, strict=True)]))
    if failing:
        raise CommandError(f"{plural(len(steps), 'revision')} pending", "python manage.py migrate applies them")
    return 0


def header(project: Project) -> str:
    """Return which database this is: `school.db (SQLite, development)`."""
    backend = project.backend
    return f"{backend.label} ({backend.title}, {project.settings.environment})"


def _place(project: Project, at: str) -> str:
    from .. import history

    heads = history.load(project).get_heads()
    return f"head {at}" if [at] == list(heads) else at


def _widths(steps: list[Step]) -> tuple[int, int]:
    words = [len(step.message) for step in steps]
    return max(words, default=0), max((len(_kind(step)) for step in steps), default=0)


def _line(step: Step, widths: tuple[int, int]) -> str:
    cells = ["  " if step.upgrade else "- ", step.revision.revision, f"  {step.message:{widths[0]}}"]
    if widths[1]:
        rows = plural(step.rows, "row") if step.kind == "data" else ""
        cells.append(f"  {_kind(step):{widths[1]}}  {rows:>9}")
    return "".join([*cells, f"  {step.seconds:.2f} s"])


def _kind(step: Step) -> str:
    return "data" if step.kind == "data" else ""
