"""Eight migrators at once: each revision is applied once."""

from __future__ import annotations

from tests.faults.stages import Stage
from tests.faults.states import State, Verdict

AT_ONCE = 8
STARTS = {"from empty": 0, "from half-way": 6, "at head": 9}  # revisions that are applied before


def at_once(stage: Stage, rounds: int) -> Verdict:
    """Start eight migrators at the same moment, from each start, so many times."""
    verdict = Verdict()
    empty = stage.save()
    stage.run.ok("migrate")
    head = stage.state()
    for start, applied in STARTS.items():
        stage.restore(empty)
        if applied:
            stage.run.ok("migrate", f"+{applied}")
        snapshot = stage.save()
        for number in range(rounds):
            stage.restore(snapshot)
            _round(stage, verdict, head, applied, f"8 migrators {start}, round {number + 1}")
    return verdict


def _round(stage: Stage, verdict: Verdict, head: State, applied: int, where: str) -> None:
    results = [one.wait() for one in [stage.run.start("migrate") for _ in range(AT_ONCE)]]
    verdict.tries += 1
    steps = [line.split()[0] for one in results for line in one.out.splitlines() if line.startswith("  ")]
    wanted = stage.house.line()[applied:]
    verdict.duplicated += len(steps) - len(set(steps))
    for one in results:
        if one.code != 0:
            verdict.lose(f"{where}: one ends with {one}")
        elif not all(line.startswith("waiting for ") for line in one.err.splitlines()):
            verdict.blame(f"{where}: {one}")
    if sorted(steps) != sorted(wanted):
        verdict.lose(f"{where}: applied {steps}, not {wanted}")
    verdict.compare(head, stage.state(), where)
