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
    "settings.bad_database_url": (
        "not the URL of a PostgreSQL database, such as postgresql://USER:PASSWORD@HOST:5432/DATABASE; "
        "in a user name or password write %, /, ?, # and @ as %25, %2F, %3F, %23 and %40"
    ),
    "settings.bad_network": "{found} is no address and no network, such as 10.0.0.0/8",
    "settings.bad_valkey_url": "not the URL of a Valkey or Redis server, such as valkey://HOST:6379/0",
    "settings.bad_name": "{found} cannot name a provider: use letters, digits, '.', '_' and '-', no '/'",
    "settings.bad_url": "not a usable address: {reason}",
    "settings.no_endpoint": "{kind} has no endpoint with {wanted}; it has: {known}",
    "settings.bad_header": "not a header that may be set here",
    "settings.bad_deployment": "{found} is not `provider/model`",
    "settings.two_stars": "{found} holds more than one *",
    "settings.star_without": "{found} holds a *, but the name it is for holds none",
    "settings.name_taken": "{found} is already a name of {other}",
    "settings.unknown_model": "{found} is neither a public model nor a model of a configured provider{hint}; public: {known}",
    "settings.bad_pattern": "not a pattern that may be used here: {reason}",
    "settings.bad_multiplier": '{found} is not a decimal number from 0 to 1000 in quotes, such as "1.25"',
    "settings.bad_gateway_config": "not a gateway config: {reason}",
    "settings.unknown_provider": "{found} names no configured provider{hint}; configured: {known}",
    "settings.no_credential": "{kind} needs a credential: give api_key, or set {variables}",
    "settings.empty_credential": "the credential is empty: {source}",
    "settings.placeholder_credential": "the credential is a placeholder, not a real one: {source}",
    "settings.bad_credential": "the credential holds a blank or a character no header may carry: {source}",
    "settings.unreadable_credential": "the file it names cannot be read: {source}",
    "settings.bad_aws_credential": "AWS needs an ACCESS_KEY_ID and a SECRET_ACCESS_KEY, or one text ID:SECRET[:TOKEN]: {source}",
    "settings.bad_google_credential": "no service_account or authorized_user file of Google, or a field of it is bad: {source}",
    "settings.unsupported_google_credential": "of Google only service_account and authorized_user files are supported: {source}",
    "settings.bad_token_uri": "its token_uri must be https at accounts.google.com or below googleapis.com: {source}",
    "settings.bad_label": "{found} cannot label a credential here: use letters, digits, '.', '_' and '-', and each label once",
    "settings.literal_credential": 'the credential stands in the file; better is api_key = {{ env = "NAME" }}',
    "settings.protocol_not_served": "nothing can be routed to {protocol} yet; this endpoint is not used",
    "settings.placeholder_ignored": "holds a placeholder, so {kind} was not configured from it",
    "settings.own_key_ignored": "holds a key of this gateway's own kind, so {kind} was not configured from it",
    "settings.wrong_lane": "{kind} is not called here: its lane ({lane}) is at {address}, "
    'and elsewhere its key is refused or billed by use. For this address use kind = "{other}"; for {kind} leave base_url out',
    "settings.shared_credential": "{second} would use the same credential as {first}: these are two lanes of one vendor, with "
    "keys of their own. At the other lane a key is refused or billed by use. Give each its own api_key, or leave one out",
    "settings.foreign_address": 'this is the address of {owner}, not of {kind}; with kind = "{owner}" its own settings hold',
    "settings.no_variable": 'the address of {kind} needs {name}: give variables = {{ {name} = "..." }}, or set {variables}',
    "settings.bad_variable": "{name} stands in an address: it may hold letters, digits, '.', '_' and '-' only",
    "settings.variable_missing": "the address of {kind} needs {name} too, so {kind} was not configured: set {variables}",
    "settings.stored_unowned": "no provider {provider} is configured, so this stored credential is not used",
    "settings.stored_broken": "this stored credential cannot be opened: it was changed, or moved here from elsewhere; "
    "it is not used",
    "settings.stored_elsewhere": "this stored credential was given for {bound}, where {provider} no longer is; it is not used. "
    "Remove it and add it again",
    "settings.stored_twice": "the configuration has a credential of the label {label} too; the stored one is not used",
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
