"""Which ads a brand runs where, and which creatives they need: decided before anything is drawn."""

from __future__ import annotations

import base64
import random
from datetime import date, timedelta

import msgspec

from upstreams.generator import words
from upstreams.generator.fonts import Typeface
from upstreams.generator.layout import Words
from upstreams.generator.truth import Relation
from upstreams.generator.words import Trade
from upstreams.world import AdFormat, CreativeKind, Network, WorldAd, WorldBrand

DAYS_BACK = 300

SLOTS: tuple[tuple[Network, AdFormat, str], ...] = (
    ("meta", "image", ""),
    ("meta", "video", ""),
    ("meta", "carousel", ""),
    ("google", "image", ""),
    ("customer", "image", ""),
    ("meta", "text", ""),
    ("google", "video", "youtube"),
    ("meta", "image", "removed"),
    ("google", "image", "repeat"),
    ("customer", "carousel", ""),
    ("meta", "image", "recompressed"),
    ("google", "text", ""),
    ("customer", "video", ""),
    ("meta", "image", "exact"),
    ("meta", "image", "resized"),
    ("meta", "image", ""),
    ("google", "image", ""),
    ("meta", "image", ""),
    ("customer", "image", ""),
    ("meta", "image", "repeat"),
)
"""Network, format and what is special, over and over: a dozen ads have met every case."""

_ASPECTS: dict[Network, tuple[str, ...]] = {
    "meta": ("1:1", "4:5", "9:16", "1.91:1"),
    "google": ("16:9", "1.91:1", "300x250", "728x90"),
    "customer": ("1:1", "16:9", "300x250"),
}
_PLATFORMS: dict[Network, tuple[str, ...]] = {
    "meta": ("facebook", "instagram", "messenger", "audience_network"),
    "google": ("search", "display", "maps"),
    "customer": ("newsletter", "display", "out_of_home"),
}
_SUFFIXES = (".jpg", ".jpg", ".jpg", ".png", ".webp")


class CreativeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A creative to make. With a `relation` it repeats `same_as`, and is not drawn anew."""

    id: str
    brand: str
    number: int
    kind: CreativeKind
    aspect: str
    suffix: str
    language: str
    words: Words
    trade: Trade
    hue: float
    sound: bool = False
    same_as: str | None = None
    relation: Relation | None = None

    @property
    def file(self) -> str:
        """Path below the media folder."""
        return f"{self.brand}/{self.number:03d}{self.suffix}"


class BrandPlan:
    """One brand's ads and the creatives they need, in the order in which they can be made."""

    def __init__(self, seed: int, index: int, typeface: Typeface, made_on: date) -> None:
        self._rng = random.Random(f"{seed}/{index}")
        self._typeface = typeface
        self._made_on = made_on
        self._ids: set[str] = set()
        self.trade = words.TRADES[index % len(words.TRADES)]
        series = index // len(words.TRADES)
        name = self.trade.names[series % len(self.trade.names)]
        self.name = name if series < len(self.trade.names) else f"{name} {series}"
        self.id = "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())
        self.domain = f"{self.id}.example"
        self._hue = 0.31 * index + 0.2 * self._rng.random()
        self.specs: list[CreativeSpec] = []

    def make(self, count: int, shared: list[CreativeSpec]) -> WorldBrand:
        """Plan `count` ads. `shared` are creatives of another brand, of which one is used here too."""
        ads = tuple(self._ad(at, shared) for at in range(count))
        return WorldBrand(
            id=self.id,
            name=self.name,
            meta_page_id=self._number("1", 15),
            google_advertiser_id=self._number("AR", 20),
            domain=self.domain,
            ads=ads,
        )

    def _ad(self, at: int, shared: list[CreativeSpec]) -> WorldAd:
        network, kind, special = SLOTS[at % len(SLOTS)]
        rng = self._rng
        language = words.pick_language(rng)
        phrase = rng.randrange(len(words.HEADLINES[language]))
        started = self._made_on - timedelta(days=rng.randint(0, DAYS_BACK))
        stopped = started + timedelta(days=rng.randint(3, 90))
        platforms = _PLATFORMS[network]
        return WorldAd(
            id=self._ad_id(network),
            network=network,
            format=kind,
            bodies=(self._fill(rng.choice(words.BODIES[language]), language),),
            titles=(self._fill(words.HEADLINES[language][phrase], language),),
            captions=(self.domain,),
            descriptions=(self._fill(rng.choice(words.HEADLINES[language]), language),) if rng.random() < 0.5 else (),
            cta=rng.choice(words.BUTTONS[language]),
            landing_url=f"https://www.{self.domain}/{language}/{self.trade.shape}-{rng.randint(1, 6)}",
            platforms=("youtube",) if special == "youtube" else platforms[: rng.randint(1, len(platforms))],
            languages=(language,),
            countries=(words.COUNTRY[language],),
            started_on=started,
            stopped_on=stopped if stopped <= self._made_on and rng.random() < 0.7 else None,
            creatives=self._creatives(network, kind, special, language, phrase, shared if at < len(SLOTS) else []),
            removed=special == "removed",
            youtube_id=self._youtube_id() if special == "youtube" else None,
            reach=rng.randint(800, 900_000) if network == "meta" else None,
        )

    def _creatives(
        self, network: Network, kind: AdFormat, special: str, language: str, phrase: int, shared: list[CreativeSpec]
    ) -> tuple[str, ...]:
        """Ids of the ad's creatives; new ones are planned as needed."""
        if kind == "text" or special in {"youtube", "removed"}:
            return ()
        if special == "repeat":
            return (self._rng.choice([spec for spec in self.specs if spec.kind == "image"]).id,)
        if special in {"exact", "recompressed", "resized"}:
            relation: Relation = msgspec.convert(special, Relation)
            return (self._repeat(relation, shared if special == "exact" and shared else self.specs),)
        cards = self._rng.randint(3, 5) if kind == "carousel" else 1
        made: CreativeKind = "video" if kind == "video" else "image"
        aspect = None if cards == 1 else "1:1"
        return tuple(self._draw(network, made, language, phrase + card, aspect) for card in range(cards))

    def _draw(self, network: Network, kind: CreativeKind, language: str, phrase: int, aspect: str | None) -> str:
        rng = self._rng
        if kind == "video":
            aspect, suffix = rng.choice(("9:16", "1:1", "16:9")), ".mp4"
        else:
            aspect = aspect or rng.choice(_ASPECTS[network])
            suffix = rng.choice((".gif", ".png", ".jpg")) if aspect[0] in "37" else rng.choice(_SUFFIXES)
        language, drawn = self._words(language, phrase)
        return self._add(
            kind=kind,
            aspect=aspect,
            suffix=suffix,
            language=language,
            words=drawn,
            trade=self.trade,
            hue=self._hue + 0.08 * rng.random(),
            sound=sum(spec.kind == "video" for spec in self.specs) % 3 != 2,
        )

    def _words(self, language: str, phrase: int) -> tuple[str, Words]:
        """What is written, in English where the font lacks the script."""
        rng = self._rng
        price_seed = rng.random()
        button = rng.randrange(len(words.BUTTONS[language]))
        for tongue in (language, "en"):
            headline = words.HEADLINES[tongue][phrase % len(words.HEADLINES[tongue])]
            texts = (
                self._fill(headline, tongue),
                words.price(random.Random(price_seed), tongue),
                words.BUTTONS[tongue][button],
            )
            spelt = [self._typeface.spell(text) for text in texts]
            if all(spelt):
                return tongue, Words(*spelt)
        raise RuntimeError(f"the font {self._typeface.path or 'of Pillow'} cannot draw English")

    def _repeat(self, relation: Relation, pool: list[CreativeSpec]) -> str:
        """A creative that repeats an original: another name for its bytes, or a variant."""
        origins = [s for s in pool if s.kind == "image" and s.relation is None and s.suffix != ".gif"]
        origin = self._rng.choice(origins)
        return self._add(
            kind="image",
            aspect=origin.aspect,
            suffix=origin.suffix if relation == "exact" else ".jpg",
            language=origin.language,
            words=origin.words,
            trade=origin.trade,
            hue=origin.hue,
            same_as=origin.id,
            relation=relation,
        )

    def _add(self, **fields: object) -> str:
        number = len(self.specs) + 1
        known = {"id": f"{self.id}-{number:03d}", "brand": self.id, "number": number}
        self.specs.append(CreativeSpec(**known, **fields))  # type: ignore[arg-type]  # the callers' keywords
        return self.specs[-1].id

    def _fill(self, template: str, language: str) -> str:
        return words.fill(template, self.trade, self.name, language)

    def _ad_id(self, network: Network) -> str:
        match network:
            case "meta":
                return self._number("", 16)
            case "google":
                return self._number("CR", 20)
            case _:
                return self._number(f"{self.id.upper()}-", 6)

    def _number(self, prefix: str, digits: int) -> str:
        """A number of that many digits that was not given before."""
        while True:
            found = f"{prefix}{self._rng.randrange(10 ** (digits - 1), 10**digits)}"
            if found not in self._ids:
                self._ids.add(found)
                return found

    def _youtube_id(self) -> str:
        return base64.urlsafe_b64encode(self._rng.randbytes(9)).decode()[:11]
