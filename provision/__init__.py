"""provision: plan, apply and prove mail hosts on stock Debian."""

__version__ = "0.1.0"
