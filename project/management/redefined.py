"""What has changed under the same name and Alembic takes for the same: CHECKs, computed columns, enumerations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult, sqla_compat

from . import expressions
from .backends import recreated
from .backends.base import executable, expression_text


@sa.event.listens_for(sa.Table, "column_reflect")
def _read_whole(inspector: sa.Inspector, table: sa.Table, column: dict[str, Any]) -> None:
    """Read what an SQLite column is computed by: SQLAlchemy finds it behind no type with a comma, as NUMERIC(10, 2)."""
    if inspector.dialect.name != "sqlite" or "computed" not in column:
        return
    assert isinstance(inspector.bind, sa.Connection)
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)"
    made = inspector.bind.exec_driver_sql(query, (table.name,)).scalar() or ""
    text = recreated.computed_of(made).get(column["name"].lower(), column["computed"]["sqltext"])
    column["computed"]["sqltext"] = text


def add_to(plugin: Plugin) -> None:
    """Let a plugin of Alembic compare them."""
    plugin.add_autogenerate_comparator(_compare_checks, "table", "checkconstraints_by_text")
    plugin.add_autogenerate_comparator(_compare_computed, "table", "computed_by_text")
    plugin.add_autogenerate_comparator(_compare_enumerations, "schema", "enumerations_by_labels")
    last = DispatchPriority.LAST
    plugin.add_autogenerate_comparator(_leave_indexes, "table", "indexes_by_definition", priority=last)


# CHECKs


def _compare_checks(
    context: AutogenContext,
    change: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    there: sa.Table | None,
    table: sa.Table | None,
) -> PriorityDispatchResult:
    if there is None or table is None:
        return PriorityDispatchResult.CONTINUE
    for check, before in _known_checks(context, schema, table):
        if _is_check_changed(context, table, check, before):
            old = sa.CheckConstraint(before, name=check.name, table=there)
            change.ops += [ops.DropConstraintOp.from_constraint(old), ops.AddConstraintOp.from_constraint(check)]
    return PriorityDispatchResult.CONTINUE


def _known_checks(
    context: AutogenContext, schema: str | None, table: sa.Table
) -> Iterator[tuple[sa.CheckConstraint, str]]:
    """Yield the CHECKs of a model that the database has under their names, with what it says of each."""
    dialect = context.dialect
    assert dialect is not None
    known = {one["name"]: one["sqltext"] for one in context.inspector.get_check_constraints(table.name, schema)}
    for check in sorted(sqla_compat.all_table_check_constraints(table), key=lambda one: str(one.name)):
        if not sqla_compat._constraint_is_named(check, dialect):
            continue
        before = known.get(sqla_compat._get_constraint_final_name(check, dialect))
        if before is not None:
            yield check, before


def _is_check_changed(context: AutogenContext, table: sa.Table, check: sa.CheckConstraint, before: str) -> bool:
    """Ask the database itself how it would spell the model's CHECK, where both are not plainly the same."""
    connection, backend, name = _asked(context)
    if expressions.same(expression_text(connection, check), before, name):
        return False
    spelled = backend.respelled(connection, table, check)
    return spelled is not None and not expressions.same(spelled, before, name)


def _asked(context: AutogenContext) -> tuple[sa.Connection, Any, str]:
    assert context.connection is not None
    assert context.dialect is not None
    assert context.opts is not None
    return context.connection, context.opts["backend"], context.dialect.name


# Computed columns


def _compare_computed(
    context: AutogenContext,
    change: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    there: sa.Table | None,
    table: sa.Table | None,
) -> PriorityDispatchResult:
    """Make those anew whose expression is another: nothing changes one in place, and it holds nothing of its own."""
    if there is None or table is None:
        return PriorityDispatchResult.CONTINUE
    for column in table.columns:
        old = there.columns.get(column.name)
        if old is not None and old.computed is not None and _is_computed_otherwise(context, column, old.computed):
            drops, adds = _dependants(context, schema, there, column)
            change.ops += [
                *drops,
                ops.DropColumnOp.from_column_and_tablename(schema, name, old),
                ops.AddColumnOp.from_column_and_tablename(schema, name, column),
                *adds,
            ]
    return PriorityDispatchResult.CONTINUE


def _is_computed_otherwise(context: AutogenContext, column: sa.Column[Any], before: sa.Computed) -> bool:
    computed = column.computed
    if computed is None:
        return False
    if None not in (computed.persisted, before.persisted) and computed.persisted != before.persisted:
        return True
    connection, backend, name = _asked(context)
    text = str(before.sqltext)
    if expressions.same(expression_text(connection, computed), text, name):
        return False
    spelled = backend.respelled_column(connection, column, computed)
    return spelled is not None and not expressions.same(spelled, text, name)


