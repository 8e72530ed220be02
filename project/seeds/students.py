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
        return [
            date(rows.today.year - grade - 6, rows.today.month, rows.today.day) + timedelta(days=day)
            for grade, day in zip(rows["grade"], rows.integers(0, 364), strict=True)
        ]
