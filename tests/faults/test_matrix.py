"""The fault matrix: F01 to F23 and F28, on eight lanes, against upstreams of the client's protocol and of others.

Each cell is called twice: where nothing else can answer, so that the client must hear of it in his own protocol, and with a
healthy deployment behind, so that he must not. Without `--full` a row meets the client's own protocol and one other, another one
in each row; with it all four, twenty times. What needs more than one call is in `test_matrix_sequences.py`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from anykey.administration.requests import attempts_of
from anykey.storage.exchanges import UsageFilter, recent_exchanges
from anykey.storage.records import ExchangeRow
from tests.fakes.agents import RESPONSES
from tests.fakes.answers import CHAT, MESSAGES
from tests.fakes.fault_scripts import REST_S, TEXT
from tests.fakes.fault_upstream import NETWORK, FaultUpstream
from tests.fakes.gateway import RunningGateway, WireReply
from tests.faults.hearing_sdks import sdk_raises
from tests.faults.lanes import FOUR, LANES, SHORT, Lane, call, check_refusal, error_at_end, heard_text, looks_finished

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET, GOOD_SECRET = "sk-faulty-7f3a9c", "sk-healthy-1b8e2d"
ROUNDS = 20
HASTY = "connect_s = 0.25, first_byte_s = 0.5, idle_s = 0.25"


class Expected(NamedTuple):
    """What a fault comes to: the kind of failure, and the upstream's status where it had one."""

    kind: str
    status: int | None = None
    slow: bool = False
    """It ends by a limit, so the limits are short."""


BROKEN = Expected("upstream_error")
LATE = Expected("upstream_timeout", slow=True)
EXPECTED: dict[str, Expected] = {
    "01-refused": BROKEN,
    "02-blackhole": LATE,
    "03-no-name": BROKEN,
    "03-servfail": BROKEN,
    "03-name-stall": LATE,
    "05-expired": BROKEN,
    "05-self-signed": BROKEN,
    "05-wrong-name": BROKEN,
    "05-no-tls": BROKEN,
    "06-tls-stall": LATE,
    "08-silent": LATE,
    "09-limited": Expected("rate_limited", 429),
    "09-unsaid": Expected("rate_limited", 429),
    "11-401": Expected("upstream_refused_credential", 401),
    "11-403": Expected("upstream_refused_credential", 403),
    "12-402": Expected("upstream_refused_credential", 402),
    "12-quota": Expected("quota_exhausted", 429),
    "14-500": Expected("upstream_error", 500),
    "14-502": Expected("upstream_error", 502),
    "14-503": Expected("unavailable", 503),
    "14-529": Expected("overloaded", 529),
    "15-302": Expected("upstream_error", 302),
    "15-308": Expected("upstream_error", 308),
    "16-html": BROKEN,
    "16-text": BROKEN,
    "16-foreign": BROKEN,
    "17-error": BROKEN,
    "18-short": BROKEN,
    "20-fields": BROKEN,
    "20-long": BROKEN,
    "21-error-first": Expected("overloaded"),
    "22-empty": BROKEN,
    "23-reset": BROKEN,
    "23-close": BROKEN,
    "23-end": BROKEN,
    "23-stall": LATE,
}
"""Every fault after which another deployment may be asked."""
STATUS = {
    "upstream_error": 502,
    "upstream_refused_credential": 502,
    "upstream_timeout": 504,
    "rate_limited": 429,
    "quota_exhausted": 429,
    "unavailable": 503,
    "overloaded": 503,
    "invalid_request": 400,
}
OWN_STATUS = {
    (MESSAGES, "overloaded"): 529,
    (RESPONSES, "upstream_refused_credential"): 424,  # Codex repeats a 5xx thirty times
}
"""Where a protocol's clients are told it by another status."""
FOR_SDKS = ["01-refused", "08-silent", "09-limited", "11-401", "13-400", "14-503", "21-error-first", "28-error-after"]
AFTER_CONTENT = ["28-error-after", "28-error-unended"]
ALL = [*EXPECTED, "13-400", *AFTER_CONTENT]


