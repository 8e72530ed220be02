"""Django: objects with Faker's values, bulk_create in one transaction."""
# mypy: disable-error-code="import-not-found, import-untyped, misc, no-untyped-call"

from __future__ import annotations

from collections.abc import Callable

import django
from django.conf import settings
from django.db import models, transaction
from faker import Faker

from . import run


def prepare(file: str, count: int) -> Callable[[], None]:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": file}
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[], USE_TZ=False)
    django.setup()
    fake = Faker()

    class Student(models.Model):
        name = models.CharField(max_length=100, db_index=True)
        email = models.CharField(max_length=55, unique=True)
        grade = models.IntegerField()
        birthday = models.DateField()
        enrolled_date = models.DateTimeField()

        class Meta:
            app_label = "school"
            db_table = "students"
            managed = False  # the very table that the others fill

    def work() -> None:
        students = [
            Student(
                name=fake.name(),
                email=fake.unique.email(),
                grade=fake.random_int(1, 12),
                birthday=fake.date_of_birth(minimum_age=7, maximum_age=18),
                enrolled_date=fake.date_time_this_year(),
            )
            for _ in range(count)
        ]
        with transaction.atomic():
            Student.objects.bulk_create(students)

    return work


if __name__ == "__main__":
    run(prepare)
