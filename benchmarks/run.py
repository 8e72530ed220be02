"""Run the benchmark: every variant of every measure in turn, round after round, then the table and the chart."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import environments, measures, report, samples
from .databases import Unavailable
from .house import ROOT, Failed
from .measures import Measure
from .samples import Sample
from .variants import Variant
from .workshop import Workshop

ROUNDS, QUICK_ROUNDS = 5, 2
LEFT_OUT = "left out: "  # how the problem of a variant begins for which something is not there
RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write what was measured; return 1 when something did not do what it should."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit that still drops the databases
    chosen = measures.choose(options.only, quick=options.quick)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    file = options.output / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.jsonl"
    with Workshop() as workshop:
        samples.start(file, workshop.versions())
        for measure in chosen:
            _take(measure, workshop, file, max(1, round(rounds * measure.rounds)))
    return _conclude(file, options.chart or options.output / "chart.svg")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [one.name for one in measures.every()]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the main measures, in about two minutes")
    parser.add_argument("--only", nargs="+", default=[], choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds ({ROUNDS}, quick {QUICK_ROUNDS})")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="where the results go")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="where the chart goes (chart.svg in DIR)")
    return parser.parse_args(arguments)


def _take(measure: Measure, workshop: Workshop, file: Path, rounds: int) -> None:
    """Take the samples of one measure; a variant that cannot be run is noted once and left out."""
    variants = list(measure.variants)
    _say(f"{measure.name}: {measure.title}")
    for number in range(rounds):
        first = number % len(measure.variants)  # none is always the one that begins
        for variant in [*variants[first:], *variants[:first]]:
            sample = _sample(measure, variant, number, workshop)
            samples.append(file, sample)
            _say(f"  {number + 1} of {rounds}  {variant.name:28} {sample.problem or f'{sample.wall:.3f} s'}")
            if sample.problem and not sample.wall:
                variants.remove(variant)


def _sample(measure: Measure, variant: Variant, number: int, workshop: Workshop) -> Sample:
    load = os.getloadavg()[0]
    try:
        took = variant.run(workshop)
    except (Unavailable, Failed) as error:
        why = f"{LEFT_OUT}{error}" if isinstance(error, Unavailable) else str(error)
        return Sample(measure.name, variant.name, number, measure.rows, load=load, problem=why)
    rate = measure.rows / took["wall"]
    return Sample(measure.name, variant.name, number, measure.rows, load=load, rows_per_second=rate, **took)


def _conclude(file: Path, chart: Path) -> int:
    machine, taken = samples.read(file)
    table = report.render(machine, taken)
    file.with_name("table.md").write_text(table)
    print(table, end="")
    try:
        command = [environments.python(), "-m", "benchmarks.chart", str(file.resolve()), str(chart.resolve())]
        subprocess.run(command, cwd=ROOT, check=True)
    except (Unavailable, subprocess.CalledProcessError) as error:
        _say(f"no chart: {error}")
    _say(f"The samples are in {file}, the table is beside them, the chart in {chart}.")
    return int(any(one.problem and not one.problem.startswith(LEFT_OUT) for one in taken))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
