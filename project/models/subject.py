"""A subject that is taught: reference rows, put in by a data migration."""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Subject(Base):
    __tablename__ = "subjects"
    __table_args__ = (
        CheckConstraint(
            "lowest_grade >= 1 AND lowest_grade <= highest_grade AND highest_grade <= 12",
            name="grades_from_lowest_to_highest",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(10), unique=True)
    title: Mapped[str] = mapped_column(String(60))
    lowest_grade: Mapped[int]
    highest_grade: Mapped[int]

    def __str__(self) -> str:
        return f"Subject {self.code}: {self.title}, Grade {self.lowest_grade} to {self.highest_grade}"
