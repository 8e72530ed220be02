"""The history of this project, checked from end to end, and histories that are broken."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from project.models.base import Base
from tests.databases import BOOKKEEPING, KINDS, Database, fresh
from tests.houses import House, Runner
from tests.processes import REPOSITORY

SAMPLE = {"students", "subjects", "enrollments"}
SCHEMA = "migrations/versions/schema"
NOWHERE = {  # a URL of each kind that leads to no database at all
    "sqlite": "sqlite:///nowhere.db",
    "postgresql": "postgresql://ada@127.0.0.1:1/nowhere",
    "mariadb": "mariadb://ada@127.0.0.1:1/nowhere",
}


def schema_of(database: Database) -> dict[str, Any]:
    """Return everything that can be seen of a database's tables, in an order that means nothing."""
    if database.file is not None and not database.file.exists():
        return {}
    with database.connect() as connection:
        inspector = sa.inspect(connection)
        return {name: _table(inspector, name) for name in inspector.get_table_names() if name not in BOOKKEEPING}


def _table(inspector: sa.Inspector, name: str) -> dict[str, Any]:
    def plain(things: Any) -> list[str]:
        return sorted(str(sorted((key, str(value)) for key, value in thing.items())) for thing in things)

    columns = [{**column, "default": str(column["default"]).lower()} for column in inspector.get_columns(name)]
    return {
        "columns": plain(columns),
        "primary key": inspector.get_pk_constraint(name),
        "foreign keys": plain(inspector.get_foreign_keys(name)),
        "unique": plain(inspector.get_unique_constraints(name)),
        "checks": plain(inspector.get_check_constraints(name)),
        "indexes": plain(inspector.get_indexes(name)),
        "options": str(inspector.get_table_options(name)),
    }


def models() -> sa.MetaData:
    for file in sorted((REPOSITORY / "project" / "models").glob("*.py")):
        importlib.import_module(f"project.models.{file.stem}")
    return Base.metadata


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(database.rows(f"SELECT * FROM {table}"), key=str) for table in sorted(database.tables())}


# The four checks


def test_the_history_is_one_line_with_one_head_in_two_folders() -> None:
    script = ScriptDirectory.from_config(Config(str(REPOSITORY / "alembic.ini")))

    revisions = list(reversed(list(script.walk_revisions())))

    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert [one.down_revision for one in revisions] == [None, *(one.revision for one in revisions[:-1])]
    assert [(one.doc, Path(one.path).parent.name) for one in revisions[:5]] == [
        ("Empty Init", "schema"),
        ("Added Student model", "schema"),
        ("Added Subject model", "schema"),
        ("Put the subjects in", "data"),
        ("Added Enrollment model", "schema"),
    ]
    assert not any(one.branch_labels or one.dependencies for one in revisions)
    assert all(one.revision in Path(one.path).name for one in revisions)


def test_an_empty_database_is_upgraded_to_the_head(house: House, manage: Runner, database: Database) -> None:
    manage.ok("migrate")

    assert database.revision() == house.line()[-1]
    assert database.tables() == SAMPLE
    assert database.count("subjects") >= 12
    assert database.value("SELECT count(DISTINCT code) FROM subjects") == database.count("subjects")


def test_the_migrations_make_what_the_models_say(migrated: Database, tmp_path: Path) -> None:
    with fresh(migrated.kind, tmp_path) as other:
        engine = other.engine()
        models().create_all(engine)
        engine.dispose()

        from_models, from_migrations = schema_of(other), schema_of(migrated)
    with migrated.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(
            connection, opts={**options, "include_name": lambda name, kind, _: name not in BOOKKEEPING}
        )
        differences = compare_metadata(context, models())

    assert differences == []
    assert from_migrations == from_models


def test_every_step_down_leaves_what_was_there_before_the_step_up(
    house: House, manage: Runner, database: Database
) -> None:
    seen: list[tuple[dict[str, Any], dict[str, list[tuple[Any, ...]]]]] = [({}, {})]
    for _ in house.line():
        manage.ok("migrate", "+1")
        seen.append((schema_of(database), content(database)))

    for before in reversed(seen[:-1]):
        manage.ok("rollback", "--no-input")

        assert (schema_of(database), content(database)) == before

    manage.ok("migrate")
    assert schema_of(database) == seen[-1][0]
    assert [row[1:] for row in content(database)["subjects"]] == [row[1:] for row in seen[-1][1]["subjects"]]


