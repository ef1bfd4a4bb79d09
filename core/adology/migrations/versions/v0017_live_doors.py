"""Connections counted over all replicas, and news of brands that workers bring without the database.

Revision ID: 0017
Revises: 0014
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = """
create unlogged table live_replicas (
    id uuid primary key,
    seen_at timestamptz not null default now()
);
comment on table live_replicas is 'processes that hold connections; one that was not seen for a while counts no more';

create unlogged table live_sockets (
    user_id uuid not null,
    replica uuid not null references live_replicas (id) on delete cascade,
    open integer not null check (open >= 0),
    turn bigint not null,
    primary key (user_id, replica)
);
comment on table live_sockets is 'connections of each user at each replica, as the replica counts them';
comment on column live_sockets.turn is 'grows with all that the replica says: what arrives late is known to be old';
create index live_sockets_by_replica on live_sockets (replica);

alter table live_replicas enable row level security;
alter table live_replicas force row level security;
create policy engine on live_replicas to current_user using (true) with check (true);
alter table live_sockets enable row level security;
alter table live_sockets force row level security;
create policy engine on live_sockets to current_user using (true) with check (true);
"""

SEATS = """
create function sockets_take(me uuid, whose uuid, mine integer, at_turn bigint, most integer, stale_s float)
returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    others bigint;
begin
    -- Of one user one at a time, whatever replica asks.
    perform pg_advisory_xact_lock(1633970029, hashtext(whose::text));
    select coalesce(sum(s.open), 0) into others from live_sockets s join live_replicas r on r.id = s.replica
        where s.user_id = whose and s.replica <> me and r.seen_at > now() - make_interval(secs => stale_s);
    if others + mine > most then
        return false;
    end if;
    insert into live_replicas (id) values (me) on conflict do nothing;
    insert into live_sockets values (whose, me, mine, at_turn) on conflict (user_id, replica)
        do update set open = excluded.open, turn = excluded.turn where live_sockets.turn < excluded.turn;
    return true;
end $$;
comment on function sockets_take is 'whether this replica may hold so many connections of a user; if so, it does';

create function sockets_hold(me uuid, whose uuid[], counts integer[], at_turn bigint, whole boolean) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
    insert into live_replicas (id) values (me) on conflict (id) do update set seen_at = now();
    insert into live_sockets select u, me, n, at_turn from unnest(whose, counts) as given (u, n) order by u
        on conflict (user_id, replica) do update set open = excluded.open, turn = excluded.turn
        where live_sockets.turn < excluded.turn and live_sockets.open <> excluded.open;
    if whole then
        delete from live_sockets s where s.replica = me and s.turn < at_turn
            and not exists (select from unnest(whose) as given (u) where u = s.user_id);
        delete from live_replicas where seen_at < now() - interval '1 hour';
    end if;
end $$;
comment on function sockets_hold is 'this replica lives and holds these; whole: and no others';

create function sockets_leave(me uuid) returns void
language sql volatile security definer set search_path = public, pg_temp as $$
    delete from live_replicas where id = me
$$;
comment on function sockets_leave is 'this replica ends';
"""

NEWS = """
create function brand_notified(which text, of_batch text, how_many integer) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
    if not exists (select from brands where id = which) then
        return false;
    end if;
    insert into events (org_id, kind, brand, batch, body) values (null, 'brand.new_ads', which, of_batch,
        json_build_object('brand', which, 'batch', of_batch, 'ads', how_many, 'private', false))
        on conflict (batch, coalesce(org_id, '')) where batch is not null do nothing;
    return true;
end $$;
comment on function brand_notified is 'a worker says that a batch brought public ads; false: there is no such brand';
"""

FUNCTIONS = (
    "sockets_take(uuid, uuid, integer, bigint, integer, float)",
    "sockets_hold(uuid, uuid[], integer[], bigint, boolean)",
    "sockets_leave(uuid)",
    "brand_notified(text, text, integer)",
)


def upgrade() -> None:
    for script in (TABLES, SEATS, NEWS):
        op.execute(script)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adology_app")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    op.execute("drop table live_sockets, live_replicas")
