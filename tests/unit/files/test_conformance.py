"""The conformance kit over the files source, with a real folder as the other side."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from adology import Brand
from adology.testing import SourceConformance
from adology_files import Files
from tests.unit.files.conftest import put

FOLDER = Path(tempfile.gettempdir()) / f"adology-files-{os.getpid()}"


class TestFiles(SourceConformance):
    plugin = Files
    settings: ClassVar[Mapping[str, Any]] = {"page_size": 4, "roots": [str(FOLDER)]}
    brand = Brand(id="acme", handles={"files": (str(FOLDER),)})
    incremental = False

    @asynccontextmanager
    async def vendor(self) -> AsyncIterator[Mapping[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            put(Path(folder), *(f"{n % 3}/{n}.jpg" for n in range(10)))
            table = "".join(f'{{"id": {n}, "body": "Body {n}"}}\n' for n in range(10))
            put(Path(folder), "ads.jsonl", data=table.encode())
            # The brand's handle is a class attribute, so the folder comes to it.
            FOLDER.unlink(missing_ok=True)
            FOLDER.symlink_to(folder)
            try:
                yield {}
            finally:
                FOLDER.unlink()
