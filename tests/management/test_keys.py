"""Keys as strangers declare them: with columns that have defaults, dates in order, expressions, and CHECKs beside."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from project.management.interlocking import Interlocked
from project.management.numbering import Combinations
from tests.databases import KINDS, Database, fresh
from tests.houses import House, Runner
from tests.management.test_schemas import IMPORTS, MAKE, column, seeded

DEFAULTS = """
from sqlalchemy import text


class Doc(Base):
    __tablename__ = "docs"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    lang: Mapped[str] = mapped_column(String(5), server_default="en")
    __table_args__ = (UniqueConstraint("slug", "lang"),)


class DocVersion(Base):
    __tablename__ = "doc_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    doc_id: Mapped[int] = mapped_column(ForeignKey("docs.id"))
    version: Mapped[int] = mapped_column(server_default="1")
    __table_args__ = (UniqueConstraint("doc_id", "version"),)


class Translation(Base):
    __tablename__ = "translations"

    doc_id: Mapped[int] = mapped_column(ForeignKey("docs.id"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(8), server_default="en", primary_key=True)


class Client(Base):
    __tablename__ = "clients"

    mandt: Mapped[str] = mapped_column(sa.CHAR(3), server_default="100", primary_key=True)
    kunnr: Mapped[str] = mapped_column(String(10), primary_key=True)
    ip: Mapped[str] = mapped_column(String(45), server_default="0.0.0.0", unique=True)


class Slot(Base):
    __tablename__ = "slots"

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(server_default=text("0"), unique=True)
"""


def test_a_key_with_a_column_that_has_a_default_is_filled(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, DEFAULTS, 300)

    tables = ("docs", "doc_versions", "translations", "clients", "slots")
    assert {name: database.count(name) for name in tables} == dict.fromkeys(tables, 300)
    assert set(column(database, "docs", "lang")) == {"en"}
    assert set(column(database, "clients", "mandt")) == {"100"}
    assert len(set(column(database, "doc_versions", "version"))) > 10
    assert all(str(one).startswith("10.") for one in column(database, "clients", "ip"))


DATES = """
class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)


class Variant(Base):
    __tablename__ = "variants"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    created_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    start_date: Mapped[date]
    end_date: Mapped[date]
    __table_args__ = (UniqueConstraint("item_id", "deleted_at"), UniqueConstraint("item_id", "end_date"))
"""


def test_a_key_of_a_reference_and_a_date_that_comes_after_another_is_filled(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, DATES, 300)

    assert sqlite_database.count("variants") == 300


EXPRESSIONS = """
from sqlalchemy import Index, func, text


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(60))
    domain: Mapped[str | None] = mapped_column(String(60))
    __table_args__ = (
        Index("one_name", text("lower(name)"), unique=True),
        Index("one_title", func.lower(text("title")), text("coalesce(lower(domain), 'name')"), unique=True),
    )
"""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_unique_indexes_of_expressions_that_are_texts_are_kept(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, EXPRESSIONS, 300)

    assert len({str(one).lower() for one in column(database, "accounts", "name")}) == 300


BESIDE_CHECKS = """
class Part(Base):
    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)


class Bill(Base):
    __tablename__ = "bills"

    id: Mapped[int] = mapped_column(primary_key=True)
    whole_id: Mapped[int | None] = mapped_column(ForeignKey("parts.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"))
    level: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    __table_args__ = (
        CheckConstraint("whole_id <> part_id", name="not_itself"),
        CheckConstraint(
            "(whole_id IS NULL AND level = 0 AND amount = 1.00) OR (whole_id IS NOT NULL AND level >= 1)", name="either"
        ),
    )


class Money(Base):
    __tablename__ = "money"

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    __table_args__ = (UniqueConstraint("id", "currency"),)


class Posting(Base):
    __tablename__ = "postings"

    id: Mapped[int] = mapped_column(primary_key=True)
    money_id: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    part_id: Mapped[int | None] = mapped_column(ForeignKey("parts.id"))
    __table_args__ = (
        ForeignKeyConstraint(["money_id", "currency"], ["money.id", "money.currency"]),
        CheckConstraint("(money_id IS NULL) <> (part_id IS NULL)", name="one_of_two"),
    )


