"""A copy of the project with a database: what is done there, and back to how it was in a moment."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import sqlalchemy as sa

from tests.databases import Database, fresh
from tests.faults import injected
from tests.faults.beside import MARK, Beside, Kept
from tests.faults.states import State, Verdict, difference, read
from tests.houses import House, Runner, build
from tests.processes import DEADLINE, Result

COUNTS = """\
op.create_table("counter", sa.Column("n", sa.Integer(), nullable=False))
op.execute("INSERT INTO counter (n) VALUES (0)")"""
ADDS_ONE = 'op.execute("UPDATE counter SET n = n + 1")'
TAKES_ONE = 'op.execute("UPDATE counter SET n = n - 1")'
RECREATES = """\
with op.batch_alter_table("students") as batch:
    batch.add_column(sa.Column("house", sa.String(20)))
    batch.create_check_constraint("a_house_has_a_name", "house <> ''")
op.execute("UPDATE students SET house = 'red'")"""
UNDOES = """\
with op.batch_alter_table("students") as batch:
    batch.drop_constraint("a_house_has_a_name", type_="check")
    batch.drop_column("house")"""


@dataclass(frozen=True)
class Snapshot:
    """A database as it was: SQLite's files; on a server the statements that make its tables, and their rows.

    And what is kept beside it.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    statements: Sequence[str] = ()
    rows: Sequence[tuple[sa.Table, Sequence[dict[str, object]]]] = ()
    sequences: Mapping[str, int] = field(default_factory=dict)  # PostgreSQL's
    beside: Kept = field(default_factory=Kept)


@dataclass(frozen=True)
class Copies:
    """The snapshots around a work, by the words with which their names begin."""

    holding: Mapping[str, State | None]  # what is in each; None: that depends on where the fault came
    at_the_end: Sequence[str]  # what there is after an undisturbed run
    undo: str = ""  # what has the rows of before as soon as they are no longer in the database
    taken: str = ""  # the one to be taken: where it is there, it is not taken again
    or_more: bool = False  # whether a fault may leave another, of what it left half-way or of the same once more


@dataclass(frozen=True)
class Work:
    """A command on a database: how that was before, may be between, and has to be afterwards."""

    name: str
    command: tuple[str, ...]
    start: Snapshot
    before: State
    between: Sequence[State] | None  # what may be there before all of it is done; None: that is not looked at
    after: State
    one_transaction: bool = False  # a run that is killed leaves none of what is between; one that fails may
    environment: Mapping[str, str] = field(default_factory=dict)
    same_keys: bool = False  # it numbers its rows from the start, so that they get the same keys after any fault
    copies: Copies | None = None  # what has to be true of the snapshots, where it takes or restores one

    def allows(self, state: State, *, killed: bool) -> bool:
        """Return whether a run that ended anywhere may leave this behind."""
        known = (self.before, *(() if killed and self.one_transaction else self.between or ()), self.after)
        return self.between is None or any(state.contents == one.contents for one in known)


