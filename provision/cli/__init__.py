"""The words people type; one module a command: parse, call one function, print, exit code."""
