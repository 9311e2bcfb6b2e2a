"""Make a lab's machines: images, disks, identities; start them, and change the running world."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from provision.errors import ProvisionError
from provision.lab import power
from provision.lab.authority import authority
from provision.lab.disk import Disk, write_files
from provision.lab.estate import Estate, Machine
from provision.lab.identity import identity_files, interface_text
from provision.lab.images import Recipe, image
from provision.lab.keys import ensure_key
from provision.lab.network import in_lab_network, lead_to, make_network
from provision.lab.programs import remove_tree
from provision.lab.repository import repository
from provision.lab.world import host as world
from provision.lab.world.dns import Files

_FEW = 6
_WATCHES = 1024


@dataclass(frozen=True, slots=True)
class Construction:
    """Works on the lab ``name`` in ``folder``, whose lock the caller holds."""

    name: str
    folder: Path
    machines: Sequence[Machine]
    """All of the lab's, the world among them."""
    progress: Callable[[str], None]

    def build(self) -> None:
        """Make sure that the cache has all images and packages; two at a time."""
        releases = sorted({m.release for m in self.machines if m != world.MACHINE})
        with ThreadPoolExecutor(max_workers=2) as pool:
            world_image = pool.submit(image, world.recipe(), progress=self.progress)
            list(pool.map(self._image_and_packages, releases))
            world_image.result()

    def connect(self) -> None:
        """Make the network, with a way to machines at addresses outside the lab's own."""
        make_network(self.name)
        lead_to(self.name, self._outsiders())

    def allow_watches(self) -> None:
        """Raise this machine's limit of inotify(7) instances when its default would not do.

        It is shared by all labs, as root is the same user in each; without it the last of some
        twenty machines would not come up.
        """
        limit = Path("/proc/sys/fs/inotify/max_user_instances")
        if len(self.machines) > _FEW and int(limit.read_text()) < _WATCHES:
            self.progress(f"raising fs.inotify.max_user_instances to {_WATCHES}")
            limit.write_text(str(_WATCHES))

    def start_world(self, estate: Estate) -> None:
        """Boot the world, or change what is different on the running one."""
        folder = self._folder_of(world.MACHINE)
        files = world.world_files(estate, folder=folder, now=dt.datetime.now(dt.UTC))
        noted = folder / "files.json"
        before = json.loads(noted.read_text()) if noted.exists() else {}
        changed = world.changed_files(files, noted=before)
        if changed and power.is_running(folder):
            self.progress("changing the world: DNS, logins, webmail ports")
            _change_running(folder, changed)
        elif changed:
            self._ensure_disk(world.MACHINE)
            write_files(folder / "upper", changed)
        noted.write_text(json.dumps(world.file_digests(files)))
        self.start(world.MACHINE)

    def start(self, machine: Machine) -> None:
        """Boot a machine that is off, or that is not what the fleet says any more."""
        folder = self._folder_of(machine)
        login_key = ensure_key(self.folder / "id_ed25519")
        interface = interface_text(
            machine.address,
            extra=world.EXTRA_ADDRESSES if machine == world.MACHINE else (),
            neighbours=[a for a in self._outsiders() if a != machine.address],
        )
        files = identity_files(machine, folder=folder, login_key=login_key, interface=interface)
        noted = folder / "identity.json"
        digests = json.dumps(world.file_digests(files))
        changed = not noted.exists() or noted.read_text() != digests
        if power.is_running(folder):
            if not changed:
                return
            power.stop(folder)
        self._ensure_disk(machine)
        if changed:  # else the machine keeps its own idea of them, as after any power cut
            write_files(folder / "upper", files)
            noted.write_text(digests)
        self.progress(f"booting {machine.name}: {machine.release}, {machine.address}")
        power.start(folder, lab=self.name)

    def remove_others(self) -> None:
        """Switch off and remove machines that the fleet no longer has."""
        wanted = {machine.name for machine in self.machines}
        for folder in sorted((self.folder / "hosts").glob("*")):
            if folder.name not in wanted:
                self.progress(f"removing {folder.name}, which the fleet no longer has")
                power.cut(folder)
                remove_tree(folder)

    def _outsiders(self) -> list[str]:
        return [m.address for m in self.machines if not in_lab_network(m.address)]

    def _folder_of(self, machine: Machine) -> Path:
        folder = self.folder / "hosts" / machine.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _ensure_disk(self, machine: Machine) -> None:
        folder = self._folder_of(machine)
        binds: tuple[str, ...] = ()
        if machine == world.MACHINE:
            tree = image(world.recipe(), progress=self.progress)
        else:
            tree, packages = self._image_and_packages(machine.release)
            binds = (f"{packages}:/srv/repository",)
        if (folder / "disk.json").exists():
            replace(Disk.load(folder), binds=binds).save(folder)  # packages may have become more
            return
        group = f"{self.name}/{machine.name}"
        Disk(name=machine.name, group=group, layers=(str(tree),), binds=binds).save(folder)

    def _image_and_packages(self, release: str) -> tuple[Path, Path]:
        tree = image(Recipe(release, authority()), progress=self.progress)
        return tree, repository(release, image=tree, progress=self.progress)


def forget_files(folder: Path) -> None:
    """Let the next start write every file of ours again: the disk in ``folder`` went back."""
    for noted in ("files.json", "identity.json"):
        (folder / noted).unlink(missing_ok=True)


def _change_running(folder: Path, changed: Files) -> None:
    leader = power.leader_of(folder)
    if leader is None:
        raise ProvisionError("the world is just starting or ending", hint="try again")
    units = world.units_of(changed)
    script = ["sh", "-c", 'tar -xf - -C / && systemctl restart "$@"', "sh", *units]
    done = subprocess.run(
        power.console(leader, script), input=world.tar_of(changed), capture_output=True, check=False
    )
    if done.returncode != 0:
        raise ProvisionError(f"the world did not take its change: {done.stderr.decode()}")
