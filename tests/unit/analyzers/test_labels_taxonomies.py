from __future__ import annotations

from pathlib import Path

import pytest

from adology import ConfigError
from adology_copy.cta_table import FAMILY_OF
from adology_labels import iab_table
from adology_labels.iab_table import TableError, parse
from adology_labels.taxonomies import CTA, CTA_FAMILY, OF_COPY, OF_MEDIA, TIER_ONE, versions

HEADER = "Unique ID\tParent ID\tName\tTier 1\tTier 2\tTier 3\t"
FOLDER = "taxonomies"
PUBLISHED = "Ad_Product_Taxonomy_2.0.tsv"


def table(*rows: str, without: str = "") -> bytes:
    """A small table in the published form with all roots, and rows of one's own."""
    roots = [f"{e.id}\t\t{e.name}\t{e.name}\t\t\t" for e in TIER_ONE.entries if e.id != without]
    return "\r\n".join([HEADER, *roots, *rows]).encode()


def test_tier_one_has_the_45_categories_of_the_published_table(shared_data: Path) -> None:
    lines = (shared_data / FOLDER / PUBLISHED).read_text("utf-8-sig").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    roots = {row[0]: row[3] for row in rows if row[0] and not row[4]}
    assert {entry.id: entry.name for entry in TIER_ONE.entries} == roots
    assert len(roots) == 45


@pytest.mark.parametrize("taxonomy", OF_MEDIA, ids=lambda one: str(one.name))
def test_every_id_is_described_once(taxonomy: object) -> None:
    (one,) = [each for each in OF_MEDIA if each is taxonomy]
    assert len(set(one.ids)) == len(one.ids)
    assert all(entry.about for entry in one.entries)
    assert one.version
    assert not {"unknown", "other"} & set(one.ids), "these are answers of another kind"


def test_calls_to_action_are_those_of_the_copy_analyzer() -> None:
    assert set(CTA.ids) == set(FAMILY_OF)
    assert set(CTA_FAMILY.ids) == set(FAMILY_OF.values())


def test_a_new_version_of_a_taxonomy_is_in_what_a_result_depends_on() -> None:
    assert "taxonomy/hook/1" in versions(OF_COPY)
    assert "taxonomy/iab_product/2.0" in versions(OF_COPY)


def test_the_published_table_is_read_whole(shared_data: Path) -> None:
    read = parse((shared_data / FOLDER / PUBLISHED).read_bytes())
    entries = {entry.id: entry for entry in read.taxonomy.entries}
    assert len(entries) == 583
    assert entries["1004"].about == "Alcohol > Beer"
    assert entries["1004"].parent == "1002"
    assert sum(not entry.parent for entry in entries.values()) == 45


def test_the_traps_of_the_published_table_are_mended_and_named(shared_data: Path) -> None:
    read = parse((shared_data / FOLDER / PUBLISHED).read_bytes())
    entries = {entry.id: entry for entry in read.taxonomy.entries}
    assert entries["1000"].parent == "", "it names itself as its parent"
    assert entries["1037"].parent == "1036", "so does this, and belongs to Industrials"
    assert [entries[str(n)].parent for n in range(1038, 1042)] == ["1036"] * 4, "their parent column says 1037"
    assert entries["1426"].parent == next(e.id for e in entries.values() if e.about == "Media > Core Gaming")
    assert entries["1467"].name == "Personal/Consumer Telecom", "its name is spelt Telcom"
    assert entries["1468"].parent == "1467"
    assert sum("names itself as its parent" in note for note in read.notes) == 2
    assert sum("its parent" in note and "another" in note for note in read.notes) == 5
    assert any("'Personal/Consumer Telcom'" in note for note in read.notes)
    assert len(read.notes) == 9, read.notes


def test_every_way_up_ends_at_a_root(shared_data: Path) -> None:
    entries = {e.id: e for e in parse((shared_data / FOLDER / PUBLISHED).read_bytes()).taxonomy.entries}
    for entry in entries.values():
        seen = [entry.id]
        while entries[seen[-1]].parent:
            seen.append(entries[seen[-1]].parent)
            assert len(seen) <= 3


def test_bom_line_ends_and_blank_rows_make_no_difference_but_for_the_digest(shared_data: Path) -> None:
    data = (shared_data / FOLDER / PUBLISHED).read_bytes()
    plain = data.replace(b"\r\n", b"\n")
    other = parse(b"\xef\xbb\xbf" + plain + b"\n\t\t\t\t\t\t\n")
    assert other.taxonomy == parse(data).taxonomy
    assert other.digest != parse(data).digest


def test_the_content_taxonomy_is_refused_in_words(shared_data: Path) -> None:
    with pytest.raises(TableError, match=r"line 1: expected the columns Unique ID, Parent ID, .* seen: Relational ID"):
        parse((shared_data / FOLDER / "Content_Taxonomy_3.1.tsv").read_bytes())


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "line 1: expected the columns"),
        (b"\xff\xfe\x00", "it is no UTF-8"),
        (HEADER.encode(), "it has no rows"),
        (table("v9i3On\t1002\tBars\tAlcohol\tBars\t\t"), "the id 'v9i3On' is not a number"),
        (table("1002\t\tAlcohol\tAlcohol\t\t\t"), "the id 1002 stands in line 4 already"),
        (table("9000\t\tAlcohol\tAlcohol\t\t\t"), "Alcohol is the id 1002 already"),
        (table("1003\t7777\tBars\tAlcohol\tBars\t\t"), "1003 has the parent 7777, which is no row"),
        (table("1003\t1049\tBars\tAlcohol\tBars\t\t"), "its parent 1049 of another branch"),
        (table("1003\t\tBars\tAlcohol\t\tBars\t"), "the tiers of 1003 have a gap"),
        (table("1003\t\tDark\tAlcohol\tBeer\tDark\t"), "has no row for Alcohol > Beer"),
        (table("9000\t\tSpace\tSpace\t\t\t"), "tier one has ids that version 2.0 has not: 9000"),
        (table(without="1544"), "tier one must have 1544 'Tobacco'; seen: None"),
        (table(*(f"{n}\t1002\tx{n}\tAlcohol\tx{n}\t\t" for n in range(2000, 3000))), "at most 700 are taken"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(data: bytes, problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        parse(data)


def test_a_table_that_cannot_be_used_is_an_error_of_the_setting(tmp_path: Path) -> None:
    wrong, huge = tmp_path / "wrong.tsv", tmp_path / "huge.tsv"
    wrong.write_bytes(b"a\tb\n")
    huge.write_bytes(b"\t" * (iab_table.MOST_BYTES + 1))
    for path, problem in (
        (tmp_path / "absent.tsv", "cannot be read: No such file"),
        (tmp_path, "is not|cannot be read: Is a directory"),
        (wrong, "is not IAB's Ad Product Taxonomy 2.0: line 1"),
        (huge, "has 1000001 bytes"),
    ):
        with pytest.raises(ConfigError, match=problem) as caught:
            iab_table.load(str(path), "labels")
        assert caught.value.setting == "analyzers.labels.iab_table"
        assert "Download" in str(caught.value)
