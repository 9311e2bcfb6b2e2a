#!/usr/bin/python
"""Ansible module: a step of a rehearsed apply that Ansible's own modules are about to take."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: provision_step
short_description: Name the step that comes next, for a rehearsal's breakpoint
description:
  - Lists the step, and stands still before it when the host's breakpoint says so.
  - Does nothing on a host without a breakpoint.
options:
  name:
    description: What the task after this one does.
    type: str
    required: true
author:
  - The provision project
"""

EXAMPLES = r"""
- name: Rehearse the step before packages
  provision_step:
    name: install packages
  tags: [never, rehearsed]
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule  # noqa: E402 - documentation comes first
from ansible.module_utils.provision_breakpoint import arm  # noqa: E402
from ansible.module_utils.provision_layout import Layout  # noqa: E402
from ansible.module_utils.provision_steps import Steps  # noqa: E402


def main() -> None:
    """Be a step."""
    module = AnsibleModule(argument_spec={"name": {"type": "str", "required": True}})
    arm(Layout().run)
    Steps.before(module.params["name"])
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
