"""What a model says of its columns: types, CHECK, UNIQUE, lengths and foreign keys become fields."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from .errors import CommandError, did_you_mean
from .fields import (
    Column,
    Field,
    at_least,
    between,
    choice,
    computed,
    constant,
    decimals,
    digit,
    fake,
    integer_range,
    last_year,
    maybe,
    numbered,
    reference,
    text,
    unique_email,
    unique_text,
)

NULL_SHARE = 0.2

# Column name -> Faker provider, where the provider is not simply called like the column.
SYNONYMS = {
    "full_name": "name",
    "firstname": "first_name",
    "given_name": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "family_name": "last_name",
    "username": "user_name",
    "login": "user_name",
    "phone": "phone_number",
    "telephone": "phone_number",
    "mobile": "phone_number",
    "street": "street_address",
    "zip": "postcode",
    "zip_code": "postcode",
    "zipcode": "postcode",
    "postal_code": "postcode",
    "organization": "company",
    "employer": "company",
    "occupation": "job",
    "profession": "job",
    "job_title": "job",
    "website": "url",
    "homepage": "url",
    "mail": "email",
    "title": "catch_phrase",
    "subject": "catch_phrase",
    "headline": "catch_phrase",
    "description": "paragraph",
    "body": "paragraph",
    "comment": "sentence",
    "note": "sentence",
    "notes": "sentence",
    "summary": "sentence",
    "bio": "paragraph",
    "color": "color_name",
    "colour": "color_name",
}
# Providers that share a name with a column that means something else.
NOT_PROVIDERS = {"format", "json", "binary", "zip", "tar", "image", "seed", "random", "add_provider", "text", "enum"}


@dataclass(frozen=True)
class Plan:
    """How a column is filled, and why; without a field it is left to the database."""

    field: Field | None
    why: str
    declared: bool = False

    @property
    def how(self) -> str:
        return self.field.description if self.field else "the database"


@dataclass
class Bounds:
    """What the CHECK constraints of a table say of one column."""

    low: Any = None
    high: Any = None
    options: list[Any] | None = None
    after: str | None = None  # the column that this one is at least as large as
    strictly: bool = False
    names: list[str] = field(default_factory=list)

    @property
    def why(self) -> str:
        return "CHECK " + ", ".join(dict.fromkeys(self.names)) if self.names else ""


@dataclass(frozen=True)
class Key:
    """Columns that together may not repeat, and what says so."""

    columns: tuple[Column, ...]
    why: str


def plan_table(table: sa.Table, declared: Mapping[str, Plan]) -> dict[str, Plan]:
    """Return how each column of a table is filled: as declared, else as the model says it."""
    bounds = read_checks(table)
    plans = {
        column.name: declared.get(column.name) or _plan(column, bounds.get(column.name, Bounds()))
        for column in table.columns
    }
    for key in keys_of(table, declared):
        _make_unique(key, plans, bounds)
    return plans


def keys_of(table: sa.Table, declared: Container[str] = ()) -> Iterator[Key]:
    """Yield every key of a table but those the database numbers itself because nothing is declared for them."""
    primary = tuple(table.primary_key.columns)
    if primary and not any(_is_numbered_by_database(one) and one.name not in declared for one in primary):
        yield Key(primary, "PRIMARY KEY")
    for constraint in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, sa.UniqueConstraint):
            yield Key(tuple(constraint.columns), f"UNIQUE {constraint.name or ''}".strip())
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        if index.unique:
            yield Key(tuple(index.columns), f"UNIQUE {index.name or ''}".strip())


def read_checks(table: sa.Table) -> dict[str, Bounds]:
    """Return what can be read of a table's CHECK constraints, by column; the rest is left to the database."""
    found: dict[str, Bounds] = {}
    for constraint in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, sa.CheckConstraint):
            for condition in _conditions(str(constraint.sqltext)):
                _read_condition(condition, table, found, str(constraint.name or constraint.sqltext))
    _pass_on(found)
    return found


