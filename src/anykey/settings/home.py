"""Where the gateway keeps what is its own: the database, the keys' pepper, `anykey.toml`."""

from collections.abc import Mapping
from pathlib import Path

import platformdirs


def home_directory(environ: Mapping[str, str]) -> Path:
    """Return `ANYKEY_HOME`, else the platform's data directory for anykey. Nothing is created."""
    chosen = environ.get("ANYKEY_HOME", "").strip()
    return (
        Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_data_dir("anykey", appauthor=False))
    )
