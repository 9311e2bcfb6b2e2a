"""The lab's repository has what a rendered host asks for."""

from provision.assets import demo_fleet_dir
from provision.lab.packages import BASE, packages_for
from provision.model.certificate import CertificatePair, Certificates
from provision.model.secret import Secret
from provision.render.host import render_host
from provision.spec.load import load_fleet


def test_every_package_of_a_rendered_host_is_in_the_repository() -> None:
    fleet = load_fleet(demo_fleet_dir())
    pair = CertificatePair("CERTIFICATE", Secret("KEY"))
    certificates = Certificates(
        hosts={host.name: pair for host in fleet.hosts},
        sites={str(site.domain): pair for site in fleet.sites},
    )
    for host in fleet.hosts:
        asked = set(render_host(fleet, host, certificates).packages)
        assert asked
        assert asked - {*packages_for(host.release), *BASE} == set()