def provider(name: str, protocol: str, url: str, key: str, limits: str = "") -> list[str]:
    """A provider's lines of a configuration."""
    base_url = url + ("/v1" if protocol in (CHAT, RESPONSES) else "")
    return [
        f'[providers."{name}"]',
        'kind = "custom"',
        f'protocol = "{protocol}"',
        f'base_url = "{base_url}"',
        f'api_key = {{ env = "{key}" }}',
        f"timeouts = {{ {limits} }}",
    ]


class Cell(NamedTuple):
    """One model of the gateway's: a fault in this protocol behind it, and for the use `backed` a healthy one too."""

    fault: str
    lane: Lane
    upstream: str
    use: str

    @property
    def name(self) -> str:
        """The public model, the upstream's model, and the provider: nothing that one cell learns is known in another."""
        return f"{self.fault}.{self.lane}.{SHORT[self.upstream]}.{self.use}"

    @property
    def backup(self) -> str:
        """The healthy deployment's protocol: one of its own, where the upstream has the client's."""
        return self.lane.client if self.upstream != self.lane.client else FOUR[FOUR.index(self.upstream) - 1]

    @property
    def model(self) -> str:
        """What the healthy deployment is asked for."""
        return f"00-well.{self.name}"


def upstreams(fault: str, lane: Lane, *, full: bool) -> tuple[str, ...]:
    """The protocols that a fault is met in: the client's own and another one, or all."""
    foreign = [protocol for protocol in FOUR if protocol != lane.client]
    return FOUR if full else (lane.client, foreign[ALL.index(fault) % 3])


def cells(*, full: bool) -> list[Cell]:
    """All that the tests here need."""
    found = [
        Cell(fault, lane, upstream, use)
        for fault in ALL
        for lane in LANES
        for upstream in upstreams(fault, lane, full=full)
        for use in ("alone", "backed")
    ]
    return found + [Cell(fault, lane, lane.client, "sdk") for fault in FOR_SDKS for lane in LANES]


def configuration(upstream: FaultUpstream, wanted: list[Cell]) -> str:
    """A provider for each cell, and healthy ones in each protocol."""
    lines = [
        "[server]",
        "environment_providers = false",
        "discovery_hours = 0",
        "[upstream]",
        f'ca_file = "{upstream.ca_file}"',
    ]
    for protocol in FOUR:
        lines += provider(f"good-{SHORT[protocol]}", protocol, upstream.url("secure"), "GOOD_KEY")
    for cell in wanted:
        url = upstream.url(NETWORK.get(cell.fault, "open"))
        limits = HASTY if EXPECTED.get(cell.fault, BROKEN).slow else ""
        lines += provider(cell.name, cell.upstream, url, "LAB_KEY", limits)
        backup = [f"good-{SHORT[cell.backup]}/{cell.model}"] if cell.use == "backed" else []
        lines += [f'[models."{cell.name}"]', f"deployments = {[f'{cell.name}/{cell.name}', *backup]}"]
    return "\n".join([*lines, ""])


class Ground(NamedTuple):
    """Where the faults happen. `said` is every line that was logged."""

    gateway: RunningGateway
    upstream: FaultUpstream
    said: list[str]
    full: bool

    async def ask(self, cell: Cell) -> tuple[WireReply, ExchangeRow]:
        """One call and the one usage row it leaves; neither tells a credential or a host."""
        reply = await call(self.gateway, cell.lane, cell.name)
        told = f"{reply.headers} {reply.body.decode()}"
        assert not any(word in told for word in (SECRET, GOOD_SECRET, "127.0.0.1", ".invalid", "location")), told
        assert reply.headers["x-anykey-request-id"].startswith("req_")
        (row,) = await self._rows(cell)
        assert row.id == reply.headers["x-anykey-request-id"]
        return reply, row

    async def _rows(self, cell: Cell) -> list[ExchangeRow]:
        for _ in range(500):
            if found := recent_exchanges(self.gateway.home.database, 9, UsageFilter(model=cell.name)):
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"no usage row of {cell.name}")


