"""A student takes a subject, once."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class Enrollment(Base):
    __tablename__ = "enrollments"
    __table_args__ = (
        UniqueConstraint("student_id", "subject_id"),
        CheckConstraint("mark BETWEEN 0 AND 100", name="mark_between_0_and_100"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), index=True)
    enrolled_on: Mapped[date]
    mark: Mapped[int | None]

    def __str__(self) -> str:
        return f"Enrollment {self.id}: student {self.student_id}, subject {self.subject_id}"
