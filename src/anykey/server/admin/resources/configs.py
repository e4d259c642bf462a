"""Gateway configs: named, in versions that never change."""

import json
from typing import Any

from anykey.administration.configs import delete_config, find_config, list_configs, put_config
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Id, Listed, Paged, Told, listed
from anykey.storage.configs import ConfigRow
from anykey.storage.paging import page_of

CONFIGS = Resource("configs")


class ConfigTold(Told):
    """One version of a config; the list has the newest of each."""

    name: str
    version: int
    created_at: int
    config: dict[str, Any]


class NewConfig(Asked):
    """The config as `anykey configs put` takes it."""

    config: dict[str, Any]


class ConfigKept(Told):
    """`new` is false where it was so before. `notes`: what in it will not be done."""

    config: ConfigTold
    new: bool
    notes: list[str]


class ConfigDeleted(Told):
    """How many versions are gone."""

    name: str
    versions: int


@CONFIGS.operation("GET", "/admin/v1/configs", permission="configs:read")
def configs_list(caller: Calling, query: Paged) -> Listed[ConfigTold]:
    """List the newest version of each config."""
    return listed(page_of(list_configs(caller.home), lambda row: (row.name,), query.cursor, query.limit), told)


@CONFIGS.operation("GET", "/admin/v1/configs/{reference}", permission="configs:read")
def configs_get(caller: Calling, reference: Id) -> ConfigTold:
    """Show a config by `name`, or one version by `name@version`."""
    return told(find_config(caller.home, reference))


@CONFIGS.operation("PUT", "/admin/v1/configs/{name}", permission="configs:write")
def configs_put(caller: Calling, name: Id, body: NewConfig) -> ConfigKept:
    """Keep a config as the newest version of its name."""
    kept = put_config(caller.home, name, json.dumps(body.config).encode(), actor=caller.actor)
    return ConfigKept(config=told(kept.row), new=kept.new, notes=list(kept.notes))


@CONFIGS.operation("DELETE", "/admin/v1/configs/{name}", permission="configs:write")
def configs_delete(caller: Calling, name: Id) -> ConfigDeleted:
    """Forget a config and all its versions."""
    return ConfigDeleted(name=name, versions=delete_config(caller.home, name, actor=caller.actor))


def told(row: ConfigRow) -> ConfigTold:
    """The version with its body as JSON."""
    return ConfigTold(name=row.name, version=row.version, created_at=row.created_at, config=json.loads(row.body))
