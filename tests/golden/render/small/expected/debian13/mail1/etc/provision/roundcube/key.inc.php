(secret)
