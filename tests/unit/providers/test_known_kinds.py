"""The kinds that operators know from elsewhere are here under the same names, variables and addresses.

`known_kinds.csv` holds them, a line each: whole URLs of the default lane and region; variables and aliases separated by
blanks. A row of ours may have more (further aliases, variables, doors), never less.
"""

import csv
from pathlib import Path

import pytest

from anykey.administration.providers import PROTOCOL_FAMILIES, describe_kind
from anykey.providers.load import catalogue, find

with (Path(__file__).parent / "known_kinds.csv").open(encoding="utf-8", newline="") as file:
    KNOWN = list(csv.DictReader(file))
PLACED = [known for known in KNOWN if known["id"] != "custom"]
"""All but the one whose address is the operator's own."""


def _id(known: dict[str, str]) -> str:
    return known["id"]


def test_there_are_45() -> None:
    assert len({known["id"] for known in KNOWN}) == 45


@pytest.mark.parametrize("known", KNOWN, ids=_id)
def test_a_known_kind_has_its_names_and_variables(known: dict[str, str]) -> None:
    kind = catalogue()[known["id"]]
    envs = known["envs"].split()
    assert [name for name in kind.credential_envs if name in envs] == envs, "the same variables in the same order"
    assert kind.credential_envs[:1] == tuple(envs[:1]) or not envs
    assert set(known["oauth_envs"].split()) <= set(kind.oauth_envs)
    assert all(find(name) is kind for name in (known["id"], *known["aliases"].split()))


@pytest.mark.parametrize("known", PLACED, ids=_id)
def test_it_is_called_where_it_is_known_to_be(known: dict[str, str]) -> None:
    view = describe_kind(known["id"])
    first = view.endpoints[0]
    door = next(
        door
        for door in view.endpoints
        if (PROTOCOL_FAMILIES[door.protocol], door.lane, door.region) == (known["family"], first.lane, first.region)
    )
    assert door.request_endpoint == known["request"]
    assert door.base_url.startswith(known["base_url"])
    assert door.models_endpoint == known["models"]
    assert door.auth == known["auth"]
