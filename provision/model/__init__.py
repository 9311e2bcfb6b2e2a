"""What a mail estate is: frozen values, resolved and valid; standard library only."""
