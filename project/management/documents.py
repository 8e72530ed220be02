"""What JSON and arrays hold, by the names of their columns: tags, roles, settings, an address, a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from .fields import Field
from .inferred import computed
from .numbering import Column
from .vocabulary import by_word, in_order, words_of

Make = Callable[[Random], Any]
MOST_ITEMS = 4

# What lists of such a name are made of.
_ITEMS: dict[str, Sequence[str]] = {
    name: in_order(items)
    for name, items in by_word(
        [
            ("tags labels keywords hashtags topics tag_list", "new sale popular featured urgent archive review draft"),
            ("roles groups teams", "admin editor member guest support finance"),
            ("permissions scopes privileges grants rights abilities capabilities", "read write delete share export"),
            ("languages locales", "en de fr es it pt ja"),
            ("currencies", "EUR USD GBP JPY CHF"),
            ("countries regions markets", "DE FR GB US JP BR IN"),
            ("colors colours palette", "red green blue black white grey"),
            ("sizes", "S M L XL"),
            ("categories genres subjects", "books music sports travel food science history"),
            ("skills", "python sql design writing sales statistics"),
            ("hobbies interests", "reading hiking cooking painting chess swimming"),
            ("features amenities facilities", "wifi parking pool kitchen balcony elevator"),
            ("ingredients allergens", "milk eggs wheat nuts soy salt sugar"),
            ("days weekdays", "monday tuesday wednesday thursday friday saturday sunday"),
            ("events event_types event_names triggers", "created updated deleted paid cancelled"),
            ("platforms devices", "web ios android desktop"),
            ("methods", "GET POST PUT DELETE"),
            ("emails recipients cc bcc", "ada@example.org alan@example.org grace@example.org"),
            (
                "urls links redirect_uris callback_urls",
                "https://example.org/ https://example.org/a https://example.com/",
            ),
            ("images photos pictures attachments files", "front.jpg back.jpg detail.png scan.pdf"),
            ("domains hosts hostnames origins allowed_origins", "example.org example.com example.net"),
            ("ips ip_addresses allowed_ips", "192.0.2.1 192.0.2.17 198.51.100.4 203.0.113.9"),
        ]
    ).items()
}
_ANYTHING = "first", "second", "third", "fourth"
_CITIES = "Berlin", "Lisbon", "Oslo", "Vienna", "Boston", "Osaka"

_OBJECTS: dict[str, Make] = by_word(
    [
        (
            "settings preferences prefs config configuration options",
            lambda random: {
                "theme": random.choice(("light", "dark")),
                "language": random.choice(_ITEMS["languages"]),
                "notifications": random.random() < 0.5,
                "page_size": random.choice((10, 25, 50, 100)),
            },
        ),
        (
            "address billing_address shipping_address home_address location",
            lambda random: {
                "street": f"{random.randint(1, 200)} Main Street",
                "city": random.choice(_CITIES),
                "postcode": f"{random.randint(10_000, 99_999)}",
            },
        ),
        (
            "geometry geojson point coordinates geo geom position",
            lambda random: {
                "type": "Point",
                "coordinates": [round(random.uniform(-180, 180), 5), round(random.uniform(-90, 90), 5)],
            },
        ),
        ("dimensions size", lambda random: {one: random.randint(1, 100) for one in ("width", "height", "depth")}),
        (
            "headers",
            lambda random: {
                "content-type": random.choice(("application/json", "text/html")),
                "accept-language": random.choice(_ITEMS["languages"]),
            },
        ),
        ("translations i18n", lambda random: {one: f"text {random.randint(1, 1000)}" for one in ("en", "de", "fr")}),
        (
            "error errors exception",
            lambda random: {"code": random.choice((400, 404, 409, 500)), "message": "something went wrong"},
        ),
        (
            "social_links social links",
            lambda random: {"website": "https://example.org/", "github": f"user{random.randint(1, 1000)}"},
        ),
    ]
)  # fmt: skip


def document(column: Column) -> Field:
    """Return what fills a column of JSON: a list where its name, or its default, asks for one."""
    default = getattr(column.default, "arg", None)
    name = words_of(column.name)
    if getattr(default, "__name__", "") == "list" or isinstance(default, list):
        return listing(column)
    if getattr(default, "__name__", "") != "dict" and not isinstance(default, dict) and items_of(column):
        return listing(column)
    make = _OBJECTS.get(name) or _OBJECTS.get(name.rpartition("_")[2]) or _object
    return computed("a small object", lambda random, number: make(random))


def listing(column: Column) -> Field:
    """Return what fills a column of JSON that wants lists."""
    items = items_of(column) or _ANYTHING
    most = min(MOST_ITEMS, len(items))
    return computed(
        f"lists of {', '.join(items[:3])} ...", lambda random, number: random.sample(items, random.randint(1, most))
    )


def items_of(column: Column) -> Sequence[str]:
    """Return what lists in a column are made of, by its name; nothing where that says nothing."""
    name = words_of(column.name)
    return _ITEMS.get(name) or _ITEMS.get(name.rpartition("_")[2]) or _ITEMS.get(column.name.lower(), ())


def _object(random: Random) -> dict[str, Any]:
    return {
        "id": random.randint(1, 10_000),
        "source": random.choice(("web", "mobile", "import", "api")),
        "active": random.random() < 0.5,
        "score": round(random.random() * 100, 1),
    }
