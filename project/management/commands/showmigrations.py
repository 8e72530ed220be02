"""List the revisions, which of them are applied and since when, and where the database is.

[X] is applied, [ ] is not, and of [?] nothing tells; a revision that was applied and that no file has is "lost".
With --history every step that was ever done to the database, also those that were taken back.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Mapping, Sequence

from alembic.script import Script

from .. import history as revision_files
from .. import lost, migrations
from ..console import columns
from ..errors import shortened
from ..migration_history import Record, last_applied
from ..project import Project
from .migrate import header


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--history", action="store_true", help="list the steps that were done, in their order")
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def handle(project: Project, *, history: bool, json: bool) -> None:
    if history:
        _show_history(project, as_json=json)
    else:
        _show_revisions(project, as_json=json)


def _show_revisions(project: Project, *, as_json: bool) -> None:
    script = revision_files.load(project)
    state = migrations.read_state(project)
    current, unfinished = state.heads, state.unfinished
    records = last_applied(state.history.records)
    known = {revision.revision: revision for revision in script.walk_revisions()}
    has = state.has(script)
    revisions = list(reversed(known.values()))
    unknown = [revision for revision in current if revision not in known]
    missing = [pair for one in unknown for pair in _lost(state.history.records, one, known)]
    if as_json:
        found = {"database": project.backend.label, "current": list(current), "heads": list(script.get_heads())}
        listed = _listed(project, revisions, has, records)
        gone = [
            {"revision": name, "message": record and record.message, **_applied_at(record)} for name, record in missing
        ]
        more = {
            "unfinished": unfinished,
            "revisions": listed,
            "lost": gone,
            "history_error": state.history.why_not and str(state.history.why_not),
        }
        project.console.output(_json({**found, **more}))
        return
    console = project.console
    console.lines(header(project))
    rows = [
        [
            _MARKS[has[one.revision]],
            one.revision,
            revision_files.message(one),
            revision_files.kind(one),
            *(_when(records.get(one.revision)) if has[one.revision] else ("", "")),
            " ".join(["head"] * one.is_head + [_HERE] * (one.revision in current)),
        ]
        for one in revisions
    ]
    rows += [_row_of_lost(name, record, is_here=name in current) for name, record in missing]
    if rows:
        console.result(columns(rows, right=frozenset({5})))
    if why_not := state.history.why_not:
        console.lines(f"{why_not.cause[0].upper()}{why_not.cause[1:]}.   Next: {why_not.cure}")
    pending = list(has.values()).count(False)
    if unknown:
        refused = lost.explained(project, unknown[0], known)
        console.lines(f"{refused.cause}.   Next: {refused.cure}")
    elif not revision_files.are_sound(script, current):
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


def _show_history(project: Project, *, as_json: bool) -> None:
    state = migrations.read_state(project)
    records, why_not = state.history
    if why_not is not None:
        raise why_not
    console = project.console
    lost.note(project, state.heads)
    if as_json:
        console.output(_json({"database": project.backend.label, "history": [_told(one) for one in records]}))
        return
    console.lines(header(project))
    rows = [[*_when(one), _DID[one.direction], one.revision, one.message, one.done_by or ""] for one in records]
    if rows:
        console.result(columns(rows, right=frozenset({1})))
    else:
        console.result("No step was recorded.   Next: python manage.py migrate")


def _lost(records: Sequence[Record], name: str, known: Collection[str]) -> list[tuple[str, Record | None]]:
    """Return the revisions that were applied and no file has, up to the one that the database is at."""
    line = lost.line(records, name, known)
    return [(one.revision, one) for one in reversed(line)] if line else [(name, None)]


def _row_of_lost(name: str, record: Record | None, *, is_here: bool) -> list[str]:
    message = shortened(record.message, most=80) if record else "nothing is recorded of it"
    who = f"by {record.done_by}" if record and record.done_by else ""
    return [_MARKS[True], name, message, "lost", *_when(record), f"{who} {_HERE * is_here}".strip()]


def _when(record: Record | None) -> tuple[str, str]:
    """Return when a step was done, in local time, and how long it took."""
    if record is None:
        return "", ""
    when = f"{record.done_at.astimezone():%Y-%m-%d %H:%M:%S}" if record.done_at else ""
    return when, "" if record.seconds is None else f"{record.seconds:.2f} s"


def _told(record: Record) -> dict[str, object]:
    return {
        "revision": record.revision,
        "message": record.message,
        "direction": record.direction,
        "done_at": record.done_at.isoformat() if record.done_at else None,
        "seconds": record.seconds,
        "done_by": record.done_by,
        "checksum": record.checksum,
    }


def _listed(
    project: Project, revisions: list[Script], has: Mapping[str, bool | None], records: dict[str, Record]
) -> list[dict[str, object]]:
    return [
        {
            "revision": one.revision,
            "message": revision_files.message(one, most=None),
            "kind": revision_files.kind(one),
            "applied": has[one.revision],
            **_applied_at(records.get(one.revision) if has[one.revision] else None),
            "file": revision_files.path_of(one, project.root),
        }
        for one in revisions
    ]


def _applied_at(record: Record | None) -> dict[str, object]:
    return {
        "applied_at": record.done_at.isoformat() if record and record.done_at else None,
        "seconds": record.seconds if record else None,
        "applied_by": record.done_by if record else None,
    }


def _json(found: dict[str, object]) -> str:
    return json.dumps(found, indent=2)  # in ASCII, which any terminal and any encoding of stdout has


_HERE = "<- the database"
_MARKS = {True: "[X]", False: "[ ]", None: "[?]"}
_DID = {"upgrade": "applied", "downgrade": "taken back", "stamp": "recorded", "unstamp": "forgotten"}
