"""Ads from a customer's own database: any that SQLAlchemy reaches, by a query and a column mapping.

`source.CustomerDb` is the way in; `statement` says what is asked, `rows` how it is read,
`convert` what becomes of a row. Every ad belongs to the organisation named in the settings.
"""

from __future__ import annotations

from adology import Source, hookimpl
from adology_customer_db.mark import Mark
from adology_customer_db.settings import Columns, CustomerDbSettings
from adology_customer_db.source import CustomerDb

__all__ = ["Columns", "CustomerDb", "CustomerDbSettings", "Mark", "adology_sources"]


@hookimpl
def adology_sources() -> list[type[Source[CustomerDbSettings, Mark]]]:
    """The customer database source."""
    return [CustomerDb]
