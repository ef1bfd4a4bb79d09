"""Versions of what people change; what operators may do; organisations that are suspended or deleted.

Revision ID: 0016
Revises: 0014
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

VERSIONED = {
    "brands": ("name", "handles", "file_roots", "refresh_every"),
    "users": ("email", "name", "role", "disabled_at"),
    "organisations": ("name",),
}
"""Columns that people change: a login, a refresh that comes due, are no new version."""

VERSIONS = """
create function raise_version() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    return new;
end $$;
"""

ORGANISATIONS = """
alter table organisations
    add column suspended_at timestamptz,
    add column suspended_why text not null default '' check (length(suspended_why) <= 500),
    add column purged_at timestamptz;
comment on column organisations.deleted_at is 'nobody gets in any more; what is left of it is being removed';
comment on column organisations.purged_at is 'nothing is left but this row and its audit log';
create trigger tell_suspended after update of suspended_at on organisations for each row
    when (new.suspended_at is not null and old.suspended_at is null) execute function tell_rights('org');
create index ads_by_owner on ads (owner_org_id) where owner_org_id is not null;

create function close_organisation() returns timestamptz
language sql volatile security definer set search_path = public, pg_temp as $$
    update organisations set deleted_at = now() where id = current_org() and deleted_at is null returning deleted_at
$$;
comment on function close_organisation is 'the present organisation ends; tasks remove what it has';
"""

OPEN, STILL = "o.deleted_at is null", "o.deleted_at is null and o.suspended_at is null"
AUTH = (
    "auth_by_token(bytea)",
    "auth_by_key(bytea)",
    "auth_by_email(text)",
    "auth_by_invitation(bytea)",
    "auth_rotate(bytea, bytea, bytea, float, float)",
    "auth_by_ticket(bytea)",
    "auth_still(uuid[])",
)
"""Each lets nobody in whose organisation is deleted; from here on, nor whose organisation is suspended."""

OPERATORS = """
create function is_operator(by_key uuid) returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from api_keys k join operators p on p.id = k.operator_id and p.disabled_at is null
        where k.id = by_key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()))
$$;
comment on function is_operator is
    'functions of operators ask it: the server''s role by itself, which sees no such key, gets nothing';

