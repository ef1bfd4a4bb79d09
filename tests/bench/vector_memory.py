"""A process that loads a snapshot of an index and says what that took."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from adology_faiss.memory import FaissIndex
from tests.bench.meter import rss_bytes


def main() -> None:
    """Print how many entries there are, bytes of resident memory, and seconds; one small index is loaded before."""
    path, space, dimensions = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    warm = path.with_name("warm")
    FaissIndex("warm", 8).snapshot(warm)
    FaissIndex.load(warm, "warm", 8)
    before, began = rss_bytes([os.getpid()]), time.monotonic()
    index = FaissIndex.load(path, space, dimensions)
    seconds = time.monotonic() - began
    print(f"loaded {json.dumps([len(index), rss_bytes([os.getpid()]) - before, seconds])}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
