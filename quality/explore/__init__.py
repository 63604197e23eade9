"""Every order of the calls of a few actors, tried on the function itself."""
