"""The text in `{"input": "…"}`, whatever the cuts."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anykey.protocols.free_text import FreeTextReader

SPACES = st.text(" \t\n\r", max_size=3)


def read(*fragments: str) -> tuple[str, bool]:
    """The text that these fragments tell, and whether they were exactly what is expected."""
    reader = FreeTextReader()
    text = "".join([reader.feed(fragment) for fragment in fragments]) + reader.close()
    return text, reader.exact


def cut(wire: str, data: st.DataObject) -> list[str]:
    """`wire` in pieces, some of them empty."""
    places = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    return [wire[start:end] for start, end in zip([0, *places], [*places, len(wire)], strict=True)]


@given(text=st.text(), ascii_only=st.booleans(), spaces=st.lists(SPACES, min_size=6, max_size=6), data=st.data())
@example(text="😀", ascii_only=True, spaces=[""] * 6, data=None).via("a surrogate pair")
def test_any_text_cut_anywhere(text: str, ascii_only: bool, spaces: list[str], data: st.DataObject | None) -> None:
    a, b, c, d, e, f = spaces
    spelled = json.dumps(text, ensure_ascii=ascii_only)
    wire = f'{a}{{{b}"input"{c}:{d}{spelled}{e}}}{f}'
    assert read(*wire) == (text, True)
    assert read(*(cut(wire, data) if data else [wire])) == (text, True)


@given(data=st.data(), wire=st.text('{"input": a\\u0dD83E}', max_size=40) | st.text().map(lambda t: '{"input":"' + t))
def test_the_cuts_change_nothing(data: st.DataObject, wire: str) -> None:
    whole = read(wire)
    assert read(*wire) == whole
    assert read(*cut(wire, data)) == whole
    whole[0].encode()  # there is no half of a surrogate pair in it


@given(members=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1, max_size=3))
def test_other_keys_are_passed_over(members: dict[str, int | str]) -> None:
    members.pop("input", None)
    for wire in (json.dumps({**members, "input": "a\nb"}), json.dumps({"input": "a\nb", **members})):
        assert read(*wire) == ("a\nb", not members)


def test_the_text_is_told_while_it_comes() -> None:
    reader = FreeTextReader()
    fragments = ['{"in', 'put": "', "one ", "\\", "n t", "wo \\ud8", "3d", "\\ude", "00!", '"', "}"]
    assert [reader.feed(fragment) for fragment in fragments] == [
        "",
        "",
        "one ",
        "",
        "\n t",
        "wo ",
        "",
        "",
        "😀!",
        "",
        "",
    ]
    assert reader.close() == ""
    assert reader.exact


@pytest.mark.parametrize(
    "wire",
    [
        "*** Begin Patch",
        '{"input": 5}',
        '{"input": null, "a": 1}',
        '{"patch": "x"}',
        '["input"]',
        '"x"',
        '{"input',
        "{",
        " ",
    ],
)
def test_what_is_no_such_object_is_told_as_it_is(wire: str) -> None:
    assert read(*wire) == (wire, False)
    assert read(wire) == (wire, False)


@pytest.mark.parametrize("wire", ["", "{}"])
def test_no_arguments_are_no_text(wire: str) -> None:
    assert read(wire) == ("", False)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ('{"input":"cut', "cut"),
        ('{"input":"cut\\u00', "cut"),
        ('{"input":"no brace"', "no brace"),
        ('{"input":"x"} and more', "x"),
        ('{"input":"\\d+ \\u12x"}', "\\d+ \\u12x"),
        ('{"input":"\\ud83d!"}', "\ufffd!"),
        ('{"input":"\\ud83d\\n"}', "\ufffd\n"),
        ('{"input":"\\ud83d\\ud83d\\ude00\\ude00"}', "\ufffd😀\ufffd"),
        ('{"input":"\\ud83dA"}', "\ufffdA"),
        ('{"input":"\\ud83d"}', "\ufffd"),
    ],
)
def test_what_can_be_read_is_told(wire: str, text: str) -> None:
    assert read(wire) == read(*wire) == (text, False)


def test_a_bare_line_break_is_what_was_meant() -> None:
    assert read('{"input":"a\nb"}') == ("a\nb", True)


def test_an_escaped_key_is_the_same_key() -> None:
    assert read('{"\\u0069nput":"x"}') == ("x", True)
