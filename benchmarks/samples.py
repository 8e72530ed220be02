"""What was measured: one sample a line, written as soon as it is there."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

BUSY_CORES, TICKS = 0.5, 0.05  # what others may use while a sample is taken, and seconds that are only rounding
SLOW = 1.5  # times the median of its variant


@dataclass(frozen=True)
class Sample:
    """One variant of one measure in one round; seconds, MiB and rows."""

    measure: str
    variant: str
    round: int
    rows: int
    wall: float = 0.0
    cpu: float = 0.0  # of the process
    server_cpu: float = 0.0
    other_cpu: float = 0.0
    peak_mib: float = 0.0
    load: float = 0.0  # average of the last minute, before
    rows_per_second: float = 0.0
    problem: str = ""  # why it does not count

    def is_disturbed(self, usual: float) -> bool:
        """Return whether other work was going on, by the load, by its CPU, or by a time out of the usual."""
        busy = self.load > 2 * (os.cpu_count() or 1) or self.other_cpu > BUSY_CORES * self.wall + TICKS
        return busy or self.wall > SLOW * usual


def append(file: Path, sample: Sample) -> None:
    """Add a sample to a file of JSON lines."""
    _append(file, asdict(sample))


def start(file: Path, databases: dict[str, str]) -> None:
    """Begin a file with the machine it is measured on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    _append(file, {"machine": machine(databases)})


def read(file: Path) -> tuple[str, list[Sample]]:
    """Return the machine and the samples of a file."""
    first, *others = (json.loads(line) for line in file.read_text().splitlines())
    return first["machine"], [Sample(**one) for one in others]


def of(samples: Iterable[Sample], measure: str, variant: str) -> dict[int, Sample]:
    """Return a variant's samples that count, by their round."""
    return {one.round: one for one in samples if (one.measure, one.variant) == (measure, variant) and not one.problem}


def disturbed(samples: Iterable[Sample]) -> set[int]:
    """Return the rounds of one variant that were disturbed."""
    taken = list(samples)
    usual = median(one.wall for one in taken) if taken else 0.0
    return {one.round for one in taken if one.is_disturbed(usual)}


def machine(databases: dict[str, str]) -> str:
    """Describe this machine in one line: what a reader needs to compare, and no name or address."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    software = [f"{name} {version}" for name, version in {"Python": platform.python_version(), **databases}.items()]
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}; {', '.join(software)}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _append(file: Path, content: dict[str, object]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(content) + "\n")
        lines.flush()
        os.fsync(lines.fileno())
