from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # typer 0.24 still imports names that click 8.5 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    import typer  # noqa: F401 - imported once, quietly, before the tests import it
