"""What a column is called says what is in it: unique or not, in one word or several, in every locale."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.databases import Database, fresh
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
    # Written together, shortened, numbered, with a word of the table or of a type before, or which one it is behind.
    "BillingPostalCode": ("String(10)", r"\d{5}"),
    "othernames": ("String(30)", r"[A-Z][a-z]+"),
    "contactfirstname": ("sa.Text", r"[A-Z][a-z]+"),
    "EMAIL_ADDR": ("String(80)", r"[a-z.]+\d+@example\.org"),
    "FRST_NM": ("String(40)", r"[A-Z][a-z]+"),
    "LST_NM": ("String(40)", r"[A-Z][A-Za-z]+"),
    "annual_income": ("sa.Integer", r"[3-9]\d{4}|1[012]\d{4}"),
    "emailpro": ("sa.Text", r"[a-z.]+\d+@example\.org"),
    "c_email": ("String(60)", r"[a-z.]+\d+@example\.org"),
    "mobilephone": ("String(20)", r"[\d()+.x-]+"),
    "tel_no": ("String(20)", r"[\d()+.x-]+"),
    "phone_2": ("String(20)", r"[\d()+.x-]+"),
    "cust_lname": ("String(40)", r"[A-Z][A-Za-z]+"),
    "sortname": ("String(40)", r"[A-Z][A-Za-z]+, [A-Z][a-z]+"),
    "branchcode": ("String(10)", r"[A-Z]{3}-\d{6}"),
    "borrowernumber": ("sa.Integer", r"\d{1,4}"),
    "copyrightdate": ("sa.SmallInteger", r"19[7-9]\d|20[0-2]\d"),
    "patronimage": ("String(200)", r"https?://.*"),
    "txt_language": ("String(8)", r"[a-z]{2,3}"),
    "usr_pwd": ("String(60)", r"\$2b\$12\$[\w./]{53}"),
    # Of what kind or size a number or a code is.
    "isbn13": ("sa.CHAR(13)", r"97[89]\d{10}"),
    "issn": ("sa.CHAR(9)", r"\d{4}-\d{3}[\dX]"),
    "iso3": ("sa.CHAR(3)", r"[A-Z]{3}"),
    "price_cents": ("sa.Integer", r"[1-9]\d{2,5}"),
    "tax_rate": ("Numeric(4, 3)", r"[01](\.\d+)?"),
    "vat_pct": ("Numeric(5, 2)", r"\d{1,3}(\.\d+)?"),
    "blood_type": ("String(3)", r"(A|B|AB|0)[+-]"),
    "birth_year": ("sa.SmallInteger", r"19[5-9]\d|200[0-8]"),
    "year_built": ("sa.Integer", r"19[0-9]\d|20[0-2]\d"),
    "pages": ("String(10)", r"\d{2,3}"),
    "is_active": ("sa.Integer", r"[01]"),
}
PEOPLE = """
class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("ssn LIKE '___-__-____'", name="with_dashes"),
        CheckConstraint("order_no LIKE '___ ___'", name="with_a_blank"),
        CheckConstraint("email_lower = lower(email)", name="small_letters"),
        CheckConstraint("total_eur > 0", name="something"),
        CheckConstraint("year_built >= 1900", name="no_ruin"),
        CheckConstraint("hire_date > dateofbirth", name="born_first"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(String(80))
    email_lower: Mapped[str] = mapped_column(String(80))
    name: Mapped[str | None] = mapped_column(String(80))
    name_upper: Mapped[str | None] = mapped_column(String(80))
    username_lower: Mapped[str] = mapped_column(String(40), unique=True)
    dateofbirth: Mapped[date]
    hire_date: Mapped[date]
    date_of_death: Mapped[date]
    loaned_at: Mapped[datetime]
    due_date: Mapped[date]
    returned_at: Mapped[datetime]
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
        "hire_date < date(dateofbirth, '+16 years') OR hire_date > '2026-09-01'",
        "date_of_death < date(dateofbirth, '+17 years') OR due_date < date(loaned_at, '+7 days')",
        "returned_at < loaned_at OR returned_at > datetime(loaned_at, '+1 month')",
        "c_email = emailpro OR othernames = contactfirstname AND othernames = cust_lname",
    ):
        assert sqlite_database.value(f"SELECT count(*) FROM customers WHERE {wrong}") == 0, wrong
    shown = manage.ok("seed", "customers", "--list").out
    assert re.search(r"username_lower +the same as username in lower case +the column is called username_lower", shown)
    assert re.search(r"gender +one of female, male, non-binary, as \w+ has it +the column is called gender", shown)


# What CHECKs ask of columns that say by their names what is in them, whether it is UNIQUE, and what that has to be.
PATTERNS = {
    "color": ("String(7)", "LIKE '#______'", r"#[0-9a-f]{6}"),
    "email": ("String(80), unique=True", "LIKE '%_@_%._%'", r"[a-z.]+\d+@example\.org"),
    "checksum": ("String(64)", "~ '^[0-9a-f]{64}$'", r"[0-9a-f]{64}"),
    "md5": ("String(40), unique=True", "~ '^[0-9a-f]{32}$'", r"[0-9a-f]{32}"),
    "isbn": ("String(17), unique=True", "~ '^[0-9]{13}$'", r"97[89]\d{10}"),
    "issn": ("String(9)", "~ '^[0-9]{4}-[0-9]{3}[0-9X]$'", r"\d{4}-\d{3}[\dX]"),
    "iban": ("String(34), unique=True", "~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'", r"GB\d{2}[A-Z]{4}\d{14}"),
    "phone": ("String(16), unique=True", r"~ '^\\+[0-9]{7,15}$'", r"\+[1-9]\d{10}"),
    "slug": ("String(80), unique=True", "~ '^[a-z0-9]+(-[a-z0-9]+)*$'", r"[a-z]+(-[a-z]+)*-\d+"),
    "zip": ("String(10)", "~ '^[0-9]{5}(-[0-9]{4})?$'", r"\d{5}"),
    "currency": ("String(3)", "~ '^[A-Z]+$'", r"[A-Z]{3}"),
    "status": ("String(10)", "~ '^[A-Z]+$'", r"NEW|ACTIVE|DONE"),
    "website": ("String(200)", "LIKE 'https://%'", r"https://[a-z.-]+/"),
    "nickname": ("String(20)", "NOT LIKE '%0%'", r"[a-z]+[1-9]*"),
}


def test_what_a_name_says_is_written_as_a_check_asks_for(house: House, manage: Runner, tmp_path: Path) -> None:
    checks = "".join(f'        CheckConstraint("{name} {check}"),\n' for name, (_, check, _) in PATTERNS.items())
    columns = "".join(f"    {name}: Mapped[str] = mapped_column({kind})\n" for name, (kind, *_) in PATTERNS.items())
    house.write(
        "project/models/own.py",
        IMPORTS + MODEL.replace("\n\n", f"\n    __table_args__ = (\n{checks}    )\n\n") + columns,
    )
    with fresh("postgresql", tmp_path) as database:
        at = ("--database-url", database.url)
        manage.ok("migrate", *at)
        manage.ok("shell", "-c", MAKE, *at)
        for locale in ("en_US", "ja_JP"):
            manage.ok("seed", "things", "--add", "150", "--locale", locale, *at)

        for name, (*_, pattern) in PATTERNS.items():
            strange = [one for one in column(database, "things", name)[:150] if not re.fullmatch(pattern, str(one))]
            assert not strange, name
        isbn = {str(one) for one in column(database, "things", "isbn")}
        assert len(isbn) == 300
        assert not [one for one in isbn if sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(one)) % 10]
