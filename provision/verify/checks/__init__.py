"""Checks on a host: pytest modules over testinfra that read as English; nothing is changed."""
