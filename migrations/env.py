"""Hand Alembic to the project's machinery: the same URL, lock, transactions and guard for `alembic` and manage.py."""

from project.management.cli import run_environment

run_environment("project")
