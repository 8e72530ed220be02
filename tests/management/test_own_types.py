"""Types of a project's own: what they take is told by their names, and by trying; what they store is what is made."""

from __future__ import annotations

import re

from tests.databases import Database
from tests.houses import House, Runner
from tests.management.test_schemas import IMPORTS

TYPES = """
import json
import uuid
from datetime import timezone
from ipaddress import ip_address

from sqlalchemy.dialects import mysql, postgresql


class Own(sa.TypeDecorator):
    impl = sa.Text
    cache_ok = True


class JsonEncodedDict(Own):
    def process_bind_param(self, value, dialect):
        if value is not None and not isinstance(value, dict):
            raise TypeError("a dict is wanted")
        return None if value is None else json.dumps(value)

    def process_result_value(self, value, dialect):
        return None if value is None else json.loads(value)


class Separated(Own):
    def process_bind_param(self, value, dialect):
        return None if value is None else ",".join(value)

    def process_result_value(self, value, dialect):
        return None if value is None else value.split(",")


class GUID(Own):
    impl = sa.CHAR

    def load_dialect_impl(self, dialect):
        of_own = postgresql.UUID() if dialect.name == "postgresql" else sa.CHAR(32)
        return dialect.type_descriptor(of_own)

    def process_bind_param(self, value, dialect):
        if value is None:
            return None
        value = value if isinstance(value, uuid.UUID) else uuid.UUID(value)
        return str(value) if dialect.name == "postgresql" else value.hex

    def process_result_value(self, value, dialect):
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class IPAddress(Own):
    impl = String

    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(postgresql.INET() if dialect.name == "postgresql" else String(39))


class Peer(Own):
    impl = String(39)

    def process_bind_param(self, value, dialect):
        return None if value is None else str(ip_address(value))

    def process_result_value(self, value, dialect):
        return None if value is None else ip_address(value)


class Moment(Own):
    impl = sa.DateTime

    def process_bind_param(self, value, dialect):
        if value is not None and value.tzinfo is None:
            raise ValueError("a zone is wanted")
        return value and value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value, dialect):
        return value and value.replace(tzinfo=timezone.utc)


class YesNo(Own):
    impl = sa.CHAR(1)

    def process_bind_param(self, value, dialect):
        return None if value is None else "Y" if value else "N"

    def process_result_value(self, value, dialect):
        return None if value is None else value == "Y"


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Numbered(Own):
    impl = sa.Integer

    def __init__(self, kind):
        super().__init__()
        self._kind = kind

    def process_bind_param(self, value, dialect):
        return None if value is None else value.value

    def process_result_value(self, value, dialect):
        return None if value is None else self._kind(value)


class Node(Base):
    __tablename__ = "nodes"
    __table_args__ = (sa.Index("ix_nodes_path", "path", mysql_length={"path": 100}),)

    id = sa.Column(String(36), primary_key=True, nullable=True, unique=True)
    extra = sa.Column(JsonEncodedDict, nullable=False)
    hops = sa.Column(Separated, nullable=False)
    guid = sa.Column(GUID, nullable=False, unique=True)
    access_ip = sa.Column(IPAddress)
    peer = sa.Column(Peer, nullable=False)
    seen = sa.Column(Moment, nullable=False)
    wanted = sa.Column(YesNo, nullable=False)
    colour = sa.Column(Numbered(Colour), nullable=False)
    path = sa.Column(sa.Text, nullable=False)
    long = sa.Column(sa.Text().with_variant(mysql.LONGTEXT(), "mysql"))
    content = sa.Column(sa.LargeBinary(65536))
    options = sa.Column(postgresql.JSON().with_variant(sa.JSON(), "sqlite", "mysql"))
    zone = sa.Column(String(40), default="north")
    disabled = sa.Column(sa.Boolean, default=False)
"""
LOOK = """
import uuid
from ipaddress import IPv4Address
for one in session.scalars(sa.select(Node)):
    kinds = type(one.extra), type(one.hops), type(one.guid), type(one.peer), type(one.wanted), type(one.colour)
    assert kinds == (dict, list, uuid.UUID, IPv4Address, bool, type(one.colour)), kinds
    assert one.seen.tzinfo and one.id and one.zone == "north" and one.disabled is not None
    assert all(len(hop) > 1 for hop in one.hops), one.hops
    assert one.access_ip is None or str(one.access_ip).count(".") == 3, one.access_ip
print(len({one.guid for one in session.scalars(sa.select(Node))}), "of them")
"""


def test_types_of_ones_own_are_made_as_they_store_and_filled_with_what_they_take(
    house: House, manage: Runner, database: Database
) -> None:
    house.write("project/models/own.py", IMPORTS + TYPES)
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Added nodes")
    manage.ok("migrate")
    assert "No errors" in manage.ok("check").out
    assert manage("makemigrations", "-m", "Nothing", "--check").code == 0

    manage.ok("seed", "nodes", "--count", "300")

    assert manage.ok("shell", "-c", LOOK).out.splitlines()[-1] == "300 of them"
    if database.kind == "mariadb":
        types = (
            "SELECT data_type FROM information_schema.columns WHERE table_schema = database() AND column_name = 'long'"
        )
        assert database.value(types) == "longtext"
        assert database.rows("SHOW INDEX FROM nodes WHERE Key_name = 'ix_nodes_path'")[0][7] == 100
    shown = manage.ok("seed", "nodes", "--list").out
    assert re.search(r"access_ip +Faker ipv4, 20% NULL +IPAddress column, nullable", shown)
    assert re.search(r"zone +always 'north' +the model's default", shown)


def test_a_type_that_takes_nothing_is_named(house: House, manage: Runner, sqlite_database: Database) -> None:
    strange = TYPES + "    odd = sa.Column(Strange, nullable=False)\n"
    strange = strange.replace(
        "class Node(Base)",
        "class Strange(Own):\n    def process_bind_param(self, value, dialect):\n"
        '        raise ValueError("nothing is right")\n\n\nclass Node(Base)',
    )
    house.write("project/models/own.py", IMPORTS + strange)
    manage.ok("migrate")
    manage.ok("makemigrations", "-m", "Added nodes")
    manage.ok("migrate")

    refused = manage("seed", "nodes")

    assert refused.code == 1
    assert re.fullmatch(
        r"manage.py: nodes.odd does not take '.*': its type Strange raises ValueError: nothing is right — give the "
        r"column a field in its seeder, or correct the type; --traceback shows the whole way\n",
        refused.err,
    )
