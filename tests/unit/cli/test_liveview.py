from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from adology.cli.liveview import draw
from adology.cli.model import FailureLine, Outcome, SourceLine
from adology.cli.progress import describe
from adology.cli.results import exit_code, show_outcomes, total
from adology.cli.watch import Progress, Request
from adology.engine.model import Batch

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def at(brand: str, state: str | None, *, ok: int = 0, failed: int = 0, age_s: float = 5, **fields: Any) -> Progress:
    batch = None
    if state is not None:
        batch = Batch(id=f"{brand}-1", brand=brand, state=state, created_at=NOW, progress_at=NOW, **fields)  # type: ignore[arg-type]
    ended = time.monotonic() if state == "failed" or fields.get("insight_at") else None
    return Progress(
        request=Request(brand=brand),
        batch=batch,
        ok=ok,
        failed=failed,
        started=time.monotonic() - age_s,
        ended=ended,
    )


FOUND = {"pages": 12, "ads": 240}
PHASES = {
    "queued": at("hoka", None),
    "gather": at("nike", "discovering", counts=FOUND),
    "acquire": at("adidas", "acquiring", counts=FOUND, expected_count=2310, ok=1100, failed=12),
    "commit": at("puma", "acquiring", counts=FOUND, expected_count=30, ok=30),
    "insight": at("asics", "committed", counts=FOUND, expected_count=30, ok=30, committed_at=NOW),
    "done": at("fila", "committed", counts=FOUND, expected_count=30, ok=30, committed_at=NOW, insight_at=NOW),
    "failed": at("kappa", "failed", error="facebook: the token has expired"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_a_request_is_in_the_phase_that_the_ledger_says(phase: str) -> None:
    assert PHASES[phase].phase == phase


def render(*progress: Progress, width: int = 100, height: int = 40, trouble: str = "") -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as captured:
        console.print(draw(progress, width=width, height=height, trouble=trouble))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 100, 140, 240])
