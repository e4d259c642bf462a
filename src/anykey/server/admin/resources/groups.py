"""Routing groups, as they are in force: they stand in the configuration file, which is where they are changed."""

from anykey.routing.snapshot import Group
from anykey.server.admin.refusals import missing
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Id, Listed, Paged, Told, listed
from anykey.storage.paging import page_of

GROUPS = Resource("groups")


class GroupTold(Told):
    """What the keys of a group may ask for and where that goes. `models` are globs; no `providers`: any."""

    name: str
    models: list[str]
    providers: list[str]
    price_multiplier: str
    routes: list[str]
    scenarios: dict[str, str]
    long_context_tokens: int | None
    config: str | None


@GROUPS.operation("GET", "/admin/v1/groups", permission="groups:read")
def groups_list(caller: Calling, query: Paged) -> Listed[GroupTold]:
    """List the groups."""
    groups = caller.premises.gateway.snapshot.groups.values()
    return listed(page_of(groups, lambda group: (group.name,), query.cursor, query.limit), told)


@GROUPS.operation("GET", "/admin/v1/groups/{name}", permission="groups:read")
def groups_get(caller: Calling, name: Id) -> GroupTold:
    """Show one group."""
    group = caller.premises.gateway.snapshot.groups.get(name)
    if group is None:
        raise missing("groups.not_found", f"No group is called {name!r}.")
    return told(group)


def told(group: Group) -> GroupTold:
    """The group; of its routes the names that they are for."""
    scenarios = group.scenarios
    return GroupTold(
        name=group.name,
        models=list(group.models),
        providers=list(group.providers),
        price_multiplier=str(group.price_multiplier),
        routes=[*group.routes, *(f"{wildcard.before}*{wildcard.after}" for wildcard, _ in group.wild_routes)],
        scenarios={} if scenarios is None else dict(scenarios.models),
        long_context_tokens=None if scenarios is None else scenarios.long_context_tokens,
        config=group.config,
    )
