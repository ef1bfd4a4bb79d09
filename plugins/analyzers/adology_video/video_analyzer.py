"""The analyzer of films. What it needs is imported when the first film comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from adology import Analyzer, Context, MediaItem, Needs, Skip
from adology_text import TextFacts
from adology_video.model import Shot, TextTimes, Tile, VideoFacts
from adology_video.settings import VideoSettings

if TYPE_CHECKING:
    from adology_media.derive import Derive
    from adology_video.stills import Stills

FEWEST_TILES = 6
"""Storyboards of films with fewer shots show more of each, as far as it differs."""


class VideoAnalyzer(Analyzer[VideoSettings, VideoFacts]):
    """Shots, pace, storyboard, sound and faces of a video. Runs in a child process.

    The film is decoded once, from its start as far as the limits allow. The result depends on the
    bytes, the settings, and on whether the face detector is installed, which its fingerprint says.
    """

    name = "video"
    version = 1
    accepts = ("video",)
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 300.0

    @classmethod
    def needs(cls, settings: VideoSettings) -> Needs:
        """The face detector where it is installed, and the text analyzer where it runs."""
        from adology_video.faces import model_id  # noqa: PLC0415 - see above

        face = (model_id(),) if settings.faces and model_id() else ()
        return Needs(uses=face, optional=("text",) if settings.text else ())

    def analyze(self, ctx: Context[VideoSettings], item: MediaItem) -> VideoFacts:
        """Facts of one film.

        Raises:
            Skip: it is an animated picture.
            MediaUnusableError: it is no video, is broken or cut off, or larger than the limits.
        """
        from adology_media.sniff import sniff  # noqa: PLC0415
        from adology_video.changes import find_changes  # noqa: PLC0415
        from adology_video.pacing import pace, shots_of  # noqa: PLC0415
        from adology_video.sound import listen  # noqa: PLC0415
        from adology_video.watch import watch  # noqa: PLC0415

        settings = ctx.settings
        format_ = sniff(item.path)
        if format_.kind == "image":
            raise Skip(f"the file is a {format_.name} picture, not a video: it has no shots")
        watched = watch(item.path, format_, settings)
        shots = shots_of(find_changes(watched.times, watched.small), watched.looked_s)
        storyboard, tiles = _storyboard(shots, watched.stills, settings, ctx.derive)
        return VideoFacts(
            duration_s=watched.duration_s,
            looked_s=watched.looked_s,
            shots=_with_frames(shots, watched.stills, settings.max_frames, ctx.derive),
            storyboard=storyboard,
            tiles=tiles,
            sound=listen(
                item.path,
                format_,
                limit_s=settings.sound_s,
                silence_dbfs=settings.silence_dbfs,
                silence_s=settings.silence_s,
            ),
            faces=watched.eyes.result(),
            text=text_times(item.results.get("text")),
            truncated=watched.truncated,
            damaged=watched.errors > 0,
            **pace(shots, watched.looked_s),
        )


def _with_frames(shots: tuple[Shot, ...], stills: Stills, most: int, derive: Derive) -> tuple[Shot, ...]:
    """The shots with their pictures written; evenly chosen where there are more shots than pictures."""
    chosen = {round(i * (len(shots) - 1) / max(1, most - 1)) for i in range(most)} if len(shots) > most else None
    found = []
    for number, shot in enumerate(shots):
        still = stills.within(shot.start_s, shot.end_s) if chosen is None or number in chosen else None
        if still is None:
            found.append(shot)
            continue
        name = f"shot-{number:02}.jpg"
        derive(name, "image/jpeg").write_bytes(still.jpeg)
        found.append(msgspec.structs.replace(shot, frame=name))
    return tuple(found)


def _storyboard(
    shots: tuple[Shot, ...], stills: Stills, settings: VideoSettings, derive: Derive
) -> tuple[str, tuple[Tile, ...]]:
    from adology_video.storyboard import draw_sheet  # noqa: PLC0415

    found = [still for shot in shots if (still := stills.within(shot.start_s, shot.end_s)) is not None]
    most = settings.max_tiles
    if len(found) > most:
        found = [found[round(i * (len(found) - 1) / max(1, most - 1))] for i in range(most)]
    sheet, tiles = draw_sheet(stills.spread(found, min(most, FEWEST_TILES)))
    name = "storyboard.jpg"
    sheet.save(derive(name, "image/jpeg"), "JPEG", quality=settings.jpeg_quality, optimize=True)
    return name, tiles


def text_times(result: Any) -> TextTimes | None:
    """When text is shown, by the text analyzer's result as plain data; None where there is none."""
    if result is None:
        return None
    try:
        facts = msgspec.convert(result, TextFacts)
    except msgspec.ValidationError:
        # Of another version: no ground to say anything.
        return None
    spans = [span for line in facts.lines for span in line.spans]
    shown = sum(any(span.start_s <= time_s <= span.end_s for span in spans) for time_s in facts.sampled_s)
    return TextTimes(
        first_s=min((span.start_s for span in spans), default=None),
        share_of_time=round(shown / max(1, len(facts.sampled_s)), 3),
        lines=len(facts.lines),
    )
