"""Secret references are resolved late, remembered for redaction, and never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from adology.errors import ConfigError
from adology.log.redact import REDACTOR


def resolve_secret(reference: str, *, setting: str, env: Mapping[str, str] | None = None) -> str:
    """The secret that `reference` points to.

    Args:
        reference: ``env:NAME``, ``file:PATH``, ``aws-sm:NAME`` or the value itself.
        setting: dotted key, for the error message.
        env: environment to look in; the process's own by default.

    Raises:
        ConfigError: naming the setting and the reference, never the value.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        value = (os.environ if env is None else env).get(rest, "")
        if not value:
            raise ConfigError(setting, f"environment variable {rest} is not set", f"Set {rest}.", code="ADO-1003")
    elif scheme == "file":
        value = _read_file(rest, setting)
    elif scheme == "aws-sm":
        value = _read_secrets_manager(rest, setting)
    else:
        value = reference
    REDACTOR.add(value)
    return value


def _read_file(path: str, setting: str) -> str:
    try:
        value = Path(path).expanduser().read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(
            setting,
            f"secret file {path} cannot be read: {error.strerror}",
            "Check the path and its mode.",
            code="ADO-1003",
        ) from error
    if not value:
        raise ConfigError(setting, f"secret file {path} is empty", code="ADO-1003")
    return value


def _read_secrets_manager(name: str, setting: str) -> str:
    import boto3  # noqa: PLC0415 - half a second of import that most processes never need
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=name)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(
            setting,
            f"secret {name} cannot be read from AWS Secrets Manager: {error}",
            "Check its name, region and the role's permissions.",
            code="ADO-1003",
        ) from error
    return str(answer.get("SecretString", ""))
