"""What columns of a row tell of each other by their names, where no CHECK does: totals, ages, moments beside flags."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from . import meanings, vocabulary
from .blocks import Fill, Lazily, Rows, Source
from .fields import Field, choice, names_of, scale_of
from .names import PersonNames, in_ascii
from .numbering import Column, Context
from .outcomes import LOCALE, expand, pick
from .reading import Bounds, widest
from .types import DECIMAL, NUMBER, is_text, length_of, plain_type
from .vocabulary import in_order, words_of

Beside = Mapping[str, Column]  # the other columns of a row that are filled, by the words that their names are made of

_QUANTITIES = in_order(
    "quantity quantity_ordered order_quantity ordered_quantity units units_sold pieces nights days hours hours_worked"
)
_PRICES = in_order(
    "unit_price price_each price_per_unit item_price sale_price unit_cost price cost room_rate nightly_rate daily_rate "
    "hourly_rate price_per_night price_per_day price_per_hour rate_per_night rate_per_day rate_per_hour"
)
_NETS = in_order("subtotal net_amount net_total total_net amount_net net net_price items_total amount")
_TAXES = in_order("tax_amount vat_amount tax_total total_tax sales_tax tax vat")
_TAX_RATES = in_order("tax_rate vat_rate tax_percent vat_percent")
_SHIPPINGS = in_order("shipping_cost shipping_fee shipping_amount shipping_total shipping delivery_fee freight")
_DISCOUNTS = in_order("discount_amount discount_total total_discount amount_discount discount")
_DISCOUNT_RATES = in_order("discount_percent discount_rate discount")
_TOTALS = in_order(
    "total total_amount amount_total grand_total total_price price_total gross_amount gross_total total_gross gross "
    "line_total total_cost extended_price line_amount line_price total_due"
)
_USUAL_TAX = Decimal("0.2")  # of the amount, where no rate is beside it
_MOST_OFF = 31  # percent less than so many, where no rate is beside a discount
_LARGEST = 10**15  # of what is told: with the digits after the point, no more than Python counts in
_SMALL = 3  # digits before the point: a discount with more is an amount, and no share

_OF_DAYS = vocabulary.words(
    "days nights total number of duration in count requested rental leave stay length loan billed booked"
)
_STARTS = vocabulary.words(
    "start starts started begin begins from in checkin depart departs departed departure admission admitted open "
    "opened borrowed loaned loan rented rental"
)
_UNITS = {
    **dict.fromkeys(("hours", "hour", "hrs"), timedelta(hours=1)),
    **dict.fromkeys(("minutes", "minute", "mins", "min"), timedelta(minutes=1)),
    **dict.fromkeys(("seconds", "second", "secs", "sec"), timedelta(seconds=1)),
    **dict.fromkeys(("milliseconds", "millis", "ms"), timedelta(milliseconds=1)),
}
_WHILES = vocabulary.words("duration elapsed runtime run time took length total in session call execution processing")

_AGES = in_order("age age_years current_age")
_THINGS = in_order("title name headline subject label")
_BODIES = in_order("body content text")
_FILES = in_order("filename file_name original_filename original_name name")

_MIME_TYPES = {  # of each end of a name that Faker has: those that Python knows differ between its versions
    end: f"{kind}/{name or end}"
    for kind, ends in {
        "audio": "flac mp3:mpeg wav:x-wav",
        "image": "bmp gif jpeg jpg:jpeg png tiff",
        "video": "avi:x-msvideo mov:quicktime mp4 webm",
        "text": "css csv html js:javascript txt:plain",
        "application": "json pdf doc:msword xls:vnd.ms-excel ppt:vnd.ms-powerpoint "
        "docx:vnd.openxmlformats-officedocument.wordprocessingml.document "
        "xlsx:vnd.openxmlformats-officedocument.spreadsheetml.sheet "
        "pptx:vnd.openxmlformats-officedocument.presentationml.presentation "
        "odt:vnd.oasis.opendocument.text ods:vnd.oasis.opendocument.spreadsheet "
        "odp:vnd.oasis.opendocument.presentation pages:vnd.apple.pages numbers:vnd.apple.numbers key:vnd.apple.keynote",
    }.items()
    for end, _, name in (one.partition(":") for one in ends.split())
}

_CALENDAR = in_order("date full_date calendar_date date_actual the_date date_value date_day day_date")
_PARTS: dict[str, tuple[Callable[[date], Any], Callable[[date], str]]] = {  # as a number, and as a text
    "year": (lambda day: day.year, lambda day: f"{day:%Y}"),
    "quarter": (lambda day: (day.month + 2) // 3, lambda day: f"Q{(day.month + 2) // 3}"),
    "month": (lambda day: day.month, lambda day: f"{day:%B}"),
    "week": (lambda day: day.isocalendar().week, lambda day: f"{day.isocalendar().week:02}"),
    "day": (lambda day: day.day, lambda day: f"{day:%d}"),
    "weekday": (lambda day: day.isoweekday(), lambda day: f"{day:%A}"),
    "day_of_year": (lambda day: day.timetuple().tm_yday, lambda day: f"{day:%j}"),
    "weekend": (lambda day: day.isoweekday() in (6, 7), lambda day: "Y" if day.isoweekday() in (6, 7) else "N"),
}
_PART_NAMES = vocabulary.by_word(
    [
        ("year year_number calendar_year", "year"),
        ("quarter quarter_number quarter_name quarter_of_year", "quarter"),
        ("month month_number month_name month_of_year", "month"),
        ("week week_number week_of_year iso_week", "week"),
        ("day day_number day_of_month", "day"),
        ("weekday day_of_week day_name weekday_name", "weekday"),
        ("day_of_year", "day_of_year"),
        ("weekend is_weekend", "weekend"),
    ]
)

# What is known of a moment by its name: how flags and states say that it has been, beside that word itself.
_EVENTS = {
    word: vocabulary.words(f"{alike} {more}")
    for alike, more in (
        ("deleted deletion", "removed"), ("archived archive", ""), ("approved approval", "accepted"),
        ("rejected rejection declined", ""), ("cancelled canceled cancellation", ""),
        ("published publication", "live public"), ("paid payment", ""), ("shipped shipment", "sent"), ("sent", ""),
        ("delivered delivery", ""), ("completed completion complete done resolved resolution closed",
        "finished succeeded success"), ("finished ended", "completed complete done succeeded success failed closed"),
        ("refunded refund", ""), ("verified verification", ""), ("confirmed confirmation", ""),
        ("activated activation", "active enabled"), ("suspended suspension", ""), ("banned blocked", ""),
        ("started", "running in_progress failed"), ("expired", ""), ("read", ""), ("failed", ""), ("revoked", ""),
        ("locked", ""), ("processed", ""), ("submitted submission", ""), ("returned", ""), ("terminated", ""),
        ("disabled deactivated", ""), ("withdrawn", ""), ("escalated", ""), ("reviewed", ""), ("signed", ""),
        ("exported", ""), ("notified", ""), ("discontinued", ""), ("voided", ""), ("redeemed", ""), ("used", ""),
        ("acknowledged", ""), ("retired", ""), ("hidden", ""), ("featured", ""), ("accepted", ""), ("invited", ""),
        ("paused pause", ""),
    )
    for word in alike.split()
}  # fmt: skip
# What has ended where a row is no longer active.
_ENDED = vocabulary.words(
    "closed close exit ended end left resigned terminated termination deactivated disabled discontinued cancelled "
    "canceled retired"
)
# How far something has come by its state; what was broken off is nowhere on that way.
_PROGRESS = vocabulary.by_word(
    (several, place)
    for place, several in enumerate(
        (
            "draft new pending open queued created planned scheduled", "submitted requested placed todo",
            "approved accepted confirmed reviewed", "paid processing in_progress active running started published live",
            "packed shipped sent in_transit", "out_for_delivery", "delivered", "returned refunded",
            "completed complete finished done succeeded success resolved", "closed", "archived",
        )
    )
)  # fmt: skip
_SAYING_YES = vocabulary.words("is has was")
_WHEN = vocabulary.words("at on date time datetime timestamp by id user reason")


@dataclass(frozen=True)
class Telling:
    """What tells a column's value: others of its row, and a function of what is drawn for it anyway and of these.

    Where the function returns None, or what the column cannot hold, what was drawn stays.
    """

    sources: tuple[str, ...]
    shown: str
    tell: Callable[..., Any]
    before: str = ""  # what a number comes behind, where none of these texts may repeat; nothing of any others
    is_end: bool = False  # whether it is later than the first of its sources


class told(Field):
    """What other columns of the row tell; where they do not, as where one of them is NULL, what is there otherwise."""

    def __init__(self, said: Telling, otherwise: Field, bounds: Bounds) -> None:
        self.said, self.otherwise, self.bounds, self.before = said, otherwise, bounds, said.before
        self.description = said.shown

    def ready(self, context: Context, column: Column) -> Fill:
        fill, tell, fitted = self.otherwise.ready(context, column), self.said.tell, _fitted(column, self.bounds)

        def fill_told(rows: Rows) -> Sequence[Any]:
            beside = zip(fill(rows), *(rows[name] for name in self.said.sources), strict=True)
            found = ((row[0], fitted(tell(*row))) for row in beside)
            return Lazily((drawn if value is None else value for drawn, value in found), len(rows))

        return fill_told

    def looks_at(self) -> Iterable[str]:
        return self.said.sources


def telling(column: Column, filled: Sequence[Column]) -> Telling | None:
    """Return what tells a column's value, of the columns of its row that are filled; None where nothing does."""
    beside = {words_of(one.name): one for one in reversed(filled) if one is not column}
    found = (rule(column, beside) for rule in _RULES)
    return next((one for one in found if one is not None), None)


