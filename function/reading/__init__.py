"""What may be seen: signed URLs of objects, for those who may read them."""
