"""What a list shows of a row of the feed, apart from what it filters, counts and sorts by.

Counts and filters read whole brands: of rows that hold nothing else, five times as many are in a page of the
database. What is shown is read of the rows of one page alone, and is not written again when an ad is only seen again.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLE = """
create table feed_items (
    brand text not null,
    ad_id bigint not null,
    owner_org_id text,
    thumbnail text,
    item text not null,
    search tsvector not null,
    primary key (brand, ad_id),
    foreign key (brand, ad_id) references feed (brand, ad_id) on delete cascade
);
comment on column feed_items.item is 'the part of a list''s JSON that does not change when an ad is seen again';
alter table feed_items enable row level security;
alter table feed_items force row level security;
create policy engine on feed_items to current_user using (true) with check (true);
create policy tenant on feed_items to adology_app using (owner_org_id is null or owner_org_id = (select current_org()))
    with check (owner_org_id is null or owner_org_id = (select current_org()));
grant select on feed_items to adology_app;
"""
MOVE = """
insert into feed_items (brand, ad_id, owner_org_id, thumbnail, item, search)
    select brand, ad_id, owner_org_id, thumbnail, (item::jsonb - 'last_seen_at' - 'run_days')::text, search from feed;
create index feed_by_words on feed_items using gin (search);
-- Rows go with their row of the feed, which notes it.
create trigger feed_items_update_is_noted after update on feed_items
    referencing new table as changed for each statement execute function note_feed_change();
"""
FOUND = """
create or replace function feed_found(of_brands text[], words text) returns table (brand text, ad_id bigint)
    language plpgsql stable security definer set search_path = public, pg_temp rows 200 as $$
begin
    -- Planned for these very words: rare ones by their index, common ones by brand.
    return query execute 'select f.brand, f.ad_id from {table} f where f.search @@ $1 and f.brand = any($2)
        and (f.owner_org_id is null or f.owner_org_id = (select current_org()))'
        using ad_query(words), of_brands;
end $$;
"""
BACK = """
alter table feed add column thumbnail text, add column item text, add column search tsvector;
update feed f set thumbnail = i.thumbnail, search = i.search,
    item = (i.item::jsonb || jsonb_build_object('last_seen_at', to_char(f.last_seen_at at time zone 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'run_days', f.run_days))::text
    from feed_items i where i.brand = f.brand and i.ad_id = f.ad_id;
alter table feed alter column item set not null, alter column search set not null;
drop table feed_items;
create index feed_by_words on feed using gin (search);
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("drop index feed_by_words")
    op.execute(MOVE)
    op.execute("alter table feed drop column thumbnail, drop column item, drop column search")
    op.execute(FOUND.format(table="feed_items"))
    # Written anew: a column that is dropped stays in its rows, and rows of a brand are best read together.
    op.execute("cluster feed using feed_newest")
    op.execute("alter table feed set without cluster")


def downgrade() -> None:
    op.execute(BACK)
    op.execute(FOUND.format(table="feed"))
