"""What the engine keeps in Postgres: ledger, item results, analysis cache, catalogue, insights, outbox."""

from adology.store.analyses import Analyses
from adology.store.catalogue import Catalogue
from adology.store.database import Database
from adology.store.insights import BrandState, Insight, Insights
from adology.store.items import Items
from adology.store.ledger import Ledger
from adology.store.locks import AdvisoryLocks
from adology.store.outbox import Outbox
from adology.store.spending import Spending
from adology.store.subjects import Subjects

__all__ = [
    "AdvisoryLocks",
    "Analyses",
    "BrandState",
    "Catalogue",
    "Database",
    "Insight",
    "Insights",
    "Items",
    "Ledger",
    "Outbox",
    "Spending",
    "Subjects",
]
