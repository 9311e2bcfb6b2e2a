"""Makes a Plan true."""
