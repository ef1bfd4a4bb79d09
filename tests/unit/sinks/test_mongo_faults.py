"""Faults as the driver raises them; those that a server must provoke are in the system tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bson.errors import BSONError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from adology import ConfigError
from adology.errors import EngineError, UnavailableError
from adology_mongo.faults import explain, is_all_there, mongo_call


def bulk(*codes: int, concern: int | None = None) -> BulkWriteError:
    details: dict[str, Any] = {
        "writeErrors": [{"index": n, "code": code, "errmsg": f"fault {code}"} for n, code in enumerate(codes)],
        "writeConcernErrors": [] if concern is None else [{"code": concern, "errmsg": f"concern {concern}"}],
        "nInserted": 0,
    }
    return BulkWriteError(details)


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        NotPrimaryError("not primary"),
        ServerSelectionTimeoutError("no server"),
        WriteConcernError("waiting for replication timed out", 64),
        OperationFailure("interrupted at shutdown", 11600),
        OperationFailure("write conflict", 112),
        bulk(91),
        bulk(11000, concern=64),
    ],
)
def test_passing_faults_mean_unavailable(error: PyMongoError) -> None:
    assert isinstance(explain("bulk_write", error), UnavailableError)


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("Authentication failed.", 18),
        OperationFailure("not authorized on adology to execute command", 13),
        OperationFailure("bad auth : Authentication failed.", 8000),
        bulk(13),
        ConfigurationError("Unknown option"),
    ],
)
def test_faults_of_the_setting_name_it(error: PyMongoError) -> None:
    explained = explain("bulk_write", error)
    assert isinstance(explained, ConfigError)
    assert explained.setting == "mongo.url"


@pytest.mark.parametrize("error", [DocumentTooLarge("BSON document too large"), OperationFailure("odd", 2), bulk(121)])
def test_the_rest_is_reported(error: PyMongoError | BSONError) -> None:
    explained = explain("bulk_write", error)
    assert isinstance(explained, EngineError)
    assert not explained.retryable
    assert explained.code == "ADO-4203"


def test_of_several_faults_the_one_that_will_not_pass_counts() -> None:
    explained = explain("bulk_write", bulk(11000, 91, 121))
    assert "2 writes failed, code 121: fault 121" in str(explained)
    assert not explained.retryable


def test_an_address_in_the_drivers_text_loses_its_password() -> None:
    explained = explain("connect", AutoReconnect("mongodb://adology:hidden-word@host:1/ went away"))
    assert "hidden-word" not in str(explained)


def test_documents_that_are_there_already_are_no_fault() -> None:
    assert is_all_there(bulk(11000, 11000))
    assert not is_all_there(bulk(11000, 112))
    assert not is_all_there(bulk(11000, concern=64))


def test_other_errors_pass_through() -> None:
    async def call() -> None:
        async with mongo_call("find"):
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        asyncio.run(call())


def test_a_document_that_the_driver_refuses_is_no_stray_error() -> None:
    async def call() -> None:
        async with mongo_call("bulk_write"):
            raise DocumentTooLarge("BSON document too large")

    with pytest.raises(EngineError, match="mongo: bulk_write: DocumentTooLarge"):
        asyncio.run(call())
