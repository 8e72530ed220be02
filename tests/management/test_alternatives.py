"""Rows that CHECKs leave a choice, keys that may be NULL, trees: each way is taken, nothing is nearly empty."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.databases import KINDS, Database, fresh
from tests.houses import House, Runner

from .test_schemas import IMPORTS, MAKE, column, made, seeded

SEEDER = """
from project.management.fields import choice
from project.management.seeding import Seeder
from project.models.own import {model}


class {model}Seeder(Seeder):
    model = {model}
    {declared}
"""


def declare(house: House, model: str, declared: str) -> None:
    """Write a seeder that declares one column."""
    house.write(f"project/seeds/{model.lower()}s.py", SEEDER.format(model=model, declared=declared))


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
    made(house, manage, models)

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


HARD = """
class Unreadable(Base):
    __tablename__ = "unreadable"

    id: Mapped[int] = mapped_column(primary_key=True)
    born_on: Mapped[date]
    locked: Mapped[bool]
    score: Mapped[int]
    is_paid: Mapped[bool]
    opens: Mapped[time]
    tax: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    points: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("CASE WHEN locked IS NOT NULL THEN born_on > '2016-07-11' ELSE score > 7 END", name="of_day"),
        CheckConstraint("CASE WHEN tax >= 1 THEN is_paid ELSE opens > '08:00:00' END", name="of_flag"),
        CheckConstraint("NOT is_paid AND (is_paid OR abs(points) < 152)", name="unpaid"),
    )


class Compared(Base):
    __tablename__ = "compared"

    id: Mapped[int] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(sa.Enum("aa", "bb", name="phases", native_enum=False))
    body: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(30))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime]
    opens: Mapped[time]
    later: Mapped[time | None]
    shut: Mapped[time]
    ratio: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    other_ratio: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    size: Mapped[int]
    number: Mapped[int | None] = mapped_column(unique=True)
    __table_args__ = (
        CheckConstraint("phase = 'aa' OR closed_at < created_at", name="in_a_circle"),
        CheckConstraint("(body NOT LIKE '%x%') = (phase = 'aa')", name="no_x"),
        CheckConstraint("CASE WHEN length(title) > 40 THEN phase = 'aa' ELSE body <> title END", name="too_long"),
        CheckConstraint("(shut > '13:00:00') = (opens < '13:00:00')", name="at_the_edge"),
        CheckConstraint("later IS NULL", name="never"),
        CheckConstraint("opens < later", name="before_nothing"),
        CheckConstraint("NOT (other_ratio <> ratio)", name="alike"),
        CheckConstraint("size <= 2 * 1024 - 24 AND size + 1 > 100", name="worked_out"),
        CheckConstraint("number + 1 > 36", name="from_36"),
    )


class Slot(Base):
    __tablename__ = "slots"

    id: Mapped[int] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(sa.Enum("aa", "bb", "cc", name="slot_phases", native_enum=False))
    opens: Mapped[time]
    zone: Mapped[str] = mapped_column(String(10))
    iso: Mapped[str] = mapped_column(String(10))
    __table_args__ = (
        CheckConstraint("zone LIKE '%-%' OR ((opens > '13:00:00') = (iso IN ('new', 'old')))", name="after_noon"),
        CheckConstraint("(opens BETWEEN '08:00:00' AND '18:00:00') = (phase IN ('aa', 'cc'))", name="by_day"),
        UniqueConstraint("phase", "opens"),
    )


class Slug(Base):
    __tablename__ = "slugs"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_paid: Mapped[bool]
    slug: Mapped[str | None] = mapped_column(String(30), unique=True)
    email: Mapped[str] = mapped_column(String(40), unique=True)
    __table_args__ = (
        CheckConstraint("CASE WHEN length(slug) > 1 THEN slug LIKE '%-%' ELSE is_paid END", name="true_not_unknown"),
        CheckConstraint("NOT is_paid", name="unpaid"),
        CheckConstraint("email LIKE '%@school.org'", name="of_the_school"),
    )
"""


def test_rows_keep_to_checks_that_no_column_can_know_by_itself(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, HARD, 300)

    for table in ("unreadable", "compared", "slots", "slugs"):
        assert database.count(table) == 300
    assert len(set(column(database, "unreadable", "born_on"))) > 20
    assert set(column(database, "compared", "phase")) == {"aa", "bb"}
    assert len(set(column(database, "compared", "size"))) > 100


PADDED = """
class Zone(Base):
    __tablename__ = "zones"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.CHAR(4))
    __table_args__ = (CheckConstraint("code ~* '^[a-f]+$'", name="of_letters"),)
