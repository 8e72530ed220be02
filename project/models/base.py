"""What every model shares: the metadata, the names of constraints, the character set."""

from sqlalchemy import MetaData, Table, event
from sqlalchemy.orm import DeclarativeBase

# CHECK is left out on purpose: a check keeps the name it is given.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every model."""

    metadata = MetaData(naming_convention=NAMES)


@event.listens_for(Table, "after_parent_attach")
def _hold_every_language(table: Table, metadata: MetaData) -> None:
    """MariaDB may default to latin1, which cannot hold most names of this world."""
    if metadata is Base.metadata:
        for dialect in ("mariadb", "mysql"):
            table.dialect_kwargs.setdefault(f"{dialect}_charset", "utf8mb4")
