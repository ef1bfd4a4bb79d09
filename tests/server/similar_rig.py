"""Ads with vectors, for two organisations."""

from __future__ import annotations

import psycopg

from adology.settings import AdologySettings
from tests.server.rig import World
from tests.system.committing import Committing


class Seeded(World):
    """Two organisations, two brands, and ads with vectors."""

    def __init__(self, settings: AdologySettings) -> None:
        super().__init__(settings)
        for org in ("acme", "rival"):
            self.add_org(org)
            self.add_user(org, f"owner@{org}.example")
        self.link = psycopg.connect(self.url, autocommit=True)
        self.catalogue = Committing(self.link)

    def ad_id(self, name: str) -> int:
        ((number,),) = self.rows("select id from ads where source_ad_id = %s", [name])
        return int(number)
