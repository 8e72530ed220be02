"""What the names of columns and tables mean: the Faker provider, or the range of numbers, that a name asks for."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from . import vocabulary
from .outcomes import LOCALE, faker_of
from .types import DECIMAL, NUMBER, length_of, plain_type
from .vocabulary import words_of

# Providers that share a name with a column that means something else, or are no single text.
_NOT_PROVIDERS = {
    "format", "json", "binary", "zip", "tar", "image", "seed", "random", "add_provider", "text", "enum", "code", "key",
    "slug_", "status", "type", "kind", "value", "label", "grade", "word", "prefix", "suffix", "bs", "id", "factories",
    "xml", "csv", "dsv", "psv", "tsv", "items", "optional", "unique", "locales", "weights", "pyobject", "date", "time",
    "year", "opera", "safari", "chrome", "firefox", "provider", "parse", "lexify", "numerify", "month",
}  # fmt: skip
# What names of rows are where nothing is said of them.
_NAMELESS = "catch_phrase"
_TITLES = {"book_title", "course_title", "headline", "product_name", "file_name"}
_STAFF = {"employee", "staff", "worker", "contact", "manager"}
UUID_LENGTH = 36
TODAY = date(2026, 9, 1)  # what counts as today
_OF_CODE = {"revision", "commit", "sha", "repository", "repo", "codebase"}
_OF_CITIES = {"city", "postcode"}  # beside these an address is that of a house
_YEARS = {"year", "founded", "established", "built", "vintage"}
_DATED = {"copyright_date", "publication_date"}  # as whole numbers these are years
_COMING = re.compile(r"(^|_)(expir(es|ed?|y|ation)|exp|valid_(until|to|thru|through)|renews|renewal)(_|$)")
# What happens once in a life, or in that of a company; of what else there is a date of the last year is as likely.
_ONCE = vocabulary.words(
    "hire hired join joined joining employed employment founded established foundation married marriage graduated "
    "graduation retired retirement died death deceased release released publication"
)
YEARS = 1970, TODAY.year
_SECONDS = 1_756_684_800, 1_788_220_800  # of the year before today, since 1970
_TWO_YEARS = 63_072_000  # seconds
_WORK = 16 * 365 + 4  # days of a life before one may be hired
_IN_CHAIN = vocabulary.words("previous prev next predecessor successor before after follows precedes prior")
_SHORT_WHILES = vocabulary.words(
    "duration runtime run time length elapsed took break delay lap playtime worked uptime downtime latency session"
)
# What is before `time` where that is a moment: a response_time is none.
_HAPPENING = vocabulary.words(
    "start started end ended begin finish finished create creation created update updated modification modified "
    "last first event access login expiration publication arrival departure due"
)
_WHEN = {"date", "at", "on", "time", "datetime", "timestamp", "day"}
_LENT = "borrowed borrow loaned loan lent issued issue rented rental checkout"
_HIRED = "hire hired join joined employed employment"
# What comes before what, and by how many days at least and at most: of two columns whose names differ in these words,
# or beside these in words for a date only, the second is not the smaller one.
_ORDER: list[tuple[str, str, int, int | None]] = [
    ("birth", f"{_HIRED} married marriage graduated graduation", _WORK, None),
    ("birth", "died death deceased retired retirement", 18 * 365, None),
    (_HIRED, "left termination terminated retired retirement resigned resignation fired end ended", 30, 1500),
    ("created creation create", "updated update modified changed deleted published completed complete closed resolved "
     "shipped archived approved started launched scheduled finished", 0, None),
    ("scheduled planned queued submitted", "started start complete completed finished ended", 0, 7),
    ("ended end finished completed", "deleted archived", 0, None),
    ("last previous prev", "next", 0, 60),
    ("before", "after", 30, None),
    ("attach attached", "detach detached", 0, None),
    ("first", "last", 0, None),
    ("requested", "approved executed completed", 0, None),
    ("booked", "cancelled canceled checkin in arrival departure", 0, None),
    ("died death deceased", "burial buried funeral", 1, 14),
    ("updated modified edited changed", "deleted archived", 0, None),
    ("depart departs departed", "arrive arrives arrived", 0, 1),
    ("start starts started begin begins beginning", "end ends ended ending finish finishes finished stop stopped due "
     "expire expires completed complete", 0, None),
    (_LENT, "due", 7, 28),
    (_LENT, "returned return checkin", 1, 28),
    ("issued issue", "expires expiry expiration expire", 1, None),
    ("available", "discontinue", 0, None),
    ("from", "to until", 0, None),
    ("opened opens open", "closed closes close", 0, None),
    ("checkin in", "checkout out", 1, 14),
    ("admission admitted", "discharge discharged", 0, 21),
    ("ordered order", "ship shipped required delivered delivery paid", 0, 14),
    ("shipped ship", "delivered delivery arrived", 0, 10),
    ("invoice invoiced", "due", 14, 30),
    ("departure", "arrival", 0, 1),
    ("min minimum lowest low", "max maximum highest high", 0, None),
    ("used free available active allocated reserved consumed", "total max maximum capacity", 0, None),
    ("created creation", "due", 1, 60),
]  # fmt: skip


# Of numbers that are no moments these come later: what goes out may be less than what comes in, a last one than a first
_ORDER_OF_NUMBERS = [one for one in _ORDER if one[1].split()[0] in ("max", "total", "to", "end")]


@dataclass(frozen=True)
class Texts:
    """What the name of a column of texts asks for: one of these."""

    providers: tuple[str, ...] = ()  # Faker's, the usual one first
    options: tuple[tuple[str, ...], ...] = ()  # the few words that there are, the longest first
    like: tuple[str, ...] = ()  # what is at each place of a code or a number: A for letters, 0 for digits
    numbers: tuple[int, int] | None = None
    in_sentences: bool = False


def texts(column: sa.Column[Any]) -> Texts:
    """Return what a column of texts holds by its name; nothing where it says nothing."""
    name = words_of(column.name)
    named = f"{_singular(words_of(column.table.name)).rpartition('_')[2]}_{name}"
    if "_" not in name and (named in vocabulary.TEXTS or named in vocabulary.OPTIONS or named in vocabulary.LIKE):
        name = named
    for key, before in _keys(name):
        if (found := _texts_of(key, before, column)) is not None:
            return found
    if length_of(column) == UUID_LENGTH:
        return Texts(("uuid4",))
    if name == "key":
        return Texts(("slug",))
    is_of_others = name.endswith("_id") or (name == "id" and column.primary_key)
    return Texts(("uuid4", "hex16", "hex8")) if is_of_others and not column.foreign_keys else Texts()


def texts_like(pattern: str) -> Texts:
    """Return what a column of texts holds by a pattern of LIKE, where its name says nothing."""
    if pattern.lower().startswith(("http", "%://", "www.")):
        return Texts(("url",))
    return Texts(("email",)) if "%@" in pattern else Texts()


def _keys(name: str) -> Iterator[tuple[str, str]]:
    """Yield by which last words a name may be known, the most first, and what is before them.

    What stands behind and only says which one it is, as home or 2, is left out where all of the name is not known.
    """
    words = name.split("_")
    while words:
        for start in range(len(words)):
            yield "_".join(words[start:]), "_".join(words[:start])
        last = words.pop()
        if last not in vocabulary.QUALIFIERS and not last.isdigit():
            return


def _texts_of(key: str, before: str, column: sa.Column[Any]) -> Texts | None:
    """Return what the last words of a name say; None where they say nothing."""
    if before and not _abbreviates(before, column.table) and key in vocabulary.ALONE:
        return None
    if key == "extension" and any("phone" in words_of(one.name).split("_") for one in column.table.columns):
        return Texts(like=vocabulary.LIKE[key])
    if key in ("state", "province") and not _has_place(column):
        return Texts(options=vocabulary.OPTIONS["status"])
    if before and key == "by" and before.rpartition("_")[2] not in vocabulary.NOBODY:
        return Texts(("name",))
    if key == "branch" and _OF_CODE & _words_beside(column):
        return Texts(options=vocabulary.OPTIONS["git_branch"])
    if key == "license" and not vocabulary.OF_PEOPLE & _words_beside(column):
        return Texts(options=vocabulary.OPTIONS["software_license"])
    if key in ("prefix", "suffix"):
        return Texts((key,)) if name_provider(column.table) == "name" else None
    if key == "full_name" and not before and name_provider_of(_singular(words_of(column.table.name))) is not None:
        return Texts((name_provider(column.table),))
    if key == "name":
        provider = _name_of(before, column.table)
        return Texts((provider, "product_name") if provider == _NAMELESS else (provider,))
    if key == "title":
        return Texts((_title_of(before, column),))
    if key in vocabulary.SENTENCES:
        return Texts(in_sentences=True)
    if key == "address" and _OF_CITIES & {words_of(one.name).rpartition("_")[2] for one in column.table.columns}:
        return Texts(vocabulary.TEXTS["street"])
    if key in vocabulary.TEXTS:
        return Texts(vocabulary.TEXTS[key])
    if key in vocabulary.OPTIONS:
        return Texts(options=vocabulary.OPTIONS[key])
    if key in vocabulary.LIKE:
        return Texts(like=vocabulary.LIKE[key])
    if key in vocabulary.NUMBERS:
        return Texts(numbers=vocabulary.NUMBERS[key])
    if key.rpartition("_")[2] == "year" or key in _DATED:
        return Texts(numbers=_years(words_of(column.name)))
    if key not in _NOT_PROVIDERS and (not before or "_" in key) and _is_provider(key):
        return Texts((key,))
    return None


def _words_beside(column: sa.Column[Any]) -> set[str]:
    """Return the words in the names of a table's columns."""
    return {word for one in column.table.columns for word in words_of(one.name).split("_")}


