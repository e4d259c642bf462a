from anykey.protocols.openai_responses.ids import item_id, response_id, upstream_item_id


def test_an_id_of_responses_is_kept_and_any_other_is_made_anew() -> None:
    assert response_id("resp_1") == "resp_1"
    made = response_id("chatcmpl-1", "seed")
    assert made.startswith("resp_")
    assert made == response_id("chatcmpl-1", "other seed")
    assert response_id("", "a") != response_id("", "b")


def test_items_are_told_apart_by_their_place() -> None:
    assert item_id("function_call", "resp_1", 0).startswith("fc_")
    assert item_id("function_call", "resp_1", 0) == item_id("function_call", "resp_1", 0)
    assert item_id("function_call", "resp_1", 0) != item_id("function_call", "resp_1", 1)
    assert item_id("unheard_of", "resp_1", 0).startswith("item_")


def test_the_upstream_s_id_is_found_where_its_item_keeps_it() -> None:
    assert upstream_item_id({"openai_responses": {"id": "fc_1"}}) == "fc_1"
    assert upstream_item_id({"openai_responses": {"message": {"id": "msg_1", "phase": "x"}}}) == "msg_1"
    assert upstream_item_id({"openai_chat": {"id": "x"}}) is None
    assert upstream_item_id({"openai_responses": {"id": 1}}) is None
