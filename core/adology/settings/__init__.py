"""Settings: one TOML file plus environment variables, validated at start."""

from adology.settings.base import Secret, Settings
from adology.settings.load import convert, load_settings
from adology.settings.model import AdologySettings
from adology.settings.secrets import resolve_secret

__all__ = ["AdologySettings", "Secret", "Settings", "convert", "load_settings", "resolve_secret"]
