"""polyfactory: a factory of the ORM's objects, with Faker where the type says too little."""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import sqlalchemy as sa
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from sqlalchemy.orm import Session

from project.models.student import Student

from . import run


class StudentFactory(SQLAlchemyFactory[Student]):
    __set_primary_key__ = False

    @classmethod
    def name(cls) -> str:
        return str(cls.__faker__.name())

    @classmethod
    def email(cls) -> str:
        return str(cls.__faker__.unique.email())

    @classmethod
    def grade(cls) -> int:
        return int(cls.__random__.randint(1, 12))

    @classmethod
    def birthday(cls) -> date:
        found: date = cls.__faker__.date_of_birth(minimum_age=7, maximum_age=18)
        return found


def prepare(file: str, count: int) -> Callable[[], None]:
    engine = sa.create_engine(f"sqlite:///{file}")

    def work() -> None:
        with Session(engine) as session:
            StudentFactory.__session__ = session
            StudentFactory.create_batch_sync(count)

    return work


if __name__ == "__main__":
    run(prepare)