class Stage:
    """A copy of the project with one database of its own."""

    def __init__(self, house: House, database: Database) -> None:
        self.house, self.database = house, database
        self.run = Runner(house, database.url)
        self.beside = Beside(house, database)
        self._signs = 0
        self._empty = self.save()  # no stage is made for a database that holds something
        prepare(house)

    @property
    def kind(self) -> str:
        return self.database.kind

    def state(self) -> State:
        return read(self.database)

    def sign(self) -> Path:
        """Return a file that is not there yet, for a run to say that the fault came."""
        self._signs += 1
        return self.house.root.parent / f"sign-{self.database.name}-{self._signs}"

    def save(self) -> Snapshot:
        """Remember the database as it is."""
        if self.database.file is not None:
            files = {path.name: path.read_bytes() for path in self._files()}
            return Snapshot(files=files, beside=self.beside.save())
        beside = self.beside.save()
        with self.database.connect() as connection:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            rows = [
                (table, [dict(row) for row in connection.execute(sa.select(table)).mappings()])
                for table in metadata.sorted_tables
            ]
            if self.kind == "mariadb":
                shown = [connection.exec_driver_sql(f"SHOW CREATE TABLE `{table.name}`").one()[1] for table, _ in rows]
                return Snapshot(statements=shown, rows=rows, beside=beside)
            last = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
            sequences = {str(name): int(value) for name, value in connection.execute(sa.text(last))}
        revision = self.database.revision()
        plain = Runner(self.house, self.database.url, module="alembic")
        statements = [plain.ok("upgrade", revision, "--sql").out] if revision else ()
        return Snapshot(statements=statements, rows=rows, sequences=sequences, beside=beside)

    def restore(self, snapshot: Snapshot) -> None:
        """Bring the database back to how it was, and what is beside it; sessions that are left end."""
        self.beside.restore(snapshot.beside)
        if self.database.file is not None:
            for path in self._files():
                path.unlink()
            for file, data in snapshot.files.items():
                self.database.file.with_name(file).write_bytes(data)
            return
        with self.database.connect() as connection:
            self._empty_server(connection)
            driver = connection.connection.driver_connection
            assert driver is not None
            with driver.cursor() as cursor:
                for statement in snapshot.statements:
                    cursor.execute(statement)
            for table, _ in reversed(snapshot.rows):
                connection.execute(table.delete())  # what the migrations themselves have put in
            for table, rows in snapshot.rows:
                if rows:
                    connection.execute(table.insert(), rows)
            for name, value in snapshot.sequences.items():
                connection.execute(sa.select(sa.func.setval(name, value)))
            connection.commit()

    def _empty_server(self, connection: sa.Connection) -> None:
        name = self.database.name
        if self.kind == "mariadb":
            for statement in (f"DROP DATABASE {name}", f"CREATE DATABASE {name}", f"USE {name}"):
                connection.exec_driver_sql(statement)
            return
        # Dropping the whole database takes a checkpoint.
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(sa.text(f"{others} AND pid <> pg_backend_pid()"))
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public AUTHORIZATION pg_database_owner")  # as it was: rights count
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO PUBLIC")
        connection.exec_driver_sql("COMMENT ON SCHEMA public IS 'standard public schema'")

    def settle(self) -> None:
        """Wait until a server has ended the statements of who was killed, for what is not done in a transaction."""
        if self.kind == "sqlite":
            return
        others = sa.text(_SESSIONS_OF[self.kind])
        names = {"name": self.database.name, "copies": f"{self.database.name}{MARK}%".replace("_", "\\_")}
        deadline = time.monotonic() + DEADLINE
        with self.database.connect() as connection:
            while connection.scalar(others, names):
                connection.rollback()  # PostgreSQL shows a transaction who was there at its first look
                assert time.monotonic() < deadline, "a session of who was killed does not end"
                time.sleep(0.002)

    def clear(self) -> None:
        """Begin with an empty database."""
        self.restore(self._empty)

    def _files(self) -> list[Path]:
        file = self.database.file
        assert file is not None
        beside = [file.with_name(file.name + ending) for ending in ("", "-journal", "-wal", "-shm")]
        return [path for path in beside if path.exists()]


_SESSIONS_OF = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE (datname = :name OR datname LIKE :copies"
    " OR application_name = 'manage.py ' || :name) AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE (db = :name OR db LIKE :copies)"
    " AND id <> CONNECTION_ID()",
}


def prepare(house: House) -> None:
    """Put what injects the faults into a copy of the project, and revisions of every sort after its own."""
    if (house.root / "project" / "injected.py").exists():
        return
    # A copy of all of it would only make each try longer; where it counts, it is asked for.
    house.env(SNAPSHOTS_KEPT="0")
    install_points(house)
    house.change(
        "project/seeds/students.py",
        '        born = rows.once("born"',
        '        from project.injected import point\n\n        point()\n        born = rows.once("born"',
    )
    house.add_revision("c0c0c0c0c0c0", COUNTS, 'op.drop_table("counter")', kind="data")
    house.add_revision("c1c1c1c1c1c1", ADDS_ONE, TAKES_ONE, kind="data")
    house.add_revision("c2c2c2c2c2c2", RECREATES, UNDOES)
    house.add_revision("c3c3c3c3c3c3", ADDS_ONE, TAKES_ONE, kind="data")


