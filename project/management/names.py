"""Full names of a locale by Faker's own formats and lists, and the letters of each for an e-mail address."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from itertools import accumulate, chain, repeat
from operator import add
from random import Random
from typing import TYPE_CHECKING, Any

from .outcomes import ENTRIES, LOCALE, POOL, Draws, draw, entries_of, expand, filled

if TYPE_CHECKING:
    from faker import Faker


def letters(text: str) -> str:
    """Return the a to z of a text of any script; at least one letter, and no digit."""
    lower = in_ascii(text).lower()
    return lower if lower.isascii() and lower.isalpha() else re.sub(r"[^a-z]", "", lower) or "x"


def in_ascii(text: str) -> str:
    """Return a text of any script in letters of ASCII; nothing is left of some."""
    if text.isascii():
        return text
    from faker.decode import unidecode

    return unidecode(text)


def letters_of_each(texts: Sequence[str]) -> list[str]:
    """Return the letters of each text; of texts of ASCII, as most are, all at once."""
    joined = "\n".join(texts)
    if not joined.isascii() or joined.count("\n") != len(texts) - 1:
        return list(map(letters, texts))
    return [one or "x" for one in re.sub(r"[^a-z\n]", "", joined.lower()).split("\n")]


class Names:
    """A block's names, and for each the letters of its first and last name, in the pieces they are joined from."""

    def __init__(self, texts: list[str], slugs: Callable[[], Sequence[Sequence[str]]]) -> None:
        self.texts = texts
        self._slugs = slugs

    @cached_property
    def slugs(self) -> Sequence[Sequence[str]]:
        """The pieces of each name's slug: first names, then ".last" names; one sequence for each piece."""
        return self._slugs()


class PersonNames:
    """Full names of a locale by Faker's own formats and lists, and the letters of each for an e-mail address.

    The forms with the most common number of parts are drawn for all rows at once, from tables. Some rows then get one
    of the other forms: what it adds around the name, a prefix or a second last name, or all of it.
    """

    def __init__(self, locale: str) -> None:
        from faker.providers.person import Provider as Base

        self._locale = locale
        self._provider = _provider_of(locale)
        self._base = Base
        self._known: dict[str, _Part] = {}
        overridden = self._provider.name is not Base.name
        formats = {"{{name}}": 1.0} if overridden else _weights(self._provider.formats)
        self.forms = [self._parse(form) for form in formats]
        total = sum(formats.values())
        self._common, self._others = _arrange(self.forms, [weight / total for weight in formats.values()])

    @cached_property
    def _fake(self) -> Faker:
        from faker import Faker

        return Faker(self._locale, providers=["faker.providers.person"])

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

    @cached_property
    def order(self) -> tuple[bool, str]:
        """Whether the last name comes first, and what is between it and the other one."""
        formats = () if self._provider.name is not self._base.name else self._provider.formats
        found = (re.search(r"{{\s*(first|last)_name\w*\s*}}([^{]*){{\s*(first|last)_name", form) for form in formats)
        pairs = [(one[1] == "last", one[2]) for one in found if one is not None and one[1] != one[3]]
        return pairs[0] if pairs else (False, " ")

    def draw(self, random: Random, count: int) -> Names:
        """Return names of the common forms for all rows, and of another form for the rows that have one."""
        common = self._common.draw(random, count)
        texts = common.texts()
        changes = [one.change(texts, rows, random) for one, rows in self._others.draw(common, random)]

        def slugs() -> Sequence[Sequence[str]]:
            changing = [change for change in changes if change is not None]
            if not changing:
                return common.slugs()
            pieces = [list(piece) for piece in common.slugs()]
            for change in changing:
                change(pieces)
            return pieces

        return Names(texts, slugs)

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
        while getattr(self._provider, general, None) is getattr(self._base, general, ""):
            found = getattr(self._provider, _plural(general), None)
            if isinstance(found, property):  # which only the provider itself has
                found = getattr(self._fake.provider("faker.providers.person"), _plural(general))
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
        for name in dir(self._provider):
            elements = getattr(self._provider, name)
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
        return letters_of_each(self.texts) if self.in_slug else [""] * len(self.texts)

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

    def place_of(self, other: _Form) -> int | None:
        """Return the first of the neighbouring parts that are another form; None where it is not in this one."""
        size = len(other.parts)
        if other.literals[0] or other.literals[-1]:
            return None
        for start in range(len(self.parts) - size + 1):
            literals = self.literals[start + 1 : start + size]
            if self.parts[start : start + size] == other.parts and literals == other.literals[1:-1]:
                return start
        return None

    def around(self, place: int) -> tuple[str, str]:
        """Return the literals that a part takes along: the one before it, and the last one after the last part."""
        return self.literals[place], self.literals[-1] if place == len(self.parts) - 1 else ""


