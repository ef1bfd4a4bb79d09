"""Which sources a caller may know of."""

from __future__ import annotations

from typing import Final

from adology.settings.model import AdologySettings
from adology_server.parts import Incoming

OURS: Final = ("files", "customer_db")
"""Sources whose handles are places on our machines or words in a customer's database: set by whoever runs them."""

PUBLIC: Final = ("facebook", "serpapi")
"""Sources that everybody may know of, configured or not."""


def shown_sources(request: Incoming) -> list[str]:
    """The sources that the caller may know of: public ones, and the organisation's own databases.

    A name that the settings do not know may be anybody's: it is not shown.
    """
    settings: AdologySettings = request.app.state.settings
    plugins = {name: own.get("plugin", name) for name, own in settings.sources.items()}
    known = {
        name
        for name, plugin in plugins.items()
        if plugin not in OURS or settings.sources[name].get("owner_org_id") == request.user.org
    }
    return sorted(known | {name for name in PUBLIC if name not in plugins})
