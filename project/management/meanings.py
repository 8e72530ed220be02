"""What the names of columns and tables mean: the Faker provider, or the range of numbers, that a name asks for."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from .outcomes import LOCALE, faker_of
from .types import length_of

# Column name -> Faker provider, where the provider is not simply called like the column.
_TEXTS = {
    "full_name": "name",
    "fullname": "name",
    "contact_name": "name",
    "customer_name": "name",
    "employee_name": "name",
    "author": "name",
    "contact": "name",
    "recipient": "name",
    "firstname": "first_name",
    "given_name": "first_name",
    "middle_name": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "family_name": "last_name",
    "username": "user_name",
    "login": "user_name",
    "nickname": "user_name",
    "nick": "user_name",
    "handle": "user_name",
    "phone": "phone_number",
    "telephone": "phone_number",
    "mobile": "phone_number",
    "fax": "phone_number",
    "cell": "phone_number",
    "street": "street_address",
    "address1": "street_address",
    "address_line1": "street_address",
    "address_line_1": "street_address",
    "line1": "street_address",
    "address2": "secondary_address",
    "address_line2": "secondary_address",
    "address_line_2": "secondary_address",
    "line2": "secondary_address",
    "town": "city",
    "province": "state",
    "zip": "postcode",
    "zip_code": "postcode",
    "zipcode": "postcode",
    "postal_code": "postcode",
    "postalcode": "postcode",
    "company_name": "company",
    "organization": "company",
    "organisation": "company",
    "employer": "company",
    "vendor": "company",
    "supplier": "company",
    "manufacturer": "company",
    "publisher": "company",
    "occupation": "job",
    "profession": "job",
    "position": "job",
    "job_title": "job",
    "website": "url",
    "homepage": "url",
    "link": "url",
    "image": "image_url",
    "avatar": "image_url",
    "photo": "image_url",
    "ip": "ipv4",
    "ip_address": "ipv4",
    "mac": "mac_address",
    "useragent": "user_agent",
    "mail": "email",
    "email_address": "email",
    "title": "catch_phrase",
    "subject": "catch_phrase",
    "headline": "catch_phrase",
    "slogan": "catch_phrase",
    "product_name": "catch_phrase",
    "color": "color_name",
    "colour": "color_name",
    "currency": "currency_code",
    "language": "language_name",
    "lang": "language_code",
    "name_prefix": "prefix",
    "salutation": "prefix",
    "honorific": "prefix",
    "name_suffix": "suffix",
    "filename": "file_name",
    "file": "file_name",
    "path": "file_path",
    "file_path": "file_path",
    "mimetype": "mime_type",
    "content_type": "mime_type",
    "tz": "timezone",
    "time_zone": "timezone",
    "barcode": "ean13",
    "ean": "ean13",
    "isbn": "isbn13",
    "bic": "swift",
    "gtin": "ean13",
    "upc": "ean13",
    "uuid": "uuid4",
    "guid": "uuid4",
    "uid": "uuid4",
    "external_id": "uuid4",
    "public_id": "uuid4",
    "domain": "domain_name",
    "host": "hostname",
    "country_name": "country",
    "lat": "latitude",
    "lng": "longitude",
    "lon": "longitude",
}
# By these codes a short column is meant, of this length.
_CODES = {
    ("country", 2): "country_code",
    ("country_code", 2): "country_code",
    ("country_code", 3): "country_code_3",
    ("country", 3): "country_code_3",
    ("state", 2): "state_abbr",
    ("province", 2): "state_abbr",
    ("currency", 3): "currency_code",
    ("currency_code", 3): "currency_code",
    **{("language", size): "language_code" for size in range(2, 11)},
}
# Names of digests, and the provider by how many characters there are.
_DIGESTS = {"hash", "digest", "checksum", "fingerprint", "signature", "token", "secret", "nonce", "etag", "sha"}
_DIGEST_OF = {64: "sha256", 40: "sha1", 32: "md5"}
# Codes and numbers that are texts: the last words of a name, and what they are like, the longest there is room for.
_LIKE = {
    **dict.fromkeys(("code", "sku", "ref", "reference", "serial"), ("AAA-000000", "AA-0000", "A0000")),
    **dict.fromkeys(("number", "no", "num", "nr"), ("00000000", "000000", "00000")),
    **dict.fromkeys(("last4", "last_4", "last_four"), ("0000",)),
    **dict.fromkeys(("vat", "vat_id", "vat_no", "vat_number"), ("EU000000000", "000000000")),
    **dict.fromkeys(("ein", "tax_id", "tax_number"), ("00-0000000", "000000000")),
}
_PROVIDERS = {*_TEXTS.values(), *_CODES.values(), *_DIGEST_OF.values()}
# Names of texts in sentences.
_SENTENCES = {
    "description", "body", "comment", "comments", "note", "notes", "remark", "remarks", "summary", "bio", "content",
    "message", "text", "abstract", "about", "details", "excerpt", "review", "reason", "feedback", "caption",
}  # fmt: skip
# The last word of a longer name that means the same as alone: billing_city, home_phone.
_LAST_WORDS = {
    "city", "country", "phone", "telephone", "mobile", "fax", "email", "mail", "url", "website", "zip", "postcode",
    "zipcode", "street", "address", "state", "province", "company", "color", "colour", "currency", "username", "title",
    "description", "notes", "note", "comment", "comments", "remarks", "summary", "bio", "message", "text", "reason",
    "firstname", "lastname", "filename", "timezone", "lang", "ip", "iban", "bic", "isbn", "ssn", "vin", "uuid", "guid",
}  # fmt: skip
# Providers that share a name with a column that means something else, or are no single text.
_NOT_PROVIDERS = {
    "format", "json", "binary", "zip", "tar", "image", "seed", "random", "add_provider", "text", "enum", "code", "key",
    "slug_", "status", "type", "kind", "value", "label", "grade", "word", "prefix", "suffix", "bs", "id", "factories",
    "xml", "csv", "dsv", "psv", "tsv", "items", "optional", "unique", "locales", "weights", "pyobject", "date", "time",
}  # fmt: skip
_PEOPLE = {
    "person", "people", "user", "student", "pupil", "teacher", "employee", "customer", "client", "author", "member",
    "patient", "doctor", "nurse", "player", "artist", "actor", "contact", "staff", "guest", "driver", "owner", "parent",
    "instructor", "professor", "lecturer", "manager", "agent", "attendee", "participant", "reader", "writer", "singer",
    "friend", "profile", "account_holder", "borrower", "worker", "candidate", "applicant", "speaker", "director",
    "passenger", "pilot", "coach", "child", "human", "citizen", "subscriber", "recipient", "sender", "seller", "buyer",
    "mayor", "tutor", "mentor", "trainer", "musician", "composer", "editor", "reviewer", "visitor", "tenant_user",
}  # fmt: skip
# Columns that only people have.
_OF_PEOPLE = {
    "email", "first_name", "last_name", "birthday", "birthdate", "birth_date", "date_of_birth", "dob", "age", "gender",
    "sex", "username", "password", "phone", "mobile", "salary", "hired_on", "hire_date", "job_title",
}  # fmt: skip
# What the rows of a table are called, where it says of what kind their names are.
_NAMES_OF = {
    "company": "company",
    "organization": "company",
    "organisation": "company",
    "supplier": "company",
    "vendor": "company",
    "manufacturer": "company",
    "publisher": "company",
    "brand": "company",
    "employer": "company",
    "shop": "company",
    "store": "company",
    "restaurant": "company",
    "hotel": "company",
    "city": "city",
    "town": "city",
    "country": "country",
    "state": "state",
    "province": "state",
    "region": "state",
    "color": "color_name",
    "colour": "color_name",
    "language": "language_name",
    "currency": "currency_name",
    "job": "job",
    "file": "file_name",
    "attachment": "file_name",
    "document": "file_name",
    "product": "catch_phrase",
    "item": "catch_phrase",
    "project": "catch_phrase",
    "course": "catch_phrase",
    "book": "catch_phrase",
    "album": "catch_phrase",
    "movie": "catch_phrase",
    "film": "catch_phrase",
    "event": "catch_phrase",
    "campaign": "catch_phrase",
    "department": "bs",
    "category": "bs",
    "team": "bs",
}
# Names of several words as some write them, without anything between.
_JOINED = {
    one.replace("_", ""): one
    for one in (
        *_TEXTS,
        "phone_number",
        "email_address",
        "credit_card_number",
        "first_name",
        "last_name",
        "company_name",
    )
    if "_" in one
}
# Of a table with one of these in its columns' names a state is a part of a country, else it is how far something is.
_OF_ADDRESSES = {"city", "town", "zip", "zipcode", "postcode", "postal", "postalcode", "country", "street", "address",
                 "addresses", "states"}  # fmt: skip
UUID_LENGTH = 36
# The few words that there are of something: as long as there is room for.
_STATUSES = (("new", "active", "done"),)
_OPTIONS = {
    "status": _STATUSES,
    "state": _STATUSES,
    "gender": (("female", "male", "non-binary"), ("female", "male", "other"), ("F", "M", "X")),
    "sex": (("female", "male"), ("F", "M")),
}
# What happens to few: a column called deleted_at is empty in most rows.
_RARE = {
    "deleted", "voided", "archived", "cancelled", "canceled", "discontinued", "discontinue", "removed", "disabled",
    "banned", "blocked", "suspended", "revoked", "rejected", "terminated", "died", "death", "deceased",
}  # fmt: skip
_NUMBERS: dict[str, tuple[int, int]] = {
    "age": (18, 90),
    "year": (1970, 2026),
    "month": (1, 12),
    "day": (1, 28),
    "hour": (0, 23),
    "minute": (0, 59),
    "quantity": (1, 100),
    "qty": (1, 100),
    "stock": (0, 500),
    "count": (0, 100),
    "number": (1, 1000),
    "capacity": (10, 500),
    "price": (1, 1000),
    "cost": (1, 1000),
    "amount": (1, 1000),
    "total": (1, 5000),
    "subtotal": (1, 5000),
    "fee": (1, 200),
    "tax": (0, 200),
    "balance": (0, 10_000),
    "salary": (30_000, 120_000),
    "wage": (15, 80),
    "budget": (1_000, 500_000),
    "discount": (0, 50),
    "percent": (0, 100),
    "pct": (0, 100),
    "weekday": (0, 6),
    "percentage": (0, 100),
    "rate": (0, 100),
    "rating": (1, 5),
    "stars": (1, 5),
    "score": (0, 100),
    "priority": (1, 5),
    "level": (1, 10),
    "position": (1, 100),
    "rank": (1, 100),
    "order": (1, 100),
    "weight": (1, 200),
    "height": (1, 250),
    "width": (1, 250),
    "depth": (1, 250),
    "length": (1, 250),
    "size": (1, 100),
    "duration": (1, 240),
    "minutes": (1, 240),
    "hours": (1, 24),
    "days": (1, 30),
    "seconds": (1, 3600),
    "pages": (20, 900),
    "latitude": (-90, 90),
    "lat": (-90, 90),
    "longitude": (-180, 180),
    "lng": (-180, 180),
    "lon": (-180, 180),
    "floor": (0, 20),
    "credits": (1, 10),
    "port": (1024, 65535),
    "version": (1, 20),
    "likes": (0, 1000),
    "views": (0, 10_000),
}
# What a number is counted in, behind what it is of.
_UNITS = {"kg", "g", "lb", "lbs", "cm", "mm", "usd", "eur", "gbp", "pct"}
_OF_BODIES = {"weight_kg": (45, 120), "height_cm": (150, 200)}
_MONEY = {
    "price", "cost", "amount", "total", "subtotal", "fee", "tax", "balance", "salary", "wage", "budget", "discount",
}  # fmt: skip
_TO_COME = re.compile(r"(^|_)(expir(es|e|y|ation)|valid_(until|to|thru|through)|renews)(_|$)")
_BIRTHDAYS = {"birthday", "birthdate", "birth_date", "date_of_birth", "dob", "born", "born_on"}
# What comes before what: of two columns whose names differ in these words only, the second is not the smaller one.
_IN_ORDER = [
    ("created", "updated"), ("created", "modified"), ("created", "changed"), ("created", "deleted"),
    ("created", "published"), ("created", "completed"), ("created", "closed"), ("created", "resolved"),
    ("created", "shipped"), ("start", "end"), ("start", "due"), ("start", "expire"), ("start", "expires"),
    ("starts", "ends"), ("available", "discontinue"),
    ("started", "ended"), ("started", "finished"), ("started", "completed"), ("begin", "end"), ("begins", "ends"),
    ("start", "finish"), ("start", "stop"), ("starts", "finishes"),
    ("from", "to"), ("from", "until"), ("opened", "closed"), ("opens", "closes"), ("open", "close"), ("hired", "left"),
    ("checkin", "checkout"), ("in", "out"), ("ordered", "shipped"), ("ordered", "delivered"), ("shipped", "delivered"),
    ("order", "ship"), ("order", "shipped"), ("order", "required"), ("issued", "expires"), ("issue", "due"),
    ("borrowed", "returned"), ("departure", "arrival"), ("min", "max"), ("minimum", "maximum"), ("lowest", "highest"),
    ("low", "high"),
]  # fmt: skip


def words_of(name: str) -> str:
    """Return a name in small letters with underscores: BillingCity is billing_city, from_ is from."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def text_provider(column: sa.Column[Any]) -> str | None:
    """Return the Faker provider of texts that a column's name asks for; "sentences" for words in sentences."""
    name = words_of(column.name)
    length = length_of(column)
    for word in _spellings(name):
        if code := _CODES.get((word, length or 0)):
            return code
        if word in ("state", "province") and not _has_place(column):
            return None
        if word.rpartition("_")[2] in _DIGESTS:
            return next((one for size, one in _DIGEST_OF.items() if size <= (length or size)), None)
        if word in ("prefix", "suffix"):
            return word if name_provider(column.table) == "name" else None
        if word in _SENTENCES:
            return "sentences"
        if word in _TEXTS:
            return _TEXTS[word]
        if word == "name":
            return name_provider(column.table)
        if word in _PROVIDERS:
            return word
        if word not in _NOT_PROVIDERS and _is_provider(word):
            return word
    if name.endswith("_name"):
        return name_provider_of(name.removesuffix("_name"))
    return "uuid4" if length == UUID_LENGTH else None


