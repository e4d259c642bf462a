from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Citation
from anykey.protocols.gemini_generate.grounding import CitedText, decode_citations, encode_grounding, shift
from tests.unit.protocols.gemini_generate.answers import codes

WEB = {"web": {"uri": "https://a", "title": "A"}}


def grounding(segment: dict[str, Any] | None, *chunks: Any, indices: Any = (0,)) -> dict[str, Any]:
    return {
        "groundingChunks": list(chunks or (WEB,)),
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": list(indices)}],
    }


def places(metadata: Any, text: str) -> list[tuple[int | None, int | None]]:
    return [(citation.start, citation.end) for citation in decode_citations(metadata, None, text)]


def test_byte_offsets_become_characters() -> None:
    text = "Größe: 3 €. Ende"
    segment = {"startIndex": 9, "endIndex": 15, "text": "3 €."}
    assert places(grounding(segment), text) == [(7, 11)]
    assert text[7:11] == "3 €."


def test_the_text_of_a_segment_is_believed_before_its_numbers() -> None:
    assert places(grounding({"startIndex": 3, "endIndex": 7, "text": "Ende"}), "Am Ende") == [(3, 7)]
    assert places(grounding({"startIndex": 11, "endIndex": 15, "text": "Ende"}), "Am Ende") == [(3, 7)]
    assert places(grounding({"startIndex": 0, "endIndex": 2, "text": "Ende"}), "Am Ende") == [(3, 7)]
    assert places(grounding({"endIndex": 99, "text": "nowhere"}), "Am Ende") == [(None, None)]
    assert places(grounding({"endIndex": 2}), "Am Ende") == [(0, 2)]
    assert places(grounding(None), "Am Ende") == [(None, None)]


def test_each_source_of_a_segment_is_a_citation() -> None:
    file = {"retrievedContext": {"title": "F", "text": "said", "fileSearchStore": "s"}}
    found = decode_citations(grounding({"endIndex": 2}, WEB, file, indices=(0, 1, 9, "x")), None, "ab")
    assert [(c.url, c.title, c.cited_text, c.start, c.end) for c in found] == [
        ("https://a", "A", None, 0, 2),
        (None, "F", "said", 0, 2),
    ]
    assert found[0].raw == {"chunk": WEB, "segment": {"endIndex": 2}}


def test_cited_works_are_citations() -> None:
    source = {"startIndex": 2, "endIndex": 4, "uri": "https://b", "license": "mit"}
    expected = [Citation("gemini_generate", source, "https://b", None, None, 1, 3)]
    assert decode_citations(None, {"citationSources": [source]}, "é12") == expected
    assert decode_citations(None, {"citations": [source]}, "é12") == expected


def test_a_citation_belongs_to_the_part_in_which_it_begins() -> None:
    citation = Citation("gemini_generate", {}, start=4, end=9)
    moved = shift(citation, 3, 4)
    assert moved is not None
    assert (moved.start, moved.end) == (1, 4)
    assert shift(citation, 0, 4) is None
    assert shift(citation, 5, 4) is None
    unplaced = Citation("gemini_generate", {})
    assert shift(unplaced, 3, 4) is unplaced


def test_told_offsets_are_bytes_of_all_texts() -> None:
    log = LossLog("response")
    first = Citation("openai_chat", {}, "https://a", "A", None, 0, 2)
    again = Citation("openai_chat", {}, "https://b", "", None, 0, 2)
    second = Citation("openai_chat", {}, "https://a", "A")
    told = encode_grounding([CitedText("éa!", [first, again]), CitedText("xy", [second])], "c", log)
    assert told == {
        "groundingChunks": [WEB, {"web": {"uri": "https://b"}}],
        "groundingSupports": [
            {"segment": {"endIndex": 3, "text": "éa"}, "groundingChunkIndices": [0, 1]},
            {"segment": {"startIndex": 4, "endIndex": 6, "text": "xy"}, "groundingChunkIndices": [0]},
        ],
    }
    assert log.losses == []
    back = decode_citations(told, None, "éa!xy")
    assert [(c.url, c.start, c.end) for c in back] == [("https://a", 0, 2), ("https://b", 0, 2), ("https://a", 3, 5)]


def test_sources_that_are_no_pages() -> None:
    log = LossLog("response")
    citations = [
        Citation("anthropic_messages", {}, None, "Doc", "said"),
        Citation("anthropic_messages", {}, "https://a", None, "said"),
        Citation("anthropic_messages", {}),
    ]
    told = encode_grounding([CitedText("x", citations)], "c", log)
    assert told is not None
    assert told["groundingChunks"] == [
        {"retrievedContext": {"title": "Doc", "text": "said"}},
        {"web": {"uri": "https://a"}},
    ]
    assert codes(log.losses) == ["dropped:c.content[0].citations[1].cited_text", "dropped:c.content[0].citations[2]"]
    assert encode_grounding([CitedText("x", [])], "c", log) is None


def test_an_own_source_comes_back_whole() -> None:
    found = decode_citations(grounding({"endIndex": 2}, {"maps": {"uri": "https://m", "placeId": "p"}}), None, "ab")
    told = encode_grounding([CitedText("ab", found)], "c", LossLog("response"))
    assert told is not None
    assert told["groundingChunks"] == [{"maps": {"uri": "https://m", "placeId": "p"}}]
