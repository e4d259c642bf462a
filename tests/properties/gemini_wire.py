"""What a Gemini client may send and a server that speaks generateContent may answer, with every optional field."""

from typing import Any

from hypothesis import strategies as st

from tests.properties.chat_wire import PDF, PNG
from tests.properties.words import (
    Json,
    counts,
    dumps,
    filled,
    flags,
    objects,
    one_of,
    ratios,
    schemas,
    text,
    thing,
    words,
)

SIGNATURE = "c2lnbmVk"
MARKS = {"thoughtSignature": SIGNATURE}

TEXT_PART = thing({"text": text}, {"x_unknown": objects})
IMAGE_PART = thing({"inlineData": thing({"mimeType": "image/png", "data": PNG}, {"displayName": words})})
PDF_PART = thing({"inlineData": thing({"mimeType": "application/pdf", "data": PDF}, {"displayName": words})})
AUDIO_PART = thing({"inlineData": thing({"mimeType": "audio/wav", "data": PDF})})
FILE_PART = thing(
    {
        "fileData": thing(
            {"fileUri": st.sampled_from(["https://example.test/a.png", "gs://bucket/a.png"]), "mimeType": "image/png"}
        )
    },
    {"mediaResolution": thing({"level": "MEDIA_RESOLUTION_LOW"})},
)
OTHER_PART = thing({"xNewPart": objects})
USER_PARTS = one_of(TEXT_PART, IMAGE_PART, PDF_PART, AUDIO_PART, FILE_PART, OTHER_PART)
SAID_PART = thing({"text": filled}, MARKS)
THOUGHT_PART = thing({"text": filled, "thought": True}, MARKS)
END_PART = {"text": "", **MARKS}
CODE_PARTS = one_of(
    thing({"executableCode": thing({"language": "PYTHON", "code": filled})}),
    thing({"codeExecutionResult": thing({"outcome": "OUTCOME_OK", "output": text})}),
)
SAID_PARTS = one_of(SAID_PART, SAID_PART, THOUGHT_PART, END_PART, IMAGE_PART, CODE_PARTS)
CALL = thing({"name": words, "args": objects})

FUNCTION = one_of(
    thing({"name": words, "description": text, "parametersJsonSchema": schemas}),
    thing(
        {"name": words},
        {
            "description": text,
            "parameters": thing(
                {
                    "type": "OBJECT",
                    "properties": thing({"a": thing({"type": "STRING"}, {"nullable": flags, "format": "enum"})}),
                },
                {"required": st.just(["a"])},
            ),
            "response": schemas,
            "behavior": "BLOCKING",
        },
    ),
)
TOOLS = one_of(
    thing({"functionDeclarations": st.lists(FUNCTION, min_size=1, max_size=2)}),
    thing({"functionDeclarations": st.lists(FUNCTION, min_size=1, max_size=2)}),
    thing({"googleSearch": thing({}, {"excludeDomains": st.just(["example.test"])})}),
    {"codeExecution": {}},
    {"urlContext": {}},
    thing({"xHosted": objects}),
)
THINKING = one_of(
    thing({}, {"thinkingBudget": st.sampled_from([-1, 0, 1024, 5000]), "includeThoughts": flags}),
    thing({"thinkingLevel": st.sampled_from(["LOW", "MEDIUM", "HIGH", "minimal"])}, {"includeThoughts": flags}),
)
FORMATS = one_of(
    {"responseMimeType": "text/plain"},
    {"responseMimeType": "application/json"},
    thing({"responseMimeType": "application/json", "responseJsonSchema": schemas}),
    thing({"responseMimeType": "application/json", "responseSchema": thing({"type": "OBJECT"}, {"nullable": flags})}),
    {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}},
)
SAMPLING: dict[str, Any] = {
    "temperature": ratios | st.just(1.5),
    "topP": ratios,
    "topK": counts,
    "candidateCount": st.integers(1, 3),
    "maxOutputTokens": st.integers(1, 100_000),
    "seed": counts,
    "stopSequences": st.lists(text, max_size=6),
    "frequencyPenalty": ratios,
    "presencePenalty": ratios,
    "responseLogprobs": flags,
    "logprobs": st.integers(0, 5),
    "thinkingConfig": THINKING,
    "responseModalities": st.just(["TEXT", "IMAGE"]),
    "speechConfig": objects,
    "mediaResolution": st.sampled_from(["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_HIGH"]),
    "x_unknown": objects,
}


def _joined(first: Json, second: Json) -> Json:
    return {**first, **second}


CONFIG = st.builds(_joined, thing({}, SAMPLING), one_of({}, FORMATS))

OPTIONS: dict[str, Any] = {
    "systemInstruction": one_of(
        thing({"parts": st.lists(thing({"text": filled}), min_size=1, max_size=2)}, {"role": "user"}), filled
    ),
    "generationConfig": CONFIG,
    "safetySettings": st.just([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]),
    "cachedContent": words.map(lambda word: f"cachedContents/{word}"),
    "labels": st.dictionaries(words, words, max_size=2),
    "serviceTier": st.sampled_from(["standard", "flex", "priority", "STANDARD"]),
    "store": flags,
    "x_unknown": objects,
}


