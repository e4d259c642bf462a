"""A mark is known in either alphabet of base64, and for nothing but what it was made for."""

import base64

import pytest

from anykey.demo.signing import sign, signed_answer


def test_a_mark_tells_the_answer_it_was_made_in() -> None:
    signature = sign("thinking", "0123456789abcdef", "I think.")
    assert signature == sign("thinking", "0123456789abcdef", "I think.")
    assert signed_answer("thinking", signature, "I think.") == "0123456789abcdef"
    respelled = base64.urlsafe_b64encode(base64.b64decode(signature)).decode().rstrip("=")
    assert signed_answer("thinking", respelled, "I think.") == "0123456789abcdef"


def test_a_mark_is_good_for_nothing_else() -> None:
    signature = sign("thinking", "d", "I think.")
    assert signed_answer("thinking", signature, "I thought.") is None
    assert signed_answer("encrypted_content", signature, "I think.") is None
    assert sign("thinking", "e", "I think.") != signature


@pytest.mark.parametrize("text", ["", "x", "!!!!", "Zm9yZWlnbg==", "é", base64.b64encode(b"\xff" * 40).decode()])
def test_what_is_no_mark_is_not_known(text: str) -> None:
    assert signed_answer("thinking", text) is None
