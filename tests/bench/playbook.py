"""Measure an apply of nothing against a plain Ansible playbook that reaches the same host.

The playbook (``playbook/site.yml``) first builds the twin from a bare host, and what it made is
compared with what ``provision apply`` made. Then both have nothing to do, on the same host.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from provision.certificates.load import load_certificates
from provision.hosts.connection import Connection
from provision.lab.lab import Lab
from provision.model.bundle import Bundle, ManagedFile
from provision.render.host import render_host
from provision.spec.load import load_fleet
from tests.bench.demo import rehearsal
from tests.bench.stopwatch import Measured, Ran, in_turns, run, watch

PLAYBOOK = Path(__file__).with_name("playbook")
HOST, TWIN = "mail1", "twin"
_ROUNDS = 3
_PROGRAMS = ("systemd", "postfix", "dovecot", "php", "nginx")
_LOOK = """
import hashlib, json, os
found = {"logins": {}, "forwards": {}, "maps": {}, "digests": {}}
for name, folder in (("logins", "/etc/dovecot/accounts"), ("maps", "/etc/postfix/accounts/.build"),
                     ("forwards", "/etc/dovecot/accounts/forwards")):
    for entry in sorted(os.listdir(folder)):
        if os.path.isfile(f"{folder}/{entry}"):
            found[name][entry] = open(f"{folder}/{entry}").read()
            found["digests"][f"{folder}/{entry}"] = ""
found["digests"].update((f"/etc/postfix/accounts/{name}.cdb", "") for name in found["maps"])
found["digests"].update((path, "") for path in json.load(open(0)))
for path in found["digests"]:
    if os.path.isfile(path):
        found["digests"][path] = hashlib.sha256(open(path, "rb").read()).hexdigest()
print(json.dumps(found))
"""
"""Runs on a host: its account files, and digests of everything that counts."""


def measure() -> Iterator[Measured]:
    """No change at all, without and with pipelining."""
    with rehearsal() as (lab, fleet_dir):
        run(["provision", "apply", "--yes", "--host", HOST, "-i", str(fleet_dir)])
        bundle = _bundle(fleet_dir)
        folder = fleet_dir.parent / "playbook"
        have = _look(lab, HOST, bundle)
        _write(folder, bundle, have, Connection.of_fleet(fleet_dir))
        print("building the twin with the playbook ...", flush=True)
        print(f"{_play(lab, folder, TWIN).seconds:.1f} s", flush=True)
        _require_same(have["digests"], _look(lab, TWIN, bundle)["digests"])
        _play(lab, folder, HOST, unchanged=True)
        for words, pipelining, bound in (
            ("default settings", False, 1 / 50),
            ("pipelining on", True, None),
        ):
            ours, theirs = in_turns(
                lambda: run(["provision", "apply", "--host", HOST, "-i", str(fleet_dir)]),
                partial(_play, lab, folder, HOST, unchanged=True, pipelining=pipelining),
                rounds=_ROUNDS,
            )
            times = theirs.seconds / ours.seconds
            yield Measured(
                "apply of no change",
                ours.seconds,
                theirs.seconds,
                f"a plain playbook, {words}: {times:.0f} x as long",
                bound,
                peak_mib=ours.peak_mib,
            )


def _bundle(fleet_dir: Path) -> Bundle:
    fleet = load_fleet(fleet_dir)
    certificates = load_certificates(fleet, fleet_dir / ".provision", datetime.now(UTC))
    return render_host(fleet, fleet.host(HOST), certificates)


def _look(lab: Lab, host: str, bundle: Bundle) -> dict[str, Any]:
    paths = json.dumps([file.path for file in bundle.files])
    found: dict[str, Any] = json.loads(lab.run(host, ["python3", "-c", _LOOK], stdin=paths).stdout)
    return found


def _require_same(ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    differing = sorted(path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path))
    if differing or len(ours) < len(_PROGRAMS) * 5:
        raise SystemExit(f"the playbook does not reach the same host: {differing}")
    print(f"the twin has the same bytes at {len(ours)} paths", flush=True)


def _play(
    lab: Lab, folder: Path, host: str, *, unchanged: bool = False, pipelining: bool = False
) -> Ran:
    """One run with Ansible's own defaults."""
    settings = {"ANSIBLE_CONFIG": "ansible.cfg", "ANSIBLE_PIPELINING": str(pipelining)}
    words = [f"{name}={value}" for name, value in settings.items()]
    command = ["ansible-playbook", "-i", "inventory.ini", "-l", host, "site.yml"]
    inside = ["nsenter", f"--net={lab.namespace}", "env", f"--chdir={folder}", *words]
    ran = watch([*inside, *command])
    recap = re.search(r"changed=(\d+) .*unreachable=0 .*failed=0", ran.said)
    if ran.code != 0 or recap is None or (unchanged and recap[1] != "0"):
        raise SystemExit(f"{ran.said}\nthe playbook on {host} ended with {ran.code}")
    return ran


