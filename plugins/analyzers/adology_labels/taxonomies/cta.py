"""Calls to action and their families: the names and phrases of the copy analyzer."""

from __future__ import annotations

from adology_copy.cta_table import FAMILIES, FAMILY_OF
from adology_labels.taxonomies.entries import Entry, Taxonomy, entries_of

VERSION = "1"
NO_BUTTON = "no_button"

CTA = Taxonomy(
    name="cta",
    version=VERSION,
    question="The call to action, by Meta's names",
    entries=tuple(
        Entry(id=name, name=name, about="asks for nothing" if name == NO_BUTTON else name.replace("_", " "))
        for name in sorted(FAMILY_OF)
    ),
)

CTA_FAMILY = Taxonomy(
    name="cta_family",
    version=VERSION,
    question="What kind of call to action it is",
    entries=entries_of("""
purchase: buy, order, shop
learn: read more, visit
lead: sign up, subscribe, apply, start
quote: ask for a price
contact: call or write
message: chat
book: book, reserve, make an appointment
app: install, download, use an app
offer: get an offer
media: watch, listen
event: attend
donate: give money
follow: like, follow, share
game: play
none: asks for nothing
"""),
)

if set(FAMILIES) != set(CTA_FAMILY.ids):  # a family added there needs words here
    raise AssertionError(sorted(set(FAMILIES) ^ set(CTA_FAMILY.ids)))
