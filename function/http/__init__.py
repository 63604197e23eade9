"""HTTP in and out: the gateway's events, JSON bodies, outgoing requests."""
