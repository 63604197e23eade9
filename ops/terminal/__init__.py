"""What a person reads: two languages, colours, and nothing secret or unprintable."""
