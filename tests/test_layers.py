"""Imports go one way, printing is for the commands, and migrations stand on their own: read from the sources."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import REPOSITORY

MANAGEMENT = REPOSITORY / "project" / "management"
MACHINERY = sorted(MANAGEMENT.rglob("*.py"))
MIGRATIONS = sorted((REPOSITORY / "migrations" / "versions").rglob("*.py"))
OURS = sorted((REPOSITORY / "project").rglob("*.py"))

# From the top down; a module imports only what stands below it, or in its own layer where that is allowed.
LAYERS = (
    ("cli",),
    ("commands",),
    ("testing",),
    ("rebuilding", "revisions", "checks", "resetting", "abandoning", "staircase"),
    ("filling",),
    ("rehearsing",),
    ("migrations", "seeding"),
    ("fingerprint",),
    ("ordering",),
    ("schema", "comparing"),
    ("autogenerate", "inference", "mending"),
    ("declared", "ways", "by_name", "own_types"),
    ("inherited", "by_type"),
    ("derived", "documents"),
    ("plans",),
    ("partial",),
    ("conditions", "inferred", "meanings", "redefined"),
    ("sharing",),
    ("reading",),
    ("spellings",),
    ("literals", "parsing"),
    ("losing",),
    ("history", "fields"),
    ("lost",),
    ("undoing",),
    ("snapshots",),
    ("guard", "git", "culprits"),
    ("parents", "interlocking"),
    ("numbering",),
    ("blocks",),
    ("project", "heads"),
    ("bookkeeping",),
    ("migration_history",),
    ("backends",),
    ("computing",),
    ("names", "calendars"),
    ("outcomes", "types"),
    ("providers", "vocabulary"),
    ("checkdigits",),
    ("console", "env_file", "expressions"),
    ("errors", "lazily"),
)
BESIDE = {
    "commands",
    "backends",
    "rebuilding",
    "abandoning",
    "revisions",
    "checks",
    "fields",
}  # layers whose modules know each other


def name(file: Path) -> str:
    return str(file.relative_to(REPOSITORY))


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield the full name of everything a file imports, and whether only for type checking."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    package = file.relative_to(REPOSITORY).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in for_types
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                yield f"{module}.{alias.name}", node in for_types


def layer_of(module: str) -> int | None:
    parts = module.split(".")
    if parts[:2] != ["project", "management"] or len(parts) < 3:
        return None
    found = [number for number, names in enumerate(LAYERS) if parts[2] in names]
    assert found, f"{module} has no layer: say in DESIGN and in LAYERS where it belongs"
    return found[0]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def calls(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("file", MACHINERY, ids=name)
def test_the_machinery_knows_no_model_no_seeder_and_no_setting(file: Path) -> None:
    project = {one.split(".")[1] for one, _ in imports(file) if one.startswith("project.")}

    assert project <= {"management"}


def test_the_machinery_names_no_table_of_the_sample() -> None:
    words = ("students", "Student", "subjects", "enrollments", "Enrollment")
    known = {
        (name(file), word)
        for file in MACHINERY
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant | ast.Name)
        for word in words
        if (node.value if isinstance(node, ast.Constant) else node.id) == word
    }

    assert known == set()


@pytest.mark.parametrize("file", MACHINERY, ids=name)
def test_imports_go_one_way(file: Path) -> None:
    here = layer_of(module_of(file))
    for imported, for_types in imports(file):
        there = layer_of(imported)
        if here is None or there is None or for_types:
            continue
        beside = here == there and (
            BESIDE & set(LAYERS[here]) or imported.split(".")[2] == module_of(file).split(".")[2]
        )
        assert there > here or beside, f"{module_of(file)} may not import {imported}"


@pytest.mark.parametrize("file", OURS, ids=name)
def test_only_the_command_line_and_the_commands_print(file: Path) -> None:
    prints = {"print", "pprint", "sys.stdout.write", "sys.stderr.write"} & set(calls(file))
    may = file == MANAGEMENT / "cli.py" or "commands" in file.parts

    assert may or not prints


@pytest.mark.parametrize("file", MACHINERY, ids=name)
def test_nothing_but_the_command_line_ends_the_process(file: Path) -> None:
    ends = {"sys.exit", "exit", "quit", "os._exit", "os.abort"} & set(calls(file))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    leaves = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and "SystemExit" in ast.dump(node)]

    assert file == MANAGEMENT / "cli.py" or (not ends and not leaves)


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: file.stem)
def test_a_migration_imports_alembic_sqlalchemy_and_the_standard_library_only(file: Path) -> None:
    imported = {one.partition(".")[0] for one, _ in imports(file)}

    assert imported <= {"alembic", "sqlalchemy"} | sys.stdlib_module_names


def test_the_models_know_nothing_of_the_machinery() -> None:
    known = [
        (name(file), one)
        for file in sorted((REPOSITORY / "project" / "models").glob("*.py"))
        for one, _ in imports(file)
        if one.startswith("project.") and not one.startswith("project.models")
    ]

    assert known == []


def test_a_seeder_knows_models_and_of_the_machinery_only_what_seeders_are_made_of() -> None:
    allowed = ("project.models.", "project.management.seeding.", "project.management.fields.", "project.seeds.")
    others = [
        (name(file), one)
        for file in sorted((REPOSITORY / "project" / "seeds").glob("*.py"))
        for one, _ in imports(file)
        if one.startswith("project.") and not one.startswith(allowed)
    ]

    assert others == []


def test_no_command_asks_which_database_it_is() -> None:
    kinds = {"sqlite", "postgresql", "mysql", "mariadb"}
    compared = [
        (name(file), ast.unparse(node))
        for file in MACHINERY
        if "commands" in file.parts or file.stem in ("cli", "resetting", "checks", "guard", "seeding")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if kinds & {inner.value for inner in ast.walk(side) if isinstance(inner, ast.Constant)}
    ]

    assert compared == []


def test_manage_py_is_a_few_lines_of_handing_over() -> None:
    source = (REPOSITORY / "manage.py").read_text(encoding="utf-8")
    code = [line for line in source.splitlines() if line.strip() and not line.startswith(("#", '"""'))]

    assert len(code) <= 12
    assert {one.partition(".")[0] for one, _ in imports(REPOSITORY / "manage.py")} <= {
        "project",
        *sys.stdlib_module_names,
    }
