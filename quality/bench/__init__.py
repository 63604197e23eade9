"""What this function costs, measured beside what a user would otherwise run, in one run on one machine."""
