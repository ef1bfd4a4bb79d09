"""First customers from the command line, as the server then knows them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adology.errors import EngineError
from adology.settings import AdologySettings
from adology_server.owning import FoundError
from adology_server.people.founding import Founding
from tests.server.rig import log_in, serving

pytestmark = pytest.mark.timeout(60)


def test_a_first_customer_logs_in(store_settings: AdologySettings) -> None:
    founding = Founding(store_settings.postgres.url)

    async def scenario() -> None:
        org = founding.make_org("Acme Ltd", "acme")
        made = await founding.make_user(org.id, "Ann@acme.example", "owner", "Ann", None)
        with pytest.raises(FoundError, match="already"):
            await founding.make_user(org.id, "ann@ACME.example", "member", "", "long enough a password")
        with pytest.raises(FoundError, match=r"no organisation 'acne'; known: acme"):
            await founding.make_user("acne", "bob@acme.example", "member", "", None)
        with pytest.raises(FoundError, match="12 to 256"):
            await founding.make_user(org.id, "bob@acme.example", "member", "", "short")
        with pytest.raises(FoundError, match="no e-mail"):
            await founding.make_user(org.id, "bob", "member", "", None)
        operator, service = founding.make_operator("ops"), founding.make_service_key("workers")
        async with serving(store_settings) as nobody:
            ann = await log_in(nobody, "ann@acme.example", made.password)
            me = await ann.get("/v1/me")
            assert (me["user"]["name"], me["organisation"]["name"]) == ("Ann", "Acme Ltd")
            for key in (operator, service):
                answer = await nobody.as_(key.secret).ask("GET", "/v1/me")
                assert answer.kind == "not-allowed"

    asyncio.run(scenario())
    for wrong in ("acme", "with space", "x" * 65):
        with pytest.raises(FoundError):
            founding.make_org("Another", wrong)
    assert [(row.id, row.users) for row in founding.list_orgs()] == [("acme", 1)]


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not answer"):
        Founding(f"postgresql://nobody@{tmp_path}:1/none?host=/nowhere").list_orgs()
