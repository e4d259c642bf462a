"""What the contents of a conversation may be, one rule of the API each."""

from typing import Any

import pytest

from anykey.demo.gemini_history import camel, check_contents, turn_of
from anykey.demo.prompt import BadRequestError, Turn
from anykey.demo.signing import sign

Content = dict[str, Any]
SENTINEL = "skip_thought_signature_validator"
SIGNED = sign("thought_signature", "d", "f")
CALL: Content = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": SIGNED}
UNSIGNED: Content = {"functionCall": {"name": "f", "args": {}}}
RESULT: Content = {"functionResponse": {"name": "f", "response": {"output": "18 C"}}}


def user(*parts: Content) -> Content:
    return {"role": "user", "parts": list(parts or [{"text": "go"}])}


def model(*parts: Content) -> Content:
    return {"role": "model", "parts": list(parts)}


def test_contents_become_turns() -> None:
    assert turn_of(user({"text": "a"}, {"inline_data": {}}, {"text": "b"})) == Turn("user", "a\nb", media=1)
    assert turn_of(model({"text": "hm", "thought": True}, {"text": "ok"})) == Turn("assistant", "ok")
    others = ({"result": "21 C"}, {"error": "no"}, {"degrees": 21})
    results = [{"functionResponse": {"name": "f", "response": response}} for response in others]
    told = ("18 C", "21 C", "no", '{"degrees": 21}')
    assert turn_of({"role": "function", "parts": [RESULT, *results]}) == Turn("user", results=told)
    with pytest.raises(BadRequestError, match="valid role"):
        turn_of({"role": "assistant", "parts": []})


def test_keys_may_be_in_snake_case() -> None:
    assert camel({"thought_signature": "x", "inlineData": {"mime_type": "y"}}) == {
        "thoughtSignature": "x",
        "inlineData": {"mime_type": "y"},
    }
    check_contents(
        [user(), model({"function_call": {"name": "f"}, "thought_signature": SIGNED}), user(RESULT)], strict=True
    )


def test_only_the_first_of_parallel_calls_needs_a_signature() -> None:
    check_contents([user(), model(CALL, UNSIGNED), user(RESULT, RESULT)], strict=True)
    with pytest.raises(BadRequestError, match=r"missing a thought_signature.*`f`, position 2"):
        check_contents([user(), model(UNSIGNED, CALL), user(RESULT, RESULT)], strict=False)


def test_contents_of_one_side_in_a_row_are_one_turn() -> None:
    pieces = [model({"text": "hm", "thought": True}), model(CALL), model(UNSIGNED), model({"text": ""})]
    check_contents([user(), *pieces, user(RESULT), user(RESULT)], strict=True)
    with pytest.raises(BadRequestError, match="missing a thought_signature"):
        check_contents([user(), model({"text": "hm"}), model(UNSIGNED), user(RESULT)], strict=False)


def test_every_round_of_calls_since_the_user_spoke_needs_one() -> None:
    rounds = [user(), model(CALL), user(RESULT), model(UNSIGNED), user(RESULT)]
    with pytest.raises(BadRequestError, match="position 4"):
        check_contents(rounds, strict=False)
    check_contents([*rounds, model({"text": "ok"}), user()], strict=True)


def test_the_word_that_stands_in_for_a_signature_is_not_for_the_strict_model() -> None:
    contents = [user(), model({**UNSIGNED, "thoughtSignature": SENTINEL}), user(RESULT)]
    check_contents(contents, strict=False)
    with pytest.raises(BadRequestError, match="missing a thought_signature"):
        check_contents(contents, strict=True)


@pytest.mark.parametrize(
    "part",
    [
        {**UNSIGNED, "thoughtSignature": "Zm9yZWlnbg=="},
        {"functionCall": {"name": "g"}, "thoughtSignature": SIGNED},
        {**UNSIGNED, "thoughtSignature": sign("thought_signature", "d")},
        {"text": "ok", "thoughtSignature": SIGNED},
        {"text": "ok", "thoughtSignature": sign("thinking", "d")},
    ],
)
def test_a_signature_that_is_not_its_own_is_refused_wherever_it_stands(part: Content) -> None:
    results = [user(RESULT)] if "functionCall" in part else []
    with pytest.raises(BadRequestError, match="Thought signature is not valid"):
        check_contents([user(), model(part), *results, user()], strict=False)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([model(CALL), user(RESULT)], "immediately after a user turn"),
        ([user(), model(CALL), model(CALL), user(RESULT)], "number of function response parts"),
        ([user(), model(CALL, UNSIGNED), user(RESULT)], "number of function response parts"),
        ([user(), model(CALL), user()], "number of function response parts"),
        ([user(), user(RESULT)], "number of function response parts"),
    ],
)
def test_calls_and_results_stand_in_order(contents: list[Content], message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        check_contents(contents, strict=False)
