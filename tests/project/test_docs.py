"""The documentation is true: every command has a page and an example, every link leads on."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from provision.cli.main import COMMANDS, provision

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _commands() -> list[tuple[str, click.Command]]:
    context = click.Context(provision)
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = provision.get_command(context, name)
        assert command is not None, name
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", child) for sub, child in command.commands.items()]
    return found


@pytest.mark.parametrize(("name", "command"), _commands(), ids=str)
def test_command_has_an_example_and_a_page_that_names_every_option(
    name: str, command: click.Command
) -> None:
    if " " not in name or command.help:
        assert "Example" in (command.help or ""), f"{name} --help has no example"
    page = (ROOT / "docs" / "reference" / f"{name.split(maxsplit=1)[0]}.md").read_text()
    assert f"provision {name}" in page
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert any(option in page for option in parameter.opts), f"{name}: {parameter.opts}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_of_the_documentation_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    queue = [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        if page.is_dir():
            queue += page.glob("*.md")
            continue
        targets = LINK.findall(page.read_text())
        queue += [(page.parent / t).resolve() for t in targets if "://" not in t]
    assert [str(page) for page in PAGES if page not in seen] == []
