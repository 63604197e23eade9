"""Labels of AI-made content: read from files, and written into published pictures."""
