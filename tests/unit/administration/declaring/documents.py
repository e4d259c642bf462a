"""Documents for the tests, drawn and written down, and the data directory they are applied to."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from anykey.administration.declaring.applying import Applied, Around, apply_document
from anykey.administration.declaring.document import VERSION, Document, read_document
from anykey.administration.home import Home
from anykey.settings import Settings, load_settings

FULL = """
anykey: 1
organisations:
  default:
    budgets: {1d: 10}
    teams: {red: {allowed_models: ["gpt-*"], budgets: {lifetime: "5.5"}}}
    members: {ann: {role: admin, email: a@b.c, team: red, budgets: {30d: "1"}}}
    keys:
      ci: {group: g, owner: ann, requests_per_minute: 5, expires_at: 2027-01-01, ip_allow: ["10.0.0.1"], budgets: {5h: 1},
           metadata: {client: codex}, strict: true}
      root: {admin: true}
  acme: {prepaid: true, low_balance: "2", allowed_models: ["claude-*"], keys: {one: {team: ""}}}
rate_cards:
  - {model: m1, input: "1", output: "2", effective_from: "2026-11-01"}
  - {model: m1, input: "1", output: "3", effective_from: "2026-12-01"}
  - {model: m2, provider: p, per_call: "0.5"}
configs: {c: {retry: {attempts: 2}}}
webhooks:
  - {url: "https://example.com/x", events: [balance.low]}
  - {url: "https://example.com/y", events: [budget.reached, balance.low], organisation: acme}
"""


def around(home: Home, **environ: str) -> Around:
    """Where credentials are looked for: the given variables, the data directory."""

    def settings() -> Settings:
        return load_settings({"ANYKEY_HOME": str(home.path)})

    return Around(environ, home.path, settings)


def applied(home: Home, text: str, *, dry_run: bool = False, prune: bool = False, **environ: str) -> Applied:
    """Apply the YAML."""
    return apply_document(
        home, read_document(text.encode(), "a.yaml"), around(home, **environ), dry_run=dry_run, prune=prune
    )


def lines(found: Applied) -> list[str]:
    """The changes, as short as they can be told apart."""
    return [" ".join(filter(None, (change.sign, change.path, change.field))) for change in found.changes]


_names = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/:"), min_size=1, max_size=12
)
_texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
_amounts = st.integers(0, 10**15).map(lambda nano: f"{nano // 10**9}.{nano % 10**9:09d}") | st.integers(0, 1000)
_budgets = st.dictionaries(st.sampled_from(["lifetime", "5h", "1d", "7d", "30d"]), _amounts, max_size=2)
_globs = st.lists(_names, max_size=2)
_networks = st.lists(st.ip_addresses().map(str), max_size=2)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def _organisations(draw: st.DrawFn) -> dict[str, Any]:
    entry = draw(_some(prepaid=st.booleans(), allowed_models=_globs, low_balance=_amounts, budgets=_budgets))
    teams = draw(st.dictionaries(_names, _some(allowed_models=_globs, budgets=_budgets), max_size=2))
    team = st.sampled_from(["", *teams])
    role = st.sampled_from(["owner", "admin", "billing", "member", "viewer"])
    members = draw(
        st.dictionaries(_names, _some(role=role, email=st.just("a@b.example"), team=team, budgets=_budgets), max_size=2)
    )
    number = st.integers(0, 10**6)
    key = _some(
        group=_texts,
        team=team,
        owner=st.sampled_from(["", *members]),
        admin=st.booleans(),
        strict=st.booleans(),
        allowed_models=_globs,
        config=_texts,
        metadata=st.dictionaries(_names, _texts, max_size=2),
        budgets=_budgets,
        requests_per_minute=number,
        tokens_per_minute=number,
        concurrency=number,
        expires_at=st.integers(1, 4_000_000_000) | st.just("2030-01-01"),
        ip_allow=_networks,
        ip_deny=_networks,
        logging=st.sampled_from(["", "off", "metadata"]),
        logging_days=st.integers(0, 365),
    )
    return {**entry, "teams": teams, "members": members, "keys": draw(st.dictionaries(_names, key, max_size=2))}


_prices = st.integers(0, 10**6).map(lambda price: f"{price / 100:.2f}")
_cards = st.fixed_dictionaries(
    {"model": st.sampled_from(["a", "b*"]), "input": _prices, "output": _prices},
    optional={"provider": st.just("p"), "per_call": _prices, "effective_from": st.integers(0, 2 * 10**9)},
)
_hooks = st.fixed_dictionaries(
    {
        "url": st.sampled_from(["https://example.com/a", "https://example.com/b"]),
        "events": st.lists(st.sampled_from(["balance.low", "budget.reached"]), min_size=1, max_size=2, unique=True),
    }
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any document that can be meant, without credentials."""
    named = {"default": draw(_organisations()), **draw(st.dictionaries(_names, _organisations(), max_size=1))}
    table = {
        "anykey": VERSION,
        "organisations": named,
        "rate_cards": draw(st.lists(_cards, max_size=3)),
        "configs": draw(
            st.dictionaries(st.sampled_from(["x", "y.z"]), st.just({"retry": {"attempts": 2}}), max_size=2)
        ),
        "webhooks": draw(st.lists(_hooks, max_size=2)),
    }
    return read_document(msgspec.json.encode(table), "drawn.json")
