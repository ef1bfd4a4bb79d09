"""What of an ad's copy is embedded."""

from __future__ import annotations

from adology import Ad, Struct
from adology_copy import links, placeholders


class Passage(Struct, frozen=True, kw_only=True):
    """`texts` distinct texts joined by line breaks; `truncated`: not all of them."""

    text: str
    texts: int
    truncated: bool = False


def passage_of(ad: Ad, max_chars: int) -> Passage | None:
    """Titles, bodies and descriptions, each text once, cut at `max_chars` together; None where there are none.

    Addresses and template fields are left out: they say where a click leads, not what the ad says.
    Captions are left out because they are mostly the shown domain.
    """
    kept: dict[str, str] = {}
    left = max_chars
    truncated = False
    for text in (*ad.titles, *ad.bodies, *ad.descriptions):
        # Cut before it is read as well, or a huge body would take its time for nothing.
        plain = " ".join(placeholders.blank(links.blank(text[: 4 * max_chars])).split())
        key = plain.casefold()
        if not any(letter.isalnum() for letter in plain) or key in kept:
            continue
        if left <= 0:
            truncated = True
            break
        truncated = truncated or len(plain) > left or len(text) > 4 * max_chars
        kept[key] = plain[:left]
        left -= len(plain) + 1
    if not kept:
        return None
    return Passage(text="\n".join(kept.values()), texts=len(kept), truncated=truncated)
