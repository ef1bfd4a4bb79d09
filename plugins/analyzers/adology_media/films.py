"""Facts of videos."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from adology.errors import MediaUnusableError
from adology_media.containers import AUDIO_CODECS, UNKNOWN, codec_of, open_video, short, video_stream
from adology_media.derive import Derive, save_jpeg
from adology_media.loudness import measure
from adology_media.model import AudioTrack, KeyFrame, MediaFacts
from adology_media.moments import Look, Moment, Scout, Watcher, shown_size
from adology_media.palette import palette, tone
from adology_media.phash import phash
from adology_media.pixels import WORKING_SIDE
from adology_media.settings import MediaSettings
from adology_media.shapes import classify
from adology_media.sniff import Format
from adology_media.whole import check_whole

MICROSECONDS = 1_000_000


def read_film(path: Path, format_: Format, settings: MediaSettings, derive: Derive) -> MediaFacts:
    """Everything we measure of a video, thumbnail and key frames written.

    Raises:
        MediaUnusableError: too large, too long, cut off, without pictures, or none decodes.
    """
    check_whole(path, format_.reader)
    try:
        return _read(path, format_, settings, derive)
    except (av.FFmpegError, ValueError, ArithmeticError) as error:
        # Arithmetic: damaged headers hold times and sizes that no number can.
        raise MediaUnusableError(f"the {format_.name} video cannot be decoded: {short(error)}") from error


def _read(path: Path, format_: Format, settings: MediaSettings, derive: Derive) -> MediaFacts:
    with open_video(path, format_) as container, open_video(path, format_) as other:
        stream = video_stream(container)
        duration_s = _duration(container, stream) or _walked_duration(path, format_)
        _check_limits(stream, duration_s, settings)
        watcher = Watcher(
            container,
            stream,
            Scout(other, video_stream(other)),
            side=max(settings.keyframe_side, settings.thumbnail_side, WORKING_SIDE),
            budget=settings.decode_megapixels * 1_000_000,
            max_pixels=settings.max_pixels,
        )
        look = watcher.look(duration_s, settings.keyframes)
        if not look.moments:
            raise MediaUnusableError(
                f"no frame of the {format_.name} video can be decoded "
                f"({stream.codec_context.name}, {look.errors} packets damaged)"
            )
        return _facts(path, format_, stream, duration_s, look, settings, derive, _audio(path, format_, settings))


def _facts(
    path: Path,
    format_: Format,
    stream: VideoStream,
    duration_s: float,
    look: Look,
    settings: MediaSettings,
    derive: Derive,
    audio: AudioTrack | None,
) -> MediaFacts:
    context = stream.codec_context
    ratio = _ratio(stream, look.turned)
    sideways = look.turned in (90, 270)
    best = best_moment(look)
    luminance, flat = tone(best.picture)
    rate = stream.average_rate or stream.guessed_rate
    return MediaFacts(
        kind="video",
        format=format_.name,
        mime=format_.mime,
        width=context.height if sideways else context.width,
        height=context.width if sideways else context.height,
        size_bytes=path.stat().st_size,
        aspect_ratio=round(ratio, 4),
        aspect_class=classify(ratio),
        rotated=cast("Literal[0, 90, 180, 270]", look.turned),
        flat=flat,
        luminance=luminance,
        palette=palette(best.picture),
        phash=phash(best.picture),
        animated=True,
        frame_count=stream.frames or None,
        duration_s=round(duration_s, 3) if duration_s > 0 else None,
        fps=round(float(rate), 3) if rate else None,
        video_codec=context.name,
        pixel_format=context.pix_fmt or "",
        audio=audio,
        thumbnail=save_jpeg(derive, "thumbnail.jpg", best.picture, settings.thumbnail_side, settings.jpeg_quality),
        keyframes=tuple(_keyframe(i, moment, settings, derive) for i, moment in enumerate(look.moments)),
        decode_errors=look.errors,
    )


def _keyframe(index: int, moment: Moment, settings: MediaSettings, derive: Derive) -> KeyFrame:
    name = save_jpeg(derive, f"keyframe-{index:02}.jpg", moment.picture, settings.keyframe_side, settings.jpeg_quality)
    return KeyFrame(time_s=moment.time_s, phash=phash(moment.picture), name=name, flat=tone(moment.picture)[1])


def best_moment(look: Look) -> Moment:
    """What stands for the video: the first picture that is not flat, as films begin and end in black."""
    return next((moment for moment in look.moments if not tone(moment.picture)[1]), look.moments[0])


def _ratio(stream: VideoStream, turned: int) -> float:
    width, height = shown_size(stream.codec_context.width, stream.codec_context.height, stream.sample_aspect_ratio)
    return height / width if turned in (90, 270) else width / height


def _check_limits(stream: VideoStream, duration_s: float, settings: MediaSettings) -> None:
    context = stream.codec_context
    hint = "The limit is the media analyzer's setting {}."
    if context.width * context.height > settings.max_pixels:
        raise MediaUnusableError(
            f"the video has {context.width} x {context.height} pixels, {settings.max_pixels} are allowed",
            hint=hint.format("max_pixels"),
        )
    if min(context.width, context.height) < 1:
        raise MediaUnusableError(f"the video has no pixels: it is {context.width} x {context.height}")
    if duration_s > settings.max_duration_s:
        raise MediaUnusableError(
            f"the video lasts {duration_s:.0f} s, {settings.max_duration_s:.0f} s are allowed",
            hint=hint.format("max_duration_s"),
        )
    if stream.frames > settings.max_video_frames:
        raise MediaUnusableError(
            f"the video has {stream.frames} frames, {settings.max_video_frames} are allowed",
            hint=hint.format("max_video_frames"),
        )


def _duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds as the stream says, else the container; 0 where neither does."""
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / MICROSECONDS
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _walked_duration(path: Path, format_: Format) -> float:
    """The time of the last packet; nothing is decoded. For live recordings, which state none."""
    last = Fraction(0)
    with open_video(path, format_) as container:
        stream = video_stream(container)
        try:
            for packet in container.demux(stream):
                if packet.pts is not None and packet.time_base is not None:
                    at = (packet.pts - (stream.start_time or 0) + (packet.duration or 0)) * packet.time_base
                    last = max(last, at)
        except av.FFmpegError:
            # The end of what can be read is the end of what can be shown.
            return float(last)
    return float(last)


def _audio(path: Path, format_: Format, settings: MediaSettings) -> AudioTrack | None:
    """The first audio track, with its loudness where we may and can decode it."""
    with open_video(path, format_) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        codec, context = codec_of(stream), stream.codec_context
        if codec == UNKNOWN:
            return AudioTrack(codec=codec)
        track = AudioTrack(codec=codec, sample_rate=context.sample_rate, channels=context.channels)
        if codec not in AUDIO_CODECS or settings.loudness_s <= 0:
            return track
        loudness = measure(container, stream, limit_s=settings.loudness_s)
    return AudioTrack(
        codec=track.codec,
        sample_rate=track.sample_rate,
        channels=track.channels,
        loudness_lufs=loudness.lufs,
        measured_s=loudness.measured_s,
    )
