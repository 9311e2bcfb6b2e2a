"""A lab: a fleet's machines on this machine, and what a person or a test does with them."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ProvisionError
from provision.hosts.namespace import enter_namespace, inside_namespace
from provision.lab import power
from provision.lab.access import remove_connection, write_access, write_connection
from provision.lab.cache import locked, state_dir
from provision.lab.cgroups import remove_groups
from provision.lab.construction import Construction, forget_files
from provision.lab.estate import Machine, estate_of
from provision.lab.forwarding import forward, stop_forwarding
from provision.lab.network import namespace_path, plug, remove_network
from provision.lab.programs import remove_tree, require_machine
from provision.lab.record import LabRecord, loopback_urls
from provision.lab.snapshots import go_back, has_snapshot, take_snapshot
from provision.lab.waiting import wait_for
from provision.lab.world import host as world
from provision.lab.world.kept import KeptMessage, read_kept
from provision.lab.world.mail import KEPT
from provision.lab.world.proxy import webmail_ports
from provision.model.fleet import Fleet
from provision.spec.load import load_fleet

Progress = Callable[[str], None]


def quiet(_step: str) -> None:
    """Take a step's name and show nothing."""


class Lab:
    """The lab of one fleet folder. Making the object changes nothing; ``up`` does.

    Machines are named as the fleet names its hosts, besides the host ``world``.
    """

    def __init__(self, fleet_dir: Path) -> None:
        """Name the lab after the folder, whose content is read by ``up`` alone."""
        self.fleet_dir = fleet_dir.resolve()
        mark = hashlib.sha256(str(self.fleet_dir).encode()).hexdigest()[:6]
        self.name = f"{self.fleet_dir.name[:20]}-{mark}"
        self.folder = state_dir() / self.name

    @classmethod
    def open(cls, fleet_dir: Path | str) -> Lab:
        """The lab of a fleet folder, up or not."""
        return cls(Path(fleet_dir))

    @property
    def namespace(self) -> Path:
        """The network namespace's file."""
        return namespace_path(self.name)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machines as of the last ``up``, the world first; none before it."""
        record = LabRecord.load(self.folder)
        return record.machines if record else ()

    @property
    def urls(self) -> dict[str, str]:
        """Name of each webmail to the loopback URL that leads to it."""
        return dict(loopback_urls(self.folder))

    def machine(self, name: str) -> Machine:
        """The machine of that name; raises ProvisionError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        if not self.machines:
            raise ProvisionError("the lab is not up", hint=f"provision lab up -i {self.fleet_dir}")
        known = ", ".join(machine.name for machine in self.machines)
        raise ProvisionError(f"the lab has no host {name!r}; it has {known}")

    def machine_folder(self, name: str) -> Path:
        """Where the machine's disk and console log are."""
        return self.folder / "hosts" / self.machine(name).name

    def is_running(self, name: str) -> bool:
        """True while the machine is switched on."""
        return power.is_running(self.machine_folder(name))

    def up(self, fleet: Fleet | None = None, *, progress: Progress = quiet) -> None:
        """Make the lab what ``fleet`` asks for, and wait until every machine answers.

        Builds what is missing, boots what is off, brings the world's DNS, logins and loopback
        ports up to date. Without ``fleet`` the folder is loaded. Idempotent. Raises SpecInvalid,
        or ProvisionError: the fleet does not fit a lab, or this machine lacks something.
        """
        require_machine()
        estate = estate_of(fleet or load_fleet(self.fleet_dir))
        machines = (world.MACHINE, *estate.machines)
        with locked(self.folder / "lock"):
            work = Construction(self.name, self.folder, machines, progress)
            work.build()
            write_access(self.folder, machines)
            LabRecord(str(self.fleet_dir), machines).save(self.folder)
            work.connect()
            work.remove_others()
            work.allow_watches()
            work.start_world(estate)
            for machine in estate.machines:
                work.start(machine)
            self._wait(machines)
            forward(self.folder, lab=self.name, wanted=webmail_ports(estate))
            write_connection(self.fleet_dir, lab=self.name, folder=self.folder)

    def down(self, *, keep: bool = False, progress: Progress = quiet) -> None:
        """Switch everything off and forget it; with ``keep`` disks stay for the next ``up``."""
        require_machine()
        remove_connection(self.fleet_dir)
        if not self.folder.exists():
            return
        with locked(self.folder / "lock"):
            stop_forwarding(self.folder)
            for folder in sorted((self.folder / "hosts").glob("*")):
                progress(f"switching off {folder.name}")
                (power.stop if keep else power.cut)(folder)
            remove_groups(self.name)
            remove_network(self.name)
            if not keep:
                remove_tree(self.folder)

    def start(self, name: str) -> None:
        """Switch one machine on and wait until it answers."""
        machine = self.machine(name)
        work = Construction(self.name, self.folder, self.machines, quiet)
        work.connect()
        work.start(machine)
        self._wait([machine])

    def stop(self, name: str) -> None:
        """Switch one machine off in good order."""
        power.stop(self.machine_folder(name))

    def cut(self, name: str) -> None:
        """Cut one machine's power; ``start`` or ``up`` brings it back."""
        self._require_running(name)
        power.cut(self.machine_folder(name))

    def reboot(self, name: str) -> None:
        """Reboot one machine and wait until it answers again."""
        self._require_running(name)
        power.reboot(self.machine_folder(name))
        self._wait([self.machine(name)])

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
        if not has_snapshot(folder, snapshot):
            go_back(folder, snapshot)  # says which there are
        if power.is_running(folder):
            power.cut(folder)
        go_back(folder, snapshot)
        forget_files(folder)
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
        command = power.console(self._leader(name), argv)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise ProvisionError(
                f"on {name}: {shlex.join(argv)} ended with {done.returncode}: {said}"
            )
        return done

    def read(self, name: str, path: str) -> str:
        """The text of a file on a machine, also one in memory; empty when there is none.

        No program is started there: it may be asked for often. Raises ProvisionError when the
        machine is not running.
        """
        try:
            return Path(f"/proc/{self._leader(name)}/root{path}").read_text()
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return ""

    def runs(self, name: str, program: str) -> bool:
        """True while a process of that name (proc_pid_comm(5)) runs on a machine.

        No program is started there: it may be asked for often. Raises ProvisionError when the
        machine is not running.
        """
        self._require_running(name)
        return program in power.programs_of(self.machine_folder(name))

    def shell_command(self, name: str, argv: Sequence[str], *, console: bool = False) -> list[str]:
        """The command that opens a shell or runs ``argv`` there: by SSH, or on the console."""
        if console:
            return power.console(self._leader(name), argv or ["bash", "-l"])
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

    def read_outside(self, address: str) -> list[KeptMessage]:
        """Messages that a mailbox of home.example or partner.example got, oldest first."""
        kept = read_kept(self._world_root() / KEPT.lstrip("/") / "outside")
        return [
            message for message in kept if address.lower() in map(str.lower, message.recipients)
        ]

    def read_smarthost(self, login: str | None = None) -> list[KeptMessage]:
        """Messages that the ISP's smarthost took, from one login or from all, oldest first."""
        kept = read_kept(self._world_root() / KEPT.lstrip("/") / "smarthost")
        return [message for message in kept if login in {None, message.login}]

    def _world_root(self) -> Path:
        self._require_running("world")
        return power.root_of(self.machine_folder("world"))

    def _wait(self, machines: Sequence[Machine]) -> None:
        with self.inside():
            for machine in machines:
                wait_for(machine, folder=self.folder)

    def _leader(self, name: str) -> int:
        self._require_running(name)
        leader = power.leader_of(self.machine_folder(name))
        if leader is None:
            raise ProvisionError(f"{name} is just starting or ending", hint="try again")
        return leader

    def _require_running(self, name: str) -> None:
        if not self.is_running(name):
            raise ProvisionError(f"{name} is not running", hint="provision lab up")
