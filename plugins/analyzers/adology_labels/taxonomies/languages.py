"""Languages: the codes that the copy analyzer can tell."""

from __future__ import annotations

from adology_copy.language import LANGUAGE_OF, TELLING
from adology_copy.wordlists import WORDS
from adology_labels.taxonomies.entries import Entry, Taxonomy

VERSION = "1"

CODES = sorted(
    {*WORDS, *(code for code in LANGUAGE_OF.values() if code), *(c for rows in TELLING.values() for c, _ in rows)}
)

LANGUAGE = Taxonomy(
    name="language",
    version=VERSION,
    question="The language of its text, ISO 639-1",
    entries=tuple(Entry(id=code, name=code, about=f"ISO 639-1 {code}") for code in CODES),
)
