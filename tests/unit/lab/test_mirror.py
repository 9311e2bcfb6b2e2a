"""The lab takes Debian from where this machine's apt takes it."""

from provision.lab.mirror import carried_settings, parse_targets


def test_main_and_security_archive_are_told_apart() -> None:
    text = (
        "bookworm http://mirror.example/debian/\n"
        "bookworm-updates http://mirror.example/debian/\n"
        "bookworm-security http://security.example/debian-security/\n"
    )
    expected = ("http://mirror.example/debian/", "http://security.example/debian-security/")
    assert parse_targets(text) == expected


def test_order_of_the_sources_does_not_matter() -> None:
    text = "trixie-security http://b.example/s\ntrixie-updates http://a.example/d\ntrixie http://a.example/d\n"
    assert parse_targets(text) == ("http://a.example/d", "http://b.example/s")


def test_old_style_security_suite_is_known() -> None:
    text = "buster/updates http://b.example/s\nbuster http://a.example/d\n"
    assert parse_targets(text) == ("http://a.example/d", "http://b.example/s")


def test_backports_and_other_vendors_are_no_mirror() -> None:
    text = "noble http://ubuntu.example/\nnodistro http://node.example/\nbookworm-backports http://x/\n"
    assert parse_targets(text) == (None, None)


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
