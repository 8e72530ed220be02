"""Values as text: lines with tabs for PostgreSQL's COPY and MariaDB's LOAD DATA, or literals for an INSERT.

https://www.postgresql.org/docs/current/sql-copy.html
https://mariadb.com/kb/en/load-data-infile/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from ..outcomes import Convert, Remembered, around_nulls, through_tables

Render = Callable[[Any], str]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
_ESCAPED = [chr(code) for code in _ESCAPES]
# Of these types many rows hold few values: each value is written once.
_REPEATED = {bool, Decimal, date, datetime, time, timedelta}


class Texts:
    """Writes the values of some columns, block after block."""

    def __init__(self, renders: Mapping[type, Render], *, null: str) -> None:
        """Take how each type is written, and what stands for NULL."""
        self._renders = {type(None): lambda _: null, **renders}
        self._null = null
        self._writers: dict[int, Convert] = {}  # one for each column
        self._remembered: dict[tuple[int, type], Remembered] = {}

    def columns(self, columns: Sequence[Sequence[Any]]) -> list[Sequence[str]] | None:
        """Return the texts of each column; None when some value is of a type that has no text."""
        texts = [self._writer(place)(values) for place, values in enumerate(columns)]
        known = [one for one in texts if one is not None]
        return known if len(known) == len(texts) else None

    def _writer(self, place: int) -> Convert:
        if place not in self._writers:
            self._writers[place] = through_tables(partial(self._column, place))
        return self._writers[place]

    def _column(self, place: int, values: Sequence[Any]) -> Sequence[str] | None:
        kinds = set(map(type, values))
        if not kinds <= self._renders.keys():
            return None
        if kinds == {int}:
            return list(map(str, values))
        if kinds == {str}:
            return self.strings(values)  # as it is, where nothing needs escaping
        some = kinds - {type(None)}
        if len(some) != 1:
            return [self._renders[type(value)](value) for value in values]
        [kind] = some
        if kind is str:
            convert: Convert = self.strings
        elif kind in _REPEATED:
            convert = self._remembered.setdefault((place, kind), Remembered(self._renders[kind])).all
        else:
            convert = partial(map, self._renders[kind])
        return list(convert(values)) if some == kinds else around_nulls(convert, values, self._null)

    def strings(self, values: Sequence[str]) -> Sequence[str]:
        """Return how strings are written."""
        return list(map(self._renders[str], values))


class Lines(Texts):
    """Rows as lines, with tabs between the values."""

    def __init__(self, own: Mapping[type, Render]) -> None:
        """Take how this database writes the types that databases write differently."""
        common: dict[type, Render] = {
            str: escaped,
            int: str,
            float: repr,
            Decimal: str,
            date: str,
            datetime: str,
            time: str,
            UUID: str,
        }
        super().__init__({**common, **own}, null="\\N")

    def strings(self, values: Sequence[str]) -> Sequence[str]:
        together = "".join(values)
        return list(map(escaped, values)) if any(map(together.__contains__, _ESCAPED)) else values

    def of(self, columns: Sequence[Sequence[Any]]) -> str | None:
        """Return rows as lines; None when some value is of a type that has no text."""
        texts = self.columns(columns)
        return "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n" if texts is not None else None


def escaped(value: str) -> str:
    """Return a text as it stands in a line."""
    return value.translate(_ESCAPES)
