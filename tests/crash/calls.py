"""Every call of the crash tests is known by one number, which is in the name of the model it asks for.

The number decides who calls, in which protocol, what the upstream answers and what it bills. So three parties that never
speak to each other (the client, the upstream, the ledger) can be compared call by call afterwards. The public models are
`chat-*`, `messages-*` and `responses-*`; each leads to the same name at the upstream.
"""

from fractions import Fraction
from typing import Any, Literal, NamedTuple, get_args

Wire = Literal["chat", "messages", "responses"]
WIRES: tuple[Wire, ...] = get_args(Wire)
PATHS: dict[Wire, str] = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
}
MAX_OUTPUT_TOKENS = 64
RACE = "race"
RACE_PRICE_USD = "0.01"
# Pico-USD a token: odd enough that a cost names its call, and that nearly every one has to be rounded.
INPUT_PICO, CACHE_READ_PICO, OUTPUT_PICO = 3_000_137, 300_019, 15_000_311


class Usage(NamedTuple):
    """What the upstream bills."""

    uncached: int
    cached: int
    output: int

    @property
    def cost_nano(self) -> int:
        """In nano-USD: the exact sum, rounded once, half to even."""
        pico = self.uncached * INPUT_PICO + self.cached * CACHE_READ_PICO + self.output * OUTPUT_PICO
        return round(Fraction(pico, 1000))


def usage_of(number: int) -> Usage:
    """What call `number` costs the upstream's customer."""
    return Usage(50 + number % 97, number * 7 % 31, 5 + number % 41)


class CallPlan(NamedTuple):
    """How call `number` is made and answered. `leaves`: the client goes away in the middle of its stream."""

    number: int
    client: Wire
    upstream: Wire
    stream: bool
    leaves: bool
    refused: bool

    @property
    def model(self) -> str:
        """The public model's name, and the upstream's."""
        return model_of(self.upstream, self.number)

    def body(self) -> dict[str, Any]:
        """The request, in the client's protocol."""
        text = f"Call {self.number}."
        match self.client:
            case "responses":
                return {
                    "model": self.model,
                    "input": text,
                    "store": False,
                    "max_output_tokens": MAX_OUTPUT_TOKENS,
                    "stream": self.stream,
                }
            case _:
                messages = [{"role": "user", "content": text}]
                more = {"stream_options": {"include_usage": True}} if self.stream and self.client == "chat" else {}
                return {
                    "model": self.model,
                    "messages": messages,
                    "max_tokens": MAX_OUTPUT_TOKENS,
                    "stream": self.stream,
                    **more,
                }


def plan_of(number: int) -> CallPlan:
    """The plan of call `number`: all pairs of protocols, whole and streamed; some are left, some refused."""
    stream = number // 9 % 2 == 1
    refused = is_refused(number)
    return CallPlan(
        number,
        client=WIRES[number % 3],
        upstream=WIRES[number // 3 % 3],
        stream=stream,
        leaves=stream and not refused and number % 13 == 0,
        refused=refused,
    )


def is_refused(number: int) -> bool:
    """Whether the upstream answers this call with a 400, which costs nothing."""
    return number % 17 == 0


def model_of(upstream: Wire, number: int) -> str:
    """`chat-17`."""
    return f"{upstream}-{number}"


def number_of(model: str) -> int | None:
    """17 for `chat-17` and for `lab/chat-17`; None for a model that is not of these tests."""
    kind, _, digits = model.rpartition("/")[2].partition("-")
    return int(digits) if kind in {*WIRES, RACE} and digits.isdigit() else None


def race_request(number: int) -> dict[str, Any]:
    """A call in Chat for a model that is paid by the call."""
    return {"model": f"{RACE}-{number}", "messages": [{"role": "user", "content": "Go."}], "max_tokens": 16}


def is_race(model: str) -> bool:
    """Whether a call belongs to a budget race."""
    return model.startswith(RACE)
