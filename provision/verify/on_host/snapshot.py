"""Print what the bulk checks need to know about this host, as one JSON document.

Standard input: ``{"paths": [...], "folders": [...], "units": [...], "sockets": [...]}``. Read-only.
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import re
import socket
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SPOOL = "/var/spool/postfix"
SOCKET_SECONDS = 2.0
RULES = "/etc/provision/firewall.nft"
LIBRARIES = re.compile(r"/usr/lib/.*\.so[0-9.]* \(deleted\)$")


def output(*argv: str) -> dict[str, Any]:
    """Standard output, standard error and exit status of a command; 127 when there is none."""
    try:
        done = subprocess.run(argv, capture_output=True, timeout=25, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"out": "", "err": str(error), "status": 127}
    return {
        "out": done.stdout.decode("utf-8", "replace"),
        "err": done.stderr.decode("utf-8", "replace"),
        "status": done.returncode,
    }


def owner_name(number: int) -> str:
    """Name of a user, or its number when it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """Name of a group, or its number when it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def file_facts(path: str) -> dict[str, Any] | None:
    """Kind, digest, mode and owner of a path; None when there is nothing."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    facts = {
        "kind": "file",
        "mode": stat.S_IMODE(status.st_mode),
        "owner": owner_name(status.st_uid),
        "group": group_name(status.st_gid),
        "sha256": "",
    }
    if stat.S_ISREG(status.st_mode):
        with Path(path).open("rb") as stream:
            facts["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
    else:
        facts["kind"] = "directory" if stat.S_ISDIR(status.st_mode) else "other"
    return facts


def foreign_files(folders: list[str], known: list[str]) -> list[str]:
    """Files directly in folders of ours that are none of ours."""
    found = (path for folder in folders for path in Path(folder).glob("*") if not path.is_dir())
    return sorted({str(path) for path in found} - set(known))


def refusals(sockets: list[str]) -> dict[str, str]:
    """Unix sockets that take no connection, and why."""
    refused = {}
    for path in sockets:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SOCKET_SECONDS)
            try:
                client.connect(path)
            except OSError as error:
                refused[path] = error.strerror or str(error)
    return refused


def unit_facts(units: list[str]) -> dict[str, dict[str, str]]:
    """State of each unit from one systemctl call (systemctl(1), "show")."""
    wanted = "Id,LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,Result"
    text = output("systemctl", "show", "--property", wanted, "--", *units)["out"] if units else ""
    found: dict[str, dict[str, str]] = {}
    for block in text.strip().split("\n\n"):
        facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in facts:
            found[facts["Id"]] = facts
    return found


def failed_units() -> list[str]:
    """Names of the units that systemd calls failed."""
    text = output("systemctl", "list-units", "--state=failed", "--plain", "--no-legend")["out"]
    return [line.split()[0] for line in text.splitlines() if line.split()]


def listeners() -> list[dict[str, Any]]:
    """Listening TCP sockets: address, port and the programs behind them (ss(8))."""
    found = []
    for line in output("ss", "-Hltnp")["out"].splitlines():
        fields = line.split()
        address, _, port = fields[3].rpartition(":")
        programs = sorted(set(re.findall(r'\("([^"]+)"', line)))
        found.append({"address": address.strip("[]"), "port": int(port), "programs": programs})
    return found


def packages() -> dict[str, str]:
    """Version of every installed package."""
    shown = "${db:Status-Status} ${binary:Package} ${Version}\\n"
    text = output("dpkg-query", "-W", "-f", shown)["out"]
    rows = (line.split() for line in text.splitlines())
    return {row[1].split(":")[0]: row[2] for row in rows if row[0] == "installed"}


def processes() -> Iterator[tuple[Path, str]]:
    """The /proc folder and the program of each process, as far as they can be read."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield folder, str((folder / "exe").readlink())


def stale_processes() -> list[dict[str, Any]]:
    """Processes whose program or libraries were replaced on disk after they had started."""
    stale = []
    for folder, program in processes():
        try:
            mapped = (folder / "maps").read_text("utf-8", "replace")
        except OSError:
            continue
        old = {line.split(None, 5)[-1] for line in mapped.splitlines() if "(deleted)" in line}
        libraries = sorted(filter(LIBRARIES.search, old))
        if program.endswith(" (deleted)") or libraries:
            stale.append({"pid": int(folder.name), "program": program, "libraries": libraries})
    return stale


def program_counts() -> dict[str, int]:
    """How many processes run each program."""
    return dict(Counter(program.removesuffix(" (deleted)") for _, program in processes()))


def firewall() -> dict[str, str]:
    """The live table, and what our rules give where nobody is: a network namespace of their own."""
    show = ("nft", "--stateless", "list", "table", "inet", "provision")
    load = f"nft -f {RULES} && {' '.join(show)}"
    if not Path(RULES).exists():
        return {"live": "", "wanted": ""}
    return {
        "live": output(*show)["out"],
        "wanted": output("unshare", "--net", "sh", "-c", load)["out"],
    }


def queue_counts() -> dict[str, int]:
    """Number of messages in each queue of Postfix (qmgr(8))."""
    queues = ("maildrop", "hold", "incoming", "active", "deferred", "corrupt")
    return {
        queue: sum(len(files) for _, _, files in os.walk(f"{SPOOL}/{queue}")) for queue in queues
    }


def journal_cursor() -> str:
    """Where the journal ends now (journalctl(1), --show-cursor)."""
    text = output("journalctl", "-n", "0", "--show-cursor", "--quiet")["out"]
    match = re.search(r"^-- cursor: (.*)$", text, re.MULTILINE)
    return match[1] if match else ""


def log_sizes() -> dict[str, int]:
    """Size of every log file outside the journal."""
    folders = (Path("/var/log/nginx"), Path("/var/log/roundcube"))
    return {str(path): path.stat().st_size for folder in folders for path in folder.glob("*.log")}


def main() -> None:
    """Collect everything once."""
    request = json.load(sys.stdin)
    document = {
        "cursor": journal_cursor(),
        "log_sizes": log_sizes(),
        "files": {path: file_facts(path) for path in request["paths"]},
        "foreign": foreign_files(request["folders"], request["paths"]),
        "refusals": refusals(request["sockets"]),
        "units": unit_facts(request["units"]),
        "failed_units": failed_units(),
        "listeners": listeners(),
        "packages": packages(),
        "stale_processes": stale_processes(),
        "program_counts": program_counts(),
        "queues": queue_counts(),
        "firewall": firewall(),
        "postconf": output("postconf", "-nx"),
        "postconf_services": output("postconf", "-Px"),
        "doveconf": output("doveconf", "-n"),
        "nginx": output("nginx", "-t", "-q"),
        "release": Path("/etc/os-release").read_text("utf-8"),
        "clock": time.time(),
    }
    json.dump(document, sys.stdout)


if __name__ == "__main__":
    main()
