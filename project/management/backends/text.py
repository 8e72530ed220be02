"""Values as the text that PostgreSQL's COPY and MariaDB's LOAD DATA read: tabs between, \\N for NULL.

https://www.postgresql.org/docs/current/sql-copy.html
https://mariadb.com/kb/en/load-data-infile/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

Render = Callable[[Any], str]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
_COMMON: Mapping[type, Render] = {
    type(None): lambda value: "\\N",
    str: lambda value: value.translate(_ESCAPES),
    int: str,
    float: repr,
    Decimal: str,
    date: str,
    datetime: str,
    time: str,
    UUID: str,
}


def rows_of(columns: Sequence[Sequence[Any]], own: Mapping[type, Render]) -> str | None:
    """Return rows as lines of text; None when some value is of a type that has no text here.

    Args:
        columns: one sequence of values for each column, all of the same length.
        own: how this database writes the types that databases write differently.
    """
    renders = {**_COMMON, **own}
    texts = [_column(values, renders) for values in columns]
    if any(one is None for one in texts):
        return None
    return "\n".join(map("\t".join, zip(*(one for one in texts if one is not None), strict=True))) + "\n"


def _column(values: Sequence[Any], renders: Mapping[type, Render]) -> Sequence[str] | None:
    kinds = set(map(type, values))
    if not kinds <= renders.keys():
        return None
    if kinds == {str}:
        return values if _is_plain(values) else [value.translate(_ESCAPES) for value in values]
    if kinds == {int}:
        return list(map(str, values))
    if len(kinds) == 1:  # many rows, few values: write each once
        render = renders[kinds.pop()]
        return list(map({value: render(value) for value in set(values)}.__getitem__, values))
    return [renders[type(value)](value) for value in values]


def _is_plain(values: Sequence[str]) -> bool:
    together = "".join(values)
    return not any(chr(code) in together for code in _ESCAPES)
