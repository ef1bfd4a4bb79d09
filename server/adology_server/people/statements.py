"""Columns as the Structs of `model` name them."""

from __future__ import annotations

from typing import Final

PERSON: Final = "id, email, name, role, created_at, last_login_at, disabled_at, version"
ORGANISATION: Final = "id, name, created_at, version"
INVITATION: Final = "id, email, role, created_at, expires_at"
KEY: Final = "id, user_id, name, hint, scopes, created_at, expires_at, last_used_at"
