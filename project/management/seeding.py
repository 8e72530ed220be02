"""Fill tables with believable rows: seeders, the order of tables, target counts, and what remembers how far it went."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import sqlalchemy as sa

from . import bookkeeping, guard, inference, inherited, meanings, mending
from .backends.base import Backend, Progress, Size, TableName, unseen
from .blocks import BLOCK, MOST, EachRow, Fill, Rows, Source, explained, rows_from
from .conditions import checks_of, read_certain
from .console import ProgressBar
from .declared import conflicts, refuse_values, short
from .errors import CommandError, did_you_mean, shortened
from .fields import Field, integer_range
from .heads import reached_head
from .inferred import earlier_alike, earlier_row
from .numbering import Context
from .ordering import order_of
from .outcomes import LOCALE
from .parsing import columns_in
from .partial import once_for_each
from .plans import Around, Inheritance, Plan, keys_of
from .reading import Bounds
from .types import plain_type

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase

    from .project import Project

__all__ = ["Report", "Request", "Rows", "Seeder", "column", "each"]

DEFAULT_COUNT = 100
_REPEATED = re.compile(r"UNIQUE constraint failed|unique constraint|Duplicate entry")  # as the databases say it
FOUND_WITHIN = 100_000  # rows among which a refused one is looked for

Method = TypeVar("Method", bound=Callable[..., Any])
Blocks = Iterator[list[Sequence[Any]]]


# What a seeder is written with


def column(method: Method) -> Method:
    """Fill a column by a method that returns a block's values: `def grade(self, rows: Rows) -> list[int]`."""
    method.fills = "column"  # type: ignore[attr-defined]  # the mark that Seeder looks for
    return method


def each(method: Method) -> Method:
    """Fill a column row by row: `def motto(self, row, fake) -> str`; slower, as plain as it gets."""
    method.fills = "each"  # type: ignore[attr-defined]  # the mark that Seeder looks for
    return method


class Seeder:
    """Says of one model what the model cannot: fields and methods called like the columns they fill."""

    is_seeder: ClassVar[bool] = True
    model: ClassVar[type[DeclarativeBase]]
    count: ClassVar[int] = DEFAULT_COUNT
    today: ClassVar[date] = meanings.TODAY  # what counts as today, so that rows do not depend on when they are made


# What the commands ask for and get


@dataclass(frozen=True)
class Request:
    """What to seed: `tables` named by the person (none: every table), and how many rows."""

    tables: tuple[str, ...] = ()
    count: int | None = None
    add: int | None = None
    fresh: bool = False
    random_seed: int = 1
    locale: str = LOCALE
    agreed: guard.Losses | None = None  # what a person was shown that --fresh deletes
    look: Callable[[sa.Connection, Sequence[TableName]], None] | None = None  # called before --fresh deletes anything
    anywhere: bool = False  # at whatever revision the database is


@dataclass(frozen=True)
class Report:
    """What was done with one table."""

    table: str
    rows: int  # in the table now
    added: int
    seconds: float
    note: str = ""


@dataclass
class Target:
    """One table to seed, with its seeder when it has one."""

    table: sa.Table
    seeder: type[Seeder] | None
    named: bool
    around: Around = field(default_factory=Around)
    group: int = 0  # tables of one group are seeded in one transaction
    plans: dict[str, Plan] = field(default_factory=dict)
    mends_all: bool = False  # whether rows are compared with each CHECK, and not only with those that leave doubts

    @property
    def name(self) -> str:
        return self.table.fullname

    @property
    def today(self) -> date:
        return self.seeder.today if self.seeder else Seeder.today


def seed(
    project: Project,
    targets: Sequence[Target],
    request: Request,
    *,
    report: Callable[[Report], None],
    progress: Progress,
) -> None:
    """Seed the tables that were chosen, each in one transaction; with `fresh` all of them in one.

    Raises:
        CommandError: a refusal, or a table that could not be filled; nothing of that table stays.
    """
    done: list[Report] = []
    with project.connect(write=True) as connection, project.backend.lock(connection):
        with connection.begin() as looking:
            if not request.anywhere:
                require_ready(project, connection)
            require_columns(project, connection, targets)
            if not request.fresh:
                _require_numbers(project, connection, targets, request)
            looking.rollback()  # a commit, even of nothing, waits for those who read an SQLite file
        groups = [[*group] for _, group in groupby(targets, lambda target: target.group)]
        try:
            if request.fresh:
                done = _mending(lambda: _seed_anew(project, connection, targets, groups, request, progress))
            for group in groups if not request.fresh else ():
                for one in _mending(lambda: _seed_group(project, connection, group, request, progress)):  # noqa: B023
                    report(one)
        except _Refused as error:
            raise _with_row(project, connection, error, targets, request) from error.__cause__
    for one in done:  # nothing is done before all of it is
        report(one)


def _mending(seed_once: Callable[[], list[Report]]) -> list[Report]:
    """Seed; once more where a row is refused, with the rows of its table compared with each CHECK."""
    while True:
        try:
            return seed_once()
        except _Refused as error:
            if error.target.mends_all or not mending.may_help(error.target.table):
                raise
            error.target.mends_all = True


