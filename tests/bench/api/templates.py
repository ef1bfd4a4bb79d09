"""Ads as sources bring them, drawn: texts as long as those of real records, with what analyzers say of them."""

from __future__ import annotations

import random
from typing import Any, Final

# Tenths of lengths, in characters, over 1,351 records of the Ad Library (United States, October 2020).
BODY: Final = (16, 76, 93, 93, 106, 141, 168, 194, 224, 263, 665)
TITLE: Final = (0, 18, 20, 22, 25, 32, 34, 37, 42, 50, 76)
DESCRIPTION: Final = (0, 10, 13, 25, 32, 32, 32, 34, 34, 37, 262)

SYLLABLES: Final = ("ba", "de", "fi", "go", "ku", "la", "me", "no", "pi", "ra", "se", "ti", "vo", "zu")
FORMATS: Final = ("image", "image", "image", "video", "carousel")
PLATFORMS: Final = ("facebook", "instagram", "messenger", "audience_network")
LANGUAGES: Final = ("en", "en", "en", "es", "de", "fr")
LABELS: Final = {
    "format": ("static", "carousel", "ugc", "demo"),
    "hook": ("question", "statistic", "offer", "testimonial", "curiosity"),
    "angle": ("price", "quality", "speed", "trust", "novelty"),
    "offer": ("percent_off", "free_shipping", "bundle", "none"),
    "emotion": ("joy", "fear", "pride", "calm"),
    "funnel": ("awareness", "consideration", "conversion"),
    "cta": ("buy", "learn", "sign_up", "install"),
    "iab": tuple(f"tier{number}" for number in range(1, 30)),
}
PACKS: Final = ("meta.feed", "meta.stories")
RULES: Final = tuple(f"rule_{number}" for number in range(8))
LEVELS: Final = ("none", "none", "none", "none", "low", "medium")


class Writer:
    """Draws ads; the same seed, the same ads."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._words = ["".join(self._chance.choices(SYLLABLES, k=self._chance.randint(1, 4))) for _ in range(3000)]

    def text(self, tenths: tuple[int, ...]) -> str:
        """Words, as long together as texts of that kind are. Few words are in most texts, most are in few."""
        part = self._chance.randrange(10)
        length = self._chance.randint(tenths[part], tenths[part + 1])
        found = ""
        while len(found) < length:
            found += f" {self._words[min(int(self._chance.paretovariate(0.7)), 3000) - 1]}"
        return found.strip()[:length]

    def ad(self, number: int) -> dict[str, Any]:
        """The columns of `ads` that come from the source."""
        chance, site = self._chance, f"shop{self._chance.randrange(60)}.example"
        return {
            "source_ad_id": f"t{number}", "advertiser": self.text(TITLE) or "Somebody",
            "advertiser_id": str(10**9 + number),
            "bodies": [self.text(BODY)], "titles": [self.text(TITLE)], "descriptions": [self.text(DESCRIPTION)],
            "captions": [site], "cta": chance.choice(("SHOP_NOW", "LEARN_MORE", "SIGN_UP", "")),
            "landing_url": f"https://www.{site}/offers/{number}", "format": chance.choice(FORMATS),
            "platforms": sorted(chance.sample(PLATFORMS, chance.randint(1, 4))),
            "languages": [chance.choice(LANGUAGES)],
            "countries": ["US"], "status": chance.choice(("active", "active", "unknown", "stopped")),
        }  # fmt: skip

    def analyses(self) -> dict[str, Any]:
        """Results of the analyzers of copy, by analyzer."""
        chance = self._chance
        labels = [
            {
                "taxonomy": taxonomy,
                "id": chance.choice(ids),
                "confidence": 0.9,
                "evidence": [{"text": self.text(TITLE)}],
            }
            for taxonomy, ids in LABELS.items()
        ]
        verdicts = ("pass", "pass", "pass", "fail", "insufficient")
        reports = [
            {
                "pack": pack,
                "rules": [
                    {"rule": rule, "verdict": chance.choice(verdicts), "value": round(chance.random(), 3)}
                    for rule in RULES
                ],
            }
            for pack in PACKS
        ]
        return {
            "labels_copy": {"labels": labels},
            "scores_copy": {"reports": reports},
            "safety_copy": {"score": round(chance.random() * 0.3, 3), "level": chance.choice(LEVELS)},
            "copy": {"language": {"code": chance.choice(LANGUAGES)}, "words": 21, "readability": 64.2},
        }