"""


def test_a_pattern_is_kept_to_where_shorter_texts_are_padded(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, PADDED, 100)

    assert postgresql_database.count("zones") == 100


ABSURD = """
class Absurd(Base):
    __tablename__ = "absurd"

    id: Mapped[int] = mapped_column(primary_key=True)
    opens: Mapped[time]
    paid: Mapped[bool]
    __table_args__ = (
        CheckConstraint("opens > '18:00:00' AND opens < '09:00:00'", name="at_no_hour"),
        CheckConstraint("paid <> true AND paid <> false", name="neither"),
    )
"""


def test_checks_that_nothing_can_fulfil_are_named(house: House, manage: Runner, database: Database) -> None:
    made(house, manage, ABSURD)

    done = manage("seed", "absurd", "--count", "20")

    assert done.code == 1
    assert "absurd could not be seeded" in done.err
    assert "Traceback" not in done.err
    assert database.count("absurd") == 0


WAYS = """
class Issue(Base):
    __tablename__ = "issues"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    published_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    squash: Mapped[bool]
    sha: Mapped[str | None] = mapped_column(String(40))
    project_id: Mapped[int | None]
    group_id: Mapped[int | None]
    iid: Mapped[int]
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'archived')", name="known"),
        CheckConstraint("state = 'draft' OR published_at IS NOT NULL", name="when_published"),
        CheckConstraint("state = 'archived' OR archived_at IS NULL", name="when_archived"),
        CheckConstraint("state <> 'archived' OR archived_at > published_at", name="in_order"),
        CheckConstraint("sha IS NULL OR squash", name="squashed"),
        CheckConstraint("(project_id IS NULL) <> (group_id IS NULL)", name="one_owner"),
        UniqueConstraint("project_id", "iid"),
    )


class Move(Base):
    __tablename__ = "moves"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    reversed_id: Mapped[int | None] = mapped_column(ForeignKey("moves.id"), unique=True)
    a_id: Mapped[int | None]
    b_id: Mapped[int | None]
    is_current: Mapped[bool]
    valid_to: Mapped[date]
    base_currency: Mapped[str] = mapped_column(sa.CHAR(3))
    order_currency: Mapped[str] = mapped_column(sa.CHAR(3))
    rate: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    __table_args__ = (
        CheckConstraint("kind IN ('entry', 'invoice', 'refund')", name="known"),
        CheckConstraint("(reversed_id IS NOT NULL) = (kind = 'refund')", name="refunds"),
        CheckConstraint("a_id IS NULL OR b_id IS NULL", name="not_both"),
        CheckConstraint("is_current = (valid_to = '9999-12-31')", name="current"),
        CheckConstraint("base_currency <> order_currency OR rate = 1", name="same_currency"),
    )


class Notice(Base):
    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    activity: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    games: Mapped[int]
    wins: Mapped[int]
    losses: Mapped[int]
    share: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    a: Mapped[int | None]
    b: Mapped[int | None]
    c: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("(activity = 'Follow' AND kind = 'f') OR (activity = 'Poll' AND kind = 'p')", name="kinds"),
        UniqueConstraint("account_id", "activity"),
        CheckConstraint("games = wins + losses", name="all_games"),
        CheckConstraint("(games = 0) = (share IS NULL)", name="of_games"),
        CheckConstraint(
            "(a IS NULL AND b IS NULL AND c IS NULL) OR (a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL)", name="all"
        ),
        CheckConstraint("a + b < c", name="sum"),
    )
