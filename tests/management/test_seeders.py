"""What a seeder is written with, and what is said about a wrong one; on models of the tests' own."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from tests.databases import Database
from tests.houses import House, Runner

MODELS = '''"""Boxes, and things in them."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Box(Base):
    __tablename__ = "boxes"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(String(30))


class Thing(Base):
    __tablename__ = "things"
    __table_args__ = (
        CheckConstraint("size BETWEEN 1 AND 6", name="size_between_1_and_6"),
        CheckConstraint("kind IN ('a', 'b')", name="kind_a_or_b"),
        CheckConstraint("born >= '2020-01-01'", name="born_after_2020"),
        UniqueConstraint("shelf", "place", name="one_place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(5), unique=True)
    size: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(String(40))
    born: Mapped[date]
    seen: Mapped[datetime]
    price: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    weight: Mapped[float | None]
    shelf: Mapped[int]
    place: Mapped[int]
    box_id: Mapped[int | None] = mapped_column(ForeignKey("boxes.id"))
'''
IMPORTS = '''"""Seeders of a test."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from project.management.fields import between, choice, constant, fake, maybe, numbered, pairs, reference
from project.management.seeding import Rows, Seeder, column, each
from project.models.thing import Box, Thing

'''
SEEDER = "class ThingSeeder(Seeder):\n    model = Thing\n"


class Seeds:
    """Writes seeders for the things of a house."""

    def __init__(self, house: House) -> None:
        self._house = house
        house.write("project/models/thing.py", MODELS)

    def write(self, *body: str) -> None:
        """Write ThingSeeder with these lines in it."""
        lines = [line for text in body for line in (*text.splitlines(), "")]
        self.write_file("things", SEEDER + "\n".join(f"    {line}" if line else "" for line in lines) + "\n")

    def write_file(self, name: str, text: str) -> None:
        """Write a file of seeders, with everything imported."""
        self._house.write(f"project/seeds/{name}.py", f"{IMPORTS}\n{text}")


@pytest.fixture
def seeds(house: House) -> Seeds:
    return Seeds(house)


@pytest.fixture
def things(seeds: Seeds, manage: Runner, sqlite_database: Database) -> Database:
    """A database with ten boxes and no things."""
    return make_tables(manage, sqlite_database)


def make_tables(manage: Runner, database: Database) -> Database:
    manage.ok("migrate")
    manage.ok("shell", "-c", "project.metadata.create_all(session.connection()); session.commit()")
    manage.ok("seed", "boxes", "--count", "10")
    return database


def values(database: Database, columns: str) -> list[Any]:
    """Return a column, or rows of several, in the order the things were made."""
    rows = database.rows(f"SELECT {columns} FROM things ORDER BY id")
    return rows if "," in columns else [row[0] for row in rows]


# Fields


def test_every_field_fills_its_column_on_every_database(seeds: Seeds, manage: Runner, database: Database) -> None:
    make_tables(manage, database)
    seeds.write(
        'code = numbered("S{:04}")',
        "size = between(2, 4)",
        'kind = choice({"a": 9, "b": 1})',
        'note = maybe(fake("job"), share=0.5)',
        "born = between(date(2020, 2, 1), date(2020, 3, 1))",
        "seen = constant(datetime(2021, 2, 3, 4, 5, 6))",
        'price = choice(Decimal("1.25"), Decimal("999.99"))',
        "shelf = choice(range(20))",
        "place = choice(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)",
        "box_id = reference(Box)",
    )

    manage.ok("seed", "things", "--count", "300")

    assert values(database, "code") == [f"S{number:04}" for number in range(1, 301)]
    assert set(values(database, "size")) == {2, 3, 4}
    assert Counter(values(database, "kind"))["a"] > 230
    assert 90 < values(database, "note").count(None) < 210
    born = {str(value) for value in values(database, "born")}
    assert {"2020-02-01", "2020-03-01"} <= born <= {str(date(2020, 2, 1) + timedelta(days=day)) for day in range(30)}
    assert {str(value)[:19] for value in values(database, "seen")} == {"2021-02-03 04:05:06"}
    assert {f"{value:.2f}" for value in values(database, "price")} == {"1.25", "999.99"}
    assert len(set(values(database, "shelf, place"))) == 300  # each combination once, though nothing was said of it
    boxes = {row[0] for row in database.rows("SELECT id FROM boxes")}
    assert set(values(database, "box_id")) == boxes
    assert len(boxes) == 10


def test_choices_come_as_often_as_their_weights_say(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write('kind = choice({"a": 3, "b": 1})', "size = choice(1, 2, 3, 6)", "place = numbered()")

    manage.ok("seed", "things", "--count", "10000")

    assert abs(Counter(values(things, "kind"))["a"] - 7500) < 200  # 4.6 standard deviations
    assert all(abs(times - 2500) < 200 for times in Counter(values(things, "size")).values())
    assert set(values(things, "size")) == {1, 2, 3, 6}


def test_a_choice_may_be_given_as_a_list(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write("size = choice([2, 5])", 'kind = choice("b")')

    manage.ok("seed", "things", "--count", "50")

    assert set(values(things, "size")) == {2, 5}
    assert set(values(things, "kind")) == {"b"}


def test_between_reaches_both_ends(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write(
        "size = between(1, 6)",
        "born = between(date(2024, 2, 28), date(2024, 3, 1))",
        "seen = between(datetime(2024, 1, 1, 0, 0, 0), datetime(2024, 1, 1, 0, 0, 2))",
        "place = between(-1, -1)",
    )

    manage.ok("seed", "things", "--count", "200")

    assert set(values(things, "size")) == {1, 2, 3, 4, 5, 6}
    assert set(values(things, "born")) == {"2024-02-28", "2024-02-29", "2024-03-01"}
    assert {value[:19] for value in values(things, "seen")} == {f"2024-01-01 00:00:0{second}" for second in (0, 1, 2)}
    assert set(values(things, "place")) == {-1}


def test_numbered_counts_from_where_it_is_told(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write('code = numbered("{}-", start=7)', "place = numbered(start=1000)", 'note = numbered("No {:03d}!")')

    manage.ok("seed", "things", "--count", "3")
    manage.ok("seed", "things", "--add", "1")

    assert values(things, "code") == ["7-", "8-", "9-", "10-"]
    assert values(things, "place") == [1000, 1001, 1002, 1003]
    assert values(things, "note") == ["No 001!", "No 002!", "No 003!", "No 004!"]


def test_numbered_holds_as_many_rows_as_its_column_has_digits_for(
    seeds: Seeds, manage: Runner, things: Database
) -> None:
    seeds.write('code = numbered("ABC{:02}")')

    line = manage("seed", "things", "--count", "100").refusal()
    manage.ok("seed", "things", "--count", "99")

    assert line == "things cannot hold --count 100: its keys allow no more — the most is 99"
    assert values(things, "code")[-1] == "ABC99"


@pytest.mark.parametrize(("share", "low", "high"), [(0, 0, 0), (0.25, 850, 1150), (1, 4000, 4000)])
def test_maybe_is_null_for_its_share(
    seeds: Seeds, manage: Runner, things: Database, share: float, low: int, high: int
) -> None:
    seeds.write(f'note = maybe(constant("x"), share={share})', "place = numbered()")

    manage.ok("seed", "things", "--count", "4000")

    notes = values(things, "note")
    assert low <= notes.count(None) <= high  # within 5 standard deviations
    assert set(notes) - {None} <= {"x"}


def test_fakes_come_from_faker_and_are_cut_to_the_column(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write('note = fake("paragraph", nb_sentences=9)')

    manage.ok("seed", "things", "--count", "500")

    notes = values(things, "note")
    assert max(map(len, notes)) == 40
    assert not any(note != note.strip() for note in notes)
    assert len(set(notes)) > 300


def test_a_reference_draws_from_the_rows_that_are_there(seeds: Seeds, manage: Runner, things: Database) -> None:
    things.execute("DELETE FROM boxes WHERE id IN (2, 3, 5, 9)")
    seeds.write("box_id = reference(Box)")

    manage.ok("seed", "things", "--count", "100")
    things.execute("DELETE FROM things", "DELETE FROM boxes")
    line = manage("seed", "things").refusal()

    assert line == "things refers to boxes, which has no rows — seed boxes first"


def test_a_reference_draws_every_row_about_as_often(seeds: Seeds, manage: Runner, things: Database) -> None:
    things.execute("DELETE FROM boxes WHERE id IN (2, 3, 5, 9, 10)")
    seeds.write("box_id = reference(Box)")

    manage.ok("seed", "things", "--count", "5000")

    drawn = Counter(values(things, "box_id"))
    assert set(drawn) == {1, 4, 6, 7, 8}
    assert all(abs(times - 1000) < 150 for times in drawn.values())


def test_a_key_of_listed_values_is_numbered_through(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write("shelf = choice(1, 2, 3)", "place = between(5, 8)")

    line = manage("seed", "things", "--count", "13").refusal()
    manage.ok("seed", "things", "--count", "5")
    manage.ok("seed", "things", "--count", "12")

    assert line.endswith("the most is 12")
    assert sorted(values(things, "shelf, place")) == [(shelf, place) for shelf in (1, 2, 3) for place in (5, 6, 7, 8)]


# Methods


def test_a_column_is_made_from_other_columns_and_its_own_randomness(
    seeds: Seeds, manage: Runner, things: Database
) -> None:
    seeds.write(
        "@column\n"
        "def born(self, rows: Rows) -> list[date]:\n"
        '    return [day + timedelta(days=more) for day, more in zip(rows["seen"], rows.integers(1, 5), strict=True)]',
        "seen = between(date(2024, 1, 1), date(2024, 12, 31))",
        "@column\n"
        "def size(self, rows: Rows) -> list[int]:\n"
        "    assert len(rows) == len(rows.numbers) == 10_000\n"
        '    return [1 if kind == "a" else 2 for kind in rows["kind"]]',
        '@column\ndef kind(self, rows: Rows) -> list[str]:\n    return rows.choices(["a", "b"])',
        "@column\ndef shelf(self, rows: Rows) -> range:\n    return rows.numbers",
        "@column\n"
        "def note(self, rows: Rows) -> list[str]:\n"
        '    return [f"{rows.today} {rows.random.random() < 1}" for _ in rows.numbers]',
    )

    manage.ok("seed", "things", "--count", "200")

    assert set(values(things, "kind, size")) == {("a", 1), ("b", 2)}
    assert values(things, "shelf") == list(range(200))
    assert set(values(things, "note")) == {"2026-09-01 True"}
    later = {date.fromisoformat(born) - date.fromisoformat(seen[:10]) for born, seen in values(things, "born, seen")}
    assert later == {timedelta(days=more) for more in (1, 2, 3, 4, 5)}


def test_an_each_method_gets_one_row_and_a_faker_of_the_locale(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write(
        "@each\n"
        "def note(self, row, fake) -> str:\n"
        "    return f\"{fake.random_int(1, 1000)} {fake.first_name()} {row['code']}\"",
        'code = numbered("C{:03}")',
    )

    manage.ok("seed", "things", "--count", "100", "--locale", "el_GR")

    notes = [note.split(" ") for note in values(things, "note")]
    assert [code for *_, code in notes] == values(things, "code")
    assert len({number for number, *_ in notes}) > 70
    assert not any(name.isascii() for _, name, _ in notes)


@pytest.mark.parametrize("border", [0, 10_000])
def test_row_i_is_the_same_whatever_the_batch(seeds: Seeds, manage: Runner, things: Database, border: int) -> None:
    seeds.write(
        "@each\ndef note(self, row, fake):\n    return f\"{fake.name()} {row['size']}\"[:40]",
        "@column\ndef size(self, rows):\n    return rows.integers(1, 6)",
        "@column\ndef kind(self, rows):\n    return [rows.random.choice('ab') for _ in range(len(rows))]",
        "born = maybe(between(date(2021, 1, 1), date(2022, 1, 1)), share=0)",
        "price = choice(Decimal(1), Decimal(2))",
        "place = between(1, 500)",
    )
    columns = "code, size, kind, note, born, seen, price, shelf, place, box_id"
    for count in (border + 1, border + 7, border + 20):
        manage.ok("seed", "things", "--count", str(count))
    in_batches = values(things, columns)

    manage.ok("seed", "things", "--fresh", "--no-input", "--count", str(border + 33))

    assert values(things, columns)[: border + 20] == in_batches


def test_columns_of_one_kind_do_not_get_the_same_values(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write("size = between(1, 6)", "shelf = numbered()", "place = between(1, 6)")

    manage.ok("seed", "things", "--count", "60")

    assert values(things, "size") != values(things, "place")


def test_a_seeder_says_how_many_rows_and_what_counts_as_today(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write("count = 17", "today = date(2031, 2, 3)")

    result = manage.ok("seed", "things")

    assert "17 rows" in result.out
    assert all("2030-02-03" <= seen < "2031-02-03" for seen in values(things, "seen"))


def test_seeders_may_share_a_base_of_the_projects_own(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write_file("_common", "class Common(Seeder):\n    count = 3\n    label = constant('shared')\n")
    seeds.write_file(
        "boxes", "from project.seeds._common import Common\n\n\nclass BoxSeeder(Common):\n    model = Box\n"
    )

    manage.ok("seed", "boxes", "--fresh", "--no-input")

    assert things.rows("SELECT label FROM boxes") == [("shared",)] * 3


def test_list_names_the_seeders_own_fields_and_methods(seeds: Seeds, manage: Runner) -> None:
    seeds.write(
        "count = 1234",
        'note = maybe(fake("job"), share=0.25)',
        "size = between(2, 4)",
        'kind = choice({"a": 9, "b": 1})',
        "box_id = reference(Box)",
        "@column\ndef born(self, rows):\n    return []",
        "@each\ndef price(self, row, fake):\n    return 1",
    )

    lines = manage.ok("seed", "things", "--list").out.splitlines()

    assert lines[0] == "things: 1,234 rows, project/seeds/things.py"
    assert [re.split("  +", line.strip()) for line in lines[1:]] == [
        ["id", "the database", "identity"],
        ["code", "like J9311, each once", "the column is called code, UNIQUE uq_things_code"],
        ["size", "2 to 4", "ThingSeeder.size"],
        ["kind", "one of a, b", "ThingSeeder.kind"],
        ["note", "Faker job, 25% NULL", "ThingSeeder.note"],
        ["born", "the seeder", "ThingSeeder.born"],
        ["seen", "the last year", "DateTime column"],
        ["price", "the seeder, row by row", "ThingSeeder.price"],
        ["weight", "1 to 200, 20% NULL", "the column is called weight, nullable"],
        ["shelf", "0 to 1000, each combination with place once", "Integer column, UNIQUE one_place"],
        ["place", "0 to 1000, each combination with shelf once", "Integer column, UNIQUE one_place"],
        ["box_id", "a row of boxes", "ThingSeeder.box_id"],
    ]


# What could break a constraint


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("size = between(0, 6)", ["things.size can be 0", "CHECK size_between_1_and_6"]),
        ("size = between(1, 7)", ["things.size can be 7", "CHECK size_between_1_and_6"]),
        ("size = choice(1, 2, 9)", ["things.size can be 9", "CHECK size_between_1_and_6"]),
        ("size = choice({1: 100, 9: 1})", ["things.size can be 9", "CHECK size_between_1_and_6"]),
        ("size = constant(0)", ["things.size can be 0", "CHECK size_between_1_and_6"]),
        ('kind = choice("a", "c")', ["things.kind can be 'c'", "CHECK kind_a_or_b"]),
        ('kind = constant("A")', ["things.kind can be 'A'", "CHECK kind_a_or_b"]),
        (
            'note = maybe(constant("x" * 41))',
            ["things.note can be 'xxx", "is 41 characters long"],
        ),
        ("born = between(date(2019, 12, 31), date(2021, 1, 1))", ["things.born can be", "CHECK born_after_2020"]),
        ("size = maybe(between(1, 6))", ["things.size can be NULL", "NOT NULL"]),
        ("size = constant(None)", ["things.size can be NULL", "NOT NULL"]),
        ("size = maybe(between(0, 6), share=0)", ["things.size can be 0", "CHECK size_between_1_and_6"]),
        (
            'code = choice("abc", "abcdef")',
            ["things.code can be 'abcdef' as declared, which is 6 characters long and the column holds 5"],
        ),
        (
            'code = numbered("S{:06}")',
            ["things.code can be 'S000001' as declared, which is 7 characters long and the column holds 5"],
        ),
        ('code = fake("word")', ["things.code may not repeat (UNIQUE uq_things_code)"]),
        (
            'shelf = fake("random_int"); place = fake("random_int")',
            ["things.shelf, place may not repeat (UNIQUE one_place)"],
        ),
        ('weight = constant("much")', ["things.weight can be 'much' as declared, which is no value of Double"]),
        ("colour = constant(1)", ["things has no column 'colour'"]),
        ("siz = between(1, 6)", ["things has no column 'siz'. Did you mean 'size'"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_that_could_break_a_constraint_is_refused_before_any_row_is_made(
    seeds: Seeds, manage: Runner, sqlite_database: Database, declared: str, told: list[str]
) -> None:
    seeds.write(declared)

    line = manage("seed", "things").refusal()

    assert all(words in line for words in told)
    assert line.endswith(" — correct ThingSeeder")
    assert not sqlite_database.all_tables()  # the database was not even asked for


def test_a_method_for_a_column_that_is_not_there_is_refused(seeds: Seeds, manage: Runner, things: Database) -> None:
    for mark in ("@column\ndef sise(self, rows):\n    return []", "@each\ndef sise(self, row, fake):\n    return 1"):
        seeds.write(mark)

        assert "things has no column 'sise'. Did you mean 'size'" in manage("seed", "things").refusal()
    assert things.count("things") == 0


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("size = between(6, 1)", "between(6, 1)"),
        ("size = maybe(between(1, 6), share=2)", "a share is from 0 to 1"),
        ("note = fake()", "provider"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused_with_its_file(
    seeds: Seeds, manage: Runner, sqlite_database: Database, declared: str, told: str
) -> None:
    seeds.write(declared)

    line = manage("seed", "things").refusal()

    assert line.startswith("project/seeds/things.py cannot be imported: ")
    assert told in line


def test_an_unknown_provider_is_refused_with_close_ones(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write('note = fake("jop")')

    line = manage("seed", "things").refusal()

    assert line.startswith("Faker has no provider 'jop' for things.note. Did you mean 'job'")


def test_check_reports_every_wrong_seeder(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write("size = between(0, 7)", "siz = constant(1)", "born = constant(None)")

    result = manage("check").expect(1)

    assert result.out.count("seeders.E002") == 3
    for words in ("size_between_1_and_6", "no column 'siz'", "things.born can be NULL", "correct ThingSeeder"):
        assert words in result.out


# What goes wrong inside


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "@column\ndef size(self, rows):\n    raise ValueError('no size')",
            ["things.size", "ValueError: no size", "things.py, line"],
        ),
        ("@column\ndef size(self):\n    return []", ["things.size", "TypeError"]),
        (
            "@each\ndef note(self, row, fake):\n    return {}['a key']",
            ["things.note", "KeyError: 'a key'", "things.py, line"],
        ),
        ("@each\ndef note(self, row, fake):\n    return fake.nothing()", ["things.note", "nothing", "things.py, line"]),
        (
            "@column\ndef size(self, rows):\n    return [1, 2, 3]",
            ["returned 3 values for size, not 10,000", "[... for row in range(len(rows))]"],
        ),
        ("@column\ndef size(self, rows):\n    return [1] * 10_001", ["returned 10,001 values for size, not 10,000"]),
        ("@column\ndef size(self, rows):\n    return []", ["returned 0 values for size, not 10,000"]),
        (
            "@column\ndef size(self, rows):\n    return rows['id']",
            ["things.size asks for rows['id'], and things.id is left to the database"],
        ),
        (
            "@column\ndef size(self, rows):\n    return rows['plaice']",
            ["things.size asks for rows['plaice'], and things has no such column. Did you mean 'place'"],
        ),
        (
            "@column\ndef code(self, rows):\n    return rows['note']\n\n"
            "@each\ndef note(self, row, fake):\n    return row['sise']",
            ["things.note asks for rows['sise'], and things has no such column. Did you mean 'size'?"],
        ),
        (
            "@column\ndef size(self, rows):\n    return rows['place']\n\n"
            "@column\ndef place(self, rows):\n    return rows['size']",
            ["goes in a circle: size -> place -> size"],
        ),
        ("@column\ndef size(self, rows):\n    return rows['size']", ["goes in a circle: size -> size"]),
        (
            "@column\ndef size(self, rows):\n    return [7] * len(rows)",
            ["things.size would be 7 in row 1, which CHECK size_between_1_and_6 forbids. Nothing of it was kept"],
        ),
        (
            "@column\ndef size(self, rows):\n    return [None] * len(rows)",
            ["things.size would be None in row 1, which is NOT NULL"],
        ),
        ("@column\ndef code(self, rows):\n    return ['x'] * len(rows)", ["things.code", "Nothing of it was kept"]),
        ("@column\ndef box_id(self, rows):\n    return [77] * len(rows)", ["FOREIGN KEY", "Nothing of it was kept"]),
    ],
    ids=lambda value: " ".join(value.split()) if isinstance(value, str) else "",
)
def test_an_error_inside_a_seeder_is_one_line_that_names_the_column(
    seeds: Seeds, manage: Runner, things: Database, body: str, told: list[str]
) -> None:
    seeds.write(body)

    line = manage("seed", "things").refusal()

    assert all(words in line for words in told), line
    assert things.count("things") == 0


def test_the_traceback_of_a_seeder_is_shown_when_it_is_asked_for(
    seeds: Seeds, manage: Runner, things: Database
) -> None:
    seeds.write("@column\ndef size(self, rows):\n    raise ValueError('no size')")

    result = manage("seed", "things", "--traceback").expect(1)

    assert "Traceback (most recent call last)" in result.err
    assert "raise ValueError('no size')" in result.err


# Seeders and their files


def test_two_seeders_for_one_model_are_refused_with_both_names(
    seeds: Seeds, manage: Runner, sqlite_database: Database
) -> None:
    seeds.write("count = 1")
    seeds.write_file("other", "class OtherSeeder(Seeder):\n    model = Thing\n")

    line = manage("seed", "students").refusal()

    assert "things has two seeders" in line
    assert "ThingSeeder" in line
    assert "OtherSeeder" in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class (", "SyntaxError"),
        ("import project.models.nothing", "No module named 'project.models.nothing'"),
        ("raise RuntimeError('never')", "RuntimeError: never"),
    ],
)
def test_a_file_of_seeders_that_cannot_be_imported_is_one_line(
    seeds: Seeds, manage: Runner, sqlite_database: Database, text: str, told: str
) -> None:
    seeds.write_file("wrong", text)

    line = manage("seed", "students").refusal()

    assert line.startswith("project/seeds/wrong.py cannot be imported: ")
    assert told in line


def test_a_seeder_that_is_imported_by_another_is_one_seeder(seeds: Seeds, manage: Runner, things: Database) -> None:
    seeds.write("count = 4")
    seeds.write_file(
        "another",
        "from project.seeds.things import ThingSeeder\n\n\nclass BoxSeeder(Seeder):\n    model = Box\n    count = 12\n",
    )

    manage.ok("seed", "boxes", "things")

    assert (things.count("boxes"), things.count("things")) == (12, 4)


# Pairs whose ends are not the first keys to their tables


FRIENDS = """
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Friendship(Base):
    __tablename__ = "friendships"
    __table_args__ = (UniqueConstraint("one_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    maker_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))
    one_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    rank: Mapped[int]
"""
FRIENDS_SEEDER = """
from project.management.fields import pairs
from project.management.seeding import Seeder
from project.models.friendship import Friendship
from project.models.student import Student


class FriendshipSeeder(Seeder):
    model = Friendship
    {}, {} = pairs(Student, Student)
"""


@pytest.fixture
def friends(house: House, manage: Runner, sqlite_database: Database) -> Database:
    house.write("project/models/friendship.py", FRIENDS)
    manage.ok("migrate")
    manage.ok("shell", "-c", "project.metadata.create_all(session.connection()); session.commit()")
    manage.ok("seed", "students", "--count", "30")
    return sqlite_database


def test_pairs_of_one_table_come_beside_rows_of_the_persons_own(
    house: House, manage: Runner, friends: Database
) -> None:
    house.write("project/seeds/friendships.py", FRIENDS_SEEDER.format("one_id", "other_id"))
    own = ", ".join(f"({one}, {other}, 1)" for one in range(1, 11) for other in range(1, 31))
    friends.execute(f"INSERT INTO friendships (one_id, other_id, rank) VALUES {own}")

    manage.ok("seed", "friendships", "--count", "500")

    assert len(set(friends.rows("SELECT one_id, other_id FROM friendships"))) == 800


def test_pairs_on_columns_that_refer_elsewhere_are_refused(house: House, manage: Runner, friends: Database) -> None:
    house.write("project/seeds/friendships.py", FRIENDS_SEEDER.format("one_id", "rank"))

    line = manage("seed", "friendships").refusal()

    assert line.startswith("friendships.rank is filled by pairs() and refers to no row of students")


def test_a_seeder_file_that_ends_the_program_is_named(house: House, manage: Runner, friends: Database) -> None:
    house.write("project/seeds/friendships.py", "raise SystemExit(0)\n")

    assert manage("seed").refusal().startswith("project/seeds/friendships.py cannot be imported: SystemExit")


def test_what_has_to_be_seeded_anew_is_named_all_at_once(house: House, manage: Runner, friends: Database) -> None:
    manage.ok("seed", "--count", "20")

    line = manage("seed", "students", "--fresh", "--no-input").refusal()

    assert line.endswith("seed --fresh students enrollments friendships seeds all of them anew")
    manage.ok("seed", "--fresh", "students", "enrollments", "friendships", "--no-input")


def test_fresh_says_which_rows_come_from_a_migration(house: House, manage: Runner, migrated: Database) -> None:
    result = manage.ok("seed", "subjects", "enrollments", "students", "--fresh", "--no-input", "--count", "10")
    again = manage.ok("reset", "--no-input", "--no-seed")

    assert re.search(r"(?m)^  subjects +14 rows  from migration a5af281c99a2$", result.err)
    assert "subjects" in again.err
    assert "from migration" not in again.err


# Values that cannot be compared, or stored

WEIGHED = """
from decimal import Decimal

from sqlalchemy import CheckConstraint, Integer, Numeric, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Larger(TypeDecorator):
    impl = Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else value * 2**70


class Weighed(Base):
    __tablename__ = "weighed"
    __table_args__ = (CheckConstraint("weight > 0", name="weight_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    weight: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    size: Mapped[int | None] = mapped_column(Larger)
"""


@pytest.mark.parametrize(
    ("field", "count", "told"),
    [
        (
            "weight = column(lambda self, rows: [Decimal('NaN')] * len(rows))",
            10,
            "weighed.weight would be Decimal('NaN') in row 1, which is no number, as CHECK weight_positive wants",
        ),
        ("size = choice([0, 1])", 10, "weighed could not be seeded: Python int too large to convert to SQLite INTEGER"),
        (
            "size = choice([0, 1])",
            20_000,
            "weighed could not be seeded: Python int too large to convert to SQLite INTEGER",
        ),
    ],
    ids=["no number", "too large", "too large for a thread"],
)
def test_a_value_that_cannot_be_compared_or_stored_is_one_line(
    house: House, manage: Runner, sqlite_database: Database, field: str, count: int, told: str
) -> None:
    house.write("project/models/weighed.py", WEIGHED)
    house.write(
        "project/seeds/weighed.py",
        "from decimal import Decimal\n\nfrom project.management.fields import choice\n"
        "from project.management.seeding import Seeder, column\nfrom project.models.weighed import Weighed\n\n\n"
        f"class WeighedSeeder(Seeder):\n    model = Weighed\n    {field}\n",
    )
    manage.ok("migrate")
    manage.ok("shell", "-c", "project.metadata.create_all(session.connection()); session.commit()")

    line = manage("seed", "weighed", "--count", str(count)).refusal()

    assert line.startswith(told)
    assert sqlite_database.count("weighed") == 0
