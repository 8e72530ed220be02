"""What the text of revision files says of the newest one: the same as Alembic, or nothing."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from project.management.heads import reached_head, revisions

FIRST = 'revision = "aaa111"\ndown_revision = None\n'
SECOND = 'revision: str = "bbb222"  # the newest\ndown_revision: str | None = "aaa111"\n'
THIRD = 'revision = "ccc333"\ndown_revision = "aaa111"\n'
# What begins a line and looks like one of the four names.
AROUND = (
    '"""Adds a column.\n\nrevisions come and go\n"""\n\nrevision_note = "xxx"\n\ndef upgrade():\n    revision = "yyy"\n'
)


@pytest.fixture
def at(tmp_path: Path) -> sa.Connection:
    """A database at bbb222, and beside it an alembic.ini."""
    (tmp_path / "alembic.ini").write_text("[alembic]\nversion_locations = %(here)s\n")
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    connection = engine.connect()
    connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
    connection.execute(sa.text("INSERT INTO alembic_version VALUES ('bbb222')"))
    return connection


def write(folder: Path, *files: str) -> None:
    for number, text in enumerate(files):
        (folder / f"{number}.py").write_text(text)


@pytest.mark.parametrize("second", [SECOND, AROUND + SECOND, SECOND + "branch_labels = None\ndepends_on = ()\n"])
def test_the_last_of_a_line_is_the_newest(tmp_path: Path, at: sa.Connection, second: str) -> None:
    write(tmp_path, FIRST, second)

    assert reached_head(tmp_path, at) == "bbb222"


@pytest.mark.parametrize(
    "files",
    [
        (FIRST,),
        (FIRST, SECOND, THIRD),
        (FIRST, SECOND, THIRD.replace("aaa111", "bbb222")),
        (FIRST, SECOND + 'branch_labels = ("one",)\n'),
        (FIRST, SECOND + 'depends_on = "zzz999"\n'),
        (FIRST, SECOND + 'revision = "ddd444"\n'),
        (FIRST, SECOND.replace('"aaa111"', '(\n    "aaa111",\n)')),
        (FIRST, SECOND.replace('"bbb222"', "make_id()")),
        (FIRST, SECOND, "nothing = here\n"),
    ],
    ids=[
        "the database is ahead",
        "two heads",
        "the database is behind",
        "a branch",
        "a dependency",
        "two ids",
        "a tuple on lines of its own",
        "an id that is computed",
        "a file without an id",
    ],
)
def test_of_anything_else_it_says_nothing(tmp_path: Path, at: sa.Connection, files: tuple[str, ...]) -> None:
    write(tmp_path, *files)

    assert reached_head(tmp_path, at) is None


def test_revisions_are_known_whatever_is_written_beside_them(tmp_path: Path, at: sa.Connection) -> None:
    write(
        tmp_path, FIRST, SECOND.replace('"aaa111"', '(\n    "aaa111",\n)'), "revision = make_id()\n", "<<<<<<< HEAD\n"
    )

    assert revisions(tmp_path) == {"aaa111", "bbb222"}
