"""Logging in and out: sessions with short access tokens and refresh tokens that are used once."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from adology.log import logger
from adology_server import parts
from adology_server.access import Access, allow
from adology_server.callers import ACCESS, REFRESH, digest, make_secret
from adology_server.manners.signing import sign
from adology_server.parts import Anybodys, Incoming
from adology_server.people.model import Login, Me, NewPassword, Organisation, Person, Refresh, SessionRow
from adology_server.people.model import Tokens as TokensAnswer
from adology_server.people.statements import ORGANISATION, PERSON
from adology_server.people.throttle import Throttle
from adology_server.problems import Refusal, not_found
from adology_server.tenancy import Connection, convert


@post("/v1/auth/login", opt=allow(Access.PUBLIC), status_code=HTTP_200_OK, operation_id="login", security=[])
async def login(request: Anybodys, data: JSONBody[Login]) -> TokensAnswer:
    """A new session. After several failures each further one makes the next wait longer: 429."""
    tenants, passwords = parts.tenants(request), parts.passwords(request)
    email, address = data.email.lower(), parts.address(request)
    throttle = Throttle(request, (email, address), (email,), (address,))
    await throttle.check()
    rows = await tenants.rows(None, "select * from auth_by_email(%s)", [data.email])
    found: dict[str, Any] = rows[0] if rows else {}
    if found:
        sign(request, found["org_id"], found["user_id"], "login")
    right = await passwords.check(data.password, found.get("password_hash"), address)
    # Of many that came at once, those behind the first failures learn nothing.
    await throttle.check()
    if not right:
        await throttle.note_failure()
        logger.bind(address=address).warning("login refused")
        raise Refusal("wrong-credentials", "The e-mail or the password is wrong.")
    await throttle.note_success()
    outdated = passwords.is_outdated(found["password_hash"])
    renewed = await passwords.hash(data.password, address) if outdated else None
    async with tenants.transaction(found["org_id"]) as connection:
        # It may have been changed, or its owner shut out, while it was checked.
        still = await connection.execute(
            "select id from users where id = %s and password_hash = %s and disabled_at is null for update",
            [found["user_id"], found["password_hash"]],
        )
        if await still.fetchone() is None:
            raise Refusal("wrong-credentials", "The e-mail or the password is wrong.")
        if renewed is not None:
            await connection.execute("update users set password_hash = %s where id = %s", [renewed, found["user_id"]])
        return await open_session(connection, request, found["org_id"], found["user_id"])


@post("/v1/auth/refresh", opt=allow(Access.PUBLIC), status_code=HTTP_200_OK, operation_id="refresh", security=[])
async def refresh(request: Anybodys, data: JSONBody[Refresh]) -> TokensAnswer:
    """New tokens for a refresh token. One that comes twice was stolen: its session ends."""
    own = parts.settings(request)
    access, following = make_secret(ACCESS), make_secret(REFRESH)
    values = [digest(data.refresh_token), digest(access), digest(following), own.access_s, own.refresh_s]
    rows = await parts.tenants(request).rows(None, "select * from auth_rotate(%s, %s, %s, %s, %s)", values)
    outcome = rows[0]["outcome"]
    if outcome == "rotated":
        return TokensAnswer(access_token=access, refresh_token=following, expires_in=own.access_s)
    if outcome == "reused":
        parts.callers(request).forget()
        sign(request, rows[0]["org_id"], rows[0]["user_id"], "refresh")
        logger.bind(org=rows[0]["org_id"], session=str(rows[0]["session_id"])).warning("a refresh token came twice")
    raise Refusal("session-ended", "The refresh token is unknown, used or expired: log in again.")


@post("/v1/auth/logout", opt=allow(Access.SESSION), status_code=204, operation_id="logout")
async def logout(request: Incoming) -> None:
    """End this session."""
    caller = request.user
    await _revoke(request, "id = %s", [caller.session_id], "logged out")


@post("/v1/auth/logout-everywhere", opt=allow(Access.SESSION), status_code=204, operation_id="logoutEverywhere")
async def logout_everywhere(request: Incoming) -> None:
    """End all sessions of the caller, this one too."""
    await _revoke(request, "user_id = %s", [request.user.user_id], "logged out everywhere")


@get("/v1/auth/sessions", opt=allow(Access.SESSION), operation_id="listSessions")
async def list_sessions(request: Incoming) -> list[SessionRow]:
    """Where the caller is logged in, the newest first; at most 200."""
    caller = request.user
    return await parts.tenants(request).all(
        caller.org,
        SessionRow,
        "select id, user_agent, address, created_at, seen_at, expires_at, id = %s as current from sessions"
        " where user_id = %s and revoked_at is null and expires_at > now() order by created_at desc, id limit 200",
        [caller.session_id, caller.user_id],
    )


@delete("/v1/auth/sessions/{session_id:uuid}", opt=allow(Access.SESSION), operation_id="endSession")
async def end_session(request: Incoming, session_id: FromPath[UUID]) -> None:
    """End one of the caller's sessions."""
    if not await _revoke(request, "id = %s and user_id = %s", [session_id, request.user.user_id], "ended by its user"):
        raise not_found("session", session_id)


