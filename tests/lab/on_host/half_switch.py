"""Usage: python3 -m on_host.half_switch

Stages a generation with broken files on this host and dies in the middle of the switch to it, as a
power cut would: some live files are the new ones, and the journal is there.
"""

import hashlib
import os

from ansible.module_utils.provision_durable import write_json
from ansible.module_utils.provision_generation import current_manifest, next_number, stage
from ansible.module_utils.provision_journal import switch
from ansible.module_utils.provision_layout import Layout
from ansible.module_utils.provision_records import describe
from ansible.module_utils.provision_request import Request, directories_of, files_of
from ansible.module_utils.provision_steps import Steps

BROKEN = b"this is no configuration\n"
CHANGED = {"/etc/dovecot/dovecot.conf", "/etc/postfix/main.cf", "/etc/postfix/master.cf"}
LAST = "write /etc/postfix/master.cf"


def broken_request(layout: Layout) -> Request:
    """What is live now, with three files that no daemon would start with."""
    manifest = current_manifest(layout)
    digest = hashlib.sha256(BROKEN).hexdigest()
    files = [
        file._replace(sha256=digest) if file.path in CHANGED else file
        for file in files_of(manifest)
    ]
    holder = {"who": "power cut", "since": "now", "commit": ""}
    return Request(
        expected_generation=manifest["generation"],
        observed=None,
        files=files,
        directories=directories_of(manifest),
        units=manifest["units"],
        packages=manifest["packages"],
        unit_actions=[],
        accounts={},
        meta={"holder": holder, "plan": ""},
        blobs={digest: BROKEN},
        users=manifest["users"],
        fleet=manifest["fleet"],
        leaving={},
    )


def main() -> None:
    layout = Layout()
    request, number = broken_request(layout), next_number(layout)
    stage(layout, number, request)
    describe(layout, number, request)
    write_json(layout.pending, [["postfix.service", "reload"]])

    def die_in_the_middle(step: str) -> None:
        if step == LAST:
            os._exit(0)

    Steps.before = staticmethod(die_in_the_middle)
    switch(layout, number, request)
    raise SystemExit("the switch went through")


main()
