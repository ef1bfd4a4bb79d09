"""The three analyzers against the kit that outsiders use."""

from __future__ import annotations

import pytest

from adology.engine.analyzers import prepare
from adology.plugins import load_plugins
from adology.testing import AnalyzerConformance
from adology_copy import CopyAnalyzer
from adology_media import MediaAnalyzer
from adology_pulse import PulseAnalyzer

pytestmark = pytest.mark.anyio


class TestMedia(AnalyzerConformance):
    plugin = MediaAnalyzer


class TestCopy(AnalyzerConformance):
    plugin = CopyAnalyzer


class TestPulse(AnalyzerConformance):
    plugin = PulseAnalyzer


def test_the_installed_packages_offer_all_three() -> None:
    plugins = load_plugins(only=("media", "copy", "pulse"))

    ready = {analyzer.name: analyzer for analyzer in prepare(plugins.loaded, {"media": {"keyframes": 3}})}

    assert plugins.failures == ()
    assert set(ready) == {"media", "copy", "pulse"}
    assert ready["media"].settings.keyframes == 3
    assert ready["media"].analyzer.essential
