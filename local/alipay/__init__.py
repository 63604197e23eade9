"""Alipay's gateway, as far as the login of a mini-program needs it."""
