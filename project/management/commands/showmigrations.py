"""List the revisions, which of them are applied, and where the database is."""

from __future__ import annotations

import argparse
import json

from alembic.script import Script

from .. import history, migrations
from ..console import columns
from ..project import Project
from .migrate import header


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def handle(project: Project, *, json: bool) -> None:
    script = history.load(project)
    current, unfinished = migrations.read_state(project)
    known = {revision.revision: revision for revision in script.walk_revisions()}
    applied = {one.revision for head in current if head in known for one in script.iterate_revisions(head, "base")}
    revisions = list(reversed(known.values()))
    if json:
        found = {"database": project.backend.label, "current": list(current), "heads": list(script.get_heads())}
        listed = _listed(project, revisions, applied)
        project.console.output(_json({**found, "unfinished": unfinished, "revisions": listed}))
        return
    console = project.console
    console.lines(header(project))
    rows = [
        [
            "[X]" if one.revision in applied else "[ ]",
            one.revision,
            history.message(one),
            history.kind(one),
            " ".join(["head"] * one.is_head + ["<- the database"] * (one.revision in current)),
        ]
        for one in revisions
    ]
    if rows:
        console.result(columns(rows))
    unknown = [revision for revision in current if revision not in known]
    pending = len(known) - len(applied)
    if unknown:
        console.lines(f"The database is at {', '.join(unknown)}, which no file in migrations/versions has.")
    elif not history.are_sound(script, current):
        console.lines(
            f"The database records {len(current)} revisions at once: {', '.join(current)}."
            "   Next: python manage.py migrate --fake REVISION records the one it is at"
        )
    elif unfinished:
        console.result(
            f"Revision {unfinished} was begun and never finished.   Next: python manage.py migrate says how to go on"
        )
    elif len(heads := script.get_heads()) > 1:
        console.result(f"{len(heads)} heads, {pending} pending.   Next: python manage.py makemigrations --merge")
    elif pending:
        console.result(f"{pending} pending.   Next: python manage.py migrate")
    else:
        console.result("All applied.")


def _listed(project: Project, revisions: list[Script], applied: set[str]) -> list[dict[str, object]]:
    return [
        {
            "revision": one.revision,
            "message": history.message(one, most=None),
            "kind": history.kind(one),
            "applied": one.revision in applied,
            "file": history.path_of(one, project.root),
        }
        for one in revisions
    ]


def _json(found: dict[str, object]) -> str:
    return json.dumps(found, indent=2)  # in ASCII, which any terminal and any encoding of stdout has
