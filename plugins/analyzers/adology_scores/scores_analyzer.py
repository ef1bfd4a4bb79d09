"""The analyzers that hold measurements and copy against rules."""

from __future__ import annotations

from adology import AdItem, Analyzer, Context, MediaItem, Needs, Skip
from adology_copy.model import CopyFacts
from adology_scores.catalogue import COPY, PICTURES
from adology_scores.choice import choose
from adology_scores.evaluate import evaluate
from adology_scores.facts import facts_of_copy, facts_of_creative
from adology_scores.inputs import take
from adology_scores.scores_model import Scores
from adology_scores.settings import ScoresSettings


class ScoresAnalyzer(Analyzer[ScoresSettings, Scores]):
    """Each rule of each pack passes, fails or lacks data. Nothing is decoded: measures are looked at.

    The content of the packs is part of the fingerprint: a changed threshold makes verdicts stale.
    """

    name = "scores"
    version = 1
    accepts = ("image", "video")
    uses = ("measures",)
    optional = ("text",)

    @classmethod
    def needs(cls, settings: ScoresSettings) -> Needs:
        """The analyzers it uses, and the packs that the settings ask for."""
        packs = choose(settings, PICTURES, plugin=cls.name)
        return Needs(uses=(*cls.uses, *(pack.reference for pack in packs)), optional=cls.optional)

    def analyze(self, ctx: Context[ScoresSettings], item: MediaItem) -> Scores:
        """The reports on one creative.

        Raises:
            ConfigError: a pack is unknown or wrong.
        """
        facts = facts_of_creative(item.results, item.kind)
        packs = choose(ctx.settings, (facts.kind,), plugin=ctx.plugin)
        return Scores(reports=tuple(evaluate(pack, facts) for pack in packs))


class CopyScoresAnalyzer(Analyzer[ScoresSettings, Scores]):
    """The same for what ads say beside their pictures: lengths, and whether they ask for something."""

    name = "scores_copy"
    version = 1
    accepts = ("ad",)
    uses = ("copy",)

    @classmethod
    def needs(cls, settings: ScoresSettings) -> Needs:
        """As for `ScoresAnalyzer`, packs for copy."""
        packs = choose(settings, COPY, plugin=cls.name)
        return Needs(uses=(*cls.uses, *(pack.reference for pack in packs)))

    def analyze(self, ctx: Context[ScoresSettings], item: AdItem) -> Scores:
        """The reports on one ad's copy.

        Raises:
            Skip: the ad has no copy.
            ConfigError: a pack is unknown or wrong.
        """
        ad = item.ad
        if not any(text.strip() for text in (*ad.bodies, *ad.titles, *ad.descriptions, ad.cta)):
            raise Skip(f"ad {ad.id} has no copy: no body, title, description or button")
        copy, why = take(item.results, "copy", CopyFacts)
        facts = facts_of_copy(ad, copy, why)
        packs = choose(ctx.settings, COPY, plugin=ctx.plugin)
        return Scores(reports=tuple(evaluate(pack, facts) for pack in packs))
