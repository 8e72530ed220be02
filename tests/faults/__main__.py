"""`make test-faults`: every fault at its full figures, on every database, and one table of what came of it.

Run it as `python -m tests.faults`; words after that pick the rows whose names have them all, as in `kill sqlite`, and
`--every 10` looks at every tenth point only. A row that does not look at each point says so in its name.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from tests.databases import KINDS, SERVERS, why_no_server
from tests.faults import kills, migrators, sequences, sessions, statements, writes
from tests.faults.stages import (
    Stage,
    Work,
    building_resets,
    migrations,
    opened,
    resets,
    resets_from_snapshot,
    restores,
    seedings,
    takings,
)
from tests.faults.states import Verdict
from tests.processes import REPOSITORY

ROUNDS = 20
MOMENTS = 200
ROWS = 2_000  # of each table in a seeding that is killed
FEW = 300  # where every write is a try
SAVED = 400  # in a snapshot
SEQUENCES, STEPS = 25, 14
CUTS, KILLS, LINKS = 4, 2, 3  # one in so many statements: beside the moments they find little more
BUILDING = 8  # one in so many, where what is between is looked at by other rows
AT_ONCE = 2  # processes
RESULTS = REPOSITORY / "tests" / "faults" / "RESULTS.md"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}


@dataclass(frozen=True)
class Row:
    """One row of the table: a fault on a database."""

    fault: str
    kind: str
    run: Callable[[Stage], Verdict]
    needs_strace: bool = False

    @property
    def name(self) -> str:
        return f"{self.fault}, {TITLES[self.kind]}"


def rows(every: int = 1) -> list[Row]:
    """Return every row, the long ones first, so that both processes end together."""
    moments = MOMENTS // every
    each = []
    for words, (fault, share) in _SYSTEM_CALLS.items():
        title, points = f"{words} {_some('write', share * every)} of", _points_of(share * every)
        each += [
            Row(f"{title} {name}", "sqlite", _writes(make, fault, points), needs_strace=True)
            for name, make in (*_FILES, *_COPIES)
        ]
    cuts, kills_at = CUTS * every, KILLS * every
    for kind in SERVERS:
        title = f"sessions cut at {_some('statement', cuts)} of"
        each += [Row(f"{title} {name}", kind, _cut(make, _points_of(cuts))) for name, make in _WORKS]
    for kind in KINDS:
        title = f"kill -9 at {_some('statement', kills_at)} of"
        each += [Row(f"kill -9 at {moments} moments of {name}", kind, _moments(make, moments)) for name, make in _WORKS]
        each += [Row(f"{title} {name}", kind, _points(make, _points_of(kills_at))) for name, make in _WORKS]
        each += [
            Row(f"kill -9 at {moments} moments of {name}", kind, _moments(make, moments))
            for name, make in (*_COPIES, _BUILDS)
        ]
        step = kills_at if kind == "mariadb" else every  # which has many for each table
        title = f"kill -9 at {_some('statement', step)} of"
        each += [Row(f"{title} {name}", kind, _points(make, _points_of(step))) for name, make in _COPIES]
        name, make = _BUILDS
        title = f"kill -9 at {_some('statement', BUILDING * every)} of {name}"
        each.append(Row(title, kind, _points(make, _points_of(BUILDING * every))))
        each += [
            Row("8 migrators at once, from empty, half-way, at head", kind, _migrators),
            Row("a migration that fails at each statement", kind, statements.failing),
            Row("reset with other sessions open", kind, _sessions),
            Row("random commands, some killed", kind, _sequences),
        ]
    each += [
        Row(f"{name} killed at {_some('point', every)}, a session at the file", "sqlite", _file_of(make, every))
        for name, make in _COPIES[1:]
    ]
    title = f"reset by a link, over a -wal or a hot journal, killed at {_some('statement', LINKS * every)}"
    return [*each, Row(title, "sqlite", _file(LINKS * every))]


def _some(point: str, step: int) -> str:
    return f"each {point}" if step == 1 else f"one in {step} {point}s"


def _points_of(step: int) -> range:
    return range(1, kills.MOST_POINTS, step)


def _works(make: Callable[[Stage], list[Work]], judge: Callable[[Stage, Work], Verdict]) -> Callable[[Stage], Verdict]:
    def run(stage: Stage) -> Verdict:
        verdict = Verdict()
        for work in make(stage):
            verdict.add(judge(stage, work))
        return verdict

    return run


def _moments(make: Callable[[Stage], list[Work]], moments: int) -> Callable[[Stage], Verdict]:
    def run(stage: Stage) -> Verdict:
        verdict, works = Verdict(), make(stage)
        for work in works:
            verdict.add(kills.at_moments(stage, work, -(-moments // len(works))))
        return verdict

    return run


def _points(make: Callable[[Stage], list[Work]], points: range) -> Callable[[Stage], Verdict]:
    return _works(make, lambda stage, work: kills.at_points(stage, work, points))


def _cut(make: Callable[[Stage], list[Work]], points: range) -> Callable[[Stage], Verdict]:
    def run(stage: Stage, work: Work) -> Verdict:
        verdict = kills.cut(stage, work, "cut", points)
        verdict.add(kills.cut(stage, work, "cut-all", points[::4]))
        return verdict

    return _works(make, run)


def _writes(make: Callable[[Stage], list[Work]], fault: str, numbers: range) -> Callable[[Stage], Verdict]:
    return _works(make, lambda stage, work: writes.at_writes(stage, work, fault, numbers))


def _migrators(stage: Stage) -> Verdict:
    return migrators.at_once(stage, ROUNDS)


def _sessions(stage: Stage) -> Verdict:
    return _works(lambda one: resets(one, 60), lambda one, work: sessions.around(one, work, patient=True))(stage)


def _file(every: int) -> Callable[[Stage], Verdict]:
    return _works(lambda one: resets(one, 60), lambda one, work: sessions.around_the_file(one, work, every))


def _file_of(make: Callable[[Stage], list[Work]], every: int) -> Callable[[Stage], Verdict]:
    return _works(make, lambda stage, work: sessions.around_the_copy(stage, work, _points_of(every)))


def _sequences(stage: Stage) -> Verdict:
    verdict = Verdict()
    try:
        verdict.tries = sequences.check(stage, SEQUENCES, STEPS)
    except AssertionError as error:
        verdict.tries = 1
        verdict.lose(str(error))
    return verdict


def _in_wal_mode(stage: Stage, works: list[Work]) -> list[Work]:
    changed = []
    for work in works:
        stage.restore(work.start)
        with stage.database.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        changed.append(replace(work, name=f"{work.name} in WAL mode", start=stage.save()))
    return changed


def _with_pages_written_early(works: list[Work]) -> list[Work]:
    return [replace(one, name=f"{one.name} with a small cache", environment={"FAULT_CACHE": "1"}) for one in works]


_SYSTEM_CALLS = {
    "crash at": (writes.KILLED, 1),
    "disk full at": (writes.FULL_ONCE, 1),
    "disk full from then on, at": (writes.FULL_FROM, 4),  # which differs little from the one before
}
_WORKS: Sequence[tuple[str, Callable[[Stage], list[Work]]]] = (
    ("migrate, up and down", migrations),
    ("seed", lambda stage: seedings(stage, ROWS)),
    ("reset", lambda stage: resets(stage, 400)),
)
_COPIES: Sequence[tuple[str, Callable[[Stage], list[Work]]]] = (
    ("snapshot", lambda stage: takings(stage, SAVED)),
    ("restore", lambda stage: restores(stage, SAVED)),
    ("reset from a snapshot", lambda stage: resets_from_snapshot(stage, SAVED)),
)
_BUILDS: tuple[str, Callable[[Stage], list[Work]]] = (
    "reset that builds beside the database",
    lambda stage: building_resets(stage, SAVED),
)
_FILES: Sequence[tuple[str, Callable[[Stage], list[Work]]]] = (
    ("migrate, up and down", migrations),
    ("seed", lambda stage: _with_pages_written_early(seedings(stage, FEW))),
    ("seed in WAL mode", lambda stage: _in_wal_mode(stage, seedings(stage, FEW)[:1])),
    ("reset", lambda stage: resets(stage, 100)),
    ("reset in WAL mode", lambda stage: _in_wal_mode(stage, resets(stage, 100))),
)


# The table


def main(arguments: Sequence[str]) -> int:
    """Run the rows that have all of these words in their names; write the table when that is every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args(arguments)
    words: list[str] = given.words
    chosen = [row for row in rows(given.every) if all(word.lower() in row.name.lower() for word in words)]
    missing = {kind: why_no_server(kind) for kind in SERVERS}
    skipped = {row.name: missing[row.kind] for row in chosen if missing.get(row.kind)}
    if any(row.needs_strace for row in chosen) and (why := writes.why_not()):
        skipped |= {row.name: why for row in chosen if row.needs_strace}
    for name, why in skipped.items():
        print(f"skipped: {name}: {why}", file=sys.stderr)
    if skipped and os.environ.get("CI"):
        return 1
    chosen = [row for row in chosen if row.name not in skipped]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(lambda pair: _run(pair[1], Path(folder, str(pair[0]))), enumerate(chosen)))
    table = _table(chosen, verdicts)
    print(table)
    print(f"{sum(one.tries for one in verdicts):,} tries in {(time.monotonic() - begun) / 60:.0f} minutes.")
    if not words and not skipped:
        RESULTS.write_text(f"{_HEAD}\n{table}\n", encoding="utf-8")
    return 0 if all(verdict.is_clean for verdict in verdicts) else 1


