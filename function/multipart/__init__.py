"""Large files in parts: begun, signed, looked at, completed or dropped, by whoever holds the ticket."""