def _pass_on(found: dict[str, Bounds]) -> None:
    """Let the bounds of columns that are compared with each other hold for both: 1 <= lowest <= highest <= 12."""
    for larger in list(found.values()):
        if larger.after is None:
            continue
        smaller = found.setdefault(larger.after, Bounds())
        known = larger.low if larger.low is not None else larger.high
        step = 1 if larger.strictly and isinstance(known, int) else 0
        if larger.high is not None:
            highest: Any = larger.high
            highest = highest - step if step else highest
            smaller.high = highest if smaller.high is None else min(smaller.high, highest)
            smaller.names += larger.names
        if smaller.low is not None:
            lowest: Any = smaller.low
            lowest = lowest + step if step else lowest
            larger.low = lowest if larger.low is None else max(larger.low, lowest)


# Columns one by one


def _plan(column: Column, bounds: Bounds) -> Plan:
    if _is_numbered_by_database(column):
        return Plan(None, "identity")
    if column.computed is not None:
        return Plan(None, "computed")
    if column.foreign_keys:
        return _plan_reference(column)
    filled = _by_check(column, bounds) or _by_name(column)
    if filled is None and column.server_default is not None:
        return Plan(None, "server default")
    filled = filled or _by_type(column)
    if column.nullable and filled.field is not None:
        return Plan(maybe(filled.field, NULL_SHARE), f"{filled.why}, nullable")
    return filled


def _plan_reference(column: Column) -> Plan:
    key = min(column.foreign_keys, key=lambda one: one.target_fullname)
    why = f"FOREIGN KEY to {key.column.table.fullname}"
    if key.column.table is column.table and column.nullable:
        return Plan(constant(None), f"{why}, itself")
    refers = reference(key.column.table)
    return Plan(maybe(refers, NULL_SHARE), f"{why}, nullable") if column.nullable else Plan(refers, why)


def _by_check(column: Column, bounds: Bounds) -> Plan | None:
    if bounds.options is not None:
        return Plan(choice(*bounds.options), bounds.why)
    if not bounds.names:
        return None
    span = _span(column, bounds)
    if span is None:
        return None
    filled = _number(column, *span)
    if bounds.after is not None and isinstance(filled, between):
        filled = at_least(bounds.after, filled, more=bounds.strictly)
    return Plan(filled, bounds.why)


def _span(column: Column, bounds: Bounds) -> tuple[Any, Any] | None:
    """Return a lowest and highest value within the bounds, near the one that is given when the other is not."""
    if isinstance(column.type, sa.Integer | sa.Numeric | sa.Float):
        widest = _widest(column)
        low = max(widest[0], bounds.low) if bounds.low is not None else None
        high = min(widest[1], bounds.high) if bounds.high is not None else None
        if low is None:
            low = min(0, high - 1000) if high is not None else 0
        if high is None:
            high = min(max(1000, low + 1000), widest[1])
        return (low, high) if low <= high else None
    if isinstance(column.type, sa.Date | sa.DateTime) and bounds.low is not None and bounds.high is not None:
        return bounds.low, bounds.high
    return None


def _widest(column: Column) -> tuple[Any, Any]:
    if isinstance(column.type, sa.Integer):
        return integer_range(column)
    scale, precision = _scale(column), getattr(column.type, "precision", None) or 10
    most = Decimal(10) ** (precision - scale) - Decimal(1).scaleb(-scale)
    return -most, most


def _number(column: Column, low: Any, high: Any) -> Field:
    if isinstance(column.type, sa.Numeric | sa.Float):
        as_float = not column.type.asdecimal
        return decimals(Decimal(str(low)), Decimal(str(high)), _scale(column), as_float=as_float)
    return between(low, high)


def _scale(column: Column) -> int:
    scale = getattr(column.type, "scale", None)
    return 2 if scale is None else int(scale)


def _by_name(column: Column) -> Plan | None:
    name = column.name.lower()
    if isinstance(column.type, sa.Date | sa.DateTime):
        if name.endswith(("_date", "_at", "_on")) or name in ("date", "created", "updated", "timestamp"):
            return Plan(last_year(), f"the column is called {column.name}")
        return None
    if not isinstance(column.type, sa.String) or isinstance(column.type, sa.Enum):
        return None
    provider = SYNONYMS.get(name, name)
    if provider in NOT_PROVIDERS or not _is_provider(provider):
        return None
    if column.server_default is not None:
        return None
    return Plan(fake(provider), f"the column is called {column.name}")


def _is_provider(name: str) -> bool:
    from faker.proxy import Faker

    method = None if name.startswith("_") else getattr(_plain_faker(Faker), name, None)
    if not callable(method):
        return False
    try:
        return isinstance(method(), str)
    except (TypeError, ValueError, AttributeError):  # a method that wants arguments is no provider of texts
        return False


