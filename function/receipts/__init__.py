"""
What became of an upload: the ticket that goes with a form, OSS's word about it, the receipt for the business.
"""
