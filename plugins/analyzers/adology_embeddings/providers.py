"""Which model the settings ask for: checked before anything is sent, and named for the fingerprint."""

from __future__ import annotations

import re
from typing import NamedTuple

from adology import ConfigError
from adology.vendors.bedrock_models import DEFAULT_LENGTH, NOVA, find_model
from adology_embeddings.space import Space, make_space

OPENAI_MODEL = "text-embedding-3-small"
OPENAI_LENGTHS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
"""Numbers of a vector where none are asked for, which is also the most. Other models are not known here."""
UNVERSIONED = "1"
"""Version of models whose vendor names none: a changed model has another name."""

_ODD = re.compile(r"[^A-Za-z0-9._+-]+")


class Choice(NamedTuple):
    """A vendor's model, and how many numbers its vectors shall have; None: the model decides."""

    model: str
    dimensions: int | None


def choose_local(plugin: str, name: str, model: str, dimensions: int | None, there: int) -> None:
    """Check that the local model is the one that is asked for.

    Raises:
        ConfigError: it is another one, or another length.
    """
    if model not in ("", name):
        hint = 'Leave it empty, or set provider to whose model it is: "openai" or "bedrock".'
        raise ConfigError(f"analyzers.{plugin}.model", f"is {model!r}, but the local model is {name}", hint)
    if dimensions not in (None, there):
        raise ConfigError(f"analyzers.{plugin}.dimensions", f"is {dimensions}, but {name} has {there}")


def choose_openai(plugin: str, model: str, dimensions: int | None) -> Choice:
    """The model at OpenAI.

    Raises:
        ConfigError: it has no vectors of that length.
    """
    chosen = model or OPENAI_MODEL
    most = OPENAI_LENGTHS.get(chosen)
    if most is not None and (dimensions or most) > most:
        raise ConfigError(f"analyzers.{plugin}.dimensions", f"is {dimensions}, but {chosen} has at most {most}")
    return Choice(chosen, dimensions)


def choose_bedrock(plugin: str, model: str, dimensions: int | None) -> Choice:
    """The model at Bedrock.

    Raises:
        ConfigError: it is not known here, or has no vectors of that length.
    """
    chosen = model or NOVA
    found = find_model(chosen)
    if found is None:
        hint = "Known: Titan and Nova multimodal embeddings."
        raise ConfigError(f"analyzers.{plugin}.model", f"{chosen!r} is no model whose requests are known here", hint)
    length = dimensions or DEFAULT_LENGTH
    if length not in found.lengths:
        allowed = ", ".join(map(str, found.lengths))
        raise ConfigError(
            f"analyzers.{plugin}.dimensions", f"is {length}, which {found.name} does not have", f"Allowed: {allowed}."
        )
    return Choice(chosen, length)


def openai_space(model: str, dimensions: int) -> Space:
    """``text-embedding-3-small/1/1536/f32``, of the model as the vendor names it in its answer."""
    return make_space(_ODD.sub("-", model).strip("-._+") or "unnamed", UNVERSIONED, dimensions)


def bedrock_space(model: str, dimensions: int) -> Space:
    """``amazon.titan-embed-image/1/1024/f32``: an inference profile of another region gives the same vectors.

    Raises:
        ValueError: the model is not known here.
    """
    found = find_model(model)
    if found is None:
        raise ValueError(f"{model!r} is no embedding model of Bedrock that is known here")
    return make_space(found.name, found.version, dimensions)
