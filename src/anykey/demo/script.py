"""What the demo model says. Law: pure and deterministic: the same prompt gives the same performance.

The first of these that fits is the answer:

1. The conversation ends with tool results: `The tool answered: "<first line>"` for each, or, when the user had asked
   for the first line of a file, `The first line is: "<first line>"`. Nothing else in the prompt acts a second time,
   except that `use three tools` (two to nine, or a digit) asks for that many turns of one call each: the calls of row
   4 by turns, or the call of any row below it again.
2. A helper call of a program (title, commit message, summary; recognised by its system text): a short title.
3. `fail STATUS message` (400 to 599): that HTTP status in the protocol's error shape; 429 says retry-after 2.
4. `call NAME {json}`, once or several times: those tool calls, if any tool is offered. `call NAME` alone works for a
   tool that is offered; one that takes free text gets the rest of what was said. A tool choice that demands a call gets
   one with the smallest valid arguments.
5. `edit FILE: TEXT` or `edit FILE: OLD => NEW` with a tool offered that patches or writes files: a call of it.
6. `read FILE` (open, view, show, cat) with a tool offered that reads files: a call of it. Absolute paths are made
   with the working directory that the program tells its model.
7. A JSON response format, or `json`: the smallest value that the schema allows.
8. Anything else: `This is anykey's demo model. You said: <first 200 characters>.`

These add to the answer: `wait N` (silent for N <= 60 seconds first), `think` (reasoning first; a model called
`demo-thinking` always does), `long N` (N words of text), `break` (half of the answer, then a TCP reset), `cut` (no
terminator at the end). Apart from `call`, orders are read in the first line of what the user said, outside double quotes;
`think`, `json`, `break` and `cut` must begin a clause, and the last two must be the whole of it, so that ordinary sentences
do not set them off.

Stop sequences and the token limit are kept. A token is four bytes (`prompt.tokens`).
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from anykey.demo.editing import editing_call
from anykey.demo.files import first_line, reading_call
from anykey.demo.prompt import Prompt, Tool, tokens
from anykey.demo.sample import sample

TITLE = "Demo conversation"
_LONGEST_SILENCE_S = 60
_MOST_WORDS = 20_000
_REASONING = "The user wrote to the demo model. I answer as my script says."
_WORD = re.compile(r"\s*\S+\s*\Z|\s*\S+")

_FAIL = re.compile(r"\bfail\s+([45]\d\d)\b[ \t]*(.*)", re.IGNORECASE)
_WAIT = re.compile(r"\bwait\s+(\d+(?:\.\d+)?)\b", re.IGNORECASE)
_LONG = re.compile(r"\blong\s+(\d+)\b", re.IGNORECASE)
_CALL = re.compile(r"\bcall\s+([\w.:-]*\w)", re.IGNORECASE)
_SEVERAL = re.compile(r"\buse\s+(two|three|four|five|six|seven|eight|nine|[2-9])\s+tools\b", re.IGNORECASE)
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_CLAUSE = re.compile(r"[;,.]|\bthen\b|\band\b", re.IGNORECASE)
_HELPER = re.compile(
    r"\btitle generator\b|\bnaming a coding session\b|^\W*(?:briefly\W+)?summari[sz]e\b"
    r"|\bgenerat\w+\b[^.\n]{0,80}\b(?:titles?|commit messages?)\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; `arguments` is the text of a JSON object, or the free text for a tool that takes it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error in place of an answer."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Performance:
    """One answer, in the order it is given: silence, then a refusal or reasoning, text, calls and an ending."""

    silence_s: float = 0.0
    refusal: Refusal | None = None
    reasoning: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()
    finish: Literal["stop", "length", "tool_calls"] = "stop"
    stop_sequence: str | None = None
    accident: Literal["cut", "reset"] | None = None

    @property
    def reasoning_tokens(self) -> int:
        """Tokens spent before the answer; a part of `output_tokens`."""
        return tokens(self.reasoning)

    @property
    def output_tokens(self) -> int:
        """All tokens produced."""
        spoken = tokens(self.text) + sum(tokens(call.name + call.arguments) for call in self.calls)
        return self.reasoning_tokens + spoken


@dataclass(frozen=True, slots=True)
class _Orders:
    """What the first line of the prompt asks for."""

    fail: Refusal | None
    wait_s: float
    words: int
    clauses: tuple[str, ...]

    def begins(self, word: str) -> bool:
        return any(clause.split()[0] == word for clause in self.clauses)


def perform(prompt: Prompt) -> Performance:
    """The demo model's answer to a prompt; see the table above."""
    if prompt.new_results:
        return _kept_to_limits(prompt, _after_results(prompt))
    if not prompt.tools and _HELPER.search(prompt.system):
        return _kept_to_limits(prompt, Performance(text=_text(prompt, TITLE, word=TITLE)))
    orders = _orders(prompt.said)
    if orders.fail:
        return Performance(silence_s=orders.wait_s, refusal=orders.fail)
    calls = _calls(prompt)[: 1 if _turns_asked(prompt) else None]
    answer = Performance(
        silence_s=orders.wait_s,
        reasoning=_REASONING if prompt.thinks or orders.begins("think") else "",
        text=_words(orders.words) if calls else _spoken(prompt, orders),
        calls=calls,
        finish="tool_calls" if calls else "stop",
    )
    return _with_accident(_kept_to_limits(prompt, answer), orders)


