"""What a column is called says what is in it: unique or not, in one word or several, in every locale."""

from __future__ import annotations

import re

import pytest

from tests.databases import Database
from tests.houses import House, Runner
from tests.management.test_schemas import IMPORTS, MAKE, column, seeded

UNIQUE = {
    "phone": (20, r"[\d()+.x-]+"),
    "iban": (34, r"[A-Z]{2}\d{2}[A-Z]{4}\d{14}"),
    "isbn": (17, r"97[89]-[\d-]+"),
    "mac_address": (17, r"([0-9a-f]{2}:){5}[0-9a-f]{2}"),
    "ip_address": (45, r"(\d{1,3}\.){3}\d{1,3}"),
    "token": (64, r"[0-9a-f]{64}"),
    "etag": (32, r"[0-9a-f]{32}"),
    "guid": (36, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "url": (200, r"https?://[\w.-]+/\d+"),
    "slug": (80, r"[a-z]+(-[a-z]+)*-\d+"),
    "domain": (80, r"[a-z-]+-\d+\.\w+"),
    "file_name": (80, r"\w+-\d+\.\w+"),
    "sku": (12, r"[A-Z]{3}-\d{6}"),
    "order_number": (10, r"\d{8}"),
    "postcode": (10, r"\d{5}"),
}
MODEL = """
class Thing(Base):
    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
"""


def test_unique_texts_look_like_what_they_are_called(house: House, manage: Runner, database: Database) -> None:
    columns = (
        f"    {name}: Mapped[str] = mapped_column(String({size}), unique=True)\n" for name, (size, _) in UNIQUE.items()
    )
    seeded(house, manage, MODEL + "".join(columns), 300)
    database.execute("DELETE FROM things WHERE id BETWEEN 100 AND 150")
    manage.ok("seed", "things", "--add", "100")

    assert database.count("things") == 349
    for name, (_, pattern) in UNIQUE.items():
        strange = [one for one in column(database, "things", name) if not re.fullmatch(pattern, str(one))]
        assert not strange, name


@pytest.mark.parametrize("locale", ["ja_JP", "fa_IR", "ru_RU"])
def test_unique_texts_are_those_of_the_locale(
    house: House, manage: Runner, sqlite_database: Database, locale: str
) -> None:
    columns = ("phone", "license_plate", "iban", "postcode")
    model = MODEL + "".join(f"    {name}: Mapped[str] = mapped_column(String(30), unique=True)\n" for name in columns)
    house.write("project/models/own.py", IMPORTS + model)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    manage.ok("seed", "things", "--count", "200", "--locale", locale)

    assert sqlite_database.count("things") == 200


def test_coordinates_may_be_texts_and_names_may_be_missing(house: House, manage: Runner, database: Database) -> None:
    columns = """    latitude: Mapped[str | None] = mapped_column(String(50))
    first_name: Mapped[str | None] = mapped_column(String(50))
    last_name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(100))
"""
    seeded(house, manage, MODEL + columns, 200)

    assert not [one for one in column(database, "things", "email") if str(one).startswith(".")]
    assert all(-90 <= float(str(one)) <= 90 for one in column(database, "things", "latitude") if one is not None)


NAMED = """
class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    emailaddress: Mapped[str] = mapped_column(String(80))
    last_ip_address: Mapped[str] = mapped_column(String(45))
    creditor_iban: Mapped[str] = mapped_column(String(34))
    key: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    start_date_month: Mapped[int]
    end_date_month: Mapped[int]


class Address(Base):
    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(60))
"""


def test_names_of_several_words_say_what_their_columns_hold(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, NAMED, 200)

    def values(name: str, table: str = "orders") -> set[str]:
        return {str(one) for one in column(sqlite_database, table, name)}

    assert values("state") == {"new", "active", "done"}
    assert len(values("state", "addresses")) > 20
    assert all(re.fullmatch(r"[a-z.]+\d*@[a-z.-]+", one) for one in values("emailaddress"))
    assert all(re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", one) for one in values("last_ip_address"))
    assert all(re.fullmatch(r"[A-Z]{2}\d{2}[A-Z]{4}\d{14}", one) for one in values("creditor_iban"))
    assert all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in values("key"))
    assert sqlite_database.value("SELECT count(*) FROM orders WHERE updated_at < created_at") == 0
    assert sqlite_database.value("SELECT count(*) FROM orders WHERE deleted_at < created_at") == 0
    assert 5 <= sqlite_database.value("SELECT count(deleted_at) FROM orders") <= 50
    assert {int(one) for one in values("end_date_month")} <= {*range(1, 13)}
