"""A snapshot is loaded as it was written or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from adology_faiss import Filter, SnapshotDamagedError, SnapshotSpaceError
from adology_faiss.generation import Tuning
from adology_faiss.memory import FaissIndex
from adology_faiss.snapshot import MAGIC
from tests.conftest import ROOT
from tests.unit.faiss.brute import DIMENSIONS, SPACE, make_entry, vector_of

PUBLIC, A, B = Filter(owner=None), Filter(owner="org-a"), Filter(owner="org-b")
QUERY = vector_of("query")
SMALL = Tuning(exact_rows=20, few=5, links=4, build_width=20)

READER = """
import json, sys
from pathlib import Path
from adology_faiss import Filter
from adology_faiss.memory import FaissIndex
from tests.unit.faiss.brute import DIMENSIONS, SPACE, vector_of
for line in sys.stdin:
    index = FaissIndex.load(Path(sys.argv[1]), SPACE, DIMENSIONS)
    print(json.dumps(index.search(vector_of("query"), 5, Filter(owner="org-a"))), flush=True)
"""


def filled(count: int = 40) -> FaissIndex:
    """With a graph, holes in it, rows beside it, private rows of two organisations."""
    index = FaissIndex(SPACE, DIMENSIONS, SMALL)
    index.upsert([make_entry(f"e{number}", labels=frozenset({"x"})) for number in range(count)])
    index.compact()
    index.upsert([make_entry("mine", QUERY, owner="org-a", labels=frozenset({"own"})), make_entry("late")])
    index.remove(["e1", "e2"])
    return index


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "index.vectors"
    filled().snapshot(path)
    return path


def load(path: Path) -> FaissIndex:
    return FaissIndex.load(path, SPACE, DIMENSIONS, SMALL)


def test_a_loaded_index_answers_as_the_one_that_was_written(path: Path) -> None:
    written, loaded = filled(), load(path)
    assert loaded._now.graph_size == 40
    assert len(loaded) == len(written) == 40
    for which in (PUBLIC, A, B, Filter(owner="org-a", labels_any=frozenset({"own"}))):
        assert loaded.search(QUERY, 50, which) == written.search(QUERY, 50, which)
        assert loaded.facets("label", which) == written.facets("label", which)
    loaded.upsert([make_entry("e5", QUERY)])
    assert loaded.remove(["e1", "late"]) == 1
    assert dict(loaded.search(QUERY, 1, B)) == {"e5": pytest.approx(1.0)}


def test_an_empty_index_can_be_written(tmp_path: Path) -> None:
    FaissIndex(SPACE, DIMENSIONS).snapshot(tmp_path / "empty")
    loaded = load(tmp_path / "empty")
    assert loaded.search(QUERY, 5, PUBLIC) == []
    loaded.upsert([make_entry("a")])
    assert loaded.count(PUBLIC) == 1


def test_two_writings_of_one_state_are_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        filled().snapshot(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_owners_stay_apart_when_one_left_before_the_snapshot(tmp_path: Path) -> None:
    """Their numbers are not given to others: a new organisation would see what is another's."""
    index = FaissIndex(SPACE, DIMENSIONS)
    index.upsert([make_entry("a", owner="org-a"), make_entry("b", owner="org-b")])
    index.remove(["a"])
    index.snapshot(tmp_path / "index")
    loaded = load(tmp_path / "index")
    loaded.upsert([make_entry("c", owner="org-c"), make_entry("a", owner="org-a")])
    assert [loaded.count(Filter(owner=f"org-{name}")) for name in "abcd"] == [1, 1, 1, 0]
    assert loaded.search(QUERY, 5, Filter(owner="org-c"))[0].id == "c"


def test_what_was_removed_leaves_no_names_behind(tmp_path: Path) -> None:
    index = filled()
    index.upsert([make_entry("secret-id", owner="secret-owner", labels=frozenset({"secret-label"}))])
    index.remove(["secret-id"])
    index.snapshot(tmp_path / "index")
    assert b"secret" not in (tmp_path / "index").read_bytes()


