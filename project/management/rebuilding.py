"""Build a development database anew: empty it of this project's tables, and verify what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from . import autogenerate, bookkeeping, fingerprint, guard, history, resetting, snapshots, undoing
from .backends.base import Relation, TableName
from .backends.copies import CannotCopy
from .errors import CommandError, StepFailed

if TYPE_CHECKING:
    from .project import Project


@dataclass
class Contents:
    """What a database holds: this project's tables and views with what else its migrations make, and other people's."""

    ours: list[Relation]
    unknown: list[Relation]
    beside: list[Relation]  # sequences, types, functions: there or not, they are dropped


def inspect(project: Project, *, drop_unknown: bool) -> guard.Losses:
    """Return what a reset would lose: table, rows, and how many of them are not from seed; changes nothing.

    Raises:
        CommandError: the database records that it is production, or holds tables and views of somebody else.
    """
    history.require_one_head(history.load(project), project.root)
    if not project.backend.exists():
        return []
    with project.connect() as connection:
        guard.after_connecting(project, connection, "reset")
        found = contents(project, connection)
        if found.unknown and not drop_unknown:
            raise CommandError(
                f"{project.backend.label} holds {', '.join(sorted(str(one.name) for one in found.unknown))},"
                " which no model or migration of this project knows",
                "nothing was changed; --drop-unknown drops them too",
            )
        return _losses(connection, found)


def _losses(connection: sa.Connection, found: Contents) -> guard.Losses:
    there = [one for one in [*found.ours, *found.unknown] if one.kind == "TABLE"]
    tables = [one.name for one in there if one.name[1] not in bookkeeping.HIDDEN]
    return guard.losses(connection, guard.count_rows(connection, tables))


def empty(project: Project, look: undoing.Look, *, drop_unknown: bool, agreed: guard.Losses | None) -> bool:
    """Drop this project's tables with its bookkeeping, in one transaction where the database can do that.

    Returns whether nothing is left: what is, but for empty schemas and extensions, is other people's.

    Args:
        look: what `undoing.save_and_lose` gives.
        agreed: what a person was shown; None where nobody was asked.

    Raises:
        CommandError: there are more rows than were shown.
    """
    if not project.backend.exists():
        return True
    backend = project.backend
    with (
        project.connect(write=True) as connection,
        backend.lock(connection),
        backend.migrating(connection),
    ):
        backend.end_idle_readers(connection)
        with connection.begin():
            guard.after_connecting(project, connection, "reset")
            found = contents(project, connection)
            look(connection, [one.name for one in [*found.ours, *found.unknown] if one.kind == "TABLE"])
            if agreed is not None:
                guard.refuse_more(agreed, _losses(connection, found))
            going = found.ours + (found.unknown if drop_unknown else [])
            # The bookkeeping goes last, by itself: killed before it, the next reset still knows what this was.
            ours = [one for one in going if one.name[1] in bookkeeping.HIDDEN]
            backend.drop(connection, [one for one in going if one not in ours] + found.beside)
            backend.drop(connection, ours)
            left = backend.copies.inventory(connection)
    return _is_nothing(left)


def can_be_aside(project: Project) -> bool:
    """Return whether it can be built in another database of the same server, as far as the project's files tell."""
    if not project.settings.snapshots_kept:
        return False
    copies = project.backend.copies
    if copies.schemas_are_databases:
        made = history.made(history.load(project), project.backend.offline_dialect)
        if any(one.schema for one in project.metadata.tables.values()) or any(one.name[0] for one in made):
            return False
    return not any(map(copies.is_named_in, fingerprint.sources(project))) and not _others(project)


def _others(project: Project) -> bool:
    """Return whether there is something that holds rows, and that no reset touches, as a table in another schema."""
    if not project.backend.exists():
        return False
    with project.connect() as connection:
        found = contents(project, connection)
        tables = {*project.backend.copies.tables(connection)} - {one.name for one in found.ours + found.unknown}
        return bool(tables) or any(one.startswith(_OBJECT) for one in project.backend.copies.inventory(connection))


class Built(NamedTuple):
    """A snapshot of what was built beside the database, and what that had besides rows when the building began."""

    snapshot: snapshots.Snapshot
    before: frozenset[str]

    def refuse_made(self, project: Project) -> None:
        """Refuse to put it in the place of what has got something since, or lost a right, which no rebuild would touch.

        Raises:
            CommandError: naming it; nothing was changed.
        """
        made = sorted(_besides_rows(project) - self.before - self.snapshot.inventory)
        if made:
            raise CommandError(
                f"{project.backend.label} has got {made[0]} meanwhile. Nothing was changed", "run the command again"
            )


