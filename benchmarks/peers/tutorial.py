"""The loop of every tutorial: Faker, one object of the ORM a row, one commit."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from faker import Faker
from sqlalchemy.orm import Session

from project.models.student import Student

from . import run


def prepare(file: str, count: int) -> Callable[[], None]:
    fake = Faker()
    engine = sa.create_engine(f"sqlite:///{file}")

    def work() -> None:
        with Session(engine) as session:
            for _ in range(count):
                student = Student(
                    name=fake.name(),
                    email=fake.unique.email(),
                    grade=fake.random_int(1, 12),
                    birthday=fake.date_of_birth(minimum_age=7, maximum_age=18),
                    enrolled_date=fake.date_time_this_year(),
                )
                session.add(student)
            session.commit()

    return work


if __name__ == "__main__":
    run(prepare)
