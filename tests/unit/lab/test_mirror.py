"""The lab takes Debian from where this machine's apt takes it."""

from provision.lab.mirror import carried_settings, parse_uris


def _uris(*places: str) -> str:
    lines = [
        f"'http://{place}/InRelease' {place.replace('/', '_')}_InRelease 0 \n" for place in places
    ]
    packages = "'http://m.example/debian/dists/trixie/main/binary-amd64/Packages.xz' x 0 \n"
    return "".join(lines) + packages


def test_main_and_security_archive_are_told_apart() -> None:
    text = _uris(
        "m.example/debian/dists/bookworm",
        "m.example/debian/dists/bookworm-updates",
        "s.example/debian-security/dists/bookworm-security",
    )
    assert parse_uris(text) == ("http://m.example/debian", "http://s.example/debian-security")


def test_vendor_that_names_its_suite_after_debian_is_no_mirror() -> None:
    text = _uris(
        "vendor.example/linux/debian/dists/bookworm",
        "m.example/debian/dists/bookworm",
        "m.example/debian/dists/bookworm-updates",
    )
    assert parse_uris(text) == ("http://m.example/debian", None)


def test_old_style_security_suite_is_known() -> None:
    text = _uris("s.example/dists/buster/updates", "m.example/dists/buster")
    assert parse_uris(text) == ("http://m.example", "http://s.example")


def test_backports_and_other_systems_are_no_mirror() -> None:
    text = _uris("u.example/dists/noble", "n.example/dists/nodistro", "x/dists/trixie-backports")
    assert parse_uris(text) == (None, None)


def test_proxy_and_checks_are_carried_and_nothing_else() -> None:
    dump = (
        'APT::Architecture "amd64";\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
        'Acquire::Languages "none";\n'
        'Acquire::Check-Valid-Until "false";\n'
    )
    assert carried_settings(dump) == (
        'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::Check-Valid-Until "false";\n'
    )
