from anykey.conversation.parts import Citation, Part, RefusalPart, TextPart
from anykey.protocols.openai_chat.citations import decode_citation, encode_citation, give, shifted


def cite(start: int, end: int) -> Citation:
    inner = {"start_index": start, "end_index": end, "url": "https://a", "title": "A"}
    return decode_citation({"type": "url_citation", "url_citation": inner})


def span(citation: Citation) -> tuple[int | None, int | None]:
    return citation.start, citation.end


def test_offsets_of_the_whole_become_those_of_each_text() -> None:
    parts: list[Part] = [TextPart("abcd"), RefusalPart("no"), TextPart("efgh")]
    first, _, second = give(parts, [cite(1, 3), cite(5, 8), cite(99, 100)])
    assert isinstance(first, TextPart)
    assert isinstance(second, TextPart)
    assert [span(citation) for citation in first.citations] == [(1, 3)]
    assert [span(citation) for citation in second.citations] == [(1, 4), (None, None)]


def test_one_that_begins_elsewhere_stands_for_the_whole_text() -> None:
    assert span(shifted(cite(5, 8), 4)) == (1, 4)
    assert span(shifted(cite(2, 8), 4)) == (None, None)
    assert span(shifted(cite(2, 8), 0)) == (2, 8)


def test_a_source_is_told_in_characters_of_the_whole() -> None:
    known = Citation("gemini_generate", {}, "https://a", None, None, 1, 3)
    inner = {"start_index": 11, "end_index": 13, "title": "", "url": "https://a"}
    assert encode_citation(known, 10, 5) == {"type": "url_citation", "url_citation": inner}
    assert encode_citation(Citation("gemini_generate", {}), 0, 5) is None
    assert encode_citation(cite(1, 2), 10, 5) == cite(1, 2).raw
