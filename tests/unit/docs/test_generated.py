from __future__ import annotations

from adology.cli import docs as cli_docs
from adology.settings import docs as settings_docs
from tests.conftest import ROOT


def test_configuration_page_matches_the_settings() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert text == settings_docs.render(), "run: python -m adology.settings.docs > docs/configuration.md"


def test_command_line_page_matches_the_commands() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert text == cli_docs.render(), "run: python -m adology.cli.docs > docs/cli.md"


def test_every_setting_has_a_description_and_a_variable() -> None:
    rows = [line for line in settings_docs.render().splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    for row in rows:
        key, kind, default, about = (cell.strip() for cell in row.strip("|").split(" | "))
        assert "ADOLOGY_" in key
        assert kind
        assert default
        assert about, f"{key} has no description"


def test_secret_settings_are_marked_and_limits_are_told() -> None:
    text = settings_docs.render()
    assert "postgresql:// address of the database. Secret." in text
    assert "| `worker.concurrency`<br>`ADOLOGY_WORKER__CONCURRENCY` | integer, from 1, to 256 | `12` |" in text
    assert "`ADOLOGY_PLUGINS_STRICT`" in text


def test_every_command_has_one_sentence_and_one_example() -> None:
    sections = cli_docs.render().split("\n## `")[1:]
    assert len(sections) >= 16
    for section in sections:
        assert "Example: `adology " in section, section.splitlines()[0]
        first = section.split("\n\n")[1].splitlines()[0]
        assert first.endswith((".", "·")), f"the first line is no sentence: {first}"


def test_every_json_option_names_the_struct_it_prints() -> None:
    for section in cli_docs.render().split("\n## `")[1:]:
        if "`--json`" in section:
            assert "`--json` prints " in section, section.splitlines()[0]
