"""Where it is kept: one SQLite file behind functions. Nothing here decides; no prompt text is ever written."""
