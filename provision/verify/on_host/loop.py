"""Run one command after another for the controller, without a new process tree for each.

Reads a request a line from standard input, as JSON: ``{"argv": [...]} or {"shell": "..."}``, with
``timeout`` in seconds and optional ``stdin``. Answers with one JSON line that gives the exit
status (null: timed out) and the sizes of standard output and standard error, then those bytes.
"""

import json
import os
import signal
import subprocess
import sys
from typing import Any


def run(request: dict[str, Any]) -> tuple[int | None, bytes, bytes]:
    """Run one request in a process group of its own, so that a deadline ends all of it."""
    argv = request.get("argv") or ["/bin/sh", "-c", request["shell"]]
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        cwd="/",
    ) as process:
        given = request.get("stdin", "").encode()
        try:
            out, err = process.communicate(given, timeout=request["timeout"])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            return None, out, err
    return process.returncode, out, err


def main() -> None:
    """Serve until standard input ends: then the controller has gone."""
    os.environ["LC_ALL"] = "C.UTF-8"
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for line in sys.stdin.buffer:
        try:
            status, out, err = run(json.loads(line))
        except OSError as error:
            status, out, err = 127, b"", str(error).encode()
        head = json.dumps({"status": status, "out": len(out), "err": len(err)}).encode()
        sys.stdout.buffer.write(head + b"\n" + out + err)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
