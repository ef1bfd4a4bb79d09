"""Template fields that the platform fills in for each viewer."""

from __future__ import annotations

import re

FIELD = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}"  # {{product.name}}: catalogue ads
    r"|\{(?:KeyWord|LOCATION|COUNTDOWN|CUSTOMIZER|IF)\b[^{}\n]{0,120}\}"  # {KeyWord:Shoes}: search ads
    r"|%%[A-Z][A-Z0-9_]{1,40}%%"  # %%SITE%%: ad servers
    r"|\[\[[A-Za-z][\w .-]{0,60}\]\]",  # [[first_name]]: mail-merge
    re.IGNORECASE,
)


def find(text: str) -> list[str]:
    """The fields as written, in order."""
    return FIELD.findall(text)


def blank(text: str) -> str:
    """The text with its fields replaced by as many spaces: positions stay true."""
    return FIELD.sub(lambda match: " " * len(match.group()), text)
