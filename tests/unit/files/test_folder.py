"""A folder of creatives, with and without tables beside them."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any, cast

import pytest

from adology import Brand, ConfigError, Context
from adology_files import Files, FilesSettings, make_handle
from tests.unit.files.conftest import NOW, gather, put


def write_lines(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_every_creative_in_the_tree_becomes_an_ad_in_a_stable_order(folder: Path) -> None:
    put(folder, "b.jpg", "a.PNG", "deep/er/c.mp4", "deep/z.webp", "notes.txt", ".hidden/d.jpg", ".e.jpg")
    found = gather(folder)
    assert found.names == [f"acme/spring/{n}" for n in ("a.PNG", "b.jpg", "deep/z.webp", "deep/er/c.mp4")]
    assert [m.kind for ad in found.ads for m in ad.media] == ["image", "image", "image", "video"]
    assert found.ads[3].media[0].url == (folder / "deep/er/c.mp4").as_uri()
    assert found.ads[0].raw == {"path": "a.PNG", "size_bytes": 28}
    assert found.problem == ""
    assert gather(folder).names == found.names


def test_a_file_without_extension_is_a_creative_if_it_begins_like_one(folder: Path) -> None:
    put(folder, "poster")
    put(folder, "Makefile", data=b"all: build\n")
    put(folder, "clip", data=b"\x00\x00\x00\x20ftypisom")
    put(folder, "modern", data=b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1")
    put(folder, "saved", data=b"<!doctype html><title>404</title>")
    assert [(ad.id, ad.format) for ad in gather(folder).ads] == [
        ("acme/spring/clip", "video"),
        ("acme/spring/modern", "image"),
        ("acme/spring/poster", "image"),
    ]


def test_names_of_any_kind_are_kept_apart_and_can_be_stored(folder: Path) -> None:
    put(folder, "Größe 50% #1?.jpg", "a\nb.jpg", "x" * 200 + ".jpg")
    for raw in (b"\xff.jpg", b"\xfe.jpg"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + raw)).write_bytes(b"x")
    found = gather(folder)
    assert len(set(found.names)) == 5
    for ad in found.ads:
        assert len(json.dumps(ad.raw).encode()) > 0
        assert len(ad.id.encode()) <= 210
        assert ad.media[0].url.isascii()


def test_the_same_name_in_two_folders_or_brands_makes_two_ads(tmp_path: Path) -> None:
    put(tmp_path, "one/ads/hero.jpg", "two/ads/hero.jpg")
    found = gather(tmp_path / "one/ads", tmp_path / "two/ads")
    assert len(set(found.names)) == 2
    assert found.names[0] == "acme/ads/hero.jpg"
    assert not set(found.names) & set(gather(tmp_path / "one/ads", brand="other").names)


def test_a_table_in_the_folder_describes_its_files_and_the_rest_stand_alone(folder: Path) -> None:
    put(folder, "hero.jpg", "clip.mp4", "alone.gif", "sub/deep.png")
    write_lines(
        folder / "ads.jsonl",
        {"id": "7", "Headline": "Half price", "files": ["hero.jpg", "sub/deep.png"], "mood": "bright"},
        {"id": "8", "body": "Words only"},
        {"id": "9", "video": "./clip.mp4", "image": "https://cdn.acme.example/still.jpg"},
    )
    found = gather(folder)
    assert found.names == ["acme/7", "acme/8", "acme/9", "acme/spring/alone.gif"]
    hero, words, clip, _ = found.ads
    assert [m.url for m in hero.media] == [(folder / n).as_uri() for n in ("hero.jpg", "sub/deep.png")]
    assert (hero.titles, hero.raw["mood"]) == (("Half price",), "bright")
    assert (words.bodies, words.outcome()) == (("Words only",), "text_only")
    assert [(m.kind, m.position) for m in clip.media] == [("image", 0), ("video", 1)]
    assert found.problem == ""


def test_a_table_in_a_subfolder_speaks_for_that_subfolder(folder: Path) -> None:
    put(folder, "hero.jpg", "de/hero.jpg")
    (folder / "de" / "metadata.csv").write_text("file;title\nhero.jpg;Halber Preis\n", "utf-8")
    found = gather(folder)
    assert found.names[0] == "acme/spring/hero.jpg"
    assert found.ads[1].titles == ("Halber Preis",)
    assert found.ads[1].media[0].url == (folder / "de/hero.jpg").as_uri()
    assert len(found.ads) == 2


def test_a_table_elsewhere_may_describe_the_folder(folder: Path, tmp_path: Path) -> None:
    put(folder, "hero.jpg", "other.jpg")
    table = tmp_path / "exports" / "list.csv"
    table.parent.mkdir()
    table.write_text("ad_id,path,headline\n1,hero.jpg,Sale\n", "utf-8")
    found = gather(make_handle(folder, table))
    assert found.names == ["acme/1", "acme/spring/other.jpg"]
    assert found.ads[0].media[0].url == (folder / "hero.jpg").as_uri()


def test_a_folder_may_be_named_like_a_handle_with_a_table(tmp_path: Path) -> None:
    put(tmp_path, "a::b/hero.jpg")
    assert gather(tmp_path / "a::b").names == ["acme/a::b/hero.jpg"]


def test_a_row_may_not_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret.jpg", "spring-2/x.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "out").symlink_to(tmp_path)
    put(folder, "in.jpg")
    paths = ["../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "out/secret.jpg", "../spring-2/x.jpg"]
    paths += [(tmp_path / "secret.jpg").as_uri(), "file://elsewhere/in.jpg", "s3://bucket/a.jpg", "gone.jpg"]
    write_lines(folder / "ads.jsonl", *({"id": n, "file": path} for n, path in enumerate(paths)))
    found = gather(folder)
    assert [m.url for ad in found.ads for m in ad.media] == [(folder / "in.jpg").as_uri()]
    assert [ad.outcome() for ad in found.ads[:-1]] == ["unavailable"] * len(paths)
    assert found.problem.count("outside the permitted folders") == 7  # the link also as a file of the folder
    assert "ads.jsonl line 7: refers to 'file://elsewhere/in.jpg', which names another machine" in found.problem
    assert "ads.jsonl line 9: refers to 'gone.jpg', which cannot be read: No such file" in found.problem


def test_a_link_within_the_folder_is_followed_and_a_circle_is_not(folder: Path) -> None:
    put(folder, "a.jpg")
    (folder / "b.jpg").symlink_to("a.jpg")
    (folder / "loop").symlink_to(folder)
    assert gather(folder).names == ["acme/spring/a.jpg", "acme/spring/b.jpg"]


def test_a_table_that_is_a_link_to_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "private.jsonl", {"id": 1, "body": "secret"})
    (folder / "ads.jsonl").symlink_to(tmp_path / "private.jsonl")
    found = gather(folder)
    assert found.ads == []
    assert "outside the permitted folders" in found.problem


@pytest.mark.parametrize("name", ["pipe.jpg", "pipe"])
def test_a_pipe_is_passed_over_and_not_waited_for(folder: Path, name: str) -> None:
    os.mkfifo(folder / name)
    put(folder, "a.jpg")
    assert gather(folder).names == ["acme/spring/a.jpg"]


def test_handles_outside_the_roots_are_refused_where_handles_are_no_permission(folder: Path, tmp_path: Path) -> None:
    put(folder, "a.jpg")
    put(tmp_path, "private/b.jpg")
    (folder / "way-out").symlink_to(tmp_path / "private")
    roots = (str(folder),)
    found = gather(folder, tmp_path / "private", folder / "way-out", allow_handles=False, roots=roots)
    assert found.names == ["acme/spring/a.jpg"]
    assert found.problem.count("is outside the permitted folders (setting roots: ") == 2
    assert gather(tmp_path / "private", allow_handles=False).problem.endswith("(setting roots: none)")


def test_a_row_may_refer_to_files_under_the_roots(folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "library/hero.jpg")
    write_lines(folder / "ads.jsonl", {"id": 1, "file": str(tmp_path / "library/hero.jpg")})
    assert gather(folder).problem
    found = gather(folder, roots=(str(tmp_path / "library"),))
    assert (len(found.ads[0].media), found.problem) == (1, "")


@pytest.mark.parametrize("handle", ["", "spring", "../spring", "/no/such/folder", "a\x00b"])
def test_a_handle_that_is_no_place_is_named(handle: str, folder: Path) -> None:
    put(folder, "a.jpg")
    found = gather(handle, folder)
    assert found.names == ["acme/spring/a.jpg"]
    assert "1 could not be read" in found.problem


def test_a_handle_of_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "ads.xlsx")
    assert "is neither a folder nor a table; allowed: a folder or .csv" in gather(tmp_path / "ads.xlsx").problem


def test_many_files_come_in_pages(folder: Path) -> None:
    put(folder, *(f"{n // 100}/{n}.jpg" for n in range(1, 1001)), data=b"")
    found = gather(folder, page_size=300)
    assert [len(page.ads) for page in found.pages] == [300, 300, 300, 100]
    assert len(set(found.names)) == 1000


def test_a_folder_that_cannot_be_listed_does_not_hide_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a/1.jpg", "b/2.jpg")
    real = os.scandir

    def scandir(path: Path) -> Any:
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # the tests may run as root, who may list everything
    found = gather(folder)
    assert found.names == ["acme/spring/b/2.jpg"]
    assert "cannot be listed: Permission denied" in found.problem


def test_closing_early_closes_the_file(folder: Path) -> None:
    write_lines(folder / "ads.jsonl", *({"id": n} for n in range(100)))

    async def run() -> int:
        context: Context[FilesSettings] = Context("files", FilesSettings(page_size=10), now=lambda: NOW)
        pages = Files().pages(context, Brand(id="acme", handles={"files": (str(folder),)}), None)
        await anext(pages)
        assert _open_files(folder) == 1
        await cast("Any", pages).aclose()
        return _open_files(folder)

    assert asyncio.run(run()) == 0


def test_check_names_a_root_that_is_no_folder(folder: Path) -> None:
    put(folder, "a.jpg")

    def check(root: str) -> None:
        asyncio.run(Files().check(Context("files", FilesSettings(roots=(root,)))))

    check(str(folder))
    put(folder, "ads.csv")
    for wrong in ("relative", str(folder / "gone"), str(folder / "a.jpg"), str(folder / "ads.csv")):
        with pytest.raises(ConfigError, match=r"setting sources\.files\.roots: "):
            check(wrong)


def _open_files(folder: Path) -> int:
    links = [os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()]
    return sum(link.startswith(str(folder)) for link in links)


def test_a_row_may_refer_to_creatives_only(folder: Path) -> None:
    put(folder, "other.csv", "sub/a.png")
    write_lines(folder / "ads.jsonl", {"id": 1, "file": "other.csv"}, {"id": 2, "file": "sub"}, {"id": 3, "file": "no"})
    found = gather(folder)
    assert "line 1: refers to 'other.csv', which is a table, not a creative" in found.problem
    assert "line 2: refers to 'sub', which is no regular file" in found.problem
    assert "line 3: refers to 'no', which cannot be read: No such file or directory" in found.problem
