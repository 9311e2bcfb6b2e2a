"""A lab: a fleet's machines on this machine, and what a person or a test does with them."""

from __future__ import annotations

import hashlib
import shlex
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ProvisionError
from provision.hosts.namespace import enter_namespace, inside_namespace
from provision.lab import power
from provision.lab.authority import authority
from provision.lab.cache import locked, state_dir
from provision.lab.cgroups import remove_groups
from provision.lab.connection import remove_connection, ssh_config, write_connection
from provision.lab.disk import Disk, remove_folder, write_files
from provision.lab.estate import Machine, read_machines
from provision.lab.identity import identity_files, known_host_line
from provision.lab.images import Recipe, image
from provision.lab.keys import ensure_key
from provision.lab.network import make_network, namespace_path, plug, remove_network
from provision.lab.programs import require_machine
from provision.lab.repository import repository
from provision.lab.snapshots import go_back, has_snapshot, take_snapshot

Progress = Callable[[str], None]


def quiet(_step: str) -> None:
    """Take a step's name and show nothing."""


class Lab:
    """The lab of one fleet folder. Making the object changes nothing; ``up`` does."""

    def __init__(self, fleet_dir: Path) -> None:
        """Read the fleet; raises ProvisionError when it cannot be rehearsed."""
        self.fleet_dir = fleet_dir.resolve()
        fleet, self.machines = read_machines(self.fleet_dir)
        mark = hashlib.sha256(str(self.fleet_dir).encode()).hexdigest()[:6]
        self.name = f"{fleet}-{mark}"
        self.folder = state_dir() / self.name

    @classmethod
    def open(cls, fleet_dir: Path | str) -> Lab:
        """The lab of a fleet folder, up or not."""
        return cls(Path(fleet_dir))

    @property
    def namespace(self) -> Path:
        """The network namespace's file."""
        return namespace_path(self.name)

    def machine(self, name: str) -> Machine:
        """The machine of that name; raises ProvisionError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines)
        raise ProvisionError(f"the lab has no host {name!r}; it has {known}")

    def machine_folder(self, name: str) -> Path:
        """Where the machine's disk and console log are."""
        return self.folder / "hosts" / self.machine(name).name

    def is_running(self, name: str) -> bool:
        """True while the machine is switched on."""
        return power.is_running(self.machine_folder(name))

    def up(self, *, progress: Progress = quiet) -> None:
        """Build what is missing, boot what is not running, wait until SSH answers everywhere."""
        require_machine()
        with locked(self.folder / "lock"):
            self._write_access()
            make_network(self.name)
            for machine in self.machines:
                self._boot(machine, progress)
            for machine in self.machines:
                self.wait_for_ssh(machine.name)
            write_connection(self.fleet_dir, lab=self.name, folder=self.folder)

    def down(self, *, keep: bool = False, progress: Progress = quiet) -> None:
        """Switch everything off and forget it; with ``keep`` disks stay for the next ``up``."""
        require_machine()
        with locked(self.folder / "lock"):
            remove_connection(self.fleet_dir)
            for folder in sorted((self.folder / "hosts").glob("*")):
                progress(f"switching off {folder.name}")
                (power.stop if keep else power.cut)(folder)
                if not keep:
                    remove_folder(folder)
            remove_groups(self.name)
            remove_network(self.name)
            if not keep:
                remove_folder(self.folder)

    def start(self, name: str, *, progress: Progress = quiet) -> None:
        """Switch one machine on and wait for SSH."""
        self._boot(self.machine(name), progress)
        self.wait_for_ssh(name)

    def stop(self, name: str) -> None:
        """Switch one machine off in good order."""
        power.stop(self.machine_folder(name))

    def cut(self, name: str) -> None:
        """Cut one machine's power; ``start`` or ``up`` brings it back."""
        self._require_running(name)
        power.cut(self.machine_folder(name))

    def reboot(self, name: str) -> None:
        """Reboot one machine and wait until SSH answers again."""
        self._require_running(name)
        power.reboot(self.machine_folder(name))
        self.wait_for_ssh(name)

    def unplug(self, name: str) -> None:
        """Pull one machine's network cable. A reboot plugs it in again, as does ``plug``."""
        plug(self.name, leader=self._leader(name), plugged=False)

    def plug(self, name: str) -> None:
        """Put one machine's network cable back."""
        plug(self.name, leader=self._leader(name), plugged=True)

    def snapshot(self, name: str, snapshot: str, *, shared: bool = False) -> None:
        """Name a machine's present state; it is switched off in good order and booted again.

        A ``shared`` snapshot is kept in the cache for machines of every lab on the same image.
        """
        folder = self.machine_folder(name)
        was_running = power.is_running(folder)
        power.stop(folder)
        take_snapshot(folder, snapshot, shared=shared)
        if was_running:
            self.start(name)

    def restore(self, name: str, snapshot: str) -> None:
        """Boot a machine as it was at a snapshot; what it wrote since is lost."""
        folder = self.machine_folder(name)
        if power.is_running(folder):
            power.cut(folder)
        go_back(folder, snapshot)
        self.start(name)

    def has_snapshot(self, name: str, snapshot: str) -> bool:
        """True when ``restore`` would find the snapshot, the machine's own or a shared one."""
        return has_snapshot(self.machine_folder(name), snapshot)

    def run(
        self, name: str, argv: Sequence[str], *, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as root on a machine's console: works without its network.

        Raises ProvisionError when it fails, unless ``check`` is off.
        """
        done = subprocess.run(
            [*self._console(name), *argv], input=stdin, capture_output=True, text=True, check=False
        )
        if check and done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise ProvisionError(
                f"on {name}: {shlex.join(argv)} ended with {done.returncode}: {said}"
            )
        return done

    def shell_command(self, name: str, argv: Sequence[str], *, console: bool = False) -> list[str]:
        """The command that opens a shell or runs ``argv`` there: by SSH, or on the console."""
        if console:
            return [*self._console(name), *(argv or ["bash", "-l"])]
        self._require_running(name)
        ssh = ["ssh", "-F", str(self.folder / "ssh_config"), name]
        remote = ["--", shlex.join(argv)] if argv else []
        return ["nsenter", f"--net={self.namespace}", "--", *ssh, *remote]

    def enter(self) -> None:
        """Move this process into the lab's network for good."""
        enter_namespace(self.namespace)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run a block with this thread in the lab's network."""
        with inside_namespace(self.namespace):
            yield

    def wait_for_ssh(self, name: str, *, within: float = 60) -> None:
        """Wait until the machine's SSH server greets; raises ProvisionError after the deadline."""
        address = self.machine(name).address
        with self.inside():
            power.wait_until(
                lambda: _greets(address, 22), within=within, what=f"an answer of {name}'s SSH"
            )

    def _console(self, name: str) -> list[str]:
        target = f"--target={self._leader(name)}"
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wdns=/root"]
        return ["nsenter", target, *spaces, "env", "-i", path, "HOME=/root", "LANG=C.UTF-8"]

    def _leader(self, name: str) -> int:
        self._require_running(name)
        leader = power.leader_of(self.machine_folder(name))
        if leader is None:
            raise ProvisionError(f"{name} is just starting or ending", hint="try again")
        return leader

    def _require_running(self, name: str) -> None:
        if not self.is_running(name):
            raise ProvisionError(f"{name} is not running", hint="provision lab up")

    def _write_access(self) -> None:
        self.folder.chmod(0o700)
        ensure_key(self.folder / "id_ed25519")
        (self.folder / "ca.pem").write_text(authority())
        hosts = {machine.name: machine.address for machine in self.machines}
        (self.folder / "ssh_config").write_text(ssh_config(self.folder, hosts=hosts))
        lines = []
        for machine in self.machines:
            folder = self.machine_folder(machine.name)
            folder.mkdir(parents=True, exist_ok=True)
            lines.append(known_host_line(machine, folder=folder))
        (self.folder / "known_hosts").write_text("".join(lines))

    def _boot(self, machine: Machine, progress: Progress) -> None:
        folder = self.machine_folder(machine.name)
        if power.is_running(folder):
            return
        if not (folder / "disk.json").exists():
            self._make_disk(machine, folder, progress)
        login_key = ensure_key(self.folder / "id_ed25519")
        write_files(folder / "upper", identity_files(machine, folder=folder, login_key=login_key))
        progress(f"booting {machine.name}, {machine.release}, {machine.address}")
        power.start(folder, lab=self.name)

    def _make_disk(self, machine: Machine, folder: Path, progress: Progress) -> None:
        tree = image(Recipe(machine.release, authority()), progress=progress)
        packages = repository(machine.release, image=tree, progress=progress)
        Disk(
            name=machine.name,
            group=f"{self.name}/{machine.name}",
            layers=(str(tree),),
            binds=(f"{packages}:/srv/repository",),
        ).save(folder)


def _greets(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
