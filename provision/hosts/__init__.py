"""The only package that reaches a machine: session, observe, playbook."""
