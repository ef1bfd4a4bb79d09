"""JSON lines and CSV as people really write them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adology import Spend
from adology_files.problems import SHOWN, Problems
from adology_files.tables import read_rows
from tests.unit.files.conftest import gather, put


def table(folder: Path, content: str | bytes, name: str = "ads.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_broken_line_is_named_and_the_rest_goes_on(folder: Path) -> None:
    lines = ['{"id": 1}', '{"id": 2', "", "[1, 2]", '{"id": 3}', "null", "[" * 100_000, '{"id": 4, "x": "\\ud800"}']
    found = gather(table(folder, "\n".join(lines), "list.jsonl"))
    assert found.names == ["acme/1", "acme/3"]
    assert "5 could not be read" in found.problem
    assert "list.jsonl line 2: is not JSON" in found.problem
    assert "'{\"id\": 2'" in found.problem
    assert "line 4: is a JSON array; allowed: an object: '[1, 2]'" in found.problem
    assert "line 6: is a JSON null" in found.problem


def test_an_address_that_nobody_can_read_costs_its_row_a_creative_and_no_other_row(folder: Path) -> None:
    rows = [
        {"id": 1, "image_url": "https://[CDN]/a.jpg"},
        {"id": 2, "url": "https://[CDN]/a.jpg"},
        {"id": 3, "body": "fine"},
    ]
    found = gather(table(folder, "\n".join(map(json.dumps, rows)), "list.jsonl"))
    assert found.names == ["acme/1", "acme/2", "acme/3"]
    assert [ad.outcome() for ad in found.ads] == ["unavailable", "text_only", "text_only"]
    assert "line 1: refers to 'https://[CDN]/a.jpg', which is malformed" in found.problem


def test_a_row_may_be_nested_without_end(folder: Path) -> None:
    found = gather(table(folder, '{"id": 1, "x": ' + "[" * 700 + "]" * 700 + "}\n", "list.jsonl"))
    assert (found.names, found.problem) == (["acme/1"], "")
    assert "…" in str(found.ads[0].raw["x"])


def test_a_broken_csv_row_is_named_and_the_rest_goes_on(folder: Path) -> None:
    text = 'id,text,cta\n1,"two\nlines",Buy\n2,"bad" quote,Buy\n3,a,b,c,d\n\n4,short\n5,full,Buy,,\n'
    found = gather(table(folder, text))
    assert [(ad.id, ad.bodies) for ad in found.ads] == [
        ("acme/1", ("two\nlines",)),
        ("acme/4", ("short",)),
        ("acme/5", ("full",)),
    ]
    assert "ads.csv line 4: is no CSV row" in found.problem
    assert "ads.csv line 5: has 5 cells, the header 3: '3, a, b, c, d'" in found.problem


def test_a_header_that_is_none_ends_its_table(folder: Path) -> None:
    found = gather(table(folder, "a\rb,c\n1,2\n"))
    assert found.ads == []
    assert "ads.csv line 1: is no CSV header (new-line character seen in unquoted field" in found.problem


def test_a_row_of_which_no_column_is_known_is_no_ad_without_content(folder: Path) -> None:
    found = gather(table(folder, "foo,bar,text\n1,2,\n3,4,Run on\n"))
    assert [ad.bodies for ad in found.ads] == [("Run on",)]
    assert (
        "ads.csv line 2: no known column is filled (columns: foo, bar, text); known are id, advertiser,"
        in found.problem
    )


def test_only_the_first_twenty_problems_are_spelt_out(folder: Path) -> None:
    found = gather(table(folder, "oops\n" * 100 + '{"id": 1}\n', "list.jsonl"))
    assert found.names == ["acme/1"]
    assert found.problem.count("is not JSON") == SHOWN
    assert found.problem.endswith("; and 80 more")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_csv_is_read_whatever_its_dialect(folder: Path, delimiter: str, encoding: str, newline: str) -> None:
    rows = [
        ["Ad ID", '"Primary, Text; here"', "Landing-Page"],
        ["1", '"Größe\u00a0ä, ""50""; é"', "https://a.example/"],
    ]
    text = newline.join(delimiter.join(row) for row in rows) + newline
    found = gather(table(folder, text.encode(encoding)))
    assert found.problem == ""
    (ad,) = found.ads
    assert (ad.id, ad.landing_url) == ("acme/1", "https://a.example/")
    assert ad.raw["Primary, Text; here"] == 'Größe\u00a0ä, "50"; é'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_json_lines_are_read_whatever_their_encoding(folder: Path, encoding: str) -> None:
    text = "\r\n".join(json.dumps({"id": n, "body": "Crème brûlée à 5 €"}, ensure_ascii=False) for n in range(3))
    found = gather(table(folder, text.encode(encoding), "list.ndjson"))
    assert (found.problem, [ad.bodies for ad in found.ads]) == ("", [("Crème brûlée à 5 €",)] * 3)


def test_huge_fields_are_read_and_an_overlong_line_is_named(folder: Path) -> None:
    long = "x" * 300_000
    found = gather(table(folder, f"id,body\n1,{long}\n2,{long * 2}\n3,z\n"), max_line_bytes=400_000)
    assert found.names == ["acme/1", "acme/3"]
    assert len(found.ads[0].bodies[0]) == 300_000
    assert "ads.csv line 3: is longer than 400000 bytes" in found.problem
    lines = f'{{"id": 1, "body": "{long}"}}\n{{"id": 2, "body": "{long * 2}"}}\n{{"id": 3}}'
    found = gather(table(folder, lines, "list.jsonl"), max_line_bytes=400_000)
    assert found.names == ["acme/1", "acme/3"]
    assert "list.jsonl line 2: is longer" in found.problem


def test_heavy_rows_end_a_page_early(folder: Path) -> None:
    rows = [json.dumps({"id": n, "body": "x" * 3_000_000}) for n in range(7)]
    found = gather(table(folder, "\n".join(rows), "list.jsonl"))
    assert [len(page.ads) for page in found.pages] == [3, 3, 1]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "id,body\n", "id"])
@pytest.mark.parametrize("name", ["ads.csv", "ads.jsonl"])
def test_an_empty_table_is_no_problem_and_no_ad(folder: Path, content: str, name: str) -> None:
    found = gather(table(folder, content, name))
    assert found.ads == []
    assert not found.problem or name.endswith("l")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["x.csv", "x.jsonl"]))
def test_no_bytes_whatever_stop_the_reader(tmp_path: Path, content: bytes, name: str) -> None:
    path = table(tmp_path, content, name)
    problems = Problems()
    rows = list(read_rows(path, problems, max_line=1024))
    assert len(rows) + problems.count <= content.count(b"\n") + content.count(b"\r") + 2
    assert str(problems).isprintable()


def test_names_that_people_and_ad_tools_use_are_recognised(folder: Path) -> None:
    row = {
        "Ad ID": 77,
        "page_name": "Acme",
        "primary-text": "Buy now",
        "Headlines": ["One", "Two"],
        "Call to Action": "Shop",
        "Link": "https://acme.example/",
        "Publisher Platforms": "facebook, instagram",
        "languages": '["de", "fr"]',
        "start date": "2026-05-01T10:00:00Z",
        "End": "1779000000",
        "spend": {"lower_bound": "100", "upper_bound": "199"},
        "currency": "EUR",
        "eu_total_reach": "1200",
        "impressions": 5,
        "Mood": {"deep": [2**70, "a\x00b"]},
    }
    found = gather(table(folder, json.dumps(row), "list.jsonl"))
    (ad,) = found.ads
    assert (ad.id, ad.advertiser, ad.bodies, ad.titles, ad.cta) == (
        "acme/77",
        "Acme",
        ("Buy now",),
        ("One", "Two"),
        "Shop",
    )
    assert (ad.landing_url, ad.platforms, ad.languages) == (
        "https://acme.example/",
        ("facebook", "instagram"),
        ("de", "fr"),
    )
    assert (ad.started_on, ad.stopped_on, ad.status) == (date(2026, 5, 1), date(2026, 5, 17), "stopped")
    assert (ad.spend, ad.reach) == (Spend(lower=100, upper=199, currency="EUR"), 1200)
    assert ad.impressions == Spend(lower=5, upper=5)
    assert ad.raw["Mood"] == {"deep": [str(2**70), "ab"]}


@pytest.mark.parametrize(
    ("row", "landing", "media"),
    [
        ({"url": "https://a.example/shop"}, "https://a.example/shop", []),
        ({"url": "https://a.example/x.jpg?w=1"}, "https://a.example/x.jpg?w=1", ["https://a.example/x.jpg?w=1"]),
        ({"media_url": "https://a.example/1,https://a.example/2"}, "", ["https://a.example/1", "https://a.example/2"]),
        (
            {"image": "https://a.example/1?s=2,3", "url": "https://b.example"},
            "https://b.example",
            ["https://a.example/1?s=2,3"],
        ),
        ({"media": [{"url": "https://a.example/1"}, {"nothing": 1}, None, 5]}, "", ["https://a.example/1"]),
    ],
)
def test_addresses_are_told_from_landing_pages(
    folder: Path, row: dict[str, object], landing: str, media: list[str]
) -> None:
    (ad,) = gather(table(folder, json.dumps({"id": 1, **row}), "list.jsonl")).ads
    assert [m.url for m in ad.media] == media
    assert ad.landing_url == ("" if landing in media else landing)


@pytest.mark.parametrize("cell", ["a.jpg;b.jpg", "a.jpg|b.jpg", "a.jpg, b.jpg", '["a.jpg", "b.jpg"]', "a.jpg\nb.jpg"])
def test_a_cell_may_name_several_files(folder: Path, cell: str) -> None:
    put(folder, "a.jpg", "b.jpg")
    quoted = cell.replace('"', '""')
    found = gather(table(folder, f'id,file\n1,"{quoted}"\n', "list.csv"))
    assert (found.problem, [m.url.rsplit("/", 1)[1] for m in found.ads[0].media]) == ("", ["a.jpg", "b.jpg"])


def test_a_file_name_may_hold_what_else_divides_names(folder: Path) -> None:
    put(folder, "one, two; three.jpg", "sub/dir.png")
    found = gather(table(folder, 'id,file\n1,"one, two; three.jpg"\n2,sub\\dir.png\n', "list.csv"))
    assert found.problem == ""
    assert [len(ad.media) for ad in found.ads] == [1, 1]


def test_a_row_without_id_keeps_the_id_of_its_content(folder: Path) -> None:
    first = gather(table(folder, "text\nHello\nWorld\n")).names
    assert len(set(first)) == 2
    again = gather(table(folder, "text\nNew\nWorld\nHello\n")).names
    assert set(first) < set(again)


def test_a_file_that_vanishes_is_told_at_the_end(folder: Path) -> None:
    problems = Problems()
    assert list(read_rows(folder / "gone.csv", problems, max_line=1024)) == []
    assert "gone.csv: cannot be read: No such file" in str(problems)