def aside(
    project: Project, build: Callable[[Project], None], printed: Callable[[], str | None], *, drop_unknown: bool
) -> Built:
    """Build the database anew beside it, and make a snapshot of that; inside `snapshots.alone`.

    Args:
        build: builds it in the project it is given.
        printed: returns, when that is done, the fingerprint of what was built; None where no other reset shall take it.

    Raises:
        CannotCopy: it can only be built in its place.
        CommandError: it cannot be built; the database is as it was.
    """
    name, before = snapshots.free_name(project, "reset"), _besides_rows(project)
    found = Contents([], [], [])
    if project.backend.exists():
        with project.connect() as connection:
            found = contents(project, connection)
    going = found.ours + (found.unknown if drop_unknown else [])
    tables = [one.name for one in going if one.kind == "TABLE"]
    with project.backend.copies.building(name, tables) as building:
        copy = project.beside(
            building.database, source="what a reset builds", console=project.console, shown_as=project.backend.label
        )
        copy.kept_history = history.load(project)
        try:
            with copy.backend.sessions_kept():
                is_all_ours = _emptied_beside(project, copy, before, going + found.beside)
                build(copy)
        except CannotCopy:
            raise
        except CommandError as error:
            what = error.what if isinstance(error, StepFailed) else error.cause  # what stays of a step is gone with it
            cure = "correct it, then run the command again" if isinstance(error, StepFailed) else error.cure
            for one in (f"{building.database}.db", building.database):  # on SQLite a file
                what = what.replace(one, project.backend.database)
            raise CommandError(what, cure, exit_code=error.exit_code) from error
        return Built(resetting.built(project, name, building, printed() if is_all_ours else None), before)


def _besides_rows(project: Project) -> frozenset[str]:
    """Return all there is in the database besides rows, and who may do what in it."""
    if not project.backend.exists():
        return frozenset()
    with project.connect() as connection:
        return frozenset(project.backend.copies.inventory(connection) + project.backend.copies.rights(connection))


def _emptied_beside(project: Project, copy: Project, before: frozenset[str], going: Sequence[Relation]) -> bool:
    """Drop in a copy of the database what `empty` drops in itself; return whether nothing is left.

    Raises:
        CannotCopy: the copy lacks something, or what is left holds more than what it was made by: rows, a number.
    """
    copies = project.backend.copies
    if not project.backend.exists():
        return True
    with copy.connect(write=True) as connection, copy.backend.migrating(connection):
        with connection.begin():
            lacking = sorted(before - {*copies.inventory(connection), *copies.rights(connection)})
            copy.backend.drop(connection, going)
            left = copies.inventory(connection)
        copy.backend.compact(connection)
    if others := [*lacking, *(one for one in left if one.startswith(_HOLDING_ROWS))]:
        raise CannotCopy(f"{others[0]} is not this project's", "drop it, or leave it as it is")
    return _is_nothing(left)


def _is_nothing(left: Iterable[str]) -> bool:
    """Return whether what is left is nobody's: empty schemas and extensions."""
    return all(one.startswith(("schema ", "extension ")) for one in left)


_OBJECT = "large object "
# What an inventory calls what holds more than what it was made by: rows, a number.
_HOLDING_ROWS = ("relation ", "sequence ", "table ", "base table ", _OBJECT)


def verify(project: Project, rows: Mapping[str, int]) -> None:
    """Prove that the database is at head, has every table, column and constraint of the models, and these rows.

    Args:
        rows: how many rows each seeded table was said to have, by its name.

    Raises:
        CommandError: it differs, naming how.
    """
    script = history.load(project)
    with project.connect() as connection:
        history.require_head(project, connection)
        found = [str(one) for one in autogenerate.differences(project, connection, script, missing_only=True)]
        tables = {table.fullname: TableName.of(table) for table in project.metadata.tables.values()}
        counted = guard.count_rows(connection, [tables[name] for name in rows])
        others = [
            f"{name} has {counted[tables[name]]:,} rows, not {number:,}"
            for name, number in rows.items()
            if counted[tables[name]] != number
        ]
    if found or others:
        raise CommandError(
            f"after the reset the database is not what the models say: {'; '.join(found + others)}",
            'python manage.py makemigrations -m "..." writes what is missing of tables'
            if found
            else "somebody else writes to it: end that, then run the command again",
        )


def contents(project: Project, connection: sa.Connection) -> Contents:
    made = history.made(history.load(project), project.backend.offline_dialect)
    known = {TableName.of(table) for table in project.metadata.tables.values()}
    known |= {one.name for one in made} | {TableName(None, name) for name in bookkeeping.HIDDEN}
    there = project.backend.relations(connection, {schema for schema, _ in known} | {None})
    kinds = {one.kind for one in there} | {"TABLE", "VIEW"}
    return Contents(
        ours=[one for one in there if one.name in known],
        unknown=[one for one in there if one.name not in known],
        beside=sorted({one for one in made if one.kind not in kinds} | _enumerations(project), key=str),
    )


def _enumerations(project: Project) -> set[Relation]:
    return {
        Relation("TYPE", TableName(column.type.schema, column.type.name))
        for table in project.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.Enum) and column.type.name
    }
