"""The entry point: names every command, starts one, and turns errors into messages and codes."""

from __future__ import annotations

import gc
import importlib
import signal
import sys
from collections.abc import Sequence

import click

from provision import __version__
from provision.cli.exits import code_of
from provision.errors import ExitCode, ProvisionError

COMMANDS = {
    "init": "provision.cli.init",
    "check": "provision.cli.check",
    "render": "provision.cli.render",
    "plan": "provision.cli.plan",
    "apply": "provision.cli.apply",
    "verify": "provision.cli.verify",
    "drift": "provision.cli.drift",
    "adopt": "provision.cli.adopt",
    "status": "provision.cli.status",
    "history": "provision.cli.history",
    "rollback": "provision.cli.rollback",
    "hold": "provision.cli.hold",
    "unlock": "provision.cli.unlock",
    "mailbox": "provision.cli.mailbox",
    "trust": "provision.cli.trust",
    "inventory": "provision.cli.inventory",
    "schema": "provision.cli.schema",
    "lab": "provision.cli.lab",
}
"""Command to the module that defines it as ``command``; imported only when it runs."""


class _LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for: start-up is a promise."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        if not isinstance(command, click.Command):
            return None
        _keep_lines(command)
        return command


def _keep_lines(command: click.Command) -> None:
    """Give click its "do not rewrap" mark: in our raw docstrings it stands as two characters."""
    command.help = command.help and command.help.replace("\\b\n", "\b\n")
    for child in getattr(command, "commands", {}).values():
        _keep_lines(child)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="provision")
def provision() -> None:
    r"""Plan, apply and prove mail hosts: YAML in git to mail that arrives.

    \b
    Examples:
      provision init inventories/mine
      provision check -i inventories/mine
      provision plan -i inventories/mine
      provision apply -i inventories/mine
      provision verify -i inventories/mine
    """


_keep_lines(provision)


_COLLECTIONS = (100_000, 50, 100)
"""Next to nothing that a command makes is garbage; Python's default takes a tenth of the time."""
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
"""What a job gets that is cancelled, and a program whose terminal is closed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with one of the contract's codes."""
    gc.set_threshold(*_COLLECTIONS)
    _end_in_order()
    sys.exit(run(arguments))


def _end_in_order() -> None:
    """Take SIGTERM and SIGHUP as Ctrl-C is taken: whoever holds secrets or locks tidies up."""
    for number in _ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup(1) has its way
            signal.signal(number, _leave)


def _leave(_number: int, _frame: object) -> None:
    for number in _ENDINGS:  # tidying up is not to be interrupted
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code instead of ending the process."""
    try:
        result = provision.main(args=arguments, prog_name="provision", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return code_of(error)
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("Interrupted.", err=True)
        return code_of(error)
    except ProvisionError as error:
        _show(error)
        return error.exit_code
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _show(error: ProvisionError) -> None:
    click.echo(f"Error: {error.message}", err=True)
    if error.hint:
        click.echo(f"Hint: {error.hint}", err=True)
