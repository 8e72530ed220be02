"""Copies of a PostgreSQL database for a role that can make none on the server: dumps in `.snapshots/`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CommandError, first_line
from ..lazily import sqlalchemy as sa
from .copies import CannotCopy, Copy, Describe, Keep
from .folders import FolderCopies, data_of, sync

if TYPE_CHECKING:
    from .postgresql import PostgreSQL

DATA = "dump.sql"
PROGRAMS = ("pg_dump", "pg_restore", "psql")
_END_WITHIN = 5  # seconds for a program that is told to end


class PostgreSQLDumps(FolderCopies):
    """What pg_dump wrote, without what only others than the database's owner could run; psql puts it back.

    https://www.postgresql.org/docs/current/app-pgdump.html
    """

    backend: PostgreSQL
    data = DATA

    def __init__(self, backend: PostgreSQL) -> None:
        self.server = f"{', '.join(backend.hosts())}:{backend.address.port or os.environ.get('PGPORT') or 5432}"
        super().__init__(backend, backend.database, backend.database)

    def save(self, name: str, describe: Describe, *, all_of_it: bool = False) -> None:
        waits = f"--lock-wait-timeout={round(self.backend.patience * 1000)}"
        with self._making() as making, self.backend.engine().connect() as live:
            live.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            archive, contents = making / "archive", making / "contents"
            moment = live.scalar(sa.text("SELECT pg_export_snapshot()"))
            _refuse_foreign(live)
            self._dump("pg_dump", "--format=custom", "--compress=0", "--no-sync", "--no-subscriptions", "--no-password",
                       waits, f"--snapshot={moment}", f"--file={archive}")  # fmt: skip
            self._dump("pg_restore", "--list", f"--file={contents}", str(archive))
            listed = contents.read_text("utf-8", "surrogateescape")
            contents.write_text("".join(_ours(live, listed.splitlines(True))), "utf-8", "surrogateescape")
            whole = "--single-transaction"  # else it would commit after each large object
            self._dump("pg_restore", whole, f"--use-list={contents}", f"--file={making / DATA}", str(archive))
            about = describe(live)  # after pg_dump: who waits for a table that was read here would be in its way
            archive.unlink()
            contents.unlink()
            sync(making / DATA)
            self._complete(making, name, about)

    def restore(self, copy: Copy, keep: Keep | None, same: Copy | None = None) -> bool:
        def keep_before() -> None:
            if keep is not None:
                self.save(keep.name, lambda _: keep.about)

        with self.backend.engine().connect() as connection, self.backend.lock(connection):
            _refuse_foreign(connection)
            connection.rollback()
            self._refuse_damaged(copy)
            self.backend.end_idle_readers(connection)
            self._load(Path(copy.place, DATA), keep_before)
        return keep is not None

    def is_same(self, one: Copy, other: Copy) -> bool:
        with data_of(Path(one.place, DATA)) as first, data_of(Path(other.place, DATA)) as second:
            return all(
                line == then or (line.startswith(_KEYS) and then.startswith(_KEYS))
                for line, then in zip_longest(first, second, fillvalue=b"")
            )

    def _load(self, dump: Path, locked: Callable[[], None]) -> None:
        """Put a dump in the place of all there is, in the one transaction that the dump's last line commits.

        psql reads it to its end, whoever ends this program.

        Args:
            locked: is called when nobody can change a row any more, and nothing is dropped yet.
        """
        if not shutil.which("psql"):
            raise CannotCopy("the program psql is not installed", "install the client of PostgreSQL")
        options = ("--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose")
        given = (f"--set=dump={dump}", f"--output={os.devnull}")  # it goes on where nobody reads what it says
        steps = ("--command=BEGIN", f"--command={_LOCK}", f"--command=\\echo {_LOCKED}", "--file=-")

        def go_on(psql: subprocess.Popen[bytes]) -> bytes:
            assert psql.stdout is not None
            if psql.stdout.readline().decode().strip() != _LOCKED:
                return b""  # it has ended
            locked()
            return f"{_DROP.strip()};\n\\i :dump\n".encode()

        done, said = self._run("psql", *options, *given, *steps, asked=go_on)
        if done:
            return
        errors = _SAID.findall(said)  # warnings, and then what it ended with
        state, words = errors[-1] if errors else (None, said.removeprefix("psql: error: "))
        error = sa.exc.DBAPIError("", {}, _Said(state, words))
        raise self.backend.explain(error) or CommandError(
            f"{self.backend.label} stays as it was; the snapshot was refused: {first_line(_Said(state, words))}",
            "correct that, then run the command again",
        )

    def _dump(self, *command: str) -> None:
        done, said = self._run(*command)
        if done:
            return
        if waited_too_long(said):
            raise self.backend.in_the_way()
        if "No space left on device" in said:
            raise CommandError(f"{self.folder} cannot be written: No space left on device", "make room there")
        if "version mismatch" in said and (versions := _VERSIONS.search(said)):
            raise CannotCopy(
                f"pg_dump {versions[2]} is older than the server, PostgreSQL {versions[1]}",
                "install the client of that version",
            )
        said = said.partition("ERROR:")[2] or said.removeprefix(f"{command[0]}: error: ")
        words = first_line(Exception(said.partition("\n")[0]))
        raise CannotCopy(f"{command[0]} cannot copy {self.owner}: {words}", "correct that, then run the command again")

    def _run(self, *command: str, asked: Callable[[subprocess.Popen[bytes]], bytes] | None = None) -> tuple[bool, str]:
        """Run a program of PostgreSQL's; return whether it did what it is for, and what it said.

        Args:
            asked: returns what it reads.
        """
        wait = f"-c lock_timeout={round(self.backend.patience * 1000)} -c client_min_messages=warning"
        with (
            self.backend.watching_program() as given,
            subprocess.Popen(  # noqa: S603  # ours
                command,
                env={**given, "PGOPTIONS": f"{given.get('PGOPTIONS', '')} {wait}".strip()},
                stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
                stdout=subprocess.PIPE if asked else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as child,
        ):
            try:
                said = child.communicate(asked and asked(child))[1].decode(errors="replace").strip()
            except BaseException:  # Ctrl-C: what runs on its own would go on
                end(child)
                raise
        return child.returncode == 0, said or f"{command[0]} ended with {child.returncode}"


def waited_too_long(said: str) -> bool:
    """Return whether this is what pg_dump says of a table that somebody has locked."""
    return "statement timeout" in said and "LOCK TABLE" in said


class _Said(Exception):
    """What psql says of an error, as a driver would have it."""

    def __init__(self, state: str | None, words: str) -> None:
        super().__init__(words)
        self.sqlstate = state


def end(child: subprocess.Popen[bytes]) -> None:
    """End a program, which on SIGINT ends its statement on the server too."""
    child.terminate() if os.name == "nt" else child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_END_WITHIN)
    child.kill()


def _refuse_foreign(connection: sa.Connection) -> None:
    """Refuse to copy what could not be dropped and made again.

    Raises:
        CannotCopy: naming the first of it, and whose it is.
    """
    for what, owner in connection.execute(sa.text(_FOREIGN)):
        raise CannotCopy(f"{what} belongs to {owner}: it could not be put back", "let one role own all there is")


def _ours(connection: sa.Connection, listed: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a dump's contents, but those of what stays there when a dump is put back."""
    schemas: Collection[str] = set(connection.scalars(sa.text(_STAYING)))
    tables: Collection[int] = set(connection.scalars(sa.text(_EXTENSION_TABLES)))
    for line in listed:
        if (found := _LINE.match(line)) is None:
            yield line
            continue
        of_extension = found["of"] == "EXTENSION" or (found["data"] and int(found["oid"]) in tables)
        if not of_extension and found["schema"] not in schemas:
            yield line


