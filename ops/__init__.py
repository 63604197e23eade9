"""
The operator's commands behind ``manage.py``, in rooms.

A command module has ``SUMMARY`` (one line), ``add_arguments(parser)`` and ``run(args) -> int``.
"""
