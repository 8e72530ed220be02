"""Run Alembic: one process at a time, all or nothing, and a record of what was applied."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from inspect import unwrap
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep, StampStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError as AlembicCommandError

from . import autogenerate, bookkeeping, guard, history, losing, migration_history, undoing
from .backends.base import TableName
from .backends.waiting import LOCK_TIMEOUT, seconds_of
from .console import columns, plural
from .errors import CommandError, StepFailed, StepRefused, Terminated, first_line, shortened
from .losing import Loss
from .undoing import Look, Undo

if TYPE_CHECKING:
    from .project import Project

UNDONE_WITHIN = 2  # seconds for a server to undo what a session did that was cut

Named = TypeVar("Named")
Plan = Callable[[tuple[str, ...], MigrationContext | None], Iterable[MigrationStep]]


@dataclass(frozen=True)
class Step:
    """One revision up or down, planned or done."""

    revision: Script
    upgrade: bool
    seconds: float = 0.0
    rows: int = 0  # that a data migration inserted, changed or deleted

    @property
    def kind(self) -> str:
        return history.kind(self.revision)

    @property
    def message(self) -> str:
        return history.message(self.revision)


@dataclass
class Request:
    """What a command asks of a run; the defaults are those of plain `alembic`."""

    on_step: Callable[[Step], None] = lambda step: None
    on_statement: Callable[[sa.Connection, str], None] | None = None  # after each one of a step that changes something
    no_input: bool = False
    allow_production: bool = False
    is_of_a_copy: bool = False  # with which nothing is lost: nobody asks what steps back take, and nothing is saved
    stamp: bool = False  # record revisions without running them
    output: list[str] = field(default_factory=list)  # the statements, with --sql
    undo: Undo = field(default_factory=Undo)  # how what steps back have lost comes back
    forgotten: list[str] = field(default_factory=list)  # revisions of other checkouts that were recorded, with `stamp`
    accepted: list[str] = field(default_factory=list)  # files that count as applied as they are now, with `stamp`


# What the commands call


def migrate(project: Project, target: str, request: Request) -> None:
    """Bring the database to a revision: `head`, an id or its prefix, `zero`, `+N` or `-N`.

    Raises:
        CommandError: anything that stops it; the revisions that were done before stay.
    """
    script = _loaded(project, target)
    _run_env(project, script, request, _plan(script, target, stamp=request.stamp))


def render_sql(project: Project, target: str) -> str:
    """Return the SQL that would bring this database, from where it is, to a revision."""
    script = _loaded(project, target)
    current = read_heads(project)
    history.refuse_unknown(script, current, project)
    refuse_unfinished(project)
    request = Request()
    plan = _plan(script, target, stamp=False)
    _run_env(project, script, request, plan, as_sql=True, starting_rev=current or None)
    return "".join(request.output).strip()


def plan(project: Project, target: str) -> list[Step]:
    """Return the steps that would bring the database to a revision, in order; changes nothing."""
    script = _loaded(project, target)
    current = read_heads(project)
    history.refuse_unknown(script, current, project)
    steps = _plan(script, target, stamp=False)(current, None)
    return [_as_step(step) for step in steps if isinstance(step, RevisionStep)]


def read_heads(project: Project) -> tuple[str, ...]:
    """Return the revision the database is at; none when it was never migrated or is an SQLite file yet to be made."""
    if not project.backend.exists():
        return ()
    with project.connect() as connection:
        return history.heads_of(connection)


@dataclass(frozen=True)
class State:
    """Where a database is: its revision, the one that was left half-way, and what is known of the steps."""

    heads: tuple[str, ...] = ()
    unfinished: str | None = None
    history: migration_history.Known = migration_history.NOTHING

    def has(self, script: ScriptDirectory) -> dict[str, bool | None]:
        """Return of each revision of this checkout whether the database has it; None where nothing tells."""
        unknown = history.unknown(script, self.heads)
        certain = history.applied(script, tuple(head for head in self.heads if head not in unknown))
        recorded = migration_history.last_applied(self.history.records) if unknown else {}
        otherwise = False if recorded.keys() >= set(unknown) else None
        return {
            one.revision: True if one.revision in certain or one.revision in recorded else otherwise
            for one in script.walk_revisions()
        }


def read_state(project: Project) -> State:
    """Return where the database is; nowhere when it is an SQLite file yet to be made."""
    if not project.backend.exists():
        return State()
    with project.connect() as connection:
        known = migration_history.look_up(project, connection)
        return State(history.heads_of(connection), unfinished(connection), known)


def refuse_unfinished(project: Project) -> None:
    """Refuse a database in which a revision was left half-way: where it is, nobody can tell.

    Without the lock another process may be in the middle of that revision; `migrate` waits for it.
    """
    if not project.backend.exists():
        return
    script = history.load(project)
    with project.connect() as connection:
        _refuse_unfinished(project, connection, script)


def changed_files(project: Project) -> list[CommandError]:
    """Return what there is to say of each file that does something else than when it was applied; or why nothing is."""
    if not project.backend.exists():
        return []
    with project.connect() as connection:
        records, why_not = migration_history.look_up(project, connection)
        found = history.changed(history.load(project), records, history.heads_of(connection), project.root)
        return [why_not] if why_not else found


def unfinished(connection: sa.Connection) -> str | None:
    """Return the revision that was begun and neither finished nor undone, where some of it stays."""
    left = _half_way(connection)
    return left[0] if left else None


def _half_way(connection: sa.Connection) -> tuple[str, str] | None:
    """Return that revision, and whether it was an upgrade or a downgrade."""
    value = bookkeeping.read(connection, "unfinished")
    if value is None:
        return None
    name, _, direction = value.partition(" ")
    if not name or direction not in ("upgrade", "downgrade"):
        raise bookkeeping.damaged("unfinished", value)
    return name, direction


# What migrations/env.py calls


def run(context: ModuleType, project: Project) -> None:
    """Do what Alembic's context was made for; the heart of migrations/env.py.

    Raises:
        CommandError: a broken history, a refusal of the guard, a step that failed.
    """
    script: ScriptDirectory = context.script
    attributes = context.config.attributes
    plain = "request" not in attributes
    if plain:  # what asks has read it already
        history.validate(script, project.root)
    extra: dict[str, str] = context.get_x_argument(as_dictionary=True)
    attributes["kind"] = extra.get("kind", attributes.get("kind", "schema"))
    if attributes["kind"] not in ("schema", "data"):
        raise CommandError(f"kind is {attributes['kind']!r}", "it can be schema or data, as in -x kind=data")
    request: Request = attributes.get("request") or Request(
        allow_production="allow-production" in extra, stamp=_is_stamp(context.config)
    )
    if plain:
        project.backend.waiting.limit(_lock_timeout(extra), "-x lock-timeout=SECONDS")
    options = autogenerate.options(project, script, context.config)
    with _translated(project):
        if context.is_offline_mode():
            _run_offline(context, project, request, options)
        elif _moves(context, project):
            _run_online(context, project, request, options, plain=plain)
        else:
            _run_reading(context, project, options)


def _lock_timeout(extra: dict[str, str]) -> int:
    try:
        return seconds_of(extra.get("lock-timeout", str(LOCK_TIMEOUT)))
    except ValueError as error:
        raise CommandError(f"lock-timeout: {error}", "as in -x lock-timeout=5") from error


def _run_reading(context: ModuleType, project: Project, options: dict[str, Any]) -> None:
    if not _needs_database(context.config):
        context.configure(dialect_name=project.backend.dialect, as_sql=True, **options)
        context.run_migrations()
        return
    with project.connect() as connection, autogenerate.quiet():
        context.configure(connection=connection, dont_mutate=True, **options)
        context.run_migrations()


def _is_stamp(config: Config) -> bool:
    given = getattr(config.cmd_opts, "cmd", (None,))
    return given[0] is command.stamp


def _needs_database(config: Config) -> bool:
    """Return False for what only reads and writes files, as `history` and `revision` without --autogenerate do."""
    given = config.cmd_opts
    if given is None or not hasattr(given, "cmd"):
        return bool(config.attributes.get("needs_database", True))
    if given.cmd[0] is command.history:
        return given.indicate_current or "current" in (given.rev_range or "")
    files_only = (command.revision, command.merge, command.heads, command.branches, command.show, command.edit)
    return given.cmd[0] not in files_only or getattr(given, "autogenerate", False)


def _run_offline(context: ModuleType, project: Project, request: Request, options: dict[str, Any]) -> None:
    output = _Output(request.output) if "request" in context.config.attributes else None
    settings = {
        "dialect_name": project.backend.dialect,
        "literal_binds": True,
        "dialect_opts": {"paramstyle": "named"},
        "transactional_ddl": project.backend.transactional_ddl,
        "transaction_per_migration": True,
        **({"output_buffer": output} if output else {}),
        **options,
    }
    with history.silent():
        context.configure(**settings)
    original: Plan = context.get_context().opts["fn"]

    def planned(heads: tuple[str, ...], migration: MigrationContext | None) -> Iterator[MigrationStep]:
        assert migration is not None
        for number, step in enumerate(original(heads, migration)):
            if number == 0:
                migration.impl._exec(sa.schema.CreateTable(migration_history.history_table(), if_not_exists=True))
            if number == 0 and not heads:
                migration.impl._exec(sa.schema.CreateTable(bookkeeping.metadata_table(), if_not_exists=True))
                environment = {"key": "environment", "value": project.settings.environment}
                migration.impl._exec(bookkeeping.metadata_table().insert().values(**environment))
            running.append(step)
            yield step

    def recorded(*, heads: Iterable[str], **_: object) -> None:
        step, script = running[-1], context.script
        done = [step.revision] if isinstance(step, RevisionStep) else map(script.get_revision, heads)
        way: migration_history.Direction = (
            "stamp" if not isinstance(step, RevisionStep) else "upgrade" if step.is_upgrade else "downgrade"
        )
        for revision in done:
            found = replace(history.record(revision, way), done_at=None, done_by=None)  # whoever runs it, whenever
            context.get_context().impl._exec(migration_history.insert(found, project.backend.utc_now))

    running: list[MigrationStep] = []
    context.configure(**settings, fn=planned, on_version_apply=recorded)
    try:
        with context.begin_transaction():
            context.run_migrations()
    except SystemExit as error:
        if isinstance(error, Terminated):
            raise
        what = named(_as_step(running[-1]).revision, project)
        raise CommandError(
            f"{what} failed: {type(error).__name__}", "correct it, then run the command again"
        ) from error


def _run_online(
    context: ModuleType, project: Project, request: Request, options: dict[str, Any], *, plain: bool
) -> None:
    asks = project.backend.exists() and not request.is_of_a_copy
    asked = _ask_before_going_back(context, project, request, plain=plain) if asks else _Asked()
    run = partial(_run_locked, context, project, request, options, asked.back)
    if asked.undo is None:
        run(partial(_refuse_rows_since, project, asked.empty) if asked.empty else _lost_nothing)
    else:
        request.undo, _ = undoing.save_and_lose(
            project, asked.undo, "downgrade", run, drops=False, no_input=asked.no_input
        )
    if plain and request.undo.words:
        project.console.note(request.undo.words)


def _run_locked(
    context: ModuleType,
    project: Project,
    request: Request,
    options: dict[str, Any],
    agreed: Sequence[Script],
    look: Look,
) -> None:
    backend = project.backend
    with (
        project.connect(write=True, create=True) as connection,
        backend.lock(connection),
        backend.migrating(connection),
    ):
        runner = _Runner(project, connection, request, agreed, look)
        with runner.transaction():
            runner.look_for_foreign_tables(context.script)
            settings = {
                "connection": connection,
                "dont_mutate": False,
                "transactional_ddl": backend.transactional_ddl,
                "transaction_per_migration": True,
                "on_version_apply": runner.applied,
                **options,
            }
            with history.silent():
                context.configure(**settings)
            plan: Plan = unwrap(context.get_context().opts["fn"])  # where this is tried again, it is surrounded already
            runner.refuse_foreign_tables(plan)
            context.configure(**settings, fn=runner.steps(plan, context.script))
            if backend.one_transaction:  # nothing that a migration does has to run outside it
                context.get_context().autocommit_block = nullcontext
            with context.begin_transaction():
                context.run_migrations()


def _lost_nothing(*_: object) -> None:
    """Take the place of what looks before a loss, where there can be none."""


def _refuse_rows_since(project: Project, empty: Sequence[Loss], connection: sa.Connection, *_: object) -> None:
    """Refuse to drop what had no row when it was looked at, and has some now."""
    project.backend.copies.wait_for_writers(connection)
    if any(_count(project, connection, loss.count) for loss in empty):
        raise CommandError(
            f"somebody has put rows of {project.backend.label} where none were when this began. Nothing was changed",
            "run the command again",
        )


class _Asked(NamedTuple):
    """What was agreed to before backward steps: what is planned again under the lock has to be the same."""

    back: Sequence[Script] = ()
    undo: Undo | None = None  # of what they lose, as a person was shown; None where they lose nothing
    empty: Sequence[Loss] = ()  # what they would lose if it had rows
    no_input: bool = False


def _ask_before_going_back(context: ModuleType, project: Project, request: Request, *, plain: bool) -> _Asked:
    """Say what backward steps would lose and ask; outside the lock, for a person may think for an hour."""
    if request.stamp:
        return _Asked()
    with project.connect() as connection:
        heads = history.heads_of(connection)
        history.refuse_unknown(context.script, heads, project)
        with history.silent():
            context.configure(connection=connection, dont_mutate=True)
        migration = context.get_context()
        back = [
            _as_step(step).revision
            for step in migration.opts["fn"](heads, migration)
            if isinstance(step, RevisionStep) and not step.is_upgrade
        ]
        if not back:
            return _Asked()
        _refuse_unfinished(project, connection, context.script)
        if guard.is_production(project, connection) and not request.allow_production:
            way = "-x allow-production" if plain else "--allow-production"
            raise CommandError(
                f"going back is refused: {project.backend.label} is a production database",
                f"{way} does it all the same",
            )
        explanation, loses, empty = explain_losses(project, connection, back)
    in_a_script = plain and not project.console.can_ask()  # there plain Alembic says it, and asks nothing
    undo = None
    if loses:
        with project.connect() as connection:
            undo = undoing.undo_of(project, connection, "downgrade")
    no_input = request.no_input or in_a_script
    guard.consent(project, undoing.warned(explanation, undo) if undo else explanation, no_input=no_input)
    return _Asked(back, undo, empty, no_input)


class _Losses(NamedTuple):
    """What going back through revisions loses, in rows; whether it may be anything; what else it would."""

    explanation: str
    loses: bool
    empty: Sequence[Loss]


def explain_losses(project: Project, connection: sa.Connection, back: Sequence[Script]) -> _Losses:
    """Return what going back through revisions would lose."""
    losses, silent = losing.losses(project.backend, connection, back)
    known = _by_name({name: name for name in sa.inspect(connection).get_table_names()})
    lines, emptied, empty, loses = [], [], list[Loss](), False
    for loss in losses:
        name = known(loss.table[1]) if loss.table[0] is None else None
        table = TableName(None, name) if name else loss.table
        if loss.becomes and _keeps_values(project, connection, table, loss):
            continue
        count = _count(project, connection, loss.count)
        is_other = loss.table[0] is None and not (name or loss.dropped or loss.becomes)  # a view's rows are another's
        if (count is None or is_other) and loss.revision not in silent:
            silent.append(loss.revision)
        if count is None:
            continue
        empty += [] if count else [loss]
        loses = loses or count > 0
        if loss.becomes:
            words = f"column {loss.column} becomes {loss.becomes.partition(' USING ')[0]}"
            lines += [[str(table), f"up to {plural(count, 'value')}", words]] if count else []
            continue
        what = f"column {loss.column}" if loss.column else "the table"
        lines.append(
            [
                str(table),
                plural(count, "value" if loss.column else "row"),
                f"{what} will be dropped" if loss.dropped else "will be deleted",
            ]
        )
        if count and not loss.dropped:
            emptied.append(table)
    if project.backend.follows_keys:
        gone = {loss.table for loss in losses if loss.dropped and not loss.column}
        lines += _taken_along(project, connection, emptied, gone)
    lines += [[history.message(one), "", "cannot tell what it loses"] for one in silent]
    head = f"This takes back {plural(len(back), 'revision')} of {project.backend.label} ({project.backend.title})"
    if not lines:
        return _Losses(f"{head}. No rows will be lost.", loses=False, empty=empty)
    told = columns(lines, right=frozenset({1}))
    return _Losses(f"{head}. It loses\n{told}", loses or bool(silent), empty)


def _keeps_values(project: Project, connection: sa.Connection, table: TableName, loss: Loss) -> bool:
    """Return whether a column's values are certain to stay as they are when it gets another type."""
    with suppress(sa.exc.NoSuchTableError, sa.exc.CompileError):
        columns = sa.inspect(connection).get_columns(table[1], schema=table[0])
        types = _by_name({str(column["name"]): column["type"] for column in columns})
        if loss.column and loss.becomes and (found := types(loss.column)) is not None:
            present = found.compile(dialect=connection.dialect)
            return losing.keeps_values(present, loss.becomes, project.backend.dialect)
    return False


