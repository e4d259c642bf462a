"""Tokens as keys to be made."""

from typing import Any

import pytest

from anykey.administration.importing.new_api_tokens import Tokens
from anykey.administration.importing.records import NewKey, Note

NOW = 1_800_000_000
GROUPS = frozenset({"default", "vip"})


def read(row: dict[str, Any], per_usd: str | None = None) -> tuple[NewKey | None, list[str]]:
    notes: list[Note] = []
    token = {"id": 1, "name": "ci", "status": 1, "expired_time": -1, "remain_quota": 500_000, "unlimited_quota": False}
    return Tokens(notes, NOW, per_usd).key({**token, **row}, GROUPS), [note.code for note in notes]


def test_five_hundred_thousand_are_a_dollar() -> None:
    assert read({})[0] == NewKey("ci", quota_nano=10**9)
    assert read({"remain_quota": "1"})[0] == NewKey("ci", quota_nano=2000)
    assert read({}, "1000000")[0] == NewKey("ci", quota_nano=5 * 10**8)
    assert read({"unlimited_quota": "true"})[0] == NewKey("ci")


def test_limits_end_group_and_networks_are_kept() -> None:
    row = {
        "model_limits_enabled": 1,
        "model_limits": "gpt-4,claude",
        "expired_time": NOW + 5,
        "group": "vip",
        "allow_ips": "10.0.0.1\n192.168.0.0/16, nonsense",
    }
    found, notes = read(row)
    networks = ("10.0.0.1/32", "192.168.0.0/16")
    assert found == NewKey("ci", "vip", ("gpt-4", "claude"), 10**9, NOW + 5, networks)
    assert notes == ["import.not_taken"]
    assert read({"models": "a,b", "subnet": "10.0.0.0/8"})[0] == NewKey(
        "ci", None, ("a", "b"), 10**9, None, ("10.0.0.0/8",)
    )


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ({"status": 2}, ["import.disabled"]),
        ({"expired_time": NOW}, ["import.expired"]),
        ({"remain_quota": -3}, ["import.used_up"]),
        ({"group": "auto"}, ["import.no_group"]),
        ({"DeletedAt": "2026-01-01"}, []),
    ],
)
def test_what_is_not_in_force_is_left(row: dict[str, Any], codes: list[str]) -> None:
    assert read(row) == (None, codes)


def test_each_name_once() -> None:
    tokens = Tokens([], NOW)
    rows = [{"id": n, "name": name, "unlimited_quota": 1} for n, name in ((1, "a"), (2, "a"), (3, ""), (4, "a" * 90))]
    names = [key.name for row in rows if (key := tokens.key(row, GROUPS)) is not None]
    assert names == ["a", "a-2", "token-3", "a" * 64]