def _name_of(before: str, table: sa.Table) -> str:
    """Return the provider of a name of something: of a row, where nothing is said, or only a letter of the table."""
    if not before or _abbreviates(before, table) or {*before.split("_")} <= vocabulary.OF_NAMES:
        return name_provider(table)
    return name_provider_of(before) or _NAMELESS


def _title_of(before: str, column: sa.Column[Any]) -> str:
    """Return the provider of titles: of a book, of a post; before the name of a person it is a Mr or a Ms."""
    thing = _singular(words_of(column.table.name))
    kind = name_provider_of(before if before in vocabulary.NAMES_OF else thing)
    if kind == "name" and not before:
        return "job" if thing.rpartition("_")[2] in _STAFF else "prefix"
    return kind if kind in _TITLES else _NAMELESS


def _abbreviates(word: str, table: sa.Table) -> bool:
    """Return whether a word before names is the beginning of their table's: c for customers."""
    thing = _singular(words_of(table.name))
    return thing != word and any(one.startswith(word) for one in (thing, thing.rpartition("_")[2]))


def _has_place(column: sa.Column[Any]) -> bool:
    """Return whether a table holds addresses, in which a state is a part of a country."""
    names = [{*words_of(one.name).split("_")} for one in (column.table, *column.table.columns)]
    return any(words & vocabulary.OF_ADDRESSES and not words & {"ip", "mac", "email"} for words in names)


