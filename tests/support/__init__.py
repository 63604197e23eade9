"""Stand-ins and worlds that tests and the proofs of quality/ share."""
