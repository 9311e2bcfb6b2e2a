"""``provision apply``: show the plan, ask, make it true on every host, and say what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.cli.approval import Approval
from provision.cli.events_option import events_option
from provision.cli.host_options import confirm_option, host_option, permission_options
from provision.cli.lock_options import lock_options
from provision.cli.rollout_options import rollout_options
from provision.cli.spec_loading import spec_options

if TYPE_CHECKING:
    from provision.apply.lock_wish import Wish
    from provision.apply.rollout import Rollout
    from provision.cli.events import Events
    from provision.model.amounts import Duration


@click.command("apply")
@click.argument("plan_file", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@spec_options
@host_option
@click.option("--checksum", metavar="HASH", help="Apply the plan of this digest only.")
@click.option("--yes", is_flag=True, help="Do not ask; for pipelines.")
@permission_options
@rollout_options
@lock_options("apply")
@confirm_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@events_option
@click.option("--show-passwords", is_flag=True, help="With --format json: the generated ones too.")
def command(  # noqa: PLR0913 - click hands over every option by name
    *,
    plan_file: Path | None,
    fleet_dir: Path,
    vault_password_file: Path | None,
    hosts: tuple[str, ...],
    checksum: str | None,
    yes: bool,
    allowed: tuple[str, ...],
    rollout: Rollout,
    wish: Wish,
    confirm_timeout: Duration,
    form: str,
    events: Events,
    show_passwords: bool,
) -> int:
    r"""Make every host as the spec asks: all of the plan, or the old generation again.

    FILE is a plan that was saved with plan -o: it is applied as it was reviewed, or refused because
    something has moved since.

    A change that touches access to a host (its firewall, say) is confirmed over a new connection;
    without that the host goes back by itself.
    What a host's own programs refuse never becomes live. Where nothing differs, nothing is done.
    Of several hosts one goes alone first, the others follow in batches; once a host has failed no
    further one is started. Running it again finishes what is left.

    Exit 0: done; 5: a host cannot be reached; 6: refused, nothing changed; 7: failed, and the host
    is back on its old generation; 8: a host needs a person.

    \b
    Examples:
      provision apply -i inventories/demo
      provision apply tonight.plan
      provision apply --yes --format json --events run.ndjson
      provision apply --canary mail3 --batch 25% --max-failures 2
      provision apply --host mail1 --yes --lock-timeout 10m
      provision apply --allow-removals
    """
    from provision.cli.applying import Applying  # noqa: PLC0415 - start-up time

    approval = Approval.of(plan_file, checksum, hosts)
    looking = approval.looking(fleet_dir, vault_password_file, hosts)
    applying = Applying(looking, approval, rollout, events=events, is_json=form == "json")
    return applying.run(set(allowed), wish, confirm_timeout, yes=yes, show_passwords=show_passwords)