def _spellings(name: str) -> Iterator[str]:
    """Yield how a name may be known: as it is, by its last words, and as words that are written together."""
    yield name
    words = name.split("_")
    for start in range(1, len(words)):
        last = "_".join(words[start:])
        if last in (_LAST_WORDS if start == len(words) - 1 else _TEXTS):
            yield last
    if (joined := _JOINED.get(name)) is not None:
        yield joined


def _has_place(column: sa.Column[Any]) -> bool:
    """Return whether a table holds addresses, in which a state is a part of a country."""
    names = [{*words_of(one.name).split("_")} for one in (column.table, *column.table.columns)]
    return any(words & _OF_ADDRESSES and not words & {"ip", "mac", "email"} for words in names)


def is_rare(column: sa.Column[Any]) -> bool:
    """Return whether a column says by its name what few rows have, as a moment of deletion."""
    return bool(_RARE & {*words_of(column.name).split("_")})


def options(column: sa.Column[Any]) -> tuple[str, ...]:
    """Return the few words that a text holds by its name, as how far a thing is, where it has room for them."""
    word, room = words_of(column.name).rpartition("_")[2], length_of(column) or 1_000
    return next((words for words in _OPTIONS.get(word, ()) if room >= max(map(len, words))), ())


def places(column: sa.Column[Any]) -> list[str] | None:
    """Return the characters at each place of a code or a number that is a text; None where it is none by its name."""
    room, words = length_of(column) or 1_000, words_of(column.name).split("_")
    known = (_LIKE.get("_".join(words[-count:])) for count in (2, 1))
    for one in next(filter(None, known), ()):
        if len(one) <= room:
            return [{"A": string.ascii_uppercase, "0": string.digits}.get(place, place) for place in one]
    return None


