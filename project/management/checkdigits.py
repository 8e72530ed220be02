"""Numbers that end in a digit computed from the others, or hold one: ISBN, EAN, ISSN, IBAN and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import cycle


def corrected(provider: str, text: str) -> str:
    """Return a text with the check digits that the numbers of a provider have; as it is where these have none."""
    return _CORRECT[provider](text) if provider in _CORRECT else text


def places(provider: str, text: str) -> range:
    """Return at which places of a text its check digits stand."""
    if provider == "iban":
        return range(2, 4)
    return range(len(text) - 1, len(text)) if provider in _CORRECT else range(0)


def _last(check: Callable[[list[int]], str]) -> Callable[[str], str]:
    return lambda text: text[:-1] + check([int(one) for one in text[:-1] if one.isdigit()])


def _ean(digits: list[int]) -> str:
    """https://www.gs1.org/services/how-calculate-check-digit-manually"""
    return str(-sum(_weighed(reversed(digits), (3, 1))) % 10)


def _modulo_11(digits: list[int]) -> str:
    """ISBN-10 and ISSN: the digits weigh their place from the end, and ten is an X."""
    rest = -sum(digit * weight for weight, digit in enumerate(reversed(digits), 2)) % 11
    return "X" if rest == 10 else str(rest)


def _luhn(digits: list[int]) -> str:
    return str(-sum(sum(divmod(one, 10)) for one in _weighed(reversed(digits), (2, 1))) % 10)


def _weighed(digits: Iterable[int], weights: tuple[int, ...]) -> list[int]:
    return [digit * weight for digit, weight in zip(digits, cycle(weights), strict=False)]


def _iban(text: str) -> str:
    """https://www.iso13616.org: letters count from 10, and what is behind the check digits comes first."""
    number = int("".join(str(int(one, 36)) for one in f"{text[4:]}{text[:2]}00" if one.isalnum()))
    return f"{text[:2]}{98 - number % 97:02}{text[4:]}"


_CORRECT: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("ean13", "ean8", "isbn13", "upc_a"), _last(_ean)),
    **dict.fromkeys(("isbn10", "issn"), _last(_modulo_11)),
    **dict.fromkeys(("credit_card_number", "imei"), _last(_luhn)),
    "iban": _iban,
}
