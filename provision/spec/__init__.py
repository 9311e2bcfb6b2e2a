"""What people wrote: YAML in, Fleet or a list of problems out.

``provision.spec.load.load_fleet`` is the way in for every other package.
"""
