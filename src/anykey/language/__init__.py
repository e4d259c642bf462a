"""What people read: one catalogue a language, messages named by dotted codes."""

from anykey.language.say import SpokenError, language, say

__all__ = ["SpokenError", "language", "say"]
