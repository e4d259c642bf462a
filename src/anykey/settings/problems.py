"""What can be wrong with a configuration: problems as values, all of them gathered before anything is said.

A `Problem` names its file, line and dotted key. Its `code` and `values` let a surface say it in the user's
language; `str(problem)` is the English sentence.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import msgspec

SENTENCES: Mapping[str, str] = {
    "settings.unreadable": "the file cannot be read: {reason}",
    "settings.syntax": "not valid TOML: {reason}",
    "settings.unknown_key": "there is no such key{hint}; known here: {known}",
    "settings.wrong_type": "must be {expected}, but is {found}",
    "settings.out_of_range": "must be {expected}, but is {found}",
    "settings.unknown_value": "{found} is not known{hint}; known: {known}",
    "settings.missing": "this key is needed here",
    "settings.bad_name": "{found} cannot name a provider: use letters, digits, '.', '_' and '-', no '/'",
    "settings.bad_url": "not a usable address: {reason}",
    "settings.no_endpoint": "{kind} has no endpoint with {wanted}; it has: {known}",
    "settings.bad_header": "not a header that may be set here",
    "settings.bad_deployment": "{found} is not `provider/model`",
    "settings.unknown_provider": "{found} names no configured provider{hint}; configured: {known}",
    "settings.no_credential": "{kind} needs a credential: give api_key, or set {variables}",
    "settings.empty_credential": "the credential is empty: {source}",
    "settings.placeholder_credential": "the credential is a placeholder, not a real one: {source}",
    "settings.bad_credential": "the credential holds a blank or a character no header may carry: {source}",
    "settings.literal_credential": 'the credential stands in the file; better is api_key = {{ env = "NAME" }}',
    "settings.protocol_not_served": "nothing can be routed to {protocol} yet; this endpoint is not used",
    "settings.placeholder_ignored": "holds a placeholder, so {kind} was not configured from it",
    "settings.own_key_ignored": "holds a key of this gateway's own kind, so {kind} was not configured from it",
}
"""Every code with its English sentence. A surface in another language translates by the same codes."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong (or, in `Settings.warnings`, worth saying). `line` counts from 1; 0 where there is none."""

    file: str
    line: int
    key: str
    code: str
    values: dict[str, str] = {}

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        return f"{place}:{key} {SENTENCES[self.code].format(**self.values)}"


class SettingsError(Exception):
    """The configuration cannot be used. `problems` holds everything found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line))
        super().__init__("\n".join(map(str, self.problems)))


def hint(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for a near miss, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean '{near[0]}'?" if near else ""


def listed(words: Iterable[str]) -> str:
    """Return the words as one text, for the `known` value of a problem."""
    return ", ".join(words) or "nothing"
