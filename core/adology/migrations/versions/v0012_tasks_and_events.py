"""Long requests, and what clients are told as it happens.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TASKS = """
create table tasks (
    id uuid primary key default gen_random_uuid(),
    org_id text not null references organisations (id),
    user_id uuid references users (id),
    kind text not null check (kind in ('refresh', 'export')),
    brand text references brands (id),
    request jsonb not null default '{}',
    state text not null default 'queued'
        check (state in ('queued', 'processing', 'completed', 'failed', 'cancelled', 'expired')),
    progress jsonb not null default '{}',
    result jsonb,
    error text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    deadline timestamptz not null,
    expires_at timestamptz,
    sent_at timestamptz,
    attempts integer not null default 0,
    epoch integer not null default 0,
    lease_until timestamptz,
    batch_key text
);
comment on column tasks.sent_at is 'when the last message went out; null: one is due, written with the task itself';
comment on column tasks.epoch is 'fencing token: who took it up later has a higher one';
comment on column tasks.batch_key is 'of a gathering that was asked for: the task ends with the batch that answers it';
comment on column tasks.expires_at is 'of ended ones: until when the result is kept';
create index tasks_by_org on tasks (org_id, created_at desc, id desc);
create unique index tasks_one_refresh on tasks (org_id, brand)
    where kind = 'refresh' and state in ('queued', 'processing');
create index tasks_open on tasks (created_at) where state in ('queued', 'processing');
create index tasks_by_age on tasks (ended_at) where ended_at is not null;
"""

EVENTS = """
create table events (
    id bigint generated always as identity primary key,
    org_id text,
    kind text not null,
    brand text,
    task uuid,
    batch text,
    body json not null,
    at timestamptz not null default now(),
    check (org_id is not null or brand is not null)
);
comment on table events is 'without foreign keys, which would lock rows of others while ids are given out';
comment on column events.org_id is 'whose it is alone; null: of those whose brandspaces hold the brand';
create index events_by_age on events (at);
create unique index events_once_per_batch on events (batch, coalesce(org_id, '')) where batch is not null;

-- Ids are given out in the order in which they become visible: who has seen one has seen all below.
-- The lock is taken before the first id and lasts until the commit is visible. Whoever writes events
-- takes no row's lock after that.
create function order_events() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(1633970028, 1);
    return null;
end $$;
create trigger in_order before insert on events for each statement execute function order_events();

create function tell_events() returns trigger language plpgsql as $$
begin
    perform pg_notify('adology_events', max(id)::text) from fresh having count(*) > 0;
    return null;
end $$;
create trigger tell after insert on events referencing new table as fresh
    for each statement execute function tell_events();

create function note_task() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into events (org_id, kind, brand, task, body) values (new.org_id, 'task', new.brand, new.id,
        json_build_object('request_id', new.id, 'status', new.state, 'result', new.result, 'error', new.error,
            'kind', new.kind, 'brand', new.brand, 'progress', new.progress));
    if tg_op = 'INSERT' then
        perform pg_notify('adology_tasks', '');
    end if;
    return null;
end $$;
create trigger note_begin after insert on tasks for each row execute function note_task();
create trigger note_change after update on tasks for each row
    when (new.state is distinct from old.state and new.state <> 'expired' or new.progress is distinct from old.progress)
    execute function note_task();
"""

TICKETS = """
create table ws_tickets (
    ticket_hash bytea primary key,
    org_id text not null references organisations (id),
    user_id uuid not null references users (id),
    session_id uuid references sessions (id) on delete cascade,
    key_id uuid references api_keys (id),
    expires_at timestamptz not null,
    check ((session_id is null) <> (key_id is null))
);
comment on table ws_tickets is 'good for one WebSocket each, for a moment';
create index ws_tickets_by_age on ws_tickets (expires_at);
"""

RIGHTS = """
-- Every way by which somebody loses rights, the command line's too, is told to all replicas.
create function tell_rights() returns trigger language plpgsql as $$
begin
    perform pg_notify('adology_rights', tg_argv[0] || ':' || new.id::text);
    return null;
end $$;
create trigger tell_revoked after update of revoked_at on sessions for each row
    when (new.revoked_at is not null and old.revoked_at is null) execute function tell_rights('session');
create trigger tell_revoked after update of revoked_at on api_keys for each row
    when (new.revoked_at is not null and old.revoked_at is null) execute function tell_rights('key');
create trigger tell_disabled after update of disabled_at on users for each row
    when (new.disabled_at is not null and old.disabled_at is null) execute function tell_rights('user');
create trigger tell_changed after update of role, brandspace_id on users for each row
    when (new.role <> old.role or new.brandspace_id is distinct from old.brandspace_id)
    execute function tell_rights('changed');
create trigger tell_deleted after update of deleted_at on organisations for each row
    when (new.deleted_at is not null and old.deleted_at is null) execute function tell_rights('org');
