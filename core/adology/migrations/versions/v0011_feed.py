"""What the lists of ads are read from, one row for each brand and ad.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CONFIGS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch",
    "en": "english", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi",
    "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "no": "norwegian", "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Languages that PostgreSQL stems; others are read word by word."""

FEED = """
create table feed (
    brand text not null references brands (id),
    ad_id bigint not null references ads (id) on delete cascade,
    owner_org_id text,
    brands text[] not null,
    shared boolean not null generated always as (cardinality(brands) > 1) stored,
    source text not null,
    source_ad_id text not null,
    format text not null,
    platforms text[] not null,
    languages text[] not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    looked_at timestamptz not null,
    started_on date,
    stopped_on date,
    vendor_status text not null,
    run_days integer not null,
    run_basis text not null,
    landing_domain text not null,
    labels text[] not null,
    rules_passed text[] not null,
    rules_failed text[] not null,
    safety real,
    safety_level smallint,
    sha256 text,
    thumbnail text,
    item text not null,
    search tsvector not null,
    primary key (brand, ad_id)
);
comment on column feed.brands is 'all brands of the ad: seen from several of them, it is listed under the first';
comment on column feed.shared is 'of several brands: so few are that a plan must know it';
comment on column feed.looked_at is 'begin of the batch that brought the ad for this brand last';
comment on column feed.item is 'the part of a list''s JSON that depends on nothing else';
create index feed_newest on feed (brand, first_seen_at desc, ad_id desc);
create index feed_last_seen on feed (brand, last_seen_at desc, ad_id desc);
create index feed_longest on feed (brand, run_days desc, ad_id desc);
create index feed_by_ad on feed (ad_id);
create index feed_by_asset on feed (sha256);
create index feed_by_words on feed using gin (search);

create table feed_coverage (
    brand text not null references brands (id),
    source text not null,
    owner_org_id text,
    tried_at timestamptz not null,
    outcome text not null,
    read_at timestamptz,
    whole_at timestamptz,
    primary key (brand, source)
);
comment on table feed_coverage is 'when a source was looked at for a brand: begins of batches';
comment on column feed_coverage.read_at is 'the last time that it was read to its end';
comment on column feed_coverage.whole_at is 'the last time that it showed all ads that run, so that absent ones do not';
create index batches_by_commit on batches (committed_at) where state = 'committed';

-- A batch that failed brings no rows: nothing has to wait until they are in the feed.
create function note_failed_look() returns trigger language plpgsql as $$
begin
    insert into feed_coverage as c (brand, source, tried_at, outcome)
    select new.brand, s.key, new.created_at, 'failed' from jsonb_each(new.sources) s
    on conflict (brand, source) do update set tried_at = excluded.tried_at, outcome = 'failed'
        where c.tried_at <= excluded.tried_at;
    if new.sources = '{}' then
        update feed_coverage set tried_at = new.created_at, outcome = 'failed'
        where brand = new.brand and tried_at <= new.created_at;
    end if;
    return null;
end $$;
create trigger note_failed_look after update of state on batches for each row
    when (new.state = 'failed' and old.state is distinct from 'failed') execute function note_failed_look();
"""

WORDS = f"""
create function text_config(language text) returns regconfig language sql immutable parallel safe as $$
    select case split_part(lower(language), '-', 1)
        {" ".join(f"when '{code}' then '{config}'" for code, config in CONFIGS.items())} end::regconfig $$;
comment on function text_config is 'how texts of a language (ISO 639-1) are stemmed; null: they are not';

create function ad_query(words text) returns tsquery language sql stable parallel safe as $$
    -- What is to be absent must not be absent in any form: then words count as they are.
    select string_agg(distinct format('(%s)', one::text), ' | ')::tsquery
    from (select websearch_to_tsquery('simple', words) as one
        union select websearch_to_tsquery(config, words)
        from unnest(array[{", ".join(f"'{config}'" for config in sorted(set(CONFIGS.values())))}]::regconfig[]) config
        where words !~ '(^|[[:space:]])-') found
    where numnode(one) > 0 $$;
comment on function ad_query is 'words as people type them: quotes, or, minus; in all languages that are stemmed';

-- Under row-level security no index is used for what a caller may have written: full text is found here,
-- where the rule of the policy is part of the question.
create function feed_found(of_brands text[], words text) returns table (brand text, ad_id bigint)
    language plpgsql stable security definer set search_path = public, pg_temp rows 200 as $$
begin
    -- Planned for these very words: rare ones by their index, common ones by brand.
    return query execute 'select f.brand, f.ad_id from feed f where f.search @@ $1 and f.brand = any($2)
        and (f.owner_org_id is null or f.owner_org_id = (select current_org()))'
        using ad_query(words), of_brands;
end $$;

create function others_sources(of_brand text) returns setof text
    language sql stable security definer set search_path = public, pg_temp rows 5 as $$
    select c.source from feed_coverage c where c.brand = of_brand and c.owner_org_id is not null
        and c.owner_org_id is distinct from (select current_org()) $$;
comment on function others_sources is 'names of databases of other organisations: not to be shown';
revoke all on function feed_found(text[], text), others_sources(text) from public;
"""


def secure(table: str, visible: str) -> str:
    """As in 0009."""
    return f"""
alter table {table} enable row level security;
alter table {table} force row level security;
create policy engine on {table} to current_user using (true) with check (true);
create policy tenant on {table} to adology_app using ({visible}) with check ({visible});
"""


GRANTS = """
grant select on feed, feed_coverage to adology_app;
grant execute on function feed_found(text[], text), others_sources(text) to adology_app;
grant insert (id, name, handles, refresh_every, next_refresh_at),
    update (handles, refresh_every, next_refresh_at) on brands to adology_app;
"""


def upgrade() -> None:
    op.execute(FEED)
    op.execute(WORDS)
    for table in ("feed", "feed_coverage"):
        op.execute(secure(table, "owner_org_id is null or owner_org_id = (select current_org())"))
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute(
        "revoke insert (id, name, handles, refresh_every, next_refresh_at),"
        " update (handles, refresh_every, next_refresh_at) on brands from adology_app"
    )
    op.execute("drop trigger note_failed_look on batches")
    op.execute("drop function note_failed_look, others_sources(text), feed_found(text[], text)")
    op.execute("drop function ad_query, text_config")
    op.execute("drop index batches_by_commit")
    op.execute("drop table feed_coverage, feed")
    op.execute("delete from followers where name = 'feed'")
