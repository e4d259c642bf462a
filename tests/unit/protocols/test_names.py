import re

from hypothesis import given
from hypothesis import strategies as st

from anykey.protocols.names import sent_name

LONG = "mcp__a_server_with_a_long_name__" + "tool_" * 12


def test_a_legal_name_is_sent_as_it_is() -> None:
    assert sent_name("read_file-2") == "read_file-2"
    assert sent_name("x" * 100, 128) == "x" * 100


def test_a_long_name_keeps_55_letters_and_a_hash() -> None:
    sent = sent_name(LONG)
    assert sent.startswith(LONG[:55] + "_")
    assert len(sent) == 64
    assert sent != sent_name(LONG + "x")


@given(st.text(max_size=150), st.sampled_from([64, 128]))
def test_every_name_is_sent_legal_and_stays_so(name: str, limit: int) -> None:
    sent = sent_name(name, limit)
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", sent)
    assert len(sent) <= limit
    assert sent_name(sent, limit) == sent
