"""A whole dump: channels behind models, groups, prices, keys, and what was not taken."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.administration.importing.new_api import read_new_api
from anykey.administration.importing.new_api_dump import Dump
from anykey.language import say

NOW = 1_800_000_000


def channel(number: int, **fields: Any) -> dict[str, Any]:
    plain = {
        "id": number,
        "type": 1,
        "name": f"C {number}",
        "status": 1,
        "key": f"sk-secret-{number}-abcdef",
        "models": "m",
    }
    return {**plain, "group": "default", **fields}


def test_channels_become_providers_behind_models() -> None:
    dump = Dump(
        [
            channel(1, key="sk-one-1234567\nsk-two-1234567\n", models="m,n", weight=5),
            channel(
                2, type=14, name="Claude", models="m", model_mapping='{"m": "step", "step": "claude-opus-5"}', weight=1
            ),
            channel(3, status=2),
            channel(4, type=2),
            channel(
                5,
                name="C 1",
                base_url="https://relay.example",
                group="vip",
                models="v",
                key="",
                param_override='{"a":1}',
            ),
        ],
        [{"id": 1, "name": "ci", "status": 1, "remain_quota": 500_000, "group": "vip", "expired_time": -1}],
        {
            "ModelRatio": '{"m": 1, "v": 2, "unserved": 1}',
            "CompletionRatio": '{"m": 3, "v": 1}',
            "GroupRatio": '{"default": 1, "vip": 0.5, "empty": 2}',
            "SystemName": "shop",
        },
    )
    found = read_new_api(dump, "new-api", NOW)
    assert found.providers == {
        "c_1": {"kind": "openai"},
        "claude": {"kind": "anthropic"},
        "c_1_2": {"kind": "custom", "protocol": "openai_chat", "base_url": "https://relay.example/v1"},
    }
    assert found.models == {
        "m": {
            "deployments": [{"model": "c_1/m", "weight": 5}, {"model": "claude/claude-opus-5", "weight": 1}],
            "strategy": "weighted",
        },
        "n": {"deployments": ["c_1/n"]},
        "v": {"deployments": ["c_1_2/v"]},
    }
    assert [(one.provider, one.label) for one in found.credentials] == [
        ("c_1", "key-1"),
        ("c_1", "key-2"),
        ("claude", None),
    ]
    assert found.groups == {
        "default": {"providers": ["c_1", "claude"]},
        "vip": {"providers": ["c_1_2"], "price_multiplier": "0.5"},
    }
    assert [card["model"] for card in found.rate_cards] == ["m", "v"]
    assert [(key.name, key.group, key.quota_nano) for key in found.keys] == [("ci", "vip", 10**9)]
    assert {note.place: note.code for note in found.notes} == {
        "channels.3 C 3": "import.disabled",
        "channels.4 C 4": "import.channel_type",
        "channels.5 C 1.param_override": "import.not_taken",
        "channels.5 C 1": "import.no_key",
        "groups.empty": "import.empty_group",
        "options": "import.other_options",
    }


def test_a_higher_priority_comes_first() -> None:
    found = read_new_api(Dump([channel(1), channel(2, priority=9), channel(3, priority="9")], [], {}), "new-api", NOW)
    assert found.models["m"] == {"deployments": ["c_2/m", "c_3/m", "c_1/m"]}
    assert [note.code for note in found.notes] == ["import.order_instead_of_share"]


def test_the_region_of_an_aws_key_is_the_providers() -> None:
    found = read_new_api(Dump([channel(1, type=33, key="AKIA1|secret1|eu-west-1")], [], {}), "new-api", NOW)
    assert found.providers["c_1"] == {"kind": "bedrock", "variables": {"region": "eu-west-1"}}
    assert found.credentials[0].secret.reveal() == "AKIA1:secret1"


def test_a_mapping_that_goes_round_ends() -> None:
    found = read_new_api(Dump([channel(1, model_mapping='{"m": "n", "n": "m"}')], [], {}), "one-api", NOW)
    assert found.models["m"] == {"deployments": ["c_1/n"]}


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.lists(st.integers())
rows = st.dictionaries(
    st.sampled_from(
        ["id", "type", "name", "status", "models", "group", "base_url", "other", "model_mapping", "weight", "priority",
         "remain_quota", "expired_time", "allow_ips", "param_override", "model_limits"]
    ),
    anything | st.sampled_from(["1", "{}", "[1]", "m,*", "https://x.example", "http://["]),
)  # fmt: skip
options = st.dictionaries(
    st.sampled_from(["ModelRatio", "CompletionRatio", "GroupRatio", "ModelPrice", "QuotaPerUnit", "x"]),
    (st.dictionaries(st.text(max_size=5), anything).map(json.dumps)) | st.text(max_size=10),
)


@given(st.lists(rows, max_size=4), st.lists(rows, max_size=4), options)
@settings(max_examples=80, deadline=None)
def test_any_dump_comes_to_a_report_without_its_secret(
    channels: list[dict[str, Any]], tokens: list[dict[str, Any]], said: dict[str, str]
) -> None:
    secret = "sk-never-shown-0123456789"
    likely = [{"type": number, "models": "m", **row} for number, row in enumerate(channels, start=1)]
    dump = Dump(
        [{**row, "key": secret} for row in (*channels, *likely)], [{**row, "key": secret} for row in tokens], said
    )
    found = read_new_api(dump, "new-api", NOW)
    assert secret not in repr(found)
    assert secret not in "".join(note.place + say(note.code, **note.values) for note in found.notes)
