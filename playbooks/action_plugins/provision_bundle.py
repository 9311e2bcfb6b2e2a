"""Carry a bundle to the host as a file, then run the module of the same name there.

No byte of it ever becomes an Ansible variable: Ansible would run Jinja that it finds in one.

A request that changes accounts alone comes in short beside the whole one. It is a few kilobytes, a
fiftieth of what Ansible would send to run a module, so it goes to the host's own copy of the
program, which is kept there by its digest. Whatever stands in the way of that, the module runs.
"""

from __future__ import annotations

import hashlib
import io
import json
import shlex
import zipfile
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

_UTILS = Path(__file__).resolve().parents[1] / "module_utils"
_PACKAGE = "provision_host"
_START = """\
import gc, hashlib, os, sys
gc.set_threshold(100_000, 50, 100)
name = sys.argv[1]
folder = "/var/lib/provision/program"
path = folder + "/" + name
content = sys.stdin.buffer.read()
size = int.from_bytes(content[:8], "big")
program, request = content[8 : 8 + size], content[8 + size :]
if program:
    os.makedirs(folder, 0o700, exist_ok=True)
    for old in os.listdir(folder):
        os.unlink(folder + "/" + old)
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(program)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
try:
    with open(path, "rb") as file:
        known = hashlib.sha256(file.read()).hexdigest() == name
except FileNotFoundError:
    known = False
if known:
    sys.path.insert(0, path)
    from provision_host.provision_entry import main
    main(request) if request else print("{}")
else:
    print('{"need": "program"}')
"""
"""Runs on the host: the program named by its digest, kept there when it was sent along."""


class ActionModule(ActionBase):
    """Transfers ``archive`` to a temporary folder of mode 0700 and hands its path over."""

    TRANSFERS_FILES = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Transfer and run. Ansible makes the folder before, and removes it whatever happens."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        archive = Path(self._task.args["archive"])
        short = archive.with_name(f"{archive.name}.short")
        answer = self._ask_in_short(short.read_bytes()) if short.exists() else None
        if answer is not None:
            failed = answer["outcome"] != "applied"
            words = answer["message"] or answer["outcome"]
            result.update(answer, changed=not failed, failed=failed, msg=words if failed else "")
            return result
        shell = self._connection._shell  # noqa: SLF001 - the interface that Ansible's own use
        remote = shell.join_path(shell.tmpdir, "request.tar.gz")
        self._transfer_file(str(archive), remote)
        result.update(self._execute_module(module_args={"archive": remote}, task_vars=task_vars))
        if result.get("outcome") == "applied":
            self._ask_in_short(b"")  # the next request in short finds the program there
        return result

    def _ask_in_short(self, request: bytes) -> dict[str, Any] | None:
        """What came of the request in short; None when the host needs the whole one."""
        program = program_bytes()
        answer = self._ask(program, request, send_program=False)
        if answer.get("need") == "program":
            answer = self._ask(program, request, send_program=True)
        return answer if "outcome" in answer else None

    def _ask(self, program: bytes, request: bytes, *, send_program: bool) -> dict[str, Any]:
        sent = program if send_program else b""
        name = hashlib.sha256(program).hexdigest()
        done = self._low_level_execute_command(
            f"/usr/bin/python3 -I -c {shlex.quote(_START)} {name}",
            in_data=len(sent).to_bytes(8, "big") + sent + request,
        )
        last = done["stdout"].strip().rpartition("\n")[2]
        if done["rc"] != 0 or not last.startswith("{"):
            return {
                "outcome": "failed",
                "message": "the program on the host ended without an answer",
                "lines": done["stderr"].strip().splitlines()[-8:],
            }
        answer: dict[str, Any] = json.loads(last)
        return answer


def program_bytes() -> bytes:
    """Our modules as a zip file that Python imports from: equal modules give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as program:
        program.writestr(zipfile.ZipInfo(f"{_PACKAGE}/__init__.py"), b"")
        for path in sorted(_UTILS.glob("provision_*.py")):
            member = zipfile.ZipInfo(f"{_PACKAGE}/{path.name}")
            program.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
