"""Keep a message from Postfix's pipe(8) as a JSON file: FOLDER KEY=VALUE..., message on stdin.

It runs on the host ``world``, by itself, hence the standard library alone. Headers named
X-Lab-Recipient, which the smarthost adds, become the list of envelope recipients.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

_RECIPIENT = re.compile(rb"^X-Lab-Recipient: (.*)\r?\n", re.MULTILINE)


def main(folder: str, fields: list[str]) -> None:
    """Write FOLDER/TIME-PID.json; it appears whole or not at all."""
    raw = sys.stdin.buffer.read()
    head, blank, body = raw.partition(b"\n\n")
    document: dict[str, object] = {}
    for field in fields:
        key, _, value = field.partition("=")
        document[key] = value
    document["recipients"] = [r.decode() for r in _RECIPIENT.findall(head + b"\n")]
    document["time"] = time.time()
    document["message"] = (_RECIPIENT.sub(b"", head + b"\n") + blank[1:] + body).decode("latin-1")
    path = os.path.join(folder, f"{time.time_ns()}-{os.getpid()}.json")  # noqa: PTH118 - starts fast
    with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123 - starts fast
        json.dump(document, file)
    os.rename(f"{path}.new", path)  # noqa: PTH104 - starts fast


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
