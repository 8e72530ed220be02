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
        days = [timedelta(day) for day in range(365)]
        first = {grade: rows.today.replace(year=rows.today.year - grade - 6) for grade in range(1, 13)}
        born = rows.once("born", lambda: {grade: [first[grade] + day for day in days] for grade in first})
        return [born[grade][day] for grade, day in zip(rows["grade"], rows.integers(0, 364), strict=True)]
