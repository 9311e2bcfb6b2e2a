"""PROVES a fleet, as a customer would see it: checks on each host, probes over the wire."""
