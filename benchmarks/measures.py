"""What is measured, against what, and what is to be reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .databases import KINDS
from .house import ROOT
from .resets import Clone, DjangoReset, Dslr, Reset
from .variants import Loading, Peer, Process, Variant, fresh, migrated, no_database
from .workshop import Load

TITLES = {kind: databases.title for kind, databases in KINDS.items()}
SIZES = {"100k": 100_000, "1m": 1_000_000}
PEERS = {
    "tutorial Faker + ORM": "tutorial",
    "factory_boy": "factory_boy",
    "Django bulk_create + Faker": "django_bulk",
    "polyfactory": "polyfactory",
    "mimesis + Core": "mimesis",
}


@dataclass(frozen=True)
class Goal:
    """What one variant is to reach against another.

    speed: rows a second of `ours` over those of `against`, at least the limit. faster: seconds of `against` over those
    of `ours`, at least the limit. time: seconds of `ours` over those of `against`, at most the limit. memory: peak MiB
    of `ours` above that of `against`, at most the limit. milliseconds: those of `ours`, at most the limit.
    """

    against: str
    limit: float
    kind: Literal["speed", "faster", "time", "memory", "milliseconds"] = "speed"
    ours: str = "ours"


@dataclass(frozen=True)
class Measure:
    """Variants that are run in turn, round after round."""

    name: str
    title: str
    rows: int
    variants: tuple[Variant, ...]
    goals: tuple[Goal, ...]
    rounds: float = 1.0  # times the rounds of the run: short ones are repeated more, long ones less
    quick: bool = False


def choose(names: Sequence[str], *, quick: bool) -> list[Measure]:
    """Return the measures of these names, those of a quick run, or all.

    Raises:
        KeyError: there is none of a name.
    """
    known = {one.name: one for one in every()}
    return [known[name] for name in names] or [one for one in known.values() if one.quick or not quick]


def every() -> Iterator[Measure]:
    """Yield every measure."""
    yield from _students()
    yield from _top_ups()
    yield from _enrollments()
    yield from _inferred()
    yield from _peers()
    yield from _memory()
    yield from _processes()
    yield from _resets()
    yield from _clones()


def _students() -> Iterator[Measure]:
    wanted = {
        "sqlite": (Goal("L1", 0.85),),
        "postgresql": (Goal("L1", 0.85), Goal("L0", 1.6)),
        "mariadb": (Goal("L0", 0.85), Goal("L0", 0.55, ours="ours without files")),
    }
    for kind, goals in wanted.items():
        ways = ("L0", "ours", "ours without files") if kind == "mariadb" else ("L0", "L1", "ours")
        for size in ("100k",) if kind == "mariadb" else ("100k", "1m"):
            load = Load(kind, "students", SIZES[size])
            name, title = f"students-{kind}-{size}", f"students into {TITLES[kind]}, {size}"
            yield Measure(name, title, load.rows, _loadings(load, *ways), goals, quick=size == "100k")


def _top_ups() -> Iterator[Measure]:
    for kind, title in TITLES.items():
        load = Load(kind, "students", SIZES["100k"], existing=SIZES["1m"])
        text = f"top-up of 100k students into 1m, {title}"
        yield Measure(f"topup-{kind}", text, load.rows, _loadings(load, "L0", "ours"), (Goal("L0", 0.8),))


def _enrollments() -> Iterator[Measure]:
    for kind, title in TITLES.items():
        load = Load(kind, "enrollments", SIZES["100k"], students=SIZES["100k"])
        text = f"enrollments into {title}, 100k"
        yield Measure(f"enrollments-{kind}", text, load.rows, _loadings(load, "L0", "ours"), (Goal("L0", 0.6),))


def _inferred() -> Iterator[Measure]:
    for kind in ("sqlite", "postgresql"):
        load = Load(kind, "products", SIZES["100k"], inferred=True)
        text = f"an inferred model of 8 columns into {TITLES[kind]}, 100k"
        yield Measure(f"inferred-{kind}", text, load.rows, _loadings(load, "L0", "ours"), (Goal("L0", 0.5),))


def _peers() -> Iterator[Measure]:
    load = Load("sqlite", "students", 10_000)
    peers = tuple(Peer(name, module, load.rows) for name, module in PEERS.items())
    goals = tuple(Goal(name, 4 if module == "mimesis" else 50) for name, module in PEERS.items())
    ours = Loading("ours", load)
    yield Measure("peers-10k", "10k students into SQLite", load.rows, (ours, *peers), goals, quick=True)
    load = Load("sqlite", "students", SIZES["100k"])
    drizzle = Peer("drizzle-seed", "drizzle", load.rows)
    variants, goals = (Loading("ours", load), drizzle), (Goal("drizzle-seed", 6),)
    yield Measure("drizzle-100k", "100k students into SQLite", load.rows, variants, goals)


def _memory() -> Iterator[Measure]:
    for kind, title in TITLES.items():
        variants = tuple(
            Process(f"seed --count {count}", ("manage.py", "seed", "--count", str(count)), fresh(kind), drop=True)
            for count in (1000, 1_000_000)
        )
        small, large = (one.name for one in variants)
        goal = Goal(small, 300 if kind == "sqlite" else 40, "memory", ours=large)
        yield Measure(f"memory-{kind}", f"peak memory on {title}", 1_000_000, variants, (goal,), rounds=0.2)


def _processes() -> Iterator[Measure]:
    load = Load("sqlite", "students", 1000)
    script = str(ROOT / "benchmarks" / "insert_ready.py")
    ready = Process("1,000 ready rows with Core", (script,), fresh("sqlite"), drop=True, ready=load)
    for name, tables in (("process-seed", ()), ("process-seed-students", ("students",))):
        command = ("manage.py", "seed", *tables, "--count", "1000")
        ours = Process("ours", command, fresh("sqlite"), drop=True)
        yield _process(name, " ".join(command[1:]), (ours, ready), 1.5)
    heavy = ("sqlalchemy", "alembic", "faker")
    helping = Process("ours", ("manage.py", "help"), no_database, unwanted=heavy)
    nothing = Process("python -c pass", ("-c", "pass"), no_database)
    yield _process("process-help", "help", (helping, nothing), 2.5)
    migrating = Process("ours", ("manage.py", "migrate"), migrated("sqlite"))
    alembic = Process("alembic upgrade head", ("-m", "alembic", "upgrade", "head"), migrated("sqlite"))
    yield _process("process-migrate", "migrate with nothing to do", (migrating, alembic), 1.05)


def _resets() -> Iterator[Measure]:
    wanted: dict[str, dict[str, float]] = {"sqlite": {"100k": 3, "1m": 8}, "postgresql": {"100k": 2.5, "1m": 5}}
    for kind, sizes in wanted.items():
        for size, limit in sizes.items():
            rows, title = SIZES[size], f"reset on {TITLES[kind]}, {size}"
            variants: list[Variant] = [Reset("ours", kind, rows), Reset("reset --rebuild", kind, rows, rebuild=True)]
            goals = [Goal("reset --rebuild", limit, "faster")]
            if kind == "postgresql":
                variants.append(Dslr("dslr restore", rows))
                goals.append(Goal("dslr restore", 1, "faster"))
            rounds = 1.0 if size == "100k" else 0.6
            yield Measure(f"reset-{kind}-{size}", title, 0, tuple(variants), tuple(goals), rounds, size == "100k")
    rows = SIZES["100k"]
    work = (Reset("ours", "sqlite", rows, whole=False), Reset("rebuilding", "sqlite", rows, rebuild=True, whole=False))
    title = "reset on SQLite, 100k, without imports"
    yield Measure("reset-work", title, 0, work, (Goal("rebuilding", 20, "faster"),))
    django = "Django flush, migrate, loaddata"
    peers = (Reset("ours", "sqlite", 10_000), DjangoReset(django, 10_000))
    yield Measure("reset-django-10k", "reset on SQLite, 10k", 0, peers, (Goal(django, 20, "faster"),))


def _clones() -> Iterator[Measure]:
    for kind, limit in {"sqlite": 10, "postgresql": 150, "mariadb": 150}.items():
        building = "reset --rebuild"
        variants = (Clone("ours", kind, 1_000), Reset(building, kind, 1_000, rebuild=True))
        title = f"a clone for one test on {TITLES[kind]}, 1k"
        yield Measure(f"clone-{kind}", title, 0, variants, (Goal(building, limit, "milliseconds"),))


def _process(name: str, title: str, variants: tuple[Process, Process], limit: float) -> Measure:
    goals = (Goal(variants[1].name, limit, "time"),)
    return Measure(name, f"whole process: {title}", 0, variants, goals, rounds=3, quick=True)


def _loadings(load: Load, *ways: str) -> tuple[Variant, ...]:
    return tuple(Loading(way, load) for way in ways)