def is_year(column: sa.Column[Any]) -> bool:
    """Return whether a number is by its name a year."""
    name = words_of(column.name)
    return name in _DATED or bool(_YEARS & {*name.split("_")})


def is_next(column: sa.Column[Any]) -> bool:
    """Return whether a reference to a row of the same table is by its name one of a chain."""
    return bool(_IN_CHAIN & {*words_of(column.name).split("_")})


def while_of(column: sa.Column[Any]) -> tuple[timedelta, timedelta]:
    """Return how long something takes, at least and at most, by the name of its column."""
    is_short = bool(_SHORT_WHILES & {*words_of(column.name).split("_")})
    return timedelta(minutes=1), timedelta(hours=4) if is_short else timedelta(days=30)


def is_rare(column: sa.Column[Any]) -> bool:
    """Return whether a column says by its name what few rows have, as a moment of deletion."""
    return bool(vocabulary.RARE & {*words_of(column.name).split("_")})


def share_of_true(column: sa.Column[Any]) -> float:
    """Return in which share of the rows a flag is set, by its name: few are deleted, most are active."""
    said = {*words_of(column.name).split("_")}
    if said & {"not", "no", "non", "un"}:
        return 0.5
    return 0.1 if said & (vocabulary.RARE | vocabulary.OF_FEW) else 0.85 if said & vocabulary.OF_MOST else 0.5


def places(like: str) -> list[str]:
    """Return the characters at each place of a code or a number."""
    return [{"A": string.ascii_uppercase, "0": string.digits}.get(place, place) for place in like]


def name_provider(table: sa.Table | Any) -> str:
    """Return the provider of a column called name: of people, unless the table is one of other things."""
    thing = name_provider_of(_singular(words_of(table.name)))
    if thing is not None:
        return thing
    return "name" if {words_of(column.name) for column in table.columns} & vocabulary.OF_PEOPLE else _NAMELESS


