"""Texts that patterns describe: of LIKE and of regular expressions, the characters that may stand at each place."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from typing import Any

from .computing import in_python
from .literals import literal_of
from .numbering import Column
from .types import length_of

SMALL_LETTERS, _DIGITS = string.ascii_lowercase, string.digits
_SAFE = string.ascii_letters + _DIGITS + " -_.,:;!?@#/+*=()"
_CATEGORIES = {"CATEGORY_DIGIT": _DIGITS, "CATEGORY_WORD": SMALL_LETTERS, "CATEGORY_SPACE": " "}


def spelled_by(node: Any, column: Column) -> list[str] | None:
    """Return the characters at each place of texts for which a condition holds; None where it asks for no spelling."""
    from sqlglot import exp

    pattern = literal_of(node.expression) if isinstance(node, exp.Like | exp.RegexpLike) else None
    if pattern is None:
        return None
    read = places_of_like if isinstance(node, exp.Like) else places_of_regexp
    room = length_of(column) or 1_000
    made = (read(pattern, more) for more in (6, 2, 1, 0))
    return next((places for places in made if places is not None and len(places) <= room), None)


def places_of_like(pattern: str, more: int) -> list[str]:
    """Return the characters that may stand at each place of texts like a pattern, with so many for a percent sign."""
    places: list[str] = []
    for character in pattern:
        places += [SMALL_LETTERS] * more if character == "%" else [SMALL_LETTERS] if character == "_" else [character]
    return places


def regexp_of_part(node: Any, sign: str, text: str | None) -> str | None:
    """Return the regular expression that says the same of a part of a text: `substr(code, 1, 2) = 'AB'` is `^AB.*$`."""
    from sqlglot import exp

    if isinstance(node, exp.StrPosition) and node.args.get("position") is None:
        inner = literal_of(node.args["substr"])
        is_in = (sign, text) in ((">", "0"), (">=", "1"), ("<>", "0"))
        return f"^.*{re.escape(inner)}.*$" if is_in and inner else None
    if not isinstance(node, exp.Substring | exp.Left | exp.Right) or sign not in ("=", "<>") or not text:
        return None
    start = "1" if not isinstance(node, exp.Substring) else literal_of(node.args["start"]) or ""
    length = literal_of(node.args.get("length") if isinstance(node, exp.Substring) else node.expression)
    if not re.fullmatch(r"[1-9]\d?", start) or length != str(len(text)):
        return None
    said = re.escape(text)
    return f"^.*{said}$" if isinstance(node, exp.Right) else f"^.{{{int(start) - 1}}}{said}.*$"


def places_of_regexp(pattern: str, more: int) -> list[str] | None:
    """Return the characters that may stand at each place of some texts that match; None for what is not understood."""
    from re import _parser  # type: ignore[attr-defined]  # the only reader of regular expressions there is

    try:
        return list(_places_of(_parser.parse(in_python(pattern)), more))
    except (re.error, _NotUnderstood, OverflowError):
        return None


class _NotUnderstood(Exception):
    """A part of a regular expression that no text is made for."""


def _places_of(tree: Iterable[Any], more: int) -> Iterator[str]:
    for operation, argument in tree:
        what = str(operation)
        if what == "LITERAL":
            yield chr(argument)
        elif what in ("ANY", "NOT_LITERAL", "IN"):
            yield _characters(what, argument)
        elif what in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            times = max(least, min(int(most), more))
            if times > 1000:
                raise _NotUnderstood
            for _ in range(times):
                yield from _places_of(inner, more)
        elif what == "SUBPATTERN":
            yield from _places_of(argument[3], more)
        elif what == "BRANCH":
            yield from _places_of(argument[1][0], more)
        elif what != "AT":
            raise _NotUnderstood


def _characters(what: str, argument: Any) -> str:
    if what == "ANY":
        return SMALL_LETTERS
    if what == "NOT_LITERAL":
        return _SAFE.replace(chr(argument), "")
    chosen: list[str] = []
    negated = False
    for kind, value in argument:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            chosen.append(chr(value))
        elif name == "RANGE":
            low, high = value
            if high - low > 1000:
                raise _NotUnderstood
            chosen += map(chr, range(low, high + 1))
        elif name == "CATEGORY":
            chosen += _CATEGORIES.get(str(value), "")
        else:
            raise _NotUnderstood
    found = [one for one in _SAFE if one not in chosen] if negated else list(dict.fromkeys(chosen))
    # Of the characters of a word its letters and digits are the ones that look like one.
    plain = [one for one in found if one.isalnum()]
    if not found:
        raise _NotUnderstood
    return "".join(plain or found)
