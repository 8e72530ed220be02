"""The migrations of this project, whatever they are: they work where there are rows, in both directions."""

from __future__ import annotations

from tests.databases import Database
from tests.houses import Runner


def test_every_revision_works_on_tables_with_rows(manage: Runner, database: Database) -> None:
    manage.ok("migrate")

    manage.ok("check", "--staircase")
