"""Carry a bundle to the host as a file, then run the module of the same name there.

No byte of it ever becomes an Ansible variable: Ansible would run Jinja that it finds in one.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Transfers ``archive`` to a temporary folder of mode 0700 and hands its path over."""

    TRANSFERS_FILES = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Transfer and run. Ansible makes the folder before, and removes it whatever happens."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        shell = self._connection._shell  # noqa: SLF001 - the interface that Ansible's own use
        remote = shell.join_path(shell.tmpdir, "request.tar.gz")
        self._transfer_file(self._task.args["archive"], remote)
        result.update(self._execute_module(module_args={"archive": remote}, task_vars=task_vars))
        return result
