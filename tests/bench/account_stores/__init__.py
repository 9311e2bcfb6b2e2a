"""Two ways to keep the accounts of a host, compared with one another."""
