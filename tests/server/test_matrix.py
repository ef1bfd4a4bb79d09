"""Who may ask what: every route as every kind of caller, against `matrix.toml`."""

from __future__ import annotations

import asyncio
import secrets
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adology.settings import AdologySettings
from adology_server.callers import ACCESS, KEY, digest
from tests.server.rig import Client, World, serving
from tests.server.routes import Route, all_routes

pytestmark = pytest.mark.timeout(240)
MATRIX: dict[str, Any] = tomllib.loads((Path(__file__).parent / "matrix.toml").read_text("utf-8"))
ROLES = ("viewer", "member", "admin", "owner")
ABSENT = {"uuid": "00000000-0000-4000-8000-000000000000", "int": "999999999", "str": "absent"}


def test_every_route_is_in_the_matrix_with_its_level() -> None:
    assert {route.name: route.level for route in all_routes()} == MATRIX["routes"]
    assert {route.level for route in all_routes()} <= set(MATRIX["allowed"])


def insert_session(world: World, org_id: str, user: str) -> str:
    """A session without the cost of a password."""
    token = ACCESS + secrets.token_urlsafe(32)
    ((session,),) = world.rows(
        "insert into sessions (org_id, user_id, expires_at) values (%s, %s, now() + interval '1 hour') returning id",
        [org_id, user],
    )
    world.rows(
        "insert into session_tokens (token_hash, session_id, org_id, kind, expires_at)"
        " values (%s, %s, %s, 'access', now() + interval '1 hour')",
        [digest(token), session, org_id],
    )
    return token


def insert_key(world: World, org_id: str, user: str, scope: str) -> str:
    """A key of that user with one scope."""
    secret = KEY + secrets.token_urlsafe(32)
    world.rows(
        "insert into api_keys (org_id, user_id, name, hint, secret_hash, scopes) values (%s, %s, 'k', 'hint', %s, %s)",
        [org_id, user, digest(secret), [scope]],
    )
    return secret


def insert_user(world: World, org_id: str, email: str, role: str) -> str:
    """A user who cannot log in."""
    ((user,),) = world.rows(
        "insert into users (org_id, email, role) values (%s, %s, %s) returning id", [org_id, email, role]
    )
    return str(user)


class Callers:
    """One of each kind of caller."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.add_org("acme")
        self.users = {role: insert_user(world, "acme", f"{role}@acme.example", role) for role in ROLES}
        self.secrets = {
            "nobody": "",
            "operator": world.add_operator(),
            "service": world.add_service(),
            "viewers_write": insert_key(world, "acme", self.users["viewer"], "write"),
            **{scope: insert_key(world, "acme", self.users["owner"], scope) for scope in ("read", "write", "manage")},
        }
        self.renew()

    def renew(self) -> None:
        """New sessions, for those that a route may have ended."""
        self.secrets |= {role: insert_session(self.world, "acme", user) for role, user in self.users.items()}


async def ask(client: Client, route: Route, address: str) -> tuple[int, str]:
    """Status and kind of problem, without waiting for the end of a stream."""
    headers = {"authorization": f"Bearer {client.token}"} if client.token else {}
    body: Any = {} if route.method in ("POST", "PUT", "PATCH") else None
    async with client.http.request(route.method, client.origin + address, json=body, headers=headers) as answer:
        if answer.content_type != "application/problem+json":
            return answer.status, ""
        problem = await answer.json(content_type=None)
        return answer.status, str(problem["type"]).rpartition(":")[2]


def test_every_caller_may_what_the_matrix_says(store_settings: AdologySettings) -> None:
    callers = Callers(World(store_settings))
    assert set(MATRIX["allowed"]["public"]) == set(callers.secrets)

    async def scenario() -> list[str]:
        wrong = []
        async with serving(store_settings, rate_caller=0, rate_organisation=0) as nobody:
            for route in all_routes():
                if route.method == "ANY":  # sockets have tests of their own
                    continue
                if route.path.startswith("/v1/auth/"):
                    callers.renew()
                address = route.at(**{name: ABSENT[kind] for name, kind in route.parameters.items()})
                for who, secret in callers.secrets.items():
                    status, kind = await ask(nobody.as_(secret), route, address)
                    may = kind not in ("not-allowed", "missing-scope", "not-authenticated")
                    if may is not (who in MATRIX["allowed"][MATRIX["routes"][route.name]]):
                        wrong.append(f"{who} {route.name}: {status} {kind}")
                    if kind in ("session-ended", "too-many", "internal") or (status >= 500 and route.path != "/readyz"):
                        wrong.append(f"{who} {route.name}: {status} {kind} says nothing")
        return wrong

    assert asyncio.run(scenario()) == []
