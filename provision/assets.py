"""Find templates/, playbooks/ and the demo fleet in a checkout or an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset_root() -> Path:
    """The folder that holds ``templates/``, ``playbooks/`` and ``inventories/``.

    A wheel carries them in ``provision/_data``; an editable install or a checkout has none, and
    they are then beside the package.
    """
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def templates_dir() -> Path:
    """Folder of the Jinja templates, one subfolder a program."""
    return asset_root() / "templates"


def playbooks_dir() -> Path:
    """Folder of the playbooks, their library and module_utils."""
    return asset_root() / "playbooks"


def demo_fleet_dir() -> Path:
    """The demo fleet folder that ``make demo`` and the tutorial use."""
    return asset_root() / "inventories" / "demo"
