"""Programs that run on a host through its SSH session; standard library only, Python 3.11."""
