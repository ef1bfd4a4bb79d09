"""The POST calls: what each reads, does to the state, logs and answers. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from adology.log import logger
from adology.registry_client.protocol import SubmitAnswer
from adology_registry.errors import BadRequestError
from adology_registry.state import ActiveBrands, Held
from adology_registry.wire import (
    Answer,
    CompleteBody,
    DoneAnswer,
    LeaseBody,
    Reader,
    StartBody,
    SubmitBody,
    SubmitManyBody,
    WireResult,
)


class Call(NamedTuple):
    """One POST call: its address, its body and its effect."""

    path: str
    reader: Reader
    act: Callable[[ActiveBrands, Any], msgspec.Struct]


def start(registry: ActiveBrands, body: StartBody) -> Answer:
    """`POST /start`."""
    answer = registry.start(body.brand, body.expected_count, body.batch_id)
    logger.bind(
        brand=body.brand, batch=answer.batch_id, expected_count=answer.expected_count, received=answer.received
    ).info("batch active")
    return _answer(body.brand, answer)


def submit(registry: ActiveBrands, body: SubmitBody) -> Answer:
    """`POST /submit`."""
    return _answer(body.brand, registry.submit(body.brand, (_hold(body.result),), body.batch_id))


def submit_many(registry: ActiveBrands, body: SubmitManyBody) -> Answer:
    """`POST /submit-many`."""
    return _answer(body.brand, registry.submit(body.brand, map(_hold, body.results), body.batch_id))


def renew(registry: ActiveBrands, body: LeaseBody) -> Answer:
    """`POST /commit-renew`."""
    return _as_answer(registry.renew(body.brand, body.lease_token, body.batch_id))


def release(registry: ActiveBrands, body: LeaseBody) -> DoneAnswer:
    """`POST /commit-release`."""
    registry.release(body.brand, body.lease_token, body.batch_id)
    logger.bind(brand=body.brand, batch=body.batch_id).info("commit lease released")
    return DoneAnswer(brand=body.brand, done=True, epoch=registry.epoch)


def complete(registry: ActiveBrands, body: CompleteBody) -> DoneAnswer:
    """`POST /commit-complete`."""
    done = registry.complete(body.brand, body.batch_id, body.lease_token)
    logger.bind(brand=body.brand, batch=body.batch_id, was_active=done).info("batch completed")
    return DoneAnswer(brand=body.brand, done=done, epoch=registry.epoch)


def _hold(result: WireResult) -> Held:
    """The result, encoded.

    Raises:
        BadRequestError: it holds a number that MessagePack, in which workers read it, cannot say.
    """
    try:
        return Held.of(result)
    except OverflowError:
        raise BadRequestError(
            f"the result of {result.url[:200]!r} holds an integer beyond 64 bits.",
            field="result.metadata",
            hint="Write such a number as text.",
        ) from None


CALLS = (
    Call("/start", Reader(StartBody), start),
    Call("/submit", Reader(SubmitBody), submit),
    Call("/submit-many", Reader(SubmitManyBody), submit_many),
    Call("/commit-renew", Reader(LeaseBody), renew),
    Call("/commit-release", Reader(LeaseBody), release),
    Call("/commit-complete", Reader(CompleteBody), complete),
)


def _answer(brand: str, answer: SubmitAnswer) -> Answer:
    if answer.should_commit:
        logger.bind(
            brand=brand, batch=answer.batch_id, received=answer.received, expected_count=answer.expected_count
        ).info("commit lease granted")
    return _as_answer(answer)


def _as_answer(answer: SubmitAnswer) -> Answer:
    return Answer(
        should_commit=answer.should_commit,
        epoch=answer.epoch,
        batch_id=answer.batch_id,
        received=answer.received,
        expected_count=answer.expected_count,
        lease_token=answer.lease_token if answer.should_commit else UNSET,
        lease_s=answer.lease_s if answer.should_commit else UNSET,
    )
