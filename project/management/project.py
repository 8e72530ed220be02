"""The project a command works on: settings, models, seeders and database, each loaded when first asked for."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from .console import Console
from .env_file import Value, Variables
from .errors import DEPENDENCIES, CommandError, Terminated, first_line
from .lazily import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from .backends import Backend
    from .seeding import Seeder


class Settings(Protocol):
    """What the machinery reads of a project's settings."""

    @property
    def database_url(self) -> str: ...
    @property
    def environment(self) -> str: ...
    @property
    def development_hosts(self) -> tuple[str, ...]: ...
    @property
    def snapshots_kept(self) -> int: ...
    @property
    def snapshot_limit(self) -> int: ...


class Project:
    """One project folder: a package with settings, models and seeds, and the migrations beside it."""

    def __init__(
        self,
        package: str,
        root: Path,
        *,
        console: Console | None = None,
        env_file: Path | None = None,
        database_url: str | None = None,
    ) -> None:
        self.package = package
        self.root = root
        self.console = console or Console()
        self._env_file = env_file
        self._database_url = database_url
        self.kept_history: ScriptDirectory | None = None  # the revisions, for what goes through them many times

    @cached_property
    def variables(self) -> Variables:
        """The environment, `.env` beside manage.py (or --env-file) and --database-url."""
        given = {} if self._database_url is None else {"DATABASE_URL": self._database_url}
        file = self._env_file or self.root / ".env"
        return Variables.read(file, required=self._env_file is not None, overrides=given)

    @cached_property
    def settings(self) -> Settings:
        settings: Settings = self._import(f"{self.package}.settings").load(self.variables)
        return settings

    @cached_property
    def backend(self) -> Backend:
        from .backends import backend_for

        backend = backend_for(self.settings.database_url, root=self.root, source=self.variables.source("DATABASE_URL"))
        backend.waiting.notify, backend.progress = self.console.note, self.console.progress
        return backend

    @cached_property
    def metadata(self) -> sa.MetaData:
        """The tables of every model, after importing each file in models/."""
        from .backends.mysql_words import say_it_to_mariadb

        self._import_folder("models")
        metadata: sa.MetaData = self._import(f"{self.package}.models.base").Base.metadata
        for table in metadata.tables.values():
            for key in table.foreign_keys:
                _require_target(key)
            say_it_to_mariadb(table)
        return metadata

    @cached_property
    def models(self) -> dict[str, type[Any]]:
        """The mapped classes by name."""
        _ = self.metadata  # imports every model
        registry = self._import(f"{self.package}.models.base").Base.registry
        return {mapper.class_.__name__: mapper.class_ for mapper in sorted(registry.mappers, key=str)}

    @cached_property
    def mappers(self) -> list[Any]:
        """The mappers of the models; not configured, which takes longer and only relationships need."""
        _ = self.metadata  # imports every model
        return list(self._import(f"{self.package}.models.base").Base.registry.mappers)

    @cached_property
    def seeders(self) -> dict[str, type[Seeder]]:
        """The seeder of each table that has one, by the table's name (`schema.table` outside the default schema).

        Raises:
            CommandError: a file cannot be imported, or two seeders name the same table.
        """
        classes = [
            value
            for module in self._import_folder("seeds")
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "is_seeder")
        ]
        bases = {base for one in classes for base in one.__mro__[1:]}
        found: dict[str, type[Seeder]] = {}
        for seeder in classes:
            if not hasattr(seeder, "model") and seeder in bases:
                continue
            table = self._table_of(seeder)
            if table in found:
                raise CommandError(
                    f"{table} has two seeders: {found[table].__name__} and {seeder.__name__}", "keep one"
                )
            found[table] = seeder
        return found

    def _table_of(self, seeder: type[Any]) -> str:
        """Return the table that a seeder says it fills."""
        model = getattr(seeder, "model", None)
        table: sa.Table | None = getattr(model, "__table__", None)
        known = self.metadata.tables.get(getattr(table, "fullname", ""))
        where = f"{seeder.__name__} ({seeder.__module__.replace('.', '/')}.py)"
        if model is None:
            raise CommandError(f"{where} names no model", "write model = ... into it")
        if table is None or known is not table:
            raise CommandError(f"the model of {where} is {model!r}, which is no model of this project", "correct it")
        return table.fullname

    def beside(self, name: str, *, source: str, console: Console, shown_as: str = "") -> Project:
        """Return the same project with another database of the same server, without snapshots; it waits as long.

        Args:
            name: the database's, on SQLite the path of a file but for its .db.
            source: where it comes from, for messages.
            shown_as: what it is called there instead of its name.
        """
        from .backends import moved

        url = moved(self.settings.database_url, name, self.root, source=source)
        other = Project(self.package, self.root, console=console)
        other.variables = self.variables.but({"DATABASE_URL": Value(url, source), "SNAPSHOTS_KEPT": Value("0", source)})
        other.backend.shown_as = shown_as
        other.backend.waiting.limit(self.backend.waiting.seconds, self.backend.waiting.option)
        return other

    def beside_itself(self) -> Project:
        """Return the same project without its models and seeders; what `metadata` is, is up to the caller."""
        other = Project(self.package, self.root, console=self.console)
        other.variables = self.variables
        other.mappers, other.seeders = [], {}
        return other

    @contextmanager
    def connect(self, *, write: bool = False, create: bool = False, limited: bool = True) -> Iterator[sa.Connection]:
        """Open a connection outside a transaction; a driver's error leaves it as one line with its cure.

        Args:
            write: this connection will write (SQLite then takes its write lock when a transaction begins).
            create: let SQLite make its file.
            limited: no statement waits longer for somebody's open transaction than one waits for a lock.
        """
        with self.explained():
            engine = self.backend.engine(create=create)
            with engine.connect() as connection, self.backend.limited(connection) if limited else nullcontext():
                yield self.backend.writing(connection) if write else connection

    @contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """Open a connection that only looks, as `connect` does; to an SQLite file without SQLAlchemy."""
        with self.explained(), self.backend.looking() as connection:
            yield connection

    def explanation(self, error: sa.exc.DBAPIError) -> CommandError | None:
        """Return what a driver's error means to a person; None where it is told in the database's own words."""
        from . import bookkeeping

        return self.backend.explain(error) or bookkeeping.refused(error, self.backend.label)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the driver errors that a person can act on into a CommandError."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            explanation = self.explanation(error)
            if explanation is None:
                raise
            raise explanation from error
        except sa.exc.PendingRollbackError as error:  # something went on after its connection was cut
            raise CommandError(f"the connection to {self.backend.label} was cut", "run the command again") from error
        except UnicodeEncodeError as error:
            if "charset" not in self.backend.url.query:
                raise
            raise CommandError(
                f"a text cannot be sent as {error.encoding}, the charset of DATABASE_URL",
                "take charset out: utf8mb4 has every letter",
            ) from error

    def _import_folder(self, name: str) -> list[ModuleType]:
        leave_libraries_alone()
        package = self._import(f"{self.package}.{name}")
        return [
            self._import(f"{package.__name__}.{module.name}")
            for module in pkgutil.iter_modules(package.__path__)
            if not module.name.startswith("_")
        ]

    def _import(self, name: str) -> ModuleType:
        return import_own(name, self.root.joinpath(*name.split(".")).with_suffix(".py"), self.root)


def import_own(name: str, file: Path, root: Path) -> ModuleType:
    """Import a module of the project's own.

    Raises:
        CommandError: it cannot be imported, naming its file.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        return importlib.import_module(name)
    except (CommandError, Terminated):
        raise
    except (Exception, SystemExit) as error:  # a file that ends the program would do so without a word
        if isinstance(error, ModuleNotFoundError) and error.name in DEPENDENCIES:
            raise  # the command line knows what to say
        shown = file.relative_to(root) if file.exists() else name
        raise CommandError(
            f"{shown} cannot be imported: {type(error).__name__}: {first_line(error)}", "correct it, then try again"
        ) from error


@cache
def leave_libraries_alone() -> None:
    """Look for no circles in what is there before the project's own code runs: at the end that takes long.

    What that code then leaves open is closed as Python does it. (The settings do not count: they open nothing.)
    """
    gc.freeze()


def _require_target(key: sa.ForeignKey) -> None:
    try:
        _ = key.column  # looks for it
    except sa.exc.NoReferenceError as error:
        raise CommandError(
            f"{key.parent} refers to {key.target_fullname}, which no model has", "correct it in the model"
        ) from error
