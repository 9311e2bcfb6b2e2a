"""Read from a fleet folder what a lab needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from provision.errors import ProvisionError
from provision.lab.estate import Estate, HostedSite, Login, Machine


class _Reference(str):
    """The name of a secret."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """Reads a fleet.yml and keeps its references."""


_Loader.add_constructor("!secret", lambda _loader, node: _Reference(node.value))


def read_estate(fleet_dir: Path) -> Estate:
    """What to rehearse; raises ProvisionError when the folder is no fleet."""
    fleet = _read(fleet_dir / "fleet.yml")
    sites = [_read(path) for path in sorted((fleet_dir / "sites").rglob("*.yml"))]
    machines = {
        name: Machine(name, host["address"], host["fqdn"], host.get("release", "debian13"))
        for name, host in fleet["hosts"].items()
    }
    default = fleet.get("defaults", {}).get("outgoing")
    hosted = []
    senders: dict[str, list[str]] = {}
    for site in sites:
        domains = (site["site"], *site.get("domain_aliases", ()))
        hosted.append(HostedSite(domains, machines[site["host"]], f"webmail.{site['site']}"))
        senders.setdefault(site.get("outgoing", default), []).extend(domains)
    secrets = _secrets(fleet_dir)
    logins = tuple(
        Login(
            smarthost["host"],
            smarthost["username"],
            secrets[str(smarthost["password"])],
            tuple(senders.get(name, ())),
        )
        for name, smarthost in fleet.get("smarthosts", {}).items()
    )
    return Estate(fleet["fleet"], tuple(machines.values()), tuple(hosted), logins)


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ProvisionError(
            f"{path} cannot be read: {error.strerror}", hint="name the fleet folder with -i DIR"
        ) from error


def _secrets(fleet_dir: Path) -> dict[str, str]:
    for password in (fleet_dir / ".vault-password", fleet_dir / ".provision/vault-password"):
        if password.exists():
            secret = VaultSecret(password.read_bytes().strip())
            text = VaultLib([("default", secret)]).decrypt((fleet_dir / "secrets.yml").read_bytes())
            return _flat(yaml.safe_load(text), "")
    return {}


def _flat(tree: dict[str, Any], prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}/")
        else:
            found[f"{prefix}{key}"] = str(value)
    return found
