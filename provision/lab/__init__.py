"""A rehearsal fleet on this machine: real Debian hosts in a network that leads nowhere."""
