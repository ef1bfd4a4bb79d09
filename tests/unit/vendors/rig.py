"""What tests of the vendor clients share: contexts that point at stand-ins, pictures, a ledger to look into."""

from __future__ import annotations

import io
import traceback
from collections.abc import Awaitable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Self

import numpy as np
from msgspec import Meta
from PIL import Image

from adology.context import Context
from adology.log import logger
from adology.money import Bill, MemoryPurse, Price, PriceTable, Reservation
from adology.types import Struct
from adology.vendors import CloudSettings
from upstreams.bedrock import ACCESS_KEY_ID, NOVA, SECRET_ACCESS_KEY, BedrockServer
from upstreams.openai import API_KEY, OpenAiServer

SECRETS = (API_KEY, SECRET_ACCESS_KEY)
DAY = date(2020, 1, 1)
PRICES = PriceTable(
    (
        # Not published where we could read it; OpenAI's and Titan's come with Adology.
        Price(service="bedrock", model=NOVA, since=DAY, usd_per_million={"images": 60.0, "input_tokens": 1.0}),
    )
)


class Hook(Enum):
    question = "question"
    discount = "discount"
    story = "story"


class Evidence(Struct, frozen=True, kw_only=True):
    line: str
    confidence: Annotated[float, Meta(ge=0, le=1)]


class Labels(Struct, frozen=True, kw_only=True):
    hook: Hook
    funnel: Literal["awareness", "consideration", "conversion"]
    evidence: tuple[Evidence, ...] = ()
    note: Annotated[str, Meta(max_length=500)] | None = None


class Rig:
    """A context for one analyzer with its ledger, pointed at the stand-ins that are given."""

    def __init__(
        self,
        openai: OpenAiServer | None = None,
        bedrock: BedrockServer | None = None,
        *,
        plugin: str = "labels",
        kind: type[Any] = CloudSettings,
        **settings: Any,
    ) -> None:
        self.purse = MemoryPurse(PRICES)
        given = {
            "openai_api_key": "env:OPENAI_API_KEY",
            "openai_base_url": f"{openai.origin}/v1" if openai else "http://127.0.0.1:9/v1",
            "bedrock_endpoint_url": bedrock.origin if bedrock else "http://127.0.0.1:9",
            "bedrock_access_key_id": ACCESS_KEY_ID,
            "bedrock_secret_access_key": "env:AWS_SECRET",
            **settings,
        }
        own = {name: value for name, value in given.items() if name in kind.__struct_fields__}
        self.ctx: Context[Any] = Context(
            plugin,
            kind(**own),
            section="analyzers",
            purse=self.purse,
            env={"OPENAI_API_KEY": API_KEY, "AWS_SECRET": SECRET_ACCESS_KEY},
        )

    @property
    def calls(self) -> list[tuple[Reservation, Bill]]:
        """Every call of the ledger; each must be settled."""
        found = []
        for wanted, bill in self.purse.calls:
            assert bill is not None, "a call was left open"
            found.append((wanted, bill))
        return found

    @property
    def outcomes(self) -> list[str]:
        return [bill.outcome for _, bill in self.calls]

    @property
    def bill(self) -> Bill:
        """The bill of the only call."""
        ((_, bill),) = self.calls
        return bill

    @property
    def cost_usd(self) -> Decimal:
        return self.purse.cost_usd


class Heard:
    """Everything that is logged while it is entered, as the sink would be given it, not redacted yet."""

    def __init__(self) -> None:
        self.text = ""

    def __enter__(self) -> Self:
        self._sink = logger.add(self._hear, level="TRACE", format="{message} {extra} {exception}")
        return self

    def __exit__(self, *_: object) -> None:
        logger.remove(self._sink)

    def _hear(self, message: str) -> None:
        self.text += message


async def error_of(work: Awaitable[object]) -> Exception:
    """The error that `work` ends with; it must."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    raise AssertionError("it should have failed")


def shown(error: BaseException) -> str:
    """All that anybody could print of an error."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error)])


def picture(seed: int = 1, *, kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A small picture, another one for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind)
    return data.getvalue()