class Listener(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ground" in metafunc.fixturenames and metafunc.config.getoption("--full"):
        metafunc.parametrize("ground", range(ROUNDS), indirect=True, scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    full = bool(request.config.getoption("--full"))
    listener = Listener()
    logger = logging.getLogger("anykey")
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    async with FaultUpstream() as upstream:
        keys = {"LAB_KEY": SECRET, "GOOD_KEY": GOOD_SECRET}
        folder = tmp_path_factory.mktemp("faults")
        async with RunningGateway(folder, configuration(upstream, cells(full=full)), keys) as gateway:
            yield Ground(gateway, upstream, listener.said, full)
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(listener)


async def all_of(*checks: Coroutine[Any, Any, None]) -> None:
    """Wait for all of them, whatever becomes of one, and then say what did."""
    for outcome in await asyncio.gather(*checks, return_exceptions=True):
        if outcome is not None:
            raise outcome


def told_status(client: str, kind: str) -> int:
    return OWN_STATUS.get((client, kind), STATUS[kind])


BEFORE_CONTENT = [(fault, lane) for fault in EXPECTED for lane in LANES] + [
    ("28-error-after", lane) for lane in LANES if not lane.stream
]


@pytest.mark.parametrize(("fault", "lane"), BEFORE_CONTENT, ids=str)
async def test_a_fault_before_content(ground: Ground, fault: str, lane: Lane) -> None:
    expected = EXPECTED.get(fault, BROKEN)
    met = [Cell(fault, lane, upstream, "") for upstream in upstreams(fault, lane, full=ground.full)]
    await all_of(
        *(is_told(ground, cell._replace(use="alone"), expected) for cell in met),
        *(is_covered(ground, cell._replace(use="backed"), expected) for cell in met),
    )
    for door in ("expired", "self-signed", "wrong-name"):
        assert ground.upstream.arrived[door] == b""
    assert not any(SECRET.encode() in arrived for arrived in ground.upstream.arrived.values())
    assert ground.upstream.canary == []


async def is_told(ground: Ground, cell: Cell, expected: Expected) -> None:
    """Nobody else can answer: one call, one row that costs nothing, and an error of the client's protocol."""
    reply, row = await ground.ask(cell)
    assert reply.status == told_status(cell.lane.client, expected.kind), reply.body
    check_refusal(cell.lane.client, reply)
    if cell.fault == "09-limited":
        assert reply.headers["retry-after"] == str(REST_S)
    assert (row.status, row.failure, row.attempts, row.usage_source) == (reply.status, expected.kind, 1, "none")
    assert (row.input_tokens, row.output_tokens, row.finish) == (0, 0, None)
    check_failed(ground, cell, expected, row)
    assert len(attempts_of(row)) == 1


async def is_covered(ground: Ground, cell: Cell, expected: Expected) -> None:
    """Somebody else answers: one clean answer, each was asked once, and the row tells both and charges one."""
    reply, row = await ground.ask(cell)
    assert (reply.status, reply.complete) == (200, True), reply.body
    assert heard_text(cell.lane, reply) == TEXT
    assert not cell.lane.stream or looks_finished(cell.lane.client, reply.body)
    assert reply.headers["x-anykey-provider"] == f"good-{SHORT[cell.backup]}"
    assert reply.headers["x-anykey-attempts"] == "2"
    assert (row.status, row.failure, row.attempts, row.usage_source) == (200, None, 2, "upstream")
    assert (row.input_tokens, row.output_tokens, row.deployment) == (7, 3, f"good-{SHORT[cell.backup]}/{cell.model}")
    (asked,) = ground.upstream.calls(cell.model)
    assert (asked.protocol, asked.credential) == (cell.backup, GOOD_SECRET)
    check_failed(ground, cell, expected, row)
    tries = attempts_of(row)
    assert [(one.number, one.outcome) for one in tries] == [(1, "failed"), (2, "answered")]
    assert tries[1].deployment == row.deployment


def check_failed(ground: Ground, cell: Cell, expected: Expected, row: ExchangeRow) -> None:
    """The faulty one was asked once at most, with its own credential, and the row says what came of it."""
    heard = ground.upstream.calls(cell.name)
    assert len(heard) == (cell.fault not in NETWORK)
    assert all((one.protocol, one.credential) == (cell.upstream, SECRET) for one in heard)
    failed = attempts_of(row)[0]
    assert (failed.number, failed.outcome, failed.failure) == (1, "failed", expected.kind)
    assert failed.deployment == f"{cell.name}/{cell.name}"
    assert failed.credential == f"{cell.name}#default"
    assert failed.reason
    assert SECRET not in failed.reason
    assert expected.status is None or failed.status == expected.status


@pytest.mark.parametrize("lane", LANES, ids=str)
async def test_a_refusal_of_the_request_is_passed_on(ground: Ground, lane: Lane) -> None:
    """F13: in the caller's shape with the upstream's words, and nobody else is asked."""

    async def check(cell: Cell) -> None:
        reply, row = await ground.ask(cell)
        assert reply.status == 400
        assert "It was 400" in check_refusal(lane.client, reply)
        assert len(ground.upstream.calls(cell.name)) == 1
        assert ground.upstream.calls(cell.model) == []
        assert (row.status, row.failure, row.attempts) == (400, "invalid_request", 1)

    met = upstreams("13-400", lane, full=ground.full)
    await all_of(*(check(Cell("13-400", lane, upstream, use)) for upstream in met for use in ("alone", "backed")))


@pytest.mark.parametrize("fault", AFTER_CONTENT)
@pytest.mark.parametrize("lane", [lane for lane in LANES if lane.stream], ids=str)
async def test_an_error_after_content(ground: Ground, fault: str, lane: Lane) -> None:
    """F28: told in-band, and nobody else is asked: the upstream is paid for what it said."""

    async def check(cell: Cell) -> None:
        reply, row = await ground.ask(cell)
        assert (reply.status, reply.complete, heard_text(lane, reply)) == (200, True, "Hello")
        told = (error_at_end(lane.client, reply.body) or {})["message"]
        # An event without its end is none; who reads it all the same may say what it says.
        assert "it fell over" in told or (fault == "28-error-unended" and "before the answer was complete" in told)
        assert not looks_finished(lane.client, reply.body)
        assert len(ground.upstream.calls(cell.name)) == 1
        assert ground.upstream.calls(cell.model) == []
        assert (row.status, row.failure, row.attempts, row.finish) == (200, "upstream_error", 1, None)

    met = upstreams(fault, lane, full=ground.full)
    await all_of(*(check(Cell(fault, lane, upstream, use)) for upstream in met for use in ("alone", "backed")))


@pytest.mark.parametrize("fault", FOR_SDKS)
async def test_the_official_sdks_raise_what_they_document(ground: Ground, fault: str) -> None:
    kind = "invalid_request" if fault == "13-400" else EXPECTED.get(fault, BROKEN).kind

    async def check(lane: Lane) -> None:
        told_in_stream = fault in AFTER_CONTENT and lane.stream
        status = None if told_in_stream else told_status(lane.client, kind)
        await sdk_raises(ground.gateway, lane, Cell(fault, lane, lane.client, "sdk").name, status)

    await all_of(*(check(lane) for lane in LANES))


async def test_the_books_and_the_log(ground: Ground) -> None:
    """What was charged is what the healthy deployments say they answered; no credential was ever logged."""
    rows = recent_exchanges(ground.gateway.home.database, 1_000_000, UsageFilter())
    answers = sum(heard.model.startswith("00-well") for heard in ground.upstream.heard)
    charged = [row for row in rows if row.failure is None]
    assert (sum(row.input_tokens for row in charged), sum(row.output_tokens for row in charged)) == (
        7 * answers,
        3 * answers,
    )
    assert len({row.id for row in rows}) == len(rows)
    logging.getLogger("anykey.exchange").debug("the end")
    assert ground.said[-1] == "the end"
    assert not [line for line in ground.said if SECRET in line or GOOD_SECRET in line]
