"""A copy of the project in a folder of its own, so that a run measures one state of it, with a model more if asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .databases import Database

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("project", "migrations", "manage.py", "alembic.ini")
INFERRED = Path(__file__).parent / "inferred"


class Failed(Exception):
    """A process of the benchmark failed, and its last words."""


@dataclass(frozen=True)
class House:
    """One copy of the project."""

    root: Path

    @classmethod
    def copy(cls, folder: Path) -> House:
        """Copy the project, without its .env."""
        folder.mkdir(parents=True)
        for part in PARTS:
            origin = ROOT / part
            if origin.is_dir():
                shutil.copytree(origin, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(origin, folder / part)
        return cls(folder)

    def add_models(self, folder: Path = INFERRED) -> None:
        """Add the models of a folder; `makemigrations` is still to write their migration."""
        for file in folder.glob("*.py"):
            shutil.copyfile(file, self.root / "project" / "models" / file.name)

    def manage(self, *arguments: str, database: Database) -> None:
        """Run manage.py, as a person would.

        Raises:
            Failed: it did not end with 0.
        """
        self.run([sys.executable, "manage.py", *arguments], self.environment(database))

    def worker(self, *arguments: str, python: str = sys.executable, database: Database | None = None) -> str:
        """Run a module of the benchmark that imports this copy of the project; return what it printed last."""
        environment = {**self.environment(database), "PYTHONPATH": str(ROOT)}
        return self.run([python, "-m", *arguments], environment).strip().splitlines()[-1]

    def environment(self, database: Database | None = None) -> dict[str, str]:
        """Return the environment of this process with the database that is meant, and nothing else of a project.

        Modules are compiled once, as anywhere, whatever the environment says.
        """
        given = {"DATABASE_URL": database.url} if database else {}
        ours = {"DATABASE_URL", "DEVELOPMENT_HOSTS", "ENVIRONMENT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
        return {**{key: value for key, value in os.environ.items() if key not in ours}, **given}

    def run(self, command: Sequence[str], environment: dict[str, str]) -> str:
        """Run a command in this folder and return what it printed."""
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines() or ["without a word"]
            program = next(word for word in command[1:] if not word.startswith("-"))
            raise Failed(f"{program} ended with {done.returncode}: {words[-1][:300]}")
        return done.stdout
