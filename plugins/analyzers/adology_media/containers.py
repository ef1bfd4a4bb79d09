"""Opening video files with FFmpeg kept on a short lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.video.stream import VideoStream

from adology.errors import MediaUnusableError
from adology_media.sniff import Format

VIDEO_CODECS = frozenset({
    "h264", "hevc", "av1", "libdav1d", "libaom-av1", "vp8", "libvpx", "vp9", "libvpx-vp9", "mpeg4", "mpeg1video",
    "mpeg2video", "h263", "flv", "mjpeg", "prores", "theora", "vp6f", "vp6a", "wmv1", "wmv2", "wmv3", "vc1",
    "msmpeg4", "msmpeg4v2", "svq3", "png", "gif", "qtrle",
})  # fmt: skip
AUDIO_CODECS = frozenset({
    "aac", "aac_latm", "ac3", "eac3", "mp1float", "mp2float", "mp2", "mp3float", "mp3", "opus", "libopus", "vorbis",
    "libvorbis", "flac", "alac", "amrnb", "amrwb", "adpcm_ms", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_swf", "wmav1",
    "wmav2", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_u8", "pcm_mulaw",
    "pcm_alaw",
})  # fmt: skip
"""Decoders that ads need. FFmpeg has hundreds more, of games and cameras, that hostile files reach for."""

UNKNOWN = "unknown"
_LENIENT: dict[str, Any] = {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}  # noqa: PLR2004
"""Before PyAV 19, titles that are not UTF-8 made opening fail unless this was asked for."""


@contextmanager
def open_video(path: Path, format_: Format) -> Iterator[InputContainer]:
    """The container, read by the demuxer that its first bytes call for and no other.

    Playlists and reference movies could make FFmpeg open other files and addresses: the
    demuxer is fixed and only the protocol "file" works.

    Raises:
        MediaUnusableError: it cannot be read.
    """
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": format_.reader,
        "codec_whitelist": ",".join(sorted(VIDEO_CODECS | AUDIO_CODECS)),
    }
    try:
        container = av.open(f"file:{path}", format=format_.reader, container_options=options, **_LENIENT)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise MediaUnusableError(f"the {format_.name} video cannot be opened: {short(error)}") from error
    with container:
        yield container


def video_stream(container: InputContainer) -> VideoStream:
    """The first video stream that is not a cover picture.

    Raises:
        MediaUnusableError: there is none, or no decoder that we allow reads it.
    """
    films = [s for s in container.streams.video if not s.disposition & type(s.disposition).attached_pic]
    if not films:
        audio = ", ".join(codec_of(s) for s in container.streams.audio)
        seen = f"only audio ({audio})" if audio else "no streams that can be read"
        raise MediaUnusableError(f"no picture to look at: the file has {seen}")
    stream = films[0]
    codec = codec_of(stream)
    if codec not in VIDEO_CODECS:
        raise MediaUnusableError(
            f"the video codec {codec} is not read", hint=f"Read are {', '.join(sorted(VIDEO_CODECS))}."
        )
    return stream


def codec_of(stream: VideoStream | AudioStream) -> str:
    """The decoder's name; PyAV gives no context where FFmpeg knows none, whatever its stubs say."""
    context: CodecContext | None = stream.codec_context
    return UNKNOWN if context is None else context.name


def short(error: BaseException) -> str:
    """FFmpeg's sentence without its number and our path."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()) or type(error).__name__
