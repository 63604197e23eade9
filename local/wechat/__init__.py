"""
WeChat's server side, as far as a mini-program's login needs it.
"""
