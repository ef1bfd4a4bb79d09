"""``org``, ``user``: customers, from the first to the last day."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import AuditCheck, AuditLine, LeftOrg, MadeUser, OrgLine
from adology.cli.options import Command, Group, Json, answers, load

if TYPE_CHECKING:
    from adology_server.operators.commands import Operating
    from adology_server.people.founding import Founding

ROLES = ("owner", "admin", "member", "viewer")

orgs = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="markdown")
users = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="markdown")


@orgs.callback()
def org() -> None:
    """Make organisations, the customers of the server; list, suspend and delete them.

    Example: `adology org create Acme --id acme`
    """


@users.callback()
def user() -> None:
    """Make users of organisations.

    Example: `adology user create ann@acme.example --org acme --role owner`
    """


@orgs.command("create", cls=Command)
@answers(OrgLine)
def create_org(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the customer.")],
    *,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Short id: letters, digits, _ and -. [default: made up]")
    ] = None,
    json: Json = False,
) -> None:
    """Make an organisation.

    Example: `adology org create Acme --id acme`
    """
    made = _founding().make_org(name, id_)
    if json:
        output.print_json(made)
        return
    output.stdout().print(f"[green]made[/] organisation [bold]{output.plain(made.id)}[/]", soft_wrap=True)
    output.hint(f"Next: adology user create ann@example.com --org {made.id} --role owner")


@orgs.command("list", cls=Command)
@answers(list[OrgLine])
def list_orgs(*, json: Json = False) -> None:
    """List the organisations.

    Example: `adology org list`
    """
    rows = _founding().list_orgs()
    if json:
        output.print_json(rows)
        return
    if not rows:
        output.hint("No organisations yet. Make one: adology org create Acme --id acme")
        return
    table = output.table("id", "name", "users", "brandspaces", "since", "suspended", right=("users", "brandspaces"))
    for row in rows:
        since, suspended = f"{row.created_at:%Y-%m-%d}", f"{row.suspended_at:%Y-%m-%d}" if row.suspended_at else ""
        numbers = (str(row.users), str(row.brandspaces))
        table.add_row(output.cell(row.id), output.cell(row.name), *numbers, since, suspended)
    output.stdout().print(table)


@orgs.command("suspend", cls=Command)
def suspend_org(
    org_id: Annotated[str, typer.Argument(metavar="ID", help="The organisation.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; its admins can read it in their audit log.")],
) -> None:
    """Shut an organisation out: its sessions and keys are refused, its sockets closed. Nothing is lost.

    Example: `adology org suspend acme --reason "not paid"`
    """
    _operating().suspend(org_id, reason)
    output.stdout().print(f"[green]suspended[/] {output.plain(org_id)}", soft_wrap=True)
    output.hint(f"Let it in again: adology org resume {org_id}")


@orgs.command("resume", cls=Command)
def resume_org(org_id: Annotated[str, typer.Argument(metavar="ID", help="The organisation.")]) -> None:
    """End the suspension of an organisation.

    Example: `adology org resume acme`
    """
    _operating().suspend(org_id, None)
    output.stdout().print(f"[green]resumed[/] {output.plain(org_id)}", soft_wrap=True)


@orgs.command("delete", cls=Command)
@answers(LeftOrg)
def delete_org(
    org_id: Annotated[str, typer.Argument(metavar="ID", help="The organisation.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="It is meant: nothing brings it back.")] = False,
    json: Json = False,
) -> None:
    """Delete an organisation with all that is private to it: people, keys, boards, exports, its own ads and creatives.

    Its audit log is kept; the hash of its last record is printed. May be run again. Backups keep what they have.

    Example: `adology org delete acme --yes`
    """
    if not yes:
        raise typer.BadParameter(f"this deletes {org_id} for good; say --yes if that is meant")
    told = asyncio.run(_leave(org_id))
    if json:
        output.print_json(told)
        return
    counts = f"{told.rows} rows, {told.ads} private ads, {told.files} files, {told.documents} documents"
    output.stdout().print(f"[green]removed[/] of {output.plain(org_id)}: {counts}", soft_wrap=True)
    if told.finished:
        output.stdout().print(f"head of its audit log: {told.head}", soft_wrap=True, highlight=False, markup=False)
        output.hint("Sources of settings with this owner_org_id can go as well.")
    else:
        output.hint(
            f"Not all yet: {told.batches_under_way} batches under way may still bring ads of it."
            " `adology tasks` goes on by itself; or run this again."
        )


@orgs.command("audit", cls=Command)
@answers(list[AuditLine] | AuditCheck)
def audit_org(
    org_id: Annotated[str, typer.Argument(metavar="ID", help="The organisation; '' for the operators' own log.")],
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the chain of hashes; exit status 1 if broken.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Newest records to show.")] = 20,
    json: Json = False,
) -> None:
    """Show the newest records of an organisation's audit log, or check that none was changed or removed.

    Example: `adology org audit acme --verify`
    """
    from adology_server.manners.verify import AuditLog  # noqa: PLC0415 - commands import when they run

    log = AuditLog(owners_url())
    if verify:
        _show_check(log.verify(org_id), json=json)
        return
    rows = log.newest(org_id, limit)
    if json:
        output.print_json(rows)
        return
    table = output.table("no", "at", "who", "did", "to", "from", "outcome", right=("no",))
    for row in rows:
        cells = (row.actor, row.action, row.subject or row.target, row.address)
        outcome = row.outcome if row.outcome == "done" else f"{row.outcome}: {row.reason}"
        table.add_row(str(row.seq), f"{row.at:%Y-%m-%d %H:%M:%S}", *map(output.cell, cells), output.cell(outcome))
    output.stdout().print(table)


def _show_check(check: AuditCheck, *, json: bool) -> None:
    if json:
        output.print_json(check)
    elif check.broken is None:
        output.stdout().print(f"[green]whole[/] {check.records} records", soft_wrap=True)
        output.stdout().print(f"head: {check.head}", soft_wrap=True, highlight=False, markup=False)
        output.hint("Note the head elsewhere: who rewrites the whole chain cannot rewrite that.")
    else:
        output.stdout().print(f"[red]broken[/] at record {check.broken}: {output.plain(check.error)}", soft_wrap=True)
    if check.broken is not None:
        raise typer.Exit(1)


@users.command("create", cls=Command)
@answers(MadeUser)
def create_user(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail; unique in the whole system.")],
    *,
    org: Annotated[str, typer.Option(metavar="ID", help="The organisation.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")] = "member",
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the password, - for standard input. [default: one is made up]"),
    ] = None,
    json: Json = False,
) -> None:
    """Make a user; a password that is made up is shown once.

    Example: `adology user create ann@acme.example --org acme --role owner`
    """
    if role not in ROLES:
        raise typer.BadParameter(f"--role {role!r} is none of {', '.join(ROLES)}")
    password = _read_password(password_file)
    made = asyncio.run(_founding().make_user(org, email, role, name, password))  # type: ignore[arg-type]  # checked
    if json:
        output.print_json(made)
        return
    output.stdout().print(
        f"[green]made[/] {made.role} [bold]{output.plain(made.email)}[/] of {output.plain(made.org_id)}", soft_wrap=True
    )
    if made.password:
        output.stdout().print(f"password: {made.password}", soft_wrap=True, highlight=False, markup=False)
        output.hint("It is shown this once. It can be changed with POST /v1/auth/password.")


def _read_password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--password-file {file} cannot be read: {error}") from error
    return text.removesuffix("\n").removesuffix("\r")


def _founding() -> Founding:
    from adology_server.people.founding import Founding  # noqa: PLC0415 - commands import when they run

    return Founding(owners_url())


def _operating() -> Operating:
    from adology_server.operators.commands import Operating  # noqa: PLC0415 - commands import when they run

    return Operating(owners_url())


async def _leave(org_id: str) -> LeftOrg:
    from adology_server.leaving.purge import open_purge  # noqa: PLC0415 - commands import when they run
    from adology_server.owning import FoundError  # noqa: PLC0415 - as above

    owners_url()  # tells what is not running
    async with open_purge(load()) as purge:
        told = await purge.leave(org_id)
    if told is None:
        known = ", ".join(row.id for row in _founding().list_orgs()[:10])
        raise FoundError(f"there is no organisation {org_id!r}; known: {known or 'none yet'}")
    return told


def owners_url() -> str:
    """The database's address, with the rights of the schema's owner."""
    from adology.cli.requests import check_running  # noqa: PLC0415 - commands import when they run
    from adology.settings import resolve_secret  # noqa: PLC0415 - as above

    settings = load()
    check_running(settings)
    return resolve_secret(settings.postgres.url, setting="postgres.url")
