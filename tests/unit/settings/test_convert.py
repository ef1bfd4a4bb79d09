from __future__ import annotations

from typing import Annotated

import pytest

from adology import ConfigError, Secret, Settings
from adology.settings import convert
from adology.settings.base import secret_fields


class Inner(Settings, frozen=True, kw_only=True):
    password: Annotated[str, Secret()] = ""
    retries: int = 3


class Vendor(Settings, frozen=True, kw_only=True):
    token: Annotated[str, Secret()]
    pages: int = 10
    regions: tuple[str, ...] = ()
    inner: Inner = Inner()


def refused(**values: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        convert(values, Vendor, where="adology.toml", prefix="sources.vendor.")
    return caught.value


def test_a_missing_setting_is_named_with_its_prefix() -> None:
    error = refused()
    assert error.code == "ADO-1003"
    assert error.setting == "sources.vendor.token"
    assert str(error) == (
        "setting sources.vendor.token: is required, but is not set (looked in adology.toml). "
        "Set it in [sources.vendor], or as ADOLOGY_SOURCES__VENDOR__TOKEN."
    )


def test_an_unknown_setting_names_the_nearest() -> None:
    error = refused(token="t", page=3)
    assert str(error) == (
        "setting sources.vendor.page: unknown key, found in adology.toml. Did you mean sources.vendor.pages?"
    )


def test_nested_faults_have_dotted_keys() -> None:
    assert refused(token="t", inner={"retries": "x"}).setting == "sources.vendor.inner.retries"
    assert refused(token="t", inner=3).setting == "sources.vendor.inner"


def test_a_wrong_entry_of_a_list_shows_the_list() -> None:
    error = refused(token="t", regions=["de", 4.5])
    assert str(error) == ("setting sources.vendor.regions: expected `str`, got ['de', 4.5] (looked in adology.toml)")


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    error = refused(token=["very-secret-token"])
    assert "very-secret-token" not in str(error)
    assert error.setting == "sources.vendor.token"
    nested = refused(token="t", inner={"password": ["very-secret-word"]})
    assert "very-secret-word" not in str(nested)


def test_text_becomes_numbers_and_lists() -> None:
    made = convert({"token": "t", "pages": "4", "regions": "de, fr"}, Vendor, where="here")
    assert (made.pages, made.regions) == (4, ("de", "fr"))


def test_repr_hides_secrets_also_within_sections() -> None:
    made = Vendor(token="very-secret-token", inner=Inner(password="very-secret-word"))
    assert repr(made) == "Vendor(token=***, pages=10, regions=(), inner=Inner(password=***, retries=3))"
    assert repr(Inner()) == "Inner(password='', retries=3)"


def test_secret_fields_are_found_by_their_mark() -> None:
    assert secret_fields(Vendor) == {"token"}
    assert secret_fields(Inner) == {"password"}
