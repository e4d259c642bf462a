"""Says where lanes of a vendor would be mixed up: a kind at the address of another lane, a key used for two of them."""

from collections.abc import Iterable

from anykey.providers.configured import ProviderSettings
from anykey.providers.lanes import allows, kind_for, owners_of, shared_credentials
from anykey.providers.records import ProviderKind
from anykey.settings.section import Path, Source


def check_address(source: Source, path: Path, kind: ProviderKind, base_url: str) -> None:
    """Add a problem where `kind` may not be called at `base_url`, a warning where that is another kind's own address."""
    owners = owners_of(base_url)
    if kind.lane_rule is not None and not allows(kind.lane_rule, base_url):
        other = kind_for(kind.lane_rule, base_url)
        own = kind.endpoints[0]
        source.problem(
            path,
            "settings.wrong_lane",
            kind=kind.id,
            lane=own.lane,
            address=own.base_url,
            other=other.id if other is not None else "custom",
        )
    elif owners and kind.id not in owners:
        source.warn(path, "settings.foreign_address", kind=kind.id, owner=owners[0])


def check_credentials(source: Source, providers: Iterable[ProviderSettings]) -> None:
    """Add a problem for each pair of providers that are lanes of one vendor and would use one credential."""
    for first, second in shared_credentials(providers):
        source.problem(
            ("providers", second.name, "api_key"),
            "settings.shared_credential",
            first=f"{first.name} ({first.kind.id})",
            second=f"{second.name} ({second.kind.id})",
        )
