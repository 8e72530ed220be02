"""Rehearse the pending steps on a throwaway copy of the database, with all its rows: up, down, and up again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from . import autogenerate, comparing, culprits, guard, migrations, schema, seeding, snapshots
from .backends.base import TableName
from .console import Console, plural
from .errors import CommandError, StepFailed, StepRefused, shortened
from .migrations import Step
from .schema import Schema

if TYPE_CHECKING:
    from .project import Project

Notice = Callable[[sa.Connection, str], None]

COMPARED = f"rows are compared by primary key, {comparing.MOST:,} of the smallest tables"
ADDED = 3  # rows of each table, to see whether its seeder still fits


@dataclass(frozen=True)
class Effect:
    """What became of a table's rows: how many there were and are, None without a table; and which, if that is told."""

    before: int | None
    after: int | None
    change: comparing.Change | None = None

    def __bool__(self) -> bool:
        return self.before != self.after or bool(self.change and self.change.total)


@dataclass
class Rehearsed:
    """One step that was rehearsed."""

    step: Step
    up: float | None = None  # seconds; None where it failed
    down: float | None = None
    again: float | None = None
    rows: dict[str, Effect] = field(default_factory=dict)  # by table, where there was any
    lost: dict[str, Effect] = field(default_factory=dict)  # what is not as it was, after down
    only_counted: Collection[str] = ()  # tables whose rows were not compared
    not_restored: list[str] = field(default_factory=list)  # of the schema, by down
    refused: str = ""  # why down cannot be where rows are as only the new schema allows; that is no failure
    locks: list[str] = field(default_factory=list)
    failure: CommandError | None = None

    @property
    def seconds(self) -> list[float | None]:
        return [self.up, self.down, self.again]


@dataclass(frozen=True)
class _State:
    rows: Mapping[TableName, int]
    contents: Mapping[TableName, comparing.Rows]

    @property
    def only_counted(self) -> set[str]:
        return {str(table) for table, rows in self.rows.items() if rows and table not in self.contents}


@dataclass(frozen=True)
class Outcome:
    """What came of a rehearsal that found nothing wrong."""

    steps: int
    only_counted: Collection[str] = ()  # tables whose rows were not compared
    untried: str = ""  # why it was not tried whether the seeders fit


def rehearse(project: Project, target: str, report: Callable[[Rehearsed], None]) -> Outcome:
    """Rehearse what `migrate` would do.

    Args:
        report: gets each step when it is through.

    Raises:
        CommandError: a step failed, the seeders do not fit, there can be no copy, or the steps go back.
    """
    steps = migrations.plan(project, target)
    if any(not step.upgrade for step in steps):
        raise CommandError("a rehearsal is of pending steps, and these go back", "name a later revision, or none")
    migrations.refuse_unfinished(project)
    if not project.backend.exists():
        raise CommandError(
            f"{project.backend.label} is not there yet, so there are no rows to rehearse on", "python manage.py migrate"
        )
    if not steps:
        return Outcome(0)
    only_counted: set[str] = set()
    with throwaway(project) as copy:
        for step in steps:
            done = go_through(copy, step)
            report(done)
            only_counted.update(done.only_counted)
            if done.failure is not None:
                raise told(project, copy, done.failure, "the rehearsal", f". {project.backend.label} was not touched")
        untried = _why_seeders_are_left_alone(copy, steps[-1])
        if not untried:
            _try_seeders(project, copy)
        return Outcome(len(steps), only_counted, untried)


def told(project: Project, copy: Project, failure: CommandError, what: str, after: str = "") -> CommandError:
    """Return why something failed on a copy, and on which row; what stays of it stays in the copy, which is going.

    Args:
        after: what more there is to say where it was a step.
    """
    if not isinstance(failure, StepFailed):
        return CommandError(f"{what} failed: {failure.cause}", failure.cure)
    cause = what_failed(project, copy, failure)
    refused = failure.__cause__
    cure = refused.cure if isinstance(refused, StepRefused) else "correct it, then try again"
    return CommandError(f"{what} failed: {cause}{after}", cure)


def what_failed(project: Project, copy: Project, failure: StepFailed) -> str:
    """Return which step failed on a copy, why, and on which row, by the name of the database itself."""
    row = culprits.row_of(copy, failure)
    words = f"{failure.what.rstrip('.')}; {row}" if row else failure.what
    return words.replace(copy.backend.database, project.backend.database)