def _arrange(forms: Sequence[_Form], shares: Sequence[float]) -> tuple[_Layout, _Others]:
    """Return the forms with the most common number of parts, and the others with the common form that each is around.

    A name of common form f is drawn with the share of f and of all that are around f, and becomes one of these, or one
    of the forms that are around none, as often as they come.
    """
    sizes: dict[int, float] = {}
    for form, share in zip(forms, shares, strict=True):
        sizes[len(form.parts)] = sizes.get(len(form.parts), 0.0) + share
    size = max(sizes, key=lambda one: sizes[one])
    common = [place for place, form in enumerate(forms) if len(form.parts) == size]
    kept = [shares[place] for place in common]
    around: list[list[tuple[_Other, float]]] = [[] for _ in common]
    alone: list[tuple[_Other, float]] = []
    for form, share in zip(forms, shares, strict=True):
        if len(form.parts) != size:
            starts = [form.place_of(forms[place]) for place in common]
            at = next((at for at, start in enumerate(starts) if start is not None), None)
            start = starts[at] if at is not None else None
            inside = range(start, start + size) if start is not None else None
            (alone if at is None else around[at]).append((_Other(form, inside), share))
    groups = [share + sum(one for _, one in others) for share, others in zip(kept, around, strict=True)]
    rest = sum(groups)
    options = [
        [*((one, rest * share / group) for one, share in others), *alone]
        for group, others in zip(groups, around, strict=True)
    ]
    return _Layout([forms[place] for place in common], [group / rest for group in groups]), _Others(options)


class _Layout:
    """The forms that have the same number of parts: each part is drawn for all of them at once.

    Where the forms differ in one part only, it is drawn from all of theirs together; otherwise a row's form decides.
    """

    def __init__(self, forms: Sequence[_Form], shares: Sequence[float]) -> None:
        self._forms = forms
        self._slots = [_Slot(forms, place, shares) for place in range(len(forms[0].parts))]
        differing = [place for place, slot in enumerate(self._slots) if slot.differs]
        self._decides = differing[0] if len(differing) == 1 else None
        for slot in self._slots:
            slot.together = slot.differs and self._decides is not None
        self._shares = shares
        self._ends = [round(ENTRIES * one) for one in accumulate(shares)]

    @cached_property
    def _offsets(self) -> tuple[int, ...]:
        return expand(range(0, ENTRIES * len(self._forms), ENTRIES), self._shares)

    def draw(self, random: Random, count: int) -> _Drawn:
        """Draw a form and each of its parts for every row."""
        chosen = Draws(draw(random, count)).of(self._offsets) if self._decides is None and len(self._forms) > 1 else ()
        places: list[Sequence[int]] = []
        for slot in self._slots:
            bits = draw(random, count)
            places.append(list(map(add, chosen, bits)) if chosen and slot.differs else bits)

        def form_of(row: int) -> int:
            if chosen:
                return chosen[row] // ENTRIES
            return bisect_right(self._ends, places[self._decides][row]) if self._decides is not None else 0

        draws = list(map(Draws, places))
        return _Drawn(
            count,
            form_of,
            lambda: [one.of(slot.texts) for slot, one in zip(self._slots, draws, strict=True)],
            lambda: [one.of(slot.slugs) for slot, one in zip(self._slots, draws, strict=True)],
        )


class _Drawn:
    """The forms of some rows, the parts of their names, and the letters of these; made when they are asked for."""

    def __init__(
        self,
        count: int,
        form_of: Callable[[int], int],
        texts: Callable[[], list[Sequence[str]]],
        slugs: Callable[[], list[Sequence[str]]],
    ) -> None:
        self.count = count
        self.form_of = form_of
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

    @cached_property
    def _entries(self) -> list[int]:
        """How many entries each outcome has, of all parts one after the other."""
        weights = [part.weights for part, *_ in self._own]
        if not self.together:
            return [*chain.from_iterable(map(entries_of, weights))]
        shares = [share / sum(own) for share, own in zip(self._shares, weights, strict=True)]
        return entries_of(share * weight for share, own in zip(shares, weights, strict=True) for weight in own)

    def _table(self, outcomes: list[list[str]]) -> Sequence[str]:
        return filled(chain.from_iterable(outcomes), self._entries)