def name_provider_of(thing: str) -> str | None:
    """Return the provider of names of a kind of thing; None when nothing is known of it."""
    for word in (thing, thing.rpartition("_")[2]):
        if word in vocabulary.NAMES_OF:
            return vocabulary.NAMES_OF[word]
        if word in vocabulary.PEOPLE:
            return "name"
    return None


def numbers(column: sa.Column[Any]) -> tuple[float, float] | None:
    """Return the range that a column's name asks for; None when it asks for none."""
    name = words_of(column.name)
    if name in vocabulary.OF_BODIES and name_provider(column.table) == "name":
        return vocabulary.OF_BODIES[name]
    words = name.split("_")
    if words[0] in ("is", "has", "can"):
        return 0, 1
    if (moment := _moment_since_1970(words, column)) is not None:
        return moment
    if isinstance(plain_type(column), sa.Integer) and name in vocabulary.FLAGS:
        return 0, 1
    if words[-1] in _YEARS or (name in _DATED) or "year" in words:
        return _years(name)
    for key, before in _keys(name):
        if key in vocabulary.UNITS and before:
            found = next((vocabulary.NUMBERS[one] for one, _ in _keys(before) if one in vocabulary.NUMBERS), None)
            if found is not None:
                scale = vocabulary.PARTS.get(key, 1)
                return found[0] * scale, found[1] * scale
        if key in vocabulary.NUMBERS:
            low, high = vocabulary.NUMBERS[key]
            is_percent = (low, high) == (0, 100) or key in vocabulary.IN_PERCENT
            return (low / 100, high / 100) if is_percent and is_part_of_one(column) else (low, high)
        if vocabulary.PARTS.get(key) == 100:
            return 100, 100_000
    return None


def is_epoch(column: sa.Column[Any]) -> bool:
    """Return whether a number is by its name a moment, counted since 1970."""
    return _moment_since_1970(words_of(column.name).split("_"), column) is not None


def _moment_since_1970(words: list[str], column: sa.Column[Any]) -> tuple[int, int] | None:
    """Return from and to which number a moment is, as seconds or milliseconds since 1970: created_at, timemodified.

    None where a number is no moment by its name and type.
    """
    kind = plain_type(column)
    is_large = isinstance(kind, sa.BigInteger | sa.Float)
    if not isinstance(kind, sa.Integer) and not is_large:
        return None
    is_in_parts = is_large and words[-1] in ("ms", "millis", "milliseconds")
    said = words[:-1] if is_in_parts else words
    is_of_time = said[:1] == ["time"] and said[-1].endswith("ed")
    is_said = said[-1:] in (["at"], ["timestamp"], ["epoch"]) or said in (["created"], ["updated"], ["modified"])
    is_coming = bool(_COMING.search("_".join(said)))
    is_date = is_large and (said[-1:] == ["date"] or (said[-1:] == ["time"] and said[0] in _HAPPENING))
    if not said or not (is_said or is_of_time or is_date or (is_large and is_coming)):
        return None
    low, high = (_SECONDS[1], _SECONDS[1] + _TWO_YEARS) if is_coming else _SECONDS
    return (low * 1000, high * 1000) if is_in_parts else (low, high)


def is_part_of_one(column: sa.Column[Any]) -> bool:
    """Return whether a share in a column is one of 1, and not of 100: it has no room for more, or many digits."""
    kind: Any = plain_type(column)
    if not isinstance(kind, DECIMAL) or kind.precision is None:
        return False
    scale = getattr(kind, "scale", None)
    return scale is not None and (kind.precision - scale < 2 or scale > 2)


def _years(name: str) -> tuple[int, int]:
    """Return from and to which year something is."""
    words, this = {*name.split("_")}, TODAY.year
    if "birth" in words:
        return this - 75, this - 18
    if "death" in words or "graduation" in words:
        return this - 20, this
    return (this, this + 5) if _COMING.search(name) else YEARS


def is_money(column: sa.Column[Any]) -> bool:
    """Return whether a number is by its name an amount of money, which has two places."""
    return not vocabulary.MONEY.isdisjoint(words_of(column.name).split("_"))


