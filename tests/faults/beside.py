"""What is kept beside a database: its snapshots, and whatever is left of one that was not finished."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from tests.databases import Database, settle
from tests.houses import House

MARK = "_snapshot_"


@dataclass(frozen=True)
class Kept:
    """What was there at a moment: SQLite's files; on a server the databases, with what is written on each."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    databases: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def places(self) -> set[str]:
        return set(self.databases) | {str(Path(".snapshots", name).parent) for name in self.files}


class Beside:
    """The snapshots of one database, found without the program that makes them."""

    def __init__(self, house: House, database: Database) -> None:
        self._database = database
        self.root = house.root / ".snapshots"

    def restoring(self, number: object) -> Path:
        """Return what becomes SQLite's file when a snapshot is put in its place: the name that a number gives it."""
        assert self._database.file is not None
        return self._database.file.with_name(f".{self._database.file.name}.restoring-{number}")

    def _left(self) -> list[Path]:
        begin = self.restoring("")
        return [path for path in begin.parent.iterdir() if path.name.startswith(begin.name)]

    def places(self) -> set[str]:
        """Return everything there is, complete or not: on SQLite the paths of folders and files, else databases."""
        if self._database.file is None:
            return set(self._databases())
        there = {str(path.relative_to(self.root.parent)) for path in self.root.glob("*/*")}
        return there | {path.name for path in self._left()}

    def copy(self, name: str) -> Database:
        """Return the database that a snapshot of this name is."""
        if self._database.file is not None:
            file = self._whole(name)
            return Database("sqlite", file.name, sa.URL.create("sqlite", database=str(file)), file)
        place = self._database.name + MARK + name
        return Database(self._database.kind, place, self._database.address.set(database=place))

    def place(self, name: str) -> str:
        """Return what of `places` a snapshot of this name is."""
        if self._database.file is None:
            return self.copy(name).name
        return str(self._file(name).parent.relative_to(self.root.parent))

    def _file(self, name: str) -> Path:
        [file] = self.root.glob(f"*/{name}/database.db")
        return file

    def _whole(self, name: str) -> Path:
        """Return a file that SQLite can read: of one that was replaced the first bytes are kept apart."""
        file = self._file(name)
        beginning = file.with_name("beginning")
        if not beginning.exists():
            return file
        first, whole = beginning.read_bytes(), self.root.parent.parent / f"whole-{name}.db"
        whole.write_bytes(first + file.read_bytes()[len(first) :])
        return whole

    def save(self) -> Kept:
        if self._database.file is None:
            return Kept(databases=self._databases())
        files = [path for path in self.root.rglob("*") if path.is_file()]
        return Kept(files={str(path.relative_to(self.root)): path.read_bytes() for path in files})

    def restore(self, kept: Kept) -> None:
        """Bring back what was there; on a server a snapshot that is gone does not come back."""
        if self._database.file is None:
            self._restore_databases(kept)
            return
        for left in self._left():
            left.unlink()
        shutil.rmtree(self.root, ignore_errors=True)
        for name, data in kept.files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def _databases(self) -> dict[str, str | None]:
        """Return what is kept, but for what a next restore may take and nobody can connect to."""
        settle(self._database.address, self._database.name)
        begin = f"{self._database.name}{MARK}%".replace("_", "\\_")
        if self._database.kind == "postgresql":
            query = "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE :begin"
        else:
            query = "SELECT schema_name, NULL FROM information_schema.schemata WHERE schema_name LIKE :begin"
        found = self._database.rows(query, begin=begin)
        return {str(name): written for name, written in found if f"{MARK}~ready-" not in name}

    def _restore_databases(self, kept: Kept) -> None:
        there = self._databases()
        if there == kept.databases:
            return
        assert kept.databases.keys() <= there.keys(), f"{kept.databases.keys() - there.keys()} are gone"
        with self._database.connect() as connection:
            driver = connection.execution_options(isolation_level="AUTOCOMMIT")
            quote = driver.dialect.identifier_preparer.quote_identifier
            force = " WITH (FORCE)" if self._database.kind == "postgresql" else ""
            for name in there.keys() - kept.databases.keys():
                driver.exec_driver_sql(f"DROP DATABASE {quote(name).replace('%', '%%')}{force}")
            for name, written in kept.databases.items():
                if there[name] != written:
                    literal = driver.scalar(sa.text("SELECT quote_literal(:written)"), {"written": written})
                    driver.exec_driver_sql(
                        f"COMMENT ON DATABASE {quote(name)} IS {literal}", execution_options={"no_parameters": True}
                    )