def _seed_anew(
    project: Project,
    connection: sa.Connection,
    targets: Sequence[Target],
    groups: Sequence[Sequence[Target]],
    request: Request,
    progress: Progress,
) -> list[Report]:
    """Delete the rows of tables and make them anew, all in one transaction."""
    with connection.begin():
        if request.look:
            request.look(connection, [TableName.of(target.table) for target in targets])
        guard.refuse_more(request.agreed, rows_to_delete(project, connection, targets))
        _defer_keys(project, connection, targets)
        _delete_rows(project, connection, targets)
        _require_numbers(project, connection, targets, request)
        return [one for group in groups for one in _seed_group(project, connection, group, request, progress)]


def choose(project: Project, names: Sequence[str]) -> list[Target]:
    """Return the tables to seed, parents before children: the named ones, or all.

    Raises:
        CommandError: a name is no table's, or tables refer to each other in a way that cannot be filled.
    """
    every = project.metadata.tables
    tables = {name: table for name, table in every.items() if table.name not in bookkeeping.HIDDEN}
    for name in names:
        if name not in tables:
            hint = did_you_mean(name, [*tables]) or f" There are: {', '.join(sorted(tables))}."
            raise CommandError(
                f"no table {name!r} to seed.{hint}".rstrip("."), "python manage.py seed --list shows them"
            )
    backend = _backend(project)
    order = order_of((tables[name] for name in names or tables), backend.can_defer)
    inheritance = inherited.read(project.mappers)
    chosen = []
    for number, group in enumerate(order.groups):
        for table in group:
            own = inheritance.get(table, Inheritance())
            around = Around(backend.numbers, backend.dialect, order.late, own)
            target = Target(table, project.seeders.get(table.fullname), bool(names), around, number)
            target.plans = plan(target)
            chosen.append(target)
    return chosen


def _backend(project: Project) -> Backend:
    """Return the project's backend; where none is set yet, one that shows what most databases do."""
    try:
        return project.backend
    except CommandError:  # whoever connects is told
        return Backend(sa.make_url("sqlite://"), root=project.root)


def plan(target: Target) -> dict[str, Plan]:
    """Return how each column of a table is filled, and why."""
    declared, methods = declarations(target.seeder)
    known = {name: one for name, one in {**declared, **methods}.items() if name in target.table.columns}
    return inference.plan_table(target.table, known, target.around)


def declarations(seeder: type[Seeder] | None) -> tuple[dict[str, Plan], dict[str, Plan]]:
    """Return what a seeder declares by column: its fields, and its @column and @each methods."""
    fields: dict[str, Plan] = {}
    methods: dict[str, Plan] = {}
    for cls in reversed(seeder.__mro__) if seeder else ():
        for name, value in vars(cls).items():
            why = f"{cls.__name__}.{name}"
            fills = getattr(value, "fills", None)
            if isinstance(value, Field):
                fields[name] = Plan(value, why, declared=True)
                methods.pop(name, None)
            elif fills:
                by = _ByBlock(value, seeder) if fills == "column" else _ByRow(value, seeder)
                methods[name] = Plan(by, why, declared=True)
                fields.pop(name, None)
    return fields, methods


def problems(project: Project) -> list[tuple[str, str, str]]:
    """Return what could not be stored: (id, message, hint).

    seeders.E002 what a seeder declares, E003 a table without a seeder that needs one.
    """
    return [
        ("seeders.E002" if target.seeder else "seeders.E003", message, _cure(target))
        for target in choose(project, ())
        for message in _conflicts(target)
    ]


def refuse_problems(project: Project, targets: Sequence[Target]) -> None:
    """Refuse, before any row is made, what a seeder declares and a constraint forbids."""
    for message, cure in refusals(targets):
        raise CommandError(message, cure)


def refusals(targets: Sequence[Target]) -> Iterator[tuple[str, str]]:
    """Yield why tables would be refused, and what to do about each."""
    for target in targets:
        for message in _conflicts(target):
            yield message, _cure(target)


def _refuse(target: Target, messages: Iterable[str]) -> None:
    for message in messages:
        raise CommandError(message, _cure(target))


def _cure(target: Target) -> str:
    if target.seeder is not None:
        return f"correct {target.seeder.__name__}"
    return f"say how to fill it in project/seeds/{target.table.name}.py"


def require_ready(project: Project, connection: sa.Connection) -> None:
    """Refuse production, and a database that is not at the newest revision."""
    if guard.is_production(project, connection):
        raise CommandError(
            f"seed is refused: {project.backend.label} is a production database",
            "reference rows belong in a data migration: python manage.py makemigrations --data",
        )
    if reached_head(project.root, connection) is None:
        from . import history

        history.require_head(project, connection)
    elif not bookkeeping.exists(connection):
        raise CommandError(
            f"{project.backend.label} has no table {bookkeeping.TABLE}, where it is written how far it is seeded",
            "python manage.py migrate --fake head makes it",
        )