def _write(folder: Path, bundle: Bundle, have: Mapping[str, Any], connection: Connection) -> None:
    """The playbook with its variables and templates; private, for it holds keys and hashes."""
    shutil.copytree(PLAYBOOK, folder)
    folder.chmod(0o700)
    (folder / "files").mkdir()
    (folder / "ansible.cfg").touch()  # Ansible's own defaults, whatever this machine has
    options = (
        f"-o UserKnownHostsFile={connection.known_hosts.resolve()} -o StrictHostKeyChecking=yes"
    )
    hosts = ((HOST, "198.18.0.11"), (TWIN, "198.18.0.12"))
    (folder / "inventory.ini").write_text(
        "".join(
            f"{name} ansible_host={address} ansible_user={connection.user or 'root'}"
            f" ansible_ssh_private_key_file={connection.private_key}"
            f" ansible_ssh_common_args='{options}'"
            " ansible_python_interpreter=/usr/bin/python3\n"
            for name, address in hosts
        )
    )
    (folder / "vars.json").write_text(json.dumps(_variables(folder, bundle, have)))
    os.chmod(folder / "vars.json", 0o600)  # noqa: PTH101 - beside its writing


def _variables(folder: Path, bundle: Bundle, have: Mapping[str, Any]) -> dict[str, Any]:
    configuration: dict[str, list[dict[str, str]]] = {n: [] for n in (*_PROGRAMS, "other")}
    secrets = []
    for number, file in enumerate(bundle.files):
        name = f"{number:03}-{Path(file.path).name}"
        entry = {
            "src": name if file.secret else f"{name}.j2",
            "path": file.path,
            "owner": file.owner,
            "group": file.group,
            "mode": f"{file.mode:04o}",
        }
        if file.secret:
            (folder / "files" / name).write_bytes(file.content)
            secrets.append(entry)
        else:
            (folder / "templates" / f"{name}.j2").write_text(_template(file, bundle))
            configuration[_program(file)].append(entry)
    return {
        "fqdn": str(bundle.host.fqdn),
        "packages": list(bundle.packages),
        "users": [
            {"name": u.name, "home": u.home, "groups": list(u.supplementary_groups)}
            for u in bundle.users
        ],
        "directories": _directories(bundle),
        "secrets": secrets,
        "configuration": configuration,
        "homes": _homes(bundle),
        "units": [unit.name for unit in bundle.units],
        **{kind: _lines(have[kind]) for kind in ("logins", "forwards", "maps")},
    }


def _template(file: ManagedFile, bundle: Bundle) -> str:
    """The file as a template: the host's name is a variable, the rest stands as it is."""
    fqdn = str(bundle.host.fqdn)
    text = file.content.decode().replace(fqdn, "{% endraw %}{{ fqdn }}{% raw %}")
    return f"#jinja2: trim_blocks:False\n{{% raw %}}{text}{{% endraw %}}"


def _program(file: ManagedFile) -> str:
    found = (name for name in _PROGRAMS if f"/{name}/" in file.path)
    return next(found, "other")


def _directories(bundle: Bundle) -> list[dict[str, str]]:
    accounts = (
        ("/etc/dovecot/accounts", 0o751, "dovecot"),
        ("/etc/dovecot/accounts/forwards", 0o750, "vmail"),
        ("/etc/postfix/accounts", 0o750, "postfix"),
        ("/etc/postfix/accounts/.build", 0o700, "root"),
    )
    found = [(d.path, d.mode, d.owner, d.group) for d in bundle.directories]
    parents = (str(Path(file.path).parent) for file in bundle.files)
    found += [(path, 0o755, "root", "root") for path in parents if path.endswith(".service.d")]
    found += [(path, mode, "root", group) for path, mode, group in accounts]
    found += [
        (f"/var/mail/provision/{site.site}", 0o700, "vmail", "vmail") for site in bundle.accounts
    ]
    return [
        {"path": path, "mode": f"{mode:04o}", "owner": owner, "group": group}
        for path, mode, owner, group in dict.fromkeys(found)
    ]


def _homes(bundle: Bundle) -> list[str]:
    addresses = (m.address.partition("@") for site in bundle.accounts for m in site.mailboxes)
    return [f"{site}/{local}" for local, _, site in addresses]


def _lines(files: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "lines": text.splitlines()} for name, text in files.items()]