def install_points(house: House) -> None:
    """Put what injects the faults into a copy of the project."""
    house.write("project/injected.py", Path(injected.__file__).read_text(encoding="utf-8"))
    house.write("project/settings.py", house.read("project/settings.py") + "\n\nfrom project import injected\n")


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Stage]:
    """Make a stage in a folder, and take its databases away afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with fresh(kind, folder) as database:
        try:
            yield Stage(House(build(folder / "house")), database)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


# The works


OWN_ROW = "INSERT INTO students (name, email, grade, birthday) VALUES ('Ada', 'ada@example.org', 3, '2016-12-10')"


def migrations(stage: Stage) -> list[Work]:
    """From empty, from half-way, and back."""
    first = from_empty(stage)
    stage.clear()
    return [first, *from_half_way(stage)]


def from_empty(stage: Stage) -> Work:
    start, before = stage.save(), stage.state()
    steps = [_after(stage, "migrate", "+1") for _ in stage.house.line()]
    return _migration(stage, "migrate from empty", ("migrate",), start, before, steps)


def from_half_way(stage: Stage, *, and_back: bool = True) -> list[Work]:
    """With rows in a table that is made anew and data migrations that count; and back from head with rows."""
    stage.run.ok("migrate", "+5")
    stage.database.execute(OWN_ROW)
    half, before = stage.save(), stage.state()
    steps = [_after(stage, "migrate", "+1") for _ in range(4)]
    work = _migration(stage, "migrate from half-way", ("migrate",), half, before, steps)
    if not and_back:
        return [work]
    stage.run.ok("seed", "--count", "200")
    full, before = stage.save(), stage.state()
    back = [_after(stage, "rollback", "--no-input") for _ in range(6)]
    command = ("migrate", stage.house.line()[2], "--no-input")
    return [work, _migration(stage, "migrate backwards", command, full, before, back)]


def _migration(
    stage: Stage, name: str, command: tuple[str, ...], start: Snapshot, before: State, steps: Sequence[State]
) -> Work:
    return Work(name, command, start, before, steps, steps[-1], one_transaction=stage.kind == "sqlite")


def seedings(stage: Stage, count: int, *, anew: bool = True) -> list[Work]:
    """More rows for every table; and anew, in one transaction; on servers, which take no number back, the first too."""
    stage.run.ok("migrate")
    empty = stage.save()
    stage.run.ok("seed", "--count", "40")
    start, before = stage.save(), stage.state()
    work = _seeding(stage, "seed", count)
    if not anew:
        return [work]
    stage.restore(start)
    fresh = ("seed", "--fresh", "--no-input", "--random-seed", "7", "--count", str(count))
    works = [work, Work("seed --fresh", fresh, start, before, (), _after(stage, *fresh), same_keys=True)]
    if stage.kind != "sqlite":
        stage.restore(empty)
        works.append(replace(_seeding(stage, "seed of empty tables", count), same_keys=True))
    return works


def _seeding(stage: Stage, name: str, count: int) -> Work:
    start, before = stage.save(), stage.state()
    students = _after(stage, "seed", "students", "--count", str(count))
    command = ("seed", "--count", str(count))
    return Work(name, command, start, before, (students,), _after(stage, *command))


def resets(stage: Stage, count: int, *, looked_at: bool = True) -> list[Work]:
    """A database with rows, and somebody's own among them, emptied and built anew."""
    steps = [stage.state()] if looked_at else None
    if steps is None:
        stage.run.ok("migrate")
    else:
        steps += [_after(stage, "migrate", "+1") for _ in stage.house.line()]
        steps.append(_after(stage, "seed", "students", "--count", str(count)))
    stage.run.ok("seed", "--count", "60")
    stage.database.execute(OWN_ROW)
    start, before = stage.save(), stage.state()
    command = ("reset", "--no-input", "--count", str(count))
    return [Work("reset", command, start, before, steps, _after(stage, *command), same_keys=True)]


def _after(stage: Stage, *command: str) -> State:
    stage.run.ok(*command)
    return stage.state()


