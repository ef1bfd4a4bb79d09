"""Row-level security as every table with private rows has it."""

from __future__ import annotations

OWN = "org_id = (select current_org())"
"""Rows that belong to the organisation in `org_id`."""
PUBLIC_OR_OWN = "owner_org_id is null or owner_org_id = (select current_org())"
"""Rows of public sources, and those that came from the organisation's own database."""


def secure(table: str, visible: str = OWN) -> str:
    """Statements after which the API server sees what `visible` says; the owner, who is the engine, sees all."""
    return f"""
alter table {table} enable row level security;
alter table {table} force row level security;
create policy engine on {table} to current_user using (true) with check (true);
create policy tenant on {table} to adology_app using ({visible}) with check ({visible});
"""


def release(table: str) -> str:
    """Statements that take `secure` back."""
    return f"""
drop policy tenant on {table};
drop policy engine on {table};
alter table {table} no force row level security, disable row level security;
"""
