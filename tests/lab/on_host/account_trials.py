"""Usage: python3 -m on_host.account_trials FOLDER-OF-MODULES kill|full|promises

The last line of the output is one JSON document: the number of trials and the list of faults.
"""

import json
import shutil
import sys
from pathlib import Path

from .account_faults import full_everywhere, kill_everywhere
from .account_promises import keep_promises


def main() -> None:
    base = Path("/var/tmp/account-faults")
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(mode=0o700)
    modes = {"kill": kill_everywhere, "full": full_everywhere, "promises": keep_promises}
    trials, faults = modes[sys.argv[2]](base)
    shutil.rmtree(base)
    print(json.dumps({"trials": trials, "faults": faults}))


main()
