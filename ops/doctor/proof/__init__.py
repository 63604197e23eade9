"""Questions that ``doctor --prove`` asks the services, and its report."""