def require_columns(project: Project, connection: sa.Connection, targets: Sequence[Target]) -> None:
    """Refuse, before any row is made, a model that is ahead of its migrations.

    Raises:
        CommandError: a table or a column of a model is not in the database.
    """
    if _can_read_all(project, connection, targets):
        return  # as nearly always, told without reading how the tables are made
    inspector = sa.inspect(connection)
    for schema in {target.table.schema for target in targets}:
        there = inspector.get_multi_columns(schema)
        for target in targets:
            if target.table.schema != schema:
                continue
            known = {column["name"] for column in there.get((schema, target.table.name), ())}
            missing = [column.name for column in target.table.columns if column.name not in known]
            if missing:
                what = f"the column {target.name}.{missing[0]}" if known else f"the table {target.name}"
                raise CommandError(
                    f"{project.backend.label} has not {what}, which its model has",
                    'python manage.py makemigrations -m "..." and then python manage.py migrate',
                )


def _can_read_all(project: Project, connection: sa.Connection, targets: Sequence[Target]) -> bool:
    """Return whether every column that a model has can be read, and is certainly one that was made."""
    quote = connection.dialect.identifier_preparer
    if any(column.name.lower() in project.backend.own_columns for one in targets for column in one.table.columns):
        return False
    reads = []
    for target in targets:
        table = quote.format_table(target.table)
        columns = ", ".join(f"{table}.{quote.format_column(column)}" for column in target.table.columns)
        reads.append(f"EXISTS (SELECT {columns} FROM {table} WHERE 1 = 0)")  # noqa: S608  # quoted names
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"SELECT {', '.join(reads)}")
    except sa.exc.DBAPIError:
        return False
    return True


def _require_numbers(project: Project, connection: sa.Connection, targets: Sequence[Target], request: Request) -> None:
    """Refuse, before any row is made, a table whose own numbers would come to an end, or be any others, amid them."""
    for target in targets:
        key = target.table.autoincrement_column
        if key is None or target.plans[key.name].field is not None:
            continue
        last, (_, highest) = project.backend.last_number(connection, key), integer_range(key)
        if last.given + (request.add or _wanted(target, request)) <= highest or _why_kept(connection, target):
            continue  # as nearly always, told without counting rows
        asked = _asked(connection, target, request)
        if asked.more and last.given + asked.more > highest >= asked.more:
            left = f"after which there are {highest - last.given:,}" if last.given < highest else "the last there is"
            verb = "has" if last.given == last.largest else "had"
            raise CommandError(f"a row of {target.name} {verb} the {key.name} {last.given:,}, {left}", last.cure)


def rows_to_delete(project: Project, connection: sa.Connection, targets: Sequence[Target]) -> guard.Losses:
    """Return what --fresh would delete: table, rows, and where they come from if not from seed.

    Raises:
        CommandError: rows of a table that is not seeded, or is no model's, refer to them.
    """
    emptied = {target.table for target in _filled(connection, targets)}
    _refuse_strangers(project, connection, {TableName.of(table) for table in emptied})
    referring = sorted(
        {
            (key.table.fullname, key.referred_table.fullname)
            for table in emptied
            for other in table.metadata.tables.values()
            for key in other.foreign_key_constraints
            if key.referred_table is table and other not in emptied and _refers(connection, key)
        }
    )
    if referring:
        child, parent = referring[0]
        names = dict.fromkeys([*(target.name for target in targets), *(child for child, _ in referring)])
        raise CommandError(
            f"{child} has rows that refer to {parent}",
            f"seed --fresh {' '.join(map(quote, names))} seeds all of them anew",
        )
    return guard.losses(connection, guard.count_rows(connection, map(TableName.of, emptied)))


def _refuse_strangers(project: Project, connection: sa.Connection, emptied: set[TableName]) -> None:
    """Refuse while a table that is no model's refers to rows that are to go: the database might let its own go too."""
    known = {TableName.of(table) for table in project.metadata.tables.values()}
    inspector = sa.inspect(connection)
    for schema in {None, *(schema for schema, _ in emptied)}:
        for (_, name), keys in inspector.get_multi_foreign_keys(schema=schema).items():
            child = TableName(schema, name)
            for key in keys if child not in known else ():
                parent = TableName(key["referred_schema"], key["referred_table"])
                present = [sa.column(one).is_not(None) for one in key["constrained_columns"]]
                some = sa.select(sa.literal(1)).select_from(child.clause).where(*present).limit(1)
                if parent in emptied and connection.execute(some).first() is not None:
                    raise CommandError(
                        f"{child} has rows that refer to {parent}, and is no table of this project",
                        f"delete them, or let them refer to nothing, before {parent} is seeded anew",
                    )


def _refers(connection: sa.Connection, key: sa.ForeignKeyConstraint) -> bool:
    """Return whether a row of the key's table refers to any."""
    present = [column.is_not(None) for column in key.columns]
    return (
        connection.execute(sa.select(sa.literal(1)).select_from(key.table).where(*present).limit(1)).first() is not None
    )


@dataclass(frozen=True)
class Sample:
    """The first rows that a seeding would add to a table, or a note where there are none to show."""

    columns: list[str] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    note: str = ""