def _by_name(named: dict[str, Named]) -> Callable[[str], Named | None]:
    """Return what looks things up by their name, and where there is none, by the same in other letters."""
    folded = {name.lower(): one for name, one in named.items()}
    return lambda name: named.get(name, folded.get(name.lower()))


def _taken_along(
    project: Project, connection: sa.Connection, emptied: Sequence[TableName], told: set[TableName]
) -> Iterator[list[str]]:
    """Yield a line for each foreign key that takes rows or values along with the rows of these tables.

    Args:
        told: tables that are dropped, of which it has been said what they lose.
    """
    schemas = {None, *(table.schema for table in project.metadata.tables.values()), *(table[0] for table in emptied)}
    inspector = sa.inspect(connection)
    keys = [
        (TableName(*child), key)
        for schema in sorted(schemas, key=str)
        for child, found in inspector.get_multi_foreign_keys(schema=schema).items()
        for key in found
        if TableName(*child) not in told and key["options"].get("ondelete") in ("CASCADE", "SET NULL", "SET DEFAULT")
    ]
    parents = list(dict.fromkeys(emptied))
    for parent in parents:  # which grows
        for child, key in keys:
            if TableName(key["referred_schema"], key["referred_table"]) != parent:
                continue
            names: list[str] = key["constrained_columns"]
            query = sa.select(sa.func.count()).select_from(child.clause)
            count = connection.scalar(query.where(*(sa.column(name).is_not(None) for name in names))) or 0
            rule = key["options"]["ondelete"]
            if count and rule == "CASCADE":
                parents += [child] if child not in parents else []
                yield [str(child), f"up to {plural(count, 'row')}", f"go with those of {parent} (ON DELETE {rule})"]
            elif count:
                which = f"{'column' if len(names) == 1 else 'columns'} {', '.join(names)}"
                words = f"{which} changes with those of {parent} (ON DELETE {rule})"
                yield [str(child), f"up to {plural(count, 'value')}", words]