@post("/v1/auth/password", opt=allow(Access.SESSION), status_code=204, operation_id="changePassword")
async def change_password(request: Incoming, data: JSONBody[NewPassword]) -> None:
    """Another password; all other sessions of the caller end. Wrong current ones make the next wait, as logins do."""
    caller, passwords, tenants = request.user, parts.passwords(request), parts.tenants(request)
    user = str(caller.user_id)
    throttle = Throttle(request, ("password", user), (parts.address(request),))
    await throttle.check()
    rows = await tenants.rows(caller.org, "select password_hash from users where id = %s", [caller.user_id])
    kept = rows[0]["password_hash"] if rows else None
    right = await passwords.check(data.current, kept, user)
    await throttle.check()
    if not right:
        await throttle.note_failure()
        raise Refusal("wrong-credentials", "The current password is wrong.")
    await throttle.note_success()
    renewed = await passwords.hash(data.new, user)
    async with tenants.transaction(caller.org) as connection:
        changed = await connection.execute(
            "update users set password_hash = %s where id = %s and password_hash = %s", [renewed, caller.user_id, kept]
        )
        if not changed.rowcount:  # it was changed while it was checked
            raise Refusal("wrong-credentials", "The current password is wrong.")
        await connection.execute(
            "update sessions set revoked_at = now(), revoked_why = 'the password was changed'"
            " where user_id = %s and id <> %s and revoked_at is null",
            [caller.user_id, caller.session_id],
        )
    parts.callers(request).forget()


@get("/v1/me", opt=allow(Access.VIEWER), operation_id="me")
async def get_me(request: Incoming) -> Me:
    """Who asks, in which organisation, and which brandspace is seen where none is named."""
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        user = await (
            await connection.execute(f"select {PERSON}, brandspace_id from users where id = %s", [caller.user_id])
        ).fetchone()
        organisation = await (
            await connection.execute(f"select {ORGANISATION} from organisations where id = %s", [caller.org])
        ).fetchone()
    if user is None or organisation is None:
        raise Refusal("session-ended", "The user is gone.")
    return Me(
        user=convert(user, Person),
        organisation=convert(organisation, Organisation),
        brandspace_id=user["brandspace_id"],
        scopes=caller.scopes if caller.kind == "key" else ("read", "write", "manage"),
    )


async def open_session(connection: Connection, request: Anybodys, org_id: str, user_id: UUID) -> TokensAnswer:
    """Log the user in: a new session, and the tokens that it begins with."""
    own = parts.settings(request)
    access, following = make_secret(ACCESS), make_secret(REFRESH)
    agent = request.headers.get("user-agent", "")[:300]
    made = await connection.execute(
        "insert into sessions (org_id, user_id, user_agent, address, expires_at)"
        " values (%s, %s, %s, %s, now() + make_interval(secs => %s)) returning id",
        [org_id, user_id, agent.replace("\0", ""), parts.address(request), own.refresh_s],
    )
    session = await made.fetchone()
    assert session is not None  # noqa: S101 - an insert returns its row
    for secret, kind, seconds in ((access, "access", own.access_s), (following, "refresh", own.refresh_s)):
        await connection.execute(
            "insert into session_tokens (token_hash, session_id, org_id, kind, expires_at)"
            " values (%s, %s, %s, %s, now() + make_interval(secs => %s))",
            [digest(secret), session["id"], org_id, kind, seconds],
        )
    await connection.execute("update users set last_login_at = now() where id = %s", [user_id])
    return TokensAnswer(access_token=access, refresh_token=following, expires_in=own.access_s)


async def _revoke(request: Incoming, which: LiteralString, values: list[Any], why: str) -> int:
    async with parts.tenants(request).transaction(request.user.org) as connection:
        done = await connection.execute(
            "update sessions set revoked_at = now(), revoked_why = %s where revoked_at is null and " + which,
            [why, *values],
        )
    parts.callers(request).forget()
    return done.rowcount


ROUTES = (
    login,
    refresh,
    logout,
    logout_everywhere,
    list_sessions,
    end_session,
    change_password,
    get_me,
)
