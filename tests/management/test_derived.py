"""What columns of a row tell of each other by their names: totals, nights, ages, full names, moments beside flags."""

from __future__ import annotations

import re

import pytest

from project.management.meanings import TODAY
from tests.databases import Database
from tests.houses import House, Runner
from tests.management.test_schemas import column, made, seeded

MODELS = """
class Order(Base):
    __tablename__ = "orders"
    __table_args__ = (CheckConstraint("total >= 0", name="no_debt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    subtotal: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    tax_amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    shipping_cost: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2))


class Small(Base):
    __tablename__ = "small"

    id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    total: Mapped[Decimal] = mapped_column(Numeric(5, 2))


class Stay(Base):
    __tablename__ = "stays"

    id: Mapped[int] = mapped_column(primary_key=True)
    check_in: Mapped[date]
    check_out: Mapped[date]
    nights: Mapped[int]
    room_rate: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    total_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    status: Mapped[str] = mapped_column(sa.Enum("booked", "paid", "completed", "cancelled", name="stay_status"))
    paid_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str | None] = mapped_column(sa.Text)


class Person(Base):
    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str] = mapped_column(String(40))
    last_name: Mapped[str] = mapped_column(String(40))
    full_name: Mapped[str] = mapped_column(String(90))
    username: Mapped[str] = mapped_column(String(60), unique=True)
    gender: Mapped[str] = mapped_column(String(10))
    title: Mapped[str | None] = mapped_column(String(10))
    birth_date: Mapped[date]
    age: Mapped[int]
    is_deleted: Mapped[bool]
    deleted_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    deactivated_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(60))
    rejected_at: Mapped[datetime | None]
    rejection_reason: Mapped[str | None] = mapped_column(String(60))


class Patient(Base):
    __tablename__ = "patients"
    __table_args__ = (
        CheckConstraint("date_of_birth >= '1990-01-01'", name="young"),
        CheckConstraint("ended_at > started_at", name="in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    age: Mapped[int]
    date_of_birth: Mapped[date]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    duration_minutes: Mapped[int]


class Post(Base):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    file_name: Mapped[str] = mapped_column(String(80))
    extension: Mapped[str] = mapped_column(String(10))
    mime_type: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    duration_seconds: Mapped[int]
    tags: Mapped[list[str]] = mapped_column(sa.JSON)


class Day(Base):
    __tablename__ = "days"

    id: Mapped[int] = mapped_column(primary_key=True)
    full_date: Mapped[date] = mapped_column(unique=True)
    year: Mapped[int]
    month: Mapped[int]
    day_name: Mapped[str] = mapped_column(String(10))
    is_weekend: Mapped[bool]
"""
# What no row may be, by table; {days} and {seconds} stand for what is between two columns.
WRONG = {
    "orders": [
        "abs(subtotal - quantity * unit_price) > 0.006",
        "abs(tax_amount - subtotal * tax_rate) > 0.006",
        "abs(total - subtotal * (1 - discount_percent / 100.0) - tax_amount - coalesce(shipping_cost, 0)) > 0.016",
        "tax_rate > 0.25",
    ],
    "small": ["abs(total - quantity * price) > 0.006 AND quantity * price < 999"],
    "stays": [
        "nights <> {nights}",
        "nights < 1",
        "abs(total_price - nights * room_rate) > 0.006",
        "(paid_at IS NULL) <> (status NOT IN ('paid', 'completed'))",
        "(cancelled_at IS NULL) <> (status <> 'cancelled')",
        "(cancellation_reason IS NULL) <> (status <> 'cancelled')",
    ],
    "people": [
        "full_name NOT LIKE first_name || ' ' || last_name",
        "(deleted_at IS NULL) <> (NOT is_deleted)",
        "deactivated_at IS NOT NULL",
        "(approved_at IS NULL) <> (approved_by IS NULL) OR (rejected_at IS NULL) <> (rejection_reason IS NULL)",
        "title IN ('Mr.', 'Mrs.', 'Ms.') AND gender <> 'non-binary' AND (title = 'Mr.') <> (gender = 'male')",
        "age < 18 OR age > 90",
    ],
    "patients": ["age > 36 OR age < 18", "duration_minutes * 60 <> {minutes}"],
    "posts": ["file_name NOT LIKE '%.' || extension", "duration_seconds <> {seconds}"],
}
BETWEEN = {
    "sqlite": {
        "nights": "julianday(check_out) - julianday(check_in)",
        "seconds": "round((julianday(finished_at) - julianday(started_at)) * 86400)",
        "minutes": "round((julianday(ended_at) - julianday(started_at)) * 86400)",
    },
    "postgresql": {
        "nights": "check_out - check_in",
        "seconds": "extract(epoch FROM finished_at - started_at)",
        "minutes": "extract(epoch FROM ended_at - started_at)",
    },
    "mariadb": {
        "nights": "datediff(check_out, check_in)",
        "seconds": "timestampdiff(SECOND, started_at, finished_at)",
        "minutes": "timestampdiff(SECOND, started_at, ended_at)",
    },
}


