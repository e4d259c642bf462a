"""A MODEL FOR FREE: a scripted, deterministic model served on loopback, for wiring before any money is spent.

It is an upstream like any other: real HTTP, Chat Completions, Responses, Messages and Gemini, streamed and not, and as
particular about the reasoning that comes back to it as their makers are.
It shares no code with `anykey.protocols`, so that a mistake in a codec cannot hide behind the same mistake here.
What it says and does on request is the table at the head of `script.py`.
"""
