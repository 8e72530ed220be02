"""Tables of outcomes: what Faker can say, each list expanded once so that a draw is one look-up.

A table has 65,536 entries in proportion to Faker's own weights; 16 random bits pick one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, repeat
from operator import itemgetter
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faker import Faker

ENTRIES = 65_536
POOL = 1_000  # values drawn from Faker where it has no list to expand

Table = tuple[str, ...]


def expand(weights: Mapping[str, float]) -> Table:
    """Return a table in which each outcome has its share of the entries, to within one entry."""
    total = sum(weights.values())
    table: list[str] = []
    for outcome, reached in zip(weights, accumulate(weights.values()), strict=True):
        table += repeat(outcome, round(ENTRIES * reached / total) - len(table))
    return tuple(table)


def pick(table: Sequence[Any], random: Random, count: int) -> Sequence[Any]:
    """Return `count` entries of a table of 65,536, each drawn with 16 bits."""
    if count == 0:
        return ()
    bits = memoryview(random.randbytes(2 * count)).cast("H")
    return (table[bits[0]],) if count == 1 else itemgetter(*bits)(table)


def letters(text: str) -> str:
    """Return the a to z of a text of any script; at least one letter, and no digit."""
    from faker.decode import unidecode

    return re.sub(r"[^a-z]", "", unidecode(text).lower()) or "x"


class PersonNames:
    """Full names of a locale by Faker's own formats and lists, and the letters of each for an e-mail address."""

    def __init__(self, fake: Faker) -> None:
        from faker.providers.person import Provider as Base

        self._fake = fake
        self._provider: Any = fake.provider("faker.providers.person")
        self._base = Base
        overridden = type(self._provider).name is not Base.name
        formats = {"{{name}}": 1.0} if overridden else _weights(self._provider.formats)
        self._parts = [re.split(r"{{\s*(\w+)\s*}}", form) for form in formats]  # literal, token, literal, token ...
        self._forms = expand({str(number): weight for number, weight in enumerate(formats.values())})
        self._table = cache(self._make_table)
        self._letters = cache(lambda token: tuple(map(cache(letters), self._table(token))))

    def draw(self, random: Random, count: int) -> tuple[list[str], list[str]]:
        """Return names, and for each the letters of its first and last name with a dot between."""
        chosen = pick(self._forms, random, count)
        of_form = {form: self._draw_form(int(form), random, size) for form, size in sorted(Counter(chosen).items())}
        drawn = [next(of_form[form]) for form in chosen]
        return [name for name, _ in drawn], [slug for _, slug in drawn]

    def _draw_form(self, form: int, random: Random, count: int) -> Iterator[tuple[str, str]]:
        texts: list[Iterable[str]] = []
        slugs: list[Iterable[str]] = []
        parts = self._parts[form]
        core = [token for token in parts[1::2] if "name" in token]
        for number, part in enumerate(parts):
            if number % 2 == 0:
                texts.append(repeat(part, count))
                continue
            state = random.getstate()
            texts.append(pick(self._table(part), random, count))
            if part in core:
                random.setstate(state)
                slugs.append(pick(self._letters(part), random, count))
        return zip(map("".join, zip(*texts, strict=True)), map(".".join, zip(*slugs, strict=True)), strict=True)

    def _make_table(self, token: str) -> Table:
        """Return the table of first_name_male and the like, from the provider's list or else from its method."""
        while getattr(type(self._provider), token, None) is getattr(self._base, token, ""):
            found = getattr(self._provider, _plural(token), None)
            if found:
                return expand(_weights(found))
            if token.rpartition("_")[2] not in ("male", "female", "nonbinary"):
                break
            token = token.rpartition("_")[0]  # as Faker does: without a list of its own, first_name
        self._fake.seed_instance(0)
        return expand(Counter(str(getattr(self._fake, token)()) for _ in range(5 * POOL)))


def pool(fake: Faker, draw: Callable[[Faker], Any], seed: str, size: int = POOL) -> list[Any]:
    """Return values drawn from Faker itself, the same for the same seed."""
    fake.seed_instance(seed)
    return [draw(fake) for _ in range(size)]


def _plural(token: str) -> str:
    first, _, rest = token.partition("_")
    if first in ("prefix", "suffix"):
        return f"{first}es" + (f"_{rest}" if rest else "")
    kind, _, gender = token.partition("_name")
    return f"{kind}_names{gender}"


def _weights(elements: Any) -> dict[str, float]:
    if isinstance(elements, Mapping):
        return {str(key): float(weight) for key, weight in elements.items()}
    return {key: float(weight) for key, weight in Counter(map(str, elements)).items()}
