"""Names are Faker's: the same lists in the same proportions, in every locale, and the same rows on every database."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from faker import Faker
from faker.config import AVAILABLE_LOCALES

from project.management.names import PersonNames
from project.management.outcomes import expand
from tests.databases import KINDS, Database, fresh
from tests.houses import House, Runner

ROWS = 100_000
# Where Faker keeps names in several scripts.
PAIRS = {
    ("ja_JP", "first_name_male"): "first_name_male_pairs",
    ("ja_JP", "first_name_female"): "first_name_female_pairs",
    ("ja_JP", "last_name"): "last_name_pairs",
}
FEMALE_OR_MALE = re.compile(r"_(female|male|nonbinary)$")


def chi_square(counted: Mapping[str, int], weights: Mapping[str, float]) -> tuple[float, int]:
    """Return the statistic and its degrees of freedom; outcomes expected less than five times count as one."""
    total, drawn = sum(weights.values()), sum(counted.values())
    expected = {one: drawn * weight / total for one, weight in weights.items()}
    rare = {one for one, times in expected.items() if times < 5}
    cells = [(counted.get(one, 0), times) for one, times in expected.items() if one not in rare]
    if rare:
        cells.append((sum(counted.get(one, 0) for one in rare), sum(expected[one] for one in rare)))
    return sum((seen - times) ** 2 / times for seen, times in cells), len(cells) - 1


def weights_of(elements: object) -> dict[str, float]:
    """Return Faker's weights; of names in several scripts, those of the first."""
    counted: dict[str, float] = {}
    for element, weight in elements.items() if isinstance(elements, Mapping) else ((one, 1.0) for one in elements):  # type: ignore[attr-defined]  # a tuple or list
        text = element if isinstance(element, str) else element[0]
        counted[text] = counted.get(text, 0.0) + weight
    return counted


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "pt_BR"])
def test_first_and_last_names_come_in_fakers_own_proportions(locale: str) -> None:
    names, provider = PersonNames(locale), Faker(locale).provider("faker.providers.person")

    for token in ("first_name_male", "first_name_female", "last_name"):
        plural = token.replace("name", "names")
        elements = PAIRS.get((locale, token)) or plural
        weights = getattr(provider, elements, None) or getattr(provider, FEMALE_OR_MALE.sub("", elements))
        table = names.table(token)
        drawn = Counter(random.Random(7).choices(table, k=ROWS))
        found, freedom = chi_square(drawn, weights_of(weights))
        assert found < freedom + 5 * (2 * freedom) ** 0.5, f"{token}: {found:.0f} for {freedom} degrees of freedom"


@pytest.mark.parametrize("locale", ["en_US", "ja_JP"])  # in which no part of a name holds a blank
def test_forms_of_names_keep_their_proportions(locale: str) -> None:
    provider = Faker(locale).provider("faker.providers.person")
    sizes: dict[int, float] = {}
    for form, weight in weights_of(provider.formats).items():
        sizes[form.count("{{")] = sizes.get(form.count("{{"), 0.0) + weight
    names = PersonNames(locale)

    drawn = [name for block in range(10) for name in names.draw(random.Random(block), 10_000).texts]

    counted = Counter(len(name.split()) for name in drawn)
    assert sum(counted.values()) == ROWS
    for size, weight in sizes.items():
        assert abs(counted[size] / ROWS - weight / sum(sizes.values())) < 0.005


def test_a_table_gives_each_outcome_its_share_to_within_one_entry() -> None:
    weights = {"a": 0.5, "b": 0.3, "c": 0.19999, "d": 0.00001}

    table = expand(weights, weights.values())

    assert len(table) == 65_536
    for one, weight in weights.items():
        assert abs(table.count(one) - 65_536 * weight) <= 1


def test_every_locale_of_faker_seeds_students(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    code = f"""
from pathlib import Path
from project.management.commands import seed
from project.management.seeding import Request
import warnings
warnings.simplefilter("ignore")
for number, locale in enumerate({sorted(AVAILABLE_LOCALES)!r}):
    seed.run(project, Request(("students",), 100, None, True, 1, locale), no_input=True)
    rows = session.execute(sa.text("SELECT name, email FROM students")).all()
    session.rollback()
    assert len(rows) == len({{row.email for row in rows}}) == 100, locale
    assert all(row.name.strip() and row.email.isascii() for row in rows), locale
print("all", number + 1)
"""

    result = manage.ok("shell", "-c", code, "-v", "0")

    assert result.out.splitlines()[-1] == f"all {len(AVAILABLE_LOCALES)}"


def logical(database: Database) -> str:
    rows = database.rows("SELECT name, email, grade, birthday, enrolled_date FROM students ORDER BY id")
    texts = ("|".join(str(value)[:19] for value in row) for row in rows)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def test_rows_are_the_same_whichever_way_they_are_loaded(house: House, manage: Runner, tmp_path: Path) -> None:
    found: dict[str, str] = {}
    for kind in KINDS:
        with fresh(kind, tmp_path) as database:
            at = ("--database-url", database.url)
            manage.ok("migrate", *at)
            manage.ok("seed", "students", "--count", "20500", *at)  # enough for indexes to be built after the load
            found[kind] = logical(database)
    with fresh("mariadb", tmp_path) as database:
        at = ("--database-url", f"{database.url}?local_infile=0")  # rows come by INSERT
        manage.ok("migrate", *at)
        manage.ok("seed", "students", "--count", "20500", *at)
        found["mariadb without files"] = logical(database)
    with fresh("sqlite", tmp_path) as database:
        at = ("--database-url", database.url)
        manage.ok("migrate", *at)
        for count in ("3", "9999", "10001", "20500"):
            manage.ok("seed", "students", "--count", count, *at)
        found["sqlite in steps"] = logical(database)

    assert len(set(found.values())) == 1, found