def _count(project: Project, connection: sa.Connection, query: sa.TextClause) -> int | None:
    """Return a count; None when it speaks of what an earlier step back will have made.

    What somebody holds locked is not lost sight of: that error is raised.
    """
    try:
        with connection.begin_nested():
            return connection.scalar(query) or 0
    except sa.exc.DBAPIError as error:
        if project.backend.explain(error) is not None:
            raise
        return None


@dataclass
class Statement:
    """A statement of a step that changes something; `done` when the database did not refuse it."""

    text: str
    done: bool = False


class _Runner:
    """One run on one connection: what is begun, recorded and undone around each step."""

    def __init__(
        self,
        project: Project,
        connection: sa.Connection,
        request: Request,
        agreed: Sequence[Script],
        look: Look,
    ) -> None:
        self.project = project
        self.look = look  # before a step back loses anything
        self.agreed = [one.revision for one in agreed]
        self.connection = connection
        self.request = request
        self.backend = project.backend
        self.step: Step | None = None
        self.done = 0  # steps
        self.writes = False  # whether there is anything to commit
        self.savepoint: sa.NestedTransaction | None = None
        self.statements: list[Statement] = []  # of the present step
        self.committed = 0  # how many of them the step has committed by itself
        self.running = False  # from a step's first statement to the record of it
        self.marked = False  # whether the step is written down as unfinished
        self.all_undone = False  # whether the database has taken back the steps before it too
        self.rows: dict[str, int] = {}
        self.inserted: set[str] = set()  # tables that the present step has put rows into
        self.foreign_tables: list[str] = []
        self.broken_before: Counter[tuple[str, str]] = Counter()
        self.begun = 0.0
        self.script: ScriptDirectory | None = None
        self.stamps = 0  # steps that are only recorded, and are still to come
        sa.event.listen(connection, "before_cursor_execute", self._note_attempt)
        sa.event.listen(connection, "after_cursor_execute", self._note_success)
        sa.event.listen(connection, "commit", self._note_commit)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run everything inside; a failure undoes the step it happened in, and keeps the steps before it."""
        if self.backend.one_transaction:
            self.connection.begin()
        try:
            yield
            if self.backend.one_transaction:
                self._commit_all()
        except BaseException as error:
            self.running = False
            kept = self._kept(error)
            self._undo(kept)
            ended = isinstance(error, SystemExit) and not isinstance(error, Terminated)
            if self.step is None or isinstance(error, CommandError) or not (ended or isinstance(error, Exception)):
                raise
            raise self._failure(error, kept) from error

    def _commit_all(self) -> None:
        """Commit the one transaction of all steps; where that fails, none stays, though each was told as done."""
        if not self.writes:
            self.connection.rollback()  # even an empty commit would wait for readers
            return
        try:
            self.connection.commit()
        except (CommandError, sa.exc.DBAPIError) as error:
            explanation = error if isinstance(error, CommandError) else self.project.explanation(error)
            if not self.done or explanation is None:
                raise
            cause = f"{explanation.cause}. Nothing stays of {plural(self.done, 'revision')}"
            raise CommandError(cause, explanation.cure) from error

    def look_for_foreign_tables(self, script: ScriptDirectory) -> None:
        """Find the tables that are there though no revision is recorded; before Alembic runs, whose `op` this uses."""
        self.foreign_tables = history.tables_of_nobody(self.project, script, self.connection)
        self._commit()

    def refuse_foreign_tables(self, plan: Plan) -> None:
        """Refuse steps among such tables, before Alembic makes its own table, which MariaDB would keep."""
        if not self.foreign_tables or self.request.stamp:
            return
        if any(isinstance(step, RevisionStep) for step in plan((), None)):
            raise history.unrecorded(self.project, self.foreign_tables)

    def steps(self, plan: Plan, script: ScriptDirectory) -> Plan:
        """Surround each step of a plan with what must happen before and after it."""

        @wraps(plan)
        def planned(heads: tuple[str, ...], context: MigrationContext | None) -> Iterator[MigrationStep]:
            if self.request.stamp:
                self.request.forgotten = history.unknown(script, heads)
            else:
                history.refuse_unknown(script, heads, self.project)
            steps = list(plan(heads, context))
            back = [step.revision.revision for step in steps if isinstance(step, RevisionStep) and not step.is_upgrade]
            if back != self.agreed and not self.request.is_of_a_copy:
                raise CommandError(f"another process migrated {self.backend.label} meanwhile", "run the command again")
            if not self.request.stamp:
                records = migration_history.read(self.connection)
                for one in history.changed(script, records, heads, self.project.root):
                    self.project.console.note(str(one))
            self.script, self.stamps = script, sum(not isinstance(step, RevisionStep) for step in steps)
            stamping = self.request.stamp or self.stamps > 0
            if not stamping:
                _refuse_unfinished(self.project, self.connection, script)
            is_new = not migration_history.exists(self.connection)
            keeps_books = steps or self.request.stamp or (heads and not bookkeeping.is_complete(self.connection))
            self.writes = bool(keeps_books or not heads)  # without heads Alembic makes its own table
            if keeps_books:
                self._prepare(forget_unfinished=stamping or self.request.stamp)
            if keeps_books and is_new and not stamping:  # an earlier version of this project applied them
                self._record_stamps(heads)
                self._commit()
            self.look(self.connection, ())  # the first step goes on in its transaction
            for step in steps:
                if isinstance(step, RevisionStep):
                    self._begin(_as_step(step))
                yield step
                self._end()
            if self.request.stamp and not steps:
                self._record_stamps(heads)
                self._commit()

        return planned

    def applied(self, *, step: Any, heads: Iterable[str], **_: object) -> None:
        """Record the step in its own transaction; Alembic calls this after each one.

        Args:
            heads: where the database is now.
        """
        self.running = False
        if self.step is None:
            self.stamps -= 1
            if self.stamps == 0:
                self._record_stamps(heads)
            return
        direction: migration_history.Direction = "upgrade" if self.step.upgrade else "downgrade"
        seconds = time.perf_counter() - self.begun
        migration_history.write(self.connection, history.record(self.step.revision, direction, seconds))
        if any(not _ADDS.match(one.text) for one in self.statements):
            self._refuse_broken_references()
        if self.step.kind == "data":
            self._remember_rows()
        if any(_DROPS.match(one.text) for one in self.statements):
            self._forget_dropped_tables()
        if self.marked:
            bookkeeping.delete(self.connection, "unfinished")

    def _record_stamps(self, heads: Iterable[str]) -> None:
        """Record all that counts as applied now, and is not recorded as its file is; and what counts so no more."""
        assert self.script is not None
        known = migration_history.last_applied(migration_history.read(self.connection))
        applied = history.applied(self.script, tuple(heads))
        for name in reversed(known):
            if name not in applied:
                migration_history.write(self.connection, migration_history.forgotten(known[name]))
        for revision in reversed(list(self.script.walk_revisions())):
            if revision.revision not in applied:
                continue
            record = history.record(revision, "stamp")
            before = known.get(revision.revision)
            if before is None or before.checksum != record.checksum:
                migration_history.write(self.connection, record)
                if before is not None and before.code_checksum != record.code_checksum:
                    self.request.accepted.append(history.path_of(revision, self.project.root))

    def _prepare(self, *, forget_unfinished: bool) -> None:
        bookkeeping.ensure(self.connection)
        if bookkeeping.read(self.connection, "environment") is None:
            bookkeeping.write(self.connection, "environment", self.project.settings.environment)
        if forget_unfinished:
            bookkeeping.delete(self.connection, "unfinished")
        self.broken_before = self.backend.broken_references(self.connection)
        self._commit()

    def _begin(self, step: Step) -> None:
        self.step, self.statements, self.committed, self.rows, self.marked = step, [], 0, {}, False
        self.inserted = set()
        if not self.backend.transactional_ddl:
            self._mark()
            self._commit()
        if self.backend.one_transaction:
            self.savepoint = self.connection.begin_nested()
        self.running, self.begun = True, time.perf_counter()

    def _mark(self) -> None:
        """Write down that the step is unfinished, to be committed with or before the first that cannot be undone."""
        assert self.step is not None
        direction = "upgrade" if self.step.upgrade else "downgrade"
        bookkeeping.write(self.connection, "unfinished", f"{self.step.revision.revision} {direction}")
        self.marked = True

    def _end(self) -> None:
        step, self.step = self.step, None
        if self.savepoint is not None:
            self.savepoint.commit()
            self.savepoint = None
        if step is not None:
            self.done += 1
            rows = sum(self.rows.values()) if step.kind == "data" else 0
            seconds = time.perf_counter() - self.begun
            self.request.on_step(Step(step.revision, step.upgrade, seconds, rows))

    def _undo(self, kept: Sequence[str]) -> None:
        if self.connection.closed or self.connection.invalidated:
            if self.marked and not kept:
                self._forget_mark()
            return
        if self.backend.rolled_back(self.connection):
            self.all_undone = True
            self.connection.rollback()
            return
        if self.backend.one_transaction and self.connection.in_transaction():
            if self.savepoint is not None and self.savepoint.is_active:
                self.savepoint.rollback()
            self.connection.commit()
            return
        self.connection.rollback()
        if self.marked and not kept:
            bookkeeping.delete(self.connection, "unfinished")
            self.connection.commit()

    def _forget_mark(self) -> None:
        """Take the note of the step away by another connection: its own was cut, and the server undoes what it did.

        Whoever gets the lock knows that the session that was cut is gone.
        """
        self.backend.waiting.limit(UNDONE_WITHIN, "")
        with (
            suppress(sa.exc.SQLAlchemyError, CommandError),  # then the note stays, and the cure says how to go on
            self.backend.engine().connect() as connection,
            self.backend.lock(connection),
        ):
            bookkeeping.delete(connection, "unfinished")
            connection.commit()
            self.marked = False

    def _kept(self, error: BaseException) -> list[str]:
        """Return the statements of the present step that a rollback does not take back.

        DDL of a database that cannot roll it back commits what was before it, even where it fails itself.
        """
        tried = self.statements[:-1] if self.backend.never_ran(error) else self.statements
        last = self.committed
        if not self.backend.transactional_ddl:
            last = max([last, *(number + 1 for number, one in enumerate(tried) if not _ROWS.match(one.text))])
        cut = self.connection.invalidated  # then nobody knows whether the last one was done
        return [one.text for one in tried[:last] if one.done or cut or _LEAVES_A_HALF.search(one.text)]

    def _failure(self, error: BaseException, kept: Sequence[str]) -> CommandError:
        assert self.step is not None
        revision = self.step.revision
        what = named(revision, self.project)
        verb = "failed" if self.step.upgrade else "could not be taken back"
        failed = f"{what} {verb}: {self._words(error)}"
        tried = [one.text for one in self.statements]
        if kept:
            stays = (
                "What it had committed before stays"
                if self.backend.transactional_ddl
                else f"{self.backend.title} cannot roll back what had run before"
            )
            by_hand = _by_hand(revision, upgrade=self.step.upgrade)
            return StepFailed(failed, f"{stays}: {_shown(kept)}", by_hand, tried)
        cure = self._cure(error)
        if self.marked and self.connection.invalidated:  # the note of it could not be taken away
            _, undone = _ends(revision, upgrade=self.step.upgrade)
            cure = f"record that with python manage.py migrate --fake {undone}, then run the command again"
        nothing = "Nothing of this run stays" if self.all_undone else "Nothing of it stays"
        return StepFailed(failed, nothing, cure, tried)

    def _cure(self, error: BaseException) -> str:
        """Return what to do about a step that left nothing: what stopped it may not be its own fault."""
        explanation = self.project.explanation(error) if isinstance(error, sa.exc.DBAPIError) else None
        if explanation is not None and explanation.cure:
            return explanation.cure
        return error.cure if isinstance(error, StepRefused) else "correct it, then run the command again"

    def _words(self, error: BaseException) -> str:
        if isinstance(error, sa.exc.DBAPIError):
            explanation = self.project.explanation(error)
            return explanation.cause if explanation else self.backend.refusal(error)
        if isinstance(error, AlembicCommandError | StepRefused):
            return first_line(error)
        assert self.step is not None
        line = _line_in(self.step.revision.path, error)
        return f"{type(error).__name__}: {first_line(error)}" + (f", in line {line}" if line else "")

    def _refuse_broken_references(self) -> None:
        """Foreign keys are off while SQLite migrates: look for the rows that would have lost their parent."""
        broken = self.backend.broken_references(self.connection) - self.broken_before
        for child, parent in sorted(broken):
            raise StepRefused(f"rows of {child} would refer to rows of {parent} that do not exist")

    def _remember_rows(self) -> None:
        """Record the first migration that put rows into a table, until that one is taken back."""
        assert self.step is not None
        revision = self.step.revision.revision
        for table in self.inserted if self.step.upgrade else self.rows:
            recorded = bookkeeping.read(self.connection, f"inserted:{table}")
            if self.step.upgrade and recorded is None:
                bookkeeping.write(self.connection, f"inserted:{table}", revision)
            elif not self.step.upgrade and recorded == revision:
                bookkeeping.delete(self.connection, f"inserted:{table}")

    def _forget_dropped_tables(self) -> None:
        """Forget how far tables were seeded that are gone: what is made under their names later holds other rows."""
        inspector = sa.inspect(self.connection)
        for prefix in ("seeded:", "inserted:"):
            for table in bookkeeping.read_all(self.connection, prefix):
                schema, _, name = table.rpartition(".")
                if not inspector.has_table(name, schema or None):
                    bookkeeping.delete(self.connection, f"{prefix}{table}")

    def _note_attempt(
        self, _connection: sa.Connection, _cursor: object, statement: str, *_of_the_statement: object
    ) -> None:
        if not self._changes(statement):
            return
        if _COMMITS.match(statement):
            if self.backend.one_transaction:
                raise _commits_itself()
            self._note_commit(self.connection)
        self.statements.append(Statement(statement))

    def _note_success(
        self, _connection: sa.Connection, cursor: Any, statement: str, *_of_the_statement: object
    ) -> None:
        if not self._changes(statement):
            return
        self.statements[-1].done = True
        if self.request.on_statement:
            self.request.on_statement(self.connection, statement)
        if found := _ROWS.match(statement):
            table = found["table"].strip('"`')
            self.rows[table] = self.rows.get(table, 0) + max(cursor.rowcount, 0)
            if found["verb"][0] in "IiRr":
                self.inserted.add(table)

    def _changes(self, statement: str) -> bool:
        return self.running and not (_READS.match(statement) or any(name in statement for name in bookkeeping.HIDDEN))

    def _note_commit(self, connection: sa.Connection) -> None:
        """See to it, before a commit in the middle of a step, that the rest of the step will be missed."""
        if not self.running:
            return
        if self.savepoint is not None:  # the steps before this one stay
            self.savepoint.rollback()
            connection.dialect.do_commit(connection.connection)
            raise _commits_itself()
        self.committed = len(self.statements)
        if not self.marked:
            self._mark()

    def _commit(self) -> None:
        if not self.backend.one_transaction:
            self.connection.commit()


_BEGINS = r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*"  # with comments before the first word
_READS = re.compile(
    rf"{_BEGINS}(SELECT|SHOW|DESCRIBE|EXPLAIN|PRAGMA|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|SET)\b", re.I | re.S
)
_ROWS = re.compile(
    rf"{_BEGINS}(?P<verb>INSERT (?:IGNORE )?INTO|REPLACE INTO|UPDATE|DELETE FROM)\s+(?P<table>\S+)", re.I | re.S
)
_ADDS = re.compile(rf"{_BEGINS}CREATE\b", re.I | re.S)
_DROPS = re.compile(rf"{_BEGINS}DROP TABLE\b", re.I | re.S)
_COMMITS = re.compile(rf"{_BEGINS}(COMMIT|END)\b", re.I | re.S)
# https://www.postgresql.org/docs/current/sql-createindex.html: an invalid index is left behind
_LEAVES_A_HALF = re.compile(r"\bCONCURRENTLY\b", re.I)


def _commits_itself() -> StepRefused:
    return StepRefused("it commits by itself, and all or nothing is one transaction here", "leave the commit out")


def _shown(statements: Sequence[str], *, most: int = 10, length: int = 120) -> str:
    """Return statements on one line, each of a readable length."""
    words = [" ".join(one.split()) for one in statements[:most]]
    more = [f"and {len(statements) - most:,} more"] if len(statements) > most else []
    return "; ".join([*(shortened(one, most=length) for one in words), *more])


def _refuse_unfinished(project: Project, connection: sa.Connection, script: ScriptDirectory) -> None:
    left = _half_way(connection)
    if left is None:
        return
    name, direction = left
    known = {one.revision: one for one in script.walk_revisions()}
    label = project.backend.label
    if name not in known:
        raise CommandError(
            f"revision {name} was begun on {label} and never finished, and no file has it",
            "get its file, finish or undo it by hand, then python manage.py migrate --fake REVISION",
        )
    raise CommandError(
        f"{named(known[name], project)} was begun on {label} and never finished;"
        f" {project.backend.title} keeps what it did",
        _by_hand(known[name], upgrade=direction == "upgrade"),
    )


def _by_hand(revision: Script, *, upgrade: bool) -> str:
    """Return how to go on after a step that stopped half-way: the revision before it or itself, as the hand left it."""
    after, undone = _ends(revision, upgrade=upgrade)
    return (
        f"finish it by hand and record it with python manage.py migrate --fake {after}, or undo it by hand and then"
        f" python manage.py migrate --fake {undone}"
    )


def _ends(revision: Script, *, upgrade: bool) -> tuple[str, str]:
    """Return where a step leads, and where it came from."""
    before = revision.down_revision
    parent = before if isinstance(before, str) else "zero" if not before else before[0]
    return (revision.revision, parent) if upgrade else (parent, revision.revision)


def named(revision: Script, project: Project) -> str:
    """Return which revision this is: its id, its message and its file."""
    return f"revision {revision.revision} {history.message(revision)!r} ({history.path_of(revision, project.root)})"


def _line_in(path: str, error: BaseException) -> int | None:
    """Return the line of a file that an error came from, the innermost one."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class _Output:
    def __init__(self, written: list[str]) -> None:
        self.written = written

    def write(self, text: str) -> None:
        self.written.append(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _run_env(project: Project, script: ScriptDirectory, request: Request, plan: Plan, **options: Any) -> None:
    config = history.alembic_config(project, request=request)
    with EnvironmentContext(config, script, fn=plan, destination_rev=None, **options):
        script.run_env()


def _moves(context: ModuleType, project: Project) -> bool:
    """Return whether Alembic was asked to change the database: only upgrade, downgrade and stamp name a revision."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    except AlembicCommandError:
        history.require_one_head(context.script, project.root)
        raise
    return True


_RELATIVE = re.compile(r"[+-]\d{1,9}", re.ASCII)


def _loaded(project: Project, target: str) -> ScriptDirectory:
    script = history.load(project)
    if _RELATIVE.fullmatch(target) or target in ("head", "heads"):
        history.require_one_head(script, project.root)
    return script


def _plan(script: ScriptDirectory, target: str, *, stamp: bool) -> Plan:
    def planned(heads: tuple[str, ...], _context: MigrationContext | None) -> Iterable[MigrationStep]:
        current: Any = heads  # Alembic passes the tuple too, and declares a string
        if _RELATIVE.fullmatch(target):
            steps = _some_steps(script, int(target), current)
            return script._stamp_revs(_after(steps, heads), heads) if stamp else steps
        revision = history.resolve(script, target)
        if stamp:
            return _stamps(script, revision, heads)
        if revision is None or revision in history.applied(script, heads):
            return script._downgrade_revs(revision or "base", current) if heads and (revision,) != heads else []
        return script._upgrade_revs(revision, current)

    return planned


def _stamps(script: ScriptDirectory, revision: str | None, heads: tuple[str, ...]) -> list[StampStep]:
    """Return what records a revision, after forgetting what Alembic cannot start from: unknown ones, two of a line."""
    if history.are_sound(script, heads):
        return script._stamp_revs(revision or "base", heads)
    forget = [StampStep(head, None, False, True, script.revision_map) for head in heads]
    return [*forget, *script._stamp_revs(revision or "base", ())]


def _some_steps(script: ScriptDirectory, number: int, heads: Any) -> list[RevisionStep]:
    """Return the first of the steps to the newest revision, or of those back to none.

    Raises:
        CommandError: there are fewer.
    """
    if number < 0:
        possible = script._downgrade_revs("base", heads) if heads else []
    else:
        possible = script._upgrade_revs("heads", heads)
    steps = [step for step in possible if isinstance(step, RevisionStep)]
    if len(steps) < abs(number):
        verb = "taken back: {} applied" if number < 0 else "applied: {} pending"
        there = f"{len(steps)} {'is' if len(steps) == 1 else 'are'}"
        raise CommandError(
            f"{plural(abs(number), 'revision')} cannot be {verb.format(there)}",
            "python manage.py showmigrations lists them",
        )
    return steps[: abs(number)]


def _after(steps: Sequence[RevisionStep], heads: tuple[str, ...]) -> tuple[str, ...]:
    """Return where steps that are only recorded lead."""
    if not steps:
        return heads
    last = steps[-1].revision
    return (last.revision,) if steps[-1].is_upgrade else last._versioned_down_revisions or ("base",)


def _as_step(step: MigrationStep) -> Step:
    assert isinstance(step, RevisionStep)
    return Step(step.revision, step.is_upgrade)


@contextmanager
def _translated(project: Project) -> Iterator[None]:
    """Turn Alembic's own errors, and the driver's, into one line each."""
    try:
        with project.explained():
            yield
    except AlembicCommandError as error:
        lost = _LOST.match(str(error))
        if lost is not None and lost[1] in read_heads(project):
            history.refuse_unknown(history.load(project), (lost[1],), project)
        raise CommandError(first_line(error), "python manage.py showmigrations shows the history") from error


_LOST = re.compile(r"Can't locate revision identified by '([^']+)'")
