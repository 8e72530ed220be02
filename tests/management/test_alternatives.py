"""Rows that CHECKs leave a choice, keys that may be NULL, trees: each way is taken, nothing is nearly empty."""

from __future__ import annotations

import re
from collections import Counter

from tests.databases import Database
from tests.houses import House, Runner

from .test_schemas import IMPORTS, MAKE, column, seeded

CHOICES = """
class Booking(Base):
    __tablename__ = "bookings"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(12))
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        CheckConstraint("status IN ('NEW', 'CONFIRMED', 'CANCELLED')", name="known"),
        CheckConstraint("status <> 'CANCELLED' OR cancelled_at IS NOT NULL", name="when_cancelled"),
        CheckConstraint("(status = 'CANCELLED') = (cancel_reason IS NOT NULL)", name="why_cancelled"),
    )


class Tier(Base):
    __tablename__ = "tiers"

    id: Mapped[int] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(String(10))
    points: Mapped[int]
    __table_args__ = (
        CheckConstraint("tier IN ('basic', 'gold')", name="known"),
        CheckConstraint("tier <> 'gold' OR points >= 50000", name="gold_has_many"),
        CheckConstraint("points >= 0", name="not_negative"),
    )
"""


def test_alternatives_of_two_checks_come_in_all_combinations(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, CHOICES, 200)

    assert all(one > 20 for one in Counter(column(database, "bookings", "status")).values())
    assert set(column(database, "bookings", "status")) == {"NEW", "CONFIRMED", "CANCELLED"}
    gold = [row[0] for row in database.rows("SELECT points FROM tiers WHERE tier = 'gold'")]
    assert len(gold) > 20
    assert max(gold) > 60_000


TREES = """
class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    __table_args__ = (
        CheckConstraint("kind IN ('current', 'savings', 'credit')", name="known"),
        CheckConstraint("(kind = 'savings') = (parent_id IS NULL)", name="savings_are_roots"),
    )


class Node(Base):
    __tablename__ = "nodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_root: Mapped[bool]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
    label: Mapped[str | None] = mapped_column(String(30))
    __table_args__ = (
        CheckConstraint("(is_root AND parent_id IS NULL) OR (NOT is_root AND parent_id IS NOT NULL)", name="root"),
        CheckConstraint("(parent_id IS NULL) = (label IS NULL)", name="both_or_none"),
    )
"""


def test_a_tree_of_which_a_check_says_what_its_roots_are(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, TREES, 200)

    assert set(column(database, "accounts", "kind")) == {"current", "savings", "credit"}
    for table in ("accounts", "nodes"):
        rows = database.rows(f"SELECT id, parent_id FROM {table} ORDER BY id")
        below = [(own, parent) for own, parent in rows if parent is not None]
        assert 40 < len(below) < 180
        assert all(parent < own for own, parent in below)
        assert len({parent for _, parent in below}) > 20


def test_such_a_tree_is_topped_up_around_what_is_no_longer_there(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, TREES, 60)
    manage.ok("seed", "accounts", "--count", "120")
    topped_up = database.rows("SELECT id, kind, parent_id FROM accounts ORDER BY id")
    manage.ok("seed", "accounts", "--fresh", "--no-input", "--count", "120")
    assert database.rows("SELECT id, kind, parent_id FROM accounts ORDER BY id") == topped_up
    with database.connect() as connection:
        gone = "id NOT IN (SELECT parent_id FROM (SELECT parent_id FROM accounts WHERE parent_id IS NOT NULL) AS used)"
        connection.exec_driver_sql(f"DELETE FROM accounts WHERE {gone}")
        connection.commit()
    left = database.count("accounts")
    assert left < 100

    manage.ok("seed", "accounts", "--add", "200")
    manage.ok("shell", "-c", f"from project.models.own import Account; session.add(Account(kind='savings')); {SAVE}")

    assert database.count("accounts") == left + 201


