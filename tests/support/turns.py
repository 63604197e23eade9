"""The end of an instance in the middle of a request."""


class Killed(BaseException):
    """An instance ends here, whatever it was about to do. No handler of errors takes it for one."""
