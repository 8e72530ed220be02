"""Show what is in the database: tables, row counts, and three students."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from project.management.console import columns, plural
from project.management.project import Project
from project.models.student import Student


def handle(project: Project) -> None:
    console = project.console
    with project.connect() as connection, Session(connection) as session:
        tables = project.metadata.sorted_tables
        counts = [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]
        rows = [[table.name, plural(count, "row")] for table, count in zip(tables, counts, strict=True)]
        console.result(project.backend.label)
        console.result(columns(rows, right=frozenset({1})))
        for student in session.scalars(select(Student).order_by(Student.id).limit(3)):
            console.result(str(student))
