"""HTTP to and from the function: events, JSON bodies, outgoing requests."""