create trigger tell_disabled after update of disabled_at on operators for each row
    when (new.disabled_at is not null and old.disabled_at is null) execute function tell_rights('operator');
"""

FUNCTIONS = """
create function auth_by_ticket(hash bytea) returns setof caller
language sql volatile security definer set search_path = public, pg_temp as $$
    with t as (delete from ws_tickets where ticket_hash = hash returning *)
    select case when t.key_id is null then 'user' else 'key' end, u.org_id, u.id, null::uuid, t.session_id, t.key_id,
        u.role, k.scopes, u.brandspace_id, null::timestamptz
    from t
    join users u on u.id = t.user_id and u.disabled_at is null
    join organisations o on o.id = u.org_id and o.deleted_at is null
    left join sessions s on s.id = t.session_id and s.revoked_at is null and s.expires_at > now()
    left join api_keys k on k.id = t.key_id and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > now())
    where t.expires_at > now() and (s.id is not null or k.id is not null)
$$;

create function auth_still(whose uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
    select s.id from sessions s join users u on u.id = s.user_id and u.disabled_at is null
        join organisations o on o.id = s.org_id and o.deleted_at is null
        where s.id = any(whose) and s.revoked_at is null and s.expires_at > now()
    union all
    select k.id from api_keys k join users u on u.id = k.user_id and u.disabled_at is null
        join organisations o on o.id = k.org_id and o.deleted_at is null
        where k.id = any(whose) and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
$$;
comment on function auth_still is 'of these sessions and keys, those that are still good';

create function events_after(last bigint, most integer)
returns table (id bigint, org_id text, orgs text[], spaces uuid[], kind text, body json, at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    select e.id, e.org_id, array(select distinct b.org_id from brandspace_brands b where b.brand = e.brand),
        array(select b.brandspace_id from brandspace_brands b where b.brand = e.brand), e.kind, e.body, e.at
    from events e where e.id > last order by e.id limit most
$$;
comment on function events_after is 'of all organisations: for whoever hands each to those who may see it';

create function events_range() returns table (floor bigint, latest bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(min(e.id), 1) - 1, coalesce(max(e.id), 0) from events e
$$;
comment on function events_range is 'events after floor are kept';

create function task_notified(task uuid, said text, outcome jsonb, why text, how_far jsonb) returns text
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    t tasks;
begin
    select * into t from tasks where id = task for update;
    if not found or t.state = 'expired' then
        return 'unknown';
    elsif t.state not in ('queued', 'processing') then
        return case when t.state = said then 'noted' else t.state end;
    end if;
    update tasks set state = said, progress = coalesce(how_far, progress), result = coalesce(outcome, result),
        error = coalesce(why, error), started_at = coalesce(started_at, now()),
        ended_at = case when said <> 'processing' then now() end where id = task;
    return 'noted';
end $$;
comment on function task_notified is 'a worker says how a task stands: noted, unknown, or the state that it ended in';
"""

NAMES = (
    "auth_by_ticket(bytea)",
    "auth_still(uuid[])",
    "events_after(bigint, integer)",
    "events_range()",
    "task_notified(uuid, text, jsonb, text, jsonb)",
)

VISIBLE = {
    "tasks": "org_id = (select current_org())",
    "ws_tickets": "org_id = (select current_org())",
    "events": "org_id = (select current_org()) or org_id is null and exists (select from brandspace_brands b"
    " where b.brand = events.brand and b.org_id = (select current_org()))",
}

GRANTS = """
grant select, insert (org_id, user_id, kind, brand, request, deadline), update (state, ended_at) on tasks
    to adology_app;
grant select on events to adology_app;
grant insert on ws_tickets to adology_app;
"""


def upgrade() -> None:
    for script in (TASKS, EVENTS, TICKETS, RIGHTS, FUNCTIONS):
        op.execute(script)
    for table, visible in VISIBLE.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy engine on {table} to current_user using (true) with check (true)")
        op.execute(f"create policy tenant on {table} to adology_app using ({visible}) with check ({visible})")
    op.execute(GRANTS)
    op.execute("revoke all on function note_task() from public")
    for name in NAMES:
        op.execute(f"revoke all on function {name} from public")
        op.execute(f"grant execute on function {name} to adology_app")


def downgrade() -> None:
    for name in NAMES:
        op.execute(f"drop function {name}")
    for trigger, tables in (
        ("tell_revoked", ("sessions", "api_keys")),
        ("tell_disabled", ("users", "operators")),
        ("tell_changed", ("users",)),
        ("tell_deleted", ("organisations",)),
    ):
        for table in tables:
            op.execute(f"drop trigger {trigger} on {table}")
    op.execute("drop table ws_tickets, events, tasks")
    op.execute("drop function tell_rights, note_task, tell_events, order_events")
