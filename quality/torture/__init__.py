"""
Proof that the function is hard to break: ``python -m quality.torture``, minutes long, ends with a table.
"""
