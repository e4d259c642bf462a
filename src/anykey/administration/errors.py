"""What an operator asked for that cannot be done, said to them."""

from anykey.language import SpokenError


class AdministrationError(SpokenError):
    """The request is wrong, or the data directory is not fit for use. Nothing was changed."""
