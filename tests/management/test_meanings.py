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


# The values that columns of these names may hold, and what type they are of.
SAID = {
    "card_last4": ("String(4)", r"\d{4}"),
    "vin": ("String(17)", r"[A-Z0-9]{17}"),
    "gender": ("String(10)", r"female|male|non-binary"),
    "sex": ("String(1)", r"[FM]"),
    "prefix": ("String(10)", r"(Mr|Mrs|Miss|Ms|Mx|Ind|Misc|Dr)\.?"),
    "name_suffix": ("String(10)", r"[A-Z][A-Za-z]+\.?|[IVX]+"),
    "lang": ("String(5)", r"[a-z]{2,3}"),
    "language": ("String(8)", r"[a-z]{2,3}"),
    "vat_number": ("String(20)", r"EU\d{9}"),
    "tax_id": ("String(10)", r"\d\d-\d{7}"),
    "ssn": ("String(11)", r"\d{3}-\d\d-\d{4}"),
    "order_no": ("String(7)", r"\d{3} \d{3}"),
    "weight_kg": ("Numeric(5, 2)", r"(4[5-9]|[5-9]\d|1[012]\d)(\.\d+)?"),
    "height_cm": ("sa.Integer", r"1[5-9]\d|200"),
    "price": ("Numeric(12, 4)", r"\d+(\.\d{1,2})?"),
    "total_eur": ("Numeric(12, 4)", r"\d+(\.\d{1,2})?"),
    "expires_on": ("sa.Date", r"202[678]-.*"),
    "username": ("String(40), unique=True", r"[a-z]+\d+"),
}
PEOPLE = """
class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("ssn LIKE '___-__-____'", name="with_dashes"),
        CheckConstraint("order_no LIKE '___ ___'", name="with_a_blank"),
        CheckConstraint("email_lower = lower(email)", name="small_letters"),
        CheckConstraint("total_eur > 0", name="something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(String(80))
    email_lower: Mapped[str] = mapped_column(String(80))
    name: Mapped[str | None] = mapped_column(String(80))
    name_upper: Mapped[str | None] = mapped_column(String(80))
    username_lower: Mapped[str] = mapped_column(String(40), unique=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    from_: Mapped[date]
    until: Mapped[date]
    begins: Mapped[time]
    ends: Mapped[time]
"""


def test_values_are_what_the_names_of_their_columns_say(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    said = "".join(f"    {name}: Mapped[object] = mapped_column({kind})\n" for name, (kind, _) in SAID.items())
    seeded(house, manage, PEOPLE + said, 300)

    for name, (_, pattern) in SAID.items():
        strange = [one for one in column(sqlite_database, "customers", name) if not re.fullmatch(pattern, str(one))]
        assert not strange, name
    for wrong in (
        "username_lower <> lower(username) OR name_upper <> upper(name)",
        "expires_on <= '2026-09-01' OR expires_at <= '2026-09-01' OR valid_until <= '2026-09-01'",
        "issued_at > '2026-09-01' OR from_ > until OR begins > ends",
    ):
        assert sqlite_database.value(f"SELECT count(*) FROM customers WHERE {wrong}") == 0, wrong
    shown = manage.ok("seed", "customers", "--list").out
    assert re.search(r"username_lower +the same as username in lower case +the column is called username_lower", shown)
    assert re.search(r"gender +one of female, male, non-binary +the column is called gender", shown)
