"""Python with the models and an open session: IPython where it is installed."""

from __future__ import annotations

import argparse
import atexit
import importlib.util
import sys
from typing import Any, TextIO

from ..console import visible
from ..errors import CommandError, refuse_bytes
from ..project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c", dest="code", metavar="CODE", help="run this and exit; what comes from a pipe is run in the same way"
    )


def handle(project: Project, *, code: str | None) -> None:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    if code is None and not (sys.stdin and sys.stdin.isatty()):
        code = _read(sys.stdin)
    if code is not None:
        refuse_bytes(code, "the code")
    with project.connect(limited=False) as connection, Session(connection) as session:
        names: dict[str, Any] = {"sa": sa, "session": session, "project": project, **project.models}
        atexit.register(names.clear)  # as Python does with a program's own names: a file that is still open is written
        if code is not None:
            exec(compile(code, "<-c>", "exec"), names)  # noqa: S102  # the person's own code is the point
        else:
            _interact(names, project)


def _read(stream: TextIO | None) -> str:
    try:
        return stream.read() if stream else ""
    except UnicodeDecodeError as error:
        raise CommandError(f"what comes from the pipe is not {error.encoding} text", "save it as UTF-8") from error


def _interact(names: dict[str, Any], project: Project) -> None:
    banner = visible(f"{project.backend.label} ({project.backend.title}). Here are: {', '.join(names)}.")
    if importlib.util.find_spec("IPython") is None:
        import code

        code.interact(banner, local=names, exitmsg="")
        return
    from IPython import start_ipython  # type: ignore[import-not-found]  # optional

    sys.stderr.write(banner + "\n")
    start_ipython(argv=[], user_ns=names)
