"""What programs may rely on: the JSON Schema of every document and of events."""