class Party(Base):
    __tablename__ = "parties"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    __table_args__ = (CheckConstraint("kind IN ('person', 'company')", name="known"),)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "party"}


class Person(Party):
    __mapper_args__ = {"polymorphic_identity": "person"}


class Company(Party):
    __mapper_args__ = {"polymorphic_identity": "company"}
"""


def test_references_of_which_a_check_says_when_they_are_there(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, BESIDE_CHECKS, 100)

    assert {database.count(name) for name in ("bills", "postings", "parties")} == {100}
    assert set(column(database, "parties", "kind")) == {"person", "company"}


RANGES = """
from sqlalchemy import text
from sqlalchemy.dialects import postgresql as pg


class Booking(Base):
    __tablename__ = "bookings"

    id: Mapped[int] = mapped_column(primary_key=True)
    stay: Mapped[pg.Range[date]] = mapped_column(pg.DATERANGE)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    held: Mapped[pg.Range[datetime] | None] = mapped_column(pg.TSTZRANGE)
    days: Mapped[list[pg.Range[date]]] = mapped_column(pg.DATEMULTIRANGE)
    __table_args__ = (
        pg.ExcludeConstraint(("stay", "&&"), name="one_stay"),
        pg.ExcludeConstraint(("held", "&&"), name="one_holds", where=text("id > 0")),
        pg.ExcludeConstraint((text("daterange(valid_from, valid_to, '[]')"), "&&"), name="one_valid"),
    )
"""


def test_ranges_that_may_not_overlap_are_kept_apart(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, RANGES, 200)
    manage.ok("seed", "--count", "300")

    assert postgresql_database.count("bookings") == 300
    assert postgresql_database.value("SELECT count(*) FROM bookings WHERE held IS NULL") > 0
    assert postgresql_database.value("SELECT count(*) FROM bookings WHERE valid_from >= valid_to") == 0


SHARED = """
class Flight(Base):
    __tablename__ = "flights"

    ticket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    flight: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class BoardingPass(Base):
    __tablename__ = "boarding_passes"

    ticket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    flight: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seat: Mapped[str] = mapped_column(String(4))
    __table_args__ = (
        ForeignKeyConstraint(["ticket", "flight"], ["flights.ticket", "flights.flight"]),
        UniqueConstraint("flight", "seat"),
    )


class Shift(Base):
    __tablename__ = "shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket: Mapped[int]
    begins: Mapped[int]
    ends: Mapped[int]
    __table_args__ = (CheckConstraint("ends > begins", name="forward"), UniqueConstraint("ticket", "ends"))
"""


def test_keys_of_which_only_a_part_can_be_numbered(house: House, manage: Runner, sqlite_database: Database) -> None:
    seeded(house, manage, SHARED, 200)

    assert sqlite_database.count("boarding_passes") == sqlite_database.count("shifts") == 200


TOGETHER = """
class Event(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    recurrence: Mapped[int | None]
    __table_args__ = (CheckConstraint("(parent_id IS NULL) = (recurrence IS NULL)", name="both_or_none"),)
"""


def test_a_reference_to_its_own_table_that_comes_with_another_column(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, TOGETHER, 50)

    assert sqlite_database.count("events") == 50


WAYS = """
class Photo(Base):
    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(10), server_default="open")
    closed_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(10), server_default="waits")
    answered_at: Mapped[datetime | None]
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photos.id"))
    url: Mapped[str | None] = mapped_column(String(60))
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="known"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("answer IN ('waits', 'yes', 'no')", name="answers"),
        CheckConstraint("(answer = 'waits') = (answered_at IS NULL)", name="answered"),
        CheckConstraint("(photo_id IS NULL) <> (url IS NULL)", name="one_of_two"),
    )
