"""What Alembic is told when it compares models and database, and where new revision files go."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.config import Config
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory, write_hooks
from sqlalchemy.sql.functions import current_timestamp, now

from . import bookkeeping, history
from .backends.base import TableName

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
        # A table that neither a model nor a migration knows is somebody else's: never propose to drop it.
        return not (kind == "table" and reflected and compare_to is None) or is_ours(thing)

    return {
        "target_metadata": project.metadata,
        "include_schemas": schemas != {None} and bool(schemas),
        "include_name": include_name,
        "include_object": include_object,
        "render_as_batch": True,  # SQLite cannot ALTER a constraint
        "render_item": _render,
        "compare_type": True,
        "compare_server_default": _default_differs,
        "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        "process_revision_directives": lambda context, revision, directives: _place(
            project, script, config, context, directives
        ),
    }


def differences(
    project: Project, connection: sa.Connection, script: ScriptDirectory, *, missing_only: bool = False
) -> list[str]:
    """Return how the database differs from the models, a line each; or only what it lacks of them."""
    from alembic.autogenerate import produce_migrations

    config = history.alembic_config(project)
    settings = {key: value for key, value in options(project, script, config).items() if key != "target_metadata"}
    with history.silent():
        context = MigrationContext.configure(connection, opts={**settings, "target_metadata": project.metadata})
    with quiet():
        upgrade = produce_migrations(context, project.metadata).upgrade_ops
    assert upgrade is not None
    upgrade.ops += _missing_expression_indexes(project, connection, upgrade)
    return [_describe(diff) for diff in upgrade.as_diffs() if not (missing_only and _is_more(diff))]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what SQLAlchemy and Alembic warn of and what is seen to here: cycles, and indexes on expressions."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot correctly sort tables")
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        yield


def _missing_expression_indexes(
    project: Project, connection: sa.Connection, operations: ops.OpContainer
) -> list[ops.MigrateOperation]:
    """Return what makes the indexes on expressions that SQLite lacks and Alembic, unable to see them, leaves out."""
    known = project.backend.unreflected_indexes(connection)
    if known is None:
        return []
    known = known | set(_made_indexes(operations))
    return [
        ops.CreateIndexOp.from_index(index)
        for table in project.metadata.tables.values()
        for index in sorted(table.indexes, key=str)
        if str(index.name) not in known and not all(isinstance(part, sa.Column) for part in index.expressions)
    ]


def _made_indexes(operations: ops.OpContainer) -> Iterator[str]:
    for op in operations.ops:
        if isinstance(op, ops.CreateIndexOp):
            yield str(op.index_name)
        elif isinstance(op, ops.OpContainer):
            yield from _made_indexes(op)


def _default_differs(
    context: MigrationContext,
    _inspected: object,
    column: sa.Column[Any],
    there: str | None,
    default: Any,
    _rendered: str | None,
) -> bool | None:
    """Compare a server default with a model's as databases spell them; None leaves it to Alembic."""
    if there is None or default is None or not isinstance(default, sa.DefaultClause):
        return None
    arg = default.arg
    if not isinstance(arg, str):
        arg = _plain_default(str(arg.compile(dialect=context.dialect, compile_kwargs={"literal_binds": True})), column)
    if _plain_default(there, column) == arg:
        return False
    return True if "'" in arg else None  # Alembic would write the quote into a statement as it is


def _plain_default(sql: str, column: sa.Column[Any]) -> str:
    """Return a default without what each database puts around it: brackets, casts, quotes, spellings of now."""
    text = sql.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    quoted = re.fullmatch(r"'(.*)'(?:::[\w\s\[\]\"().]+)?", text, re.DOTALL)
    if quoted:
        return quoted[1].replace("''", "'").replace("\\'", "'")
    text = re.sub(r"::[\w\s\[\]\"]+$", "", text).lower()
    if text.removesuffix("()") in ("now", "current_timestamp"):
        return "now"
    if isinstance(column.type, sa.Boolean):
        return {"true": "1", "false": "0"}.get(text, text)
    return text


def _is_more(diff: Any) -> bool:
    return not isinstance(diff, list) and str(diff[0]).startswith("remove_")


