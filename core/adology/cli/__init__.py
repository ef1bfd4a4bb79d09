"""The command line. `main` is the entry; each command imports what it needs when it runs."""

from adology.cli.app import app, main

__all__ = ["app", "main"]
