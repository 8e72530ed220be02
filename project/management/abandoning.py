"""Give up a revision that this checkout does not have: record its nearest ancestor, where the schema is that one's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import history, lost, migration_history, migrations, rehearsing, schema
from .console import plural
from .errors import CommandError

if TYPE_CHECKING:
    from .project import Project

SHOWN = 3  # differences


def abandon(project: Project) -> str:
    """Record the revision that the database is at without what nobody has, and return it.

    Raises:
        CommandError: no such revision is recorded, nothing tells what it came after, or the schema is another.
    """
    script = history.load(project)
    if not project.backend.exists():
        raise CommandError(
            f"the database {project.backend.label} does not exist yet", "python manage.py migrate makes it"
        )
    unknown = history.unknown(script, migrations.read_heads(project))
    if not unknown:
        raise CommandError(
            f"{project.backend.label} is at a revision that this checkout has: there is nothing to abandon",
            "python manage.py showmigrations shows where it is",
        )
    known = {one.revision for one in script.walk_revisions()}
    with project.connect() as connection:
        ancestor = lost.ancestor(migration_history.read(connection), unknown[0], known)
    if ancestor is None:
        raise CommandError(
            f"nothing in {project.backend.label} tells what revision {unknown[0]} came after",
            "get its file, or record by hand where it is: python manage.py migrate --fake REVISION",
        )
    _refuse_other_schema(project, unknown[0], ancestor)
    migrations.migrate(project, ancestor, migrations.Request(stamp=True))
    return ancestor


def _refuse_other_schema(project: Project, unknown: str, ancestor: str) -> None:
    """Build the revision before the one to be given up in an empty database, and compare."""
    with rehearsing.throwaway(project, empty=True) as built:
        migrations.migrate(built, ancestor, migrations.Request())
        with built.connect() as connection:
            wanted = schema.described(built, connection)
    with project.connect() as connection:
        found = schema.described(project, connection)
    if found != wanted:
        raise CommandError(
            f"revision {unknown} cannot be abandoned: {project.backend.label} is not as {ancestor} leaves it:"
            f" {_told(schema.difference(wanted, found))}",
            f"get the file of {unknown} and go back with it, or undo that by hand and run the command again",
        )


def _told(difference: schema.Difference) -> str:
    """Return the first differences in words, and how many there are beside them."""
    every = [(verb, name) for verb, names in zip(_VERBS, difference, strict=True) for name in names]
    shown = [
        f"{verb} {', '.join(names)}" for verb in _VERBS if (names := [name for of, name in every[:SHOWN] if of == verb])
    ]
    more = [plural(len(every) - SHOWN, "other difference")] if len(every) > SHOWN else []
    return "; ".join([*shown, *more])


_VERBS = ("it also has", "it lacks", "otherwise is")
