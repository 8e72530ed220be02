"""One `reset` in this process, after everything that it may need is imported: prints what it took."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from .clock import timed


def main(kind: str, options: list[str]) -> None:
    """Import what building and copying need, then parse the options and time the command."""
    import faker
    from faker.providers.person import en_US as _names

    from project.management import migrations, rebuilding, seeding
    from project.management.cli import main as manage

    assert all((faker, _names, migrations, rebuilding, seeding))
    arguments = ["reset", *options, "--verbosity", "0"]

    def work() -> None:
        if manage(arguments, package="project", root=Path.cwd()):
            raise SystemExit("the reset failed")

    with redirect_stdout(io.StringIO()):  # the settings, the database's driver and dialect, what copies it
        manage(["snapshots", "--json"], package="project", root=Path.cwd())
    print(json.dumps(timed(work, kind)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
