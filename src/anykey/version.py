"""The version, read from the package's own metadata: pyproject.toml is the one place that states it."""

from importlib.metadata import version

VERSION = version("anykey")
