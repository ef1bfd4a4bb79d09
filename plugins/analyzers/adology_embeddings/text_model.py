"""What the text embedding analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from adology import Struct


class TextEmbedding(Struct, frozen=True, kw_only=True):
    """One ad's copy as a vector of length 1; compare with `vectors.cosine`.

    `space` is the id of the embedding space, ``model/version/dimensions/precision``; `vector` is
    base64 of float32, little-endian. `texts` distinct texts of together `chars` characters went
    in; `truncated`: the copy was longer than the setting max_chars allows.
    """

    space: str
    vector: str
    texts: int
    chars: int
    truncated: bool = False
