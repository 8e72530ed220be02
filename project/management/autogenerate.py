"""What Alembic is told when it compares models and database, and where new revision files go."""

from __future__ import annotations

import builtins
import decimal
import importlib
import importlib.util
import keyword
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type
from alembic.config import Config
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import Plugin
from alembic.script import ScriptDirectory, write_hooks
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.functions import current_timestamp, now

from . import bookkeeping, history, redefined
from .backends.base import Backend, Index, TableName, executable, expression_text
from .types import DECIMAL

if TYPE_CHECKING:
    from .project import Project


def options(project: Project, script: ScriptDirectory, config: Config) -> dict[str, Any]:
    """Return the arguments of `context.configure` that say what belongs to this project."""
    schemas = {table.schema for table in project.metadata.tables.values()}
    made: set[TableName] = set()

    def is_ours(table: sa.Table) -> bool:
        if not made:
            made.update(history.tables_made(script, project.backend.offline_dialect), {TableName(None, "")})
        return TableName.of(table) in made

    def include_name(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
        if kind == "schema":
            return name in schemas
        return not (kind == "table" and name in bookkeeping.HIDDEN)

    def include_object(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
        if kind == "check_constraint" and reflected and compare_to is None:
            return not _has_nameless_check(project.metadata.tables.get(thing.table.fullname))
        if kind == "check_constraint" and not reflected:
            return _is_made(thing, project.backend.dialect)
        if kind == "unique_constraint" and not reflected and project.backend.keys_are_enough:
            return [*thing.columns] != [*thing.table.primary_key.columns]
        # A table that neither a model nor a migration knows is somebody else's: never propose to drop it.
        return not (kind == "table" and reflected and compare_to is None) or is_ours(thing)

    return {
        "target_metadata": project.metadata,
        "include_schemas": schemas != {None} and bool(schemas),
        "include_name": include_name,
        "include_object": include_object,
        "render_as_batch": True,  # SQLite cannot ALTER a constraint
        "render_item": partial(_render, project.package),
        "compare_type": _type_differs,
        "compare_server_default": True,
        "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname", _OURS.name],
        "backend": project.backend,
        "process_revision_directives": lambda context, revision, directives: _place(
            project, script, config, context, directives
        ),
    }


def _has_nameless_check(table: sa.Table | None) -> bool:
    """Return whether a model has a CHECK that the database had to find a name for: which one, nobody can tell."""
    if table is None:
        return False
    constraints = [*table.constraints, *(one for column in table.columns for one in column.constraints)]
    return any(isinstance(one, sa.CheckConstraint) and not one.name for one in constraints)


def _is_made(check: Any, dialect: str) -> bool:
    """Return whether a database makes a CHECK at all: those of some types only where it has not the type itself."""
    rule = getattr(check, "_create_rule", None)
    known: Any = sa.make_url(f"{dialect}://").get_dialect()()
    return rule is None or bool(rule(known.ddl_compiler(known, None)))


def _type_differs(_context: object, _there: object, _column: object, there: Any, wanted: Any) -> bool | None:
    """Return False for types that databases round to one of their own; None leaves it to Alembic."""
    floats = isinstance(there, sa.Float) and isinstance(wanted, sa.Float)
    binaries = isinstance(there, sa.types._Binary) and isinstance(wanted, sa.LargeBinary)
    return False if floats or binaries else None


class Difference(NamedTuple):
    """One thing that the database has otherwise than the models."""

    words: str  # what would be done about it
    is_minor: bool  # a server default or a comment: no row is different for it
    is_extra: bool  # the database has it, and no model

    def __str__(self) -> str:
        return self.words


def differences(
    project: Project, connection: sa.Connection, script: ScriptDirectory, *, missing_only: bool = False
) -> list[Difference]:
    """Return how the database differs from the models; or only what it lacks of them."""
    from alembic.autogenerate import produce_migrations

    config = history.alembic_config(project)
    settings = {key: value for key, value in options(project, script, config).items() if key != "target_metadata"}
    with history.silent():
        context = MigrationContext.configure(connection, opts={**settings, "target_metadata": project.metadata})
    with quiet():
        upgrade = produce_migrations(context, project.metadata).upgrade_ops
        assert upgrade is not None
        upgrade.ops += _changes_of_expression_indexes(project, connection, script, upgrade)
        diffs = list(_paired(upgrade.as_diffs()))
    found = []
    for diff in diffs:
        verbs = {one[0] for one in (diff if isinstance(diff, list) else [diff])}
        if not (missing_only and _is_more(diff)):
            is_extra = all(verb.startswith("remove_") for verb in verbs)
            found.append(Difference(_describe(connection, diff), verbs <= _MINOR, is_extra))
    return found


_MINOR = {"modify_default", "modify_comment", "add_table_comment", "remove_table_comment"}


def _paired(diffs: Iterable[Any]) -> Iterator[Any]:
    """Yield differences, of a CHECK or a column that goes and comes again under its name one instead of two."""
    gone: Any = None
    for diff in diffs:
        if gone is not None:
            if _named(diff, "add") == _named(gone, "remove"):
                yield (f"change_{_named(diff, 'add')[0]}", gone[-1], diff[-1])
                gone = None
                continue
            yield gone
        gone = diff if any(_named(diff, "remove")) else None
        if gone is None:
            yield diff
    if gone is not None:
        yield gone


def _named(diff: Any, verb: str) -> tuple[str, ...]:
    """Return what tells a CHECK or a column apart that is added or removed; nothing of any other difference."""
    if isinstance(diff, list):
        return ()
    if diff[0] == f"{verb}_constraint" and isinstance(diff[1], sa.CheckConstraint):
        return "CHECK", str(diff[1].table.fullname), str(diff[1].name)
    if diff[0] == f"{verb}_column" and diff[3].computed is not None:
        return "computed column", f"{diff[1]}.{diff[2]}", diff[3].name
    return ()


@contextmanager
def quiet(*, types: bool = False) -> Iterator[None]:
    """Silence what SQLAlchemy and Alembic warn of and what is seen to here.

    These are cycles, indexes on expressions, and CHECKs that are NOT VALID, of which SQLAlchemy misspells what it says.

    Args:
        types: also of types that SQLAlchemy does not know, for what can do without.
    """
    with warnings.catch_warnings():
        if types:
            warnings.filterwarnings("ignore", "Did not recognize type")
        warnings.filterwarnings("ignore", "Cannot correctly sort tables")
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        warnings.filterwarnings("ignore", "Can't validate argument '(dialect_options|not_valid)'")
        yield


def _changes_of_expression_indexes(
    project: Project, connection: sa.Connection, script: ScriptDirectory, operations: ops.OpContainer
) -> list[ops.MigrateOperation]:
    """Return what makes and drops the indexes on expressions of SQLite that Alembic, unable to see them, leaves out.

    One that a revision names is left alone though no model has it.
    """
    there = project.backend.indexes_as_made(connection)
    if there is None:
        return []
    tables = project.metadata.tables
    wanted = [index for table in tables.values() for index in sorted(table.indexes, key=str)]
    made = {one.name for one in there} | set(_made_indexes(operations))
    missing = [
        ops.CreateIndexOp.from_index(index)
        for index in wanted
        if str(index.name) not in made and not all(isinstance(part, sa.Column) for part in index.expressions)
    ]
    names = {str(index.name) for index in wanted}
    extra = [one for one in there if one.is_computed and one.table in tables and one.name not in names]
    return [*missing, *(DropIndexAsMade(one) for one in extra if not history.is_named(script, one.name))]


class DropIndexAsMade(ops.DropIndexOp):
    """Drop an index that SQLAlchemy does not reflect: the way back is the statement that made it."""

    def __init__(self, index: Index) -> None:
        super().__init__(index.name, index.table)
        self.statement = index.statement

    def reverse(self) -> ops.ExecuteSQLOp:  # type: ignore[override]  # nothing else tells what it was
        return ops.ExecuteSQLOp(executable(self.statement))


def _made_indexes(operations: ops.OpContainer) -> Iterator[str]:
    for op in operations.ops:
        if isinstance(op, ops.CreateIndexOp):
            yield str(op.index_name)
        elif isinstance(op, ops.OpContainer):
            yield from _made_indexes(op)


# A plugin, for Alembic stumbles over a Computed or an Identity column when `compare_server_default` is a function.
_OURS = Plugin("management.comparisons")


def _compare_default(
    context: AutogenContext,
    change: ops.AlterColumnOp,
    _schema: str | None,
    _table: str,
    _column: str,
    there: sa.Column[Any],
    column: sa.Column[Any],
) -> PriorityDispatchResult:
    """Compare a server default with a model's as databases spell them; what this cannot tell is left to Alembic."""
    found, default = there.server_default, column.server_default
    assert context.dialect is not None
    if isinstance(found, sa.Computed) and isinstance(default, sa.Computed):
        return PriorityDispatchResult.STOP  # each database spells the expression its own way: it is looked at there
    if isinstance(default, sa.Identity) and not context.dialect.supports_identity_columns:
        return PriorityDispatchResult.STOP
    if not isinstance(found, sa.DefaultClause | None) or not isinstance(default, sa.DefaultClause):
        return PriorityDispatchResult.CONTINUE
    assert context.connection is not None
    assert context.opts is not None
    reflected = _compiled(found.arg, context) if found else None
    backend: Backend = context.opts["backend"]
    text = backend.whole_default(context.connection, there, reflected)
    if text is None:
        return PriorityDispatchResult.CONTINUE
    plain = partial(_plain_default, column=column, unescaped=partial(backend.unescaped, context.connection))
    arg = default.arg if isinstance(default.arg, str) else plain(_compiled(default.arg, context))
    if _same(plain(text), arg, column):
        return PriorityDispatchResult.STOP
    if "'" not in arg:
        return PriorityDispatchResult.CONTINUE
    change.modify_server_default = default  # Alembic would write the quote into a statement as it is
    return PriorityDispatchResult.STOP


def _leave_keys(
    _context: AutogenContext,
    change: ops.AlterColumnOp,
    _schema: str | None,
    _table: str,
    _column: str,
    _there: sa.Column[Any],
    column: sa.Column[Any],
) -> PriorityDispatchResult:
    """Leave a part of a primary key NOT NULL, whatever a model says of it: no server stores it otherwise."""
    if column.primary_key and change.modify_nullable:
        change.modify_nullable = None
    return PriorityDispatchResult.CONTINUE


_OURS.add_autogenerate_comparator(_leave_keys, "column", "nullable_keys", priority=DispatchPriority.LAST)
_OURS.add_autogenerate_comparator(_compare_default, "column", "server_default", priority=DispatchPriority.FIRST)


redefined.add_to(_OURS)


def _compiled(arg: Any, context: AutogenContext) -> str:
    if isinstance(arg, sa.TextClause):
        return arg.text
    return str(arg.compile(dialect=context.dialect, compile_kwargs={"literal_binds": True}))


def _same(there: str, wanted: str, column: sa.Column[Any]) -> bool:
    if there == wanted:
        return True
    try:
        return isinstance(column.type, DECIMAL) and decimal.Decimal(there) == decimal.Decimal(wanted)
    except decimal.InvalidOperation:
        return False


def _plain_default(sql: str, column: sa.Column[Any], unescaped: Callable[[str], str]) -> str:
    """Return a default without what each database puts around it: brackets, casts, quotes, spellings of now."""
    text = sql.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    quoted = re.fullmatch(r"'(.*)'(?:::[\w\s\[\]\"().]+)?", text, re.DOTALL)
    if quoted:
        return unescaped(quoted[1])
    text = re.sub(r"::[\w\s\[\]\"]+$|(?<=')::regclass(?=\))", "", text).lower()
    word = text.removesuffix("()")
    if word in _MOMENTS:
        return _MOMENTS[word]
    if isinstance(column.type, sa.Boolean):
        return {"true": "1", "false": "0"}.get(text, text)
    return text


_MOMENTS = {
    **dict.fromkeys(("now", "current_timestamp"), "now"),
    **dict.fromkeys(("current_date", "curdate"), "today"),
    **dict.fromkeys(("current_time", "curtime"), "the time"),
}


def _is_more(diff: Any) -> bool:
    """Return whether a difference takes nothing from what the models say; comments are for people."""
    if isinstance(diff, list):
        return all(_is_more(one) for one in diff)
    return str(diff[0]).startswith("remove_") or str(diff[0]).endswith("_comment")


def _describe(connection: sa.Connection, diff: Any) -> str:
    if isinstance(diff, list):
        return "; ".join(_describe(connection, one) for one in diff)
    verb, *what = diff
    if verb == "change_enumeration":
        before, after = (", ".join(map(repr, labels)) for labels in what[1:])
        return f"change enumeration {what[0]} from {before} to {after}"
    if verb in ("change_CHECK", "change_computed column"):
        before, after = (_condition(connection, getattr(one, "computed", one)) for one in what)
        return f"{verb.replace('_', ' ')} {what[0].name} on {what[0].table.name} from {before} to {after}"
    words = verb.replace("_", " ")
    if verb.startswith("modify_"):
        return f"{words} {what[1]}.{what[2]}"
    if verb.endswith("_comment"):
        return f"{words} {what[0].name}"
    named = [str(getattr(thing, "name", thing)) for thing in what if isinstance(thing, str) or hasattr(thing, "name")]
    table = getattr(what[0], "table", None)
    place = f" on {table.name}" if isinstance(table, sa.Table) else ""
    return f"{words} {'.'.join(named[-2:])}{place}"


def _condition(connection: sa.Connection, thing: sa.CheckConstraint | sa.Computed) -> str:
    """Return what a CHECK or a computed column says, in one line and with its values."""
    text = str(thing.sqltext) if isinstance(thing.sqltext, sa.TextClause) else expression_text(connection, thing)
    return re.sub(r"\s*\n\s*", " ", text)


# New revision files


_DIALECTS = "sqlite", "postgresql", "mysql", "mariadb"


def _render(package: str, kind: str, thing: Any, context: Any) -> str | Literal[False]:
    """Write what databases spell differently the same way, whatever database the comparison was made with."""
    if kind == "type" and not _is_of_sqlalchemy(type(thing)):
        return _render_type(package, thing, context)
    if kind == "type" and type(thing).__module__.startswith("sqlalchemy.dialects.postgresql"):
        return _render_of_postgresql(thing, context)
    if kind != "server_default":
        return False
    words = {
        current_timestamp: "sa.func.current_timestamp()",
        now: "sa.func.now()",
        type(sa.true()): "sa.true()",
        type(sa.false()): "sa.false()",
    }
    return words.get(type(getattr(thing, "arg", thing)), False)


def _render_type(package: str, thing: Any, context: Any) -> str | Literal[False]:
    """Write a type of the person's own as what it stores: a revision imports no code of the project."""
    module, plain = type(thing).__module__, copy(thing)
    if isinstance(thing, sa.TypeDecorator):
        return _render_decorated(thing, context)
    if module.partition(".")[0] != package:
        context.imports.add(f"import {module}")
        return False
    if isinstance(thing, sa.types.UserDefinedType):
        plain._variant_mapping = {}
        spelled = plain.compile(context.migration_context.dialect)
        members = f'{{"cache_ok": True, "get_col_spec": lambda self, **_: {spelled!r}}}'
        shown = f"type({type(thing).__name__!r}, (sa.types.UserDefinedType,), {members})()"
    else:
        plain.__class__ = next(filter(_is_of_sqlalchemy, type(thing).__mro__))
        return _repr_type(plain, context)
    return shown + _variants({name: _repr_type(one, context) for name, one in thing._variant_mapping.items()})


def _render_decorated(thing: sa.TypeDecorator[Any], context: Any) -> str:
    """Write a type around others as what it stores, with variants for the databases on which that is something else."""
    shown = _repr_type(_public(thing.load_dialect_impl(DefaultDialect())), context)
    stored = {name: thing.load_dialect_impl(sa.make_url(f"{name}://").get_dialect()()) for name in _DIALECTS}
    variants = {name: _repr_type(_public(one), context) for name, one in stored.items()}
    variants |= {name: _repr_type(one, context) for name, one in thing._variant_mapping.items()}
    return shown + _variants({name: one for name, one in variants.items() if one != shown})


def _variants(shown: Mapping[str, str]) -> str:
    return "".join(f".with_variant({one}, {name!r})" for name, one in shown.items())


def _public(kind: Any) -> Any:
    """Return a type as one that can be written: a driver's own are those of its database."""
    plain = copy(kind)
    plain.__class__ = next(filter(_has_name, type(kind).__mro__), type(kind))
    return plain


def _has_name(kind: type) -> bool:
    """Return whether SQLAlchemy, or the package of one of its dialects, has a type under its own name."""
    place = ".".join(kind.__module__.split(".")[:3]) if ".dialects." in kind.__module__ else "sqlalchemy"
    return getattr(importlib.import_module(place), kind.__name__, None) is kind


def _render_of_postgresql(thing: Any, context: Any) -> str | Literal[False]:
    """Write a type with another one inside as on PostgreSQL: elsewhere Alembic does not say where the inner is from."""
    shown = PostgresqlImpl.render_type(PostgresqlImpl.__new__(PostgresqlImpl), thing, context)
    if not shown:
        return False
    context.imports.add("from sqlalchemy.dialects import postgresql")
    return shown + _variants({name: _repr_type(one, context) for name, one in thing._variant_mapping.items()})


def _is_of_sqlalchemy(kind: type) -> bool:
    return kind.__module__.startswith("sqlalchemy.")


def _tidy(operations: ops.OpContainer, connection: sa.Connection | None) -> None:
    """Make generated operations run on every database and read like written ones."""
    made = [op.table_name for op in operations.ops if isinstance(op, ops.CreateTableOp)]
    dropped = {op.table_name for op in operations.ops if isinstance(op, ops.DropTableOp)}
    tidied: list[ops.MigrateOperation] = []
    late: list[ops.MigrateOperation] = []
    for op in operations.ops:
        if isinstance(op, ops.CreateTableOp):
            op.columns = [*op.columns, *_checks_of_columns(op)]
            late += _keys_to_later_tables(op, made[made.index(op.table_name) + 1 :])
        if not isinstance(op, ops.ModifyTableOps):
            tidied.append(op)
        elif op.table_name in dropped:  # MariaDB refuses to drop an index a foreign key uses; it goes with the table
            rest = [one for one in op.ops if not isinstance(one, ops.DropIndexOp)]
            tidied += [ops.ModifyTableOps(op.table_name, rest, schema=op.schema)] if rest else []
        else:
            _free_indexes_of_keys(op, connection)
            indexes_only = all(isinstance(one, ops.CreateIndexOp | ops.DropIndexOp) for one in op.ops)
            tidied += op.ops if indexes_only else [op]  # an index needs no batch
    operations.ops = [*tidied, *late]


def _checks_of_columns(table: ops.CreateTableOp) -> list[sa.CheckConstraint]:
    """Return the CHECKs that a model declares inside its columns, which Alembic does not write, as the table's."""
    return [
        sa.CheckConstraint(check.sqltext, name=check.name)
        for column in table.columns
        if isinstance(column, sa.Column)
        for check in sorted(column.constraints, key=str)
        if isinstance(check, sa.CheckConstraint)
    ]


def _free_indexes_of_keys(table: ops.ModifyTableOps, connection: sa.Connection | None) -> None:
    """Drop foreign keys before the indexes they stand on, which MariaDB asks for; make those that stay again after."""
    going = [one for one in table.ops if isinstance(one, ops.DropConstraintOp) and one.constraint_type == "foreignkey"]
    rest = [one for one in table.ops if one not in going]
    table.ops = [*going, *rest]
    if connection is None or not (indexes := list(filter(None, map(_columns_of_dropped_index, rest)))):
        return
    gone = {one.constraint_name for one in going}
    keys = [
        key
        for key in sa.inspect(connection).get_foreign_keys(table.table_name, table.schema)
        if key["name"] and key["name"] not in gone and any(_begins_with(one, key) for one in indexes)
    ]
    make = [_made_again(key, table) for key in keys]
    drop = [ops.DropConstraintOp.from_constraint(one.to_constraint()) for one in make]
    table.ops = [*going, *drop, *rest, *make]


def _columns_of_dropped_index(op: ops.MigrateOperation) -> list[str]:
    if isinstance(op, ops.DropIndexOp) and op._reverse is not None:
        return [
            getattr(column, "name", "") if not isinstance(column, str) else column for column in op._reverse.columns
        ]
    if isinstance(op, ops.DropConstraintOp) and op.constraint_type == "unique":
        constraint = op.to_constraint()
        assert isinstance(constraint, sa.UniqueConstraint)
        return [column.name for column in constraint.columns]
    return []


def _begins_with(columns: list[str], key: Any) -> bool:
    constrained = key["constrained_columns"]
    return set(columns[: len(constrained)]) == set(constrained)


def _made_again(key: Any, table: ops.ModifyTableOps) -> ops.CreateForeignKeyOp:
    return ops.CreateForeignKeyOp(
        sa.schema.conv(str(key["name"])),  # as it is in the database
        table.table_name,
        key["referred_table"],
        key["constrained_columns"],
        key["referred_columns"],
        **key["options"],
        source_schema=table.schema,
        referent_schema=key["referred_schema"],
    )


def _keys_to_later_tables(table: ops.CreateTableOp, later: list[str]) -> list[ops.MigrateOperation]:
    """Take the foreign keys to tables that are made after this one out of it; return what makes them afterwards."""
    moved = [
        key for key in table.columns if isinstance(key, sa.ForeignKeyConstraint) and key.referred_table.name in later
    ]
    table.columns = [one for one in table.columns if not any(one is key for key in moved)]
    for key in table.columns:
        if isinstance(key, sa.ForeignKeyConstraint):
            key.use_alter = False  # its target is there by now; with it SQLAlchemy would leave the key out
    make = [ops.CreateForeignKeyOp.from_constraint(key) for key in moved]
    for one in make:
        one.kw.pop("use_alter", None)  # which is what this is
    return [ops.ModifyTableOps(table.table_name, make, schema=table.schema)] if make else []


def _drop_keys_of_cycles(operations: ops.OpContainer) -> None:
    """Drop the foreign keys to tables that are dropped before their own table, ahead of them all."""
    tables = [op.to_table() for op in operations.ops if isinstance(op, ops.DropTableOp)]
    gone: set[str] = set()
    first: list[ops.MigrateOperation] = []
    for table in tables:
        keys = [key for key in table.foreign_key_constraints if key.name and _target(key) in gone]
        drop = [ops.DropConstraintOp.from_constraint(key) for key in keys]
        if drop:
            first.append(ops.ModifyTableOps(table.name, drop, schema=table.schema))
        gone.add(table.fullname)
    operations.ops = [*first, *operations.ops]


def _target(key: sa.ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.rpartition(".")[0]


def _place(
    project: Project,
    script: ScriptDirectory,
    config: Config,
    context: MigrationContext,
    directives: list[ops.MigrationScript],
) -> None:
    """Put a new revision into its folder, and drop an autogenerated one that would say nothing."""
    if not directives:
        return
    new = directives[0]
    # SQLAlchemy doubles every % for drivers that take it for a parameter; in a file it stands as it is.
    context.dialect.identifier_preparer._double_percents = False
    _complete(project, script, context, new)
    if config.attributes.get("only_if_changed") and new.upgrade_ops is not None and new.upgrade_ops.is_empty():
        directives.clear()
        return
    kind = config.attributes["kind"]
    new.version_path = str(folder(script, kind))
    if kind == "data":
        config.attributes["data"] = _data_table(project, new.message or "")
    preview = config.attributes.get("preview")
    if preview is not None:
        preview.append(_body(new))
        directives.clear()


def _complete(project: Project, script: ScriptDirectory, context: MigrationContext, new: ops.MigrationScript) -> None:
    """Add what Alembic leaves out, and make what it generated run on every database."""
    if new.upgrade_ops is None or new.downgrade_ops is None:
        return
    if context.connection is not None and not context.as_sql:
        changes = _changes_of_expression_indexes(project, context.connection, script, new.upgrade_ops)
        new.upgrade_ops.ops += changes
        new.downgrade_ops.ops[:0] = [op.reverse() for op in reversed(changes)]
    connection = None if context.as_sql else context.connection
    for operations in (new.upgrade_ops, new.downgrade_ops):
        _drop_keys_of_cycles(operations)
    for operations in (new.upgrade_ops, new.downgrade_ops):
        _tidy(operations, connection)
        _spell_not_valid(operations)
    used = _Enumerations(project.metadata, new.upgrade_ops)
    used.make(new.upgrade_ops, there=used.before)
    used.drop(new.upgrade_ops, left=used.after)
    used.make(new.downgrade_ops, there=used.after)
    used.drop(new.downgrade_ops, left=used.before)
    if connection is not None and project.backend.has_schemas:
        wanted = {op.schema for op in new.upgrade_ops.ops if isinstance(op, ops.CreateTableOp) and op.schema}
        missing = sorted(one for one in wanted if not sa.inspect(connection).has_schema(one))
        new.upgrade_ops.ops[:0] = map(MakeSchema, missing)


def _spell_not_valid(operations: ops.OpContainer) -> None:
    """Let CHECKs that were reflected as NOT VALID be made so again: SQLAlchemy leaves the dialect out of the option."""
    for op in operations.ops:
        if isinstance(op, ops.OpContainer):
            _spell_not_valid(op)
        elif isinstance(op, ops.CreateCheckConstraintOp) and "not_valid" in op.kw:
            op.kw["postgresql_not_valid"] = op.kw.pop("not_valid")


class MakeSchema(ops.MigrateOperation):
    """Make a schema before the first table in it; it stays at a step back: others may have put something into it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("add_schema", self.name)


@renderers.dispatch_for(MakeSchema)
def _render_make_schema(_context: object, op: MakeSchema) -> str:
    return f"op.execute(sa.schema.CreateSchema({op.name!r}, if_not_exists=True))"


class MakeEnumeration(ops.MigrateOperation):
    """Make a named enumeration before the first column that uses it; only PostgreSQL has such types."""

    verb = "add"

    def __init__(self, kind: sa.Enum) -> None:
        self.kind = kind

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return (f"{self.verb}_enumeration", self.kind.name, self.kind.enums)


class DropEnumeration(MakeEnumeration):
    """Drop a named enumeration after the last column that used it."""

    verb = "remove"


@renderers.dispatch_for(MakeEnumeration)
def _render_make_enumeration(_context: object, op: MakeEnumeration) -> str:
    values = "".join(f"{value!r}, " for value in op.kind.enums)
    return f"sa.Enum({values}{_name_of(op.kind)}).create(op.get_bind(), checkfirst=True)"


@renderers.dispatch_for(DropEnumeration)
def _render_drop_enumeration(_context: object, op: DropEnumeration) -> str:
    return f"sa.Enum({_name_of(op.kind)}).drop(op.get_bind(), checkfirst=True)"


def _name_of(kind: sa.Enum) -> str:
    return f"name={kind.name!r}" + (f", schema={kind.schema!r}" if kind.schema else "")


class _Enumerations:
    """The enumerations that columns use after the upgrade, as the models say, and those that columns use before it."""

    def __init__(self, metadata: sa.MetaData, upgrade: ops.OpContainer) -> None:
        added = {where for where, _ in _added(upgrade)}
        columns = [column for table in metadata.tables.values() for column in table.columns]
        before = [column for column in columns if (column.table.fullname, column.name) not in added]
        before += [column for _, column in _dropped(upgrade)]
        self.after = {kind.name for kind in _enums(columns)}
        self.before = {kind.name for kind in _enums(before)}

    def make(self, operations: ops.OpContainer, *, there: set[str | None]) -> None:
        """Make what added columns use; what a new table uses it makes itself, unless it is there already."""
        alone = [op.column for op in _column_ops(operations) if isinstance(op, ops.AddColumnOp)]
        known = there | {kind.name for kind in _enums(alone)}
        added = [column for _, column in _added(operations)]
        first = {kind.name: kind for kind in _enums(added) if kind.name in known}
        for op in operations.ops:
            if isinstance(op, ops.CreateTableOp):
                op.columns = [_without_making(one, first) for one in op.columns]
        operations.ops = [*map(MakeEnumeration, first.values()), *operations.ops]

    def drop(self, operations: ops.OpContainer, *, left: set[str | None]) -> None:
        """Drop what dropped columns used and no other column does."""
        gone = {kind.name: kind for kind in _enums(column for _, column in _dropped(operations))}
        operations.ops = [*operations.ops, *(DropEnumeration(gone[name]) for name in gone if name not in left)]


def _column_ops(operations: ops.OpContainer) -> Iterator[ops.MigrateOperation]:
    for op in operations.ops:
        if isinstance(op, ops.OpContainer):
            yield from _column_ops(op)
        else:
            yield op


def _added(operations: ops.OpContainer) -> Iterator[tuple[tuple[str, str], sa.Column[Any]]]:
    """Yield the columns that operations make, alone or with their table, by the names of both."""
    for op in _column_ops(operations):
        if isinstance(op, ops.AddColumnOp):
            yield (_full(op), op.column.name), op.column
        elif isinstance(op, ops.CreateTableOp):
            yield from (((_full(op), one.name), one) for one in op.columns if isinstance(one, sa.Column))


def _dropped(operations: ops.OpContainer) -> Iterator[tuple[tuple[str, str], sa.Column[Any]]]:
    for op in _column_ops(operations):
        if isinstance(op, ops.DropColumnOp):
            yield (_full(op), op.column_name), op.to_column()
        elif isinstance(op, ops.DropTableOp):
            yield from (((_full(op), column.name), column) for column in op.to_table().columns)


def _full(op: ops.AddColumnOp | ops.DropColumnOp | ops.CreateTableOp | ops.DropTableOp) -> str:
    return f"{op.schema}.{op.table_name}" if op.schema else op.table_name


def _without_making(column: Any, made: dict[str | None, sa.Enum]) -> Any:
    """Return a column whose enumeration is made before its table."""
    if not isinstance(column, sa.Column) or not any(kind.name in made for kind in _enums([column])):
        return column
    copy = column._copy()
    [kind] = _enums([copy])
    copy.type = kind.adapt(type(kind), create_type=False)  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    return copy


def _enums(columns: Iterable[Any]) -> Iterator[sa.Enum]:
    kinds = (column.type for column in columns if isinstance(column, sa.Column))
    yield from (kind for kind in kinds if isinstance(kind, sa.Enum) and kind.native_enum and kind.name)


def folder(script: ScriptDirectory, kind: str) -> Path:
    """Return the folder that revisions of a kind are in."""
    folders = [Path(folder) for folder in script.version_locations or ()]
    return next((folder for folder in folders if folder.name == kind), folders[0])


def _body(new: ops.MigrationScript) -> str:
    from alembic.autogenerate import render_python_code

    if new.upgrade_ops is None:
        return ""
    return render_python_code(new.upgrade_ops, render_as_batch=True)


def _data_table(project: Project, message: str) -> dict[str, Any]:
    """Return what the template writes for the table that a message speaks of."""
    table = _table_in(message, project.metadata.sorted_tables)
    if table is None:
        return {
            "variable": "rows_of",
            "table": "name_of_the_table",
            "schema": None,
            "columns": [("code", "sa.String(length=10)"), ("title", "sa.String(length=60)")],
            "key": ["code"],
        }
    key = _natural_key(table)
    columns = [column for column in table.columns if column.name in key or not _left_to_the_server(column)]
    return {
        "variable": _variable(table.name),
        "table": table.name,
        "schema": table.schema,
        "columns": [(column.name, _type_code(column)) for column in columns],
        "key": key,
    }


def _variable(name: str) -> str:
    """Return a table's name as a name of Python that the file does not use for something else."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    taken = {"sa", "op", "row", "ROWS", "Any", "Sequence", "upgrade", "downgrade", "revision", "down_revision"}
    taken |= {"branch_labels", "depends_on"}
    if keyword.iskeyword(word) or word in taken or word in dir(builtins):
        return f"{word}_"
    return word if word.isidentifier() else f"table_{word}"


def _type_code(column: sa.Column[Any]) -> str:
    """Return a column's type as code; nothing for one of a single database, whose values go as they are."""
    try:
        return f"sa.{column.type.as_generic()!r}"
    except NotImplementedError:
        return ""


def _table_in(message: str, tables: Iterable[sa.Table]) -> sa.Table | None:
    words = set(re.findall(r"\w+", message.lower()))
    by_length = sorted(tables, key=lambda table: -len(table.name))
    return next(
        (table for table in by_length if {table.name.lower(), table.name.lower().removesuffix("s")} & words),
        None,
    )


def _left_to_the_server(column: sa.Column[Any]) -> bool:
    generated = column.primary_key and column.autoincrement is not False and isinstance(column.type, sa.Integer)
    return bool((generated and not column.foreign_keys) or column.server_default or column.computed)


def _natural_key(table: sa.Table) -> list[str]:
    keys = [
        [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    keys += [[column.name for column in index.columns] for index in table.indexes if index.unique]
    keys += [[column.name] for column in table.columns if column.unique]
    return min(keys, key=lambda key: (len(key), key), default=[column.name for column in table.primary_key.columns])


@write_hooks.register("ruff_when_installed")
def _format(filename: str, options: dict[str, Any]) -> None:
    """Format a new revision file with ruff, where ruff is installed; one to be written by hand keeps its imports."""
    if importlib.util.find_spec("ruff") is None:
        return
    is_written = re.search(r"\bop\.\w", Path(filename).read_text(encoding="utf-8"))
    for arguments in (
        ["check", "--select", "I,F401" if is_written else "I", "--fix", "--quiet", "--no-cache"],
        ["format", "--quiet", "--no-cache"],
    ):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, filename], check=False)  # noqa: S603  # our own file
