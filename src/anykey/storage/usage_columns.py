"""The columns of usage that was added up, and how each is made from single calls. No SQLAlchemy.

Law: one list for the tables, for the job that fills them and for questions about calls that are not added up yet, so that the
three cannot disagree. A histogram counts answered calls by their milliseconds: those can be added, percentiles cannot.
"""

from collections.abc import Sequence

TEXTS = (
    "organisation",
    "team",
    "member_id",
    "key_id",
    "client",
    "model_asked",
    "model_answered",
    "provider",
    "deployment",
    "group_name",
    "scenario",
    "failure",
    "price_id",
)
"""What calls can be told apart by; NULL where a call has no such thing."""
NUMBERS = ("status_class",)
"""The same, in numbers: 2 for all 2xx."""

EDGES_MS = (
    *(50, 100, 150, 200, 300, 400, 600, 800),
    *(1000, 1500, 2000, 3000, 4000, 6000, 8000),
    *(12_000, 20_000, 40_000, 80_000),
)
"""Where the bars of a histogram end, each belonging to its bar; the last bar has no end."""

SECOND_BAR = 2**31
"""Two bars share a column: what a row has to carry is what a report costs. The second counts in units of this; two
thousand million calls of one bar in one sum would be too many."""

_ANSWERED = "failure IS NULL AND status < 400"
_GENERATED = f"{_ANSWERED} AND first_token_ms IS NOT NULL AND total_ms > first_token_ms"


def _one_if(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _bars(column: str) -> dict[str, str]:
    """The bars of a column of milliseconds, two in each sum, by the names of their columns."""
    edges = [-1, *EDGES_MS, 2**62]
    bars: dict[str, str] = {}
    for place in range(0, len(EDGES_MS), 2):
        below, between, above = edges[place : place + 3]
        within = f"{_ANSWERED} AND {column} > {below} AND {column} <= {above}"
        one = f"CASE WHEN {column} <= {between} THEN 1 ELSE {SECOND_BAR} END"
        bars[f"{column}_{place}"] = f"CASE WHEN {within} THEN {one} ELSE 0 END"
    return bars


COUNTS: dict[str, str] = {
    "exchanges": "1",
    "failures": _one_if(f"NOT ({_ANSWERED})"),
    "unpriced": _one_if(f"{_ANSWERED} AND cost_nano IS NULL"),
    "estimated": _one_if("usage_source = 'estimated'"),
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_5m_tokens": "cache_write_5m_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "output_tokens": "output_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "cost_nano": "COALESCE(cost_nano, 0)",
    "generation_tokens": f"CASE WHEN {_GENERATED} THEN output_tokens + reasoning_tokens ELSE 0 END",
    "generation_ms": f"CASE WHEN {_GENERATED} THEN total_ms - first_token_ms ELSE 0 END",
}
"""What is added up, and from which expression over a row of `exchanges`. `generation` is from the first token to the last."""
HISTOGRAMS: dict[str, dict[str, str]] = {column: _bars(column) for column in ("first_token_ms", "total_ms")}
SUMS: dict[str, str] = COUNTS | HISTOGRAMS["first_token_ms"] | HISTOGRAMS["total_ms"]
OF_CALL: dict[str, str] = {name: name for name in TEXTS} | {"status_class": "status / 100"}
"""What a call is told apart by, as an expression over its row."""


def bars_of(sums: Sequence[int]) -> list[int]:
    """The bars in the sums of a histogram's columns."""
    return [bar for both in sums for bar in (both % SECOND_BAR, both // SECOND_BAR)]


def quantile_ms(bars: Sequence[int], share: float) -> int | None:
    """The milliseconds that `share` (0 to 1) of the calls in a histogram took at the most, straight within a bar; of those in the
    last bar only its beginning is known. None: there were none."""
    rank, below = share * sum(bars), 0
    if not any(bars):
        return None
    for count, edge in zip(bars, EDGES_MS, strict=False):
        if count and rank <= count:
            return round(below + (edge - below) * rank / count)
        rank -= count
        below = edge
    return EDGES_MS[-1]