create function operator_organisations(by_key uuid, which text, behind text, most integer)
returns table (id text, name text, created_at timestamptz, suspended_at timestamptz, suspended_why text,
    deleted_at timestamptz, purged_at timestamptz, users bigint, keys bigint, brandspaces bigint, boards bigint,
    open_tasks bigint, private_ads bigint, last_seen_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.name, o.created_at, o.suspended_at, o.suspended_why, o.deleted_at, o.purged_at,
        (select count(*) from users x where x.org_id = o.id and x.disabled_at is null),
        (select count(*) from api_keys x where x.org_id = o.id and x.revoked_at is null),
        (select count(*) from brandspaces x where x.org_id = o.id),
        (select count(*) from boards x where x.org_id = o.id),
        (select count(*) from tasks x where x.org_id = o.id and x.state in ('queued', 'processing')),
        (select count(*) from ads x where x.owner_org_id = o.id),
        greatest((select max(x.last_login_at) from users x where x.org_id = o.id),
            (select max(x.last_used_at) from api_keys x where x.org_id = o.id))
    from organisations o
    where (select is_operator(by_key)) and (which is null or o.id = which) and o.id > behind order by o.id limit most
$$;

create function operator_suspend(by_key uuid, which text, why text) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    o organisations;
    actor text;
begin
    if not is_operator(by_key) then
        return false;
    end if;
    select * into o from organisations where id = which and deleted_at is null for update;
    if not found then
        return false;
    end if;
    if (o.suspended_at is null) <> (why is null) then
        select 'operator:' || operator_id into actor from api_keys where id = by_key;
        update organisations set suspended_at = case when why is not null then now() end,
            suspended_why = coalesce(why, '') where id = which;
        -- In the organisation's own log as well: its admins see who shut them out, and why.
        insert into audit (org_id, actor, session, action, target, outcome, reason) values (which, actor, by_key::text,
            case when why is null then 'resumeOrganisation' else 'suspendOrganisation' end,
            '/v1/operator/organisations/' || which || '/suspension', 'done', left(coalesce(why, ''), 100));
    end if;
    return true;
end $$;
comment on function operator_suspend is 'without a reason the suspension ends; false: there is no such organisation';

create function operator_keys(by_key uuid, of_org text, behind uuid, most integer)
returns table (id uuid, org_id text, user_id uuid, operator text, name text, hint text, scopes text[],
    created_at timestamptz, expires_at timestamptz, last_used_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    select k.id, k.org_id, k.user_id, p.name, k.name, k.hint, k.scopes, k.created_at, k.expires_at, k.last_used_at
    from api_keys k left join operators p on p.id = k.operator_id
    where (select is_operator(by_key)) and k.revoked_at is null and k.org_id is not distinct from of_org
        and (behind is null or k.id > behind) order by k.id limit most
$$;

create function operator_revoke(by_key uuid, which uuid) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    k api_keys;
    actor text;
begin
    if not is_operator(by_key) then
        return false;
    end if;
    select 'operator:' || operator_id into actor from api_keys where id = by_key;
    update api_keys set revoked_at = now() where id = which and revoked_at is null returning * into k;
    if not found then
        return false;
    end if;
    if k.org_id is not null then
        insert into audit (org_id, actor, session, action, target, outcome)
            values (k.org_id, actor, by_key::text, 'revokeAnyKey', '/v1/operator/keys/' || which, 'done');
    end if;
    return true;
end $$;

create function operator_audit(by_key uuid, behind bigint, most integer) returns setof audit
language sql stable security definer set search_path = public, pg_temp as $$
    select * from audit where (select is_operator(by_key)) and org_id is null and coalesce(org_id, '') = ''
        and (behind is null or seq < behind) order by seq desc limit most
$$;
"""

FUNCTIONS = (
    "close_organisation()",
    "operator_organisations(uuid, text, text, integer)",
    "operator_suspend(uuid, text, text)",
    "operator_keys(uuid, text, uuid, integer)",
    "operator_revoke(uuid, uuid)",
    "operator_audit(uuid, bigint, integer)",
)


def rewrite(old: str, new: str) -> None:
    """Put `new` for `old` in the functions that let people in; who may call them stays."""
    for function in AUTH:
        text = op.get_bind().exec_driver_sql(f"select pg_get_functiondef('{function}'::regprocedure)").scalar_one()
        if old not in text:
            raise RuntimeError(f"the function {function} is not the one that this migration knows")
        op.execute(text.replace(old, new))


def upgrade() -> None:
    op.execute(VERSIONS)
    for table, columns in VERSIONED.items():
        op.execute(f"alter table {table} add column version integer not null default 1")
        new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("new", "old"))
        op.execute(
            f"create trigger raise_version before update on {table} for each row"
            f" when (({new}) is distinct from ({old})) execute function raise_version()"
        )
    op.execute(ORGANISATIONS)
    rewrite(OPEN, STILL)
    op.execute(OPERATORS)
    op.execute("revoke all on function is_operator(uuid) from public")
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to adology_app")


def downgrade() -> None:
    for function in (*FUNCTIONS, "is_operator(uuid)"):
        op.execute(f"drop function {function}")
    rewrite(STILL, OPEN)
    op.execute("drop index ads_by_owner")
    op.execute("drop trigger tell_suspended on organisations")
    op.execute("alter table organisations drop column suspended_at, drop column suspended_why, drop column purged_at")
    for table in VERSIONED:
        op.execute(f"drop trigger raise_version on {table}")
        op.execute(f"alter table {table} drop column version")
    op.execute("drop function raise_version")
