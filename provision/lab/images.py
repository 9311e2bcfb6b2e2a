"""Debian images: trees built with mmdebstrap, kept by the hash of their recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provision.lab.cache import built_once, cache_dir, key_of
from provision.lab.mirror import MIRROR_HINT, find_mirror
from provision.lab.packages import BASE
from provision.lab.programs import DEBIAN_KEYRING, run

SUITES = {"debian12": "bookworm", "debian13": "trixie"}
"""A release, as a fleet writes it, to Debian's own name."""

# The repository of prefetched packages stands where every host sees it: repository.py.
_SOURCES = """\
Types: deb
URIs: file:/srv/repository
Suites: lab
Components: main
Signed-By: /srv/repository/key.gpg
"""

# Runs on the image's tree ("$1") at the end of mmdebstrap. Host keys and machine-id belong to a
# host, not to an image; apt shall know the offline repository and nothing else.
_FINISH = f"""\
set -eu
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/apt.conf.d/99mmdebstrap
rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*
rm -f "$1"/etc/hostname "$1"/etc/resolv.conf
: > "$1"/etc/machine-id
echo LANG=C.UTF-8 > "$1"/etc/default/locale
mkdir -p "$1"/srv/repository "$1"/root/.ssh
chmod 700 "$1"/root/.ssh
cat > "$1"/etc/apt/sources.list.d/lab.sources <<'END'
{_SOURCES}END
cat > "$1"/etc/network/interfaces <<'END'
auto lo
iface lo inet loopback
source /etc/network/interfaces.d/*
END
chroot "$1" update-ca-certificates >/dev/null
chroot "$1" systemctl mask --quiet console-getty.service systemd-networkd-wait-online.service
chroot "$1" systemctl disable --quiet apt-daily.timer apt-daily-upgrade.timer
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of; ``authority`` is the PEM of a CA that it trusts."""

    release: str
    authority: str
    extra: tuple[str, ...] = ()
    finish: str = ""
    """More shell for the end; ``$1`` is the tree."""

    @property
    def path(self) -> Path:
        """The image's folder in the cache; its ``tree`` is the root file system."""
        key = key_of([self.release, self.authority, BASE, self.extra, _FINISH, self.finish])
        return cache_dir() / "images" / f"{self.release}-{key}"


def image(recipe: Recipe, *, progress: Callable[[str], None]) -> Path:
    """The tree of ``recipe``, built when the cache has none; raises ProvisionError on failure."""

    def build(scratch: Path) -> None:
        what = f"{recipe.release} with {', '.join(recipe.extra)}" if recipe.extra else "bare"
        progress(f"building the image {recipe.release} ({what}); once, about a minute")
        _build(recipe, scratch)

    if not recipe.path.is_dir():
        recipe.path.parent.mkdir(parents=True, exist_ok=True)
    return built_once(recipe.path, build) / "tree"


def _build(recipe: Recipe, scratch: Path) -> None:
    mirror = find_mirror()
    suite = SUITES[recipe.release]
    settings = scratch / "apt.conf"
    authority = scratch / "provision-lab.crt"
    finish = scratch / "finish"
    settings.touch(mode=0o600)  # a proxy's address may hold a password
    settings.write_text(mirror.settings + 'Acquire::Languages "none";\n')
    authority.write_text(recipe.authority)
    finish.write_text(_FINISH + recipe.finish)
    run(
        [
            "mmdebstrap",
            "--quiet",
            "--mode=root",
            "--variant=minbase",
            "--format=directory",
            f"--keyring={DEBIAN_KEYRING}",
            f"--aptopt={settings}",
            f"--include={','.join(BASE + recipe.extra)}",
            '--customize-hook=mkdir -p "$1"/usr/local/share/ca-certificates',
            f"--customize-hook=copy-in {authority} /usr/local/share/ca-certificates",
            f'--customize-hook=sh {finish} "$1"',
            suite,
            scratch / "tree",
            f"deb {mirror.debian} {suite} main",
            f"deb {mirror.debian} {suite}-updates main",
            f"deb {mirror.security} {suite}-security main",
        ],
        hint=MIRROR_HINT,
    )
    settings.unlink()
