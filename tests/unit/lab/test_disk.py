"""A machine's disk: layers in order, files with their modes, and a limit that is told."""

from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.lab.disk import Disk, write_files


def test_disk_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    disk = Disk("mail1", "lab/mail1", ("/image", "/layer"), ("/packages:/srv/repository",))
    disk.save(tmp_path)
    assert Disk.load(tmp_path) == disk


def test_latest_layer_is_on_top(tmp_path: Path) -> None:
    disk = Disk("mail1", "lab/mail1", ("/image",)).with_layer(Path("/later"))
    assert "lowerdir=/later:/image," in disk.mount_options(tmp_path)


def test_more_layers_than_can_be_mounted_are_refused(tmp_path: Path) -> None:
    layers = tuple(f"/var/lib/provision-lab/some-lab/hosts/mail1/layers/{n}" for n in range(100))
    with pytest.raises(ProvisionError, match="more than can be mounted"):
        Disk("mail1", "lab/mail1", layers).mount_options(tmp_path)


def test_files_get_their_modes_and_replace_what_was_there(tmp_path: Path) -> None:
    for text in ("one", "two"):
        write_files(tmp_path, {"/root/.ssh/authorized_keys": (text, 0o600)})
    written = tmp_path / "root/.ssh/authorized_keys"
    assert written.read_text() == "two"
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "root").stat().st_mode & 0o777 == 0o700


def test_link_in_the_way_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    upper = tmp_path / "upper"
    (upper / "etc").mkdir(parents=True)
    (upper / "etc/resolv.conf").symlink_to(outside)
    write_files(upper, {"/etc/resolv.conf": ("lab", 0o644)})
    assert outside.read_text() == "mine"
    assert (upper / "etc/resolv.conf").read_text() == "lab"
