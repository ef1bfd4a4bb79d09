"""``operator``: who runs the system, and all keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import KeyLine, MadeSecret, OperatorLine
from adology.cli.options import Command, Group, Json, answers
from adology.cli.people import owners_url

if TYPE_CHECKING:
    from adology_server.operators.commands import Operating
    from adology_server.people.founding import Founding

operators = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="markdown")


@operators.callback()
def operator() -> None:
    """Make, list and revoke keys: of those who run the system, of workers, of anybody.

    Example: `adology operator create ops`
    """


@operators.command("create", cls=Command)
@answers(MadeSecret)
def create_operator(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")], *, json: Json = False
) -> None:
    """Make an operator and the key by which the server knows them.

    Example: `adology operator create ops`
    """
    _show_secret(_founding().make_operator(name), json=json)


@operators.command("service-key", cls=Command)
@answers(MadeSecret)
def create_service_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")], *, json: Json = False
) -> None:
    """Make a key with which workers report to the server (POST /notify).

    Example: `adology operator service-key workers`
    """
    _show_secret(_founding().make_service_key(name), json=json)


def _show_secret(made: MadeSecret, *, json: bool) -> None:
    if json:
        output.print_json(made)
        return
    output.stdout().print(f"[green]made[/] key {output.plain(made.name)} ({', '.join(made.scopes)})", soft_wrap=True)
    output.stdout().print(made.secret, soft_wrap=True, highlight=False, markup=False)
    output.hint("It is shown this once.")


@operators.command("list", cls=Command)
@answers(list[OperatorLine])
def list_operators(*, json: Json = False) -> None:
    """List those who run the system.

    Example: `adology operator list`
    """
    rows = _operating().list_operators()
    if json:
        output.print_json(rows)
        return
    table = output.table("name", "keys", "since", "last seen", "revoked", right=("keys",))
    for row in rows:
        days = (f"{row.created_at:%Y-%m-%d}", _day(row.last_used_at), _day(row.disabled_at))
        table.add_row(output.cell(row.name), str(row.keys), *days)
    output.stdout().print(table)


@operators.command("revoke", cls=Command)
@answers(OperatorLine)
def revoke_operator(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator.")], *, json: Json = False
) -> None:
    """End an operator and all their keys, at once and for good.

    Example: `adology operator revoke ops`
    """
    row = _operating().revoke_operator(name)
    if json:
        output.print_json(row)
        return
    output.stdout().print(f"[green]revoked[/] operator {output.plain(row.name)} and their keys", soft_wrap=True)


@operators.command("keys", cls=Command)
@answers(list[KeyLine])
def list_keys(
    *,
    org: Annotated[
        str | None, typer.Option(metavar="ID", help="Keys of an organisation. [default: of operators and workers]")
    ] = None,
    json: Json = False,
) -> None:
    """List keys that are not revoked, without their secrets.

    Example: `adology operator keys`
    """
    rows = _operating().list_keys(org)
    if json:
        output.print_json(rows)
        return
    table = output.table("id", "name", "whose", "scopes", "ends in", "since", "last used")
    for row in rows:
        cells = (row.id, row.name, row.whose or "workers", ", ".join(row.scopes), row.hint)
        table.add_row(*map(output.cell, cells), f"{row.created_at:%Y-%m-%d}", _day(row.last_used_at))
    output.stdout().print(table)


@operators.command("revoke-key", cls=Command)
@answers(KeyLine)
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `adology operator keys` shows it.")],
    *,
    json: Json = False,
) -> None:
    """Revoke a key, whoever's it is: of a worker, an operator, a customer. It ends at once.

    Example: `adology operator revoke-key 5b6f3c2e-8a41-4f0e-9d27-1c0b7a9e4d10`
    """
    row = _operating().revoke_key(key_id)
    if json:
        output.print_json(row)
        return
    output.stdout().print(f"[green]revoked[/] key {output.plain(row.name)} (…{output.plain(row.hint)})", soft_wrap=True)


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else ""


def _founding() -> Founding:
    from adology_server.people.founding import Founding  # noqa: PLC0415 - commands import when they run

    return Founding(owners_url())


def _operating() -> Operating:
    from adology_server.operators.commands import Operating  # noqa: PLC0415 - commands import when they run

    return Operating(owners_url())
