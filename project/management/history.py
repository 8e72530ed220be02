"""The revision files: reading and validating them, and what they would do without running them."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from . import bookkeeping, git, migration_history
from .backends.base import Relation, TableName
from .errors import CommandError, Terminated, did_you_mean, first_line, shortened

if TYPE_CHECKING:
    from .project import Project

Direction = Literal["upgrade", "downgrade"]


@dataclass(frozen=True)
class RevisionFile:
    """What a revision file says of itself, read without running it."""

    path: Path
    revision: str
    parents: tuple[str, ...]
    tree: ast.Module


def alembic_config(project: Project, **attributes: object) -> Config:
    """Return Alembic's configuration of this project; objects go through attributes, the URL never does."""
    if "%" in str(project.root):
        raise CommandError(
            f"the folder {project.root} has a % in its path, which Alembic's configuration cannot have",
            "move the project, or rename the folder",
        )
    file = project.root / "alembic.ini"
    if not file.is_file():
        raise CommandError(f"there is no file {file}", "bring it back, as from git: it says where the migrations are")
    return Config(str(file), attributes={"project": project, **attributes})


def load(project: Project) -> ScriptDirectory:
    """Return the project's revisions after validating their files.

    Raises:
        CommandError: a file cannot be read or imported, an id is used twice, a parent is missing, there is a cycle.
    """
    if project.kept_history is not None:
        return project.kept_history
    script = ScriptDirectory.from_config(alembic_config(project))
    validate(script, project.root)
    return script


def validate(script: ScriptDirectory, root: Path) -> None:
    """Refuse a history that Alembic would stumble over half-way, naming the files."""
    files = [_read(path, root) for path in _paths(script)]
    by_revision: dict[str, RevisionFile] = {}
    for file in files:
        if file.revision in by_revision:
            raise CommandError(
                f"{_short(file.path, root)} and {_short(by_revision[file.revision].path, root)}"
                f" have the same revision id {file.revision}",
                "give one of them another id",
            )
        by_revision[file.revision] = file
    for file in files:
        for parent in file.parents:
            if parent not in by_revision:
                from . import lost

                place = git.place_of(root, parent)
                get_it = lost.way_to(place) if place else "get the missing file (is it on another branch?)"
                raise CommandError(
                    f"{_short(file.path, root)} comes after revision {parent}, which no file has",
                    f"{get_it}, or correct down_revision",
                )
    _refuse_cycle(by_revision, root)
    try:
        revisions = list(script.walk_revisions())
    except Terminated:
        raise
    except (Exception, SystemExit) as error:
        raise CommandError(
            f"{_file_at_fault(error, files, root)} cannot be imported: {type(error).__name__}: {first_line(error)}",
            "correct it, then try again",
        ) from error
    for revision in revisions:
        for name in ("upgrade", "downgrade"):
            if not callable(getattr(revision.module, name, None)):
                raise CommandError(
                    f"{path_of(revision, root)} has no function {name}",
                    f"write def {name}() into it, with pass when there is nothing to do",
                )


def files(script: ScriptDirectory, root: Path) -> list[RevisionFile]:
    """Return every revision file, read and not run."""
    return [_read(path, root) for path in _paths(script)]


def is_named(script: ScriptDirectory, name: str) -> bool:
    """Return whether some revision file has this name in it."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    texts = (migration_history.text_of(Path(one.path)) for one in script.walk_revisions())
    return any(word.search(text) for text in texts)


def require_one_head(script: ScriptDirectory, root: Path) -> str | None:
    """Return the newest revision, None when there is none at all.

    Raises:
        CommandError: there are two heads.
    """
    heads = sorted(script.get_heads())
    if len(heads) > 1:
        names = " and ".join(path_of(script.get_revision(head), root) for head in heads)
        raise CommandError(
            f"the history has {len(heads)} heads: {names}",
            "python manage.py makemigrations --merge joins them",
        )
    return heads[0] if heads else None


def resolve(script: ScriptDirectory, revision: str) -> str | None:
    """Return the full id of a revision given by its id or a prefix; None for zero.

    Raises:
        CommandError: no revision, or more than one, begins like this.
    """
    if revision in ("zero", "base"):
        return None
    if revision in ("head", "heads"):
        return script.get_current_head()
    known = [one.revision for one in script.walk_revisions()]
    matches = [name for name in known if name == revision] or [name for name in known if name.startswith(revision)]
    if len(matches) > 1:
        raise CommandError(
            f"{len(matches)} revisions begin with {revision!r}", f"write more of it: {', '.join(matches)}"
        )
    if not matches:
        raise CommandError(
            f"no revision {revision!r}.{did_you_mean(revision, known)}",
            "python manage.py showmigrations lists them",
        )
    return matches[0]


def kind(revision: Script) -> str:
    """Return "schema" or "data", by the folder the file is in."""
    return "data" if Path(revision.path).parent.name == "data" else "schema"


def message(revision: Script, *, most: int | None = 80) -> str:
    """Return the first line of a revision's docstring, in at most so many characters."""
    line = revision.doc.strip().splitlines()[0] if revision.doc.strip() else "no message"
    return line if most is None else shortened(line, most=most)


