"""Audit log, idempotency keys, rate limits.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

AUDIT = """
create table audit (
    id bigint generated always as identity primary key,
    org_id text,
    seq bigint not null,
    at timestamptz not null,
    actor text not null check (length(actor) <= 100),
    session text not null default '' check (length(session) <= 100),
    action text not null check (length(action) <= 100),
    target text not null default '' check (length(target) <= 2000),
    subject text not null default '' check (length(subject) <= 2000),
    address text not null default '' check (length(address) <= 100),
    request text not null default '' check (length(request) <= 100),
    outcome text not null check (outcome in ('done', 'refused')),
    reason text not null default '' check (length(reason) <= 100),
    previous bytea not null,
    hash bytea not null
);
comment on table audit is 'who did what; a chain of hashes for each organisation, and one (org_id null) for operators';
comment on column audit.org_id is 'no foreign key: the log outlives its organisation';
create unique index audit_chain on audit (coalesce(org_id, ''), seq);

create table audit_heads (
    org_id text primary key,
    seq bigint not null,
    hash bytea not null
);
comment on table audit_heads is
    'the last record of each chain ('''': the operators''); its row lock puts writers in order';

-- Each field with its length before it: no two records have the same bytes.
create function audit_bytes(r audit) returns bytea language sql stable set search_path = public, pg_temp as $$
    select string_agg(convert_to(octet_length(convert_to(f, 'UTF8')) || ':', 'UTF8') || convert_to(f, 'UTF8'), ''::bytea
        order by n)
    from unnest(array[encode(r.previous, 'hex'), coalesce(r.org_id, ''), r.seq::text,
        to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), r.actor, r.session, r.action, r.target,
        r.subject, r.address, r.request, r.outcome, r.reason]) with ordinality as fields (f, n)
$$;

create function chain_audit() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    whose text := coalesce(new.org_id, '');
    head audit_heads;
begin
    insert into audit_heads (org_id, seq, hash) values (whose, 0, '') on conflict do nothing;
    select * into head from audit_heads where org_id = whose for update;
    new.seq := head.seq + 1;
    new.previous := head.hash;
    new.at := clock_timestamp();
    new.hash := sha256(audit_bytes(new));
    update audit_heads set seq = new.seq, hash = new.hash where org_id = whose;
    return new;
end $$;
create trigger chain before insert on audit for each row execute function chain_audit();
"""

IDEMPOTENCY = """
create table idempotency_keys (
    org_id text not null references organisations (id),
    caller text not null,
    key text not null check (length(key) between 1 and 200),
    asked bytea not null,
    owner uuid not null,
    state text not null default 'running' check (state in ('running', 'committed', 'done')),
    lease_until timestamptz not null,
    created_at timestamptz not null default now(),
    status integer,
    headers jsonb,
    body bytea,
    primary key (org_id, caller, key)
);
comment on column idempotency_keys.asked is 'digest of the request that the key was first used for';
comment on column idempotency_keys.state is
    'committed: it was carried out, and its reply is not kept (yet); written in the transaction of the change itself';
comment on column idempotency_keys.body is 'null: it holds a secret that is shown once, or is too large to keep';
create index idempotency_keys_by_age on idempotency_keys (org_id, created_at);

create function idempotency_reserve(whose text, k text, digest bytea, mine uuid, lease_s float, kept_s float)
returns table (outcome text, status integer, headers jsonb, body bytea)
language plpgsql volatile set search_path = public, pg_temp as $$
declare
    found_key idempotency_keys;
begin
    delete from idempotency_keys x
        where x.org_id = current_org() and x.created_at < now() - make_interval(secs => kept_s);
    insert into idempotency_keys (org_id, caller, key, asked, owner, lease_until)
        values (current_org(), whose, k, digest, mine, clock_timestamp() + make_interval(secs => lease_s))
        on conflict do nothing;
    if found then
        return query select 'mine', null::integer, null::jsonb, null::bytea;
        return;
    end if;
    select * into found_key from idempotency_keys x
        where x.org_id = current_org() and x.caller = whose and x.key = k for update;
    if not found then  -- ended in failure this moment
        return query select 'running', null::integer, null::jsonb, null::bytea;
    elsif found_key.asked <> digest then
        return query select 'other', null::integer, null::jsonb, null::bytea;
    elsif found_key.state = 'done' then
        return query select 'done', found_key.status, found_key.headers, found_key.body;
    elsif found_key.lease_until > clock_timestamp() then
        return query select 'running', null::integer, null::jsonb, null::bytea;
    elsif found_key.state = 'committed' then
        return query select 'done', null::integer, null::jsonb, null::bytea;
    else
        update idempotency_keys x set owner = mine, lease_until = clock_timestamp() + make_interval(secs => lease_s)
            where x.org_id = current_org() and x.caller = whose and x.key = k;
        return query select 'mine', null::integer, null::jsonb, null::bytea;
    end if;
end $$;
"""

FINISH = """
-- The last statement of a transaction that may have changed something: its record, and the mark by which
-- a request that comes again is not carried out twice. A transaction that only read leaves nothing.
create function finish_change(
    key_caller text, key_name text, key_owner uuid,
    by_whom text, with_session text, did text, on_what text, about text, from_where text, in_request text
) returns boolean
language plpgsql volatile set search_path = public, pg_temp as $$
begin
    if pg_current_xact_id_if_assigned() is null then
        return false;
    end if;
    if key_name is not null then
        update idempotency_keys set state = 'committed'
            where org_id = current_org() and caller = key_caller and key = key_name and owner = key_owner;
        if not found then
            raise exception 'another execution of this request took over' using errcode = 'AD001';
        end if;
    end if;
    if did is not null then
        insert into audit (org_id, actor, session, action, target, subject, address, request, outcome)
            values (current_org(), by_whom, with_session, did, on_what, about, from_where, in_request, 'done');
    end if;
    return true;
end $$;
"""

LIMITS = """
create unlogged table rate_buckets (
    bucket text primary key,
    tokens float not null,
    at timestamptz not null
);
comment on table rate_buckets is 'what is left of each rate limit; replicas draw some tokens at a time';

create function rate_take(whose text, per_minute float, want float)
returns table (granted float, left_over float, wait_s float)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    b rate_buckets;
    available float;
    given float;
begin
    if random() < 0.001 then
        delete from rate_buckets where at < now() - interval '10 minutes';  -- all of them are full again
    end if;
    insert into rate_buckets values (whose, per_minute, clock_timestamp()) on conflict do nothing;
    select * into b from rate_buckets where bucket = whose for update;
    if not found then
        b.tokens := per_minute;
        b.at := clock_timestamp();
    end if;
    available := least(per_minute, b.tokens
        + per_minute / 60 * greatest(0, extract(epoch from clock_timestamp() - b.at)));
    given := least(floor(available), want);
    update rate_buckets set tokens = available - given, at = clock_timestamp() where bucket = whose;
    return query select given, available - given,
        case when given > 0 then 0 else (1 - available) * 60 / per_minute end;
end $$;
"""

SECURITY = """
alter table audit enable row level security;
alter table audit force row level security;
create policy engine on audit to current_user using (true) with check (true);
create policy tenant on audit for select to adology_app using (org_id = (select current_org()));
create policy write on audit for insert to adology_app with check (org_id is not distinct from (select current_org()));
alter table audit_heads enable row level security;
alter table audit_heads force row level security;
create policy engine on audit_heads to current_user using (true) with check (true);
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy engine on idempotency_keys to current_user using (true) with check (true);
create policy tenant on idempotency_keys to adology_app
    using (org_id = (select current_org())) with check (org_id = (select current_org()));
alter table rate_buckets enable row level security;
alter table rate_buckets force row level security;
create policy engine on rate_buckets to current_user using (true) with check (true);
grant select on audit to adology_app;
grant insert (org_id, actor, session, action, target, subject, address, request, outcome, reason) on audit
    to adology_app;
grant select, insert, update, delete on idempotency_keys to adology_app;
"""

FUNCTIONS = (
    "finish_change(text, text, uuid, text, text, text, text, text, text, text)",
    "idempotency_reserve(text, text, bytea, uuid, float, float)",
    "rate_take(text, float, float)",
)


def upgrade() -> None:
    for script in (AUDIT, IDEMPOTENCY, FINISH, LIMITS, SECURITY):
        op.execute(script)
    for function in ("chain_audit()", "audit_bytes(audit)"):
        op.execute(f"revoke all on function {function} from public")
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adology_app")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    op.execute("drop function audit_bytes(audit)")
    op.execute("drop table rate_buckets, idempotency_keys, audit_heads, audit")
    op.execute("drop function chain_audit()")
