"""
What the other rooms stand on: the HTTP server, the clock, accounts, RAM documents, planned faults.
"""
