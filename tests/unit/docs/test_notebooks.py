"""The notebooks in `examples/` run from their first cell to their last, on a folder of three creatives."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from adology.log import logger
from tests.bench.media_files import draw_pictures
from tests.conftest import ROOT, WITHOUT

NOTEBOOKS = sorted((ROOT / "examples/notebooks").glob("*.ipynb"))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rapidocr", reason="the models are not installed: pip install 'adology[local]'")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    draw_pictures(tmp_path, 3)
    monkeypatch.setenv("FOLDER", str(tmp_path))
    monkeypatch.delenv(WITHOUT)
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    try:
        asyncio.run(run(cells, names))
    finally:
        logger.remove()  # the notebook has set up its own
        matplotlib.pyplot.close("all")
    assert len(names["media"]) == 3
    assert all(cell["outputs"] or "print" not in "".join(cell["source"]) for cell in cells)  # it is shown executed


async def run(cells: list[dict[str, Any]], names: dict[str, Any]) -> None:
    """As Jupyter does: one cell after the other, with ``await`` at the top."""
    for number, cell in enumerate(cells):
        code = compile("".join(cell["source"]), f"cell {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        made = eval(code, names)  # noqa: S307 - our own notebook
        if inspect.isawaitable(made):
            await made
