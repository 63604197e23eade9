"""One file a route: what it asks of whom, in which order."""
