"""A chart of rows a second: this project between its peers and the limits.

python -m benchmarks.chart FILE.jsonl CHART.svg, with the Python of benchmarks/.venv.
"""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from .samples import Sample, of, read

OURS, OTHERS = "#0b7a75", "#b8c4c6"
PANELS = {  # the measures of a panel, and what its bars are called
    "10,000 students into SQLite": {"peers-10k": ""},
    "100,000 students": {
        "students-sqlite-100k": "SQLite",
        "drizzle-100k": "SQLite",
        "students-postgresql-100k": "PostgreSQL",
        "students-mariadb-100k": "MariaDB",
    },
}


def draw(samples: Sequence[Sample], file: Path) -> None:
    """Write the chart; a panel without samples is left out."""
    panels = {title: bars for title, measures in PANELS.items() if (bars := _bars(samples, measures))}
    if not panels:
        return
    plt.rcParams.update({"svg.hashsalt": "benchmarks", "font.size": 10})
    heights = [len(bars) + 1.5 for bars in panels.values()]
    figure, axes = plt.subplots(
        len(panels), figsize=(8, 0.36 * sum(heights)), squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for axis, (title, bars) in zip(axes[:, 0], panels.items(), strict=True):
        _panel(axis, title, bars)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def _bars(samples: Sequence[Sample], measures: dict[str, str]) -> dict[str, float]:
    """Return rows a second by the name of the bar, the fastest of a measure first."""
    bars: dict[str, float] = {}
    for measure, database in measures.items():
        variants = dict.fromkeys(one.variant for one in samples if one.measure == measure)
        rates = {one: _rate(samples, measure, one) for one in variants}
        for variant, rate in sorted(rates.items(), key=lambda item: -item[1]):
            if rate:
                bars.setdefault(f"{database}, {variant}".removeprefix(", "), rate)
    return bars


def _rate(samples: Sequence[Sample], measure: str, variant: str) -> float:
    taken = of(samples, measure, variant).values()
    return median(one.rows_per_second for one in taken) if taken else 0.0


def _panel(axis: Any, title: str, bars: dict[str, float]) -> None:
    names, rates = list(bars), list(bars.values())
    colors = [OURS if name.rpartition(", ")[2].startswith("ours") else OTHERS for name in names]
    drawn = axis.barh(names, rates, color=colors)
    axis.bar_label(drawn, [f"{rate:,.0f}" for rate in rates], padding=4)
    axis.set_title(f"{title}: rows a second", loc="left", fontweight="bold")
    axis.invert_yaxis()
    axis.set_xlim(0, max(rates) * 1.15)
    axis.xaxis.set_visible(False)
    axis.tick_params(left=False)
    axis.spines[:].set_visible(False)


if __name__ == "__main__":
    draw(read(Path(sys.argv[1]))[1], Path(sys.argv[2]))
