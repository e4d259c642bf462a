"""Reads a data file, or a wheel that holds one, and finds out whose it is. Sizes are bounded; nothing is unpacked or run.

Law: what cannot be read is one clear AdministrationError that names the file; nothing half-read goes on.
"""

import gzip
import io
import json
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.administration.model_sources import litellm_prices, model_prices, models_dev, own_file
from anykey.providers.models import ModelFacts
from anykey.providers.shipped_models import Vendor, vendors

FILE_BYTES_MAX = 96 * 1024 * 1024
"""Of a file as given: litellm's wheel has 41 MB."""
DATA_BYTES_MAX = 32 * 1024 * 1024
"""Of the data in it, decompressed: the largest has 3.2 MB."""

_MOST_DIGITS = 40
_MOST_TOKENS = 10**12

Read = Callable[[Mapping[str, Any], Mapping[str, Vendor]], Iterable[ModelFacts]]


class Package(NamedTuple):
    """A data package: its name in a package index, the file in its wheel, and who reads that."""

    name: str
    member: str
    read: Read
    licence: str
    home: str


PACKAGES = (
    Package("models-dev", "models_dev/data.json.gz", models_dev.facts_in, "MIT", "https://models.dev"),
    Package(
        "litellm",
        "litellm/model_prices_and_context_window_backup.json",
        litellm_prices.facts_in,
        "MIT",
        "https://github.com/BerriAI/litellm",
    ),
    Package(
        "model-prices",
        "model_prices/snapshot.json",
        model_prices.facts_in,
        "MIT",
        "https://pypi.org/project/model-prices",
    ),
)
"""From the one whose word counts least to the one whose word counts most."""


class SourceFile(NamedTuple):
    """What one file said: `source` is a package's name or `own`."""

    source: str
    facts: tuple[ModelFacts, ...]


def read_file(path: Path, day: str) -> SourceFile:
    """Read the file at `path`; see `read_bytes`."""
    with path.open("rb") as file:
        return read_bytes(file.read(FILE_BYTES_MAX + 1), path.name, day)


def read_bytes(data: bytes, name: str, day: str) -> SourceFile:
    """Read a wheel, a JSON file (gzip or not) of one of PACKAGES, or a TOML file of one's own. `day` (ISO) dates data that does
    not say its own. Raises AdministrationError."""
    if len(data) > FILE_BYTES_MAX:
        raise AdministrationError("catalogue.too_large", file=name)
    try:
        if name.endswith(".toml"):
            return SourceFile(
                own_file.SOURCE, _each_once(own_file.facts_in(tomllib.loads(data.decode(), parse_float=_number)))
            )
        package, content = _in_wheel(data) if zipfile.is_zipfile(io.BytesIO(data)) else _bare(data)
        if package is not None:
            found = package.read(_parsed(content), vendors())
            return SourceFile(package.name, _each_once(_dated(facts, day) for facts in found))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError) as error:
        raise AdministrationError("catalogue.unreadable", file=name, reason=_reason(error)) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise AdministrationError("catalogue.unreadable", file=name, reason=error) from error
    raise AdministrationError("catalogue.unknown_file", file=name)


def _in_wheel(data: bytes) -> tuple[Package | None, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        names = set(wheel.namelist())
        for package in PACKAGES:
            if package.member in names:
                with wheel.open(package.member) as member:
                    return package, _bounded(member.read(DATA_BYTES_MAX + 1))
    return None, b""


def _bare(data: bytes) -> tuple[Package | None, bytes]:
    """Tell the packages' files by what they look like: people rename them."""
    content = _unzipped(data)
    table = _parsed(content)
    by_name = {package.name: package for package in PACKAGES}
    if "schedules" in table and "prices" in table:
        return by_name["model-prices"], content
    rows = [cast("dict[str, Any]", row) for row in table.values() if isinstance(row, dict)]
    if any("litellm_provider" in row for row in rows):
        return by_name["litellm"], content
    return (by_name["models-dev"] if any("models" in row for row in rows) else None), content


def _parsed(content: bytes) -> dict[str, Any]:
    """The JSON object, numbers as decimals: 2.8e-08 has no binary fraction."""
    table = json.loads(_unzipped(content), parse_float=_number)
    if not isinstance(table, dict):
        raise TypeError("it is no JSON object")
    return cast("dict[str, Any]", table)


def _number(text: str) -> Decimal:
    """A number with a fraction or an exponent. ValueError: as a whole number it would have more digits than memory holds."""
    number = Decimal(text)
    if number.is_finite() and number.adjusted() > _MOST_DIGITS:
        raise ValueError(f"{text[:40]} is too large")
    return number


def _unzipped(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return _bounded(data)
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return _bounded(file.read(DATA_BYTES_MAX + 1))


def _bounded(data: bytes) -> bytes:
    if len(data) > DATA_BYTES_MAX:
        raise ValueError(f"over {DATA_BYTES_MAX} bytes of data")
    return data


def _each_once(found: Iterable[ModelFacts]) -> tuple[ModelFacts, ...]:
    """Some files list a model under several names; what comes later weighs more."""
    return tuple({(facts.vendor, facts.model.lower()): _plausible(facts) for facts in found}.values())


def _plausible(facts: ModelFacts) -> ModelFacts:
    """ValueError: it cannot be shown, or not be counted with."""
    if not facts.model.isprintable():
        raise ValueError(f"{facts.model[:40]!r} is no name of a model")
    for count in (facts.context_tokens, facts.max_output_tokens):
        if count is not None and not 0 < count < _MOST_TOKENS:
            raise ValueError(f"{facts.model[:80]}: {str(count)[:40]} is no number of tokens")
    return facts


def _dated(facts: ModelFacts, day: str) -> ModelFacts:
    return facts if facts.observed_on else msgspec.structs.replace(facts, observed_on=day)


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
