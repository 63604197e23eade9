"""
A cloud on localhost for development and tests: FC gateway, STS, OSS PostObject, code2Session.

Nothing here imports the function's modules (the gateway is handed ``handler.handler`` by its
caller), so a mistake in the signer cannot hide behind the same mistake in its judge.
"""
