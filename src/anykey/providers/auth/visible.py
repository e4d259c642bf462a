"""The credentials that are one word: they travel in a header as they are."""


def fault(text: str) -> str | None:
    """Return the code of what keeps `text` out of a header, or None: it must be visible ASCII without blanks."""
    return None if all("!" <= mark <= "~" for mark in text) else "settings.bad_credential"
