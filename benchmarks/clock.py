"""Time work inside its own process: wall and CPU seconds, those of the database server and of others, peak memory."""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

SERVERS = {"postgresql": ("postgres",), "mariadb": ("mariadbd", "mysqld")}
PROC = Path("/proc")


class Clock:
    """All clocks, started before the work and stopped after it; reading them takes no part of what they show."""

    def __init__(self, kind: str = "") -> None:
        self._servers = SERVERS.get(kind, ())
        self._around = self._read_around()
        self._own = _read_own()

    def stop(self) -> dict[str, float]:
        """Return the seconds that passed: wall, CPU of this process and its children, of the server, of all others."""
        wall, cpu = (after - before for after, before in zip(_read_own(), self._own, strict=True))
        server, all_of_it = (after - before for after, before in zip(self._read_around(), self._around, strict=True))
        return {"wall": wall, "cpu": cpu, "server_cpu": server, "other_cpu": max(0.0, all_of_it - cpu - server)}

    def _read_around(self) -> tuple[float, float]:
        return _cpu_of(self._servers), _cpu_of_machine()


def timed(work: Callable[[], object], kind: str = "") -> dict[str, float]:
    """Do the work once and return what it took; memory is the peak of the whole process until now."""
    gc.collect()  # what preparing left behind
    clock = Clock(kind)
    work()
    return {**clock.stop(), "peak_mib": _peak_kib() / 1024}


def _read_own() -> tuple[float, float]:
    return time.perf_counter(), sum(os.times()[:4])


def _peak_kib() -> int:
    """Return the peak of this process's memory; ru_maxrss alone begins with that of the process it was forked from."""
    status = PROC / "self" / "status"
    lines = status.read_text().splitlines() if status.exists() else []
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _cpu_of(names: tuple[str, ...]) -> float:
    """Return the CPU seconds of the processes of these names and of the children they waited for."""
    if not names or not PROC.exists():
        return 0.0
    ticks = 0
    for process in PROC.glob("[0-9]*"):
        try:
            if process.joinpath("comm").read_text().strip() in names:
                # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime, stime, cutime, cstime
                ticks += sum(map(int, process.joinpath("stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:  # it ended meanwhile, and its parent has its time
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def _cpu_of_machine() -> float:
    if not PROC.joinpath("stat").exists():
        return 0.0
    user, nice, system, _idle, _waiting, *interrupts = map(int, _first_line(PROC / "stat").split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _first_line(file: Path) -> str:
    with file.open() as lines:
        return lines.readline()
