"""Puts the engine together from settings: worker, steward and follower processes."""

from adology.runtime.engine import Engine, open_engine
from adology.runtime.followers import run_followers
from adology.runtime.steward import run_steward
from adology.runtime.worker import run_worker

__all__ = ["Engine", "open_engine", "run_followers", "run_steward", "run_worker"]
