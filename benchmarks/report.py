"""The samples as Markdown tables: what was to be reached, and what each variant took.

python -m benchmarks.report FILE.jsonl prints them again from a file of samples.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from .measures import Goal, Measure, every
from .samples import Sample, disturbed, of, read

HEAD = ("measure", "ours", "reference", "ratio (from - to)", "target", "met", "disturbed rounds")
DETAILS = ("measure", "variant", "rounds", "seconds", "CPU s", "server CPU s", "peak MiB", "rows/s")


def render(machine: str, samples: Sequence[Sample]) -> str:
    """Return both tables, with the machine above and what did not count below."""
    known = {one.measure for one in samples}
    measures = [one for one in every() if one.name in known]
    goals = [_row(measure, goal, samples) for measure in measures for goal in measure.goals]
    parts = [
        machine,
        _table(HEAD, goals),
        "Medians over the rounds; a ratio is taken within each round. L0: the driver's fastest plain path, fed with the"
        " same rows ready-made; L1: the same with indexes and keys built after the load, in one transaction.",
        _table(DETAILS, [row for measure in measures for row in _details(measure, samples)]),
        *_problems(samples),
    ]
    return "\n\n".join(parts) + "\n"


def _row(measure: Measure, goal: Goal, samples: Sequence[Sample]) -> list[str]:
    ours, against = of(samples, measure.name, goal.ours), of(samples, measure.name, goal.against)
    rounds = sorted(ours.keys() & against.keys())
    title = measure.title if goal.ours == "ours" else f"{measure.title}: {goal.ours}"
    if not rounds:
        return [title, "", goal.against, "", _target(goal), "not measured", ""]
    ratios = [_ratio(goal, ours[number], against[number]) for number in rounds]
    reached, met = median(ratios), _is_met(goal, median(ratios))
    marked = len((disturbed(ours.values()) | disturbed(against.values())) & set(rounds))
    spread = f"{_number(reached)} ({_number(min(ratios))} - {_number(max(ratios))})"
    shown = [_value(goal, measure, [samples[number] for number in rounds]) for samples in (ours, against)]
    return [
        title,
        shown[0],
        f"{goal.against}: {shown[1]}",
        spread,
        _target(goal),
        "yes" if met else "**no**",
        f"{marked} of {len(rounds)}",
    ]


def _ratio(goal: Goal, ours: Sample, against: Sample) -> float:
    if goal.kind == "memory":
        return ours.peak_mib - against.peak_mib
    if goal.kind == "milliseconds":
        return ours.wall * 1000
    return ours.wall / against.wall if goal.kind == "time" else against.wall / ours.wall


def _is_met(goal: Goal, reached: float) -> bool:
    return reached >= goal.limit if goal.kind in ("speed", "faster") else reached <= goal.limit


def _target(goal: Goal) -> str:
    if goal.kind == "memory":
        return f"at most {goal.limit:g} MiB more"
    if goal.kind == "milliseconds":
        return f"at most {goal.limit:g} ms"
    return f"{'at least' if goal.kind in ('speed', 'faster') else 'at most'} {goal.limit:g}x"


def _value(goal: Goal, measure: Measure, taken: Sequence[Sample]) -> str:
    if goal.kind == "memory":
        return f"{_median(taken, lambda one: one.peak_mib):.0f} MiB"
    if goal.kind in ("time", "faster", "milliseconds"):
        took = _median(taken, lambda one: one.wall) * 1000
        return f"{took:.1f} ms" if took < 10 else f"{took:.0f} ms"
    return f"{_median(taken, lambda one: one.rows_per_second):,.0f} rows/s"


def _details(measure: Measure, samples: Sequence[Sample]) -> Iterator[list[str]]:
    for variant in measure.variants:
        taken = list(of(samples, measure.name, variant.name).values())
        if not taken:
            continue
        seconds = [f"{_median(taken, field):.3f}" for field in _SECONDS]
        rate = _median(taken, lambda one: one.rows_per_second)
        memory = f"{_median(taken, lambda one: one.peak_mib):.0f}"
        shown_rate = f"{rate:,.0f}" if rate else ""
        yield [measure.title, variant.name, str(len(taken)), *seconds, memory, shown_rate]


_SECONDS: tuple[Callable[[Sample], float], ...] = (
    lambda one: one.wall,
    lambda one: one.cpu,
    lambda one: one.server_cpu,
)


def _problems(samples: Sequence[Sample]) -> list[str]:
    found = dict.fromkeys(f"- {one.measure}, {one.variant}: {one.problem}" for one in samples if one.problem)
    return ["Not counted:\n\n" + "\n".join(found)] if found else []


def _median(taken: Sequence[Sample], field: Callable[[Sample], float]) -> float:
    return median(map(field, taken))


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 20 else f"{value:.{3 if abs(value) < 2 else 1}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(render(*read(Path(sys.argv[1]))), end="")
