"""The child's program: ``python -m adology.isolation.child PARENT_PID MEMORY_BYTES``."""

from __future__ import annotations

import importlib
import sys
import time
import traceback
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from adology.abc.analyzer import Analyzer, MediaItem
from adology.context import Context
from adology.errors import AdologyError
from adology.isolation.calls import find_function
from adology.isolation.confine import Channel, confine
from adology.isolation.errors import clean, pack_error, pack_fault
from adology.isolation.wire import (
    MAX_FRAME,
    Call,
    Done,
    Fault,
    FromWorker,
    Hello,
    LogLine,
    Made,
    OutOfMemory,
    Request,
    Started,
    decode_from_worker,
    encode,
)
from adology.log import logger
from adology.plugins.validate import check_class
from adology.settings import convert

if TYPE_CHECKING:
    from loguru import Message

LOG_LINES = 100
"""Lines forwarded per item; more is noise."""
_TRACE_LINES = 3


class Child:
    """Answers requests one after the other. Classes are loaded once, when first asked for."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loaded: dict[str, tuple[Analyzer[Any, Any], type[Any]]] = {}
        self._lines_left = 0

    def serve(self) -> None:
        """Work until the worker closes the pipe."""
        logger.remove()
        logger.add(self._forward, level="DEBUG", format="{message}")
        self._channel.write(encode(Hello()))
        while (message := self._channel.read()) is not None:
            self._lines_left = LOG_LINES
            self._channel.write(self._answer(decode_from_worker.decode(message)))

    def _answer(self, request: FromWorker) -> bytes:
        try:
            answer = encode(self._analyze(request) if isinstance(request, Request) else self._call(request))
            if len(answer) <= MAX_FRAME:
                return answer
            text = f"the result has {len(answer)} bytes; allowed are {MAX_FRAME}"
            return encode(Fault(error="ValueError", text=text, trace=()))
        except MemoryError:
            return encode(OutOfMemory())
        except AdologyError as error:
            return encode(pack_error(error))
        except BaseException as error:  # noqa: BLE001 - SystemExit too: whatever it is, the worker is told
            return encode(pack_fault(error, _trace_of(error)))

    def _analyze(self, request: Request) -> Done:
        analyzer, settings_type = self._load(request.reference)
        settings = convert(request.settings, settings_type, where="the settings", prefix=f"analyzers.{analyzer.name}.")
        self._channel.write(encode(Started()))
        context = Context(
            analyzer.name,
            settings,
            scratch=Path(request.scratch),
            deadline=time.monotonic() + request.deadline_s,
            section="analyzers",
        )
        item = request.item
        result = analyzer.analyze(
            context,
            MediaItem(
                sha256=item.sha256,
                path=Path(item.path),
                kind=item.kind,
                content_type=item.content_type,
                size_bytes=item.size_bytes,
                results=item.results,
            ),
        )
        # The same plain data that an analyzer in the worker's own process gives.
        plain = msgspec.to_builtins(result)
        derived = tuple(Made(name=made.name, content_type=made.content_type) for made in context.derived)
        return Done(result=plain, derived=derived)

    def _call(self, call: Call) -> Done:
        function = find_function(call.reference)
        self._channel.write(encode(Started()))
        return Done(result=function(*call.args), derived=())

    def _load(self, reference: str) -> tuple[Analyzer[Any, Any], type[Any]]:
        if reference not in self._loaded:
            module, _, name = reference.partition(":")
            cls = attrgetter(name)(importlib.import_module(module))
            self._loaded[reference] = (cls(), check_class("analyzer", cls)[0])
        return self._loaded[reference]

    def _forward(self, message: Message) -> None:
        if self._lines_left <= 0:
            return
        self._lines_left -= 1
        record = message.record
        extra = {key: clean(str(value)) for key, value in record["extra"].items()}
        self._channel.write(
            encode(LogLine(level=record["level"].name, text=clean(str(message).rstrip("\n")), extra=extra))
        )


def _trace_of(error: BaseException) -> tuple[str, ...]:
    """The innermost places, the last one where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)[-_TRACE_LINES:]
    return tuple(f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames)


def main() -> None:
    """Take the pipe, give up everything else, serve."""
    parent, memory_bytes = (int(argument) for argument in sys.argv[1:])
    channel = Channel()
    confine(parent, memory_bytes)
    Child(channel).serve()


if __name__ == "__main__":
    main()
