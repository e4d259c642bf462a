"""WHAT A RESPONSES CLIENT LEAVES WITH US: stored responses, background calls, conversations, over any upstream.

The journey of one call (``exchange.steps``) is stateless. This folder stands before it (``expansion`` puts what was said earlier
into the input) and after it (``recording`` keeps what the client is told). ``verbs`` is its table of contents.
"""
