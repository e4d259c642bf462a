"""Reads one table of the file against its section of the schema, gathering problems instead of stopping at one."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from anykey.settings.lines import KeyLines
from anykey.settings.problems import Problem, hint, listed
from anykey.settings.schema import EXPECTED, TIMEOUTS, Key

Path = tuple[str, ...]
Table = dict[str, Any]


class Source:
    """One configuration file while it is read: its name, its lines, what was found wrong or doubtful."""

    def __init__(self, file: str, lines: KeyLines) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def problem(self, path: Path, code: str, **values: str) -> None:
        """Add a problem at `path`."""
        self.problems.append(self._at(path, code, values))

    def warn(self, path: Path, code: str, **values: str) -> None:
        """Add a warning at `path`."""
        self.warnings.append(self._at(path, code, values))

    def unknown(self, path: Path, code: str, word: str, known: Iterable[str]) -> None:
        """Add a problem about a word that is not one of `known`, with the nearest of them."""
        names = list(known)
        self.problem(path, code, found=repr(word), known=listed(names), hint=hint(word, names))

    def _at(self, path: Path, code: str, values: dict[str, str]) -> Problem:
        return Problem(self.file, self.lines.line_of(path), dotted(path), code, values)


def dotted(path: Path) -> str:
    """Return the path as TOML writes it, parts that are not bare keys in quotes."""
    bare = (part if part.replace("-", "").replace("_", "").isalnum() and part.isascii() else None for part in path)
    return ".".join(part if part is not None else f'"{whole}"' for part, whole in zip(bare, path, strict=True))


def read_section(source: Source, path: Path, table: Any, keys: Mapping[str, Key]) -> Table:
    """Return the values of `table` that are right, by key; absent and wrong ones have the schema's default."""
    values: Table = {name: key.default for name, key in keys.items()}
    for name, value in as_table(source, path, table).items():
        key = keys.get(name)
        if key is None:
            source.unknown((*path, name), "settings.unknown_key", name, keys)
        elif key.shape == "timeouts":
            values[name] = given(read_section(source, (*path, name), value, _without_defaults(TIMEOUTS)))
        elif not _has_shape(key, value):
            wrong_type(source, (*path, name), EXPECTED[key.shape], value)
        elif key.shape in {"integer", "seconds", "number"} and not key.least <= value <= key.most:
            expected = f"between {key.least:g} and {key.most:g}"
            source.problem((*path, name), "settings.out_of_range", expected=expected, found=str(value))
        elif key.words and value not in key.words:
            source.unknown((*path, name), "settings.unknown_value", value, key.words)
        else:
            values[name] = value
    return values


def as_table(source: Source, path: Path, value: Any) -> Table:
    """Return `value` if it is a table; otherwise add a problem and return an empty one."""
    if isinstance(value, dict):
        return cast("Table", value)
    wrong_type(source, path, "a table", value)
    return {}


def wrong_type(source: Source, path: Path, expected: str, value: Any) -> None:
    """Add the problem that `value` is of another type. The value itself is not shown: it may be a secret."""
    names: dict[type, str] = {
        dict: "a table",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    source.problem(
        path,
        "settings.wrong_type",
        expected=expected,
        found=next((name for kind, name in names.items() if isinstance(value, kind)), "a date or time"),
    )


def given(values: Table) -> Table:
    """Return what was really written, without the keys that are only defaults."""
    return {name: value for name, value in values.items() if value is not None}


def _without_defaults(keys: Mapping[str, Key]) -> Mapping[str, Key]:
    return {name: key._replace(default=None) for name, key in keys.items()}


def _has_shape(key: Key, value: Any) -> bool:
    match key.shape:
        case "text":
            return isinstance(value, str)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value))
        case "integer":
            return type(value) is int
        case "deployments":
            return isinstance(value, list)
        case "seconds" | "number":
            return type(value) in {int, float}
        case "boolean":
            return type(value) is bool
        case "credential":
            return isinstance(value, str | dict | list)
        case _:
            return isinstance(value, dict)
