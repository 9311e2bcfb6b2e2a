"""The command schema: JSON Schema for editors."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", type=click.Choice(["fleet", "site", "plan"]), required=False)
def command(kind: str | None) -> None:
    r"""Print the JSON Schema of fleet.yml, of site files, or of a plan document.

    Editors with the YAML language server complete keys and show their meaning with it. Without
    KIND the schema takes either kind of YAML file. The schema of plan is for programs that read
    what plan --format json prints and plan -o saves.

    \b
    Examples:
      provision schema fleet > fleet.schema.json
      provision schema site > site.schema.json
      provision schema plan > plan.schema.json
    """
    import json  # noqa: PLC0415 - start-up time of --help

    from provision.plan.schema import plan_schema  # noqa: PLC0415
    from provision.spec.schema import json_schema  # noqa: PLC0415

    schema = plan_schema() if kind == "plan" else json_schema(kind)
    click.echo(json.dumps(schema, indent=2))
