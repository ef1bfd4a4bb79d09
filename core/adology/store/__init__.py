"""What the engine keeps in Postgres: ledger, item results, analysis cache, catalogue, outbox."""

from adology.store.analyses import Analyses
from adology.store.catalogue import Catalogue
from adology.store.database import Database
from adology.store.items import Items
from adology.store.ledger import Ledger
from adology.store.outbox import Outbox

__all__ = ["Analyses", "Catalogue", "Database", "Items", "Ledger", "Outbox"]
