"""`kill -9`, at moments spread over a whole run and at every point of the work itself; sessions that are cut."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator

from tests.faults.stages import Stage, Work, check_words, judge
from tests.faults.states import Verdict
from tests.processes import Result

MOST_POINTS = 100_000  # no run comes to so many


def at_moments(stage: Stage, work: Work, points: int) -> Verdict:
    """Kill a run at so many moments, spread evenly from its start to its end."""
    verdict, length = Verdict(), _length(stage, work)
    for number in range(points):
        stage.restore(work.start)
        running = stage.run.start(*work.command, env=work.environment)
        time.sleep(length * number / points)  # wherever it is by then: what is true afterwards is the same
        running.kill()
        verdict.tries += 1
        judge(
            stage, work, verdict, f"{work.name} killed after {number} of {points} parts of {length:.2f} s", killed=True
        )
    return verdict


def _length(stage: Stage, work: Work) -> float:
    """Return the seconds that an undisturbed run takes."""
    measured = []
    for _ in range(3):
        stage.restore(work.start)
        begun = time.perf_counter()
        stage.run.ok(*work.command, env=work.environment)
        measured.append(time.perf_counter() - begun)
    return sorted(measured)[1]


def at_points(stage: Stage, work: Work, points: Iterable[int] = range(1, MOST_POINTS)) -> Verdict:
    """Kill a run at its first, second, third ... statement until it passes."""
    verdict = Verdict()
    for number, result in _faults(stage, work, "kill", points):
        where = f"{work.name} killed at point {number}"
        assert result.code == -signal.SIGKILL, where
        verdict.tries += 1
        judge(stage, work, verdict, where, killed=True)
    return verdict


def cut(stage: Stage, work: Work, fault: str, points: Iterable[int] = range(1, MOST_POINTS)) -> Verdict:
    """Cut the working session, or every session, at the first, second, third ... statement until the run passes."""
    verdict = Verdict()
    for number, result in _faults(stage, work, fault, points):
        where = f"{work.name}, {fault} at point {number}"
        verdict.tries += 1
        if result.code != 0:  # it may have been done before
            check_words(result, verdict, where)
        judge(stage, work, verdict, where, done=result.code == 0)
    return verdict


def _faults(stage: Stage, work: Work, fault: str, points: Iterable[int]) -> Iterator[tuple[int, Result]]:
    """Yield the number of each point at which a fault came, with what the run left behind."""
    for number in points:
        stage.restore(work.start)
        sign = stage.sign()
        faults = {"FAULT": fault, "FAULT_AT": str(number), "FAULT_SIGN": str(sign)}
        result = stage.run(*work.command, env={**work.environment, **faults})
        if not sign.exists():
            result.expect(0)
            return
        yield number, result
