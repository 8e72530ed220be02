"""Columns that a CHECK adds up: the room there is, shared out so that the sum is kept to whatever each holds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa

from .fields import Formula, terms_of
from .numbering import Column
from .reading import Bounds, Found, Sum, step_of, waits_for, widest
from .types import plain_type


def let_rates_be(found: Found) -> None:
    """Let a few rates be what they are, as of a tax, where a product with one is rounded: the other is whole."""
    for bounds in found.values():
        if not isinstance(bounds.formula, tuple) or bounds.formula[0] != "round":
            continue
        terms = [found[name] for name in terms_of(bounds.formula) if name in found]
        rates = [one for one in terms if one.options and any(rate % 1 for rate in one.options)]
        for one in terms if len(rates) == 1 else ():
            one.parts = 0 if one is rates[0] else 1


def make_room_for_sums(found: Found, table: sa.Table) -> None:
    """Let a sum that a column is above leave it some room, and one that it is below reach its lowest value."""
    for bounds in list(found.values()):
        for end, comparisons, is_least in ((bounds.high, bounds.after, False), (bounds.low, bounds.within, True)):
            for formula, steps in comparisons if end is not None else ():
                names = _added(formula)
                if len({*names}) == len(names) > 1:
                    reached = Decimal(end) - steps * min(Decimal(step_of(table.columns[name])) for name in names)
                    total = Sum(names, low=reached) if is_least else Sum(names, high=reached)
                    found[names[0]].sums.append(total)


def _added(formula: Formula) -> tuple[str, ...]:
    """Return the columns that are added up; none where it is more than that."""
    if isinstance(formula, str):
        return (formula,)
    if not isinstance(formula, tuple) or formula[0] != "+":
        return ()
    left, right = _added(formula[1]), _added(formula[2])
    return left + right if left and right else ()


def share_out(found: Found, table: sa.Table) -> None:
    """Give each column of a sum its part of the room there is; where the sum is given, the last one is the rest."""
    sums = [one for bounds in found.values() for one in bounds.sums]
    for names in dict.fromkeys(one.names for one in sums):
        low = max((one.low for one in sums if one.names == names and one.low is not None), default=None)
        high = min((one.high for one in sums if one.names == names and one.high is not None), default=None)
        parts = [_Part(table.columns[name], found[name]) for name in names]
        if any(part.bounds.formula is not None or part.bounds.same or part.bounds.multiple > 1 for part in parts):
            continue
        if low is not None and low == high:
            _give_the_rest(found, parts, low)
        else:
            _give_room(parts, low, high)


def _give_the_rest(found: Found, parts: list[_Part], total: Decimal) -> None:
    *others, rest = parts
    bounds = rest.bounds
    waiting = any(waits_for(found, one.column.name, rest.column.name) for one in others)
    tied = bounds.options is not None or bounds.after or bounds.within or bounds.unequal or bounds.excluded
    coarse = not isinstance(plain_type(rest.column), sa.Float) and any(one.step < rest.step for one in others)
    # Of other sums than of halves and so on a database without decimal numbers computes a little too much.
    if waiting or tied or coarse or total % (1 if rest.step == 1 else Decimal("0.5")):
        return
    if not _give_room(others, total - rest.high, total - rest.low):
        return
    formula: Formula = total
    for one in others:
        formula = ("-", formula, one.column.name)
        one.bounds.parts = one.bounds.parts or 64
        one.bounds.never_null = one.bounds.never_null or not rest.column.nullable
    bounds.formula = formula


def _give_room(parts: list[_Part], low: Decimal | None, high: Decimal | None) -> bool:
    """Narrow columns so that whatever each of them holds, they amount to what they have to; return whether they can."""
    least, most = [part.low for part in parts], [part.high for part in parts]
    if high is not None:
        given = _split(high - sum(least), [part.high - part.low for part in parts], [part.step for part in parts])
        most = [part.rounded(lowest + more) for part, lowest, more in zip(parts, least, given, strict=True)]
        if any(one % _QUARTER for one in most):  # added up as floats, these may be a little too much
            widest_part = max(range(len(parts)), key=lambda place: most[place] - least[place])
            most[widest_part] -= parts[widest_part].step
    if low is not None and low > sum(least):
        room = [highest - lowest for highest, lowest in zip(most, least, strict=True)]
        given = _split(low - sum(least), room, [part.step for part in parts])
        least = [lowest + more for lowest, more in zip(least, given, strict=True)]
    too_little, too_much = low is not None and sum(least) < low, high is not None and sum(most) > high
    if too_little or too_much or any(lowest > highest for lowest, highest in zip(least, most, strict=True)):
        return False
    for part, lowest, highest in zip(parts, least, most, strict=True):
        part.limit(lowest, highest if high is not None else None)
    return True


def _split(amount: Decimal, room: Sequence[Decimal], steps: Sequence[Decimal]) -> list[Decimal]:
    """Return an amount in parts that are as even as their room and their steps allow; what is left over is the first's.

    All parts are nothing where there is less than that to split.
    """
    parts = [Decimal(0)] * len(room)
    for count, place in enumerate(sorted(range(len(room)), key=lambda place: (room[place], -place))):
        even = max(amount - sum(parts), Decimal(0)) / (len(room) - count)
        parts[place] = min(room[place], even // steps[place] * steps[place])
    return parts


class _Part:
    """A column of a sum."""

    def __init__(self, column: Column, bounds: Bounds) -> None:
        self.column, self.bounds, self.step = column, bounds, Decimal(step_of(column))
        options = bounds.options or [None]
        low, high = (min(options), max(options)) if bounds.options else (bounds.low, bounds.high)
        self.low = Decimal(low if low is not None else 0)
        self.high = max(self.low, Decimal(high if high is not None else widest(column)[1]))

    def rounded(self, value: Decimal) -> Decimal:
        """Return a number of which all databases compute the same sums, or the same one where there is none below."""
        whole = value // _QUARTER * _QUARTER
        return whole if whole > self.low and self.bounds.options is None else value

    def limit(self, low: Decimal, high: Decimal | None) -> None:
        number = int if isinstance(plain_type(self.column), sa.Integer) else Decimal
        self.bounds.low = number(low)
        self.bounds.high = number(high) if high is not None else self.bounds.high


_QUARTER = Decimal("0.25")
