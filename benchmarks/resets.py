"""Resets that are timed: from a snapshot, by building everything, by what others have for it."""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from . import environments
from .databases import Database
from .variants import Took
from .workshop import Workshop

CHANGED = "SELECT grade FROM students WHERE id = 7"
SNAPSHOT = "bench"


def change(database: Database) -> None:
    """Change a row, as somebody did since the last reset, each time to something new."""
    with database.connect() as connection:
        connection.exec_driver_sql(f"UPDATE students SET grade = 13 - grade, name = '{uuid.uuid4()}' WHERE id = 7")


@dataclass(frozen=True)
class Reset:
    """`manage.py reset` of a database in which a row has changed: the whole process, or the work after imports."""

    name: str
    kind: str
    rows: int
    rebuild: bool = False
    whole: bool = True

    def run(self, workshop: Workshop) -> Took:
        database, grade = _changed(workshop, self.kind, self.rows)
        options = ("--no-input", "--count", str(self.rows), *(("--rebuild",) if self.rebuild else ()))
        house = workshop.house()
        if self.whole:
            words = ("benchmarks.launch", self.kind, sys.executable, "manage.py", "reset", *options)
            took: Took = json.loads(house.worker(*words, database=database))
        else:
            took = json.loads(house.worker("benchmarks.reset_work", self.kind, *options, database=database))
        workshop.databases(self.kind).settle()
        return {**took, "problem": _problem(database, self.rows, grade)}


@dataclass(frozen=True)
class Clone:
    """One database more of the same, as each test gets one."""

    name: str
    kind: str
    rows: int

    def run(self, workshop: Workshop) -> Took:
        template, house = workshop.reset(self.kind, self.rows), workshop.house()
        workshop.databases(self.kind).settle()
        took: Took = json.loads(house.worker("benchmarks.clone_work", self.kind, database=template))
        return took


@dataclass(frozen=True)
class Dslr:
    """`dslr restore` of the same PostgreSQL database, from a snapshot of its own."""

    name: str
    rows: int

    def run(self, workshop: Workshop) -> Took:
        reset = workshop.reset("postgresql", self.rows)
        databases, house = workshop.databases("postgresql"), workshop.house()
        database = databases.copy(reset)
        program = [str(Path(environments.dslr()).with_name("dslr")), "--url", database.url]
        environment = house.environment()
        try:
            grade = database.value(CHANGED)
            house.run([*program, "snapshot", SNAPSHOT], environment)
            try:
                change(database)
                databases.settle()
                words = ("benchmarks.launch", "postgresql", *program, "restore", SNAPSHOT)
                took: Took = json.loads(house.worker(*words))
            finally:
                house.run([*program, "delete", SNAPSHOT], environment)
            return {**took, "problem": _problem(database, self.rows, grade)}
        finally:
            databases.drop(database)


@dataclass(frozen=True)
class DjangoReset:
    """Django's flush, migrate and loaddata of the same students, as one process."""

    name: str
    rows: int

    def run(self, workshop: Workshop) -> Took:
        databases, house = workshop.databases("sqlite"), workshop.house()
        database = databases.new()
        fixture = workshop.fixture(self.rows)
        command = [environments.python(), "-m", "benchmarks.peers.django_reset", database.name, str(fixture)]
        try:
            house.worker(*command[2:], python=command[0])  # there is something to flush
            took: Took = json.loads(house.worker("benchmarks.launch", "sqlite", *command))
            there = database.value("SELECT count(*) FROM students")
            return {**took, "problem": "" if there == self.rows else f"{there:,} students"}
        finally:
            databases.drop(database)


def _changed(workshop: Workshop, kind: str, rows: int) -> tuple[Database, int]:
    """Return a database that was reset, in which somebody has changed a row since, and what the row was."""
    database = workshop.reset(kind, rows)
    grade = int(database.value(CHANGED))
    change(database)
    workshop.databases(kind).settle()
    return database, grade


def _problem(database: Database, rows: int, grade: int) -> str:
    there = database.value("SELECT count(*) FROM students")
    if there != rows:
        return f"{there:,} students, not {rows:,}"
    return "" if database.value(CHANGED) == grade else "what was changed is still there"
