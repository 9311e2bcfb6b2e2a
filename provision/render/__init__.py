"""What each program must read: Fleet + Host + Certificates in, Bundle out; pure."""
