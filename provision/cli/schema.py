"""The command schema: JSON Schema for editors."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", type=click.Choice(["fleet", "site"]), required=False)
def command(kind: str | None) -> None:
    r"""Print the JSON Schema of fleet.yml or of site files.

    Editors with the YAML language server complete keys and show their meaning with it. Without
    KIND the schema takes either kind of file.

    \b
    Examples:
      provision schema fleet > fleet.schema.json
      provision schema site > site.schema.json
    """
    import json  # noqa: PLC0415 - start-up time of --help

    from provision.spec.schema import json_schema  # noqa: PLC0415 - start-up time of --help

    click.echo(json.dumps(json_schema(kind), indent=2))