def test_every_changed_byte_is_noticed(path: Path, tmp_path: Path) -> None:
    good, bad = path.read_bytes(), tmp_path / "bad"
    for at in [*range(80), *range(80, len(good), 97), len(good) - 1]:
        data = bytearray(good)
        data[at] ^= 0x10
        bad.write_bytes(data)
        with pytest.raises(SnapshotDamagedError, match=r"bad cannot be loaded: .*\. Rebuild the index"):
            load(bad)


def test_a_file_that_is_too_short_or_too_long_is_refused(path: Path, tmp_path: Path) -> None:
    good, bad = path.read_bytes(), tmp_path / "bad"
    for size in [*range(0, 300, 7), *range(300, len(good), 211), len(good) - 1]:
        bad.write_bytes(good[:size])
        with pytest.raises(SnapshotDamagedError, match="bad cannot be loaded: "):
            load(bad)
    bad.write_bytes(good + b"x")
    with pytest.raises(SnapshotDamagedError, match=f"it has {len(good) + 1} bytes; {len(good)} were written"):
        load(bad)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"PK\3\4 something else", "it is no snapshot of an index"),
        (MAGIC, "it ends after 8 bytes, within its head"),
        (MAGIC + b"\2\0" + bytes(40), "it is of format 2; this version reads format 1"),
        (MAGIC + b"\1\0" + b"\xff" * 40, "the checksum of its table of contents is wrong"),
    ],
)
def test_a_refusal_says_what_is_wrong(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "bad"
    path.write_bytes(data)
    with pytest.raises(SnapshotDamagedError, match=problem):
        load(path)


def test_a_snapshot_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")


def test_a_snapshot_of_another_space_is_refused(path: Path) -> None:
    wanted = r"holds the space 'made-up/1/16/f32' of 16 dimensions; wanted: 'other/1/16/f32' of 16"
    with pytest.raises(SnapshotSpaceError, match=wanted):
        FaissIndex.load(path, "other/1/16/f32", DIMENSIONS)
    with pytest.raises(SnapshotSpaceError, match=r"wanted: 'made-up/1/16/f32' of 8"):
        FaissIndex.load(path, SPACE, 8)


def test_a_writing_that_fails_leaves_the_old_file_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, full = path.read_bytes(), OSError(28, "No space left on device")

    def fail(_: int) -> None:
        raise full

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        filled(60).snapshot(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_snapshot_is_one_state_while_others_write(tmp_path: Path) -> None:
    index, ended = FaissIndex(SPACE, DIMENSIONS, SMALL), threading.Event()
    index.upsert([make_entry(f"e{number}", sources=frozenset({"s0"})) for number in range(50)])

    def write() -> None:
        turn = 0
        while not ended.is_set():
            turn += 1
            index.upsert([make_entry(f"e{number}", sources=frozenset({f"s{turn}"})) for number in range(50)])
            index.compact()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(8):
            index.snapshot(tmp_path / str(number))
            loaded = load(tmp_path / str(number))
            assert list(loaded.facets("source", PUBLIC).values()) == [50]
            assert len(loaded.search(QUERY, 100, PUBLIC)) == 50
    finally:
        ended.set()
        writer.join()


def test_two_processes_read_one_snapshot_also_while_it_is_replaced(path: Path) -> None:
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    answers = [ask(reader) for reader in readers]
    expected = [list(match) for match in filled().search(QUERY, 5, A)]
    assert answers == [expected, expected]
    changed = filled()
    changed.upsert([make_entry("new", QUERY)])
    for _ in range(20):
        changed.snapshot(path)
    assert [ask(reader)[1][0] for reader in readers] == ["new", "new"]
    for reader in readers:
        reader.communicate("")
        assert reader.returncode == 0


def ask(reader: subprocess.Popen[str]) -> list[list[object]]:
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write("go\n")
    reader.stdin.flush()
    found: list[list[object]] = json.loads(reader.stdout.readline())
    return found
