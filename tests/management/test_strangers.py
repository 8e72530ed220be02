"""Whole schemas that were written for other purposes seed at the first try: 1,000 rows in each table, no code."""

from __future__ import annotations

import re

import pytest

from tests.databases import Database
from tests.houses import House, Runner
from tests.processes import REPOSITORY

SCHEMAS = ("forum", "github", "hr", "library", "saas", "shop")
NOT_ON_MARIADB = {"github", "hr", "shop"}
LOAD = """
for name, model in project.models.items():
    print(name, len(session.scalars(sa.select(model).limit(20)).all()))
"""


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_strangers_schema_seeds_at_the_first_try(
    house: House, manage: Runner, database: Database, schema: str
) -> None:
    if database.kind == "mariadb" and schema in NOT_ON_MARIADB:
        pytest.skip("MariaDB has no CHECK on a column that it numbers")
    models = (REPOSITORY / "tests" / "schemas" / f"{schema}.py").read_text(encoding="utf-8")
    house.write("project/models/own.py", models)
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", f"Added the models of {schema}")
    manage.ok("migrate")

    first = manage.ok("seed", "--count", "1000")
    second = manage.ok("seed", "--count", "1000")

    rows = {
        name: (int(count.replace(",", "")), note)
        for name, count, note in re.findall(r"(?m)^  (\S+) +([\d,]+) rows?  (?:[\d.]+ s)?(.*)$", first.out)
    }
    assert len(rows) >= 10
    for name, (count, note) in rows.items():
        assert count == 1000 or "its keys allow" in note or "kept" in note, f"{name}: {count}{note}"
        assert count > 0
    again = re.findall(r"(?m)^  (\S+) +([\d,]+) rows?", second.out)
    assert {name: int(count.replace(",", "")) for name, count in again} == {
        name: one for name, (one, _) in rows.items()
    }
    assert all(int(line.split()[1]) > 0 for line in manage.ok("shell", "-c", LOAD).out.splitlines())
