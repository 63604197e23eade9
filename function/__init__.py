"""The function behind ``handler.handler``, layer by layer: see ARCHITECTURE.md."""

VERSION = "0.2.0"