def samples(project: Project, request: Request, most: int) -> Iterator[tuple[str, Sample]]:
    """Yield the name and the first rows of each table that a seeding would add; writes nothing."""
    targets = choose(project, request.tables)
    refuse_problems(project, targets)
    with project.connect() as connection:
        require_ready(project, connection)
        require_columns(project, connection, targets)
        emptied = _filled(connection, targets) if request.fresh else []
        without_rows = {one.table for one in targets if one in emptied or not rows_in(connection, one.table)}
        for target in targets:
            yield target.name, _sample(connection, target, request, most, without_rows, target in emptied)


def _sample(
    connection: sa.Connection, target: Target, request: Request, most: int, without_rows: set[sa.Table], emptied: bool
) -> Sample:
    kept = _why_kept(connection, target)
    if kept:
        return Sample(note=kept)
    referred = {key.referred_table for key in target.table.foreign_key_constraints} - {target.table}
    waiting = sorted(table.fullname for table in referred & without_rows)
    if waiting:
        return Sample(note=f"drawn from {' and '.join(waiting)}, when there are rows")
    context, _ = _prepare(connection, target, request, emptied=emptied)
    context.stop = min(context.stop, context.start + most)
    if context.stop <= context.start:
        return Sample(note="no rows to add")
    fills = _fills(target, context)
    rows = [row for block in _blocks(target, context, fills) for row in zip(*block, strict=True)]
    return Sample(list(fills), rows)


# One group of tables, mostly one table


def _seed_group(
    project: Project,
    connection: sa.Connection,
    targets: Sequence[Target],
    request: Request,
    progress: Progress,
) -> list[Report]:
    """Fill tables in one transaction, then the keys that had to wait for their rows."""
    with nullcontext() if request.fresh else connection.begin() as transaction:
        _defer_keys(project, connection, targets)
        done = [_seed_table(project, connection, target, request, progress) for target in targets]
        for loaded in done:
            if loaded.context is not None:
                with _explained(project, loaded.target):
                    _set_late_keys(connection, loaded)
        if transaction is not None and all(loaded.context is None for loaded in done):
            transaction.rollback()  # nothing was written
    return [loaded.report for loaded in done]


def _defer_keys(project: Project, connection: sa.Connection, targets: Iterable[Target]) -> None:
    """Have keys checked at the end of the transaction where something stands in for one until its row is there."""
    if any(plan.second and plan.field for target in targets for plan in target.plans.values()):
        project.backend.defer_keys(connection)


@dataclass
class _Loaded:
    """A table that was filled; without a context it was left alone."""

    target: Target
    report: Report
    context: Context | None = None
    keys_before: Sequence[Any] = ()  # those that the database had numbered, where the new ones are to be told apart


def _seed_table(
    project: Project, connection: sa.Connection, target: Target, request: Request, progress: Progress
) -> _Loaded:
    begun = time.perf_counter()
    kept = _why_kept(connection, target)
    if kept:
        return _Loaded(target, Report(target.name, rows_in(connection, target.table), 0, 0.0, kept))
    context, note = _prepare(connection, target, request)
    if context.stop <= context.start:
        return _Loaded(target, Report(target.name, context.present, 0, time.perf_counter() - begun, note))
    keys_before = _numbered_keys(connection, target) if _is_late(target) and context.has_rows else ()
    with progress(target.name, context.stop - context.start) as bar, _explained(project, target):
        _load(project, connection, target, context, bar)
    bookkeeping.write(connection, f"seeded:{target.name}", str(context.stop))
    added = context.stop - context.start
    done = Report(target.name, context.present + added, added, time.perf_counter() - begun, note)
    return _Loaded(target, done, context, keys_before)


def _load(project: Project, connection: sa.Connection, target: Target, context: Context, bar: ProgressBar) -> None:
    """Make and load rows; when they clash with rows that are there, look which, and make those differently."""
    try:
        with connection.begin_nested() if context.has_rows else nullcontext():
            _load_once(project, connection, target, context, bar)
    except sa.exc.IntegrityError:
        if not context.has_rows or context.looks:
            raise
        context.looks = True
        _load_once(project, connection, target, context, bar)


def _load_once(project: Project, connection: sa.Connection, target: Target, context: Context, bar: ProgressBar) -> None:
    _refuse(target, _unfilled(target))
    fills = _fills(target, context)
    blocks = _watched(_blocks(target, context, fills), bar)
    size = Size(context.present, context.stop - context.start)
    with _not_collecting():
        project.backend.bulk_load(connection, target.table, list(fills), blocks, size)


