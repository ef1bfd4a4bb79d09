"""The base of every settings struct, ours and the plugins': strict, and silent about secrets."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec


class Secret:
    """Marks a setting whose value is a reference to a secret, as in ``Annotated[str, Secret()]``.

    References are ``env:NAME``, ``file:PATH`` or ``aws-sm:NAME`` (AWS Secrets Manager), resolved
    when used. A plain value works too, and is hidden like the others.
    """


class Operational:
    """Marks a setting that results do not depend on (threads, addresses, time-outs): ``Annotated[int, Operational()]``.

    Changing it makes no stored result stale. Secrets never do.
    """


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keyword-only, frozen, unknown fields refused; secret fields never appear in ``repr``."""

    def __repr__(self) -> str:
        hidden = secret_fields(type(self))
        parts = (
            f"{name}={'***' if name in hidden and getattr(self, name) else repr(getattr(self, name))}"
            for name in self.__struct_fields__
        )
        return f"{type(self).__name__}({', '.join(parts)})"

    __str__ = __repr__


@cache
def type_hints(cls: type) -> dict[str, Any]:
    """The resolved annotations of `cls` with their metadata."""
    return get_type_hints(cls, include_extras=True)


@cache
def secret_fields(cls: type) -> frozenset[str]:
    """Names of the fields of `cls` that are marked `Secret`."""
    return frozenset(name for name, hint in type_hints(cls).items() if _is_marked(hint, Secret))


@cache
def operational_fields(cls: type) -> frozenset[str]:
    """Names of the fields of `cls` that results do not depend on: marked `Operational` or `Secret`."""
    marked = (name for name, hint in type_hints(cls).items() if _is_marked(hint, Operational))
    return frozenset(marked) | secret_fields(cls)


def _is_marked(hint: Any, marker: type) -> bool:
    if get_origin(hint) is Annotated and any(isinstance(m, marker) or m is marker for m in hint.__metadata__):
        return True
    return any(_is_marked(arg, marker) for arg in get_args(hint))
