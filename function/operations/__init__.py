"""Work without a caller: ticks continue due records."""
