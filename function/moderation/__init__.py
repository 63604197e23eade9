"""The checkers that look at a held object before it is published."""