def name_provider(table: sa.Table | Any) -> str:
    """Return the provider of a column called name: of people, unless the table is one of other things."""
    thing = name_provider_of(_singular(words_of(table.name)))
    if thing is not None:
        return thing
    return "name" if {words_of(column.name) for column in table.columns} & _OF_PEOPLE else "catch_phrase"


def name_provider_of(thing: str) -> str | None:
    """Return the provider of names of a kind of thing; None when nothing is known of it."""
    for word in (thing, thing.rpartition("_")[2]):
        if word in _NAMES_OF:
            return _NAMES_OF[word]
        if word in _PEOPLE:
            return "name"
    return None


def numbers(column: sa.Column[Any]) -> tuple[int, int] | None:
    """Return the range that a column's name asks for; None when it asks for none."""
    name = words_of(column.name)
    if name in _OF_BODIES and name_provider(column.table) == "name":
        return _OF_BODIES[name]
    thing, _, unit = name.rpartition("_")
    thing = thing if unit in _UNITS else name
    for word in (name, thing, thing.rpartition("_")[2]):
        if word in _NUMBERS:
            return _NUMBERS[word]
    return None


def is_money(column: sa.Column[Any]) -> bool:
    """Return whether a number is by its name an amount of money, which has two places."""
    return not _MONEY.isdisjoint(words_of(column.name).split("_"))


