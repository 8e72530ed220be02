"""Put the subjects in"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "a5af281c99a2"
down_revision: str | Sequence[str] | None = "4d22dfec194f"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The table as it is at this revision: the models will change, this file will not.
subjects = sa.table(
    "subjects",
    sa.column("code", sa.String(length=10)),
    sa.column("title", sa.String(length=60)),
    sa.column("lowest_grade", sa.Integer()),
    sa.column("highest_grade", sa.Integer()),
)

ROWS: list[dict[str, Any]] = [
    {"code": "ART", "title": "Art", "lowest_grade": 1, "highest_grade": 12},
    {"code": "BIO", "title": "Biology", "lowest_grade": 5, "highest_grade": 12},
    {"code": "CHE", "title": "Chemistry", "lowest_grade": 8, "highest_grade": 12},
    {"code": "COM", "title": "Computer Science", "lowest_grade": 6, "highest_grade": 12},
    {"code": "DRA", "title": "Drama", "lowest_grade": 4, "highest_grade": 12},
    {"code": "ENG", "title": "English", "lowest_grade": 1, "highest_grade": 12},
    {"code": "FRE", "title": "French", "lowest_grade": 5, "highest_grade": 12},
    {"code": "GEO", "title": "Geography", "lowest_grade": 4, "highest_grade": 12},
    {"code": "HIS", "title": "History", "lowest_grade": 4, "highest_grade": 12},
    {"code": "MAT", "title": "Mathematics", "lowest_grade": 1, "highest_grade": 12},
    {"code": "MUS", "title": "Music", "lowest_grade": 1, "highest_grade": 10},
    {"code": "PHY", "title": "Physics", "lowest_grade": 8, "highest_grade": 12},
    {"code": "SCI", "title": "Primary Science", "lowest_grade": 1, "highest_grade": 4},
    {"code": "SPO", "title": "Sport", "lowest_grade": 1, "highest_grade": 12},
]


def upgrade() -> None:
    op.bulk_insert(subjects, ROWS)


def downgrade() -> None:
    """Delete exactly the rows that upgrade put in, by their natural key."""
    for row in ROWS:
        op.execute(subjects.delete().where(subjects.c["code"] == row["code"]))
