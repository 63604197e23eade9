"""
Proof that the function is hard to break: ``python -m torture``, minutes long, ends with a table.
"""
