# (modules of playbooks/module_utils)
