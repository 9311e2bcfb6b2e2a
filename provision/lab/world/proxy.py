"""Settings of the world's nginx: each site's webmail on a plain port, for a person's browser."""

from __future__ import annotations

from provision.lab.estate import Estate, HostedSite
from provision.lab.network import WORLD
from provision.lab.world.dns import Files

FIRST_PORT = 8081


def webmail_ports(estate: Estate) -> dict[str, int]:
    """Name of each site's webmail to the port where the world offers it, in the sites' order."""
    return {site.webmail: FIRST_PORT + n for n, site in enumerate(estate.sites)}


def proxy_files(estate: Estate) -> Files:
    """What nginx reads."""
    ports = webmail_ports(estate)
    servers = "".join(_server(site, ports[site.webmail]) for site in estate.sites)
    head = "user www-data;\npid /run/nginx.pid;\nevents {}\n"
    http = f"http {{\naccess_log off;\nclient_max_body_size 0;\n{servers}}}\n"
    return {"/etc/nginx/nginx.conf": (head + http, 0o644)}


def _server(site: HostedSite, port: int) -> str:
    # The browser speaks plain HTTP to a loopback address, so cookies cannot be for TLS only.
    return f"""\
server {{
    listen {WORLD}:{port};
    location / {{
        proxy_pass https://{site.machine.address};
        proxy_ssl_server_name on;
        proxy_ssl_name {site.webmail};
        proxy_set_header Host {site.webmail};
        proxy_redirect https://{site.webmail}/ http://$http_host/;
        proxy_cookie_flags ~ nosecure;
        proxy_hide_header Strict-Transport-Security;
    }}
}}
"""
