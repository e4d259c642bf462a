"""THE JOURNEY of one call. ``steps`` is the table of contents of the whole system."""