def twin(column: sa.Column[Any]) -> tuple[sa.Column[Any], str] | None:
    """Return the column that this one holds in another case by its name, and which: username, lower for username_lower.

    None where it has no room for that, or is NOT NULL and the other is not.
    """
    name, _, case = words_of(column.name).rpartition("_")
    other = next((one for one in column.table.columns if words_of(one.name) == name), None)
    if case not in ("lower", "upper") or other is None or not isinstance(other.type, sa.String):
        return None
    fits = (length_of(other) or math.inf) <= (length_of(column) or math.inf) and (column.nullable or not other.nullable)
    return (other, case) if fits and isinstance(column.type, sa.String) else None


def days(column: sa.Column[Any], today: date) -> tuple[date, date] | None:
    """Return the first and last day that a column's name asks for, where it is not the last year."""
    name = words_of(column.name)
    if name in _BIRTHDAYS:
        return date(today.year - 75, 1, 1), date(today.year - 18, 1, 1)
    return (today + timedelta(days=1), today + timedelta(days=730)) if _TO_COME.search(name) else None


def comes_before(column: sa.Column[Any]) -> sa.Column[Any] | None:
    """Return the column of the same table that this one is by its name not smaller than: start_date for end_date."""
    words = words_of(column.name).split("_")
    names = {words_of(one.name): one for one in column.table.columns}
    for first, second in _IN_ORDER:
        if second in words:
            other = names.get("_".join(first if word == second else word for word in words))
            if other is not None and other is not column and type(other.type) is type(column.type):
                return other
    return None


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith(("ses", "xes", "ches", "shes")):
        return name[:-2]
    return name.removesuffix("s") if not name.endswith("ss") else name


def _is_provider(name: str) -> bool:
    """Return whether Faker has a provider of this name that gives texts without being told anything."""
    if name.startswith("_") or not any(hasattr(one, name) for one in _provider_classes()):
        return False
    method = getattr(faker_of(LOCALE), name, None)
    try:
        return callable(method) and isinstance(method(), str)
    except (TypeError, ValueError, AttributeError):  # a method that wants arguments is no provider of texts
        return False


@cache
def _provider_classes() -> list[type]:
    """Return what every locale's providers derive from: a whole Faker takes much longer to make."""
    from faker.config import PROVIDERS

    return [import_module(one).Provider for one in PROVIDERS]
