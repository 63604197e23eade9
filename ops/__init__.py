"""
The operator's commands behind ``manage.py``, in rooms.

A command module has ``SUMMARY`` (one line) and ``ABOUT`` in both languages,
``add_arguments(parser, language)`` and ``run(args) -> int``.
"""