def test_columns_are_what_others_of_their_row_say_by_their_names(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, MODELS, 400)

    for table, wrongs in WRONG.items():
        for wrong in wrongs:
            condition = wrong.format(**BETWEEN[database.kind])
            if database.kind == "mariadb":
                condition = re.sub(r"'%\.' \|\| (\w+)", r"concat('%.', \1)", condition)
                condition = condition.replace("first_name || ' ' || last_name", "concat_ws(' ', first_name, last_name)")
            assert database.value(f"SELECT count(*) FROM {table} WHERE {condition}") == 0, (table, wrong)
    for title, slug in database.rows("SELECT title, slug FROM posts"):
        assert re.fullmatch(r"[a-z0-9-]+-\d+", str(slug))
        assert re.sub(r"[^a-z0-9]+", "-", str(title).lower()).startswith(str(slug).rpartition("-")[0])
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d+", str(one)) for one in column(database, "people", "username"))
    for born, age in database.rows("SELECT birth_date, age FROM people"):
        years, rest = TODAY.year - int(str(born)[:4]), str(TODAY)[5:] < str(born)[5:]
        assert age == years - rest
    assert 10 < sum(map(bool, column(database, "people", "is_deleted"))) < 90
    assert {*column(database, "people", "gender")} == {"female", "male", "non-binary"}
    assert all("[" in str(one) for one in column(database, "posts", "tags"))
    for day, year, month, name, weekend in database.rows(
        "SELECT full_date, year, month, day_name, is_weekend FROM days"
    ):
        assert str(day).startswith(f"{year}-{month:02}-")
        assert (name in ("Saturday", "Sunday")) is bool(weekend)


def test_list_says_what_a_column_is_told_from(house: House, manage: Runner, sqlite_database: Database) -> None:
    seeded(house, manage, MODELS, 10)

    shown = {table: manage.ok("seed", table, "--list").out for table in ("orders", "stays", "people", "posts")}

    for table, line in (
        ("orders", r"subtotal +quantity \* unit_price +the column is called subtotal"),
        ("orders", r"total +subtotal - discount_percent \+ tax_amount \+ shipping_cost +the column is called total"),
        ("stays", r"nights +check_out - check_in +the column is called nights"),
        ("stays", r"paid_at +the last year, for status paid or completed +the columns are called paid_at and status"),
        ("people", r"full_name +first_name and last_name +the column is called full_name"),
        ("people", r"birth_date +age years ago +the column is called birth_date"),
        ("people", r"deactivated_at +the database +is_active is always True: always NULL"),
        ("people", r"approved_by +Faker name, where approved_at is there +the columns are called approved_by and"),
        ("posts", r"slug +title in small letters, numbered +UNIQUE uq_posts_slug, at most 40 characters"),
    ):
        assert re.search(line, shown[table]), shown[table]


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("deleted_at IS NULL OR deleted_at > '2026-01-01'", "(deleted_at IS NULL) <> (NOT is_deleted)"),
        ("(status = 'lost') = (deleted_at IS NOT NULL)", "(status = 'lost') <> (deleted_at IS NOT NULL)"),
    ],
    ids=["of the moment alone", "of another column"],
)
def test_what_a_check_says_comes_before_what_names_say(
    house: House, manage: Runner, sqlite_database: Database, check: str, wrong: str
) -> None:
    model = f"""
class Thing(Base):
    __tablename__ = "things"
    __table_args__ = (CheckConstraint("{check}", name="said"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(sa.Enum("new", "lost", name="thing_status"))
    is_deleted: Mapped[bool]
    deleted_at: Mapped[datetime | None]
"""
    seeded(house, manage, model, 200)

    assert sqlite_database.value(f"SELECT count(*) FROM things WHERE {wrong}") == 0
    assert len({*column(sqlite_database, "things", "deleted_at")}) > 5


