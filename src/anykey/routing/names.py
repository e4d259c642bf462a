"""Names as callers and operators write them: of providers, with a wildcard, rewritten by a pattern."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from anykey.providers.configured import ProviderSettings

LONGEST_PATTERN = 200
LONGEST_REWRITTEN = 256
"""Longer names are not rewritten: with what `fault_of_pattern` allows, a name of this length is matched in milliseconds."""
_MOST_REPEATS, _MOST_CHOICES = 2, 6
_ESCAPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)[*+{]")


class Wildcard(NamedTuple):
    """A name with one `*`, by what stands before and after it."""

    before: str
    after: str

    def match(self, name: str) -> str | None:
        """Return what the `*` stands for in `name`, at least one character; None: the name does not fit."""
        if len(name) <= len(self.before) + len(self.after):
            return None
        if not (name.startswith(self.before) and name.endswith(self.after)):
            return None
        return name[len(self.before) : len(name) - len(self.after)]


def wildcard(name: str) -> Wildcard | None:
    """Return the wildcard that a name is, or None: it holds no `*`."""
    before, star, after = name.partition("*")
    return Wildcard(before, after) if star else None


def providers_by_name(providers: Iterable[ProviderSettings]) -> dict[str, ProviderSettings]:
    """Return every name a provider answers to. Configured names win over kinds and aliases, earlier over later."""
    listed = list(providers)
    found = {provider.name: provider for provider in listed}
    for provider in listed:
        for name in (provider.kind.id, *provider.kind.aliases):
            found.setdefault(name, provider)
    return found


def rewritten(rules: Iterable[tuple[re.Pattern[str], str]], name: str) -> str:
    """Return the name that the first fitting rule makes of `name`; the name itself if none fits."""
    if len(name) <= LONGEST_REWRITTEN:
        for pattern, template in rules:
            found = pattern.fullmatch(name)
            if found is not None:
                return found.expand(template)
    return name


def fault_of_pattern(pattern: str, template: str) -> str | None:
    """Say what is wrong with a rewrite, or None.

    Python's `re` may take time without bound where repeats are nested or many, and the names come from callers. So a group must
    not be repeated, and a pattern has at most 2 of `*`, `+` and `{`, at most 6 of `?` and `|`, and neither look-around nor
    back-references.
    """
    if len(pattern) > LONGEST_PATTERN:
        return f"it is longer than {LONGEST_PATTERN} characters"
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"it is not a regular expression: {error}"
    if re.search(r"\\[1-9]", pattern):
        return "it refers back to a group"
    bare = _ESCAPED.sub("x", pattern).replace("(?:", "(")
    if "(?" in bare:
        return "it holds (?…), which is not allowed here"
    if _REPEATED_GROUP.search(bare):
        return "it repeats a group"
    if sum(map(bare.count, "*+{")) > _MOST_REPEATS:
        return f"it has more than {_MOST_REPEATS} of *, + and {{"
    if sum(map(bare.count, "?|")) > _MOST_CHOICES:
        return f"it has more than {_MOST_CHOICES} of ? and |"
    return _fault_of_template(compiled, template)


def _fault_of_template(pattern: re.Pattern[str], template: str) -> str | None:
    """A template names only groups that the pattern has."""
    probe = re.compile("(.?)" * pattern.groups).fullmatch("")
    try:
        if probe is not None:
            probe.expand(template)
    except (re.error, IndexError) as error:
        return f"`to` cannot be filled: {error}"
    return None
