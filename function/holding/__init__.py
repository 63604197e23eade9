"""Held objects: what happens between the upload and the moment when an object may be seen."""
