"""What people of an organisation keep and say about ads: boards, notes, tags.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

from adology.migrations.policies import secure

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
create table boards (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    name text not null check (length(name) between 1 and 200),
    about text not null default '' check (length(about) <= 2000),
    version integer not null default 1,
    created_by uuid references users (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, id)
);
create unique index boards_by_name on boards (org_id, lower(name));

create table board_ads (
    board_id uuid not null,
    org_id text not null,
    ad_id bigint not null references ads (id) on delete cascade,
    number bigint generated always as identity,
    added_by uuid references users (id),
    added_at timestamptz not null default now(),
    primary key (board_id, ad_id),
    foreign key (org_id, board_id) references boards (org_id, id) on delete cascade
);
create index board_ads_in_order on board_ads (board_id, number);
create index board_ads_by_ad on board_ads (ad_id);

create table notes (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    ad_id bigint not null references ads (id) on delete cascade,
    text text not null check (length(text) between 1 and 10000),
    version integer not null default 1,
    created_by uuid not null references users (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index notes_by_ad on notes (ad_id, created_at, id);

create table ad_tags (
    org_id text not null references organisations (id),
    ad_id bigint not null references ads (id) on delete cascade,
    tag text not null check (tag = lower(tag) and length(tag) between 1 and 60),
    created_by uuid references users (id),
    created_at timestamptz not null default now(),
    primary key (org_id, tag, ad_id)
);
create index ad_tags_by_ad on ad_tags (ad_id);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("boards", "board_ads", "notes", "ad_tags"):
        op.execute(secure(table))
        op.execute(f"grant select, insert, update, delete on {table} to adology_app")


def downgrade() -> None:
    op.execute("drop table ad_tags, notes, board_ads, boards")
