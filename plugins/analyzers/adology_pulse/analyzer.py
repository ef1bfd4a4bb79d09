"""The analyzer itself: one pass over the brand's ads."""

from __future__ import annotations

from adology import Analyzer, BrandItem, Context
from adology_pulse.model import Pulse
from adology_pulse.settings import PulseSettings
from adology_pulse.state import moment_of
from adology_pulse.tally import Tally


class PulseAnalyzer(Analyzer[PulseSettings, Pulse]):
    """Counts, formats, new and stopped ads, run lengths, per source and together.

    "Stopped" is only what a source says or an ad's dates prove. An ad that a good gathering did
    not show is "missing", one that nobody looked for is "not looked": a failed gathering never
    looks like a brand that went quiet.
    """

    name = "pulse"
    version = 1
    accepts = ("brand",)

    async def analyze(self, ctx: Context[PulseSettings], item: BrandItem) -> Pulse:
        """The pulse after the item's batch. Memory does not grow with the number of ads."""
        moment = moment_of(item)
        tally = Tally(moment, examples=ctx.settings.examples, max_formats=ctx.settings.max_formats)
        async for ad in item.ads():
            tally.add(ad)
        return Pulse(
            brand=item.brand,
            batch=item.batch,
            previous_batch=item.previous_batch,
            committed_at=item.committed_at,
            is_first=item.previous_batch is None,
            ads=tally.states.total(),
            running=tally.states["running"],
            stopped=tally.states["stopped"],
            missing=tally.states["missing"],
            not_looked=tally.states["not_looked"],
            new=tally.new.result(),
            newly_stopped=tally.newly_stopped.result(),
            newly_missing=tally.newly_missing.result(),
            formats=tally.formats.result(),
            running_formats=tally.running_formats.result(),
            new_formats=tally.new_formats.result(),
            run_running=tally.run_running.result(),
            run_stopped=tally.run_stopped.result(),
            run_all=tally.run_all.result(),
            median_life_days=tally.median_life(),
            sources=tally.sources(),
        )
