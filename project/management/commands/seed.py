"""Fill the database with believable rows, parents first: every table, or the ones you name.

--count is a target: seeding twice adds nothing the second time. The same --random-seed gives the same rows on every
database.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from .. import guard, seeding, undoing
from ..console import columns, plural
from ..errors import CommandError, shortened
from ..project import Project
from ..seeding import Report, Request, Target
from ._rows import add_row_arguments, count_of
from ._waiting import add_lock_timeout, limit_waiting

SHOWN = 5  # rows of --dry-run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="the tables to seed (all)")
    add_row_arguments(parser)
    parser.add_argument("--add", type=count_of("--add"), metavar="N", help="add N rows to what is there")
    parser.add_argument("--fresh", action="store_true", help="delete the rows of these tables first; asks")
    parser.add_argument("--list", action="store_true", help="show how each column is filled, and why")
    parser.add_argument("--dry-run", action="store_true", help="print the first rows, write nothing")
    parser.add_argument("--no-input", "--noinput", action="store_true", help="ask nothing")
    add_lock_timeout(parser)


def handle(
    project: Project,
    *,
    tables: list[str],
    count: int | None,
    add: int | None,
    fresh: bool,
    random_seed: int,
    locale: str,
    list: bool,
    dry_run: bool,
    no_input: bool,
    lock_timeout: int,
) -> None:
    if add is not None and (count is not None or fresh):
        raise CommandError("--add goes neither with --count nor with --fresh", "give one of them", exit_code=2)
    request = Request(tuple(tables), count, add, fresh, random_seed, seeding.known_locale(locale))
    if list:
        _list(project, seeding.choose(project, request.tables), count)
        return
    limit_waiting(project, lock_timeout)
    if dry_run:
        _show_first_rows(project, request)
    else:
        run(project, request, no_input=no_input)


def run(project: Project, request: Request, *, no_input: bool = False) -> list[Report]:
    """Seed, a line for each table as it is done; return what was done with each."""
    console = project.console
    targets = seeding.choose(project, request.tables)
    seeding.refuse_problems(project, targets)
    undo: undoing.Undo | None = None
    if request.fresh:
        lost, undo = _ask_for_fresh(project, targets, no_input=no_input)
        request = replace(request, agreed=None if no_input else lost)
    width = max((len(target.name) for target in targets), default=0)
    reports: list[Report] = []

    def report(done: Report) -> None:
        reports.append(done)
        console.say(_line(done, width))

    def fill(look: undoing.Look | None = None) -> None:
        seeding.seed(project, targets, replace(request, look=look), report=report, progress=console.progress)

    if undo is not None:
        undo, _ = undoing.save_and_lose(project, undo, "seed-fresh", fill, drops=False, no_input=no_input)
    else:
        fill()
    console.say(f"Random seed {request.random_seed}, locale {request.locale}.")
    if undo and undo.words:
        console.say(undo.words)
    return reports


def _line(done: Report, width: int) -> str:
    rows = f"{plural(done.rows, 'row'):>14}"
    if done.note.startswith("kept"):
        return f"  {done.table:{width}}{rows}  {done.note}"
    note = done.note or ("" if done.added else "nothing to add")
    return f"  {done.table:{width}}{rows}  {done.seconds:.2f} s  {note}".rstrip()


def _ask_for_fresh(
    project: Project, targets: list[Target], *, no_input: bool
) -> tuple[guard.Losses, undoing.Undo | None]:
    """Say what will be deleted and ask; return it, and how it can be undone, None where nothing is lost."""
    guard.before_connecting(project, "seed --fresh")
    with project.connect() as connection:
        guard.after_connecting(project, connection, "seed --fresh")
        seeding.require_ready(project, connection)
        seeding.require_columns(project, connection, targets)
        lost = seeding.rows_to_delete(project, connection, targets)
    undo = None
    if any(count for _, count, _ in lost):
        with project.connect() as connection:
            undo = undoing.undo_of(project, connection, "seed-fresh")
        rows = [[table, plural(count, "row"), note] for table, count, note in lost]
        explanation = f"seed --fresh deletes from {project.backend.label} ({project.backend.title})"
        explanation = f"{explanation}\n{columns(rows, right=frozenset({1}))}"
        guard.consent(project, undoing.warned(explanation, undo), no_input=no_input)
    return lost, undo


def _list(project: Project, targets: list[Target], wanted: int | None) -> None:
    for number, target in enumerate(targets):
        count = target.seeder.count if target.seeder else seeding.DEFAULT_COUNT
        count = count if wanted is None else wanted
        source = f"{target.seeder.__module__.replace('.', '/')}.py" if target.seeder else "by inference"
        project.console.lines(*[""] * (number > 0), f"{target.name}: {plural(count, 'row')}, {source}")
        project.console.result(columns([[name, plan.how, plan.why] for name, plan in target.plans.items()]))
    for problem, cure in seeding.refusals(targets):
        project.console.note(f"It will be refused: {problem} — {cure}")


def _show_first_rows(project: Project, request: Request) -> None:
    for number, (table, sample) in enumerate(seeding.samples(project, request, SHOWN)):
        cells = [sample.columns, *([_cell(value) for value in row] for row in sample.rows)]
        project.console.lines(*[""] * (number > 0), table)
        project.console.result(f"  {sample.note}" if sample.note else columns(cells))


def _cell(value: object) -> str:
    return shortened("NULL" if value is None else " ".join(str(value).split()))
