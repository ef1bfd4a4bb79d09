"""Puts the engine together from settings: worker and steward processes."""

from adology.runtime.engine import Engine, open_engine
from adology.runtime.steward import run_steward
from adology.runtime.worker import run_worker

__all__ = ["Engine", "open_engine", "run_steward", "run_worker"]
