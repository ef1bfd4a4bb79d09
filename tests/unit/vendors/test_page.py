"""docs/plugins/vendors.md: its example works as written, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from adology.abc.analyzer import MediaItem
from adology.plugins.validate import check_class
from adology.vendors import CloudSettings, OpenAISettings
from tests.unit.docs.pages import blocks, read, rows, section
from tests.unit.vendors.rig import Rig, picture
from upstreams.openai import OpenAiServer

pytestmark = pytest.mark.anyio


async def test_the_example_works_as_written(openai_server: OpenAiServer, tmp_path: Path) -> None:
    (text,) = blocks(read("plugins/vendors.md"), "python")
    module = ModuleType("mood")
    exec(compile(text, "vendors.md", "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - our own page
    settings, result = check_class("analyzer", module.MoodOfPictures)
    assert settings is OpenAISettings
    file = tmp_path / "a.png"
    file.write_bytes(picture())
    item = MediaItem(sha256="0" * 64, path=file, kind="image", content_type="image/png", size_bytes=1)
    rig = Rig(openai_server)
    assert isinstance(await module.MoodOfPictures().analyze(rig.ctx, item), result)
    assert rig.outcomes == ["billed"]


def test_every_setting_is_on_the_page() -> None:
    listed = rows(section(read("plugins/vendors.md"), "Settings"))
    found = {name for row in listed for name in re.findall(r"`(\w+)`", row[0])}
    assert found == set(CloudSettings.__struct_fields__)
