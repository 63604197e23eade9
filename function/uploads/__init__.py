"""Uploads by form: requests, plans, tickets, callbacks and receipts."""
