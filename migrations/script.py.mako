"""${repr(message or "No message")[1:-1].replace('"', chr(92) + '"')}"""
<%
data = config.attributes.get("data")


def code(operations):
    """Leave out the comments that Alembic puts around what it generated."""
    lines = [line for line in (operations or "").splitlines() if not line.strip().startswith("# ###")]
    return "\n".join(lines).strip() or "pass"
%>
from collections.abc import Sequence
% if data:
from typing import Any
% endif

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}
% if data:

# The table as it is at this revision: the models will change, this file will not.
${data["variable"]} = sa.table(
    ${repr(data["table"])},
% for name, type_ in data["columns"]:
    sa.column(${", ".join(filter(None, (repr(name), type_)))}),
% endfor
% if data["schema"]:
    schema=${repr(data["schema"])},
% endif
)

ROWS: list[dict[str, Any]] = [
    # {${", ".join(f'"{name}": ...' for name, type_ in data["columns"])}},
]


def upgrade() -> None:
    op.bulk_insert(${data["variable"]}, ROWS)


def downgrade() -> None:
    """Delete exactly the rows that upgrade put in, by their natural key."""
    for row in ROWS:
        op.execute(
            ${data["variable"]}.delete().where(${", ".join(f'{data["variable"]}.c[{key!r}] == row[{key!r}]' for key in data["key"])})
        )
% else:


def upgrade() -> None:
    ${code(upgrades)}


def downgrade() -> None:
    ${code(downgrades)}
% endif
