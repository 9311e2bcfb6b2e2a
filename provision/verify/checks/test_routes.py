"""Routes: each site's mail leaves its own way, with its own login and no other's."""

from __future__ import annotations

import json
from typing import Any

from provision.model.fleet import Route, Site, Smarthost, TlsPolicy
from provision.render.smarthost import nexthop, transport
from provision.verify.backend import output
from provision.verify.outcome import NotTried, fault, require
from provision.verify.remote_shell import program
from provision.verify.target import ReachedTarget

_APPLY = "`provision plan` shows the difference, `provision apply` mends it."


def test_site_leaves_its_own_way(host: Any, target: ReachedTarget, site: Site) -> None:
    """Mail of {site} leaves by the route that the spec gives it."""
    maps = output(host, "postconf -xh sender_dependent_default_transport_maps")
    answers = [
        host.run("postmap -q %s %s", f"@{site.domain}", one).stdout.strip()
        for one in maps.replace(",", " ").split()
    ]
    found = next((answer for answer in answers if answer), "nothing")
    wanted = _wanted_transport(target, site)
    require(
        found == wanted or (wanted.endswith(":*") and found.startswith(wanted[:-1])),
        f"mail of {site.domain} would leave by {found}, not {wanted}",
        hint=_APPLY,
    )


def test_smarthost_login_is_its_own(host: Any, target: ReachedTarget, smarthost_site: Site) -> None:
    """The smarthost of {smarthost_site} is given its own login, and no other is."""
    smarthost = _smarthost(target, smarthost_site)
    service = f"{transport(smarthost)}/unix"
    settings = output(host, "postconf -Px").splitlines()
    logins = [line for line in settings if "/smtp_sasl_password_maps" in line]
    own = [line for line in logins if line.startswith(f"{service}/")]
    require(own, f"{transport(smarthost)} has no login", hint=_APPLY)
    table = own[0].partition("=")[2].strip()
    others = [line for line in logins if table in line and line not in own]
    require(not others, f"another transport uses the login too: {others[:1]}", hint=_APPLY)
    answer = host.run("postmap -q %s %s", nexthop(smarthost), table).stdout
    login = f"{smarthost.username}:{smarthost.password.reveal()}"
    require(
        answer.rstrip("\n") == login,
        f"{table} does not hold the login for {nexthop(smarthost)}",
        hint=_APPLY,
    )


def test_smarthost_takes_our_login(host: Any, target: ReachedTarget, smarthost_site: Site) -> None:
    """The smarthost of {smarthost_site} takes the login over TLS; nothing is sent."""
    smarthost = _smarthost(target, smarthost_site)
    request = {
        "host": smarthost.host.name,
        "port": smarthost.port,
        "verify": smarthost.tls is TlsPolicy.VERIFY,
        "authority": output(host, "postconf -xh smtp_tls_CAfile"),
        "username": smarthost.username,
        "password": smarthost.password.reveal(),
    }
    done = target.shell.run_python(program("smarthost_login"), request=request)
    if done.status != 0:
        fault(f"{smarthost.host} could not be tried", detail=done.stderr.decode(errors="replace"))
    said = json.loads(done.stdout)["fault"]
    require(
        not said,
        f"{smarthost.host}:{smarthost.port}: {said}",
        hint="Mail of this site waits in the queue. Is the login in secrets.yml still right?",
    )


def _wanted_transport(target: ReachedTarget, site: Site) -> str:
    match site.outgoing.route:
        case Route.SMARTHOST:
            smarthost = _smarthost(target, site)
            return f"{transport(smarthost)}:{nexthop(smarthost)}"
        case Route.DIRECT:
            return "smtp:"
        case _:
            return "error:*"


def _smarthost(target: ReachedTarget, site: Site) -> Smarthost:
    if site.outgoing.smarthost is None:
        raise NotTried(f"{site.domain} has no smarthost")
    return target.target.fleet.smarthost(site.outgoing.smarthost)
