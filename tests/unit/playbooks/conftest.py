"""Let the host's modules be imported as Ansible does it: below ``ansible.module_utils``."""

from __future__ import annotations

import ansible.module_utils

from provision.assets import playbooks_dir

_FOLDER = str(playbooks_dir() / "module_utils")
if _FOLDER not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(_FOLDER)