# The works with snapshots

KEPT = "kept"  # the name of a snapshot that is there before


def takings(stage: Stage, count: int) -> list[Work]:
    """A snapshot taken of a database with rows, where there is another one."""
    before, held = _old_and_new(stage, count)
    copies = Copies({KEPT: held, "taken": before}, (KEPT, "taken"), taken="taken")
    return [_copying(stage, "snapshot", ("snapshot", "taken"), before, before, copies)]


def restores(stage: Stage, count: int) -> list[Work]:
    """A snapshot put in the place of other rows, which another snapshot then has."""
    before, held = _old_and_new(stage, count)
    copies = Copies({KEPT: held, "before": before}, (KEPT, "before"), undo="before")
    return [_copying(stage, "restore", ("restore", KEPT, "--no-input"), before, held, copies)]


def resets_from_snapshot(stage: Stage, count: int) -> list[Work]:
    """A reset that finds a snapshot of what it would build."""
    command = ("reset", "--no-input", "--count", str(count))
    stage.run.ok(*command, env=_keeping(stage))
    after = stage.state()
    stage.database.execute("DELETE FROM enrollments", OWN_ROW)
    before = stage.state()
    copies = Copies({"reset": after, "before": before}, ("reset", "before"), undo="before")
    return [_copying(stage, "reset from a snapshot", command, before, after, copies)]


def building_resets(stage: Stage, count: int) -> list[Work]:
    """A reset that builds beside the database, and keeps both what was there and what it has built."""
    command = ("reset", "--no-input", "--count", str(count))
    stage.run.ok(*command)
    after = stage.state()
    stage.database.execute("DELETE FROM enrollments", OWN_ROW)
    before = stage.state()
    # Killed when what was built has its place, before what had it is found to be in a snapshot already, that is twice.
    copies = Copies({"reset": after, "before": before}, ("reset", "before"), undo="before", or_more=True)
    return [_copying(stage, "reset that builds beside the database", command, before, after, copies)]


