"""Texts that the names of columns ask for, as far as they fulfil what CHECKs say of them."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

from . import meanings
from .by_type import SHORT, room_of
from .fields import (
    Field,
    choice,
    fake,
)
from .inferred import (
    fulfilling,
    numbered_text,
    shaped,
    spelled,
    usual_places,
    written,
)
from .numbering import Column
from .outcomes import LOCALE, faker_of, pool
from .reading import Bounds
from .vocabulary import LEAST_ROOM

SAMPLE = 100  # values that tell whether those of a provider suit a column
FEWEST = 0.05  # of them that have to fulfil a CHECK


# Providers of texts that a number can be put into, and what it comes after: a dot stands for before the last one.
NUMBER_AFTER = {
    **dict.fromkeys(
        ("name", "company", "catch_phrase", "bs", "city", "country", "state", "job", "color_name", "language_name",
         "currency_name", "street_address", "address", "product_name", "book_title", "course_title", "headline",
         "company_department", "product_category", "hall_name", "street_name"), " "
    ),
    "slug": "-",
    **dict.fromkeys(("url", "uri", "image_url"), "/"),
    **dict.fromkeys(("domain_name", "hostname", "file_name", "file_path"), "."),
}  # fmt: skip

ENOUGH = 20_000  # values of a look, from which they are numbered through


def in_case(places: Iterable[str], case: str) -> list[str]:
    """Return the characters of each place in upper or lower case, or as they are."""
    change: Callable[[str], str] = {"upper": str.upper, "lower": str.lower}.get(case, str)
    return ["".join(dict.fromkeys(change(one))) for one in places]


def places_between(low: str, high: str, room: int) -> list[str]:
    """Return the characters at each place of texts that are no less than one and no more than another of its length.

    None where there is no room for them, or nothing is known of how such characters are ordered.
    """
    alphabet = next((one for one in _ALPHABETS if {*low, *high} <= {*one}), "")
    if len(low) != len(high) or len(low) > room or not low <= high or not alphabet:
        return []
    alike = next((place for place, pair in enumerate(zip(low, high, strict=True)) if pair[0] != pair[1]), len(low))
    first, last = (alphabet.index(one[alike : alike + 1] or alphabet[0]) for one in (low, high))
    first += any(one != alphabet[0] for one in low[alike + 1 :])
    last -= any(one != alphabet[-1] for one in high[alike + 1 :])
    if alike == len(low) or first > last:
        return [*low]
    return [*low[:alike], alphabet[first : last + 1], *[alphabet] * (len(low) - alike - 1)]


_ALPHABETS = string.digits, string.ascii_uppercase, string.ascii_lowercase


def without_letters(places: list[str], fulfils: Callable[[str], bool]) -> list[str]:
    """Return the characters of each place without those that a CHECK has nothing of: NOT LIKE '%O%'."""
    texts = ["".join(one[number % len(one)] for one in places) for number in range(max(map(len, places), default=0))]
    fitting = {*chain.from_iterable(text for text in texts if fulfils(text))}
    rest = ["".join(one for one in place if one in fitting) or place for place in places]
    return rest if fitting and all(map(fulfils, _spread(spelled(rest).spellings))) else places


def letters_in(case: str) -> str:
    """Return the letters of a code, capital ones unless it is in lower case."""
    return string.ascii_lowercase if case == "lower" else string.ascii_uppercase


def has_places(field: fake, room: int) -> bool:
    """Return whether a provider's values have digits or the like at places of their own, which can be counted in."""
    values = pool(faker_of(LOCALE), lambda fake: getattr(fake, field.provider)(), field.provider, 100)
    return all(isinstance(one, str) for one in values) and math.prod(map(len, usual_places(values, room))) >= ENOUGH


def fits_into(provider: str, column: Column) -> bool:
    """Return whether most values of a provider are no longer than the column."""
    room = room_of(column)
    if provider in ("name", "first_name", "last_name"):
        return room >= SHORT - 1
    return room >= 100 or sum(len(value) <= room for value in sample_of(provider)) >= 0.75 * SAMPLE


@cache
def sample_of(provider: str) -> list[str]:
    """Return some values of a provider."""
    return [str(one) for one in pool(faker_of(LOCALE), lambda fake: getattr(fake, provider)(), provider, SAMPLE)]


def fields_by_name(column: Column, said: meanings.Texts) -> Iterator[fake | choice | spelled]:
    """Yield what may fill a column of texts as its name says, the usual first; codes first in what is of their length.

    There is room for all of it, but for values of providers.
    """
    room = room_of(column)
    providers = [one for one in said.providers if room >= LEAST_ROOM.get(one, 0)]
    if room < SHORT:
        providers.sort(key=lambda one: not all(len(value) == room for value in sample_of(one)))
    yield from map(fake, providers)
    yield from (choice(*words) for words in said.options if room >= max(map(len, words)))
    yield from (spelled(meanings.places(like)) for like in said.like if len(like) <= room)
    if said.numbers is not None:
        low, high = said.numbers
        numbers = [str(one) for one in range(low, high + 1, max(1, (high - low) // 1_000))]
        if room >= len(numbers[-1]):
            made = choice(numbers)
            made.description = f"{low} to {high}"
            yield made


def what_fulfils(column: Column, bounds: Bounds) -> Callable[[str], bool]:
    """Return what tells whether a text fits into a column and fulfils what CHECKs say of it; its case is for later."""
    longest = min(room_of(column), bounds.longest or room_of(column))
    low, high = (one if isinstance(one, str) else None for one in (bounds.low, bounds.high))
    change: Callable[[str], str] = {"upper": str.upper, "lower": str.lower}.get(bounds.case, str)

    def fulfils(text: str) -> bool:
        text = change(text)
        return (
            max(bounds.shortest, 1) <= len(text) <= longest
            and all(one.search(text) for one in bounds.patterns)
            and (low is None or low <= text)
            and (high is None or text <= high)
            and text not in bounds.excluded
        )

    return fulfils


def best_of(fields: Iterable[fake | choice | spelled], fulfils: Callable[[str], bool]) -> Field | None:
    """Return the first of some fields of whose values most fulfil something, or the one of which most do."""
    most, best = FEWEST, None
    for one in fields:
        if isinstance(one, spelled):
            values = _spread(one.spellings)
        else:
            values = sample_of(one.provider) if isinstance(one, fake) else one.options
        found = fulfilling(values, fulfils)
        share = len(found) / len(values)
        if share > most and (share == 1 or not isinstance(one, spelled)):
            most, best = share, choice(*dict.fromkeys(found)) if isinstance(one, choice) else one
        if most >= 0.5:
            break
    return best


def _spread(spellings: Sequence[str]) -> list[str]:
    """Return some of all spellings, from the first on."""
    return [spellings[one * len(spellings) // SAMPLE] for one in range(SAMPLE)]


def apart_as_written(field: written, column: Column) -> Field | None:
    """Return what fulfils a CHECK as some values do and is there once: they and a number, or what is like them."""
    found, before = fulfilling(sample_of(field.provider), field.fulfils), NUMBER_AFTER.get(field.provider)
    if before in ("-", " ") and all(field.fulfils(f"{one}{before}{end}") for one in found for end in (1, 1_000_000)):
        return numbered_text(field, before)
    places = usual_places(found, room_of(column))
    spellings = spelled(places).spellings if math.prod(map(len, places)) >= ENOUGH else None
    if spellings is not None and all(map(field.fulfils, _spread(spellings))):
        return shaped(field, room_of(column))
    return field.otherwise if isinstance(field.otherwise, spelled) else None