@contextmanager
def throwaway(project: Project, *, empty: bool = False) -> Iterator[Project]:
    """Give the project with a copy of its database, for as long as it is used; or with an empty one like it."""
    quietly = autogenerate.quiet(types=True)  # whoever uses the table knows its types
    with snapshots.alone(project), project.backend.copies.throwaway(empty=empty) as name, quietly:
        copy = project.beside(name, source="a throwaway copy", console=Console(verbosity=0))
        with copy.backend.sessions_kept():
            yield copy


def go_through(copy: Project, step: Step, fill: Callable[[], object] | None = None) -> Rehearsed:
    """Take the next step on a copy, take it back, and take it again.

    Args:
        fill: puts rows into what the step has made, before it is taken back.
    """
    before, schema_before = _state(copy), _schema(copy)
    done = Rehearsed(step, only_counted=before.only_counted)
    try:
        done.up = go(copy, "+1", _locks_into(done.locks, copy, before.rows))
        done.rows = _effects(before, _state(copy, before.contents))
        if fill is not None:
            fill()
        done.down = go(copy, "-1")
        back = _state(copy, before.contents)
        done.not_restored = schema.changed(schema_before, _schema(copy))
        done.lost = _effects(before, back)
        done.again = go(copy, "+1")
    except CommandError as error:
        done.failure = error
        if done.not_restored and not isinstance(error, StepFailed):
            what = f"{migrations.named(step.revision, copy)} is not taken back by its downgrade"
            done.failure = CommandError(f"{what}: the schema is {done.not_restored[0]}", "correct it, then try again")
    return done


def go(copy: Project, target: str, notice: Notice | None = None) -> float:
    """Take one step and return its seconds."""
    took: list[float] = []
    request = migrations.Request(on_step=lambda step: took.append(step.seconds), on_statement=notice, is_of_a_copy=True)
    migrations.migrate(copy, target, request)
    return sum(took)


def _locks_into(found: list[str], copy: Project, rows: Mapping[TableName, int]) -> Notice:
    """Return what notes the strong locks that a statement took on tables that held rows before the step."""
    seen: set[object] = set()

    def notice(connection: sa.Connection, statement: str) -> None:
        for table, lock in copy.backend.strong_locks(connection):
            if rows.get(table) and (table, lock) not in seen:
                seen.add((table, lock))
                words = shortened(" ".join(statement.split()), most=80)
                found.append(f"{words} holds {lock} on {table} ({plural(rows[table], 'row')})")

    return notice


def _state(copy: Project, tables: Collection[TableName] | None = None) -> _State:
    """Return what rows a copy has.

    Args:
        tables: whose rows are read; those that can be, when not given.
    """
    with copy.connect() as connection:
        counted = guard.count_rows(connection, snapshots.tables(copy, connection))
        tables = comparing.comparable(connection, counted) if tables is None else tables
        return _State(counted, comparing.read(copy, connection, tables))


def _schema(copy: Project) -> Schema:
    with copy.connect() as connection:
        return schema.described(copy, connection)


def _effects(before: _State, after: _State) -> dict[str, Effect]:
    """Return what became of the rows, of each table where that is anything."""
    found = {}
    for table in sorted(before.rows.keys() | after.rows.keys(), key=str):
        both = table in before.contents and table in after.contents
        change = comparing.compare(before.contents[table], after.contents[table]) if both else None
        if effect := Effect(before.rows.get(table), after.rows.get(table), change):
            found[str(table)] = effect
    return found


def _why_seeders_are_left_alone(copy: Project, last: Step) -> str:
    """Return why it is not asked whether the seeders fit after the last step; nothing where it is."""
    if not last.revision.is_head:
        return "seeders are tried at the newest revision only"
    with copy.connect() as connection:
        return "seeders are never run in production" if guard.is_production(copy, connection) else ""


def _try_seeders(project: Project, copy: Project) -> None:
    """Refuse seeders that cannot add a few rows to what is there."""
    try:
        seed_all(copy, seeding.Request(add=ADDED))
    except CommandError as error:
        cause = error.cause.replace(copy.backend.label, project.backend.label).rstrip(".")
        raise CommandError(
            f"the seeders would not fit: {cause}. {project.backend.label} was not touched", error.cure
        ) from error


def seed_all(
    copy: Project, request: seeding.Request, *, only: Collection[str] | None = None, at_head: bool = True
) -> None:
    """Seed every table without a word, or only some of them.

    Args:
        at_head: whether seeders are to fit the tables in every column.

    Raises:
        CommandError: one cannot be filled.
    """
    targets = [one for one in seeding.choose(copy, ()) if only is None or one.name in only]
    if at_head:
        seeding.refuse_problems(copy, targets)
    seeding.seed(copy, targets, request, report=lambda _: None, progress=copy.console.progress)
