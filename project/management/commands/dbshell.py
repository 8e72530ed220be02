"""Open the database's own client: sqlite3, psql or mariadb. The password is not put on its command line."""

from __future__ import annotations

import os
import shutil

from ..errors import CommandError
from ..project import Project

FORMER_NAMES = {"mariadb": ("mysql",)}


def handle(project: Project) -> None:
    backend = project.backend
    arguments, environment = backend.client()
    program = next(filter(None, map(shutil.which, (arguments[0], *FORMER_NAMES.get(arguments[0], ())))), None)
    if program is None:
        raise CommandError(
            f"the program {arguments[0]} is not installed",
            f"install the client of {backend.title}, or use manage.py shell",
        )
    if not backend.exists():
        raise CommandError(f"the database {backend.label} does not exist yet", "python manage.py migrate makes it")
    os.execve(program, arguments, {**os.environ, **environment})  # noqa: S606  # no shell reads these
