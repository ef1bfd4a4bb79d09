from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from adology.log import REDACTOR, bound, external_call, logger, setup_logging
from adology.log.redact import _PATTERNS, MASK, Redactor

Lines = Any


class Out:
    def __init__(self, style: str = "json", level: str = "DEBUG", service: str = "") -> None:
        self.stream = io.StringIO()
        setup_logging(level=level, style=style, stream=self.stream, service=service)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.text.splitlines()]


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    yield
    logger.remove()


def test_a_line_is_one_json_object_with_the_agreed_fields() -> None:
    out = Out(service="worker")
    logger.bind(batch="b-1", count=3).info("batch queued")
    (line,) = out.lines
    assert (line["level"], line["msg"], line["svc"], line["batch"], line["count"]) == (
        "INFO",
        "batch queued",
        "worker",
        "b-1",
        3,
    )
    assert datetime.fromisoformat(line["time"]).tzinfo is not None
    assert re.fullmatch(r"tests\.unit\.log\.test_log:\d+", line["at"])


def test_a_message_with_braces_and_newlines_stays_one_line() -> None:
    out = Out()
    logger.info("a {b} c\nd")
    (line,) = out.lines
    assert line["msg"] == "a {b} c\nd"


def test_values_that_json_does_not_know_become_text() -> None:
    out = Out()
    logger.bind(error=ValueError("odd"), kind=int).info("x")
    assert out.lines[0]["error"] == "odd"


def test_an_exception_comes_with_its_trace() -> None:
    out = Out()
    try:
        int("nothing")
    except ValueError:
        logger.opt(exception=True).error("failed")
    (line,) = out.lines
    assert "ValueError: invalid literal" in line["trace"]


def test_lines_below_the_level_are_not_written() -> None:
    out = Out(level="WARNING")
    logger.info("quiet")
    logger.warning("loud")
    assert [line["msg"] for line in out.lines] == ["loud"]


def test_bound_ids_follow_awaits_tasks_and_threads() -> None:
    out = Out()

    async def leaf(name: str) -> None:
        await asyncio.sleep(0)
        logger.bind(step=name).info("leaf")

    async def main() -> None:
        with bound(brand="nike"):
            with bound(batch="b-1"):
                await leaf("await")
                await asyncio.create_task(leaf("task"))
                await asyncio.to_thread(logger.bind(step="thread").info, "leaf")
            await leaf("outside")

    asyncio.run(main())
    found = {line["step"]: (line.get("brand"), line.get("batch")) for line in out.lines}
    assert found == {
        "await": ("nike", "b-1"),
        "task": ("nike", "b-1"),
        "thread": ("nike", "b-1"),
        "outside": ("nike", None),
    }


def test_ids_of_concurrent_tasks_do_not_mix() -> None:
    out = Out()

    async def work(brand: str) -> None:
        with bound(brand=brand):
            for _ in range(5):
                await asyncio.sleep(0)
                logger.bind(mine=brand).info("step")

    async def main() -> None:
        await asyncio.gather(*(work(f"brand-{n}") for n in range(10)))

    asyncio.run(main())
    assert len(out.lines) == 50
    assert all(line["brand"] == line["mine"] for line in out.lines)


def test_ids_end_with_their_block_also_after_an_exception() -> None:
    out = Out()
    with pytest.raises(ValueError, match="x"), bound(brand="nike"):
        raise ValueError("x")
    logger.info("after")
    assert "brand" not in out.lines[0]


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET https://graph.example/ads?access_token=EAAB123456&limit=5", "EAAB123456"),
        ("GET https://serpapi.example/search?engine=x&api_key=0a1b2c3d4e", "0a1b2c3d4e"),
        ("https://cdn.example/x.jpg?Expires=1&X-Amz-Signature=deadbeef00", "deadbeef00"),
        ("postgresql://adology:hunter22hunter@127.0.0.1:5432/adology", "hunter22hunter"),
        ("headers: {'Authorization': 'Bearer abc.def.ghi'}", "abc.def.ghi"),
        ("x-api-key: k-987654321", "k-987654321"),
        ("form client_secret=s3cr3tvalue&password=hunter22x", "s3cr3tvalue"),
    ],
)
def test_credentials_are_masked_in_text_and_addresses(style: str, text: str, secret: str) -> None:
    out = Out(style=style)
    logger.bind(url=text).info(text)
    assert secret not in out.text
    assert "***" in out.text


