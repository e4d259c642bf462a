"""Where it is kept: one SQLite file behind functions. Nothing here decides.

What was said is written only where a client of the Responses protocol asks for it (`responses`, `conversations`).
"""
