"""The CHECK constraints of a table, parsed with sqlglot, as models write them and as databases report them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import sqlalchemy as sa

from .numbering import Column


def columns_in(tree: Any, table: sa.Table) -> list[Column]:
    """Return the columns of a table that a condition is about."""
    from sqlglot import exp

    names = {one.name.lower() for one in tree.find_all(exp.Column)}
    return [one for one in table.columns if one.name.lower() in names]


def texts_of(table: sa.Table) -> list[tuple[str, str]]:
    """Return the name of each CHECK constraint, or what it says where it has none, and what it says."""
    constraints = {*table.constraints, *(one for column in table.columns for one in column.constraints)}
    checks = [one for one in constraints if isinstance(one, sa.CheckConstraint)]
    texts = sorted((str(one.name), text_of(one.sqltext), one.name is not None) for one in checks)
    return [(name if is_named else sql, sql) for name, sql, is_named in texts]


def of_domain(domain: Any, column: Column) -> Any:
    """Return what a domain asks for, in whose CHECK VALUE stands for the column."""
    from sqlglot import exp

    tree = parsed(text_of(domain.check)) if domain.check is not None else None
    if tree is None:
        return None
    return tree.transform(lambda node: exp.column(column.name) if isinstance(node, exp.Column) else node)


def conjuncts(tree: Any) -> list[Any]:
    """Return the conditions that all have to hold."""
    from sqlglot import exp

    tree = tree.unnest()
    return [part for one in tree.flatten() for part in conjuncts(one)] if isinstance(tree, exp.And) else [tree]


def text_of(expression: sa.ColumnElement[Any]) -> str:
    """Return an expression as SQL, with its values in it."""
    try:
        return str(expression.compile(compile_kwargs={"literal_binds": True}))
    except sa.exc.CompileError:
        return str(expression)


@cache
def parsed(sql: str) -> Any:
    """Return the expression's tree, which nobody changes, None where no dialect can read it."""
    import sqlglot
    from sqlglot import exp

    dialects = (
        ("mysql",)
        if "`" in sql
        else ("postgres", "mysql")
        if re.search(r"::|~|<@|@>|\bANY\b", sql)
        else (None, "mysql", "postgres")
    )
    for dialect in dialects:
        try:
            return sqlglot.parse_one(sql, into=exp.Condition, dialect=dialect).transform(_plainer)
        except sqlglot.errors.SqlglotError:
            continue
    return None


def _plainer(node: Any) -> Any:
    """Return what says the same: NOT (x IS NULL) for x IS NOT NULL, comparisons for a range or all of some values."""
    from sqlglot import exp

    if isinstance(node, exp.Is) and node.args.get("negate"):  # one only in the dialect of PostgreSQL
        return exp.Not(this=exp.Is(this=node.this.copy(), expression=node.expression.copy()))
    if isinstance(node, exp.ArrayContainedBy | exp.ArrayContainsAll):
        inner, outer = node.this.unnest(), node.expression.unnest()
        if isinstance(node, exp.ArrayContainsAll):
            inner, outer = outer, inner
        if isinstance(outer, exp.Anonymous) and outer.name.lower().endswith("range") and len(outer.expressions) > 1:
            low, high, *signs = outer.expressions
            open_low, open_high = (signs[0].name.startswith("("), not signs[0].name.endswith("]")) if signs else (0, 1)
            above = (exp.GT if open_low else exp.GTE)(this=inner.copy(), expression=low.copy())
            below = (exp.LT if open_high else exp.LTE)(this=inner.copy(), expression=high.copy())
            return exp.paren(exp.and_(above, below), copy=False)
    if isinstance(node, exp.Binary) and isinstance(node.expression, exp.Anonymous) and node.expression.name == "ALL":
        listed = node.expression.expressions[0].find(exp.Array)
        if listed is not None:
            each = (type(node)(this=node.this.copy(), expression=one.copy()) for one in listed.expressions)
            return exp.paren(exp.and_(*each), copy=False)
    return node
