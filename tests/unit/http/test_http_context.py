"""What a plugin gets: its secrets, its scratch files, its clock, and no more than that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from adology.context import Context
from adology.errors import ConfigError
from adology.log import REDACTOR


class Keys(msgspec.Struct):
    token: str = "env:VENDOR_TOKEN"
    empty: str = ""


def test_a_secret_is_resolved_late_and_masked_from_then_on() -> None:
    ctx = Context("vendor", Keys(), env={"VENDOR_TOKEN": "EAAverysecret"})
    assert ctx.secret("token") == "EAAverysecret"
    assert REDACTOR.redact("key EAAverysecret") == "key ***"


def test_a_missing_secret_names_the_setting_and_where_it_was_looked_for() -> None:
    with pytest.raises(ConfigError, match=r"setting sources\.vendor\.empty: is not set\. Give a reference such as"):
        Context("vendor", Keys(), env={}).secret("empty")
    with pytest.raises(ConfigError, match=r"setting sources\.vendor\.token: .*VENDOR_TOKEN"):
        Context("vendor", Keys(), env={}).secret("token")


@pytest.mark.parametrize("section", ["sources", "analyzers", "sinks"])
def test_a_missing_secret_is_named_by_its_key_in_the_file(section: Literal["sources", "analyzers", "sinks"]) -> None:
    with pytest.raises(ConfigError) as caught:
        Context("vendor", Keys(), env={}, section=section).secret("token")
    assert caught.value.setting == f"{section}.vendor.token"


def test_a_credential_is_named_by_a_stable_hash_per_plugin() -> None:
    ctx = Context("vendor", Keys())
    assert ctx.credential_id() == "vendor"
    assert ctx.credential_id("EAAverysecret") == ctx.credential_id("EAAverysecret")
    assert ctx.credential_id("EAAverysecret") != Context("other", Keys()).credential_id("EAAverysecret")
    assert "EAA" not in ctx.credential_id("EAAverysecret")


def test_derived_files_lie_in_the_scratch_folder_and_are_remembered(tmp_path: Path) -> None:
    ctx = Context("vendor", Keys(), scratch=tmp_path)
    assert ctx.derive("frame-1.jpg", "image/jpeg") == tmp_path / "frame-1.jpg"
    assert [(d.name, d.content_type, d.path) for d in ctx.derived] == [
        ("frame-1.jpg", "image/jpeg", tmp_path / "frame-1.jpg")
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "/etc/passwd", "a/b", "a\\b", ".hidden"])
def test_a_derived_name_that_is_no_plain_file_name_is_refused(tmp_path: Path, name: str) -> None:
    ctx = Context("vendor", Keys(), scratch=tmp_path)
    with pytest.raises(ValueError, match="is not a plain file name"):
        ctx.derive(name, "image/jpeg")
    assert ctx.derived == []


@pytest.mark.anyio
async def test_what_a_context_does_not_have_is_said() -> None:
    ctx = Context("vendor", Keys())
    with pytest.raises(RuntimeError, match="no scratch folder"):
        ctx.derive("a", "b")
    with pytest.raises(RuntimeError, match="no HTTP client"):
        await ctx.send("GET", "http://127.0.0.1/")
    with pytest.raises(RuntimeError, match="only sinks"):
        _ = ctx.engine


def test_the_clock_is_passed_in() -> None:
    then = datetime(2026, 1, 2, tzinfo=UTC)
    assert Context("vendor", Keys(), now=lambda: then).now() == then
    assert Context("vendor", Keys()).now().tzinfo is UTC
