"""Tables of outcomes: what Faker can say, each list expanded once so that a draw is one look-up.

A table has 65,536 entries in proportion to Faker's own weights; 16 random bits pick one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, compress, repeat
from operator import add, itemgetter
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from faker import Faker

ENTRIES = 65_536
POOL = 1_000  # values drawn from Faker where it has no list to expand
RARE = 0.1  # forms of names with a smaller share are not worth a table of their own
FEWEST = 50  # entries of the rarest outcome: with fewer its share would be more than 1% off

REMEMBERED = 50_000  # results of a function that are kept

Outcome = TypeVar("Outcome")
Convert = Callable[[Sequence[Any]], Any]


def expand(outcomes: Iterable[Outcome], weights: Iterable[float] | None = None) -> tuple[Outcome, ...]:
    """Return a table in which each outcome has its share of the entries, to within one entry."""
    outcomes = list(outcomes)
    reached = list(accumulate(repeat(1.0, len(outcomes)) if weights is None else weights))
    ends = [round(ENTRIES * one / reached[-1]) for one in reached]
    sizes = (end - start for start, end in zip([0, *ends], ends, strict=False))
    return tuple(chain.from_iterable(map(repeat, outcomes, sizes)))


def expand_exactly(outcomes: Sequence[Outcome], weights: Sequence[float] | None = None) -> tuple[Outcome, ...] | None:
    """Return a table, or None where some outcome is too rare for one to give it its share."""
    rarest = 1 / max(1, len(outcomes)) if weights is None else min(filter(None, weights)) / sum(weights)
    return expand(outcomes, weights) if rarest * ENTRIES >= FEWEST else None


class Draws:
    """Places in a table that were drawn; what is taken from several tables by the same draws belongs together."""

    def __init__(self, places: Sequence[int]) -> None:
        self.count = len(places)
        self._take: Any = itemgetter(*places) if places else None

    def of(self, table: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the entries of a table at these places."""
        if self.count < 2:
            return (self._take(table),) if self.count else ()
        taken: Sequence[Outcome] = self._take(table)
        return taken


class Picked(Sequence[Outcome]):
    """What was picked from a table, taken from it when it is looked at: who converts values may convert the table."""

    def __init__(self, table: Sequence[Outcome], draws: Draws) -> None:
        self.table = table
        self.draws = draws

    @cached_property
    def _taken(self) -> Sequence[Outcome]:
        return self.draws.of(self.table)

    def __len__(self) -> int:
        return self.draws.count

    def __getitem__(self, index: Any) -> Any:
        return self._taken[index]

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._taken)


def through_tables(convert: Convert) -> Convert:
    """Return what converts a table of outcomes once, instead of what is picked from it again and again."""
    known: dict[int, tuple[Sequence[Any], Sequence[Any] | None]] = {}

    def convert_picked(values: Sequence[Any]) -> Any:
        if not isinstance(values, Picked):
            return convert(values)
        table, converted = known.get(id(values.table), (values.table, None))
        if converted is None and id(table) in known:  # it comes again: there are more blocks
            converted = convert(table)
        known[id(table)] = table, converted
        return values.draws.of(converted) if converted is not None else convert(values)

    return convert_picked


class Remembered(dict[Any, Any]):
    """A function's results by its argument: of many rows with few values each value is converted once."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        self[value] = made = self._make(value)
        return made

    def all(self, values: Sequence[Any]) -> list[Any]:
        """Return what the function makes of each value."""
        if len(self) > REMEMBERED:
            self.clear()
        return list(map(self.__getitem__, values))


def draw(random: Random, count: int) -> Sequence[int]:
    """Return `count` places in a table of 65,536."""
    return memoryview(random.randbytes(2 * count)).cast("H")


def pick(table: Sequence[Outcome], random: Random, count: int) -> Sequence[Outcome]:
    """Return `count` entries of a table of 65,536, each drawn with 16 bits."""
    return Picked(table, Draws(draw(random, count)))


def letters(text: str) -> str:
    """Return the a to z of a text of any script; at least one letter, and no digit."""
    if not text.isascii():
        from faker.decode import unidecode

        text = unidecode(text)
    lower = text.lower()
    return lower if lower.isascii() and lower.isalpha() else re.sub(r"[^a-z]", "", lower) or "x"


class Names:
    """A block's names, and for each the letters of its first and last name, in the pieces they are joined from."""

    def __init__(self, texts: list[str], slugs: Callable[[], list[list[str]]]) -> None:
        self.texts = texts
        self._slugs = slugs

    @cached_property
    def slugs(self) -> list[list[str]]:
        """The pieces of each name's slug: first names, then ".last" names; one sequence for each piece."""
        return self._slugs()


