"""Refusals in one shape, in the language of whoever asks."""

import json

from anykey.administration.errors import AdministrationError
from anykey.server.admin.refusals import Refusal, missing, refusal_of, told


def test_the_status_follows_what_the_verb_said() -> None:
    for code, status in (
        ("keys.not_found", 404),
        ("keys.name_taken", 409),
        ("keys.already_revoked", 409),
        ("wallets.not_enough", 409),
        ("keys.bad_name", 422),
    ):
        refusal = refusal_of(AdministrationError(code, key="k", name="n", max=1, organisation="o", available="1"), "en")
        assert (refusal.status, refusal.code) == (status, code)


def test_it_is_said_in_either_language() -> None:
    error = AdministrationError("keys.not_found", key="k-1")
    english, chinese = refusal_of(error, "en").message, refusal_of(error, "zh-CN").message
    assert english.isascii()
    assert not chinese.isascii()
    assert "k-1" in english
    assert "k-1" in chinese


def test_the_shape() -> None:
    assert json.loads(told(missing("x.not_found", "No x."), "req_1")) == {
        "error": {"type": "not_found_error", "code": "x.not_found", "message": "No x."},
        "request_id": "req_1",
    }
    assert json.loads(told(Refusal(422, "bad", "f: bad", "f"), "req_1"))["error"]["field"] == "f"