def _fitted(column: Column, bounds: Bounds) -> Callable[[Any], Any]:
    """Return what makes a value one that a column can hold, and None of any that it cannot."""
    kind: Any = plain_type(column)
    if isinstance(kind, sa.String):
        longest = length_of(column) or math.inf
        return lambda value: value if value and len(value) <= longest else None
    if not isinstance(kind, NUMBER):
        return lambda value: value
    least, most = widest(column)
    low = least if bounds.low is None else max(least, bounds.low)
    high = most if bounds.high is None else min(most, bounds.high)
    places = Decimal(1) if isinstance(kind, sa.Integer) else Decimal(1).scaleb(-scale_of(column))
    as_type: Callable[[Any], Any] = int if isinstance(kind, sa.Integer) else Decimal if kind.asdecimal else float

    def fitted(value: Any) -> Any:
        if value is None or abs(value) > _LARGEST:
            return None
        made = Decimal(value).quantize(places, ROUND_HALF_UP)
        return as_type(made) if low <= made <= high and made not in bounds.excluded else None

    return fitted


def _first(beside: Beside, names: Sequence[str], kinds: Any) -> Column | None:
    return next((beside[one] for one in names if one in beside and isinstance(plain_type(beside[one]), kinds)), None)


def _own_name(column: Column) -> str:
    """Return the name of a column without that of its table before it: total for order_total."""
    return words_of(column.name).removeprefix(f"{words_of(column.table.name).removesuffix('s')}_")


