"""Functions by which the API server finds out who asks, before it knows for which organisation.

They run with the rights of the schema's owner; each answers one question about one secret's hash.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CALLERS = """
create type caller as (
    kind text, org_id text, user_id uuid, operator_id uuid, session_id uuid, key_id uuid,
    role text, scopes text[], brandspace_id uuid, expires_at timestamptz
);

create function auth_by_token(hash bytea) returns setof caller
language sql stable security definer set search_path = public, pg_temp as $$
    select row('user', u.org_id, u.id, null, s.id, null, u.role, null, u.brandspace_id,
        least(t.expires_at, s.expires_at))::caller
    from session_tokens t
    join sessions s on s.id = t.session_id and s.revoked_at is null and s.expires_at > now()
    join users u on u.id = s.user_id and u.disabled_at is null
    join organisations o on o.id = u.org_id and o.deleted_at is null
    where t.token_hash = hash and t.kind = 'access' and t.expires_at > now()
$$;

create function auth_by_key(hash bytea) returns setof caller
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    k api_keys;
begin
    select * into k from api_keys
        where secret_hash = hash and revoked_at is null and (expires_at is null or expires_at > now());
    if not found then
        return;
    end if;
    if k.last_used_at is null or k.last_used_at < now() - interval '1 minute' then
        update api_keys set last_used_at = now() where id = k.id;
    end if;
    if k.org_id is not null then
        return query select 'key', u.org_id, u.id, null::uuid, null::uuid, k.id, u.role, k.scopes, u.brandspace_id,
            k.expires_at from users u join organisations o on o.id = u.org_id and o.deleted_at is null
            where u.id = k.user_id and u.disabled_at is null;
    elsif k.operator_id is not null then
        return query select 'operator', null::text, null::uuid, p.id, null::uuid, k.id, 'operator', k.scopes,
            null::uuid, k.expires_at from operators p where p.id = k.operator_id and p.disabled_at is null;
    else
        return query select 'service', null::text, null::uuid, null::uuid, null::uuid, k.id, 'service', k.scopes,
            null::uuid, k.expires_at;
    end if;
end $$;

create function auth_by_email(address text)
returns table (user_id uuid, org_id text, password_hash text)
language sql stable security definer set search_path = public, pg_temp as $$
    select u.id, u.org_id, u.password_hash from users u
    join organisations o on o.id = u.org_id and o.deleted_at is null
    where u.email = lower(address) and u.disabled_at is null
$$;

create function auth_by_invitation(hash bytea)
returns table (invitation_id uuid, org_id text, org_name text, email text, role text)
language sql stable security definer set search_path = public, pg_temp as $$
    select i.id, i.org_id, o.name, i.email, i.role from invitations i
    join organisations o on o.id = i.org_id and o.deleted_at is null
    where i.token_hash = hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$$;
"""

ROTATION = """
create function auth_rotate(hash bytea, new_access bytea, new_refresh bytea, access_s float, refresh_s float)
returns table (outcome text, org_id text, user_id uuid, session_id uuid)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    t session_tokens;
    s sessions;
begin
    -- The row is locked: of two that bring the same token, one finds it used.
    select * into t from session_tokens x where x.token_hash = hash and x.kind = 'refresh' for update;
    if not found then
        return query select 'unknown', null::text, null::uuid, null::uuid;
        return;
    end if;
    select x.* into s from sessions x join users u on u.id = x.user_id and u.disabled_at is null
        join organisations o on o.id = x.org_id and o.deleted_at is null
        where x.id = t.session_id and x.revoked_at is null and x.expires_at > now() for update of x;
    if not found then
        return query select 'ended', t.org_id, null::uuid, t.session_id;
        return;
    end if;
    if t.used_at is not null then
        update sessions x set revoked_at = now(), revoked_why = 'a refresh token came twice' where x.id = s.id;
        return query select 'reused', s.org_id, s.user_id, s.id;
        return;
    end if;
    if t.expires_at <= now() then
        return query select 'expired', s.org_id, s.user_id, s.id;
        return;
    end if;
    update session_tokens x set used_at = now() where x.token_hash = hash;
    update sessions x set seen_at = now(), expires_at = now() + make_interval(secs => refresh_s) where x.id = s.id;
    insert into session_tokens (token_hash, session_id, org_id, kind, expires_at) values
        (new_access, s.id, s.org_id, 'access', now() + make_interval(secs => access_s)),
        (new_refresh, s.id, s.org_id, 'refresh', now() + make_interval(secs => refresh_s));
    return query select 'rotated', s.org_id, s.user_id, s.id;
end $$;

create function auth_forget(days float) returns bigint
language sql volatile security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from session_tokens where expires_at < now() - make_interval(secs => days * 86400) returning 1
    ), unblocked as (
        delete from login_failures where last_at < now() - interval '1 day' returning 1
    )
    select count(*) from gone
$$;
"""

THROTTLING = """
create function auth_wait(whose text[]) returns float
language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(max(extract(epoch from blocked_until - now())), 0)::float from login_failures
    where who = any(whose) and blocked_until > now()
$$;

create function auth_failed(whose text[], free integer, longest_s float) returns void
language sql volatile security definer set search_path = public, pg_temp as $$
    insert into login_failures as f (who, failures, last_at)
    select who, 1, now() from unnest(whose) who order by who
    on conflict (who) do update set
        failures = case when f.last_at < now() - interval '1 day' then 1 else f.failures + 1 end,
        last_at = now(),
        blocked_until = case when f.last_at >= now() - interval '1 day' and f.failures + 1 > free
            then now() + make_interval(secs => least(longest_s, 2.0 ^ least(f.failures + 1 - free, 20))) end
$$;
comment on function auth_failed is 'after `free` failures each doubles the wait, from 2 s on';

create function auth_succeeded(whose text[]) returns void
language sql volatile security definer set search_path = public, pg_temp as $$
    delete from login_failures where who = any(whose)
$$;
"""

KEYS = """
create table server_keys (
    name text primary key,
    key bytea not null,
    created_at timestamptz not null default now()
);
comment on table server_keys is 'what all replicas sign with: cursors, audit records';
alter table server_keys enable row level security;
alter table server_keys force row level security;
create policy engine on server_keys to current_user using (true) with check (true);

create function server_key(whose text) returns bytea
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    found_key bytea;
begin
    insert into server_keys (name, key)
        values (whose, decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'))
        on conflict (name) do nothing;
    select key into found_key from server_keys where name = whose;
    return found_key;
end $$;
"""

FUNCTIONS = (
    "auth_by_token(bytea)",
    "auth_by_key(bytea)",
    "auth_by_email(text)",
    "auth_by_invitation(bytea)",
    "auth_rotate(bytea, bytea, bytea, float, float)",
    "auth_forget(float)",
    "auth_wait(text[])",
    "auth_failed(text[], integer, float)",
    "auth_succeeded(text[])",
    "server_key(text)",
)


def upgrade() -> None:
    for script in (CALLERS, ROTATION, THROTTLING, KEYS):
        op.execute(script)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adology_app")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    op.execute("drop type caller")
    op.execute("drop table server_keys")
