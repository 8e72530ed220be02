"""Any sequence of commands, some of them killed, against a model of what the database then holds."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.stages import Stage, names_a_revision
from tests.faults.states import State
from tests.processes import Result

SUBJECTS = 14
LONGEST = 0.6  # seconds after which a command is killed; most are done by then
FIRST = {"students": 2, "subjects": 3, "rows of subjects": 4, "enrollments": 5, "counter": 6, "7": 7, "9": 9}
_counts = st.integers(1, 60)
_seeds = st.integers(1, 3)


class Model:
    """What the database is expected to hold."""

    def __init__(self) -> None:
        self.at = 0  # how many revisions are applied
        self.students = 0
        self.enrollments = 0
        self.seeded: dict[str, int] = {}

    def copy(self) -> Model:
        other = Model()
        other.__dict__.update(self.__dict__, seeded=dict(self.seeded))
        return other

    def go_to(self, revision: int) -> Model:
        """Return the model after as many revisions: what a revision makes goes with it."""
        other = self.copy()
        other.at = revision
        for table in ("students", "enrollments"):
            if revision < FIRST[table]:
                setattr(other, table, 0)
                other.seeded.pop(table, None)
        return other

    def seed(self, table: str, rows: int) -> Model:
        other = self.copy()
        setattr(other, table, rows)
        if rows or table in other.seeded:
            other.seeded[table] = rows
        return other

    def rows(self) -> dict[str, int]:
        expected = {"students": self.students, "enrollments": self.enrollments, "counter": 1}
        expected = {table: rows for table, rows in expected.items() if self.at >= FIRST[table]}
        if self.at >= FIRST["subjects"]:
            expected["subjects"] = SUBJECTS if self.at >= FIRST["rows of subjects"] else 0
        return expected

    def differences(self, found: State, line: Sequence[str]) -> list[str]:
        """Return how a database is not what is expected."""
        applied = line.index(found.revision) + 1 if found.revision else 0
        rows = {table: held.total() for table, held in found.rows.items()}
        seeded = {
            key.removeprefix("seeded:"): int(value)
            for key, value in found.bookkeeping.items()
            if key.startswith("seeded:")
        }
        inserted = {key for key in found.bookkeeping if key.startswith("inserted:")}
        wanted = {f"inserted:{table}" for table, first in (("subjects", 4), ("counter", 6)) if self.at >= first}
        counter = list(found.rows.get("counter", ()))
        added = (self.at >= FIRST["7"]) + (self.at >= FIRST["9"])
        checks = {
            "applied": (applied, self.at),
            "rows": (rows, self.rows()),
            "seeded": (seeded, self.seeded),
            "inserted": (inserted, wanted),
            "counter": (counter, [(added,)] if self.at >= FIRST["counter"] else []),
            "damage": (list(found.damage), []),
            "repeated rows": (_repeated(found), []),
        }
        return [f"{name}: {there}, not {want}" for name, (there, want) in checks.items() if there != want]


def _repeated(found: State) -> list[str]:
    """Return the tables in which a row is there twice but for its key."""
    names = [table for table in ("students", "enrollments", "subjects") if table in found.rows]
    return [one for one in names if len({row[1:] for row in found.rows[one]}) != found.rows[one].total()]


class Sequences(RuleBasedStateMachine):
    """Commands as a person gives them, on one stage; each of them leaves what the model says."""

    stage: Stage
    tries = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.line = self.stage.house.line()
        self.history: list[str] = []

    @initialize()
    def start(self) -> None:
        self.stage.clear()

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        found = self.model.differences(self.stage.state(), self.line)
        assert not found, f"after {', '.join(self.history)}: {'; '.join(found)}"

    # Commands that end by themselves

    @rule(revision=st.integers(0, 9))
    def migrate(self, revision: int) -> None:
        self._run("migrate", self._name(revision), "--no-input").expect(0)
        self.model = self.model.go_to(revision)

    @rule(number=st.integers(1, 10))
    def rollback(self, number: int) -> None:
        result = self._run("rollback", str(number), "--no-input")
        if number > self.model.at:
            result.refusal()  # there are fewer, or there is no database yet
        else:
            result.expect(0)
            self.model = self.model.go_to(self.model.at - number)

    @rule(count=_counts, random_seed=_seeds)
    def seed(self, count: int, random_seed: int) -> None:
        self._seed(("--count", str(count), "--random-seed", str(random_seed)), self._to(count, count))

    @rule(count=_counts)
    def seed_students(self, count: int) -> None:
        self._seed(("students", "--count", str(count)), self._to(count, 0))

    @rule(number=_counts)
    def add(self, number: int) -> None:
        model = self.model
        self._seed(("--add", str(number)), self._to(model.students + number, model.enrollments + number))

    @rule(count=_counts, random_seed=_seeds)
    def seed_anew(self, count: int, random_seed: int) -> None:
        after = self.model.seed("students", count).seed("enrollments", count)
        words = ("--fresh", "--no-input", "--count", str(count), "--random-seed", str(random_seed))
        self._seed(words, [after])

    @rule(count=_counts, empty=st.booleans())
    def reset(self, count: int, empty: bool) -> None:
        self._run("reset", "--no-input", *(["--no-seed"] if empty else ["--count", str(count)])).expect(0)
        self.model = Model().go_to(9)
        if not empty:
            self.model = self.model.seed("students", count).seed("enrollments", count)

    # Commands that are killed, wherever they are by then

    @rule(revision=st.integers(0, 9), part=st.floats(0, 1))
    def migrate_and_be_killed(self, revision: int, part: float) -> None:
        way = range(self.model.at, revision, 1 if revision > self.model.at else -1)
        self._kill(part, "migrate", self._name(revision), "--no-input")
        models = [self.model.go_to(one) for one in (*way, revision)] if way else [self.model]
        self._settle([self.model, *models])

    @rule(count=_counts, part=st.floats(0, 1))
    def seed_and_be_killed(self, count: int, part: float) -> None:
        if self.model.at == 9:
            self._kill(part, "seed", "--count", str(count))
            self._settle([self.model, *self._to(count, count)])

    @rule(count=_counts, part=st.floats(0, 1))
    def seed_anew_and_be_killed(self, count: int, part: float) -> None:
        if self.model.at == 9:
            self._kill(part, "seed", "--fresh", "--no-input", "--random-seed", "5", "--count", str(count))
            self._settle([self.model, self.model.seed("students", count).seed("enrollments", count)])

    @rule(count=_counts, part=st.floats(0, 1))
    def reset_and_be_killed(self, count: int, part: float) -> None:
        self._kill(part, "reset", "--no-input", "--count", str(count))
        self.reset(count, False)

    def _seed(self, words: Sequence[str], models: Sequence[Model]) -> None:
        result = self._run("seed", *words)
        if self.model.at < 9:
            said = result.refusal()
            assert "python manage.py migrate" in said, said
        else:
            result.expect(0)
            self.model = models[-1]

    def _to(self, students: int, enrollments: int) -> list[Model]:
        """Return the models after each table that is filled up to these numbers."""
        first = self.model.seed("students", max(students, self.model.students))
        return [first, first.seed("enrollments", max(enrollments, self.model.enrollments))]

    def _name(self, revision: int) -> str:
        return self.line[revision - 1] if revision else "zero"

    def _run(self, *command: str) -> Result:
        type(self).tries += 1
        self.history.append(" ".join(command))
        return self.stage.run(*command)

    def _kill(self, part: float, *command: str) -> None:
        type(self).tries += 1
        self.history.append(f"{' '.join(command)} (killed after {part * LONGEST:.2f} s)")
        running = self.stage.run.start(*command)
        time.sleep(part * LONGEST)  # wherever it is by then: the model knows what may be true
        running.kill()

    def _settle(self, models: Sequence[Model]) -> None:
        """Find out which of the possible states a killed command left; MariaDB may have left half a step."""
        found = self.stage.state()
        if self.stage.kind == "mariadb" and "unfinished" in found.bookkeeping:
            assert names_a_revision(self.stage, self._run("migrate"))
            self.reset(1, True)
            return
        fitting = [one for one in models if not one.differences(found, self.line)]
        assert fitting, f"after {', '.join(self.history)}: {models[0].differences(found, self.line)}"
        self.model = fitting[0]


def check(stage: Stage, examples: int, steps: int) -> int:
    """Try so many sequences, each of so many steps, the same ones every time; return how many commands there were.

    Raises:
        AssertionError: a sequence ended otherwise than the model, with the shortest one that does.
    """

    class Machine(Sequences):
        pass

    Machine.stage = stage
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Machine.tries