def test_what_a_seeder_declares_tells_others_and_is_told_by_none(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeder = "from project.management.fields import choice\nfrom project.management.seeding import Seeder\n"
    seeder += "from project.models.own import Person\n\n\nclass PersonSeeder(Seeder):\n    model = Person\n"
    house.write("project/seeds/people.py", seeder + '    age = choice(7)\n    first_name = choice("Ada", "Bob")\n')
    seeded(house, manage, MODELS, 50)

    assert {*column(sqlite_database, "people", "age")} == {7}
    assert {str(one).split()[0] for one in column(sqlite_database, "people", "full_name")} == {"Ada", "Bob"}


BUILDS = """
class Build(Base):
    __tablename__ = "builds"

    id: Mapped[int] = mapped_column(primary_key=True)
    scheduled_on: Mapped[datetime]
    started_on: Mapped[datetime]
    ended_on: Mapped[datetime | None]
    deleted_on: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(sa.Enum("QUEUED", "BUILDING", "COMPLETED", "FAILED", name="build_status"))
    created_at: Mapped[int | None] = mapped_column(sa.BigInteger)
    updated_at: Mapped[int] = mapped_column(sa.BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(sa.BigInteger)
    timestamp_ms: Mapped[int] = mapped_column(sa.BigInteger)
    start_time: Mapped[float]
    end_time: Mapped[float]
    free_storage: Mapped[int]
    total_storage: Mapped[int]
    paused: Mapped[int] = mapped_column(sa.SmallInteger)
    paused_reason: Mapped[str | None] = mapped_column(String(80))


class Trade(Base):
    __tablename__ = "trades"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_open: Mapped[bool]
    open_date: Mapped[datetime]
    close_date: Mapped[datetime | None]
    lock_time: Mapped[datetime]
    lock_end_time: Mapped[datetime]
    order_date: Mapped[datetime]
    order_filled_date: Mapped[datetime]
    date_created: Mapped[datetime]
    last_activity: Mapped[datetime]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    last_run_at: Mapped[datetime]
    next_run_at: Mapped[datetime]
    datetime_start: Mapped[datetime]
    datetime_complete: Mapped[datetime]
"""


def test_moments_come_in_the_order_of_their_names_and_when_flags_and_states_say(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, BUILDS, 300)

    for wrong in (
        "started_on < scheduled_on OR ended_on < started_on OR deleted_on < ended_on",
        "(ended_on IS NULL) <> (status IN ('QUEUED', 'BUILDING'))",
        "updated_at < created_at OR last_used_at < created_at OR updated_at < 1700000000",
        "timestamp_ms < 1700000000000 OR start_time < 1700000000 OR end_time < start_time",
        "free_storage > total_storage OR paused NOT IN (0, 1) OR (paused = 1) <> (paused_reason IS NOT NULL)",
    ):
        assert sqlite_database.value(f"SELECT count(*) FROM builds WHERE {wrong}") == 0, wrong
    for wrong in (
        "is_open = (close_date IS NOT NULL) OR close_date < open_date OR lock_end_time < lock_time",
        "order_filled_date < order_date OR last_activity < date_created OR not_after < not_before",
        "next_run_at < last_run_at OR datetime_complete < datetime_start",
    ):
        assert sqlite_database.value(f"SELECT count(*) FROM trades WHERE {wrong}") == 0, wrong


@pytest.mark.parametrize(
    ("locale", "whole"), [("ja_JP", "{last} {first}"), ("zh_CN", "{last}{first}"), ("es_CL", "{first} {last}")]
)
def test_a_full_name_has_the_order_of_its_locale(
    house: House, manage: Runner, sqlite_database: Database, locale: str, whole: str
) -> None:
    made(house, manage, MODELS)

    manage.ok("seed", "people", "--count", "20", "--locale", locale)

    for first, last, full in sqlite_database.rows("SELECT first_name, last_name, full_name FROM people"):
        assert full == whole.format(first=first, last=last)
    assert sqlite_database.value("SELECT count(*) FROM people WHERE title = ''") == 0


HARD = """
class Share(sa.TypeDecorator):
    impl = Numeric(5, 4)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is not None and not 0 <= value <= 1:
            raise ValueError("a share is from 0 to 1")
        return value

    def process_result_value(self, value, dialect):
        return value


class Tags(sa.TypeDecorator):
    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else ",".join(value)

    def process_result_value(self, value, dialect):
        return None if value is None else value.split(",")


class Narrow(Base):
    __tablename__ = "narrow"

    id: Mapped[int] = mapped_column(primary_key=True)
    used: Mapped[Decimal] = mapped_column(Numeric(3, 1))
    total: Mapped[Decimal] = mapped_column(Numeric(3, 1))
    minimum: Mapped[int] = mapped_column(sa.BigInteger)
    maximum: Mapped[int] = mapped_column(sa.SmallInteger)
    open: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    close: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    amount: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    discount_rate: Mapped[Decimal] = mapped_column(Share)
    tags: Mapped[list[str]] = mapped_column(Tags)


class Member(Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(20))
    first_name: Mapped[str] = mapped_column(String(40))
    last_name: Mapped[str] = mapped_column(String(40))
    full_name: Mapped[str] = mapped_column(String(90))
    slug: Mapped[str] = mapped_column(String(90), unique=True)
    email: Mapped[str] = mapped_column(String(90))
    published: Mapped[bool] = mapped_column(server_default=sa.true())
    published_at: Mapped[datetime | None]
"""


def test_names_ask_for_nothing_that_columns_cannot_hold(house: House, manage: Runner, database: Database) -> None:
    made(house, manage, HARD)

    manage.ok("seed", "narrow", "members", "--count", "300", "--locale", "ja_JP")

    assert database.value("SELECT count(*) FROM narrow WHERE total < used OR total > 99.9 OR maximum > 32767") == 0
    assert 20 < database.value("SELECT count(*) FROM narrow WHERE close < open") < 280
    assert max(len(str(one)) for one in column(database, "narrow", "tags")) <= 20
    assert database.value("SELECT count(*) FROM members WHERE title = '' OR published_at IS NULL") == 0
    assert all(re.fullmatch(r"[a-z0-9-]*[a-z]-\d+", str(one)) for one in column(database, "members", "slug"))


def test_a_seeder_may_ask_for_what_is_inferred(house: House, manage: Runner, sqlite_database: Database) -> None:
    seeder = "from project.management.seeding import Rows, Seeder, column\nfrom project.models.own import Member\n\n\n"
    seeder += "class MemberSeeder(Seeder):\n    model = Member\n\n    @column\n"
    seeder += "    def last_name(self, rows: Rows):\n        return [one.split()[-1] for one in rows['full_name']]\n"
    house.write("project/seeds/members.py", seeder)

    seeded(house, manage, HARD, 50)

    for last, full, email in sqlite_database.rows("SELECT last_name, full_name, email FROM members"):
        assert full.endswith(last)
        assert "@example.org" in email
