"""What the peers and the chart are run with: an environment of the benchmark's own, and node's packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from .databases import Unavailable
from .house import ROOT

FOLDER = Path(__file__).parent
DRIZZLE = FOLDER / "drizzle"


@cache
def python() -> str:
    """Return the Python that has the peers and the chart, installing them when the requirements are newer."""
    constraints = ("-c", str(ROOT / "constraints.txt"))
    return _environment(FOLDER / ".venv", FOLDER / "requirements.txt", "the peers", constraints)


@cache
def dslr() -> str:
    """Return the Python that has dslr, which wants other versions than this project has."""
    return _environment(FOLDER / ".venv-dslr", FOLDER / "requirements-dslr.txt", "dslr")


def _environment(folder: Path, requirements: Path, what: str, options: tuple[str, ...] = ()) -> str:
    program, installed = folder / "bin" / "python", folder / "installed"
    if not installed.exists() or installed.stat().st_mtime < requirements.stat().st_mtime:
        _run([sys.executable, "-m", "venv", str(folder)], f"an environment for {what}")
        pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *options, "-r", str(requirements)], what)
        installed.touch()
    return str(program)


@cache
def node() -> str:
    """Return the node that has drizzle-seed, installing it once."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise Unavailable("node and npm are not installed")
    if not (DRIZZLE / "node_modules" / "drizzle-seed").exists():
        _run([npm, "install", "--no-package-lock", "--no-audit", "--no-fund"], "drizzle-seed", DRIZZLE)
    _run([program, "-e", "new (require('better-sqlite3'))(':memory:')"], "better-sqlite3", DRIZZLE)
    return program


def _run(command: list[str], what: str, folder: Path = FOLDER) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{what} could not be installed ({Path(command[0]).name} ended with {done.returncode})")
