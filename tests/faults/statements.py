"""A migration that fails at its first, second, third ... statement: nothing of it stays, or what stays is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.faults.stages import Stage, check_words, names_a_revision
from tests.faults.states import State, Verdict

REVISION = "fa11fa11fa11"
MIGRATION = (
    'op.create_table("made", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("word", sa.String(20)))',
    'op.create_index("ix_made_word", "made", ["word"])',
    "op.execute(\"INSERT INTO made (id, word) VALUES (1, 'one'), (2, 'two')\")",
    'op.add_column("subjects", sa.Column("room", sa.String(10)))',
    "op.execute(\"UPDATE subjects SET room = 'A1'\")",
    'op.execute("UPDATE counter SET n = n + 1")',
    'with op.batch_alter_table("students") as batch: batch.alter_column("name", existing_type=sa.String(100),'
    " existing_nullable=False, type_=sa.String(120))",
    "op.execute(\"DELETE FROM made WHERE word = 'two'\")",
    'op.drop_index("ix_made_word", table_name="made")',
)
BACK = (
    'op.create_index("ix_made_word", "made", ["word"])',
    'with op.batch_alter_table("students") as batch: batch.alter_column("name", existing_type=sa.String(120),'
    " existing_nullable=False, type_=sa.String(100))",
    'op.execute("UPDATE counter SET n = n - 1")',
    'op.drop_column("subjects", "room")',
    'op.execute("DELETE FROM made")',
    'op.drop_table("made")',
)
FAILURES = {
    "SQL that is refused": 'op.execute("INSERT INTO a_table_nobody_made (id) VALUES (1)")',
    "a row that is refused": "op.execute(\"UPDATE students SET grade = 99 WHERE email LIKE '%@%'\")",
    "an exception": 'raise ValueError("no luck")',
    "the program's end": "raise SystemExit(3)",
}
NOTHING = "Nothing of it stays"


@dataclass(frozen=True)
class _Way:
    """Up or down: the command, the statements, and which of them are in the migration's other function."""

    command: tuple[str, ...]
    statements: Sequence[str]
    up: bool


def failing(stage: Stage, failures: Sequence[str] = tuple(FAILURES), *, every: int = 1) -> Verdict:
    """Fail a migration, and its way back, at each of its places in turn."""
    verdict = Verdict()
    stage.run.ok("migrate")
    stage.run.ok("seed", "--count", "30")
    start = stage.save()
    before = stage.state()
    _write(stage, MIGRATION, BACK)
    stage.run.ok("migrate")
    done, after = stage.save(), stage.state()
    history = f"{before.bookkeeping['history']}, {REVISION} upgrade, {REVISION} downgrade"
    back = replace(before, bookkeeping={**before.bookkeeping, "history": history})
    try:
        for way, snapshot, left, right in (
            (_Way(("migrate",), MIGRATION, True), start, before, after),
            (_Way(("rollback", "--no-input"), BACK, False), done, after, back),
        ):
            for place in range(0, len(way.statements) + 1, every):
                for failure in failures:
                    stage.restore(snapshot)
                    _fail(stage, way, place, failure, left, right, verdict)
    finally:
        stage.house.remove(f"migrations/versions/schema/20300101_0000_{REVISION}_by_hand.py")
    return verdict


def _fail(stage: Stage, way: _Way, place: int, failure: str, left: State, right: State, verdict: Verdict) -> None:
    broken = [*way.statements[:place], FAILURES[failure], *way.statements[place:]]
    _write(stage, broken if way.up else MIGRATION, BACK if way.up else broken)
    where = f"{way.command[0]} with {failure} before statement {place + 1}"

    result = stage.run(*way.command)

    verdict.tries += 1
    found = stage.state()
    if result.code == 0:
        verdict.lose(f"{where} ends with 0")
        return
    _write(stage, MIGRATION, BACK)
    if found == left:
        check_words(result, verdict, where, REVISION, NOTHING)
        again = stage.run(*way.command)
        if again.code:
            verdict.lose(f"{where}, corrected and run again, ends with {again}")
        else:
            verdict.compare(right, stage.state(), f"{where}, corrected and run again")
    elif stage.kind != "mariadb":
        verdict.compare(left, found, where)
    else:
        check_words(result, verdict, where, REVISION, *_what_stays(left, found))
        if NOTHING in result.err:
            verdict.lose(f"{where}: something stays, and it says {NOTHING}")
        if not names_a_revision(stage, stage.run(*way.command)):
            verdict.lose(f"{where}: the next run does not refuse by name")
        verdict.refused += 1


def _what_stays(before: State, now: State) -> set[str]:
    """Return the names of the tables that a half-done step made, dropped or changed."""
    parts = before.schema ^ now.schema
    tables = {name for part in parts for name in re.findall(r"CREATE TABLE `(\w+)`", part)}
    changed = {table for table in before.rows.keys() & now.rows.keys() if before.rows[table] != now.rows[table]}
    return tables | changed


def _write(stage: Stage, up: Sequence[str], down: Sequence[str]) -> None:
    parent = stage.house.line()[-1]
    parent = stage.house.line()[-2] if parent == REVISION else parent
    stage.house.add_revision(REVISION, "\n".join(up), "\n".join(down), parent=parent)
