"""A few of the faults of each sort at every run of the tests; `make test-faults` has all of them.

What is broken on purpose to see these fail: a commit in the middle of a step, no transaction, no lock, bookkeeping
written after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.databases import Database
from tests.faults import kills, sequences, sessions, stages, statements, writes
from tests.faults.stages import Stage
from tests.faults.states import Verdict
from tests.houses import House


@pytest.fixture
def stage(house: House, database: Database) -> Stage:
    return Stage(house, database)


@pytest.fixture
def server_stage(house: House, server_database: Database) -> Stage:
    return Stage(house, server_database)


def expect_clean(verdict: Verdict, tries: int) -> None:
    assert verdict.is_clean, "\n".join(verdict.words)
    assert verdict.tries == tries


def test_a_migration_killed_at_a_statement_is_done_by_the_next(stage: Stage) -> None:
    [work] = stages.from_half_way(stage, and_back=False)

    verdict = kills.at_points(stage, work, (24, 34))

    expect_clean(verdict, 2)


def test_a_seeding_killed_at_a_statement_is_done_by_the_next(stage: Stage) -> None:
    [work] = stages.seedings(stage, 300, anew=False)

    verdict = kills.at_points(stage, work, (2, 12))

    expect_clean(verdict, 2)


def test_a_reset_killed_at_a_statement_is_done_by_the_next(stage: Stage) -> None:
    [work] = stages.resets(stage, 50, looked_at=False)

    verdict = kills.at_points(stage, work, (6, 60))

    expect_clean(verdict, 2)


AT: dict[str, dict[str, Sequence[int]]] = {
    "sqlite": {"takings": (8,), "restores": (16, 21), "resets_from_snapshot": (17,)},
    "postgresql": {"takings": (6,), "restores": (12,), "resets_from_snapshot": (14,)},
    "mariadb": {"takings": (28,), "restores": (53,), "resets_from_snapshot": (30,)},
}


@pytest.mark.parametrize("what", ["takings", "restores", "resets_from_snapshot"])
def test_a_snapshot_taken_or_put_back_and_killed_leaves_the_old_or_the_new_and_nothing_beside(
    stage: Stage, what: str
) -> None:
    [work] = getattr(stages, what)(stage, 40)
    points = AT[stage.kind][what]

    verdict = kills.at_points(stage, work, points)

    expect_clean(verdict, len(points))


def test_a_session_at_the_file_writes_what_everybody_sees_or_is_refused(
    house: House, sqlite_database: Database
) -> None:
    stage = Stage(house, sqlite_database)
    [work] = stages.restores(stage, 40)

    verdict = sessions.around_the_copy(stage, work, (15, 25))

    expect_clean(verdict, 8)


def test_a_disk_that_is_full_is_named_and_the_next_run_does_it_all(house: House, sqlite_database: Database) -> None:
    stage = Stage(house, sqlite_database)
    [migration] = stages.from_half_way(stage, and_back=False)
    size = len(migration.start.files[sqlite_database.name])

    verdict = writes.at_sizes(stage, migration, (size, size + 8192))
    stage.clear()
    [seeding] = stages.seedings(stage, 300, anew=False)
    size = len(seeding.start.files[sqlite_database.name])
    verdict.add(writes.at_sizes(stage, seeding, (size + 32768,)))

    expect_clean(verdict, 3)


def test_a_session_that_is_cut_leaves_all_or_nothing_and_says_so(server_stage: Stage) -> None:
    [work] = stages.seedings(server_stage, 300, anew=False)

    verdict = kills.cut(server_stage, work, "cut-all", (40,))

    expect_clean(verdict, 1)


def test_a_migration_that_fails_at_a_statement_leaves_nothing_or_names_it(stage: Stage) -> None:
    verdict = statements.failing(stage, ["SQL that is refused"], every=6)

    expect_clean(verdict, 4)


def test_random_commands_some_of_them_killed_leave_what_the_model_says(stage: Stage) -> None:
    assert sequences.check(stage, examples=1, steps=6) > 0
