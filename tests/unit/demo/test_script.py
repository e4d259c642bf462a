"""The table at the head of the script, row by row."""

import json
from dataclasses import replace
from typing import Any

import pytest

from anykey.demo.prompt import Prompt, Tool, Turn, tokens
from anykey.demo.script import TITLE, Call, Performance, Refusal, perform, words

WEATHER = Tool("get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
READ = Tool("read", "", {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})


def prompt(said: str, *tools: Tool, system: str = "", **more: Any) -> Prompt:
    turns = (Turn("system", system), Turn("user", said))
    return Prompt(model="demo", digest="d", turns=turns, tools=tools, **more)


def after_tools(said: str, *results: str) -> Prompt:
    asked = prompt(said, READ)
    return replace(asked, turns=(*asked.turns, Turn("assistant"), Turn("user", results=results)))


def test_it_says_what_it_is_and_what_it_heard() -> None:
    answer = perform(prompt("hello"))
    assert answer == Performance(text="This is anykey's demo model. You said: hello.")


def test_the_echo_is_one_line_of_200_characters_at_most() -> None:
    text = perform(prompt("a.txt\n```\n" + "x" * 500)).text
    assert "\n" not in text
    assert text == f"This is anykey's demo model. You said: {('a.txt ``` ' + 'x' * 500)[:200]}."


def test_tool_results_are_quoted_by_their_first_line() -> None:
    assert perform(after_tools("what is in it", "one\ntwo")).text == 'The tool answered: "one"'
    assert perform(after_tools("both", "one", "two")).text == 'The tool answered: "one"\nThe tool answered: "two"'
    said = perform(after_tools("read a.txt and say its first line", "     1→# anykey\n"))
    assert said == Performance(text='The first line is: "# anykey"')


def test_a_prompt_acts_only_once() -> None:
    assert perform(after_tools("call read {}; fail 500; break", "x")) == Performance(text='The tool answered: "x"')


@pytest.mark.parametrize(
    "system",
    [
        "You are a title generator. You output ONLY a thread title.",
        "You are naming a coding session so the user can pick it out of a long list.",
        "You are an expert engineer that generates concise, one-line Git commit messages.",
        "*Briefly* summarize this partial conversation about programming.",
    ],
)
def test_a_helper_call_gets_a_title_and_not_what_the_prompt_orders(system: str) -> None:
    assert perform(prompt("fail 500", system=system)).text == TITLE
    assert perform(prompt("fail 500", READ, system=system)).refusal


def test_a_helper_call_for_json_gets_its_title_in_json() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string", "maxLength": 36}}, "required": ["title"]}
    answer = perform(prompt("hello", system="You are a title generator.", schema=schema))
    assert json.loads(answer.text) == {"title": TITLE}


def test_failures_on_request() -> None:
    refusal = perform(prompt("please fail 400 context too long, sorry")).refusal
    assert refusal == Refusal(400, "context too long, sorry")
    for status in (429, 500, 529):
        found = perform(prompt(f"fail {status}")).refusal
        assert found == Refusal(status, f"The demo model was asked to fail with {status}.")
    assert perform(prompt("fail 200")).refusal is None
    assert perform(prompt('fail 400 the field "x" is wrong')).refusal == Refusal(400, 'the field "x" is wrong')
    assert perform(prompt('say "fail 500; wait 9; break"')).text.startswith("This is")


def test_calls_on_request_in_order() -> None:
    said = 'call get_weather {"city": "Paris", "note": "a, break; then"} and call get_weather {"city":"東京"}'
    answer = perform(prompt(said, WEATHER))
    assert answer.calls == (
        Call("get_weather", '{"city":"Paris","note":"a, break; then"}'),
        Call("get_weather", '{"city":"東京"}'),
    )
    assert (answer.text, answer.finish, answer.accident) == ("", "tool_calls", None)


def test_a_call_without_arguments_needs_an_offered_tool() -> None:
    assert perform(prompt("call get_weather", WEATHER)).calls == (Call("get_weather", "{}"),)
    assert perform(prompt("call mother", WEATHER)).calls == ()
    assert perform(prompt('call get_weather {"city": "Paris"}')).calls == ()


def test_a_tool_is_known_without_the_namespace_before_its_name() -> None:
    grouped = replace(WEATHER, name="mcp__weather__get_weather")
    assert perform(prompt("call get_weather", grouped)).calls == (Call("mcp__weather__get_weather", "{}"),)
    for tools in ((WEATHER, grouped), (grouped, WEATHER)):
        assert perform(prompt("call get_weather", *tools)).calls == (Call("get_weather", "{}"),)


def test_a_demanded_call_has_the_smallest_arguments() -> None:
    assert perform(prompt("hello", WEATHER, must_call=True)).calls == (Call("get_weather", '{"city":"demo"}'),)


def test_a_tool_for_free_text_gets_the_rest_of_what_was_said() -> None:
    free = Tool("exec", free_text=True)
    assert perform(prompt("call exec text('a')\ncall b", free)).calls == (Call("exec", "text('a')\ncall b"),)
    assert perform(prompt("hello", free, must_call=True)).calls == (Call("exec", "demo"),)


def test_a_function_that_stands_for_free_text_gets_it_as_its_input() -> None:
    made = Tool("exec", parameters={"type": "object", "properties": {"input": {"type": "string"}}})
    assert perform(prompt("call exec go on", made)).calls == (Call("exec", '{"input":"go on"}'),)


def test_three_tools_are_three_turns_of_one_call() -> None:
    asked = prompt('use three tools: call get_weather {"city":"Paris"}, call read {"path":"a"}', WEATHER, READ)
    seen: list[str] = []
    for number in range(3):
        (call,) = perform(asked).calls
        seen.append(call.name)
        asked = replace(asked, turns=(*asked.turns, Turn("assistant"), Turn("user", results=(f"result {number}",))))
    assert seen == ["get_weather", "read", "get_weather"]
    assert perform(asked) == Performance(text='The tool answered: "result 2"')


@pytest.mark.parametrize("said", ["use 2 tools: read a.txt", "use two tools; read a.txt"])
def test_the_same_file_is_read_again_when_more_turns_are_asked(said: str) -> None:
    assert perform(after_tools(said, "one")).calls == (Call("read", '{"path":"a.txt"}'),)
    again = after_tools(said, "one")
    again = replace(again, turns=(*again.turns, Turn("assistant"), Turn("user", results=("two",))))
    assert perform(again).text == 'The tool answered: "two"'


def test_without_an_order_the_first_tool_is_used() -> None:
    assert perform(prompt("use three tools", WEATHER)).calls == (Call("get_weather", '{"city":"demo"}'),)
    assert perform(prompt('say "use three tools"', WEATHER)).calls == ()


def test_a_file_is_edited_with_the_tool_offered() -> None:
    patch = Tool("apply_patch", free_text=True)
    (call,) = perform(prompt("edit a.txt: hello", READ, patch)).calls
    assert call.arguments == "*** Begin Patch\n*** Add File: a.txt\n+hello\n*** End Patch\n"
    assert perform(prompt("edit a.txt: hello", READ)).calls == ()


def test_a_thinking_model_reasons_in_every_answer() -> None:
    thinking = replace(prompt("hello"), model="demo-thinking-strict")
    assert perform(thinking).reasoning
    assert perform(replace(after_tools("go", "x"), model="demo-thinking")).reasoning
    assert not perform(prompt("hello")).reasoning


def test_a_file_is_read_with_the_tool_offered() -> None:
    assert perform(prompt("read a.txt", WEATHER, READ)).calls == (Call("read", '{"path":"a.txt"}'),)
    assert perform(prompt("read a.txt", WEATHER)).calls == ()


def test_json() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert perform(prompt("anything", schema=schema)).text == '{"n":0}'
    assert perform(prompt("json please")).text == '{"answer":"demo"}'


def test_additions() -> None:
    assert perform(prompt("wait 2.5 then hello")).silence_s == 2.5
    assert perform(prompt("wait 4000")).silence_s == 60
    assert perform(prompt("think, then answer")).reasoning
    assert perform(prompt("long 3")).text == "word1 word2 word3"
    assert len(perform(prompt("long 999999999")).text.split()) == 20_000
    both = perform(prompt('long 2 call get_weather {"city":"x"}', WEATHER))
    assert (both.text, len(both.calls)) == ("word1 word2", 1)


def test_accidents() -> None:
    broken = perform(prompt("long 10 break"))
    assert (broken.text, broken.accident) == ("word1 word2 word3 word4 word5", "reset")
    assert perform(prompt("cut")).accident == "cut"


@pytest.mark.parametrize(
    "said", ["let us break for lunch", "cut the cake", "I think so", "hello\nbreak", "a json file"]
)
def test_ordinary_sentences_set_nothing_off(said: str) -> None:
    answer = perform(prompt(said))
    assert answer.text.startswith("This is anykey's demo model.")
    assert (answer.accident, answer.reasoning) == (None, "")


def test_the_token_limit_is_kept() -> None:
    answer = perform(prompt("long 50", max_tokens=5))
    assert (answer.finish, answer.output_tokens, answer.text) == ("length", 5, "word1 word2 word3 wo")
    thought = perform(prompt("think", max_tokens=3))
    assert (tokens(thought.reasoning), thought.text, thought.finish) == (3, "", "length")
    exact = perform(prompt("long 3", max_tokens=5))
    assert exact.finish == "stop"


def test_a_call_that_does_not_fit_is_left_out() -> None:
    said = 'call get_weather {"city":"Paris"} call get_weather {"city":"Rome"}'
    answer = perform(prompt(said, WEATHER, max_tokens=8))
    assert [call.arguments for call in answer.calls] == ['{"city":"Paris"}']
    assert answer.finish == "length"


def test_the_first_stop_sequence_ends_the_text() -> None:
    answer = perform(prompt("long 5", stop=("word4", "word3", "")))
    assert (answer.text, answer.finish, answer.stop_sequence) == ("word1 word2 ", "stop", "word3")


@pytest.mark.parametrize("text", ["", " ", "a", "a b", " a\n b \n", "日本 語"])
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(words(text)) == text
