"""Probes over the wire: what a customer's mail program, browser or a stranger would meet."""
