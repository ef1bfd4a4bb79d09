"""The fetch guard: downloads media from addresses that strangers wrote, and nothing else."""

from adology.fetch.fetcher import Fetched, Fetcher
from adology.fetch.sniff import Sniffed, sniff

__all__ = ["Fetched", "Fetcher", "Sniffed", "sniff"]
