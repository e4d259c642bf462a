"""Reads a configuration text the way a user's file is read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from anykey.settings import Settings, SettingsError, load_settings


def read(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `text`, in a file of `folder`."""
    file = folder / "anykey.toml"
    file.write_text(text, "utf-8")
    return load_settings({"ANYKEY_HOME": str(folder), **(environ or {})}, file)


def problems(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[tuple[int, str, str]]:
    """Return the line, key and code of each problem of `text`; every one must name the file."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text, environ)
    assert {problem.file for problem in caught.value.problems} <= {str(folder / "anykey.toml"), "environment"}
    return [(problem.line, problem.key, problem.code.removeprefix("settings.")) for problem in caught.value.problems]
