"""Work without a caller: what is due, continued by ticks."""