def twin(column: sa.Column[Any]) -> tuple[sa.Column[Any], str] | None:
    """Return the column that this one holds in another case by its name, and which: username, lower for username_lower.

    None where it has no room for that, or is NOT NULL and the other is not.
    """
    name, _, case = words_of(column.name).rpartition("_")
    other = next((one for one in column.table.columns if words_of(one.name) == name), None)
    if case not in ("lower", "upper") or other is None or not isinstance(other.type, sa.String):
        return None
    fits = (length_of(other) or math.inf) <= (length_of(column) or math.inf) and (column.nullable or not other.nullable)
    return (other, case) if fits and isinstance(column.type, sa.String) else None


def days(column: sa.Column[Any], today: date) -> tuple[date, date] | None:
    """Return the first and last day that a column's name asks for, where it is not the last year."""
    name = words_of(column.name)
    words = {*name.split("_")}
    if _COMING.search(name):
        return today + timedelta(days=1), today + timedelta(days=730)
    if "birth" in words and not words & _ONCE:
        return date(today.year - 75, 1, 1), date(today.year - 18, 1, 1)
    return (today - timedelta(days=3650), today) if words & _ONCE else None


def is_past(column: sa.Column[Any]) -> bool:
    """Return whether a column says by its name that something has been: updated_at, returned_on."""
    return is_rare(column) or any(word.endswith("ed") for word in words_of(column.name).split("_"))


def is_moment(column: sa.Column[Any]) -> bool:
    """Return whether a column is called like a day or a moment."""
    words = words_of(column.name).split("_")
    return words[-1] in ("date", "at", "on", "created", "updated", "timestamp")


def come_before(column: sa.Column[Any]) -> Iterator[tuple[sa.Column[Any], int, int | None]]:
    """Yield the columns of the same table that this one is by its name not smaller than: start_date for end_date.

    With each come the days that there are at least between the two, and at most, where that is known.
    """
    own = words_of(column.name).split("_")
    is_number = isinstance(plain_type(column), NUMBER) and not is_epoch(column)
    for word in own:
        for firsts, seconds, least, most in _ORDER_OF_NUMBERS if is_number else _ORDER:
            if word not in seconds.split() or _stage(own) == ["last"]:  # of what, is not said
                continue
            wanted = [[first if one == word else one for one in own] for first in firsts.split()]
            alike = [one for one in column.table.columns if one is not column and _comparable(one, column)]
            found = next((one for words in wanted for one in alike if words_of(one.name).split("_") == words), None)
            stages = [_stage(words) for words in wanted]
            if found is None:
                found = next((one for one in alike if _stage(words_of(one.name).split("_")) in stages), None)
            if found is not None:
                yield found, least, most
    is_moment = isinstance(plain_type(column), sa.Date | sa.DateTime) or is_epoch(column)
    for one in column.table.columns if is_moment else ():
        first = _stage(words_of(one.name).split("_"))
        if one is not column and _comparable(one, column) and _is_later(first, _stage(own)):
            yield one, 0, None


def _is_later(first: list[str], last: list[str]) -> bool:
    """Return whether of two moments one is by its name no earlier: order and order_filled, created and last_used."""
    is_more = bool(first) and last[:-1] == first and (last[-1] == "end" or last[-1].endswith("ed"))
    return is_more or (last[:1] == ["last"] and len(last) > 1 and first in _BEGINNINGS)


_BEGINNINGS = [["created"], ["create"], ["creation"], ["joined"], ["registered"], ["added"], ["inserted"]]


def _stage(words: list[str]) -> list[str]:
    return [one for one in words if one not in _WHEN]


def _comparable(one: sa.Column[Any], other: sa.Column[Any]) -> bool:
    days = (sa.Date, sa.DateTime)
    return type(one.type) is type(other.type) or (isinstance(one.type, days) and isinstance(other.type, days))


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith(("sses", "uses", "xes", "ches", "shes")) and not name.endswith("ouses"):
        return name[:-2]
    return name.removesuffix("s") if not name.endswith("ss") else name


def _is_provider(name: str) -> bool:
    """Return whether Faker has a provider of this name that gives texts without being told anything."""
    if name.startswith("_") or not any(hasattr(one, name) for one in _provider_classes()):
        return False
    method = getattr(faker_of(LOCALE), name, None)
    try:
        return callable(method) and isinstance(method(), str)
    except (TypeError, ValueError, AttributeError):  # a method that wants arguments is no provider of texts
        return False


@cache
def _provider_classes() -> list[type]:
    """Return what every locale's providers derive from: a whole Faker takes much longer to make."""
    from faker.config import PROVIDERS

    return [import_module(one).Provider for one in PROVIDERS]