# Amounts


def _net(column: Column, beside: Beside) -> Telling | None:
    """Tell an amount before taxes of what was bought."""
    goods = _goods(beside, ()) if _is_number(column) and _own_name(column) in _NETS else []
    return _product(goods) if goods else None


def _part(column: Column, beside: Beside) -> Telling | None:
    """Tell a tax, or what is taken off, of the amount that it is a part of."""
    is_off, goods = _is_amount_off(column), _goods(beside, _NETS)
    if not goods or not _is_number(column) or not (is_off or _own_name(column) in _TAXES):
        return None
    rate = _first(beside, _DISCOUNT_RATES if is_off else _TAX_RATES, NUMBER)
    if rate is not None:
        return _product([*goods, rate], _of_one(rate))
    part = _product(goods, _USUAL_TAX)
    if is_off:
        off = _of_decimals(lambda drawn, *factors: math.prod(factors) * (drawn % _MOST_OFF) / 100, len(goods))
        part = replace(part, tell=off)
    return replace(part, shown=f"a part of {_product(goods).shown}")


def _total(column: Column, beside: Beside) -> Telling | None:
    """Tell a total of the amount before taxes, or of what was bought, and of taxes, shipping and discounts."""
    goods = _goods(beside, _NETS)
    if not goods or not _is_number(column) or _own_name(column) not in _TOTALS:
        return None
    off = _first({name: one for name, one in beside.items() if _is_amount_off(one)}, _DISCOUNTS, NUMBER)
    less = _first(beside, _DISCOUNT_RATES, NUMBER) if off is None else None
    tax = _first(beside, _TAXES, NUMBER)
    more = _first(beside, _TAX_RATES, NUMBER) if tax is None else None
    shipping = _first(beside, _SHIPPINGS, NUMBER)
    shares = [(sign * _of_one(one), one) for sign, one in ((-1, less), (1, more)) if one is not None]
    addends = [(Decimal(sign), one) for sign, one in ((-1, off), (1, tax), (1, shipping)) if one is not None]

    def tell(_: Decimal, *values: Any) -> Any:
        """Return the total; of NULL, which no factor may be, there is nothing to add."""
        factors, rest = values[: len(goods)], [one or 0 for one in values[len(goods) :]]
        amount = math.prod(factors)
        for (share, _column), rate in zip(shares, rest, strict=False):
            amount *= 1 + share * rate
        return amount + sum(sign * one for (sign, _column), one in zip(addends, rest[len(shares) :], strict=True))

    parts = [*shares, *addends]
    shown = [_product(goods).shown, *(f"{'-' if sign < 0 else '+'} {one.name}" for sign, one in parts)]
    names = tuple(one.name for one in (*goods, *(one for _, one in parts)))
    return Telling(names, " ".join(shown), _of_decimals(tell, len(goods)))