"""


def test_rows_keep_to_checks_in_each_of_the_ways_there_are(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, WAYS, 200)

    assert set(column(database, "accounts", "status")) == {"open", "closed"}
    assert set(column(database, "accounts", "answer")) >= {"waits", "yes"}
    assert 20 < database.value("SELECT count(photo_id) FROM accounts") < 180
    assert database.value("SELECT count(*) FROM accounts WHERE (url IS NULL) = (photo_id IS NULL)") == 0


def test_rows_of_several_ways_are_the_same_everywhere(house: House, manage: Runner, tmp_path: Path) -> None:
    house.write("project/models/own.py", IMPORTS + WAYS)
    found = []
    for kind in KINDS:
        with fresh(kind, tmp_path) as database:
            url = {"DATABASE_URL": database.url}
            manage.ok("migrate", env=url)
            manage.ok("shell", "-c", MAKE, env=url)
            manage.ok("seed", "photos", "accounts", "--count", "100", env=url)
            manage.ok("seed", "photos", "accounts", "--count", "150", env=url)
            found.append(database.rows("SELECT status, answer, photo_id, url FROM accounts ORDER BY id"))

    assert found[0] == found[1] == found[2]


TOGETHER_OR_NOT = """
class Club(Base):
    __tablename__ = "clubs"

    id: Mapped[int] = mapped_column(primary_key=True)


class Transfer(Base):
    __tablename__ = "transfers"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    fee: Mapped[int | None]
    to_club_id: Mapped[int | None] = mapped_column(ForeignKey("clubs.id"))
    tier: Mapped[str] = mapped_column(sa.CHAR(1))
    amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    unit: Mapped[str | None] = mapped_column(String(20))
    words: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str | None] = mapped_column(String(20))
    __table_args__ = (
        CheckConstraint("kind IN ('permanent', 'loan', 'free', 'retired')", name="kinds"),
        CheckConstraint("kind NOT IN ('free', 'retired') OR fee IS NULL OR fee = 0", name="free"),
        CheckConstraint("(kind = 'retired') = (to_club_id IS NULL)", name="retired"),
        CheckConstraint("tier BETWEEN 'A' AND 'L'", name="tiers"),
        CheckConstraint("reason IS NULL OR (amount IS NULL AND words IS NULL)", name="no_value"),
        CheckConstraint("unit IS NULL OR amount IS NOT NULL", name="unit_of_amount"),
    )


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id", use_alter=True, name="fk_topic"))


class Topic(Base):
    __tablename__ = "topics"

    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    archetype: Mapped[str] = mapped_column(String(20), server_default="regular")
    extra: Mapped[dict[str, int] | None] = mapped_column(sa.JSON)
    __table_args__ = (
        CheckConstraint("category_id IS NULL OR archetype <> 'private'", name="not_private"),
        CheckConstraint("category_id IS NOT NULL OR archetype <> 'regular'", name="regular_has_one"),
    )
"""


def test_checks_that_speak_of_the_same_columns_are_kept_together(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, TOGETHER_OR_NOT, 100)

    assert {database.count(name) for name in ("transfers", "topics", "categories")} == {100}
    assert {*column(database, "transfers", "kind")} <= {"permanent", "loan", "free", "retired"}
    assert len({*column(database, "transfers", "tier")}) > 5
    assert database.value("SELECT count(*) FROM topics WHERE extra IS NULL") > 5


ON_POSTGRESQL = """
from sqlalchemy import text
from sqlalchemy.dialects import postgresql as pg


class Stay(Base):
    __tablename__ = "stays"

    id: Mapped[int] = mapped_column(primary_key=True)
    arrival: Mapped[date]
    departure: Mapped[date]
    stay: Mapped[pg.Range[date]] = mapped_column(
        pg.DATERANGE, sa.Computed("daterange(arrival, departure, '[)')", persisted=True)
    )
    begins: Mapped[datetime]
    ends: Mapped[datetime]
    a: Mapped[int | None]
    b: Mapped[int | None]
    c: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("departure > arrival", name="leaves"),
        CheckConstraint("ends - begins <= INTERVAL '12 hours'", name="short"),
        CheckConstraint("num_nulls(a, b, c) IN (0, 3)", name="all_or_none"),
        pg.ExcludeConstraint(("stay", "&&"), name="one_stay"),
        pg.ExcludeConstraint((text("tsrange(begins, ends)"), "&&"), name="one_shift"),
    )
"""


def test_what_an_exclude_keeps_apart_may_be_computed(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, ON_POSTGRESQL, 100)

    assert postgresql_database.count("stays") == 100


LEAGUE = """
class Season(Base):
    __tablename__ = "seasons"

    id: Mapped[int] = mapped_column(primary_key=True)


