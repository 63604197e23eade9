"""The object store: PostObject with signatures, policies and callbacks, and reading."""
