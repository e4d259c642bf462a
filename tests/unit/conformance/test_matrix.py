"""The report as rows, notes and Markdown."""

from anykey.conformance.matrix import Note, as_markdown, matrix_rows, notes, protocols_of
from anykey.conformance.records import Cell, Report

REPORT = Report(
    "http://g",
    "m",
    9,
    (
        Cell("openai_chat", "text", "whole", "pass", request_id="r1"),
        Cell("openai_chat", "text", "stream", "fail", "no | end `mark`", "r2"),
        Cell("openai_chat", "stop", "whole", "unclear", "busy", "r3"),
        Cell("openai_chat", "stop", "stream", "unclear", "busy", "r4"),
        Cell("openai_chat", "pdf", "whole", "unclear", "busy"),
        Cell("openai_chat", "pdf", "stream", "pass"),
        Cell("gemini_generate", "text", "whole", "pass"),
        Cell("gemini_generate", "stop", "whole", "absent", "no such thing"),
        Cell("gemini_generate", "pdf", "whole", "unsupported", "HTTP 400: no"),
    ),
)


def test_a_cell_is_one_word_or_two_where_the_modes_differ() -> None:
    assert protocols_of(REPORT) == ("openai_chat", "gemini_generate")
    assert matrix_rows(REPORT) == [
        ("text", "pass / FAIL", "pass"),
        ("stop", "unclear", "-"),
        ("pdf", "unclear / pass", "unsupported"),
    ]


def test_notes_tell_failures_first_and_one_reason_once() -> None:
    assert notes(REPORT) == [
        Note("FAIL", "openai_chat", "text (stream)", "r2", "no | end `mark`"),
        Note("unsupported", "gemini_generate", "pdf", "-", "HTTP 400: no"),
        Note("unclear", "openai_chat", "stop, pdf (whole)", "r3", "busy"),
    ]


def test_markdown_holds_the_same_and_nothing_can_leave_its_code() -> None:
    lines = as_markdown(REPORT).splitlines()
    assert lines[:3] == [
        "| Feature | Chat Completions | generateContent |",
        "| --- | --- | --- |",
        "| text | pass / FAIL | pass |",
    ]
    assert lines[6] == "- **FAIL** Chat Completions: text (stream): `no | end 'mark'`"
    assert as_markdown(Report("u", "m", 1, REPORT.cells[:1])).splitlines()[-1] == "| text | pass |"
