"""The function behind ``handler.handler``, layer by layer: see ARCHITECTURE.md."""

VERSION = "0.1.0"
