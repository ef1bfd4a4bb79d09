"""Near-duplicates as an organisation sees them, and which organisation put a brand into the catalogue.

Revision ID: 0018
Revises: 0014
"""

from alembic import op

from adology.migrations.policies import secure

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ALIKE = """
create function likeness_group_size(of_group text) returns bigint
    language sql stable security definer set search_path = public, pg_temp as $$
    select count(*) from likeness_subjects where group_id = of_group $$;
comment on function likeness_group_size is 'all members, whoever may see them: one that is hidden is missed by this';

-- A stored group may hang together by a creative that only another organisation's ads show. What one may
-- not see connects nothing: such a group is walked along the pairs that one may see.
create function creatives_alike(of_creative text) returns text[] language plpgsql stable strict as $$
declare
    stored text;
    members text[];
begin
    select group_id into stored from likeness_subjects where sha256 = of_creative;
    if not found then
        return array[of_creative];
    end if;
    select array_agg(sha256) into members from likeness_subjects where group_id = stored;
    if cardinality(members) = likeness_group_size(stored) then
        return members;
    end if;
    with recursive reached (sha256) as (
        select of_creative
        union
        select n.sha256 from reached r cross join lateral (
            select p.b from likenesses p where p.a = r.sha256
            union all
            select p.a from likenesses p where p.b = r.sha256
        ) n (sha256)
    )
    select array_agg(sha256) into members from reached;
    return members;
end $$;
comment on function creatives_alike is 'the creative and its near-duplicates, as the caller sees them';
revoke all on function likeness_group_size(text), creatives_alike(text) from public;
grant execute on function likeness_group_size(text), creatives_alike(text) to adology_app;
"""

ADDED = """
create table brands_added (
    brand text primary key references brands (id),
    org_id text not null references organisations (id),
    added_by uuid references users (id),
    added_at timestamptz not null default now()
);
comment on table brands_added is 'which organisation put a brand into the catalogue: it may do so only so often';
create index brands_added_by_org on brands_added (org_id);
"""


def upgrade() -> None:
    op.execute(ALIKE)
    op.execute(ADDED)
    op.execute(secure("brands_added"))
    op.execute("grant select, insert on brands_added to adology_app")


def downgrade() -> None:
    op.execute("drop table brands_added")
    op.execute("drop function creatives_alike(text), likeness_group_size(text)")
