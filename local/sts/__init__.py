"""The token service: AssumeRole and GetCallerIdentity."""
