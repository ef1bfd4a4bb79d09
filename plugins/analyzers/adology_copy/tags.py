# ruff: noqa: RUF001 - the full-width sign is one that people type
"""Hashtags and mentions. Give them text without addresses: `#` and `@` mean other things there."""

from __future__ import annotations

import re

# Not "&#39;" or "C#": a tag begins a word, and has a letter somewhere.
HASHTAG = re.compile(r"(?<![\w&#/])[#＃](\w{1,100})")
MENTION = re.compile(r"(?<![\w.@/+-])@([A-Za-z0-9_](?:[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])?)")


def hashtags(text: str) -> list[str]:
    """Hashtags without their sign, as written."""
    return [tag for tag in HASHTAG.findall(text) if not tag.isdigit()]


def mentions(text: str) -> list[str]:
    """Account names without their sign, as written."""
    return [str(name) for name in MENTION.findall(text) if not name.isdigit()]
