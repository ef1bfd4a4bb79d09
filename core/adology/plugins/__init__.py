"""The plugin door: hook specifications, isolated loading, records of what failed."""

from adology.plugins.loader import Plugins, load_plugins
from adology.plugins.records import Kind, LoadedPlugin, PluginFailure, missing
from adology.plugins.specs import hookimpl

__all__ = ["Kind", "LoadedPlugin", "PluginFailure", "Plugins", "hookimpl", "load_plugins", "missing"]
