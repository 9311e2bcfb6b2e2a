"""The difference: desired + actual in, Plan out; and how a plan is shown."""
