from __future__ import annotations

from pathlib import Path

import pytest

from adology.errors import ConfigError
from adology.log import REDACTOR
from adology.settings import resolve_secret


def refused(reference: str, **env: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve_secret(reference, setting="sources.vendor.token", env=env)
    return caught.value


def test_an_environment_reference_is_looked_up() -> None:
    assert resolve_secret("env:TOKEN", setting="x", env={"TOKEN": "value-of-token"}) == "value-of-token"


def test_a_missing_variable_is_named_and_how_to_set_it() -> None:
    error = refused("env:TOKEN")
    assert error.code == "ADO-1003"
    assert str(error) == "setting sources.vendor.token: environment variable TOKEN is not set. Set TOKEN."


def test_an_empty_variable_counts_as_missing() -> None:
    assert "TOKEN is not set" in str(refused("env:TOKEN", TOKEN=""))


def test_a_file_reference_is_read_and_stripped(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("  from-a-file\n")
    assert resolve_secret(f"file:{tmp_path / 'secret'}", setting="x") == "from-a-file"


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    error = refused(f"file:{tmp_path / 'gone'}")
    assert f"secret file {tmp_path / 'gone'} cannot be read: No such file or directory" in str(error)
    (tmp_path / "empty").write_text("\n")
    assert "is empty" in str(refused(f"file:{tmp_path / 'empty'}"))


def test_a_plain_value_is_itself() -> None:
    assert resolve_secret("postgresql://u:p@h/d", setting="x") == "postgresql://u:p@h/d"


def test_a_resolved_secret_is_masked_from_then_on() -> None:
    resolve_secret("env:TOKEN", setting="x", env={"TOKEN": "masked-from-now-on-81"})
    assert REDACTOR.redact("got masked-from-now-on-81 here") == "got *** here"


def test_secrets_manager_is_asked_and_its_fault_named(monkeypatch: pytest.MonkeyPatch) -> None:
    moto = pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with moto.mock_aws():
        boto3.client("secretsmanager").create_secret(Name="adology/token", SecretString="from-the-manager")
        assert resolve_secret("aws-sm:adology/token", setting="x") == "from-the-manager"
        error = refused("aws-sm:adology/other")
    assert "secret adology/other cannot be read from AWS Secrets Manager" in str(error)
    assert "Check its name, region and the role's permissions." in str(error)