SAVE = "session.commit()"
SPARSE = """
class Locker(Base):
    __tablename__ = "lockers"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    __table_args__ = (CheckConstraint("number BETWEEN 1 AND 25", name="number_range"),)


class Worker(Base):
    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(primary_key=True)
    locker_id: Mapped[int | None] = mapped_column(ForeignKey("lockers.id"), unique=True)
    external_ref: Mapped[int | None] = mapped_column(unique=True)
    flag: Mapped[bool | None] = mapped_column(unique=True)
    desk: Mapped[int | None]
    floor: Mapped[int]
    reversed_id: Mapped[int | None] = mapped_column(ForeignKey("workers.id"), unique=True)
    __table_args__ = (
        UniqueConstraint("desk", "floor", name="one_desk"),
        CheckConstraint("external_ref BETWEEN 1 AND 20", name="ref_range"),
        CheckConstraint("desk BETWEEN 1 AND 10", name="desk_range"),
        CheckConstraint("floor BETWEEN 1 AND 3", name="floor_range"),
    )
"""


def test_a_key_that_may_be_null_is_filled_with_all_there_is_and_then_left_empty(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, SPARSE, 60)
    manage.ok("seed", "workers", "--count", "300")

    assert database.count("lockers") == 25
    assert database.count("workers") == 300
    for name, most in (("locker_id", 25), ("external_ref", 20), ("flag", 2)):
        assert database.value(f"SELECT count({name}) FROM workers") == most
    assert database.value("SELECT count(desk) FROM workers") == 30
    assert database.value("SELECT count(reversed_id) FROM workers") == 150


def test_a_key_whose_nulls_are_alike_is_full(house: House, manage: Runner, postgresql_database: Database) -> None:
    models = SPARSE.replace('"one_desk"', '"one_desk", postgresql_nulls_not_distinct=True')
    house.write("project/models/own.py", IMPORTS + models)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    manage.ok("seed", "--count", "300")

    assert postgresql_database.count("workers") == 30


SPELLED = """
class Part(Base):
    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    voucher: Mapped[str] = mapped_column(String(8), unique=True)
    ending: Mapped[str] = mapped_column(String(12), unique=True)
    plu: Mapped[str] = mapped_column(String(5))
    zone: Mapped[str] = mapped_column(String(3))
    callback: Mapped[str] = mapped_column(String(100))
    kontakt: Mapped[str] = mapped_column(String(100))
    built_year: Mapped[int]
    run_time: Mapped[timedelta]
    __table_args__ = (
        CheckConstraint("substr(code, 1, 2) = 'AB'", name="begins"),
        CheckConstraint("right(ending, 1) IN ('X', 'Z')", name="ends"),
        CheckConstraint("voucher = upper(voucher)", name="upper"),
        CheckConstraint("voucher NOT LIKE '%O%'", name="no_o"),
        CheckConstraint("plu BETWEEN '10000' AND '99999'", name="plu_range"),
        CheckConstraint("zone BETWEEN 'AAA' AND 'CZZ'", name="zone_range"),
        CheckConstraint("callback LIKE 'https://%'", name="secure"),
        CheckConstraint("kontakt LIKE '%@%'", name="address"),
        CheckConstraint("built_year BETWEEN 1888 AND 2155", name="year_range"),
        CheckConstraint("run_time > '00:00:00'", name="takes_time"),
    )
"""


def test_texts_that_checks_describe_by_their_parts(house: House, manage: Runner, database: Database) -> None:
    has_right = database.kind != "sqlite"
    seeded(house, manage, SPELLED if has_right else SPELLED.replace("right(ending, 1)", "substr(ending, 1, 1)"), 200)

    assert database.count("parts") == 200
    assert len(set(column(database, "parts", "plu"))) > 150
    zones = [str(one) for one in column(database, "parts", "zone")]
    assert {one[0] for one in zones} == {"A", "B", "C"}
    assert all(re.fullmatch("[A-C][A-Z][A-Z]", one) and "AAA" <= one <= "CZZ" for one in zones)
    assert all(re.match(r"https://(www\.)?[\w-]+\.\w+/?", str(one)) for one in column(database, "parts", "callback"))
    assert all(str(one).endswith("@example.org") for one in column(database, "parts", "kontakt"))
    assert all(1970 <= int(str(one)) <= 2026 for one in column(database, "parts", "built_year"))
