"""Cold start of the packaged function as on FC: ``initialize``, a login in WeChat's mode, the first form."""

import sys

from requests_of_clients import CONTEXT, event, token_of_caller

import handler

handler.initialize(CONTEXT)
token = token_of_caller(lambda asked: handler.handler(asked, CONTEXT))
print(handler.handler(event(token=token), CONTEXT)["body"], flush=True)
sys.stdin.read()
