"""Run the playbook with Ansible as a subprocess: our own settings only, events as they happen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.assets import playbooks_dir
from provision.hosts.connection import Connection
from provision.hosts.interrupts import Interrupts
from provision.hosts.ssh_config import ssh_config
from provision.model.fleet import Host

Event = Mapping[str, Any]
_LARGEST_FORKS = 20
_CARRIED = ("PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Played:
    """How Ansible ended, and the last lines that it wrote."""

    status: int
    words: tuple[str, ...]
    aborted: bool
    """A person has ended it; what it had begun on a host goes on there and ends whole."""


@dataclass(frozen=True, slots=True)
class Play:
    """One run of a playbook over hosts. ``folder`` is private (0700) and holds all of it."""

    folder: Path
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
        self._write_settings()
        reader, writer = os.pipe()
        log = self.folder / "ansible.log"
        try:
            process = self._start(log, writer)
            with interrupts.watching(process):
                os.close(writer)
                _hand_over(reader, on_event)
                status = process.wait()
        finally:
            self._close_connections()
        last = tuple(log.read_text(errors="replace").strip().splitlines()[-8:])
        return Played(status, last, aborted=interrupts.is_abort)

    def _start(self, log: Path, writer: int) -> subprocess.Popen[bytes]:
        with log.open("wb") as words:
            return subprocess.Popen(
                self._command(),
                env=self._environment(writer),
                pass_fds=(writer,),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to interpret
            )

    def _command(self) -> list[str]:
        playbook = str(playbooks_dir() / self.playbook)
        rehearsed = any(values.get("provision_rehearsed") for values in self.variables.values())
        tags = ["--tags", "all,rehearsed"] if rehearsed else []
        return [sys.executable, "-m", "ansible", "playbook", *tags, playbook]

    def _write_settings(self) -> None:
        self._private("ssh_config", ssh_config(self.hosts, self.connection, folder=self.folder))
        self._private("ansible.cfg", self._ansible_cfg())
        hosts = {host.name: self._variables_of(host) for host in self.hosts}
        self._private("hosts.json", json.dumps({"all": {"hosts": hosts}}))

    def _variables_of(self, host: Host) -> dict[str, Any]:
        values: dict[str, Any] = dict(self.variables[host.name])
        if self.connection.target_of(host).user != "root":
            values["ansible_become"] = True
        return values

    def _private(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    def _ansible_cfg(self) -> str:
        roots = all(self.connection.target_of(host).user == "root" for host in self.hosts)
        # Bundles hold secrets: in memory, they are gone after a power cut.
        remote = "/run/provision/ansible" if roots else "~/.ansible/tmp"
        forks = min(_LARGEST_FORKS, max(1, len(self.hosts)))
        plugins = playbooks_dir()
        return f"""\
[defaults]
home = {self.folder}/ansible
local_tmp = {self.folder}/ansible-tmp
remote_tmp = {remote}
inventory = {self.folder}/hosts.json
library = {plugins}/library
module_utils = {plugins}/module_utils
action_plugins = {plugins}/action_plugins
callback_plugins = {plugins}/callback_plugins
stdout_callback = provision_events
gathering = explicit
interpreter_python = /usr/bin/python3
forks = {forks}
timeout = 15
host_key_checking = True
retry_files_enabled = False
no_target_syslog = True
nocolor = True
[connection]
pipelining = True
[ssh_connection]
pipelining = True
transfer_method = piped
ssh_args = -F {self.folder}/ssh_config
"""

    def _environment(self, writer: int) -> dict[str, str]:
        """A clean one: a person's ANSIBLE_ variables must not change what an apply does."""
        carried = {name: os.environ[name] for name in _CARRIED if name in os.environ}
        return {
            **carried,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": f"{self.folder}/ansible.cfg",
            "PROVISION_EVENT_FD": str(writer),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _close_connections(self) -> None:
        for host in self.hosts:
            subprocess.run(
                ["ssh", "-F", f"{self.folder}/ssh_config", "-O", "exit", "--", host.name],
                capture_output=True,
                check=False,
                timeout=10,
            )


def _hand_over(reader: int, on_event: Callable[[Event], None]) -> None:
    """Hand over events until the writing end closes."""
    with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            on_event(json.loads(line))
