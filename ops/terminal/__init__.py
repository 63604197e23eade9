"""Terminal output: two languages, colours, nothing secret or unprintable."""