class Team(Base):
    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)


class Fixture(Base):
    __tablename__ = "fixtures"

    id: Mapped[int] = mapped_column(primary_key=True)
    season_id: Mapped[int] = mapped_column(ForeignKey("seasons.id"))
    round: Mapped[int]
    home_team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    away_team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    __table_args__ = (
        CheckConstraint("round BETWEEN 1 AND 38", name="rounds"),
        CheckConstraint("home_team_id <> away_team_id", name="two_teams"),
        UniqueConstraint("season_id", "home_team_id", "away_team_id"),
        UniqueConstraint("season_id", "round", "home_team_id"),
        UniqueConstraint("season_id", "round", "away_team_id"),
    )


class Lineup(Base):
    __tablename__ = "lineups"

    id: Mapped[int] = mapped_column(primary_key=True)
    fixture_id: Mapped[int] = mapped_column(ForeignKey("fixtures.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    position: Mapped[int]
    __table_args__ = (
        CheckConstraint("position BETWEEN 1 AND 11", name="positions"),
        UniqueConstraint("fixture_id", "team_id"),
        UniqueConstraint("fixture_id", "position"),
    )


class Visit(Base):
    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_first: Mapped[bool]
    visited_on: Mapped[date]
    __table_args__ = (UniqueConstraint("is_first", "visited_on"),)
"""


def test_keys_of_which_each_shares_columns_with_each_other_are_all_filled(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, LEAGUE, 1000)
    database.execute("DELETE FROM fixtures WHERE id % 7 = 0 AND id NOT IN (SELECT fixture_id FROM lineups)")
    manage.ok("seed", "--count", "1500")

    assert {database.count(name) for name in ("fixtures", "lineups")} == {1500}
    assert len(set(column(database, "fixtures", "round"))) == 38
    assert len(set(column(database, "lineups", "position"))) == 11
    assert len(set(database.rows("SELECT home_team_id, away_team_id FROM fixtures"))) > 1000


def test_a_league_is_filled_until_each_team_has_met_each_other_at_home(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + LEAGUE)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)
    manage.ok("seed", "seasons", "--count", "1")
    manage.ok("seed", "teams", "--count", "20")

    line = manage("seed", "fixtures", "--count", "381").refusal()
    manage.ok("seed", "fixtures", "--count", "250")
    manage.ok("seed", "fixtures", "--count", "380")

    assert line == "fixtures cannot hold --count 381: its keys allow no more — the most is 380"
    assert sqlite_database.count("fixtures") == 380


def test_what_may_be_only_the_seeders_most_is_not_called_that_of_the_keys(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + LEAGUE)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    line = manage("seed", "visits", "--count", "800").refusal()
    told = manage.ok("seed", "--count", "800").out

    assert re.search(r"(?m)^  visits +730 rows .* the most found that its keys allow$", told)
    assert line == (
        "visits cannot be filled to --count 800: no more rows were found that its keys allow"
        " — unless a seeder knows more values, the most is 730"
    )


INTERLOCKED = [
    ([5, 4, 3, 3], [None, None, None, 2], [(0, 2, 3), (0, 1, 2), (0, 1, 3)], 30),
    ([4, 6, 5], [None] * 3, [(0, 1), (0, 2), (1, 2)], 16),
    ([9, 2, 3, 4], [None] * 4, [(0, 1, 2), (0, 3)], 36),
    ([3, 7, 7], [None, None, 1], [(0, 1), (0, 2)], 21),
    ([2, 2, 2, 2, 30], [None] * 5, [(0, 1, 4), (1, 2, 4), (2, 3, 4)], 120),
]


@pytest.mark.parametrize(("sizes", "unequal", "keys", "least"), INTERLOCKED)
def test_each_of_several_keys_tells_which_row_it_is_of(
    sizes: list[int], unequal: list[int | None], keys: list[tuple[int, ...]], least: int
) -> None:
    made = Interlocked([range(size) for size in sizes], unequal, keys)
    rows = [*zip(*(made.column(place, range(made.total)) for place in range(len(sizes))), strict=True)]

    assert least <= made.total == len(rows) <= made.most
    assert all(len({tuple(row[place] for place in key) for row in rows}) == len(rows) for key in keys)
    assert all(row[place] != row[other] for row in rows for place, other in enumerate(unequal) if other is not None)
    assert [*made.taken(rows[3:5])] == [3, 4] * len(keys)


COMBINED = [
    ([[1, 2, 3]] * 3, [(0, 1), (1, 2), (0, 2)], 6),
    ([[1, 2, 3]] * 3, [(2, 0), (2, 1)], 12),
    ([[1, 2, 3], [2, 3, 4, 5], [3, 4]], [(0, 1), (2, 1)], 9),
    ([range(4)] * 4, [(0, 1), (1, 2), (2, 3), (0, 3)], 48),
]


@pytest.mark.parametrize(("domains", "unequal", "total"), COMBINED)
def test_combinations_of_values_of_which_some_must_differ(
    domains: list[list[int]], unequal: list[tuple[int, int]], total: int
) -> None:
    made = Combinations(domains, unequal)
    rows = [*zip(*(made.column(place, range(made.total)) for place in range(len(domains))), strict=True)]

    assert len(set(rows)) == len(rows) == made.total == total
    assert all(row[one] != row[other] for row in rows for one, other in unequal)
    assert [*made.taken(rows)] == [*range(total)]
    assert [row for row in product(*domains) if made.number(row) is not None] == sorted(rows)


ACCOUNTS = """
class Account(Base):
    __tablename__ = "accounts"

    tenant: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Transfer(Base):
    __tablename__ = "transfers"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_tenant: Mapped[int]
    from_account: Mapped[int]
    to_tenant: Mapped[int | None]
    to_account: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(["from_tenant", "from_account"], ["accounts.tenant", "accounts.no"]),
        ForeignKeyConstraint(["to_tenant", "to_account"], ["accounts.tenant", "accounts.no"]),
        CheckConstraint("from_account <> to_account", name="two_accounts"),
    )


class Booking(Base):
    __tablename__ = "bookings"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    to_account: Mapped[int]
    by_account: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "to_account"], ["accounts.tenant", "accounts.no"]),
        ForeignKeyConstraint(["tenant", "by_account"], ["accounts.tenant", "accounts.no"]),
        CheckConstraint("to_account <> by_account", name="two_of_a_tenant"),
    )


