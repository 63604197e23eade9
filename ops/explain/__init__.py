"""Explanations of errors, forms and policies, with remedies."""
