"""Pages against the code: settings, structs, messages, metrics, services, tables of the database."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

import adology
import adology_copy.model
import adology_embeddings.text_model
import adology_embeddings.visual_model
import adology_labels.model
import adology_likeness.model
import adology_media.model
import adology_pulse.model
import adology_safety.copy_model
import adology_safety.media_model
import adology_scores.measures_model
import adology_scores.scores_model
import adology_text.model
import adology_video.model
import adology_video.transcript_model
from adology.embedded import SERVERS
from adology.engine.manifest import Manifest
from adology.migrations import __file__ as migrations_file
from adology.queues import AcquireMessage, GatherMessage, InsightMessage, decode
from adology.queues.admin import queue_names
from adology.queues.sqs import dead_letter_name
from adology.settings import load_settings
from adology.settings.model import QueueSettings
from adology_files.fields import NAMES
from adology_mongo.sink import ANALYSES, PAYLOADS, RESULTS
from adology_registry.metrics import RequestCounts, render
from adology_registry.state import ActiveBrands
from adology_scores.pack_files import parse
from tests.conftest import ROOT
from tests.unit.docs import setting_tables
from tests.unit.docs.pages import DOCS, PAGES, blocks, read, rows, section, source_files
from tests.unit.docs.structs import type_of

MODELS = {
    "media": adology_media.model,
    "copy": adology_copy.model,
    "pulse": adology_pulse.model,
    "labels": adology_labels.model,
    "likeness": adology_likeness.model,
    "text": adology_text.model,
    "text_embedding": adology_embeddings.text_model,
    "visual_embedding": adology_embeddings.visual_model,
    "safety": adology_safety.media_model,
    "safety_copy": adology_safety.copy_model,
    "video": adology_video.model,
    "transcript": adology_video.transcript_model,
    "measures": adology_scores.measures_model,
    "scores": adology_scores.scores_model,
}


def analyzer_pages() -> str:
    """The page of analyzers, and those of the ones that need more room."""
    more = sorted((ROOT / "docs" / "analyzers").glob("*.md"))
    return "\n".join([read("analyzers.md"), *(page.read_text("utf-8") for page in more)])


def first_cells(text: str) -> set[str]:
    return {name for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])}


@pytest.mark.parametrize(
    ("kind", "name"), [key for key, cls in setting_tables.plugin_settings().items() if cls.__struct_fields__]
)
def test_every_setting_of_a_plugin_is_documented(kind: str, name: str) -> None:
    table = setting_tables.render(setting_tables.plugin_settings()[kind, name])
    page = {"source": "sources.md", "analyzer": "analyzers.md", "sink": "plugins/adology_sinks.md"}[kind]
    text = analyzer_pages() if kind == "analyzer" else read(page) + read("similarity.md")
    assert table in text, f"{page} needs the table that `python -m tests.unit.docs.setting_tables` prints"


def test_every_installed_plugin_has_its_section() -> None:
    for kind, name in setting_tables.plugin_settings():
        if kind in ("source", "analyzer"):
            assert section(analyzer_pages() if kind == "analyzer" else read("sources.md"), name)
        else:
            assert f"`adology_{name}`" in read("plugins/adology_sinks.md") + read("similarity.md")


@pytest.mark.parametrize("analyzer", sorted(MODELS))
def test_results_are_documented_field_by_field_with_their_types(analyzer: str) -> None:
    structs = {
        name: cls
        for name, cls in vars(MODELS[analyzer]).items()
        if isinstance(cls, type) and issubclass(cls, msgspec.Struct) and cls.__module__ == MODELS[analyzer].__name__
    }
    structs.pop("Piece", None)  # a text of the ad, not part of a result
    text = section(analyzer_pages(), analyzer)
    for name, cls in structs.items():
        table = {row[0].strip("`"): row for row in rows(section(text, f"`{name}`"))}
        assert list(table) == list(cls.__struct_fields__), name
        for field, row in table.items():
            assert row[1] == type_of(cls, field), f"{name}.{field}"
            assert row[2], f"{name}.{field} has no meaning"


def test_columns_of_tables_are_those_that_are_read() -> None:
    table = {row[0].strip("`"): row[1] for row in rows(section(read("sources.md"), "files"))}
    for field, names in NAMES.items():
        assert table[field] == ", ".join(f"`{name}`" for name in names)


MESSAGES: dict[str, type[Any]] = {
    "Gather: `GatherMessage`": GatherMessage,
    "Acquire: `AcquireMessage`": AcquireMessage,
    "Insight: `InsightMessage`": InsightMessage,
}


@pytest.mark.parametrize("heading", MESSAGES)
def test_message_bodies_have_their_fields_and_the_examples_decode(heading: str) -> None:
    kind = MESSAGES[heading]
    text = section(read("messages.md"), heading)
    common = first_cells(section(read("messages.md"), "Fields of all bodies"))
    assert common | first_cells(text) == set(kind.__struct_fields__)
    (example,) = blocks(text, "json")
    assert decode(example.strip(), kind).brand == "nike"


def test_queue_names_and_dead_letter_attributes_are_those_of_the_code() -> None:
    text = read("messages.md")
    for queue in queue_names(QueueSettings()).values():
        assert f"`{queue}`" in text
        assert f"`{dead_letter_name(queue)}`" in text
    source = (ROOT / "core/adology/queues/sqs.py").read_text("utf-8")
    told = re.search(r"told = \{(.+?)\}", source, re.DOTALL)
    assert told
    table = first_cells(section(text, "Dead letters"))
    assert table == set(re.findall(r'"(\w+)":', told[1]))


def test_every_metric_is_documented() -> None:
    counts = RequestCounts()
    counts.add("start", 200, 0.1)
    names = set(
        re.findall(r"^# TYPE (\w+) ", render(ActiveBrands(lease_s=60.0, max_held_bytes=1024), counts), re.MULTILINE)
    )
    assert len(names) > 10
    assert first_cells(section(read("operations.md"), "What to watch")) >= names


def test_every_service_of_external_calls_is_documented() -> None:
    found = {
        service
        for path in source_files()
        for service in re.findall(r'external_call\(\s*"([a-z0-9]+)"', path.read_text("utf-8"))
    }
    assert found >= {"postgres", "sqs", "registry", "fetch"}
    assert first_cells(section(read("logging.md"), "External calls")) >= found


def test_every_table_of_the_database_and_every_collection_is_documented() -> None:
    scripts = (Path(migrations_file).parent / "versions").glob("*.py")
    made = re.compile(r"create (?:unlogged )?table (\w+)")
    tables = {name for script in scripts for name in made.findall(script.read_text("utf-8"))}
    assert len(tables) > 15
    stores = section(read("architecture.md"), "Data stores")
    assert first_cells(section(stores, "Postgres")) == tables
    assert first_cells(section(stores, "MongoDB")) == {PAYLOADS, ANALYSES, RESULTS}


def test_keys_of_the_manifest_are_documented() -> None:
    keys = first_cells(section(section(read("architecture.md"), "Data stores"), "S3"))
    assert Manifest(None, "<id>").seal_key in keys  # type: ignore[arg-type]  # only its name is asked for


def test_every_package_of_the_engine_is_in_the_architecture() -> None:
    text = section(read("architecture.md"), "Packages")
    packages = [path.parent.name for path in (ROOT / "core/adology").glob("*/__init__.py")]
    assert [name for name in packages if name != "aio" and f"{name}/" not in text] == []
    for top in ("plugins", "registry", "server"):
        for path in (ROOT / top).rglob("__init__.py"):
            if path.parent.name.startswith("adology_"):
                assert path.parent.name in text


def test_everything_that_plugin_authors_import_is_named() -> None:
    text = section(read("plugins/README.md"), "What you import")
    missing = [name for name in adology.__all__ if f"`{name}`" not in text and not name.endswith(("Error", "Later"))]
    assert [name for name in missing if name not in ("Deferred", "Retry", "Skip", "Terminal")] == []


@pytest.mark.parametrize(
    ("page", "block"),
    [(str(page.relative_to(ROOT)), block) for page in PAGES for block in blocks(page.read_text("utf-8"), "toml")],
)
def test_settings_that_are_shown_are_valid(page: str, block: str, tmp_path: Path) -> None:
    found = tomllib.loads(block)
    if "project" in found:
        assert list(found["project"]["entry-points"]) == ["adology"]
        return
    if "rules" in found:
        assert parse(block, where=page).rules
        return
    file = tmp_path / "adology.toml"
    file.write_text(block)
    settings = load_settings(file, env={}, cwd=tmp_path)
    types = setting_tables.plugin_settings()
    for section_name, kind in (("sources", "source"), ("analyzers", "analyzer"), ("sinks", "sink")):
        for instance, fields in getattr(settings, section_name).items():
            cls = types.get((kind, str(fields.get("plugin", instance))))
            own = {key: value for key, value in fields.items() if key != "plugin"}
            if cls is not None and len(own) > 0:
                msgspec.convert(own, cls, strict=False)
            else:
                assert instance in ("urgency", "shop_one", "shop_two"), f"{page}: no plugin for {instance}"


def test_embedded_servers_are_named_where_the_home_is_described() -> None:
    for server in SERVERS:
        assert f"`{server}`" in read("operations.md")


def test_every_error_class_of_the_engine_is_explained() -> None:
    text = section(read("errors.md"), "What the engine does")
    for name in ("Retry", "RetryLater", "UnavailableError", "Skip", "Terminal", "ConfigError", "EngineError"):
        assert f"`{name}`" in text


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    words = [row[0] for row in rows(read("glossary.md"))]
    assert words == sorted(set(words))
    assert len(words) > 50


def test_pages_are_all_there() -> None:
    assert {path.name for path in DOCS.glob("*.md")} >= {
        "README.md", "architecture.md", "promises.md", "glossary.md", "logging.md", "errors.md", "messages.md",
        "operations.md", "sources.md", "analyzers.md", "configuration.md", "cli.md", "registry-api.md",
    }  # fmt: skip
