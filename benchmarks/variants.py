"""What is run in each round: a load of ours or of a limit, a peer, a whole process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from . import environments, verify
from .databases import Database
from .environments import DRIZZLE
from .house import House
from .workshop import Load, Workshop

Took = dict[str, Any]  # fields of a Sample: wall, cpu, server_cpu, other_cpu, peak_mib, problem


class Variant(Protocol):
    """Something that is run once a round."""

    @property
    def name(self) -> str: ...

    def run(self, workshop: Workshop) -> Took:
        """Prepare a database, run, look at what came of it, and return what it took."""


@dataclass(frozen=True)
class Loading:
    """One load in a worker: `ours`, `ours without files`, `L0` or `L1`."""

    name: str
    load: Load

    def run(self, workshop: Workshop) -> Took:
        load, databases = self.load, workshop.databases(self.load.kind)
        start, ready = workshop.start(load), workshop.ready(load)
        database = databases.copy(start)
        try:
            job = workshop.job(self.name, load, database)
            house = workshop.house(inferred=load.inferred)
            took: Took = json.loads(house.worker("benchmarks.worker", job.as_json()))
            wrong = verify.problem(database, load.table, load.existing + load.rows, start.schema(load.table))
            same = verify.digest(database, load.table, ready.columns) == ready.digest
            return {**took, "problem": wrong or ("" if same else "these are not the ready-made rows")}
        finally:
            databases.drop(database)


@dataclass(frozen=True)
class Peer:
    """One of benchmarks/peers, or drizzle-seed, filling the students of an SQLite file."""

    name: str
    module: str
    rows: int

    def run(self, workshop: Workshop) -> Took:
        databases, start = workshop.databases("sqlite"), workshop.migrated("sqlite")
        database = databases.copy(start)
        try:
            took: Took = json.loads(self._fill(workshop.house(), database))
            return {**took, "problem": verify.problem(database, "students", self.rows, start.schema("students"))}
        finally:
            databases.drop(database)

    def _fill(self, house: House, database: Database) -> str:
        arguments = database.name, str(self.rows)
        if self.module == "drizzle":
            script = str(DRIZZLE / "seed.mjs")
            return house.run([environments.node(), script, *arguments], house.environment()).strip().splitlines()[-1]
        return house.worker(f"benchmarks.peers.{self.module}", *arguments, python=environments.python())


Prepare = Callable[[Workshop], Database | None]


@dataclass(frozen=True)
class Process:
    """A whole process, from its start to its end; `prepare` makes the database it works on."""

    name: str
    arguments: tuple[str, ...]  # of this Python
    prepare: Prepare
    drop: bool = False  # whether the database is this process's alone
    ready: Load | None = None  # rows whose file is the last argument
    unwanted: tuple[str, ...] = ()  # packages that it must not import

    def run(self, workshop: Workshop) -> Took:
        database = self.prepare(workshop)
        file = [str(workshop.ready(self.ready).file)] if self.ready else []
        command = [database.kind if database else "", sys.executable, *self.arguments, *file]
        try:
            took: Took = json.loads(workshop.house().worker("benchmarks.launch", *command, database=database))
            return {**took, "problem": self._imported(workshop)}
        finally:
            if database and self.drop:
                workshop.databases(database.kind).drop(database)

    def _imported(self, workshop: Workshop) -> str:
        if not self.unwanted:
            return ""
        said = workshop.house().worker("benchmarks.imported", ",".join(self.unwanted), *self.arguments)
        return "" if said == "imported:" else said


def no_database(workshop: Workshop) -> None:
    """A process that needs none."""


def fresh(kind: str) -> Prepare:
    """A migrated database for each process."""

    def prepare(workshop: Workshop) -> Database:
        return workshop.databases(kind).copy(workshop.migrated(kind))

    return prepare


def migrated(kind: str) -> Prepare:
    """The same migrated database for every process: they change nothing."""

    def prepare(workshop: Workshop) -> Database:
        return workshop.migrated(kind)

    return prepare
