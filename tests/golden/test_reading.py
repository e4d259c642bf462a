"""The reader of golden cases: it reads what README.md says, and refuses the rest by file and line."""

from __future__ import annotations

import pytest

from tests.golden.reading import ANY, Record, UnreadableCase, masked, read_cases, read_events

WHOLE = """# Title

## a case
client: openai_chat · upstream: anthropic_messages · dialect: {"effort": true}

Why it is so.

```sse upstream reply crlf
data: {}

data: [DONE]
```
```json client reply status 429
{"a": 1}
```
```text losses
dropped:b
approximated:a
```
"""


def test_a_case_is_read_whole() -> None:
    (case,) = read_cases("f", WHOLE)
    assert (case.id, case.client, case.upstream, case.dialect) == (
        "f: a case",
        "openai_chat",
        "anthropic_messages",
        {"effort": True},
    )
    assert case.blocks["upstream reply"].wire() == b"data: {}\r\n\r\ndata: [DONE]\r\n\r\n"
    assert (case.blocks["client reply"].status, case.blocks["client reply"].json()) == (429, {"a": 1})
    assert case.losses() == ["approximated:a", "dropped:b"]


def test_a_cut_stream_ends_where_the_block_ends() -> None:
    (case,) = read_cases("f", WHOLE.replace("crlf", "cut"))
    assert case.blocks["upstream reply"].wire() == b"data: {}\n\ndata: [DONE]"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("json client reply", "json client answer", "f.md:13: no such section"),
        ("sse upstream reply", "sse client request", "f.md:8: no such section"),
        ("text losses", "json client reply", "f.md:16: a second 'client reply'"),
        ('{"a": 1}', '{"a": 1', "f.md:13: Expecting"),
        ("client: openai", "client: open ai", "f.md:4: expected one 'client"),
        ("client: openai", "from: openai", "f.md:3: 'a case' needs a direction"),
        ("json client reply", "json client reply headers", "f.md:3: 'a case' needs"),
        ("sse upstream reply crlf", "json upstream request", "f.md:8: Expecting"),
        ("approximated:a\n```\n", "approximated:a\n", "f.md:16: the block is not closed"),
        ("## a case", "a case", "f.md:8: no such section"),
    ],
)
def test_what_keeps_not_to_the_format_is_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(UnreadableCase) as refused:
        read_cases("f", WHOLE.replace(before, after, 1))
    assert str(refused.value).startswith(said)


def test_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(UnreadableCase, match="same name"):
        read_cases("f", WHOLE + WHOLE)


def test_events_are_read_strictly() -> None:
    stream = 'event: ping\ndata: {"type":"ping"}\n\n: keep-alive\n\ndata: [DONE]\n\n'
    assert read_events(stream) == [Record("ping", {"type": "ping"}), Record(":", "keep-alive"), Record("", "[DONE]")]
    for broken in ("data: {}", "data: {}\n", "id: 1\n\n"):
        with pytest.raises(AssertionError):
            read_events(broken)


def test_a_wildcard_stands_for_one_value_only() -> None:
    assert masked({"a": [1, {"b": 2}], "c": 3}, {"a": [1, {"b": ANY}], "c": 4}) == {"a": [1, {"b": ANY}], "c": 3}
    assert masked([1, 2], [ANY]) == [1, 2]
    assert masked({}, {"a": ANY}) == {}
