"""Multipart uploads of large files: begun, signed, listed, completed or aborted by the holder of a ticket."""
