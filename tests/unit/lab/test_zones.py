"""The lab's DNS says what a mail host and its clients will ask for."""

from provision.lab.estate import Estate, HostedSite, Login, Machine
from provision.lab.world.zones import Record, records, reverse_name, zones

MAIL1 = Machine("mail1", "198.18.0.11", "mail1.smart.example", "debian13")
ACME = HostedSite(("acme.example", "acme.test"), MAIL1, "webmail.acme.example")
BLUE = HostedSite(("blue.example",), MAIL1, "webmail.blue.example")
ISP = Login("smtp.isp.example", 587, "me", "secret", ("acme.example", "acme.test"))
ESTATE = Estate("smart", (MAIL1,), (ACME, BLUE), (ISP,))


def test_every_domain_of_a_site_leads_mail_to_its_host() -> None:
    found = records(ESTATE)
    for domain in ("acme.example", "acme.test", "blue.example"):
        assert Record(domain, "MX", "10 mail1.smart.example.") in found


def test_sender_policy_names_the_smarthost_only_for_sites_that_use_it() -> None:
    found = {r.name: r.data for r in records(ESTATE) if r.kind == "TXT"}
    assert found["acme.example"] == '"v=spf1 ip4:198.18.0.11 ip4:198.18.0.3 -all"'
    assert found["blue.example"] == '"v=spf1 ip4:198.18.0.11 -all"'


def test_smarthost_leads_into_the_lab_whatever_its_name() -> None:
    assert Record("smtp.isp.example", "A", "198.18.0.3") in records(ESTATE)


def test_address_leads_back_to_its_name() -> None:
    assert reverse_name("198.18.0.11") == "11.0.18.198.in-addr.arpa"
    assert Record("11.0.18.198.in-addr.arpa", "PTR", "mail1.smart.example.") in records(ESTATE)


def test_fleet_that_owns_an_outside_domain_keeps_it() -> None:
    home = HostedSite(("home.example",), MAIL1, "webmail.home.example")
    exchangers = [
        r.data
        for r in records(Estate("f", (MAIL1,), (home,)))
        if r.kind == "MX" and r.name == "home.example"
    ]
    assert exchangers == ["10 mail1.smart.example."]


def test_every_zone_is_delegated_from_the_zone_above_it() -> None:
    found = zones(
        {
            Record("example.org", "MX", "10 a.example.org."),
            Record("sub.example.org", "MX", "10 a.example.org."),
            Record("a.example.org", "A", "198.18.0.1"),
            Record("host.other.test", "A", "198.18.0.1"),
        }
    )
    assert "example.org. NS ns.lab.example." in found["."]
    assert "sub.example.org. NS" not in found["."]
    assert "sub.example.org. NS ns.lab.example." in found["example.org"]
    assert "host.other.test. A 198.18.0.1" in found["other.test"]
    assert "a.example.org. A 198.18.0.1" in found["example.org"]


def test_root_knows_the_address_of_the_name_server() -> None:
    assert "ns.lab.example. A 198.18.0.5" in zones(records(ESTATE))["."]
