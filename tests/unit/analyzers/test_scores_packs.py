"""Rule packs: those that come with us, and what is refused of others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology.errors import ConfigError
from adology_scores import Pack, ScoresAnalyzer, ScoresSettings, built_in, parse
from adology_scores.catalogue import COPY, MEASURES, PICTURES
from adology_scores.choice import choose, newest
from tests.conftest import ROOT

PACK = """
id = "acme-feed"
date = 2026-01-01
title = "Acme"
network = "meta"
placement = "feed"
kinds = ["image", "video"]
aspects = ["4:5"]

[zone]
aspect = "9:16"
top = 0.14

[[rules]]
id = "density"
says = "Little text."
measure = "text_density"
at_most = 0.2
source = "our own guide"
basis = "own"
"""


def changed(old: str, new: str) -> str:
    assert old in PACK
    return PACK.replace(old, new)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, where="acme.toml")
    return str(caught.value)


def test_a_pack_is_read() -> None:
    pack = parse(PACK, where="acme.toml")
    assert (pack.name, pack.zone.top if pack.zone else None, pack.rules[0].at_most) == (
        "acme-feed@2026-01-01",
        0.14,
        0.2,
    )
    assert pack.reference == f"pack/acme-feed@2026-01-01/{pack.fingerprint}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('measure = "text_density"', 'measure = "text_densty"', "no measure 'text_densty'. Did you mean text_density?"),
        ('measure = "text_density"', 'measure = "zzz"', "there is no measure 'zzz'. Known: aspect_ratio"),
        ("at_most = 0.2", "atmost = 0.2", "rule density: there is no key 'atmost'. Did you mean at_most?"),
        ("at_most = 0.2", "equals = true", "text_density is a share and is compared by equals. Allowed: at_least"),
        ("at_most = 0.2", 'one_of = ["low"]', "text_density is a share and is compared by one_of. Allowed: at_least"),
        ("at_most = 0.2", "", "text_density is a share and is compared with nothing. Allowed: at_least"),
        ("at_most = 0.2", "at_most = 20", "at_most is 20, text_density lies between 0 and 1"),
        ("at_most = 0.2", "at_most = nan", "at_most is nan, text_density lies between 0 and 1"),
        (
            "at_most = 0.2",
            "at_most = 0.2\nat_least = 0.5",
            "asks for at least 0.5 and at most 0.2. Nothing can be both.",
        ),
        ('measure = "text_density"\nat_most = 0.2', 'measure = "supers"\nat_least = 1', "supers is a flag"),
        (
            'measure = "text_density"\nat_most = 0.2',
            'measure = "text_level"\none_of = ["lo"]',
            "no level 'lo'. Levels: none",
        ),
        (
            'source = "our own guide"',
            'source = " "',
            "rule density: source is empty. Say where the threshold comes from.",
        ),
        (
            'source = "our own guide"\n',
            "",
            "rule density: source is missing. Needed: id, says, measure, source, basis.",
        ),
        ('basis = "own"', 'basis = "mine"', "Invalid enum value 'mine' - at `$.rules[0].basis` (rule density)"),
        ('id = "density"', 'id = "Text density"', "the rule's id is 'Text density'. Allowed: small letters"),
        ('id = "acme-feed"', 'id = "acme feed"', "the pack's id is 'acme feed'. Allowed: small letters"),
        ("date = 2026-01-01", "date = 2026", "is no rule pack: Expected `date`, got `int`"),
        ('kinds = ["image", "video"]', "kinds = []", "pack acme-feed has no kinds. Give at least one."),
        (
            'kinds = ["image", "video"]',
            'kinds = ["ad"]',
            "text_density is measured of image, video, the rule is for ad",
        ),
        ('aspects = ["4:5"]', 'aspects = ["4/5"]', "'4/5' is no shape"),
        ('aspects = ["4:5"]', 'aspects = ["4:0"]', "'4:0' is no shape"),
        ("top = 0.14", "top = 0.6\nbottom = 0.4", "the zone leaves nothing free"),
        ("top = 0.14", "tops = 0.14", "zone[0]: there is no key 'tops'. Did you mean top?"),
        ('[zone]\naspect = "9:16"\ntop = 0.14', "", ""),
        ('title = "Acme"', 'title = "Acme"\nfingerprint = "x"', "there is no key 'fingerprint'."),
        ('title = "Acme"', "title = ", "cannot be read as TOML"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed(old: str, new: str, said: str) -> None:
    if said:
        assert said in refusal(changed(old, new))
    else:
        parse(changed(old, new), where="acme.toml")  # a pack needs no zone


@pytest.mark.parametrize(
    ("measure", "said"),
    [("aspect_distance", "no aspects to be near to"), ("text_outside_zone", "the pack has no zone")],
)
def test_rules_about_geometry_need_it(measure: str, said: str) -> None:
    text = changed('aspects = ["4:5"]\n\n[zone]\naspect = "9:16"\ntop = 0.14', "")
    assert said in refusal(text.replace("text_density", measure))


def test_two_rules_of_one_id_are_refused() -> None:
    assert "has 'density' as the id of two rules" in refusal(PACK + PACK[PACK.index("[[rules]]") :])


def test_the_fingerprint_follows_the_content_and_nothing_else() -> None:
    first = parse(PACK, where="a").fingerprint
    assert parse("# a comment\n" + PACK, where="b").fingerprint == first
    for old, new in (("at_most = 0.2", "at_most = 0.21"), ("top = 0.14", "top = 0.15"), ("Little", "Less")):
        assert parse(changed(old, new), where="a").fingerprint != first


def test_every_pack_of_ours_is_right_and_says_its_sources() -> None:
    packs = built_in()
    assert len(packs) >= 15
    assert len({pack.name for pack in packs}) == len(packs)
    for pack in packs:
        assert pack.title
        assert pack.about
        for rule in pack.rules:
            assert rule.says.endswith((".", "sound.")), rule
            assert (rule.basis == "own") == ("own choice" in rule.source), (pack.id, rule.id)


def test_files_are_named_after_what_they_hold() -> None:
    import adology_scores

    folder = Path(adology_scores.__file__).parent / "packs"
    for path in folder.iterdir():
        plain: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        assert path.name == f"{plain['id']}-{plain['date']:%Y-%m}.toml"


def test_every_measure_that_we_take_is_asked_for_or_kept_for_own_packs() -> None:
    asked = {rule.measure for pack in built_in() for rule in pack.rules}
    assert asked <= set(MEASURES)
    unmeasured = {name for name, measure in MEASURES.items() if measure.why_not}
    assert unmeasured <= asked, "a measure that nothing takes and nothing asks for is dead"


def test_the_documentation_names_every_pack_and_every_measure() -> None:
    page = (ROOT / "docs" / "analyzers" / "scores.md").read_text("utf-8")
    assert [name for name in (*(pack.name for pack in built_in()), *MEASURES) if f"| `{name}` |" not in page] == []


def test_the_pack_that_the_documentation_shows_is_one() -> None:
    page = (ROOT / "docs" / "analyzers" / "scores.md").read_text("utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert parse(shown, where="scores.md").name == "acme-reels@2026-01-01"


def test_abcd_and_the_norm_that_contradicts_it_are_two_packs() -> None:
    found = {pack.id: {rule.id: rule for rule in pack.rules} for pack in built_in()}
    assert found["youtube-abcd"]["quick-pacing-early"].at_least == 5
    assert found["vidmob-youtube-cpg"]["few-cuts-early"].at_most == 3


def names(settings: ScoresSettings) -> list[str]:
    return [pack.name for pack in choose(settings, PICTURES)]


def test_by_default_the_newest_of_each_id_applies() -> None:
    assert "meta-stories@2026-03-01" in names(ScoresSettings())
    assert "meta-stories@2025-01-01" not in names(ScoresSettings())
    assert not [name for name in names(ScoresSettings()) if "copy" in name]
    assert {pack.id for pack in choose(ScoresSettings(), COPY)} >= {"meta-feed-copy", "meta-reels-copy"}


def test_packs_are_chosen_by_id_and_by_date() -> None:
    wanted = ("meta-stories@2025-01-01", "legibility", "legibility", "meta-feed-copy")
    assert names(ScoresSettings(packs=wanted)) == ["legibility@2026-11-24", "meta-stories@2025-01-01"]


def test_an_unknown_pack_is_named_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"analyzers\.scores\.packs: there is no pack 'meta-reel'\. Did you mean meta-"
    ):
        names(ScoresSettings(packs=("meta-reel",)))


def test_packs_of_ones_own_come_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(PACK)
    assert "acme-feed@2026-01-01" in names(ScoresSettings(folder=str(tmp_path)))
    assert names(ScoresSettings(folder=str(tmp_path), packs=("acme-feed",))) == ["acme-feed@2026-01-01"]


def test_a_newer_pack_of_ones_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "feed.toml").write_text(PACK.replace("acme-feed", "meta-feed").replace("2026-01-01", "2027-01-01"))
    assert "meta-feed@2027-01-01" in names(ScoresSettings(folder=str(tmp_path)))


def test_a_pack_of_the_same_name_and_date_is_refused(tmp_path: Path) -> None:
    (tmp_path / "feed.toml").write_text(PACK.replace("acme-feed", "meta-feed").replace("2026-01-01", "2026-03-01"))
    with pytest.raises(ConfigError, match="two packs are called meta-feed@2026-03-01"):
        names(ScoresSettings(folder=str(tmp_path)))


def test_a_folder_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"analyzers\.scores\.folder: .* is no folder that can be read"):
        names(ScoresSettings(folder=str(tmp_path / "none")))
    with pytest.raises(ConfigError, match=r"holds 0 files \*\.toml"):
        names(ScoresSettings(folder=str(tmp_path)))


@pytest.mark.parametrize(("content", "said"), [(b"\xff", "cannot be read"), (b"#" * 300_000, "has 300000 bytes")])
def test_files_that_cannot_be_packs_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "acme.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        names(ScoresSettings(folder=str(tmp_path)))


def test_what_the_analyzer_needs_changes_with_the_content_of_a_pack(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, text in ((one, PACK), (two, changed("at_most = 0.2", "at_most = 0.3"))):
        folder.mkdir()
        (folder / "acme.toml").write_text(text)
    first, second = (ScoresAnalyzer.needs(ScoresSettings(folder=str(one if at == 0 else two))).uses for at in (0, 1))
    assert first[0] == "measures"
    assert set(first) ^ set(second) == {use for use in (*first, *second) if use.startswith("pack/acme-feed@")}


def test_packs_are_plain_data() -> None:
    pack = built_in()[0]
    assert msgspec.json.decode(msgspec.json.encode(pack), type=Pack) == pack
    assert newest([]) == []
