"""Limits that several programs must agree on."""

MESSAGE_BYTES = 52_428_800
"""Largest message with its attachments as sent: Postfix, Dovecot, nginx, PHP and Roundcube."""
