#!/usr/bin/python
"""Ansible module: put the files of an earlier generation back, as a new generation."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: provision_rollback
short_description: Go back to the files of an earlier generation
description:
  - Stages the files of an earlier generation as a new one, checks, switches, activates and proves
    it exactly as an apply does; when the proof fails, the current generation is put back.
  - Mail, accounts, passwords and Sieve scripts are not touched.
options:
  generation:
    description: Number of the generation whose files come back.
    type: int
    required: true
  expected:
    description:
      - Number of the generation that is current; refused when it is another by now.
      - Without it, whatever is current is replaced.
    type: int
  who:
    description: Who goes back, for the lock and the audit log.
    type: str
    default: ansible
  since:
    description: When that was, UTC.
    type: str
    default: a moment ago
  commit:
    description: Commit of the fleet folder at this time.
    type: str
    default: ""
  plan:
    description: Digest of the plan that was shown, for the audit log.
    type: str
    default: ""
  run:
    description:
      - Name of this run, by which it is confirmed and found in the audit log, and id of the lock
        that the caller holds on this host; refused when that is lost by now.
      - Without it the module takes that lock itself.
    type: str
    default: ""
  confirm_seconds:
    description: More than 0; go back unless confirmed within so many seconds.
    type: int
    default: 0
author:
  - The provision project
"""

EXAMPLES = r"""
- name: Put the files of generation 3 back
  provision_rollback:
    generation: 3
"""

RETURN = r"""
outcome:
  description: One of applied, unconfirmed, refused, rolled_back, needs_person, failed.
  type: str
  returned: always
generation:
  description: Number of the generation that is current now.
  type: int
  returned: success
lines:
  description: The findings or log lines that matter.
  type: list
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule  # noqa: E402 - documentation comes first
from ansible.module_utils.provision_breakpoint import arm  # noqa: E402
from ansible.module_utils.provision_carry_out import carry_out  # noqa: E402
from ansible.module_utils.provision_generation import current_manifest  # noqa: E402
from ansible.module_utils.provision_layout import Layout  # noqa: E402
from ansible.module_utils.provision_rollback import rollback_request  # noqa: E402


def main() -> None:
    """Go back, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "generation": {"type": "int", "required": True},
            "expected": {"type": "int"},
            "who": {"type": "str", "default": "ansible"},
            "since": {"type": "str", "default": "a moment ago"},
            "commit": {"type": "str", "default": ""},
            "plan": {"type": "str", "default": ""},
            "run": {"type": "str", "default": ""},
            "confirm_seconds": {"type": "int", "default": 0},
        }
    )
    layout, wanted = Layout(), module.params
    arm(layout.run)
    holder = {name: wanted[name] for name in ("who", "since", "commit")}
    holder |= {"id": wanted["run"], "command": "rollback"}
    expected = wanted["expected"]
    if expected is None:
        expected = current_manifest(layout)["generation"]
    result = carry_out(
        layout,
        holder,
        lambda: rollback_request(
            layout, wanted["generation"], expected=expected, holder=holder, plan=wanted["plan"]
        )._replace(confirm_seconds=wanted["confirm_seconds"]),
    )
    if result["outcome"] in {"applied", "unconfirmed"}:
        module.exit_json(changed=result["staged"] or bool(result.get("units")), **result)
    module.fail_json(msg=result["message"] or result["outcome"], **result)


if __name__ == "__main__":
    main()