def path_of(revision: Script, root: Path) -> str:
    """Return a revision's file, relative to the project."""
    return _short(Path(revision.path), root)


def record(
    revision: Script, direction: migration_history.Direction, seconds: float | None = None
) -> migration_history.Record:
    """Return what is written down of a step that is done now."""
    parents = revision.down_revision
    checksums = migration_history.Checksums.of(Path(revision.path))
    return migration_history.Record(
        revision.revision,
        (parents,) if isinstance(parents, str) else tuple(parents or ()),
        message(revision, most=None),
        direction,
        datetime.now(UTC),
        seconds,
        migration_history.myself(),
        checksums.text,
        checksums.code,
    )


# Where the database is


def heads_of(connection: sa.Connection) -> tuple[str, ...]:
    """Return the revision an open connection's database is at."""
    with silent():
        return tuple(sorted(bookkeeping.require_revisions(MigrationContext.configure(connection).get_current_heads())))


def require_head(project: Project, connection: sa.Connection) -> None:
    """Refuse to go on while migrations are pending.

    Raises:
        CommandError: the database is not at the newest revision, or at one this checkout does not have.
    """
    script = load(project)
    head = require_one_head(script, project.root)
    current = heads_of(connection)
    refuse_unknown(script, current, project)
    if current != ((head,) if head else ()):
        raise CommandError(f"{project.backend.label} is not at the newest revision", "python manage.py migrate first")


def tables_of_nobody(project: Project, script: ScriptDirectory, connection: sa.Connection) -> list[str]:
    """Return the tables that revisions make and that are there though no revision is recorded."""
    there = [] if heads_of(connection) else sa.inspect(connection).get_table_names()
    made = tables_made(script, project.backend.offline_dialect) if there else set()
    return sorted(name for name in there if TableName(None, name) in made)


def unrecorded(project: Project, tables: list[str]) -> CommandError:
    """Return what it means that such tables are there: their migrations would make them again."""
    return CommandError(
        f"{project.backend.label} has the tables {', '.join(tables)}, but no revision is recorded in it",
        "python manage.py migrate --fake REVISION records the one it is at",
    )


def applied(script: ScriptDirectory, heads: tuple[str, ...]) -> set[str]:
    """Return the revisions that a database at these heads has."""
    return {one.revision for head in heads for one in script.iterate_revisions(head, "base")}


def are_sound(script: ScriptDirectory, heads: tuple[str, ...]) -> bool:
    """Return whether what a database records are revisions of this checkout, and no two of one line."""
    if unknown(script, heads):
        return False
    return not any(head in applied(script, (other,)) for head in heads for other in heads if head != other)


def unknown(script: ScriptDirectory, heads: tuple[str, ...]) -> list[str]:
    """Return those of the recorded revisions that no file has."""
    known = {one.revision for one in script.walk_revisions()}
    return [head for head in heads if head not in known]


def refuse_unknown(script: ScriptDirectory, heads: tuple[str, ...], project: Project) -> None:
    """Refuse a database that is at a revision which this checkout does not have, or at two of one line."""
    for head in unknown(script, heads):
        from . import lost

        raise lost.explained(project, head, {one.revision for one in script.walk_revisions()})
    if not are_sound(script, heads):
        raise CommandError(
            f"{project.backend.label} records {len(heads)} revisions at once: {', '.join(heads)}",
            "python manage.py migrate --fake REVISION records the one it is at",
        )


def changed(
    script: ScriptDirectory, recorded: Iterable[migration_history.Record], heads: tuple[str, ...], root: Path
) -> list[CommandError]:
    """Return what there is to say of each file that was applied, and does something else by now."""
    records = migration_history.last_applied(recorded)
    done = applied(script, heads)
    return [
        CommandError(
            f"{path_of(one, root)} is not what was applied as revision {one.revision}"
            f" ({records[one.revision].who_and_when})",
            "take the change back and write a new revision; or let it count as applied:"
            f" python manage.py migrate --fake {', '.join(heads)}",
        )
        for one in reversed(list(script.walk_revisions()))
        if one.revision in done
        and one.revision in records
        and migration_history.is_changed(Path(one.path), records[one.revision])
    ]


