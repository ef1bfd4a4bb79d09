"""How risky something is, from harmless to what most networks refuse."""

from __future__ import annotations

from typing import Literal

Level = Literal["none", "low", "medium", "high"]

LEVELS: tuple[Level, ...] = ("none", "low", "medium", "high")
