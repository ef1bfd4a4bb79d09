"""Types of struct fields in the words of the documentation."""

from __future__ import annotations

from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

WORDS = {str: "text", int: "integer", float: "number", bool: "boolean", datetime: "time"}


def type_of(cls: type[msgspec.Struct], field: str) -> str:
    """The type of a field: ``text``, ``list of `Colour```, ``number or none``."""
    return words(get_type_hints(cls)[field])


def words(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "integer" if all(isinstance(value, int) for value in arguments) else "text"
    if origin is tuple:
        return f"list of {words(arguments[0])}"
    if origin in (Union, UnionType):
        return f"{' or '.join(words(each) for each in arguments if each is not NoneType)} or none"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"`{hint.__name__}`"
    return WORDS[hint]
