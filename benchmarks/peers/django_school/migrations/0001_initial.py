"""The table of the students."""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies: tuple[()] = ()
    operations = [
        migrations.CreateModel(
            "Student",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(db_index=True, max_length=100)),
                ("email", models.CharField(max_length=55, unique=True)),
                ("grade", models.IntegerField()),
                ("birthday", models.DateField()),
                ("enrolled_date", models.DateTimeField()),
            ],
            options={"db_table": "students"},
        )
    ]
