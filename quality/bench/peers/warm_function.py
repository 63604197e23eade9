"""
The warm function in the mode of its environment: an event's bytes in, the response out, its log line written.
"""

from requests_of_clients import CONTEXT, event, token_of_caller
from timing import serve

import handler


def answer(asked: bytes):
    answered = handler.handler(asked, CONTEXT)
    if answered["statusCode"] != 200:
        raise SystemExit(answered["body"])
    return answered


asked = event(token_of_caller(answer))
answer(asked)
serve(lambda: handler.handler(asked, CONTEXT))
