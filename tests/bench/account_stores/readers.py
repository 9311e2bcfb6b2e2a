"""Postfix and Dovecot as they look accounts up in a store."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .candidates import Store, two_three


@contextlib.contextmanager
def dovecot(store: Store) -> Iterator[None]:
    """Dovecot with nothing but its auth service."""
    settings = "protocols =\nssl = no\nlog_path = /var/tmp/account-stores.log\n"
    settings += "default_vsz_limit = 1G\nmail_uid = 65534\nmail_gid = 65534\nmail_home = /nowhere\n"
    settings += "service auth {\n unix_listener auth-userdb {\n mode = 0600\n }\n}\n"
    if two_three():
        settings += "passdb {\n driver = static\n args = password=x\n}\n"
    else:
        settings += "passdb static {\n password = x\n}\n"
        settings = "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n" + settings
    config = Path("/var/tmp/account-stores.conf")
    config.write_text(settings + store.dovecot())
    with subprocess.Popen(["dovecot", "-F", "-c", str(config)]) as master:
        try:
            wait_for(Path("/run/dovecot/auth-userdb"))
            yield
        finally:
            master.terminate()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            return
        time.sleep(0.05)
    raise TimeoutError(path)


def ask_dovecot(names: list[str]) -> int:
    """How many of the names Dovecot's userdb does not answer with an account."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(30)
        stream.connect("/run/dovecot/auth-userdb")
        stream.sendall(b"VERSION\t1\t0\n")
        wrong = 0
        with stream.makefile("r") as replies:
            for number, name in enumerate(names, 1):
                stream.sendall(f"USER\t{number}\t{name}\tservice=lmtp\n".encode())
                for line in replies:
                    if line.split("\t")[0] in {"USER", "NOTFOUND", "FAIL"}:
                        wrong += not line.startswith("USER")
                        break
                else:
                    return len(names)
    return wrong


def ask_postfix(store: Store, names: list[str]) -> int:
    """How many of the names a Postfix process that starts now does not find."""
    keys = "\n".join(names) + "\n"
    done = subprocess.run(
        ["postmap", "-q", "-", store.postfix_map],
        input=keys,
        capture_output=True,
        text=True,
        check=False,
    )
    return len(names) - len(done.stdout.splitlines())
