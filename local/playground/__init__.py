"""The page on which one upload can be watched, and the server that hands it out."""
