"""Pupils, with a birthday that fits their grade."""

from datetime import date, timedelta

from project.management.seeding import Rows, Seeder, column
from project.models.student import Student


class StudentSeeder(Seeder):
    model = Student
    count = 100

    @column
    def birthday(self, rows: Rows) -> list[date]:
        """A pupil in grade g turns g + 6 within the school year."""
        born = rows.once("born", lambda: {grade: school_year(rows.today, grade + 6) for grade in range(1, 13)})
        return [born[grade][day] for grade, day in zip(rows["grade"], rows.integers(0, 364), strict=True)]


def school_year(today: date, age: int) -> list[date]:
    """Return the days on which those were born who come to an age in the school year that begins today."""
    first = today.replace(year=today.year - age)
    return [first + timedelta(day) for day in range(365)]
