"""Which transaction changed the feed of a brand last: who kept an answer sees whether it still holds.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = """
create table feed_versions (
    brand text primary key references brands (id) on delete cascade,
    version xid8 not null
);
comment on table feed_versions is 'the last transaction that changed a brand''s rows in feed or feed_coverage';

-- Once for each transaction and brand: rows of an ad that goes are removed one statement each, and a row that
-- is written again and again in one transaction takes longer each time.
create function note_feed_change() returns trigger language plpgsql as $$
begin
    insert into feed_versions as v (brand, version)
    select brand, pg_current_xact_id() from changed group by brand order by brand
    on conflict (brand) do update set version = excluded.version where v.version <> excluded.version;
    return null;
end $$;
comment on function note_feed_change is 'as a version no value comes twice: each transaction has its own';
"""
CHANGES = (("insert", "new"), ("update", "new"), ("delete", "old"))


def upgrade() -> None:
    op.execute(TABLE)
    for table in ("feed", "feed_coverage"):
        for change, rows in CHANGES:
            op.execute(
                f"create trigger {table}_{change}_is_noted after {change} on {table}"
                f" referencing {rows} table as changed for each statement execute function note_feed_change()"
            )
    op.execute("grant select on feed_versions to adology_app")


def downgrade() -> None:
    for table in ("feed", "feed_coverage"):
        for change, _ in CHANGES:
            op.execute(f"drop trigger {table}_{change}_is_noted on {table}")
    op.execute("drop function note_feed_change")
    op.execute("drop table feed_versions")
