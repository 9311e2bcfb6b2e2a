"""Let the host's modules be imported as Ansible does it: below ``ansible.module_utils``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ansible.module_utils
import pytest

from provision.assets import playbooks_dir

_FOLDER = str(playbooks_dir() / "module_utils")
if _FOLDER not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(_FOLDER)


@pytest.fixture
def layout(tmp_path: Path) -> Any:
    """A bare host in a temporary folder."""
    from ansible.module_utils.provision_layout import Layout  # noqa: PLC0415 - see above

    layout = Layout(tmp_path.resolve())
    layout.prepare()
    (layout.root / "etc").mkdir()
    return layout
