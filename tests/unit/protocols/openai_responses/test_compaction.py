"""Our own compaction items."""

import json

import pytest

from anykey.protocols.openai_responses.compaction import holds_summary, read_summary, summary_item


def test_a_summary_is_read_back() -> None:
    item = summary_item("Käse\n")
    assert item == {"type": "compaction", "encrypted_content": "akc1.S8Okc2UK"}
    assert read_summary(item["encrypted_content"]) == "Käse\n"


def test_half_a_surrogate_pair_does_not_break_it() -> None:
    assert read_summary(summary_item("a\ud800")["encrypted_content"]) == "a?"


def test_another_compaction_is_none_of_ours() -> None:
    assert read_summary("gAAAAA") is None
    with pytest.raises(ValueError, match=r"\w"):
        read_summary("akc1.!")


def test_a_body_that_holds_one_of_ours() -> None:
    ours = json.dumps({"input": [summary_item("so")]}).encode()
    theirs = json.dumps({"input": [{"type": "compaction", "encrypted_content": "gAAAAA"}]}).encode()
    assert (holds_summary(ours), holds_summary(theirs), holds_summary(b'{"input":"akc1."}')) == (True, False, False)
