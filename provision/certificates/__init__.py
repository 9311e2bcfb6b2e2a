"""Where certificates come from: files of the spec, or a CA local to the fleet."""
