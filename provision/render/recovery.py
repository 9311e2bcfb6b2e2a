"""What ends an interrupted switch at boot: a unit, and one script with the modules it needs."""

from __future__ import annotations

from provision.assets import playbooks_dir
from provision.model.bundle import ManagedDirectory, ManagedFile, ManagedUnit, Part
from provision.render import dovecot, postfix
from provision.render.templates import fill
from provision.render.view import HostView
from provision.render.webmail import FPM_UNIT

UNIT = "provision-recover.service"
SCRIPT = "/etc/provision/recover.py"
"""In a folder that nobody but root can write to, unlike /usr/local on older hosts."""
MODULES = (
    "provision_steps",
    "provision_durable",
    "provision_layout",
    "provision_commands",
    "provision_request",
    "provision_generation",
    "provision_journal",
    "provision_records",
    "provision_lock",
    "provision_audit",
    "provision_account_store",
    "provision_account_tables",
    "provision_account_archive",
    "provision_account_transition",
    "provision_account_homes",
    "provision_account_compile",
    "provision_accounts",
    "provision_account_intent",
    "provision_failure",
    "provision_recover",
)
"""Of playbooks/module_utils, each after those that it imports."""


def render_recovery(view: HostView) -> Part:
    """The recovery's part of a host: the same on every one."""
    del view
    units = (postfix.UNIT, dovecot.UNIT, FPM_UNIT, "nginx.service")
    return Part(
        files=(
            ManagedFile(SCRIPT, fill("systemd/recover.py.j2", modules=_modules())),
            ManagedFile(
                f"/etc/systemd/system/{UNIT}",
                fill("systemd/provision-recover.service.j2", units=units, script=SCRIPT),
            ),
        ),
        directories=(ManagedDirectory("/etc/provision"),),
        units=(ManagedUnit(UNIT),),
    )


def _modules() -> list[tuple[str, str]]:
    folder = playbooks_dir() / "module_utils"
    return [(name, (folder / f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