def _old_and_new(stage: Stage, count: int) -> tuple[State, State]:
    """Make a database with rows, and a snapshot of another state of it; return both."""
    stage.run.ok("migrate")
    stage.run.ok("seed", "--count", str(count))
    held = stage.state()
    stage.run.ok("snapshot", KEPT)
    stage.run.ok("seed", "--fresh", "--no-input", "--random-seed", "5", "--count", str(count // 2))
    stage.database.execute(OWN_ROW)
    return stage.state(), held


def _copying(stage: Stage, name: str, command: tuple[str, ...], before: State, after: State, copies: Copies) -> Work:
    return Work(name, command, stage.save(), before, (), after, environment=_keeping(stage), copies=copies)


def _keeping(stage: Stage) -> dict[str, str]:
    """Return the environment in which snapshots are kept, and PostgreSQL's sessions known by their names."""
    return {"SNAPSHOTS_KEPT": "3", "PGAPPNAME": f"manage.py {stage.database.name}"}


# What has to be true


def judge(stage: Stage, work: Work, verdict: Verdict, where: str, *, killed: bool = False, done: bool = False) -> None:
    """Look at what a fault left behind, run the command again, and look at what that made.

    A run that said that it was `done` has left all of it. Only MariaDB may refuse to go on, and only by naming the
    revision that it could not roll back.
    """
    if stage.kind == "mariadb" or work.copies:
        stage.settle()
    left = stage.state()
    if not work.allows(left, killed=killed) and (stage.kind != "mariadb" or work.copies):
        verdict.lose(f"{where}: left behind, {difference_to_nearest(work, left)}")
    if done:
        verdict.compare(work.after, left, f"{where}, which ends with 0")
    there = _look_at_copies(stage, work, work.copies, left, verdict, where) if work.copies else []
    again = stage.run(*work.command, env=work.environment)
    if work.copies:
        _judge_again(stage, work, work.copies, there, again, verdict, f"{where}, and run again")
    if again.code == 0:
        made = stage.state()
        verdict.compare(work.after, made, f"{where}, and run again")
        if work.same_keys and made.keys != work.after.keys:
            verdict.lose(f"{where}, and run again: {different_keys(work.after, made)}")
    elif work.copies and work.copies.taken in there:
        verdict.compare(work.after, stage.state(), f"{where}, and refused")
    elif stage.kind == "mariadb" and names_a_revision(stage, again):
        verdict.refused += 1
        verdict.compare(left, stage.state(), f"{where}, and refused")
    else:
        verdict.lose(f"{where}: run again, it ends with {again}")


def _look_at_copies(stage: Stage, work: Work, copies: Copies, now: State, verdict: Verdict, where: str) -> list[str]:
    """Look at each snapshot that is listed, and for the one that undoes what was done; return their names."""
    names: list[str] = []
    undone = False
    if now == work.before and stage.beside.places() == work.start.beside.places:
        return names  # they are looked at when the command was run again
    for one in json.loads(stage.run.exact("snapshots", "--json")):
        if stage.kind != "sqlite" and one["database"] != stage.database.name:
            continue  # the server has other people's too
        name: str = one["name"]
        names.append(name)
        held = read(stage.beside.copy(name))
        rows = {table: found.total() for table, found in held.rows.items()}
        if one["rows"] != rows:
            verdict.lose(f"{where}: snapshot {name} has {rows}, and says {one['rows']}")
        expected = copies.holding[_word(name)]
        if expected is not None:
            verdict.compare(expected, held, f"{where}, snapshot {name}")
        undone = undone or (_word(name) == copies.undo and held == work.before)
    if copies.undo and now != work.before and not undone:
        verdict.lose(f"{where}: what was there is gone, and no snapshot has it: {names}")
    return names


def _judge_again(
    stage: Stage, work: Work, copies: Copies, there: Sequence[str], again: Result, verdict: Verdict, where: str
) -> None:
    """Look at what there is beside the database at the end: what an undisturbed run leaves, listed and complete."""
    if again.code and copies.taken in there and f"there is a snapshot {copies.taken} already" not in again.err:
        verdict.lose(f"{where}, it ends with {again}")
    stage.settle()
    names = _look_at_copies(stage, work, copies, stage.state(), verdict, where)
    words = sorted(map(_word, names))
    if words != sorted(copies.at_the_end) and not (copies.or_more and set(words) == set(copies.at_the_end)):
        verdict.lose(f"{where}: the snapshots are {names}")
    for name in re.findall(r"manage\.py restore (\S+)", again.out + again.err):
        if name not in names:
            verdict.lose(f"{where}: there is no {name}, which it names")
    if left := stage.beside.places() - set(map(stage.beside.place, names)):
        verdict.lose(f"{where}: {sorted(left)} are left, and not listed")


def _word(name: str) -> str:
    return name.partition("-")[0]


def difference_to_nearest(work: Work, left: State) -> str:
    known = (work.before, *(work.between or ()), work.after)
    return min((difference(one, left) for one in known), key=len) or "some steps of one transaction"


def different_keys(expected: State, found: State) -> str:
    """Return the tables whose rows have other keys, with the first of them."""
    first = {table: tuple(keys[:1]) for table, keys in found.keys.items() if keys != expected.keys.get(table)}
    return f"other keys: {first}"


def names_a_revision(stage: Stage, result: Result) -> bool:
    """Return whether a run was refused in one line for a revision of the house that was begun before."""
    last = result.err.splitlines()[-1] if result.err else ""
    named = any(last.startswith(f"manage.py: revision {one} ") for one in stage.house.line())
    return result.code == 1 and named and "was begun" in last and "never finished" in last


def check_words(result: Result, verdict: Verdict, where: str, *expected: str) -> None:
    """Count a failure that is not told in one line: the cause, then the cure."""
    said = [line for line in result.err.splitlines() if line.startswith("manage.py: ")]
    clear = (
        result.code == 1
        and len(said) == 1
        and result.err.splitlines()[-1] == said[0]
        and " — " in said[0]
        and "Traceback" not in result.err
        and "--traceback" not in said[0]
        and all(word in said[0] for word in expected)
    )
    if not clear:
        verdict.blame(f"{where}: {result}")
