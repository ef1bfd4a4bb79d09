"""The program in docs/analyzers.md that runs analyzers without any server, run as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.unit.docs.pages import blocks, read, section


def test_the_program_of_the_page_runs_in_a_folder_of_creatives(tmp_path: Path) -> None:
    folder = tmp_path / "my-creatives"
    folder.mkdir()
    Image.new("RGB", (320, 200), "#204060").save(folder / "a.png")
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (program,) = blocks(section(read("analyzers.md"), "From Python"), "python")
    (tmp_path / "say.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "say.py"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("ADOLOGY_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    picture, broken, text = done.stdout.splitlines()
    assert picture == f"{Path('my-creatives/a.png')} 320 200 #204060"
    assert broken.startswith(f"{Path('my-creatives/b.png')} media the png picture cannot be decoded")
    assert text == "Only today: 20% off en ['20%']"
