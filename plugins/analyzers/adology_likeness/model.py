"""What the likeness analyzer says of creatives, and what comparing two of them gives.

Signatures are stored as they are: fields are only ever added.
"""

from __future__ import annotations

from typing import Literal

from adology import Struct

RECIPE = 1
"""How signatures are made; those of two recipes are never compared."""

Kind = Literal["same", "colour", "text", "panel", "crop", "padded", "mirrored", "overlay", "speed", "trim"]
Reason = Literal["other_space", "no_vector", "flat"]


class Shot(Struct, frozen=True, kw_only=True):
    """One picture as it is remembered: of an image the whole, of a video a frame.

    `picture` is base64 of a small WebP, of about 240 x 240 pixels for images; `points` is base64 of
    keypoints with their descriptors (see `keypoints`), empty for frames. `width` and `height` are
    of the picture that was looked at, pixels. Of a video, `start_s` and `end_s` are between which
    moments it hardly changed, seconds from the start; both 0 for images.
    """

    picture: str
    width: int
    height: int
    points: str = ""
    start_s: float = 0.0
    end_s: float = 0.0


class Signature(Struct, frozen=True, kw_only=True):
    """What proposes and confirms near-duplicates of one creative.

    `tokens` are hashes of it, strongest first, at most 64 for images and 400 for videos: creatives
    that share some are worth comparing. `shots` is one picture for images; for videos they are
    frames in order of time, together covering the looked-at moments. `duration_s` is None for
    images and where unknown. `damaged`: parts could not be decoded.
    """

    recipe: int
    kind: Literal["image", "video"]
    tokens: tuple[str, ...]
    shots: tuple[Shot, ...]
    duration_s: float | None = None
    damaged: bool = False


class FrameLook(Struct, frozen=True, kw_only=True):
    """The vector of one frame, `time_s` seconds from the start."""

    time_s: float
    vector: str


class Looks(Struct, frozen=True, kw_only=True):
    """A visual embedding as far as it is evidence here: convert the `visual_embedding` result to it.

    `vector` is base64 of float32, little-endian, of the embedding space `space`; `flat`: there was
    next to no contrast to look at.
    """

    space: str
    vector: str
    flat: bool = False
    frames: tuple[FrameLook, ...] = ()


class Creative(Struct, frozen=True, kw_only=True):
    """What `compare` takes: a signature, and the visual embedding where there is one."""

    signature: Signature
    looks: Looks | None = None


class Span(Struct, frozen=True, kw_only=True):
    """A stretch of the video `a` that is also in `b`, seconds from the start of each."""

    a_start_s: float
    a_end_s: float
    b_start_s: float
    b_end_s: float


class Evidence(Struct, frozen=True, kw_only=True):
    """The numbers behind a likeness; for videos of the median pair of frames.

    `cosine` is that of the visual embeddings, in [-1, 1]; None where it is no evidence, and
    `no_cosine` says why: vectors of two spaces (never compared), none there, or a picture without
    contrast. `points` keypoints agree on one transformation. `overlap` is the share of the smaller
    picture that is in the other, `agreement` the share of the detail there that is the same,
    `replaced` the share of the overlap where each has something that the other lacks, `added` where
    only one has; all in [0, 1]. `scale` is by how much b is larger than a there. `frames` of
    videos were found in each other; `share` is how much of the shorter video that is, in [0, 1].
    """

    cosine: float | None = None
    no_cosine: Reason | None = None
    points: int = 0
    overlap: float = 0.0
    agreement: float = 0.0
    replaced: float = 0.0
    added: float = 0.0
    scale: float = 1.0
    frames: int = 0
    share: float = 1.0


class Likeness(Struct, frozen=True, kw_only=True):
    """Two creatives are one, changed. Nothing is said of which came first.

    `kind` is the change that tells most, `changes` are all that were seen. `confidence` is the
    measured share of true pairs among pairs with such evidence, in [0, 1]. `spans` are of videos.
    """

    kind: Kind
    changes: tuple[Kind, ...]
    confidence: float
    evidence: Evidence
    spans: tuple[Span, ...] = ()


class Pair(Struct, frozen=True, kw_only=True):
    """Two creatives of one folder or brand, by whatever name the caller knows them."""

    a: str
    b: str
    likeness: Likeness


class Group(Struct, frozen=True, kw_only=True):
    """Creatives that are one, changed, in order of name. `confidence` is that of the weakest link that holds it."""

    members: tuple[str, ...]
    confidence: float
