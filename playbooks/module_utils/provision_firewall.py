"""Whether nft accepts our firewall, and whether the kernel has exactly that."""

from __future__ import annotations

from pathlib import Path

from .provision_commands import run

RULES = "/etc/provision/firewall.nft"
_LIST = ("nft", "--stateless", "list", "table", "inet", "provision")
_LOAD_AND_LIST = 'nft -f "$0" && nft --stateless list table inet provision'


def check_firewall() -> list[str]:
    """Problems of the rules (nft(8), --check): nothing is loaded."""
    if not Path(RULES).exists():
        return []
    done = run("nft", "--check", "--file", RULES)
    return [] if done.status == 0 else [f"nft: {line}" for line in done.lines()]


def firewall_problem() -> str:
    """Why the live table is not what the rules say; empty when it is.

    The kernel itself says how it would list them: they are loaded in a network namespace that
    nobody is in (unshare(1)) and that is gone afterwards.
    """
    live = run(*_LIST)
    if live.status != 0:
        return "the firewall's table is not loaded"
    wanted = run("unshare", "--net", "sh", "-c", _LOAD_AND_LIST, RULES)
    if wanted.status != 0:
        return f"the rules cannot be loaded: {' '.join(wanted.lines())}"
    return "" if live.output == wanted.output else "the live rules are not those of the file"