"""


def test_each_value_of_a_status_comes_and_each_of_several_owners(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, WAYS, 300)

    for table, name, most in (
        ("issues", "state", 3), ("issues", "squash", 2), ("moves", "kind", 3), ("moves", "is_current", 2),
        ("notices", "activity", 2),
    ):  # fmt: skip
        counted = Counter(column(database, table, name))
        assert len(counted) == most, (table, name)
        assert min(counted.values()) > 5, (table, name)
    for table, name in (
        ("issues", "sha"), ("issues", "project_id"), ("issues", "group_id"), ("moves", "a_id"), ("moves", "b_id"),
        ("moves", "reversed_id"), ("notices", "a"), ("notices", "c"),
    ):  # fmt: skip
        assert 10 < database.value(f"SELECT count({name}) FROM {table}") < 299, (table, name)
    assert len(set(column(database, "notices", "wins"))) > 50
    assert len(set(column(database, "notices", "share"))) > 50


def test_a_status_that_a_seeder_declares_may_have_any_value_that_it_can_have(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    made(house, manage, WAYS)
    declare(house, "Issue", "state = choice({'draft': 1, 'archived': 3})")

    manage.ok("seed", "issues", "--count", "200")

    counted = Counter(column(sqlite_database, "issues", "state"))
    assert set(counted) == {"draft", "archived"}
    assert counted["archived"] > counted["draft"]


def test_rows_of_all_ways_are_the_same_everywhere(house: House, manage: Runner, tmp_path: Path) -> None:
    house.write("project/models/own.py", IMPORTS + WAYS)
    found = []
    for kind in KINDS:
        with fresh(kind, tmp_path) as database:
            url = {"DATABASE_URL": database.url}
            manage.ok("migrate", env=url)
            manage.ok("shell", "-c", MAKE, env=url)
            manage.ok("seed", "issues", "moves", "notices", "--count", "100", env=url)
            manage.ok("seed", "issues", "moves", "notices", "--count", "150", env=url)
            found.append(
                [
                    database.rows("SELECT state, sha, project_id, group_id, iid FROM issues ORDER BY id"),
                    database.rows("SELECT kind, reversed_id, a_id, b_id, order_currency FROM moves ORDER BY id"),
                    database.rows("SELECT account_id, activity, games, a, c FROM notices ORDER BY id"),
                ]
            )

    assert found[0] == found[1] == found[2]


SUBTYPES = """
class Party(Base):
    __tablename__ = "parties"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    __table_args__ = (
        UniqueConstraint("id", "kind"),
        CheckConstraint("kind IN ('person', 'firm')", name="known"),
    )


class Person(Base):
    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8), server_default="person")
    __table_args__ = (
        ForeignKeyConstraint(["id", "kind"], ["parties.id", "parties.kind"]),
        CheckConstraint("kind = 'person'", name="only_persons"),
    )


class Boss(Base):
    __tablename__ = "bosses"

    id: Mapped[int] = mapped_column(primary_key=True)
    boss_id: Mapped[int] = mapped_column(ForeignKey("bosses.id"))


class Sum(Base):
    __tablename__ = "sums"

    id: Mapped[int] = mapped_column(primary_key=True)
    odd: Mapped[int] = mapped_column(unique=True)
    flags: Mapped[int]
    net: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    rate: Mapped[Decimal] = mapped_column(Numeric(4, 2))
    vat: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    created_at: Mapped[int]
    updated_at: Mapped[int]
    order_no: Mapped[str] = mapped_column(String(14))
    __table_args__ = (
        CheckConstraint("odd % 2 = 1", name="odd"),
        CheckConstraint("(flags & 7) <> 0", name="some_flag"),
        CheckConstraint("rate IN (0, 0.07, 0.19)", name="rates"),
        CheckConstraint("vat = round(net * rate, 2)", name="vat"),
        CheckConstraint("order_no LIKE 'SO-____-______'", name="numbered"),
    )
"""


def test_subtypes_rates_remainders_and_moments_in_seconds(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, SUBTYPES, 200)
    manage.ok("seed", "--fresh", "--no-input", "--count", "250")

    persons = database.count("parties WHERE kind = 'person'")
    assert database.count("persons") == persons
    assert 60 < persons < 190
    assert database.count("sums") == database.count("bosses") == 250
    assert set(map(str, column(database, "sums", "rate"))) >= {"0.07", "0.19"}
    for began, changed in database.rows("SELECT created_at, updated_at FROM sums"):
        assert 1_700_000_000 < began <= changed < 1_900_000_000
    assert all(re.fullmatch(r"SO-\d{4}-\d{6}", str(one)) for one in column(database, "sums", "order_no"))


ON_POSTGRESQL = """
class Post(Base):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(
        String(100), sa.Computed("lower(regexp_replace(title, '[^a-zA-Z0-9]+', '-', 'g'))", persisted=True), unique=True
    )
    email: Mapped[str] = mapped_column(String(80))
    __table_args__ = (CheckConstraint("email ~* '^[A-Z0-9._%+-]+@[A-Z0-9.-]+\\\\.[A-Z]{2,}$'", name="an_address"),)