# With these lines a dump begins and ends, and each with another key: https://www.postgresql.org/docs/current/app-psql.html
_KEYS = (b"\\restrict ", b"\\unrestrict ")
_VERSIONS = re.compile(r"server version: ([\w.]+).*pg_dump version: ([\w.]+)")
_SAID = re.compile(r"^(?:psql:.*?:\d+: )?\w+:\s+([0-9A-Z]{5}): (.*)$", re.MULTILINE)
# `3459; 0 0 COMMENT - SCHEMA app ada`: https://www.postgresql.org/docs/current/app-pgrestore.html
_LINE = re.compile(
    r"\d+; \d+ (?P<oid>\d+) (?:"
    r"COMMENT - (?P<of>EXTENSION) .*"
    r"|(?P<data>TABLE DATA) .*"
    r"|(?:SCHEMA -|(?:COMMENT|ACL|SECURITY LABEL) - SCHEMA) (?P<schema>.*)"
    r")\n"
)
_NOT_OF_EXTENSION = """NOT EXISTS (
    SELECT FROM pg_depend e WHERE e.classid = {0}.classid AND e.objid = {0}.objid AND e.deptype = 'e'
)"""
_SOMEBODYS = "nspname <> 'information_schema' AND nspname !~ '^pg_'"
# Schemas that are not dropped: who has only the database could not make them again.
_STAYS = """(nspname = 'public' OR NOT pg_has_role(nspowner, 'USAGE')
    OR EXISTS (SELECT FROM pg_extension x WHERE x.extnamespace = n.oid))"""
