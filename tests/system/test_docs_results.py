"""The program in docs/analyzers.md that reads results from the database, run as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from adology.settings import AdologySettings
from tests.system.rows import Catalogue
from tests.unit.docs.pages import blocks, read, section


def test_results_are_read_by_the_documented_program(settings: AdologySettings, tmp_path: Path) -> None:
    with psycopg.connect(settings.postgres.url) as link:
        catalogue = Catalogue(link)
        for name in ("b", "a", "failed", "other"):
            catalogue.add(name, [1, 0, 0, 0])
        link.execute("update ad_analyses set analyzer = 'copy' where key <> 'textual-other'")
        link.execute(
            "update analyses set analyzer = 'copy', result = jsonb_build_object('words', 8)"
            " where subject_kind = 'ad' and key <> 'textual-other'"
        )
        link.execute("update analyses set state = 'failed', result = null where key = 'textual-failed'")
    (program,) = blocks(section(read("analyzers.md"), "From the database"), "python")
    (tmp_path / "results.py").write_text(program)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ADOLOGY_")},
        "ADOLOGY_POSTGRES__URL": settings.postgres.url,
    }
    done = subprocess.run(
        [sys.executable, "results.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "a 8\nb 8\n"), done.stderr
