"""Shots, sound and faces of a video, from what the video and media analyzers say."""

from __future__ import annotations

from adology_scores.evidence import Range
from adology_scores.inputs import Media, Video
from adology_scores.measures_model import Seen
from adology_scores.sheet import Sheet

SILENCE_LUFS = -50.0
"""Louder than this is sound: our choice, far below any speech that is meant to be heard."""

CUTS = ("shots", "first_shot_s", "mean_shot_s", "shots_in_first_3s", "shots_in_first_5s", "most_shots_in_5s")
NO_SOUND = "the sound track could not be decoded"
FACES = ("face_share", "first_face_s", "first_person_s")
SOUND = ("sound_present", "loudness_lufs", "silent_share")


def measure_pacing(video: Video | None, why: str, sheet: Sheet) -> None:
    """Measures of shots, as far as the video was looked at."""
    if video is None or not video.shots:
        sheet.lack(CUTS, why or "no shot was found")
        return
    sheet.put("shots", len(video.shots))
    sheet.put("first_shot_s", round(video.shots[0].end_s - video.shots[0].start_s, 3))
    sheet.put("mean_shot_s", round(video.mean_shot_s, 3))
    sheet.put("shots_in_first_3s", video.shots_in_first_3s)
    sheet.put("shots_in_first_5s", video.shots_in_first_5s)
    sheet.put("most_shots_in_5s", video.most_shots_in_5s)
    if video.truncated:
        why = f"the video was looked at for {video.looked_s:g} of its {video.duration_s:g} s"
        sheet.drop(("shots", "mean_shot_s", "most_shots_in_5s"), why)
        sheet.drop([name for name, end_s in zip(CUTS[3:5], (3, 5), strict=True) if video.looked_s < end_s], why)


def measure_sound(video: Video | None, media: Media | None, sheet: Sheet) -> None:
    """Measures of the sound track; the media analyzer stands in where the video one says nothing."""
    if video is not None and video.sound is not None:
        if video.sound.damaged:
            sheet.lack(SOUND, NO_SOUND)
            return
        loudness = video.sound.lufs
        sheet.put("silent_share", round(video.sound.silent_share, 4))
    elif media is None:
        sheet.lack(SOUND, "there is no result of the analyzers video and media")
        return
    else:
        sheet.lack(("silent_share",), "the video analyzer says nothing of sound")
        if media.audio is not None and media.audio.loudness_lufs is None and media.audio.measured_s <= 0:
            sheet.lack(SOUND, NO_SOUND)
            return
        loudness = media.audio.loudness_lufs if media.audio else None
    sheet.put("sound_present", loudness is not None and loudness > SILENCE_LUFS)
    if loudness is None:
        sheet.lack(("loudness_lufs",), "there is no sound, or only silence")
    else:
        sheet.put("loudness_lufs", loudness)


def measure_faces(video: Video | None, why: str, sheet: Sheet) -> None:
    """Measures of faces. A person may be seen before, without a face, but no later than it."""
    faces = video.faces if video is not None else None
    if video is None or faces is None or not faces.available:
        sheet.lack(FACES, why or (faces.why if faces else "") or "the video analyzer says nothing of faces")
        return
    at = Seen(measure="face_share", box=faces.largest_box, time_s=faces.largest_s)
    sheet.put("face_share", round(faces.largest_share, 4), *([at] if faces.largest_box else []))
    if faces.first_s is None or faces.looks < 1:
        sheet.lack(("first_face_s",), f"no face was found in {faces.looks} looks")
        sheet.lack(("first_person_s",), "no face was found; people may be seen without one")
        return
    before = max(0.0, faces.first_s - video.looked_s / faces.looks)
    first = Seen(measure="first_face_s", time_s=faces.first_s)
    sheet.put("first_face_s", Range(low=round(before, 3), high=round(faces.first_s, 3)), first)
    person = Seen(measure="first_person_s", time_s=faces.first_s)
    sheet.put("first_person_s", Range(low=0.0, high=round(faces.first_s, 3)), person)
