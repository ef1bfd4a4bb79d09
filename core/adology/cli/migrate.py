"""``migrate``: bring the database to the newest revision."""

from __future__ import annotations

from adology.cli import output
from adology.cli.model import Migrated
from adology.cli.options import Json, answers, load


@answers(Migrated)
def migrate(*, json: Json = False) -> None:
    """Bring the database to the newest revision; harmless when it is there.

    `adology up` does this itself. Several processes may migrate at once: one does, the others wait.

    Example: `adology migrate`
    """
    from adology.errors import ConfigError  # noqa: PLC0415 - commands import when they run
    from adology.migrations import migrate as bring_up  # noqa: PLC0415 - SQLAlchemy is for migrations alone
    from adology.settings import resolve_secret  # noqa: PLC0415 - commands import when they run

    address = load().postgres.url
    if not address:
        raise ConfigError(
            "postgres.url", "is not set", "Run `adology up` for embedded servers, or set ADOLOGY_POSTGRES__URL."
        )
    url = resolve_secret(address, setting="postgres.url")
    with output.stderr().status("migrating the database"):
        before = _find_revision(url)
        after = bring_up(url)
    answer = Migrated(before=before, after=after)
    if json:
        output.print_json(answer)
    elif before == after:
        output.stdout().print(f"The database is at the newest revision, [bold]{after}[/].")
    else:
        output.stdout().print(f"[green]migrated[/] from {before or 'an empty database'} to [bold]{after}[/]")


def _find_revision(url: str) -> str | None:
    """The revision before; None also when the database cannot be reached, which migrating reports."""
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 - as above

    from adology.migrations import current_revision  # noqa: PLC0415 - as above

    try:
        return current_revision(url)
    except OperationalError:
        return None
