"""Tables that refer to each other in every way, classes that share them, and CHECKs of every kind, without a seeder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import KINDS, Database, fresh
from tests.houses import House, Runner

IMPORTS = '''"""Models of a test."""

import enum
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base

'''
MAKE = "project.metadata.create_all(session.connection()); session.commit()"


def made(house: House, manage: Runner, models: str) -> None:
    """Make the tables of models."""
    house.write("project/models/own.py", IMPORTS + models)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)


def seeded(house: House, manage: Runner, models: str, count: int = 60) -> None:
    """Make the tables of models and seed all there is."""
    made(house, manage, models)
    manage.ok("seed", "--count", str(count))


def column(database: Database, table: str, name: str) -> list[object]:
    return [row[0] for row in database.rows(f"SELECT {name} FROM {table}")]


# Tables that refer to each other

CIRCLE = """
class Team(Base):
    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    captain_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", use_alter=True, name="fk_captain"))
    keeper_id: Mapped[int | None] = mapped_column(ForeignKey("players.id", use_alter=True, name="fk_keeper"))


class Player(Base):
    __tablename__ = "players"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
"""


def test_a_circle_through_a_nullable_key_is_filled_in_a_second_pass(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, CIRCLE)

    captains = column(database, "teams", "captain_id")
    assert database.count("teams") == database.count("players") == 60
    assert set(captains) - {None} <= set(column(database, "players", "id"))
    assert len(set(captains) - {None}) > 10


def test_tables_of_a_circle_can_be_seeded_one_by_one(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write("project/models/own.py", IMPORTS + CIRCLE)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    manage.ok("seed", "teams")
    manage.ok("seed", "players")

    assert set(column(sqlite_database, "teams", "captain_id")) == {None}
    assert sqlite_database.count("players") == 100


def test_what_fills_a_circle_is_one_transaction(house: House, manage: Runner, sqlite_database: Database) -> None:
    house.write("project/models/own.py", IMPORTS + CIRCLE)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)
    sqlite_database.execute("CREATE TRIGGER never BEFORE INSERT ON players BEGIN SELECT RAISE(ABORT, 'not now'); END")

    line = manage("seed", "teams", "players").refusal()

    assert line.startswith("players could not be seeded: not now")
    assert sqlite_database.count("teams") == sqlite_database.count("players") == 0
    sqlite_database.execute("DROP TRIGGER never")
    manage.ok("seed", "teams", "players", "--count", "30")
    assert set(column(sqlite_database, "teams", "captain_id")) - {None}


def test_fresh_deletes_tables_that_refer_to_each_other(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, CIRCLE + TREE)

    manage.ok("seed", "teams", "players", "folders", "--fresh", "--no-input", "--count", "20")

    assert [database.count(name) for name in ("teams", "players", "folders")] == [20, 20, 20]


DEFERRABLE = """
class Country(Base):
    __tablename__ = "lands"

    id: Mapped[int] = mapped_column(primary_key=True)
    capital_id: Mapped[int] = mapped_column(
        ForeignKey("towns.id", use_alter=True, name="fk_capital", deferrable=True, initially="DEFERRED")
    )


class Town(Base):
    __tablename__ = "towns"

    id: Mapped[int] = mapped_column(primary_key=True)
    land_id: Mapped[int] = mapped_column(ForeignKey("lands.id", name="fk_land"))
"""


def test_a_circle_through_a_deferrable_key_is_filled(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, DEFERRABLE)

    capitals = column(postgresql_database, "lands", "capital_id")
    assert len(capitals) == 60
    assert set(capitals) <= set(column(postgresql_database, "towns", "id"))


def test_fresh_deletes_a_circle_through_a_deferrable_key(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, DEFERRABLE.replace(', initially="DEFERRED"', ""))

    manage.ok("seed", "lands", "towns", "--fresh", "--no-input", "--count", "20")

    assert postgresql_database.count("lands") == postgresql_database.count("towns") == 20


def test_a_circle_that_cannot_be_filled_is_refused_by_name(
    house: House, manage: Runner, mariadb_database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + DEFERRABLE.replace(', deferrable=True, initially="DEFERRED"', ""))
    manage.ok("migrate")

    line = manage("seed").refusal()

    assert "lands.capital_id" in line
    assert "towns.land_id" in line
    assert "refer to each other in a circle" in line


# Tables that refer to themselves

TREE = """
class Folder(Base):
    __tablename__ = "folders"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("folders.id"))


class Version(Base):
    __tablename__ = "versions"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    before_code: Mapped[str | None] = mapped_column(ForeignKey("versions.code"), unique=True)


class Boss(Base):
    __tablename__ = "bosses"

    id: Mapped[int] = mapped_column(primary_key=True)
    boss_id: Mapped[int] = mapped_column(ForeignKey("bosses.id"))


class Post(Base):
    __tablename__ = "posts"

    topic: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    answers: Mapped[int | None]
    moved_to: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(["topic", "answers"], ["posts.topic", "posts.number"]),
        ForeignKeyConstraint(["topic", "moved_to"], ["posts.topic", "posts.number"]),
        CheckConstraint("topic BETWEEN 1 AND 3", name="topics"),
        CheckConstraint("answers < number", name="earlier"),
        UniqueConstraint("topic", "moved_to"),
    )


class Clerk(Base):
    __tablename__ = "clerks"

    company: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chief_company: Mapped[int | None]
    chief_number: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(["chief_company", "chief_number"], ["clerks.company", "clerks.number"]),
        CheckConstraint("(chief_company IS NULL) = (chief_number IS NULL)", name="both_or_none"),
    )


class Code(Base):
    __tablename__ = "codes"

    code: Mapped[str] = mapped_column(String(9), primary_key=True)
    above: Mapped[str | None] = mapped_column(ForeignKey("codes.code"))
    __table_args__ = (CheckConstraint("above < code", name="in_order"),)
"""


def test_rows_refer_to_earlier_rows_of_their_table(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, TREE)

    folders = database.rows("SELECT id, parent_id FROM folders ORDER BY id")
    assert all(parent is None or parent < own for own, parent in folders)
    assert 30 < len([parent for _, parent in folders if parent is not None]) < 60
    followed = Counter(column(database, "versions", "before_code"))
    assert followed.pop(None) == 1
    assert set(followed.values()) == {1}
    assert len(followed) == 59
    bosses = database.rows("SELECT id, boss_id FROM bosses ORDER BY id")
    assert all(boss <= own for own, boss in bosses)
    assert any(boss < own for own, boss in bosses)
    assert 30 < database.value("SELECT count(answers) FROM posts") < 60
    moved = database.rows("SELECT topic, moved_to FROM posts WHERE moved_to IS NOT NULL")
    assert len(moved) == len(set(moved)) == 57
    assert database.value("SELECT count(above) FROM codes") > 30
    assert database.value("SELECT count(chief_number) FROM clerks") > 30


def test_a_top_up_of_a_tree_equals_one_go(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, TREE, count=25)
    manage.ok("seed", "folders", "--count", "60")
    topped_up = database.rows("SELECT parent_id FROM folders ORDER BY id")
    manage.ok("seed", "posts", "--count", "60")
    posts = database.rows("SELECT * FROM posts ORDER BY topic, number")

    manage.ok("seed", "folders", "posts", "--fresh", "--no-input", "--count", "60")

    first = min(column(database, "folders", "id"))  # type: ignore[type-var]  # numbers
    at_once = database.rows("SELECT parent_id FROM folders ORDER BY id")
    assert [one and one - first for (one,) in at_once] == [one and one - 1 for (one,) in topped_up]
    assert database.rows("SELECT * FROM posts ORDER BY topic, number") == posts


# Keys of several columns

TENANTS = """
class Tenant(Base):
    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(primary_key=True)


class Member(Base):
    __tablename__ = "members"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Badge(Base):
    __tablename__ = "badges"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "number"], ["members.tenant_id", "members.number"]),)

    tenant_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Order(Base):
    __tablename__ = "order"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "buyer"], ["members.tenant_id", "members.number"], name="fk_buyer"),
        ForeignKeyConstraint(["tenant_id", "seller"], ["members.tenant_id", "members.number"], name="fk_seller"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    buyer: Mapped[int]
    seller: Mapped[int]


class Friendship(Base):
    __tablename__ = "friendships"
    __table_args__ = (CheckConstraint("one_id <> other_id", name="nobody_alone"),)

    one_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)


