"""Batches of requests that a vendor answers within a day, for less.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BATCHES = """
create table vendor_batches (
    id uuid primary key,
    service text not null,
    analyzer text not null,
    version integer not null,
    fingerprint text not null,
    endpoint text not null,
    model text not null,
    state text not null check (state in
        ('preparing', 'submitting', 'open', 'completed', 'expired', 'cancelled', 'failed', 'given_back')),
    owner text not null,
    lease_until timestamptz,
    tries integer not null default 0,
    input_file_id text,
    vendor_id text unique,
    vendor_state text,
    requests integer not null default 0,
    counts jsonb not null default '{}',
    error text,
    estimate_usd numeric(16, 8),
    cost_usd numeric(16, 8),
    created_at timestamptz not null default now(),
    submitted_at timestamptz,
    next_look_at timestamptz,
    ended_at timestamptz
);
comment on column vendor_batches.id is 'ours; the vendor is given it, and asked for it before anything is sent again';
create index vendor_batches_at_work on vendor_batches (next_look_at) where ended_at is null;
create index vendor_batches_by_age on vendor_batches (created_at);

create table vendor_requests (
    key text primary key references analyses (key),
    batch uuid not null references vendor_batches (id),
    brand text not null default '',
    info jsonb,
    was_code text,
    was_error text,
    outcome text check (outcome in ('done', 'failed', 'deferred', 'late')),
    model text,
    units jsonb not null default '{}'
);
comment on table vendor_requests is 'what is under way; rows go when their batch ends';
create index vendor_requests_by_batch on vendor_requests (batch);

alter table paid_calls add column vendor_batch uuid references vendor_batches (id);
create index paid_calls_by_batch on paid_calls (vendor_batch) where vendor_batch is not null;
"""


def upgrade() -> None:
    op.execute(BATCHES)


def downgrade() -> None:
    op.execute(
        "update analyses n set retry_at = now() from vendor_requests r where r.key = n.key and n.state = 'deferred'"
    )
    op.execute("alter table paid_calls drop column vendor_batch")
    op.execute("drop table vendor_requests, vendor_batches")
