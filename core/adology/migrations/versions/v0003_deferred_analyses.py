"""Analyses that are put off: a vendor is away, a budget is used up.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table analyses drop constraint analyses_state_check")
    op.execute(
        "alter table analyses add constraint analyses_state_check"
        " check (state in ('pending', 'done', 'failed', 'deferred')),"
        " add column retry_at timestamptz, add column asked_at timestamptz,"
        " add column deferrals integer not null default 0"
    )
    op.execute("create index analyses_due on analyses (retry_at) where state = 'deferred'")
    op.execute("create index ads_by_copy on ads (copy_hash)")


def downgrade() -> None:
    op.execute("drop index ads_by_copy")
    op.execute("delete from analyses where state = 'deferred'")
    op.execute("alter table analyses drop column retry_at, drop column asked_at, drop column deferrals")
    op.execute("alter table analyses drop constraint analyses_state_check")
    op.execute(
        "alter table analyses add constraint analyses_state_check check (state in ('pending', 'done', 'failed'))"
    )
