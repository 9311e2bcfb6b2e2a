"""The reference page of every key, made from the JSON Schema and so from the models."""

from __future__ import annotations

from typing import Any

from provision.spec.schema import json_schema

_INTRO = """\
# The fleet folder

Made from the models by `make docs`; do not edit by hand.

A fleet is a folder:

| file | holds |
|---|---|
| `fleet.yml` | the hosts, and what all sites share |
| `sites/**/*.yml` | one file a site, at any depth |
| `secrets.yml` | passwords, encrypted with ansible-vault: [Secrets](../how-to/secrets.md) |
| `known_hosts` | the hosts' SSH keys, pinned by [`provision trust`](trust.md) |
| `.provision/` | this machine's state; never in git |

[`provision check`](check.md) reports everything that is wrong with it, [`provision
schema`](schema.md) lets an editor complete these keys, [`provision init`](init.md) makes a folder
to start from.

The files are YAML 1.2: `no`, `on` and `12:30` are text, `010` is ten. A file holds one document;
a key is given once; merge keys (`<<`) and tags other than `!secret NAME` are refused, and so is
every key that is not on this page. Keys that start with `x-` are notes to people. Texts are one
line; control, invisible and direction-changing characters are refused. Limits: 16 MiB a file, 256
MiB a folder, 24 levels of nesting, 4096 characters a text.

Sizes count in powers of 1024: `64K`, `500M`, `2G`, `1T`, or a number of bytes. Domains may be
written in any script. The part before the @ of an address of ours is made of letters, digits,
`.`, `_` and `-`, and is lower case; `provision-probe`
and `provision-catch-all` are reserved. A target without @ is an
address of the site itself; one in a domain of the fleet must exist. Mail that would go in circles
is refused.
"""
_WHERE = {
    "FleetFile": "fleet.yml",
    "HostSpec": "fleet.yml: hosts.NAME",
    "SshSpec": "fleet.yml: hosts.NAME.ssh",
    "FirewallSpec": "fleet.yml: hosts.NAME.firewall",
    "CertificateSpec": "certificate, of a host or a site",
    "SmarthostSpec": "fleet.yml: smarthosts.NAME",
    "Defaults": "fleet.yml: defaults",
    "MailboxDefaults": "fleet.yml: defaults.mailbox",
    "SiteFile": "sites/*.yml",
    "WebmailSpec": "sites/*.yml: webmail",
    "MailboxSpec": "sites/*.yml: mailboxes.LOCALPART",
    "ForwardSpec": "sites/*.yml: mailboxes.LOCALPART.forward",
}


def spec_reference() -> str:
    """docs/reference/spec.md."""
    parts: dict[str, Any] = {}
    for kind in ("fleet", "site"):
        schema = json_schema(kind)
        parts |= {schema["title"]: schema, **schema["$defs"]}
    sections = [_section(heading, parts[name]) for name, heading in _WHERE.items()]
    return "\n".join([_INTRO, *sections])


def _section(heading: str, part: dict[str, Any]) -> str:
    rows = [
        _row(key, value, is_required=key in part.get("required", ()))
        for key, value in part["properties"].items()
    ]
    head = ["| key | takes | | means |", "|---|---|---|---|"]
    return "\n".join([f"## {heading}", "", part["description"], "", *head, *rows, ""])


def _row(key: str, value: dict[str, Any], *, is_required: bool) -> str:
    state = "required" if is_required else ""
    if "default" in value:
        default = value["default"]
        shown = str(default).lower() if isinstance(default, bool) else default
        state = f"else `{shown}`"
    examples = ", ".join(f"`{_flow(example)}`" for example in value.get("examples", ()))
    means = value.get("description", "See below.") + (f" As in {examples}." if examples else "")
    return f"| `{key}` | {_takes(value)} | {state} | {means.replace('|', '&#124;')} |"


def _takes(value: dict[str, Any]) -> str:
    if "enum" in value or "const" in value:
        return " or ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    if "oneOf" in value:
        return "size"
    if "$ref" in value:
        return "mapping"
    names = {
        "string": "text",
        "integer": "whole number",
        "boolean": "`true` or `false`",
        "array": "list",
        "object": "mapping of names",
    }
    return names[value["type"]]


def _flow(example: Any) -> str:
    if isinstance(example, list):
        return f"[{', '.join(map(_flow, example))}]"
    if isinstance(example, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in example.items()) + "}"
    text = str(example)
    return f'"{text}"' if text.startswith("#") else text
