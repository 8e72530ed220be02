"""Where a run works: copies of the project, databases to start from, rows that are ready-made; each made once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .databases import KINDS, Database, Databases, Unavailable
from .house import House
from .ready import Ready, dump, write_fixture
from .worker import Job

Made = TypeVar("Made")


@dataclass(frozen=True)
class Load:
    """So many rows into one table of one kind of database, and what is there before."""

    kind: str
    table: str
    rows: int
    existing: int = 0  # rows of the table
    students: int = 0  # rows of a parent
    inferred: bool = False  # in the project with one more model


class Workshop:
    """A folder, and databases of each kind; leaving it takes all of them away."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="manage_bench_"))
        self._kinds: dict[str, Databases] = {}
        self._once: dict[object, object] = {}

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for databases in self._kinds.values():
                databases.close()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def databases(self, kind: str) -> Databases:
        """Return the databases of one kind.

        Raises:
            Unavailable: its server does not answer.
        """
        if kind not in self._kinds:
            self._kinds[kind] = KINDS[kind](self._folder)
        return self._kinds[kind]

    def versions(self) -> dict[str, str]:
        """Return the versions of the databases, of the servers those that answer."""
        found = {}
        for kind in KINDS:
            with suppress(Unavailable):
                found[KINDS[kind].title] = self.databases(kind).version()
        return found

    def house(self, *, inferred: bool = False) -> House:
        """Return a copy of the project, with or without the model that is inferred."""
        return self._make_once(("house", inferred), lambda: self._copy_project(inferred))

    def migrated(self, kind: str, *, inferred: bool = False) -> Database:
        """Return a database that `manage.py migrate` has made, to be copied."""
        return self._make_once(("migrated", kind, inferred), lambda: self._migrate(kind, inferred))

    def start(self, load: Load) -> Database:
        """Return the database that a load begins with, to be copied."""
        if load.existing or load.students:
            table, rows = (load.table, load.existing) if load.existing else ("students", load.students)
            return self._make_once(("seeded", load.kind, table, rows), lambda: self._seed(load.kind, table, rows))
        return self.migrated(load.kind, inferred=load.inferred)

    def reset(self, kind: str, rows: int) -> Database:
        """Return a database that `manage.py reset` has built, with the snapshot that the next reset takes."""
        return self._make_once(("reset", kind, rows), lambda: self._reset(kind, rows))

    def fixture(self, rows: int) -> Path:
        """Return a file of so many students as Django's loaddata reads them."""
        return self._make_once(("fixture", rows), lambda: self._write_fixture(rows))

    def ready(self, load: Load) -> Ready:
        """Return the rows that our seeding of this load makes, ready-made in a file."""
        return self._make_once(("ready", load), lambda: self._read_back(load))

    def job(self, way: str, load: Load, database: Database, *, remember: bool = False) -> Job:
        """Return what a worker needs to know to do one load."""
        ready = self.ready(load) if way in ("L0", "L1") else None
        return Job(
            way=way,
            kind=load.kind,
            url=database.url,
            table=load.table,
            modules=str(self._folder / f"modules-{load.kind}-{load.table}.json"),
            count=None if load.existing else load.rows,
            add=load.rows if load.existing else None,
            ready=str(ready.file) if ready else "",
            columns=ready.columns if ready else (),
            remember=remember,
        )

    def _copy_project(self, inferred: bool) -> House:
        house = House.copy(self._folder / ("inferred" if inferred else "school"))
        if inferred:
            house.add_models()
            scratch = self.databases("sqlite").new()
            house.manage("migrate", database=scratch)
            house.manage("makemigrations", "-m", "Added the inferred models", database=scratch)
        return house

    def _migrate(self, kind: str, inferred: bool) -> Database:
        house, made = self.house(inferred=inferred), self.databases(kind).new()
        house.manage("migrate", database=made)
        return made

    def _seed(self, kind: str, table: str, rows: int) -> Database:
        made = self.databases(kind).copy(self.migrated(kind))
        self.house().manage("seed", table, "--count", str(rows), database=made)
        return made

    def _reset(self, kind: str, rows: int) -> Database:
        made = self.databases(kind).copy(self.migrated(kind))
        self.house().manage("reset", "--no-input", "--count", str(rows), database=made)
        return made

    def _write_fixture(self, rows: int) -> Path:
        file = self._folder / f"students-{rows}.json"
        write_fixture(self.reset("sqlite", rows), file)
        return file

    def _read_back(self, load: Load) -> Ready:
        databases = self.databases(load.kind)
        made = databases.copy(self.start(load))
        after = made.value(f"SELECT coalesce(max(id), 0) FROM {load.table}")
        job = self.job("ours", load, made, remember=True)
        self.house(inferred=load.inferred).worker("benchmarks.worker", job.as_json())
        number = sum(1 for _ in self._folder.glob("ready-*"))
        rows = dump(made, load.table, after, self._folder / f"ready-{number}")
        databases.drop(made)
        return rows

    def _make_once(self, key: object, make: Callable[[], Made]) -> Made:
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]  # type: ignore[return-value]  # made by this very function