def _run(row: Row, folder: Path) -> Verdict:
    begun = time.monotonic()
    try:
        with opened(row.kind, folder) as stage:
            verdict = row.run(stage)
    except (AssertionError, OSError, sa.exc.SQLAlchemyError):  # it is told, and the other rows go on
        verdict = Verdict()
        verdict.lose(traceback.format_exc())
    print(f"{row.name}: {verdict.tries:,} tries, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    for words in verdict.words[:20]:
        shown = words if len(words) < 900 else f"{words[:300]} … {words[-500:]}"
        print(f"    {shown}", file=sys.stderr, flush=True)
    return verdict


def _table(chosen: Sequence[Row], verdicts: Sequence[Verdict]) -> str:
    cells = [
        (
            f"{row.name}{f' ({one.refused:,} refused, the revision named)' if one.refused else ''}",
            f"{one.tries:,}",
            *map(str, (one.lost, one.duplicated, one.unclear)),
        )
        for row, one in zip(chosen, verdicts, strict=True)
    ]
    heads = ("fault", "tries", "lost", "duplicated", "unclear messages")
    lines = [heads, ("---", "---:", "---:", "---:", "---:"), *sorted(cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_HEAD = """\
# What came of the faults

`make test-faults` wrote this. A try is one fault: after it the database is as before, as after, or at a step between,
and the next run ends in exactly the state of a run that nothing disturbed: schema, rows, revision, bookkeeping. *Lost*
and *duplicated* count rows and parts of the schema, *unclear* the failures that are not one line with a cure.
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
