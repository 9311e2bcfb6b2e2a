"""Usage: python3 -m on_host.other_hash ADDRESS < HASH

Gives a mailbox another password hash and prints the one before. The document and the fingerprint
stay: it is not the spec that has another password now, but the mailbox's owner.
"""

import sys

from ansible.module_utils.provision_account_store import Layout, load, read
from ansible.module_utils.provision_accounts import apply_delta


def main() -> None:
    layout, address, other = Layout(), sys.argv[1], sys.stdin.read().strip()
    site = address.rpartition("@")[2]
    held = load(layout.credentials(site))[address]
    document = read(layout.document(site))
    delta = {
        "sites": {site: document.decode("ascii")},
        "removed": [],
        "hashes": {address: {**held, "hash": other}},
    }
    apply_delta(layout, delta)
    print(held["hash"])


main()