# As SQL, and without the models


@pytest.mark.parametrize("kind", KINDS)
def test_every_revision_renders_as_sql_in_both_directions(house: House, alembic: Runner, kind: str) -> None:
    nowhere = {"DATABASE_URL": NOWHERE[kind]}
    line = house.line()

    up = alembic.ok("upgrade", "base:head", "--sql", env=nowhere).out
    down = alembic.ok("downgrade", "head:base", "--sql", env=nowhere).out

    for before, after in zip(["", *line], line, strict=False):
        assert f"-- Running upgrade {before} -> {after}" in up
        assert f"-- Running downgrade {after} -> {before}" in down
    for table in SAMPLE:
        assert up.count(f"CREATE TABLE {table} (") == 1
        assert down.count(f"DROP TABLE {table};") == 1
    assert up.count("INSERT INTO subjects ") == down.count("DELETE FROM subjects ") >= 12
    assert "?" not in up + down
    assert ":code" not in up + down
    assert not (house.root / "nowhere.db").exists()


def test_no_revision_imports_anything_of_the_project() -> None:
    allowed = {"alembic", "sqlalchemy"} | sys.stdlib_module_names
    for file in (REPOSITORY / "migrations" / "versions").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, file
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= allowed, file


def test_the_migrations_run_the_same_when_every_model_is_gone(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    for folder in ("models", "seeds"):
        for file in (house.root / "project" / folder).glob("*.py"):
            if file.stem not in ("__init__", "base"):
                house.remove(str(file.relative_to(house.root)))

    manage.ok("migrate")

    assert sqlite_database.tables() == SAMPLE
    assert sqlite_database.count("subjects") >= 12
    manage.ok("migrate", "zero", "--no-input")
    assert sqlite_database.tables() == set()


# Broken histories


def two_heads(house: House) -> list[Path]:
    fork, newest = house.line()[-2:]
    return [house.revisions()[newest], house.add_revision("bad111", "pass", parent=fork)]


def a_second_beginning(house: House) -> list[Path]:
    return [house.revisions()[house.line()[-1]], house.add_revision("bad111", "pass", parent=None)]


def a_missing_parent(house: House) -> list[Path]:
    return [house.add_revision("bad111", "pass", parent="fff000")]


def a_parent_that_was_removed(house: House) -> list[Path]:
    *_, removed, newest = house.line()
    files = house.revisions()
    house.remove(str(files[removed].relative_to(house.root)))
    return [files[newest]]


def a_circle(house: House) -> list[Path]:
    return [
        house.add_revision("bad111", "pass", parent="bad222"),
        house.add_revision("bad222", "pass", parent="bad111", kind="data"),
    ]


def a_circle_with_everything(house: House) -> list[Path]:
    first, *_, last = house.line()
    files = house.revisions()
    house.change(
        str(files[first].relative_to(house.root)),
        "down_revision: str | Sequence[str] | None = None",
        f'down_revision: str | Sequence[str] | None = "{last}"',
    )
    return list(files.values())


def a_revision_after_itself(house: House) -> list[Path]:
    return [house.add_revision("bad111", "pass", parent="bad111")]


def the_same_id_twice(house: House) -> list[Path]:
    newest = house.revisions()[house.line()[-1]]
    copy = house.write(
        f"migrations/versions/data/copy_of_{newest.name}",
        newest.read_text(encoding="utf-8").replace("Added Enrollment model", "Another"),
    )
    return [newest, copy]


def an_import_of_nothing(house: House) -> list[Path]:
    file = house.add_revision("bad111", "pass")
    return [house.change(str(file.relative_to(house.root)), "from alembic import op", "import nothing_of_this_name")]


def an_error_while_importing(house: House) -> list[Path]:
    file = house.add_revision("bad111", "pass")
    return [house.change(str(file.relative_to(house.root)), "from alembic import op", "1 / 0")]


def an_end_of_the_program(house: House) -> list[Path]:
    file = house.add_revision("bad111", "pass")
    return [house.change(str(file.relative_to(house.root)), "from alembic import op", "raise SystemExit")]


def no_way_back(house: House) -> list[Path]:
    file = house.add_revision("bad111", "pass")
    return [house.change(str(file.relative_to(house.root)), "def downgrade()", "def down()")]


def no_way_there(house: House) -> list[Path]:
    file = house.add_revision("bad111", "pass")
    return [house.change(str(file.relative_to(house.root)), "def upgrade()", "def up()")]


def a_syntax_error(house: House) -> list[Path]:
    return [house.add_revision("bad111", "op.execute(")]


def leftovers_of_a_merge_in_git(house: House) -> list[Path]:
    newest = house.revisions()[house.line()[-1]]
    text = newest.read_text(encoding="utf-8")
    return [house.write(str(newest.relative_to(house.root)), f"<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n")]


def no_id(house: House) -> list[Path]:
    return [house.write(f"{SCHEMA}/notes.py", '"""Notes."""\n')]


def no_utf_8(house: House) -> list[Path]:
    file = house.write(f"{SCHEMA}/20300101_0000_bad111_latin.py", "")
    file.write_bytes('"""Schüler"""\nrevision = "bad111"\n'.encode("latin-1"))
    return [file]


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (two_heads, "2 heads"),
        (a_second_beginning, "2 heads"),
        (a_missing_parent, "comes after revision fff000, which no file has"),
        (a_parent_that_was_removed, "which no file has"),
        (a_circle, "in a circle"),
        (a_circle_with_everything, "in a circle"),
        (a_revision_after_itself, "in a circle"),
        (the_same_id_twice, "have the same revision id"),
        (an_import_of_nothing, "cannot be imported: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        (an_error_while_importing, "cannot be imported: ZeroDivisionError"),
        (an_end_of_the_program, "cannot be imported: SystemExit"),
        (no_way_back, "has no function downgrade"),
        (no_way_there, "has no function upgrade"),
        (a_syntax_error, "cannot be read: "),
        (leftovers_of_a_merge_in_git, "cannot be read: "),
        (no_id, "has no revision id"),
        (no_utf_8, "cannot be read: "),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_broken_history_is_refused_with_its_files_before_anything_is_changed(
    house: House,
    manage: Runner,
    alembic: Runner,
    sqlite_database: Database,
    break_it: Callable[[House], list[Path]],
    told: str,
) -> None:
    second = house.line()[1]
    manage.ok("migrate", second)
    sqlite_database.execute(
        "INSERT INTO students (name, email, grade, birthday) VALUES ('Ada', 'ada@example.org', 5, '2015-12-10')"
    )
    named = [str(file.relative_to(house.root)) for file in break_it(house)]
    assert sqlite_database.file is not None
    before = sqlite_database.file.read_bytes()
    files = {file: file.read_bytes() for file in (house.root / "migrations").rglob("*.py")}

    for command in (
        ("migrate",),
        ("rollback", "--no-input"),
        ("makemigrations", "-m", "x"),
        ("seed",),
        ("reset", "--no-input"),
    ):
        line = manage(*command).refusal()

        assert told in line, command
        assert [name for name in named if name not in line] == [], command
    plain = alembic("upgrade", "head")

    assert plain.code not in (0, 1)
    assert told in plain.out + plain.err
    assert "Traceback" not in plain.out + plain.err
    assert sqlite_database.file.read_bytes() == before
    assert {file: file.read_bytes() for file in (house.root / "migrations").rglob("*.py")} == files


@pytest.mark.parametrize("break_it", [two_heads, a_missing_parent, an_import_of_nothing], ids=lambda one: one.__name__)
def test_a_database_that_was_never_migrated_stays_untouched_by_a_broken_history(
    house: House, manage: Runner, alembic: Runner, database: Database, break_it: Callable[[House], list[Path]]
) -> None:
    break_it(house)

    manage("migrate").refusal()
    manage("migrate", "--sql").refusal()
    assert alembic("upgrade", "head").code not in (0, 1)

    assert database.all_tables() == set()
    assert database.file is None or not database.file.exists()


def test_the_error_of_a_file_is_shown_with_traceback_when_asked_for(
    house: House, manage: Runner, sqlite_database: Database
) -> None:
    [file] = an_error_while_importing(house)

    result = manage("migrate", "--traceback").expect(1)

    assert "ZeroDivisionError" in result.err
    assert file.name in result.err
    assert "Traceback" in result.err


def test_what_is_no_python_file_is_no_revision(house: House, manage: Runner, sqlite_database: Database) -> None:
    for name in ("README.md", "__init__.py", ".#20300101_lock.py", "20300101_0000_bad111_old.py~", "old.py.orig"):
        house.write(f"{SCHEMA}/{name}", "<<<<<<<" if name != "__init__.py" else "")

    manage.ok("migrate")

    assert sqlite_database.tables() == SAMPLE
