"""Helper calls, by the words and names of the programs that make them."""

import pytest

from anykey.clients.helper_calls import MARKS, Mark, Spoken, helper_call

NOTHING = Spoken(system="", asked="", model="m", headers="", max_tokens=None)


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: f"{mark.client or 'any'}-{mark.place}-{mark.kind}")
def test_each_mark_marks_its_own_clients_calls(mark: Mark) -> None:
    text = mark.text.replace("*", "x") if mark.place == "model" else f"Before. {mark.text}, and after."
    spoken = NOTHING._replace(**{mark.place: text})
    assert helper_call(mark.client or "whoever", spoken) == mark.kind
    if mark.client:
        assert helper_call("whoever", spoken) == ""


def test_an_ordinary_call_is_none() -> None:
    spoken = NOTHING._replace(system="You are a coding agent.", asked="Name this session", model="claude-sonnet-5")
    assert {helper_call(mark.client, spoken) for mark in MARKS} == {""}


def test_the_quota_check_is_one_token_for_one_word() -> None:
    check = NOTHING._replace(asked="quota", max_tokens=1)
    assert helper_call("claude-code", check) == "quota check"
    assert helper_call("claude-code", check._replace(max_tokens=32_000)) == ""
    assert helper_call("codex", check) == ""
