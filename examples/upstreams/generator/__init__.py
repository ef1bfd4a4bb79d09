"""Draws the stand-in world: brands, ads, pictures, clips, and the truth about every creative.

``python -m upstreams.generator OUT --brands 3 --ads 40 --seed 7`` writes ``world.json``,
``media/``, ``truth.jsonl`` and ``customer.sqlite``. The same arguments with the same fonts and
libraries give the same bytes.
"""

from upstreams.generator.build import generate
from upstreams.generator.customer import write_customer_db
from upstreams.generator.truth import Truth, load_truth

__all__ = ["Truth", "generate", "load_truth", "write_customer_db"]