@contextmanager
def _not_collecting() -> Iterator[None]:
    """Keep Python from looking for circular garbage: filling makes none, and many values that it would look through."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


# Keys that wait for their rows


def _is_late(target: Target) -> bool:
    return any(plan.second for plan in target.plans.values())


def _set_late_keys(connection: sa.Connection, loaded: _Loaded) -> None:
    """Set the references to rows of the same table, and to tables that were filled after it."""
    target = loaded.target
    together: dict[Field, list[sa.Column[Any]]] = {}
    for name, plan in target.plans.items():
        if plan.second:
            together.setdefault(plan.second, []).append(target.table.columns[name])
    if not together or not target.table.primary_key.columns:
        return
    key_columns, keys = _new_keys(connection, loaded)
    marks = {f"key_{column.name}": column for column in key_columns}
    changing = (one for one in target.table.columns if one.onupdate is not None or one.server_onupdate is not None)
    as_it_is = {one: one for one in changing if one.computed is None}
    for second, columns in together.items():
        late = {f"late_{column.name}": column for column in columns}
        update = (
            sa.update(target.table)
            .where(*(column == sa.bindparam(mark, type_=column.type) for mark, column in marks.items()))
            .values({**as_it_is, **{one: sa.bindparam(mark, type_=one.type) for mark, one in late.items()}})
        )
        changes = [
            {**dict(zip(marks, key, strict=True)), **dict(zip(late, values, strict=True))}
            for key, values in zip(keys, _late_values(connection, loaded, second, columns), strict=True)
            if values is not None
        ]
        for start in range(0, len(changes), BLOCK):
            connection.execute(update, changes[start : start + BLOCK])


def _late_values(
    connection: sa.Connection, loaded: _Loaded, second: Field, columns: Sequence[sa.Column[Any]]
) -> Iterable[Sequence[Any] | None]:
    """Return what each new row refers to: a value for each of the columns, or None."""
    target, context = loaded.target, loaded.context
    assert context is not None
    column, *_ = columns
    if isinstance(second, earlier_alike):
        rows, first = _rows_in_order(connection, loaded, second.columns)
        return second.choose(rows, first, _chances(context, column.name))
    if isinstance(second, earlier_row):
        referred = next(key.column for key in column.foreign_keys if key.column.table is target.table)
        before, own = _keys_in_order(connection, loaded, referred)
        chosen = second.choose([*before, *own], len(before), _chances(context, column.name))
        return (None if value is None else (value,) for value in chosen)
    context.source.forget()  # the parents were not there when it was last looked
    most = second.limit(context, column)
    fill = {column.name: second.ready(context, column)}
    blocks = rows_from(context.source, fill, [*fill], context.start, context.stop)
    made = enumerate((value for block in blocks for value in block[0]), context.start)
    return ((value,) if value is not None and number < most else None for number, value in made)


def _chances(context: Context, name: str) -> Iterator[tuple[float, float]]:
    """Yield two random numbers for each new row; the same for a row whatever it was made together with."""

    def fill(rows: Rows) -> list[tuple[float, float]]:
        random = rows.random.random
        return [(random(), random()) for _ in range(len(rows))]

    for block in rows_from(context.source, {name: fill}, [name], context.start, context.stop):
        yield from block[0]


def _keys_in_order(
    connection: sa.Connection, loaded: _Loaded, referred: sa.Column[Any]
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the keys of the rows that were there and of the new ones, each in the order in which they were made."""
    target, context = loaded.target, loaded.context
    assert context is not None
    if target.plans[referred.name].field is None:
        _, keys = _new_keys(connection, loaded)
        return loaded.keys_before, [key for (key,) in keys]
    fills = _fills(target, context)
    blocks = rows_from(context.source, fills, [referred.name], 0, context.stop)
    made = [value for block in blocks for value in block[0]]
    there = set(connection.scalars(sa.select(referred))) if context.has_rows else ()
    return [key for key in made[: context.start] if key in there], made[context.start :]


def _rows_in_order(
    connection: sa.Connection, loaded: _Loaded, columns: Sequence[sa.Column[Any]]
) -> tuple[list[Sequence[Any]], int]:
    """Return some columns of all rows, the new ones last and in their order, and how many were there before these."""
    key_columns, keys = _new_keys(connection, loaded)
    query = sa.select(*key_columns, *columns).order_by(*key_columns)
    found = {tuple(row[: len(key_columns)]): row[len(key_columns) :] for row in connection.execute(query)}
    nothing = (None,) * len(columns)  # in place of a row that the database changed as it came
    own: list[Sequence[Any]] = [found.pop(key, nothing) for key in keys]
    return [*found.values(), *own], len(found)


def _new_keys(connection: sa.Connection, loaded: _Loaded) -> tuple[list[sa.Column[Any]], list[tuple[Any, ...]]]:
    """Return the columns that tell new rows from each other, and their values in the order of the rows."""
    target, context = loaded.target, loaded.context
    assert context is not None
    key = list(target.table.primary_key.columns)
    numbered = [column for column in key if target.plans[column.name].field is None]
    if numbered:
        before = set(loaded.keys_before)
        return numbered, [(one,) for one in _numbered_keys(connection, target) if one not in before]
    names = [column.name for column in key]
    blocks = rows_from(context.source, _fills(target, context), names, context.start, context.stop)
    return key, [row for block in blocks for row in zip(*block, strict=True)]


def _numbered_keys(connection: sa.Connection, target: Target) -> list[Any]:
    """Return the keys that the database numbered, in the order of the rows."""
    numbered = [one for one in target.table.primary_key.columns if target.plans[one.name].field is None]
    return sorted(connection.scalars(sa.select(numbered[0]))) if numbered else []


# One table


def _why_kept(connection: sa.Connection, target: Target, *, deleting: bool = False) -> str:
    """Return why a table is left alone: it holds rows that were not seeded, and nobody asked for more.

    Rows of a data migration are deleted only where the table is named, even if others were seeded beside them.
    """
    if target.named or target.seeder is not None:
        return ""
    revision = bookkeeping.read(connection, f"inserted:{target.name}")
    was_seeded = target.name in bookkeeping.seeded_rows(connection) and not (deleting and revision)
    if was_seeded or not rows_in(connection, target.table):
        return ""
    return f"kept: they come from migration {revision}" if revision else "kept: they were not seeded"


