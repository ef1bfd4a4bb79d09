"""The ledger of batches, the catalogue of brands, committed ads, the analysis cache.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LEDGER = """
create table brands (
    id text primary key check (length(id) between 1 and 200),
    name text not null,
    handles jsonb not null default '{}',
    file_roots text[] not null default '{}',
    refresh_every interval check (refresh_every > interval '0'),
    next_refresh_at timestamptz,
    created_at timestamptz not null default now()
);

create table batches (
    id text primary key,
    brand text not null references brands (id),
    state text not null check (state in ('discovering', 'acquiring', 'committed', 'failed')),
    origin text not null default 'gather' check (origin in ('gather', 'foreign')),
    epoch integer not null default 1,
    lease_until timestamptz,
    manifest_key text,
    expected_count integer,
    counts jsonb not null default '{}',
    sources jsonb not null default '{}',
    error text,
    created_at timestamptz not null default now(),
    progress_at timestamptz not null default now(),
    queued_at timestamptz,
    committed_at timestamptz,
    insight_at timestamptz,
    repairs integer not null default 0,
    repaired_at timestamptz
);
comment on column batches.epoch is 'fencing token: a gatherer that lost its lease holds an older one';
create unique index batches_one_open_per_brand on batches (brand) where state in ('discovering', 'acquiring');
create index batches_by_brand on batches (brand, created_at desc);
create index batches_without_insight on batches (committed_at) where state = 'committed' and insight_at is null;

create table gather_requests (
    request_key text not null,
    brand text not null references brands (id),
    batch_id text not null references batches (id) on delete cascade,
    created_at timestamptz not null default now(),
    primary key (request_key, brand)
);
comment on table gather_requests is 'which batch answers a request; ids are the senders'' own, hence the brand';

create table batch_items (
    batch_id text not null references batches (id) on delete cascade,
    url_hash bytea not null,
    url text not null,
    status text not null check (status in ('missing', 'ok', 'failed')),
    attempts integer not null default 0,
    result bytea,
    updated_at timestamptz not null default now(),
    primary key (batch_id, url_hash)
);

create table source_cursors (
    brand text not null references brands (id),
    source text not null,
    cursor bytea not null,
    batch_id text not null references batches (id),
    updated_at timestamptz not null default now(),
    primary key (brand, source)
);

create table credential_pauses (
    credential text primary key,
    paused_until timestamptz not null,
    reason text not null
);

create table outbox (
    id bigint generated always as identity primary key,
    queue text not null,
    body text not null,
    batch_id text references batches (id),
    created_at timestamptz not null default now()
);
"""

ADS = """
create table ads (
    id bigint generated always as identity primary key,
    source text not null,
    source_ad_id text not null,
    owner_org_id text,
    advertiser text not null default '',
    advertiser_id text not null default '',
    bodies text[] not null default '{}',
    titles text[] not null default '{}',
    captions text[] not null default '{}',
    descriptions text[] not null default '{}',
    cta text not null default '',
    landing_url text not null default '',
    link text not null default '',
    format text not null default '',
    platforms text[] not null default '{}',
    languages text[] not null default '{}',
    countries text[] not null default '{}',
    status text not null default 'unknown',
    started_on date,
    stopped_on date,
    media_outcome text not null,
    copy_hash text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    first_batch text not null references batches (id),
    last_batch text not null references batches (id),
    unique nulls not distinct (source, source_ad_id, owner_org_id)
);
comment on column ads.owner_org_id is 'null: public; else its ids are a space of their own, apart from the public one';

create table brand_ads (
    brand text not null references brands (id),
    ad_id bigint not null references ads (id),
    first_batch text not null references batches (id),
    last_batch text not null references batches (id),
    primary key (brand, ad_id)
);
create index brand_ads_by_ad on brand_ads (ad_id);

create table assets (
    sha256 text primary key check (length(sha256) = 64),
    kind text not null,
    content_type text not null,
    size_bytes bigint not null,
    width integer,
    height integer,
    duration_s double precision,
    s3_path text not null,
    thumbnail text,
    first_batch text not null references batches (id),
    first_seen_at timestamptz not null
);

create table ad_assets (
    ad_id bigint not null references ads (id),
    position integer not null,
    sha256 text not null references assets (sha256),
    role text not null default 'creative',
    primary key (ad_id, position, sha256)
);
create index ad_assets_by_asset on ad_assets (sha256);

create table failures (
    batch_id text not null references batches (id),
    url_hash bytea not null,
    url text not null,
    error_code text not null,
    error text not null,
    primary key (batch_id, url_hash)
);

create table observations (
    ad_id bigint not null references ads (id),
    observed_on date not null,
    observed_at timestamptz not null,
    status text not null,
    reach bigint,
    spend_lower double precision,
    spend_upper double precision,
    impressions_lower double precision,
    impressions_upper double precision,
    currency text,
    batch_id text not null references batches (id),
    primary key (ad_id, observed_on)
);
"""

ANALYSES = """
create table analyses (
    key text primary key,
    analyzer text not null,
    version integer not null,
    fingerprint text not null,
    subject_kind text not null check (subject_kind in ('asset', 'ad')),
    subject text not null,
    state text not null check (state in ('pending', 'done', 'failed')),
    lease_owner text,
    lease_until timestamptz,
    attempts integer not null default 0,
    result jsonb,
    derived jsonb not null default '[]',
    error_code text,
    error text,
    duration_ms double precision,
    cost_usd numeric(12, 6) not null default 0,
    created_at timestamptz not null default now(),
    done_at timestamptz
);
create index analyses_by_subject on analyses (subject, analyzer);
create index analyses_pending on analyses (lease_owner) where state = 'pending';

create table asset_analyses (
    sha256 text not null references assets (sha256),
    analyzer text not null,
    key text not null references analyses (key),
    primary key (sha256, analyzer)
);

create table ad_analyses (
    ad_id bigint not null references ads (id),
    analyzer text not null,
    key text not null references analyses (key),
    primary key (ad_id, analyzer)
);

create table insights (
    brand text not null references brands (id),
    batch_id text not null references batches (id),
    analyzer text not null,
    version integer not null,
    result jsonb not null,
    created_at timestamptz not null default now(),
    primary key (brand, batch_id, analyzer)
);
"""


def upgrade() -> None:
    for script in (LEDGER, ADS, ANALYSES):
        op.execute(script)


def downgrade() -> None:
    op.execute(
        "drop table insights, ad_analyses, asset_analyses, analyses, observations, failures, ad_assets, assets, "
        "brand_ads, ads, outbox, credential_pauses, source_cursors, batch_items, gather_requests, batches, brands"
    )
