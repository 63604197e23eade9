"""The function on a local cloud of its own: ``demo`` and ``serve``."""