class Rival(Base):
    __tablename__ = "rivals"
    __table_args__ = (CheckConstraint("one_id <> other_id", name="not_oneself"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
"""


def test_columns_of_one_foreign_key_come_from_one_row(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, TENANTS)

    members = set(database.rows("SELECT tenant_id, number FROM members"))
    assert set(database.rows("SELECT tenant_id, number FROM badges")) == members
    quoted = '"order"' if database.kind != "mariadb" else "`order`"
    orders = database.rows(f"SELECT tenant_id, buyer, seller FROM {quoted}")
    assert {(tenant, buyer) for tenant, buyer, _ in orders} <= members
    assert {(tenant, seller) for tenant, _, seller in orders} <= members
    for table in ("friendships", "rivals"):
        assert all(one != other for one, other in database.rows(f"SELECT one_id, other_id FROM {table}"))


# Classes that share or inherit tables

CLASSES = """
class Vehicle(Base):
    __tablename__ = "vehicles"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "vehicle"}


class Car(Vehicle):
    __tablename__ = "cars"

    id: Mapped[int] = mapped_column(ForeignKey("vehicles.id"), primary_key=True)
    doors: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "car"}


class Taxi(Car):
    __tablename__ = "taxis"

    id: Mapped[int] = mapped_column(ForeignKey("cars.id"), primary_key=True)
    licence: Mapped[str] = mapped_column(String(20))
    __mapper_args__ = {"polymorphic_identity": "taxi"}


class Animal(Base):
    __tablename__ = "animals"

    id: Mapped[int] = mapped_column(primary_key=True)
    species: Mapped[str] = mapped_column(String(10))
    __mapper_args__ = {"polymorphic_on": "species", "polymorphic_identity": "animal"}


class Dog(Animal):
    bark: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "dog"}


class Bird(Animal):
    wings: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "bird"}
"""
LOAD = """
for name in ("Vehicle", "Car", "Taxi", "Animal", "Dog", "Bird"):
    print(name, len(session.scalars(sa.select(globals()[name])).all()))
