"""Log probabilities, both ways: ``logprobsResult`` and the list of tokens that the neutral model holds (``content``, each with
its ``logprob`` and ``top_logprobs``)."""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.protocols.gemini_generate.spelling import is_array, is_object


def decode_logprobs(value: Any) -> Json | None:
    """``{"content": [{token, token_id, logprob, bytes, top_logprobs}]}``; None where no token is chosen. ``bytes`` stays
    null: the provider does not say them."""
    if not is_object(value):
        return None
    ranked = _objects(value.get("topCandidates"))
    content: list[Json] = []
    for position, chosen in enumerate(_objects(value.get("chosenCandidates"))):
        others = _objects(ranked[position].get("candidates")) if position < len(ranked) else []
        content.append({**_token(chosen), "top_logprobs": [_token(other) for other in others]})
    return {"content": content} if content else None


def _token(value: Json) -> Json:
    token: Json = {"token": value.get("token") or "", "logprob": value.get("logProbability") or 0.0, "bytes": None}
    if value.get("tokenId") is not None:
        token["token_id"] = value["tokenId"]
    return token


def encode_logprobs(value: Json, path: str, log: LossLog) -> Json | None:
    """``logprobsResult``; None where there is nothing to tell."""
    for key, item in value.items():
        if key != "content" and item:
            log.dropped(f"{path}.{key}", "log probabilities are those of the text")
    entries = _objects(value.get("content"))
    if not entries:
        return None
    if any(_has_other_bytes(entry) for entry in entries):
        log.dropped(f"{path}.content[0].bytes", "a token is told as text")
    out: Json = {"chosenCandidates": [_candidate(entry) for entry in entries]}
    ranked = [_objects(entry.get("top_logprobs")) for entry in entries]
    if any(ranked):
        out["topCandidates"] = [{"candidates": [_candidate(other) for other in others]} for others in ranked]
    return out


def _candidate(entry: Json) -> Json:
    out: Json = {"token": entry.get("token"), "logProbability": entry.get("logprob")}
    if entry.get("token_id") is not None:
        out["tokenId"] = entry["token_id"]
    return out


def _has_other_bytes(entry: Json) -> bool:
    """The token is a piece of a letter, which its text cannot say."""
    octets: Any = entry.get("bytes")
    token: Any = entry.get("token")
    return is_array(octets) and isinstance(token, str) and octets != list(token.encode("utf-8", "surrogatepass"))


def _objects(value: Any) -> list[Json]:
    return [entry for entry in value if is_object(entry)] if is_array(value) else []
