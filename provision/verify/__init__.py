"""Proves it, as a customer would see it."""