class Standing(Base):
    __tablename__ = "standings"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    from_account: Mapped[int]
    to_account: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "from_account"], ["accounts.tenant", "accounts.no"]),
        ForeignKeyConstraint(["tenant", "to_account"], ["accounts.tenant", "accounts.no"]),
        CheckConstraint("from_account <> to_account", name="two_that_stand"),
        UniqueConstraint("tenant", "from_account", "to_account"),
    )


class Deposit(Base):
    __tablename__ = "deposits"

    id: Mapped[int] = mapped_column(primary_key=True)
    to_tenant: Mapped[int]
    to_account: Mapped[int]
    tenant: Mapped[int]
    account: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["to_tenant", "to_account"], ["accounts.tenant", "accounts.no"]),
        ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.no"]),
        CheckConstraint("to_account <> account", name="two_of_a_deposit"),
        UniqueConstraint("tenant", "account"),
    )
"""


def test_two_references_of_several_columns_lead_to_rows_that_differ(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, ACCOUNTS, 200)
    manage.ok("seed", "--count", "300")

    pairs = "SELECT count(*) FROM accounts a JOIN accounts b ON a.tenant = b.tenant AND a.no <> b.no"
    assert {database.count(name) for name in ("transfers", "bookings", "deposits")} == {300}
    assert database.count("standings") == min(300, database.value(pairs))
    assert len(set(column(database, "transfers", "to_account"))) > 100
    assert len(set(database.rows("SELECT to_account, by_account FROM bookings"))) > 50


LINKS = """
class Person(Base):
    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(primary_key=True)


class Club(Base):
    __tablename__ = "clubs"

    id: Mapped[int] = mapped_column(primary_key=True)


class Membership(Base):
    __tablename__ = "memberships"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"), primary_key=True)


