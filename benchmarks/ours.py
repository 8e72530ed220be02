"""This project: what `manage.py seed` does, in this process, after everything it needs is imported."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

Work = Callable[[], None]


def prepare(url: str, table: str, *, count: int | None, add: int | None, modules: Path) -> Work:
    """Import every module that an earlier run of the same kind used, and return the seeding itself."""
    from project.management.commands import seed
    from project.management.console import Console
    from project.management.project import Project
    from project.management.seeding import Request

    _import_all(modules)

    def work() -> None:
        project = Project("project", Path.cwd(), console=Console(verbosity=0), database_url=url)
        seed.run(project, Request((table,), count=count, add=add))

    return work


def remember_modules(file: Path) -> None:
    """Write down what is imported now, for the runs to come."""
    file.write_text(json.dumps(sorted(sys.modules)))


def forbid_files() -> None:
    """Let the project find a MariaDB that refuses LOAD DATA LOCAL, and make sure that none is done.

    The server's own switch is global: turning it would disturb whatever else uses that server.
    """
    import pymysql.connections

    from project.management.backends.mariadb import MariaDB

    if not hasattr(MariaDB, "_may_load_files"):
        raise SystemExit("MariaDB._may_load_files is gone: benchmarks/ours.py must learn how files are refused now")
    MariaDB._may_load_files = lambda *_: False  # type: ignore[method-assign]  # what a refusing server leads to
    setattr(pymysql.connections.MySQLResult, "_read_load_local_packet", _refuse)  # noqa: B010  # its stubs leave it out


def _refuse(*_: object) -> None:
    raise SystemExit("a file was loaded where none was allowed")


def _import_all(modules: Path) -> None:
    names = json.loads(modules.read_text()) if modules.exists() else []
    for name in names:
        if name.startswith("__") or name.startswith("benchmarks."):
            continue
        try:
            importlib.import_module(name)
        except ImportError:  # made while running, not imported
            continue
