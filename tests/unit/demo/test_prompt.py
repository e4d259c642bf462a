"""What counts as said, as a new tool result and as a token."""

import pytest

from anykey.demo.prompt import Prompt, Tool, Turn, is_strict, spoken_text, tokens


def prompt(*turns: Turn, tools: tuple[Tool, ...] = ()) -> Prompt:
    return Prompt(model="demo", digest="d", turns=turns, tools=tools)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<system-reminder>\nRead a.txt\n</system-reminder>\nhello", "hello"),
        ("hello\n\n<environment_details>\nWorking directory: /x\n</environment_details>", "hello"),
        ('"hello"', "hello"),
        ('"', '"'),
        ('<user_input mode="act">hello</user_input>', "hello"),
        ("a < b", "a < b"),
    ],
)
def test_context_that_programs_add_is_not_said(text: str, spoken: str) -> None:
    assert spoken_text(text) == spoken


def test_the_last_user_text_is_said_even_when_reminders_come_after_it() -> None:
    asked = prompt(
        Turn("user", "first"),
        Turn("assistant", "ok"),
        Turn("user", "second"),
        Turn("user", "<system-reminder>x</system-reminder>"),
        Turn("system", "environment"),
    )
    assert asked.said == "second"


def test_results_are_new_only_at_the_end() -> None:
    call = Turn("assistant", "")
    results = (Turn("user", results=("a",)), Turn("user", results=("b", "c")))
    assert prompt(Turn("user", "go"), call, *results).new_results == ("a", "b", "c")
    assert prompt(Turn("user", "go"), call, *results, Turn("system", "note")).new_results == ("a", "b", "c")
    assert prompt(Turn("user", "go"), call, *results, Turn("user", "and now?")).new_results == ()


def test_results_are_counted_since_the_user_spoke() -> None:
    call = Turn("assistant", "")
    results = (Turn("user", results=("a",)), call, Turn("user", results=("b", "c")))
    assert prompt(Turn("user", "go"), call, *results).results_since_said == 3
    assert (
        prompt(
            Turn("user", "go"), call, *results, Turn("user", "<system-reminder>x</system-reminder>")
        ).results_since_said
        == 3
    )
    assert prompt(Turn("user", "go"), call, *results, Turn("user", "and now?")).results_since_said == 0


def test_a_model_is_known_by_its_name() -> None:
    thinking = Prompt(model="demo/demo-thinking", digest="d", turns=())
    assert thinking.thinks
    assert not prompt().thinks
    assert is_strict("demo-thinking-strict")
    assert not is_strict(thinking.model)


def test_a_token_is_four_bytes_begun() -> None:
    assert [tokens(text) for text in ("", "a", "abcd", "abcde", "日本")] == [0, 1, 1, 2, 2]


def test_everything_sent_is_counted() -> None:
    bare = prompt(Turn("user", "abcd"))
    assert bare.input_tokens == 1
    assert prompt(Turn("user", "abcd", media=1)).input_tokens == 257
    assert prompt(Turn("user", "abcd", results=("efgh",))).input_tokens == 2
    with_tool = prompt(Turn("user", "abcd"), tools=(Tool("read", "", {"type": "object"}),))
    assert with_tool.input_tokens == 1 + tokens('read{"type": "object"}')
