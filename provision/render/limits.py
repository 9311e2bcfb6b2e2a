"""Limits that more than one program must agree on."""

MESSAGE_SIZE_LIMIT = 50 * 1024**2
"""Largest message in bytes."""

AUTH_WORKERS = 6
"""Passwords checked at the same time; each takes as much memory as its hash asks for."""
