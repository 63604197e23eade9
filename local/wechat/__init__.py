"""WeChat's server side, as far as a mini-program's login and the check of its users' pictures need it."""
