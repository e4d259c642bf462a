"""The keys this gateway issues: their text, their digest, and whether one may call.

    ak-<id: 10 of 0-9a-z>-<secret: 27 base62 digits, 160 random bits><checksum: 6 base62 digits>

The id is public: it names the key in lists, logs and usage rows. The checksum (CRC-32 of everything before it) turns a
mistyped or cut key away before any lookup, and lets secret scanners be certain. What is stored is an HMAC-SHA256 of the
whole text under a pepper that lives outside the database, so a stolen database opens nothing. A secret of 160 random
bits needs no slow hash: there is nothing to guess.
"""

import hmac
import re
import zlib
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from anykey.accounts.permissions import Actor, MemberRole
from anykey.accounts.purse import DEFAULT_ORGANISATION, Purse

PREFIX = "ak-"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 10
SECRET_BYTES = 20
SECRET_LENGTH = 27
CHECKSUM_LENGTH = 6
KEY_LENGTH = len(PREFIX) + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH
SHOWN_LENGTH = 4

_SHAPE = re.compile(rf"ak-([0-9a-z]{{{ID_LENGTH}}})-[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}")
_PAIRS = tuple(high + low for high in BASE62 for low in BASE62)
_NO_DIGEST = bytes(32)


class ParsedKey(msgspec.Struct, frozen=True):
    """A key text whose shape and checksum are right; whether it was ever issued is not known yet."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, text='***')"


class MintedKey(ParsedKey, frozen=True):
    """A new key, in the only moment its text exists on our side."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an issued key. Times are Unix seconds; `last4` are the last characters of its text. `strict`: a call
    that an upstream could only be sent with a loss is refused. `group_name`: the routing group; None: the default one.
    `allowed_models`: globs of the model names it may ask for; None: those its team and the organisation allow. `config`: the
    gateway config its calls follow. `metadata`: what its calls are marked with. `admin`: it may use the admin API, with the role
    of the member it belongs to. `ip_allow`, `ip_deny`: networks (CIDR) it may and may not be used from. `logging`: `off`,
    `metadata` or, for `logging_days`, `full`. `previous_digest`: of the secret before the last rotation, good until
    `previous_until`. `purse` and `caps` (whose list it is, and its globs) come from its organisation, team and member; None and
    empty: they limit nothing. `role` is the member's; None: it belongs to no member."""

    id: str
    name: str
    digest: bytes
    last4: str
    created_at: int
    revoked_at: int | None = None
    strict: bool = False
    group_name: str | None = None
    team: str | None = None
    allowed_models: tuple[str, ...] | None = None
    config: str | None = None
    metadata: Mapping[str, str] | None = None
    admin: bool = False
    member_id: str | None = None
    ip_allow: tuple[str, ...] | None = None
    ip_deny: tuple[str, ...] | None = None
    logging: str | None = None
    organisation: str = DEFAULT_ORGANISATION
    expires_at: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    logging_days: int | None = None
    previous_digest: bytes | None = None
    previous_until: int | None = None
    purse: Purse | None = None
    caps: tuple[tuple[str, tuple[str, ...]], ...] = ()
    role: MemberRole | None = None

    @property
    def operator(self) -> bool:
        """Whether it is the key of one who runs the gateway: an admin key that belongs to no member of an organisation."""
        return self.admin and self.member_id is None


class KeyRefusal(StrEnum):
    """Why a well-formed key may not call. REVOKED and EXPIRED are told only to who holds the whole key."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"


def mint(random: Callable[[int], bytes]) -> MintedKey:
    """A new key from `random(n)`, which returns n bytes fit for secrets (such as `secrets.token_bytes`)."""
    return mint_again(_digits(int.from_bytes(random(16)), BASE36, ID_LENGTH), random)


def mint_again(key_id: str, random: Callable[[int], bytes]) -> MintedKey:
    """Another secret for the key of this id."""
    secret = _digits(int.from_bytes(random(SECRET_BYTES)), BASE62, SECRET_LENGTH)
    body = f"{PREFIX}{key_id}-{secret}"
    return MintedKey(key_id, body + _checksum(body))


def parse(text: str) -> ParsedKey | None:
    """The key in `text`, or None where its shape or its checksum is wrong. Touches no storage."""
    shape = _SHAPE.fullmatch(text)
    if shape is None or _checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
        return None
    return ParsedKey(shape[1], text)


def actor_of(key: ApiKey) -> Actor:
    """Whom its holder acts for: an operator, its member with that role, or, where it belongs to no member and is
    no admin key, somebody of its organisation who may nothing but look at the key itself."""
    if key.operator:
        return Actor(f"key:{key.id}", "operator", key_id=key.id)
    return Actor(f"key:{key.id}", key.role or "member", key.organisation, key.member_id, key.id)


def digest(text: str, pepper: bytes) -> bytes:
    """What is stored instead of the key: 32 bytes of HMAC-SHA256 under `pepper`."""
    return hmac.digest(pepper, text.encode(), "sha256")


def verify(parsed: ParsedKey, keys: Mapping[str, ApiKey], pepper: bytes, now_s: float) -> ApiKey | KeyRefusal:
    """The issued key that `parsed` is, or why it may not call at `now_s` (Unix seconds).

    An unknown id costs the same digest and comparison as a known one, so the time tells nothing.
    """
    key = keys.get(parsed.id)
    presented = digest(parsed.text, pepper)
    matches = hmac.compare_digest(presented, _NO_DIGEST if key is None else key.digest)
    if key is None or not (matches or _is_previous(key, presented, now_s)):
        return KeyRefusal.UNKNOWN
    if key.revoked_at is not None:
        return KeyRefusal.REVOKED
    return KeyRefusal.EXPIRED if has_expired(key, now_s) else key


def has_expired(key: ApiKey, now_s: float) -> bool:
    """Whether the key has an end, and it is behind us."""
    return key.expires_at is not None and now_s >= key.expires_at


def may_lapse(key: ApiKey, now_s: float) -> bool:
    """Whether what holds of the key now stops to hold by the clock alone: it has an end, or two secrets for a while."""
    return key.expires_at is not None or (key.previous_until is not None and now_s < key.previous_until)


def _is_previous(key: ApiKey, presented: bytes, now_s: float) -> bool:
    """Whether it is the secret before the last rotation, within the time that both are good."""
    if key.previous_digest is None or key.previous_until is None or now_s >= key.previous_until:
        return False
    return hmac.compare_digest(presented, key.previous_digest)


def _digits(number: int, alphabet: str, length: int) -> str:
    """The lowest `length` digits of `number`, in the base that `alphabet` spells."""
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    """CRC-32 in six base62 digits, two at a time from a table: this runs for every request."""
    rest, low = divmod(zlib.crc32(body.encode()), 3844)
    high, middle = divmod(rest, 3844)
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]