class _Asked(NamedTuple):
    """How many rows a table holds, how many of its row numbers are used, and what is asked for."""

    in_table: int
    used: int
    wanted: int
    more: int

    @property
    def present(self) -> int:
        return min(self.used, self.in_table)


def _wanted(target: Target, request: Request) -> int:
    default = target.seeder.count if target.seeder else DEFAULT_COUNT
    return default if request.count is None else request.count


def _asked(connection: sa.Connection, target: Target, request: Request, *, emptied: bool = False) -> _Asked:
    in_table = 0 if emptied else rows_in(connection, target.table)
    used = bookkeeping.seeded_rows(connection).get(target.name, 0) if in_table else 0
    wanted = _wanted(target, request)
    more = request.add if request.add is not None else max(0, wanted - min(used, in_table))
    return _Asked(in_table, used, wanted, more)


def _prepare(
    connection: sa.Connection, target: Target, request: Request, *, emptied: bool = False
) -> tuple[Context, str]:
    """Return the row numbers to make with what the fields need for it, and a word when the keys allow no more."""
    asked = _asked(connection, target, request, emptied=emptied)
    in_table, used, wanted, more = asked
    source = Source(target.table, request.random_seed, request.locale, target.today)
    context = Context(source, connection, in_table, looks=in_table > used, start=used, stop=used + more)
    most, is_proven = _most(target, context) if more else (used, True)
    possible = most - used
    if more <= possible:
        return context, ""
    if target.named and (request.count is not None or request.add is not None):
        given = f"--add {more:,}" if request.add is not None else f"--count {wanted:,}"
        largest = possible if request.add is not None else asked.present + possible
        if is_proven:
            raise CommandError(f"{target.name} cannot hold {given}: its keys allow no more", f"the most is {largest:,}")
        raise CommandError(
            f"{target.name} cannot be filled to {given}: no more rows were found that its keys allow",
            f"unless a seeder knows more values, the most is {largest:,}",
        )
    context.stop = most
    return context, "the most its keys allow" if is_proven else "the most found that its keys allow"


def _most(target: Target, context: Context) -> tuple[int, bool]:
    """Return the row number that can be reached, not included, and whether the keys allow no other that is higher."""
    filled = [(one.field, target.table.columns[name]) for name, one in target.plans.items() if one.field]
    limits = [field.limit(context, column) for field, column in filled]
    most = min([MOST * 1000, *limits])
    reached = [pair for pair, limit in zip(filled, limits, strict=True) if limit == most]
    return max(context.start, int(most)), any(field.is_proven(context, column) for field, column in reached)


def _fills(target: Target, context: Context) -> dict[str, Fill]:
    filled = {name: one.field for name, one in target.plans.items() if one.field is not None}
    fills = {}
    for name, one in filled.items():
        with explained(target.name, name):
            fills[name] = one.ready(context, target.table.columns[name])
    return mending.mended(target.table, fills, _fixed(target), everything=target.mends_all)


def _fixed(target: Target) -> set[str]:
    """Return the columns that only their own field may fill: declared, in a key or its condition, or set later."""
    told = {name for name, plan in target.plans.items() if plan.declared or plan.second is not None}
    told |= {name for name, plan in target.plans.items() if isinstance(plan.field, once_for_each)}
    keys = keys_of(target.table, told, target.around)
    several = (key.columns for key in target.table.foreign_key_constraints if len(key.columns) > 1)
    return told | {one.name for key in keys for one in key.columns} | {one.name for key in several for one in key}


def _blocks(target: Target, context: Context, fills: Mapping[str, Fill]) -> Blocks:
    """Yield the rows to make in blocks, in which what the person declared breaks no constraint that can be read."""
    names = list(fills)
    bounds = read_certain(target.table)
    declared = [place for place, name in enumerate(names) if target.plans[name].declared]
    start = context.start
    for block in rows_from(context.source, fills, names, start, context.stop):
        for place in declared:
            column, plan = target.table.columns[names[place]], target.plans[names[place]]
            known = bounds.get(column.name, Bounds())
            refuse_values(column, known, block[place], start, plan.why)
        yield block
        start += len(block[0])


def _watched(blocks: Blocks, bar: ProgressBar) -> Blocks:
    for block in blocks:
        yield block
        bar.advance(len(block[0]) if block else 0)


class _Refused(Exception):
    """A row that the database refused."""

    def __init__(self, target: Target, words: str) -> None:
        super().__init__(words)
        self.target = target