"""
ON_MARIADB = """
class Host(Base):
    __tablename__ = "hosts"

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(40))
    year: Mapped[int] = mapped_column(sa.dialects.mysql.YEAR)
    other: Mapped[int] = mapped_column(sa.dialects.mysql.YEAR)
    __table_args__ = (
        CheckConstraint("host REGEXP '^[a-z]{3}\\\\\\\\.[a-z]{2}$'", name="a_host"),
        CheckConstraint("year BETWEEN 1990 AND 2030", name="years"),
    )
"""


def test_what_only_postgresql_has(house: House, manage: Runner, postgresql_database: Database) -> None:
    seeded(house, manage, ON_POSTGRESQL, 300)

    assert len(set(column(postgresql_database, "posts", "slug"))) == 300
    assert all(str(one).endswith("@example.org") for one in column(postgresql_database, "posts", "email"))


def test_what_only_mariadb_has(house: House, manage: Runner, mariadb_database: Database) -> None:
    seeded(house, manage, "import sqlalchemy.dialects.mysql\n" + ON_MARIADB, 300)

    assert all(re.fullmatch(r"[a-z]{3}\.[a-z]{2}", str(one)) for one in column(mariadb_database, "hosts", "host"))
    assert {1990 <= int(str(one)) <= 2030 for one in column(mariadb_database, "hosts", "year")} == {True}


LIMITED = """
class Place(Base):
    __tablename__ = "places"

    id: Mapped[int] = mapped_column(primary_key=True)
    board: Mapped[int | None]
    kind: Mapped[int | None]
    label: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("board", "label"),
        CheckConstraint("board BETWEEN 1 AND 10", name="boards"),
        CheckConstraint("label BETWEEN 1 AND 4", name="labels"),
        CheckConstraint("kind IN (0, 1, 2)", name="kinds"),
        CheckConstraint("(kind = 1) = (label IS NOT NULL)", name="labelled"),
    )


class Shift(Base):
    __tablename__ = "shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    slot: Mapped[int | None]
    day: Mapped[int]
    __table_args__ = (
        UniqueConstraint("day", "slot"),
        CheckConstraint("state IN ('on', 'off')", name="known"),
        CheckConstraint("(state = 'on') = (slot IS NOT NULL)", name="when_on"),
        CheckConstraint("slot BETWEEN 1 AND 5 AND day BETWEEN 1 AND 9", name="few"),
    )
"""


def test_a_top_up_past_the_last_of_a_key_equals_one_go(house: House, manage: Runner, tmp_path: Path) -> None:
    house.write("project/models/own.py", IMPORTS + LIMITED + SPARSE + WAYS)
    tables = ["places", "shifts", "lockers", "workers", "issues", "moves", "notices"]
    found = []
    for number, counts in enumerate(((30, 90, 300), (300,))):
        (tmp_path / str(number)).mkdir()
        with fresh("sqlite", tmp_path / str(number)) as database:
            url = {"DATABASE_URL": database.url}
            manage.ok("migrate", env=url)
            manage.ok("shell", "-c", MAKE, env=url)
            for count in counts:
                manage.ok("seed", "lockers", "--count", "25", env=url)
                manage.ok("seed", *[one for one in tables if one != "lockers"], "--count", str(count), env=url)
            found.append({table: database.rows(f"SELECT * FROM {table} ORDER BY id") for table in tables})

    for table in tables:
        assert found[0][table] == found[1][table], table


MORE = """
class Subscription(Base):
    __tablename__ = "subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    ends: Mapped[bool] = mapped_column(server_default=sa.false())
    resolution: Mapped[str | None] = mapped_column(String(20))
    closed_on: Mapped[datetime | None]
    done_ratio: Mapped[int]
    field_format: Mapped[str] = mapped_column(String(10))
    possible_values: Mapped[dict | None] = mapped_column(sa.JSON(none_as_null=True))
    __table_args__ = (
        CheckConstraint("status IN ('incomplete', 'active', 'past_due', 'canceled')", name="known"),
        CheckConstraint("ends = false OR status IN ('active', 'past_due')", name="may_end"),
    )