# What the files would do


@contextmanager
def silent() -> Iterator[None]:
    """Keep Alembic from logging a context that is made only to look something up."""
    logger = logging.getLogger("alembic.runtime.migration")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def render(revision: Script, direction: Direction, dialect: str) -> list[str]:
    """Return the SQL statements of one step, without a database; `dialect` is a backend's offline_dialect.

    Raises NotOnlySQL when the step does more than build statements, for it would do that here and now, and whatever
    the migration raises when it asks the database something.
    """
    _refuse_other_work(function_of(revision, direction), _tree_of(revision).body)
    statements = _Statements()
    options: dict[str, object] = {"as_sql": True, "output_buffer": statements, "literal_binds": True}
    with silent():
        context = MigrationContext.configure(
            dialect_name=dialect,
            dialect_opts={"paramstyle": "named"},  # else every % is doubled
            opts=options,
        )
    with Operations.context(context):
        try:
            getattr(revision.module, direction)()
        except Terminated:
            raise
        except SystemExit as error:
            raise NotOnlySQL("it ends the program") from error
    return statements.found


def function_of(revision: Script, direction: Direction) -> ast.AST:
    """Return the text of one step, as Python reads it."""
    found = [node for node in _tree_of(revision).body if isinstance(node, ast.FunctionDef) and node.name == direction]
    return found[-1] if found else ast.Module([], [])


def made(script: ScriptDirectory, dialect: str) -> set[Relation]:
    """Return everything that some revision makes or renames to, as far as the files say it without a database."""
    return {one for revision in script.walk_revisions() for one in _made_by(revision, dialect)}


def _made_by(revision: Script, dialect: str) -> frozenset[Relation]:
    of_this_file = (revision.path, migration_history.text_of(Path(revision.path)), dialect)
    if of_this_file not in _made:
        _made[of_this_file] = frozenset(_relations(_rendered(revision, "upgrade", dialect)))
    return _made[of_this_file]


_made: dict[tuple[str, str, str], frozenset[Relation]] = {}  # by path, text, dialect: a reset asks four times


def _relations(statements: Iterable[str]) -> Iterator[Relation]:
    for statement in statements:
        if match := _CREATE.match(statement):
            kind = " ".join(match["kind"].upper().split()).removeprefix("VIRTUAL ")
            if not (match["unless"] and kind in ("SCHEMA", "EXTENSION")):  # these may have been there before
                yield Relation(kind, _table_name(match["table"]))
        elif match := _RENAME_TABLE.match(statement):
            yield Relation("TABLE", _table_name(match["table"]))


def tables_made(script: ScriptDirectory, dialect: str) -> set[TableName]:
    """Return every table that some revision makes or renames to."""
    return {name for kind, name in made(script, dialect) if kind == "TABLE"}


_NAME = r"(?P<table>(?:[\"`][^\"`]+[\"`]|[\w$]+)(?:\.(?:[\"`][^\"`]+[\"`]|[\w$]+))?)"
_CREATE = re.compile(
    r"\s*CREATE (?:OR REPLACE )?(?:UNLOGGED )?(?P<kind>(?:VIRTUAL |FOREIGN )?TABLE|(?:MATERIALIZED )?VIEW|SEQUENCE"
    rf"|TYPE|DOMAIN|FUNCTION|PROCEDURE|AGGREGATE|SCHEMA|EXTENSION) (?P<unless>IF NOT EXISTS )?{_NAME}",
    re.I,
)
_RENAME_TABLE = re.compile(rf"\s*ALTER TABLE \S+ RENAME (?:TO )?(?!COLUMN\b){_NAME}", re.I)


class _Statements:
    """A buffer that Alembic writes one statement at a time into."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def write(self, text: str) -> None:
        if text.strip():
            self.found.append(text.strip().removesuffix(";"))

    def flush(self) -> None:
        """Nothing is held back."""


class NotOnlySQL(Exception):
    """A step that opens files, calls services or runs programs is run once, when it is its turn, and never to look."""


def _rendered(revision: Script, direction: Direction, dialect: str) -> list[str]:
    try:
        return render(revision, direction, dialect)
    except Exception:  # it cannot be run without its database: what its text says has to do
        return list(_as_written(function_of(revision, direction)))


def _as_written(function: ast.AST) -> Iterator[str]:
    """Yield the statements that can be read from a step's text, in the words that the patterns here look for."""
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
            named = {one.arg: str(one.value.value) for one in node.keywords if isinstance(one.value, ast.Constant)}
            prefix = f'"{named["schema"]}".' if named.get("schema", "None") != "None" else ""
            if node.func.attr == "create_table" and given:
                yield f'CREATE TABLE {prefix}"{given[0]}"'
            elif node.func.attr == "rename_table" and len(given) > 1:
                yield f'ALTER TABLE x RENAME TO {prefix}"{given[1]}"'


