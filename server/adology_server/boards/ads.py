"""Whether an ad may be spoken of."""

from __future__ import annotations

from adology_server.problems import not_found
from adology_server.tenancy import Connection

LARGEST = 2**63 - 1


async def check_seen(connection: Connection, ad_id: int) -> None:
    """Foreign keys are checked with the owner's eyes: whether the organisation sees the ad is asked here.

    Raises:
        Refusal: 404, there is no such ad, or it is somebody else's.
    """
    if 0 < ad_id <= LARGEST:
        found = await connection.execute("select id from ads where id = %s", [ad_id])
        if await found.fetchone() is not None:
            return
    raise not_found("ad", ad_id)
