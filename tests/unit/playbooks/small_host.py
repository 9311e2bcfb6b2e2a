"""A host in a temporary folder: a few files, brought by requests, killed at will."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import traceback
from collections.abc import Callable
from typing import Any

from ansible.module_utils.provision_durable import Attributes
from ansible.module_utils.provision_generation import current_manifest, next_number, stage
from ansible.module_utils.provision_journal import commit, switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_records import describe, record_result
from ansible.module_utils.provision_request import Request, WantedDirectory, WantedFile
from ansible.module_utils.provision_steps import Steps

_MINE = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
ME = Attributes(0o640, *_MINE)
FOLDER = Attributes(0o750, *_MINE)
OLD = {"/etc/a.conf": b"old a\n", "/etc/sub/b.conf": b"old b\n", "/etc/gone.conf": b"leaves\n"}
NEW = {"/etc/a.conf": b"new a\n", "/etc/sub/b.conf": b"new b\n", "/etc/new/c.conf": b"comes\n"}
HOLDER = {"who": "tester@here", "since": "now", "commit": "abc"}


def asking(contents: dict[str, bytes], expected: int, **values: Any) -> Request:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    standard: dict[str, Any] = {
        "expected_generation": expected,
        "observed": None,
        "files": [
            WantedFile(path, digests[path], ME, secret=False, activations=[])
            for path in sorted(contents)
        ],
        "directories": [WantedDirectory("/etc/new", FOLDER, ours=True)]
        if "/etc/new/c.conf" in contents
        else [],
        "units": [],
        "packages": [],
        "unit_actions": [],
        "accounts": {},
        "users": {},
        "fleet": "",
        "leaving": {},
        "meta": {"holder": HOLDER, "plan": ""},
        "blobs": {digests[path]: content for path, content in contents.items()},
    }
    return Request(**{**standard, **values})


def tree_of(layout: Layout) -> dict[str, bytes]:
    etc = layout.root / "etc"
    return {
        f"/{path.relative_to(layout.root)}": path.read_bytes()
        for path in sorted(etc.rglob("*"))
        if path.is_file()
    }


def bring(layout: Layout, contents: dict[str, bytes]) -> int:
    request = asking(contents, current_manifest(layout)["generation"])
    number: int = next_number(layout)
    stage(layout, number, request)
    describe(layout, number, request)
    switch(layout, number, request)
    commit(layout)
    record_result(layout, number, {"outcome": "applied", "message": ""})
    return number


def killed_before(step: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a process that dies before its ``step``-th side effect; True: it died."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(_name: str) -> None:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)

        Steps.before = staticmethod(count)
        try:
            work()
        except BaseException:  # noqa: BLE001 - this process must never go on as a second test run
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, 9}, "the work itself failed"
    return code == 9
