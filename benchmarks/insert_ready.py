"""The least that puts 1,000 rows into a database from Python: import SQLAlchemy, insert ready rows with Core."""

import os
import pickle
import sys

import sqlalchemy as sa

names = ("name", "email", "grade", "birthday", "enrolled_date")
students = sa.table("students", *map(sa.column, names))
with open(sys.argv[1], "rb") as file:  # pathlib would cost an import
    rows = [dict(zip(names, row, strict=True)) for row in pickle.load(file)]
with sa.create_engine(os.environ["DATABASE_URL"]).begin() as connection:
    connection.execute(sa.insert(students), rows)