@contextmanager
def _explained(project: Project, target: Target) -> Iterator[None]:
    """Tell a row that was refused from a connection that was lost."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if project.backend.explain(error) is not None:
            raise
        raise _Refused(target, project.backend.refusal(error)) from error


def _with_row(
    project: Project, connection: sa.Connection, error: _Refused, targets: Sequence[Target], request: Request
) -> CommandError:
    """Return what was refused, in one line: the row and its values where it can be found, and what to write."""
    target = error.target
    found = _find_refused_row(project, connection, target, targets, request)
    words = found.words if found else str(error)  # a load may be refused for another row than the first
    names = _named_columns(target, words, found.values if found else {})
    shown = f" in row {found.number + 1:,}: {_values_of(names, found.values)}" if found else ""
    model = target.seeder.model.__name__ if target.seeder else target.name
    where = target.seeder.__name__ if target.seeder else f"project/seeds/{target.table.name}.py"
    lines = _lines(target, names, words)
    return CommandError(
        f"{target.name} could not be seeded: {words.rstrip('.')}{shown}. Nothing of it was kept",
        f"say in {where} what the model {'' if target.seeder else f'of {model} '}cannot{lines}",
    )


def _lines(target: Target, names: Sequence[str], words: str) -> str:
    """Return what to write into a seeder for one of the columns that a constraint is about, with a gap to fill."""
    columns = [target.table.columns[name] for name in names]
    own = [one for one in columns if not one.foreign_keys and target.plans[one.name].field is not None] or columns
    if not own:
        return ""
    name = own[-1].name
    others = [one.name for one in columns if one.name != name]
    is_text = isinstance(plain_type(own[-1]), sa.String)
    if _REPEATED.search(words):
        return f': {name} = numbered("{name} {{}}")' if is_text else f": {name} = numbered()"
    if not others:
        return f": {name} = choice(...)" if is_text else f": {name} = between(..., ...)"
    of_one = f"for {others[0]} in rows[{others[0]!r}]"
    of_all = f"for {', '.join(others)} in zip({', '.join(f'rows[{one!r}]' for one in others)}, strict=True)"
    return f": @column def {name}(self, rows): return [... {of_one if len(others) == 1 else of_all}]"


@dataclass(frozen=True)
class _RefusedRow:
    number: int
    values: dict[str, Any]
    words: str  # the database's


def _find_refused_row(
    project: Project, connection: sa.Connection, target: Target, targets: Sequence[Target], request: Request
) -> _RefusedRow | None:
    """Return the first row that the database refuses, by trying; keeps nothing."""
    with connection.begin() as transaction:
        try:
            if request.fresh:
                _seed_anew_before(project, connection, target, targets, request)
            else:
                _seed_circle_before(project, connection, target, targets, request)
            context, _ = _prepare(connection, target, request)
            fills = _fills(target, context)
            number = context.start
            for block in rows_from(context.source, fills, list(fills), context.start, context.stop):
                first, size = 0, len(block[0])
                while first < len(block[0]):
                    size = min(size, len(block[0]) - first)
                    rows = [values[first : first + size] for values in block]
                    words = _refusal_of(project, connection, target, list(fills), rows)
                    if words is None:
                        first += size
                    elif size == 1:
                        row = dict(zip(fills, (values[0] for values in rows), strict=True))
                        return _RefusedRow(number + first, row, words + _without_parent(connection, target, row, words))
                    else:
                        size //= 2
                number += len(block[0])
                if number > context.start + FOUND_WITHIN:
                    return None
        except (sa.exc.DBAPIError, CommandError, _Refused):
            return None
        finally:
            transaction.rollback()
    return None


def _seed_anew_before(
    project: Project, connection: sa.Connection, target: Target, targets: Sequence[Target], request: Request
) -> None:
    """Do again, in the open transaction, what --fresh had done before it came to a table."""
    _defer_keys(project, connection, targets)
    _delete_rows(project, connection, targets)
    for before in targets[: targets.index(target)]:
        _seed_table(project, connection, before, request, unseen)


def _seed_circle_before(
    project: Project, connection: sa.Connection, target: Target, targets: Sequence[Target], request: Request
) -> None:
    """Do again what was done in the same transaction before: the tables of a circle refer to each other."""
    _defer_keys(project, connection, targets)
    for before in targets[: targets.index(target)]:
        if before.group == target.group:
            _seed_table(project, connection, before, request, unseen)


def _refusal_of(
    project: Project, connection: sa.Connection, target: Target, columns: list[str], rows: Sequence[Sequence[Any]]
) -> str | None:
    """Return why the database refuses rows, None when it takes them."""
    savepoint = connection.begin_nested()
    try:
        project.backend.bulk_load(connection, target.table, columns, [rows], Size(0, 0))
    except sa.exc.DBAPIError as error:
        savepoint.rollback()
        return project.backend.refusal(error)
    savepoint.commit()
    return None


def _without_parent(connection: sa.Connection, target: Target, row: Mapping[str, Any], words: str) -> str:
    """Return which key of a row leads nowhere, where the database does not say it."""
    if "FOREIGN KEY" not in words.upper() or _named_columns(target, words):
        return ""
    for key in target.table.foreign_key_constraints:
        parents = {one.parent.name: one.column for one in key.elements}
        if any(row.get(name) is None for name in parents):
            continue
        found = sa.select(sa.literal(1)).where(*(column == row[name] for name, column in parents.items()))
        if connection.execute(found).first() is None:
            return f": {', '.join(parents)} of no row in {key.referred_table.fullname}"
    return ""


def _named_columns(target: Target, words: str, row: Mapping[str, Any] | None = None) -> list[str]:
    """Return the columns that a database's words are about: those of the constraint it names, or a column itself.

    Args:
        row: what was refused, to see which CHECK it breaks where the database names one that has no name in the model.
    """
    table = target.table
    said = {word.lower() for word in re.findall(r"\w+", words)}
    for check in checks_of(table):
        if check.name.lower() in said:
            return [column.name for column in columns_in(check.tree, table)]
    for constraint in table.constraints:
        if constraint.name and str(constraint.name).lower() in said:
            if isinstance(constraint, sa.CheckConstraint):  # that cannot be parsed
                used = {word.lower() for word in re.findall(r"\w+", str(constraint.sqltext))}
                return [column.name for column in table.columns if column.name.lower() in used]
            return [column.name for column in getattr(constraint, "columns", ())]
    named = [column.name for column in table.columns if column.name.lower() in said]
    if not named and "primary" in said:  # what MariaDB calls every primary key
        return [column.name for column in table.primary_key.columns]
    if not named and row and said & {"check", "constraint"}:
        broken = next(mending.broken(table, row), None)
        return [column.name for column in columns_in(broken.tree, table)] if broken is not None else []
    return named


def _values_of(names: Sequence[str], row: Mapping[str, Any]) -> str:
    shown = [name for name in names if name in row] or list(row)[:3]
    return ", ".join(f"{name} = {short(row[name])}" for name in shown)


def _delete_rows(project: Project, connection: sa.Connection, targets: Sequence[Target]) -> None:
    """Delete the rows of tables, children first, and before that the keys that lead back to children."""
    emptied = _filled(connection, targets)
    for target in emptied:
        keys = [name for name, plan in target.plans.items() if plan.second and target.table.columns[name].nullable]
        if keys:
            connection.execute(sa.update(target.table).values(dict.fromkeys(keys)))
    for target in reversed(emptied):
        project.backend.delete_rows(connection, target.table)
        bookkeeping.delete(connection, f"seeded:{target.name}")
        bookkeeping.delete(connection, f"inserted:{target.name}")


def _filled(connection: sa.Connection, targets: Sequence[Target]) -> list[Target]:
    return [target for target in targets if not _why_kept(connection, target, deleting=True)]


def rows_in(connection: sa.Connection, table: sa.Table) -> int:
    """Return how many rows a table has."""
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _conflicts(target: Target) -> list[str]:
    declared, methods = declarations(target.seeder)
    return [
        *_misread(target),
        *_unfilled(target),
        *conflicts(target.table, declared, methods, target.plans, target.around),
    ]


def _unfilled(target: Target) -> Iterator[str]:
    """Yield what is missing where there is no column that anything is known for."""
    if not any(plan.field for plan in target.plans.values()):
        yield f"nothing is known to fill a column of {target.name} with"


def _misread(target: Target) -> Iterator[str]:
    """Yield what stands in a seeder and would do nothing, or nothing that is meant."""
    seeder = target.seeder
    if seeder is None:
        return
    if type(seeder.count) is not int or not 0 <= seeder.count <= MOST:
        yield f"{seeder.__name__}.count is {seeder.count!r}, and it is a whole number from 0"
    if not isinstance(seeder.today, date):
        yield f"{seeder.__name__}.today is {seeder.today!r}, and it is a date"
    for name in {*dir(seeder)} & {*target.table.columns.keys()} - {"count", "model", "today"}:
        value = getattr(seeder, name)
        if isinstance(value, Field) or hasattr(value, "fills"):
            continue
        if callable(value):
            yield f"{seeder.__name__}.{name} is a method without @column or @each"
        else:
            instead = f"write constant({value!r})" if value is not ... else "the dots stand for what you know"
            yield f"{seeder.__name__}.{name} is {value!r}, which is no field: {instead}"


class _ByBlock(Field):
    description = "the seeder"
    asks = True

    def __init__(self, method: Callable[..., Sequence[Any]], seeder: type[Seeder] | None) -> None:
        self.method, self.seeder = method, seeder

    def ready(self, context: Context, column: sa.Column[Any]) -> Fill:
        assert self.seeder is not None
        seeder = self.seeder()
        return lambda rows: self.method(seeder, rows)


class _ByRow(_ByBlock):
    description = "the seeder, row by row"

    def ready(self, context: Context, column: sa.Column[Any]) -> Fill:
        assert self.seeder is not None
        seeder, name = self.seeder(), column.name

        def make(row: Mapping[str, Any], fake: Any) -> Any:
            return self.method(seeder, row, fake)

        return lambda rows: EachRow(rows, make, name)


def known_locale(text: str) -> str:
    """Return Faker's name of a locale written in any way: de-de, de_DE.

    Raises:
        CommandError: Faker does not have it.
    """
    if text == LOCALE:
        return text
    from faker.config import AVAILABLE_LOCALES

    by_name = {name.lower(): name for name in AVAILABLE_LOCALES}
    found = by_name.get(text.strip().replace("-", "_").lower())
    if found is None:
        close = did_you_mean(text.replace("-", "_"), sorted(AVAILABLE_LOCALES))
        raise CommandError(f"Faker has no locale {shortened(text)!r}.{close}".rstrip("."), f"{LOCALE} is the default")
    return found
