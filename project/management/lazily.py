"""SQLAlchemy, imported when something of it is first used: that takes longer than all that some commands do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sqlalchemy
else:

    class _Module:
        """A module that is imported when an attribute of it is asked for."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            value = getattr(import_module(self._name), name)
            setattr(self, name, value)  # found at once from now on
            return value

    sqlalchemy = _Module("sqlalchemy")
