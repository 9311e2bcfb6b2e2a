"""Run the programs that the lab is made of, and say what is missing before it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from provision.errors import ProvisionError

NEEDED = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "dpkg-scanpackages": "dpkg-dev",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "ssh": "openssh-client",
    "apt-get": "apt",
}
"""Program to the Debian package that has it."""

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def require_machine() -> None:
    """Check that this machine can run a lab; raises ProvisionError naming all that is missing."""
    if os.geteuid() != 0:
        raise ProvisionError(
            "the lab boots machines and makes networks, which needs root",
            hint="run the same command with sudo -E, or as root",
        )
    packages = missing_packages(NEEDED, keyring=DEBIAN_KEYRING)
    if packages:
        raise ProvisionError(
            f"the lab needs programs that are not installed: {', '.join(packages)}",
            hint=f"apt-get install --no-install-recommends {' '.join(packages)}",
        )


def missing_packages(needed: Mapping[str, str], *, keyring: Path) -> list[str]:
    """Debian packages to install, sorted, so that every program and the keyring are there."""
    missing = {package for program, package in needed.items() if not shutil.which(program)}
    if not keyring.exists():
        missing.add("debian-archive-keyring")
    return sorted(missing)


def run(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, hint: str | None = None
) -> str:
    """Run a program to its end and return its output; raises ProvisionError when it fails.

    ``env`` is added to this process's environment; ``hint`` says what to do about a failure.
    """
    done = subprocess.run(
        [str(word) for word in argv],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise ProvisionError(f"{argv[0]} failed with status {done.returncode}:\n{tail}", hint=hint)
    return done.stdout


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, but nothing that is mounted there."""
    run(["rm", "-rf", "--one-file-system", folder])
