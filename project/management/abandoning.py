"""Give up a revision that this checkout does not have: record its nearest ancestor, where the schema is that one's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import history, lost, migrations, rehearsing, schema
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
    ancestor = lost.ancestor(project, unknown[0], known)
    if ancestor is None:
        raise CommandError(
            f"nothing in {project.backend.label} tells what revision {unknown[0]} came after",
            "get its file, or record by hand where it is: python manage.py migrate --fake REVISION",
        )
    _refuse_other_schema(project, ancestor)
    migrations.migrate(project, ancestor, migrations.Request(stamp=True))
    return ancestor


def _refuse_other_schema(project: Project, revision: str) -> None:
    """Build the revision in an empty database, and compare."""
    with rehearsing.throwaway(project, empty=True) as built:
        migrations.migrate(built, revision, migrations.Request())
        with built.connect() as connection:
            wanted = schema.described(built, connection)
    with project.connect() as connection:
        found = schema.changed(wanted, schema.described(project, connection))
    if found:
        more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise CommandError(
            f"{project.backend.label} is not as revision {revision} leaves it: it is {'; '.join(found[:SHOWN])}{more}",
            "get the missing file and go back with it, or undo that by hand and run the command again",
        )