def _after_results(prompt: Prompt) -> Performance:
    """The next of several calls asked for one after another, else what the tools answered."""
    reasoning = _REASONING if prompt.thinks else ""
    calls = _calls(prompt) if prompt.results_since_said < _turns_asked(prompt) else ()
    if calls:
        call = calls[prompt.results_since_said % len(calls)]
        return Performance(reasoning=reasoning, calls=(call,), finish="tool_calls")
    return Performance(reasoning=reasoning, text=_text(prompt, _about_results(prompt)))


def words(text: str) -> list[str]:
    """The pieces a text is streamed in: each word with the blanks before it. Joined they are the text."""
    return _WORD.findall(text) or ([text] if text else [])


def _orders(said: str) -> _Orders:
    line = said.partition("\n")[0]
    plain = _QUOTED.sub(lambda quoted: "_" * len(quoted.group()), line)  # same length: places stay the same
    fail, wait, long = _FAIL.search(plain), _WAIT.search(plain), _LONG.search(plain)
    rest = _LONG.sub(";", _WAIT.sub(";", _FAIL.sub(";", plain)))
    refusal = None
    if fail:
        status = int(fail.group(1))
        message = line[fail.start(2) :].strip() or f"The demo model was asked to fail with {status}."
        refusal = Refusal(status, message)
    return _Orders(
        fail=refusal,
        wait_s=min(float(wait.group(1)), _LONGEST_SILENCE_S) if wait else 0.0,
        words=min(int(long.group(1)), _MOST_WORDS) if long else 0,
        clauses=tuple(clause for part in _CLAUSE.split(rest) if (clause := part.strip().lower())),
    )


def _calls(prompt: Prompt) -> tuple[Call, ...]:
    if not prompt.tools:
        return ()
    if ordered := _ordered_calls(prompt):
        return ordered
    if editing := editing_call(prompt):
        return (Call(*editing),)
    if reading := reading_call(prompt):
        return (Call(reading[0], _compact(reading[1])),)
    if prompt.must_call or _turns_asked(prompt):
        return (_smallest_call(prompt.tools[0]),)
    return ()


def _smallest_call(tool: Tool) -> Call:
    return Call(tool.name, "demo" if tool.free_text else _compact(sample(tool.parameters) or {}))


