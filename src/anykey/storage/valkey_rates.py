"""Rates in Valkey (or Redis 7), for several processes: a hash for each rate, decided by a script there.

The hash of a rate of a minute has a field for each slice of it; that of a limit of calls at the same time has a field for each
process, with how many it holds and until when. The clock is the server's. What a script decided, it also tells, and the same
rules (``accounts.rates``) make the same answer of it here. Nothing here is the only copy of anything: a server that comes back
empty begins a new minute, and gets the leases again with their next renewal.

Loaded only where a URL of one is configured: nothing else imports ``valkey``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from valkey.asyncio import Valkey
from valkey.exceptions import NoScriptError, ValkeyError

from anykey.accounts.rates import SLICE_MS, SLICES, Book, Exceeded, RatesUnavailable, Taken, Window, amount_of
from anykey.storage.rate_gate import LEASE_MS, Ask, Batch
from anykey.storage.valkey_server import place_of, spelled

PREFIX = "anykey:rates:"
TIMEOUT_S = 1.0
"""A connection that is silent for so long is given up, and the next question opens another."""

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local process, lease, slice, slices = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local at, fits, told, own = math.floor(now / slice), 1, {}, {}
for i, key in ipairs(KEYS) do
  local unit, limit, amount = ARGV[3 * i + 2], tonumber(ARGV[3 * i + 3]), tonumber(ARGV[3 * i + 4])
  local fields, kept, used = redis.call('HGETALL', key), {}, 0
  for j = 1, #fields, 2 do
    local field, value = fields[j], fields[j + 1]
    if unit == 'concurrency' then
      local held, ends = string.match(value, '(%d+):(%d+)')
      if tonumber(ends) > now and tonumber(ends) <= now + lease then
        used = used + tonumber(held)
        if field == process then own[i] = tonumber(held) end
      else
        redis.call('HDEL', key, field)
      end
    elseif tonumber(field) < at - slices or tonumber(field) > at + slices then
      redis.call('HDEL', key, field)
    else
      used = used + tonumber(value)
      kept[#kept + 1] = field
      kept[#kept + 1] = value
    end
  end
  told[i] = unit == 'concurrency' and {string.format('%d', used)} or kept
  if used + amount > limit then fits = 0 end
end
if fits == 1 then
  for i, key in ipairs(KEYS) do
    if ARGV[3 * i + 2] == 'concurrency' then
      redis.call('HSET', key, process, string.format('%d:%d', (own[i] or 0) + 1, now + lease))
    else
      redis.call('HINCRBY', key, string.format('%d', at), ARGV[3 * i + 4])
    end
    redis.call('PEXPIRE', key, (slices + 2) * slice)
  end
end
return {string.format('%d', now), told}
"""
_CORRECT = """
local used = redis.call('HGET', KEYS[1], ARGV[1])
if used then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', math.max(tonumber(used) + tonumber(ARGV[2]), 0)))
end
"""
_LEASE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%s:%d', ARGV[3], now + tonumber(ARGV[2])))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
"""
_KEPT_MS = (SLICES + 2) * SLICE_MS


class ValkeyRates:
    """The counter for ``rate_gate.RateGate`` at ``url``; ``process`` names this one's leases."""

    def __init__(self, url: str, process: str) -> None:
        self._process = process
        self._place = place_of(url)
        self._client: Any = Valkey.from_url(  # pyright: ignore[reportUnknownMemberType] - its types are partial
            spelled(url),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=None,
            retry_on_error=[],
            decode_responses=True,
            single_connection_client=True,
            client_name="anykey",
        )
        self._scripts: tuple[str, str, str] | None = None

    async def settle(self, batch: Batch) -> list[Taken | Exceeded]:
        """As ``rate_gate.Counter`` says."""
        try:
            try:
                told = await self._run(batch)
            except NoScriptError:  # it was restarted
                self._scripts = None
                told = await self._run(batch)
        except (ValkeyError, OSError, TimeoutError) as error:
            raise RatesUnavailable(f"{self._place}: {error or type(error).__name__}") from error
        return [_answer(ask, one) for ask, one in zip(batch.asks, told, strict=True)]

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _run(self, batch: Batch) -> list[Any]:
        """What the server tells of each ask, all in one write and one read."""
        if self._scripts is None:
            load = self._client.script_load
            self._scripts = (await load(_TAKE), await load(_CORRECT), await load(_LEASE))
        take, correct, lease = self._scripts
        pipe = self._client.pipeline(transaction=False)
        first = 0
        for (rate_id, at_slice), change in batch.corrections.items():
            pipe.evalsha(correct, 1, PREFIX + rate_id, at_slice, change)
            first += 1
        for rate_id, held in batch.leases.items():
            pipe.evalsha(lease, 1, PREFIX + rate_id, self._process, LEASE_MS, held, _KEPT_MS)
            first += 1
        for ask in batch.asks:
            pipe.evalsha(take, len(ask.rates), *self._arguments(ask))
        return cast("list[Any]", (await pipe.execute())[first:])

    def _arguments(self, ask: Ask) -> Iterable[object]:
        yield from (PREFIX + rate.id for rate in ask.rates)
        yield from (self._process, LEASE_MS, SLICE_MS, SLICES)
        for rate in ask.rates:
            yield from (rate.unit, rate.limit, amount_of(rate, ask.tokens))


def _answer(ask: Ask, told: Any) -> Taken | Exceeded:
    """The answer, made of what the script found before it decided."""
    now_ms, found = int(told[0]), told[1]
    book = Book()
    for rate, fields in zip(ask.rates, found, strict=True):
        if rate.unit == "concurrency":
            book.held[rate.id] = int(fields[0])
        else:
            pairs = zip(map(int, fields[::2]), map(int, fields[1::2]), strict=True)
            book.windows[rate.id] = Window(sorted(pairs))
    answer = book.take(ask.rates, ask.tokens, now_ms)
    return answer._replace(shared=True) if isinstance(answer, Taken) else answer
