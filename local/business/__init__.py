"""A pretend business: what stands behind a mini-program, as far as held pictures need it."""