def _turns_asked(prompt: Prompt) -> int:
    """How many tool turns one after another the user asks for, or 0."""
    found = _SEVERAL.search(_QUOTED.sub("", prompt.said.partition("\n")[0]))
    if not found:
        return 0
    number = found.group(1).lower()
    return int(number) if number.isdigit() else _NUMBERS.index(number) + 2


def _ordered_calls(prompt: Prompt) -> tuple[Call, ...]:
    # A gateway writes the namespace of a tool before its name where the protocol has none; the user need not know.
    offered = {tool.name.rpartition("__")[2]: tool for tool in prompt.tools} | {
        tool.name: tool for tool in prompt.tools
    }
    calls: list[Call] = []
    for found in _CALL.finditer(prompt.said):
        rest = prompt.said[found.end() :].lstrip()
        tool = offered.get(found.group(1))
        if tool and tool.free_text:
            return (*calls, Call(tool.name, rest))
        arguments = _object_at(rest)
        if arguments is None and tool and rest and _stands_for_text(tool):
            return (*calls, Call(tool.name, _compact({"input": rest})))
        if arguments is not None or tool:
            calls.append(Call(tool.name if tool else found.group(1), _compact(arguments or {})))
    return tuple(calls)


def _stands_for_text(tool: Tool) -> bool:
    """A function that a gateway made of a free-text tool: a string named ``input`` is all it takes."""
    properties: Any = tool.parameters.get("properties") if isinstance(tool.parameters, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - parsed JSON
    return isinstance(properties, dict) and properties == {"input": {"type": "string"}}


def _object_at(text: str) -> Any:
    """The JSON object that the text begins with, or None."""
    if not text.startswith("{"):
        return None
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _about_results(prompt: Prompt) -> str:
    opening = "The first line is" if "first line" in prompt.said.lower() else "The tool answered"
    return "\n".join(f'{opening}: "{first_line(result)}"' for result in prompt.new_results)


def _spoken(prompt: Prompt, orders: _Orders) -> str:
    if orders.begins("json") and prompt.schema is None:
        return _compact({"answer": "demo"})
    if orders.words:
        return _words(orders.words)
    # One line: a program such as Aider must not find a file listing of its own prompt in the answer.
    said = " ".join(prompt.said.split())[:200]
    return _text(prompt, f"This is anykey's demo model. You said: {said}.")


def _text(prompt: Prompt, plain: str, word: str = "demo") -> str:
    return plain if prompt.schema is None else _compact(sample(prompt.schema, word))


def _words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(1, count + 1))


def _kept_to_limits(prompt: Prompt, answer: Performance) -> Performance:
    """The answer cut at the first stop sequence and at the token limit; a call that does not fit is left out."""
    stops = [(answer.text.find(stop), stop) for stop in prompt.stop if stop and stop in answer.text]
    if stops:
        place, stop = min(stops)
        answer = replace(answer, text=answer.text[:place], calls=(), finish="stop", stop_sequence=stop)
    if not prompt.max_tokens or answer.output_tokens <= prompt.max_tokens:
        return answer
    reasoning = _first_tokens(answer.reasoning, prompt.max_tokens)
    text = _first_tokens(answer.text, prompt.max_tokens - tokens(reasoning))
    cut = replace(answer, reasoning=reasoning, text=text, calls=(), finish="length", stop_sequence=None)
    for call in answer.calls:
        grown = replace(cut, calls=(*cut.calls, call))
        if grown.output_tokens > prompt.max_tokens:
            break
        cut = grown
    return cut


def _first_tokens(text: str, count: int) -> str:
    return text.encode()[: 4 * max(count, 0)].decode(errors="ignore")


def _with_accident(answer: Performance, orders: _Orders) -> Performance:
    if "break" in orders.clauses:
        pieces = words(answer.text)
        return replace(answer, text="".join(pieces[: (len(pieces) + 1) // 2]), accident="reset")
    return replace(answer, accident="cut") if "cut" in orders.clauses else answer


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
