"""Costs of analyses as exact as those of calls: embedding one ad's copy costs less than a millionth of a dollar.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table analyses alter column cost_usd type numeric(16, 8)")


def downgrade() -> None:
    op.execute("alter table analyses alter column cost_usd type numeric(12, 6)")
