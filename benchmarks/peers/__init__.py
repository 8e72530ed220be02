"""What others write to fill the same table: one file a peer, each run in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from ..clock import timed

Prepare = Callable[[str, int], Callable[[], object]]


def run(prepare: Prepare) -> None:
    """Time what `prepare(file, count)` returns, for the SQLite file and the count of the command line."""
    file, count = sys.argv[1], int(sys.argv[2])
    print(json.dumps(timed(prepare(file, count))))