def _plain_faker(make: Any, kept: list[Any] = []) -> Any:  # noqa: B006  # made once, and only when asked for
    if not kept:
        kept.append(make())
        kept[0].seed_instance(0)
    return kept[0]


def _by_type(column: Column) -> Plan:
    kind = column.type
    why = f"{type(kind).__name__} column"
    if isinstance(kind, sa.Boolean):
        return Plan(choice(False, True), why)
    if isinstance(kind, sa.Enum):
        return Plan(choice(list(kind.enum_class) if kind.enum_class else list(kind.enums)), why)
    if isinstance(kind, sa.Integer):
        return Plan(between(0, 1000), why)
    if isinstance(kind, sa.Numeric | sa.Float):
        low, high = _span(column, Bounds()) or (0, 1)
        return Plan(_number(column, low, high), why)
    if isinstance(kind, sa.String):
        return Plan(text(), why)
    if isinstance(kind, sa.Date | sa.DateTime):
        return Plan(last_year(), why)
    if isinstance(kind, sa.Time):
        return Plan(choice([time(minute // 60, minute % 60) for minute in range(24 * 60)]), why)
    if isinstance(kind, sa.Interval):
        return Plan(between(timedelta(minutes=1), timedelta(days=30)), why)
    if isinstance(kind, sa.Uuid):
        as_uuid = bool(kind.as_uuid)
        return Plan(
            computed("a UUID", lambda random, number: _uuid(random.getrandbits(76), number, as_uuid), unique=True), why
        )
    if isinstance(kind, sa.LargeBinary):
        length = kind.length or 16
        return Plan(computed(f"{length} bytes", lambda random, number: random.randbytes(length)), why)
    if isinstance(kind, sa.JSON):
        return Plan(computed("a small object", lambda random, number: {"number": number}), why)
    return Plan(None, f"{why}: nothing is known to fill it with")


def _uuid(bits: int, number: int, as_uuid: bool) -> UUID | str:
    """Return a version 4 UUID whose last 48 bits are the row number, so never twice."""
    made = UUID(int=(bits << 48 | number) & (1 << 128) - 1, version=4)
    return made if as_uuid else str(made)


def _is_numbered_by_database(column: Column) -> bool:
    if column.identity is not None:
        return True
    return column is column.table.autoincrement_column and not column.foreign_keys


# Keys


def _make_unique(key: Key, plans: dict[str, Plan], bounds: Mapping[str, Bounds]) -> None:
    """Change the plans of a key's columns so that no combination comes twice, by construction."""
    fields = [_inner(plans[column.name].field) for column in key.columns]
    if any(field is None or field.is_unique(column) for field, column in zip(fields, key.columns, strict=True)):
        return
    free = [column for column in key.columns if not plans[column.name].declared and not column.foreign_keys]
    for column in free:
        unique = _unique(column, plans, bounds.get(column.name))
        if unique is not None:
            plans[column.name] = Plan(unique, f"{key.why}{_length(column)}")
            return
    present = tuple(field for field in fields if field is not None)
    if all(_can_be_listed(field) for field in present):
        for place, column in enumerate(key.columns):
            why = ", ".join(filter(None, (plans[column.name].why, key.why)))
            plans[column.name] = Plan(digit(key.columns, present, place), why, plans[column.name].declared)


def _unique(column: Column, plans: Mapping[str, Plan], bounds: Bounds | None) -> Field | None:
    if bounds is not None and bounds.names:
        return None
    if isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum):
        if "mail" not in column.name.lower():
            return unique_text()
        names = [name for name, plan in plans.items() if isinstance(plan.field, fake) and plan.field.provider == "name"]
        return unique_email(names[0] if names else None)
    if isinstance(column.type, sa.Integer):
        return numbered()
    return None


def _can_be_listed(field: Field) -> bool:
    return type(field).domain is not Field.domain and not isinstance(field, digit)


def _inner(field: Field | None) -> Field | None:
    return field.field if isinstance(field, maybe) else field


def _length(column: Column) -> str:
    length = getattr(column.type, "length", None)
    return f", at most {length} characters" if length else ""


# CHECK expressions


def _conditions(sql: str) -> list[Any]:
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, into=exp.Condition)
    except sqlglot.errors.SqlglotError:
        return []  # left to the database
    return list(tree.flatten() if isinstance(tree, exp.And) else [tree])


def _read_condition(node: Any, table: sa.Table, found: dict[str, Bounds], name: str) -> None:
    from sqlglot import exp

    node = node.unnest()
    if isinstance(node, exp.And):
        for one in node.flatten():
            _read_condition(one, table, found, name)
        return
    if isinstance(node, exp.Between):
        _compare(node.this, "<=", node.args["high"], table, found, name)
        _compare(node.this, ">=", node.args["low"], table, found, name)
    elif isinstance(node, exp.In) and isinstance(node.this, exp.Column) and node.expressions:
        column = _column(node.this, table)
        values = [_value(one, column) for one in node.expressions] if column is not None else [None]
        if column is not None and None not in values:
            bounds = found.setdefault(column.name, Bounds())
            bounds.options = [one for one in values if bounds.options is None or one in bounds.options]
            bounds.names.append(name)
    else:
        for kind, sign in ((exp.LTE, "<="), (exp.LT, "<"), (exp.GTE, ">="), (exp.GT, ">"), (exp.EQ, "=")):
            if type(node) is kind:
                _compare(node.this, sign, node.expression, table, found, name)


_MIRRORED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "=": "="}


def _compare(left: Any, sign: str, right: Any, table: sa.Table, found: dict[str, Bounds], name: str) -> None:
    one, other = _column(left, table), _column(right, table)
    if one is None and other is not None:
        one, other, left, right, sign = other, None, right, left, _MIRRORED[sign]
    if one is None:
        return
    if other is not None:
        if sign in ("<=", "<"):
            one, other, sign = other, one, _MIRRORED[sign]
        bounds = found.setdefault(one.name, Bounds())
        if sign != "=":
            bounds.after, bounds.strictly = other.name, sign == ">"
            bounds.names.append(name)
        return
    value = _value(right, one)
    if value is None:
        return
    bounds = found.setdefault(one.name, Bounds())
    bounds.names.append(name)
    step = _step(one) if sign in ("<", ">") else None
    if sign == "=":
        bounds.options = [value]
    elif sign.startswith("<"):
        value = value if step is None else value - step
        bounds.high = value if bounds.high is None else min(bounds.high, value)
    else:
        value = value if step is None else value + step
        bounds.low = value if bounds.low is None else max(bounds.low, value)


def _step(column: Column) -> Any:
    if isinstance(column.type, sa.Integer):
        return 1
    if isinstance(column.type, sa.Numeric | sa.Float):
        return Decimal(1).scaleb(-_scale(column))
    return timedelta(seconds=1) if isinstance(column.type, sa.DateTime) else timedelta(days=1)


def _column(node: Any, table: sa.Table) -> Column | None:
    from sqlglot import exp

    node = node.unnest() if hasattr(node, "unnest") else node
    if isinstance(node, exp.Cast):
        node = node.this
    return next(
        (c for c in table.columns if isinstance(node, exp.Column) and c.name.lower() == node.name.lower()), None
    )


def _value(node: Any, column: Column | None) -> Any:
    """Return a literal as the column's Python type; None when it is something else."""
    from sqlglot import exp

    node = node.unnest()
    negative = isinstance(node, exp.Neg)
    node = node.this if negative else node
    if isinstance(node, exp.Cast):
        node = node.this
    if isinstance(node, exp.Boolean):
        return node.this
    if not isinstance(node, exp.Literal) or column is None:
        return None
    try:
        return _typed(node.this, negative, column)
    except (ValueError, ArithmeticError):  # a literal of another type: the database will say what it means
        return None


def _typed(literal: str, negative: bool, column: Column) -> Any:
    if isinstance(column.type, sa.Integer):
        return -int(literal) if negative else int(literal)
    if isinstance(column.type, sa.Numeric | sa.Float):
        return -Decimal(literal) if negative else Decimal(literal)
    if isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(literal)
    return date.fromisoformat(literal) if isinstance(column.type, sa.Date) else literal


# What a seeder declares against what the model says


def conflicts(table: sa.Table, declared: Mapping[str, Plan], methods: Sequence[str]) -> Iterator[str]:
    """Yield what a seeder declares that could not be stored, naming the column and the constraint."""
    known = {column.name for column in table.columns}
    for name in [*declared, *methods]:
        if name not in known:
            yield f"{table.fullname} has no column {name!r}.{did_you_mean(name, sorted(known))}"
    bounds = read_checks(table)
    for name, plan in declared.items():
        if name in known and plan.field is not None:
            yield from _conflicts(table.columns[name], plan.field, bounds.get(name, Bounds()))
    plans = plan_table(table, {name: plan for name, plan in declared.items() if name in known})
    for key in keys_of(table, declared):
        fields = [plans[column.name].field for column in key.columns]
        once = any(
            one is None or isinstance(one, digit) or _inner(one).is_unique(column) or type(one).limit is not Field.limit  # type: ignore[union-attr]  # None was asked first
            for one, column in zip(fields, key.columns, strict=True)
        )
        if not once and not any(column.name in methods for column in key.columns):
            names = ", ".join(column.name for column in key.columns)
            yield f"{table.fullname}.{names} may not repeat ({key.why}), and what is declared could"


def _conflicts(column: Column, field: Field, bounds: Bounds) -> Iterator[str]:
    where = f"{column.table.fullname}.{column.name}"
    if field.may_be_null() and not column.nullable:
        yield f"{where} can be NULL as declared and is NOT NULL"
    values = field.values() or ()
    span = field.span() or ()
    for value in [*values, *(one for one in span if one is not None)]:
        why = forbids(column, bounds, value)
        if why:
            yield f"{where} can be {_short(value)} as declared, which {why}"
            return


def forbids(column: Column, bounds: Bounds, value: Any) -> str:
    """Return why a value may not stand in a column, as the end of a sentence; nothing when it may."""
    kind = column.type
    if value is None:
        return "" if column.nullable else "is NOT NULL"
    wanted = _wanted_types(kind)
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
        return f"is no value of {type(kind).__name__}"
    length = getattr(kind, "length", None)
    if isinstance(kind, sa.String) and isinstance(value, str) and isinstance(length, int) and len(value) > length:
        return f"is {len(value)} characters long and the column holds {length}"
    if isinstance(kind, sa.Integer):
        low, high = integer_range(column)
        if not low <= value <= high:
            return f"is outside {type(kind).__name__}"
    elif isinstance(kind, sa.Numeric) and kind.precision and abs(value) > _widest(column)[1]:
        return f"is outside {type(kind).__name__}({kind.precision}, {_scale(column)})"
    outside = (
        (bounds.options is not None and value not in bounds.options)
        or (bounds.low is not None and _less(value, bounds.low))
        or (bounds.high is not None and _less(bounds.high, value))
    )
    return f"{bounds.why} forbids" if outside else ""


def refuse_values(column: Column, bounds: Bounds, values: Sequence[Any], first: int, source: str) -> None:
    """Refuse a block's values that a constraint of their column forbids; `first` is the number of the first row.

    Raises:
        CommandError: naming table, column, row, value and constraint.
    """
    try:
        different: Iterable[Any] = set(values)
    except TypeError:  # lists, dictionaries: no constraint that can be read speaks of them
        return
    wrong = {value: why for value in different if (why := forbids(column, bounds, value))}
    if wrong:
        place = next(number for number, value in enumerate(values) if value in wrong)
        raise CommandError(
            f"{column.table.fullname}.{column.name} would be {_short(values[place])} in row {first + place + 1:,},"
            f" which {wrong[values[place]]}. Nothing of it was kept",
            f"correct {source}",
        )


def _wanted_types(kind: Any) -> tuple[type, ...]:
    """Return the Python types that a column of one of the plain types takes; none for any other."""
    for plain, types in _PLAIN_TYPES:
        if isinstance(kind, plain):
            return types
    return ()


_PLAIN_TYPES: tuple[tuple[Any, tuple[type, ...]], ...] = (
    (sa.Enum, ()),
    (sa.Boolean, (bool,)),
    (sa.Integer, (int,)),
    (sa.Numeric, (int, float, Decimal)),
    (sa.DateTime, (datetime, date)),  # a date is its first moment
    (sa.Date, (date,)),
    (sa.String, (str,)),
)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _less(one: Any, other: Any) -> bool:
    try:
        return bool(one < other)
    except TypeError:  # other types: the database will compare them
        return False
