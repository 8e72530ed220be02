"""One load in a process of its own, ours or a limit's: prints what it took as one line of JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from . import ours
from .clock import timed
from .limits import LIMITS, Work


@dataclass(frozen=True)
class Job:
    """What one process is to load, and how: `ours`, `ours without files`, `L0` or `L1`."""

    way: str
    kind: str
    url: str
    table: str
    modules: str  # the file that remembers what a run of ours imports
    count: int | None = None
    add: int | None = None
    ready: str = ""  # the file of ready-made rows
    columns: tuple[str, ...] = ()
    remember: bool = False

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def main(text: str) -> None:
    """Prepare the work and time it."""
    job = Job(**json.loads(text))
    print(json.dumps(timed(_prepare(job), job.kind)))
    if job.remember:
        ours.remember_modules(Path(job.modules))


def _prepare(job: Job) -> Work:
    if job.way in ("L0", "L1"):
        limit = LIMITS[job.kind]
        return limit(job.url, job.table, job.columns, Path(job.ready), rebuild=job.way == "L1")
    if job.way == "ours without files":
        ours.forbid_files()
    return ours.prepare(job.url, job.table, count=job.count, add=job.add, modules=Path(job.modules))


if __name__ == "__main__":
    main(sys.argv[1])
