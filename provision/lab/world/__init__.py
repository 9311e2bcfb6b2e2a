"""The host ``world``: everything outside the fleet that a mail host talks to."""
