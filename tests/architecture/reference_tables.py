"""Tables of the reference pages that are made from the code: who may do what, and which routes there are.

`python -m tests.architecture.reference_tables` writes them into the pages again; tests compare.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from anykey.accounts.permissions import MEMBER_ROLES, OWN, PERMISSIONS, WITHIN, MemberRole, Permission
from anykey.server.admin.resources import RESOURCES
from tests.architecture.sources import ROOT

Rows = Sequence[Sequence[str]]


class Words(NamedTuple):
    """How one language heads the tables, and what it calls a permission for all, for one's own, for nothing."""

    permission: str
    route: tuple[str, str, str]
    everything: str
    own: str
    nothing: str


LANGUAGES: Mapping[str, Words] = {
    "en": Words("permission", ("method", "path", "needs"), "yes", "own", "no"),
    "zh-CN": Words("权限", ("方法", "路径", "需要"), "是", "自己的", "否"),
}


def page(language: str) -> str:
    """The page as it is."""
    return _path(language).read_text(encoding="utf-8")


def tables(language: str) -> list[str]:
    """Both tables as they must be."""
    words = LANGUAGES[language]
    return [
        _table((words.permission, *MEMBER_ROLES), _roles(words)),
        _table(words.route, _routes()),
    ]


def table_in(text: str, head: str) -> str:
    """The table with the heading of the table `head` in a page; empty where there is none."""
    first = head.partition("\n")[0]
    at = text.find(first)
    return "" if at < 0 else text[at:].partition("\n\n")[0].rstrip("\n")


def operators_only() -> list[str]:
    """The permissions that no member's role has."""
    return [one for one in PERMISSIONS if not any(one in WITHIN[role] | OWN[role] for role in MEMBER_ROLES)]


def _roles(words: Words) -> Rows:
    return [
        (f"`{one}`", *(_reach(role, one, words) for role in MEMBER_ROLES))
        for one in PERMISSIONS
        if one not in operators_only()
    ]


def _reach(role: MemberRole, permission: Permission, words: Words) -> str:
    if permission in WITHIN[role]:
        return words.everything
    return words.own if permission in OWN[role] else words.nothing


def _routes() -> Rows:
    operations = [operation for resource in RESOURCES for operation in resource.operations]
    return [(one.method, f"`{one.path.replace(':path', '')}`", f"`{one.rule}`") for one in operations]


def _table(head: Sequence[str], rows: Rows) -> str:
    ruled = f"|{'---|' * len(head)}"
    return "\n".join((_row(head), ruled, *map(_row, rows)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _path(language: str) -> Path:
    return ROOT / "docs" / language / "reference" / "admin-api.md"


def _write() -> None:
    for language in LANGUAGES:
        text = page(language)
        for table in tables(language):
            text = text.replace(table_in(text, table), table)
        _path(language).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