class PersonNames:
    """Full names of a locale by Faker's own formats and lists, and the letters of each for an e-mail address."""

    def __init__(self, locale: str) -> None:
        from faker import Faker
        from faker.providers.person import Provider as Base

        self._fake = Faker(locale, providers=["faker.providers.person"])
        self._provider: Any = self._fake.provider("faker.providers.person")
        self._base = Base
        self._known: dict[str, _Part] = {}
        overridden = type(self._provider).name is not Base.name
        formats = {"{{name}}": 1.0} if overridden else _weights(self._provider.formats)
        self.forms = [self._parse(form) for form in formats]
        self._common, *self._others = self._layouts(list(formats.values()))
        self._table = expand(range(len(formats)), formats.values())
        self._layout_of = {form: layout for layout in self._others for form, has in enumerate(layout.has) if has}
        # Which layout a row has, counted from 1; 0 for the common one.
        numbers = [self._others.index(self._layout_of[one]) + 1 if one in self._layout_of else 0 for one in self._table]
        self._uncommon = tuple(numbers)

    def texts(self, token: str) -> list[str]:
        """Return what a part of names can be."""
        return self._part(token).texts

    def table(self, token: str) -> tuple[str, ...]:
        """Return the table of a part of names: first_name, last_name_male and the like."""
        part = self._part(token)
        return expand(part.texts, part.weights)

    @cached_property
    def longest_slug(self) -> int:
        """The most letters and dots that a slug can have."""
        return max(sum(part.longest_slug + 1 for part in form.parts) for form in self.forms)

    @cached_property
    def longest(self) -> int:
        """The most characters that a name can have."""
        return max(sum(map(len, form.literals)) + sum(part.longest for part in form.parts) for form in self.forms)

    def draw(self, random: Random, count: int) -> Names:
        """Return names: of the most common layout for all rows, then others where a row has another form."""
        forms = Picked(self._table, Draws(draw(random, count)))
        main = self._common.draw(forms, random)
        texts = main.texts()
        uncommon = forms.draws.of(self._uncommon)
        rows_of: list[list[int]] = [[] for _ in self._others]
        for row in compress(range(count), uncommon):
            rows_of[uncommon[row] - 1].append(row)
        rest = []
        for layout, rows in zip(self._others, rows_of, strict=True):
            drawn = layout.draw([forms[row] for row in rows] if layout.chooses else [0] * len(rows), random)
            for row, text in zip(rows, drawn.texts(), strict=True):
                texts[row] = text
            rest.append((rows, drawn))

        def slugs() -> list[list[str]]:
            first, *others = pieces = [list(piece) for piece in main.slugs()]
            for rows, drawn in rest:
                for row, slug in zip(rows, map("".join, zip(*drawn.slugs(), strict=True)), strict=True):
                    first[row] = slug
                    for piece in others:
                        piece[row] = ""
            return pieces

        return Names(texts, slugs)

    def _layouts(self, weights: Sequence[float]) -> list[_Layout]:
        """Return the forms by their number of parts, the most common ones first; rare forms one by one."""
        by_size: dict[int, list[int]] = {}
        for number, form in enumerate(self.forms):
            by_size.setdefault(len(form.parts), []).append(number)
        shares = {tuple(one): sum(weights[form] for form in one) / sum(weights) for one in by_size.values()}
        common = sorted((one for one in shares if shares[one] >= RARE), key=lambda one: -shares[one])
        rare = [(form,) for one in shares if shares[one] < RARE for form in one]
        return [
            *(_Layout(self.forms, one, weights) for one in common),
            *(_RareForm(self.forms, one, weights) for one in rare),
        ]

    def _parse(self, form: str) -> _Form:
        literals_and_tokens = re.split(r"{{\s*(\w+)\s*}}", form)
        tokens = literals_and_tokens[1::2]
        return _Form([self._part(token) for token in tokens], literals_and_tokens[::2])

    def _part(self, token: str) -> _Part:
        if token not in self._known:
            self._known[token] = _Part(self._look_up(token), "name" in token)
        return self._known[token]

    def _look_up(self, token: str) -> Mapping[str, float]:
        """Return what a token can be and how often, from the provider's list or else from its method."""
        general = token
        while getattr(type(self._provider), general, None) is getattr(self._base, general, ""):
            found = getattr(self._provider, _plural(general), None)
            if found:
                return _weights(found)
            if general.rpartition("_")[2] not in ("male", "female", "nonbinary"):
                break
            general = general.rpartition("_")[0]  # as Faker does: without a list of its own, first_name
        self._fake.seed_instance(0)
        drawn = Counter(str(getattr(self._fake, token)()) for _ in range(5 * POOL))
        return min((one for one in self._spellings() if drawn.keys() <= one.keys()), key=len, default=drawn)

    def _spellings(self) -> Iterator[dict[str, float]]:
        """Yield the lists of names that a provider holds in several scripts, as ja_JP does, in their first script."""
        for name in dir(type(self._provider)):
            elements = getattr(type(self._provider), name)
            if isinstance(elements, Mapping | tuple | list) and elements and isinstance(next(iter(elements)), tuple):
                weights = elements.values() if isinstance(elements, Mapping) else repeat(1.0)
                found: dict[str, float] = {}
                for spellings, weight in zip(elements, weights, strict=False):
                    found[str(spellings[0])] = found.get(str(spellings[0]), 0.0) + float(weight)
                yield found