class Gift(Base):
    __tablename__ = "gifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    giver_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    taker_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    place: Mapped[int]
    __table_args__ = (
        CheckConstraint("giver_id <> taker_id", name="not_to_oneself"),
        CheckConstraint("place BETWEEN 1 AND 9", name="places"),
        UniqueConstraint("taker_id", "place"),
    )


class Friendship(Base):
    __tablename__ = "friendships"

    lower_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    higher_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    __table_args__ = (CheckConstraint("lower_id < higher_id", name="in_order"),)


class Match(Base):
    __tablename__ = "matches"

    home_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"), primary_key=True)
    away_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"), primary_key=True)
    hosts_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"), primary_key=True)
    judge_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    clerk_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    guard_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    __table_args__ = (
        CheckConstraint("home_id <> away_id AND home_id <> hosts_id", name="two_clubs"),
        CheckConstraint("judge_id <> clerk_id AND judge_id <> guard_id AND clerk_id <> guard_id", name="three_persons"),
    )


class Round(Base):
    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    one_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"))
    two_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"))
    three_id: Mapped[int] = mapped_column(ForeignKey("clubs.id"))
    __table_args__ = (
        CheckConstraint("number BETWEEN 1 AND 9", name="numbers"),
        CheckConstraint("one_id <> two_id AND one_id <> three_id AND two_id <> three_id", name="three_clubs"),
        UniqueConstraint("number", "one_id"),
        UniqueConstraint("number", "two_id"),
        UniqueConstraint("number", "three_id"),
    )
"""


def test_a_link_of_two_large_tables_has_some_several_times_and_others_never(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, LINKS, 1000)
    first = database.rows("SELECT person_id, club_id FROM memberships")
    manage.ok("seed", "memberships", "friendships", "--count", "1700")

    assert set(first) < set(database.rows("SELECT person_id, club_id FROM memberships"))
    for name in (0, 1):
        times = Counter(Counter(row[name] for row in first).values())
        assert 550 < times.total() < 700
        assert times[1] > times[2] > times[3] > 20
    friends = Counter(Counter(column(database, "friendships", "lower_id")).values())
    assert friends[1] > friends[2] > friends[3] > friends[4] > 20
    assert {database.count("matches"), database.count("rounds")} == {1000}


def test_a_part_of_a_key_that_must_differ_from_another_column_is_the_one_that_stays(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, LINKS, 8)

    assert database.count("gifts") == 8
    manage.ok("seed", "gifts", "--count", "72")
    assert len(set(column(database, "gifts", "giver_id"))) == 8


TENANTS = """
class Tenant(Base):
    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(primary_key=True)


class Order(Base):
    __tablename__ = "orders"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Product(Base):
    __tablename__ = "products"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Line(Base):
    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    order_no: Mapped[int]
    product_no: Mapped[int]
    line_no: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "order_no"], ["orders.tenant_id", "orders.no"]),
        ForeignKeyConstraint(["tenant_id", "product_no"], ["products.tenant_id", "products.no"]),
        CheckConstraint("line_no BETWEEN 1 AND 50", name="line_nos"),
        UniqueConstraint("tenant_id", "order_no", "line_no"),
        UniqueConstraint("tenant_id", "order_no", "product_no"),
    )


class Shelf(Base):
    __tablename__ = "shelves"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    order_no: Mapped[int]
    height: Mapped[int]
    place: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "order_no"], ["orders.tenant_id", "orders.no"]),
        CheckConstraint("height BETWEEN 1 AND 40", name="heights"),
        CheckConstraint("place BETWEEN 1 AND 50", name="shelf_places"),
        UniqueConstraint("tenant_id", "order_no", "height"),
        UniqueConstraint("tenant_id", "height", "place"),
    )
