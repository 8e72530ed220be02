"""Whether two CHECKs say the same, though each database spells them its own way."""

from __future__ import annotations

from typing import Any


def same(one: str, other: str, dialect: str) -> bool:
    """Return whether two conditions are certainly the same; False says only that they may differ.

    Args:
        dialect: SQLAlchemy's name of the database that both are written for.
    """
    return one.strip() == other.strip() or _tree(one, dialect) == _tree(other, dialect)


def _tree(sql: str, dialect: str) -> Any:
    """Return a condition as a tree, without brackets, quotes around names, and names of tables."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, into=exp.Condition, dialect=_DIALECTS.get(dialect, dialect))
    except sqlglot.errors.SqlglotError:
        return sql

    def plain(node: Any) -> Any:
        if isinstance(node, exp.Paren):
            return node.unnest()
        if isinstance(node, exp.Identifier):
            return exp.to_identifier(node.name.lower(), quoted=False)
        if isinstance(node, exp.Column):
            return exp.column(node.this)
        if isinstance(node, exp.Between):
            low, high = (node.args[name].copy() for name in ("low", "high"))
            return exp.And(
                this=exp.GTE(this=node.this.copy(), expression=low),
                expression=exp.LTE(this=node.this.copy(), expression=high),
            )
        return node

    return tree.transform(plain)


_DIALECTS = {"postgresql": "postgres", "mariadb": "mysql"}
