"""Structured logs: ids bound by context, one wrapper for every external call, nothing secret."""

from loguru import logger

from adology.log.calls import external_call
from adology.log.redact import REDACTOR
from adology.log.setup import bound, setup_logging

__all__ = ["REDACTOR", "bound", "external_call", "logger", "setup_logging"]
