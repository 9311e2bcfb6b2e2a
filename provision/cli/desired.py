"""What every command that reaches hosts begins with: the fleet, its bundles, and the way there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from provision.cli.spec_loading import load_or_exit
from provision.errors import UsageWrong
from provision.model.bundle import Bundle
from provision.model.fleet import Fleet, Host


@dataclass(frozen=True, slots=True)
class Desired:
    """A fleet and the bundles of the hosts that were asked for, by name."""

    fleet: Fleet
    bundles: Mapping[str, Bundle]


def load_desired(
    fleet_dir: Path, *, vault_password_file: Path | None, hosts: tuple[str, ...]
) -> Desired:
    """Read, certify and render. Raises SpecInvalid, or UsageWrong for an unknown host."""
    from provision.certificates.load import load_certificates  # noqa: PLC0415 - start-up time
    from provision.render.accounts import known_accounts  # noqa: PLC0415
    from provision.render.host import render_host  # noqa: PLC0415

    fleet = load_or_exit(fleet_dir, vault_password_file, describe=known_accounts)
    chosen = choose_hosts(fleet, hosts)
    certificates = load_certificates(fleet, fleet_dir / ".provision", datetime.now(UTC))
    return Desired(fleet, {host.name: render_host(fleet, host, certificates) for host in chosen})


def choose_hosts(fleet: Fleet, names: tuple[str, ...]) -> tuple[Host, ...]:
    """The named hosts, or all of them; raises UsageWrong for a name that the fleet has not."""
    known = {host.name for host in fleet.hosts}
    for name in names:
        if name not in known:
            raise UsageWrong(
                f"the fleet has no host {name!r}", hint=f"its hosts are: {', '.join(sorted(known))}"
            )
    return tuple(host for host in fleet.hosts if not names or host.name in names)
