"""A client of the deployed function: ask it for a form, log in at it, post a file as a mini-program does."""