def _goods(beside: Beside, nets: Sequence[str]) -> list[Column]:
    """Return what an amount before taxes is the product of: itself, or a quantity and a price."""
    if (net := _first(beside, nets, NUMBER)) is not None:
        return [net]
    quantity, price = _first(beside, _QUANTITIES, NUMBER), _first(beside, _PRICES, NUMBER)
    return [quantity, price] if quantity is not None and price is not None else []


def _product(factors: Sequence[Column], times: Decimal = Decimal(1)) -> Telling:
    names = tuple(one.name for one in factors)
    return Telling(names, " * ".join(names), _of_decimals(lambda _, *values: math.prod(values) * times, len(names)))


def _of_decimals(tell: Callable[..., Any], factors: int) -> Callable[..., Any]:
    """Return a function of decimal numbers for one of what is drawn and of numbers; None where a factor is NULL."""

    def told_of(*values: Any) -> Any:
        if None in values[: factors + 1]:
            return None
        return tell(*(one if one is None or isinstance(one, Decimal) else Decimal(str(one)) for one in values))

    return told_of


def _is_number(column: Column) -> bool:
    return isinstance(plain_type(column), NUMBER)


def _is_amount_off(column: Column) -> bool:
    """Return whether a discount is one in money, and not a share."""
    kind: Any = plain_type(column)
    if _own_name(column) not in _DISCOUNTS or not isinstance(kind, NUMBER):
        return False
    if _own_name(column) != "discount":
        return True
    return isinstance(kind, DECIMAL) and (kind.precision or 0) - scale_of(column) > _SMALL


def _of_one(rate: Column) -> Decimal:
    """Return what makes a share of a rate, which may be one in percent."""
    return Decimal(1) if meanings.is_part_of_one(rate) else Decimal("0.01")


# Days and whiles


def _days(column: Column, beside: Beside) -> Telling | None:
    """Tell how many days, or nights, there are between two days."""
    words = {*_own_name(column).split("_")}
    if not _is_number(column) or not words & {"days", "nights"} or not words <= _OF_DAYS:
        return None
    pairs = ((start, end) for end in beside.values() for start in _starts(end, beside))
    found = next(pairs, None)
    if found is None:
        return None
    first, last = found
    least = 0 if "nights" in words else 1

    def tell(_: Any, start: Any, end: Any) -> int | None:
        return None if start is None or end is None else max(least, (_day(end) - _day(start)).days)

    return Telling((first.name, last.name), f"{last.name} - {first.name}", tell)


