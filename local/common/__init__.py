"""Common ground of the emulators: HTTP server, clock, accounts, RAM documents, planned faults."""