@st.composite
def turns(draw: st.DrawFn, serial: int) -> list[Json]:
    """An answer, with the results of the functions it called; ids are given or not."""
    parts: list[Json] = draw(st.lists(SAID_PARTS, max_size=2))
    named = draw(flags)
    calls: list[Json] = draw(st.lists(CALL, max_size=2, unique_by=lambda call: call["name"]))
    for number, call in enumerate(calls):
        ids: Json = {"id": f"call_{serial}_{number}"} if named else {}
        parts.append({"functionCall": {**ids, **call}, **draw(thing({}, MARKS))})
    results: list[Json] = []
    for number, call in enumerate(calls):
        ids = {"id": f"call_{serial}_{number}"} if named else {}
        answer = {**ids, "name": call["name"], "response": draw(_results())}
        results.append({"functionResponse": answer | draw(thing({}, {"willContinue": flags}))})
    said: list[Json] = [{"role": "model", "parts": parts or [{"text": "ok"}]}]
    return [*said, {"role": "user", "parts": results}] if results else said


def _results() -> st.SearchStrategy[Json]:
    return one_of(objects, thing({"output": text}), thing({"result": text}), thing({"error": filled}))


@st.composite
def requests(draw: st.DrawFn) -> Json:
    """A body that Google would take, with its model, which the URL has in life."""
    contents: list[Json] = []
    for serial in range(draw(st.integers(0, 2))):
        asked = draw(thing({"parts": st.lists(USER_PARTS, min_size=1, max_size=2)}, {"role": "user"}))
        contents += [asked, *draw(turns(serial))]
    contents.append({"role": "user", "parts": [{"text": draw(filled)}]})
    body: Json = {"model": f"models/{draw(words)}", "contents": contents}
    tools: list[Json] = draw(st.lists(TOOLS, max_size=2))
    if tools:
        body["tools"] = _with_own_names(tools)
        functions = [function["name"] for tool in body["tools"] for function in tool.get("functionDeclarations", ())]
        body |= draw(thing({}, {"toolConfig": _configs(functions)}))
    for name in sorted(draw(st.sets(st.sampled_from(sorted(OPTIONS)), max_size=4))):
        body[name] = draw(OPTIONS[name])
    return body


def _with_own_names(tools: list[Json]) -> list[Json]:
    """No two functions have one name, which Google refuses."""
    declared = [function for tool in tools for function in tool.get("functionDeclarations", ())]
    names = {id(function): f"{function['name']}{number}" for number, function in enumerate(declared)}
    spelled: list[Json] = []
    for tool in tools:
        functions = [{**f, "name": names[id(f)]} for f in tool.get("functionDeclarations", ())]
        spelled.append({**tool, "functionDeclarations": functions} if functions else tool)
    return spelled


def _configs(names: list[str]) -> st.SearchStrategy[Json]:
    mode = thing({"mode": st.sampled_from(["AUTO", "ANY", "NONE", "VALIDATED"])})
    if names:
        named = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)
        mode = one_of(mode, thing({"mode": st.sampled_from(["ANY", "VALIDATED"]), "allowedFunctionNames": named}))
    return thing({"functionCallingConfig": mode}, {"retrievalConfig": objects})


USAGE = thing(
    {"promptTokenCount": counts, "candidatesTokenCount": counts},
    {
        "cachedContentTokenCount": counts,
        "thoughtsTokenCount": counts,
        "toolUsePromptTokenCount": counts,
        "promptTokensDetails": st.lists(
            thing({"modality": st.sampled_from(["TEXT", "IMAGE", "AUDIO", "VIDEO"]), "tokenCount": counts}), max_size=2
        ),
        "x_tier": words,
    },
)
FINISHES = st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "NO_IMAGE"])
ANSWER_PARTS = one_of(SAID_PART, SAID_PART, THOUGHT_PART, END_PART, IMAGE_PART, CODE_PARTS)


@st.composite
def candidates(draw: st.DrawFn, index: int) -> Json:
    """One of the answers."""
    parts: list[Json] = draw(st.lists(ANSWER_PARTS, max_size=3))
    for number, call in enumerate(draw(st.lists(CALL, max_size=2))):
        parts.append({"functionCall": {"id": f"call_{index}_{number}", **call}, **draw(thing({}, MARKS))})
    optional = {
        "safetyRatings": st.just([{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}]),
        "avgLogprobs": ratios,
        "finishMessage": filled,
    }
    ending = {"finishReason": draw(FINISHES), **draw(thing({}, optional))}
    return {"content": {"role": "model", "parts": parts or [{"text": "ok"}]}, "index": index, **ending}


@st.composite
def responses(draw: st.DrawFn) -> Json:
    """A whole answer."""
    entries = [draw(candidates(index)) for index in range(draw(st.integers(1, 2)))]
    head: Json = {"candidates": entries, "modelVersion": draw(words), "responseId": draw(words)}
    return {**head, "usageMetadata": draw(USAGE), **draw(thing({}, {"xVendor": objects}))}


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """An answer told part by part, each text cut in two, as SSE or as the JSON array of ``alt=json``."""
    answer = draw(responses())
    entries: list[Json] = answer.pop("candidates")
    usage = answer.pop("usageMetadata")
    cut = draw(st.integers(0, 9))
    chunks: list[Json] = []
    for entry in entries:
        for part in entry["content"]["parts"]:
            for piece in _pieces(part, cut):
                content = {"role": "model", "parts": [piece]}
                chunks.append({**answer, "candidates": [{"content": content, "index": entry["index"]}]})
    for entry in entries:
        ending = {key: value for key, value in entry.items() if key != "content"}
        chunks.append({**answer, "candidates": [ending], "usageMetadata": usage})
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    return "".join(f"data: {dumps(chunk).decode()}{line_end * 2}" for chunk in chunks).encode()


def _pieces(part: Json, cut: int) -> list[Json]:
    if part.keys() - {"thought"} != {"text"} or not part["text"]:
        return [part]
    return [{**part, "text": piece} for piece in (part["text"][:cut], part["text"][cut:]) if piece]
