"""What ends an interrupted switch at boot: a unit, and one script with the modules it needs."""

from __future__ import annotations

from provision.assets import host_modules
from provision.model.access import FIREWALL_UNIT
from provision.model.bundle import ManagedDirectory, ManagedFile, ManagedUnit, Part
from provision.render import dovecot, postfix
from provision.render.templates import fill
from provision.render.view import HostView
from provision.render.webmail import FPM_UNIT

UNIT = "provision-recover.service"
SCRIPT = "/etc/provision/recover.py"
"""In a folder that nobody but root can write to, unlike /usr/local on older hosts."""
_MODULE = "provision_recover"


def render_recovery(view: HostView) -> Part:
    """The recovery's part of a host: the same on every one."""
    del view
    units = (FIREWALL_UNIT, postfix.UNIT, dovecot.UNIT, FPM_UNIT, "nginx.service")
    return Part(
        files=(
            ManagedFile(SCRIPT, fill("systemd/recover.py.j2", modules=host_modules(_MODULE))),
            ManagedFile(
                f"/etc/systemd/system/{UNIT}",
                fill("systemd/provision-recover.service.j2", units=units, script=SCRIPT),
            ),
        ),
        directories=(ManagedDirectory("/etc/provision"),),
        units=(ManagedUnit(UNIT),),
    )
