#!/usr/bin/python
"""Ansible module: make a host ready for a package run."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: provision_packages
short_description: Hold daemons back and finish an interrupted package run
description:
  - Keeps packages from starting their daemons until their own configuration is in place.
  - Finishes what a power cut or a failed maintainer script left half done.
  - Remembers which packages and users are about to come, so that they can leave again.
options:
  heal:
    description: Whether a package run was interrupted.
    type: bool
    required: true
  packages:
    description: Names of the packages that are installed next.
    type: list
    elements: str
    default: []
  users:
    description: Names of the system users that are made next.
    type: list
    elements: str
    default: []
  units:
    description: Names of units that packages bring; on a new host none starts at a boot meanwhile.
    type: list
    elements: str
    default: []
  run:
    description:
      - Id of the lock that the caller holds on this host; refused when that is lost by now.
      - Without it nobody may be applying, and nobody may have asked to leave the host alone.
    type: str
    default: ""
author:
  - The provision project
"""

EXAMPLES = r"""
- name: Make ready for packages
  provision_packages:
    heal: true
    packages: [postfix]
"""

RETURN = r"""
outcome:
  description: "refused: another is at work, the lock is lost, or the host is held."
  type: str
  returned: failure
lines:
  description: What apt said when something is still broken.
  type: list
  returned: failure
"""

from typing import Any  # noqa: E402 - documentation comes first

from ansible.module_utils.basic import AnsibleModule  # noqa: E402 - documentation comes first
from ansible.module_utils.provision_breakpoint import arm  # noqa: E402
from ansible.module_utils.provision_generation import Refused  # noqa: E402
from ansible.module_utils.provision_layout import Layout  # noqa: E402
from ansible.module_utils.provision_lock import alone  # noqa: E402
from ansible.module_utils.provision_owned import note_coming  # noqa: E402
from ansible.module_utils.provision_packages import (  # noqa: E402
    finish_interrupted,
    hold_daemons,
    hold_units,
)


def main() -> None:
    """Remember, hold, and finish when asked to."""
    names = {"type": "list", "elements": "str", "default": []}
    heal = {"type": "bool", "required": True}
    spec = {"heal": heal, "packages": names, "users": names, "units": names}
    module = AnsibleModule(argument_spec={**spec, "run": {"type": "str", "default": ""}})
    layout, wanted = Layout(), module.params
    arm(layout.run)
    layout.prepare()
    holder = {"who": "ansible", "since": "a moment ago", "commit": "", "id": wanted["run"]}
    try:
        with alone(layout, holder):
            lines = _make_ready(layout, wanted)
    except Refused as refusal:
        module.fail_json(msg=str(refusal), outcome="refused", message=str(refusal), lines=[])
    if lines:
        module.fail_json(msg="an interrupted package run could not be finished", lines=lines)
    module.exit_json(changed=True)


def _make_ready(layout: Layout, wanted: dict[str, Any]) -> list[str]:
    note_coming(layout, wanted["packages"], wanted["users"])
    if not layout.current.exists():
        hold_units(wanted["units"])
    hold_daemons()
    return finish_interrupted() if wanted["heal"] else []


if __name__ == "__main__":
    main()
