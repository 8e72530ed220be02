"""factory_boy: a factory of the ORM's objects, create_batch."""
# mypy: disable-error-code="attr-defined, import-not-found, import-untyped, misc, no-untyped-call"

from __future__ import annotations

from collections.abc import Callable

import factory
import sqlalchemy as sa
from sqlalchemy.orm import Session

from project.models.student import Student

from . import run


class StudentFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = Student

    name = factory.Faker("name")
    email = factory.Sequence(lambda number: f"student{number}@example.org")
    grade = factory.Faker("random_int", min=1, max=12)
    birthday = factory.Faker("date_of_birth", minimum_age=7, maximum_age=18)
    enrolled_date = factory.Faker("date_time_this_year")


def prepare(file: str, count: int) -> Callable[[], None]:
    StudentFactory.build()  # imports what Faker imports
    engine = sa.create_engine(f"sqlite:///{file}")

    def work() -> None:
        with Session(engine) as session:
            StudentFactory._meta.sqlalchemy_session = session
            StudentFactory.create_batch(count)
            session.commit()

    return work


if __name__ == "__main__":
    run(prepare)
