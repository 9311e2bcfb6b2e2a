#!/usr/bin/python
"""Ansible module: bring one generation of mail configuration and accounts to this host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: provision_bundle
short_description: Stage, check, switch, activate and prove one generation, or go back
description:
  - Stages the files of a bundle as a new generation and checks them at their real paths.
  - Switches with a journal, makes units read what changed, and proves that they serve.
  - When the proof fails, the previous generation is put back.
options:
  archive:
    description: Path on the host of the request that the action plugin has transferred.
    type: path
    required: true
author:
  - The provision project
"""

EXAMPLES = r"""
- name: Bring the new generation
  provision_bundle:
    archive: "{{ provision_run }}/{{ inventory_hostname }}.tar.gz"
"""

RETURN = r"""
outcome:
  description: One of applied, unconfirmed, refused, rolled_back, needs_person, failed.
  type: str
  returned: always
lines:
  description: The findings or log lines that matter.
  type: list
  returned: always
"""

from pathlib import Path  # noqa: E402 - the documentation comes first, as Ansible wants it

from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible.module_utils.provision_carry_out import apply_request  # noqa: E402
from ansible.module_utils.provision_layout import Layout  # noqa: E402


def main() -> None:
    """Read the request, carry it out, and say what came of it."""
    module = AnsibleModule(argument_spec={"archive": {"type": "path", "required": True}})
    result = apply_request(Layout(), Path(module.params["archive"]))
    if result["outcome"] in {"applied", "unconfirmed"}:
        module.exit_json(changed=True, **result)
    module.fail_json(msg=result["message"] or result["outcome"], **result)


if __name__ == "__main__":
    main()