def _end(column: Column, beside: Beside) -> Telling | None:
    """Tell when something ended of when it began and how long it took."""
    kind = plain_type(column)
    start = next(_starts(column, beside), None) if isinstance(kind, sa.DateTime) else None
    if start is None or getattr(plain_type(start), "timezone", None) != kind.timezone:  # type: ignore[attr-defined]  # a DateTime
        return None
    for name, took in beside.items():
        *before, unit = name.split("_")
        is_interval = isinstance(plain_type(took), sa.Interval) and {*before, unit} <= _WHILES
        if not is_interval and not (unit in _UNITS and before and {*before} <= _WHILES and _is_number(took)):
            continue
        step = timedelta(seconds=1) if is_interval else _UNITS[unit]

        def tell(_: Any, begun: Any, took: Any, step: timedelta = step) -> Any:
            if begun is None or took is None or not took > type(took)(0):
                return None
            return begun + (took if isinstance(took, timedelta) else float(took) * step)

        return Telling((start.name, took.name), f"{start.name} + {took.name}", tell, is_end=True)
    return None


def _starts(end: Column, beside: Beside) -> Iterator[Column]:
    """Yield the days or moments from which something takes that ends then."""
    if isinstance(plain_type(end), sa.Date | sa.DateTime):
        for first, _, _ in meanings.come_before(end):
            if _STARTS & {*words_of(first.name).split("_")} and beside.get(words_of(first.name)) is first:
                yield first


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _age(column: Column, beside: Beside) -> Telling | None:
    """Tell an age of the day of birth."""
    born = _first(beside, ["birth_date"], sa.Date | sa.DateTime)
    if _own_name(column) not in _AGES or born is None or not _is_number(column):
        return None

    def tell(_: Any, born: date | None) -> int | None:
        if born is None:
            return None
        today = meanings.TODAY
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    return Telling((born.name,), f"the years since {born.name}", tell)


def _born(column: Column, beside: Beside) -> Telling | None:
    """Tell a day of birth of an age, which may have bounds of its own: the year of what is drawn changes."""
    age = _first(beside, _AGES, NUMBER)
    if words_of(column.name) != "birth_date" or age is None or not isinstance(plain_type(column), sa.Date):
        return None

    def tell(drawn: date, age: Any) -> date | None:
        if age is None or not 0 <= age < meanings.TODAY.year - 1:
            return None
        is_to_come = (drawn.month, drawn.day) > (meanings.TODAY.month, meanings.TODAY.day)
        return drawn.replace(year=meanings.TODAY.year - int(age) - is_to_come, day=min(drawn.day, 28))

    return Telling((age.name,), f"{age.name} years ago", tell)


def _part_of_day(column: Column, beside: Beside) -> Telling | None:
    """Tell the parts of a day in a table of days, as of a calendar."""
    day, part = _first(beside, _CALENDAR, sa.Date | sa.DateTime), _PART_NAMES.get(words_of(column.name))
    if day is None or part is None or not isinstance(plain_type(column), (*NUMBER, sa.String, sa.Boolean)):
        return None
    as_number, as_text = _PARTS[part]
    kind = plain_type(column)
    make = as_text if isinstance(kind, sa.String) else as_number
    if isinstance(kind, sa.String) and (length_of(column) or math.inf) < len("September"):
        make = lambda day: as_text(day)[:3]  # noqa: E731  # Jan, Mon
    return Telling((day.name,), f"the {part} of {day.name}", lambda _, day: None if day is None else make(day))


# Texts


def _slug(column: Column, beside: Beside) -> Telling | None:
    """Tell what a thing is called in addresses of what it is called."""
    if _own_name(column) not in ("slug", "permalink", "url_slug") or not is_text(column):
        return None
    thing = next((beside[name] for name in _THINGS if name in beside and _is_of_thing(beside[name])), None)
    if thing is None:
        return None
    longest = length_of(column) or 100

    def tell(_: Any, text: Any) -> str | None:
        return re.sub(r"[^a-z0-9]+", "-", in_ascii(text).lower())[:longest].strip("-") if text else None

    return Telling((thing.name,), f"{thing.name} in small letters", tell, "-")


def _is_of_thing(column: Column) -> bool:
    """Return whether a column says what a thing is called, and not that a person is a Mr or a Ms."""
    return is_text(column) and "prefix" not in meanings.texts(column).providers


def _of_file(column: Column, beside: Beside) -> Telling | None:
    """Tell what a file is by its name."""
    file, said = _first(beside, _FILES, sa.String), meanings.texts(column).providers if is_text(column) else ()
    if file is None or not {"file_extension", "mime_type"} & {*said}:
        return None
    if "mime_type" in said:
        return Telling((file.name,), f"the type of {file.name}", lambda _, name: _MIME_TYPES.get(_end_of(name)))
    return Telling((file.name,), f"the end of {file.name}", lambda _, name: _end_of(name))