class _Others:
    """Which rows have another form than the common ones: by the common form that each row has.

    A random byte below a bound marks the rows that may have one; so few of them are looked at one by one.
    """

    def __init__(self, options: Sequence[Sequence[tuple[_Other, float]]]) -> None:
        """Take, for each common form, what its rows may become, with the share of its rows."""
        bound = math.ceil(256 * max(sum(share for _, share in some) for some in options) - 1e-9)
        self._marked = re.compile(b"[\\x00-\\x%02x]" % (bound - 1)) if bound else None
        self._options = [[one for one, _ in some] for some in options]
        self._reached = [[*accumulate(256 * share for _, share in some), float(bound)] for some in options]

    def draw(self, common: _Drawn, random: Random) -> list[tuple[_Other, list[int]]]:
        """Return each of the other forms that some rows have, with these rows."""
        if self._marked is None:
            return []
        rows_of: dict[_Other, list[int]] = {}
        for found in self._marked.finditer(random.randbytes(common.count)):
            row = found.start()
            form = common.form_of(row)
            reached = self._reached[form]
            chosen = bisect_right(reached, random.random() * reached[-1], 0, len(reached) - 1)
            if chosen < len(self._options[form]):
                rows_of.setdefault(self._options[form][chosen], []).append(row)
        return [*rows_of.items()]


class _Other:
    """A form that some rows have: what it adds before and after a common one, or all of it."""

    def __init__(self, form: _Form, common: range | None) -> None:
        """Take the places of the parts that come from the common form; none where the form is around none."""
        inside = common or range(len(form.parts), len(form.parts))
        self._keeps = common is not None
        self._before = _Run(form, range(inside.start))
        self._after = _Run(form, range(inside.stop, len(form.parts)))

    def change(self, texts: list[str], rows: Sequence[int], random: Random) -> Callable[[list[list[str]]], None] | None:
        """Give rows this form, and return what changes the pieces of their slugs; None where these stay."""
        before, after = self._before.draw(random, len(rows)), self._after.draw(random, len(rows))
        for row, first, last in zip(
            rows, self._before.texts(before, len(rows)), self._after.texts(after, len(rows)), strict=True
        ):
            texts[row] = f"{first}{texts[row]}{last}" if self._keeps else f"{first}{last}"
        if self._keeps and not (self._before.named or self._after.named):
            return None

        def change_slugs(pieces: list[list[str]]) -> None:
            firsts, lasts = self._before.slugs(before, len(rows)), self._after.slugs(after, len(rows))
            for row, first, last in zip(rows, firsts, lasts, strict=True):
                own = "".join(piece[row] for piece in pieces) if self._keeps else ""
                pieces[0][row] = ".".join(filter(None, (first, own, last)))
                for piece in pieces[1:]:
                    piece[row] = ""

        return change_slugs


class _Run:
    """Neighbouring parts of a form, with the literals around them."""

    def __init__(self, form: _Form, places: range) -> None:
        self._parts = form.parts[places.start : places.stop]
        self._literals = form.literals[places.start : places.stop + 1]
        self.named = any(part.in_slug for part in self._parts)

    def draw(self, random: Random, count: int) -> list[list[int]]:
        """Return the outcome of each part for some rows."""
        return [random.choices(range(len(one.texts)), cum_weights=one.reached, k=count) for one in self._parts]

    def texts(self, drawn: Sequence[Sequence[int]], count: int) -> Iterator[str]:
        """Return what these outcomes and the literals are together."""
        pieces: list[Iterable[str]] = [repeat(self._literals[0], count)]
        for part, places, literal in zip(self._parts, drawn, self._literals[1:], strict=True):
            pieces.append([part.texts[at] + literal for at in places])
        return map("".join, zip(*pieces, strict=True))

    def slugs(self, drawn: Sequence[Sequence[int]], count: int) -> Iterator[str]:
        """Return the letters of these outcomes, with dots between them."""
        named = zip(self._parts, drawn, strict=True)
        pieces = [[part.slugs[at] for at in places] for part, places in named if part.in_slug]
        return map(".".join, zip(*pieces, strict=True)) if pieces else repeat("", count)


def _provider_of(locale: str) -> Any:
    """Return the class that Faker has for the persons of a locale, as Faker does: where there is none that of en_US.

    A Faker looks through a hundred folders for it, which takes as long as to draw thousands of names.
    """
    module = f"faker.providers.person.{locale}"
    return import_module(module if find_spec(module) else f"faker.providers.person.{LOCALE}").Provider


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
