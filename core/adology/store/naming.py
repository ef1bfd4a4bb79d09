"""Names and texts as the stores hold them: shared by the sinks that write and whoever reads."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

LONGEST_ID = 300
"""Characters of an id kept as they are: an index entry of Postgres holds 2,704 bytes."""
LONGEST_TEXT = 100_000
JSON_TIME = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
"""How a time (at time zone 'UTC') stands in the JSON of a list's row: a format of PostgreSQL's to_char."""
_LONGEST_KEY = 900
_SHOWN = 60
"""Characters of a name that an error message repeats."""


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """`text` as UTF-8 stores take it: no NUL, no lone surrogates, at most `limit` characters.

    Halves of a surrogate pair that stand together become the character they mean.
    """
    if len(text) > limit:
        text = text[:limit]
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean_id(text: str) -> str:
    """An id as the stores hold it; one that is too long keeps its beginning and gets a hash.

    >>> clean_id("120210000")
    '120210000'
    """
    if len(text) > LONGEST_ID:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        text = f"{text[: LONGEST_ID - 65]}~{digest}"
    return clean_text(text)


def payload_id(batch_id: str, source: str, ad_id: str, owner_org_id: str | None = None) -> str:
    """The ``_id`` of an ad's raw payload as one batch brought it; all arguments as in table `ads`.

    Begins with the batch, so that what an unfinished batch left behind is one range of keys.

    >>> payload_id("b1", "facebook", "42")
    'b1/facebook/42'
    """
    parts = (source, ad_id) if owner_org_id is None else (source, ad_id, owner_org_id)
    name = "/".join(quote(part, safe=":") for part in parts)
    if len(name) > _LONGEST_KEY:
        name = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    return f"{batch_id}/{name}"


def slug(name: str) -> str:
    """The id of a brand of that name: lower case, words joined by ``-``.

    Raises:
        ValueError: nothing is left, or more than 100 characters are.
    """
    words = "".join(c if c.isalnum() or c in "._" else " " for c in name.lower()).split()
    made = "-".join(words).strip("._-")
    if not 0 < len(made) <= 100:  # noqa: PLR2004 - the limit of Brand.id
        raise ValueError(f"brand name {_cut(name)!r} makes the id {_cut(made)!r}; allowed: 1 to 100 characters")
    return made


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
