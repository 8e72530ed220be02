"""Go through the whole history with rows in the tables: what works on empty ones only fails here, and not elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from . import history, migrations, rehearsing
from .errors import CommandError, StepFailed
from .filling import Filler
from .migrations import Step
from .rehearsing import Rehearsed

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

    from .project import Project


_ENUMERATION = re.compile(r"(with|without) enumeration (.+?): (.*)")


@dataclass(frozen=True)
class Climbed:
    """What came of it."""

    steps: int
    without_rows: Sequence[str]  # tables that had none, and why; no model has them, so no seeder can fill them


def climb(project: Project, report: Callable[[Rehearsed], None]) -> Climbed:
    """Take each step from the first revision to the newest, down and up again, in an empty database made for it.

    Before each step every table is filled with rows that fit what the database itself says of it; after it, with what
    only the new schema allows, and then it is taken back and again.

    Args:
        report: gets each step when it is through.

    Raises:
        CommandError: a step failed, naming the revision and the row; one is not taken back by its downgrade; or a
            table could not be filled.
    """
    script = history.load(project)
    history.require_one_head(script, project.root)
    revisions = list(reversed(list(script.walk_revisions())))
    not_restored: list[Rehearsed] = []
    with ExitStack() as noting, ExitStack() as databases:
        climber = _Climber(project, script, databases)
        noting.enter_context(climber.filler.declared.noted())
        for revision in revisions:
            done = climber.step(revision)
            report(done)
            if done.failure is not None:
                raise rehearsing.told(project, climber.built, done.failure, "the staircase")
            if not _only_additions_stay(done.not_restored):
                not_restored.append(done)
    if not_restored:
        raise _told_at_the_end(project, not_restored)
    without_rows = {
        name: f"{name} at revision {revision}: {why}".replace(climber.built.backend.database, project.backend.database)
        for name, (revision, why) in climber.filler.empty.items()
    }
    ours = [name for name in without_rows if name in project.metadata.tables] if without_rows else []
    if ours:
        more = f" (nor into {', '.join(ours[1:])})" if len(ours) > 1 else ""
        raise CommandError(
            f"the staircase could put no row into {without_rows[ours[0]].rstrip('.')}{more}",
            f"say in project/seeds/{ours[0].rpartition('.')[2]}.py how to fill it",
        )
    return Climbed(len(revisions), [*without_rows.values()])


class _Climber:
    """A database that goes from revision to revision, with rows in every table."""

    def __init__(self, project: Project, script: ScriptDirectory, databases: ExitStack) -> None:
        self.project, self.script, self.databases = project, script, databases
        self.filler = Filler()
        self.built = self._empty()

    def _empty(self) -> Project:
        self.databases.close()
        empty = self.databases.enter_context(rehearsing.throwaway(self.project, empty=True))
        empty.kept_history = self.script
        return empty

    def step(self, revision: Script) -> Rehearsed:
        """Go to the next revision: up, down and up again; then once more, with rows that only the new one allows."""
        step, fill = Step(revision, upgrade=True), partial(self.filler.fill, self.built, revision.revision)
        if revision.is_base:  # nothing has rows yet that a step back could lose
            done = rehearsing.go_through(self.built, step, fill)
            if done.failure is None:
                fill()
            return done
        done = rehearsing.go_through(self.built, step)
        if done.failure is None and fill():
            self._go_back_with_new_rows(done)
        return done

    def _go_back_with_new_rows(self, done: Rehearsed) -> None:
        revision = done.step.revision.revision
        try:
            with self.filler.declared.unless_it_fails():
                rehearsing.go(self.built, "-1")
        except StepFailed as error:
            done.refused = rehearsing.what_failed(self.project, self.built, error)
            try:
                migrations.refuse_unfinished(self.built)
            except CommandError:
                self._build_anew(revision)
            return
        try:
            rehearsing.go(self.built, "+1")
        except CommandError as error:  # its own way back left what it cannot go over
            done.again, done.failure = None, error
            return
        self.filler.fill(self.built, revision)

    def _build_anew(self, revision: str) -> None:
        """Get to a revision from the start, for the database that was there cannot be used any more."""
        self.built = self._empty()
        self.filler.forget()
        rehearsing.go(self.built, revision)
        self.filler.fill(self.built, revision)


def _only_additions_stay(not_restored: list[str]) -> bool:
    """Return whether nothing is left of a step but what PostgreSQL adds and nobody drops: labels, extensions."""
    labels: dict[str, dict[str, set[str]]] = {"with": {}, "without": {}}
    for one in not_restored:
        if one.startswith("with extension "):
            continue
        if not (found := _ENUMERATION.fullmatch(one)):
            return False
        labels[found[1]][found[2]] = set(found[3].split(", "))
    return labels["with"].keys() == labels["without"].keys() and all(
        before <= labels["with"][name] for name, before in labels["without"].items()
    )


def _told_at_the_end(project: Project, found: list[Rehearsed]) -> CommandError:
    first = found[0]
    more = f"; nor are {len(found) - 1} more" if len(found) > 1 else ""
    what = f"{migrations.named(first.step.revision, project)} is not taken back by its downgrade"
    return CommandError(f"{what}: the schema is {first.not_restored[0]}{more}", "correct it, then try again")
