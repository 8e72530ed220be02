"""Added Enrollment model"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "ba100987ddb4"
down_revision: str | Sequence[str] | None = "a5af281c99a2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "enrollments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.CheckConstraint("mark BETWEEN 0 AND 100", name="mark_between_0_and_100"),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_enrollments_student_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_enrollments_subject_id_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollments")),
        sa.UniqueConstraint("student_id", "subject_id", name=op.f("uq_enrollments_student_id_subject_id")),
        mariadb_charset="utf8mb4",
        mysql_charset="utf8mb4",
    )
    op.create_index(op.f("ix_enrollments_subject_id"), "enrollments", ["subject_id"], unique=False)


def downgrade() -> None:
    op.drop_table("enrollments")
