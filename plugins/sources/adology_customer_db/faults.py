"""Database errors as the engine understands them: wrong settings, or worth another try."""

from __future__ import annotations

import sqlalchemy as sa

from adology import AdologyError, ConfigError, Retry

_REFUSED_LOGIN = ("authentication failed", "access denied", "login failed", "role ", "invalid username", "no such user")
_NO_DATABASE = ("does not exist", "unknown database", "unable to open database", "not a database", "cannot open")
_BAD_QUERY = ("no such table", "no such column", "syntax error", "no such function", "ambiguous", "incomplete input")
_READ_ONLY = ("readonly database", "read-only transaction", "read only transaction", "read only")
_TIMED_OUT = ("interrupted", "statement timeout", "maximum statement execution time", "max_statement_time")
_QUERY_STATES = ("42", "22", "2F", "25006", "0A")
"""SQLSTATE classes that another try cannot mend: syntax and access, data, functions, read-only, unsupported."""


def explain(error: Exception, plugin: str, *, connected: bool, url: sa.URL, timeout_s: float) -> AdologyError:
    """The error to raise for `error`; the password is never in its text."""
    original = getattr(error, "orig", None) or error
    shown = _shorten(str(original), url)
    lowered = shown.lower()
    where = _describe(url)
    if any(sign in lowered for sign in _TIMED_OUT):
        return Retry(
            f"{plugin}: {where} needed more than {timeout_s:g} s (setting sources.{plugin}.timeout_s): {shown}",
            hint="An index on the cursor column helps.",
            code="ADO-2301",
        )
    if not connected:
        if any(sign in lowered for sign in (*_REFUSED_LOGIN, *_NO_DATABASE)):
            return ConfigError(f"sources.{plugin}.url", f"{where} refuses us: {shown}", code="ADO-2302")
        return Retry(f"{plugin}: cannot connect to {where}: {shown}", code="ADO-2303")
    if any(sign in lowered for sign in _READ_ONLY):
        return ConfigError(
            f"sources.{plugin}.query", f"tries to write, which is never allowed: {shown}", code="ADO-2304"
        )
    if _is_query_fault(error, original, lowered):
        return ConfigError(f"sources.{plugin}.query", f"{where} refuses it: {shown}", code="ADO-2305")
    return Retry(f"{plugin}: reading from {where} failed: {shown}", code="ADO-2306")


def _is_query_fault(error: Exception, original: BaseException, lowered: str) -> bool:
    state = str(getattr(original, "sqlstate", None) or "")
    if state:
        return state.startswith(_QUERY_STATES)
    return isinstance(error, sa.exc.ProgrammingError) or any(sign in lowered for sign in _BAD_QUERY)


def _describe(url: sa.URL) -> str:
    """The database without user and password: kind, host, port, name."""
    place = f"{url.host}{f':{url.port}' if url.port else ''}/" if url.host else ""
    return f"{url.get_backend_name()} database {place}{url.database or ''}"


def _shorten(text: str, url: sa.URL) -> str:
    if url.password:
        text = text.replace(str(url.password), "***")
    return " ".join(text.split())[:500]
