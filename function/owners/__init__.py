"""Objects of one owner: lists and deletions."""
