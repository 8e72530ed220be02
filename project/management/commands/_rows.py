"""The options that say which rows: seed and reset share them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from ..blocks import MOST
from ..errors import CommandError, shortened


def add_row_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=count_of("--count"), metavar="N", help="rows each table shall have from seed")
    parser.add_argument("--random-seed", type=_whole_number, default=1, metavar="S", help="which rows (1)")
    parser.add_argument("--locale", default="en_US", metavar="L", help="Faker's locale (en_US)")


def count_of(option: str) -> Callable[[str], int]:
    """Return what reads a count of rows from the command line."""

    def count(text: str) -> int:
        digits = text.replace("_", "").replace(",", "")
        if not digits.isascii() or not digits.isdigit():
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows: it is a whole number from 0")
        if len(digits) > 30 or int(digits) > MOST:
            shown = f"{int(digits):,}" if len(digits) <= 30 else f"a number of {len(digits)} digits"
            raise CommandError(
                f"{option} {shown} is more than this project seeds at once", f"the most is {MOST:,}", exit_code=2
            )
        return int(digits)

    return count


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,100}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{shortened(text)!r} is not a whole number of at most 100 digits")
    return int(text)
