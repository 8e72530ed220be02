"""mimesis and Core: dictionaries of a fast generator, one insert of them all."""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from mimesis import Datetime, Person

from project.models.student import Student

from . import run


def prepare(file: str, count: int) -> Callable[[], None]:
    engine = sa.create_engine(f"sqlite:///{file}")
    person, moment = Person(), Datetime()

    def work() -> None:
        rows = [
            {
                "name": person.full_name(),
                "email": f"student{number}@example.org",
                "grade": person.random.randint(1, 12),
                "birthday": moment.date(start=2008, end=2019),
                "enrolled_date": moment.datetime(start=2026, end=2026),
            }
            for number in range(count)
        ]
        with engine.begin() as connection:
            connection.execute(sa.insert(Student), rows)

    return work


if __name__ == "__main__":
    run(prepare)