"""


def test_rows_of_inherited_classes_are_of_their_class(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, CLASSES)

    loaded = dict(line.split() for line in manage.ok("shell", "-c", LOAD).out.splitlines())

    kinds = dict(database.rows("SELECT id, kind FROM vehicles"))
    assert {kinds[one] for one in column(database, "cars", "id")} == {"car", "taxi"}
    assert {kinds[one] for one in column(database, "taxis", "id")} == {"taxi"}
    assert set(kinds.values()) == {"vehicle", "car", "taxi"}
    assert int(loaded["Vehicle"]) == 60
    assert int(loaded["Taxi"]) == list(kinds.values()).count("taxi")
    animals = database.rows("SELECT species, bark, wings FROM animals")
    assert all(bark is None for species, bark, _ in animals if species != "dog")
    assert all(wings is None for species, _, wings in animals if species != "bird")
    assert any(bark is not None for _, bark, _ in animals)


# CHECKs

CHECKS = """
class Deal(Base):
    __tablename__ = "deals"
    __table_args__ = (
        CheckConstraint("NOT (size > 9 OR size < 3)", name="size_3_to_9"),
        CheckConstraint("kind NOT IN ('x', 'y') AND kind IN ('x', 'z', 'v')", name="kind_z_or_v"),
        CheckConstraint("rank <> 5 AND rank BETWEEN 4 AND 6", name="rank_4_or_6"),
        CheckConstraint("length(code) = 6 AND code = upper(code)", name="code_of_6"),
        CheckConstraint("word LIKE 'A_c%'", name="word_like"),
        CheckConstraint("left_at IS NULL OR left_at > came_at", name="left_after"),
        CheckConstraint("a < b AND b < c AND c <= 20 AND a >= 1", name="in_order"),
        CheckConstraint("top >= a AND top >= size", name="top_of_two"),
        CheckConstraint("price >= cost", name="no_loss"),
        CheckConstraint("closes > opens", name="open_first"),
        CheckConstraint("born < '2010-01-01'", name="born_before"),
        CheckConstraint("made <= CURRENT_DATE", name="made_already"),
        CheckConstraint("state = 'on' OR state = 'off'", name="on_or_off"),
        CheckConstraint("(mode = 'a' AND level > 3) OR (mode = 'b' AND level < 2)", name="mode_and_level"),
        CheckConstraint("trim(title) <> ''", name="title_there"),
        CheckConstraint(sa.column("age") >= 21, name="age_as_expression"),
        CheckConstraint("note IS NOT NULL", name="note_there"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    kind: Mapped[str] = mapped_column(String(5))
    rank: Mapped[int]
    code: Mapped[str] = mapped_column(String(12), unique=True)
    word: Mapped[str] = mapped_column(String(12))
    left_at: Mapped[datetime | None]
    came_at: Mapped[datetime]
    a: Mapped[int]
    b: Mapped[int]
    c: Mapped[int]
    top: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    cost: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    closes: Mapped[time]
    opens: Mapped[time]
    born: Mapped[date]
    made: Mapped[date]
    state: Mapped[str] = mapped_column(String(5))
    mode: Mapped[str] = mapped_column(String(5))
    level: Mapped[int]
    title: Mapped[str] = mapped_column(String(40))
    age: Mapped[int]
    note: Mapped[str | None] = mapped_column(String(40))
"""


def test_checks_of_every_kind_are_kept_to(house: House, manage: Runner, database: Database) -> None:
    of_day = '        CheckConstraint("made <= CURRENT_DATE", name="made_already"),\n'
    models = CHECKS if database.kind == "postgresql" else CHECKS.replace(of_day, "")  # others allow no such CHECK

    seeded(house, manage, models, count=200)

    assert database.count("deals") == 200
    assert set(column(database, "deals", "size")) == set(range(3, 10))
    assert set(column(database, "deals", "kind")) == {"z", "v"}
    assert set(column(database, "deals", "state")) == {"on", "off"}
    assert len(set(column(database, "deals", "left_at"))) > 100


@pytest.mark.parametrize("pattern", ["^[A-Z]{3}-[0-9]{4}$", "^(un|re)do[a-z]+$", "^x?[^0-9]{2,4}$"])
def test_a_regular_expression_is_kept_to(house: House, manage: Runner, server_database: Database, pattern: str) -> None:
    operator = "~" if server_database.kind == "postgresql" else "REGEXP"
    models = f"""
class Part(Base):
    __tablename__ = "parts"
    __table_args__ = (CheckConstraint("code {operator} '{pattern}'", name="code_pattern"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(14))
"""

    seeded(house, manage, models)

    assert server_database.count("parts") == 60


def test_a_check_that_cannot_be_read_is_named_with_its_row_and_what_to_write(
    house: House, manage: Runner, database: Database
) -> None:
    models = """
class Square(Base):
    __tablename__ = "squares"
    __table_args__ = (CheckConstraint("side * side = 2 * area * area AND side > 0", name="area_of_square"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[int]
    area: Mapped[int]
"""
    house.write("project/models/own.py", IMPORTS + models)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    line = manage("seed", "squares").refusal()

    assert line.startswith("squares could not be seeded: ")
    assert "area_of_square" in line
    assert " in row 1: side = " in line
    assert ", area = " in line
    assert "Nothing of it was kept" in line
    assert "project/seeds/squares.py" in line
    assert database.count("squares") == 0


def test_names_of_columns_say_which_comes_first(house: House, manage: Runner, sqlite_database: Database) -> None:
    models = """
class Trip(Base):
    __tablename__ = "trips"

    id: Mapped[int] = mapped_column(primary_key=True)
    start_date: Mapped[date]
    end_date: Mapped[date]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    min_age: Mapped[int]
    max_age: Mapped[int]
"""

    seeded(house, manage, models)

    for row in sqlite_database.rows("SELECT start_date, end_date, created_at, updated_at, min_age, max_age FROM trips"):
        assert all(one <= other for one, other in list(pairwise(row))[::2])


# Keys of one column, of any type

UNIQUE = """
class Color(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


class Rare(Base):
    __tablename__ = "rares"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    price: Mapped[Decimal] = mapped_column(Numeric(6, 2), unique=True)
    level: Mapped[float] = mapped_column(unique=True)
    wakes: Mapped[time] = mapped_column(unique=True)
    seen: Mapped[datetime] = mapped_column(unique=True)
    lasts: Mapped[timedelta] = mapped_column(unique=True)


class Flag(Base):
    __tablename__ = "flags"

    id: Mapped[int] = mapped_column(primary_key=True)
    color: Mapped[Color] = mapped_column(unique=True)


class Big(Base):
    __tablename__ = "bigs"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
"""


def test_unique_columns_of_any_type(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, UNIQUE)

    assert database.count("rares") == database.count("bigs") == 60
    assert database.count("flags") == 3
    refused = manage("seed", "flags", "--count", "4").refusal()
    assert refused == "flags cannot hold --count 4: its keys allow no more — the most is 3"


def test_a_key_of_days_holds_more_than_a_year(house: House, manage: Runner, database: Database) -> None:
    models = """
class Rate(Base):
    __tablename__ = "rates"

    day: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
"""

    seeded(house, manage, models, count=1000)

    assert len(set(column(database, "rates", "day"))) == 1000


def test_numbers_without_a_scale_are_whole_on_every_database(house: House, manage: Runner, database: Database) -> None:
    models = """
class Sum(Base):
    __tablename__ = "sums"

    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[Decimal]
    whole: Mapped[Decimal] = mapped_column(Numeric(6))
"""

    seeded(house, manage, models)

    for amount, whole in database.rows("SELECT amount, whole FROM sums"):
        assert amount == int(amount)
        assert whole == int(whole)


def test_an_email_in_a_narrow_column_is_no_longer_than_it(house: House, manage: Runner, database: Database) -> None:
    models = """
class Reader(Base):
    __tablename__ = "readers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(15), unique=True)
"""

    seeded(house, manage, models)

    assert all(len(str(one)) <= 15 for one in column(database, "readers", "email"))


def test_rows_with_keys_of_the_persons_own_do_not_stop_the_databases_numbers(
    house: House, manage: Runner, migrated: Database
) -> None:
    row = "({}, 'Own', '{}@own.example', 3, '2018-01-01')"
    values = ", ".join(row.format(number, number) for number in (1, 2, 3, 50))
    migrated.execute(f"INSERT INTO students (id, name, email, grade, birthday) VALUES {values}")

    manage.ok("seed", "students", "--count", "60")

    assert migrated.count("students") == 64


def test_children_of_texts_are_the_same_on_every_database(house: House, manage: Runner, tmp_path: Path) -> None:
    models = """
class Place(Base):
    __tablename__ = "places"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)


class Shop(Base):
    __tablename__ = "shops"

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(ForeignKey("places.name"))
"""
    house.write("project/models/own.py", IMPORTS + models)
    names = ["berlin", "Aachen", "Zwickau", "ulm", "Cologne", "bonn"]  # databases put these in orders of their own
    found = []

    for kind in KINDS:
        with fresh(kind, tmp_path) as database:
            at = ("--database-url", database.url)
            manage.ok("migrate", *at)
            manage.ok("shell", "-c", MAKE, *at)
            database.execute(f"INSERT INTO places VALUES {', '.join(f'({name!r})' for name in names)}")
            manage.ok("seed", "shops", "--count", "40", *at)
            found.append(database.rows("SELECT place FROM shops ORDER BY id"))

    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) > 3


# Indexes that are built after the load


def schema_of(database: Database) -> list[object]:
    with database.connect() as connection:
        inspector = sa.inspect(connection)
        return [
            sorted(map(str, inspector.get_indexes("students"))),
            sorted(map(str, inspector.get_unique_constraints("students"))),
            sorted(map(str, inspector.get_check_constraints("students"))),
            inspector.get_pk_constraint("students"),
        ]


def test_a_large_load_leaves_indexes_and_keys_as_they_were(manage: Runner, migrated: Database) -> None:
    before = schema_of(migrated)

    manage.ok("seed", "students", "--count", "21000")

    assert schema_of(migrated) == before
    assert "No errors" in manage.ok("check").out
    with pytest.raises(sa.exc.DBAPIError):
        migrated.execute(
            "INSERT INTO students (name, email, grade, birthday) SELECT name, email, grade, birthday FROM students"
        )


def test_an_index_with_a_percent_sign_and_braces_is_built_again(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    manage.ok("migrate")
    postgresql_database.execute("""CREATE INDEX "Odd {x}" ON students (email) WHERE name LIKE 'A%'""")
    before = schema_of(postgresql_database)

    manage.ok("seed", "students", "--count", "21000")

    assert schema_of(postgresql_database) == before


def test_who_owns_no_table_can_seed_and_top_up(house: House, manage: Runner, postgresql_database: Database) -> None:
    manage.ok("migrate")
    role = f"{postgresql_database.name}_role"
    postgresql_database.execute(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    at = ("--database-url", postgresql_database.url.replace("postgres@", f"{role}@"))
    try:
        manage.ok("seed", "students", "--count", "100", *at)
        postgresql_database.execute("DELETE FROM students")
        manage.ok("seed", "students", "--count", "100", *at)  # its numbers cannot begin anew
        manage.ok("seed", "students", "--count", "21000", *at)

        assert postgresql_database.count("students") == 21_000
    finally:
        postgresql_database.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_seeding_does_not_wait_for_ever_behind_another_session(
    house: House, manage: Runner, server_database: Database
) -> None:
    manage.ok("migrate")
    manage.ok("seed", "students")
    with server_database.connect() as connection:
        connection.execute(sa.text("UPDATE students SET grade = grade"))

        command = ("seed", "students", "enrollments", "--fresh", "--no-input", "--lock-timeout", "1")
        line = manage(*command).expect(1).err.splitlines()[-1]

    assert "holds what this needs" in line
    assert server_database.count("students") == 100


def test_names_with_a_percent_sign(house: House, manage: Runner, database: Database) -> None:
    models = """
class Share(Base):
    __tablename__ = "shares in %"

    id: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column("100%s", sa.Integer)
"""
    house.write("project/models/own.py", IMPORTS + models)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    manage.ok("seed", "shares in %", "--count", "60")
    manage.ok("seed", "shares in %", "--count", "21000", "--fresh", "--no-input")

    with database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(sa.table("shares in %"))) == 21_000


def test_a_column_with_a_name_of_the_databases_own_is_missed(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    house.change("project/models/student.py", "    grade: Mapped[int]", "    grade: Mapped[int]\n    oid: Mapped[int]")

    line = manage("seed", "students").refusal()

    assert "has not the column students.oid" in line


# Many rows in one statement, which runs while the next ones are made


def students_of(database: Database) -> Sequence[object]:
    return database.rows("SELECT name, email, grade, birthday, enrolled_date FROM students ORDER BY id")


def test_rows_are_the_same_however_they_are_loaded(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    for count in ("15000", "30000", "45000"):
        manage.ok("seed", "students", "--count", count)  # too few at a time for more than one row in a statement
    one_by_one = students_of(sqlite_database)

    manage.ok("seed", "students", "--count", "45000", "--fresh", "--no-input")

    assert students_of(sqlite_database) == one_by_one


def test_a_seeder_makes_all_rows_in_one_thread(house: House, manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    house.write(
        "project/seeds/students.py",
        "import decimal\n"
        "import sqlite3\n\n"
        "from project.management.seeding import Rows, Seeder, column\n"
        "from project.models.student import Student\n\n"
        "NAMES = sqlite3.connect(':memory:')\n\n\n"
        "class StudentSeeder(Seeder):\n"
        "    model = Student\n\n"
        "    @column\n"
        "    def name(self, rows: Rows) -> list[str]:\n"
        "        if rows.numbers[0] == 10_000:\n"
        "            decimal.setcontext(decimal.Context(prec=4))\n"
        "        [(ada,)] = NAMES.execute(\"SELECT 'Ada ' || ?\", (str(decimal.Decimal(1) / 3),)).fetchall()\n"
        "        return [ada] * len(rows)\n",
    )

    manage.ok("seed", "students", "--count", "45000")

    found = sqlite_database.rows("SELECT name, count(*) FROM students GROUP BY name ORDER BY min(id)")
    assert [(len(name), count) for name, count in found] == [(34, 10_000), (10, 35_000)]


def test_many_rows_at_once_obey_triggers_and_conflict_clauses(manage: Runner, sqlite_database: Database) -> None:
    manage.ok("migrate")
    sqlite_database.execute(
        "CREATE TABLE grades (grade INTEGER PRIMARY KEY)",
        "CREATE TRIGGER noted AFTER INSERT ON students BEGIN INSERT OR IGNORE INTO grades VALUES (new.grade); END",
    )
    manage.ok("seed", "students", "--count", "21000")
    assert sqlite_database.count("grades") == 12

    sqlite_database.execute(
        "DROP TABLE students",
        "CREATE TABLE students (id INTEGER PRIMARY KEY, name TEXT, email TEXT,"
        " grade INTEGER UNIQUE ON CONFLICT REPLACE, birthday DATE, enrolled_date DATETIME)",
    )
    manage.ok("seed", "students", "--count", "21000", "--fresh", "--no-input")

    assert sqlite_database.count("students") == 12


def test_a_row_that_is_refused_in_a_later_block_is_named_and_nothing_is_kept(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    manage.ok("migrate")
    house.write(
        "project/seeds/students.py",
        "from project.management.seeding import Rows, Seeder, column\n"
        "from project.models.student import Student\n\n\n"
        "class StudentSeeder(Seeder):\n"
        "    model = Student\n\n"
        "    @column\n"
        "    def name(self, rows: Rows) -> list[str]:\n"
        "        return ['Nobody' if number == 23_456 else 'Ada' for number in rows.numbers]\n",
    )
    sqlite_database.execute(
        "DROP TABLE students",
        "CREATE TABLE students (id INTEGER PRIMARY KEY, name TEXT CONSTRAINT somebody CHECK (name <> 'Nobody'),"
        " email TEXT, grade INTEGER, birthday DATE, enrolled_date DATETIME)",
    )

    line = manage("seed", "students", "--count", "45000").refusal()

    assert "CHECK constraint failed: somebody in row 23,457: name = 'Nobody'" in line
    assert "Nothing of it was kept" in line
    assert sqlite_database.count("students") == 0


# Keys of several columns, and what they share

SEATS = """
class Row(Base):
    __tablename__ = "seat_rows"

    hall: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Guest(Base):
    __tablename__ = "guests"
    __table_args__ = (ForeignKeyConstraint(["hall", "number"], ["seat_rows.hall", "seat_rows.number"]),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hall: Mapped[int | None]
    number: Mapped[int | None]


class Fight(Base):
    __tablename__ = "fights"
    __table_args__ = (CheckConstraint("low_id < high_id", name="two_guests"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    low_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))
    high_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))
"""


def test_references_of_two_columns_and_pairs_are_the_same_in_every_run(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, SEATS)
    tables = ("guests", "fights")

    first = [sqlite_database.rows(f"SELECT * FROM {name} ORDER BY id") for name in tables]
    manage.ok("seed", *tables, "--fresh", "--no-input", "--count", "60")

    assert [sqlite_database.rows(f"SELECT * FROM {name} ORDER BY id") for name in tables] == first


def test_a_reference_of_two_columns_is_null_in_both_or_in_none(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, SEATS, count=200)

    found = sqlite_database.rows("SELECT hall IS NULL, number IS NULL, count(*) FROM guests GROUP BY 1, 2 ORDER BY 1")

    assert [(one, other) for one, other, _ in found] == [(0, 0), (1, 1)]


PAGES = """
class Page(Base):
    __tablename__ = "folders"
    __table_args__ = (UniqueConstraint("parent_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("folders.id"))
    name: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(onupdate=sa.func.now())
    version: Mapped[int] = mapped_column(onupdate=99)
"""


def test_what_an_update_would_change_stays_where_a_key_waits_for_its_rows(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, PAGES)

    assert 99 not in column(sqlite_database, "folders", "version")
    assert max(map(str, column(sqlite_database, "folders", "changed_at"))) < "2026-09-02"
    assert len(set(column(sqlite_database, "folders", "parent_id"))) > 10


def test_names_below_a_parent_in_a_tree_do_not_repeat(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, PAGES, count=1000)
    manage.ok("seed", "--count", "2000")

    assert database.count("folders") == 2000


TIMETABLE = """
class Room(Base):
    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)


class Teacher(Base):
    __tablename__ = "teachers"

    id: Mapped[int] = mapped_column(primary_key=True)


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("room_id", "on_day"), UniqueConstraint("teacher_id", "on_day"))

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    teacher_id: Mapped[int] = mapped_column(ForeignKey("teachers.id"))
    on_day: Mapped[date]


class Badge(Base):
    __tablename__ = "badges"
    __table_args__ = (UniqueConstraint("room_id", "code"),)

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    teacher_id: Mapped[int] = mapped_column(ForeignKey("teachers.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(3))
"""


def test_keys_that_share_a_column_are_all_kept(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, TIMETABLE, count=40)
    manage.ok("seed", "lessons", "badges", "--count", "500")
    database.execute("DELETE FROM lessons WHERE id % 3 = 0")
    manage.ok("seed", "lessons", "--add", "200")

    pairs = database.rows("SELECT room_id, teacher_id FROM lessons")
    assert database.count("badges") == 500
    assert database.count("lessons") == 500 - 500 // 3 + 200
    assert len(set(pairs)) > 300, "the same two do not always meet"


def test_keys_that_share_a_column_allow_as_many_as_the_shorter_does(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + TIMETABLE)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)
    manage.ok("seed", "rooms", "--count", "6")
    manage.ok("seed", "teachers", "--count", "4")

    line = manage("seed", "badges", "--count", "25").refusal()
    manage.ok("seed", "badges", "--count", "24")

    assert "the most is 24" in line


COPIES = """
class Copy(Base):
    __tablename__ = "copies"

    barcode: Mapped[str] = mapped_column(String(12), primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Loan(Base):
    __tablename__ = "loans"
    __table_args__ = (ForeignKeyConstraint(["barcode", "item"], ["copies.barcode", "copies.item"]),)

    id: Mapped[int] = mapped_column(primary_key=True)
    barcode: Mapped[str] = mapped_column(String(12), unique=True)
    item: Mapped[int]


class Org(Base):
    __tablename__ = "orgs"

    id: Mapped[int] = mapped_column(primary_key=True)


class Desk(Base):
    __tablename__ = "desks"

    org_id: Mapped[int] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Clerk(Base):
    __tablename__ = "clerks"

    org_id: Mapped[int] = mapped_column(ForeignKey("orgs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Shift(Base):
    __tablename__ = "shifts"
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "desk"], ["desks.org_id", "desks.number"]),
        ForeignKeyConstraint(["org_id", "clerk"], ["clerks.org_id", "clerks.number"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    desk: Mapped[int]
    clerk: Mapped[int]
"""


def test_references_of_two_columns_that_share_one_or_are_unique_in_one(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, COPIES, count=100)

    assert len(set(column(database, "loans", "barcode"))) == 100
    assert database.count("shifts") == 100


ADDRESSES = """
class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("email LIKE '%@%' AND email = lower(email)", name="an_address"),
        CheckConstraint("quiet_from <> quiet_to", name="some_quiet"),
        CheckConstraint("even % 2 = 0", name="is_even"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(60), unique=True)
    quiet_from: Mapped[time]
    quiet_to: Mapped[time]
    even: Mapped[int] = mapped_column(unique=True)
"""


def test_names_give_way_to_checks_and_checks_to_addresses(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, ADDRESSES, count=2000)

    assert all(str(one).endswith("@example.org") for one in column(database, "customers", "email"))


COSTS = """
class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    best_id: Mapped[int | None] = mapped_column(ForeignKey("books.id", use_alter=True, name="fk_best"))


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (
        CheckConstraint("price * price >= 4 * cost * cost", name="worth_it"),
        UniqueConstraint("cost", "price"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    cost: Mapped[int]
    price: Mapped[int]
"""


def test_in_a_circle_too_the_row_is_told_and_the_lines_to_write_work(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + COSTS)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    line = manage("seed", "authors", "books").refusal()
    gap = "@column def price(self, rows): return [... for cost in rows['cost']]"
    assert line.endswith(f"say in project/seeds/books.py what the model of books cannot: {gap}")
    assert ": cost = " in line
    assert " in row " in line
    house.write(
        "project/seeds/books.py",
        "from project.management.seeding import Seeder, column\nfrom project.models.own import Book\n\n\n"
        "class BookSeeder(Seeder):\n    model = Book\n\n    @column\n    "
        + gap.removeprefix("@column ").replace("...", "3 * cost")
        + "\n",
    )
    manage.ok("seed", "authors", "books")
    house.write(
        "project/seeds/books.py",
        "from project.management.seeding import Seeder\nfrom project.models.own import Book\n\n\n"
        "class BookSeeder(Seeder):\n    model = Book\n    price = ...\n",
    )
    assert "BookSeeder.price is Ellipsis, which is no field: the dots stand for" in manage("seed").refusal()


def test_a_list_says_how_many_rows_are_asked_for_and_what_will_be_refused(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    house.write(
        "project/models/own.py",
        IMPORTS
        + """
class Triple(Base):
    __tablename__ = "triples"

    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[dict[str, int]] = mapped_column(sa.JSON, unique=True)
""",
    )

    shown = manage.ok("seed", "triples", "--list", "--count", "7")

    assert shown.out.startswith("triples: 7 rows, by inference")
    assert "It will be refused: triples.a may not repeat" in shown.err


ARCS = """
class Owner(Base):
    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(primary_key=True)


class Thing(Base):
    __tablename__ = "things"
    __table_args__ = (
        CheckConstraint("(a_id IS NULL) <> (b_id IS NULL)", name="one_of_two"),
        CheckConstraint(
            "(CASE WHEN c_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN d_id IS NOT NULL THEN 1 ELSE 0 END) = 1",
            name="arc",
        ),
        CheckConstraint("(state = 'shipped') = (shipped_on IS NOT NULL)", name="shipped_on_a_day"),
        CheckConstraint("(opened IS NULL) = (closed IS NULL)", name="both_or_none"),
        CheckConstraint("size >= 0 AND size < 30 AND NOT (size BETWEEN 10 AND 20)", name="not_the_middle"),
        CheckConstraint("length(code) IN (8, 12)", name="two_lengths"),
        CheckConstraint("upper(gender) IN ('M', 'F')", name="in_capitals"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    a_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    b_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    c_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    d_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    state: Mapped[str] = mapped_column(String(10))
    shipped_on: Mapped[date | None]
    opened: Mapped[int | None]
    closed: Mapped[int | None]
    size: Mapped[int]
    code: Mapped[str | None] = mapped_column(String(20))
    gender: Mapped[str] = mapped_column(String(1))
"""


def test_conditions_on_conditions(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, ARCS, count=200)

    assert set(column(database, "things", "gender")) == {"M", "F"}
    assert any(column(database, "things", "code"))


SIMILAR = """
class Store(Base):
    __tablename__ = "stores"
    __table_args__ = (
        CheckConstraint("code SIMILAR TO 'W[0-9]{3}'", name="three_digits"),
        CheckConstraint("num_nonnulls(street, box) = 1", name="one_place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(4))
    street: Mapped[str | None] = mapped_column(String(40))
    box: Mapped[int | None]


class Line(Base):
    __tablename__ = "lines"
    __table_args__ = (
        ForeignKeyConstraint(["carrier", "number"], ["routes.carrier", "routes.number"]),
        CheckConstraint("partner <> carrier", name="another_one"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner: Mapped[str] = mapped_column(ForeignKey("carriers.code"))
    carrier: Mapped[str] = mapped_column(String(2))
    number: Mapped[int]


class Route(Base):
    __tablename__ = "routes"

    carrier: Mapped[str] = mapped_column(ForeignKey("carriers.code"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Carrier(Base):
    __tablename__ = "carriers"

    code: Mapped[str] = mapped_column(String(2), primary_key=True)
"""


def test_conditions_that_only_postgresql_has_and_a_key_that_another_column_gives_way_to(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, SIMILAR, count=100)

    assert postgresql_database.count("lines") == 100


INVOICES = """
class Invoice(Base):
    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint("gross = net + tax", name="sum_of_two"),
        CheckConstraint("quantity * price = net", name="what_it_costs"),
        CheckConstraint("price > 0 AND quantity BETWEEN 1 AND 20", name="believable"),
        CheckConstraint("played = won + lost + drawn", name="all_played"),
        CheckConstraint("delta = closing - opening", name="difference"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    net: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    tax: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    gross: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    won: Mapped[int] = mapped_column(sa.SmallInteger)
    lost: Mapped[int] = mapped_column(sa.SmallInteger)
    drawn: Mapped[int] = mapped_column(sa.SmallInteger)
    played: Mapped[int]
    opening: Mapped[float | None]
    closing: Mapped[float | None]
    delta: Mapped[float]
"""


def test_sums_differences_and_products_of_a_row(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, INVOICES, count=1000)

    shown = manage.ok("seed", "invoices", "--list").out
    assert re.search(r"gross +net \+ tax +CHECK sum_of_two", shown)
    assert re.search(r"played +\(won \+ lost\) \+ drawn +CHECK all_played", shown)
    assert len(set(column(database, "invoices", "gross"))) > 500


RECORDINGS = r"""
class Recording(Base):
    __tablename__ = "recordings"
    __table_args__ = (
        CheckConstraint(r"isrc ~ E'^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$'", name="an_isrc"),
        CheckConstraint(r"ipi ~ E'^\\d{11}$'", name="eleven_digits"),
        CheckConstraint(r"label LIKE E'\x4c-%' AND length(label) <= 20", name="escaped"),
        CheckConstraint(r"kind IN (E'it\'s', E'live')", name="quoted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    isrc: Mapped[str] = mapped_column(String(12), unique=True)
    ipi: Mapped[str | None] = mapped_column(String(11))
    label: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
"""


def test_strings_with_escapes_are_read_as_postgresql_reads_them(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, RECORDINGS, count=500)

    assert set(column(postgresql_database, "recordings", "kind")) == {"it's", "live"}
    assert len(set(column(postgresql_database, "recordings", "ipi"))) > 100


DOMAINS = """
from sqlalchemy.dialects.postgresql import DOMAIN

Posint = DOMAIN("posint", sa.Integer, check="VALUE > 0")
Percent = DOMAIN("percent", Numeric(5, 2), check="VALUE BETWEEN 0 AND 100", not_null=True)
Code = DOMAIN("code", String(6), check="VALUE ~ '^[A-Z]{2}[0-9]+$'")
Slug = DOMAIN("slug", String(8), check="VALUE = lower(VALUE)")
Short = DOMAIN("short", Slug, check="length(VALUE) BETWEEN 3 AND 5", constraint_name="short_enough")


class Stored(sa.types.TypeDecorator):
    impl = Posint
    cache_ok = True


class Part(Base):
    __tablename__ = "parts"
    __table_args__ = (CheckConstraint("size < 20", name="small"),)

    id: Mapped[int] = mapped_column(Posint, primary_key=True)
    size: Mapped[int] = mapped_column(Posint)
    share: Mapped[Decimal | None] = mapped_column(Percent)
    code: Mapped[str] = mapped_column(Code, unique=True)
    slug: Mapped[str] = mapped_column(Slug, unique=True)
    name: Mapped[str | None] = mapped_column(Short)
    city: Mapped[str] = mapped_column(DOMAIN("place", String(7)))
    stored: Mapped[int] = mapped_column(Stored())
    tags: Mapped[list[str]] = mapped_column(DOMAIN("words", sa.ARRAY(String(9))))
"""


def test_domains_are_filled_by_their_type_and_keep_to_their_check(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, DOMAINS, count=500)

    assert re.search(r"size +1 to 19 +CHECK small, posint", manage.ok("seed", "parts", "--list").out)
    assert set(column(postgresql_database, "parts", "size")) == {*range(1, 20)}
    assert None not in column(postgresql_database, "parts", "share")
    assert None in column(postgresql_database, "parts", "name")


GAPS = """
class Match(Base):
    __tablename__ = "matches"
    __table_args__ = (
        CheckConstraint("home - away < 50", name="not_too_unequal"),
        CheckConstraint("best <= worst + 2.5 AND best > worst", name="close"),
        CheckConstraint("30 >= last - first AND last >= 40", name="a_month"),
        CheckConstraint("abs(up - down) <= 3", name="balanced"),
        CheckConstraint("more >= less + 5 AND more <= 20", name="five_more"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    home: Mapped[int]
    away: Mapped[int]
    worst: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    best: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    last: Mapped[int]
    first: Mapped[int | None]
    up: Mapped[int]
    down: Mapped[int]
    less: Mapped[int]
    more: Mapped[int]
"""


def test_a_column_is_as_far_from_another_as_a_check_lets_it_be(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, GAPS, count=1000)

    assert {more - less for more, less in database.rows("SELECT more, less FROM matches")} == {*range(5, 21)}
    assert 40 < len({home - away for home, away in database.rows("SELECT home, away FROM matches")}) <= 50


SHIFTS = r"""
class Shift(Base):
    __tablename__ = "shifts"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at AND ends_at - starts_at <= interval '8 hours'", name="a_day"),
        CheckConstraint("end_time > start_time", name="in_order"),
        CheckConstraint("end_time <= start_time + INTERVAL '4 hours'", name="four_hours"),
        CheckConstraint('("end" - "start") < interval \'1 day\'', name="less_than_a_day"),
        CheckConstraint("ends_on <= starts_on + 30 AND ends_on > starts_on", name="thirty_days"),
        CheckConstraint("due_on - ends_on >= 3", name="three_days_later"),
        CheckConstraint("arrival > departure + interval '30 minutes'", name="a_while"),
        CheckConstraint("arrival <= departure + '1 mon 2 days 04:05:06'::interval", name="a_month"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    start_time: Mapped[time]
    end_time: Mapped[time]
    start: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    end: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    due_on: Mapped[date | None]
    departure: Mapped[datetime | None]
    arrival: Mapped[datetime]
"""


def test_days_and_moments_are_as_far_apart_as_a_check_lets_them_be(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, SHIFTS, count=1000)

    hours = column(postgresql_database, "shifts", "extract(hour FROM ends_at - starts_at)::int")
    assert {*hours} >= {*range(8)}


PATIENTS = """
class Patient(Base):
    __tablename__ = "patients"
    __table_args__ = (
        CheckConstraint("birth_date >= '1900-01-01'", name="in_memory"),
        CheckConstraint("deceased_at IS NULL OR deceased_at >= birth_date", name="once_born"),
        CheckConstraint("closed_on <= '2026-01-01'", name="by_now"),
        CheckConstraint("closed_on >= seen_at", name="seen_first"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    birth_date: Mapped[date]
    deceased_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    closed_on: Mapped[date | None]
"""


def test_days_and_moments_are_compared(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, PATIENTS, count=200)

    assert database.value("SELECT count(*) FROM patients WHERE deceased_at >= birth_date") > 0
    assert database.value("SELECT count(*) FROM patients WHERE closed_on >= seen_at") > 0


LEAVES = """
class Leave(Base):
    __tablename__ = "leaves"
    __table_args__ = (
        CheckConstraint("DATEDIFF(ends_on, starts_on) <= 30 AND ends_on >= starts_on", name="thirty_days"),
        CheckConstraint("ends_at <= starts_at + INTERVAL 4 HOUR", name="four_hours"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
"""


def test_days_are_as_far_apart_as_mariadb_counts_them(house: House, manage: Runner, mariadb_database: Database) -> None:
    seeded(house, manage, LEAVES, count=1000)

    assert {*column(mariadb_database, "leaves", "DATEDIFF(ends_on, starts_on)")} == {*range(31)}


PARTIES = """
class Party(Base):
    __tablename__ = "parties"
    __table_args__ = (
        CheckConstraint("adults + children BETWEEN 1 AND 6", name="fits_in"),
        CheckConstraint("pct_a + pct_b <= 100", name="no_more_than_all"),
        CheckConstraint("a + b + c = 100 AND c <= 30", name="all_of_it"),
        CheckConstraint("p + q = 1 AND p > 0 AND q > 0", name="certain"),
        CheckConstraint("(debit + credit) > 0 AND debit < 40", name="something"),
        CheckConstraint("0.3 >= x + y + z", name="little"),
        CheckConstraint("COALESCE(won, 0) + COALESCE(lost, 0) = 3", name="three_games"),
        CheckConstraint("left_on + right_on >= 10 AND left_on < right_on AND right_on <= 30", name="enough"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    adults: Mapped[int]
    children: Mapped[int]
    pct_a: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    pct_b: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    a: Mapped[int]
    b: Mapped[int | None]
    c: Mapped[int]
    p: Mapped[Decimal] = mapped_column(Numeric(9, 6))
    q: Mapped[float]
    debit: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    credit: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    won: Mapped[int | None]
    lost: Mapped[int | None]
    x: Mapped[float]
    y: Mapped[float]
    z: Mapped[float]
    left_on: Mapped[int]
    right_on: Mapped[int]
"""


def test_columns_that_amount_to_something_share_the_room_there_is(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, PARTIES, count=1000)

    guests = {*database.rows("SELECT adults, children FROM parties")}
    assert guests == {(adults, children) for adults in (1, 2, 3) for children in (0, 1, 2, 3)}
    assert len({*column(database, "parties", "c")}) > 20
    assert len({*column(database, "parties", "p")}) > 40
    assert re.search(r"c +\(100 - a\) - b +CHECK all_of_it", manage.ok("seed", "parties", "--list").out)


LABELS = """
class Label(Base):
    __tablename__ = "labels"
    __table_args__ = (
        CheckConstraint("code ~ '^[A-Z]{3}$' AND note IS NOT NULL AND checked IS NOT TRUE", name="complete"),
        CheckConstraint("(a::text IS NULL) = (b::text IS NULL)", name="both_or_none"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(3))
    note: Mapped[str | None] = mapped_column(String(40))
    checked: Mapped[bool]
    a: Mapped[int | None]
    b: Mapped[int | None]
"""


def test_what_is_not_null_is_so_beside_what_only_postgresql_has(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, LABELS)

    assert None not in column(postgresql_database, "labels", "note")


PLACES = """
class Meeting(Base):
    __tablename__ = "meetings"
    __table_args__ = (
        CheckConstraint("num_nonnulls(location, url) <= 1", name="one_place"),
        CheckConstraint("num_nonnulls(phone, city, fax) >= 2", name="two_ways"),
        CheckConstraint("num_nulls(one, two, three) > 1", name="most_are_missing"),
        CheckConstraint("(a IS NOT NULL)::int + (b IS NOT NULL)::int < 2", name="not_both"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    location: Mapped[str | None] = mapped_column(String(40))
    url: Mapped[str | None] = mapped_column(String(60))
    phone: Mapped[str | None] = mapped_column(String(20))
    city: Mapped[str | None] = mapped_column(String(20))
    fax: Mapped[str | None] = mapped_column(String(20))
    one: Mapped[int | None]
    two: Mapped[int | None]
    three: Mapped[int | None]
    a: Mapped[int | None]
    b: Mapped[int | None]
"""


def test_at_least_or_at_most_so_many_columns_are_null(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, PLACES, count=200)

    assert len({*column(postgresql_database, "meetings", "location")}) > 50
    assert None in column(postgresql_database, "meetings", "fax")


MOVES = """
class Move(Base):
    __tablename__ = "moves"
    __table_args__ = (
        CheckConstraint("CASE kind WHEN 'in' THEN amount > 0 ELSE amount < 0 END", name="signed"),
        CheckConstraint("CASE WHEN level = 'low' THEN fee = 3 ELSE FALSE END", name="fee"),
        CheckConstraint("kind IN ('in', 'out')", name="kinds"),
        CheckConstraint("CASE WHEN price IS NULL THEN TRUE ELSE price >= 7 AND price <= 9 END", name="dear"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(5))
    amount: Mapped[int]
    level: Mapped[str] = mapped_column(String(5))
    fee: Mapped[int]
    price: Mapped[int | None]
"""


def test_what_a_case_asks_for_is_kept(house: House, manage: Runner, database: Database) -> None:
    seeded(house, manage, MOVES, count=200)

    assert {*column(database, "moves", "kind")} == {"in", "out"}
    assert {*column(database, "moves", "price")} == {7, 8, 9}


STAFF = """
class Clerk(Base):
    __tablename__ = "clerks"
    __table_args__ = (
        CheckConstraint("joined_on <= CURRENT_DATE - INTERVAL '18' YEAR", name="grown_up"),
        CheckConstraint("seen_at < CURRENT_TIMESTAMP - INTERVAL '90' DAY", name="a_while_ago"),
        CheckConstraint("valid_until > CURRENT_DATE + INTERVAL '1' MONTH", name="for_a_month"),
        CheckConstraint("left_at <= now() - interval '2 hours'", name="not_now"),
        CheckConstraint("age(first) >= interval '16 years'", name="of_age"),
        CheckConstraint("age(CURRENT_DATE, last) > interval '90 years'", name="old"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    joined_on: Mapped[date]
    seen_at: Mapped[datetime | None]
    left_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    first: Mapped[date]
    last: Mapped[date]
    valid_until: Mapped[date]
"""


@pytest.mark.parametrize("years", ["INTERVAL '18' YEAR", "interval '18 years'", "'18 years 2 mons'::interval", "6574"])
def test_days_are_some_time_before_or_after_the_day_on_which_a_row_is_stored(
    house: House, manage: Runner, postgresql_database: Database, years: str
) -> None:
    seeded(house, manage, STAFF.replace("INTERVAL '18' YEAR", years))

    shown = manage.ok("seed", "clerks", "--list").out
    assert re.search(r"joined_on +200\d-\d\d-\d\d to 2007-\d\d-\d\d +CHECK grown_up", shown)


DOCUMENTS = """
class Document(Base):
    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint("json_type(tags) = 'array'", name="a_list"),
        CheckConstraint("json_type(meta) IN ('object', 'array')", name="an_object"),
        CheckConstraint("json_type(other) <> 'array'", name="no_list"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list[object]] = mapped_column(sa.JSON)
    meta: Mapped[dict[str, object] | None] = mapped_column(sa.JSON(none_as_null=True))
    other: Mapped[dict[str, object]] = mapped_column(sa.JSON)
"""


def test_a_document_is_a_list_where_a_check_asks_for_one(house: House, manage: Runner, database: Database) -> None:
    models = DOCUMENTS.replace("json_type(", "json_typeof(") if database.kind == "postgresql" else DOCUMENTS

    seeded(house, manage, models)

    assert re.search(
        r"tags +lists of new, sale, popular ... +CHECK a_list", manage.ok("seed", "documents", "--list").out
    )


def test_a_binary_document_is_a_list_too(house: House, manage: Runner, postgresql_database: Database) -> None:
    models = DOCUMENTS.replace("json_type(", "jsonb_typeof(").replace("sa.JSON", "sa.dialects.postgresql.JSONB")

    seeded(house, manage, "import sqlalchemy.dialects.postgresql\n" + models)

    assert {*column(postgresql_database, "documents", "jsonb_typeof(tags)")} == {"array"}


DUTIES = """
class Pair(Base):
    __tablename__ = "pairs"
    __table_args__ = (CheckConstraint("red > blue OR blue > red", name="in_any_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    red: Mapped[int]
    blue: Mapped[int]


class Shift(Base):
    __tablename__ = "shifts"
    __table_args__ = (
        CheckConstraint("year(born_on) >= 1900 AND year(born_on) < 1950", name="old"),
        CheckConstraint("month(born_on) IN (1, 2, 3)", name="in_winter"),
        CheckConstraint("day(bills_on) = 1 AND day(paid_on) = 15 AND paid_on > bills_on", name="twice_a_month"),
        CheckConstraint("hour(starts_at) IN (8, 9, 14) AND dow(starts_at) NOT IN (0, 6)", name="while_open"),
        CheckConstraint("hour(opens) < 12", name="before_noon"),
        CheckConstraint("total = round(quantity * price, 2)", name="rounded"),
        CheckConstraint("tax = round(net * 0.19, 2) AND fee = round(net * price)", name="rounded_too"),
        CheckConstraint("shown <= found + missed AND shown > 0", name="at_most_both"),
        CheckConstraint("sold + reserved <= stock AND stock <= 500", name="no_more_than_there_is"),
        CheckConstraint("used < granted - held", name="there_is_a_rest"),
        CheckConstraint("amount - rebate <= credit", name="credit_is_enough"),
        CheckConstraint("level IN (base, base + 1)", name="one_step"),
        CheckConstraint("greatest(low, middle) <= high AND least(middle, high) > 5", name="in_order"),
        CheckConstraint("greatest(one, other) > 900", name="one_is_large"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    born_on: Mapped[date]
    bills_on: Mapped[date] = mapped_column(unique=True)
    paid_on: Mapped[date]
    starts_at: Mapped[datetime]
    opens: Mapped[time | None]
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    net: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    tax: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    fee: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    rebate: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    credit: Mapped[Decimal] = mapped_column(Numeric(12, 2))
"""
NUMBERS = """
    shown found missed sold reserved stock used granted held base level low middle high one other
"""


def _spelled_for(kind: str, models: str) -> str:
    """Return models whose CHECKs take parts of days as this database does."""
    if kind == "mariadb":
        return models.replace("dow(starts_at) NOT IN (0, 6)", "weekday(starts_at) < 5")
    if kind == "postgresql":
        return re.sub(r"\b(year|month|day|hour|dow)\(", r"extract(\1 from ", models)
    of = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "dow": "%w"}
    taken = re.sub(
        r"\b(year|month|day|hour|dow)\((\w+)\)",
        lambda one: f"CAST(strftime('{of[one[1]]}', {one[2]}) AS INTEGER)",
        models,
    )
    return taken.replace("greatest(", "max(").replace("least(", "min(")


def test_parts_of_days_rounded_products_and_sums_of_columns_are_kept_to(
    house: House, manage: Runner, database: Database
) -> None:
    numbers = "".join(f"    {name}: Mapped[int]\n" for name in NUMBERS.split())

    seeded(house, manage, _spelled_for(database.kind, DUTIES) + numbers, count=1000)

    assert len(set(column(database, "shifts", "born_on"))) > 500
    assert len(set(column(database, "shifts", "starts_at"))) > 500
    assert database.value("SELECT count(*) FROM shifts WHERE level > base") not in (0, 1000)
    shown = manage.ok("seed", "shifts", "--list").out
    assert re.search(r"shown +at most found \+ missed +CHECK at_most_both", shown)
    assert re.search(r"tax +round\(net \* 0.19, 2\) +CHECK rounded_too", shown)


PERIODS = """
class Period(Base):
    __tablename__ = "periods"
    __table_args__ = (
        CheckConstraint("date_trunc('month', starts_on) = starts_on AND ends_on > starts_on", name="of_months"),
        CheckConstraint("ends_on = date_trunc('month', ends_on)::date", name="whole_months"),
        CheckConstraint("date_trunc('hour', made_at) = made_at AND date_part('isodow', made_at) <= 5", name="at_work"),
        CheckConstraint("tags <@ ARRAY['new', 'sale']", name="known_tags"),
        CheckConstraint("ARRAY[1, 2]::bigint[] @> sizes", name="known_sizes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    made_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    tags: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text))
    sizes: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
"""


def test_days_that_begin_a_month_and_lists_of_what_is_known(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    seeded(house, manage, PERIODS, count=1000)

    assert len(set(column(postgresql_database, "periods", "starts_on"))) == 13
    assert {one for tags in column(postgresql_database, "periods", "tags") for one in tags} == {"new", "sale"}  # type: ignore[attr-defined]  # lists


CLUBS = """
class Club(Base):
    __tablename__ = "clubs"
    __table_args__ = (
        CheckConstraint("home LIKE '#______'", name="home_is_a_colour"),
        CheckConstraint("away LIKE '#______'", name="away_is_a_colour"),
        CheckConstraint("home <> away", name="to_be_told_apart"),
        CheckConstraint("merged_into IS NULL OR merged_into <> code", name="into_another"),
    )

    code: Mapped[str] = mapped_column(String(10), primary_key=True)
    home: Mapped[str] = mapped_column(String(7))
    away: Mapped[str] = mapped_column(String(7))
    both: Mapped[str] = mapped_column(String(14), sa.Computed("home || away", persisted=True))
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("clubs.code"))
"""


def test_what_the_database_computes_is_left_alone_when_a_row_is_changed_later(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    seeded(house, manage, CLUBS)

    assert sqlite_database.value("SELECT count(*) FROM clubs WHERE merged_into IS NOT NULL")
    assert not sqlite_database.value("SELECT count(*) FROM clubs WHERE both <> home || away")


KEPT = """
class Place(Base):
    __tablename__ = "places"
    __table_args__ = (
        CheckConstraint("(lat IS NULL AND lng IS NULL) OR (lat IS NOT NULL AND lng IS NOT NULL)", name="both_or_none"),
        CheckConstraint("number >= level * 100 AND number < (level + 1) * 100 AND level BETWEEN 0 AND 9", name="floor"),
        CheckConstraint("share = round(part / whole, 2) AND whole > 0 AND part > 0 AND part <= whole", name="share"),
        CheckConstraint("seats_left = capacity - taken AND seats_left >= 0 AND taken >= 0", name="seats"),
        CheckConstraint("minutes % 15 = 0 AND minutes BETWEEN 15 AND 480", name="quarters"),
        CheckConstraint("year % 4 = 0 OR NOT leap", name="leap_year"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lat: Mapped[Decimal | None] = mapped_column(Numeric(8, 5))
    lng: Mapped[Decimal | None] = mapped_column(Numeric(8, 5))
    level: Mapped[int]
    number: Mapped[int]
    part: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    whole: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    share: Mapped[Decimal] = mapped_column(Numeric(4, 2))
    capacity: Mapped[int] = mapped_column(CheckConstraint("capacity BETWEEN 5 AND 120"))
    taken: Mapped[int]
    seats_left: Mapped[int]
    minutes: Mapped[int]
    year: Mapped[int]
    leap: Mapped[bool]


class Entry(Base):
    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint("status = 'moving' OR home_id = place_id", name="at_home"),
        CheckConstraint("status IN ('moving', 'there', 'lost')", name="status"),
        CheckConstraint("(debit = 0 OR credit = 0) AND debit + credit > 0 AND debit >= 0 AND credit >= 0", name="side"),
        CheckConstraint("total = quantity * price - discount AND total >= 0 AND discount >= 0", name="total"),
        CheckConstraint("closed = (closed_at IS NOT NULL) AND (NOT closed OR closed_by IS NOT NULL)", name="closed"),
        CheckConstraint("(reason IS NULL) = (status <> 'lost')", name="why_lost"),
        CheckConstraint("coalesce(a, 0) + coalesce(b, 0) > 0 AND abs(c) <= abs(d)", name="some"),
        CheckConstraint("CASE WHEN lent_on IS NULL THEN due_on IS NULL ELSE due_on > lent_on END", name="due_later"),
        CheckConstraint("played = won + drawn + lost AND won >= 0 AND drawn >= 0 AND lost >= 0"),
        CheckConstraint("played <= round_number AND round_number BETWEEN 1 AND 46"),
    )

    name: Mapped[str] = mapped_column(
        String(30), CheckConstraint("name = lower(name) AND name NOT LIKE '% %'"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(3), CheckConstraint("code = upper(code) AND length(code) = 3"))
    status: Mapped[str] = mapped_column(String(10))
    home_id: Mapped[int] = mapped_column(ForeignKey("places.id"))
    place_id: Mapped[int] = mapped_column(ForeignKey("places.id"))
    debit: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    credit: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    quantity: Mapped[int] = mapped_column(CheckConstraint("quantity > 0"))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    discount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    closed: Mapped[bool]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(80))
    a: Mapped[int | None]
    b: Mapped[int | None]
    c: Mapped[int]
    d: Mapped[int]
    lent_on: Mapped[date | None]
    due_on: Mapped[date | None]
    round_number: Mapped[int]
    played: Mapped[int]
    won: Mapped[int]
    drawn: Mapped[int]
    lost: Mapped[int]
"""
ON_POSTGRESQL = """
class Day(Base):
    __tablename__ = "days"
    __table_args__ = (
        CheckConstraint("iso_dow = extract(isodow from day) AND month = date_trunc('month', day)::date"),
        CheckConstraint("due = day + 14 AND bucket <@ int4range(10, 20)"),
        CheckConstraint("duration BETWEEN interval '15 minutes' AND interval '8 hours'"),
        CheckConstraint("low <= ALL (ARRAY[a, b]) AND num_nonnulls(a, b, c) = 1"),
        CheckConstraint("extract(epoch from (ends - starts)) >= 3600 AND age(ends, starts) < interval '2 days'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    due: Mapped[date]
    month: Mapped[date]
    iso_dow: Mapped[int]
    bucket: Mapped[int]
    duration: Mapped[timedelta]
    low: Mapped[int]
    a: Mapped[int | None]
    b: Mapped[int | None]
    c: Mapped[int | None]
    starts: Mapped[datetime]
    ends: Mapped[datetime]


class Odd(Base):
    __tablename__ = "odds"

    id: Mapped[int] = mapped_column(primary_key=True)
    closed: Mapped[int]
    size: Mapped[int] = mapped_column(CheckConstraint("size * size = 2 AND size::text <> 'closed'"))
"""


def test_rows_that_no_column_could_make_alone_keep_to_their_checks_and_differ(
    house: House, manage: Runner, database: Database
) -> None:
    seeded(house, manage, KEPT, count=200)

    for table, condition in (
        ("places", "lat IS NULL"),
        ("places", "leap"),
        ("entries", "home_id = place_id"),
        ("entries", "debit = 0"),
        ("entries", "closed"),
        ("entries", "status = 'lost'"),
        ("entries", "lent_on IS NULL"),
    ):
        assert 20 < database.count(f"{table} WHERE {condition}") < 180, condition
    for table, name in (
        ("places", "share"),
        ("places", "seats_left"),
        ("entries", "total"),
        ("entries", "round_number"),
    ):
        assert len(set(column(database, table, name))) > 20, name


def test_rows_keep_to_what_only_postgresql_computes_and_a_check_without_a_name_is_told(
    house: House, manage: Runner, postgresql_database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + ON_POSTGRESQL)
    manage.ok("migrate")
    manage.ok("shell", "-c", MAKE)

    manage.ok("seed", "days", "--count", "200")
    line = manage("seed", "odds").refusal()

    assert len(set(column(postgresql_database, "days", "iso_dow"))) == 7
    assert "in row 1: size = " in line
    assert "size = between(..., ...)" in line


NARROW = """
class Status(Base):
    __tablename__ = "statuses"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)


class Job(Base):
    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(9), ForeignKey("statuses.name"))


class Version(Base):
    __tablename__ = "alembic_version"

    version_num: Mapped[str] = mapped_column(String(32), primary_key=True)
"""


def test_a_parents_text_is_no_longer_than_what_refers_to_it(
    house: House, manage: Runner, server_database: Database
) -> None:
    seeded(house, manage, NARROW)

    assert {len(str(one)) for one in column(server_database, "jobs", "status")} <= {*range(10)}


def test_a_model_of_the_bookkeeping_is_no_table_to_seed(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    made(house, manage, NARROW)
    before = column(sqlite_database, "alembic_version", "version_num")

    assert "alembic_version" not in manage.ok("seed", "--list").out
    assert "alembic_version" not in manage.ok("seed").out
    refused = manage("seed", "alembic_version", "--add", "10")

    assert refused.code == 1
    assert refused.err.startswith("manage.py: no table 'alembic_version' to seed. There are: enrollments, jobs, ")
    assert column(sqlite_database, "alembic_version", "version_num") == before
