"""Organisations and people, brandspaces, row-level security, and the role that the API server works as.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

from adology.migrations.policies import PUBLIC_OR_OWN, release, secure

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLE = """
do $$ begin
    -- Roles are the server's, not the database's: somebody may have made it, and given it to us.
    if not exists (select from pg_roles where rolname = 'adology_app') then
        create role adology_app nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
exception when duplicate_object or unique_violation then null;
end $$;
do $$ begin
    -- PostgreSQL 16 and newer: who makes a role may not take it by that alone.
    if not pg_has_role(current_user, 'adology_app', 'SET') then
        execute format('grant adology_app to %I', current_user);
    end if;
end $$;
grant usage on schema public to adology_app;
create function current_org() returns text language sql stable parallel safe
    return nullif(current_setting('adology.org_id', true), '');
comment on function current_org is 'the organisation of this transaction: set_config(''adology.org_id'', …, true)';
"""

PEOPLE = """
create table organisations (
    id text primary key default gen_random_uuid()::text check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null default now(),
    deleted_at timestamptz
);

create table users (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    name text not null default '' check (length(name) <= 200),
    role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    password_hash text,
    brandspace_id uuid,
    created_at timestamptz not null default now(),
    last_login_at timestamptz,
    disabled_at timestamptz
);
comment on column users.brandspace_id is 'the one that is seen where a request names none';
create unique index users_by_email on users (email);
create index users_by_org on users (org_id, id);

create table operators (
    id uuid primary key default gen_random_uuid(),
    name text not null unique check (length(name) between 1 and 200),
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);
comment on table operators is 'who runs the system: no organisation, and no sight of what is private';

create table invitations (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    email text not null check (email = lower(email)),
    role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    token_hash bytea not null unique,
    invited_by uuid references users (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz
);
create index invitations_by_org on invitations (org_id, id);
"""

TOKENS = """
create table sessions (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    user_id uuid not null references users (id),
    user_agent text not null default '',
    address text not null default '',
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_why text
);
create index sessions_by_user on sessions (user_id) where revoked_at is null;

create table session_tokens (
    token_hash bytea primary key,
    session_id uuid not null references sessions (id) on delete cascade,
    org_id text not null references organisations (id),
    kind text not null check (kind in ('access', 'refresh')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
comment on column session_tokens.used_at is 'of refresh tokens: one that comes again was stolen, and ends its session';
create index session_tokens_by_session on session_tokens (session_id);
create index session_tokens_by_age on session_tokens (expires_at);

create table api_keys (
    id uuid primary key default gen_random_uuid(),
    org_id text references organisations (id),
    user_id uuid references users (id),
    operator_id uuid references operators (id),
    name text not null check (length(name) between 1 and 200),
    hint text not null,
    secret_hash bytea not null unique,
    scopes text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    check ((org_id is null) = (user_id is null)),
    check (org_id is not null or operator_id is not null or scopes = '{notify}')
);
comment on table api_keys is 'of users, of operators, and (scope notify, nobody''s) of workers';
create index api_keys_by_org on api_keys (org_id, id);

create table login_failures (
    who text primary key,
    failures integer not null,
    last_at timestamptz not null,
    blocked_until timestamptz
);
comment on column login_failures.who is 'a digest of the address or e-mail: neither is kept';
"""

BRANDSPACES = """
create table brandspaces (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    name text not null check (length(name) between 1 and 200),
    version integer not null default 1,
    created_by uuid references users (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, id)
);
create unique index brandspaces_by_name on brandspaces (org_id, lower(name));

create table brandspace_brands (
    brandspace_id uuid not null,
    org_id text not null,
    brand text not null references brands (id),
    role text not null check (role in ('primary', 'competitor', 'followed')),
    added_by uuid references users (id),
    added_at timestamptz not null default now(),
    primary key (brandspace_id, brand),
    foreign key (org_id, brandspace_id) references brandspaces (org_id, id) on delete cascade
);
create unique index brandspace_brands_primary on brandspace_brands (brandspace_id) where role = 'primary';
create index brandspace_brands_by_brand on brandspace_brands (brand, org_id);
alter table users add foreign key (org_id, brandspace_id) references brandspaces (org_id, id)
    on delete set null (brandspace_id);
"""

OWN = ("users", "invitations", "sessions", "session_tokens", "api_keys", "brandspaces", "brandspace_brands")
"""Tables whose rows belong to the organisation in `org_id`."""

OF_ADS = ("brand_ads", "ad_assets", "observations", "ad_analyses", "ad_flags")
"""Tables whose rows may be seen by those who may see the ad."""

PRIVATE_TO_ENGINE = ("operators", "login_failures")
"""Tables that the server reaches through functions only."""


_SHOWN = "exists (select from ad_assets m where m.sha256 = {}.{})"
THROUGH_ADS = {
    "assets": _SHOWN.format("assets", "sha256"),
    "asset_analyses": _SHOWN.format("asset_analyses", "sha256"),
    "likeness_subjects": _SHOWN.format("likeness_subjects", "sha256"),
    "likenesses": f"{_SHOWN.format('likenesses', 'a')} and {_SHOWN.format('likenesses', 'b')}",
    "analyses": f"case subject_kind when 'asset' then {_SHOWN.format('analyses', 'subject')}"
    " else exists (select from ads a where a.copy_hash = analyses.subject) end",
}
"""What ads share: to be seen by whoever may see one of the ads."""

WITH_OWNERS = ("ads", "changes", "paid_calls")

GRANTS = """
grant select on brands, batches, ads, brand_ads, assets, ad_assets, observations, analyses, asset_analyses,
    ad_analyses, ad_flags, likeness_subjects, likenesses to adology_app;
grant select, insert, update, delete on brandspaces, brandspace_brands to adology_app;
grant select, insert, update on users, invitations, sessions, api_keys to adology_app;
grant select, insert on session_tokens to adology_app;
"""


def upgrade() -> None:
    for script in (ROLE, PEOPLE, TOKENS, BRANDSPACES):
        op.execute(script)
    for table in OWN:
        op.execute(secure(table))
    op.execute(secure("organisations", "id = (select current_org())"))
    op.execute("grant select, update (name) on organisations to adology_app")
    for table in WITH_OWNERS:
        op.execute(secure(table, PUBLIC_OR_OWN))
    for table in OF_ADS:
        op.execute(secure(table, f"exists (select from ads a where a.id = {table}.ad_id)"))
    for table, visible in THROUGH_ADS.items():
        op.execute(secure(table, visible))
    for table in PRIVATE_TO_ENGINE:
        op.execute(secure(table, "false"))
    op.execute(GRANTS)


def downgrade() -> None:
    for table in (*WITH_OWNERS, *OF_ADS, *THROUGH_ADS):
        op.execute(release(table))
    op.execute("alter table users drop column brandspace_id")
    op.execute(
        "drop table brandspace_brands, brandspaces, login_failures, api_keys, session_tokens, sessions, invitations,"
        " operators, users, organisations"
    )
    op.execute("drop function current_org")
    # The role stays: other databases of this server may use it.
    op.execute("drop owned by adology_app")
