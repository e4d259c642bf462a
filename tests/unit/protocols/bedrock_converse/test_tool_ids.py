from hypothesis import given
from hypothesis import strategies as st

from anykey.protocols.bedrock_converse.tool_ids import ToolIds


@given(st.lists(st.text(max_size=80), max_size=6))
def test_ids_are_legal_and_come_once(calls: list[str]) -> None:
    ids = ToolIds()
    sent = [ids.call(call_id) for call_id in calls]
    assert len(set(sent)) == len(sent)
    for one in sent:
        assert 0 < len(one) <= 64
        assert one.isascii()
        assert one.replace("_", "a").replace("-", "a").isalnum()


def test_results_follow_their_calls() -> None:
    ids = ToolIds()
    first, second = ids.call("f:0"), ids.call("f:0")
    assert first != second
    assert [ids.result("f:0"), ids.result("f:0"), ids.result("f:0")] == [first, second, second]
    assert ids.result("tooluse_ok") == "tooluse_ok"
    assert ToolIds().call("tooluse_ok") == "tooluse_ok"
