"""STS: the role that is assumed, its session policies, and the credentials that sign."""
