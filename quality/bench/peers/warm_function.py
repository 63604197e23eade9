"""
The warm function in the mode of its environment: an event's bytes in, the response out, its log line written.
"""

import os

from requests_of_clients import CONTEXT, event, event_to_read, token_of_caller
from timing import FORM, READ_1, READ_50, serve

import handler


def answer(asked: bytes):
    answered = handler.handler(asked, CONTEXT)
    if answered["statusCode"] != 200:
        raise SystemExit(answered["body"])
    return answered


def call(asked: bytes):
    answer(asked)
    return lambda: handler.handler(asked, CONTEXT)


if "READ_RATE" in os.environ:
    serve({READ_1: call(event_to_read(1)), READ_50: call(event_to_read(50))})
else:
    serve({FORM: call(event(token=token_of_caller(answer)))})
