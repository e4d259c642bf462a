"""Two organisations with members of every role, and the actors they are."""

import shutil
from copy import copy
from pathlib import Path

import msgspec

from anykey.accounts.keys import actor_of
from anykey.accounts.permissions import MEMBER_ROLES, Actor, MemberRole
from anykey.administration.home import Home, prepare_home
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.administration.members import MemberFields, create_member
from anykey.administration.organisations import create_organisation
from anykey.storage.members import MemberRow
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase


class Tenancy:
    """`ours` and `theirs` are ids of organisations; every member has one admin key, by which he acts."""

    def __init__(self, folder: Path) -> None:
        self.home: Home = prepare_home(folder)
        self.ours = create_organisation(self.home, "ours").id
        self.theirs = create_organisation(self.home, "theirs").id
        self.members: dict[tuple[str, MemberRole], MemberRow] = {}
        self.actors: dict[tuple[str, MemberRole], Actor] = {}
        for organisation in (self.ours, self.theirs):
            for role in MEMBER_ROLES:
                self._join(organisation, role)

    def copied(self, folder: Path) -> "Tenancy":
        """The same in another data directory."""
        shutil.copytree(self.home.path, folder)
        other = copy(self)
        database = SqliteDatabase(folder / FILE_NAME)
        other.home = msgspec.structs.replace(self.home, path=folder, database=database)
        return other

    def _join(self, organisation: str, role: MemberRole) -> None:
        fields = MemberFields(role=role)
        member = create_member(self.home, f"the {role}", organisation=organisation, fields=fields)
        said = KeyFields(organisation=organisation, owner=member.id, admin=True)
        key = create_key(self.home, f"key of the {role}", fields=said).key
        self.members[organisation, role] = member
        self.actors[organisation, role] = actor_of(key)

    def actor(self, role: MemberRole) -> Actor:
        """The one of ours with that role."""
        return self.actors[self.ours, role]

    def member(self, role: MemberRole) -> MemberRow:
        """The one of ours with that role."""
        return self.members[self.ours, role]

    def key_id(self, role: MemberRole) -> str:
        """The id of his key."""
        return self.actor(role).key_id or ""
