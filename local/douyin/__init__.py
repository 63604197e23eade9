"""Douyin's server side, as far as the login of a mini-program needs it."""
