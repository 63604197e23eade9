"""Cold start of the packaged function: the first event is answered by ``handler.handler``, as on FC."""

import sys

from requests_of_clients import CONTEXT, event

import handler

print(handler.handler(event(), CONTEXT)["body"], flush=True)
sys.stdin.read()
