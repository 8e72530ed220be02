"""Added Student model"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "02417debc539"
down_revision: str | Sequence[str] | None = "ca14d3f60554"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "students",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=55), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("birthday", sa.Date(), nullable=False),
        sa.Column("enrolled_date", sa.DateTime(), server_default=sa.func.current_timestamp(), nullable=False),
        sa.CheckConstraint("grade BETWEEN 1 AND 12", name="grade_between_1_and_12"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_students")),
        sa.UniqueConstraint("email", name="unique_email"),
        mariadb_charset="utf8mb4",
        mysql_charset="utf8mb4",
    )
    op.create_index(op.f("ix_students_name"), "students", ["name"], unique=False)


def downgrade() -> None:
    op.drop_table("students")
