"""Empty the database, migrate it, seed it, and verify what came out; or put back a snapshot of just that.

Says what will be lost and asks for the database's name. Refused for production, for databases of other machines
and for names that say production; tables that are not this project's are never touched. What a reset builds is kept
as a snapshot, which the next one takes when nothing has changed that it would build from: project/, migrations/,
alembic.ini, settings, options, versions. Where they read something else, a file beside them or a variable of the
environment, --rebuild builds with what that says now.
What was there before is kept as well: the last line says how to get it back. All is built beside the database, which
stays as it is until that is verified; in its place only where no snapshots are kept or can be, where a migration, a
model or a seeder speaks of the database itself, where something that is not this project's holds rows, or somebody
works in a PostgreSQL database. Where that fails, what was there is put back; what had been built, with all that others
have put into it, is kept as a snapshot failed-reset-...
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import NamedTuple

from .. import guard, resetting, snapshots, undoing
from ..backends.copies import CannotCopy, Damaged
from ..console import columns, plural
from ..errors import CommandError
from ..fingerprint import Wanted
from ..project import Project
from ..resetting import Plan
from ..snapshots import Snapshot
from ..undoing import Undo
from ._hosts import add_host_arguments
from ._rows import add_row_arguments
from ._waiting import add_lock_timeout, limit_waiting
from .migrate import header


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-input", "--noinput", action="store_true", help="ask nothing")
    parser.add_argument("--no-seed", action="store_true", help="leave the tables empty, but for data migrations")
    add_row_arguments(parser)
    parser.add_argument("--rebuild", action="store_true", help="build it anew, even if a snapshot of it is kept")
    parser.add_argument("--drop-unknown", action="store_true", help="also drop tables that are not this project's")
    add_host_arguments(parser, "reset")
    add_lock_timeout(parser)


def handle(
    project: Project,
    *,
    no_input: bool,
    no_seed: bool,
    count: int | None,
    random_seed: int,
    locale: str,
    rebuild: bool,
    drop_unknown: bool,
    allow_remote: bool,
    allow_production_name: bool,
    lock_timeout: int,
) -> None:
    limit_waiting(project, lock_timeout)
    guard.before_connecting(project, "reset", allow_remote=allow_remote, allow_production_name=allow_production_name)
    wanted = Wanted(not no_seed, count, random_seed, locale)
    agreed: guard.Losses | None = None
    printed = ""
    if not no_input:  # a person is asked outside the lock, for they may think for an hour
        with resetting.alone(project):
            plan = resetting.plan(project, wanted, rebuild=rebuild)
            agreed, printed = _losses(project, wanted, plan, drop_unknown), plan.fingerprint
        _ask(project, agreed, plan.undo, no_input=False)
    begun = time.perf_counter()
    with resetting.alone(project):
        plan = resetting.plan(project, wanted, rebuild=rebuild)
        if printed not in ("", plan.fingerprint):  # what was imported is of before
            cause = "the project was changed while this command waited. The database was not"
            raise CommandError(cause, "run the command again")
        if agreed is None:
            _ask(project, _losses(project, wanted, plan, drop_unknown), plan.undo, no_input=True)
        how, undo, is_to_be_kept, can_take_its_place = "", plan.undo, False, True
        if plan.kept:
            guard.refuse_more(agreed, plan.losses)
            try:
                how, undo = _restore(project, plan.kept, undo)
            except (CannotCopy, Damaged) as error:
                can_take_its_place = isinstance(error, Damaged)
                words = error.cause if can_take_its_place else error  # what is damaged, this replaces
                project.console.note(f"Snapshot {plan.kept.name} is not restored: {words}")
        if not how:
            how = "Rebuilt"
            empty = _Emptying(agreed, drop_unknown, no_input)
            built = _build_beside(project, plan, wanted, empty) if can_take_its_place else None
            undo, is_to_be_kept = (built, False) if built else _build_in_place(project, plan, wanted, empty)
        seconds = time.perf_counter() - begun
        project.console.say(f"{project.backend.label} is reset: at head, as the models say. {how} in {seconds:.2f} s.")
        if undo.words:
            project.console.say(undo.words)
        if is_to_be_kept:
            _keep(project, plan, wanted, undo.name)


def _ask(project: Project, losses: guard.Losses, undo: Undo, *, no_input: bool) -> None:
    if losses:
        explanation = f"reset empties {header(project)}. It holds\n{held(losses)}"
        guard.consent(project, undoing.warned(explanation, undo), no_input=no_input)


def held(losses: guard.Losses) -> str:
    """Return what a database holds, a line for each table."""
    return columns([[name, plural(number, "row"), note] for name, number, note in losses], right=frozenset({1}))


def _losses(project: Project, wanted: Wanted, plan: Plan, drop_unknown: bool) -> guard.Losses:
    """Return what will be lost; refuse what building would stumble over, before anything is asked."""
    if plan.kept:
        return plan.losses
    from .. import rebuilding, seeding

    if wanted.seeded:
        seeding.known_locale(wanted.locale)
        seeding.refuse_problems(project, seeding.choose(project, ()))
    return rebuilding.inspect(project, drop_unknown=drop_unknown)


def _restore(project: Project, kept: Snapshot, undo: Undo) -> tuple[str, Undo]:
    """Put a snapshot back and return how that is told, and undone."""
    with snapshots.alone(project):
        restored = undoing.restore(project, kept, undo)
    rows = [[table, plural(number, "row")] for table, number in kept.rows.items()]
    for line in columns(rows, right=frozenset({1})).splitlines():
        project.console.say(line)
    if restored is None:
        return f"Nothing had changed since snapshot {kept.name}: seen", Undo()
    return f"Restored from snapshot {kept.name}", restored


class _Emptying(NamedTuple):
    """What a person agreed to lose, None where nobody was asked."""

    agreed: guard.Losses | None
    drop_unknown: bool
    no_input: bool


def _build_beside(project: Project, plan: Plan, wanted: Wanted, emptying: _Emptying) -> Undo | None:
    """Build the database anew beside it, and put that in its place: until then it is as it was.

    Returns how that is undone; None where it can only be built in its place.
    """
    from .. import rebuilding

    if plan.undo.why_not or not rebuilding.can_be_aside(project):
        return None

    def printed() -> str | None:
        return plan.fingerprint if resetting.printed(project, wanted) == plan.fingerprint else None

    agreed, drop_unknown, no_input = emptying
    try:
        project.backend.copies.require_exchangeable()
        with undoing.saved_first(project, plan.undo, "reset", no_input=no_input) as first, snapshots.alone(project):
            build = partial(_build, wanted=wanted)
            built = rebuilding.aside(project, build, printed, drop_unknown=drop_unknown)
            with resetting.to_be_restored(project, built.snapshot, first):
                built.refuse_made(project)
                guard.refuse_more(agreed, rebuilding.inspect(project, drop_unknown=drop_unknown))
                undo = resetting.undo(project)
                undoing.confirm(project, undo, first, no_input=no_input)
                undo = undoing.restore(project, built.snapshot, undo, first=first.name) or Undo()
            undo = undoing.settled(project, first, undo)
            why_not = resetting.keep_built(project, built.snapshot, (undo.name, first.name))
    except CannotCopy as error:
        project.console.note(f"{project.backend.label} is built in its place: {error}")
        return None
    if built.snapshot.fingerprint is None and printed() is None:
        why_not = _CHANGED
    if why_not:
        project.console.note(f"No snapshot of it is kept: {why_not}")
    return undo


def _build_in_place(project: Project, plan: Plan, wanted: Wanted, emptying: _Emptying) -> tuple[Undo, bool]:
    """Build the database anew in its place; return how that is undone, and whether all that is there is ours."""
    from .. import rebuilding

    return undoing.save_and_lose(
        project,
        plan.undo,
        "reset",
        partial(rebuilding.empty, project, drop_unknown=emptying.drop_unknown, agreed=emptying.agreed),
        drops=True,
        no_input=emptying.no_input,
        build=partial(_build, project, wanted),
    )


def _build(project: Project, wanted: Wanted) -> None:
    """Build the database anew."""
    from .. import migrations, rebuilding, seeding
    from . import migrate, seed

    migrate.run(project, "head", migrations.Request())
    seeded = []
    if wanted.seeded:
        locale = seeding.known_locale(wanted.locale)
        rows = seeding.Request(count=wanted.count, random_seed=wanted.random_seed, locale=locale)
        seeded = seed.run(project, rows)
    rebuilding.verify(project, {done.table: done.rows for done in seeded})


def _keep(project: Project, plan: Plan, wanted: Wanted, told: str | None) -> None:
    """Keep what was built for the next reset; where that cannot be, this one is done all the same."""
    if resetting.printed(project, wanted) != plan.fingerprint:
        project.console.note(f"No snapshot of it is kept: {_CHANGED}")
        return
    try:
        resetting.keep_reset(project, plan.fingerprint, told)
    except CommandError as error:
        project.console.note(f"No snapshot of it is kept: {error}")


_CHANGED = "the project was changed while it was built"