class Problem(Base):
    __tablename__ = "problems"

    id: Mapped[int] = mapped_column(primary_key=True)
    resolution: Mapped[str | None] = mapped_column(String(20))
    closed_on: Mapped[datetime | None]
    done_ratio: Mapped[int]
    field_format: Mapped[str] = mapped_column(String(10))
    possible_values: Mapped[dict | None] = mapped_column(sa.JSON(none_as_null=True))
    archived_at: Mapped[datetime | None]
    archived_by: Mapped[str | None] = mapped_column(String(30))
    __table_args__ = (
        CheckConstraint("closed_on IS NULL OR done_ratio = 100", name="done"),
        CheckConstraint("resolution IN ('fixed', 'wontfix', 'duplicate')", name="resolutions"),
        CheckConstraint("(resolution IS NULL) = (closed_on IS NULL)", name="resolved"),
        CheckConstraint("done_ratio BETWEEN 0 AND 100", name="ratio"),
        CheckConstraint("archived_at IS NULL OR archived_by IS NOT NULL", name="archived"),
    )


class Charge(Base):
    __tablename__ = "charges"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    amount: Mapped[int]
    captured: Mapped[int]
    refund: Mapped[int]
    refunded: Mapped[bool]
    fee: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    net: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    rate: Mapped[Decimal] = mapped_column(Numeric(4, 1))
    gross: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    __table_args__ = (
        CheckConstraint("substr(id, 1, 3) = 'ch_'", name="prefix"),
        CheckConstraint("amount > 0 AND captured <= amount AND refund <= captured AND refund >= 0", name="order"),
        CheckConstraint("refunded = (refund = captured AND captured > 0)", name="all_of_it"),
        CheckConstraint("fee = round(amount * 29 / 1000) + 30", name="fee"),
        CheckConstraint("status IN ('succeeded', 'pending', 'failed')", name="known"),
        CheckConstraint("status = 'succeeded' OR captured = 0", name="captured"),
        CheckConstraint("gross = net * (1 + rate / 100)", name="gross"),
        CheckConstraint("rate IN (0, 5, 20) AND net > 0", name="rates"),
    )


class Stop(Base):
    __tablename__ = "stops"

    stop_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[int]
    station: Mapped[str | None] = mapped_column(ForeignKey("stops.stop_id"))
    __table_args__ = (
        CheckConstraint("kind IN (0, 1, 2)", name="kinds"),
        CheckConstraint("kind <> 1 OR station IS NULL", name="stations"),
        CheckConstraint("kind <> 2 OR station IS NOT NULL", name="platforms"),
    )


class Release(Base):
    __tablename__ = "releases"

    id: Mapped[int] = mapped_column(primary_key=True)
    charge_id: Mapped[str] = mapped_column(ForeignKey("charges.id"))
    state: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime | None]
    is_default: Mapped[bool]
    __table_args__ = (
        CheckConstraint("state IN ('future', 'active', 'closed')", name="states"),
        CheckConstraint("(state = 'future') = (started_at IS NULL)", name="started"),
        sa.Index("one_active", "charge_id", unique=True, sqlite_where=sa.text("state = 'active'"),
                 postgresql_where=sa.text("state = 'active'")),
        sa.Index("one_default", "is_default", unique=True, sqlite_where=sa.text("is_default = 1"),
                 postgresql_where=sa.text("is_default")),
    )
"""


def test_partial_keys_texts_trees_and_results_go_along_with_a_status(
    house: House, manage: Runner, database: Database
) -> None:
    models = MORE.replace(", possible_values", "")
    if database.kind == "mariadb":  # which has no partial indexes: they would be of all rows
        models = re.sub(r"        sa\.Index\((.|\n)*?\),\n(?=        sa|    \))", "", models)
    seeded(house, manage, models, 300)

    for table, name, most in (
        ("subscriptions", "status", 4), ("charges", "status", 3), ("charges", "refunded", 2), ("stops", "kind", 3),
        ("releases", "state", 3),
    ):  # fmt: skip
        assert len(set(column(database, table, name))) == most, (table, name)
    assert set(column(database, "problems", "resolution")) == {"fixed", "wontfix", "duplicate", None}
    alone = "archived_by IS NOT NULL AND archived_at IS NULL"
    assert database.count(f"problems WHERE {alone}") == 0
    assert 2 < database.value("SELECT count(archived_at) FROM problems") < 150
    assert len(set(column(database, "charges", "captured"))) > 40
    assert all(str(one).startswith("ch_") and len(str(one)) > 6 for one in column(database, "charges", "id"))
    assert len(set(column(database, "releases", "charge_id"))) < 290
    if database.kind != "mariadb":
        assert database.count("releases WHERE is_default") == 1


DECLARED = """
class Invoice(Base):
    __tablename__ = "invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(10))
    number: Mapped[str | None] = mapped_column(String(20), unique=True)
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'open', 'paid')", name="known"),
        CheckConstraint("status <> 'draft' OR number IS NULL", name="no_number"),
        CheckConstraint("status = 'draft' OR number IS NOT NULL", name="numbered"),
    )
