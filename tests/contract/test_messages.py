"""The three message bodies, to the letter: what we send, and what other people's programs may send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adology.queues import AcquireMessage, GatherMessage, InsightMessage, UndecodableError, decode, encode
from adology.queues.messages import MAX_BRAND, MAX_URL, Message, defer_body
from adology.settings import AdologySettings

URL = "https://cdn.example/a.mp4?x=1&y=é"


def test_the_queue_names_are_these() -> None:
    queues = AdologySettings().queues
    assert (queues.gather, queues.acquire, queues.insight) == (
        "brand-gather-queue",
        "url-process-queue",
        "brand-ai-phase-queue",
    )


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (GatherMessage(brand="nike"), '{"brand":"nike"}'),
        (
            AcquireMessage(brand="nike", url="https://cdn.example/1.jpg", metadata={"ad_id": "7"}),
            '{"brand":"nike","url":"https://cdn.example/1.jpg","metadata":{"ad_id":"7"}}',
        ),
        (InsightMessage(brand="nike"), '{"brand":"nike"}'),
    ],
)
def test_a_body_has_the_given_fields_and_no_others(message: Message, body: str) -> None:
    assert encode(message) == body
    assert decode(body, type(message)) == message


@pytest.mark.parametrize("metadata", [{}, None, [], "text", 0, False])
def test_an_acquire_body_always_has_its_three_fields(metadata: Any) -> None:
    """Somebody else's consumer may rely on each of them, whatever is in it."""
    body = encode(AcquireMessage(brand="nike", url=URL, metadata=metadata))
    assert json.loads(body) == {"brand": "nike", "url": URL, "metadata": metadata}


def test_our_optional_fields_stand_beside_the_given_ones() -> None:
    acquire = AcquireMessage(brand="nike", url=URL, metadata={}, batch="b1", again=True, request_id="r1", deferred=2)
    assert json.loads(encode(acquire)) == {
        "brand": "nike",
        "url": URL,
        "metadata": {},
        "batch": "b1",
        "again": True,
        "request_id": "r1",
        "deferred": 2,
    }
    assert json.loads(encode(InsightMessage(brand="nike", batch="b1"))) == {"brand": "nike", "batch": "b1"}
    assert json.loads(encode(GatherMessage(brand="nike", request_id="r1"))) == {"brand": "nike", "request_id": "r1"}


@pytest.mark.parametrize("kind", [GatherMessage, InsightMessage])
@pytest.mark.parametrize(
    "body",
    [
        '{"brand":"nike"}',
        ' {\n "brand" : "ni\\u006be" }\n',
        '{"brand":"nike","sender":{"name":"their program","tries":[1,2]},"priority":9}',
        '{"brand":"nike","request_id":null}',
    ],
)
def test_bodies_of_other_programs_work(kind: type[Message], body: str) -> None:
    message = decode(body, kind)
    assert (message.brand, message.request_id, message.deferred) == ("nike", None, 0)


def test_an_acquire_body_of_another_program_works() -> None:
    message = decode('{"brand":"nike","url":"https://x/1","metadata":{"campaign":{"id":9}},"v":2}', AcquireMessage)
    assert message == AcquireMessage(brand="nike", url="https://x/1", metadata={"campaign": {"id": 9}})
    assert decode('{"brand":"nike","url":"https://x/1"}', AcquireMessage).metadata is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "the body is no AcquireMessage: Input data was truncated"),
        ("nike", "the body is no AcquireMessage: JSON is malformed"),
        ('["nike"]', "Expected `object`, got `array`"),
        ('{"brand":"nike"}', "missing required field `url`"),
        ('{"url":"https://x"}', "missing required field `brand`"),
        ('{"brand":7,"url":"https://x"}', r"Expected `str`, got `int` - at `\$.brand`"),
        ('{"brand":"","url":"https://x"}', "brand has 0 characters; allowed: 1 to 200"),
        ('{"brand":"a\\nb","url":"https://x"}', "brand has 3 characters; allowed: 1 to 200 printable"),
        (json.dumps({"brand": "b" * (MAX_BRAND + 1), "url": "https://x"}), "brand has 201 characters"),
        ('{"brand":"..","url":"https://x"}', "cannot stand in the registry's addresses"),
        ('{"brand":"nike/","url":"https://x"}', "cannot stand in the registry's addresses"),
        ('{"brand":"nike","url":""}', "url has 0 characters; allowed: 1 to 8192"),
        (json.dumps({"brand": "nike", "url": "u" * (MAX_URL + 1)}), "url has 8193 characters"),
        ('{"brand":"nike","url":"https://x","metadata":' + "[" * 5000 + "]" * 5000 + "}", "recursion depth"),
        ('{"brand":"nike","url":"https://x","theirs":' + "[" * 5000 + "]" * 5000 + "}", "recursion depth"),
        ('{"brand":"nike","url":"https://x","deferred":"twice"}', r"Expected `int`, got `str` - at `\$.deferred`"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(body: str, problem: str) -> None:
    with pytest.raises(UndecodableError, match=problem) as caught:
        decode(body, AcquireMessage)
    assert (caught.value.code, caught.value.retryable) == ("ADO-5801", False)


def test_characters_that_sqs_refuses_are_escaped_and_come_back() -> None:
    """SQS takes XML characters only: the two last code points of the basic plane are none."""
    text = "\x00\x0b￾￿\U0001f600é\ud7ff\ufffd"
    body = encode(AcquireMessage(brand="nike", url=URL, metadata={"title": text}))
    assert all(c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" for c in body)
    assert decode(body, AcquireMessage).metadata == {"title": text}


def test_a_deferred_body_keeps_every_other_field_byte_for_byte() -> None:
    body = '{"brand":"nike", "price": 1.10, "big":123456789012345678901234567890, "x":{"b":1,"a":"\\u00e9"}}'
    first, count = defer_body(body, "m1")
    assert count == 1
    assert first == (
        '{"brand":"nike","price":1.10,"big":123456789012345678901234567890,"x":{"b":1,"a":"\\u00e9"},'
        '"request_id":"m1","deferred":1}'
    )
    second, count = defer_body(first, "m2")
    assert count == 2
    assert second == first.replace('"deferred":1', '"deferred":2')


def test_a_deferral_keeps_a_request_id_that_was_given() -> None:
    assert json.loads(defer_body('{"brand":"nike","request_id":"theirs"}', "m1")[0])["request_id"] == "theirs"
    assert json.loads(defer_body('{"brand":"nike","request_id":null}', "m1")[0])["request_id"] == "m1"


@pytest.mark.parametrize("body", ["", "nike", "[1]", '{"deferred":"x"}', '{"x":' + "[" * 5000 + "]" * 5000 + "}"])
def test_a_body_that_is_no_object_of_ours_is_deferred_as_it_is(body: str) -> None:
    assert defer_body(body, "m1") == (body, 1)
