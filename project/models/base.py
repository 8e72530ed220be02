"""What every model shares: the metadata, the names of constraints, the character set."""

from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

# CHECK is left out on purpose: a check keeps the name it is given.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# MariaDB may default to latin1, which cannot hold most names of this world.
UTF8 = {"mariadb_charset": "utf8mb4", "mysql_charset": "utf8mb4"}


class Base(DeclarativeBase):
    """The base of every model."""

    metadata = MetaData(naming_convention=NAMES)

    def __init_subclass__(cls, **options: Any) -> None:
        declared = cls.__dict__.get("__table_args__", ())
        shares_table = "__tablename__" not in cls.__dict__ and any(
            "__table__" in vars(base) for base in cls.__mro__[1:]
        )
        if shares_table:
            pass
        elif isinstance(declared, dict):
            cls.__table_args__ = {**UTF8, **declared}
        elif isinstance(declared, tuple):
            *constraints, last = declared or ({},)
            named = {**UTF8, **last} if isinstance(last, dict) else UTF8
            cls.__table_args__ = (*constraints, *(() if isinstance(last, dict) else (last,)), named)
        super().__init_subclass__(**options)
