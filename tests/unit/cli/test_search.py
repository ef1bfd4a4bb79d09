"""What `adology search` says where there is nothing to search with or by."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("arguments", [(), ("--text", "sale", "--ad", "nike/17")])
def test_one_thing_is_searched_for(run: Run, arguments: tuple[str, ...]) -> None:
    found = run("search", *arguments)
    assert found.code == 2
    assert "give one of --image, --text, --ad" in found.err


@pytest.mark.usefixtures("stack")
def test_an_ad_that_is_not_there_is_told_with_where_ids_are_shown(run: Run) -> None:
    found = run("search", "--ad", "17")
    assert found.code == 1
    assert "error: no ad has the id '17'. It is the id that its source gives it, as other searches show it" in found.err
    assert found.err.endswith("BRAND/ID where it was ingested. [ADO-1010]\n")