def test_every_line_fits_the_terminal(width: int) -> None:
    long = at("a-brand-whose-name-is-longer-than-any-column", "discovering", counts={"pages": 99999, "ads": 9999999})
    lines = render(*PHASES.values(), long, width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_the_view_shows_counts_per_phase() -> None:
    text = render(*PHASES.values())
    lines = text.splitlines()
    assert lines[0].split() == ["gather", "acquire", "commit", "insight"]
    assert "240 ads, 12 pages" in text
    assert "1,112/2,310 ✗12" in text
    assert any(line.split() == ["done", "240", "ads,", "12", "pages", "30/30", "done", "done"] for line in lines)
    # Without colours, a bar that has not begun is empty.
    begun = set(PHASES) - {"queued", "failed"}
    assert sum("━" in line for line in lines) == len(begun)


def test_on_a_narrow_terminal_pages_give_way_to_ads() -> None:
    text = render(PHASES["gather"], width=60)
    assert "240 ads" in text
    assert "pages" not in text


def test_on_a_low_terminal_ended_brands_give_way() -> None:
    text = render(*PHASES.values(), height=12)
    assert "fila" not in text
    assert "hoka" in text
    assert "and 3 more brands" in text


def test_a_request_that_nobody_takes_gets_a_remark() -> None:
    assert "no worker has taken" not in render(at("hoka", None, age_s=5))
    assert "no worker has taken hoka yet" in render(at("hoka", None, age_s=30))


def test_trouble_with_the_database_is_shown() -> None:
    assert "postgres: connection refused" in render(PHASES["gather"], trouble="postgres: connection refused")


@pytest.mark.parametrize(
    ("phase", "line"),
    [
        ("queued", "queued, no worker has taken it yet"),
        ("gather", "gather: 240 ads, 12 pages"),
        ("acquire", "acquire: 1,112/2,310 media, 12 failed"),
        ("commit", "commit: now"),
        ("insight", "insight: now"),
        ("done", "done: 240 ads, 12 pages, 30/30 media"),
        ("failed", "failed: facebook: the token has expired"),
    ],
)
def test_without_a_terminal_a_request_is_one_line(phase: str, line: str) -> None:
    assert describe(PHASES[phase]) == line


NIKE = Outcome(
    brand="nike",
    batch="3f2a9c1e-1111-2222-3333-444455556666",
    state="committed",
    ads=1240,
    assets=200,
    duplicates=31,
    analyses_run=612,
    analyses_reused=88,
    failures=[FailureLine(code="ADO-5102", reason="… answered 403", count=7, example="https://cdn.example/x.png")],
    bytes=123_456_789,
    seconds=20.0,
    creatives_per_s=10.0,
)
KAPPA = Outcome(brand="kappa", state="failed", error="facebook: the token has expired", seconds=5.0)


@pytest.mark.parametrize("columns", [80, 160])
def test_the_table_at_the_end_has_every_figure(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adology.cli.output.PIPE_WIDTH", columns)
    show_outcomes([NIKE, KAPPA])
    text = capsys.readouterr().out
    for figure in ("1,240", "200", "31", "612", "88", "123.5 MB", "20.0", "10.0", "all", "committed"):
        assert figure in text
    for name in ("ads", "assets", "spared", "analyses", "reused", "failures", "bytes", "seconds", "per second"):
        assert name in text
    assert "kappa failed: facebook: the token has expired" in text
    assert "ADO-5102" in text
    assert "https://cdn.example/x.png" in text
    assert "adology batch show 3f2a9c1e  " in text
    assert max(map(len, text.splitlines())) <= columns


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_many_brands_on_a_narrow_terminal_are_several_tables(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adology.cli.output.PIPE_WIDTH", columns)
    brands = [f"brand-{n}" for n in range(12)]
    show_outcomes([Outcome(brand=brand, state="committed", ads=1234, bytes=10**8) for brand in brands])
    text = capsys.readouterr().out
    words = text.split()
    assert [word for word in words if word.startswith("brand-")] == brands
    assert words.count("committed") == len(brands)
    assert words.count("1,234") == len(brands)
    assert "14,808" in words
    assert max(map(len, text.splitlines())) <= columns


def test_totals_add_up_and_time_is_the_longest() -> None:
    both = total([NIKE, Outcome(brand="b", state="committed", ads=10, seconds=40.0, creatives_per_s=5.0)])
    assert (both.ads, both.seconds) == (1250, 40.0)
    assert both.creatives_per_s == 10.0


def test_one_failed_batch_fails_the_command() -> None:
    assert exit_code([NIKE]) == 0
    assert exit_code([NIKE, KAPPA]) == 1


def test_reasons_of_several_brands_are_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    show_outcomes([NIKE, Outcome(brand="b", state="committed", failures=NIKE.failures)], next_steps=False)
    assert "14   ADO-5102" in capsys.readouterr().out


def test_where_there_is_little_room_an_address_is_not_repeated_after_its_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adology.cli.output.PIPE_WIDTH", 80)
    address = "https://cdn.example/x.png"
    line = FailureLine(code="ADO-5102", reason=f"{address} answered 410.", count=1, example=f"{address}?sig=1")
    show_outcomes([Outcome(brand="b", state="committed", failures=[line])])
    assert capsys.readouterr().out.count(address) == 1


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_signatures_of_addresses_are_not_shown(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adology.cli.output.PIPE_WIDTH", columns)
    line = FailureLine(code="ADO-3101", reason="broken", count=1, example="https://cdn.example/x.png?exp=17&sig=abcdef")
    show_outcomes([Outcome(brand="b", state="committed", failures=[line])])
    text = capsys.readouterr().out
    assert "https://cdn.example/x.png" in text
    assert "?" not in text
    assert "sig=" not in text


def test_sources_that_gave_less_than_all_are_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    sources = [
        SourceLine(source="crm", outcome="empty"),
        SourceLine(source="facebook", outcome="ok", ads=3),
        SourceLine(source="files", outcome="partial", code="ADO-2402", reason="files: ads.csv line 4: is [bad]"),
    ]
    show_outcomes([Outcome(brand="b", state="committed", sources=sources)], next_steps=False)
    lines = capsys.readouterr().out.splitlines()
    assert "b: crm found nothing" in lines
    assert "b: files partial: ads.csv line 4: is [bad] [ADO-2402]" in lines
    assert not any("facebook" in line for line in lines)


def test_the_reasons_of_a_failed_batch_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    failed = SourceLine(source="facebook", outcome="failed", reason="the token has expired")
    show_outcomes([Outcome(brand="b", state="failed", error="facebook: the token has expired", sources=[failed])])
    assert capsys.readouterr().out.count("the token has expired") == 1


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_the_live_view_leaves_room_for_what_a_terminal_writes_at_ctrl_c(columns: int) -> None:
    console = Console(file=io.StringIO(), width=columns, force_terminal=True)
    lines = console.render_lines(draw([PHASES["acquire"]], width=columns), pad=False)
    assert max(sum(segment.cell_length for segment in line) for line in lines) <= columns - len("^C")


def test_seconds_run_until_the_commit() -> None:
    from adology.cli.watch import seconds_of

    batch = Batch(
        id="1",
        brand="b",
        state="committed",
        created_at=NOW,
        progress_at=NOW,
        committed_at=NOW + timedelta(seconds=12),
    )
    assert seconds_of(batch) == 12.0
