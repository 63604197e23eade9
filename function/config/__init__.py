"""Settings, profiles and the checks of both."""
