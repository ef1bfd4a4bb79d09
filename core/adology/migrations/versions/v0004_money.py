"""Paid calls and what they count against.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MONEY = """
create table paid_calls (
    id bigint generated always as identity primary key,
    day date not null,
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    service text not null,
    model text not null,
    request_id text not null default '',
    plugin text not null,
    brand text,
    owner_org_id text,
    batch_id text,
    analysis_keys text[] not null default '{}',
    scopes text[] not null,
    state text not null default 'open' check (state in ('open', 'billed', 'failed', 'unknown')),
    units jsonb not null default '{}',
    estimate_usd numeric(16, 8),
    cost_usd numeric(16, 8),
    price_since date
);
comment on column paid_calls.estimate_usd is 'null: no price is known';
create index paid_calls_by_day on paid_calls (day);
create index paid_calls_open on paid_calls (began_at) where state = 'open';

create table budget_use (
    day date not null,
    scope text not null,
    used_usd numeric(16, 8) not null default 0,
    primary key (day, scope)
);
"""


def upgrade() -> None:
    op.execute(MONEY)


def downgrade() -> None:
    op.execute("drop table budget_use, paid_calls")
