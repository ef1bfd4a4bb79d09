"""One sink per process: JSON lines for machines, coloured lines for people."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from loguru import logger

from adology.log.redact import REDACTOR

if TYPE_CHECKING:
    from loguru import Message, Record

_BOUND: ContextVar[dict[str, Any]] = ContextVar("adology_log_ids", default={})  # noqa: B039 - never mutated
_encode = msgspec.json.Encoder(enc_hook=str).encode


@contextlib.contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Bind ids (brand, batch, url, asset, attempt, request) to every line logged inside.

    The ids follow awaits and tasks, and threads started through `asyncio.to_thread`.
    """
    token = _BOUND.set({**_BOUND.get(), **ids})
    try:
        yield
    finally:
        _BOUND.reset(token)


def setup_logging(*, level: str = "INFO", style: str = "auto", stream: TextIO | None = None, service: str = "") -> None:
    """Configure the process's only log sink.

    Args:
        level: least severe level written.
        style: ``json``, ``text`` or ``auto`` (text on a terminal).
        stream: where to write; standard error by default.
        service: name put on each line (worker, registry, …).
    """
    out = stream or sys.stderr
    as_text = style == "text" or (style == "auto" and out.isatty())
    logger.remove()
    logger.configure(patcher=_bind_ids, extra={"svc": service} if service else {})
    logger.add(_text_sink(out) if as_text else _json_sink(out), level=level, format="{message}", catch=True)
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


def _bind_ids(record: Record) -> None:
    ids = _BOUND.get()
    if ids:
        record["extra"] = {**ids, **record["extra"]}


def _json_sink(out: TextIO) -> Any:
    def write(message: Message) -> None:
        record = message.record
        line = {
            "time": record["time"].isoformat(timespec="milliseconds"),
            "level": record["level"].name,
            "msg": record["message"],
            "at": f"{record['name']}:{record['line']}",
            **record["extra"],
        }
        if record["exception"] is not None:
            line["trace"] = str(message).partition("\n")[2]
        out.write(REDACTOR.redact(_to_json(line)) + "\n")
        out.flush()

    return write


def _to_json(line: dict[str, Any]) -> str:
    try:
        return _encode(line).decode()
    except UnicodeEncodeError:
        # Half characters, from the name of a file, say. The line must not be lost: loguru would
        # then print the whole record to standard error, and not redacted.
        return json.dumps(line, ensure_ascii=False, default=str).encode("utf-8", "replace").decode()


_COLOURS = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31;1m", "DEBUG": "\033[2m"}


def _text_sink(out: TextIO) -> Any:
    coloured = out.isatty()

    def write(message: Message) -> None:
        record = message.record
        level = record["level"].name
        ids = " ".join(f"{key}={value}" for key, value in record["extra"].items())
        line = f"{record['time']:HH:mm:ss.SSS} {level:<7} {record['message']}  {ids}".rstrip()
        if record["exception"] is not None:
            line += "\n" + str(message).partition("\n")[2]
        line = REDACTOR.redact(line)
        if coloured and level in _COLOURS:
            line = f"{_COLOURS[level]}{line}\033[0m"
        out.write(line + "\n")
        out.flush()

    return write


class _Forward(logging.Handler):
    """Sends other libraries' warnings through the same sink."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in {"WARNING", "ERROR", "CRITICAL"} else "INFO"
        logger.opt(exception=record.exc_info).bind(library=record.name).log(level, record.getMessage())
