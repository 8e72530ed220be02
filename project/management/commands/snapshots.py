"""List the snapshots, the newest first; or delete some.

Those of other databases that are kept at the same place are listed too: restore --from takes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from .. import snapshots
from ..console import columns, plural
from ..project import Project
from ..snapshots import Snapshot
from ._waiting import add_lock_timeout, limit_waiting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print them as JSON")
    what.add_argument("--delete", metavar="NAME", help="delete that snapshot of this database")
    what.add_argument("--keep", type=_number, metavar="N", help="delete all of this database but the newest N")
    add_lock_timeout(parser)


def handle(project: Project, *, json: bool, delete: str | None, keep: int | None, lock_timeout: int) -> None:
    limit_waiting(project, lock_timeout)
    if delete is not None or keep is not None:
        _delete(project, delete, keep)
        return
    found = snapshots.every(project)
    if json:
        project.console.output(_json(found))
    elif not found:
        project.console.result("There are no snapshots.   Next: python manage.py snapshot saves one")
    else:
        project.console.result(_table(found))
    for place in snapshots.unreadable(project):
        project.console.note(
            f"Nothing can be read of the snapshot in {place}: if it is nobody else's, remove that by hand."
        )


def _delete(project: Project, name: str | None, keep: int | None) -> None:
    with snapshots.alone(project):
        own = snapshots.own(project)
        elsewhere = "to delete it give --database-url with that database"
        going = [snapshots.find(project, name, elsewhere=elsewhere)] if name is not None else own[keep:]
        snapshots.delete(project, going)
    freed = snapshots.readable(sum(one.size for one in going))
    names = f": {', '.join(one.name for one in going)}" if going else ""
    project.console.say(f"Deleted {plural(len(going), 'snapshot')}, {freed}{names}.")


def _table(found: Sequence[Snapshot]) -> str:
    heads = ["NAME", "TAKEN", "REVISION", "ROWS", "SIZE", "DATABASE", ""]
    rows = [
        [
            one.name,
            f"{one.taken.astimezone():%Y-%m-%d %H:%M:%S}",
            ", ".join(one.revisions) or "zero",
            f"{one.total:,}",
            snapshots.readable(one.size),
            one.database,
            {"reset": "reset keeps it", "failed": "a reset that failed"}.get(one.kind, ""),
        ]
        for one in found
    ]
    return columns([heads, *rows], right=frozenset({3, 4}), indent="")


def _json(found: Sequence[Snapshot]) -> str:
    return json.dumps(
        [
            {
                "name": one.name,
                "taken": one.taken.isoformat(),
                "kind": one.kind,
                "revisions": list(one.revisions),
                "rows": one.rows,
                "size": one.size,
                "database": one.database,
            }
            for one in found
        ],
        indent=2,
        ensure_ascii=False,
    )


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of snapshots")
    return int(text)
