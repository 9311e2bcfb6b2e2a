"""What fleet.yml may say about a host: where it is, how to log in, what may come in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from provision.spec.door_model import DoorModel, Port
from provision.spec.firewall_values import NetworkValue, OpeningValue
from provision.spec.values import (
    DomainValue,
    FileValue,
    HostAddressValue,
    KeyValue,
    SshUserValue,
)


class SshSpec(DoorModel):
    """How SSH logs in to a host."""

    user: SshUserValue = Field(default="root", description="System user; root, or one with sudo.")
    port: Port = Field(default=22, description="TCP port.")


class CertificateSpec(DoorModel):
    """A certificate given as files instead of one that the fleet's own CA issues."""

    chain: FileValue = Field(
        description="PEM file with the certificate first, then its chain.",
        examples=["certificates/mail1.pem"],
    )
    key: KeyValue = Field(
        description="Private key that fits: a secret, or a file (which ansible-vault may encrypt).",
        examples=["!secret mail1/key"],
    )


class FirewallSpec(DoorModel):
    """A packet filter on the host: in comes what mail, web and SSH need, and nothing else."""

    ssh_from: list[NetworkValue] | None = Field(
        default=None,
        description="Networks or addresses from where SSH is answered; everywhere when left out."
        " Wherever `provision` runs must be among them: a change that locks it out is taken back.",
        min_length=1,
        max_length=500,
        examples=[["198.18.0.0/24", "2001:db8::/32"]],
    )
    also_open: list[OpeningValue] = Field(
        default_factory=list,
        description="Further ports, open to everybody.",
        max_length=500,
        examples=[["tcp/8080", "udp/51820"]],
    )


class HostSpec(DoorModel):
    """A mail host."""

    address: HostAddressValue = Field(
        description="Where SSH goes: an IP address or a host name.", examples=["192.0.2.10"]
    )
    fqdn: DomainValue = Field(
        description="The host's name in HELO, banners and MX records.",
        examples=["mail1.example.net"],
    )
    release: Literal["debian13"] = Field(
        description="The Debian release it runs; compared with the host.", examples=["debian13"]
    )
    ssh: SshSpec | None = Field(
        default=None, description="SSH login; root at port 22 when left out."
    )
    certificate: CertificateSpec | None = Field(
        default=None,
        description="Certificate for `fqdn`; issued by the fleet's own CA when left out.",
    )
    firewall: FirewallSpec | None = Field(
        default=None,
        description="A firewall of ours; when left out, packets are not filtered by us.",
        examples=[{"ssh_from": ["198.18.0.0/24"]}],
    )
