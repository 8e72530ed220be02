"""Added Subject model"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "4d22dfec194f"
down_revision: str | Sequence[str] | None = "02417debc539"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("lowest_grade", sa.Integer(), nullable=False),
        sa.Column("highest_grade", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "lowest_grade >= 1 AND lowest_grade <= highest_grade AND highest_grade <= 12",
            name="grades_from_lowest_to_highest",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("code", name=op.f("uq_subjects_code")),
        mariadb_charset="utf8mb4",
        mysql_charset="utf8mb4",
    )


def downgrade() -> None:
    op.drop_table("subjects")