_STAYING = f"""
SELECT nspname || ' ' || pg_get_userbyid(nspowner) FROM pg_namespace n
WHERE {_SOMEBODYS} AND {_STAYS} AND NOT (nspname = 'public' AND pg_has_role(nspowner, 'USAGE'))
"""  # noqa: S608  # ours
_EXTENSION_TABLES = "SELECT CAST(unnest(extconfig) AS bigint) FROM pg_extension"
_FOREIGN = f"""
WITH made(classid, objid, owner, schema) AS (
    SELECT 'pg_class'::regclass, oid, relowner, relnamespace FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, pronamespace FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typowner, typnamespace FROM pg_type WHERE typtype IN ('d', 'e', 'r')
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner, 'public'::regnamespace FROM pg_event_trigger
    UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner, 'public'::regnamespace FROM pg_publication
)
SELECT pg_describe_object(classid, objid, 0), pg_get_userbyid(owner)
FROM made JOIN pg_namespace n ON n.oid = made.schema
WHERE {_SOMEBODYS} AND NOT pg_has_role(owner, 'USAGE') AND {_NOT_OF_EXTENSION.format("made")} LIMIT 1
"""  # noqa: S608  # ours
_LOCKED = "locked"
WRITABLE = """
SELECT CAST(c.oid::regclass AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') ORDER BY c.oid
"""
# As `wait_for_writers` does: of who has not committed yet a dump has nothing.
_LOCK = f"""
DO $lock$
BEGIN
    EXECUTE (SELECT coalesce('LOCK TABLE ' || string_agg(name, ', ') || ' IN SHARE ROW EXCLUSIVE MODE', 'SELECT 1')
        FROM ({WRITABLE}) AS o(name));
END
$lock$
"""  # noqa: S608  # ours
# All that is nobody's extension: schemas with what is in them, then what is in those that stay, tables first.
_DROP = f"""
DO $drop$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY ARRAY(
        SELECT format('DROP EVENT TRIGGER %I', evtname) FROM (
            SELECT 'pg_event_trigger'::regclass AS classid, oid AS objid, evtname FROM pg_event_trigger
        ) AS o WHERE {_NOT_OF_EXTENSION.format("o")}
    ) || ARRAY(
        SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
    ) || ARRAY(
        SELECT format('DROP SERVER %I CASCADE', srvname) FROM (
            SELECT 'pg_foreign_server'::regclass AS classid, oid AS objid, srvname FROM pg_foreign_server
        ) AS o WHERE {_NOT_OF_EXTENSION.format("o")}
    ) || ARRAY(
        SELECT format('SELECT lo_unlink(%s)', oid) FROM pg_largeobject_metadata
    ) || ARRAY(
        SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM (
            SELECT 'pg_namespace'::regclass AS classid, n.oid AS objid, nspname FROM pg_namespace n
            WHERE {_SOMEBODYS} AND NOT {_STAYS}
        ) AS o WHERE {_NOT_OF_EXTENSION.format("o")}
    ) || ARRAY(
        SELECT format('DROP %s IF EXISTS %s CASCADE', CASE i.type WHEN 'statistics object' THEN 'STATISTICS'
            WHEN 'function' THEN 'ROUTINE' WHEN 'procedure' THEN 'ROUTINE' WHEN 'aggregate' THEN 'ROUTINE'
            ELSE upper(i.type) END, i.identity)
        FROM pg_namespace n
        JOIN pg_depend o ON o.refclassid = 'pg_namespace'::regclass AND o.refobjid = n.oid AND o.deptype = 'n'
        CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) AS i
        WHERE {_SOMEBODYS} AND {_STAYS} AND o.classid <> 'pg_extension'::regclass AND {_NOT_OF_EXTENSION.format("o")}
        ORDER BY i.type NOT LIKE '%table', i.type NOT LIKE '%view'
    ) || ARRAY(
        SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s %s',
            pg_get_userbyid(defaclrole), ' IN SCHEMA ' || quote_ident(nspname), step.words)
        FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
        CROSS JOIN LATERAL (SELECT CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
            WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END) AS of(kind)
        CROSS JOIN LATERAL (
            SELECT 1, format('REVOKE ALL ON %s FROM %s', kind, grantee_name) FROM (
                SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
                FROM aclexplode(defaclacl)
            ) AS given(grantee_name)
            UNION ALL SELECT 2, format('GRANT ALL ON %s TO %I', kind, pg_get_userbyid(defaclrole)) WHERE nspname IS NULL
            UNION ALL SELECT 3, format('GRANT %s ON %s TO PUBLIC', CASE kind WHEN 'TYPES' THEN 'USAGE'
                ELSE 'EXECUTE' END, kind) WHERE nspname IS NULL AND kind IN ('TYPES', 'FUNCTIONS')
        ) AS step(number, words)
        WHERE pg_has_role(defaclrole, 'USAGE') AND (n.oid IS NULL OR ({_SOMEBODYS} AND {_STAYS}))
        ORDER BY d.oid, step.number
    ) LOOP
        EXECUTE statement;
    END LOOP;
END
$drop$
"""  # noqa: S608  # ours
