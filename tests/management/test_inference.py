"""What a model says of its columns is enough: tables without a seeder, of many shapes, filled at the first try."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.databases import KINDS, Database, fresh
from tests.houses import House, Runner

IMPORTS = '''"""Models of a test."""

import enum
import uuid
from datetime import date, datetime, time
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import CHAR, BigInteger, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, String, Text
from sqlalchemy import UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base

'''
SHAPES = """
class Status(enum.Enum):
    NEW = "new"
    OLD = "old"


class Country(Base):
    __tablename__ = "countries"

    code: Mapped[str] = mapped_column(CHAR(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)


class City(Base):
    __tablename__ = "cities"
    __table_args__ = (CheckConstraint("people >= 0", name="people_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    country_code: Mapped[str] = mapped_column(ForeignKey("countries.code"))
    country_name: Mapped[str | None] = mapped_column(ForeignKey("countries.name"))
    near_id: Mapped[int | None] = mapped_column(ForeignKey("cities.id"))
    city: Mapped[str] = mapped_column(String(8))
    people: Mapped[int] = mapped_column(BigInteger)


class Person(Base):
    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("laps BETWEEN 0 AND 120", name="laps_range"),
        CheckConstraint("shoe > 20 AND shoe < 50", name="shoe_range"),
        CheckConstraint("level IN ('low', 'mid', 'it''s high')", name="level_in"),
        CheckConstraint("rank IN (1, 5, 25)", name="rank_in"),
        CheckConstraint("-10 <= balance AND balance <= -2", name="balance_range"),
        CheckConstraint("height BETWEEN 0.50 AND 2.50", name="height_range"),
        CheckConstraint("weight > 0 AND weight <= 200", name="weight_range"),
        CheckConstraint("kind = 7", name="kind_is_7"),
        CheckConstraint("first >= 1 AND first <= last AND last <= 9", name="first_to_last"),
        CheckConstraint("born BETWEEN '1990-01-01' AND '1999-12-31'", name="born_in_the_nineties"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    first_name: Mapped[str] = mapped_column(String(4))
    email: Mapped[str] = mapped_column(String(30), unique=True)
    phone: Mapped[str | None] = mapped_column(String(12))
    initial: Mapped[str] = mapped_column(String(1))
    active: Mapped[bool]
    status: Mapped[Status]
    born: Mapped[date]
    wakes: Mapped[time]
    met: Mapped[datetime]
    laps: Mapped[int]
    shoe: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int]
    balance: Mapped[int]
    height: Mapped[Decimal] = mapped_column(Numeric(4, 2))
    weight: Mapped[float]
    kind: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    life: Mapped[str] = mapped_column(Text)
    token: Mapped[uuid.UUID] = mapped_column(unique=True)
    secret: Mapped[bytes] = mapped_column(sa.LargeBinary(8))
    price: Mapped[Decimal] = mapped_column(Numeric(6, 3))


class Passport(Base):
    __tablename__ = "passports"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    page: Mapped[str | None] = mapped_column(String(10), unique=True)


class Mayor(Base):
    __tablename__ = "mayors"

    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Citizen(Base):
    __tablename__ = "citizens"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"), primary_key=True)
    since: Mapped[date]


class Booking(Base):
    __tablename__ = "bookings"
    __table_args__ = (
        UniqueConstraint("day", "room", name="one_booking"),
        CheckConstraint("room BETWEEN 1 AND 4", name="room_1_to_4"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    room: Mapped[int]


class Setting(Base):
    __tablename__ = "settings"
    __table_args__ = (Index("ix_settings_both", "group", "order", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    group: Mapped[str] = mapped_column(String(3))
    order: Mapped[bool]
    select: Mapped[str] = mapped_column("with space", String(5))
    upper: Mapped[int] = mapped_column("Upper")
    theme: Mapped[str] = mapped_column(String(10), server_default="dark")
    size: Mapped[int] = mapped_column(server_default="12")
    made: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())


class Flag(Base):
    __tablename__ = "flags"

    id: Mapped[int] = mapped_column(primary_key=True)
    up: Mapped[bool] = mapped_column(unique=True)


class Letter(Base):
    __tablename__ = "letters"

    letter: Mapped[str] = mapped_column(String(1), primary_key=True)
    status: Mapped[Status | None]
"""
# Prints every row of the house's own models, each column as Python sees it, but what the database makes itself. Numbers
# that the database gave become places (a top-up may leave a gap between them), and the blanks that PostgreSQL pads a
# CHAR with go.
DUMP = """
places = {}


def logical(column, value):
    referred = next((key.column for key in column.foreign_keys), None)
    if value is not None and referred is not None and referred in places:
        return places[referred][value]
    return value.rstrip() if isinstance(value, str) else value


for table in project.metadata.sorted_tables:
    numbered = table.autoincrement_column
    if numbered is not None:
        keys = session.scalars(sa.select(numbered).order_by(numbered))
        places[numbered] = {key: place for place, key in enumerate(keys)}
    columns = [one for one in table.columns if one.server_default is None and one is not numbered]
    if table.name in ("students", "subjects", "enrollments") or not columns:
        continue
    for row in session.execute(sa.select(*columns).order_by(*table.primary_key.columns)):
        print(table.name, *(repr(logical(column, value)) for column, value in zip(columns, row, strict=True)))
"""
FULL = {"countries": 26 * 26, "flags": 2}  # what their keys allow; letters too, see below


@pytest.fixture
def shapes(house: House) -> House:
    """A house with models of many shapes and no seeder for any of them."""
    house.write("project/models/shapes.py", IMPORTS + SHAPES)
    return house


def make_tables(manage: Runner, *arguments: str) -> None:
    manage.ok("migrate", *arguments)
    manage.ok("shell", "-c", "project.metadata.create_all(session.connection()); session.commit()", *arguments)


def column(database: Database, table: str, name: str) -> list[Any]:
    quote = "`" if database.kind == "mariadb" else '"'
    return [row[0] for row in database.rows(f"SELECT {quote}{name}{quote} FROM {table}")]


def lengths(database: Database, table: str) -> dict[str, int]:
    """Return the length of the longest text in each column that has texts."""
    with database.connect() as connection:
        found = sa.inspect(connection).get_columns(table)
    names = [one["name"] for one in found if isinstance(one["type"], sa.String)]
    return {name: max(len(value) for value in column(database, table, name) if value is not None) for name in names}


# Many shapes


def test_models_of_many_shapes_are_migrated_and_seeded_at_the_first_try(
    shapes: House, manage: Runner, database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Added models of many shapes")
    manage.ok("migrate")

    first = manage.ok("seed", "--count", "90")
    second = manage.ok("seed", "--count", "700")

    expected = {"cities", "people", "passports", "mayors", "citizens", "bookings"}
    counted = {name: database.count(name) for name in database.tables()}
    assert {name: counted[name] for name in expected} == dict.fromkeys(expected, 700)
    assert {name: counted[name] for name in FULL} == FULL
    for name in ("flags", "letters"):
        assert re.search(rf"(?m)^  {name} .* rows  .* s  the most its keys allow$", first.out)
    assert re.search(r"(?m)^  countries .* 676 rows  .* s  the most its keys allow$", second.out)
    with database.connect() as connection:
        inspector = sa.inspect(connection)
        checks = [
            one["name"] for name in ("people", "cities", "bookings") for one in inspector.get_check_constraints(name)
        ]
    assert {"laps_range", "level_in", "first_to_last", "people_not_negative", "room_1_to_4"} <= set(checks)


def test_rows_of_many_shapes_are_the_same_on_every_database(shapes: House, manage: Runner, tmp_path: Path) -> None:
    found: dict[str, str] = {}
    with ExitStack() as stack:
        for kind in KINDS:
            database = stack.enter_context(fresh(kind, tmp_path))
            make_tables(manage, "--database-url", database.url)
            manage.ok("seed", "--count", "60", "--database-url", database.url)
            manage.ok("seed", "--count", "130", "--random-seed", "3", "--database-url", database.url)
            found[kind] = manage.ok("shell", "-c", DUMP, "--database-url", database.url).out

    for kind in KINDS[1:]:
        assert found[kind].splitlines() == found["sqlite"].splitlines()
    assert len(found["sqlite"].splitlines()) > 800


def test_every_column_holds_what_its_model_allows_and_more_than_one_value(
    shapes: House, manage: Runner, sqlite_database: Database
) -> None:
    make_tables(manage)

    manage.ok("seed", "countries", "cities", "people", "passports", "--count", "100")
    manage.ok("seed", "people", "--count", "3000")

    def values(name: str) -> list[Any]:
        return column(sqlite_database, "people", name)

    # What SQLite does not enforce by itself.
    for table, longest in (
        ("people", {"name": 100, "first_name": 4, "email": 30, "phone": 12, "initial": 1, "level": 10}),
        ("countries", {"code": 2, "name": 60}),
        ("cities", {"city": 8}),
        ("passports", {"page": 10}),
    ):
        found = lengths(sqlite_database, table)
        assert all(0 < found[name] <= most for name, most in longest.items()), (table, found)
    assert {len(value) for value in values("secret")} == {8}
    assert (min(values("laps")), max(values("laps"))) == (0, 120)
    assert (min(values("shoe")), max(values("shoe"))) == (21, 49)
    assert set(values("level")) == {"low", "mid", "it's high"}
    assert set(values("rank")) == {1, 5, 25}
    assert set(values("balance")) == set(range(-10, -1))
    assert 0.5 <= min(values("height")) < 0.55 < 2.45 < max(values("height")) <= 2.5
    assert 0 < min(values("weight")) < 1 < 199 < max(values("weight")) <= 200
    assert set(values("kind")) == {7}
    pairs = set(zip(values("first"), values("last"), strict=True))
    assert pairs == {(first, last) for first in range(1, 10) for last in range(first, 10)}
    assert min(values("born")) >= "1990-01-01"
    assert max(values("born")) <= "1999-12-31"
    assert len(set(values("born"))) > 1500
    assert set(values("active")) == {0, 1}
    assert set(values("status")) == {"NEW", "OLD"}
    assert len(set(values("wakes"))) > 1000
    assert len(set(values("initial"))) > 5
    assert 400 < values("phone").count(None) < 800
    assert len(set(values("token"))) == 3000
    assert all(round(value, 3) == value for value in values("price"))


# Keys


def test_a_key_that_is_too_small_for_a_table_that_is_named_is_refused_with_the_largest_count(
    shapes: House, manage: Runner, sqlite_database: Database
) -> None:
    make_tables(manage)
    manage.ok("seed", "people", "--count", "7")

    for table, most in (("flags", 2), ("passports", 7)):
        too_many = manage("seed", table, "--count", "8").refusal()
        manage.ok("seed", table, "--count", str(most))
        none_left = manage("seed", table, "--add", "1").refusal()

        assert too_many == f"{table} cannot hold --count 8: its keys allow no more — the most is {most}"
        assert none_left == f"{table} cannot hold --add 1: its keys allow no more — the most is 0"
        assert sqlite_database.count(table) == most


def test_a_link_of_two_small_tables_is_filled_with_every_pair(
    shapes: House, manage: Runner, sqlite_database: Database
) -> None:
    make_tables(manage)
    manage.ok("seed", "people", "countries", "cities", "--count", "6")

    manage.ok("seed", "citizens", "--count", "30")
    manage.ok("seed", "citizens", "--count", "36")
    refused = manage("seed", "citizens", "--count", "37").refusal()

    people, cities = column(sqlite_database, "people", "id"), column(sqlite_database, "cities", "id")
    pairs = sqlite_database.rows("SELECT person_id, city_id FROM citizens")
    assert sorted(pairs) == sorted((person, city) for person in people for city in cities)
    assert refused.endswith("the most is 36")


def test_pairs_that_were_made_by_hand_are_not_made_again(
    shapes: House, manage: Runner, sqlite_database: Database
) -> None:
    make_tables(manage)
    manage.ok("seed", "people", "countries", "cities", "--count", "5")
    sqlite_database.execute(
        "INSERT INTO citizens SELECT p.id, c.id, '2020-01-01' FROM people p JOIN cities c ON (p.id + c.id) % 2 = 0"
    )
    own = sqlite_database.count("citizens")

    manage.ok("seed", "citizens", "--count", str(25 - own))

    assert sqlite_database.count("citizens") == 25
    assert sqlite_database.value("SELECT count(*) FROM citizens WHERE since = '2020-01-01'") == own


def test_new_parents_make_room_for_more(shapes: House, manage: Runner, sqlite_database: Database) -> None:
    make_tables(manage)
    for count, expected in (("4", 4), ("9", 9), ("6", 9)):
        manage.ok("seed", "people", "--count", count)
        manage.ok("seed", "passports", "--count", count)

        assert sqlite_database.count("passports") == expected
    numbers = column(sqlite_database, "passports", "number")
    assert len(set(numbers)) == 9


def test_a_key_of_a_day_and_a_room_is_numbered_through(
    shapes: House, manage: Runner, sqlite_database: Database
) -> None:
    make_tables(manage)
    for count in ("400", "1000", "1460"):
        manage.ok("seed", "bookings", "--count", count)

    refused = manage("seed", "bookings", "--count", "1461").refusal()

    rows = sqlite_database.rows("SELECT day, room FROM bookings")
    assert len(set(rows)) == 365 * 4
    assert refused.endswith("the most is 1,460")


def test_a_unique_text_of_one_character_is_filled_to_the_most_it_can_hold(
    shapes: House, manage: Runner, database: Database
) -> None:
    make_tables(manage)

    refused = manage("seed", "letters", "--count", "2000").refusal()
    most = int(refused.rpartition(" ")[2])
    manage.ok("seed", "letters", "--count", str(most))

    letters = column(database, "letters", "letter")
    assert most >= 10
    assert len({letter.lower() for letter in letters}) == most
    assert {len(letter) for letter in letters} == {1}


# References


def test_foreign_keys_refer_to_rows_that_are_there(shapes: House, manage: Runner, sqlite_database: Database) -> None:
    make_tables(manage)
    manage.ok("seed", "countries", "--count", "12")

    manage.ok("seed", "cities", "--count", "400")

    codes, names = column(sqlite_database, "countries", "code"), column(sqlite_database, "countries", "name")
    assert set(column(sqlite_database, "cities", "country_code")) == set(codes)
    assert set(column(sqlite_database, "cities", "country_name")) == {*names, None}
    assert 30 < column(sqlite_database, "cities", "country_name").count(None) < 140
    near = sqlite_database.rows("SELECT id, near_id FROM cities ORDER BY id")
    assert near[0][1] is None  # nothing to refer to yet when the first is made
    assert all(other is None or other < own for own, other in near)
    assert 30 < sum(other is None for _, other in near) < 140


def test_a_child_says_which_parent_to_seed_first(shapes: House, manage: Runner, sqlite_database: Database) -> None:
    make_tables(manage)

    assert manage("seed", "cities").refusal() == (
        "cities refers to countries, which has no rows — seed countries first"
    )


# What is left alone


def test_server_defaults_are_left_to_the_server(shapes: House, manage: Runner, database: Database) -> None:
    make_tables(manage)

    manage.ok("seed", "settings", "--count", "50")

    assert set(column(database, "settings", "theme")) == {"dark"}
    assert set(column(database, "settings", "size")) == {12}
    assert None not in column(database, "settings", "made")
    assert len(set(column(database, "settings", "Upper"))) > 30


def test_a_table_of_the_persons_own_rows_is_left_alone_until_it_is_named(
    shapes: House, manage: Runner, sqlite_database: Database
) -> None:
    make_tables(manage)
    sqlite_database.execute("INSERT INTO countries (code, name) VALUES ('AT', 'Austria'), ('0', 'a0'), ('11', 'b1')")

    everything = manage.ok("seed", "--count", "20")
    kept = sqlite_database.count("countries")
    named = manage.ok("seed", "countries", "--count", "20")
    again = manage.ok("seed", "--count", "25")

    assert re.search(r"(?m)^  countries +3 rows  kept: they were not seeded$", everything.out)
    assert kept == 3
    assert re.search(r"(?m)^  countries +23 rows ", named.out)
    assert re.search(r"(?m)^  countries +28 rows ", again.out)
    assert sqlite_database.value("SELECT count(DISTINCT name) FROM countries") == 28


def test_list_says_what_was_read_from_the_model(shapes: House, manage: Runner) -> None:
    lines = manage.ok("seed", "people", "cities", "settings", "bookings", "passports", "--list").out.splitlines()

    rows = {tuple(re.split("  +", line.strip())) for line in lines if line.startswith("  ")}
    assert {
        ("name", "Faker name", "the column is called name"),
        ("first_name", "Faker first_name", "the column is called first_name"),
        ("email", "unique e-mail", "UNIQUE uq_people_email, at most 30 characters"),
        ("phone", "Faker e164, 20% NULL", "the column is called phone, nullable"),
        ("laps", "0 to 120", "CHECK laps_range"),
        ("shoe", "21 to 49", "CHECK shoe_range"),
        ("level", "one of low, mid, it's high", "CHECK level_in"),
        ("balance", "-10 to -2", "CHECK balance_range"),
        ("last", "1 to 9, at least first", "CHECK first_to_last"),
        ("born", "1990-01-01 to 1999-12-31", "CHECK born_in_the_nineties"),
        ("country_code", "a row of countries", "FOREIGN KEY to countries"),
        ("country_name", "a row of countries, 20% NULL", "FOREIGN KEY to countries, nullable"),
        ("near_id", "an earlier row", "FOREIGN KEY to cities, itself"),
        ("wakes", "00:00 to 23:59", "Time column"),
        ("room", "1 to 4, each combination with day once", "CHECK room_1_to_4, UNIQUE one_booking"),
        ("theme", "the database", "server default"),
        ("number", "numbered", "UNIQUE uq_passports_number"),
    } <= rows
