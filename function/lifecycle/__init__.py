"""Steps of an upload that several routes share: admission, deduplication, confirmation."""
