"""The configuration: read once from a file and the environment, checked whole, then never changed.

Law: everything that is wrong is reported at once, each problem with its file, line and key; nothing is guessed.
"""

from anykey.settings.home import home_directory
from anykey.settings.load import find_database, find_valkey, load_settings
from anykey.settings.problems import Problem, SettingsError
from anykey.settings.records import ServerSettings, Settings, UpstreamSettings

__all__ = [
    "Problem",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "UpstreamSettings",
    "find_database",
    "find_valkey",
    "home_directory",
    "load_settings",
]
