"""The fault sweep: an apply on a real host, interrupted at every one of its steps."""
