"""anykey: one key, one address, every client, every model."""