def test_a_credential_is_masked_although_json_escapes_the_quotes_around_it() -> None:
    out = Out()
    logger.info('headers: {"Authorization": "Bearer abc.def.ghi"}')
    assert "abc.def.ghi" not in out.text


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    "secret", ['pa"ss\\word-1', "first line\nsecond line", "abc/def+ghi=jkl", "pässwörter", "a\udc80b-secret"]
)
def test_a_secret_is_masked_however_lines_and_addresses_spell_it(style: str, secret: str) -> None:
    REDACTOR.add(secret)
    out = Out(style=style)
    logger.bind(url=str(URL("http://x/y").with_query({"key": secret.replace("\udc80", "?")}))).info(f"a {secret} b")
    logger.info(quote(secret, safe="", errors="replace"))
    for part in re.split(r"\W+", secret):
        assert len(part) < 3 or part not in out.text
    assert out.text.count("***") >= 2


def test_half_a_character_costs_no_line() -> None:
    out = Out()
    logger.bind(url="file:///a\udc80.jpg").info("fetched \udc80")
    (line,) = out.lines
    assert (line["msg"], line["url"]) == ("fetched ?", "file:///a?.jpg")


def test_a_secret_that_the_end_of_an_error_cuts_through_is_masked() -> None:
    REDACTOR.add("hunter22hunter")
    out = Out()
    with pytest.raises(ValueError, match="x"), external_call("s3", "put_object"):
        raise ValueError("x" * 490 + "hunter22hunter")
    assert out.lines[0]["error"] == "x" * 490 + "***"


def test_what_stands_beside_a_credential_is_kept() -> None:
    out = Out(style="text")
    logger.info("GET https://graph.example/ads?access_token=EAAB123456&limit=5")
    assert "https://graph.example/ads?access_token=***&limit=5" in out.text


def test_a_successful_call_is_debug_with_duration_and_its_fields() -> None:
    out = Out()

    async def main() -> None:
        async with external_call("s3", "put_object", key="a/b") as call:
            call.fields["bytes"] = 42

    asyncio.run(main())
    (line,) = out.lines
    assert (line["level"], line["msg"]) == ("DEBUG", "call")
    assert (line["service"], line["operation"], line["outcome"]) == ("s3", "put_object", "ok")
    assert (line["key"], line["bytes"]) == ("a/b", 42)
    assert line["duration_ms"] >= 0
    assert "error_class" not in line


def test_a_failed_call_is_a_warning_with_class_and_text_and_still_raises() -> None:
    out = Out()
    with pytest.raises(ConnectionError), external_call("mongo", "insert"):
        raise ConnectionError("refused " + "x" * 1000)
    (line,) = out.lines
    assert (line["level"], line["outcome"], line["error_class"]) == ("WARNING", "error", "ConnectionError")
    assert line["error"].startswith("refused")
    assert len(line["error"]) == 500


def test_a_cancelled_call_is_no_warning() -> None:
    out = Out()

    async def main() -> None:
        async def call() -> None:
            async with external_call("sqs", "receive_message"):
                await asyncio.Event().wait()

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    (line,) = out.lines
    assert (line["level"], line["outcome"]) == ("DEBUG", "cancelled")


def test_warnings_of_other_libraries_pass_through_the_same_sink() -> None:
    out = Out()
    logging.getLogger("botocore.retries").warning("retrying with access_token=abcdef123")
    logging.getLogger("noisy").info("not wanted")
    (line,) = out.lines
    assert (line["level"], line["library"]) == ("WARNING", "botocore.retries")
    assert line["msg"] == "retrying with access_token=***"


def test_text_style_is_for_people() -> None:
    out = Out(style="text")
    logger.bind(brand="nike", ads=3).warning("page gathered")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} WARNING page gathered  brand=nike ads=3\n", out.text)


def test_auto_style_is_json_where_there_is_no_terminal() -> None:
    out = Out(style="auto")
    logger.info("x")
    assert out.lines[0]["msg"] == "x"


PIECES = st.sampled_from(
    ["Authorization", "x-API-key", "TOKEN", "Password", "sig", "=", ":", " ", "\n", "Bearer ", "://", "me:", "@", "/",
     "&", '"', "\\", "secret1", "author\u0130zat\u0131on", "x-ap\u0131-\u212aey"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_looking_for_marks_first_masks_all_that_patterns_alone_do(text: str) -> None:
    masked = text
    for _, pattern in _PATTERNS:
        masked = pattern.sub(rf"\1{MASK}", masked)
    assert Redactor().redact(text) == masked
