"""What the copy analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct

Where = Literal["body", "title", "caption", "description", "cta"]

CtaFamily = Literal[
    "purchase", "learn", "lead", "quote", "contact", "message", "book", "app", "offer", "media", "event", "donate",
    "follow", "game", "none", "other",
]  # fmt: skip


class Piece(Struct, frozen=True, kw_only=True):
    """One text of the ad: the `index`-th body, title, caption or description."""

    where: Where
    index: int
    text: str


class Language(Struct, frozen=True, kw_only=True):
    """ISO 639-1 code and how sure we are, in [0, 1]; "und" where the text does not tell."""

    code: str = "und"
    confidence: float = 0.0


class Link(Struct, frozen=True, kw_only=True):
    """One address in the copy. `domain` is its host in lower case without "www."."""

    url: str
    domain: str


class Price(Struct, frozen=True, kw_only=True):
    """One amount of money.

    `amount` is a plain decimal ("1299.00"), `currency` an ISO 4217 code, empty where the text
    does not tell. `assumed`: the sign stands for several currencies and this is the commonest, or
    the one of the text's language. `starting`: "from 9.99". `start` counts characters from the
    beginning of the text named by `where` and `index`.
    """

    amount: str
    currency: str
    raw: str
    where: Where
    index: int
    start: int
    assumed: bool = False
    starting: bool = False


class Discount(Struct, frozen=True, kw_only=True):
    """Something off: `percent` as a plain decimal, or `amount` of `currency`. `up_to`: "up to 50 %"."""

    raw: str
    where: Where
    index: int
    start: int
    percent: str = ""
    amount: str = ""
    currency: str = ""
    up_to: bool = False


class Cta(Struct, frozen=True, kw_only=True):
    """What the ad asks people to do.

    `id` is Meta's name for it in lower case ("shop_now", "learn_more") where the phrase is
    known, else "other". `where` is "cta" for the ad's button.
    """

    id: str
    family: CtaFamily
    text: str
    where: Where


class CopyFacts(Struct, frozen=True, kw_only=True):
    """Facts of one ad's copy: its distinct texts together, and the longest body and title.

    `words` counts each run of letters and digits, and in scripts without spaces each character.
    `body_chars` and `title_chars` count characters as people see them, to hold against
    placement limits. `emoji` are the distinct ones, commonest first. `placeholders` are template
    fields that the platform fills per viewer, such as `{{product.name}}`. `truncated`: the copy
    was longer than the setting max_chars allows.
    """

    language: Language
    chars: int
    words: int
    sentences: int
    lines: int
    body_chars: int = 0
    title_chars: int = 0
    links: tuple[Link, ...] = ()
    domains: tuple[str, ...] = ()
    landing_domain: str = ""
    hashtags: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    emoji: tuple[str, ...] = ()
    emoji_count: int = 0
    prices: tuple[Price, ...] = ()
    discounts: tuple[Discount, ...] = ()
    cta: Cta | None = None
    placeholders: tuple[str, ...] = ()
    truncated: bool = False