def _dependants(
    context: AutogenContext, schema: str | None, there: sa.Table, column: sa.Column[Any]
) -> tuple[list[ops.MigrateOperation], list[ops.MigrateOperation]]:
    """Return what drops the indexes and constraints that a column goes with, and what makes them again."""
    table = column.table
    known = {*(one.name for one in there.indexes), *(one.name for one in there.constraints)}
    indexes = [one for one in table.indexes if one.name in known and column in one.columns.values()]
    constraints: list[sa.Constraint] = [
        one
        for one in table.constraints
        if isinstance(one, sa.UniqueConstraint) and one.name in known and column in one.columns.values()
    ]
    word = re.compile(rf"\b{re.escape(column.name)}\b", re.I)
    constraints += [check for check, text in _known_checks(context, schema, table) if word.search(text)]
    indexes.sort(key=lambda one: str(one.name))
    constraints.sort(key=lambda one: str(one.name))
    return (
        [*map(ops.DropIndexOp.from_index, indexes), *map(ops.DropConstraintOp.from_constraint, constraints)],
        [*map(ops.AddConstraintOp.from_constraint, constraints), *map(ops.CreateIndexOp.from_index, indexes)],
    )


# Indexes


def _leave_indexes(
    context: AutogenContext,
    change: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    there: sa.Table | None,
    table: sa.Table | None,
) -> PriorityDispatchResult:
    """Leave an index that the database spells in another way than the model, which Alembic would make anew for ever."""
    if there is None or table is None:
        return PriorityDispatchResult.CONTINUE
    connection, backend, _ = _asked(context)
    dropped = {op.index_name for op in change.ops if isinstance(op, ops.DropIndexOp)}
    gone = {op.column_name for op in change.ops if isinstance(op, ops.DropColumnOp)}  # with what stands on them
    wanted = {str(one.name): one for one in table.indexes if gone.isdisjoint(column.name for column in one.columns)}
    same = {one for one in dropped & wanted.keys() if backend.has_index(connection, wanted[str(one)])}
    change.ops = [
        op for op in change.ops if not (isinstance(op, ops.DropIndexOp | ops.CreateIndexOp) and op.index_name in same)
    ]
    return PriorityDispatchResult.CONTINUE


# Enumerations


class ChangeEnumeration(ops.MigrateOperation):
    """Give a named enumeration other labels; only PostgreSQL has such types."""

    def __init__(self, name: str, labels: Sequence[Sequence[str]], statements: Sequence[Sequence[str]]) -> None:
        """Take the labels before and after, and the statements that go on, and those that go back."""
        self.name, self.labels, self.statements = name, labels, statements

    def reverse(self) -> ChangeEnumeration:
        return ChangeEnumeration(self.name, self.labels[::-1], self.statements[::-1])

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("change_enumeration", self.name, *self.labels)


@renderers.dispatch_for(ChangeEnumeration)
def _render_change(_context: object, op: ChangeEnumeration) -> list[str]:
    on_postgresql = 'if op.get_context().dialect.name == "postgresql":'
    return [on_postgresql, *(f"op.execute({executable(one)!r})" for one in op.statements[0]), ""]


def _compare_enumerations(
    context: AutogenContext, upgrade: ops.UpgradeOps, _schemas: Iterable[str | None]
) -> PriorityDispatchResult:
    connection, backend, _ = _asked(context)
    changes: list[ops.MigrateOperation] = []
    for (schema, name), after in sorted(_wanted(context).items(), key=str):
        before = backend.labels(connection, schema, name)
        if before and list(before) != after:
            statements = [
                backend.relabelled(connection, schema, name, *labels) for labels in ((before, after), (after, before))
            ]
            changes.append(ChangeEnumeration(name, (before, after), statements))
    upgrade.ops[:0] = changes
    return PriorityDispatchResult.CONTINUE


def _wanted(context: AutogenContext) -> dict[tuple[str | None, str], list[str]]:
    """Return the labels of the named enumerations that columns of the models have, by schema and name."""
    metadata = context.metadata
    assert isinstance(metadata, sa.MetaData)
    kinds = [column.type for table in metadata.tables.values() for column in table.columns]
    items = [getattr(kind, "item_type", kind) for kind in kinds]  # of an array
    return {
        (one.schema, one.name): list(one.enums)
        for one in items
        if isinstance(one, sa.Enum) and one.native_enum and one.name
    }