"""


def test_keys_that_have_each_another_part_of_a_reference_of_several_columns(
    house: House, manage: Runner, database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + TENANTS)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)
    manage.ok("seed", "tenants", "--count", "5")
    manage.ok("seed", "orders", "products", "--count", "300")

    manage.ok("seed", "order_lines", "shelves", "--count", "200")
    database.execute("DELETE FROM order_lines WHERE id % 3 = 0")
    manage.ok("seed", "order_lines", "--add", "500")
    manage.ok("seed", "shelves", "--count", "300")

    assert database.count("order_lines") == 200 - 200 // 3 + 500
    assert database.count("shelves") == 300
    assert len(set(column(database, "order_lines", "product_no"))) > 150
    assert manage("seed", "shelves", "--count", "301").refusal().endswith("the most is 300")


LESSONS = """
class Teacher(Base):
    __tablename__ = "teachers"

    id: Mapped[int] = mapped_column(primary_key=True)


class Lesson(Base):
    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(primary_key=True)
    on_day: Mapped[date]
    slot: Mapped[int]
    room: Mapped[int]
    teacher_id: Mapped[int] = mapped_column(ForeignKey("teachers.id"))
    helper_id: Mapped[int] = mapped_column(ForeignKey("teachers.id"))
    __table_args__ = (
        CheckConstraint("slot BETWEEN 1 AND 8", name="slots"),
        CheckConstraint("room BETWEEN 1 AND 30", name="rooms"),
        CheckConstraint("teacher_id <> helper_id", name="not_alone"),
        UniqueConstraint("on_day", "slot", "room"),
        UniqueConstraint("on_day", "slot", "teacher_id"),
        UniqueConstraint("on_day", "slot", "helper_id"),
        UniqueConstraint("room", "teacher_id", "helper_id"),
    )
"""


def test_rows_of_keys_that_share_columns_are_of_all_their_values(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, LESSONS, 500)

    assert Counter(column(sqlite_database, "lessons", "slot")).most_common(9)[-1][1] > 30
    assert len(set(column(sqlite_database, "lessons", "room"))) == 30
    assert len(set(column(sqlite_database, "lessons", "on_day"))) > 200
    apart = "SELECT count(DISTINCT (helper_id - teacher_id + 500) % 500) FROM lessons"
    assert sqlite_database.value(apart) > 20


PARTIAL = """
from sqlalchemy import Index, text


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)


def only(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


class Address(Base):
    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[str] = mapped_column(String(9))
    is_primary: Mapped[bool] = mapped_column(server_default=sa.false())
    deleted_at: Mapped[datetime | None]
    number: Mapped[int | None]
    floor: Mapped[int]
    __table_args__ = (
        CheckConstraint("floor BETWEEN 1 AND 2", name="floors"),
        CheckConstraint("kind IN ('home', 'work', 'other')", name="kinds"),
        only("one_primary", "customer_id", where="is_primary"),
        only("one_there", "customer_id", "floor", where="deleted_at IS NULL AND number < 900"),
        only("one_at_work", "customer_id", where="kind = 'work'"),
        only("one_with_number", "customer_id", where="number IS NOT NULL"),
    )


class Place(Base):
    __tablename__ = "places"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    address_id: Mapped[int] = mapped_column(ForeignKey("addresses.id"), primary_key=True)
    is_first: Mapped[bool]
    __table_args__ = (only("first_place", "customer_id", where="is_first"),)
"""


def test_a_partial_unique_index_limits_only_the_rows_that_it_is_of(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, PARTIAL, 30)
    sqlite_database.execute("INSERT INTO customers VALUES (31), (32)")
    sqlite_database.execute(
        "INSERT INTO addresses VALUES (99, 31, 'work', 1, NULL, 5, 1), (98, 32, 'home', 1, NULL, 6, 1)"
    )
    manage.ok("seed", "addresses", "places", "--count", "500")

    assert sqlite_database.count("addresses") == 502
    assert sqlite_database.count("places") == 500
    found = sqlite_database.rows("SELECT customer_id FROM addresses WHERE is_primary")
    assert 25 < len(found) == len(set(found)) < 33
    assert sqlite_database.value("SELECT count(*) FROM addresses WHERE kind = 'work'") > 20
    assert sqlite_database.value("SELECT count(*) FROM places WHERE is_first") > 20


STEPS = """
class Node(Base):
    __tablename__ = "nodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    lft: Mapped[int] = mapped_column(unique=True)
    rgt: Mapped[int] = mapped_column(unique=True)
    room: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("lft < rgt AND lft >= 0", name="nested"),
        CheckConstraint("starts_at < ends_at", name="forward"),
        CheckConstraint("room BETWEEN 1 AND 3", name="rooms"),
        UniqueConstraint("room", "starts_at"),
        UniqueConstraint("room", "ends_at"),
    )


