"""Clone a database as `project.management.testing` does for each test, in one process: prints what one clone took."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

from .clock import Clock

CLONES = 20


def main(kind: str) -> None:
    """Clone the database of DATABASE_URL, a few times without the clock, then with it."""
    from project.management.console import Console
    from project.management.project import Project

    project = Project("project", Path.cwd(), console=Console(verbosity=0))
    backend, copies = project.backend, project.backend.copies
    took = []
    with project.explained(), copies.held():
        for number in range(-2, CLONES):
            name = f"{backend.database}_clone_{number}"
            clock = Clock(kind)
            copies.clone(name)
            took += [clock.stop()] if number >= 0 else []
            copies.drop(name)
    shown = {field: median(one[field] for one in took) for field in took[0]}
    print(json.dumps({**shown, "peak_mib": 0.0}))


if __name__ == "__main__":
    main(*sys.argv[1:])
