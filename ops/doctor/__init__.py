"""Examination of a deployment: what fails and how to fix it."""
