"""Everything about OSS: signing, which is pure, and calls."""
