from anykey.protocols.anthropic_messages.tool_ids import ToolIds, legal_id


def test_a_legal_id_is_kept_and_another_is_cleaned() -> None:
    assert legal_id("toolu_01-aZ") == "toolu_01-aZ"
    assert legal_id("functions.search:0") == "functions_search_0"
    assert legal_id("").startswith("toolu_")
    assert legal_id("é!").startswith("toolu_")
    assert legal_id("é!") == legal_id("é!") != legal_id("")


def test_an_id_that_comes_again_gets_another_and_its_result_follows() -> None:
    ids = ToolIds()
    assert ids.call("functions.x:0") == "functions_x_0"
    assert ids.result("functions.x:0") == "functions_x_0"
    assert ids.call("functions.x:0") == "functions_x_0_2"
    assert ids.result("functions.x:0") == "functions_x_0_2"
    assert ids.result("functions.x:0") == "functions_x_0_2"  # a second result of the same call


def test_two_open_calls_of_one_id_are_answered_in_order() -> None:
    ids = ToolIds()
    calls = [ids.call("a"), ids.call("a")]
    assert [ids.result("a"), ids.result("a")] == calls == ["a", "a_2"]


def test_different_ids_that_look_alike_when_cleaned_stay_different() -> None:
    ids = ToolIds()
    first, second = ids.call("a.b"), ids.call("a_b")
    assert first != second
    assert (ids.result("a_b"), ids.result("a.b")) == (second, first)


def test_a_result_without_a_call_keeps_its_id() -> None:
    assert ToolIds().result("lost:1") == "lost_1"
