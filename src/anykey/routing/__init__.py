"""Which deployment answers: pure decisions over an immutable snapshot. No IO, no clock."""
