"""How many tokens stand for a creative, at most."""

from __future__ import annotations

IMAGE_TOKENS = 64
VIDEO_TOKENS = 400
