"""Everything that can be wrong with a project: each check returns problems, with an id and a hint."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from . import autogenerate, guard, history, migration_history, migrations, rebuilding, undoing
from .errors import CommandError, first_line

if TYPE_CHECKING:
    import sqlalchemy as sa

    from .project import Project


@dataclass(frozen=True)
class Problem:
    """Something to mend: an error (`migrations.E001`) fails the check, a warning (`settings.W001`) does not."""

    id: str
    message: str
    hint: str

    @property
    def is_error(self) -> bool:
        return ".E" in self.id


def run(project: Project) -> list[Problem]:
    """Return every problem there is. What cannot be looked at because of an earlier problem is left out."""
    problems = [*settings(project), *models(project)]
    if any(problem.is_error for problem in problems):
        return problems
    files = list(history_files(project))
    sound = not {problem.id for problem in files} & {"migrations.E001", "migrations.E002"}
    return [*problems, *files, *seeders(project), *database(project, history_is_sound=sound)]


def settings(project: Project) -> Iterator[Problem]:
    """settings.E001 unreadable or refused, settings.W001 a .env that others can read."""
    try:
        _ = project.backend  # reads the settings
    except CommandError as error:
        yield Problem("settings.E001", error.cause, error.cure)
        return
    file = project.variables.file
    if os.name == "posix" and file.exists() and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Problem("settings.W001", f"{file.name} can be read by other users", f"chmod 600 {file.name}")


def models(project: Project) -> Iterator[Problem]:
    """models.E001 a model that cannot be imported, E003 a relationship that leads nowhere."""
    from sqlalchemy.orm import configure_mappers

    try:
        _ = project.models  # imports them
    except CommandError as error:
        yield Problem("models.E001", error.cause, error.cure)
        return
    try:
        configure_mappers()
    except SQLAlchemyError as error:
        yield Problem("models.E003", first_line(error), "correct the relationship in the model")


def history_files(project: Project) -> Iterator[Problem]:
    """migrations.E001 a broken history, E002 two heads, E003 a migration that imports this project's code."""
    try:
        script = history.load(project)
    except CommandError as error:
        yield Problem("migrations.E001", error.cause, error.cure)
        return
    try:
        history.require_one_head(script, project.root)
    except CommandError as error:
        yield Problem("migrations.E002", error.cause, error.cure)
    for file in history.files(script, project.root):
        if project.package in {name.partition(".")[0] for name in _imported(file.tree)}:
            yield Problem(
                "migrations.E003",
                f"{file.path.name} imports from {project.package}: it will break when the models change",
                "write the tables it needs into it, as sa.table(...)",
            )


def seeders(project: Project) -> Iterator[Problem]:
    """seeders.E001 a seeder that cannot be imported, and what seeding itself finds wrong with the others."""
    from . import seeding

    try:
        yield from (Problem(*found) for found in seeding.problems(project))
    except CommandError as error:
        yield Problem("seeders.E001", error.cause, error.cure)


def database(project: Project, *, history_is_sound: bool) -> list[Problem]:
    """database.E001 unreachable, E002 missing, E003 half restored.

    migrations.E004 pending, E005 unfinished, E006 unknown, E007 two, E008 none recorded, E009 a file changed after it
    was applied.

    models.E002 differs from the models, W001 in a server default or a comment, W002 in what holds for new rows only;
    database.W002 other tables, W003 a history that cannot be read, W004 a reset that did not come to its end.
    """
    if not project.backend.exists():
        try:
            project.backend.engine(create=True)
        except CommandError as error:
            return [Problem("database.E001", error.cause, error.cure)]
        return [
            Problem(
                "database.E002", f"the database {project.backend.label} does not exist yet", "python manage.py migrate"
            )
        ]
    try:
        with project.connect() as connection:
            return list(_connected(project, connection, history_is_sound=history_is_sound))
    except CommandError as error:
        return [Problem("database.E001", error.cause, error.cure)]


def _connected(project: Project, connection: sa.Connection, *, history_is_sound: bool) -> Iterator[Problem]:
    current = history.heads_of(connection)
    recorded = guard.recorded_environment(connection)
    if recorded is not None and recorded != project.settings.environment:
        yield Problem(
            "database.W001",
            f"{project.backend.label} was first migrated as {recorded}, ENVIRONMENT is {project.settings.environment}",
            "is DATABASE_URL the database you mean?",
        )
    if project.backend.is_half_restored(connection):
        yield Problem(
            "database.E003",
            f"a restore of {project.backend.label} was cut off, or is under way: views and triggers may be missing",
            "python manage.py migrate finishes it",
        )
    for earlier in undoing.cut_off(project, connection):
        yield Problem(
            "database.W004",
            f"a reset of {project.backend.label} did not come to its end: what was there is in snapshot {earlier}",
            f"python manage.py restore {earlier} brings that back, python manage.py reset builds anew",
        )
    left = migrations.unfinished(connection)
    if left:
        yield Problem(
            "migrations.E005",
            f"revision {left} was begun and never finished",
            "python manage.py migrate says how to go on",
        )
    if not history_is_sound:
        return
    script = history.load(project)
    try:
        history.refuse_unknown(script, current, project)
    except CommandError as error:
        which = "E006" if history.unknown(script, current) else "E007"
        yield Problem(f"migrations.{which}", error.cause, error.cure)
        return
    if tables := history.tables_of_nobody(project, script, connection):
        refused = history.unrecorded(project, tables)
        yield Problem("migrations.E008", refused.cause, refused.cure)
        return
    records, why_not = migration_history.look_up(project, connection)
    if why_not:
        yield Problem("database.W003", why_not.cause, why_not.cure)
    for changed in history.changed(script, records, current, project.root):
        yield Problem("migrations.E009", changed.cause, changed.cure)
    known = {one.revision for one in script.walk_revisions()}
    pending = len(known) - len(history.applied(script, current))
    if pending:
        yield Problem("migrations.E004", f"{pending} of {len(known)} revisions are pending", "python manage.py migrate")
        return
    for one in autogenerate.differences(project, connection, script):
        writes = 'python manage.py makemigrations -m "..." writes the revision'
        yield Problem(
            "models.W001" if one.is_minor else "models.E002",
            f"the database is not what the models say: {one}",
            f"{writes}; or, if somebody made it by hand, put it into the model" if one.is_extra else writes,
        )
    for what, cure in project.backend.unvalidated(connection, project.metadata.tables.values()):
        yield Problem("models.W002", f"{what} is NOT VALID: rows from before it may break it", cure)
    if unknown := rebuilding.contents(project, connection).unknown:
        yield Problem(
            "database.W002",
            f"{project.backend.label} has {', '.join(sorted(f'{one.kind.lower()} {one.name}' for one in unknown))},"
            " which no model and no migration knows",
            "somebody made it by hand, or it is another program's: reset drops it only with --drop-unknown",
        )


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