def _end_of(name: str | None) -> str:
    return name.rpartition(".")[2] if name and "." in name else ""


def _words(column: Column, beside: Beside) -> Telling | None:
    """Tell how many words a text has."""
    body = _first(beside, _BODIES, sa.String)
    if body is None or not _is_number(column) or _own_name(column) not in ("word_count", "words", "number_of_words"):
        return None
    return Telling((body.name,), f"the words of {body.name}", lambda _, text: len(text.split()) if text else None)


_RULES = [_net, _part, _total, _days, _end, _age, _born, _part_of_day, _slug, _words, _of_file]


# What people are called


class gender(Field):
    """What is said of a person's gender, as the first name has it; of few something else."""

    def __init__(self, options: Sequence[Any], name: str) -> None:
        """Take the words that there are, and the column of the name."""
        self.options, self.name = options, name
        self.description = f"{choice(*options).description}, as {name} has it"

    def ready(self, context: Context, column: Column) -> Fill:
        said = {option: _sex_said(option) for option in self.options}
        of_sex = {sex: option for option, sex in said.items() if sex}
        table = expand(self.options, [_USUAL if said[option] else 1 for option in self.options])
        sexes = _sexes(context.source)

        def fill(rows: Rows) -> list[Any]:
            drawn = pick(table, rows.random, len(rows))
            return [
                of_sex.get(_sex_of(name, sexes), one) if said[one] else one
                for one, name in zip(drawn, rows[self.name], strict=True)
            ]

        return fill

    def looks_at(self) -> Iterable[str]:
        return (self.name,)

    def values(self) -> Sequence[Any] | None:
        return self.options


class honorific(Field):
    """Mr or Ms, as the row's gender, or else the first name, has it."""

    def __init__(self, name: str, gender: str = "") -> None:
        """Take the column of the name, and that of the gender where there is one."""
        self.name, self.gender = name, gender
        self.description = f"Faker prefix, as {gender or name} has it"

    def ready(self, context: Context, column: Column) -> Fill:
        names, usual = names_of(context.source), PersonNames(LOCALE)
        parts = {sex: f"prefix_{sex}" if sex else "prefix" for sex in ("female", "male", "")}
        has_none = not column.nullable and not any(names.texts("prefix"))
        tables = {sex: (usual if has_none else names).table(part) for sex, part in parts.items()}
        sexes, room = _sexes(context.source), length_of(column)
        none = None if column.nullable else ""  # many locales have no such words

        def fill(rows: Rows) -> list[str | None]:
            drawn = {sex: pick(table, rows.random, len(rows)) for sex, table in tables.items()}
            said = rows[self.gender or self.name]
            told = [_sex_said(one) if self.gender else _sex_of(one, sexes) for one in said]
            return [drawn[sex][row][:room] or none for row, sex in enumerate(told)]

        return fill

    def looks_at(self) -> Iterable[str]:
        return (self.gender or self.name,)


class full_name(Field):
    """The first and the last name, in the order and with the sign between them that the locale has."""

    before = " "

    def __init__(self, first: str, last: str, otherwise: Field) -> None:
        """Take their columns, and what is there where there is no room for both."""
        self.first, self.last, self.otherwise = first, last, otherwise
        self.description = f"{first} and {last}"

    def ready(self, context: Context, column: Column) -> Fill:
        fill, room = self.otherwise.ready(context, column), length_of(column) or math.inf
        is_last_first, between = names_of(context.source).order

        def fill_whole(rows: Rows) -> list[Any]:
            pairs = zip(*(rows[one] for one in self.looks_at()), strict=True)
            whole = (between.join(filter(None, pair[::-1] if is_last_first else pair)) for pair in pairs)
            return [one if one and len(one) <= room else other for one, other in zip(whole, fill(rows), strict=True)]

        return fill_whole

    def looks_at(self) -> Iterable[str]:
        return self.first, self.last


def names_for(column: Column, filled: Sequence[Column]) -> tuple[str, str] | None:
    """Return the columns that a full name is put together from, where the column is called one."""
    beside = {words_of(one.name): one.name for one in filled if is_text(one)}
    is_whole = is_text(column) and words_of(column.name) in ("full_name", "display_name", "name")
    return (
        (beside["first_name"], beside["last_name"]) if is_whole and {"first_name", "last_name"} <= {*beside} else None
    )


