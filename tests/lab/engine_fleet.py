"""A demo fleet whose applies are watched: what was printed, and what any process list showed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from provision.lab.lab import Lab
from tests.contract_checks import WITH_EVENTS, check_document, check_events

ROOT = Path(__file__).resolve().parents[2]
HOST = "mail1"
NO_CHANGES = "No changes. mail1 is as the spec asks.\n"
_MAIN = "from provision.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of the program printed and returned."""

    code: int
    out: str
    err: str


@dataclass
class EngineFleet:
    """One fleet folder with its lab. Everything that was printed is kept in ``printed``."""

    lab: Lab
    printed: list[str] = field(default_factory=list)
    processes: set[str] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """The fleet folder."""
        return self.lab.fleet_dir

    @property
    def events(self) -> Path:
        """Where the events of a command go that is run by ``provision``."""
        return self.folder.parent / f"{self.folder.name}.events"

    def start(self, *words: str, before: str = "") -> subprocess.Popen[str]:
        """Start a command of provision on this fleet; ``before`` is Python that runs first."""
        return subprocess.Popen(
            [sys.executable, "-c", f"{before}\n{_MAIN}", *words, "-i", str(self.folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> Ran:
        """Wait for a started command."""
        out, err = process.communicate(timeout=400)
        self.printed += [out, err]
        return Ran(process.returncode, out, err)

    def provision(self, *words: str, code: int = 0, before: str = "") -> Ran:
        """Run a command of provision; fails when its exit code is another one.

        What it prints as JSON and tells as events has to be as the schemas say.
        """
        self.events.unlink(missing_ok=True)
        told = ["--events", str(self.events)] if words[0] in WITH_EVENTS else []
        ran = self.end(self.start(*words, *told, before=before))
        assert ran.code == code, f"{words}: exit {ran.code}\n{ran.out}\n{ran.err}"
        if "json" in words and ran.out:
            check_document(words[0], ran.out)
        if self.events.exists():
            check_events(self.events, code)
            self.printed.append(self.events.read_text())
        return ran

    def on_host(self, command: str) -> str:
        """What a shell command on the mail host prints."""
        return self.lab.run(HOST, ["sh", "-c", command]).stdout

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the fleet folder."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """The files of the fleet folder are put back, and applied, when one of them changed."""
        kept = {
            path: path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and ".provision" not in path.parts
        }
        yield
        changed = {path for path, content in kept.items() if path.read_bytes() != content}
        for path in changed:
            path.write_bytes(kept[path])
        if changed:
            self.provision("apply", "--yes")

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Collect every process's arguments on this machine, the lab's machines included."""
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.01):
                self.processes |= set(_command_lines())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _command_lines() -> Iterator[str]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield (
                    (folder / "cmdline")
                    .read_bytes()
                    .replace(b"\0", b" ")
                    .decode("utf-8", "replace")
                )


def wait_for(condition: object, *, seconds: float = 60) -> None:
    """Wait until a condition holds; fails after ``seconds``."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_playing(pid: int) -> bool:
    """Whether the program has an Ansible that has got its work, and so no more standard input."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            is_ansible = b"ansible" in Path(f"/proc/{child}/cmdline").read_bytes()
            if is_ansible and Path(f"/proc/{child}/fd/0").readlink() == Path("/dev/null"):
                return True
    return False


def is_at_work(lab: Lab, host: str) -> bool:
    """True while the module on a host holds its lock; looking takes no lock (proc_locks(5))."""
    look = 'grep -q ":$(stat -c %i /run/provision/lock) " /proc/locks'
    return lab.run(host, ["sh", "-c", look], check=False).returncode == 0
