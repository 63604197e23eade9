"""The function behind ``handler.handler``, floor by floor: see ARCHITECTURE.md."""

VERSION = "0.1.0"