"""


def test_rows_go_along_with_the_status_that_a_seeder_declares(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    made(house, manage, DECLARED)
    declare(house, "Invoice", "status = choice({'paid': 8, 'open': 1, 'draft': 1})")

    manage.ok("seed", "invoices", "--count", "400")

    counted = Counter(column(sqlite_database, "invoices", "status"))
    assert counted["paid"] > 250
    assert counted["draft"] == sqlite_database.count("invoices WHERE number IS NULL") > 10


SPENT = """
class Team(Base):
    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)


class Ticket(Base):
    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(9))
    closed_at: Mapped[datetime | None]
    slot: Mapped[int | None] = mapped_column(unique=True)
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="known"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="when_closed"),
        CheckConstraint("(status = 'open') = (slot IS NOT NULL)", name="slots"),
        CheckConstraint("slot BETWEEN 1 AND 60", name="few"),
    )


class Owner(Base):
    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(primary_key=True)
    a_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), unique=True)
    b_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), unique=True)
    __table_args__ = (CheckConstraint("(a_id IS NOT NULL) <> (b_id IS NOT NULL)", name="one_of_two"),)


class Member(Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(9))
    left_on: Mapped[date | None]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    code: Mapped[str] = mapped_column(String(20), unique=True)
    __table_args__ = (
        CheckConstraint("status IN ('active', 'left')", name="known"),
        CheckConstraint("(status = 'left') = (left_on IS NOT NULL)", name="when_left"),
        CheckConstraint("status = 'left' OR code LIKE 'A-%'", name="codes_of_active"),
        CheckConstraint("status = 'active' OR code LIKE 'L-%'", name="codes_of_left"),
        sa.Index("one_active", "team_id", unique=True, sqlite_where=sa.text("status = 'active'"),
                 postgresql_where=sa.text("status = 'active'")),
    )
"""


def test_values_of_a_persons_own_and_those_of_deleted_rows_are_reckoned_with(
    house: House, manage: Runner, database: Database
) -> None:
    made(house, manage, SPENT)
    database.execute("INSERT INTO tickets (id, status, slot) VALUES (700, 'open', 59), (701, 'open', 1)")

    manage.ok("seed", "teams", "--count", "100")
    manage.ok("seed", "tickets", "--count", "40")
    manage.ok("seed", "tickets", "--count", "300")
    manage.ok("seed", "owners", "--count", "100")
    database.execute("DELETE FROM owners WHERE id % 3 = 0")
    manage.ok("seed", "owners", "--count", "100")

    assert database.count("tickets") == 302
    assert database.count("owners") == 100
    for name in ("a_id", "b_id"):
        assert 20 < database.value(f"SELECT count({name}) FROM owners") < 80


def test_rows_of_a_partial_key_are_the_same_in_one_go_and_in_two(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    made(house, manage, SPENT)
    manage.ok("seed", "teams", "--count", "200")
    manage.ok("seed", "members", "--count", "50")
    manage.ok("seed", "members", "--count", "200")
    query = "SELECT id, status, team_id, code FROM members ORDER BY id"
    found = sqlite_database.rows(query)

    manage.ok("seed", "members", "--fresh", "--no-input", "--count", "200")

    assert sqlite_database.rows(query) == found
    assert len(set(column(sqlite_database, "members", "status"))) == 2
    assert len(set(column(sqlite_database, "members", "team_id"))) < 190


def test_a_key_whose_nulls_are_alike_has_no_rows_without_it(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    models = DECLARED.replace("String(20), unique=True", "String(20)").replace(
        'name="numbered"),', 'name="numbered"), UniqueConstraint("number", postgresql_nulls_not_distinct=True),'
    )
    seeded(house, manage, models, 100)

    assert postgresql_database.count("invoices WHERE status = 'draft'") == 0
