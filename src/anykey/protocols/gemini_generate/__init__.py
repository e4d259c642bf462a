"""Gemini: ``POST /v1beta/models/{model}:generateContent`` and its streaming twin."""
