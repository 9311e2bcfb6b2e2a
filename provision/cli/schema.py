"""The command schema: JSON Schema for editors, and for programs that read our documents."""

from __future__ import annotations

from typing import Any

import click

YAML = ("fleet", "site")
DOCUMENTS = (
    *("plan", "apply", "rollback", "check", "verify", "drift", "status"),
    *("history", "mailboxes", "hold", "inventory", "labs", "event"),
)
"""The names of provision.contracts.catalogue, which --help need not import."""


@click.command()
@click.argument("kind", type=click.Choice([*YAML, *DOCUMENTS]), required=False)
def command(kind: str | None) -> None:
    r"""Print the JSON Schema of fleet.yml, of site files, or of a document that provision prints.

    Editors with the YAML language server complete keys and show their meaning with fleet and site.
    Without KIND the schema takes either kind of YAML file. The others are for programs: each is
    what that command prints with --format json; mailboxes is of mailbox list, labs of lab list, and
    event is one line of what --events writes.

    \b
    Examples:
      provision schema fleet > fleet.schema.json
      provision schema site > site.schema.json
      provision schema apply > apply.schema.json
      provision schema event > event.schema.json
    """
    import json  # noqa: PLC0415 - start-up time of --help

    click.echo(json.dumps(_schema(kind), indent=2))


def _schema(kind: str | None) -> dict[str, Any]:
    if kind in DOCUMENTS:
        from provision.contracts import catalogue  # noqa: PLC0415 - start-up time of --help

        return catalogue.DOCUMENTS[kind]()
    from provision.spec.schema import json_schema  # noqa: PLC0415

    return json_schema(kind)