def _tree_of(revision: Script) -> ast.Module:
    return _parsed(migration_history.text_of(Path(revision.path)), revision.path)


@lru_cache(maxsize=128)
def _parsed(text: str, path: str) -> ast.Module:
    """Return a file's text as Python reads it, the same object for the same text: nobody changes it."""
    return ast.parse(text, filename=path)


_HARMLESS_MODULES = {"alembic", "sqlalchemy", "collections", "datetime", "decimal", "enum", "itertools", "json", "uuid"}
_HARMLESS_CALLS = {"dict", "enumerate", "int", "len", "list", "range", "set", "sorted", "str", "tuple", "zip"}


def _refuse_other_work(function: ast.AST, module: Sequence[ast.stmt]) -> None:
    """Refuse a step that calls anything but Alembic, SQLAlchemy, and what it made from them.

    Args:
        module: the statements of its file. What is named in other functions is nothing that this one can call.
    """
    harmless = set(_HARMLESS_CALLS)
    inside = [*ast.walk(function)]
    outside = (node for one in module if not isinstance(one, ast.FunctionDef) for node in ast.walk(one))
    for node in chain(outside, inside):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                harmless.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
                if not getattr(node, "level", 0) and name.partition(".")[0] in _HARMLESS_MODULES:
                    harmless.add(alias.asname or alias.name.partition(".")[0])
    for node in inside:
        if isinstance(node, ast.Call) and _root(node.func) not in harmless:
            raise NotOnlySQL(ast.unparse(node.func))


def _root(node: ast.expr) -> str:
    """Return the name that a dotted name, a call or a subscript begins with; a literal is harmless."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else "str"


def _table_name(text: str) -> TableName:
    parts = [_unquoted(part) for part in re.findall(r"[\"`][^\"`]+[\"`]|[\w$]+", text)]
    return TableName(parts[0] if len(parts) > 1 else None, parts[-1])


def _unquoted(name: str) -> str:
    return name.strip('"`')


# Reading files


def _paths(script: ScriptDirectory) -> list[Path]:
    folders = [Path(folder) for folder in script.version_locations or ()]
    return [path for folder in folders for path in sorted(folder.glob("*.py")) if not path.name.startswith((".", "__"))]


def _read(path: Path, root: Path) -> RevisionFile:
    try:
        tree = _parsed(migration_history.text_of(path), str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise CommandError(
            f"{_short(path, root)} cannot be read: {first_line(error)}", "correct it, then try again"
        ) from error
    values: dict[str, object] = {}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision") and node.value is not None:  # type: ignore[attr-defined]  # both kinds of assignment have a value
                values[target.id] = _constant(node.value)  # type: ignore[attr-defined]  # as above
    revision, parents = values.get("revision"), values.get("down_revision")
    if not isinstance(revision, str) or not revision:
        raise CommandError(
            f"{_short(path, root)} has no revision id",
            "write revision = '...' into it, or move it out of the folder",
        )
    named = (parents,) if isinstance(parents, str) else tuple(parents) if isinstance(parents, list | tuple) else ()
    return RevisionFile(path, revision, tuple(map(str, named)), tree)


def _constant(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _refuse_cycle(files: dict[str, RevisionFile], root: Path) -> None:
    done: set[str] = set()
    for start in files:
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            revision, leaving = stack.pop()
            if leaving:
                done.add(path.pop())
            elif revision in path:
                names = ", ".join(_short(files[one].path, root) for one in path[path.index(revision) :])
                raise CommandError(
                    f"these revisions come after each other in a circle: {names}", "correct down_revision"
                )
            elif revision not in done:
                path.append(revision)
                stack.append((revision, True))
                stack.extend((parent, False) for parent in files[revision].parents)


def _file_at_fault(error: BaseException, files: list[RevisionFile], root: Path) -> str:
    paths = {str(file.path): file.path for file in files}
    traceback, found = error.__traceback__, None
    while traceback is not None:
        found = paths.get(traceback.tb_frame.f_code.co_filename, found)
        traceback = traceback.tb_next
    return _short(found, root) if found else "a file in migrations/versions"


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
