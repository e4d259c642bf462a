"""Anthropic Messages (``POST /v1/messages``): as clients speak it to us and as we speak it to an upstream."""
