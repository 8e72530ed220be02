"""A pupil of the school."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Student(Base):
    __tablename__ = "students"
    __table_args__ = (
        UniqueConstraint("email", name="unique_email"),
        CheckConstraint("grade BETWEEN 1 AND 12", name="grade_between_1_and_12"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    email: Mapped[str] = mapped_column(String(55))
    grade: Mapped[int]
    birthday: Mapped[date]
    enrolled_date: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())

    def __str__(self) -> str:
        return f"Student {self.id}: {self.name}, Grade {self.grade}"
