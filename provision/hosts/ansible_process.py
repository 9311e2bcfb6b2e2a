"""An Ansible that has read its own code, which is most of its start, and waits for what to play."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from provision.assets import playbooks_dir

_FORKS = 20
_END_SECONDS = 5.0
"""How long its workers may take to end."""
_CARRIED = ("PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR")
_WAITING = """\
import gc, json, os, sys
gc.set_threshold(100_000, 50, 100)
import ansible.executor.playbook_executor, ansible.plugins.strategy.linear
from ansible.cli.playbook import main
words = sys.stdin.read()
if words:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    main(["ansible-playbook", *json.loads(words)])
"""


class AnsibleProcess:
    """One run of ansible-playbook, in ``folder``, which is private (0700) and holds all of it.

    It has our own settings only: a person's ANSIBLE_ variables must not change what an apply does.
    """

    def __init__(self, folder: Path) -> None:
        """Start it; it does nothing until `play`.

        Modules do not come from the current folder (``-P``), which may well be the fleet's.
        """
        self.folder = folder
        self._log = folder / "ansible.log"
        self._plays = False
        self.write("ansible.cfg", _settings(folder))
        reader, writer = os.pipe()
        self.events = os.fdopen(reader, encoding="utf-8", errors="replace")
        """What the callback plugin provision_events writes, to be read after `play`."""
        try:
            with self._log.open("wb") as words:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _WAITING],
                    env=_environment(folder, writer),
                    pass_fds=(writer,),
                    stdin=subprocess.PIPE,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is ours to interpret
                )
        finally:
            os.close(writer)

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder that its owner alone may read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    def play(self, playbook: Path, arguments: Sequence[str] = ()) -> None:
        """Let it run, once, with the inventory in ``hosts.json``."""
        self._plays = True
        words = json.dumps([*arguments, str(playbook)])
        if self.process.stdin is not None:
            with suppress(BrokenPipeError), self.process.stdin as stdin:
                stdin.write(words.encode())

    def end(self) -> None:
        """See that it is gone: one that has not played to its end is ended.

        One that plays hands SIGTERM on to its workers; killed, it would leave them at work. One
        that waits has none, and holds nobody up.
        """
        if self._plays and self.process.poll() is None:
            self.process.terminate()
            self._wait_for_workers()
        self.process.kill()
        self.process.wait()
        self.events.close()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def _wait_for_workers(self) -> None:
        """Until the last of them has closed the writing end of ``events``, or for too long."""
        told, deadline = select.poll(), time.monotonic() + _END_SECONDS
        told.register(self.events, select.POLLIN)
        while told.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if not os.read(self.events.fileno(), 65536):
                return

    def last_words(self) -> tuple[str, ...]:
        """The last lines that it wrote."""
        return tuple(self._log.read_text(errors="replace").strip().splitlines()[-8:])


def _settings(folder: Path) -> str:
    plugins = playbooks_dir()
    return f"""\
[defaults]
home = {folder}/ansible
local_tmp = {folder}/ansible-tmp
inventory = {folder}/hosts.json
library = {plugins}/library
module_utils = {plugins}/module_utils
action_plugins = {plugins}/action_plugins
callback_plugins = {plugins}/callback_plugins
stdout_callback = provision_events
gathering = explicit
interpreter_python = /usr/bin/python3
forks = {_FORKS}
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
ssh_args = -F {folder}/ssh_config
"""


def _environment(folder: Path, writer: int) -> dict[str, str]:
    carried = {name: os.environ[name] for name in _CARRIED if name in os.environ}
    return {
        **carried,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": f"{folder}/ansible.cfg",
        "PROVISION_EVENT_FD": str(writer),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
