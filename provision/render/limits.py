"""Limits that more than one program must agree on."""

MESSAGE_SIZE_LIMIT = 50 * 1024**2
"""Largest message in bytes."""
