"""Near-duplicates among committed creatives, and what does not fit together in an ad.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LIKENESSES = """
create table likeness_subjects (
    sha256 text primary key references assets (sha256),
    keys text[] not null,
    group_id text not null references likeness_subjects (sha256)
);
comment on column likeness_subjects.keys is 'the analyses that it was compared by';
comment on column likeness_subjects.group_id is 'itself, or the creative that its near-duplicates go by';
create index likeness_subjects_by_group on likeness_subjects (group_id);

create table likeness_tokens (
    token text not null,
    sha256 text not null references likeness_subjects (sha256) on delete cascade,
    primary key (token, sha256)
);
create index likeness_tokens_by_asset on likeness_tokens (sha256);

create table likenesses (
    a text not null references likeness_subjects (sha256) on delete cascade,
    b text not null references likeness_subjects (sha256) on delete cascade,
    kind text not null,
    confidence real not null check (confidence between 0 and 1),
    result jsonb not null,
    primary key (a, b),
    check (a < b)
);
create index likenesses_by_b on likenesses (b);
"""

FLAGS = """
create table ad_flags (
    ad_id bigint not null references ads (id) on delete cascade,
    flag text not null,
    details jsonb not null,
    since timestamptz not null default now(),
    primary key (ad_id, flag)
);
"""


def upgrade() -> None:
    op.execute(LIKENESSES)
    op.execute(FLAGS)


def downgrade() -> None:
    op.execute("drop table ad_flags, likenesses, likeness_tokens, likeness_subjects")