def sexes_can_be_told(options: Sequence[Any]) -> bool:
    """Return whether some words say of people that they are women, or men."""
    return {"female", "male"} <= {*map(_sex_said, options)}


_USUAL = 12  # times as likely as what is neither


def _sex_said(option: Any) -> str:
    word = _word(option)
    return "female" if word in ("f", "w", "female", "woman") else "male" if word in ("m", "male", "man") else ""


def _sex_of(name: str | None, sexes: Mapping[str, str]) -> str:
    return next((sexes[word] for word in (name or "").split() if word in sexes), "")


def _sexes(source: Source) -> Mapping[str, str]:
    """Return which first names of a locale are those of women, and which of men, where they are of one of them only."""

    def make() -> Mapping[str, str]:
        female, male = ({*names_of(source).texts(f"first_name_{sex}")} for sex in ("female", "male"))
        return {**dict.fromkeys(female - male, "female"), **dict.fromkeys(male - female, "male")}

    return source.once("sexes", make)


# What has happened


@dataclass(frozen=True)
class Event:
    """What says of a row whether something has happened: a flag or a state, and its values where it has.

    Without values it is a column that is there when it has.
    """

    column: Column
    values: tuple[Any, ...] = ()

    def has_come(self, values: Collection[Any]) -> bool:
        """Return whether it may have where the column holds one of some values, or one of their names."""
        names = {*filter(None, map(_word, self.values))}
        return not self.values or any(one in self.values or _word(one) in names for one in values)


def happened(column: Column, others: Sequence[Column], values_of: Callable[[Column], Sequence[Any]]) -> Event | None:
    """Return what says whether that has happened of which a column says when, or by whom; None where nothing does.

    Args:
        values_of: returns all that a state can be, where these are a few.
    """
    if _is_flag(column):
        return None
    *of_what, word = _rest(column, _WHEN)
    words = _EVENTS.get(word, frozenset({word} if word in _ENDED else ()))
    for one in others if words else ():
        if not _is_flag(one):
            continue
        *of_flag, flag = _rest(one, _SAYING_YES)
        is_number = isinstance(plain_type(one), sa.Integer)
        if of_flag == of_what and flag in words:
            return Event(one, (1 if is_number else True,))
        if not of_what and word in _ENDED and flag in ("active", "enabled", "open"):
            return Event(one, (0 if is_number else False,))
    for one in others if words and not of_what else ():
        if words_of(one.name).rpartition("_")[2] in ("status", "state", "stage"):
            values = [value for value in values_of(one) if value is not None]
            if any(_word(value) in words for value in values):
                return Event(one, tuple(_reached(values, words)))
    is_by = {"by", "reason"} & {*words_of(column.name).split("_")}
    for one in others if words and is_by else ():
        *of_moment, happening = _rest(one, _WHEN)
        is_moment = isinstance(plain_type(one), sa.Date | sa.DateTime) and one.nullable
        if is_moment and of_moment == of_what and happening in words:
            return Event(one)
    return None


def _rest(column: Column, left_out: Collection[str]) -> list[str]:
    """Return the words of a column's name without some, one at least."""
    return [word for word in words_of(column.name).split("_") if word not in left_out] or [""]


def _is_flag(column: Column) -> bool:
    """Return whether a column says yes or no: a boolean, or a whole number that is by its name 0 or 1."""
    kind = plain_type(column)
    return isinstance(kind, sa.Boolean) or (isinstance(kind, sa.Integer) and meanings.numbers(column) == (0, 1))


def _reached(values: Sequence[Any], words: Collection[str]) -> Iterator[Any]:
    """Yield the states in which something has happened: those that say it, and those that come after it."""
    places = [_PROGRESS[one] for one in map(_word, values) if one in words and one in _PROGRESS]
    for value in values:
        if _word(value) in words or (places and _PROGRESS.get(_word(value), -1) > min(places)):
            yield value


def _word(value: Any) -> str:
    """Return a word of a list, as names of columns are written."""
    said = getattr(value, "value", value)
    return re.sub(r"\W+", "_", said if isinstance(said, str) else getattr(value, "name", "")).lower()
