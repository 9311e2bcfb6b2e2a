"""An offline, signed apt repository: all that a mail host may install, fetched beforehand."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Callable, Sequence
from email.utils import formatdate
from pathlib import Path

from provision.lab.cache import built_once, cache_dir, key_of, locked
from provision.lab.images import SUITES
from provision.lab.mirror import MIRROR_HINT, Mirror, find_mirror
from provision.lab.packages import packages_for
from provision.lab.programs import DEBIAN_KEYRING, remove_tree, run

_LAYOUT = 1
"""Counts up when this module writes a repository differently."""


def repository(release: str, *, image: Path, progress: Callable[[str], None]) -> Path:
    """The repository for hosts on ``image`` (a tree), built when the cache has none.

    It holds what ``packages_for`` lists and whatever that depends on and the image has not; hosts
    see it at /srv/repository. Raises ProvisionError when a package cannot be fetched.
    """
    packages = packages_for(release)
    key = key_of([release, image.parent.name, sorted(packages), _LAYOUT])
    target = cache_dir() / "repositories" / f"{release}-{key}"

    def build(scratch: Path) -> None:
        progress(f"fetching the packages for {release} hosts; once, about a minute")
        _fetch(scratch, suite=SUITES[release], image=image, packages=packages)
        _index(scratch)

    target.parent.mkdir(parents=True, exist_ok=True)
    return built_once(target, build)


def _fetch(scratch: Path, *, suite: str, image: Path, packages: Sequence[str]) -> None:
    """Download the closure with an apt that believes itself to be on a fresh host."""
    apt = scratch / "apt"
    for folder in ("lists/partial", "archives/partial", "etc"):
        (apt / folder).mkdir(parents=True)
    mirror = find_mirror()
    (apt / "etc/sources.list").write_text(_sources(mirror, suite))
    config = apt / "etc/apt.conf"
    config.touch(mode=0o600)  # a proxy's address may hold a password
    config.write_text(_apt_conf(apt, image=image, mirror=mirror))
    env = {"APT_CONFIG": str(config)}
    get = ["apt-get", "--quiet", "--yes"]
    run([*get, "--error-on=any", "update"], env=env, hint=MIRROR_HINT)
    run([*get, "--download-only", "install", *packages], env=env, hint=MIRROR_HINT)
    pool = scratch / "pool"
    pool.mkdir()
    for package in (apt / "archives").glob("*.deb"):
        package.rename(pool / package.name)
    remove_tree(apt)


def _sources(mirror: Mirror, suite: str) -> str:
    places = (
        (mirror.debian, suite),
        (mirror.debian, f"{suite}-updates"),
        (mirror.security, f"{suite}-security"),
    )
    return "".join(f"deb [signed-by={DEBIAN_KEYRING}] {u} {s} main\n" for u, s in places)


def _apt_conf(apt: Path, *, image: Path, mirror: Mirror) -> str:
    # APT_CONFIG is read first, so Dir::Etc here keeps the machine's own configuration out.
    return f"""\
{mirror.settings}\
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dir::Etc "{apt}/etc";
Dir::Etc::sourceparts "-";
Dir::Etc::parts "-";
Dir::Etc::main "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State "{apt}";
Dir::State::lists "{apt}/lists";
Dir::State::status "{image}/var/lib/dpkg/status";
Dir::Cache "{apt}";
Dir::Cache::archives "{apt}/archives";
"""


def _index(repository: Path) -> None:
    """Write Packages, Release and its signature (apt-secure(8))."""
    architecture = run(["dpkg", "--print-architecture"]).strip()
    folder = repository / "dists/lab/main" / f"binary-{architecture}"
    folder.mkdir(parents=True)
    packages = run(["sh", "-c", 'cd "$1" && dpkg-scanpackages -m pool', "sh", repository])
    (folder / "Packages").write_text(packages)
    (folder / "Packages.xz").write_bytes(lzma.compress(packages.encode(), preset=1))
    _sign(repository, architecture)
    repository.chmod(0o755)  # apt's _apt user reads it


def _sign(repository: Path, architecture: str) -> None:
    suite = repository / "dists/lab"
    files = sorted(path for path in suite.rglob("Packages*"))
    sums = "".join(
        f" {hashlib.sha256(p.read_bytes()).hexdigest()} {p.stat().st_size} {p.relative_to(suite)}\n"
        for p in files
    )
    (suite / "Release").write_text(
        "Origin: provision lab\nLabel: provision lab\nSuite: lab\nCodename: lab\n"
        f"Date: {formatdate(usegmt=True)}\nArchitectures: {architecture} all\nComponents: main\n"
        f"SHA256:\n{sums}"
    )
    home = cache_dir() / "signing-key"
    with locked(home.with_name("signing-key.lock")):
        try:
            _sign_with(home, suite=suite, public=repository / "key.gpg")
        finally:
            # gpg starts an agent for this home and leaves it running.
            run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"])


def _sign_with(home: Path, *, suite: Path, public: Path) -> None:
    gpg = ["gpg", f"--homedir={home}", "--batch", "--yes", "--quiet", "--pinentry-mode=loopback"]
    if not home.is_dir():
        home.mkdir(mode=0o700)
        new = ["--passphrase=", "--quick-gen-key", "provision lab", "rsa3072", "sign", "never"]
        run([*gpg, *new])
    run([*gpg, f"--output={public}", "--export"])
    run([*gpg, f"--output={suite}/InRelease", "--clearsign", suite / "Release"])
