"""Requests for insights are counted apart from the repairs of the batch before its commit.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table batches add column insight_asks integer not null default 0")
    # Leases are given back and renewed by key.
    op.execute("drop index analyses_pending")


def downgrade() -> None:
    op.execute("create index analyses_pending on analyses (lease_owner) where state = 'pending'")
    op.execute("alter table batches drop column insight_asks")
