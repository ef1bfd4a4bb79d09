from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.unit.cli.conftest import Run, run_process


def draw(path: Path, number: int) -> None:
    image = Image.new("RGB", (300, 200), (30 * number % 255, 200 - 20 * number, 90))
    ImageDraw.Draw(image).rectangle((10 * number, 20, 120 + 10 * number, 90), fill=(250, 240, 10 * number))
    image.save(path)


@pytest.mark.stack
@pytest.mark.timeout(180)  # seconds on a quiet machine; three starts of everything on a busy one
def test_a_folder_becomes_ads_with_nothing_but_one_command(tmp_path: Path) -> None:
    folder = tmp_path / "creatives"
    folder.mkdir()
    for number in range(4):
        draw(folder / f"ad-{number}.png", number)
    (folder / "copy-of-0.png").write_bytes((folder / "ad-0.png").read_bytes())
    (folder / "broken.jpg").write_bytes(b"this is no picture")
    home = tmp_path / "home"
    try:
        first = run_process("ingest", folder, "--brand", "Nike Inc.", "--home", home, timeout=120)
        assert first.code == 0, first.err
        assert "the stack does not run: starting it" in first.err
        assert "nike-inc: done: 6 ads" in first.err
        assert "committed" in first.out
        assert "broken.jpg" in first.out
        assert "Look further:" in first.out
        again = run_process("ingest", folder, "--brand", "nike-inc", "--home", home, "--json", timeout=120)
        (outcome,) = again.json
        assert (outcome["state"], outcome["ads"], outcome["duplicates"]) == ("committed", 6, 5)
        assert outcome["analyses_run"] == 0
        assert [f["count"] for f in outcome["failures"]] == [1]
        (brand,) = run_process("brand", "list", "--home", home, "--json").json
        assert (brand["id"], brand["name"], brand["ads"]) == ("nike-inc", "Nike Inc.", 6)
        assert brand["handles"] == {"files": [str(folder)]}
    finally:
        down = run_process("down", "--home", home)
    assert down.code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["empty"], "empty is empty"),
        (["notes.txt"], "notes.txt is neither a folder nor one of .jsonl, .ndjson, .csv, .tsv"),
        (["full", "--metadata", "notes.txt"], "--metadata notes.txt is not one of .jsonl, .ndjson, .csv, .tsv"),
        (["ads.csv", "--metadata", "ads.csv"], "--metadata describes a folder; a table of its own is given as PATH"),
    ],
)
def test_what_cannot_be_ingested_is_refused_before_anything_starts(
    run: Run, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    draw(tmp_path / "full" / "a.png", 1)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "ads.csv").write_text("id\n1\n")
    result = run("ingest", *arguments, "--brand", "nike")
    assert result.code == 2
    assert words in result.err
    assert not (tmp_path / ".adology").exists()
