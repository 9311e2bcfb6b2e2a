"""Run the playbook with Ansible as a subprocess: our own settings only, events as they happen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from provision.assets import playbooks_dir
from provision.hosts.ansible_process import AnsibleProcess
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.ssh_config import ssh_config
from provision.model.fleet import Host

Event = Mapping[str, Any]

_CLOSE_SECONDS = 10.0
"""How long a connection may take to close; then it is left to end by itself."""


@dataclass(frozen=True, slots=True)
class Played:
    """How Ansible ended, and the last lines that it wrote."""

    status: int
    words: tuple[str, ...]
    aborted: bool
    """A person has ended it; what it had begun on a host goes on there and ends whole."""


@dataclass(frozen=True, slots=True)
class Play:
    """One run of a playbook over hosts, by an Ansible that waits for it."""

    ansible: AnsibleProcess
    hosts: Sequence[Host]
    connection: Connection
    variables: Mapping[str, Mapping[str, Any]]
    """Per host: names of packages, users and paths; never text of a spec, never a secret."""
    playbook: str = "apply.yml"

    def run(self, on_event: Callable[[Event], None], interrupts: Interrupts) -> Played:
        """Run it to its end, from the main thread.

        ``on_event`` is called for every event. Ctrl-C once: the run goes on to its end; twice:
        Ansible is ended, and hosts end whole by themselves.
        """
        ansible = self.ansible
        hosts = {host.name: self._variables_of(host) for host in self.hosts}
        ansible.write("ssh_config", ssh_config(self.hosts, self.connection, folder=ansible.folder))
        ansible.write("hosts.json", json.dumps({"all": {"hosts": hosts}}))
        try:
            with interrupts.watching(ansible.process):
                ansible.play(playbooks_dir() / self.playbook, self._arguments())
                _hand_over(ansible.events, on_event)
                status = ansible.process.wait()
        finally:
            ansible.end()  # before its connections go
            self._close_connections()
        return Played(status, ansible.last_words(), aborted=interrupts.is_abort)

    def _arguments(self) -> list[str]:
        rehearsed = any(values.get("provision_rehearsed") for values in self.variables.values())
        return ["--tags", "all,rehearsed"] if rehearsed else []

    def _variables_of(self, host: Host) -> dict[str, Any]:
        values: dict[str, Any] = dict(self.variables[host.name])
        if self.connection.target_of(host).user == "root":
            # Bundles hold secrets: in memory, they are gone after a power cut.
            values["ansible_remote_tmp"] = "/run/provision/ansible"
        else:
            values["ansible_become"] = True
        return values

    def _close_connections(self) -> None:
        for host in self.hosts:
            argv = ["ssh", "-F", f"{self.ansible.folder}/ssh_config", "-O", "exit"]
            with suppress(subprocess.TimeoutExpired, OSError):
                subprocess.run(
                    [*argv, "--", host.name],
                    capture_output=True,
                    check=False,
                    timeout=_CLOSE_SECONDS,
                )


def _hand_over(events: TextIO, on_event: Callable[[Event], None]) -> None:
    """Hand over events until the writing end closes; one that is ended may leave half a line."""
    for line in events:
        if line.endswith("\n"):
            on_event(json.loads(line))