def _describe(diff: Any) -> str:
    if isinstance(diff, list):
        return "; ".join(_describe(one) for one in diff)
    verb, *what = diff
    words = verb.replace("_", " ")
    named = [str(getattr(thing, "name", thing)) for thing in what if isinstance(thing, str) or hasattr(thing, "name")]
    table = getattr(what[0], "table", None)
    place = f" on {table.name}" if isinstance(table, sa.Table) else ""
    return f"{words} {'.'.join(named[-2:])}{place}"


# New revision files


def _render(kind: str, thing: Any, context: object) -> str | Literal[False]:
    """Write what databases spell differently the same way, whatever database the comparison was made with."""
    if kind != "server_default":
        return False
    words = {
        current_timestamp: "sa.func.current_timestamp()",
        now: "sa.func.now()",
        type(sa.true()): "sa.true()",
        type(sa.false()): "sa.false()",
    }
    return words.get(type(getattr(thing, "arg", thing)), False)


def _tidy(operations: ops.OpContainer) -> None:
    """Make generated operations run on every database and read like written ones."""
    made = [op.table_name for op in operations.ops if isinstance(op, ops.CreateTableOp)]
    dropped = {op.table_name for op in operations.ops if isinstance(op, ops.DropTableOp)}
    tidied: list[ops.MigrateOperation] = []
    late: list[ops.MigrateOperation] = []
    for op in operations.ops:
        if isinstance(op, ops.CreateTableOp):
            late += _keys_to_later_tables(op, made[made.index(op.table_name) + 1 :])
        if not isinstance(op, ops.ModifyTableOps):
            tidied.append(op)
        elif op.table_name in dropped:  # MariaDB refuses to drop an index a foreign key uses; it goes with the table
            rest = [one for one in op.ops if not isinstance(one, ops.DropIndexOp)]
            tidied += [ops.ModifyTableOps(op.table_name, rest, schema=op.schema)] if rest else []
        elif all(isinstance(one, ops.CreateIndexOp | ops.DropIndexOp) for one in op.ops):
            tidied += op.ops  # an index needs no batch
        else:
            tidied.append(op)
    operations.ops = [*tidied, *late]


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
    _complete(project, context, new)
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


def _complete(project: Project, context: MigrationContext, new: ops.MigrationScript) -> None:
    """Add what Alembic leaves out, and make what it generated run on every database."""
    if new.upgrade_ops is None or new.downgrade_ops is None:
        return
    if context.connection is not None and not context.as_sql:
        missing = _missing_expression_indexes(project, context.connection, new.upgrade_ops)
        new.upgrade_ops.ops += missing
        new.downgrade_ops.ops[:0] = [op.reverse() for op in reversed(missing)]
    for operations in (new.upgrade_ops, new.downgrade_ops):
        _drop_keys_of_cycles(operations)
    for operations in (new.upgrade_ops, new.downgrade_ops):
        _tidy(operations)
        _drop_enumerations(operations, project.metadata)


class DropEnumeration(ops.MigrateOperation):
    """Drop a named enumeration after the last table that used it; only PostgreSQL has such types."""

    def __init__(self, kind: sa.Enum) -> None:
        self.kind = kind


@renderers.dispatch_for(DropEnumeration)
def _render_drop_enumeration(_context: object, op: DropEnumeration) -> str:
    schema = f", schema={op.kind.schema!r}" if op.kind.schema else ""
    return f"sa.Enum(name={op.kind.name!r}{schema}).drop(op.get_bind(), checkfirst=True)"


def _drop_enumerations(operations: ops.OpContainer, metadata: sa.MetaData) -> None:
    gone = {op.to_table().fullname: op.to_table() for op in operations.ops if isinstance(op, ops.DropTableOp)}
    left = {kind.name for table in metadata.tables.values() if table.fullname not in gone for kind in _enums(table)}
    dropped = {kind.name: kind for table in gone.values() for kind in _enums(table) if kind.name not in left}
    operations.ops = [*operations.ops, *map(DropEnumeration, dropped.values())]


def _enums(table: sa.Table) -> Iterator[sa.Enum]:
    kinds = (column.type for column in table.columns)
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
    """Format a new revision file with ruff, where ruff is installed."""
    if importlib.util.find_spec("ruff") is None:
        return
    for arguments in (
        ["check", "--select", "I,F401", "--fix", "--quiet", "--no-cache"],
        ["format", "--quiet", "--no-cache"],
    ):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, filename], check=False)  # noqa: S603  # our own file
