"""The operations of the admin and user API, a file for each kind of thing."""

from anykey.server.admin.resources.account import ACCOUNT
from anykey.server.admin.resources.audit import AUDIT
from anykey.server.admin.resources.budgets import BUDGETS
from anykey.server.admin.resources.codes import CODES, REDEEMING
from anykey.server.admin.resources.configs import CONFIGS
from anykey.server.admin.resources.credentials import CREDENTIALS
from anykey.server.admin.resources.document import DOCUMENT
from anykey.server.admin.resources.groups import GROUPS
from anykey.server.admin.resources.keys import KEYS
from anykey.server.admin.resources.ledger import LEDGER
from anykey.server.admin.resources.members import MEMBERS
from anykey.server.admin.resources.models import MODELS
from anykey.server.admin.resources.openai_usage import OPENAI_USAGE
from anykey.server.admin.resources.organisations import ORGANISATIONS
from anykey.server.admin.resources.providers import PROVIDERS
from anykey.server.admin.resources.rate_cards import RATE_CARDS
from anykey.server.admin.resources.requests import REQUESTS
from anykey.server.admin.resources.settings import SETTINGS
from anykey.server.admin.resources.teams import TEAMS
from anykey.server.admin.resources.usage import USAGE
from anykey.server.admin.resources.wallets import WALLETS
from anykey.server.admin.resources.webhooks import WEBHOOKS

RESOURCES = (
    DOCUMENT,
    ORGANISATIONS,
    TEAMS,
    MEMBERS,
    KEYS,
    BUDGETS,
    WALLETS,
    CODES,
    LEDGER,
    WEBHOOKS,
    PROVIDERS,
    CREDENTIALS,
    MODELS,
    RATE_CARDS,
    CONFIGS,
    GROUPS,
    SETTINGS,
    AUDIT,
    REQUESTS,
    USAGE,
    ACCOUNT,
    REDEEMING,
    OPENAI_USAGE,
)
