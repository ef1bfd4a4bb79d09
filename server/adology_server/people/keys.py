"""Keys for scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from adology_server import parts
from adology_server.access import RANKS, Access, allow
from adology_server.callers import KEY as PREFIX
from adology_server.callers import digest, make_secret
from adology_server.lists import list_page
from adology_server.manners.deeds import about
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.people.model import Key, MadeKey, NewKey
from adology_server.people.statements import KEY
from adology_server.problems import Refusal, not_found
from adology_server.room import KEYS, check_room
from adology_server.tenancy import convert

_HINT = 4
_LEAST_RANK = {"read": RANKS["viewer"], "write": RANKS["member"], "manage": RANKS["admin"]}


@post("/v1/keys", opt=allow(Access.SESSION), operation_id="makeKey")
async def make_key(request: Incoming, data: JSONBody[NewKey]) -> MadeKey:
    """A key of the caller's. Its secret is shown this once."""
    caller = request.user
    over = [scope for scope in data.scopes if _LEAST_RANK[scope] > RANKS[caller.role]]
    if over:
        raise Refusal("not-allowed", f"The role {caller.role} has no scope {over[0]!r} to give.", field="scopes")
    if data.expires_at is not None and (data.expires_at.tzinfo is None or data.expires_at <= datetime.now(UTC)):
        raise Refusal("invalid", "expires_at is a time in the future, with its zone.", field="expires_at")
    secret, key_id = make_secret(PREFIX), uuid4()
    about(str(key_id))
    async with parts.tenants(request).transaction(caller.org) as connection:
        await check_room(
            connection,
            KEYS,
            "select count(*) as n from api_keys"
            " where user_id = %s and revoked_at is null and (expires_at is null or expires_at > now())",
            [caller.user_id],
            parts.settings(request).keys_per_user,
            "A person has {most} keys at most: revoke one first.",
        )
        made = await connection.execute(
            "insert into api_keys (id, org_id, user_id, name, hint, secret_hash, scopes, expires_at)"
            f" values (%s, %s, %s, %s, %s, %s, %s, %s) returning {KEY}",
            [
                key_id,
                caller.org,
                caller.user_id,
                data.name,
                secret[-_HINT:],
                digest(secret),
                sorted(set(data.scopes)),
                data.expires_at,
            ],
        )
        row = await made.fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return MadeKey(key=convert(row, Key), secret=secret)


@get("/v1/keys", opt=allow(Access.SESSION), operation_id="listKeys")
async def list_keys(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Key]:
    """The caller's keys; admins see all of the organisation."""
    statement = (
        f"select {KEY} from api_keys where revoked_at is null and (%(all)s or user_id = %(user)s)"
        " and (%(id)s::uuid is null or id > %(id)s) order by id limit %(limit)s"
    )
    seen = {"all": _sees_all(request), "user": request.user.user_id}
    what = ["keys", *seen.values()]
    return await list_page(request, Key, what, statement, {"id": None}, limit=limit, after=after, **seen)


@delete("/v1/keys/{key_id:uuid}", opt=allow(Access.SESSION), operation_id="revokeKey")
async def revoke_key(request: Incoming, key_id: FromPath[UUID]) -> None:
    """Revoke a key of the caller's; admins may revoke any of the organisation."""
    gone = await parts.tenants(request).rows(
        request.user.org,
        "update api_keys set revoked_at = now() where id = %s and revoked_at is null and (%s or user_id = %s)"
        " returning id",
        [key_id, _sees_all(request), request.user.user_id],
    )
    if not gone:
        raise not_found("key", key_id)
    parts.callers(request).forget()


def _sees_all(request: Incoming) -> bool:
    return RANKS[request.user.role] >= RANKS["admin"]


ROUTES = (make_key, list_keys, revoke_key)
