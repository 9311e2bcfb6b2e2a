"""Run a program of this host: argument list, C locale, a deadline, everything captured."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}


class Outcome(NamedTuple):
    """What a program did."""

    status: int
    output: str
    errors: str

    def lines(self) -> list[str]:
        """Everything it said, errors first, without empty lines."""
        return [line for line in (self.errors + "\n" + self.output).splitlines() if line.strip()]


def run(*argv: str, seconds: float = 60.0, noninteractive: bool = False) -> Outcome:
    """Run ``argv``; one that is missing, too slow or cannot start has failed, with the reason.

    ``noninteractive``: maintainer scripts ask nothing (debconf(7)).
    """
    asking = {"DEBIAN_FRONTEND": "noninteractive"} if noninteractive else {}
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            env={**_ENVIRONMENT, **asking},
            check=False,
        )
    except FileNotFoundError:
        return Outcome(127, "", f"{argv[0]}: not installed")
    except OSError as error:  # no memory, no process number left, no right to run it
        return Outcome(126, "", f"{argv[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Outcome(124, "", f"{argv[0]}: no end within {seconds:.0f} s")
    return Outcome(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )
