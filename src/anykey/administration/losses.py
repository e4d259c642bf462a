"""What translations lost, exchange by exchange, as an operator asks for it."""

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.storage.exchanges import UsageFilter, exchange_exists, exchanges_with_losses
from anykey.storage.records import ExchangeRow


def exchanges_that_lost(
    home: Home, limit: int, *, request_id: str | None = None, model: str | None = None
) -> list[ExchangeRow]:
    """The last `limit` exchanges that lost something, newest first: all, those of one model as it was asked for, or the one
    with this request id. Raises AdministrationError for an id that no exchange has."""
    found = exchanges_with_losses(home.database, limit, UsageFilter(model=model), request_id)
    if not found and request_id is not None and not exchange_exists(home.database, request_id):
        raise AdministrationError("losses.no_request", id=request_id)
    return found
