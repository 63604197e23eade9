"""Function Compute: a gateway that calls a function by both of FC's contracts."""
