"""What has changed in the committed catalogue, for whoever keeps something derived from it.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHANGES = """
create table changes (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default now(),
    kind text not null check (kind in ('batch', 'asset', 'ad')),
    subject text not null,
    owner_org_id text
);
comment on table changes is 'a committed batch is one row; what batches do not cover is one row per asset or copy hash';
comment on column changes.xid is 'rows below the oldest running transaction are complete: ids alone may appear late';
create index changes_in_order on changes (xid, id);
create index changes_by_age on changes (at);

create table followers (
    name text primary key,
    horizon bigint not null,
    at timestamptz not null
);
comment on table followers is 'how far in the changes those are that keep what they derive in this database';

create function note_committed_batch() returns trigger language plpgsql as $$
begin
    insert into changes (kind, subject) values ('batch', new.id);
    return null;
end $$;
create trigger note_change after update of state on batches for each row
    when (new.state = 'committed' and old.state is distinct from 'committed') execute function note_committed_batch();

create function note_dropped_asset() returns trigger language plpgsql as $$
begin
    insert into changes (kind, subject, owner_org_id)
    select 'asset', old.sha256, a.owner_org_id from ads a where a.id = old.ad_id;
    return null;
end $$;
create trigger note_change after delete on ad_assets for each row execute function note_dropped_asset();

create function note_old_copy() returns trigger language plpgsql as $$
begin
    insert into changes (kind, subject, owner_org_id) values ('ad', old.copy_hash, old.owner_org_id);
    return null;
end $$;
create trigger note_copy_change after update on ads for each row
    when (new.copy_hash is distinct from old.copy_hash) execute function note_old_copy();
create trigger note_removal after delete on ads for each row execute function note_old_copy();
"""


def upgrade() -> None:
    op.execute(CHANGES)


def downgrade() -> None:
    op.execute("drop trigger note_removal on ads")
    op.execute("drop trigger note_copy_change on ads")
    op.execute("drop trigger note_change on ad_assets")
    op.execute("drop trigger note_change on batches")
    op.execute("drop function note_old_copy, note_dropped_asset, note_committed_batch")
    op.execute("drop table changes, followers")