class _Part:
    """What one token of a form can be: first_name_male and the like."""

    def __init__(self, weights: Mapping[str, float], in_slug: bool) -> None:
        self.texts = list(weights)
        self.weights = list(weights.values())
        self.in_slug = in_slug

    @cached_property
    def reached(self) -> list[float]:
        return list(accumulate(self.weights))

    @cached_property
    def slugs(self) -> list[str]:
        return list(map(letters, self.texts)) if self.in_slug else [""] * len(self.texts)

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.texts))

    @cached_property
    def longest_slug(self) -> int:
        return max(map(len, self.slugs))


class _Form:
    """One of Faker's formats: parts, and the literals before, between and after them."""

    def __init__(self, parts: Sequence[_Part], literals: Sequence[str]) -> None:
        self.parts = parts
        self.literals = literals
        named = [place for place, part in enumerate(parts) if part.in_slug]
        self.dots = ["." if place in named[1:] else "" for place in range(len(parts))]

    def around(self, place: int) -> tuple[str, str]:
        """Return the literals that a part takes along: the one before it, and the last one after the last part."""
        return self.literals[place], self.literals[-1] if place == len(self.parts) - 1 else ""


class _Layout:
    """The forms that have the same number of parts: each part is drawn for all of them at once.

    Where the forms differ in one part only, it is drawn from all of theirs together; otherwise a row's form decides.
    """

    def __init__(self, forms: Sequence[_Form], own: Sequence[int], weights: Sequence[float]) -> None:
        self.has = [number in own for number in range(len(forms))]
        self._own = [forms[number] for number in own]
        self._offsets = [own.index(number) * ENTRIES if self.has[number] else 0 for number in range(len(forms))]
        shares = [weights[number] / sum(weights[one] for one in own) for number in own]
        self._slots = [_Slot(self._own, place, shares) for place in range(len(self._own[0].parts))]
        self.chooses = sum(slot.differs for slot in self._slots) > 1
        for slot in self._slots:
            slot.together = slot.differs and not self.chooses

    def draw(self, forms: Sequence[int], random: Random) -> _Drawn:
        """Draw each part for rows of these forms; a row of a form that is not its own gets some name."""
        offsets = Draws(forms).of(self._offsets) if self.chooses else ()
        draws = []
        for slot in self._slots:
            bits = draw(random, len(forms))
            draws.append(Draws(list(map(add, offsets, bits)) if self.chooses and slot.differs else bits))
        slots = self._slots
        return _Drawn(
            lambda: [places.of(slot.texts) for slot, places in zip(slots, draws, strict=True)],
            lambda: [places.of(slot.slugs) for slot, places in zip(slots, draws, strict=True)],
        )


class _RareForm(_Layout):
    """A form so rare that it is not worth tables."""

    def draw(self, forms: Sequence[int], random: Random) -> _Drawn:
        [form] = self._own
        drawn = [random.choices(range(len(one.texts)), cum_weights=one.reached, k=len(forms)) for one in form.parts]
        parts = list(zip(form.parts, drawn, form.dots, map(form.around, range(len(form.parts))), strict=True))
        return _Drawn(
            lambda: [[f"{before}{one.texts[at]}{after}" for at in places] for one, places, _, (before, after) in parts],
            lambda: [[dot + one.slugs[at] for at in places] for one, places, dot, _ in parts],
        )


class _Drawn:
    """The parts of some rows' names, and the letters of these parts; made when they are asked for."""

    def __init__(self, texts: Callable[[], list[Sequence[str]]], slugs: Callable[[], list[Sequence[str]]]) -> None:
        self._texts = texts
        self.slugs = slugs

    def texts(self) -> list[str]:
        parts = self._texts()
        return list(map(add, *parts) if len(parts) == 2 else map("".join, zip(*parts, strict=True)))


class _Slot:
    """One part of a layout's forms: a table; where the forms differ, one of all, or theirs one after the other."""

    def __init__(self, forms: Sequence[_Form], place: int, shares: Sequence[float]) -> None:
        own = [(form.parts[place], *form.around(place), form.dots[place]) for form in forms]
        self.differs = len(set(own)) > 1
        self.together = False
        self._own = own if self.differs else own[:1]
        self._shares = shares if self.differs else [1.0]

    @cached_property
    def texts(self) -> Sequence[str]:
        return self._table([[f"{before}{one}{after}" for one in part.texts] for part, before, after, _ in self._own])

    @cached_property
    def slugs(self) -> Sequence[str]:
        return self._table([[dot + one for one in part.slugs] for part, _, _, dot in self._own])

    def _table(self, outcomes: list[list[str]]) -> Sequence[str]:
        weights = [part.weights for part, *_ in self._own]
        if not self.together:
            return tuple(chain.from_iterable(map(expand, outcomes, weights)))
        scaled = [share * weight / sum(own) for share, own in zip(self._shares, weights, strict=True) for weight in own]
        return expand(chain.from_iterable(outcomes), scaled)


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
