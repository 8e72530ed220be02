"""The students as Django has them."""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from django.db import models


class Student(models.Model):
    name = models.CharField(max_length=100, db_index=True)
    email = models.CharField(max_length=55, unique=True)
    grade = models.IntegerField()
    birthday = models.DateField()
    enrolled_date = models.DateTimeField()

    class Meta:
        db_table = "students"
