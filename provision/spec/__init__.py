"""What people wrote: YAML in, Fleet or a list of problems out."""