class Rate(Base):
    __tablename__ = "rates"

    kind: Mapped[str] = mapped_column(sa.CHAR(1), primary_key=True)
    begins: Mapped[date]
    ends: Mapped[date] = mapped_column(primary_key=True)
    floor: Mapped[int]
    lowest: Mapped[int]
    highest: Mapped[int]
    __table_args__ = (
        CheckConstraint("kind = upper(kind)", name="capital"),
        CheckConstraint("begins < ends", name="one_after_the_other"),
        CheckConstraint("lowest < highest AND lowest >= 1 AND highest <= 9", name="up_to_9"),
        UniqueConstraint("floor", "highest"),
    )
"""


def test_columns_that_are_in_order_and_may_not_repeat_go_on_in_steps(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, STEPS, 100)
    sqlite_database.execute("INSERT INTO nodes VALUES (0, 207, 412, 1, '2020-01-01 00:00:00', '2020-01-02 00:00:00')")
    manage.ok("seed", "--count", "300")

    assert sqlite_database.count("nodes") == 301
    assert sqlite_database.count("rates") == 300
    assert len(set(column(sqlite_database, "rates", "highest"))) == 8
    assert set(column(sqlite_database, "nodes", "room")) == {1, 2, 3}


COPIES = """
class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60))
    username_lower: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str | None] = mapped_column(String(8))
    name_lower: Mapped[str | None] = mapped_column(String(8))
    site: Mapped[int]
    code: Mapped[int]
    same_code: Mapped[int] = mapped_column(unique=True)
    __table_args__ = (
        CheckConstraint("username_lower = lower(username)", name="same_name"),
        CheckConstraint("code = same_code", name="same_code"),
        UniqueConstraint("name_lower", "site"),
    )
"""


def test_what_is_copied_from_another_column_and_may_not_repeat_is_copied_from_a_unique_one(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, COPIES, 500)

    assert len(set(column(sqlite_database, "users", "username"))) == 500
    assert sqlite_database.value("SELECT count(*) FROM users WHERE name_lower <> lower(name)") == 0


POLLS = """
class Person(Base):
    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(primary_key=True)


class Option(Base):
    __tablename__ = "options"

    poll: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    __table_args__ = (
        CheckConstraint("poll BETWEEN 1 AND 6", name="polls"),
        CheckConstraint("place BETWEEN 1 AND 9", name="places"),
    )


class Vote(Base):
    __tablename__ = "votes"

    poll: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    place: Mapped[int]
    __table_args__ = (ForeignKeyConstraint(["poll", "place"], ["options.poll", "options.place"]),)


class Voter(Base):
    __tablename__ = "voters"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)


class Letter(Base):
    __tablename__ = "letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["person_id"], ["persons.id"]),
        ForeignKeyConstraint(["person_id"], ["voters.person_id"]),
    )


class Theme(Base):
    __tablename__ = "themes"

    poll: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    __table_args__ = (CheckConstraint("poll BETWEEN 3 AND 4", name="themes"),)


class Remark(Base):
    __tablename__ = "remarks"

    id: Mapped[int] = mapped_column(primary_key=True)
    poll: Mapped[int] = mapped_column(ForeignKey("themes.poll"))
    place: Mapped[int]
    __table_args__ = (ForeignKeyConstraint(["poll", "place"], ["options.poll", "options.place"]),)
"""


def test_a_key_with_a_part_of_a_reference_is_topped_up_when_the_parent_has_more_rows(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, POLLS, 6)
    manage.ok("seed", "options", "--count", "12")
    manage.ok("seed", "votes", "--count", "20")
    manage.ok("seed", "options", "--count", "54")
    manage.ok("seed", "votes", "--count", "36")
    manage.ok("seed", "persons", "letters", "remarks", "--count", "40")

    assert sqlite_database.count("remarks") == 40
    assert sqlite_database.count("letters") == 40
    assert sqlite_database.count("votes") == 36
    assert len(set(column(sqlite_database, "votes", "place"))) > 5
