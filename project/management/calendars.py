"""Days and moments of which a CHECK names a part: the first of a month, a working day, an hour of the day."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

# CURRENT_DATE in a CHECK is the day on which the row is stored: what counts as today here is kept well away from it.
PAST, FUTURE = date(2025, 9, 1), date(2100, 1, 1)

# Parts of a day, as databases count them.
PARTS: dict[str, Callable[[date], int]] = {
    "year": lambda day: day.year,
    "quarter": lambda day: (day.month + 2) // 3,
    "month": lambda day: day.month,
    "day": lambda day: day.day,
    "dow": lambda day: day.isoweekday() % 7,
    "isodow": date.isoweekday,
    "dayofweek": lambda day: day.isoweekday() % 7 + 1,
    "weekday": date.weekday,
}
_CLOCK = {"hour": 24, "minute": 60}
MOST = 60  # there is of any part but the year
_NAMES = {"dayofmonth": "day", "%y": "year", "%m": "month", "%d": "day", "%w": "dow", "%h": "hour"}
_MIDNIGHT = {"hour": [0], "minute": [0]}
# What the parts are where something begins.
STARTS: dict[str, dict[str, list[int]]] = {
    "year": {"month": [1], "day": [1], **_MIDNIGHT},
    "quarter": {"month": [1, 4, 7, 10], "day": [1], **_MIDNIGHT},
    "month": {"day": [1], **_MIDNIGHT},
    "week": {"isodow": [1], **_MIDNIGHT},
    "day": _MIDNIGHT,
    "hour": {"minute": [0]},
    "minute": {"minute": [*range(60)]},
}
MOMENTS = 10_000  # that stand for all in which rows may lie


def part_of(node: Any) -> tuple[str, Any] | None:
    """Return the part of a day that an expression takes, or "start of" one, and what it takes it of."""
    from sqlglot import exp

    if isinstance(node, exp.Extract):
        what, inner = _said(node.this), node.expression
    elif isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        what, inner = f"start of {_said(node.args['unit'])}", node.this
    elif isinstance(node, exp.Date) and node.args.get("zone") is not None:  # a modifier of SQLite
        what, inner = _said(node.args["zone"]), node.this
    elif isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "strftime") and node.expressions[1:]:
        what, inner = _said(node.expressions[0]), node.expressions[1]
    elif isinstance(node, exp.Anonymous) and node.name.lower() == "weekday" and node.expressions:
        what, inner = "weekday", node.expressions[0]
    else:
        what, inner = type(node).__name__.lower(), node.this
    what = _NAMES.get(what, what)
    if what not in PARTS and what not in _CLOCK and what.removeprefix("start of ") not in STARTS:
        return None
    return what, inner.this if isinstance(inner, exp.TsOrDsToDate) else inner


def _said(node: Any) -> str:
    from sqlglot import exp

    said = node.find(exp.Literal, exp.Var)
    return said.name.lower() if said is not None else ""


def part_in(what: str, day: Any) -> Any:
    """Return a part of a day, a moment or a time, or what is the "start of" one."""
    if isinstance(day, str):
        day = datetime.fromisoformat(day)
    if what in _CLOCK:
        return getattr(day, what, 0)  # a day begins at midnight
    if what in PARTS:
        return PARTS[what](day)
    starts = STARTS[what.removeprefix("start of ")]
    if isinstance(day, datetime):
        hour, minute = (0 if starts.get(name) == [0] else getattr(day, name) for name in _CLOCK)
        day = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if "isodow" in starts:
        return day - timedelta(days=day.weekday())
    month = max((one for one in starts.get("month", ()) if one <= day.month), default=day.month)
    return day.replace(month=month, day=1 if "day" in starts else day.day)


def months_later(day: Any, count: int) -> Any:
    """Return a day or a moment some months later; at the end of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def duration(said: str) -> tuple[int, timedelta] | None:
    """Return how many months a text says, and how long besides; None where it is no duration."""
    said = _HOURS.sub(lambda found: f"{found[1]} hours {found[2]} minutes {found[3] or 0} seconds", said.lower())
    parts = [(int(number), _UNITS.get(unit.rstrip("s"))) for number, unit in re.findall(r"(\d+)\s*([a-z]+)", said)]
    if not re.fullmatch(r"(\s*\d{1,6}\s*[a-z]+)+\s*", said) or any(unit is None for _, unit in parts):
        return None
    known = [(number, unit) for number, unit in parts if unit is not None]
    months = sum(number * unit for number, unit in known if isinstance(unit, int))
    return months, sum((number * unit for number, unit in known if isinstance(unit, timedelta)), timedelta())


_HOURS = re.compile(r"(\d+):(\d\d)(?::(\d\d))?")
_UNITS: dict[str, timedelta | int] = {  # months, or what is as long everywhere
    **dict.fromkeys(("second", "sec"), timedelta(seconds=1)),
    **dict.fromkeys(("minute", "min"), timedelta(minutes=1)),
    **dict.fromkeys(("hour", "hr"), timedelta(hours=1)),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    **dict.fromkeys(("month", "mon"), 1),
    "year": 12,
}


def fitting(kind: sa.types.TypeEngine[Any], low: Any, high: Any, parts: Mapping[str, Collection[int]]) -> list[Any]:
    """Return days, moments or times of a type, from low to high, whose parts are among those that are allowed."""
    hours, minutes = (
        [one for one in range(most) if one in parts.get(name, range(most))] for name, most in _CLOCK.items()
    )
    times = [time(hour, minute) for hour in hours for minute in minutes]
    if isinstance(kind, sa.Time):
        return [one for one in times if low <= one <= high]
    ends = [one.toordinal() for one in (low, high)]
    days = [
        day
        for day in map(date.fromordinal, range(ends[0], ends[1] + 1))
        if all(PARTS[name](day) in allowed for name, allowed in parts.items() if name in PARTS)
    ]
    if not isinstance(kind, sa.DateTime) or not days or not times:
        return days
    zone, few = UTC if kind.timezone else None, min(len(days) * len(times), MOMENTS)
    moments = {datetime.combine(days[one % len(days)], times[one * 677 % len(times)], zone) for one in range(few)}
    return [one for one in sorted(moments) if low <= one <= high]
